"""Pruning through attention: the executor gives the same numbers as with these channels at zero."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.design.transform.prune import Pruning, follow
from archcalc.design.transform.transform import transform
from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.execute import execute
from archcalc.passes.analysis import Analysis, Row
from tests.design.transform.test_prune_groups import Given

HEAD = "name: net\ntitle: Net\ninput: 5x6\nlayers:\n"
TOKENS = "per_position: true"

SEPARATE = f"""{HEAD}
  - linear: {{name: x, out_features: 8, {TOKENS}}}
  - linear: {{name: q, from: x, out_features: 12, {TOKENS}}}
  - linear: {{name: k, from: x, out_features: 12, {TOKENS}}}
  - linear: {{name: v, from: x, out_features: 6, {TOKENS}}}
  - scaled_dot_product_attention: {{name: attention, from: [q, k, v], num_heads: 3}}
  - linear: {{name: out, out_features: 8, {TOKENS}}}
  - add: {{from: [out, x]}}
  - linear: {{name: end, out_features: 4}}
"""
TOGETHER = f"""{HEAD}
  - linear: {{name: x, out_features: 8, {TOKENS}}}
  - linear: {{name: qkv, out_features: 36, {TOKENS}}}
  - chunk: {{name: q, from: qkv, chunks: 3, index: 0}}
  - CUT: {{name: k, from: qkv, FIELDS}}
  - narrow: {{name: v, from: qkv, start: 24}}
  - scaled_dot_product_attention: {{name: attention, from: [q, k, v], num_heads: 3}}
  - linear: {{name: out, out_features: 8, {TOKENS}}}
  - add: {{from: [out, x]}}
  - linear: {{name: end, out_features: 4}}
"""
CHUNKS = TOGETHER.replace("CUT", "chunk").replace("FIELDS", "chunks: 3, index: 1")
SPLIT = TOGETHER.replace("CUT", "split").replace("FIELDS", "sizes: [12, 12, 12], index: 1")
SELF = f"""{HEAD}
  - linear: {{name: x, out_features: 12, {TOKENS}}}
  - multi_head_attention: {{name: attention, num_heads: 3}}
  - add: {{from: [attention, x]}}
  - linear: {{name: end, out_features: 4}}
"""
NARROWER = SELF.replace("num_heads: 3", "num_heads: 3, embed_dim: 6").replace("  - add: {from: [attention, x]}\n", "")
CROSS = f"""{HEAD}
  - linear: {{name: x, out_features: 12, {TOKENS}}}
  - linear: {{name: memory, from: input, out_features: 7, {TOKENS}}}
  - linear: {{name: values, from: input, out_features: 9, {TOKENS}}}
  - multi_head_attention: {{name: attention, from: [x, memory, values], num_heads: 3, kdim: 7, vdim: 9}}
  - add: {{from: [attention, x]}}
  - linear: {{name: end, out_features: 4}}
"""
WINDOWS = """
name: net
title: Net
input: 4x6x3
layers:
  - conv2d: {name: x, out_channels: 12, kernel_size: 1}
  - multi_head_attention: {name: attention, num_heads: 3, window_size: [2, 3], shift_size: [1, 1],
                           relative_position_bias: true}
  - add: {from: [attention, x]}
  - global_avg_pool2d
  - linear: {name: end, out_features: 4}
