"""The summary of a network that a framework prints, pasted as it is: Keras, torchsummary, torchinfo."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archcalc.teach.check.answers.table import MOST_ROWS, Answers, fault
from archcalc.teach.check.model import TOTAL, Answer, Place

_HEADING = re.compile(r"Layer\s*\(type[^)]*\).*(?:Output\s+Shape|Param)", re.IGNORECASE)
#: A layer, the shape of its output, its parameters, and what may follow: the layers that it reads, multiply-adds.
_LAYER = re.compile(
    r"(?P<name>\S.*?)\s+(?P<shape>[(\[]+(?:-?\d+|None|\?)(?:,\s*(?:-?\d+|None|\?))*,?[)\]]+|--|multiple|\?)\s+"
    r"(?P<params>\d[\d,]*|--)(?:\s+(?P<rest>\S.*))?"
)
_TOTAL = re.compile(r"Total params:\s*(?P<params>\d[\d,]*)", re.IGNORECASE)
#: The lines of tables and of trees.
_LINES = str.maketrans(dict.fromkeys("│┃|├└─┡━╇┩┏┳┓┗┻┛┼┤╰╯╭╮", " "))
_LONGEST_LINE = 400


def looks_printed(text: str) -> bool:
    """Whether a text is a printed summary."""
    return any(_HEADING.search(line[:_LONGEST_LINE]) for line in text[:20_000].splitlines())


def read_printed(text: str, file: str) -> Answers:
    """The answers of a printed summary: output shapes, parameters and their total.

    Raises `SpecError` for a text that is none.
    """
    answers = list(_answers(text, file))
    if not answers:
        raise fault("is no printed summary", Place(file, 1, 1), "its heading is: Layer (type)   Output Shape   Param #")
    return Answers(tuple(answers))


def _answers(text: str, file: str) -> Iterator[Answer]:
    started = False
    for number, line in enumerate(text.splitlines(), 1):
        plain = line[:_LONGEST_LINE].translate(_LINES).strip()
        if number > MOST_ROWS:
            raise fault(f"holds more than {MOST_ROWS:,} lines", Place(file, number, 1))
        started = started or _HEADING.search(plain) is not None
        if total := _TOTAL.match(plain):
            yield Answer(TOTAL, "params", total["params"], Place(file, number, total.start("params") + 1), "param")
        elif started and (match := _LAYER.fullmatch(plain)):
            yield from _cells(match, Place(file, number, 1))


def _cells(match: re.Match[str], place: Place) -> Iterator[Answer]:
    shape, params = match["shape"], match["params"]
    if params == "--":
        return  # a module that holds others: its numbers stand with them
    if re.search(r"\d", shape):
        yield Answer(match["name"], "output_shape", shape.strip("[]()").join("()"), place, "output shape")
    yield Answer(match["name"], "params", params, place, "param")
