"""The value of an expression: a tree walker. Nothing of Python is executed; sizes and exponents are bounded."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import isfinite
from typing import Any

from archcalc.spec.expressions import SIZE_NAMES, Expression, ExpressionError, bounded, parse_expression

LARGEST_EXPONENT = 64
#: The message for a division by zero, which is no fault of the limits here.
DIVISION_BY_ZERO = "division by zero"


class Faulty:
    """Stands for a value that could not be worked out. What is made of it is not reported again."""


FAULTY = Faulty()


def _floor(value: Any) -> int:
    return value.numerator // value.denominator if isinstance(value, Fraction) else int(value)


def _round(value: Any) -> int:
    """The nearest whole number; a half goes up, as in school."""
    return _floor(value + Fraction(1, 2))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "int": _floor,
    "floor": _floor,
    "ceil": lambda value: -_floor(-value),
    "round": _round,
    "len": len,
    "sum": sum,
}


def _power(base: Any, exponent: Any) -> Any:
    if not isinstance(exponent, int) or abs(exponent) > LARGEST_EXPONENT:
        raise ValueError(f"an exponent must be a whole number of at most {LARGEST_EXPONENT}")
    return Fraction(base) ** exponent if exponent < 0 else base**exponent


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: Fraction(a) / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": _power,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}
_NUMBERS_ONLY = {"-", "*", "/", "//", "%", "**"}


def evaluate(
    expression: Expression, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]] = FUNCTIONS
) -> Any:
    """The value: an int, Fraction, bool, string or list; `functions` can be called. Raises `ExpressionError`."""
    kind = expression.kind
    if kind in ("value", "bytes"):
        return expression.value
    if kind == "name":
        return _named(expression, variables)
    if kind == "chain":
        return _chain(expression, variables, functions)
    if kind == "if":
        condition, yes, no = expression.parts
        return evaluate(yes if evaluate(condition, variables, functions) else no, variables, functions)
    if kind == "binary" and expression.value in ("and", "or"):
        left, right = expression.parts
        first = evaluate(left, variables, functions)
        return evaluate(right, variables, functions) if bool(first) == (expression.value == "and") else first
    if kind == "call" and expression.value not in functions:
        if expression.names_layer:
            return _size(expression, _layer(expression, variables, functions), variables)
        known = ", ".join(sorted(functions))
        raise ExpressionError(f"there is no function {expression.value!r}; there are {known}", expression.offset)
    return _calculate(expression, [evaluate(part, variables, functions) for part in expression.parts], functions)


def _named(expression: Expression, variables: Mapping[str, Any]) -> Any:
    """The value of a name: a variable's, or a size of what the step reads."""
    name = expression.value
    if name not in variables:
        if name in SIZE_NAMES:
            return _size(expression, None, variables)
        raise ExpressionError(f"{name!r} is not known here", expression.offset, name)
    if variables[name] is FAULTY:
        raise ExpressionError("", expression.offset)
    return exact(variables[name], expression.offset)


