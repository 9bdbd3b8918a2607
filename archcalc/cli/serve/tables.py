"""Functions that give tables: the analysis, a comparison, memory, lint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib.util import find_spec
from math import ceil
from typing import Any

from archcalc.cli.serve.requests import Request, own_line
from archcalc.core.language import apart, say
from archcalc.core.quantities import quantity_of_network
from archcalc.core.shapes import spec_shape
from archcalc.core.words import count, several, size
from archcalc.design.compare import align
from archcalc.design.compare import totals as compared_totals
from archcalc.design.conventions import as_counted, tool_named
from archcalc.design.lint.lint import lint as run_lint
from archcalc.design.memory import BACKWARD, RECOMPUTE, Policy, Timeline, memory_timeline
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis, Row
from archcalc.render.tables import lint as lint_table
from archcalc.render.tables import memory as memory_table
from archcalc.render.tables.columns import Column, Context
from archcalc.render.tables.report import Report, make_report
from archcalc.spec.document import Parameter

#: The policies of the memory view, by name.
POLICIES: Mapping[str, Policy] = {
    "inference": Policy(),
    "inference, nothing freed": Policy(keep_all=True),
    "training": Policy(training=True),
    "training, momentum": Policy(training=True, optimiser="momentum"),
    "training, Adam": Policy(training=True, optimiser="adam"),
    "training, Adam, mixed precision": Policy(training=True, optimiser="adam", mixed=True),
}
_STATUS = {"same": "both", "changed": "changed", "removed": "left", "added": "right"}
_DEEPEST = 99


def analyse(request: Request) -> dict[str, Any]:
    """The report of a network, and its rows as the page shows them."""
    source = request.source()
    spec, _, _ = source.spec()
    report = table(request, source.analyse())
    analysis = report.analysis
    places = {layer.name: own_line(layer.location) for layer in analysis.graph.layers}
    return {
        "name": analysis.graph.name,
        "title": report.title,
        "subtitle": report.subtitle,
        "columns": [_column(column) for column in report.columns],
        "rows": [_row(row, report, places) for row in report.rows],
        "totals": _totals(analysis),
        "notes": report.notes(),
        "parameters": [
            _parameter(name, declared, analysis.graph) for name, declared in spec.document.parameters.items()
        ],
        "input": input_text(analysis.graph),
    }


def table(request: Request, analysis: Analysis) -> Report:
    """The report with the columns, the depth and the convention of the request."""
    depth = request.number("depth", 1, _DEEPEST) if request.has("depth") else None
    columns = request.text("columns") if request.has("columns") else None
    return make_report(counted(request, analysis), columns, "hwc", depth)


def counted(request: Request, analysis: Analysis) -> Analysis:
    """An analysis as the tool counts that the request names."""
    return as_counted(analysis, tool_named(request.text("convention"))) if request.has("convention") else analysis


def input_text(graph: LayerGraph) -> str:
    """The input as a person writes it: 224x224x3, or image=224x224x3, mask=224x224x1."""
    sizes = {name: str(spec_shape(shape)) for name, shape in graph.inputs.items()}
    return sizes["input"] if list(sizes) == ["input"] else ", ".join(f"{name}={text}" for name, text in sizes.items())


def _column(column: Column) -> dict[str, Any]:
    return {"key": column.key, "heading": column.title, "align": "right" if column.right else "left"}


def _row(row: Row, report: Report, places: Mapping[str, tuple[int, int] | None]) -> dict[str, Any]:
    is_block = row.name not in places
    # The place of a block is that of its first layer.
    first = row.name if not is_block else next((name for name in places if name.startswith(f"{row.name}/")), "")
    found: dict[str, Any] = {
        "name": row.name, "depth": row.name.count("/"), "op": row.op.kind, "summary": row.summary,
        **_cells(row, report.columns, report.context),
    }  # fmt: skip
    if is_block:
        found["block"] = row.name
    place = places.get(first)
    return found | ({"line": place[0], "column": place[1]} if place else {})


def _cells(row: Row, columns: Sequence[Column], context: Context) -> dict[str, Any]:
    values = {column.key: column.value(row, context) for column in columns if column.right}
    return {
        "cells": {column.key: column.text(row, context) for column in columns},
        "values": {key: value if isinstance(value, (int, float)) else None for key, value in values.items()},
    }


def _totals(analysis: Analysis) -> list[dict[str, Any]]:
    found = []
    for total in compared_totals([analysis]):
        value, one = total.values[0], quantity_of_network(total.key)
        text = "unknown" if value is None else f"{'≥ ' if total.at_least[0] else ''}{one.write_total(value)}"
        found.append(
            {"key": total.key, "label": one.title, "value": text, "exact": None if value is None else str(value)}
        )
    return found


def _parameter(name: str, declared: Parameter, graph: LayerGraph) -> dict[str, Any]:
    value = graph.settings.get(name, declared.default)
    kinds = {"int": "int", "number": "float", "bool": "bool"}
    found: dict[str, Any] = {
        "name": name, "type": "choice" if declared.choices else kinds.get(declared.type, "text"),
        "value": value if isinstance(value, (bool, int, str, list)) or value is None else float(value),
        **slider(declared), "choices": declared.choices, "description": declared.description,
    }  # fmt: skip
    return {key: one for key, one in found.items() if one is not None or key == "value"}


def slider(declared: Parameter) -> dict[str, int | float]:
    """The ends and the step of a slider: as the parameter is declared, and else from its default.

    Without a maximum it reaches to twice the default, and ten steps at least. A step is `multiple_of`; else a hundredth
    of a declared range of whole numbers, a fortieth of one of decimal numbers, and without a maximum a twentieth of the
    default. What is no number, or has nothing to go by, has no slider.
    """
    kinds: Mapping[str, tuple[type, ...]] = {"int": (int,), "number": (int, float, Fraction)}
    value = declared.default
    if declared.choices or isinstance(value, bool) or not isinstance(value, kinds.get(declared.type, ())):
        return {}
    default, least, above, most = (
        None if one is None else Fraction(str(one))
        for one in (value, declared.minimum, declared.above, declared.maximum)
    )
    assert default is not None
    start = least or above or Fraction()
    if most is not None:
        step = (most - start) / (100 if declared.type == "int" else 40)
    elif default > 0:
        step = default / 20
    else:
        return {}
    if declared.type == "int":
        step = Fraction(declared.multiple_of or max(1, round(step)))
    if least is None or most is None:  # multiples of the step, as people choose them
        least = max(step, ceil(start / step) * step)
        least += step if above is not None and least <= above else 0
    found = {"min": least, "max": max(2 * default, least + 9 * step) if most is None else most, "step": step}
    return {key: int(one) if one.denominator == 1 else float(one) for key, one in found.items()}


def compare(request: Request) -> dict[str, Any]:
    """Two networks side by side: totals, and the layers with their counterparts."""
    analyses = [counted(request, request.source(key).analyse()) for key in ("source", "other")]
    columns = make_report(analyses[0], "operation,output,params,multiplications").columns
    contexts = [Context(one.totals, "hwc") for one in analyses]
    rows = []
    for pair in align(*analyses):
        texts = [
            [column.text(row, context) if row else "" for column in columns]
            for row, context in zip((pair.first, pair.second), contexts, strict=True)
        ]
        rows.append(
            {
                "left": pair.first.name if pair.first else None,
                "right": pair.second.name if pair.second else None,
                "side": _STATUS[pair.status],
                "cells": {column.key: [left, right] for column, left, right in zip(columns, *texts, strict=True)},
                "changes": [{"what": what, "before": old, "after": new} for what, old, new in pair.changes],
            }
        )
    totals = []
    for total in compared_totals(analyses):
        one = quantity_of_network(total.key)
        left, right = (
            "unknown" if value is None else f"{'≥ ' if bound else ''}{one.write_total(value)}"
            for value, bound in zip(total.values, total.at_least, strict=True)
        )
        ratio = total.ratios[1]
        shown = {} if ratio is None else {"ratio": f"{ratio:.3g}"}
        totals.append({"label": one.title, "left": left, "right": right, **shown})
    return {
        "titles": [one.graph.title or one.graph.name for one in analyses],
        "columns": [_column(column) for column in columns],
        "rows": rows,
        "totals": totals,
    }


def memory(request: Request) -> dict[str, Any]:
    """What is alive at the peak, under a policy."""
    policy = request.choice("policy", tuple(POLICIES), "inference")
    timeline = memory_timeline(request.source().analyse(), POLICIES[policy])
    found = {"data": memory_table.as_dict(timeline), "facts": _facts(timeline), "policies": list(POLICIES)}
    rows = timeline.analysis.rows
    found["columns"] = [
        {"key": "name", "heading": say("alive at the peak"), "align": "left"},
        {"key": "what", "heading": say("what"), "align": "left"},
        {"key": "bytes", "heading": say("bytes"), "align": "right"},
    ]
    found["rows"] = [
        {
            "name": rows[buffer.layer].name, "depth": 0, "op": rows[buffer.layer].op.kind,
            "cells": {
                "what": say(memory_table.WHAT[buffer.what]), "bytes": count(timeline.size_of(buffer)),
            },
            "values": {"bytes": timeline.size_of(buffer)},
        }
        for buffer in timeline.alive(timeline.peak_step)
    ]  # fmt: skip
    from archcalc.render.charts.alive import alive
    from archcalc.render.charts.figure import Look

    chart = alive(timeline, Look(theme=request.choice("theme", ("light", "dark"), "light")))
    if has_converter():
        from archcalc.render.charts.render import svg

        found["svg"] = svg(chart)
    else:
        found["spec"] = chart
    return found


def _facts(timeline: Timeline) -> list[dict[str, str]]:
    names = memory_table.FIXED | memory_table.WHAT
    amounts = timeline.fixed._asdict() | timeline.at(timeline.peak_step)
    facts = [(say("the peak"), timeline.peak, _when(timeline))]
    facts += [(say(names[key]), value, "") for key, value in amounts.items() if value]
    if timeline.policy.training:
        facts.append((say("kept for the backward pass"), timeline.kept, ""))
    shown = [(label, f"{several(value, 'byte')} {apart(f'({size(value)})')}", note) for label, value, note in facts]
    return [{"label": label, "value": text} | ({"note": note} if note else {}) for label, text, note in shown]


def _when(timeline: Timeline) -> str:
    """When the most is alive."""
    step = timeline.steps[timeline.peak_step]
    layer = timeline.analysis.rows[step.layer].name
    if step.phase == RECOMPUTE:
        return say("where {layer} runs again", layer=layer)
    backward = step.phase == BACKWARD
    return say("backward pass, at {layer}", layer=layer) if backward else say("forward pass, at {layer}", layer=layer)


def has_converter() -> bool:
    """Whether Python draws charts and converts pictures here; in a browser the page does it."""
    return find_spec("vl_convert") is not None


def lint(request: Request) -> dict[str, Any]:
    """What the sizing rules find."""
    analysis = request.source().analyse()
    found = run_lint(analysis)
    findings = []
    for one, data in zip(found, lint_table.as_dict(analysis, found)["findings"], strict=True):
        place = own_line(one.location)
        findings.append(
            {
                "id": data["rule"], "layer": one.layer, "message": data["message"], "change": data["change"],
                "reason": data["reason"], "source": data["source"],
                "cost": ", ".join(lint_table.cost(name, number) for name, number in data["costs"].items()),
                **({"line": place[0], "column": place[1]} if place else {}),
            }
        )  # fmt: skip
    return {"findings": findings}
