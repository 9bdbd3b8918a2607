"""Which networks can be compared by accuracy, and by which of their reported figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.graph.published import Reported
from archcalc.passes.analysis import Analysis
from archcalc.render.tables.figures import accuracies, accuracy


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
            return say("crops not stated")
        return say("single crop") if self.crops == 1 else say("average of {count} crops", count=self.crops)


class Point(NamedTuple):
    """A network of the chart."""

    analysis: Analysis
    accuracy: Accuracy


class Comparable(NamedTuple):
    """The networks that share a chart, and for each of the others why it does not."""

    points: tuple[Point, ...]
    missing: tuple[tuple[str, str], ...]


def top1(analysis: Analysis) -> Accuracy | None:
    """The top-1 figure by which a network is compared, if it has one."""
    figure = accuracy(analysis, "top1")
    return None if figure is None else _accuracy(figure)


def _accuracy(figure: Reported) -> Accuracy:
    assert figure.accuracy is not None, "figures of accuracies have one"
    return Accuracy(figure.accuracy, figure.source, figure.note or "", figure.crops)


def of_one_source(analyses: Sequence[Analysis]) -> list[Accuracy | None]:
    """A top-1 figure for each of several forms of one network, from the source that has most of them."""
    figures = [[_accuracy(figure) for figure in accuracies(analysis, "top1")] for analysis in analyses]
    counts = Counter(source for each in figures for source in dict.fromkeys(figure.source for figure in each))
    if not counts:
        return [None] * len(figures)
    best, _ = counts.most_common(1)[0]
    return [next((figure for figure in each if figure.source == best), None) for each in figures]


def classes(analysis: Analysis) -> int:
    """How many classes a network distinguishes: the channels of its main output."""
    return analysis.rows[analysis.graph.outputs[0].layer].output_shape[0]


def comparable(analyses: Sequence[Analysis]) -> Comparable:
    """Networks with a top-1 figure that distinguish the same number of classes: those of the largest group."""
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
                why = say("the top-1 accuracy is on {number:,} classes, not on {most:,}", number=number, most=most)
                missing.append((point.analysis.graph.name, why))
        points = [point for point in points if classes(point.analysis) == most]
    return Comparable(tuple(points), tuple(missing))


def _why(analysis: Analysis) -> str:
    others = {f.of for f in analysis.graph.reported if f.quantity.startswith("top1") and f.of is not None}
    if others:
        return say("the top-1 accuracy in the spec is that of {others}", others=" and ".join(sorted(others)))
    return say("no top-1 accuracy in the spec")


def measured_elsewhere(analyses: Iterable[Analysis]) -> list[str]:
    """The networks on which figures of these were measured, for those that have no figure of their own."""
    found: dict[str, None] = {}
    for analysis in analyses:
        if top1(analysis) is None:
            for figure in analysis.graph.reported:
                if figure.quantity.startswith("top1") and figure.of is not None:
                    found[figure.of] = None
    return list(found)
