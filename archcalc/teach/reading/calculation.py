"""A calculation as students write it, read safely into a tree: `96*(11²·3+1)`, `(11x11x3 + 1) × 96`, `2(5+1)`.

What people write is brought into the notation of `archcalc.spec.expressions` first; its parser does the rest. Nothing
is executed, and lengths, nesting, exponents and sizes are bounded.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from archcalc.core.language import say
from archcalc.explain.derive.trace import Node
from archcalc.spec.evaluate import LARGEST_EXPONENT
from archcalc.spec.expressions import LARGEST_BITS, Expression, ExpressionError, parse_expression

#: Characters of a calculation.
LONGEST = 10_000
#: Operations that stand in one another; a sum of so many terms is one.
DEEPEST = 150
#: Powers up to this one are kept as the product that they stand for.
_WRITTEN_OUT = 4

#: What may stand between groups of three digits: 34,944, 34 944, 34'944, and LaTeX's 34{,}944.
GAP = r"(?:\{,\}|[,'’ \u00a0\u2009\u202f])"
#: Powers of a thousand by their letters; Cyrillic ones too.
THOUSANDS = {"k": 1, "к": 1, "m": 2, "м": 2, "g": 3, "г": 3, "b": 3}

_PIECE = re.compile(
    rf"(?P<grouped>\d{{1,3}}(?:{GAP}\d{{3}})+(?!\d)(?:\.\d+)?)"
    r"|(?P<scaled>\d+(?:[.,]\d+)?)\s?(?P<letter>[KkКкMmМмGgBb])(?![A-Za-zА-я])"
    r"|(?P<pointed>[1-9]\d{0,2}(?:\.\d{3})+)(?![\d.,]*\d|[eE][-+]?\d)"
    r"|(?P<number>\d+(?:[.,]\d+)?(?:[eE][-+]?\d{1,2}(?!\d))?)"
    r"|(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]+)"
    r"|(?P<power>\*\*|\^)"
    r"|(?P<times>[*×·∙⋅•✕xXхХ]|\\times|\\cdot)"
    r"|(?P<floor_divide>//)"
    r"|(?P<divide>[/÷:∕])"
    r"|(?P<minus>[-−–‐‑])"
    r"|(?P<plus>[+＋])"
    r"|(?P<name>floor|ceil)(?=\s*\()"
    r"|(?P<open>[(\[{⌊⌈]|\\left\()"
    r"|(?P<close>[)\]}⌋⌉]|\\right\))"
    r"|(?P<space>[\s$]+)"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_SIGNS = {"power": "**", "times": "*", "floor_divide": "//", "divide": "/", "minus": "-", "plus": "+"}
_OPENED = {"⌊": "floor(", "⌈": "ceil("}


class StatementError(Exception):
    """Why a cell cannot be read, and at which of its characters (from 0)."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def scaled(digits: str, letter: str) -> Fraction:
    """1.2M as a number."""
    power: int = 1000 ** THOUSANDS[letter.lower()]
    return Fraction(digits.replace(",", ".")) * power


def blur(value: Fraction) -> Fraction:
    """How far "about" reaches: half a step of the last digit that is not 0, and no more than a twentieth."""
    if not value:
        return Fraction(0)
    step = Fraction(1)
    while value % (step * 10) == 0:
        step *= 10
    while value % step != 0:
        step /= 10
    return min(step / 2, abs(value) / 20)


def bounds(text: str) -> tuple[Fraction, Fraction]:
    """What a calculation with rounded numbers may come to: 9.2M + 123.6M is anything from 132.7M to 132.9M.

    Where it has differences or quotients its numbers are taken as exact. Raises `StatementError`.
    """
    signs = {str(match.lastgroup) for match in _PIECE.finditer(text)}
    if "letter" not in signs or signs & {"minus", "divide", "floor_divide", "name"}:
        value = Fraction(calculate(text).value)
        return value, value
    return Fraction(calculate(text, -1).value), Fraction(calculate(text, 1).value)


@lru_cache(maxsize=4096)
def calculate(text: str, side: int = 0) -> Node:
    """The tree of a calculation; its values are whole, or fractions where a division leaves something over.

    With a `side` of −1 or 1 each rounded number, such as 1.2M, is the smallest or the largest that rounds to it.
    Raises `StatementError` for what is no calculation, and for one that is too long, too deep or too large.
    """
    if len(text) > LONGEST:
        raise StatementError(
            say("a calculation may have {most:,} characters, this one has {count:,}", most=LONGEST, count=len(text))
        )
    plain, places = _normalised(text, side)
    try:
        return _tree(parse_expression(plain, 4 * LONGEST), 0)
    except ExpressionError as error:
        offset = places[error.offset] if error.offset < len(places) else len(text)
        message = error.message.replace("a number, a name or '('", "a number or '('")
        raise StatementError(message.replace("an expression", "a calculation"), offset) from None


def _has_points_for_thousands(text: str) -> bool:
    """Whether every point stands before three digits, as in 156 + 2.416 + 48.120."""
    pieces = [(str(match.lastgroup), match[0]) for match in _PIECE.finditer(text)]
    return all(kind in ("pointed", "letter") for kind, piece in pieces if "." in piece)


