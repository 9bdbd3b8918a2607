"""What a run showed, as text for people and as a document for programs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from archcalc.core import words
from archcalc.core.shapes import format_shape
from archcalc.core.text import align
from archcalc.execute.execution import Execution, Values
from archcalc.execute.kernels import Array
from archcalc.execute.quick.values import TOLERANCE
from archcalc.execute.runner.compare import Difference, parameters
from archcalc.passes.analysis import Analysis

SCHEMA = "archcalc.run/1"
AGREE = "all shapes and counts agree"
VALUES_AGREE = "all shapes, counts and compared values agree"


class Guess(NamedTuple):
    """A class to which the network gives a large value."""

    place: int
    number: int
    name: str
    value: float


def top_classes(output: Array, count: int, names: Sequence[str] | None = None) -> list[Guess]:
    """The largest values of one image's output (classes first); of equal ones the first class comes first."""
    values = output.reshape(len(output), -1).mean(axis=1)
    order = np.argsort(-values, kind="stable")[:count]
    return [
        Guess(place, int(index), names[index] if names else f"class {index}", float(values[index]))
        for place, index in enumerate(order, start=1)
    ]


def as_text(
    analysis: Analysis,
    execution: Execution,
    differences: Sequence[Difference],
    guesses: Sequence[Sequence[Guess]],
    how: str,
    counted: bool,
    layers: bool,
) -> str:
    """Lines for people; the last says whether everything agrees."""
    graph = analysis.graph
    lines = [
        f"{words.line(graph.title or graph.name)}: input {graph.inputs_in_words()}, batch {execution.batch}, "
        f"{analysis.dtype}, {words.line(how)}"
    ]
    if layers:
        lines += _table(execution, differences)
    lines += _totals(analysis, execution, counted)
    for image, found in enumerate(guesses, start=1):
        lines.append("  most likely" + (f", image {image}" if len(guesses) > 1 else ""))
        lines += [f"    {guess.place}. {guess.value:.4f}  {words.line(guess.name)}" for guess in found]
    if not differences:
        return "\n".join(
            [*lines, VALUES_AGREE if execution.values is not None and execution.values.compared else AGREE, ""]
        )
    lines += [f"  {words.line(str(each))}" for each in differences[:50]]
    if len(differences) > 50:
        lines.append(f"  … and {len(differences) - 50} more")
    wrong = "1 difference" if len(differences) == 1 else f"{len(differences)} differences"
    return "\n".join([*lines, f"{wrong} between the run and the analysis", ""])


def _totals(analysis: Analysis, execution: Execution, counted: bool) -> list[str]:
    size = np.dtype(analysis.dtype).itemsize
    multiplications = sum(layer.multiplications for layer in execution.layers)
    how = "counted one by one" if counted else "from the arrays that were used"
    rows = [
        ("layers executed", f"{len(execution.layers):,}", ""),
        ("parameters and buffers", f"{parameters(execution):,}", f"{parameters(execution) * size:,} bytes"),
        ("multiplications", f"{multiplications:,}", f"an image, {how}"),
    ]
    if counted:
        peak = max(layer.live_bytes for layer in execution.layers)
        rows.append(("live bytes at the peak", f"{peak:,}", f"in {analysis.totals.peak_layer}"))
    if execution.values is not None and execution.values.compared:
        limit = f"{TOLERANCE[analysis.dtype]:.0e}".replace("e-0", "e-")
        share = "not all equal" if execution.values.differences else f"equal to {limit} of the largest value"
        rows.append(("values of layers", f"{len(execution.values.compared):,}", f"against plain kernels: {share}"))
    width = max(len(value) for _, value, _ in rows)
    return [f"  {name:<23} {value:>{width}}  {note}".rstrip() for name, value, note in rows]


def _values(values: Values, dtype: str) -> dict[str, Any]:
    return {
        "layers": list(values.compared),
        "largest_difference": values.largest if math.isfinite(values.largest) else None,
        "tolerance": TOLERANCE[dtype],
    }


def _table(execution: Execution, differences: Sequence[Difference]) -> list[str]:
    wrong = {each.layer for each in differences}
    # The matrices are shown where im2col was asked for.
    matrices = any(layer.matrices for layer in execution.layers)
    rows = [["", "layer", "output", "parameters", "multiplications", *(["W_row · X_col"] if matrices else []), ""]]
    for layer in execution.layers:
        product = [str(layer.matrices or "")] if matrices else []
        values = sum(map(math.prod, layer.arrays.values()))
        name, mark = words.line(layer.name), "differs" if layer.name in wrong else "agrees"
        counts = (f"{values:,}", f"{layer.multiplications:,}")
        rows.append(["", name, format_shape(layer.shape), *counts, *product, mark])
    return align(rows, [False, False, *[True] * (len(rows[0]) - 3), False], colour=False)


def as_document(
    analysis: Analysis,
    execution: Execution,
    differences: Sequence[Difference],
    guesses: Sequence[Sequence[Guess]],
    counted: bool,
) -> dict[str, Any]:
    """The same for programs."""
    graph = analysis.graph
    return {
        "schema": SCHEMA,
        "network": graph.name,
        "input": {"shape": list(graph.input_shape), "batch": execution.batch, "dtype": analysis.dtype},
        "layers": [
            {
                "name": done.name,
                "op": layer.op.kind,
                "output_shape": list(done.shape),
                "arrays": {name: list(shape) for name, shape in done.arrays.items()},
                "multiplications": done.multiplications,
                "live_bytes": done.live_bytes,
                **({} if done.matrices is None else {"matrices": done.matrices._asdict()}),
            }
            for done, layer in zip(execution.layers, graph.layers, strict=True)
        ],
        "totals": {
            "params_and_buffers": parameters(execution),
            "multiplications": sum(done.multiplications for done in execution.layers),
            "peak_live_bytes": max(done.live_bytes for done in execution.layers),
        },
        "counted": counted,
        "values": None if execution.values is None else _values(execution.values, analysis.dtype),
        "top": [[guess._asdict() for guess in found] for found in guesses],
        "differences": [each._asdict() for each in differences],
        "agree": not differences,
    }
