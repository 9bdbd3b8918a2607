"""Arithmetic in specs: `4*c`, `max(1, c // 2)`, `units[depth][0] if deep else 1`.

A small Pratt parser and a tree walker. Nothing of Python is executed; lengths, nesting, sizes and exponents are
bounded. Decimal numbers are kept exact as fractions, so 0.75*32 is 24.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

from archcalc.core.amounts import factor_of
from archcalc.core.errors import ArchcalcError

LONGEST = 500
DEEPEST = 30
LARGEST_EXPONENT = 64
LARGEST_BITS = 256
LONGEST_LIST = 10_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d{1,2})?)|(?P<name>[A-Za-z_]\w*)|(?P<string>'[^'\\]*'|\"[^\"\\]*\")"
    r"|(?P<op>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],]))"
)
KEYWORDS = {"and", "or", "not", "if", "else", "in", "true", "false", "True", "False"}
#: The channels of the map that a step reads, by itself; the other sizes are functions of a layer too.
IN_CHANNELS = "in_channels"
SIZE_FUNCTIONS = ("channels", "height", "width", "depth", "length", "positions")
#: The names of sizes that can stand without a layer.
SIZE_NAMES = (IN_CHANNELS, *SIZE_FUNCTIONS[1:])
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">=", "in", "not in"}
# How tightly an operator binds, left to right; ** binds to the right and tighter than a sign, as in Python.
_BINDING = {"if": 1, "or": 2, "and": 3, "+": 6, "-": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 9, "(": 10, "[": 10}
_BINDING |= dict.fromkeys(_COMPARISONS, 5)
_NOT = 4
_SIGN = 8


class ExpressionError(ArchcalcError):
    """What is wrong with an expression, and at which character (from 0); no message where that has been reported."""

    def __init__(self, message: str, offset: int = 0, unknown: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        #: The name that is not known, where that is what is wrong.
        self.unknown = unknown
        #: Line and column, once a list knows where its item stands.
        self.mark: tuple[int, int] | None = None


class Faulty:
    """Stands for a value that could not be worked out. What is made of it is not reported again."""


FAULTY = Faulty()


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


class Expression(NamedTuple):
    """A node of the tree: what it does, where it stands, and its parts."""

    kind: str
    offset: int
    value: Any
    parts: tuple[Expression, ...] = ()

    def names(self) -> set[tuple[str, int]]:
        """Every variable that is read, with its place."""
        own = {(self.value, self.offset)} if self.kind == "name" else set()
        parts = [part for part in self.parts if not (self.names_layer and part.kind == "name")]
        return own.union(*(part.names() for part in parts))

    @property
    def names_layer(self) -> bool:
        """Whether it is a size of a layer, as channels(stem) is; a word in its brackets is the layer's name."""
        return self.kind == "call" and self.value in SIZE_FUNCTIONS


def _tokens(text: str, longest: int) -> list[_Token]:
    if len(text) > longest:
        raise ExpressionError(f"an expression may have {longest:,} characters, this one has {len(text):,}")
    result: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            offset = len(text) - len(text[position:].lstrip())
            raise ExpressionError(f"{text[offset]!r} cannot stand in an expression", offset)
        kind = str(match.lastgroup)
        word = match[kind]
        result.append(_Token("op" if word in KEYWORDS else kind, word, match.start(kind)))
        position = match.end()
    result.append(_Token("end", "", len(text)))
    return result