def _normalised(text: str, side: int) -> tuple[str, list[int]]:
    """The calculation in plain notation, and for each of its characters where it came from."""
    by_points = _has_points_for_thousands(text)
    parts: list[str] = []
    places: list[int] = []
    position = 0
    before = ""
    while position < len(text):
        match = _PIECE.match(text, position)
        if match is None:
            shown = re.match(r"\w+|.", text[position:], re.DOTALL)
            word = shown[0][:20] if shown else ""
            raise StatementError(say("{word!r} cannot stand in a calculation", word=word), position)
        kind = str(match.lastgroup)
        if kind != "space":
            piece = _plain(match, kind, side)
            if kind == "pointed":
                piece = piece.replace(".", "") if by_points or piece.count(".") > 1 else piece
                kind = "number"
            if before in ("number", "close") and kind in ("open", "name"):  # 2(5 + 1)
                piece = "*" + piece
            elif before == "number" and kind in ("grouped", "letter", "number"):
                piece = " " + piece  # two numbers side by side, which the parser refuses
            parts.append(piece)
            places += [position] * len(piece)
            before = "number" if kind in ("grouped", "letter", "number", "raised") else kind
        position = match.end()
    return "".join(parts), places


def _plain(match: re.Match[str], kind: str, side: int) -> str:
    found = match[kind]
    if kind == "grouped":
        return re.sub(GAP, "", found)
    if kind == "letter":
        digits = match["scaled"]
        value = scaled(digits, found)
        decimals = len(re.split("[.,]", digits)[1]) if re.search("[.,]", digits) else 0
        half = scaled("1", found) / 10**decimals / 2 if decimals else blur(value)
        value += side * half
        return str(value) if value.denominator == 1 else f"({value})"
    if kind == "number":
        return found.replace(",", ".")
    if kind == "raised":
        return "**" + found.translate(_RAISED)
    if kind == "open":
        return _OPENED.get(found, "(")
    if kind == "close":
        return ")"
    return _SIGNS.get(kind, found)


def _tree(expression: Expression, depth: int) -> Node:
    if depth > DEEPEST:
        raise ExpressionError(say("a calculation may have {most} operations in a row", most=DEEPEST), expression.offset)
    kind, offset = expression.kind, expression.offset
    if kind == "value":
        return _node("number", expression.value, (), offset)
    parts = tuple([_tree(part, depth + 1) for part in expression.parts])
    if kind == "sign":
        return parts[0] if expression.value == "+" else _node("neg", -parts[0].value, parts, offset)
    if kind == "call":
        return _rounded(expression.value, parts, offset)
    if kind == "binary" and expression.value in _OPERATIONS:
        return _operation(expression.value, parts, offset)
    raise ExpressionError(say("only numbers, + − · / and brackets can stand in a calculation"), offset)


_OPERATIONS = ("+", "-", "*", "/", "//", "**")


def _operation(sign: str, parts: tuple[Node, ...], offset: int) -> Node:
    left, right = parts[0].value, parts[1].value
    if sign == "+":
        return _node("+", left + right, parts, offset)
    if sign == "-":
        return _node("-", left - right, parts, offset)
    if sign == "*":
        return _node("*", left * right, parts, offset)
    if sign == "**":
        return _power(parts[0], right, offset)
    if not right:
        raise ExpressionError(say("division by zero"), offset)
    return _node("//", Fraction(left) / right if sign == "/" else left // right, parts, offset)


def _power(base: Node, exponent: int, offset: int) -> Node:
    """11² as 11·11; a large power as a number."""
    if exponent != int(exponent) or not 0 <= exponent <= LARGEST_EXPONENT:
        raise ExpressionError(
            say("an exponent must be a whole number of at most {most}", most=LARGEST_EXPONENT), offset
        )
    if not 1 <= exponent <= _WRITTEN_OUT:
        return _node("number", base.value**exponent, (), offset)
    product = base
    for _ in range(int(exponent) - 1):
        product = _node("*", product.value * base.value, (product, base), offset)
    return product


def _rounded(name: str, parts: tuple[Node, ...], offset: int) -> Node:
    if len(parts) != 1 or name not in ("floor", "ceil"):
        raise ExpressionError(say("only floor and ceil can be called"), offset)
    (inner,) = parts
    value = inner.value // 1 if name == "floor" else -(-inner.value // 1)
    if inner.kind == "//":
        return _node("//" if name == "floor" else "ceil", value, inner.parts, offset)
    return inner if value == inner.value else _node("number", value, (), offset)


def _node(kind: str, value: int | Fraction, parts: tuple[Node, ...], offset: int) -> Node:
    if isinstance(value, Fraction) and value.denominator == 1:
        value = int(value)
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    if bits > LARGEST_BITS:
        raise ExpressionError(say("the result is too large"), offset)
    return Node(kind, value, parts)  # type: ignore[arg-type]  # a quotient that does not come out is a fraction


def is_whole(node: Node) -> bool:
    """Whether every number of a calculation is whole, so that it can be compared with a rule."""
    return all(isinstance(part.value, int) for part in node.walk())
