"""What a heading is about by all of its words: Size of the feature map, N.º de parámetros, 乘加次数."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from archcalc.teach.check.vocabulary import words

#: The parts that headings are put together of, whatever their language.
_QUANTITIES = (
    "param", "weight", "bias", "mult", "op", "operation", "activation", "value", "neuron", "memory", "receptive",
    "field", "output", "map", "size", "output size", "tensor", "volume",
)  # fmt: skip
_OTHERS = ("count", "idle", "layer", "name", "total", "trained", "add", "stored", "feature")
_SHAPES = {"output", "map", "size", "tensor", "volume"}
#: Chinese and Japanese, which have no spaces.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
_HEBREW_PREFIX = re.compile(r"^[והלבש](?=[א-ת]{3})")
_LONGEST = 12  # words


def key_of_parts(plain: str) -> str:
    """The key of what a heading without punctuation is about; nothing where one of its words is not known."""
    found = plain.split()
    if not 0 < len(found) <= _LONGEST:
        return ""
    parts: list[frozenset[str]] = []
    for word in map(_folded, found):
        pieces = [word]
        if _UNSPACED.search(word):
            pieces = _pieces().findall(word)
            if "".join(pieces) != word:
                return ""
        parts += [_meanings(piece) for piece in pieces]
    return _key(set[str]().union(*parts)) if all(parts) else ""


def _key(parts: set[str]) -> str:
    if "output size" in parts:
        parts = parts - {"output size"} | {"output", "size"}
    about = {one for one in parts if one in _QUANTITIES}
    is_count = bool({"count", "total"} & parts)
    if not about:
        is_name = "layer" in parts and "name" in parts and parts <= {"layer", "name", "idle", "count"}
        return "layer" if is_name or parts in ({"layer"}, {"name"}) else ""
    if about <= {"mult", "op", "operation"}:
        is_one = about == {"operation"} and not is_count
        return "" if is_one or "trained" in parts else "multiplications"
    if "add" in parts:
        return ""
    if about <= {"param", "weight", "bias"}:
        return "params" if "param" in about or len(about) > 1 else "weights" if "weight" in about else "biases"
    if "memory" in about:
        return "activation_bytes" if about <= {"memory", "activation"} | _SHAPES else ""
    if about & {"receptive", "field"}:
        has_both = about >= {"receptive", "field"} or (about & {"field"} and about <= {"field", "size"})
        return "receptive_field" if has_both and about <= {"receptive", "field", "size"} else ""
    if "trained" in parts:
        return ""
    if about & {"value", "neuron", "activation"}:
        if about & {"value", "neuron"}:
            is_said = about != {"value"} or parts & {"count", "stored"}
            return "activations" if is_said and about <= {"value", "neuron", "activation", "output"} else ""
        if about == {"activation"}:
            return "activations"
        return "output_shape" if about & (_SHAPES - {"output"}) and about <= {"activation"} | _SHAPES else ""
    if not about <= _SHAPES or (about == {"output"} and "layer" in parts):
        return ""
    if is_count and not about & {"size", "tensor"}:
        return "depth" if about <= {"map", "output"} and "map" in about else ""
    return "output_shape"


@cache
def _vocabulary() -> tuple[dict[str, frozenset[str]], tuple[tuple[str, str], ...]]:
    """The meanings of whole words, and of words that begin so."""
    whole: dict[str, set[str]] = {}
    starts: list[tuple[str, str]] = []
    for part in (*_QUANTITIES, *_OTHERS):
        for word in words(f"part {part}"):
            if word.endswith("*"):
                starts.append((_folded(word[:-1]), part))
            else:
                whole.setdefault(_folded(word), set()).add(part)
    return {word: frozenset(meanings) for word, meanings in whole.items()}, tuple(starts)


def _meanings(word: str) -> frozenset[str]:
    whole, starts = _vocabulary()
    for one in dict.fromkeys((word, _HEBREW_PREFIX.sub("", word), re.sub(r"(?<=[ա-և]{2})[ըն]$", "", word))):
        if one in whole:
            return whole[one]
        if by_start := frozenset(part for start, part in starts if one.startswith(start)):
            return by_start
    return frozenset()


@cache
def _pieces() -> re.Pattern[str]:
    known = sorted((one for one in _vocabulary()[0] if _UNSPACED.search(one)), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, known)) + r"|[a-z]+")


def _folded(word: str) -> str:
    """A word without accents: saída as saida."""
    return "".join(one for one in unicodedata.normalize("NFKD", word) if not unicodedata.combining(one))
