"""Numbers that keep every operation, limits that do not bite included: what is recorded holds for all values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from math import isqrt
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.explain.derive.trace import Node, Traced, node_of
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import Expression, ExpressionError

#: Operations and operands of one number, written out: a width that grows from layer to layer, or is doubled by `let`.
MOST_OPERATIONS = 500


class SteersError(Exception):
    """A symbol decides which layers there are, so it has to stay a number."""

    def __init__(self, names: set[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


class Recorded(Traced):
    """A traced number, or fraction, from which nothing is left out.

    Raises `UsageError` for one of more than `MOST_OPERATIONS`, which bounds the work on every one that is made of it.
    """

    __slots__ = ()

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        if sum(1 for _ in islice(node.walk(), MOST_OPERATIONS + 1)) > MOST_OPERATIONS:
            raise UsageError(
                f"a closed form of this network has a number of more than {MOST_OPERATIONS} operations; "
                "give fewer symbols with --in, or values with --set"
            )

    def _limited(self, kind: str, other: Any) -> Traced:
        limit = node_of(other)
        assert limit is not None
        choose = min if kind == "min" else max
        return Recorded(Node(kind, choose(self.value, limit.value), (self.node, limit)))

    def archcalc_isqrt(self) -> Recorded:
        return Recorded(Node("isqrt", isqrt(self.value), (self.node,)))

    def divided_by(self, other: Any, swapped: bool = False) -> Recorded:
        """The exact quotient."""
        node = node_of(other)
        assert node is not None
        parts = (node, self.node) if swapped else (self.node, node)
        value: Any = Fraction(parts[0].value) / parts[1].value
        return Recorded(Node("/", value, parts))

    def rounded(self, how: str) -> Recorded:
        """Rounded down (`floor`) or up (`ceil`) to a whole number."""
        value = -(-self.value // 1) if how == "ceil" else self.value // 1
        return Recorded(Node("floor" if how == "floor" else "ceiling", value, (self.node,)))

    def __index__(self) -> int:
        # A number of steps, or a place in a list: what it decides no expression has.
        raise SteersError(self.symbols())

    __int__ = __index__

    def symbols(self) -> set[str]:
        return {node.symbol.text for node in self.node.walk() if node.symbol is not None}


def symbols_of(value: Any) -> set[str]:
    """The symbols in a value, or in a list of values."""
    if isinstance(value, Recorded):
        return value.symbols()
    if isinstance(value, (list, tuple)):
        return set().union(*(symbols_of(item) for item in value))
    return set()


def number_of(value: Any) -> Any:
    """A recorded number as the plain one that it stands for; lists item by item."""
    if isinstance(value, Recorded):
        plain = Fraction(value.value)
        return int(plain) if plain.denominator == 1 else float(plain)
    if isinstance(value, (list, tuple)):
        return [number_of(item) for item in value]
    return value


def record(expression: Expression, variables: Mapping[str, Any]) -> Any:
    """The value of an expression of a spec, recorded where it has symbols. Raises `SteersError` where one decides."""
    kind, parts = expression.kind, expression.parts
    if kind == "name" or expression.names_layer or not _has_symbols(expression, variables):
        return evaluate(expression, variables)
    if kind == "list":
        return [record(part, variables) for part in parts]
    if kind == "if":
        condition = _settled(record(parts[0], variables))
        return record(parts[1 if condition else 2], variables)
    values = [record(part, variables) for part in parts]
    if kind == "index":
        items, index = values[0], _settled(values[1])
        if isinstance(items, list) and isinstance(index, int) and 0 <= index < len(items):
            return items[index]
    if kind == "sign":
        return -values[0] if expression.value == "-" else values[0]
    if kind == "binary" and expression.value in _ARITHMETIC:
        return calculated(expression.value, *values)
    if kind == "call" and expression.value in _CALLS:
        return called(expression.value, values)
    # Comparisons, conditions, items of lists: the symbol would decide.
    raise SteersError(symbols_of(values))


def _has_symbols(expression: Expression, variables: Mapping[str, Any]) -> bool:
    """Whether a name in an expression, or a size of a map, holds a symbol."""
    if expression.kind == "name" or expression.names_layer:
        with suppress(ExpressionError):  # in a part that is not evaluated
            return bool(symbols_of(evaluate(expression, variables)))
        return False
    return any(_has_symbols(part, variables) for part in expression.parts)


_ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**")
_CALLS = ("min", "max", "int", "floor", "ceil", "round", "sum")


def _settled(value: Any) -> Any:
    if names := symbols_of(value):
        raise SteersError(names)
    return value


def calculated(operator: str, left: Any, right: Any) -> Any:
    if operator == "/":
        if not isinstance(left, Recorded) and not isinstance(right, Recorded):
            # A power of 0 has no symbol left, though its base has one.
            quotient = Fraction(left) / right
            return int(quotient) if quotient.denominator == 1 else quotient
        return left.divided_by(right) if isinstance(left, Recorded) else right.divided_by(left, swapped=True)
    if operator == "**":
        if isinstance(right, Recorded) or not isinstance(right, int) or not 0 <= right <= 8:
            raise SteersError(symbols_of([left, right]))
        result: Any = 1
        for _ in range(right):
            result = result * left
        return result
    operations = {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "//": lambda: left // right,
        "%": lambda: left % right,
    }
    return operations[operator]()


def called(name: str, values: Sequence[Any]) -> Any:
    if name in ("min", "max", "sum"):
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        result = items[0]
        for item in items[1:]:
            if name == "sum":
                result = result + item
            else:
                first, other = (result, item) if isinstance(result, Recorded) else (item, result)
                if isinstance(first, Recorded):
                    result = first.archcalc_minimum(other) if name == "min" else first.archcalc_maximum(other)
                else:
                    result = min(result, item) if name == "min" else max(result, item)
        return result
    if name == "round":
        return (values[0] + Fraction(1, 2)).rounded("floor")
    return values[0].rounded("ceil" if name == "ceil" else "floor")
