"""A table of texts with their places, and the answers in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from archcalc.core.errors import Location, Problem, SpecError
from archcalc.core.language import say, say_many
from archcalc.core.quantities import QUANTITIES
from archcalc.core.words import line, visible
from archcalc.teach.check.answers.heads import (
    DEPTH,
    FRAMES,
    HEIGHT,
    INPUT,
    KNOWN_HEADS,
    LAYER,
    PLANE,
    SIDES,
    TIME,
    TOKENS,
    WIDTH,
    Head,
    find_head,
    is_of_all,
)
from archcalc.teach.check.answers.sides import are_numbers, axes_of, is_number, joined, with_sides
from archcalc.teach.check.answers.subheads import one_heading
from archcalc.teach.check.labels import plain_label, read_label
from archcalc.teach.check.model import NAMELESS, Answer, Place
from archcalc.teach.check.vocabulary import words
from archcalc.teach.reading.statements import is_empty
from archcalc.teach.reading.words import any_of

MOST_ROWS = 10_000
#: Columns of a worksheet that nobody expects to be checked.
_UNASKED = {"#", "operation", "reads", "how"}
MOST_COLUMNS = 200
#: So many layers with their sizes in the cells are lists of layers.
_FEWEST_LISTED = 4
#: A column that says what the layers of another are: Convolution of C1.
TYPE = "type"
_TYPE = words("heading type")
#: A number with its unit, which no column is called: 65.86 Bn, 40.7%.
_NUMBER = re.compile(r"[~≈≥<>]?\s*\d[\d.,\s]*(?:%|[kKMGTB]n?|million|billion)?")
#: Two sides of a shape.
_SIDES = re.compile(r"\d\s*(?:[x×хX*²@,;]|\^2|\\times)")
#: The shape of the weights of a layer: 3×3×32 dw, 1024×1000, (96, 3, 11, 11).
_FILTERS = re.compile(r"[(\[]?\s*\d+(?:\s*[x×хX*,]\s*\d+){1,4}\s*[)\]]?(?:\s*dw)?")
#: The heading of a column of such shapes.
FILTERS = "filters"
#: What stands for the cell above.
_SAME = words("same")
#: Headings that may mean the window of a layer.
_OF_WINDOW = {"size", "filter size", "размер", "größe", "taille", "tamaño", "tamanho"}


class _Cell(NamedTuple):
    text: str
    place: Place


class Item(_Cell):
    """A text, without what cannot be seen, and where it stands."""

    __slots__ = ()

    def __new__(cls, text: str, place: Place) -> Item:
        return super().__new__(cls, visible(text), place)


class Answers(NamedTuple):
    """What a file holds: its answers in their order, and notes about how it was read."""

    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()


def fault(message: str, place: Place, *details: str) -> SpecError:
    """The error of a file that cannot be read."""
    return SpecError([Problem(message, Location(*place), None, details)])


def read_table(rows: Sequence[Sequence[Item]], file: str) -> Answers:
    """The answers of a table; its first row that is not empty names the columns."""
    filled = _upright([row for row in rows if any(item.text.strip() for item in row)])
    if not filled:
        raise fault(
            say("holds no table"),
            Place(file, 1, 1),
            say("the first row names the columns: {names}", names=KNOWN_HEADS),
        )
    if len(filled) > MOST_ROWS:
        raise fault(say("holds more than {count:,} rows", count=MOST_ROWS), filled[MOST_ROWS][0].place)
    start = next((index for index, row in enumerate(filled[:20]) if is_heading(row)), None)
    if start is None:
        _refuse_lists(filled)
        raise _without_layers(filled[0])
    heading, below = filled[start], filled[start + 1 : start + 2]
    if below and (
        names := one_heading([item.text.strip() for item in heading], [one.text.strip() for one in below[0]])
    ):
        heading = [item._replace(text=text) for item, text in zip(heading, names, strict=True)]
        start += 1
    heads = _heads(heading, filled[start + 1 :])
    if not any(head is not None and head.key not in (LAYER, TYPE) for head in heads):
        _refuse_lists(filled)
        raise fault(
            say("no column has anything to check"),
            heading[0].place,
            say("there can be {names}", names=KNOWN_HEADS),
        )
    notes = _ignored(heading, heads)
    answers = [answer for row in _repeated(filled[start + 1 :]) for answer in _row(row, heads)]
    return Answers(tuple(answers), notes)


def _without_layers(row: Sequence[Item]) -> SpecError:
    return fault(
        say("the first row must name the columns, one of them the layer"),
        row[0].place,
        say("there can be {names}", names=KNOWN_HEADS),
        say("found: {names}", names=", ".join(line(item.text)[:30] for item in row[:8])),
    )


def _refuse_lists(rows: Sequence[Sequence[Item]]) -> None:
    """Raise `SpecError` for a table whose columns list the layers of networks, as VGG's table 1 does."""
    texts = [item.text.strip() for row in rows for item in row[1:] if item.text.strip()]
    layers = [text for text in texts if read_label(text).filters]
    if len(layers) < _FEWEST_LISTED or 2 * len(layers) < len(texts):
        return
    names = [line(item.text)[:20] for item in rows[0] if item.text.strip()]
    raise fault(
        say("each column lists the layers of a network, and no numbers of theirs: nothing can be checked"),
        rows[0][0].place,
        say("found: {names}", names=", ".join(names[:8])),
        say("give each layer a row, with its numbers in columns: {names}", names=KNOWN_HEADS),
    )


