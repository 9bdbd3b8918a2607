"""YAML and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.core.errors import SpecError
from archcalc.core.language import say
from archcalc.core.words import line
from archcalc.spec.source import MarkedDict, MarkedList, parse_source
from archcalc.teach.check.answers.heads import KNOWN_HEADS, LAYER, Head, find_head
from archcalc.teach.check.answers.table import MOST_ROWS, Answers, Item, answers_of, fault, read_table
from archcalc.teach.check.model import Answer, Place

#: Keys under which the rows may stand, as in `archcalc report -f json`.
_WRAPPERS = ("answers", "layers", "rows", "table")


def read_yaml(text: str, file: str) -> Answers:
    """The answers of a YAML text: a list of rows, or a mapping of layers or of quantities."""
    return _read(parse_source(text, file, str).value, file)


def read_json(text: str, file: str) -> Answers:
    """The same in JSON, which is YAML but for tabs."""
    try:
        return read_yaml(text.replace("\t", " "), file)
    except SpecError as error:
        raise SpecError(
            [one._replace(message=one.message.replace("valid YAML", "valid JSON")) for one in error.problems]
        ) from None


def _read(value: Any, file: str) -> Answers:
    ignored: dict[str, None] = {}
    if isinstance(value, MarkedDict):
        inner = next((value[key] for key in _WRAPPERS if isinstance(value.get(key), (MarkedDict, MarkedList))), None)
        if inner is not None:
            value = inner
    if isinstance(value, MarkedList) and value and all(isinstance(row, MarkedList) for row in value):
        rows = [
            [Item(_text(cell), Place(file, *at)) for cell, at in zip(row, row.items_at, strict=True)] for row in value
        ]
        return read_table(rows, file)
    if isinstance(value, MarkedList):
        answers = list(_rows(value, file, ignored))
    elif isinstance(value, MarkedDict):
        answers = list(_by_quantity(value, file) or _by_layer(value, file, ignored))
    else:
        raise fault(say("holds no answers"), Place(file, 1, 1), _example())
    names = [line(name) for name in ignored if len(name) < 40][:20]
    return Answers(tuple(answers), (say("not checked: {names}", names=", ".join(names)),) if names else ())


def _example() -> str:
    return "write - {layer: conv1, output: 55x55x96, params: 34944}; there can be " + KNOWN_HEADS


def _rows(rows: MarkedList, file: str, ignored: dict[str, None]) -> Iterator[Answer]:
    if len(rows) > MOST_ROWS:
        raise fault(say("holds more than {count:,} rows", count=MOST_ROWS), Place(file, *rows.items_at[MOST_ROWS]))
    for row, at in zip(rows, rows.items_at, strict=True):
        if not isinstance(row, MarkedDict):
            raise fault(say("each item must be a row"), Place(file, *at), _example())
        names = [key for key in row if (head := find_head(key)) is not None and head.key == LAYER]
        if not names:
            raise fault(say("this row names no layer"), Place(file, *at), _example())
        key = "layer" if "layer" in names else names[0]
        yield from _cells(_text(row[key]).strip(), row, file, ignored)


def _cells(layer: str, row: MarkedDict, file: str, ignored: dict[str, None]) -> Iterator[Answer]:
    cells: list[tuple[Head, Item]] = []
    for key, value in row.items():
        head = find_head(key)
        if head is None or any(head.key == other.key for other, _ in cells):
            ignored[key] = None
        elif head.key != LAYER:
            cells.append((head, Item(_text(value), Place(file, *row.values_at[key]))))
    yield from answers_of(layer, cells)


def _by_quantity(value: MarkedDict, file: str) -> list[Answer]:
    """{params: {conv1: 34944, …}}; nothing where the mapping is not of this kind."""
    heads = {key: find_head(key) for key in value}
    if not all(
        head is not None and head.key != LAYER and isinstance(value[key], MarkedDict) for key, head in heads.items()
    ):
        return []
    found: list[Answer] = []
    for key, head in heads.items():
        assert head is not None
        for layer, cell in value[key].items():
            item = Item(_text(cell), Place(file, *value[key].values_at[layer]))
            found += answers_of(layer.strip(), [(head, item)])
    return found


def _by_layer(value: MarkedDict, file: str, ignored: dict[str, None]) -> Iterator[Answer]:
    """{conv1: {params: 34944, …}, …}"""
    if len(value) > MOST_ROWS:
        raise fault(say("holds more than {count:,} layers", count=MOST_ROWS), Place(file, *value.at))
    for layer, row in value.items():
        if not isinstance(row, MarkedDict):
            raise fault(
                say("{name!r} should hold its answers", name=layer[:40]),
                Place(file, *value.values_at[layer]),
                _example(),
            )
        yield from _cells(layer.strip(), row, file, ignored)


def _text(value: Any) -> str:
    """A scalar as it was written; a list of sides in brackets."""
    if isinstance(value, MarkedList):
        return f"[{', '.join(_text(side)[:100] for side in _few(value))}]"
    return "" if isinstance(value, MarkedDict) else str(value)


def _few(values: Sequence[Any]) -> Sequence[Any]:
    return [side for side in values[:10] if not isinstance(side, (MarkedList, MarkedDict))]
