"""Arithmetic in specs: `4*c`, `max(1, c // 2)`, `units[depth][0] if deep else 1`.

A small Pratt parser; `archcalc.spec.evaluate` calculates the tree. Lengths and nesting are bounded. Decimal numbers are
kept exact as fractions, so 0.75*32 is 24.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.core.amounts import factor_of
from archcalc.core.errors import ArchcalcError
from archcalc.core.language import say
from archcalc.core.words import visible

LONGEST = 500
DEEPEST = 30
LARGEST_BITS = 256
LONGEST_LIST = 10_000

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d{1,2})?)|(?P<name>[A-Za-z_]\w*)|(?P<string>'[^'\\]*'|\"[^\"\\]*\")"
    r"|(?P<op>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],]))"
)
TRUTHS = ("true", "false")
KEYWORDS = {"and", "or", "not", "if", "else", "in", *TRUTHS, "True", "False"}
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
    if text.strip().lower().lstrip("+-") in (".nan", ".inf"):  # of YAML
        raise ExpressionError(f"{text.strip()} is no finite number")
    result: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if not match:
            offset = len(text) - len(text[position:].lstrip())
            raise ExpressionError(say("{word!r} cannot stand in an expression", word=text[offset]), offset)
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
            found = repr(self.token.text) if self.token.text else say("the end")
            raise ExpressionError(say("expected {text!r}, found {found}", text=text, found=found), self.token.offset)
        self.index += 1

    def whole(self) -> Expression:
        result = self.expression(0)
        if self.token.kind != "end":
            raise ExpressionError(
                say("expected an operator, found {found!r}", found=self.token.text), self.token.offset
            )
        return result

    def expression(self, binding: int) -> Expression:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError(say("an expression may be nested {most} deep", most=DEEPEST), self.token.offset)
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
                raise ExpressionError(say("a number is too large"), token.offset)
            number = bounded(Fraction(token.text), token.offset)
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
        found = repr(token.text) if token.text else say("the end")
        raise ExpressionError(say("expected a number, a name or '(', found {found}", found=found), token.offset)

    def amount(self, number: Any, offset: int) -> Expression:
        """A number with the unit that may follow it: 300M, 16 MiB."""
        if self.token.kind != "name":
            return Expression("value", offset, number)
        unit = self.take()
        factor = factor_of(unit.text)
        if factor is None:
            known = ", ".join(("k", "M", "G", "T", "KB", "MB", "GB", "KiB", "MiB", "GiB"))
            raise ExpressionError(f"{unit.text[:40]!r} is no unit; there are {known}", unit.offset)
        return Expression("bytes" if factor[1] else "value", offset, bounded(Fraction(number) * factor[0], offset))

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
    return _Parser(visible(text), longest, amounts).whole()


def bounded(value: Any, offset: int) -> Any:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
            raise ExpressionError(say("the result is too large"), offset)
        return int(value) if value.denominator == 1 else value
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise ExpressionError(say("the result is too large"), offset)
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