def _upright(rows: Sequence[Sequence[Item]]) -> Sequence[Sequence[Item]]:
    """A table whose rows are quantities and whose columns are layers or networks, with its rows and columns changed."""
    heads = [find_head(row[0].text) for row in rows[1:]]
    are_counts = [head is not None and head.key in QUANTITIES and QUANTITIES[head.key].adds_up for head in heads]
    if not any(are_counts) or None in heads or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return rows
    return list(zip(*rows, strict=True))


def _repeated(rows: Iterable[Sequence[Item]]) -> Iterator[Sequence[Item]]:
    """The rows with what stands above in the place of a mark for the same: 〃, same as above."""
    above: list[str] = []
    for row in rows:
        cells = [
            item._replace(text=above[at])
            if at and at < len(above) and above[at] and plain_label(item.text) in _SAME
            else item
            for at, item in enumerate(row)
        ]
        above = [item.text for item in cells]
        yield cells


def read_tables(tables: Sequence[Sequence[Sequence[Item]]], file: str, wanted: str) -> Answers:
    """The answers of every table of a document that has columns to check. Raises `SpecError` without one."""
    found = []
    for table in map(_upright, tables) if len(tables) == 1 else tables:
        start = next((index for index, row in enumerate(table[:20]) if is_heading(row)), None)
        if start is not None:
            # A long table has its heading again for the next page.
            heading = [item.text for item in table[start]]
            rows = [row for row in table[start + 1 :] if [item.text for item in row] != heading]
            found.append(read_table([table[start], *rows], file))
    if not found:
        place = next((table[0][0].place for table in tables if table and table[0]), Place(file, 1, 1))
        for table in tables:
            _refuse_lists(table)
        raise fault(say("holds no table of answers"), place, wanted)
    notes = dict.fromkeys(note for answers in found for note in answers.notes)
    return Answers(tuple([answer for answers in found for answer in answers.answers]), tuple(notes))


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
    if any(_NUMBER.fullmatch(item.text.strip()) for item in row):
        return False  # a row of figures: parameters, 61 M
    heads = [find_head(item.text) for item in row]
    quantities = [head for head in heads if head is not None and head.key not in (LAYER, TIME, TOKENS, FRAMES)]
    if {head.text for head in quantities} <= words("input alone"):
        keys = {head.key for head in heads if head is not None}  # positions of signals alone
        return keys == {LAYER, TOKENS}
    # D of VGG's table 1 above its layers.
    is_configuration = heads[0] is not None and heads[0].key == DEPTH and len(quantities) > 1
    return bool(quantities) and (len(row) > len(quantities) or is_configuration)


