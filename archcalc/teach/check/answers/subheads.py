"""Headings in two rows: Output over H, W, C; Parameters over weights and biases; units below. They become one row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from archcalc.teach.check.answers.heads import DEPTH, HEIGHT, INPUT, LAYER, SIDES, WIDTH, find_head
from archcalc.teach.check.labels import plain_label
from archcalc.teach.check.vocabulary import words

_UNIT = re.compile(r"[(\[]\s*([^()\[\]]*?)\s*[)\]]")
_NOTHING = re.compile(r"[-–—\s]*|[(\[][-–—\s]*[)\]]")
_IMAGE = {HEIGHT, WIDTH}


def one_heading(above: Sequence[str], below: Sequence[str]) -> list[str] | None:
    """The headings of both rows together; None where the second is a row of the table.

    >>> one_heading(["layer", "output", "", "params"], ["", "side", "depth", ""])
    ['layer', 'output side', 'output depth', 'params']
    """
    if not above or len(below) > len(above) or any(re.search(r"\d", text) for text in below):
        return None
    below = [*below, *[""] * (len(above) - len(below))]
    own = ["" if text == over or _NOTHING.fullmatch(text) else text for over, text in zip(above, below, strict=True)]
    name = find_head(own[0]) if own[0] else None
    if (own[0] and (above[0] or name is None or name.key != LAYER)) or not any(own):
        return None
    over = _spread(above, own)
    if any(plain_label(text) in words("same") for text in own) or not any(map(_is_known, over, own)):
        return None
    siblings: dict[str, set[str]] = {}
    for parent, text in zip(over, own, strict=True):
        head = find_head(text) if text else None
        siblings.setdefault(parent, set()).add(head.key if head is not None else "")
    return [_together(parent, text, siblings[parent]) for parent, text in zip(over, own, strict=True)]


def _spread(above: Sequence[str], own: Sequence[str]) -> list[str]:
    """The headings of the first row, each also over the columns to its right that have a heading below alone."""
    found: list[str] = []
    for at, text in enumerate(above):
        is_below = not text and own[at] and at and found[at - 1] and own[at - 1]
        found.append(found[at - 1] if is_below else text)
    return found


def _is_known(parent: str, text: str) -> bool:
    """Whether what stands below a heading is one, or a unit."""
    return bool(text) and (find_head(text) is not None or (_UNIT.fullmatch(text) is not None and bool(parent)))


def _together(parent: str, text: str, siblings: set[str]) -> str:
    """A heading and what stands below it as one."""
    if not text or not parent:
        return text or parent
    if unit := _UNIT.fullmatch(text):
        return f"{parent} ({unit[1]})"
    head, own = find_head(parent), find_head(text)
    if head is not None and head.key == INPUT:
        return f"{parent} {text}"
    if head is not None and head.key == "output_shape":
        is_plane = own is not None and own.key == "output_shape" and DEPTH in siblings and not siblings & _IMAGE
        is_side = own is not None and own.key in SIDES
        return "side" if is_plane else f"output {text}" if is_side and _is_side(f"output {text}") else text
    if own is not None:
        return text
    return f"{parent} {text}"


def _is_side(text: str) -> bool:
    head = find_head(text)
    return head is not None and head.key in SIDES
