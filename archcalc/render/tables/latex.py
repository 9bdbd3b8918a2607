"""The table as LaTeX (booktabs and longtable), to be put into a document or a frame."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.markup import escape_latex
from archcalc.render.tables.report import Report


def render(reports: Sequence[Report]) -> str:
    r"""A longtable for each network; needs `\usepackage{booktabs,longtable}` and a Unicode engine for other scripts."""
    return "\n".join(_render(report) for report in reports)


def _line(cells: Sequence[str]) -> str:
    line = " & ".join(escape_latex(cell) for cell in cells) + r" \\"
    # After the \\ of the line before, a bracket would be its length and a star its option.
    return f"{{}}{line}" if line[0] in "[*" else line


def _render(report: Report) -> str:
    form = "".join("r" if column.right else "l" for column in report.columns)
    caption = escape_latex(f"{report.title}. {report.subtitle}")
    heads = _line(report.heads())
    out = [
        r"% needs \usepackage{booktabs,longtable}",
        rf"\begin{{longtable}}{{{form}}}",
        rf"\caption{{{caption}}} \\",
        r"\toprule",
        heads,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        heads,
        r"\midrule",
        r"\endhead",
        *(_line(line) for line in report.lines()),
        r"\midrule",
        _line(report.total_line()),
        r"\bottomrule",
        r"\end{longtable}",
        r"\begin{itemize}",
        *(rf"  \item {escape_latex(note)}" for note in report.notes()),
        r"\end{itemize}",
        "",
    ]
    return "\n".join(out)
