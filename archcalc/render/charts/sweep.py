"""What a parameter of a network does: its totals over the values of the parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.quantities import quantity_of_network
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.accuracy import of_one_source
from archcalc.render.charts.figure import Look
from archcalc.render.charts.lines import Panel, line_panels
from archcalc.render.charts.titles import short_name, title_of

DEFAULT = ("params", "multiplications", "activation_bytes", "top1")
#: What a sweep can show, by the name that commands take.
SHOWN = {
    **{key: quantity_of_network(key) for key in (*DEFAULT[:3], "peak_activation_bytes")},
    "top1": quantity_of_network("top1_accuracy"),
}


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
    unknown = [key for key in quantities or () if key not in SHOWN]
    if unknown:
        raise UsageError(f"there is no quantity {unknown[0][:60]!r}; there are {', '.join(SHOWN)}")
    panels, notes = [], []
    accuracies = of_one_source(analyses)
    for key in quantities or DEFAULT:
        quantity = SHOWN[key]
        found = [one and one.percent for one in accuracies] if key == "top1" else [quantity.of(one) for one in analyses]
        known = [number for number in found if number is not None]
        if not known and quantities:
            raise UsageError(f"none of these networks has a value for {key}")
        # A single accuracy without being asked for says nothing about the parameter.
        if len(known) < (2 if key == "top1" and not quantities else 1):
            continue
        if key == "top1":
            notes += [f"Accuracies: {one.source}; {one.protocol}." for one in accuracies if one][:1]
        panels.append(Panel(key, quantity, found))
    # A parameter of a family makes other members of it: ResNet over depth, not ResNet-18.
    family = analyses[0].graph.family_title if name != "input" else ""
    title = short_name(family) if family else title_of(analyses[0])
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
        footnote=notes,
    )  # fmt: skip
