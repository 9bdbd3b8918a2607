"""The report as JSON; the keys are part of the command line's contract."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from archcalc.core.quantities import adding_up
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops.base import Op
from archcalc.passes.analysis import Analysis, Row, Totals
from archcalc.render.tables.report import Report

SCHEMA = "archcalc.report/1"


def render(reports: Sequence[Report]) -> str:
    """One report as an object; several in a list under `reports`."""
    if len(reports) == 1:
        data = as_dict(reports[0].analysis, reports[0].rows)
    else:
        data = {
            "schema": "archcalc.reports/1",
            "reports": [as_dict(report.analysis, report.rows) for report in reports],
        }
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def as_dict(analysis: Analysis, rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """The report as plain data. Shapes are [C, H, W] or [N]; counts are per image, bytes for the whole batch."""
    graph = analysis.graph
    return {
        "schema": SCHEMA,
        "network": graph.name,
        "title": graph.title,
        "authors": list(graph.authors),
        "year": graph.year,
        "input": {"shape": list(graph.input_shape), "batch": analysis.batch, "dtype": analysis.dtype},
        **inputs_as_dict(graph),
        "outputs": [
            {
                "name": output.name,
                "layer": graph.layers[output.layer].name,
                "loss_weight": output.loss_weight,
                **({"training_only": True} if output.training_only else {}),
            }
            for output in graph.outputs
        ],
        "layers": [_row(row) for row in (analysis.rows if rows is None else rows)],
        "totals": _totals(analysis.totals),
        "reported": [figure.model_dump(exclude_defaults=True, exclude={"by", "when"}) for figure in graph.reported],
        "conventions": {
            **analysis.describe_conventions(),
            **({"notation": " ".join(graph.notes)} if graph.notes else {}),
        },
    }


def inputs_as_dict(graph: LayerGraph) -> dict[str, Any]:
    """The inputs by name, where there are several."""
    shapes = {name: {"shape": list(shape)} for name, shape in graph.inputs.items()}
    return {"inputs": shapes} if len(shapes) > 1 else {}


def _row(row: Row) -> dict[str, Any]:
    field = row.receptive_field
    return {
        "name": row.name,
        "op": row.op.kind,
        "summary": row.summary,
        "settings": _settings(row.op),
        "inputs": list(row.inputs),
        "input_shapes": [list(shape) for shape in row.input_shapes],
        "output_shape": list(row.output_shape),
        **({"weights_of": row.weights_of} if row.weights_of is not None else {}),
        **_counts(row),
        **({"not_counted": dict(Counter(row.not_counted))} if row.not_counted else {}),
        "receptive_field": list(field.size) if field else None,
        "receptive_field_stride": list(field.stride) if field else None,
        "receptive_field_start": list(field.start) if field else None,
    }


def _settings(op: Op) -> dict[str, Any]:
    """The fields of the op, as a spec would give them."""
    return {name: getattr(op, name) for name in type(op).model_fields}


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        **_counts(totals),
        "param_bytes": totals.param_bytes,
        "peak_activation_bytes": totals.peak_activation_bytes,
        "peak_layer": totals.peak_layer,
        **({"not_counted": dict(totals.not_counted)} if totals.not_counted else {}),
    }


def _counts(numbers: Row | Totals) -> dict[str, Any]:
    """The quantities that add up, by key; those of `operations` together."""
    found: dict[str, Any] = {}
    for one in adding_up():
        group, _, name = one.attribute.rpartition(".")
        (found.setdefault(group, {}) if group else found)[name] = one.of(numbers)
    return found if numbers.operations is not None else {**found, "operations": None}
