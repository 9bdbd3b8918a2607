"""A layer by itself, without a network: an op with its settings on inputs of given shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.core.errors import Problem, ShapeError, SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops import OPS, Op
from archcalc.ops.reshape import Input


def make_op(kind: str, fields: Mapping[str, Any]) -> Op:
    """An op of its settings. Raises `UsageError` that says which are wrong, missing or unknown."""
    from pydantic import ValidationError

    from archcalc.core.suggest import did_you_mean
    from archcalc.spec.faults import describe_fault
    from archcalc.spec.hints import unknown_setting

    if kind not in OPS or kind == "input":
        raise UsageError(f"there is no op {kind[:60]!r}{did_you_mean(kind, OPS)}")
    known = OPS[kind].model_fields
    for name in fields:
        if name not in known:
            raise UsageError(f"{kind} has no setting {name!r}{unknown_setting(name, known)}; it has {', '.join(known)}")
    try:
        return OPS[kind].model_validate(dict(fields))
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "missing":
            raise UsageError(f"{kind} needs {name}") from None
        raise UsageError(f"{kind}: {f'{name}: ' if name else ''}{describe_fault(fault)}") from None


def single_layer(op: Op, inputs: Sequence[Shape]) -> LayerGraph:
    """A network of one layer, `op.stem`, after its inputs. Raises `UsageError` for the wrong number of inputs."""
    most = op.most_inputs
    if len(inputs) < max(1, op.fewest_inputs) or (most is not None and len(inputs) > most):
        wanted = f"{op.fewest_inputs}" if most == op.fewest_inputs else f"{op.fewest_inputs} or more"
        raise UsageError(f"{op.kind} takes {wanted} inputs, here are {len(inputs)}; give each with --input")
    names = ["input"] if len(inputs) == 1 else [f"input{index + 1}" for index in range(len(inputs))]
    layers = [Layer(name, Input.model_construct(shape=shape), ()) for name, shape in zip(names, inputs, strict=True)]
    layers.append(Layer(op.stem, op, tuple(range(len(inputs)))))
    return LayerGraph(op.kind, tuple(layers), (Output("output", len(inputs)),), title=op.kind)


def check_single(op: Op, inputs: Sequence[Shape]) -> None:
    """Raise `SpecError` where the op cannot take these shapes."""
    try:
        op.resolve(inputs).check(inputs)
    except ShapeError as error:
        raise SpecError([Problem(error.message, None, f'"{op.stem}" ({op.kind})', error.details)]) from None
