"""Layers as blocks of lines, each with its answers: Layer: conv1, then Output: 55x55x96, then Params: 34,944."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archcalc.teach.check.answers.heads import LAYER, Head, find_head
from archcalc.teach.check.answers.table import Item, is_heading
from archcalc.teach.check.model import Place

_LINE = re.compile(r"\s*(?:[-*•#>]+\s+|\d{1,2}[.)]\s+)*(?P<text>.*?)\s*")
_KEYED = re.compile(r"[*_`]*(?P<key>[^\W\d_#][^:=：]{0,40}?)[*_`]*\s*[:=：](?![=])\s*[*_`]*\s*(?P<value>.*?)[*_`]*")
#: Several on one line: Layer: conv1 / Output: 55x55x96.
_APART = re.compile(r"\s+[/|]\s+|\s*[;；]\s*|,\s+(?=[^\W\d][^:,=]{1,40}[:=])")
#: A line with the name of a layer alone.
_NAME = re.compile(r"[*_`]*(?P<name>[^\W\d_][^:=|;{}\[\]\"]{0,60}?)[*_`]*:?")
_RULE = re.compile(r"[\s\-=_*─━]*")
_FEWEST = 2


def read_records(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """The rows of a table with a heading; None of what has no such blocks."""
    records = list(_records(lines, file))
    if len(records) < _FEWEST or any(record is None for record in records):
        return None
    known = [record for record in records if record is not None and len(record) > 1]
    keys = list(dict.fromkeys(key for record in known for key in record if key != LAYER))
    first = Place(file, 1, 1)
    rows = [[Item(text, first) for text in (LAYER, *keys)]]
    rows += [[record[LAYER], *(record.get(key, Item("", record[LAYER].place)) for key in keys)] for record in known]
    return rows if len(known) >= _FEWEST and is_heading(rows[0]) else None


def _records(lines: Sequence[str], file: str) -> Iterator[dict[str, Item] | None]:
    """What is said of each layer, by headings; None where a line is neither a name nor an answer."""
    record: dict[str, Item] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        text = match["text"] if match else ""
        if _RULE.fullmatch(text):
            continue
        pairs = [_pair(part) for part in _APART.split(text)]
        if pairs[0] is None and len(pairs) == 1 and (name := _NAME.fullmatch(text)) and find_head(name["name"]) is None:
            if record:
                yield record
            record = {LAYER: Item(name["name"].strip(), Place(file, number, 1))}
            continue
        for pair in pairs:
            if pair is None or (not record and pair[0].key != LAYER):
                yield None
                return
            head, key, value = pair
            if head.key == LAYER:
                if record:
                    yield record
                record = {}
            record[LAYER if head.key == LAYER else key] = Item(value, Place(file, number, 1))
    if record:
        yield record


def _pair(text: str) -> tuple[Head, str, str] | None:
    """A heading and what stands after it; a heading that is not known is kept as it is, to be named."""
    match = _KEYED.fullmatch(text)
    if match is None or not match["value"]:
        return None
    key = match["key"].strip().lower()
    return find_head(key) or Head("", text=key), key, match["value"].strip()
