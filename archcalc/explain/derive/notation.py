"""Expressions as text, LaTeX, MathML, and in the notation of the safe evaluator."""

from __future__ import annotations

from html import escape

from archcalc.explain.derive.trace import Node, Symbol

#: How tightly a written part holds together.
_SUM, _PRODUCT, _ATOM = 1, 2, 3


def number(value: int) -> str:
    """34,944; numbers of four digits are written without a comma, as in 4096."""
    return f"{value:,}" if abs(value) >= 10_000 else str(value)


def letter_of(node: Node) -> Symbol:
    """The letter of a node that is one."""
    assert node.symbol is not None
    return node.symbol


def _ends_with_division(node: Node) -> bool:
    """Whether a further factor would seem to stand under the slash."""
    while node.kind == "*":
        node = node.parts[1]
    return node.kind in ("//", "ceil") and node.is_exact


class Notation:
    """Text, as a student writes it: (H₁ − F + 2P)/S + 1."""

    #: Whether a division is written in a line.
    slash = True
    plus, minus, times, sign, by, mod, comma = " + ", " − ", "·", "−", "×", " mod ", ", "
    #: A division that needs no brackets around what it divides; empty where it is written in a line.
    over = ""

    def write(self, node: Node) -> str:
        """The whole expression."""
        return self._write(node)[0]

    # What differs from notation to notation.

    def number(self, value: int) -> str:
        return number(value) if value >= 0 else self.sign + number(-value)

    def symbol(self, node: Node) -> str:
        return letter_of(node).text

    def brackets(self, inner: str, left: str = "(", right: str = ")") -> str:
        return f"{left}{inner}{right}"

    def fraction(self, node: Node) -> tuple[str, int]:
        """A division and how tightly it holds together."""
        if self.over:
            return self.over.format(*map(self.write, node.parts)), _ATOM
        above = self._within(node.parts[0], _PRODUCT)
        below = self._within(node.parts[1], _ATOM)
        return f"{above}/{below}", _PRODUCT

    def modulo(self, node: Node) -> str:
        return f"{self._within(node.parts[0], _PRODUCT)}{self.mod}{self._within(node.parts[1], _ATOM)}"

    def call(self, name: str, arguments: list[str]) -> str:
        return f"{name}({self.comma.join(arguments)})"

    def juxtaposed(self, left: str, right: str) -> str:
        """2P"""
        return left + right

    # What is the same.

    def _write(self, node: Node) -> tuple[str, int]:
        kind = node.kind
        if kind == "number":
            return self.number(node.value), _ATOM if node.value >= 0 else _SUM
        if kind == "symbol":
            return self.symbol(node), _ATOM
        if kind in ("+", "-"):
            left, right = node.parts
            first = self._write(left)[0]
            second = self._within(right, _PRODUCT) if kind == "-" or right.value < 0 else self._write(right)[0]
            return first + (self.plus if kind == "+" else self.minus) + second, _SUM
        if kind == "*":
            return self._product(node), _PRODUCT
        if kind == "by":
            return self.by.join([self._within(part, _ATOM) for part in node.parts]), _PRODUCT
        if kind == "neg":
            return self.sign + self._within(node.parts[0], _PRODUCT), _SUM
        if kind == "%":
            return self.modulo(node), _SUM
        if kind in ("min", "max"):
            return self.call(kind, [self.write(part) for part in node.parts]), _ATOM
        return self._division(node)

    def _division(self, node: Node) -> tuple[str, int]:
        text, level = self.fraction(node)
        if node.is_exact:
            return text, level
        left, right = ("⌊", "⌋") if node.kind == "//" else ("⌈", "⌉")
        return self.brackets(text, left, right), _ATOM

    def _product(self, node: Node) -> str:
        left, right = node.parts
        first, second = self._within(left, _PRODUCT), self._within(right, _PRODUCT)
        if self.slash and _ends_with_division(left):
            first = self._within(left, _ATOM)
        if left.kind == "number" and right.kind == "symbol":
            return self.juxtaposed(first, second)
        return f"{first}{self.times}{second}"

    def _within(self, node: Node, level: int) -> str:
        text, own = self._write(node)
        return text if own >= level else self.brackets(text)


