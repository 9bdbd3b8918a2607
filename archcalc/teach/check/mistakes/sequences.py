"""Mistakes with layers over rows of tokens: attention, whose parts are counted one by one, and recurrent layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from archcalc.core.language import say
from archcalc.core.numbers import product
from archcalc.explain.derive.notation import number
from archcalc.explain.derive.trace import Node, symbol, traced
from archcalc.ops import OPS
from archcalc.ops.attention import Heads, MultiheadAttention
from archcalc.ops.base import Op, Param
from archcalc.ops.recurrent import Recurrent
from archcalc.passes.params import count_values
from archcalc.teach.check.mistakes.base import Base, Mistake
from archcalc.teach.check.mistakes.context import LayerContext
from archcalc.teach.check.mistakes.trees import combine, plus, times

#: Rows of the weights for each hidden unit, by op.
_GATES = {1: "rnn", 3: "gru", 4: "lstm"}


def params(context: LayerContext) -> Iterator[Base]:
    """Other counts of the arrays of an attention or a recurrent layer."""
    if isinstance(context.op, Recurrent):
        yield from _recurrent_params(context)
    elif isinstance(context.op, MultiheadAttention):
        yield from _attention_params(context)


def work(context: LayerContext) -> Iterator[Base]:
    """Other counts of their multiplications."""
    if isinstance(context.op, Recurrent):
        yield from _recurrent_work(context)
    elif isinstance(context.op, Heads):
        yield from _attention_work(context)


def _base(mistake: str, reason: str, cost: int, tree: Node) -> Base:
    return (Mistake(mistake, reason),), cost, tree


def _count(arrays: Sequence[Param]) -> Node:
    return traced(count_values(arrays) if arrays else 0).node


def _arrays(context: LayerContext, op: Op | None = None) -> tuple[Param, ...]:
    return (op or context.lifted.op).param_shapes(context.lifted.inputs)


def _without(arrays: Sequence[Param], *beginnings: str) -> list[Param]:
    return [array for array in arrays if not array.name.startswith(beginnings)]


# --- recurrent layers


def _recurrent_params(context: LayerContext) -> Iterator[Base]:
    op, name, right = context.op, context.name, context.row.params
    assert isinstance(op, Recurrent)
    arrays = _arrays(context)
    one = _one_bias(op, name, right)
    none = say("the biases are missing. Each gate has two, for input and state: {right}.", right=number(right))
    if op.bias:
        yield _base("forgot_bias", none, 10, _count(_without(arrays, "bias")))
        yield _base("forgot_bias", one, 8, _count(_without(arrays, "bias_hh")))
    reason = say("the weights of the state are missing. Each gate of {name} reads the input and the state.", name=name)
    yield _base("forgot_input_channels", reason, 12, _count(_without(arrays, "weight_hh")))
    yield _base("forgot_input_channels", reason, 14, _count(_without(arrays, "weight_hh", "bias_hh")))
    reason = say("the weights of the input are missing. Each gate of {name} reads the input and the state.", name=name)
    yield _base("forgot_input_channels", reason, 16, _count(_without(arrays, "weight_ih")))
    yield _base("forgot_input_channels", reason, 18, _count(_without(arrays, "weight_ih", "bias_ih")))
    reason = say("the weights of the state alone. Each gate of {name} reads the input and the state.", name=name)
    yield _base("forgot_input_channels", reason, 20, _count(_without(arrays, "weight_ih", "bias")))
    reason = say("the weights of the input alone. Each gate of {name} reads the input and the state.", name=name)
    yield _base("forgot_input_channels", reason, 20, _count(_without(arrays, "weight_hh", "bias")))
    features, *length = context.inputs[0]
    if len(length) == 1 and length[0] not in (1, features):
        reason = say(
            "the length of the row, {length:,}, in the place of the features of a step. {reads}",
            length=length[0],
            reads=context.reads(),
        )
        taken = context.lifted.op.param_shapes((context.lifted.inputs[0][::-1],))
        yield _base("wrong_input_channels", reason, 18, _count(taken))
        yield _base("wrong_input_channels", reason, 22, _count(_without(taken, "bias_hh")))
    for step, cost, other in _recurrent_settings(context):
        made = _arrays(context, other)
        yield (step,), cost, _count(made)
        if op.bias:
            yield (step, Mistake("forgot_bias", one)), cost + 20, _count(_without(made, "bias_hh"))
            yield (step, Mistake("forgot_bias", none)), cost + 24, _count(_without(made, "bias"))
    steps = context.row.input_shapes[0][1:]
    if product(steps) > 1:
        reason = say(
            "the weights are counted at each of the {steps} steps. All steps use the same.", steps=product(steps)
        )
        yield _base("repeat_count", reason, 16, times(symbol("T", product(steps)).node, _count(arrays)))


def _one_bias(op: Recurrent, name: str, right: int) -> str:
    if op.gates == 3:
        return say(
            "one bias for each gate, as Keras counts with reset_after=False. {name} has two, as PyTorch and Keras have "
            "without it: {right}.",
            name=name,
            right=number(right),
        )
    return say(
        "one bias for each gate, as Keras counts. {name} has two, for input and state, as in PyTorch: {right}.",
        name=name,
        right=number(right),
    )


def _recurrent_settings(context: LayerContext) -> Iterator[tuple[Mistake, int, Op]]:
    """The layer with other gates, in one direction only, with one of its layers."""
    op, lifted = context.op, context.lifted.op
    assert isinstance(op, Recurrent)
    for gates, kind in _GATES.items():
        if gates != op.gates:
            other: Any = OPS[kind]
            fields = {key: getattr(lifted, key) for key in other.model_fields if hasattr(lifted, key)}
            reason = (
                say(
                    "one gate only. {name}, {noun}, has {gates}.",
                    name=context.name,
                    noun=say(op.noun),
                    gates=op.gates,
                )
                if gates == 1
                else say(
                    "{gates} gates, as in a {other}. {name}, {noun}, has {own}.",
                    gates=gates,
                    other=say(other.noun),
                    name=context.name,
                    noun=say(op.noun),
                    own=op.gates,
                )
            )
            yield Mistake("forgot_output_channels", reason), 14 if gates == 1 else 18, other.model_construct(**fields)
    if op.bidirectional:
        reason = say(
            "one direction only. {name} goes forward and backward, with weights of its own for each.", name=context.name
        )
        yield Mistake("repeat_count", reason), 10, lifted.model_copy(update={"bidirectional": False})
    if op.num_layers > 1:
        reason = say("one layer only. {name} has {layers} on one another.", name=context.name, layers=op.num_layers)
        yield Mistake("repeat_count", reason), 12, lifted.model_copy(update={"num_layers": 1})


def _recurrent_work(context: LayerContext) -> Iterator[Base]:
    lifted = context.lifted
    op: Any = lifted.op
    arrays = _arrays(context)
    steps = traced(op.steps(lifted.inputs)).node
    weights = [array for array in arrays if not array.is_bias]

    def at_each_step(kept: Sequence[Param]) -> Node:
        return times(steps, _count(kept))

    if steps.value > 1:
        reason = say(
            "the steps are missing. {name} multiplies with all its weights at each of {steps} steps.",
            name=context.name,
            steps=steps.value,
        )
        yield _base("multiplications_without_positions", reason, 10, _count(weights))
    reason = say(
        "the weights of the state are missing. Each gate of {name} reads the input and the state.", name=context.name
    )
    yield _base("forgot_input_channels", reason, 12, at_each_step(_without(weights, "weight_hh")))
    reason = say(
        "the weights of the input are missing. Each gate of {name} reads the input and the state.", name=context.name
    )
    yield _base("forgot_input_channels", reason, 16, at_each_step(_without(weights, "weight_ih")))
    if context.op.bias:  # type: ignore[attr-defined]  # a recurrent layer
        reason = say("the bias is counted too. Adding a bias is no multiplication.")
        yield _base("added_bias", reason, 12, at_each_step(arrays))
    for step, cost, other in _recurrent_settings(context):
        made = [array for array in _arrays(context, other) if not array.is_bias]
        yield (step,), cost, at_each_step(made)


# --- attention


def _attention_params(context: LayerContext) -> Iterator[Base]:
    op, lifted, name = context.op, context.lifted.op, context.name
    assert isinstance(op, MultiheadAttention)
    arrays, bare = _arrays(context), _arrays(context, lifted.model_copy(update={"bias": False}))
    if op.bias:
        reason = say(
            "the biases are missing. Each of the four projections of {name} has one for each of its outputs.", name=name
        )
        yield _base("forgot_bias", reason, 10, _count(bare))
        reason = say("the bias of the output projection is missing. All four projections have one.")
        yield _base("forgot_bias", reason, 14, _count(_without(arrays, "out_proj_bias")))
        reason = say("the biases of Q, K and V are missing. All four projections have one.")
        yield _base("forgot_bias", reason, 14, _count(_without(arrays, "in_proj_bias")))
    else:
        reason = say("biases are counted. The projections of {name} have none.", name=name)
        yield _base("added_bias", reason, 10, _count(_arrays(context, lifted.model_copy(update={"bias": True}))))
    reason = say("the output projection is missing. After the heads comes a fourth projection.")
    for kept, more in ((arrays, 0), (bare, 4)):
        if kept is bare and not op.bias:
            continue
        yield _base("sum_of_parts", reason, 10 + more, _count(_without(kept, "out_proj")))
        yield from _attention_projections(context, kept, more)
    if op.relative_position_bias:
        reason = say("the table of relative positions is missing. It is trained too.")
        yield _base("forgot_bias", reason, 12, _count(_without(arrays, "relative_position")))
        reason = say("the biases and the table of relative positions are missing. They are trained too.")
        yield _base("forgot_bias", reason, 16, _count(_without(bare, "relative_position")))


def _attention_projections(context: LayerContext, arrays: Sequence[Param], more: int) -> Iterator[Base]:
    """One head for all, all heads full wide, one projection for Q, K and V."""
    op = context.op
    assert isinstance(op, MultiheadAttention)
    heads, width = op.num_heads, context.row.output_shape[0]
    into, out = (_count([one for one in arrays if one.name.startswith(kind)]) for kind in ("in_proj", "out_proj"))
    others = _count([one for one in arrays if one.name.startswith(("q_", "k_", "v_"))])
    into = plus(into, others) if others.value else into
    each = say("{heads} heads of {width} channels make {all}.", heads=heads, width=width // heads, all=width)
    letter = symbol("h", heads).node
    if heads > 1:
        reason = say("the width of one head instead of all. {each}", each=each)
        one = combine("//", (into, letter))
        yield _base("forgot_groups", reason, 12 + more, one)
        yield _base("forgot_groups", reason, 14 + more, plus(one, out))
        yield _base("forgot_groups", reason, 16 + more, combine("//", (plus(into, out), letter)))
        reason = say("multiplied by the heads. {each}", each=each)
        yield _base("forgot_groups", reason, 12 + more, plus(times(letter, into), out))
        yield _base("forgot_groups", reason, 14 + more, times(letter, into))
        yield _base("forgot_groups", reason, 16 + more, times(letter, plus(into, out)))
    if into.value % 3 == 0:
        reason = say("one projection for queries, keys and values. Each of the three has its own.")
        third = combine("//", (into, symbol("3", 3).node))
        yield _base("repeat_count", reason, 14 + more, plus(third, out))
        yield _base("repeat_count", reason, 16 + more, third)


def _attention_work(context: LayerContext) -> Iterator[Base]:
    op, lifted = context.op, context.lifted
    assert isinstance(op, Heads)
    parts: Mapping[str, Any] = lifted.op.parts(lifted.inputs, lifted.output)  # type: ignore[attr-defined]  # of Heads
    scores, values = traced(parts["QKᵀ"]).node, traced(parts["AV"]).node
    both = plus(scores, values)
    own = say("Each query meets each key twice: in QKᵀ and where the values are weighted, AV.")
    projections = traced(parts["the projections"]).node if "the projections" in parts else None
    heads = symbol("h", op.num_heads).node

    def with_projections(part: Node) -> Node:
        return part if projections is None else plus(projections, part)

    if projections is not None:
        reason = say("only the projections. {own}", own=own)
        yield _base("sum_of_parts", reason, 10, projections)
        reason = say("only QKᵀ and AV. The projections of queries, keys, values and of the output multiply too.")
        yield _base("sum_of_parts", reason, 12, both)
        out = projections.parts[1] if projections.kind == "+" else None
        if out is not None:
            reason = say("the output projection is missing. After the heads comes a fourth projection.")
            yield _base("sum_of_parts", reason, 12, plus(projections.parts[0], both))
            yield _base("sum_of_parts", reason, 20, projections.parts[0])
    if scores.value == values.value:
        reason = say("one of QKᵀ and AV is missing. {own}", own=own)
        yield _base("sum_of_parts", reason, 10, with_projections(scores))
    else:
        yield _base("sum_of_parts", say("{part} is missing. {own}", part="AV", own=own), 10, with_projections(scores))
        yield _base("sum_of_parts", say("{part} is missing. {own}", part="QKᵀ", own=own), 12, with_projections(values))
    if (windows := getattr(op, "window_size", None)) is not None:
        whole: Any = lifted.op.model_copy(update={"window_size": None, "relative_position_bias": False})
        found = whole.parts(lifted.inputs, lifted.output)
        reason = say(
            "each query meets all {positions:,} positions. In windows of {window} it meets {keys}.",
            positions=product(context.inputs[0][1:]),
            window="×".join(map(str, windows)),
            keys=product(windows),
        )
        of_all = plus(traced(found["QKᵀ"]).node, traced(found["AV"]).node)
        yield _base("repeat_count", reason, 10, with_projections(of_all))
        yield _base("repeat_count", reason, 16, of_all)
    if op.num_heads > 1:
        width = context.row.output_shape[0]
        each = say(
            "{heads} heads of {width} channels make {all}.", heads=op.num_heads, width=width // op.num_heads, all=width
        )
        reason = say("QKᵀ and AV are multiplied by the heads. {each}", each=each)
        yield _base("forgot_groups", reason, 12, with_projections(times(heads, both)))
        reason = say("QKᵀ and AV of one head only. {each}", each=each)
        yield _base("forgot_groups", reason, 12, with_projections(combine("//", (both, heads))))
        reason = say("multiplied by the heads. {each}", each=each)
        yield _base("forgot_groups", reason, 16, times(heads, with_projections(both)))
    arrays = [array for array in _arrays(context) if array.name.endswith("proj_bias")]
    if projections is not None and arrays:
        rows = symbol("T", product(context.inputs[0][1:])).node
        reason = say("the bias is counted too. Adding a bias is no multiplication.")
        yield _base("added_bias", reason, 14, plus(with_projections(both), times(rows, _count(arrays))))
