"""Shapes in several columns: the sides of an output, its depth, and which axis a heading means next to others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from archcalc.teach.check.answers.heads import (
    DEPTH,
    FRAMES,
    HEIGHT,
    LAYER,
    LENGTH,
    PLANE,
    TIME,
    TOKENS,
    WIDTH,
    Head,
)
from archcalc.teach.check.vocabulary import words

_NUMBER = re.compile(r"[-−+]?[\d\s.,'’\u00a0\u2009\u202f]*\d(?:[eE][-+]?\d+)?")
#: The letter of a length in time, which next to channels is that of a signal.
_TIMES = ("t", "t2", "t out", "tout")
_LEAST_LENGTH = 16
#: The sides of an image, and all that are named by themselves.
_OF_IMAGES = {HEIGHT, WIDTH, PLANE}

Heads = list[Head | None]
#: The cells of a column that are answered.
Texts = Callable[[int], Sequence[str]]


def is_number(text: str) -> bool:
    """Whether a text is a single number, however its digits are grouped."""
    return _NUMBER.fullmatch(text) is not None


def are_numbers(texts: Sequence[str]) -> bool:
    return all(map(is_number, texts))


def with_sides(heads: Heads, texts: Texts) -> Heads:
    """The columns, those of sides as they are meant next to each other.

    Of volumes a depth next to channels is an axis, and so are frames; a length next to a width is the height; numbers
    of positions, of tokens and of times are sides of a signal only next to channels.
    """
    found = _volumes_apart(_depth_apart(_with_maps(list(heads), texts)), texts)
    keys = {head.key for head in found if head is not None}
    is_image, has_shape = bool(keys & _OF_IMAGES), "output_shape" in keys
    for at, head in enumerate(found):
        if head is None or head.key not in (LENGTH, TIME, TOKENS, FRAMES):
            continue
        others = {one.key for one in found[:at] + found[at + 1 :] if one is not None}
        key = ""
        if has_shape or not are_numbers(texts(at)):
            pass
        elif head.key == LENGTH and WIDTH in keys and HEIGHT not in keys:
            key = HEIGHT
        elif is_image and head.key != TOKENS:
            key = FRAMES
        elif not is_image and _is_length(head, keys, texts(at)):
            key = LENGTH
        found[at] = head._replace(key=key) if key and key not in others else None
    return found


def _is_length(head: Head, keys: set[str], texts: Sequence[str]) -> bool:
    """Whether a column is the length of a signal: a T next to channels, positions with nothing else to check."""
    if head.key == LENGTH:
        return True
    if DEPTH in keys:
        are_lengths = max((int(text) for text in texts if text.isdecimal()), default=0) > _LEAST_LENGTH
        return head.key != FRAMES or (head.text in _TIMES and are_lengths)  # t may be a factor, as in MobileNetV2
    return head.key == TOKENS and keys == {LAYER, TOKENS}


def _with_maps(heads: Heads, texts: Texts) -> Heads:
    """Next to sides in columns of their own, feature maps in numbers are how many there are."""
    keys = {head.key for head in heads if head is not None}
    shapes = [at for at, head in enumerate(heads) if head is not None and head.key == "output_shape"]
    if len(shapes) != 1 or DEPTH in keys or not keys & {HEIGHT, WIDTH, LENGTH}:
        return heads
    head = heads[shapes[0]]
    if head is None or "map" not in head.text or not are_numbers(texts(shapes[0])):
        return heads
    return [head._replace(key=DEPTH) if at == shapes[0] else one for at, one in enumerate(heads)]


def _depth_apart(heads: Heads) -> Heads:
    """Of a depth and channels next to the sides of an image the depth is the first axis of a volume."""
    depths = [at for at, head in enumerate(heads) if head is not None and head.key == DEPTH]
    called = [at for at in depths if (heads[at] or Head("")).text in words("heading depth of volume")]
    is_image = any(head is not None and head.key in _OF_IMAGES for head in heads)
    if len(depths) != 2 or len(called) != 1 or not is_image:
        return heads
    return [head._replace(key=FRAMES) if head is not None and at in called else head for at, head in enumerate(heads)]


def _volumes_apart(heads: Heads, texts: Texts) -> Heads:
    """Of an output HxWxD next to channels, other numbers than its third: its sides are those of a volume."""
    shapes = [at for at, head in enumerate(heads) if head is not None and head.key == "output_shape"]
    depths = [at for at, head in enumerate(heads) if head is not None and head.key == DEPTH]
    if len(shapes) != 1 or len(depths) != 1:
        return heads
    head = heads[shapes[0]]
    if head is None or sorted(head.axes) != ["d", "h", "w"]:
        return heads
    sides = [re.findall(r"\d+", text) for text in texts(shapes[0])]
    third = {one[head.axes.index("d")] for one in sides if len(one) == 3}
    if third <= {number for text in texts(depths[0]) for number in re.findall(r"\d+", text)}:
        return heads
    return [head._replace(key=PLANE) if at == shapes[0] else one for at, one in enumerate(heads)]


def axes_of(head: Head, sides: Sequence[str]) -> str:
    """The order of axes of a shape that stands in columns of these sides; empty where a side stands for others."""
    named = "d" * (FRAMES in sides) + "l" * (LENGTH in sides)
    if PLANE in sides and head.key == PLANE and head.axes:
        return head.axes + "c" * (DEPTH in sides)
    if not (named or DEPTH in sides or {HEIGHT, WIDTH} <= set(sides)):
        return ""
    return named + "hw" * bool(_OF_IMAGES & set(sides)) + "c" * (DEPTH in sides)


def joined(texts: Mapping[str, str]) -> str:
    """The sides as one shape; a single side of a plane is that of a square: 27 and 256 are 27x27x256."""
    height = texts.get(HEIGHT) or texts.get(PLANE) or texts.get(WIDTH, "")
    width = texts.get(WIDTH) or texts.get(HEIGHT, "")
    if texts.get(PLANE):
        width = height if is_number(height) else ""
        if len(sides := re.findall(r"\d+", height)) == 3:
            height = "x".join(sides)
    is_square = DEPTH in texts or FRAMES in texts or (HEIGHT in texts and WIDTH in texts)
    parts = [texts.get(LENGTH, ""), texts.get(FRAMES, ""), height, width if is_square else "", texts.get(DEPTH, "")]
    return "x".join(part for part in parts if part)
