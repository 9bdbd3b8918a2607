"""What a parameter of a network does: its totals over the values of the parameter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.language import all_of, say
from archcalc.core.quantities import quantity_of_network
from archcalc.core.words import listed, several
from archcalc.design.search.found import FoundRows
from archcalc.design.search.query import TOTALS
from archcalc.passes.analysis import Analysis
from archcalc.render.charts.accuracy import of_one_source
from archcalc.render.charts.figure import Look
from archcalc.render.charts.lines import Panel, line_panels
from archcalc.render.charts.theme import SERIES
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
            notes += [
                say("Accuracies: {source}.", source=f"{one.source}; {one.protocol}") for one in accuracies if one
            ][:1]
        panels.append(Panel(key, quantity, [found]))
    # A parameter of a family makes other members of it: ResNet over depth, not ResNet-18.
    family = analyses[0].graph.family_title if name != "input" else ""
    title = short_name(family) if family else title_of(analyses[0])
    first, last = analyses[0].totals, analyses[-1].totals
    how = analyses[0].dtype
    if analyses[0].batch > 1:
        how += say(", batch {size:,}", size=analyses[0].batch)
    return line_panels(
        "sweep", look or Look(),
        title=say("{title} over {name}", title=title, name=name),
        subtitle=say(
            "{values} of {name}; {how}; everything else as in the spec or as set",
            values=several(len(values), "value"), name=name, how=how,
        ),
        description=say(
            "Totals of {title} over {name}, from {first} to {last}: {few:,} to {many:,} parameters, {less:,} to "
            "{more:,} multiplications.",
            title=title, name=name, first=values[0], last=values[-1], few=first.params, many=last.params,
            less=first.multiplications, more=last.multiplications,
        ),
        over=name, steps=values, panels=panels,
        footnote=notes,
    )  # fmt: skip


def sweep_of_search(
    found: FoundRows,
    name: str,
    quantities: Sequence[str] | None = None,
    where: str | None = None,
    look: Look | None = None,
) -> dict[str, Any]:
    """What a search found over one of its parameters: a line for each choice of the others.

    Raises `UsageError` where more lines are needed than can be told apart, and for a column that the file has not.
    """
    if where is not None:
        found = found.only(found.kept(found.condition(where)))
        if not found.rows:
            raise UsageError(f"no row keeps to {where}")
    if name not in found.parameters:
        raise UsageError(f"{found.path} has no parameter {name[:60]!r}; it has {', '.join(found.parameters) or 'none'}")
    keys = list(quantities or [key for key in found.heading if key in TOTALS and key not in found.parameters])
    for key in keys:
        found.numbers(key)
        if key not in TOTALS:
            raise UsageError(f"{key[:60]!r} is no quantity")
    found = found.only([value is not None for value in found.column(name)])
    values = list(dict.fromkeys(found.column(name)))
    values = sorted(values) if found.parameters[name] else values
    others = [one for one in ("network", *found.parameters) if one != name and len(set(found.column(one))) > 1]
    at = [found.heading.index(one) for one in others]
    lines = list(dict.fromkeys(tuple(row[place] for place in at) for row in found.rows))
    if len(lines) > len(SERIES):
        raise UsageError(
            f"{listed(others)} {'vary' if len(others) > 1 else 'varies'} too: {len(lines):,} lines, and "
            f"{len(SERIES)} can be told apart; choose with --where, as in --where '{others[-1]} == {lines[0][-1]}'"
        )
    places = {(tuple(row[place] for place in at), row[found.heading.index(name)]): row for row in found.rows}
    panels = [
        Panel(key, quantity_of_network(key), [
            [None if row is None else row[found.heading.index(key)]
             for row in (places.get((line, value)) for value in values)]
            for line in lines
        ])
        for key in keys
    ]  # fmt: skip
    networks = list(dict.fromkeys(found.column("network")))
    title = say("{title} over {name}", title=all_of([short_name(one) for one in networks]), name=name)
    counted = several(len(found.rows), "configuration")
    kept = counted if where is None else say("{configurations} with {where}", configurations=counted, where=where)
    return line_panels(
        "sweep", look or Look(), title=title,
        subtitle=say("{configurations}; {dtype}", configurations=kept, dtype="float32"),
        description=say(
            "{title}: {quantities} of {configurations}.", title=title, configurations=counted,
            quantities=", ".join(panel.quantity.title for panel in panels),
        ),
        over=name, steps=[str(value) for value in values], panels=panels,
        names=[", ".join(f"{one} {value}" if one != "network" else str(value)
                         for one, value in zip(others, line, strict=True) if value is not None) for line in lines]
        if len(lines) > 1 else (),
    )  # fmt: skip
