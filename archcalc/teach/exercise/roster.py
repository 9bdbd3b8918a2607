"""Lists of students as people and learning platforms have them: a name in each line, or a table.

Two students of one name are told apart by their numbers: John Smith (1001). Moodle and Canvas put the same numbers into
the names of what is handed in.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.files import read_bytes
from archcalc.core.words import line, visible
from archcalc.teach.exercise.people import names_of, words_of

MOST_STUDENTS = 5_000
_LARGEST_ROSTER = 1_000_000
#: What Canvas has in the place of a name, in the line of the points that can be had.
_NO_STUDENTS = ("points possible",)
#: The student that Canvas adds to each course to try it out, as its gradebook has it.
_TEST_STUDENT = "student, test"


class _Entry(NamedTuple):
    """A student of a list, and the number, where there is one."""

    name: str
    number: str = ""


class Roster(NamedTuple):
    """The names of students; `notes` say who was left out."""

    names: list[str]
    notes: tuple[str, ...] = ()


def read_roster(path: str) -> Roster:
    """The names of a file, a line each; of a table the column of names, or the first one. Raises `UsageError`.

    `Smith, John` is a name: a line is a table's where its heading says so, or where a number or an address follows.
    Names that a platform may write alike have their number in brackets, where the table has one.
    """
    try:
        text = visible(read_bytes(path, _LARGEST_ROSTER, "list of names").decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text: byte {error.start}") from None
    listed = [each for name, number in _entries(text) if (each := _Entry(line(name), line(number))).name]
    entries = [each for each in listed if each.name.lower() != _TEST_STUDENT]
    if not entries:
        raise UsageError(f"{path} names no student; a roster has a name in each line")
    if len(entries) > MOST_STUDENTS:
        raise UsageError(f"{path} names {len(entries):,} students; at most {MOST_STUDENTS:,} at a time")
    people = Counter(name for each in entries for name in set(names_of(each.name)))
    names = [
        f"{each.name} ({each.number})"
        if each.number and any(people[name] > 1 for name in names_of(each.name))
        else each.name
        for each in entries
    ]
    left_out = dict.fromkeys(each.name for each in listed if each not in entries)
    return Roster(names, tuple([f"{name!r} is the test student of Canvas and gets no worksheet" for name in left_out]))


def _entries(text: str) -> Iterator[_Entry]:
    lines = [each for each in text.splitlines() if each.strip()]
    delimiter = next((sign for sign in ("\t", ";", ",") if lines and sign in lines[0]), None)
    if delimiter is None:
        yield from map(_Entry, lines[_is_of_names(lines[0]) :] if lines else ())
        return
    rows = [next(csv.reader([each], delimiter=delimiter, skipinitialspace=True)) for each in lines]
    columns = [index for index, head in enumerate(rows[0]) if _is_of_names(head)]
    if columns:
        heads = [" ".join(_words_of(head)) for head in rows[0]]
        # The first one counts: `Identifier` is Moodle's grading worksheet (Participant 1001), `ID` Canvas's gradebook.
        wanted = (head for heads_of_language in _headings()["numbers"] for head in heads_of_language.split("|"))
        number = next((heads.index(head) for head in wanted if head in heads), None)
        for row in rows[1:]:
            name = " ".join(row[index].strip() for index in columns if index < len(row))
            if name.strip().lower() not in _NO_STUDENTS:
                yield _Entry(name, _digits(row[number]) if number is not None and number < len(row) else "")
    elif all(_is_table(row) for row in rows):
        yield from (_Entry(row[0], next((cell for cell in row[1:] if cell.strip().isdecimal()), "")) for row in rows)
    else:
        yield from (_Entry(each.strip().strip('"')) for each in lines)


def _is_of_names(heading: str) -> bool:
    """Whether a heading says that names follow: Name, Full name, ФИО, Nombre y apellidos."""
    names, others = (set(" ".join(_headings()[key]).split()) for key in ("names", "beside names"))
    words = set(_words_of(heading))
    return bool(words & names) and words <= names | others


def _words_of(heading: str) -> list[str]:
    return words_of(heading.replace(".", ""))


@cache
def _headings() -> dict[str, list[str]]:
    """Words of headings of names, what stands next to them, and headings of numbers, a line a language."""
    found: dict[str, list[str]] = json.loads(
        Path(__file__).with_name("roster_headings.json").read_text(encoding="utf-8")
    )
    return found


def _digits(text: str) -> str:
    """1001 of Participant 1001; a number with letters in it as it is."""
    words = text.split()
    return words[-1] if words else ""


def _is_table(row: Sequence[str]) -> bool:
    """Whether something follows the first cell that is no part of a name: a number, an address."""
    return len(row) > 1 and any("@" in cell or any(map(str.isdigit, cell)) for cell in row[1:])
