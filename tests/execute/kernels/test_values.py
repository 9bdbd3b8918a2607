"""Kernels of the newer ops: values worked out by hand or printed in a table, and what the analysis says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Any, NamedTuple

import numpy as np
import pytest

from archcalc.execute.calls import multiplications
from archcalc.execute.kernels import KERNELS, Array
from archcalc.graph.layer_graph import Layer
from tests.networks import op
from tests.ops.rows import SMALL, Row, label

X = [-2.0, 0, 2]


class Values(NamedTuple):
    """Maps of one image and the arrays of a layer, and the map that must come out."""

    kind: str
    maps: Sequence[Any]
    wanted: Any
    fields: Mapping[str, Any] = {}
    arrays: Mapping[str, Any] = {}


def _constant(gates: int, biases: list[int]) -> dict[str, Any]:
    """Arrays of a recurrent layer with one unit whose gates depend on nothing but their biases."""
    zeros = [[0]] * gates
    return {"weight_ih_l0": zeros, "weight_hh_l0": zeros, "bias_ih_l0": biases, "bias_hh_l0": [0] * gates}


VALUES = [
    Values("leaky_relu", [X], [-0.02, 0, 2]),
    Values("leaky_relu", [X], [-1, 0, 2], {"negative_slope": 0.5}),
    Values("prelu", [X], [-0.5, 0, 2], {}, {"weight": [0.25]}),
    Values(
        "prelu", [[[-1, 1], [-1, 2]]], [[-3, 1], [-5, 2]], {"num_parameters": "channels"}, {"weight": [3, 5]}
    ),
    Values("elu", [X], [-0.86466472, 0, 2]),
    Values("selu", [X], [-1.52016652, 0, 2.10140197]),
    # Φ(−2) = 0.02275013, from the table of the normal distribution.
    Values("gelu", [X], [-2 * 0.02275013, 0, 2 * 0.97724987]),
    Values("gelu", [X], [-0.04540229, 0, 1.95459771], {"approximate": "tanh"}),
    Values("silu", [X], [-0.23840584, 0, 1.76159416]),
    Values("mish", [X], [-0.25250148, 0, 1.94395896]),
    Values("hardsigmoid", [[-4, -2, 0, 2, 4]], [0, 1 / 6, 1 / 2, 5 / 6, 1]),
    Values("hardswish", [[-4, -2, 0, 2, 4]], [0, -1 / 3, 0, 5 / 3, 4]),
    Values("hardtanh", [X], [-1, 0, 1]),
    Values("hardtanh", [X], [0, 0, 2], {"min_val": 0, "max_val": 6}),
    Values("softplus", [X], [0.12692801, log(2), 2.12692801]),
    # Above the threshold the value itself.
    Values("softplus", [X], [0.00907496, log(2) / 2, 2], {"beta": 2, "threshold": 3}),
    Values("log_softmax", [[0, log(3)]], [log(1 / 4), log(3 / 4)]),
    Values("glu", [[1, 2, 0, log(3)]], [0.5, 1.5]),
    # Mean 2, variance 1: −1 and 1 but for ε. At each position.
    Values(
        "layer_norm", [[[1, 4], [3, 8]]], [[-9, -9], [21, 21]], {"epsilon": 1e-12},
        {"weight": [10, 20], "bias": [1, 1]},
    ),
    # Mean 3, variance 5 and 4 more: 2·(x − 3)/3.
    Values(
        "layer_norm", [[[0, 2], [4, 6]]], [[-2, -2 / 3], [2 / 3, 2]], {"axes": "all", "epsilon": 4, "bias": False},
        {"weight": [[2, 2], [2, 2]]},
    ),
    # Mean square 12.5, and 3.5 more: 4².
    Values("rms_norm", [[3, 4]], [0.75, 2], {"epsilon": 3.5}, {"weight": [1, 2]}),
    Values("group_norm", [[1, 3, 0, 8]], [-1, 1, -1, 1], {"num_groups": 2, "affine": False, "epsilon": 1e-12}),
    Values("instance_norm", [[[1, 3], [0, 8]]], [[-1, 1], [-1, 1]], {"epsilon": 1e-12}),
    Values("scale", [[1, 2]], [4, 9], {"bias": True}, {"weight": [3, 4], "bias": [1, 1]}),
    Values("parameter", [], [[3, 4]], {"shape": "2x1"}, {"weight": [[3, 4]]}),
    # Norms 5 and 15 with the mean 10: N is 1/2 and 3/2.
    Values(
        "global_response_norm", [[[3, 4], [9, 12]]], [[3 + 3 + 1, 4 + 4 + 1], [9 + 27, 12 + 36]], {"epsilon": 1e-12},
        {"weight": [2, 2], "bias": [1, 0]},
    ),
    Values("l2_norm", [[[3, 0], [4, 5]]], [[0.6, 0], [0.8, 1]]),
    Values("position_embedding", [[[1, 2]]], [[11, 22]], {}, {"weight": [[10, 20]]}),
    Values("class_token", [[[1, 2]]], [[9, 1, 2]], {}, {"weight": [[9]]}),
    Values(
        "embedding", [[2, 0]], [[3, 1], [30, 10]], {"num_embeddings": 3, "embedding_dim": 2},
        {"weight": [[1, 10], [2, 20], [3, 30]]},
    ),
    # The second and the last position of a row of two channels; the number 4 counts on as 1.
    Values("index_select", [[[1, 2, 3], [10, 20, 30]], [4, 2]], [[2, 3], [20, 30]]),
    # (1 2; 3 4)·(1 0; 0 2) = (1 4; 3 8), a column of each matrix as a channel.
    Values("matmul", [[[1, 3], [2, 4]], [[1, 0], [0, 2]]], [[1, 3], [4, 8]]),
    # A query of 0 takes as much of each value.
    Values("scaled_dot_product_attention", [[[0]], [[1, 2]], [[3, 5]]], [[4]]),
    # Queries of 0: the mean of 2x + 1, times 10 and 3 more.
    Values(
        "multi_head_attention", [[[1, 3]]], [[53, 53]], {"num_heads": 1},
        {"in_proj_weight": [[0], [0], [2]], "in_proj_bias": [0, 0, 1], "out_proj_weight": [[10]], "out_proj_bias": [3]},
    ),
    # Two heads out of one channel: the means of x and of 2x.
    Values(
        "multi_head_attention", [[[1, 3]]], [[2, 2], [4, 4]], {"num_heads": 2, "embed_dim": 2, "bias": False},
        {"in_proj_weight": [[0], [0], [0], [0], [1], [2]], "out_proj_weight": [[1, 0], [0, 1]]},
    ),
    # Windows of 2 that were moved by 1: in the last one 7 and 1, which were the ends of the row, stay by themselves.
    Values(
        "multi_head_attention", [[[3, 5, 7, 1]]], [[4, 4, 7, 1]], {"num_heads": 1, "window_size": 2, "shift_size": 1},
        {"in_proj_weight": [[0], [0], [1]], "in_proj_bias": [0, 0, 0], "out_proj_weight": [[1]], "out_proj_bias": [0]},
    ),
    # A grid of 2: each position with the one half a row away.
    Values(
        "multi_head_attention", [[[3, 5, 7, 1]]], [[5, 3, 5, 3]],
        {"num_heads": 1, "window_size": 2, "partition": "grid"},
        {"in_proj_weight": [[0], [0], [1]], "in_proj_bias": [0, 0, 0], "out_proj_weight": [[1]], "out_proj_bias": [0]},
    ),
    # Running sums.
    Values(
        "rnn", [[[1, 2, 3]]], [[1, 3, 6]], {"hidden_size": 1, "nonlinearity": "relu", "bias": False},
        {"weight_ih_l0": [[1]], "weight_hh_l0": [[1]]},
    ),
    # Running sums of each row.
    Values(
        "rnn", [[[[1, 2, 3], [0, 5, 1]]]], [[[1, 3, 6], [0, 5, 6]]],
        {"hidden_size": 1, "nonlinearity": "relu", "bias": False, "per_row": True},
        {"weight_ih_l0": [[1]], "weight_hh_l0": [[1]]},
    ),
    # One bias: what is added at each step.
    Values(
        "rnn", [[[0, 0, 0]]], [[2, 4, 6]], {"hidden_size": 1, "nonlinearity": "relu", "single_bias": True},
        {"weight_ih_l0": [[1]], "weight_hh_l0": [[1]], "bias_ih_l0": [2]},
    ),
    # All gates open: the cell counts the steps.
    Values("lstm", [[[7, 8]]], [[0.76159416, 0.96402758]], {"hidden_size": 1}, _constant(4, [100, 100, 100, 100])),
    # Half of the old state and half of 1.
    Values("gru", [[[7, 8]]], [[0.5, 0.75]], {"hidden_size": 1}, _constant(3, [0, 0, 100])),
    # The new state alone, half of the old one in it: tanh(1), then tanh(1 + 2·tanh(1)/2).
    Values(
        "gru", [[[7, 8]]], [[0.76159416, 0.94268079]], {"hidden_size": 1, "reset_after": False},
        {"weight_ih_l0": [[0], [0], [0]], "weight_hh_l0": [[0], [0], [2]],
         "bias_ih_l0": [0, -100, 0], "bias_hh_l0": [0, 0, 1]},
    ),
    Values(
        "linear", [[[1, 2], [3, 4]]], [[8, 11]], {"out_features": 1, "per_position": True},
        {"weight": [[1, 2]], "bias": [1]},
    ),
    Values("add", [[[1, 2]], [[10], [20]]], [[11, 12], [21, 22]], {"broadcast": True}),
    Values("multiply", [[[1, 2]], [[10], [20]]], [[5, 10], [10, 20]], {"broadcast": True, "factor": 0.5}),
    Values("subtract", [[[1, 2]], [[10], [20]]], [[-9, -8], [-19, -18]], {"broadcast": True}),
    Values("divide", [[[1, 2]], [[10], [20]]], [[0.1, 0.2], [0.05, 0.1]], {"broadcast": True}),
    Values("divide", [[8, 9], [2, 3]], [4, 3]),
    Values("rescale", [[[1, 2], [3, 4]]], [[0.5, 2.5], [4.5, 6.5]], {"factor": 2.0, "offset": -1.5}),
    Values("rescale", [[[1, 2], [3, 4]]], [[11, 12], [6, 8]], {"factor": [1.0, 2.0], "offset": [10.0, 0.0]}),
    Values("power", [[4, 9, 0.25]], [2, 3, 0.5], {"exponent": 0.5}),
    Values("power", [[4, -2, 0.25]], [0.25, -0.5, 4], {"exponent": -1}),
    Values("concat", [[[1, 2]], [[3]]], [[1, 2, 3]], {"axis": "length"}),
    Values("chunk", [[1, 2, 3, 4, 5]], [4, 5], {"chunks": 2, "index": 1}),
    Values("split", [[1, 2, 3, 4]], [2, 3], {"sizes": [1, 2, 1], "index": 1}),
    Values("narrow", [[[1, 2, 3, 4, 5]]], [[2, 4]], {"axis": "length", "start": 1, "step": 2}),
    # Zhang et al. 2017, figure 1: the first of each group, then the second of each.
    Values("channel_shuffle", [[1, 2, 3, 4, 5, 6]], [1, 4, 2, 5, 3, 6], {"groups": 2}),
    Values("permute", [[[1, 2, 3], [4, 5, 6]]], [[1, 4], [2, 5], [3, 6]], {"dims": ["length", "channels"]}),
    Values("transpose", [[[1, 2, 3], [4, 5, 6]]], [[1, 4], [2, 5], [3, 6]], {"dims": ["channels", "length"]}),
    Values("pixel_shuffle", [[[[1]], [[2]], [[3]], [[4]]]], [[[1, 2], [3, 4]]], {"upscale_factor": 2}),
    Values("pixel_unshuffle", [[[[1, 2], [3, 4]]]], [[[1]], [[2]], [[3]], [[4]]], {"downscale_factor": 2}),
    Values("tokens", [[[[1, 2], [3, 4]]]], [[1, 2, 3, 4]]),
    Values("grid", [[[1, 2, 3, 4]]], [[[1, 2], [3, 4]]]),
    Values("mean", [[[1, 2, 6], [3, 4, 8]]], [[2, 3, 7]], {"axes": ["channels"]}),
    Values("mean", [[[1, 2, 6], [3, 4, 8]]], [[3], [5]], {"axes": ["length"]}),
    Values("amax", [[[1, 2, 9], [3, -4, 8]]], [[3, 2, 9]], {"axes": ["channels"]}),
    Values("amax", [[[[1, 2], [5, -4]], [[0, 3], [2, 9]]]], [[[2], [5]], [[3], [9]]], {"axes": ["width"]}),
    Values("roll", [[[1, 2, 3, 4]]], [[4, 1, 2, 3]], {"shifts": 1}),
    Values("interpolate", [[[0, 4]]], [[0, 1, 3, 4]], {"scale_factor": 2, "mode": "linear"}),
    Values("interpolate", [[[0, 3]]], [[0, 1, 2, 3]], {"size": 4, "mode": "linear", "align_corners": True}),
    Values("interpolate", [[[1, 2, 3]], [[0, 0]]], [[1, 2]]),
    # Places 0, 2/3, 4/3 and 2; then those of the centres of pixels, 3/2 apart.
    Values("interpolate", [[[1, 2, 3]]], [[1, 1, 2, 3]], {"scale_factor": 1.5}),
    Values("interpolate", [[[0, 3, 6, 9, 12]]], [[0.75, 5.25, 9.75]], {"scale_factor": 2 / 3, "mode": "linear"}),
    # A triangle of three quarters, three quarters and a quarter, divided by its sum.
    Values("interpolate", [[[[0, 7, 14, 7]]]], [[[5, 10]]], {"size": [1, 2], "mode": "bilinear", "antialias": True}),
    # Half-way between two pixels: (−3, 19, 19, −3)/32 with a = −3/4.
    Values("interpolate", [[[[32, 64, 96, 32]]]], [[[-3 + 19 * 2 + 19 * 3 - 3]]], {"size": [1, 1], "mode": "bicubic"}),
    Values("reflection_pad", [[[1, 2, 3]]], [[3, 2, 1, 2, 3, 2]], {"padding": [2, 1]}),
    Values("replication_pad", [[[1, 2, 3]]], [[1, 1, 1, 2, 3, 3]], {"padding": [2, 1]}),
    Values("circular_pad", [[[1, 2, 3]]], [[2, 3, 1, 2, 3, 1]], {"padding": [2, 1]}),
    *(
        Values(kind, [X], X)
        for kind in ("stochastic_depth", "drop_block", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
    ),
]  # fmt: skip


def run(kind: str, fields: Mapping[str, Any], maps: Sequence[Array], arrays: Mapping[str, Array]) -> Array:
    """The kernel of an op with these settings."""
    made = op(kind, **fields).resolve([each.shape[1:] for each in maps])
    kernel = KERNELS[kind]
    return kernel.run(*maps, **arrays, **{name: getattr(made, name) for name in kernel.settings})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", VALUES, ids=lambda case: case.kind)
def test_values(case: Values, dtype: str) -> None:
    maps = [np.array([each], dtype) for each in case.maps] or [np.empty((1, 0), dtype)]
    before = [each.copy() for each in maps]
    out = run(case.kind, case.fields, maps, {name: np.array(each, dtype) for name, each in case.arrays.items()})
    assert out.dtype == dtype
    np.testing.assert_allclose(out, [case.wanted], rtol=2e-6, atol=1e-8)
    for each, old in zip(maps, before, strict=True):
        np.testing.assert_array_equal(each, old)


def test_a_single_number_of_windows_and_shifts_stands_for_every_axis() -> None:
    draw = np.random.default_rng(0)
    x, arrays = draw.standard_normal((2, 4, 4, 6)), {}
    for name, size in (("in_proj_weight", (12, 4)), ("in_proj_bias", (12,)), ("out_proj_weight", (4, 4))):
        arrays[name] = draw.standard_normal(size)
    run_it = KERNELS["multi_head_attention"].run
    one = run_it(x, num_heads=2, window_size=(2,), shift_size=(1,), **arrays)
    both = run_it(x, num_heads=2, window_size=(2, 2), shift_size=(1, 1), **arrays)
    np.testing.assert_array_equal(one, both)
    assert (one != run_it(x, num_heads=2, window_size=(2,), **arrays)).any()


def test_every_newer_op_has_values() -> None:
    assert {case.kind for case in VALUES} == {row.kind for row in SMALL}


@pytest.mark.parametrize("row", SMALL, ids=label)
def test_shapes_and_arrays_are_those_of_the_analysis(row: Row) -> None:
    made = op(row.kind, **row.fields).resolve(row.inputs)
    kernel = KERNELS[row.kind]
    maps = [np.ones((2, *shape), "float32") for shape in row.inputs] or [np.ones((2, 0), "float32")]
    sizes = {}
    if kernel.arrays is not None:
        sizes = dict(kernel.arrays(maps[0], **{name: getattr(made, name) for name in kernel.array_settings}))
    assert sizes == {array.name: array.shape for array in made.param_shapes(row.inputs)}
    out = run(row.kind, row.fields, maps, {name: np.ones(size, "float32") for name, size in sizes.items()})
    assert out.shape == (2, *row.output)
    assert out.dtype == "float32"
    layer = Layer(row.kind, op(row.kind, **row.fields), ())
    assert multiplications(layer, maps, out, sizes) == row.macs


@pytest.mark.parametrize("kind", [kind for kind in {row.kind: None for row in SMALL} if KERNELS[kind].in_place])
def test_functions_can_work_in_place(kind: str) -> None:
    row = next(row for row in SMALL if row.kind == kind)
    x = np.linspace(-4, 4, 2 * int(np.prod(row.inputs[0]))).reshape(2, *row.inputs[0])
    arrays = {array.name: np.full(array.shape, 0.3) for array in op(kind, **row.fields).param_shapes(row.inputs)}
    wanted = run(kind, row.fields, [x], arrays)
    settings = {name: getattr(op(kind, **row.fields), name) for name in KERNELS[kind].settings}
    assert KERNELS[kind].run(x, **arrays, **settings, out=x) is x
    np.testing.assert_array_equal(x, wanted)


def test_what_works_in_place_by_convention_can_do_so() -> None:
    for row in SMALL:
        layer = op(row.kind, **row.fields)
        assert layer.is_view or layer.in_place == KERNELS[row.kind].in_place, row.kind


def test_the_error_function_is_exact() -> None:
    from math import erf

    from archcalc.execute.kernels import curves

    x = np.linspace(-7, 7, 2001)
    np.testing.assert_allclose(curves.erf(x), [erf(value) for value in x], rtol=4e-15, atol=1e-16)


@pytest.mark.parametrize("kind", ["gelu", "silu", "mish", "softplus", "elu", "selu", "hardswish", "log_softmax"])
def test_large_values_do_not_overflow(kind: str) -> None:
    x = np.array([[-1e4, 1e4]], "float32")
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(run(kind, {}, [x], {})).all()


def test_moments_are_those_of_many_values() -> None:
    from archcalc.execute.kernels.moments import Moments

    x = np.random.default_rng(0).standard_normal(400_000) * 1.5 + 0.3
    for kind in ("silu", "gelu", "leaky_relu", "hardtanh"):
        kernel = KERNELS[kind]
        settings = {name: getattr(op(kind), name) for name in kernel.settings}
        assert kernel.moments is not None
        mean, variance = kernel.moments([Moments(0.3, 1.5**2)], **settings)
        found = kernel.run(x[None], **settings)
        assert (mean, variance) == pytest.approx((found.mean(), found.var()), rel=0.02)
