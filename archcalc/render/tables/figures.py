"""The figures that papers print, next to the computed ones."""

from __future__ import annotations

from typing import NamedTuple

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
        value = f"{figure.value:,}" if isinstance(figure.value, int) else str(figure.value)
        if quantity.unit == "%" and not value.endswith("%"):
            value += " %"
        note = figure.note or ""
        # A note that begins with γ is no sentence about Γ.
        note = f"{note[0].upper() if note[0].isascii() else note[0]}{note[1:]}" if note else ""
        if note and not note.endswith("."):
            note += "."
        found.append(Published(quantity.title, value, figure.source, computed, note))
    return found


def compare_figures(analysis: Analysis) -> list[str]:
    """A sentence for each reported figure: what is printed where, what is computed here, and why they differ."""
    sentences = []
    for figure in published(analysis):
        here = f"; computed {figure.computed:,}" if figure.computed is not None else ""
        note = f" {figure.note}" if figure.note else ""
        sentences.append(f"Reported {figure.name}: {figure.value} ({figure.source}){here}.{note}")
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