def _layer(
    expression: Expression, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> str | None:
    """The layer in the brackets of a size: a word, or text, whose braces are filled; None: what the step reads."""
    if not expression.parts:
        return None
    part, *more = expression.parts
    is_word = part.kind == "name" and not isinstance(variables.get(part.value), str)
    name = part.value if is_word else evaluate(part, variables, functions)
    if more or not isinstance(name, str):
        example = f"{expression.value}(stem) or {expression.value}('stage1/conv1')"
        raise ExpressionError(f"{expression.value} takes the name of one layer: {example}", expression.offset)
    return interpolate(name, variables)


def _size(expression: Expression, layer: str | None, variables: Mapping[str, Any]) -> Any:
    """A size of a layer, which only the variables of a place among layers know."""
    known = getattr(variables, "size", None)
    if known is None:
        what = f"{expression.value} is known only where layers are"
        raise ExpressionError(what, expression.offset, expression.value)
    try:
        return known(expression.value, layer)
    except ExpressionError as error:
        raise ExpressionError(error.message, expression.offset) from None


def _chain(expression: Expression, variables: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    left: Any = evaluate(expression.parts[0], variables, functions)
    for (operator, offset), part in zip(expression.value, expression.parts[1:], strict=True):
        right = evaluate(part, variables, functions)
        if not _calculate(Expression("binary", offset, operator), [left, right], functions):
            return False
        left = right
    return True


def _calculate(
    expression: Expression, values: Sequence[Any], functions: Mapping[str, Callable[..., Any]] = FUNCTIONS
) -> Any:
    try:
        return bounded(_apply(expression, values, functions), expression.offset)
    except ZeroDivisionError:
        raise ExpressionError(DIVISION_BY_ZERO, expression.offset) from None
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise ExpressionError(_reason(expression, values, error), expression.offset) from None


def _apply(expression: Expression, values: Sequence[Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    kind = expression.kind
    if kind == "binary":
        if expression.value in _NUMBERS_ONLY and not all(isinstance(value, (int, Fraction)) for value in values):
            raise TypeError
        return _OPERATORS[expression.value](*values)
    if kind == "sign":
        return -values[0] if expression.value == "-" else +values[0]
    if kind == "not":
        return not values[0]
    if kind == "list":
        return list(values)
    if kind == "index":
        container, key = values
        if isinstance(container, Mapping):
            return exact(entry(container, key), expression.offset)
        if isinstance(key, bool) or not isinstance(key, int) or key < 0:
            raise IndexError
        return exact(container[key], expression.offset)
    return functions[expression.value](*values)


#: A key of a mapping that means a number.
_NUMBER = re.compile(r"[-+]?\d{1,30}(\.\d{1,30})?([eE][-+]?\d{1,2})?")


def entry(container: Mapping[str, Any], key: Any) -> Any:
    """The entry of a mapping: by the word, or by the number that a key means, so that 1/2 finds 0.5 and 0.50.

    Raises `KeyError` where there is none.
    """
    word = show(key) if isinstance(key, bool) else str(key)
    if word in container or isinstance(key, bool) or not isinstance(key, (int, Fraction)):
        return container[word]
    word = next((each for each in container if _NUMBER.fullmatch(each) and Fraction(each) == key), word)
    return container[word]


def _reason(expression: Expression, values: Sequence[Any], error: Exception) -> str:
    if expression.kind == "index":
        container, key = values
        if isinstance(container, Mapping):
            word = show(key) if isinstance(key, Fraction) else key
            return f"there is no entry {word}; there are {', '.join(map(str, container))}"
        if isinstance(container, (list, tuple)):
            return f"there is no item {key}: the list has {len(container)}, counted from 0"
        return f"{show(container)} has no items"
    if expression.value == "**" and str(error):
        return str(error)
    what = f"{expression.value}(…)" if expression.kind == "call" else repr(expression.value)
    return f"{what} does not work on {' and '.join(show(value) for value in values) or 'nothing'}"


class _Short(reprlib.Repr):
    """Shows the first few items; a list may hold itself many times over."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxdict = 4
        self.maxlevel = 2
        self.fillvalue = "…"

    def repr(self, value: Any) -> str:
        text = super().repr(value)
        return text if len(text) <= 40 else text[:37] + "…"


_SHORT = _Short()


def show(value: Any) -> str:
    """A value for an error message."""
    if isinstance(value, Fraction):
        value = float(value)
    if isinstance(value, (list, tuple, dict)):
        return _SHORT.repr(value)
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else text[:37] + "…"


def exact(value: Any, offset: int = 0) -> Any:
    """Decimal numbers as the fractions that were written."""
    if not isinstance(value, float):
        return value
    if not isfinite(value):
        raise ExpressionError("a number is too large", offset)
    return Fraction(str(value))


_BRACES = re.compile(r"\{([^{}]*)\}")


def interpolate(text: str, variables: Mapping[str, Any]) -> str:
    """Fill the expressions in braces: `conv{stage}_{unit}`."""

    def fill(match: re.Match[str]) -> str:
        try:
            value = evaluate(parse_expression(match[1]), variables)
        except ExpressionError as error:
            raise ExpressionError(error.message, match.start(1) + error.offset, error.unknown) from None
        return f"{float(value):g}" if isinstance(value, Fraction) else str(value)

    return _BRACES.sub(fill, text) if "{" in text else text


def expressions_in_braces(text: str) -> list[tuple[int, str]]:
    """The expressions of a text with braces, each with its place."""
    return [(match.start(1), match[1]) for match in _BRACES.finditer(text)]
