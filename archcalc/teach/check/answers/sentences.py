"""Sentences in place of a table: the first convolutional layer has 96 kernels, giving 55×55×96 and 34,944 parameters.

A sentence that begins with a layer is a row. Only what it clearly says of the whole layer is an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.teach.check.answers.table import Answers, Item, read_table
from archcalc.teach.check.labels import read_label
from archcalc.teach.check.model import Place

_SENTENCE = re.compile(r"\S.*?(?:[.!?;](?=\s|\Z)|(?=\n\s*(?:\n|[-*•]\s))|\Z)", re.DOTALL)
_VERB = (
    r"(?:has|have|had|gives?|is|takes?|contains?|consists?|applies|uses?|filters?|produces?|outputs?|yields?|"
    r"computes?|maps?|reads?|reduces?|requires?|needs?|performs?|with)"
)
_ORDINAL = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|last|final|\d{1,2}(?:st|nd|rd|th))"
#: What a sentence is about: the words before its verb.
_SUBJECT = re.compile(
    r"(?:[-*•]\s*)?(?:(?:in|the|our|then|next|and|so|finally|thus|therefore)[\s,]+)*"
    rf"(?P<name>(?P<whole>network|model|total|whole network)|{_ORDINAL}(?:\s+[\w-]+){{0,3}}?\s+layer"
    r"|(?:[a-z-]+\s+){0,2}layer\s+\w{1,8}|[a-z][a-z_-]{0,12}\d[\w./-]{0,20})"
    rf"(?:\s+layer)?(?:\s+\([^()]{{1,40}}\))?(?:\s*,[^,]{{1,60}},)?\s+(?:\w+ly\s+)?{_VERB}\b",
    re.IGNORECASE,
)
_SHAPE = re.compile(
    r"\b(?:giving|gives?|producing|produces?|yielding|yields?|outputs?|resulting\s+in|results?\s+in)\b"
    r"(?:\s+(?:is|are|of|an?|the|output|volume|map|maps|shape|size|tensor))*\s*:?\s*"
    r"(?P<shape>\d+\s*[x×]\s*\d+\s*[x×]\s*\d+)(?!\s*[x×\d])",
    re.IGNORECASE,
)
_COUNT = re.compile(
    r"(?<![\w.,/·×x*+=(-])(?P<count>\d+(?:[,.]\d+)*(?:\s?(?:[KMG]|million|thousand|billion))?)\s+"
    r"(?:(?:learnable|trainable|learned|free)\s+)?"
    r"(?P<what>parameters|params|weights|biases|multiplications|multiply-adds|MACs|activations)\b"
    r"(?!\s+(?:per|each|for\s+each|of\s+each|in\s+each|for\s+every|shared))",
    re.IGNORECASE,
)
#: What speaks of a part of the layer, of another one, or of a difference.
_PART = re.compile(
    r"\b(?:each|every|per|instead|rather|than|without|if|would|more|fewer|less|not|only)\b", re.IGNORECASE
)


class _Said(NamedTuple):
    """A layer, and what is said of it by headings."""

    name: str
    place: Place
    cells: dict[str, str]


def read_sentences(text: str, file: str) -> Answers | None:
    """The answers in sentences; None where there are none."""
    found = [_said(match, text, file) for match in _SENTENCE.finditer(text)]
    rows = [one for one in found if one is not None]
    if not rows:
        return None
    headings = list(dict.fromkeys(heading for one in rows for heading in one.cells))
    first = rows[0].place
    table = [[Item(text, first) for text in ("layer", *headings)]]
    table += [[Item(one.name, one.place), *(Item(one.cells.get(h, ""), one.place) for h in headings)] for one in rows]
    answers = read_table(table, file)
    left_out = len(found) - len(rows)
    note = say("read as sentences; sentences that are not judged: {count}", count=left_out)
    return Answers(
        tuple([answer for answer in answers.answers if answer.text]),
        (*answers.notes, note) if left_out else answers.notes,
    )


def _said(sentence: re.Match[str], text: str, file: str) -> _Said | None:
    """What a sentence says of its layer; None where that is not clear."""
    words = sentence[0]
    subject = _SUBJECT.match(words)
    if subject is None or _PART.search(words):
        return None
    name = "total" if subject["whole"] else " ".join(subject["name"].split())
    if not (subject["whole"] or read_label(name).is_of_layers):
        return None
    cells = dict(_cells(words[subject.end("name") :]))
    place = Place(file, text.count("\n", 0, sentence.start()) + 1, 1)
    return _Said(name, place, cells) if cells else None


def _cells(words: str) -> Iterator[tuple[str, str]]:
    """What is said, by headings; of what is said twice nothing."""
    shapes = [found["shape"] for found in _SHAPE.finditer(words)]
    counts = [(found["what"].lower(), found["count"]) for found in _COUNT.finditer(words)]
    said = [
        *(("output", shape) for shape in shapes),
        *(("params" if what == "parameters" else what, n) for what, n in counts),
    ]
    headings = [heading for heading, _ in said]
    return ((heading, cell) for heading, cell in said if headings.count(heading) == 1)
