"""Worksheets and their answer keys as Markdown, LaTeX, HTML and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.markup import escape_latex, escape_markdown, html_page
from archcalc.core.shapes import axes_written
from archcalc.explain.derive.formats import sections, sum_section
from archcalc.render.tables.csv import harmless
from archcalc.teach.exercise.worksheet import Line, Worksheet

FORMATS = ("markdown", "latex", "html", "csv")
ENDINGS = {".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".csv": "csv"}
SUFFIX = {"markdown": ".md", "latex": ".tex", "html": ".html", "csv": ".csv"}


class Cell(NamedTuple):
    """A cell as it is shown: its text, and whether it was asked for."""

    text: str
    blank: bool = False


def render_sheet(sheet: Worksheet, form: str, student: str = "") -> str:
    """The worksheet, with empty cells where something is asked."""
    return _render(sheet, form, student, key=False)


def render_key(sheet: Worksheet, form: str, student: str = "") -> str:
    """The table filled in, and the calculation of everything that was asked."""
    return _render(sheet, form, student, key=True)


def _render(sheet: Worksheet, form: str, student: str, key: bool) -> str:
    if form == "csv":
        return _csv(sheet, key)
    writers = {"markdown": _markdown, "latex": _latex, "html": _html}
    return writers[form](sheet, student, key)


def _title(sheet: Worksheet, student: str, key: bool) -> str:
    parts = [words.line(sheet.title), words.line(student), "answer key" if key else ""]
    return " · ".join(part for part in parts if part)


def _instructions(sheet: Worksheet) -> list[str]:
    """What a student must know to fill in the table."""
    count = len(sheet.blanks)
    described = sheet.analysis.describe_conventions()
    order = axes_written(len(sheet.analysis.graph.input_shape) - 1)
    notes = [
        f"Input {sheet.analysis.graph.inputs_in_words()}. "
        f"{count} {'cell is' if count == 1 else 'cells are'} empty: fill {'it' if count == 1 else 'them'} in. "
        f"Shapes are {order}; a calculation such as (5·5·3 + 1)·16 is an answer too.",
        "Convolution and dense layers have a bias unless it says that they have none. "
        "Where windows do not tile the input, sizes are rounded down unless it says that they are rounded up.",
    ]
    asked = set(sheet.quantities)
    if "params" in asked:
        notes.append(f"Params: {described['params']}.")
    if "multiplications" in asked:
        notes.append(f"Multiplications: {described['multiplications']}.")
    if asked & {"activations", "activation_bytes"}:
        notes.append(f"Activations and memory: {described['stored']}.")
    if "receptive_field" in asked:
        notes.append(f"Receptive field: {described['receptive_field']}.")
    return notes


def _cells(sheet: Worksheet, line: Line, key: bool) -> Iterator[Cell]:
    yield Cell(line.layer)
    yield Cell(line.operation)
    if sheet.branches:
        yield Cell(line.reads)
    for quantity, text in zip(sheet.quantities, line.cells, strict=True):
        blank = sheet.is_blank(line.layer, quantity)
        yield Cell(text if key or not blank else "", blank)


def _rows(sheet: Worksheet, key: bool) -> list[list[Cell]]:
    return [list(_cells(sheet, line, key)) for line in sheet.lines]


def _right(sheet: Worksheet) -> list[bool]:
    """Which columns hold numbers."""
    return [False, False, *([False] if sheet.branches else []), *(True for _ in sheet.quantities)]


# --- Markdown


def _markdown(sheet: Worksheet, student: str, key: bool) -> str:
    def cell(shown: Cell) -> str:
        text = escape_markdown(shown.text)
        return f"**{text}**" if key and shown.blank else text

    rules = ["---:" if right else ":---" for right in _right(sheet)]
    table = [sheet.heads, rules, *([cell(shown) for shown in row] for row in _rows(sheet, key))]
    out = [f"# {escape_markdown(_title(sheet, student, key))}", ""]
    out += [*_instructions(sheet), ""] if not key else []
    out += ["| " + " | ".join(line) + " |" for line in table]
    if key:
        out += ["", "## Worked solutions", "", sections(sheet.solutions(), "markdown")]
        out += [sum_section(total, "markdown", sheet.title) for total in sheet.sums()]
        return "\n".join(out)
    return "\n".join([*out, ""])


# --- LaTeX

#: Width of a landscape page between its margins, and of a column of numbers, in centimetres.
_PAGE, _NUMBERS = 26.0, 2.9
_PREAMBLE = r"""% compile twice: longtable finds its widths in the first run
\documentclass[a4paper,10pt]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[margin=1.8cm,landscape]{geometry}
\usepackage{amsmath,amssymb,array,booktabs,longtable}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\renewcommand{\arraystretch}{1.5}
\allowdisplaybreaks
\begin{document}
"""


def _latex(sheet: Worksheet, student: str, key: bool) -> str:
    def cell(shown: Cell) -> str:
        if shown.blank and not key:
            return r"\underline{\hspace{2.4cm}}"
        text = escape_latex(shown.text).replace("/", r"/\allowbreak{}").replace(r"\_", r"\_\allowbreak{}")
        return rf"\textbf{{{text}}}" if shown.blank else text

    def row(cells: Sequence[str]) -> str:
        return "{}" + " & ".join(cells) + r" \\"

    heads = row([escape_latex(head) for head in sheet.heads])
    out = [rf"\section*{{{escape_latex(_title(sheet, student, key))}}}", ""]
    if not key:
        out += [escape_latex(note) + "\n" for note in _instructions(sheet)]
    out += [
        rf"\begin{{longtable}}{{{_columns(sheet)}}}",
        r"\toprule", heads, r"\midrule", r"\endhead",
        *(row([cell(shown) for shown in cells]) for cells in _rows(sheet, key)),
        r"\bottomrule", r"\end{longtable}", "",
    ]  # fmt: skip
    if key:
        out += [r"\section*{Worked solutions}", "", sections(sheet.solutions(), "latex")]
        for total in sheet.sums():
            name = escape_latex(total.quantity.replace("_", " "))
            out += [rf"\paragraph{{Total: {name}}}", sum_section(total, "latex", sheet.title)]
    return _PREAMBLE + "\n".join([*out, r"\end{document}", ""])


def _columns(sheet: Worksheet) -> str:
    """Columns of text share what the numbers leave of the width, and break their lines."""
    right = _right(sheet)
    left = max(6.0, _PAGE - _NUMBERS * sum(right) - 0.43 * len(right))
    parts = (3, 4, 3) if sheet.branches else (3, 5)
    text = [rf">{{\raggedright\arraybackslash}}p{{{left * part / sum(parts):.1f}cm}}" for part in parts]
    return "".join([*text, "r" * sum(right)])


# --- HTML


def _html(sheet: Worksheet, student: str, key: bool) -> str:
    right = _right(sheet)

    def cell(shown: Cell, number: bool) -> str:
        kinds = " ".join(kind for kind, holds in (("number", number), ("blank", shown.blank)) if holds)
        return f"<td{f' class={chr(34)}{kinds}{chr(34)}' if kinds else ''}>{escape(shown.text)}</td>"

    heads = "".join(
        f'<th scope="col"{" class=" + chr(34) + "number" + chr(34) if number else ""}>{escape(head)}</th>'
        for head, number in zip(sheet.heads, right, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(cell(shown, number) for shown, number in zip(row, right, strict=True)) + "</tr>"
        for row in _rows(sheet, key)
    )
    out = [f"<h1>{escape(_title(sheet, student, key))}</h1>"]
    out += [f"<p>{escape(note)}</p>" for note in _instructions(sheet)] if not key else []
    out += [
        f'<div class="wide">\n<table class="{"key" if key else "sheet"}">\n<thead><tr>{heads}</tr></thead>',
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>",
    ]
    if key:
        out += ["<h2>Worked solutions</h2>", sections(sheet.solutions(), "html")]
        out += [sum_section(total, "html", sheet.title) for total in sheet.sums()]
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return html_page(_title(sheet, student, key), style, "\n".join(out))


# --- CSV


def _csv(sheet: Worksheet, key: bool) -> str:
    """The table, to be filled in with a spreadsheet; the key has a column that says how each answer is computed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    solutions = _in_a_line(sheet) if key else {}
    writer.writerow([*sheet.heads, *(["how"] if key else [])])
    for line, row in zip(sheet.lines, _rows(sheet, key), strict=True):
        how = [solutions.get(line.layer, "")] if key else []
        writer.writerow([harmless(shown.text) for shown in row] + how)
    return out.getvalue()


def _in_a_line(sheet: Worksheet) -> dict[str, str]:
    from archcalc.explain.derive.formats import lines
    from archcalc.explain.derive.notation import TEXT

    found = {
        one.name: "; ".join(f"{line.label}: {' = '.join(line.parts)}" for line in lines(one, TEXT))
        for one in sheet.solutions()
    }
    sums = [
        f"{total.quantity}: {' + '.join(f'{term.derivation.value:,}' for term in total.terms)} = {total.total:,}"
        for total in sheet.sums()
    ]
    return {**found, "total": "; ".join(sums)} if sums else found
