"""What the name of a row says of its layer: words for a kind, a number, sizes, the row of sums."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from archcalc.ops import called
from archcalc.teach.check.vocabulary import words

#: Names of the row of sums.
_TOTALS = words("total")
#: Words for a layer as such, which say nothing of its kind.
_LAYER = words("layer")
#: Written without a space after the kind: 卷积层.
_SUFFIX = re.compile(r"(?<=\w)(?:层|層|レイヤー|レイヤ)")
_ORDINALS = {word: number for number in range(1, 9) for word in words(f"ordinal {number}")}
_LAST = words("last")
#: Rows for what a network gives: the last dense layer, or the softmax after it.
_OUTPUT = words("output")
#: Rows for hidden layers of neurons.
_HIDDEN = words("hidden")
_TOKEN = re.compile(r"\d+(?:st|nd|rd|th|er|ère|e)\b|[^\W\d_]+|\d+|[+&→/]")
#: CONV3-64, conv3-64s2 and FC-4096 of course notes; 3x3 conv, 64; conv 3x3, 64.
_SIZED = re.compile(
    r"conv(?:olution)?\s*(?P<k1>\d+)\s*[-–]\s*(?P<f1>\d+)(?:\s*[sdgp]\d+)*"
    r"|(?P<k2>\d+)\s*[x×]\s*(?P=k2)\s*conv(?:olution)?\s*[,-]?\s*(?P<f2>\d+)?"
    r"|conv(?:olution)?\s*(?P<k3>\d+)\s*[x×]\s*(?P=k3)\s*(?:[,-]\s*(?P<f3>\d+))?"
    r"|(?:fc|dense|linear|fully connected)\s*[-–]\s*(?P<u1>\d{2,})"
    r"|(?:fc|dense|linear)\s*(?P<u2>\d{3,})"
)
_LONGEST = 200


class Label(NamedTuple):
    """The name of a row, read: the kinds of ops that it may mean (none where it does not say), and its numbers."""

    text: str
    key: str
    kinds: tuple[str, ...] = ()
    #: conv2_1 has 2 and 1.
    numbers: tuple[int, ...] = ()
    is_last: bool = False
    kernel: int = 0
    filters: int = 0
    is_total: bool = False
    #: The number is the size of a window.
    is_window: bool = False

    @property
    def number(self) -> int | None:
        """The only number."""
        return self.numbers[0] if len(self.numbers) == 1 else None


@lru_cache(maxsize=8192)
def read_label(text: str) -> Label:
    """Read the name of a row.

    >>> read_label("max_pooling2d_6").kinds, read_label("max_pooling2d_6").number
    (('max_pool2d',), 6)
    """
    plain = plain_label(text)
    key = squeezed(text)
    if plain in _TOTALS or re.fullmatch(r"total\W.*", plain):
        return Label(text, key, is_total=True)
    if sized := _SIZED.fullmatch(plain):
        found = {name[0]: int(value) for name, value in sized.groupdict().items() if value}
        kinds = _kinds("fc" if "u" in found else "conv")
        return Label(text, key, kinds, (), False, found.get("k", 0), found.get("f", found.get("u", 0)))
    head = re.split(r"(?<=\w)\s*[:(,;]", plain[:_LONGEST], maxsplit=1)[0]
    tokens = [_SUFFIX.sub("", token) for token in _TOKEN.findall(_spaced(head))]
    kinds, at = _first_kind(tokens)
    numbers = [_ORDINALS[token] for token in tokens[:at] if token in _ORDINALS]
    if not numbers:
        numbers = [int(token) for token in _run_of_digits(tokens[at:])]
    if not numbers and (match := re.match(r"(\d{1,3})\b", tokens[0] if tokens else "")):
        numbers = [int(match[1])]
    return Label(text, key, kinds, tuple(numbers[:3]), any(token in _LAST for token in tokens))


def _spaced(plain: str) -> str:
    """Letters of different scripts apart, and `2d` as a part of its word."""
    plain = re.sub(r"第([一二三四五六七八九])个?", lambda match: f" {'一二三四五六七八九'.index(match[1]) + 1} ", plain)
    return re.sub(r"(?<=[^\W\d_])[123]d(?![^\W\d_])", "", plain).replace("_", " ")


def _first_kind(tokens: list[str]) -> tuple[tuple[str, ...], int]:
    """The kinds that the first known word or words mean, and the index of the token after them."""
    named = [(index, token) for index, token in enumerate(tokens) if token not in _LAYER]
    for start in range(len(named)):
        for count in (4, 3, 2, 1):
            run = named[start : start + count]
            if len(run) < count or any(not token[0].isalpha() for _, token in run):
                continue
            name = " ".join(token for _, token in run)
            if found := _kinds(name):
                return found, run[-1][0] + 1
    names = {token for _, token in named}
    if names & _OUTPUT:
        return ("linear", "softmax", "rbf"), len(tokens)
    if names & _HIDDEN:
        return _kinds("fc"), next(index for index, token in named if token in _HIDDEN) + 1
    return (), 0


@lru_cache(maxsize=4096)
def _kinds(name: str) -> tuple[str, ...]:
    return tuple([op.kind for op in called(name)])


def _run_of_digits(tokens: list[str]) -> list[str]:
    """The numbers right after the word: 2 and 1 of conv2_1; nothing of what follows another word."""
    found: list[str] = []
    for token in tokens:
        if token.isdigit() and len(token) <= 3:
            found.append(token)
        elif token not in _LAYER:
            break
    return found


_BETWEEN = re.compile(r"[\s_\-./:#()*`]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-./:#()]+(?=\d)")


def squeezed(label: str) -> str:
    """A name without what people write differently: case, spaces, underscores, hyphens. conv1_1 is not conv11."""
    return _BETWEEN.sub("", _BETWEEN_DIGITS.sub("\0", label)).replace("\0", ".").lower()


def plain_label(label: str) -> str:
    """A name in lower case, with single spaces and without marks around it."""
    folded = unicodedata.normalize("NFC", label).lower()
    return re.sub(r"\s+", " ", folded).strip(" .:*#`|_")
