"""The forms of a kernel agree, whatever the settings; and what goes in comes out: the type, the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.execute.kernels import ALGORITHMS, KERNELS, Algorithm, Array
from archcalc.ops import OPS
from tests.tiers import examples

Case = dict[str, Any]


def numbers(shape: tuple[int, ...], seed: int, dtype: str) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def pairs(low: int, high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def windowed(draw: st.DrawFn) -> Case:
    """A map and a window that fits on it."""
    kernel_size, dilation = draw(pairs(1, 4)), draw(pairs(1, 3))
    # Padding smaller than the window, so that no window holds nothing else.
    padding = draw(
        st.one_of(st.just("same"), st.tuples(*(st.integers(0, kernel_size[side % 2] - 1) for side in range(4))))
    )
    sizes = [draw(st.integers(dilation[axis] * (kernel_size[axis] - 1) + 1, 13)) for axis in (0, 1)]
    return {
        "size": (draw(st.integers(1, 2)), *sizes),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "seed": draw(st.integers(0, 1000)),
        "settings": {
            "kernel_size": kernel_size,
            "stride": draw(pairs(1, 4)),
            "padding": padding,
            "dilation": dilation,
        },
    }


def agree(run: Callable[[Algorithm], Array], dtype: str) -> None:
    """All forms give the same, up to the rounding of sums that are made in another order."""
    first, *others = [run(form) for form in ALGORITHMS]
    precision = float(np.finfo(dtype).eps)
    for other in others:
        assert other.dtype == first.dtype == np.dtype(dtype)
        assert other.shape == first.shape
        scale = max(float(np.abs(first).max()), 1.0)
        np.testing.assert_allclose(other, first, rtol=0, atol=500 * precision * scale)


@examples(150)
@given(windowed(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.booleans())
def test_convolution(case: Case, groups: int, depth: int, filters: int, bias: bool) -> None:
    fields = dict(case["settings"])
    window = fields.pop("kernel_size")
    images, *size = case["size"]
    x = numbers((images, groups * depth, *size), case["seed"], case["dtype"])
    weight = numbers((groups * filters, depth, *window), case["seed"] + 1, case["dtype"])
    shift = numbers((groups * filters,), case["seed"] + 2, case["dtype"]) if bias else None
    run = KERNELS["conv2d"].run
    agree(lambda form: run(x, weight, shift, groups=groups, algorithm=form, **fields), case["dtype"])


@examples(50)
@given(windowed(), st.integers(1, 3), st.integers(1, 2))
def test_depthwise_convolution(case: Case, channels: int, multiplier: int) -> None:
    fields = dict(case["settings"])
    window = fields.pop("kernel_size")
    images, *size = case["size"]
    x = numbers((images, channels, *size), case["seed"], case["dtype"])
    weight = numbers((channels * multiplier, 1, *window), case["seed"] + 1, case["dtype"])
    run = KERNELS["depthwise_conv2d"].run
    agree(lambda form: run(x, weight, algorithm=form, **fields), case["dtype"])


@examples(50)
@given(windowed(), st.integers(1, 3), st.integers(1, 3))
def test_transposed_convolution(case: Case, groups: int, depth: int) -> None:
    window = case["settings"]["kernel_size"]
    steps = {name: case["settings"][name] for name in ("stride", "dilation")}
    images, *size = case["size"]
    x = numbers((images, groups * 2, *size), case["seed"], case["dtype"])
    weight = numbers((groups * 2, depth, *window), case["seed"] + 1, case["dtype"])
    run = KERNELS["conv_transpose2d"].run
    agree(
        lambda form: run(x, weight, **steps, output_padding=(1, 0), groups=groups, algorithm=form),
        case["dtype"],
    )


@examples(30)
@given(windowed(), st.integers(1, 3))
def test_local_layer(case: Case, filters: int) -> None:
    kernel = KERNELS["locally_connected2d"]
    images, *size = case["size"]
    x = numbers((images, 2, *size), case["seed"], case["dtype"])
    assert kernel.arrays is not None
    shape = kernel.arrays(x, out_channels=filters, bias=False, **case["settings"])["weight"]
    weight = numbers(shape, case["seed"] + 1, case["dtype"])
    fields = {name: value for name, value in case["settings"].items() if name != "kernel_size"}
    agree(lambda form: kernel.run(x, weight, algorithm=form, **fields), case["dtype"])


@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d", "lp_pool2d", "subsampling2d"])
@examples(60)
@given(case=windowed(), ceil_mode=st.booleans(), counted=st.booleans())
def test_pooling(kind: str, case: Case, ceil_mode: bool, counted: bool) -> None:
    images, *size = case["size"]
    x = numbers((images, 2, *size), case["seed"], case["dtype"])
    fields = {**case["settings"], "ceil_mode": ceil_mode}
    if kind == "avg_pool2d":
        fields["count_include_pad"] = counted
    arrays = (np.array([2, 3], x.dtype), np.array([1, 0], x.dtype)) if kind == "subsampling2d" else ()
    run = KERNELS[kind].run
    agree(lambda form: run(x, *arrays, algorithm=form, **fields), case["dtype"])


@examples(60)
@given(case=windowed(), ceil_mode=st.booleans())
def test_switches_point_at_the_maxima(case: Case, ceil_mode: bool) -> None:
    images, *size = case["size"]
    x = numbers((images, 2, *size), case["seed"], case["dtype"])
    kernel = KERNELS["max_pool2d"]
    assert kernel.run_with_switches is not None
    out, switches = kernel.run_with_switches(x, ceil_mode=ceil_mode, **case["settings"])
    np.testing.assert_array_equal(out, kernel.run(x, ceil_mode=ceil_mode, **case["settings"]))
    planes = x.reshape(images, 2, -1)
    found = np.take_along_axis(planes, switches.position.reshape(images, 2, -1), axis=2)
    np.testing.assert_array_equal(found.reshape(out.shape), out)


def test_every_op_has_a_kernel() -> None:
    # What archcalc does not have cannot be run.
    assert set(KERNELS) == set(OPS) - {"opaque"}


#: Settings that do not change what is calculated, and why.
WITHOUT_EFFECT = {
    **{
        (kind, name): "nothing is dropped at inference"
        for kind, each in OPS.items()
        if each.family == "regularisation"
        for name in each.model_fields
    },
    ("input", "shape"): "the batch has its own",
    ("parameter", "buffer"): "a fixed array is read as a trained one",
    **{(kind, "exact"): "refuses inputs; the analysis checks it" for kind in OPS if "exact" in OPS[kind].model_fields},
}


@pytest.mark.parametrize("kind", KERNELS)
def test_every_setting_of_an_op_is_read(kind: str) -> None:
    read = KERNELS[kind].settings | KERNELS[kind].array_settings
    ignored = {name for op, name in WITHOUT_EFFECT if op == kind}
    assert read | ignored == set(OPS[kind].model_fields)
    assert not read & ignored
