"""What a parameter of a network does: its totals over the values of the parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from archcalc.core import words
from archcalc.core.errors import UsageError
from archcalc.core.quantities import QUANTITIES
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.accuracy import of_one_source
from archcalc.render.charts.figure import Look
from archcalc.render.charts.lines import Series, line_panels
from archcalc.render.charts.titles import shown, title_of
from archcalc.render.diagrams.words import figure


class Swept(NamedTuple):
    """Something that a sweep can show: a quantity that adds up, or what only a whole network has."""

    title: str
    values: Callable[[Sequence[Analysis]], list[int | float | None]]
    write: Callable[[float], str]
    binary: bool = False
    from_zero: bool = True


def _bytes(number: float) -> str:
    return words.size(round(number))


def _total(key: str, title: str) -> tuple[str, Swept]:
    one = QUANTITIES[key]
    binary = one.unit == "bytes"
    return key, Swept(title, lambda analyses: [one.of(analysis.totals) for analysis in analyses],
                      _bytes if binary else figure, binary)  # fmt: skip


def _peak(analyses: Sequence[Analysis]) -> list[int | float | None]:
    return [analysis.totals.peak_activation_bytes for analysis in analyses]


def _top1(analyses: Sequence[Analysis]) -> list[int | float | None]:
    return [found and found.percent for found in of_one_source(analyses)]


SWEPT: Mapping[str, Swept] = {
    **dict(
        (
            _total("params", "parameters"),
            _total("multiplications", "multiplications for one image"),
            _total("activation_bytes", "stored activations"),
        )
    ),
    "peak_activation_bytes": Swept("peak of live memory", _peak, _bytes, True),
    "top1": Swept("top-1 accuracy, as reported", _top1, lambda number: f"{number:.3g} %", from_zero=False),
}
DEFAULT = ("params", "multiplications", "activation_bytes", "top1")


def sweep(
    analyses: Sequence[Analysis],
    name: str,
    values: Sequence[str],
    quantities: Sequence[str] | None = None,
    look: Look | None = None,
) -> dict[str, Any]:
    """One network at several values of a parameter, as many analyses as values.

    Raises `UsageError` for a quantity that does not exist, or that none of the analyses has.
    """
    unknown = [key for key in quantities or () if key not in SWEPT]
    if unknown:
        raise UsageError(f"there is no quantity {unknown[0][:60]!r}; there are {', '.join(SWEPT)}")
    panels, note = [], ""
    for key in quantities or DEFAULT:
        quantity = SWEPT[key]
        found = quantity.values(analyses)
        known = [number for number in found if number is not None]
        if not known and quantities:
            raise UsageError(f"none of these networks has a value for {key}")
        # A single accuracy without being asked for says nothing about the parameter.
        if len(known) < (2 if key == "top1" and not quantities else 1):
            continue
        if key == "top1":
            note = next(f"Accuracies: {a.source}; {a.protocol}." for a in of_one_source(analyses) if a)
        panels.append(Series(quantity.title, key, found, quantity.write, quantity.binary, quantity.from_zero))
    # A parameter of a family makes other members of it: ResNet over depth, not ResNet-18.
    family = analyses[0].graph.family_title if name != "input" else ""
    title = shown(family) if family else title_of(analyses[0])
    first, last = analyses[0].totals, analyses[-1].totals
    return line_panels(
        "sweep", look or Look(),
        title=f"{title} over {name}",
        subtitle=f"{len(values)} value{'s' if len(values) > 1 else ''} of {name}; {analyses[0].dtype}"
                 f"{f', batch {analyses[0].batch:,}' if analyses[0].batch > 1 else ''}; everything else as in the spec "
                 "or as set",
        description=f"Totals of {title} over {name}, from {values[0]} to {values[-1]}: {first.params:,} to "
                    f"{last.params:,} parameters, {first.multiplications:,} to {last.multiplications:,} "
                    "multiplications.",
        over=name, steps=values, panels=panels,
        footnote=[note] if note else [],
    )  # fmt: skip
