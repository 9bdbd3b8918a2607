"""The page of the conventions, compared with the counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod
from typing import Any

import pytest

from archcalc.core.shapes import Shape
from archcalc.ops import OPS
from archcalc.passes.analysis import Analysis
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse_expression
from tests.docs.pages import ROOT, analysis_of, needed_by, table
from tests.ranks import plane

CONVENTIONS = ROOT / "docs" / "explanation" / "conventions.md"
KINDS = ("additions", "multiplications", "comparisons", "divisions", "exponentials")
#: What the ops read: windows of 3×3 tile it with a stride of 3.
IMAGE: Shape = (12, 6, 6)
TOKENS: Shape = (12, 5)


def formulas() -> Iterator[tuple[str, list[str]]]:
    """Each op with its formulas; what is not written is 0."""
    for row in table(CONVENTIONS, "## Operations by kind"):
        for kind in re.findall(r"`(\w+2d|\w+)`", row[0].split(" with ")[0]):
            yield kind, [cell.strip("`") or "0" for cell in row[1:]]


@pytest.mark.parametrize(
    ("kind", "written"), list(formulas()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_of_an_op(kind: str, written: list[str]) -> None:
    fields: dict[str, dict[str, Any]] = {
        "adaptive_avg_pool2d": {"output_size": 3},
        "adaptive_max_pool2d": {"output_size": 3},
        "upsample2d": {"mode": "bilinear"},
        "matmul": {"transpose_second": True},
        "rescale": {"factor": 2.0, "offset": 1.0},
        "interpolate": {"mode": "bilinear", "size": 9},
    }
    for bias in (False, True):
        with_bias = {"bias": bias} if "bias" in OPS[kind].model_fields else {}
        op = OPS[kind].model_validate({**needed_by(kind), **fields.get(kind, {}), **with_bias})
        shape = IMAGE[:1] if kind == "rbf" else TOKENS if op.family in ("attention", "recurrent") else IMAGE
        inputs = [shape] * (3 if op.most_inputs is None else max(op.fewest_inputs, 1))
        output = op.output_shape(inputs)
        variables = {
            "n": prod(output),
            "i": prod(inputs[0]),
            "c": output[0],
            "m": op.macs(inputs, output),
            "f": 9,
            "b": int(bias),
            "k": len(inputs),
            "g": getattr(op, "num_groups", 1),
            "t": prod(inputs[0][1:]),
            "h": getattr(op, "num_heads", 1),
        }
        counted = op.operations(inputs, output)
        expected = [evaluate(parse_expression(formula), variables) for formula in written]
        if kind == "local_response_norm":
            # Windows of five channels are cut off at the first two and the last two: 6 of 60 sums are missing.
            expected[0] -= 6 * prod(output[1:])
        assert counted is not None
        assert dict(zip(KINDS, expected, strict=True)) == counted._asdict()


def test_every_op_that_calculates_has_formulas() -> None:
    listed = {kind for kind, _ in formulas()} | {"depthwise_conv2d"}  # it becomes a conv2d
    # The conventions of images hold for one and three position axes.
    listed |= {kind for kind in OPS if plane(kind) in listed}
    for kind in OPS.keys() - listed - {"input"}:
        op = OPS[kind].model_validate({"shape": "6x6x12"} if kind == "reshape" else needed_by(kind))
        inputs = [(12, *(6,) * getattr(op, "rank", 2))] * op.fewest_inputs
        assert op.not_counted or not any(op.operations(inputs, op.output_shape(inputs)) or ()), kind


def counts_of_tools(analysis: Analysis) -> list[int]:
    """What the other tools print, by the rules on the page: archcalc, fvcore, torchinfo, ptflops, thop."""
    biases = normalised = normalisation = rectified = read_by_pools = averages = adaptive = stamped = 0
    for row in analysis.rows:
        values, kind = prod(row.output_shape), row.op.kind
        if kind in ("conv2d", "conv_transpose2d", "linear"):
            biases += values * any(param.name == "bias" for param in row.op.param_shapes(row.input_shapes))
        if kind == "conv_transpose2d":
            # Once for each output position, as if it were a convolution, in place of each input position.
            before, after = prod(row.input_shapes[0][1:]), prod(row.output_shape[1:])
            assert row.multiplications is not None
            stamped += row.multiplications * after // before - row.multiplications
        normalised += values * (kind == "batch_norm2d")
        normalisation += row.params * (kind == "batch_norm2d")
        rectified += values * (kind == "relu")
        if "pool" in kind:
            read_by_pools += prod(row.input_shapes[0])
            averages += values * ("avg" in kind)
            adaptive += prod(row.input_shapes[0]) * (kind in ("global_avg_pool2d", "adaptive_avg_pool2d"))
    ours = analysis.totals.multiplications
    return [
        ours,
        ours + 2 * normalised + adaptive,
        ours + biases + normalisation + stamped,
        ours + biases + 2 * (normalised + rectified + read_by_pools),
        ours + 4 * normalised + averages + adaptive + stamped,
    ]


@pytest.mark.parametrize("row", table(CONVENTIONS, "### What other tools add"), ids=lambda row: row[0])
def test_counts_of_other_tools(row: list[str]) -> None:
    printed = [int(cell.replace(",", "")) for cell in row[1:]]
    assert counts_of_tools(analysis_of(row[0].strip("`"))) == printed
