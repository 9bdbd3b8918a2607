"""The figures that papers print, next to the computed ones."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.core import words
from archcalc.core.language import say
from archcalc.core.quantities import quantity_of_network
from archcalc.graph.published import Reported
from archcalc.passes.analysis import Analysis

#: The figures that have a computed one next to them.
_COMPUTED = ("params", "multiplications")


class Published(NamedTuple):
    """A figure as it is printed somewhere, and the computed one where there is one. `note` is a sentence or empty."""

    name: str
    value: str
    source: str
    computed: int | None
    note: str


def published(analysis: Analysis) -> list[Published]:
    """The figures that the spec of a network quotes."""
    found = []
    for figure in analysis.graph.reported:
        quantity = quantity_of_network(figure.quantity)
        is_own = not analysis.conventions.multiplications_rule  # papers do not count as other tools do
        computed = quantity.of(analysis) if figure.quantity in _COMPUTED and is_own else None
        value = f"{figure.value:,}" if isinstance(figure.value, int) else _as_printed(str(figure.value))
        if quantity.unit == "%" and not value.endswith("%"):
            value += " %"
        note = words.line(say(figure.note)) if figure.note else ""
        # A note that begins with γ is no sentence about Γ.
        is_greek = note[:1] in "αβγ"
        note = f"{note[0] if is_greek else note[0].upper()}{note[1:]}" if note else ""
        if note and not note.endswith("."):
            note += "."
        found.append(Published(quantity.title, value, words.line(figure.source), computed, note))
    return found


def _as_printed(value: str) -> str:
    """60 million, 5.6B, as papers write them."""
    number, _, scale = words.line(value).partition(" ")
    if scale == "million":
        return say("{number} million", number=number)
    return say("{number} billion", number=number) if scale == "billion" else say(words.line(value))


def compare_figures(analysis: Analysis) -> list[str]:
    """A sentence for each reported figure: what is printed where, what is computed here, and why they differ."""
    sentences = []
    for figure in published(analysis):
        if figure.computed is None:
            text = say(
                "Reported {quantity}: {value} ({source}).",
                quantity=figure.name,
                value=figure.value,
                source=figure.source,
            )
        else:
            text = say(
                "Reported {quantity}: {value} ({source}); computed {computed:,}.",
                quantity=figure.name,
                value=figure.value,
                source=figure.source,
                computed=figure.computed,
            )
        sentences.append(f"{text} {figure.note}".rstrip())
    return sentences


def accuracies(analysis: Analysis, which: str) -> list[Reported]:
    """The reported top1 or top5 figures of this very network that are accuracies or errors in percent."""
    return [
        figure
        for figure in analysis.graph.reported
        if figure.quantity.startswith(which) and figure.of is None and figure.accuracy is not None
    ]


def accuracy(analysis: Analysis, which: str) -> Reported | None:
    """The one of `accuracies` by which networks are compared: of a single crop, else the first in the spec."""
    figures = accuracies(analysis, which)
    return next((figure for figure in figures if figure.crops == 1), figures[0] if figures else None)
