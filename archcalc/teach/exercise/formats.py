"""Worksheets and their answer keys: Markdown, LaTeX, HTML and CSV here, other forms in modules of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

from archcalc.core.cells import harmless
from archcalc.core.language import direction, language, say, without_isolates
from archcalc.core.markup import escape_latex, escape_markdown, html_page
from archcalc.explain.derive.formats import sections, sum_section
from archcalc.teach.exercise.contents import (
    SOLUTIONS,
    Cell,
    calculations,
    instructions,
    number_columns,
    rows_of,
    title_of,
)
from archcalc.teach.exercise.worksheet import Worksheet

#: What is text, and what is bytes: python-docx and pypdf make these.
TEXTS = ("markdown", "latex", "html", "csv", "moodle", "notebook")
FORMATS = (*TEXTS, "docx", "pdf")
ENDINGS = {
    ".md": "markdown", ".tex": "latex", ".html": "html", ".htm": "html", ".csv": "csv", ".xml": "moodle",
    ".ipynb": "notebook", ".docx": "docx", ".pdf": "pdf",
}  # fmt: skip
SUFFIX = {form: ending for ending, form in reversed(ENDINGS.items())}


def sheet_bytes(sheet: Worksheet, form: str, student: str = "", *, key: bool = False) -> bytes:
    """The worksheet, or its answer key, as a file of any of `FORMATS`."""
    if form == "docx":
        from archcalc.teach.exercise.word import docx

        return docx(sheet, student, key)
    if form == "pdf":
        from archcalc.teach.exercise.paper import pdf

        return pdf(sheet, student, key)
    return render_sheet(sheet, form, student, key=key).encode("utf-8", "backslashreplace")


def render_sheet(sheet: Worksheet, form: str, student: str = "", *, key: bool = False) -> str:
    """The worksheet in a form of `TEXTS`, with empty cells where something is asked.

    As the answer key it has the table filled in, and how everything that was asked is calculated.
    """
    if form == "csv":
        return _csv(sheet, key)
    if form == "moodle":
        from archcalc.teach.exercise.moodle import moodle

        return moodle(sheet, student, key)
    if form == "notebook":
        from archcalc.teach.exercise.notebook import notebook

        return notebook(sheet, student, key)
    writers = {"markdown": _markdown, "latex": _latex, "html": _html}
    return writers[form](sheet, student, key)


# --- Markdown


def _markdown(sheet: Worksheet, student: str, key: bool) -> str:
    def cell(shown: Cell) -> str:
        text = escape_markdown(shown.text)
        return f"**{text}**" if key and shown.blank else text

    rules = ["---:" if right else ":---" for right in number_columns(sheet)]
    table = [sheet.heads, rules, *([cell(shown) for shown in row] for row in rows_of(sheet, key))]
    out = [f"# {escape_markdown(title_of(sheet, student, key))}", ""]
    out += [*instructions(sheet), ""] if not key else []
    out += ["| " + " | ".join(line) + " |" for line in table]
    if key:
        out += ["", f"## {say(SOLUTIONS)}", "", sections(sheet.solutions(), "markdown")]
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
    out = [rf"\section*{{{escape_latex(title_of(sheet, student, key))}}}", ""]
    if not key:
        out += [escape_latex(note) + "\n" for note in instructions(sheet)]
    out += [
        rf"\begin{{longtable}}{{{_columns(sheet)}}}",
        r"\toprule", heads, r"\midrule", r"\endhead",
        *(row([cell(shown) for shown in cells]) for cells in rows_of(sheet, key)),
        r"\bottomrule", r"\end{longtable}", "",
    ]  # fmt: skip
    if key:
        out += [rf"\section*{{{say(SOLUTIONS)}}}", "", sections(sheet.solutions(), "latex")]
        for total in sheet.sums():
            name = escape_latex(say("Total: {quantity}", quantity=say(total.quantity.replace("_", " "))))
            out += [rf"\paragraph{{{name}}}", sum_section(total, "latex", sheet.title)]
    return _preamble() + "\n".join([*out, r"\end{document}", ""])


def _preamble() -> str:
    """What the language needs; Hebrew, Armenian and Chinese a Unicode engine."""
    if language() == "ru":
        return _PREAMBLE.replace("[T1]{fontenc}", "[T2A]{fontenc}")
    if language() not in ("he", "hy", "zh"):
        return _PREAMBLE
    unicode = "% compile with lualatex, twice\n" + _PREAMBLE.partition("\n")[2]
    fonts = "\\usepackage{fontspec}\n\\setmainfont{DejaVu Sans}\n"
    if language() == "zh":
        fonts = "\\usepackage[fontset=fandol]{ctex}\n"
    if language() == "he":
        fonts += "\\usepackage[bidi=basic]{babel}\n\\babelprovide[import,main]{hebrew}\n"
    return unicode.replace("\\usepackage[T1]{fontenc}\n\\usepackage[utf8]{inputenc}\n", fonts)


def _columns(sheet: Worksheet) -> str:
    """Columns of text share what the numbers leave of the width, and break their lines."""
    right = number_columns(sheet)
    left = max(6.0, _PAGE - _NUMBERS * sum(right) - 0.43 * len(right))
    parts = (3, 4, 3) if sheet.branches else (3, 5)
    text = [rf">{{\raggedright\arraybackslash}}p{{{left * part / sum(parts):.1f}cm}}" for part in parts]
    return "".join([*text, "r" * sum(right)])


# --- HTML


def _html(sheet: Worksheet, student: str, key: bool) -> str:
    right = number_columns(sheet)

    def cell(shown: Cell, number: bool) -> str:
        kinds = " ".join(kind for kind, holds in (("number", number), ("blank", shown.blank)) if holds)
        turned = ' dir="ltr"' if number and direction() == "rtl" else ""
        return f"<td{f' class={chr(34)}{kinds}{chr(34)}' if kinds else ''}{turned}>{escape(shown.text)}</td>"

    heads = "".join(
        f'<th scope="col"{" class=" + chr(34) + "number" + chr(34) if number else ""}>{escape(head)}</th>'
        for head, number in zip(sheet.heads, right, strict=True)
    )
    rows = "\n".join(
        "<tr>" + "".join(cell(shown, number) for shown, number in zip(row, right, strict=True)) + "</tr>"
        for row in rows_of(sheet, key)
    )
    out = [f"<h1>{escape(title_of(sheet, student, key))}</h1>"]
    out += [f"<p>{escape(note)}</p>" for note in instructions(sheet)] if not key else []
    out += [
        f'<div class="wide">\n<table class="{"key" if key else "sheet"}">\n<thead><tr>{heads}</tr></thead>',
        f"<tbody>\n{rows}\n</tbody>\n</table>\n</div>",
    ]
    if key:
        out += [f"<h2>{escape(say(SOLUTIONS))}</h2>", sections(sheet.solutions(), "html")]
        out += [sum_section(total, "html", sheet.title) for total in sheet.sums()]
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    return html_page(title_of(sheet, student, key), style, "\n".join(out))


# --- CSV


def _csv(sheet: Worksheet, key: bool) -> str:
    """The table, to be filled in with a spreadsheet; the key has a column that says how each answer is computed."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    solutions = _in_a_line(sheet) if key else {}
    writer.writerow([*sheet.heads, *([say("how")] if key else [])])
    for line, row in zip(sheet.lines, rows_of(sheet, key), strict=True):
        how = [solutions.get(line.layer, "")] if key else []
        writer.writerow([harmless(without_isolates(text)) for text in (*(shown.text for shown in row), *how)])
    return out.getvalue()


def _in_a_line(sheet: Worksheet) -> dict[str, str]:
    return {layer: "; ".join(steps) for layer, steps in calculations(sheet).items()}
