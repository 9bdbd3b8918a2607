"""CSV with any of the usual delimiters."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from archcalc.core.cells import as_written
from archcalc.core.language import say
from archcalc.teach.check.answers.heads import LAYER, find_head
from archcalc.teach.check.answers.table import MOST_COLUMNS, MOST_ROWS, Answers, Item, fault, read_table
from archcalc.teach.check.model import Place

DELIMITERS = ("\t", ";", ",", "|")
_LONE_QUOTE = re.compile(r'(?m)(?<![^;,\t|\n])[ ]*"[ ]*(?=[;,\t|\r\n]|\Z)')
_LONGEST_FIELD = 131_072  # the limit of the csv module


def read_delimited(text: str, file: str, delimiter: str | None = None) -> Answers:
    """The answers of a CSV text; the delimiter is the one that makes a heading of its first lines."""
    head = re.match(r"sep=(.)\r?\n", text)  # what Excel writes to name it
    if head:
        delimiter = head[1]
        text = "\n" + text[head.end() :]
    text = _without_lone_quotes(text)
    chosen = delimiter or _sniff(text)[0]
    return read_table(list(_rows(text, file, chosen)), file)


def _without_lone_quotes(text: str) -> str:
    """A quote as a mark for the cell above does not open a cell that no other quote closes."""
    found = _LONE_QUOTE.sub("〃", text)
    return found if found.count('"') % 2 == 0 else text


def has_heading(text: str) -> bool:
    """Whether one of the first lines names columns; between tabs, which nobody writes in a sentence, one is enough."""
    lines = [line for line in text[:40_000].splitlines() if line.strip()][:10]
    is_tabbed = len({line.count("\t") for line in lines}) == 1 and "\t" in lines[0]
    return _sniff(text)[1] > (0 if is_tabbed else 1)


def _sniff(text: str) -> tuple[str, int]:
    """The delimiter that gives most columns with a known name, judged by the first lines, and how many it gives."""
    lines = [line[:2000] for line in text[:40_000].splitlines() if line.strip()][:10]

    def known(delimiter: str) -> tuple[int, bool, bool]:
        most, has_layer, has_others = 0, False, False
        for line in lines:
            cells = [find_head(cell) for cell in next(csv.reader([line], delimiter=delimiter), [])]
            found = [head for head in cells if head is not None]
            if len(found) > most:
                most, has_layer = len(found), any(head.key == LAYER for head in found)
                has_others = len(cells) > 1
        return most, has_layer, has_others

    best = max(DELIMITERS, key=known)
    return best, known(best)[0]


def _rows(text: str, file: str, delimiter: str) -> Iterator[Sequence[Item]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    line = 1
    width = 0
    try:
        for count, fields in enumerate(reader):
            if count > 2 * MOST_ROWS:
                raise fault(say("holds more than {count:,} rows", count=MOST_ROWS), Place(file, line, 1))
            if not width and len(fields) > 1:
                width = len(fields)
            if len(fields) > MOST_COLUMNS:
                raise fault(
                    say("holds more than {count:,} columns", count=MOST_COLUMNS), Place(file, line, MOST_COLUMNS + 1)
                )
            cells = _in_brackets(fields) if delimiter == "," and len(fields) > width > 1 else fields
            cells = _rejoined(cells, width) if delimiter == "," and len(cells) > width > 1 else cells
            yield [Item(as_written(cell), Place(file, line, index + 1)) for index, cell in enumerate(cells)]
            line = reader.line_num + 1
    except csv.Error as error:
        problem = say("a quote is not closed") if "end of data" in str(error) else str(error)
        if "field limit" in problem:
            problem = say("a cell has more than {count:,} characters", count=_LONGEST_FIELD)
        raise fault(problem, Place(file, line, 1)) from None


def _in_brackets(fields: list[str]) -> list[str]:
    """A row whose shapes lack their quotes: (96,55,55) is one cell."""
    found: list[str] = []
    is_open = False
    for field in fields:
        if is_open:
            found[-1] = f"{found[-1]},{field}"
        else:
            found.append(field)
        is_open = sum(map(found[-1].count, "([")) > sum(map(found[-1].count, ")]"))
    return found


def _rejoined(fields: list[str], width: int) -> list[str]:
    """A row in which numbers with commas lack their quotes, where only one way of joining them fits the heading."""
    if len(fields) > 2 * width + 8:
        return fields
    ways = [[fields[0]]]
    for field in fields[1:]:
        more = []
        if re.fullmatch(r"\d{3}", field.strip()):
            more = [
                [*way[:-1], f"{way[-1]},{field.strip()}"] for way in ways if re.search(r"(^|,|\s)\d{1,3}$", way[-1])
            ]
        ways = [*([*way, field] for way in ways), *more]
        if len(ways) > 200:
            return fields
    fitting = [way for way in ways if len(way) == width]
    return fitting[0] if len(fitting) == 1 else fields
