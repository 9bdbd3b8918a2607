"""The quantities of a network: each is described here once, and everything else looks it up.

Columns of tables, options of commands, colours of diagrams, headings read by `check`, fields of JSON and axes of charts
all ask this registry for a quantity's key, title, unit, how it adds up, how it is written and what people call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any, NamedTuple

from archcalc.core import words


class Quantity(NamedTuple):
    """A quantity of a layer, and of a network where it adds up over the layers."""

    #: Its name in JSON, in options and in derivations.
    key: str
    #: The heading of a column, and the name in a sentence.
    title: str
    #: What its number counts: parameters, values, bytes, pixels; empty for shapes.
    unit: str = ""
    #: Where a row holds it, dotted: `operations.additions`. Totals hold a sum under the same name.
    attribute: str = ""
    #: Whether the total of a network is the sum over its layers.
    adds_up: bool = True
    #: How a number is written for people.
    write: Callable[[int], str] = words.count
    #: The keys of the derivations that show how it is calculated; its own key where none are given.
    derivations: tuple[str, ...] = ()
    #: Other names that commands take for it.
    aliases: tuple[str, ...] = ()
    #: What stands next to its number where there is little space: params, mult.; its unit where none is given.
    short: str = ""
    #: What people write over a column of it, in lower case.
    headings: tuple[str, ...] = ()

    def of(self, row: Any) -> Any:
        """Its value in a row, or its sum in totals."""
        return reduce(getattr, self.attribute.split("."), row)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


_ALL = (
    Quantity(
        "output_shape", "output", attribute="output_shape", adds_up=False,
        derivations=("height", "width", "depth", "size"), aliases=("output",),
        headings=_names(
            "output|outputs|out|output shape|output size|output volume|output dimensions|output dims|out shape|"
            "out size|shape|size|volume|dimensions|dims|feature map|feature maps|map|map size|activation shape|"
            "activation size|выход|размер|размер выхода|форма|форма выхода"
        ),
    ),
    Quantity(
        "params", "parameters", "parameters", "params", aliases=("parameters",), short="params",
        headings=_names(
            "params|param|parameters|number of parameters|num params|parameter count|params count|trainable params|"
            "total params|weights|number of weights|weights biases|parameters weights biases|params weights biases|"
            "параметры|число параметров|количество параметров|веса"
        ),
    ),
    Quantity("trainable_params", "trainable parameters", "parameters", "trainable_params", aliases=("trainable",)),
    Quantity("buffers", "buffers", "values", "buffers"),
    Quantity(
        "multiplications", "multiplications", "multiplications", "multiplications", aliases=("macs",), short="mult.",
        headings=_names(
            "multiplications|multiplication|mults|muls|mult|macs|mac|mult adds|mult add|multiply adds|multiply add|"
            "multiply accumulates|madds|madd|ops|operations|flops|flop|number of multiplications|умножения|"
            "число умножений|операции"
        ),
    ),
    Quantity("additions", "additions", "additions", "operations.additions"),
    Quantity(
        "all_multiplications", "all multiplications", "multiplications", "operations.multiplications",
        derivations=("multiplications", "other_multiplications"),
    ),
    Quantity("comparisons", "comparisons", "comparisons", "operations.comparisons"),
    Quantity("divisions", "divisions", "divisions", "operations.divisions"),
    Quantity("exponentials", "exponentials", "exponentials", "operations.exponentials"),
    Quantity(
        "activations", "values stored", "values", "activations",
        headings=_names(
            "activations|activation|values|stored values|values stored|number of activations|neurons|"
            "activation count|активации|значения|нейроны"
        ),
    ),
    Quantity(
        "activation_bytes", "stored", "bytes", "activation_bytes", write=words.size, aliases=("memory", "stored"),
        headings=_names(
            "memory|mem|stored|bytes|activation memory|memory bytes|activation bytes|activations bytes|memory usage|"
            "bytes stored|память"
        ),
    ),
    Quantity(
        "receptive_field", "receptive field", "pixels", "receptive_field", adds_up=False,
        derivations=("receptive_field_height", "receptive_field_width"),
        headings=_names(
            "receptive field|receptive fields|rf|receptive field size|rf size|field|рецептивное поле"
        ),
    ),
)  # fmt: skip

QUANTITIES: Mapping[str, Quantity] = {quantity.key: quantity for quantity in _ALL}
_BY_NAME = {name: quantity for quantity in _ALL for name in (quantity.key, *quantity.aliases)}


def quantity(name: str) -> Quantity:
    """The quantity of a key or of another name that commands take. Raises `KeyError`."""
    return _BY_NAME[name]


def adding_up() -> Iterator[Quantity]:
    """The quantities whose total is the sum over the layers."""
    return (one for one in _ALL if one.adds_up)
