"""Grading again, after a correction of the key: who gained, who lost, and which cells are the reason.

`marks.csv` holds every cell of every student. It is written with the grades, and compared with those of a later run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from archcalc.core import words
from archcalc.core.cells import harmless
from archcalc.core.errors import Location, Problem, SpecError, UsageError
from archcalc.core.files import read_bytes
from archcalc.core.language import say
from archcalc.teach.check.expected import Value
from archcalc.teach.grade.marks import Item, Marked, points
from archcalc.teach.grade.overview import Overview, Section, cell_name

HEAD = ("student", "layer", "quantity", "points", "verdict", "answer", "key")
_LARGEST = 64 << 20
_LONGEST = 200


class Mark(NamedTuple):
    """A cell as it was graded: its points, what was written, and what the key said."""

    points: Fraction
    verdict: str
    answer: str
    key: str


Cells = Mapping[tuple[str, str], Mark]
Marks = Mapping[str, Cells]


class Change(NamedTuple):
    """A student whose points are others than before, or who was or is not graded; `reasons` are the cells."""

    student: str
    before: Fraction | None
    after: Fraction | None
    reasons: tuple[str, ...]

    @property
    def gain(self) -> Fraction:
        return (self.after or Fraction()) - (self.before or Fraction())


def marks_of(overview: Overview) -> Marks:
    """The marks of every student that could be graded, names as they are written in CSV."""
    return {
        harmless(each.student): {(harmless(item.layer), item.quantity): _mark(item) for item in each.items}
        for each in overview.graded
    }


def _mark(item: Item) -> Mark:
    answer = words.line(item.cell.answer.text)[:_LONGEST] if item.cell else ""
    return Mark(item.score, item.verdict.value, harmless(answer), _key(item.cell.expected if item.cell else None))


def _key(value: Value | None) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, (*value[1:], value[0])))
    return "" if value is None else str(value)


def render_marks(overview: Overview) -> str:
    """The marks as CSV, a line a cell; points with two digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    for student, cells in marks_of(overview).items():
        for (layer, quantity), mark in cells.items():
            cell = (mark.verdict, mark.answer, mark.key)
            writer.writerow([student, layer, quantity, points(mark.points), *cell])
    return out.getvalue()


def read_marks(path: str) -> Marks:
    """The marks of an earlier run. Raises `UsageError` and `SpecError` for a file that is none."""
    try:
        text = read_bytes(path, _LARGEST, "file of marks").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(say("{file} is no UTF-8 text: byte {number}", file=path, number=error.start)) from None
    reader = csv.reader(io.StringIO(text, newline=""))
    found: dict[str, dict[tuple[str, str], Mark]] = {}
    try:
        for row in reader:
            if reader.line_num == 1:
                if tuple(row) != HEAD:
                    hint = "the file marks.csv next to grades.csv holds the cells"
                    raise _fault(f"does not begin with {', '.join(HEAD)}", path, 1, hint)
                continue
            if len(row) != len(HEAD):
                raise _fault(f"this line has {len(row)} cells, the first one {len(HEAD)}", path, reader.line_num)
            student, layer, quantity, number, verdict, answer, key = row
            mark = Mark(_points(number, path, reader.line_num), verdict, answer, key)
            found.setdefault(student, {})[layer, quantity] = mark
    except csv.Error as error:
        raise _fault(f"is no CSV: {error}", path, reader.line_num) from None
    return found


def _points(text: str, path: str, line: int) -> Fraction:
    whole, point, rest = text.partition(".")
    if not (whole.isdecimal() and whole.isascii() and len(text) < 12 and (rest.isdecimal() or not point)):
        raise _fault(f"{text[:20]!r} is no number of points", path, line)
    return Fraction(text)


def _fault(message: str, path: str, line: int, *details: str) -> SpecError:
    return SpecError([Problem(message, Location(path, line, 1), None, details)])


def changes(overview: Overview, old: Marks) -> list[Change]:
    """Who has other points than before, those first who lost most."""
    found = []
    graded = marks_of(overview)
    unread = {harmless(each.student): each for each in overview.marked if each.problem}
    for student in dict.fromkeys((*old, *graded)):
        before, after = old.get(student), graded.get(student)
        if before is None or after is None:
            reason = say("not there before") if before is None else _missing(unread.get(student))
            found.append(Change(student, _sum(before), _sum(after), (reason,)))
            continue
        reasons = tuple(_reasons(before, after))
        if reasons:
            found.append(Change(student, _sum(before), _sum(after), reasons))
    return sorted(found, key=lambda one: (one.gain, one.student))


