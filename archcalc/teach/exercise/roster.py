"""Lists of students as people and learning platforms have them: a name in each line, or a table.

Two students of one name are told apart by their numbers: John Smith (1001). Moodle and Canvas put the same numbers into
the names of what is handed in.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.files import read_bytes
from archcalc.core.words import line, visible

MOST_STUDENTS = 5_000
_LARGEST_ROSTER = 1_000_000
#: Headings of columns that hold names, or parts of them.
_NAME_HEADS = (
    "name", "student", "student name", "full name", "first name", "given name", "last name", "family name", "surname",
    "nom", "prénom", "nachname", "vorname", "nombre", "apellido", "имя", "фамилия", "студент", "姓名", "学生",
)  # fmt: skip
#: Headings of columns that hold numbers of students; the first that is there counts. `Identifier` is Moodle's grading
#: worksheet (Participant 1001), `ID` Canvas's gradebook.
_NUMBER_HEADS = ("identifier", "id", "user id", "student id", "id number", "sis user id", "matrikelnummer", "номер")
#: What Canvas has in the place of a name, in the line of the points that can be had.
_NO_STUDENTS = ("points possible",)


class _Entry(NamedTuple):
    """A student of a list, and the number, where there is one."""

    name: str
    number: str = ""


def read_roster(path: str) -> list[str]:
    """The names of a file, a line each; of a table the column of names, or the first one. Raises `UsageError`.

    `Smith, John` is a name: a line is a table's where its heading says so, or where a number or an address follows.
    Names that are there twice have their number in brackets, where the table has one.
    """
    try:
        text = visible(read_bytes(path, _LARGEST_ROSTER, "list of names").decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text: byte {error.start}") from None
    entries = [each for name, number in _entries(text) if (each := _Entry(line(name), line(number))).name]
    if not entries:
        raise UsageError(f"{path} names no student; a roster has a name in each line")
    if len(entries) > MOST_STUDENTS:
        raise UsageError(f"{path} names {len(entries):,} students; at most {MOST_STUDENTS:,} at a time")
    times = Counter(each.name.casefold() for each in entries)
    return [
        f"{each.name} ({each.number})" if each.number and times[each.name.casefold()] > 1 else each.name
        for each in entries
    ]


def _entries(text: str) -> Iterator[_Entry]:
    lines = [each for each in text.splitlines() if each.strip()]
    delimiter = next((sign for sign in ("\t", ";", ",") if lines and sign in lines[0]), None)
    if delimiter is None:
        yield from map(_Entry, lines)
        return
    rows = [next(csv.reader([each], delimiter=delimiter, skipinitialspace=True)) for each in lines]
    heads = [cell.strip().lower() for cell in rows[0]]
    columns = [index for index, head in enumerate(heads) if head in _NAME_HEADS]
    if columns:
        number = next((heads.index(head) for head in _NUMBER_HEADS if head in heads), None)
        for row in rows[1:]:
            name = " ".join(row[index].strip() for index in columns if index < len(row))
            if name.strip().lower() not in _NO_STUDENTS:
                yield _Entry(name, _digits(row[number]) if number is not None and number < len(row) else "")
    elif all(_is_table(row) for row in rows):
        yield from (_Entry(row[0], next((cell for cell in row[1:] if cell.strip().isdecimal()), "")) for row in rows)
    else:
        yield from (_Entry(each.strip().strip('"')) for each in lines)


def _digits(text: str) -> str:
    """1001 of Participant 1001; a number with letters in it as it is."""
    words = text.split()
    return words[-1] if words else ""


def _is_table(row: Sequence[str]) -> bool:
    """Whether something follows the first cell that is no part of a name: a number, an address."""
    return len(row) > 1 and any("@" in cell or any(map(str.isdigit, cell)) for cell in row[1:])
