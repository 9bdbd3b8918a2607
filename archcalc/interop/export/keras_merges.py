"""How several maps into one are spelt in Keras."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import KERAS, Case, Layout, Made, Speller, Spelling, Table, args, only
from archcalc.ops.axes import axis_of

TABLE: Table[Speller] = Table()


def _wide(case: Case) -> list[str]:
    """The inputs, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    missing = [axes - len(shape) for shape in case.inputs]
    return [f"{{{n}}}" + (f"[:, {'None, ' * more}:]" if more else "") for n, more in enumerate(missing)]


@TABLE.of("add")
def _add(case: Case) -> Spelling:
    return Spelling(expression=" + ".join(_wide(case)))


@TABLE.of("multiply")
def _multiply(case: Case) -> Spelling:
    op: Any = case.op
    factor = [repr(op.factor)] if op.factor != 1 or len(case.inputs) == 1 else []
    return Spelling(expression=" * ".join([*factor, *_wide(case)]))


@TABLE.of("subtract")
def _subtract(case: Case) -> Spelling:
    return Spelling(expression=" - ".join(_wide(case)))


@TABLE.of("divide")
def _divide(case: Case) -> Spelling:
    return Spelling(expression=" / ".join(_wide(case)))


@TABLE.of("rescale")
def _rescale(case: Case) -> Spelling:
    op: Any = case.op
    # Channels are the last axis, so that a number for each is a list there.
    given = [list(numbers) if isinstance(numbers, tuple) else numbers for numbers in (op.factor, op.offset)]
    return only("layers.Rescaling", ("scale", given[0]), offset=(given[1], 0.0))


@TABLE.of("power")
def _power(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"ops.power({{0}}, {op.exponent!r})")


def _axis(case: Case) -> int:
    op: Any = case.op
    return axis_of(op.axis, case.inputs[0]) or -1


@TABLE.of("concat")
def _concat(case: Case) -> Spelling:
    return Spelling(
        expression=f"ops.concatenate([{', '.join(f'{{{n}}}' for n in range(len(case.inputs)))}], {_axis(case)})"
    )


@TABLE.of("matmul")
def _matmul(case: Case) -> Spelling:
    op: Any = case.op
    if case.rank > 1:
        raise case.cannot("a product of maps with several axes of positions", KERAS)
    turned = [
        f"ops.swapaxes({{{n}}}, 1, 2)" if flag else f"{{{n}}}"
        for n, flag in enumerate((op.transpose_first, op.transpose_second))
    ]
    return Spelling(expression=f"ops.matmul({', '.join(turned)})")


@TABLE.of("multi_head_attention")
def _multi_head_attention(case: Case) -> Spelling:
    op: Any = case.op
    size = case.inputs[0][0]
    projected = op.embed_dim not in (None, size)
    if len(case.inputs) == 1 and (projected or case.rank > 1 or op.window_size or op.relative_position_bias):
        return _window_attention(case)
    if case.rank > 1:
        raise case.cannot("attention of maps with several axes to others", KERAS)
    depth = size // op.num_heads
    made = Made(
        "layers.MultiHeadAttention",
        args(("num_heads", op.num_heads), ("key_dim", depth), use_bias=(op.bias, True)),
    )
    # Keras takes the queries, then the values, then the keys.
    given = ("{0}, {0}", "{0}, {1}", "{0}, {2}, {1}")[len(case.inputs) - 1]
    return Spelling(
        (made,),
        arrays=_attention_arrays(case, op.num_heads, depth),
        given=given + ", use_causal_mask=True" * op.is_causal,
    )


def _window_attention(case: Case) -> Spelling:
    """Self-attention in windows, with relative positions, over several axes or of another width: a layer of its own."""
    op: Any = case.op
    made = Made("WindowAttention", args(
        ("embed_dim", op.embed_dim), ("num_heads", op.num_heads), window_size=(op.window_size, None),
        relative_position_bias=(op.relative_position_bias, False), use_bias=(op.bias, True),
        is_causal=(op.is_causal, False), partition=(op.partition, "window"),
        shift_size=(tuple(op.shift_size) if any(op.shift_size) else None, None),
    ))  # fmt: skip
    arrays = {param.name: Layout(param.name, tuple(range(len(param.shape)))) for param in op.param_shapes(case.inputs)}
    return Spelling((made,), arrays=arrays)


def _attention_arrays(case: Case, heads: int, depth: int) -> dict[str, Layout]:
    """Where the arrays of an attention go, head by head."""
    names = ("query", "key", "value")
    sizes = [shape[0] for shape in (*case.inputs, *case.inputs[-1:] * 2)[:3]]
    found = {
        f"{name[0]}_proj_weight": Layout(f"{name}/kernel", (1, 0), (size, heads, depth))
        for name, size in zip(names, sizes, strict=True)
    }
    first, *others = names
    for kind, axes, shape in (("kernel", (1, 0), (sizes[0], heads, depth)), ("bias", (0,), (heads, depth))):
        named = "in_proj_weight" if kind == "kernel" else "in_proj_bias"
        found[named] = Layout(f"{first}/{kind}", axes, shape, others=tuple([f"{name}/{kind}" for name in others]))
    found["out_proj_weight"] = Layout("attention_output/kernel", (1, 0), (heads, depth, heads * depth))
    found["out_proj_bias"] = Layout("attention_output/bias", (0,))
    return found


@TABLE.of("scaled_dot_product_attention")
def _attention(case: Case) -> Spelling:
    op: Any = case.op
    more = {"is_causal": (op.is_causal, False), "scale": (op.scale, None)}
    return only("ScaledDotProductAttention", ("num_heads", op.num_heads), **more)
