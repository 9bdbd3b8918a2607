"""The table as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.markup import escape_markdown
from archcalc.render.tables.report import Report


def render(reports: Sequence[Report]) -> str:
    """A heading, the table and the notes of each network."""
    return "\n".join(_render(report) for report in reports)


def _render(report: Report) -> str:
    rules = ["---:" if column.right else ":---" for column in report.columns]
    total = [f"**{escape_markdown(cell)}**" if cell else "" for cell in report.total_line()]
    body = [[escape_markdown(cell) for cell in line] for line in report.lines()]
    table = [report.heads(), rules, *body, total]
    out = [f"## {escape_markdown(report.title)}", "", escape_markdown(report.subtitle), ""]
    out += ["| " + " | ".join(line) + " |" for line in table]
    out += ["", *(f"- {escape_markdown(note)}" for note in report.notes()), ""]
    return "\n".join(out)
