"""The layers that Darknet prints as it builds a network, pasted as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcalc.teach.check.answers.table import Answers
from archcalc.teach.check.model import Answer, Place

_SIDES = r"\d+\s*x\s*\d+\s*x\s*\d+"
#: 0 conv 32 3 x 3 / 1 416 x 416 x 3 -> 416 x 416 x 32 0.299 BFLOPs
_LAYER = re.compile(
    rf"\s*(?P<number>\d+)\s+(?P<kind>[a-z]+)\b(?P<settings>[^>]*?)\s+(?P<input>{_SIDES})\s*-+>\s*(?P<output>{_SIDES})"
    r"(?:\s+(?P<operations>\d+(?:\.\d+)?)\s*BF(?:LOPs)?)?\s*",
    re.IGNORECASE,
)
#: Dense layers: 25 connected 1024 -> 1000.
_DENSE = re.compile(r"\s*(?P<number>\d+)\s+connected\s+\d+\s*-+>\s*(?P<output>\d+)\s*")
#: What it calls its layers, where that is no word of others.
_KINDS = {"max": "max pool", "maxpool": "max pool", "avg": "avg pool", "avgpool": "avg pool", "res": "add",
          "shortcut": "add", "route": "concat", "connected": "fc"}  # fmt: skip
_FEWEST, _LONGEST_LINE, _LONGEST_START = 2, 400, 20_000
#: A multiply-add is two operations.
_HEADING = "flops (2 per mac)"


def looks_like_darknet(text: str) -> bool:
    """Whether a text has layers as Darknet prints them."""
    lines = text[:_LONGEST_START].splitlines()
    return sum(_LAYER.fullmatch(line[:_LONGEST_LINE]) is not None for line in lines) >= _FEWEST


def read_darknet(text: str, file: str) -> Answers:
    """The answers of each layer: its output, and the operations of those with weights."""
    answers: list[Answer] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LAYER.fullmatch(line[:_LONGEST_LINE]) or _DENSE.fullmatch(line[:_LONGEST_LINE])
        if match:
            answers += _answers(match.groupdict(), Place(file, number, 1))
    return Answers(tuple(answers))


def _answers(found: dict[str, str | None], place: Place) -> Iterator[Answer]:
    kind = (found.get("kind") or "connected").lower()
    label = f"{found['number']} {_KINDS.get(kind, kind)}"
    yield Answer(label, "output_shape", re.sub(r"\s+", "", found["output"] or ""), place, "output", "hwc")
    if (operations := found.get("operations")) and kind == "conv":
        yield Answer(label, "multiplications", f"{operations}G", place, _HEADING)
