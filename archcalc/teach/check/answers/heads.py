"""What the columns of a table are about, by the many names that people give them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from archcalc.core.quantities import QUANTITIES
from archcalc.teach.check.answers.parts import key_of_parts
from archcalc.teach.check.answers.twice import counts_two, is_product
from archcalc.teach.check.answers.units import unit_alone, unit_beside, with_powers
from archcalc.teach.check.vocabulary import words
from archcalc.teach.reading.shapes import axes_named

LAYER = "layer"
#: Sides of the output in columns of their own; together they are an `output_shape`.
HEIGHT, WIDTH, DEPTH, PLANE = "height", "width", "depth", "plane"
LENGTH, FRAMES = "length", "frames"
#: What a layer reads.
INPUT = "input"
SIDES = (LENGTH, FRAMES, HEIGHT, WIDTH, PLANE, DEPTH)
#: What may be one of these next to other columns.
TIME, TOKENS = "time", "tokens"

#: What stands before the name of what is counted: number of, No. of, nombre de.
_COUNT_OF = re.compile(
    r"^(?:the )?(?:total )?(?:number|numbers|num|no|nr|nb|n|count|amount|qty|quantity|количество|число|кол во|кол|"
    r"nombre|quantité|anzahl|zahl|número|numero|cantidad|quantidade|מספר|כמות|քանակ|թիվ) "
    r"(?:(?:of|de|des|du|der|den|von|del|dos|das|d) )?"
)
#: Before the name of a side: Output H, out_c.
_OF_OUTPUT = re.compile(r"^(?:output|out|o|sortie|ausgabe|ausgang|salida|saída|выход|выходная|выходной|פלט|ելք) ")
#: Articles and possessives that change nothing.
_IDLE = re.compile(
    r"\b(?:סה כ|the|my|your|per layer|of the layer|of layer|der|die|des|du|les|la|los|las|el|the layer's)\b"
)
#: Units of memory; those of numbers are in `units`.
_UNITS = {
    "bytes": "bytes", "b": "bytes", "byte": "bytes", "байт": "bytes", "байты": "bytes", "octets": "bytes",
    "кб": "KB", "мб": "MB", "гб": "GB", "ko": "KB", "mo": "MB", "go": "GB",
} | {f"{letter}{i}b": f"{letter.upper()}{i}B" for letter in "kmg" for i in ("", "i")}  # fmt: skip
_BRACKETED = re.compile(r"[(\[{（【]([^()\[\]{}（）【】]*)[)\]}）】]")
#: W×H×D, (N, C, H, W), height x width x depth.
_AXES = re.compile(r"[a-z]+(?:\s*[x×*,·/]\s*[a-z]+){1,4}")
_TOGETHER = re.compile(r"\b[hwcdknblt](?:x[hwcdknblt])+\b")
_AXIS = {
    "h": "h", "height": "h", "rows": "h", "w": "w", "width": "w", "columns": "w", "c": "c", "d": "c", "k": "c",
    "depth": "c", "channels": "c", "channel": "c", "maps": "c", "filters": "c", "n": "n", "b": "n", "batch": "n",
    "l": "l", "length": "l", "t": "l", "time": "l", "frames": "l", "positions": "l", "tokens": "l",
}  # fmt: skip

_DEPTHS = ("d", "depth")

#: The letters of formulas after a name: Resolution Ĥi × Ŵi.
_LETTERS = re.compile(r"(?:\s+(?:[×x]\s+)?(?:[^\W\d_][\u0302ˆ^]?_?)?i)+$")


#: The article at the end of Armenian words.
_ARTICLE = re.compile(r"(?<=[ա-և]{3})[ըն](?![ա-և])")


def _plain(text: str) -> str:
    return _ARTICLE.sub("", re.sub(r"[^\w]+|_", " ", text).strip())


_KEYS = {
    _plain(unicodedata.normalize("NFKC", name)): key
    for key in (LAYER, INPUT, *SIDES, TIME, TOKENS)
    for name in words(f"heading {key}")
} | {
    _plain(unicodedata.normalize("NFKC", name)): key
    for key, quantity in QUANTITIES.items()
    for name in (*quantity.headings, *((key,) if quantity.headings else ()))
}


class Head(NamedTuple):
    """What a column is about, the unit that stands in its heading, and the order of the axes that it gives."""

    key: str
    unit: str = ""
    #: `whc` of W×H×D; empty where the heading gives none.
    axes: str = ""
    #: The heading in lower case.
    text: str = ""


@lru_cache(maxsize=4096)
def find_head(text: str) -> Head | None:
    """What a heading means; None of what nothing is checked of."""
    if len(text) > 100 or "%" in text:  # a share is no number
        return None
    lowered = unicodedata.normalize("NFKC", with_powers(text)).lower()
    lowered = re.sub(r"#(?:\s*of\b)?", " ", lowered).replace("№", " no ").strip(" *`")
    lowered = _LETTERS.sub("", lowered)
    inner = [part.strip() for part in _BRACKETED.findall(lowered)]
    units = inner + [part.strip() for part in re.split(r"\s+in\s+|,|/(?=\s*\w+\s*$)", lowered)[1:]]
    outside = _BRACKETED.sub(" ", lowered)
    unit: str = next((_UNITS[part] for part in units if part in _UNITS), "")
    unit = unit or next(filter(None, map(unit_alone, units)), "")
    tries = (outside, lowered, re.split(r"\s+in\s+|,", lowered)[0])
    key = next((found for found in map(_key, tries) if found), None)
    if (key is None or not unit) and (beside := unit_beside(outside)) and (found := _key(beside.name)):
        key, unit = found, beside.unit
    axes = next(filter(None, map(_axes, (*inner, lowered))), "")
    if key is None and (is_product(outside) or (counts_two(lowered) and _key(re.split(r"[=\d]", lowered)[0]))):
        key = "multiplications"
    if key == "activation_bytes" and any(part in ("values", "numbers", "floats") for part in units):
        key = "activations"
    if key is None:  # params K, memory MB: a unit after the name
        before, _, last = _plain(outside).rpartition(" ")
        if (own := _UNITS.get(last) or unit_alone(last)) and (found := _key(before)):
            key, unit = found, own
    if key is None and len(axes) in (3, 4):
        key = "output_shape"
    if key is not None and "B" in unit and key != "activation_bytes":
        unit = ""  # bytes of parameters: not what is counted
    return Head(key, unit, axes, lowered) if key else None


def is_of_all(heading: str) -> bool:
    """Whether it is what reports call all multiplications, also those of layers without windows."""
    return heading.replace("_", " ").lower().strip(" *`") in words("heading all multiplications")


def _key(text: str) -> str | None:
    plain = _plain(text)
    for name in (plain, _COUNT_OF.sub("", plain), _plain(_IDLE.sub(" ", plain))):
        if name in _KEYS:
            return _KEYS[name]
    of_output = _KEYS.get(_OF_OUTPUT.sub("", plain))
    if of_output in (*SIDES, TIME, TOKENS):
        return of_output
    without = _COUNT_OF.sub("", _plain(_IDLE.sub(" ", plain)))
    return _KEYS.get(without) or key_of_parts(re.sub(r"[^\w]+|_", " ", text).strip()) or None


def _axes(text: str) -> str:
    """The order of the axes that a heading names; empty where it names none, or one twice.

    Next to height and width, d is the depth of a volume or of an image.
    """
    match = _AXES.search(_TOGETHER.sub(lambda found: found[0].replace("x", "×"), text))
    if match is None:
        return ""
    names = re.findall(r"(?!x\b)[a-z]+", match[0])
    found = axes_named(names, _AXIS)
    if "h" in found and "w" in found:  # of a volume, or the channels of an image
        found = ["d" if axis == "l" or (name in _DEPTHS and axis) else axis
                 for axis, name in zip(found, names, strict=True)]  # fmt: skip
    axes = "".join(found).removeprefix("n")
    return axes if all(found) and len(set(axes)) == len(axes) >= 2 else ""


#: The headings for an error message.
KNOWN_HEADS = ", ".join((LAYER, *(quantity.headings[0] for quantity in QUANTITIES.values() if quantity.headings)))
