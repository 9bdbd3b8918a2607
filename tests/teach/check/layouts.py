"""The same table in the layouts in which people hand it in."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Sequence
from functools import partial

#: Rows of cells; the first names the columns.
Rows = Sequence[Sequence[str]]


def delimited(rows: Rows, delimiter: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _widths(rows: Rows) -> list[int]:
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _line(row: Sequence[str], widths: Sequence[int], between: str = "  ") -> str:
    return between.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def aligned(rows: Rows, between: int = 3) -> str:
    """Columns of the same width with spaces between them."""
    return "\n".join(_line(row, _widths(rows), " " * between) for row in rows)


def ragged(rows: Rows) -> str:
    """Four spaces between the cells, whatever their width."""
    return "\n".join("    ".join(row) for row in rows)


def dataframe(rows: Rows) -> str:
    """As pandas prints a frame: numbered from 0, the cells at the right of their columns."""
    numbered = [["", *rows[0]], *([str(number), *row] for number, row in enumerate(rows[1:]))]
    widths = _widths(numbered)
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in numbered)


def simple(rows: Rows) -> str:
    """A simple table of reStructuredText."""
    rule = "  ".join("=" * width for width in _widths(rows))
    head, *body = (_line(row, _widths(rows)) for row in rows)
    return "\n".join([rule, head, rule, *body, rule])


def grid(rows: Rows) -> str:
    """A grid table of reStructuredText."""
    widths = _widths(rows)
    rules = [f"+{'+'.join(sign * (width + 2) for width in widths)}+" for sign in "-="]
    lines = [f"| {_line(row, widths, ' | ')} |" for row in rows]
    body = [part for line in lines[1:] for part in (line, rules[0])]
    return "\n".join([rules[0], lines[0], rules[1], *body])


def boxed(rows: Rows) -> str:
    """A box of lines, as many programs print it."""
    widths = _widths(rows)
    rules = [f"{a}{b.join('─' * (width + 2) for width in widths)}{c}" for a, b, c in ("┌┬┐", "├┼┤", "└┴┘")]
    head, *body = (f"│ {_line(row, widths, ' │ ')} │" for row in rows)
    return "\n".join([rules[0], head, rules[1], *body, rules[2]])


def markdown(rows: Rows) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def page(rows: Rows) -> str:
    """A table of HTML as a program writes it."""
    head, *body = rows
    first = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    others = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return f'<table class="answers">\n<thead><tr>{first}</tr></thead>\n<tbody>{others}</tbody></table>'


def stacked(rows: Rows) -> str:
    """A cell a line: pasted without its tabs. What is empty would be lost."""
    return "\n".join(cell or "-" for row in rows for cell in row)


LAYOUTS: dict[str, Callable[[Rows], str]] = {
    "comma": partial(delimited, delimiter=","), "semicolon": partial(delimited, delimiter=";"),
    "tab": partial(delimited, delimiter="\t"),
    "aligned": aligned, "ragged": ragged, "dataframe": dataframe, "simple": simple, "grid": grid, "boxed": boxed,
    "markdown": markdown, "page": page, "stacked": stacked,
}  # fmt: skip
