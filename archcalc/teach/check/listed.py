"""Rows that list several layers: conv3, conv4 · conv3 and 4 · conv3-5 · conv3–conv5."""

from __future__ import annotations

import re
from typing import NamedTuple

from archcalc.teach.check.labels import DEPTH_AND_INDEX, WEIGHTED, read_label
from archcalc.teach.check.numbering import families
from archcalc.teach.check.vocabulary import words

_REMARK = re.compile(r"\s*\([^()]*\)\s*$")
_AND = re.compile(
    rf"\s*[,;+&/]\s*(?:(?:{'|'.join(words('and'))})\s+)?|\s+(?:{'|'.join(words('and'))})\s+", re.IGNORECASE
)
_TO = re.compile(rf"\s*(?:[-–—−~～…]|\.{{2,3}})\s*|\s+(?:{'|'.join(words('to'))})\s+", re.IGNORECASE)
#: A name that ends with a number: conv3, conv1_2, Conv 3.
_NUMBERED = re.compile(r"(?P<stem>.*[^\W\d].*?)(?P<number>\d{1,3})")
_MOST_LISTED, _LONGEST = 64, 200


class Listed(NamedTuple):
    """The names that a row lists; of a range the first and the last."""

    names: tuple[str, ...]
    is_range: bool = False
    #: Each is written in full: conv3, conv4.
    is_spelt: bool = True

    def is_of_one_kind(self) -> bool:
        """Whether all are called by the same word."""
        return len({read_label(name).kinds for name in self.names}) == 1

    def numbers(self) -> tuple[int, ...]:
        """The numbers of layers of one kind, rising; else none."""
        numbers = [read_label(name).number or 0 for name in self.names]
        if not self.is_of_one_kind() or numbers != sorted(set(numbers)) or not numbers[0]:
            return ()
        return tuple(range(numbers[0], numbers[-1] + 1) if self.is_range else numbers)

    def length(self) -> int:
        """How many layers it lists, as far as the numbers of a range say so."""
        if not self.is_range:
            return len(self.names)
        first, last = (read_label(name).numbers for name in self.names)
        is_rising = len(first) == len(last) and first[:-1] == last[:-1] and first < last
        return last[-1] - first[-1] + 1 if is_rising else 0

    def is_of_layers(self) -> bool:
        """Whether all it lists are numbered layers with weights: not conv1 + pool1."""
        return all(map(_is_of_weights, self.names))


def _is_of_weights(name: str) -> bool:
    label = read_label(name)
    is_pointwise = re.fullmatch(r"(?:pw|pointwise)\W*\d+", name, re.IGNORECASE) is not None
    return is_pointwise or (bool(label.numbers and label.kinds) and families(label.kinds) <= WEIGHTED)


def listed(label: str) -> Listed | None:
    """What the name of a row lists, if it is a list.

    >>> listed("conv3, conv4 and 5").names, listed("conv3-5").names, listed("conv3_1")
    (('conv3', 'conv4', 'conv5'), ('conv3', 'conv5'), None)
    """
    if len(label) > _LONGEST or DEPTH_AND_INDEX.search(label):
        return None
    plain = _REMARK.sub("", label.strip(" *`"))
    for mark, is_range in ((_TO, True), (_AND, False)):
        parts = [part.strip(" *`") for part in mark.split(plain)]
        if 2 <= len(parts) <= (2 if is_range else _MOST_LISTED) and all(parts):
            return Listed(_in_full(parts), is_range, not any(part.isdecimal() for part in parts))
    return None


def _in_full(parts: list[str]) -> tuple[str, ...]:
    """The names of a list of which only the first may be in full: conv3, 4, 5."""
    found: list[str] = []
    stem = ""
    for part in parts:
        found.append(stem + part if part.isdecimal() else part)
        match = _NUMBERED.fullmatch(part)
        stem = match["stem"] if match else stem
    return tuple(found)
