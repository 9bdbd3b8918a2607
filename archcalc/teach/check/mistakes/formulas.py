"""The right formula of each count, from the op's rules, and the formulas of the op with other arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.core.conventions import BYTES
from archcalc.core.shapes import format_shape
from archcalc.explain.derive.trace import Node, number_node, symbol, traced
from archcalc.ops.base import Op, elements
from archcalc.ops.conv import Conv2d
from archcalc.passes.params import count_values
from archcalc.teach.check.mistakes.base import Step
from archcalc.teach.check.mistakes.scene import Scene
from archcalc.teach.check.mistakes.trees import plus, times

Base = tuple[tuple[Step, ...], int, Node]

_BOTH = "γ and β are trained, one of each for every channel."
#: What a bias belongs to, by the family of the op.
HOLDERS = {"convolution": "filters", "dense": "neurons"}


def params(scene: Scene, op: Op | None = None, buffers: bool = False) -> Node:
    """The values of a layer's arrays, those of an altered op if one is given."""
    lifted = scene.lifted
    arrays = (op or lifted.op).param_shapes(lifted.inputs)
    kept = [array for array in arrays if buffers or not array.buffer]
    return traced(count_values(kept)).node if kept else number_node(0)


def multiplications(scene: Scene) -> Node:
    lifted = scene.lifted
    return traced(lifted.op.macs(lifted.inputs, lifted.output)).node


def outputs(scene: Scene) -> Node:
    """The values of the output."""
    return traced(elements(scene.lifted.output)).node


def memory(scene: Scene) -> Node:
    """Bytes of what a layer stores."""
    analysis, row = scene.network.analysis, scene.row
    value = symbol("b", BYTES[analysis.dtype], "b", "bytes of a value")
    tree = times(outputs(scene), value.node)
    batch = row.activation_bytes // (row.activations * BYTES[analysis.dtype]) if row.activations else 1
    return times(symbol("B", batch, "B", "images of the batch").node, tree) if batch > 1 else tree


def right(scene: Scene, quantity: str) -> Node:
    """The formula of a count; of a layer that stores nothing the number 0."""
    if quantity == "params":
        return params(scene, buffers=scene.network.analysis.conventions.running_statistics)
    if quantity == "multiplications":
        return multiplications(scene)
    if not scene.row.activations:
        return number_node(0)
    return outputs(scene) if quantity == "activations" else memory(scene)


def bases(scene: Scene, quantity: str) -> Iterator[Base]:
    """Formulas that come of counting other arrays: with and without biases, groups, running statistics."""
    if quantity == "params":
        yield from _other_arrays(scene)
    elif quantity == "multiplications" and scene.row.multiplications:
        yield from _other_work(scene)


def _other_arrays(scene: Scene) -> Iterator[Base]:
    op, name = scene.op, scene.name
    lifted = scene.lifted.op
    bias = getattr(op, "bias", None)
    each = HOLDERS.get(op.family, "channels")
    made = scene.row.output_shape[0]
    if bias is True:
        tree = params(scene, lifted.model_copy(update={"bias": False}))
        reason = f"the bias is missing. Each of the {made:,} {each} has one."
        yield (Step("forgot_bias", reason),), 10, tree
        yield from _many_biases(scene, tree)
    elif bias is False:
        tree = params(scene, lifted.model_copy(update={"bias": True}))
        why = "batch normalisation comes next and has its own shift β" if _is_normalised(scene) else "none is trained"
        yield (Step("added_bias", f"a bias is counted. {name} has no bias: {why}."),), 10, tree
    if getattr(op, "connections", None) is not None:
        tree = params(scene, lifted.model_copy(update={"connections": None}))
        reason = f"every filter reads all {scene.depth} maps. By its connection table each reads only some."
        yield (Step("wrong_input_channels", reason),), 14, tree
    yield from _normalisation(scene)


def _is_normalised(scene: Scene) -> bool:
    rows = scene.network.rows
    after = scene.network.position[scene.name] + 1
    return after < len(rows) and rows[after].buffers > 0