class Latex(Notation):
    """LaTeX for amsmath."""

    slash = False
    plus, minus, times, sign, by, mod = " + ", " - ", r" \cdot ", "-", r" \times ", r" \bmod "
    over = r"\frac{{{}}}{{{}}}"

    def number(self, value: int) -> str:
        return super().number(value).replace(",", "{,}")

    def symbol(self, node: Node) -> str:
        return letter_of(node).latex

    def brackets(self, inner: str, left: str = "(", right: str = ")") -> str:
        names = {"⌊": r"\lfloor", "⌋": r"\rfloor", "⌈": r"\lceil", "⌉": r"\rceil"}
        left, right = names.get(left, left), names.get(right, right)
        if r"\frac" in inner:
            return rf"\left{left} {inner} \right{right}"
        return f"{left}{inner}{right}" if left == "(" else f"{left} {inner} {right}"

    def call(self, name: str, arguments: list[str]) -> str:
        return rf"\{name}\left({self.comma.join(arguments)}\right)"


class MathML(Notation):
    """MathML, which browsers show without help."""

    slash = False
    plus, minus, times, sign, by, mod, comma = (f"<mo>{mark}</mo>" for mark in ("+", "−", "·", "−", "×", "mod", ","))
    over = "<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>"

    def number(self, value: int) -> str:
        return f"<mn>{number(value)}</mn>" if value >= 0 else f"{self.sign}<mn>{number(-value)}</mn>"

    def symbol(self, node: Node) -> str:
        base, _, index = letter_of(node).latex.partition("_")
        if not index:
            return f"<mi>{escape(base)}</mi>"
        index = index.strip("{}")
        tag = "mn" if index.isdigit() else "mi"
        return f"<msub><mi>{escape(base)}</mi><{tag}>{escape(index)}</{tag}></msub>"

    def brackets(self, inner: str, left: str = "(", right: str = ")") -> str:
        return f"<mrow><mo>{left}</mo>{inner}<mo>{right}</mo></mrow>"

    def call(self, name: str, arguments: list[str]) -> str:
        return f"<mrow><mi>{name}</mi><mo>(</mo>{self.comma.join(arguments)}<mo>)</mo></mrow>"


class Compact(Notation):
    """A text of few letters, from which a page builds the same MathML: {H_1−F+2P|S}+1. Arguments part at a `;`."""

    slash = False
    plus, minus, times, sign, by, mod, comma = "+", "−", "·", "−", "×", "%", ";"
    over = "{{{}|{}}}"

    def symbol(self, node: Node) -> str:
        return letter_of(node).latex.replace("{", "").replace("}", "")


class Code(Notation):
    """The notation of `archcalc.spec.expressions`, which can be calculated again; symbols are plain ASCII."""

    slash = False
    plus, minus, times, sign = " + ", " - ", "*", "-"

    def number(self, value: int) -> str:
        return str(value)

    def symbol(self, node: Node) -> str:
        return letter_of(node).latex.replace("{", "").replace("}", "").replace("_", "").replace("\\", "")

    def juxtaposed(self, left: str, right: str) -> str:
        return f"{left}*{right}"

    def modulo(self, node: Node) -> str:
        return f"({self._within(node.parts[0], _ATOM)} % {self._within(node.parts[1], _ATOM)})"

    def _division(self, node: Node) -> tuple[str, int]:
        above, below = self._within(node.parts[0], _ATOM), self._within(node.parts[1], _ATOM)
        if node.kind == "ceil":
            return f"ceil({above}/{below})", _ATOM
        return f"({above}//{below})", _ATOM


TEXT, LATEX, MATHML, COMPACT, CODE = Notation(), Latex(), MathML(), Compact(), Code()
