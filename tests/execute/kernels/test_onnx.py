"""The kernels against the node cases of the ONNX standard: input and expected output, written by others.

Every case of an operator that has a kernel is here. Those that ask for something that no op of archcalc does stand in
`NOT_APPLICABLE`, by name, with the reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest

from archcalc.execute.kernels import (
    ALGORITHMS,
    Array,
    Switches,
    activation,
    arithmetic,
    conv,
    dense,
    merge,
    norm,
    pool,
    reshape,
    transposed,
)
from archcalc.execute.kernels.windows import pad, same_padding, span

pytest.importorskip("onnx", reason="the ONNX cases need the package onnx: pip install 'archcalc[test]'")

INTEGERS = "maps are float32 or float64"
TRAINING = "drops at random in training; archcalc never drops"
NOT_WHOLE = "upsampling enlarges by whole factors"
CORNERS = "upsampling has no align_corners; it takes pixel centres"
CUBIC = "interpolate takes the sizes of PyTorch; upsampling has no cubic mode"
SHIFTS = "upsampling repeats values; this mode shifts them"
SMALLER = "upsampling only enlarges"
CROPS = "upsampling enlarges the whole map"
SPREADS = "a flat map has a value for each channel, not for each column"
PADS = "zero_pad has zeros; the other borders are tried with the newer ops"
BOUNDS = "relu and relu6 clip at 0 and at 6"
HARD = "hardsigmoid rises by a sixth, as in PyTorch"

NOT_APPLICABLE: dict[str, str] = {
    "test_add_bcast": SPREADS,
    "test_mul_bcast": SPREADS,
    "test_sum_one_input": "add takes two maps or more",
    "test_maxpool_2d_uint8": INTEGERS,
    "test_training_dropout": TRAINING,
    "test_training_dropout_default": TRAINING,
    "test_training_dropout_default_mask": TRAINING,
    "test_training_dropout_mask": TRAINING,
    **{f"test_clip{how}": BOUNDS for how in (
        "", "_example", "_inbounds", "_outbounds", "_splitbounds", "_min_greater_than_max", "_default_max")},
    **{f"test_clip_default_int8_{how}": INTEGERS for how in ("min", "max", "inbounds")},
    **{f"test_hardsigmoid{how}": HARD for how in ("", "_example", "_default")},
    "test_identity_opt": "an optional value, not a map",
    "test_identity_sequence": "a sequence, not a map",
    "test_gemm_default_matrix_bias": "linear has one bias an output, the same for every image",
    "test_reshape_allowzero_reordered": "an empty map",
    "test_edge_pad": PADS,
    "test_reflect_pad": PADS,
    "test_wrap_pad": PADS,
    "test_resize_downsample_scales_cubic": CUBIC,
    "test_resize_downsample_scales_cubic_A_n0p5_exclude_outside": CUBIC,
    "test_resize_downsample_scales_cubic_align_corners": CUBIC,
    "test_resize_downsample_scales_cubic_antialias": CUBIC,
    "test_resize_downsample_scales_linear": SMALLER,
    "test_resize_downsample_scales_linear_align_corners": SMALLER,
    "test_resize_downsample_scales_linear_antialias": SMALLER,
    "test_resize_downsample_scales_linear_half_pixel_symmetric": SMALLER,
    "test_resize_downsample_scales_nearest": SMALLER,
    "test_resize_downsample_sizes_cubic": CUBIC,
    "test_resize_downsample_sizes_cubic_antialias": CUBIC,
    "test_resize_downsample_sizes_linear_antialias": SMALLER,
    "test_resize_downsample_sizes_linear_pytorch_half_pixel": SMALLER,
    "test_resize_downsample_sizes_nearest": SMALLER,
    "test_resize_downsample_sizes_nearest_not_larger": SMALLER,
    "test_resize_downsample_sizes_nearest_not_smaller": SMALLER,
    "test_resize_tf_crop_and_resize": CROPS,
    "test_resize_tf_crop_and_resize_axes_2_3": CROPS,
    "test_resize_tf_crop_and_resize_axes_3_2": CROPS,
    "test_resize_tf_crop_and_resize_extrapolation_value": CROPS,
    "test_resize_upsample_scales_cubic": CUBIC,
    "test_resize_upsample_scales_cubic_A_n0p5_exclude_outside": CUBIC,
    "test_resize_upsample_scales_cubic_align_corners": CUBIC,
    "test_resize_upsample_scales_cubic_asymmetric": CUBIC,
    "test_resize_upsample_scales_linear_align_corners": CORNERS,
    "test_resize_upsample_scales_linear_half_pixel_symmetric": NOT_WHOLE,
    "test_resize_upsample_sizes_cubic": CUBIC,
    "test_resize_upsample_sizes_nearest": NOT_WHOLE,
    "test_resize_upsample_sizes_nearest_axes_2_3": NOT_WHOLE,
    "test_resize_upsample_sizes_nearest_axes_3_2": NOT_WHOLE,
    "test_resize_upsample_sizes_nearest_ceil_half_pixel": SHIFTS,
    "test_resize_upsample_sizes_nearest_floor_align_corners": CORNERS,
    "test_resize_upsample_sizes_nearest_not_larger": NOT_WHOLE,
    "test_resize_upsample_sizes_nearest_not_smaller": NOT_WHOLE,
    "test_resize_upsample_sizes_nearest_round_prefer_ceil_asymmetric": SHIFTS,
}  # fmt: skip

#: Cases whose outputs are written out with four digits, and the tolerance that this asks for.
ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-3}


class Case(NamedTuple):
    """A case of the standard: one node with its inputs and the outputs that are right."""

    name: str
    op: str
    settings: Mapping[str, Any]
    inputs: Sequence[Array]
    outputs: Sequence[Array]

    def per_axis(self, name: str, default: int = 1) -> tuple[int, ...]:
        """A setting that has a number for each position axis."""
        return tuple(self.settings.get(name, [default] * (self.inputs[0].ndim - 2)))

    def sides(self, window: Sequence[int]) -> tuple[int, ...]:
        """The pads, worked out where the case leaves that to the operator."""
        how = self.settings.get("auto_pad", "NOTSET")
        if how in ("SAME_UPPER", "SAME_LOWER"):
            sizes, strides = self.inputs[0].shape[2:], self.per_axis("strides")
            first, last = zip(*map(same_padding, sizes, window, strides), strict=True)
            return (*first, *last) if how == "SAME_UPPER" else (*last, *first)
        return tuple(self.settings.get("pads", [0] * 2 * len(window)))


def _conv(case: Case, algorithm: Any) -> Array:
    x, weight, *bias = case.inputs
    return conv.conv(
        x,
        weight,
        *bias,
        stride=case.per_axis("strides"),
        padding="same" if case.settings.get("auto_pad") == "SAME_UPPER" else case.sides(weight.shape[2:]),
        algorithm=algorithm,
    )


def _conv_transpose(case: Case, algorithm: Any) -> Array:
    x, weight = case.inputs
    dilation = case.per_axis("dilations")
    reach = tuple(map(span, weight.shape[2:], dilation))
    stride, extra = np.array(case.per_axis("strides")), np.array(case.per_axis("output_padding", 0))
    pads: Any = case.sides(reach)
    wanted = case.settings.get("output_shape")
    if case.settings.get("auto_pad") == "SAME_UPPER":
        pads = "same"
    elif wanted:
        # The standard's own formula for the padding that gives a wanted size; less than none reaches further.
        totals = stride * (np.array(x.shape[2:]) - 1) + extra + reach - wanted
        extra = extra - np.minimum(totals, 0)
        most = np.maximum(totals, 0)
        pads = (*(most - most // 2), *(most // 2))
    return transposed.conv_transpose(
        x,
        weight,
        stride=tuple(stride),
        padding=pads,
        dilation=dilation,
        output_padding=tuple(extra),
        groups=case.settings.get("group", 1),
        algorithm=algorithm,
    )


def _pool(function: Callable[..., Array], **more: str) -> Callable[[Case, Any], Array]:
    def run(case: Case, algorithm: Any) -> Array:
        window, dilation = case.per_axis("kernel_shape"), case.per_axis("dilations")
        same = case.settings.get("auto_pad") == "SAME_UPPER"
        settings: Any = {
            "kernel_size": window,
            "stride": case.per_axis("strides"),
            "dilation": dilation,
            "padding": "same" if same else case.sides(list(map(span, window, dilation))),
            "ceil_mode": bool(case.settings.get("ceil_mode", 0)),
            **{ours: case.settings[theirs] for ours, theirs in more.items() if theirs in case.settings},
        }
        if len(case.outputs) == 2:
            out, switches = pool.max_pool_with_switches(case.inputs[0], **settings)
            np.testing.assert_array_equal(_numbered(case, switches), case.outputs[1])
            return out
        return function(case.inputs[0], algorithm=algorithm, **settings)

    return run


def _numbered(case: Case, switches: Switches) -> Array:
    """Switches as ONNX gives them: positions in the whole array, and column by column where the case wants that."""
    rows, columns = np.divmod(switches.position, switches.size[1])
    planes = (
        np.arange(rows.shape[0] * rows.shape[1]).reshape(*rows.shape[:2], 1, 1) * switches.size[0] * switches.size[1]
    )
    within = columns * switches.size[0] + rows if case.settings.get("storage_order") else switches.position
    return np.asarray(planes + within)


def _average_pool(case: Case, algorithm: Any) -> Array:
    counts = bool(case.settings.get("count_include_pad", 0))
    full = case._replace(settings={**case.settings, "count_include_pad": counts})
    return _pool(pool.avg_pool, count_include_pad="count_include_pad")(full, algorithm)


def _max_unpool(case: Case, _: Any) -> Array:
    x, positions = case.inputs[:2]
    # The positions count in the map that the windows reach over, also where a larger one is wanted.
    window, stride = case.per_axis("kernel_shape"), case.per_axis("strides")
    size = (stride[0] * (x.shape[2] - 1) + window[0], stride[1] * (x.shape[3] - 1) + window[1])
    like = np.zeros_like(case.outputs[0]) if len(case.inputs) == 3 else None
    planes = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], 1, 1) * size[0] * size[1]
    return pool.max_unpool(
        x,
        x,
        like,
        switches=Switches((positions - planes).astype(np.intp), size),
        kernel_size=window,
        stride=stride,
    )


def _batch_norm(case: Case, _: Any) -> Array:
    x, weight, bias, mean, variance = case.inputs
    training = bool(case.settings.get("training_mode", 0))
    if training:
        # What the standard keeps for later: old and new statistics, weighed by the momentum.
        share = case.settings.get("momentum", 0.9)
        for old, new, wanted in zip((mean, variance), norm.batch_statistics(x), case.outputs[1:], strict=True):
            np.testing.assert_allclose(old * share + new * (1 - share), wanted, rtol=1e-5)
    epsilon = case.settings.get("epsilon", 1e-5)
    return norm.batch_norm(x, mean, variance, weight, bias, epsilon=epsilon, training=training)


def _lrn(case: Case, _: Any) -> Array:
    settings = {name: case.settings[name] for name in ("size", "alpha", "beta") if name in case.settings}
    return norm.local_response_norm(case.inputs[0], k=case.settings.get("bias", 1.0), **settings)


def _gemm(case: Case, _: Any) -> Array:
    a, b, *c = case.inputs
    a = a.T if case.settings.get("transA") else a
    weight = (b if case.settings.get("transB") else b.T) * np.float32(case.settings.get("alpha", 1.0))
    bias = np.broadcast_to(c[0] * np.float32(case.settings.get("beta", 1.0)), (1, len(weight)))[0] if c else None
    return dense.linear(a, weight, bias)


def _along(function: Callable[..., Array], default: int) -> Callable[[Case, Any], Array]:
    """A function that works along axis 1, for cases with any axis."""

    def run(case: Case, _: Any) -> Array:
        axis = case.settings.get("axis", default)
        if case.inputs[0].ndim == 1:
            return np.asarray(function(*(x[None] for x in case.inputs))[0])
        return np.moveaxis(function(*(np.moveaxis(x, axis, 1) for x in case.inputs)), 1, axis)

    return run


def _reshape(case: Case, _: Any) -> Array:
    x, wanted = case.inputs
    shape = [x.shape[axis] if side == 0 else int(side) for axis, side in enumerate(wanted)]
    # As one image: the standard's batch is an axis like the others.
    return np.asarray(reshape.reshape(x[None], shape=tuple(shape))[0])


def _flatten(case: Case, _: Any) -> Array:
    """The axes before `axis` in one, those after it in the other."""
    x = case.inputs[0]
    axis = case.settings.get("axis", 1) % x.ndim
    return reshape.flatten(reshape.reshape(x[None], shape=(-1, *x.shape[axis:]))[0])


def _clip(case: Case, _: Any) -> Array:
    """At 0 alone it is a rectifier, without bounds nothing."""
    x, *bounds = case.inputs
    if not bounds:
        return reshape.identity(x)
    (low,) = bounds
    assert low == 0
    return activation.relu(x)


def _pad(case: Case, _: Any) -> Array:
    x, pads, value, *rest = case.inputs
    axes = [int(axis) % x.ndim for axis in rest[0]] if rest else list(range(x.ndim))
    begin = {axis: int(pads[place]) for place, axis in enumerate(axes)}
    end = {axis: int(pads[len(axes) + place]) for place, axis in enumerate(axes)}
    if begin.get(1) or end.get(1):
        assert value == 0
        x = reshape.pad_channels(x, before=begin[1], after=end[1])
    return pad(x, (begin.get(2, 0), begin.get(3, 0), end.get(2, 0), end.get(3, 0)), float(value))


MODES: dict[str, Literal["nearest", "bilinear"]] = {"nearest": "nearest", "linear": "bilinear"}


def _resize(case: Case, _: Any) -> Array:
    scales = next(each for each in case.inputs[1:] if each.size)
    axes = case.settings.get("axes", [0, 1, 2, 3])
    factors = {axis: int(scale) for axis, scale in zip(axes, scales, strict=True)}
    assert list(factors.values()) == list(scales)
    return reshape.upsample(case.inputs[0], scale=(factors[2], factors[3]), mode=MODES[case.settings["mode"]])


def _first(function: Callable[..., Array]) -> Callable[[Case, Any], Array]:
    return lambda case, _: function(case.inputs[0])


def _all(function: Callable[..., Array]) -> Callable[[Case, Any], Array]:
    return lambda case, _: function(*case.inputs)


RUN: dict[str, Callable[[Case, Any], Array]] = {
    "Add": _all(merge.add),
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Clip": _clip,
    "Concat": _along(merge.concat, 1),
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Dropout": _first(norm.dropout),
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _first(pool.global_avg_pool),
    "GlobalMaxPool": _first(pool.global_max_pool),
    "Identity": _first(reshape.identity),
    "LRN": _lrn,
    "LpPool": _pool(pool.lp_pool, norm_type="p"),
    "MaxPool": _pool(pool.max_pool),
    "MaxUnpool": _max_unpool,
    "Mul": _all(merge.multiply),
    "Pad": _pad,
    "Relu": _first(activation.relu),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": _first(activation.sigmoid),
    "Sub": _all(arithmetic.subtract),
    "Softmax": _along(activation.softmax, -1),
    "Sum": _all(merge.add),
    "Tanh": _first(activation.tanh),
    "Upsample": _resize,
}
#: Activation functions that are other ones in archcalc; their cases are listed too.
WITHOUT_KERNEL = {"HardSigmoid"}
IN_FORMS = {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"}


#: Operators whose cases take the standard's own code seconds to make: pools in three dimensions.
LONG = {"AveragePool", "LpPool", "MaxPool"}
#: Operators whose module has another name than they.
MODULES = {"BatchNormalization": "batch_normalization"}


@lru_cache(maxsize=len(RUN))
def cases_of(op: str) -> dict[str, Case]:
    """The cases of an operator, by name."""
    from onnx.backend.test.case import node

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the standard's own code divides by zero here and there
        import_module(f"{node.__name__}.{MODULES.get(op, op.lower())}")
        return {case.name: case for case in _cases(node._NodeTestCases) if case.op == op}


def _cases(found: Any) -> Iterator[Case]:
    from onnx.helper import get_attribute_value

    for test in found:
        nodes = test.model.graph.node
        # "expanded" cases are other operators that do the same.
        if len(nodes) != 1 or nodes[0].op_type not in RUN.keys() | WITHOUT_KERNEL or test.name.endswith("_expanded"):
            continue
        settings = {each.name: get_attribute_value(each) for each in nodes[0].attribute}
        settings = {name: value.decode() if isinstance(value, bytes) else value for name, value in settings.items()}
        inputs, outputs = test.data_sets[0]
        yield Case(test.name, nodes[0].op_type, settings, inputs, outputs)


def algorithms(op: str) -> Sequence[Any]:
    return ALGORITHMS if op in IN_FORMS else ("im2col",)


def wrong_cases(op: str, algorithm: Any) -> dict[str, str]:
    """The cases that an algorithm gets wrong, and how."""
    found = {}
    for name, case in cases_of(op).items():
        if name in NOT_APPLICABLE:
            continue
        out = RUN[op](case, algorithm)
        try:
            assert out.dtype == case.outputs[0].dtype
            np.testing.assert_allclose(out, case.outputs[0], rtol=ROUNDED.get(name, 1e-5), atol=1e-6)
        except AssertionError as error:
            found[name] = str(error)
    return found


@pytest.mark.parametrize(
    ("op", "algorithm"),
    [
        pytest.param(op, algorithm, marks=[pytest.mark.slow] if op in LONG else [])
        for op in RUN
        for algorithm in algorithms(op)
    ],
)
def test_the_kernel_gives_what_the_standard_says(op: str, algorithm: Any) -> None:
    assert set(cases_of(op)) - set(NOT_APPLICABLE), "no case is run"
    assert wrong_cases(op, algorithm) == {}


@pytest.mark.slow
def test_every_case_is_run_or_listed_with_its_reason() -> None:
    from onnx.backend.test.case.node import collect_testcases

    found = {name for op in RUN.keys() | WITHOUT_KERNEL for name in cases_of(op)}
    assert set(NOT_APPLICABLE) <= found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        everything = {case.name for case in _cases(collect_testcases(None))}
    assert found == everything
