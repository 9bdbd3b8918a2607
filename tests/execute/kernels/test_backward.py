"""The gradient of every kernel against central finite differences, in float64."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.execute.kernels import KERNELS, Array
from archcalc.execute.kernels.backward import BACKWARD
from archcalc.execute.kernels.pool import max_pool_with_switches
from archcalc.ops import OPS, Op
from tests.execute.kernels.test_forms import pairs, windowed
from tests.networks import op
from tests.ops.rows import SMALL, Row
from tests.ranks import PLANE, plane, rank_of
from tests.tiers import examples

STEP = 1e-6
#: Numbers of some ops must reach further, to where their curve bends. They lie on no bend themselves.
APART = {"hardsigmoid": 0.37, "hardswish": 0.37, "hardtanh": 0.13, "softplus": 0.13}


class Case(NamedTuple):
    """Shapes of the maps; the settings of the kernel; those from which the sizes of its arrays follow."""

    maps: Sequence[tuple[int, ...]]
    settings: Mapping[str, Any] = {}
    sizes: Mapping[str, Any] = {}


WINDOW = {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0, 0, 1), "dilation": (1, 2)}
STEPS = {name: WINDOW[name] for name in ("stride", "padding", "dilation")}
MAP = (2, 3, 5, 6)
TABLE = ((0, 2), (1,), (2, 0), (0, 1, 2))

CASES: dict[str, list[Case]] = {
    "input": [Case([MAP])],
    "identity": [Case([MAP])],
    "dropout": [Case([MAP])],
    "flatten": [Case([MAP])],
    "reshape": [Case([MAP], {"shape": (6, 3, 5)}), Case([MAP], {"shape": (90,)})],
    "relu": [Case([MAP])],
    "relu6": [Case([MAP])],
    "sigmoid": [Case([MAP])],
    "tanh": [Case([MAP])],
    "scaled_tanh": [Case([MAP])],
    "softmax": [Case([MAP]), Case([(3, 4)])],
    "conv2d": [
        Case([MAP], STEPS, {"out_channels": 4, "kernel_size": (3, 2), "groups": 1, "bias": True, "connections": None}),
        Case([MAP], {"padding": "same", "stride": (2, 2)},
             {"out_channels": 2, "kernel_size": (4, 3), "groups": 1, "bias": False, "connections": None}),
        Case([(2, 4, 5, 4)], {**STEPS, "groups": 2},
             {"out_channels": 6, "kernel_size": (2, 2), "groups": 2, "bias": True, "connections": None}),
        Case([MAP], {**STEPS, "connections": TABLE},
             {"out_channels": 4, "kernel_size": (2, 2), "groups": 1, "bias": True, "connections": TABLE}),
    ],
    "depthwise_conv2d": [Case([MAP], STEPS, {"kernel_size": (2, 3), "depth_multiplier": 2, "bias": True})],
    "conv_transpose2d": [
        Case([(2, 3, 3, 2)], {"stride": (2, 3), "padding": (1, 0, 2, 1), "output_padding": (1, 0)},
             {"out_channels": 2, "kernel_size": (3, 4), "groups": 1, "bias": True}),
        Case([(2, 4, 3, 2)], {"stride": (3, 1), "groups": 2, "output_padding": (3, 1)},
             {"out_channels": 6, "kernel_size": (2, 2), "groups": 2, "bias": False}),
        Case([(2, 2, 3, 2)], {"stride": (2, 3), "padding": (1, 0, 0, 2), "dilation": (2, 4), "output_padding": (0, 3)},
             {"out_channels": 2, "kernel_size": (2, 3), "groups": 1, "bias": True}),
    ],
    "locally_connected2d": [Case([MAP], STEPS, {**WINDOW, "kernel_size": (2, 2), "out_channels": 3, "bias": True})],
    "linear": [
        Case([MAP], {}, {"out_features": 4, "bias": True, "per_position": False}),
        Case([(2, 5)], {}, {"out_features": 1, "bias": False, "per_position": False}),
    ],
    "rbf": [Case([(3, 5)], {}, {"out_features": 4})],
    "max_pool2d": [Case([MAP], WINDOW), Case([MAP], {"kernel_size": (2, 3), "stride": (2, 2), "ceil_mode": True})],
    "avg_pool2d": [
        Case([MAP], WINDOW),
        Case([MAP], {**WINDOW, "count_include_pad": False}),
        Case([MAP], {"kernel_size": (2, 3), "stride": (2, 2), "padding": (1, 1, 1, 1), "ceil_mode": True}),
    ],
    "lp_pool2d": [Case([MAP], {**WINDOW, "norm_type": p}) for p in (1, 2, 3)],
    "subsampling2d": [Case([MAP], {"kernel_size": (2, 2), "stride": (2, 2), "ceil_mode": True})],
    "global_avg_pool2d": [Case([MAP])],
    "global_max_pool2d": [Case([MAP])],
    "adaptive_avg_pool2d": [Case([MAP], {"output_size": (2, 4)})],
    "adaptive_max_pool2d": [Case([MAP], {"output_size": (2, 4)})],
    "max_unpool2d": [
        Case([(2, 3, 2, 3), (2, 3, 2, 3)], {"kernel_size": (2, 2), "stride": (2, 2)}),
        Case([(2, 3, 2, 3), (2, 3, 2, 3), (2, 3, 5, 6)], {"kernel_size": (2, 2), "stride": (2, 2)}),
    ],
    "batch_norm2d": [
        Case([MAP], {"epsilon": 0.1}, {"scale": True, "shift": True}),
        Case([(4, 3)], {}, {"scale": False, "shift": False}),
        Case([MAP], {"epsilon": 0.1, "training": True}, {"scale": True, "shift": True}),
        Case([(4, 3)], {"training": True}, {"scale": False, "shift": True}),
    ],
    "local_response_norm": [
        Case([(2, 6, 2, 3)], {"size": size, "alpha": 0.7, "beta": 0.75, "k": 2.0}) for size in (1, 4, 5)
    ],
    "add": [Case([MAP] * 3)],
    "multiply": [
        Case([MAP, (2, 3), MAP], {"factor": 0.5}), Case([(2, 3, 1, 1), MAP]), Case([MAP], {"factor": 3.0}),
        Case([(2, 3), (2, 3)]),
    ],
    "concat": [Case([(2, 1, 3, 2), (2, 3, 3, 2), (2, 2, 3, 2)])],
    "crop2d": [Case([MAP], {"margins": (1, 0, 2, 3)}), Case([MAP, (2, 1, 2, 3)])],
    "slice2d": [Case([MAP], {"step": (2, 3), "start": (1, 0)})],
    "zero_pad2d": [
        Case([MAP], {"padding": (1, 0, 2, 3)}),
        Case([MAP], {"padding": "same", "kernel_size": (3, 4), "stride": (2, 2)}),
    ],
    "pad_channels": [Case([MAP], {"before": 1, "after": 2}), Case([MAP], {"out_channels": 6, "before": "half"})],
    "upsample2d": [
        Case([(2, 3, 2, 4)], {"scale": (2, 3)}), Case([(2, 3, 2, 4)], {"scale": (3, 2), "mode": "bilinear"}),
    ],
}  # fmt: skip


def case_of(row: Row) -> Case:
    """A row of the tables of ops, with two images."""
    made: Op = op(row.kind, **row.fields).resolve(row.inputs)
    kernel = KERNELS[row.kind]
    settings, sizes = (
        {name: getattr(made, name) for name in names} for names in (kernel.settings, kernel.array_settings)
    )
    return Case([(2, *shape) for shape in row.inputs or [(0,)]], settings, sizes)


for each in SMALL:
    CASES.setdefault(each.kind, []).append(case_of(each))


#: What a setting is along the third axis of a volume, which the cases for images lack: 3 positions.
THIRD = {"kernel_size": 2, "stride": 1, "dilation": 1, "padding": 0, "margins": 0, "output_padding": 0,
         "output_size": 2, "step": 2, "start": 1, "scale": 2}  # fmt: skip


def at_rank(rank: int, kind: str, case: Case) -> Case:
    """The case of an image for a signal, which has its first axis alone, or for a volume with a third axis."""

    def setting(name: str, value: Any) -> Any:
        if name == "mode":
            return {"bilinear": ("linear", "trilinear")[rank // 2]}.get(value, value)
        if name not in THIRD or not isinstance(value, tuple):
            return value
        sides = [value[:2], value[2:]] if len(value) == 4 else [value]
        return tuple(size for side in sides for size in (*side, THIRD[name])[:rank])

    # What a map is unpooled to is as large as the one that was pooled.
    depths = [4 if kind == "max_unpool2d" and place == 2 else 3 for place in range(len(case.maps))]
    maps = [(*shape, depth)[: rank + 2] for shape, depth in zip(case.maps, depths, strict=True)]
    settings, sizes = (
        {name: setting(name, value) for name, value in fields.items()} for fields in (case.settings, case.sizes)
    )
    return Case(maps, settings, sizes)


for each_kind in sorted(set(OPS) - PLANE):
    first = CASES[plane(each_kind)][0]
    CASES.setdefault(each_kind, []).append(at_rank(rank_of(each_kind) or 0, plane(each_kind), first))


#: Volumes with so many weights that each takes a second or more.
LARGE = {"conv3d", "depthwise_conv3d", "conv_transpose3d", "locally_connected3d"}


def distinct(shape: tuple[int, ...], draw: np.random.Generator, apart: float = 0.01) -> Array:
    """Numbers around 0 that lie apart: no maximum and no kink is closer than a step of the differences."""
    count = int(np.prod(shape))
    values = (np.arange(count) - count // 2 + 0.5) * apart
    return draw.permutation(values).reshape(shape)


def arrays_of(kind: str, x: Array, sizes: Mapping[str, Any], draw: np.random.Generator) -> dict[str, Array]:
    kernel = KERNELS[kind]
    if kernel.arrays is None:
        return {}
    wanted = kernel.arrays(x, **{name: size for name, size in sizes.items() if name in kernel.array_settings})
    made = {name: draw.standard_normal(size) for name, size in wanted.items()}
    if "running_var" in made:
        made["running_var"] = 1 + draw.random(wanted["running_var"])
    return made


def check(kind: str, case: Case, seed: int = 0) -> None:
    """Every value of every map and array, moved a little up and down."""
    draw = np.random.default_rng(seed)
    maps = [distinct(shape, draw, APART.get(kind, 0.01)) for shape in case.maps]
    arrays = arrays_of(kind, maps[0], case.sizes, draw)
    kernel = KERNELS[kind]
    more = dict(case.settings)
    if kernel.takes_switches_of is not None:
        # Where the maxima of the pooled map would have stood: two of one plane may be the same.
        rank = maps[0].ndim - 2
        large = distinct((*maps[0].shape[:2], *(size + 1 for size in maps[0].shape[2:])), draw)
        more["switches"] = max_pool_with_switches(large, kernel_size=(2,) * rank, stride=(1,) * rank)[1]
    out = kernel.run(*maps, **arrays, **more)
    weights = draw.standard_normal(out.shape)

    def loss() -> float:
        return float((kernel.run(*maps, **arrays, **more) * weights).sum())

    read = BACKWARD[kind].settings | {"switches", "training"}
    before = [each.copy() for each in (weights, *maps, *arrays.values())]
    found = BACKWARD[kind].run(weights, *maps, **arrays, **{name: more[name] for name in more if name in read})
    for old, each in zip(before, (weights, *maps, *arrays.values()), strict=True):
        np.testing.assert_array_equal(each, old, err_msg="what is read stays as it is")
    assert len(found.maps) == len(maps)
    assert set(found.arrays) == set(arrays) - {"running_mean", "running_var"}
    for each, gradient in [
        *zip(maps, found.maps, strict=True),
        *((arrays[name], found.arrays[name]) for name in found.arrays),
    ]:
        wanted = np.zeros_like(each)
        for place in np.ndindex(each.shape):
            kept = each[place]
            each[place] = kept + STEP
            above = loss()
            each[place] = kept - STEP
            wanted[place] = (above - loss()) / (2 * STEP)
            each[place] = kept
        given_back = np.zeros_like(each) if gradient is None else gradient
        assert given_back.shape == each.shape
        scale = max(float(np.abs(wanted).max(initial=0)), 1.0)
        np.testing.assert_allclose(given_back, wanted, rtol=0, atol=1e-7 * scale)


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, case, id=f"{kind}-{place}", marks=pytest.mark.slow if place or kind in LARGE else ())
        for kind, cases in CASES.items()
        for place, case in enumerate(cases)
    ],
)
def test_finite_differences(kind: str, case: Case) -> None:
    check(kind, case)


def test_every_op_has_a_gradient_that_is_checked() -> None:
    assert set(BACKWARD) == set(KERNELS) == set(CASES)
    assert set(OPS) - set(KERNELS) == {"opaque"}, "only what archcalc does not have cannot be run"


@pytest.mark.parametrize("kind", KERNELS)
def test_a_gradient_reads_no_setting_that_the_kernel_does_not(kind: str) -> None:
    assert BACKWARD[kind].settings <= KERNELS[kind].settings


# --- random settings

Fields = dict[str, Any]


def _small(case: Fields, groups: int = 1, depth: int = 2) -> tuple[tuple[int, ...], Fields]:
    """A map of at most 7×7 that the window fits on, and the window."""
    images, height, width = case["size"]
    fields = case["settings"]
    reach = [fields["dilation"][axis] * (fields["kernel_size"][axis] - 1) + 1 for axis in (0, 1)]
    return (images, groups * depth, min(height, max(reach[0], 7)), min(width, max(reach[1], 7))), fields


@pytest.mark.slow
@examples(25)
@given(windowed(), st.integers(1, 2), st.integers(1, 2), st.integers(1, 2), st.booleans())
def test_random_convolutions(case: Fields, groups: int, depth: int, filters: int, bias: bool) -> None:
    shape, fields = _small(case, groups, depth)
    sizes = {"out_channels": groups * filters, "kernel_size": fields["kernel_size"], "groups": groups, "bias": bias,
             "connections": None}  # fmt: skip
    steps = {name: fields[name] for name in ("stride", "padding", "dilation")}
    check("conv2d", Case([shape], {**steps, "groups": groups}, sizes), case["seed"])


@examples(15)
@given(windowed(), pairs(0, 2), st.integers(1, 2), st.integers(1, 2), st.integers(0, 1))
def test_random_transposed_convolutions(
    case: Fields, extra: tuple[int, int], groups: int, depth: int, padding: int
) -> None:
    fields = case["settings"]
    shape = (case["size"][0], groups * depth, 3, 2)
    sizes = {"out_channels": groups, "kernel_size": (padding + fields["kernel_size"][0], fields["kernel_size"][1]),
             "groups": groups, "bias": True}  # fmt: skip
    steps = {name: fields[name] for name in ("stride", "dilation")}
    more = {**steps, "output_padding": extra, "groups": groups, "padding": (padding, 0, 0, 0)}
    check("conv_transpose2d", Case([shape], more, sizes), case["seed"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d", "lp_pool2d", "subsampling2d"])
@examples(15)
@given(case=windowed(), ceil_mode=st.booleans(), counted=st.booleans(), norm_type=st.integers(1, 4))
def test_random_pools(kind: str, case: Fields, ceil_mode: bool, counted: bool, norm_type: int) -> None:
    shape, fields = _small(case)
    more = {**fields, "ceil_mode": ceil_mode}
    if kind == "avg_pool2d":
        more["count_include_pad"] = counted
    if kind == "lp_pool2d":
        more["norm_type"] = norm_type
    check(kind, Case([shape], more), case["seed"])


@examples(15)
@given(st.integers(1, 7), st.integers(1, 6), st.floats(0.1, 2), st.floats(0.25, 2), st.floats(1, 3))
def test_random_response_norms(size: int, channels: int, alpha: float, beta: float, k: float) -> None:
    more = {"size": size, "alpha": alpha, "beta": beta, "k": k}
    check("local_response_norm", Case([(1, channels, 2, 1)], more))


@examples(15)
@given(
    st.tuples(st.integers(2, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_random_batch_norms(shape: tuple[int, ...], scale: bool, shift: bool, training: bool) -> None:
    check("batch_norm2d", Case([shape], {"training": training, "epsilon": 0.01}, {"scale": scale, "shift": shift}))


# --- what the textbook says


def test_batch_statistics_need_two_values() -> None:
    with pytest.raises(ValueError, match="one value a channel has no variance"):
        KERNELS["batch_norm2d"].run(np.ones((1, 3, 1, 1)), np.zeros(3), np.ones(3), training=True)


def test_training_makes_mean_0_and_variance_1() -> None:
    x = np.random.default_rng(0).standard_normal((4, 3, 5, 5)) * 7 + 3
    out = KERNELS["batch_norm2d"].run(x, np.zeros(3), np.ones(3), training=True, epsilon=1e-12)
    np.testing.assert_allclose(out.mean(axis=(0, 2, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(out.var(axis=(0, 2, 3)), 1, rtol=1e-9)


def test_max_pooling_sends_everything_to_the_switch() -> None:
    x = np.array([[[[1.0, 5, 2], [0, 3, 4]]]])
    (back,) = BACKWARD["max_pool2d"].run(np.array([[[[10.0, 1]]]]), x, kernel_size=(2, 2), stride=(1, 1)).maps
    # 5 is the largest of both windows.
    np.testing.assert_array_equal(back, [[[[0, 11, 0], [0, 0, 0]]]])


def test_the_gradient_of_a_convolution_is_a_convolution_with_the_filter_turned_over() -> None:
    """CS231n, convolutional layer: also a convolution, but with spatially flipped filters."""
    draw = np.random.default_rng(0)
    x, weight = draw.standard_normal((2, 3, 6, 7)), draw.standard_normal((4, 3, 3, 2))
    grad = draw.standard_normal((2, 4, 4, 6))
    (back,) = BACKWARD["conv2d"].run(grad, x, weight).maps
    turned = weight[:, :, ::-1, ::-1].swapaxes(0, 1)
    assert back is not None
    np.testing.assert_allclose(back, KERNELS["conv2d"].run(grad, turned, padding=(2, 1, 2, 1)), rtol=1e-12)
