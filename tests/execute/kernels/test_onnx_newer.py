"""The newer kernels against the node cases of the ONNX standard, as in `test_onnx`."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from archcalc.execute.kernels import Array, attention, curves, resize, sample_norm
from tests.execute.kernels.test_onnx import Case

pytest.importorskip("onnx", reason="the ONNX cases need the package onnx: pip install 'archcalc[test]'")


def _curve(function: Callable[..., Array], **names: str) -> Callable[[Case], Array]:
    """A function of one value; `names` are what the standard calls its settings."""

    def run(case: Case) -> Array:
        given = {ours: case.settings[theirs] for ours, theirs in names.items() if theirs in case.settings}
        return function(case.inputs[0], **given)

    return run


def _log_softmax(case: Case) -> Array:
    """Along any axis; a flat case is one image."""
    axis, x = case.settings.get("axis", -1), case.inputs[0]
    if x.ndim == 1:
        return np.asarray(curves.log_softmax(x[None])[0])
    return np.moveaxis(curves.log_softmax(np.moveaxis(x, axis, 1)), 1, axis)


def _last_axes(function: Callable[..., Array]) -> Callable[[Case], Array]:
    """A normalisation from an axis on: what comes before it are images."""

    def run(case: Case) -> Array:
        x, *affine = case.inputs
        axis = case.settings.get("axis", -1) % x.ndim
        images = x.reshape(math.prod(x.shape[:axis]), *x.shape[axis:])
        epsilon = case.settings.get("epsilon", 1e-5)
        return function(images, *affine, axes="all", epsilon=epsilon).reshape(x.shape)

    return run


def _instance_norm(case: Case) -> Array:
    return sample_norm.instance_norm(*case.inputs, epsilon=case.settings.get("epsilon", 1e-5))


def _group_norm(case: Case) -> Array:
    epsilon = case.settings.get("epsilon", 1e-5)
    return sample_norm.group_norm(*case.inputs, num_groups=case.settings["num_groups"], epsilon=epsilon)


def _matmul(case: Case) -> Array:
    """Rows and columns as positions and channels; leading axes are images."""
    first, second = (x.reshape(-1, *x.shape[-2:]).swapaxes(1, 2) for x in case.inputs)
    out = attention.matmul(first, second).swapaxes(1, 2)
    return out.reshape(*case.inputs[0].shape[:-1], out.shape[-1])


def _pad(case: Case) -> Array:
    """A border around the last axes; the standard's pads are those of all axes, begins first."""
    x, pads, *rest = case.inputs
    axes = [int(axis) % x.ndim for axis in rest[-1]] if len(rest) == 2 else list(range(x.ndim))
    begins = {axis: int(pads[place]) for place, axis in enumerate(axes)}
    ends = {axis: int(pads[len(axes) + place]) for place, axis in enumerate(axes)}
    assert not any(begins.get(axis, 0) or ends.get(axis, 0) for axis in (0, 1))
    sides = [each.get(axis, 0) for each in (begins, ends) for axis in range(2, x.ndim)]
    modes = {"reflect": resize.reflection_pad, "edge": resize.replication_pad, "wrap": resize.circular_pad}
    return modes[case.settings["mode"]](x, padding=sides)


RUN: dict[str, Callable[[Case], Array]] = {
    "Elu": _curve(curves.elu, alpha="alpha"),
    "Gelu": _curve(curves.gelu, approximate="approximate"),
    "GroupNormalization": _group_norm,
    "HardSwish": _curve(curves.hardswish),
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _last_axes(sample_norm.layer_norm),
    "LeakyRelu": _curve(curves.leaky_relu, negative_slope="alpha"),
    "LogSoftmax": _log_softmax,
    "MatMul": _matmul,
    "Mish": _curve(curves.mish),
    "Pad": _pad,
    "RMSNormalization": _last_axes(sample_norm.rms_norm),
    "Softplus": _curve(curves.softplus),
}
#: Operators whose module has another name than they.
MODULES = {"InstanceNormalization": "instance_normalization"}


def _is_ours(case: Case) -> bool:
    """Of a padding only borders made of the map; of a product only as many matrices as there are others."""
    if case.op == "Pad":
        return case.settings.get("mode") in ("reflect", "edge", "wrap")
    return case.op != "MatMul" or (
        min(x.ndim for x in case.inputs) > 1 and case.inputs[0].shape[:-2] == case.inputs[1].shape[:-2]
    )


@lru_cache
def cases_of(op: str) -> dict[str, Case]:
    """The cases of an operator, by name."""
    from onnx.backend.test.case import node

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the standard's own code divides by zero here and there
        import_module(f"{node.__name__}.{MODULES.get(op, op.lower())}")
        return {case.name: case for case in _cases(node._NodeTestCases, op) if _is_ours(case)}


def _cases(found: Any, op: str) -> Iterator[Case]:
    from onnx.helper import get_attribute_value

    for test in found:
        nodes = test.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type != op or "_expanded" in test.name:
            continue
        settings = {each.name: get_attribute_value(each) for each in nodes[0].attribute}
        settings = {name: value.decode() if isinstance(value, bytes) else value for name, value in settings.items()}
        inputs, outputs = test.data_sets[0]
        yield Case(test.name, op, settings, inputs, outputs)


@pytest.mark.parametrize("op", RUN)
def test_the_kernel_gives_what_the_standard_says(op: str) -> None:
    found = cases_of(op)
    assert found, "no case is run"
    for name, case in found.items():
        out = RUN[op](case)
        assert out.dtype == case.outputs[0].dtype, name
        np.testing.assert_allclose(out, case.outputs[0], rtol=1e-5, atol=2e-6, err_msg=name)
