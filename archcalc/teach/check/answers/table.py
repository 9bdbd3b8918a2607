"""A table of texts with their places, and the answers in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from archcalc.core.errors import Location, Problem, SpecError
from archcalc.core.language import say_many
from archcalc.core.words import line
from archcalc.teach.check.answers.heads import DEPTH, HEIGHT, KNOWN_HEADS, LAYER, PLANE, SIDES, WIDTH, Head, find_head
from archcalc.teach.check.model import Answer, Place
from archcalc.teach.reading.statements import is_empty

MOST_ROWS = 10_000
#: Columns of a worksheet that nobody expects to be checked.
_UNASKED = {"#", "operation", "reads", "how"}
MOST_COLUMNS = 200
_NUMBER = re.compile(r"[-−+]?[\d\s.,'’\u00a0\u2009\u202f]*\d(?:[eE][-+]?\d+)?")


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
        raise fault("holds no table", Place(file, 1, 1), f"the first row names the columns: {KNOWN_HEADS}")
    if len(filled) > MOST_ROWS:
        raise fault(f"holds more than {MOST_ROWS:,} rows", filled[MOST_ROWS][0].place)
    start = next((index for index, row in enumerate(filled[:20]) if is_heading(row)), None)
    if start is None:
        first = filled[0][0].place
        raise fault(
            "the first row must name the columns, one of them the layer",
            first,
            f"there can be {KNOWN_HEADS}",
            f"found: {', '.join(line(item.text)[:30] for item in filled[0][:8])}",
        )
    heads = _heads(filled[start], filled[start + 1 :])
    notes = _ignored(filled[start], heads)
    answers = [answer for row in filled[start + 1 :] for answer in _row(row, heads)]
    return Answers(tuple(answers), notes)


def read_cells(cells: Mapping[tuple[str, str], Item], file: str) -> Answers:
    """The answers of cells by layer and quantity, where a file names the cells that it asks for and has no other."""
    layers = dict.fromkeys(layer for layer, _ in cells)
    quantities = dict.fromkeys(quantity for _, quantity in cells)
    first = Place(file, 1, 1)
    rows = [[Item("layer", first), *(Item(quantity.replace("_", " "), first) for quantity in quantities)]]
    rows += [
        [Item(layer, first), *(cells.get((layer, quantity), Item("", first)) for quantity in quantities)]
        for layer in layers
    ]
    found = read_table(rows, file)
    asked = {(layer.strip(), quantity) for layer, quantity in cells}
    return found._replace(answers=tuple(one for one in found.answers if (one.layer, one.quantity) in asked))


def is_heading(row: Sequence[Item]) -> bool:
    """Whether a row names columns: something to check, and a column for the layers."""
    if not any(item.text.strip() for item in row) or len(row) > MOST_COLUMNS:
        return False
    heads = [find_head(item.text) for item in row]
    quantities = [head for head in heads if head is not None and head.key != LAYER]
    return bool(quantities) and len(row) > len(quantities)


def _heads(row: Sequence[Item], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """The columns; the first that is not known holds the layers where none is called so."""
    heads = _sizes_apart([find_head(item.text) for item in row], body)
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


def _sizes_apart(heads: list[Head | None], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """Of an activation shape and an activation size next to each other the second is a number of values."""
    of_shape = [index for index, head in enumerate(heads) if head is not None and head.key == "output_shape"]
    if len(of_shape) < 2:
        return heads
    found = list(heads)
    for index in of_shape:
        texts = [row[index].text for row in body if index < len(row) and not is_empty(row[index].text)]
        head = heads[index]
        if head is not None and "shape" not in head.text and all(_NUMBER.fullmatch(text.strip()) for text in texts):
            found[index] = head._replace(key="activations")
    return found


def _ignored(row: Sequence[Item], heads: Sequence[Head | None]) -> tuple[str, ...]:
    names = [line(item.text)[:40] for item, head in zip(row, heads, strict=True) if head is None]
    names = [name for name in names if name and name.lower() not in _UNASKED]
    if not names:
        return ()
    shown = ", ".join(names)
    return (say_many("not checked: column {names}", "not checked: columns {names}", len(names), names=shown),)


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
            texts = {side: by_key[side].text.strip() for side in SIDES if side in by_key and by_key[side].text.strip()}
            yield Answer(layer, "output_shape", _joined(texts), item.place, head.text, _AXES_OF.get(tuple(texts), ""))
        elif head.key != LAYER:
            text = item.text.strip()
            if head.unit and _NUMBER.fullmatch(text):
                text = f"{text} {head.unit}"
            yield Answer(layer, head.key, text, item.place, head.text, head.axes)


#: The order of axes of a shape that stands in columns of its sides.
_AXES_OF = {
    (HEIGHT, WIDTH, DEPTH): "hwc", (PLANE, DEPTH): "hwc", (HEIGHT, DEPTH): "hwc", (WIDTH, DEPTH): "hwc",
    (HEIGHT, WIDTH): "hw", (DEPTH,): "c",
}  # fmt: skip


def _joined(texts: Mapping[str, str]) -> str:
    """The sides as one shape; a single side of a plane is that of a square: 27 and 256 are 27x27x256."""
    height = texts.get(HEIGHT) or texts.get(PLANE) or texts.get(WIDTH, "")
    width = texts.get(WIDTH) or texts.get(HEIGHT, "")
    if texts.get(PLANE):
        width = "" if _NUMBER.fullmatch(height) is None else height
    parts = [height, width] if DEPTH in texts or (HEIGHT in texts and WIDTH in texts) else [height]
    return "x".join(part for part in [*parts, texts.get(DEPTH, "")] if part)