"""


def inner(row: Row, count: int) -> list[int]:
    """The channels inside attention that go with so many of its output: the last heads, or the last of each."""
    heads = int(row.op.num_heads)  # type: ignore[attr-defined]
    each = int(row.output_shape[0]) // heads
    if count % each == 0:
        return list(range(heads * each - count, heads * each))
    fewer = count // heads
    return [head * each + one for head in range(heads) for one in range(each - fewer, each)]


def both(before: Analysis, row: Row, pruning: Pruning, arrays: Mapping[str, Array]) -> tuple[dict[str, Array], ...]:
    """The arrays of a layer with the lost channels at zero, and without them."""
    place = before.graph.index[row.name]
    own = sorted(pruning.lost[place])
    reads = [sorted(pruning.lost[source]) for source in before.graph.layers[place].inputs]
    zeroed = {name: array.copy() for name, array in arrays.items()}
    if row.op.kind != "multi_head_attention":
        for array in zeroed.values():
            array[own] = 0
        weight = np.delete(arrays["weight"], own, axis=0)
        each = weight.shape[1] // row.input_shapes[0][0]  # a flat row of values: those of a channel follow one another
        columns = [channel * each + one for channel in reads[0] for one in range(each)]
        return zeroed, {"weight": np.delete(weight, columns, axis=1), "bias": np.delete(arrays["bias"], own, axis=0)}
    lost, embed, heads = inner(row, len(own)), row.output_shape[0], row.op.num_heads  # type: ignore[attr-defined]
    if "in_proj_weight" in arrays:
        zeroed |= {
            f"{name}_proj_weight": part for name, part in zip("qkv", np.split(arrays["in_proj_weight"], 3), strict=True)
        }
    pruned = {}
    biases = []
    for name, columns, bias in zip("qkv", (reads * 3)[:3], np.split(zeroed["in_proj_bias"], 3), strict=True):
        weight = zeroed[f"{name}_proj_weight"]
        weight[lost] = 0
        bias[lost] = 0
        # Scores are divided by the root of the depth of a head, which is smaller than before.
        still = len(lost) % (embed // heads) == 0
        factor = np.sqrt(1 - len(lost) / embed) if name == "q" and not still else 1
        pruned[f"{name}_proj_weight"] = np.delete(np.delete(weight, lost, 0), columns, 1) * factor
        biases.append(np.delete(bias, lost) * factor)
    pruned["in_proj_bias"] = np.concatenate(biases)
    for name in ("out_proj_weight", "out_proj_bias"):
        zeroed[name][own] = 0
        pruned[name] = np.delete(zeroed[name], own, axis=0)
    pruned["out_proj_weight"] = np.delete(pruned["out_proj_weight"], lost, axis=1)
    if "relative_position_bias_table" in arrays:
        gone = {channel * heads // embed for channel in lost} if len(lost) % (embed // heads) == 0 else set()
        pruned["relative_position_bias_table"] = np.delete(arrays["relative_position_bias_table"], sorted(gone), axis=1)
    if "in_proj_weight" in arrays:
        for one in (zeroed, pruned):
            one["in_proj_weight"] = np.concatenate([one.pop(f"{name}_proj_weight") for name in "qkv"])
    return zeroed, pruned


#: The network, the layer, how many of its channels, and what attention has afterwards: heads, and what is asked of it.
CASES = [
    (SEPARATE, "v", 3, 3, {"out": 8, "v": 3, "q": 12}),
    (SEPARATE, "v", 2, 2, {"v": 4, "q": 8, "k": 8, "out": 8}),
    (SEPARATE, "q", 4, 2, {"v": 4, "q": 8, "k": 8}),
    (SEPARATE, "q", 6, 3, {"v": 6, "q": 6, "k": 6}),
    (SEPARATE, "k", 3, 3, {"v": 6, "q": 9, "k": 9}),
    (SEPARATE, "out", 3, 3, {"x": 5, "out": 5}),
    (CHUNKS, "qkv", 12, 2, {"qkv": 24, "q": 8, "k": 8, "v": 8}),
    (SPLIT, "qkv", 12, 2, {"qkv": 24, "q": 8, "k": 8, "v": 8}),
    (SPLIT, "qkv", 9, 3, {"qkv": 27, "q": 9, "k": 9, "v": 9}),
    (SELF, "x", 4, 2, {"x": 8, "attention": 8}),
    (SELF, "attention", 8, 1, {"x": 4, "attention": 4}),
    (SELF, "x", 3, 3, {"x": 9, "attention": 9}),
    (NARROWER, "x", 5, 3, {"x": 7, "attention": 6}),
    (NARROWER, "attention", 2, 2, {"x": 12, "attention": 4}),
    (NARROWER, "attention", 3, 3, {"x": 12, "attention": 3}),
    (CROSS, "memory", 2, 3, {"memory": 5, "attention": 12}),
    (CROSS, "values", 1, 3, {"values": 8, "attention": 12}),
    (CROSS, "x", 4, 2, {"x": 8, "values": 9, "attention": 8}),
    (CROSS, "attention", 6, 3, {"x": 6, "attention": 6}),
    (WINDOWS, "x", 8, 1, {"x": 4, "attention": 4}),
    (WINDOWS, "attention", 3, 3, {"x": 9, "attention": 9}),
]


@pytest.mark.parametrize(("text", "layer", "count", "heads", "channels"), CASES)
def test_pruned_attention_gives_what_zeroed_channels_give(
    text: str, layer: str, count: int, heads: int, channels: Mapping[str, int]
) -> None:
    before = ac.from_yaml(text).analyse()
    pruning = follow(before, before.graph.index[layer], count)
    after = transform(before, [("prune", [layer, str(count)])]).after
    assert {name: after.by_name[name].output_shape[0] for name in channels} == channels
    assert after.by_name["attention"].op.num_heads == heads  # type: ignore[attr-defined]

    seeded = SeededWeights(before.graph, 0, "float64", keep=True)
    x = np.random.default_rng(0).standard_normal((2, *before.rows[0].output_shape))
    execute(before.graph, x, seeded, "loops")
    zeroed: dict[str, Mapping[str, Array]] = {}
    pruned: dict[str, Mapping[str, Array]] = {}
    for row in before.rows:
        if arrays := seeded.kept(row.name):
            zeroed[row.name], pruned[row.name] = both(before, row, pruning, arrays)
    attention = before.by_name["attention"]
    if attention.op.kind == "scaled_dot_product_attention":
        was, now = (analysis.by_name["q"].output_shape[0] for analysis in (before, after))
        depth = (now / heads) / (was / attention.op.num_heads)  # type: ignore[attr-defined]
        name = "q" if "q" in pruned else "qkv"
        for array in pruned[name].values():
            array[:now] *= np.sqrt(depth)
    expected = execute(before.graph, x, Given(zeroed), "loops").outputs["output"]
    found = execute(after.graph, x, Given(pruned), "loops").outputs["output"]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
    assert np.abs(expected).max() > 1e-3


@pytest.mark.parametrize(
    ("text", "layer", "count", "message"),
    [
        (SEPARATE, "v", 1, r'"attention" .* has 3 heads of 2 channels, .* prune a multiple of 2, whole heads, or of 3'),
        (SEPARATE, "q", 5, r'"attention" .* has 3 heads of 4 channels'),
        (SELF, "x", 2, r'"attention" .* has 3 heads of 4 channels; prune a multiple of 4, whole heads, or of 3'),
        (
            SEPARATE.replace("scaled_dot_product_attention: {name: attention, from: [q, k, v], num_heads: 3}",
                             "matmul: {name: scores, from: [q, k], transpose_second: true}"),
            "q", 1, r'"scores" .* would lose channels, .* in a product of two maps the channels of one are positions',
        ),
        (CHUNKS, "qkv", 4, '"qkv" .* would lose 12 channels, for some belong together; prune 9 instead'),
        (CHUNKS.replace("start: 24", "step: 3"), "qkv", 12, '"v" .* takes every 3 channels'),
    ],
)  # fmt: skip
def test_what_attention_cannot_lose(text: str, layer: str, count: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        transform(ac.from_yaml(text).analyse(), [("prune", [layer, str(count)])])


@pytest.mark.slow
@pytest.mark.parametrize("network", ["deit_s_16", "swin_t"])
def test_networks_of_the_catalogue_run_with_a_head_less(network: str) -> None:
    before = ac.analyse(network)
    row = next(row for row in before.rows if row.op.kind == "multi_head_attention")
    count = row.output_shape[0] // row.op.num_heads  # type: ignore[attr-defined]
    after = transform(before, [("prune", [row.name, str(count)])]).after
    assert after.by_name[row.name].op.num_heads == row.op.num_heads - 1  # type: ignore[attr-defined]
    assert after.totals.params < before.totals.params
    x = np.ones((1, *before.rows[0].output_shape), np.float32)
    done = execute(after.graph, x, SeededWeights(after.graph, 0))
    assert np.isfinite(done.outputs["output"]).all()
