"""Lines of plain text that each describe a layer, or the network: CONV3-64: [224x224x64]  weights: 27*64 = 1,728."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.core.quantities import QUANTITIES
from archcalc.teach.check.answers.heads import INPUT, LAYER, find_head
from archcalc.teach.check.answers.table import Item
from archcalc.teach.check.model import TOTAL, Place
from archcalc.teach.check.vocabulary import words
from archcalc.teach.reading.shapes import MAPS

#: A word of a description, up to its colon.
_KEY = re.compile(r"(?:^|[\s,;(])(?P<key>[^\W\d_][^:=,;\[\](){}\n]{0,30}?)(?:\s*[:=](?!=)|\s+(?=[\d(\[≈~]))")
_NAME = re.compile(
    r"\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?(?P<name>[^\s:=,;{}\[\]][^:={}\[\]]{0,60}?)"
    r"\s*(?::|\s[-–—]\s|->|=>|→|⇒|(?=\s*[\[(]\s*\d))"
)

#: [55x55x96] CONV1: 96 11x11 filters at stride 4
_SHAPE_FIRST = re.compile(r"\s*(?P<shape>\[\s*\d[\d x×*,]*\])\s+(?P<name>[^\W\d_][^:=,;{}\[\]]{0,60}?)\s*(?::.*)?")

#: A number before what it counts: 156 trainable parameters.
_COUNTED = re.compile(
    r"(?<![\w.,])(?P<value>\d(?:[\d.,'’]*\d)?(?: \d{3})*(?: ?[KMG])?)\s+"
    r"(?P<key>[^\W\d_]+(?:[ -][^\W\d_]+)?)(?=\s*(?:[,;.)]|$|\s))"
)
_COUNTS = ("params", "weights", "biases", "multiplications")
#: Between what is said of a layer.
_APART = re.compile(rf"(?<=[,;.])\s+|(?:^|\s+)(?:{'|'.join(map(re.escape, words('and')))})\s+")
#: 1) conv1: 7*7*3*96 + 96 = 14,208
_CALCULATED = re.compile(
    r"\s*(?:[-*•]\s+|\d{1,3}[.)]\s+)?(?P<name>[^\W\d_][^:=,;{}\[\]\"]{0,60}?)\s*(?::|->|→)\s*"
    r"(?P<value>[\d(][\d\s.,'()+*·×∙⋅xX]*(?:[=≈][\d\s.,']+)?)"
)


def begins_with_shape(text: str) -> bool:
    """[55x55x96] CONV1: 96 11x11 filters at stride 4, which is no JSON."""
    return _SHAPE_FIRST.fullmatch(text.partition("\n")[0]) is not None


def read_described(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """CONV3-64: [224x224x64]  memory: 224*224*64=3.2M  weights: (3*3*3)*64 = 1,728."""
    read = [(number, found) for number, line in enumerate(lines, 1) if (found := _description(line))]
    keys = list(dict.fromkeys(key for _, (_, values) in read for key in values))
    if not keys or len(read) < min(2, sum(bool(line.strip()) for line in lines)):
        return None
    rows = [[Item(text, Place(file, 1, 1)) for text in (LAYER, *keys)]]
    for number, (name, values) in read:
        rows.append([Item(text, Place(file, number, 1)) for text in (name, *(values.get(key, "") for key in keys))])
    return rows


def _description(line: str) -> tuple[str, dict[str, str]] | None:
    """The name of the layer, and what is said of it by headings; the first thing without one is its output."""
    if shaped := _SHAPE_FIRST.fullmatch(line):
        return shaped["name"], {"output": shaped["shape"]}
    name = _NAME.match(line)
    if name is None or "{" in line or '"' in line:
        return None
    words = name["name"].split()
    values: dict[str, str] = {}
    rest = line[name.end() :]
    if line[name.end("name") : name.end()].strip():  # not the cells of a table
        rest = _with_keys(rest)
    marks = [mark for mark in _KEY.finditer(rest) if (head := find_head(mark["key"])) and head.key != LAYER]
    if words[0].lower() == "total" and len(words) > 1 and find_head(" ".join(words[1:])):
        return words[0], {" ".join(words[1:]).lower(): rest.strip()}
    head = find_head(name["name"])
    if (head is not None and head.key != INPUT) or not marks:
        return None
    before = re.split(r"->|=>|→|⇒", rest[: marks[0].start()])[-1].strip(" ,;:|")
    if re.search(r"\d", before):
        values["output"] = before
    for mark, end in zip(marks, [*(mark.start() for mark in marks[1:]), len(rest)], strict=True):
        values[mark["key"].strip().lower()] = rest[mark.end() : end].strip(" ,;|")
    return name["name"].strip(), values


def read_totals(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """FLOPs: 1.82G, Params: 11.69M: nothing but numbers of the whole network."""
    values: dict[str, Item] = {}
    for number, line in enumerate(lines, 1):
        plain = line.strip(" *_`•-")
        marks = list(_KEY.finditer(plain))
        if not plain:
            continue
        if not marks or marks[0].start():
            return None
        for mark, end in zip(marks, [*(mark.start() for mark in marks[1:]), len(plain)], strict=True):
            head = find_head(mark["key"])
            if head is None or head.key not in QUANTITIES or not QUANTITIES[head.key].adds_up:
                return None
            values[mark["key"].strip().lower()] = Item(plain[mark.end() : end].strip(" ,;|."), Place(file, number, 1))
    if not values:
        return None
    return [
        [Item(text, Place(file, 1, 1)) for text in (LAYER, *values)],
        [Item(TOTAL, Place(file, 1, 1)), *values.values()],
    ]


def read_calculated(lines: Sequence[str], file: str) -> list[list[Item]] | None:
    """Nothing but names and calculations: parameters, where biases are added and no size is worked out."""
    filled = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    found = [(number, match) for number, line in filled if (match := _CALCULATED.fullmatch(line))]
    if not found or len(found) < len(filled) or not any("+" in match["value"] for _, match in found):
        return None
    rows = [[Item(text, Place(file, 1, 1)) for text in (LAYER, "params")]]
    rows += [[Item(match[key].strip(), Place(file, at, 1)) for key in ("name", "value")] for at, match in found]
    return rows


def _with_keys(rest: str) -> str:
    """What is said of a layer with a heading before each value: 6 feature maps of size 28x28, 156 parameters."""
    parts = [rest]
    if (maps := MAPS.search(rest)) and not re.search(r"[:=]\s*$", rest[: maps.start()]):
        count = maps["first"] or maps["deep"] or maps["last"]
        sides = maps["sides"] or maps["square"] or maps["plane"]
        parts = [rest[: maps.start()], f" output: {count}@{sides}", rest[maps.end() :]]
    return " ".join(part if ": " in part else " ".join(map(_with_key, _APART.split(part))) for part in parts)


def _with_key(part: str) -> str:
    """The same of one statement."""
    if re.search(r"[:=]", part) or (said := _COUNTED.search(part)) is None:
        return part
    for key in (said["key"], re.split(r"[ -]", said["key"])[0]):
        head = find_head(key)
        if head is not None and head.key in _COUNTS:
            return f"{part[: said.start()].removesuffix('(')}, {head.key}: {said['value']}"
    return part
