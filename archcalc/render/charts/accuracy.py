"""Which networks can be compared by accuracy, and by which of their reported figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archcalc.passes.analysis import Analysis


class Accuracy(NamedTuple):
    """A reported top-1 accuracy in percent. `crops` is the number of crops averaged, None if not stated."""

    percent: float
    source: str
    note: str
    crops: int | None

    @property
    def protocol(self) -> str:
        """How it was measured, in words."""
        if self.crops is None:
            return "crops not stated"
        return "single crop" if self.crops == 1 else f"average of {self.crops} crops"


class Point(NamedTuple):
    """A network of the chart."""

    analysis: Analysis
    accuracy: Accuracy


class Comparable(NamedTuple):
    """The networks that share a chart, and for each of the others why it does not."""

    points: tuple[Point, ...]
    missing: tuple[tuple[str, str], ...]


def top1(analysis: Analysis) -> Accuracy | None:
    """The top-1 figure of a network: one of a single crop before others, the first in the spec before later ones.

    A figure that was measured on another network (`of`) is none of this one.
    """
    figures = all_top1(analysis)
    return next((figure for figure in figures if figure.crops == 1), figures[0] if figures else None)


def all_top1(analysis: Analysis) -> list[Accuracy]:
    """Every top-1 figure of a network."""
    return [
        Accuracy(figure.accuracy, figure.source, figure.note or "", figure.crops)
        for figure in analysis.graph.reported
        if figure.quantity.startswith("top1") and figure.of is None and figure.accuracy is not None
    ]


def of_one_source(analyses: Sequence[Analysis]) -> list[Accuracy | None]:
    """A top-1 figure for each of several forms of one network, from the source that has most of them."""
    figures = [all_top1(analysis) for analysis in analyses]
    counts = Counter(source for each in figures for source in dict.fromkeys(figure.source for figure in each))
    if not counts:
        return [None] * len(figures)
    best, _ = counts.most_common(1)[0]
    return [next((figure for figure in each if figure.source == best), None) for each in figures]


def classes(analysis: Analysis) -> int:
    """How many classes a network tells apart: the channels of its main output."""
    return analysis.rows[analysis.graph.outputs[0].layer].output_shape[0]


def comparable(analyses: Sequence[Analysis]) -> Comparable:
    """Networks with a top-1 figure that tell the same number of classes apart: those of the largest group."""
    missing: list[tuple[str, str]] = []
    points: list[Point] = []
    for analysis in analyses:
        found = top1(analysis)
        if found:
            points.append(Point(analysis, found))
        else:
            missing.append((analysis.graph.name, _why(analysis)))
    if points:
        most, _ = Counter(classes(point.analysis) for point in points).most_common(1)[0]
        for point in points:
            number = classes(point.analysis)
            if number != most:
                why = f"the top-1 accuracy is on {number:,} classes, not on {most:,}"
                missing.append((point.analysis.graph.name, why))
        points = [point for point in points if classes(point.analysis) == most]
    return Comparable(tuple(points), tuple(missing))


def _why(analysis: Analysis) -> str:
    others = {f.of for f in analysis.graph.reported if f.quantity.startswith("top1") and f.of is not None}
    if others:
        return f"the top-1 accuracy in the spec is that of {' and '.join(sorted(others))}"
    return "no top-1 accuracy in the spec"


def measured_elsewhere(analyses: Iterable[Analysis]) -> list[str]:
    """The networks on which figures of these were measured, for those that have no figure of their own."""
    found: dict[str, None] = {}
    for analysis in analyses:
        if top1(analysis) is None:
            for figure in analysis.graph.reported:
                if figure.quantity.startswith("top1") and figure.of is not None:
                    found[figure.of] = None
    return list(found)
