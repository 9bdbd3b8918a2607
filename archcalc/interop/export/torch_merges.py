"""How several maps into one, attention and recurrence are spelt in PyTorch."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.spelling import Case, Made, Speller, Spelling, Table, args, only
from archcalc.ops.axes import axis_of

TABLE: Table[Speller] = Table()


def _spread(case: Case) -> list[str]:
    """The inputs, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    missing = [axes - len(shape) for shape in case.inputs]
    return [f"{{{n}}}" + (f"[:, :{', None' * more}]" if more else "") for n, more in enumerate(missing)]


@TABLE.of("add")
def _add(case: Case) -> Spelling:
    return Spelling(expression=" + ".join(_spread(case)))


@TABLE.of("multiply")
def _multiply(case: Case) -> Spelling:
    op: Any = case.op
    if len(case.inputs) == 1:
        return only("Multiply", ("factor", op.factor))
    factor = [] if op.factor == 1 else [repr(op.factor)]
    return Spelling(expression=" * ".join([*factor, *_spread(case)]))


@TABLE.of("subtract")
def _subtract(case: Case) -> Spelling:
    return Spelling(expression=" - ".join(_spread(case)))


@TABLE.of("divide")
def _divide(case: Case) -> Spelling:
    return Spelling(expression=" / ".join(_spread(case)))


@TABLE.of("rescale")
def _rescale(case: Case) -> Spelling:
    op: Any = case.op

    def given(numbers: Any) -> str:
        if not isinstance(numbers, tuple):
            return repr(numbers)
        # On the device of the map, with an axis for each position axis.
        return f"{{0}}.new_tensor({list(numbers)!r})" + (f"[:, {', '.join(['None'] * case.rank)}]" if case.rank else "")

    return Spelling(expression=f"{{0}} * {given(op.factor)} + {given(op.offset)}")


@TABLE.of("power")
def _power(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"{{0}} ** {op.exponent!r}" if op.exponent >= 0 else f"{{0}} ** ({op.exponent!r})")


@TABLE.of("concat")
def _concat(case: Case) -> Spelling:
    op: Any = case.op
    maps = ", ".join(f"{{{n}}}" for n in range(len(case.inputs)))
    return Spelling(expression=f"torch.cat([{maps}], {1 + axis_of(op.axis, case.inputs[0])})")


@TABLE.of("matmul")
def _matmul(case: Case) -> Spelling:
    op: Any = case.op
    # Maps are (channels, positions), matrices positions × channels: (AB)ᵀ = BᵀAᵀ.
    first = "{0}.mT" if op.transpose_first else "{0}"
    second = "{1}.mT" if op.transpose_second else "{1}"
    if len(case.inputs[0]) > 2:
        # The axes before the rows are a batch: they go before the channels, and back.
        first, second = (f"{name}.movedim(1, -2)" + turned for name, turned in _turned(op))
        return Spelling(expression=f"({second} @ {first}).movedim(-2, 1)")
    return Spelling(expression=f"{second} @ {first}")


def _turned(op: Any) -> tuple[tuple[str, str], tuple[str, str]]:
    """The names of both maps, and what transposes them."""
    return ("{0}", ".mT" if op.transpose_first else ""), ("{1}", ".mT" if op.transpose_second else "")


@TABLE.of("scaled_dot_product_attention")
def _attention(case: Case) -> Spelling:
    op: Any = case.op
    return only("Attention", ("num_heads", op.num_heads), is_causal=(op.is_causal, False), scale=(op.scale, None))


@TABLE.of("multi_head_attention")
def _multi_head(case: Case) -> Spelling:
    op: Any = case.op
    needed: tuple[tuple[str, Any], ...] = (("embed_dim", op.embed_dim), ("num_heads", op.num_heads))
    channels = case.inputs[0][0]
    if op.window_size is not None or op.relative_position_bias or channels != op.embed_dim:
        sides = op.window_size or case.inputs[0][1:]
        more: dict[str, tuple[Any, Any]] = {
            "relative_position_bias": (op.relative_position_bias, True),
            "bias": (op.bias, True),
        }
        # One row of tokens may attend to those before it alone.
        more["is_causal"] = (op.is_causal, False)
        more["partition"] = (op.partition, "window")
        more["shift_size"] = (tuple(op.shift_size) if any(op.shift_size) else None, None)
        if channels == op.embed_dim:
            call = "WindowAttention"
        else:
            call, needed = "ProjectedAttention", (("in_channels", channels), *needed)
        made = Made(call, args(*needed, ("window_size", tuple(sides)), **more))
        return Spelling((made,))
    made = Made("MultiheadAttention", args(
        *needed, bias=(op.bias, True), kdim=(op.kdim, op.embed_dim), vdim=(op.vdim, op.embed_dim),
        is_causal=(op.is_causal, False),
    ))  # fmt: skip
    return Spelling((made,))


@TABLE.of("rnn", "lstm", "gru")
def _recurrent(case: Case) -> Spelling:
    op: Any = case.op
    more = {"nonlinearity": (op.nonlinearity, "tanh")} if op.kind == "rnn" else {}
    name = op.kind.capitalize() if getattr(op, "reset_after", True) else "ResetFirstGru"
    return only(
        name, ("input_size", case.inputs[0][0]), ("hidden_size", op.hidden_size),
        num_layers=(op.num_layers, 1), bias=(op.bias, True), bidirectional=(op.bidirectional, False),
        last=(op.last, False), single_bias=(op.single_bias, False), **more,
    )  # fmt: skip
