"""The table as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.reports.report import Report

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def render(reports: Sequence[Report]) -> str:
    """A heading, the table and the notes of each network."""
    return "\n".join(_render(report) for report in reports)


def escape(text: str) -> str:
    """Text that Markdown would read as marks, as itself."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")


def _render(report: Report) -> str:
    rules = ["---:" if column.right else ":---" for column in report.columns]
    total = [f"**{escape(cell)}**" if cell else "" for cell in report.total_line()]
    body = [[escape(cell) for cell in line] for line in report.lines()]
    table = [report.heads(), rules, *body, total]
    out = [f"## {escape(report.title)}", "", escape(report.subtitle), ""]
    out += ["| " + " | ".join(line) + " |" for line in table]
    out += ["", *(f"- {escape(note)}" for note in report.notes()), ""]
    return "\n".join(out)
