"""What the columns of a table are about, by the many names that people give them."""

from __future__ import annotations

import re
from typing import NamedTuple

from archcalc.teach.check.model import QUANTITIES

LAYER = "layer"
#: Sides of the output in columns of their own; together they are an `output_shape`.
SIDES = ("height", "width", "depth")

_NAMES: dict[str, str] = {
    LAYER: "layer|layers|layer name|layer type|name|module|слой|слои|название",
    "output_shape": "output|outputs|out|output shape|output size|output volume|output dimensions|output dims|out shape|"
    "out size|shape|size|volume|dimensions|dims|feature map|feature maps|map|map size|activation shape|"
    "activation size|выход|размер|размер выхода|форма|форма выхода",
    "params": "params|param|parameters|number of parameters|num params|parameter count|params count|trainable params|"
    "total params|weights|number of weights|weights biases|parameters weights biases|params weights biases|"
    "параметры|число параметров|количество параметров|веса",
    "multiplications": "multiplications|multiplication|mults|muls|mult|macs|mac|mult adds|mult add|multiply adds|"
    "multiply add|multiply accumulates|madds|madd|ops|operations|flops|flop|number of multiplications|умножения|"
    "число умножений|операции",
    "activations": "activations|activation|values|stored values|values stored|number of activations|neurons|"
    "activation count|активации|значения|нейроны",
    "memory": "memory|mem|stored|bytes|activation memory|memory bytes|activation bytes|activations bytes|"
    "memory usage|bytes stored|память",
    "receptive_field": "receptive field|receptive fields|rf|receptive field size|rf size|field|рецептивное поле",
    "height": "height|output height|h|h2|h out|высота",
    "width": "width|output width|w|w2|w out|ширина",
    "depth": "depth|output depth|channels|output channels|out channels|d|d2|c|c out|глубина|каналы",
}
_KEYS = {name: key for key, names in _NAMES.items() for name in names.split("|")} | {
    key.replace("_", " "): key for key in QUANTITIES
}
_UNITS = {
    "bytes": "bytes", "b": "bytes", "byte": "bytes", "k": "K", "m": "M", "g": "G", "thousand": "thousand",
    "thousands": "thousand", "million": "million", "millions": "million", "billion": "billion", "billions": "billion",
    "тыс": "тыс", "млн": "млн", "mmacs": "M", "gmacs": "G", "kmacs": "K", "mflops": "M", "gflops": "G",
} | {f"{letter}{i}b": f"{letter.upper()}{i}B" for letter in "kmg" for i in ("", "i")} | {
    "кб": "KB", "мб": "MB", "гб": "GB"
}  # fmt: skip
_BRACKETED = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")


class Head(NamedTuple):
    """What a column is about, and the unit that stands in its heading: memory (MiB)."""

    key: str
    unit: str = ""


def find_head(text: str) -> Head | None:
    """What a heading means; None of what nothing is checked of."""
    if len(text) > 100:
        return None
    lowered = text.lower().replace("#", " ")
    units = [part.strip() for part in _BRACKETED.findall(lowered)]
    units += [part.strip() for part in re.split(r"\s+in\s+|,|/(?=\s*\w+\s*$)", lowered)[1:]]
    plain = _words(_BRACKETED.sub(" ", lowered))
    unit = next((_UNITS[part] for part in units if part in _UNITS), "")
    key = _KEYS.get(plain) or _KEYS.get(_words(lowered)) or _KEYS.get(_words(re.split(r"\s+in\s+|,", lowered)[0]))
    if key == "memory" and any(part in ("values", "numbers", "floats") for part in units):
        key = "activations"
    if key is None:  # params K, memory MB: a unit behind the name
        before, _, last = plain.rpartition(" ")
        if last in _UNITS and before in _KEYS:
            key, unit = _KEYS[before], _UNITS[last]
    if key in ("params", "multiplications", "activations") and "B" in unit:
        unit = ""  # bytes of parameters: not what is counted
    return Head(key, unit) if key else None


def _words(text: str) -> str:
    plain = re.sub(r"[^\w]+|_", " ", text).strip()
    return plain.removeprefix("number of ") if plain not in _KEYS else plain


def known_heads() -> str:
    """The headings for an error message."""
    return "layer, output shape, params, multiplications, activations, memory, receptive field"
