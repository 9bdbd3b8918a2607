"""The table as an element of HTML, as a notebook shows it."""

from __future__ import annotations

from archcalc.passes.analysis import Analysis
from archcalc.render.pages.markup import Html, element, join
from archcalc.render.tables.report import Report, make_report


def render(analysis: Analysis, most_rows: int) -> str:
    """The table and its notes. Of a longer network blocks are rows, and only the first and last rows are shown."""
    report = make_report(analysis)
    if len(report.rows) > most_rows:
        report = make_report(analysis, depth=1)
    notes = [*map(str, analysis.problems), *report.notes()]
    caption = element("caption", f"{report.title} · {report.subtitle}", style="text-align: left")
    head = element("thead", element("tr", *(element("th", text) for text in report.heads())))
    foot = element("tfoot", _line(report, report.total_line(), "th"))
    table = element("table", caption, head, element("tbody", *_body(report, most_rows)), foot)
    return element("div", table, *(element("p", element("small", note)) for note in notes))


def _body(report: Report, most_rows: int) -> list[Html]:
    lines = [_line(report, cells, "td") for cells in report.lines()]
    half = most_rows // 2
    if len(lines) <= most_rows:
        return lines
    left_out = element("td", f"… {len(lines) - 2 * half:,} more …", colspan=len(report.columns))
    return [*lines[:half], element("tr", left_out), *lines[-half:]]


def _line(report: Report, cells: list[str], tag: str) -> Html:
    aligned = zip(cells, report.columns, strict=True)
    return element(
        "tr",
        *(
            element(tag, join(text), style=f"text-align: {'right' if column.right else 'left'}")
            for text, column in aligned
        ),
    )
