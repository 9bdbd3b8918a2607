"""The table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.language import cells_apart, say
from archcalc.core.text import GAP, align, bold, cells, dim, wrap
from archcalc.render.tables.columns import LEAST_NEEDED
from archcalc.render.tables.report import Report

_NOTE_WIDTH = 110


def render(reports: Sequence[Report], width: int | None = None, colour: bool = False) -> str:
    """Aligned columns, the total under a rule, the conventions below. `width` drops columns that do not fit."""
    return "\n".join(_render(report, width, colour) for report in reports)


def render_partial(report: Report, width: int | None = None, colour: bool = False) -> str:
    """The rows alone, for a network whose next layer failed."""
    head, *rows = _Table(report, width).lines(colour)
    return "\n".join([_title(report, colour), "", head, *rows[:-2], ""])


def _title(report: Report, colour: bool) -> str:
    return f"{bold(report.title, colour)} · {report.subtitle}"


def _render(report: Report, width: int | None, colour: bool) -> str:
    table = _Table(report, width)
    notes = report.notes()
    if table.dropped:
        notes.insert(
            0, say("The terminal is too narrow for {columns}; --columns chooses.", columns=", ".join(table.dropped))
        )
    lines = table.lines(colour)
    wrapped = [dim(line, colour) for note in notes for line in wrap(note, width or _NOTE_WIDTH)]
    return "\n".join([_title(report, colour), "", *lines, "", *wrapped, ""])


class _Table:
    """The cells of a report, without the columns for which there is no space."""

    def __init__(self, report: Report, width: int | None) -> None:
        self.rows = [cells_apart(row) for row in (report.heads(), *report.lines(), report.total_line())]
        self.right = [column.right for column in report.columns]
        widths = [max(cells(row[index]) for row in self.rows) for index in range(len(self.right))]
        kept = list(range(len(self.right)))
        self.dropped: list[str] = []
        for key in LEAST_NEEDED if width else ():
            if sum(widths[index] + len(GAP) for index in kept) - len(GAP) <= (width or 0):
                break
            index = next((index for index in kept if report.columns[index].key == key), None)
            if index is not None and len(kept) > 1:
                kept.remove(index)
                self.dropped.append(key)
        self.rows = [[row[index] for index in kept] for row in self.rows]
        self.right = [self.right[index] for index in kept]

    def lines(self, colour: bool) -> list[str]:
        """Heading, rows, a rule, the total."""
        *lines, total = align(self.rows, self.right, colour)
        rule = "─" * max(cells(line) for line in [*lines[1:], total])
        return [*lines, dim(rule, colour), bold(total, colour)]
