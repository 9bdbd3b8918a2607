"""The figures that papers print, next to the computed ones."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.core.quantities import QUANTITIES
from archcalc.passes.analysis import Analysis

NAMES = {
    **{key: QUANTITIES[key].title for key in ("params", "multiplications")},
    "top1_accuracy": "top-1 accuracy",
    "top5_accuracy": "top-5 accuracy",
    "top1_error": "top-1 error",
    "top5_error": "top-5 error",
    "error": "error",
    "neurons": "neurons",
    "depth": "depth",
}


class Published(NamedTuple):
    """A figure as it is printed somewhere, and the computed one where there is one. `note` is a sentence or empty."""

    name: str
    value: str
    source: str
    computed: int | None
    note: str


def published(analysis: Analysis) -> list[Published]:
    """The figures that the spec of a network quotes."""
    computed = {key: QUANTITIES[key].of(analysis.totals) for key in ("params", "multiplications")}
    found = []
    for figure in analysis.graph.reported:
        value = f"{figure.value:,}" if isinstance(figure.value, int) else str(figure.value)
        if ("accuracy" in figure.quantity or "error" in figure.quantity) and not value.endswith("%"):
            value += " %"
        note = figure.note or ""
        # A note that begins with γ is no sentence about Γ.
        note = f"{note[0].upper() if note[0].isascii() else note[0]}{note[1:]}" if note else ""
        if note and not note.endswith("."):
            note += "."
        found.append(Published(NAMES[figure.quantity], value, figure.source, computed.get(figure.quantity), note))
    return found


def compare_figures(analysis: Analysis) -> list[str]:
    """A sentence for each reported figure: what is printed where, what is computed here, and why they differ."""
    sentences = []
    for figure in published(analysis):
        here = f"; computed {figure.computed:,}" if figure.computed is not None else ""
        note = f" {figure.note}" if figure.note else ""
        sentences.append(f"Reported {figure.name}: {figure.value} ({figure.source}){here}.{note}")
    return sentences
