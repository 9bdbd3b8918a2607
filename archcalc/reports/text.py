"""The table for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from archcalc.reports.columns import LEAST_NEEDED
from archcalc.reports.report import Report

_GAP = "  "
#: Whatever might not take one cell; × and – (and all of Latin, Greek and Cyrillic) do.
_UNUSUAL = re.compile("[^\x20-\u02ff\u0370-\u0482\u2010-\u2027]")
_NOTE_WIDTH = 110


def render(reports: Sequence[Report], width: int | None = None, colour: bool = False) -> str:
    """Aligned columns, the total under a rule, the conventions below. `width` drops columns that do not fit."""
    return "\n".join(_render(report, width, colour) for report in reports)


def render_partial(report: Report, width: int | None = None, colour: bool = False) -> str:
    """The rows alone, for a network whose next layer failed."""
    head, *rows = _Table(report, width).lines(colour)
    return "\n".join([_title(report, colour), "", head, *rows[:-2], ""])


def align(table: Sequence[Sequence[str]], right: Sequence[bool], colour: bool) -> list[str]:
    """The lines of a table whose first row is the heading."""
    widths = [max(cells(line[index]) for line in table) for index in range(len(right))]
    lines = [
        _GAP.join(_pad(cell, widths[index], right[index]) for index, cell in enumerate(line)).rstrip() for line in table
    ]
    return [bold(lines[0], colour), *lines[1:]]


def bold(text: str, colour: bool) -> str:
    return f"\x1b[1m{text}\x1b[0m" if colour else text


def dim(text: str, colour: bool) -> str:
    return f"\x1b[2m{text}\x1b[0m" if colour else text


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most so many characters, the later ones indented; long words stay whole."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = f"  {word}"
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line]


def _title(report: Report, colour: bool) -> str:
    return f"{bold(report.title, colour)} · {report.subtitle}"


def _render(report: Report, width: int | None, colour: bool) -> str:
    table = _Table(report, width)
    notes = report.notes()
    if table.dropped:
        notes.insert(0, f"The terminal is too narrow for {', '.join(table.dropped)}; --columns chooses.")
    lines = table.lines(colour)
    wrapped = [dim(line, colour) for note in notes for line in wrap(note, width or _NOTE_WIDTH)]
    return "\n".join([_title(report, colour), "", *lines, "", *wrapped, ""])


class _Table:
    """The cells of a report, without the columns for which there is no room."""

    def __init__(self, report: Report, width: int | None) -> None:
        self.rows = [report.heads(), *report.lines(), report.total_line()]
        self.right = [column.right for column in report.columns]
        widths = [max(cells(row[index]) for row in self.rows) for index in range(len(self.right))]
        kept = list(range(len(self.right)))
        self.dropped: list[str] = []
        for key in LEAST_NEEDED if width else ():
            if sum(widths[index] + len(_GAP) for index in kept) - len(_GAP) <= (width or 0):
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


def cells(text: str) -> int:
    """Terminal cells that a text takes: two for East Asian wide characters, none for combining ones."""
    if text.isascii() or not _UNUSUAL.search(text):
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - cells(text))
    return space + text if right else text + space
