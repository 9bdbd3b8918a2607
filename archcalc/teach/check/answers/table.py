"""A table of texts with their places, and the answers in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.core.errors import Location, Problem, SpecError
from archcalc.teach.check.answers.heads import LAYER, SIDES, Head, find_head, known_heads
from archcalc.teach.check.model import Answer, Place
from archcalc.teach.reading.statements import is_empty

MOST_ROWS = 10_000
#: Columns of a worksheet that nobody expects to be checked.
_UNASKED = {"#", "operation", "reads", "how"}
MOST_COLUMNS = 200


class Item(NamedTuple):
    """A text and where it stands."""

    text: str
    place: Place


class Answers(NamedTuple):
    """What a file holds: its answers in their order, and notes about how it was read."""

    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()


def fault(message: str, place: Place, *details: str) -> SpecError:
    """The error of a file that cannot be read."""
    return SpecError([Problem(message, Location(*place), None, details)])


def read_table(rows: Sequence[Sequence[Item]], file: str) -> Answers:
    """The answers of a table; its first row that is not empty names the columns."""
    filled = [row for row in rows if any(item.text.strip() for item in row)]
    if not filled:
        raise fault("holds no table", Place(file, 1, 1), f"the first row names the columns: {known_heads()}")
    if len(filled) > MOST_ROWS:
        raise fault(f"holds more than {MOST_ROWS:,} rows", filled[MOST_ROWS][0].place)
    start = next((index for index, row in enumerate(filled[:20]) if is_heading(row)), None)
    if start is None:
        first = filled[0][0].place
        raise fault(
            "the first row must name the columns, one of them the layer",
            first,
            f"there can be {known_heads()}",
            f"found: {', '.join(item.text.strip()[:30] for item in filled[0][:8])}",
        )
    heads = _heads(filled[start])
    notes = _ignored(filled[start], heads)
    answers = [answer for row in filled[start + 1 :] for answer in _row(row, heads)]
    return Answers(tuple(answers), notes)


def is_heading(row: Sequence[Item]) -> bool:
    """Whether a row names columns: something to check, and a column for the layers."""
    if not any(item.text.strip() for item in row) or len(row) > MOST_COLUMNS:
        return False
    heads = [find_head(item.text) for item in row]
    quantities = [head for head in heads if head is not None and head.key != LAYER]
    return bool(quantities) and len(row) > len(quantities)


def _heads(row: Sequence[Item]) -> list[Head | None]:
    """The columns; the first that is not known holds the layers where none is called so."""
    heads = [find_head(item.text) for item in row]
    seen: set[str] = set()
    for index, head in enumerate(heads):
        if head is not None and head.key in seen:
            if head.key != LAYER:  # "name, layer": the first of them counts
                raise fault(f"two columns are about the {head.key.replace('_', ' ')}", row[index].place)
            heads[index] = None
        elif head is not None:
            seen.add(head.key)
    if LAYER not in seen:
        heads[heads.index(None)] = Head(LAYER)
    return heads


def _ignored(row: Sequence[Item], heads: Sequence[Head | None]) -> tuple[str, ...]:
    names = [item.text.strip()[:40] for item, head in zip(row, heads, strict=True) if head is None]
    names = [name for name in names if name and name.lower() not in _UNASKED]
    plural = "s" if len(names) > 1 else ""
    return (f"not checked: column{plural} {', '.join(names)}",) if names else ()


def _row(row: Sequence[Item], heads: Sequence[Head | None]) -> Iterator[Answer]:
    if len(row) > len(heads) and any(item.text.strip() for item in row[len(heads) :]):
        raise fault(
            f"this row has {len(row)} cells, the first one {len(heads)}",
            row[len(heads)].place,
            'a number with a comma needs quotes in CSV: "34,944"',
        )
    last = row[-1].place
    missing = [Item("", last._replace(column=column + 1)) for column in range(len(row), len(heads))]
    cells = [(head, item) for head, item in zip(heads, [*row, *missing], strict=False) if head is not None]
    layer = next((item.text.strip() for head, item in cells if head.key == LAYER), "")
    filled = [item for head, item in cells if head.key != LAYER and not is_empty(item.text)]
    if not layer:
        if filled:
            raise fault("this row has answers and no layer", filled[0].place)
        return
    yield from answers_of(layer, cells)


def answers_of(layer: str, cells: Sequence[tuple[Head, Item]]) -> Iterator[Answer]:
    """The answers about a layer; sides in columns of their own make one shape."""
    by_key = {head.key: item for head, item in cells}
    named = {head.key for head, _ in cells}
    for head, item in cells:
        if head.key in SIDES:
            if "output_shape" in named or head.key != next(side for side in SIDES if side in named):
                continue
            texts = [by_key[side].text.strip() for side in SIDES if side in by_key and by_key[side].text.strip()]
            yield Answer(layer, "output_shape", "x".join(texts), item.place)
        elif head.key != LAYER:
            text = item.text.strip()
            if head.unit and re.fullmatch(r"[-−+]?[\d\s.,'’\u00a0\u2009\u202f]*\d(?:[eE][-+]?\d+)?", text):
                text = f"{text} {head.unit}"
            yield Answer(layer, head.key, text, item.place)
