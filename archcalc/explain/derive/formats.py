"""Explanations as text, Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

from archcalc.core import words
from archcalc.core.language import apart, direction, mark, say, say_many
from archcalc.core.markup import escape_latex, escape_markdown, html_page
from archcalc.core.quantities import QUANTITIES
from archcalc.core.text import cells, pad
from archcalc.explain.derive.layer import Derivation, Explanation
from archcalc.explain.derive.network import Sum
from archcalc.explain.derive.notation import CODE, LATEX, MATHML, TEXT, Notation
from archcalc.explain.derive.steps import substituted
from archcalc.explain.derive.trace import Node, Symbol, number_node

FORMATS = ("text", "markdown", "latex", "html", "json")
ENDINGS = {".txt": "text", ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".json": "json"}
#: Units that a reader needs to see; the others are the label itself.
UNITS = ("values", "bytes", "pixels", "positions")
#: By the end of a key, that of the axis before it, whose derivation may be the same. The depth of an image is no axis.
_BEFORE = {"_height": "_depth", "width": "height"}
_WIDTH = 120
#: Headings of tables.
LAYER, QUANTITY, DERIVATION = mark("layer"), mark("quantity"), mark("derivation")
#: Mathematics runs from left to right, on a page from right to left too.
RTL = ' dir="ltr"'
_NEEDS = r"% needs \usepackage{amsmath}"


class Line:
    """A derivation as it is shown: label, left-hand side, chain, and what follows it."""

    def __init__(self, derivation: Derivation, notation: Notation, likewise: bool = False) -> None:
        self.derivation = derivation
        self.label = derivation.label
        left = derivation.symbol
        self.parts = [notation.symbol(Node("symbol", derivation.value, (), left))] if left else []
        chain = [notation.write(node) for node in derivation.chain()]
        self.parts += chain[-1:] if likewise else chain
        unit = derivation.unit if derivation.unit in UNITS else ""
        self.unit = say_many(unit.removesuffix("s"), unit, derivation.value) if unit else ""
        self.likewise = likewise
        self.note = say("likewise") if likewise else apart(derivation.note)


def lines(explanation: Explanation, notation: Notation) -> Iterator[Line]:
    """The derivations that people want to see: no zeros but params, and the width only where it differs."""
    shown = {derivation.quantity: derivation for derivation in explanation.derivations}
    for derivation in explanation.derivations:
        quantity = derivation.quantity
        if not derivation.value and quantity not in ("params", "activations"):
            continue
        other = next(
            (shown.get(quantity.replace(end, _BEFORE[end])) for end in _BEFORE if quantity.endswith(end)), None
        )
        same = other is not None and substituted(other.tree) == substituted(derivation.tree)
        if same and quantity != "width":
            continue
        yield Line(derivation, notation, likewise=same and not derivation.tree.is_atom)


def render(explanations: Sequence[Explanation], form: str, title: str = "", width: int | None = None) -> str:
    """Layers in a format of `FORMATS`."""
    if form == "json":
        return _json(
            {"schema": "archcalc.explanation/1", "title": title, "layers": [as_dict(one) for one in explanations]}
        )
    body = sections(explanations, form, width)
    if form == "html":
        return _page(title, body)
    return f"{_NEEDS}\n{body}" if form == "latex" else body


def sections(explanations: Sequence[Explanation], form: str, width: int | None = None) -> str:
    """Layers as text, Markdown, LaTeX or HTML, to be put into a page; those that have nothing to show are left out."""
    one_by_one = {"html": _html, "latex": _latex, "markdown": _markdown}
    write = one_by_one.get(form) or (lambda one: _text(one, width or _WIDTH))
    return "\n".join(write(one) for one in explanations if any(lines(one, TEXT)))


def render_sum(total: Sum, form: str, title: str = "", width: int | None = None) -> str:
    """A sum over the layers in a format of `FORMATS`."""
    if form == "json":
        terms = [{"layer": term.layer, **derivation_as_dict(term.derivation)} for term in total.terms]
        facts: dict[str, Any] = {"quantity": total.quantity, "total": total.total, "unit": total.unit, "terms": terms}
        if total.not_counted:
            facts["not_counted"] = dict(total.not_counted)
        return _json({"schema": "archcalc.sum/1", "title": title, **facts})
    body = sum_section(total, form, title, width)
    if form == "html":
        return _page(_sum_heading(total, title), body)
    return f"{_NEEDS}\n{body}" if form == "latex" else body


def _sum_heading(total: Sum, title: str) -> str:
    kinds = ", ".join(f"{count} × {words.line(kind)}" for kind, count in total.not_counted.items())
    left_out = say(", at least: {kinds} cannot be counted", kinds=kinds) if kinds else ""
    return f"{title} · {_sum_name(total)}{left_out}"


def _sum_name(total: Sum) -> str:
    """The title of the quantity in the registry; of bytes with their unit."""
    if total.quantity not in QUANTITIES:
        return say(total.quantity.replace("_", " "))
    known = QUANTITIES[total.quantity]
    return say(f"{known.unit} {known.term}") if known.unit == "bytes" else known.title


def sum_section(total: Sum, form: str, title: str = "", width: int | None = None) -> str:
    """A sum as text, Markdown, LaTeX or HTML, to be put into a page."""
    head = _sum_heading(total, title)
    name = _sum_name(total)
    values = [number_node(term.derivation.value) for term in total.terms]
    if form == "html":
        rows = [(term.layer, _equation(MATHML, term.derivation)) for term in total.terms]
        added = "<mo>+</mo>".join(MATHML.write(value) for value in values)
        rows.append((say("total"), f"{added}<mo>=</mo>{MATHML.write(number_node(total.total))}"))
        body = "\n".join(f"<tr><th>{escape(label)}</th><td>{_math(math)}</td></tr>" for label, math in rows)
        return f"<section>\n<h2>{escape(head)}</h2>\n<table>\n{body}\n</table>\n</section>"
    if form in ("latex", "markdown"):
        rows = [(term.layer, " = ".join(LATEX.write(node) for node in term.derivation.chain())) for term in total.terms]
        rows.append((say("total"), LATEX.write(number_node(total.total))))
        if form == "markdown":
            table = "\n".join(f"| {escape_markdown(label)} | ${math}$ |" for label, math in rows)
            heads = f"| {say(LAYER)} | {name} |\n| :--- | :--- |"
            return f"### {escape_markdown(head)}\n\n{heads}\n{table}\n"
        aligned = [(escape_latex(label), math.replace("=", "&=", 1)) for label, math in rows[:-1]]
        body = " \\\\\n".join(rf"  \text{{{label}}} &: & {math}" for label, math in aligned)
        last = rf"  \text{{{escape_latex(rows[-1][0])}}} &: & &= {rows[-1][1]}"
        return f"\\begin{{align*}}\n{body} \\\\\n{last}\n\\end{{align*}}\n"
    label = say("total")
    column = max([cells(label), *(cells(term.layer) for term in total.terms)])
    out = [head, ""]
    for term in total.terms:
        out += _wrapped(
            pad(term.layer, column), [TEXT.write(node) for node in term.derivation.chain()], width or _WIDTH
        )
    whole = [" + ".join(TEXT.write(value) for value in values), TEXT.write(number_node(total.total))]
    out += _wrapped(pad(label, column), whole if len(values) > 1 else whole[-1:], width or _WIDTH)
    return "\n".join([*out, ""])


# --- text


def _text(explanation: Explanation, width: int) -> str:
    found = list(lines(explanation, TEXT))
    column = max((cells(line.label) for line in found), default=0)
    out = [explanation.heading, ""]
    for line in found:
        unit = f" {line.unit}" if line.unit else ""
        note = f"   ({line.note})" if line.note else ""
        if line.likewise:
            unit, note = f"{unit}, {line.note}", ""
        *before, last = _wrapped(f"  {pad(line.label, column)}", line.parts, width)
        last += unit
        fits = not note or cells(last) + cells(note) <= width
        out += [*before, last + note] if fits else [*before, last, " " * (column + 6) + note.strip()]
    return "\n".join([*out, ""])


def _wrapped(label: str, parts: Sequence[str], width: int) -> list[str]:
    """`label  a = b = c`, broken before an `=` or after a `+` where it is too long."""
    out = []
    line = f"{label}  {parts[0]}"
    indent = " " * (cells(label) + 4)
    for part in parts[1:]:
        if cells(line) + 3 + len(part) > width:
            out += _broken(line, indent, width)
            line = f"{indent[:-2]}= {part}"
        else:
            line += f" = {part}"
    out += _broken(line, indent, width)
    return [_turned(line, len(label) + 2 if index == 0 else len(indent) - 2) for index, line in enumerate(out)]


def _turned(line: str, start: int) -> str:
    """The formula that begins there set apart, where words around it run from right to left."""
    return line[:start] + apart(line[start:])


def _broken(line: str, indent: str, width: int) -> list[str]:
    out = []
    while len(line) > width and (at := line.rfind(" + ", len(indent) + 1, width)) > 0:
        out.append(line[: at + 2])
        line = indent + line[at + 3 :]
    return [*out, line]


# --- Markdown and LaTeX


def _markdown(explanation: Explanation) -> str:
    out = [
        f"### {escape_markdown(explanation.name)}",
        "",
        escape_markdown(explanation.what),
        "",
        f"| {say(QUANTITY)} | {say(DERIVATION)} |",
        "| :--- | :--- |",
    ]
    for line in lines(explanation, LATEX):
        after = f" {line.unit}" if line.unit else ""
        after += f" ({escape_markdown(line.note)})" if line.note else ""
        out.append(f"| {escape_markdown(line.label)} | ${' = '.join(line.parts)}${after} |")
    return "\n".join([*out, ""])


def _latex(explanation: Explanation) -> str:
    out = [rf"\paragraph{{{escape_latex(explanation.name)}}} {escape_latex(explanation.what)}", r"\begin{align*}"]
    rows = []
    for line in lines(explanation, LATEX):
        after = rf"~\text{{{line.unit}}}" if line.unit else ""
        after += rf"\quad\text{{({escape_latex(line.note)})}}" if line.note else ""
        left = line.parts[0] if line.derivation.symbol else ""
        parts = line.parts[1:] if line.derivation.symbol else line.parts
        # Symbols on one line, numbers on the next: each fits a page.
        broken = parts[0] + (" \\\\\n    && &= " + " = ".join(parts[1:]) if len(parts) > 1 else "")
        rows.append(rf"  \text{{{escape_latex(line.label)}}} && {left} &= {broken}{after}")
    return "\n".join([*out, " \\\\\n".join(rows), r"\end{align*}", ""])


# --- HTML


def _page(title: str, body: str) -> str:
    return html_page(title, Path(__file__).with_name("page.css").read_text(encoding="utf-8"), body)


def _math(content: str) -> str:
    return f"<math{RTL if direction() == 'rtl' else ''}><mrow>{content}</mrow></math>"


def _equation(notation: Notation, derivation: Derivation) -> str:
    return "<mo>=</mo>".join(notation.write(node) for node in derivation.chain())


def equation(line: Line) -> str:
    """A line that was written in `MATHML`, as mathematics for a page."""
    return _math("<mo>=</mo>".join(line.parts))


def _html(explanation: Explanation) -> str:
    rows = []
    for line in lines(explanation, MATHML):
        note = f" <small>{escape(line.note)}</small>" if line.note else ""
        unit = f" {line.unit}" if line.unit else ""
        rows.append(f"<tr><th>{escape(line.label)}</th><td>{equation(line)}{unit}{note}</td></tr>")
    body = "\n".join(rows)
    head = f"<h2>{escape(explanation.name)}</h2>\n<p>{escape(explanation.what)}</p>"
    return f"<section>\n{head}\n<table>\n{body}\n</table>\n</section>"


# --- JSON


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """A layer as plain data; shapes are [C, H, W] or [N]."""
    return {
        "name": explanation.name,
        "op": explanation.op.kind,
        "heading": explanation.heading,
        "input_shapes": [list(shape) for shape in explanation.input_shapes],
        "output_shape": list(explanation.output_shape),
        "symbols": [_symbol(symbol, value) for symbol, value in explanation.symbols().items()],
        "quantities": [derivation_as_dict(derivation) for derivation in explanation.derivations],
    }


def _symbol(symbol: Symbol, value: int) -> dict[str, Any]:
    return {"symbol": symbol.text, "latex": symbol.latex, "meaning": symbol.meaning, "value": value}


def derivation_as_dict(derivation: Derivation) -> dict[str, Any]:
    """A derivation as plain data. `expression` can be calculated again; sizes of matrices are [rows, columns]."""
    tree = derivation.tree
    chain = derivation.chain()
    matrix = tree.kind == "by"
    left = f"{derivation.symbol.latex} = " if derivation.symbol else ""
    return {
        "quantity": derivation.quantity,
        "label": derivation.label,
        "symbol": derivation.symbol.text if derivation.symbol else None,
        "formula": TEXT.write(tree),
        "substituted": TEXT.write(substituted(tree)),
        "steps": [TEXT.write(node) for node in chain[2:-1]],
        "value": [part.value for part in tree.parts] if matrix else derivation.value,
        "unit": derivation.unit,
        "note": derivation.note,
        "expression": None if matrix else CODE.write(substituted(tree)),
        "latex": left + " = ".join(LATEX.write(node) for node in chain),
    }
