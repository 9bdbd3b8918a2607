"""The quantities of a network: each is described here once, and everything else looks it up.

Columns of tables, options of commands, colours of diagrams, headings read by `check`, fields of JSON and axes of charts
all ask this registry for a quantity's key, title, unit, how it adds up, how it is written and what people call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.language import say
from archcalc.core.shapes import AXIS_NAMES


class Quantity(NamedTuple):
    """A quantity of a layer, and of a network where it adds up over the layers."""

    #: Its name in JSON, in options and in derivations.
    key: str
    #: The heading of a column, and the name in a sentence: in English, as `title` in the chosen language.
    term: str
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
    #: Its name in a chart, where the title needs more words; in English.
    phrase: str = ""
    #: What stands next to its number where there is little space: params, mult.; in English.
    abbreviation: str = ""

    @property
    def title(self) -> str:
        """The heading of a column, and the name in a sentence."""
        return say(self.term)

    @property
    def name(self) -> str:
        """What it is called where it stands alone, as over a chart."""
        return say(self.phrase or self.term)

    @property
    def short(self) -> str:
        """What stands next to its number where there is little space."""
        return say(self.abbreviation)

    def of(self, row: Any) -> Any:
        """Its value in a row, or its sum in totals; None where a layer cannot be counted."""
        for name in self.attribute.split("."):
            if row is None:
                return None
            row = getattr(row, name)
        return row

    def sum_of(self, rows: Iterable[Any]) -> int:
        """The sum over layers, of those that can be counted."""
        return sum(value for row in rows if (value := self.of(row)) is not None)

    @property
    def is_cost(self) -> bool:
        """Whether it counts what a layer calculates, which is not known of every layer."""
        return "multiplications" in self.attribute.split(".") or "operations" in self.attribute.split(".")

    def is_lower_bound(self, holder: Any) -> bool:
        """Whether a row or totals hold less than all, because something in it cannot be counted."""
        return self.is_cost and bool(holder.not_counted)

    def text(self, row: Any) -> str:
        """Its number in a row for people; `≥ 12` in a block of which something is not counted."""
        value = self.of(row)
        if value is None:
            return say(words.NOT_COUNTED)
        return f"{words.AT_LEAST}{self.write_total(value)}" if self.is_lower_bound(row) else self.write(value)

    def total_text(self, totals: Any) -> str:
        """The same of totals, in which a count of none is 0."""
        return (words.AT_LEAST if self.is_lower_bound(totals) else "") + self.write_total(self.of(totals))

    def write_total(self, number: Any) -> str:
        """A total for people; a count of none is 0 there, not a dash."""
        return f"{number:,}" if self.write is words.count else self.write(number)

    @property
    def headings(self) -> tuple[str, ...]:
        """What people write over a column of it, in lower case.

        "Number of", "no. of", "#" and their translations before a name are left out by those who read headings.
        """
        lines = _headings().get(self.key)
        return tuple("|".join(lines).split("|")) if lines else ()


@cache
def _headings() -> Mapping[str, list[str]]:
    """By quantity, lines of names that are separated by bars: English, then other languages."""
    import json

    found: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("headings.json").read_text(encoding="utf-8"))
    return found


_ALL = (
    Quantity(
        "output_shape", "output", attribute="output_shape", adds_up=False,
        derivations=("length", "height", "width", "depth", "channels", "size"), aliases=("output",),
    ),
    Quantity("params", "parameters", "parameters", "params", aliases=("parameters",), abbreviation="params"),
    Quantity("weights", "weights", "weights", "weights", derivations=("params",)),
    Quantity("biases", "biases", "biases", "biases", derivations=("params",)),
    Quantity(
        "trainable_params", "trainable parameters", "parameters", "trainable_params", derivations=("params",),
        aliases=("trainable",),
    ),
    Quantity("buffers", "buffers", "values", "buffers"),
    Quantity(
        "multiplications", "multiplications", "multiplications", "multiplications", aliases=("macs",),
        phrase="multiplications for one image", abbreviation="mult.",
    ),
    Quantity("additions", "additions", "additions", "operations.additions"),
    Quantity(
        "all_multiplications", "all multiplications", "multiplications", "operations.multiplications",
        derivations=("multiplications", "other_multiplications"),
    ),
    Quantity("comparisons", "comparisons", "comparisons", "operations.comparisons"),
    Quantity("divisions", "divisions", "divisions", "operations.divisions"),
    Quantity("exponentials", "exponentials", "exponentials", "operations.exponentials"),
    Quantity("activations", "values stored", "values", "activations"),
    Quantity(
        "activation_bytes", "stored", "bytes", "activation_bytes", write=words.size, aliases=("memory", "stored"),
        phrase="stored activations",
    ),
    Quantity(
        "receptive_field", "receptive field", "pixels", "receptive_field", adds_up=False,
        derivations=tuple(f"receptive_field_{axis}" for axis in AXIS_NAMES),
    ),
)  # fmt: skip

QUANTITIES: Mapping[str, Quantity] = {one.key: one._replace(derivations=one.derivations or (one.key,)) for one in _ALL}
_BY_NAME = {name: one for one in QUANTITIES.values() for name in (one.key, *one.aliases)}

#: What only a whole network has. The attribute is one of an analysis; without one, papers give the figure.
OF_NETWORKS: Mapping[str, Quantity] = {
    one.key: one
    for one in (
        Quantity("year", "year", "", "graph.year", False, write=str),
        Quantity("depth", "depth", "layers", "depth", False),
        Quantity("param_bytes", "memory of the parameters", "bytes", "totals.param_bytes", False, words.size),
        Quantity(
            "peak_activation_bytes", "peak of live activations", "bytes", "totals.peak_activation_bytes", False,
            words.size,
        ),
        Quantity("neurons", "neurons", "values", adds_up=False),
        Quantity("top1_accuracy", "top-1 accuracy", "%", adds_up=False, phrase="top-1 accuracy, as reported"),
        Quantity("top5_accuracy", "top-5 accuracy", "%", adds_up=False, phrase="top-5 accuracy, as reported"),
        Quantity("top1_error", "top-1 error", "%", adds_up=False),
        Quantity("top5_error", "top-5 error", "%", adds_up=False),
        Quantity("error", "error", "%", adds_up=False),
        Quantity("mean_iou", "mean IoU", "%", adds_up=False),
        Quantity("f1_score", "F1 score", "%", adds_up=False),
        Quantity("psnr", "PSNR", "dB", adds_up=False),
        Quantity("mean_opinion_score", "mean opinion score", "", adds_up=False),
    )
}  # fmt: skip


def quantity(name: str) -> Quantity:
    """The quantity of a key or of another name that commands take. Raises `KeyError`."""
    return _BY_NAME[name]


def quantity_of_network(key: str) -> Quantity:
    """A quantity as a network has it: its attribute is one of an analysis. Raises `KeyError`."""
    known = QUANTITIES.get(key)
    if known is None:
        return OF_NETWORKS[key]
    return known._replace(attribute=f"totals.{known.attribute}")


def adding_up() -> Iterator[Quantity]:
    """The quantities whose total is the sum over the layers."""
    return (one for one in QUANTITIES.values() if one.adds_up)