def _missing(marked: Marked | None) -> str:
    if marked is None:
        return say("not among the submissions now")
    return say("cannot be read now: {problem}", problem=marked.problem)


def _sum(cells: Cells | None) -> Fraction | None:
    return None if cells is None else sum((Fraction(points(mark.points)) for mark in cells.values()), Fraction())


def _reasons(before: Cells, after: Cells) -> Iterator[str]:
    """The cells whose points changed, shortly: the table of cells says what the key was and is."""
    for one in _differences(before, after):
        name = cell_name(one.layer, one.quantity, " ")
        if one.old is None:
            yield say("{cell}: asked now, {points}", cell=name, points=points(one.gain))
        elif one.new is None:
            yield say("{cell}: no longer asked, was {points}", cell=name, points=points(one.old.points))
        elif one.is_answered_anew:
            why = say(
                "another answer: {before}, now {after}",
                before=one.old.answer or words.NONE, after=one.new.answer or words.NONE,
            )  # fmt: skip
            values = {"before": points(one.old.points), "after": points(one.new.points), "why": why}
            yield say("{cell}: {before} → {after}, {why}", cell=name, **values)
        else:
            yield f"{name} {_signed(one.gain)}"


class _Difference(NamedTuple):
    """A cell of a student whose points changed; None where it was not asked."""

    layer: str
    quantity: str
    old: Mark | None
    new: Mark | None

    @property
    def gain(self) -> Fraction:
        # As they were written: of old marks two digits are known.
        after, before = (Fraction(points(mark.points)) if mark else Fraction() for mark in (self.new, self.old))
        return after - before

    @property
    def is_answered_anew(self) -> bool:
        return self.old is not None and self.new is not None and self.old.answer != self.new.answer


def _differences(before: Cells, after: Cells) -> Iterator[_Difference]:
    for cell in dict.fromkeys((*before, *after)):
        found = _Difference(*cell, before.get(cell), after.get(cell))
        if found.gain:
            yield found


def _changed_cells(overview: Overview, old: Marks) -> Iterator[tuple[str | int, ...]]:
    """Each cell whose grading changed: what the key was and is, how many students gained and lost."""
    gains: dict[tuple[str, str, str, str], list[Fraction]] = {}
    for student, after in marks_of(overview).items():
        for one in _differences(old[student], after) if student in old else ():
            if not one.is_answered_anew:
                was, now = (mark.key if mark else words.NONE for mark in (one.old, one.new))
                gains.setdefault((one.layer, one.quantity, was, now), []).append(one.gain)
    for (layer, quantity, was, now), found in gains.items():
        gained = sum(gain > 0 for gain in found)
        yield cell_name(layer, quantity), was, now, gained, len(found) - gained


def sections_of(overview: Overview, old: Marks) -> tuple[Section, Section]:
    """The changes as parts of the overview: by cell, and by student."""
    found, graded = changes(overview, old), len(overview.graded)
    gained, lost = (sum(one.gain > 0 for one in found), sum(one.gain < 0 for one in found))
    summary = say(
        "{gained} gained, {lost} lost, {others} have as many points as before.",
        gained=gained, lost=lost, others=graded - gained - lost,
    )  # fmt: skip
    cells = tuple(_changed_cells(overview, old))
    by_cell = (say("cell"), say("key was"), say("key is"), say("gained"), say("lost")) if cells else ()
    by_student = (say("student"), say("before"), say("after"), say("change"), say("why"))
    rows = [
        (one.student, _shown(one.before), _shown(one.after), _signed(one.gain), "; ".join(one.reasons)) for one in found
    ]
    return (
        Section(say("Changes"), (summary,), by_cell, cells, (1, 2, 3, 4)),
        Section(say("Changes by student"), (), by_student, tuple(rows), (1, 2, 3)),
    )


def _shown(number: Fraction | None) -> str:
    return "–" if number is None else points(number)


def _signed(gain: Fraction) -> str:
    return f"{'+' if gain > 0 else '−' if gain < 0 else '±'}{points(abs(gain))}"