def _heads(row: Sequence[Item], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """The columns; the first that is not known holds the layers where none is called so."""
    heads = [_of_numbers(find_head(item.text), index, body) for index, item in enumerate(row)]
    heads = [
        None if head is not None and head.key == INPUT and not _are_shapes(_texts(index, body)) else head
        for index, head in enumerate(heads)
    ]
    heads = [
        None if head is not None and head.key in SIDES and _are_words(_texts(index, body)) else head
        for index, head in enumerate(heads)
    ]
    heads = _with_filters(heads, [item.text for item in row], body)
    heads = _finest(_without_counts(heads, [item.text for item in row]), body)
    heads = _without_all(heads, [item.text for item in row])
    heads = _sizes_apart(_maps_and_sizes(_one_output(heads), body), body)
    heads = with_sides(heads, partial(_texts, body=body))
    heads = _with_sum(heads, [item.text for item in row])
    seen: set[str] = set()
    for index, head in enumerate(heads):
        if head is not None and head.key in seen:
            if head.key != LAYER:  # "name, layer": the first of them counts
                what = say(head.key.replace("_", " "))
                raise fault(say("two columns are about the {quantity}", quantity=what), row[index].place)
            heads[index] = None
        elif head is not None:
            seen.add(head.key)
    if LAYER not in seen:
        if None not in heads:
            raise _without_layers(row)
        heads[heads.index(None)] = Head(LAYER)
    for index, item in enumerate(row):
        if heads[index] is None and plain_label(item.text) in _TYPE and TYPE not in seen:
            heads[index] = Head(TYPE)
            seen.add(TYPE)
    return heads


def _finest(heads: list[Head | None], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """Of blocks and layers in columns of their own those that name a layer in each row, and not the same in many."""
    layers = [index for index, head in enumerate(heads) if head is not None and head.key == LAYER]
    blocks = [index for index in layers if (head := heads[index]) is not None and _is_block(head)]
    if not blocks or len(blocks) == len(layers):
        return heads
    texts = {index: _texts(index, body) for index in layers}
    best = max(layers, key=lambda index: (len(texts[index]), len(set(texts[index])), -index))
    return [None if index in blocks and index != best else head for index, head in enumerate(heads)]


def _without_counts(heads: list[Head | None], names: Sequence[str]) -> list[Head | None]:
    """Next to a column for layers, # layers is how many they are."""
    layers = [index for index, head in enumerate(heads) if head is not None and head.key == LAYER]
    counts = [index for index in layers if names[index].lstrip(" *`").startswith("#")]
    if len(counts) == len(layers):
        return heads
    return [None if index in counts else head for index, head in enumerate(heads)]


def _without_all(heads: list[Head | None], names: Sequence[str]) -> list[Head | None]:
    """Next to a column of multiplications that of all multiplications in a report is not checked."""
    counted = [index for index, head in enumerate(heads) if head is not None and head.key == "multiplications"]
    of_all = [index for index in counted if is_of_all(names[index])]
    if len(counted) == len(of_all):
        return heads
    return [None if index in of_all else head for index, head in enumerate(heads)]


def _one_output(heads: list[Head | None]) -> list[Head | None]:
    """Next to a column that is called output, a size is that of a window."""
    shapes = [head for head in heads if head is not None and head.key == "output_shape"]
    outputs = [head for head in shapes if set(re.findall(r"[^\W_]+", head.text)) & words("part output")]
    if len(outputs) != 1 or not all(head.text in _OF_WINDOW for head in shapes if head is not outputs[0]):
        return heads
    return [None if head in shapes and head is not outputs[0] else head for head in heads]


def _with_sum(heads: list[Head | None], names: Sequence[str]) -> list[Head | None]:
    """A total next to weights and biases is that of both."""
    keys = {head.key for head in heads if head is not None}
    if not keys >= {"weights", "biases"} or "params" in keys:
        return heads
    totals = [index for index, name in enumerate(names) if heads[index] is None and plain_label(name) in words("total")]
    if len(totals) != 1:
        return heads
    return [Head("params", text=plain_label(names[index])) if index in totals else head
            for index, head in enumerate(heads)]  # fmt: skip


def _with_filters(heads: list[Head | None], names: Sequence[str], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """Shapes of filters, with their maps, are numbers of weights where no other column has these: 3×3×3×32."""
    for index, name in enumerate(names):
        if plain_label(name) in words("heading filters") and "weights" not in {head.key for head in heads if head}:
            texts = _texts(index, body)
            whole = [text for text in texts if _FILTERS.fullmatch(text) and len(re.findall(r"\d+", text)) > 2]
            if 2 * len(whole) > len(texts):
                return [Head("weights", text=FILTERS) if at == index else head for at, head in enumerate(heads)]
    return heads


def _are_words(texts: Sequence[str]) -> bool:
    """Whether a column has other things than sides: D of VGG's table 1 lists layers, conv3-64."""
    return 2 * sum(re.match(r"[^\W\d]", text) is not None for text in texts) > len(texts)


def _are_shapes(texts: Sequence[str]) -> bool:
    """Whether most cells have sides: a column of inputs may have names of layers, or numbers of maps."""
    return 2 * sum(_SIDES.search(text) is not None for text in texts) > len(texts)


def _texts(column: int, body: Sequence[Sequence[Item]]) -> list[str]:
    """The cells of a column that are answered."""
    return [row[column].text.strip() for row in body if column < len(row) and not is_empty(row[column].text)]


def _of_numbers(head: Head | None, column: int, body: Sequence[Sequence[Item]]) -> Head | None:
    """An activation of tanh is no number of activations."""
    texts = _texts(column, body)
    is_words = bool(texts) and not any(character.isdigit() for text in texts for character in text)
    return None if is_words and head is not None and head.key == "activations" else head


def _maps_and_sizes(heads: list[Head | None], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """Of a number of maps and a size of each next to each other: together they are the shape of the output."""
    shapes = {index: _texts(index, body) for index, head in enumerate(heads) if head and head.key == "output_shape"}
    depths = [index for index, head in enumerate(heads) if head is not None and head.key == DEPTH]
    depths += [index for index, texts in shapes.items() if "map" in heads[index].text and are_numbers(texts)]  # type: ignore[union-attr]
    planes = [index for index in shapes if index not in depths and _are_planes(shapes[index])]
    if len(depths) != 1 or len(planes) != 1 or {HEIGHT, WIDTH, PLANE} & {head.key for head in heads if head}:
        return heads
    found = list(heads)
    for index, key in ((depths[0], DEPTH), (planes[0], PLANE)):
        found[index] = heads[index]._replace(key=key)  # type: ignore[union-attr]
    return found


def _are_planes(texts: Sequence[str]) -> bool:
    """Whether no size has a depth: 28×28 or 84, and some have two sides."""
    sides = [re.findall(r"\d+", text) for text in texts]
    return any(len(one) == 2 for one in sides) and all(
        len(one) < 3 and "@" not in text for one, text in zip(sides, texts, strict=True)
    )


def _sizes_apart(heads: list[Head | None], body: Sequence[Sequence[Item]]) -> list[Head | None]:
    """Of an activation shape and an activation size next to each other the second is a number of values."""
    of_shape = [index for index, head in enumerate(heads) if head is not None and head.key == "output_shape"]
    if len(of_shape) < 2:
        return heads
    found = list(heads)
    for index in of_shape:
        head = heads[index]
        if head is not None and "shape" not in head.text and are_numbers(_texts(index, body)):
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
            say("this row has {count} cells, the first one {first}", count=len(row), first=len(heads)),
            row[len(heads)].place,
            say('a number with a comma needs quotes in CSV: "34,944"'),
        )
    last = row[-1].place
    missing = [Item("", last._replace(column=column + 1)) for column in range(len(row), len(heads))]
    cells = [(head, item) for head, item in zip(heads, [*row, *missing], strict=False) if head is not None]
    layer = next((item.text.strip() for head, item in cells if head.key == LAYER), "")
    if layer.isdecimal():  # the number of a stage
        layer = next((f"{head.text} {layer}" for head, _ in cells if head.key == LAYER and _is_block(head)), layer)
    kind = next((item.text.strip() for head, item in cells if head.key == TYPE), "")
    cells = [(head, item) for head, item in cells if head.key != TYPE]
    filled = [item for head, item in cells if head.key != LAYER and not is_empty(item.text)]
    if layer and kind and not is_empty(kind) and "(" not in layer:
        layer = f"{layer} ({kind[:1].upper()}{kind[1:]})"
    if layer or filled:
        yield from answers_of(layer or NAMELESS, cells)


#: A shape, and the parameters in the same cell: 6 feature maps of size 28x28, 156 trainable parameters.
_WITH_PARAMS = re.compile(
    r"(?P<shape>.*\d.*?)(?:\s*[,;/]\s*|\s+[+&(\[]?\s*|\s*\()(?P<params>\d[\d.,' ]*(?:\s?[KMkm])?)"
    rf"\s+(?:(?:{any_of('learnable')})\s+)?(?:{any_of('parameters')})\s*[)\]]?",
    re.IGNORECASE,
)


def answers_of(layer: str, cells: Sequence[tuple[Head, Item]]) -> Iterator[Answer]:
    """The answers about a layer; sides in columns of their own make one shape."""
    by_key = {head.key: item for head, item in cells}
    named = {head.key for head, _ in cells}
    for head, item in cells:
        if head.key in SIDES:
            if "output_shape" in named or head.key != next(side for side in SIDES if side in named):
                continue
            texts = {
                side: by_key[side].text.strip() for side in SIDES if side in by_key and not is_empty(by_key[side].text)
            }
            axes = axes_of(head, list(texts))
            yield Answer(layer, "output_shape", joined(texts), item.place, head.text, axes)
        elif head.key == INPUT:
            yield Answer(layer, "output_shape", item.text.strip(), item.place, head.text, head.axes, of_input=True)
        elif head.key != LAYER:
            text = item.text.strip()
            if head.text == FILTERS:
                text = "×".join(re.findall(r"\d+", text)) if _FILTERS.fullmatch(text) else ""
            if head.unit and is_number(text):
                text = f"{text} {head.unit}"
            if head.key == "output_shape" and (said := _WITH_PARAMS.fullmatch(text)):
                text = said["shape"]
                if not named & {"params", "weights"}:
                    yield Answer(layer, "params", said["params"], item.place, "params")
            yield Answer(layer, head.key, text, item.place, head.text, head.axes)


def _is_block(head: Head) -> bool:
    """Whether a heading means a block of layers: stage, module."""
    return head.text in words("block")