def _many_biases(scene: Scene, weights: Node) -> Iterator[Base]:
    """A bias for each weight, for each slice of a filter, for each output value."""
    made = scene.row.output_shape[0]
    each = HOLDERS.get(scene.op.family, "channels")
    one = (
        f"A bias belongs to a whole filter: {made:,} in all."
        if each == "filters"
        else f"Each of the {made:,} neurons has one."
    )
    twice = plus(weights, weights)
    yield (Step("bias_per_weight", f"a bias for every weight. {one}"),), 24, twice
    shape = scene.inputs[0]
    if len(scene.row.output_shape) == 3:
        found = {part.symbol.text: part for part in weights.walk() if part.symbol is not None}
        depth, filters = found.get("D₁"), found.get("K")
        if depth is not None and filters is not None and shape[0] > 1:
            slices = times(depth, filters)
            reason = f"a bias for each of the {shape[0]} slices of a filter. {one}"
            yield (Step("bias_per_weight", reason),), 22, plus(weights, slices)
        reason = f"a bias for every output value. All positions share that of their filter: {made:,} in all."
        yield (Step("bias_per_weight", reason),), 24, plus(weights, outputs(scene))


def _normalisation(scene: Scene) -> Iterator[Base]:
    if not scene.row.buffers and not any(array.buffer for array in scene.op.param_shapes(scene.inputs)):
        return
    counted = scene.network.analysis.conventions.running_statistics
    if not counted:
        reason = (
            "running mean and variance are counted. They are not trained; γ and β are, one of each for every channel."
        )
        yield (Step("counted_running_statistics", reason),), 8, params(scene, buffers=True)
    if scene.row.params:
        yield (Step("forgot_batch_norm", f"batch normalisation has parameters too. {_BOTH}"),), 8, number_node(0)
    if scene.row.trainable_params == 2 * scene.depth:
        tree = params(scene, scene.lifted.op.model_copy(update={"shift": False}))
        reason = f"the shift β is missing. {_BOTH}"
        yield (Step("forgot_bias", reason),), 10, tree


def _other_work(scene: Scene) -> Iterator[Base]:
    tree = multiplications(scene)
    if getattr(scene.op, "bias", None) is not None:
        reason = "the bias is counted too. Adding a bias is no multiplication."
        yield (Step("added_bias", reason),), 12, plus(tree, outputs(scene))
    lifted = scene.lifted
    if getattr(scene.op, "connections", None) is not None:
        whole = lifted.op.model_copy(update={"connections": None})
        reason = f"every filter reads all {scene.depth} maps. By its connection table each reads only some."
        made = traced(whole.macs(lifted.inputs, lifted.output)).node
        yield (Step("wrong_input_channels", reason),), 14, made
    if scene.op.kind == "conv_transpose2d":
        fields: dict[str, Any] = {
            key: getattr(lifted.op, key)
            for key in ("kernel_size", "stride", "padding", "out_channels", "groups", "bias")
        }
        plain = Conv2d.model_construct(**fields)
        made = traced(plain.macs(lifted.inputs, lifted.output)).node
        reason = (
            "the positions of the output. A transposed convolution multiplies at each position of its input, "
            f"{format_shape(scene.inputs[0][1:])}."
        )
        yield (Step("positions_of_input", reason),), 12, made


def of_pool(scene: Scene) -> Iterator[Base]:
    """A pool's window counted as if it had weights: the formulas of a convolution with this window."""
    kernel = getattr(scene.plain, "kernel_size", None)
    if scene.op.family != "pooling" or kernel is None or scene.row.params or len(scene.inputs) != 1:
        return
    lifted = scene.lifted
    depth = lifted.inputs[0][0]
    reason = (
        f"weights for a window that has none. {scene.name} takes {_taken(scene)} of each window: nothing is trained."
    )
    step = (Step("params_in_pool", reason),)
    window = lifted.op.kernel_size  # type: ignore[attr-defined]  # checked above
    for groups, cost in ((1, 10), (depth, 12)):
        for bias in (True, False):
            conv = Conv2d.model_construct(kernel_size=window, out_channels=depth, groups=groups, bias=bias)
            tree = params(scene, conv)
            yield step, cost + 2 * (not bias), tree
    one = traced(window[0] * window[1]).node
    yield step, 20, one
    yield step, 24, plus(one, number_node(1))


def _taken(scene: Scene) -> str:
    return "the largest value" if scene.op.kind == "max_pool2d" else "a mean"
