"""Bridges between counts and the search for a number, as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.core.text import align, bold
from archcalc.core.words import several
from archcalc.design.conventions import Count
from archcalc.design.printed import CLOSENESS
from archcalc.design.reconcile import Bridge, Search, Side, as_it_is, describe
from archcalc.graph.layer_graph import LayerGraph

FORMATS = ("text", "json")
ENDINGS = {".txt": "text", ".json": "json"}
SCHEMA = "archcalc.reconcile/1"
#: So many ways of counting are listed.
SHOWN = 12


def render_bridges(first: Side, second: Side, bridges: Sequence[Bridge], form: str, colour: bool = False) -> str:
    """The items that lead from one tool's totals to the other's."""
    if form == "json":
        return json.dumps(bridges_as_dict(first, second, bridges), ensure_ascii=False, indent=1) + "\n"
    return "\n".join(line for one in bridges for line in (*_bridge(first, second, one, colour), ""))


def bridges_as_dict(first: Side, second: Side, bridges: Sequence[Bridge]) -> dict[str, Any]:
    """The bridges as data. The changes of the items and the first total add up to the second."""
    return {
        "schema": SCHEMA,
        "bridges": [
            {
                "quantity": one.quantity,
                "from": _end(first, one.first),
                "to": _end(second, one.second),
                "items": [item._asdict() for item in one.items],
            }
            for one in bridges
        ],
    }


def _end(side: Side, count: Count) -> dict[str, Any]:
    found: dict[str, Any] = {
        "convention": side.tool.name,
        "network": side.analysis.graph.name,
        "total": count.total,
        "notes": list(side.tool.notes_on(side.analysis)),
    }
    return {**found, "not_counted": dict(count.not_counted)} if count.not_counted else found


def _bridge(first: Side, second: Side, one: Bridge, colour: bool) -> Iterator[str]:
    networks = [side.analysis.graph.name for side in (first, second)]
    ends = [
        side.tool.name + (f", {side.analysis.graph.name}" if networks[0] != networks[1] else "")
        for side in (first, second)
    ]
    yield bold(f"{one.quantity} of {first.analysis.graph.title or networks[0]}", colour)
    items = [
        [
            item.words,
            f"{'+' if item.change > 0 else '−'} {abs(item.change):,}",
            several(item.layers, "layer") if item.layers else "",
        ]
        for item in one.items
    ]
    table = [[ends[0], _total(one.first), ""], *items]
    yield from align([*table, [ends[1], _total(one.second), ""]], [False, True, True], False)
    if not one.items:
        yield "Both count the same."
    for side, count in ((first, one.first), (second, one.second)):
        if count.not_counted:
            kinds = ", ".join(f"{number} × {kind}" for kind, number in count.not_counted.items())
            yield f"Not counted, for how {side.tool.name} counts it is not known: {kinds}. Its total is at least that."
    yield from (f"{note}." for note in dict.fromkeys(map(as_it_is, (first, second))) if note)
    for side in {side.tool.name: side for side in (second, first)}.values():
        # A tool that counts no multiplications has notes on params.
        if (one.quantity == "multiplications") == (side.tool.rules is not None):
            yield from (f"{side.tool.name}: {note}." for note in side.tool.notes_on(side.analysis))


def _layers(number: int) -> str:
    return several(number, "layer") if number else ""


def _total(count: Count) -> str:
    return ("≥ " if count.not_counted else "") + f"{count.total:,}"


def render_search(graph: LayerGraph, text: str, search: Search, form: str, colour: bool = False) -> str:
    """What gives the number, the most likely first; or that nothing does."""
    if form == "json":
        return json.dumps(search_as_dict(graph, text, search), ensure_ascii=False, indent=1) + "\n"
    tried = f"{several(search.tried, 'way')} of counting {'were' if search.tried != 1 else 'was'} tried"
    tried += "." if search.is_complete else "; the network is too long for all of them."
    if not search.matches:
        return f"None gives {text} for {graph.name}: {tried}\n"
    table = [
        [f"{match.value:,}", describe(match, graph), CLOSENESS[match.closeness].replace("exact", "exactly")]
        for match in search.matches[:SHOWN]
    ]
    lines = [bold(f"{text} for {graph.title or graph.name}, the most likely first", colour)]
    lines += align(table, [True, False, False], False)
    if len(search.matches) > SHOWN:
        lines.append(f"and {len(search.matches) - SHOWN:,} less likely")
    return "\n".join([*lines, "", tried]) + "\n"


def search_as_dict(graph: LayerGraph, text: str, search: Search) -> dict[str, Any]:
    """The search as data."""
    return {
        "schema": SCHEMA,
        "network": graph.name,
        "number": text,
        "tried": search.tried,
        "complete": search.is_complete,
        "matches": [
            {
                "value": match.value,
                "words": describe(match, graph),
                "closeness": CLOSENESS[match.closeness],
                "quantity": match.quantity,
                "conventions": list(match.tools),
                "network": match.network,
                "input": list(match.shape),
                "batch": match.batch,
                "factor": match.factor,
            }
            for match in search.matches
        ],
    }
