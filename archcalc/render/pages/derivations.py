"""The derivations of all layers as data, from which the page writes them when a layer is chosen."""

from __future__ import annotations

from typing import Any

from archcalc.explain.derive.formats import Line, lines
from archcalc.explain.derive.network import explain_layers
from archcalc.explain.derive.notation import COMPACT
from archcalc.passes.analysis import Analysis


class _Store:
    """Values by number; what is the same is stored once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, key: Any, value: Any) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def derivations(analysis: Analysis) -> dict[str, Any]:
    """`layers`: name, what it is (a number in `texts`), layers it reads (numbers), its lines (numbers in `lines`).

    A line is: label, what stands before and between the `=` in the notation COMPACT, unit, note. Layers of the same
    shape share their lines, so that a deep network takes little space.
    """
    shared, texts = _Store(), _Store()
    places = {name: place for place, name in enumerate(analysis.by_name)}
    layers = []
    for row, explanation in zip(analysis.rows, explain_layers(analysis, analysis.by_name), strict=True):
        shown = [shared.number(*_line(line)) for line in lines(explanation, COMPACT)]
        layers.append(
            [row.name, texts.number(explanation.what, explanation.what), [places[name] for name in row.inputs], shown]
        )
    return {"layers": layers, "texts": texts.values, "lines": shared.values}


def _line(line: Line) -> tuple[Any, list[Any]]:
    written = [line.label, line.parts, line.unit, line.note]
    return (line.label, *line.parts, line.unit, line.note), written