class _Parser:
    def __init__(self, text: str, longest: int, amounts: bool) -> None:
        self.tokens = _tokens(text, longest)
        self.amounts = amounts
        self.index = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        token = self.token
        self.index += 1
        return token

    def expect(self, text: str) -> None:
        if self.token.text != text or self.token.kind != "op":
            found = repr(self.token.text) if self.token.text else "the end"
            raise ExpressionError(f"expected {text!r}, found {found}", self.token.offset)
        self.index += 1

    def whole(self) -> Expression:
        result = self.expression(0)
        if self.token.kind != "end":
            raise ExpressionError(f"expected an operator, found {self.token.text!r}", self.token.offset)
        return result

    def expression(self, binding: int) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError(f"an expression may be nested {DEEPEST} deep", self.token.offset)
        left = self.prefix()
        while (operator := self.operator()) and _BINDING[operator] > binding:
            left = self.infix(left, operator)
        self.depth -= 1
        return left

    def operator(self) -> str | None:
        token = self.token
        if token.kind != "op":
            return None
        if token.text == "not" and self.tokens[self.index + 1].text == "in":
            return "not in"
        return token.text if token.text in _BINDING else None

    def prefix(self) -> Expression:
        token = self.take()
        if token.kind == "number":
            if len(token.text) > LARGEST_BITS:  # not even read: Python refuses long texts of digits
                raise ExpressionError("a number is too large", token.offset)
            number = _bounded(Fraction(token.text), token.offset)
            return self.amount(number, token.offset) if self.amounts else Expression("value", token.offset, number)
        if token.kind == "string":
            return Expression("value", token.offset, token.text[1:-1])
        if token.kind == "name":
            return Expression("name", token.offset, token.text)
        if token.text in ("true", "false", "True", "False"):
            return Expression("value", token.offset, token.text.lower() == "true")
        if token.text in ("-", "+"):
            return Expression("sign", token.offset, token.text, (self.expression(_SIGN),))
        if token.text == "not":
            return Expression("not", token.offset, None, (self.expression(_NOT),))
        if token.text == "(":
            inner = self.expression(0)
            self.expect(")")
            return inner
        if token.text == "[":
            return Expression("list", token.offset, None, self.arguments("]"))
        found = repr(token.text) if token.text else "the end"
        raise ExpressionError(f"expected a number, a name or '(', found {found}", token.offset)

    def amount(self, number: Any, offset: int) -> Expression:
        """A number with the unit that may follow it: 300M, 16 MiB."""
        if self.token.kind != "name":
            return Expression("value", offset, number)
        unit = self.take()
        factor = factor_of(unit.text)
        if factor is None:
            known = ", ".join(("k", "M", "G", "T", "KB", "MB", "GB", "KiB", "MiB", "GiB"))
            raise ExpressionError(f"{unit.text[:40]!r} is no unit; there are {known}", unit.offset)
        return Expression("bytes" if factor[1] else "value", offset, _bounded(Fraction(number) * factor[0], offset))

    def arguments(self, closing: str) -> tuple[Expression, ...]:
        parts: list[Expression] = []
        while self.token.text != closing:
            parts.append(self.expression(0))
            if self.token.text != closing:
                self.expect(",")
        self.expect(closing)
        return tuple(parts)

    def infix(self, left: Expression, operator: str) -> Expression:
        token = self.take()
        if operator == "not in":
            self.take()
        if operator == "(":
            if left.kind != "name":
                raise ExpressionError("only functions can be called", token.offset)
            return Expression("call", left.offset, left.value, self.arguments(")"))
        if operator == "[":
            index = self.expression(0)
            self.expect("]")
            return Expression("index", token.offset, None, (left, index))
        if operator in _COMPARISONS:
            return self.comparison(left, operator, token.offset)
        if operator == "if":
            condition = self.expression(_BINDING["if"])
            self.expect("else")
            return Expression("if", token.offset, None, (condition, left, self.expression(0)))
        binding = _BINDING[operator] - (operator == "**")
        right = self.expression(_SIGN - 1 if operator == "**" else binding)
        return Expression("binary", token.offset, operator, (left, right))

    def comparison(self, left: Expression, operator: str, offset: int) -> Expression:
        """Either a < b, or a chain a < b < c, which means a < b and b < c."""
        operators, parts = [(operator, offset)], [left, self.expression(_BINDING[operator])]
        while (following := self.operator()) in _COMPARISONS:
            assert following is not None
            operators.append((following, self.take().offset))
            if following == "not in":
                self.take()
            parts.append(self.expression(_BINDING[following]))
        if len(parts) == 2:
            return Expression("binary", offset, operator, tuple(parts))
        return Expression("chain", offset, tuple(operators), tuple(parts))


@lru_cache(maxsize=4096)
def parse_expression(text: str, longest: int = LONGEST, amounts: bool = False) -> Expression:
    """Parse an expression of at most `longest` characters. Raises `ExpressionError` with the place of the fault.

    `amounts`: a number may have a unit, as in 300M; one of bytes is a node of the kind `bytes`.
    """
    return _Parser(text, longest, amounts).whole()


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
        return _bounded(_apply(expression, values, functions), expression.offset)
    except ZeroDivisionError:
        raise ExpressionError("division by zero", expression.offset) from None
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


def _bounded(value: Any, offset: int) -> Any:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
            raise ExpressionError("the result is too large", offset)
        return int(value) if value.denominator == 1 else value
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise ExpressionError("the result is too large", offset)
    if isinstance(value, (str, list)) and is_too_long(value):
        raise ExpressionError("the result is too long", offset)
    return value


def is_too_long(value: Any) -> bool:
    """Whether a value holds more than 10,000 characters or items, those of inner lists counted each time."""
    count, waiting = 0, [value]
    while waiting and count <= LONGEST_LIST:
        value = waiting.pop()
        if isinstance(value, (str, list, tuple, Mapping)):
            count += len(value)
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, (list, tuple)) and len(value) <= LONGEST_LIST:
            waiting += value
    return count > LONGEST_LIST


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
