"""How recurrent layers are spelt in Keras: one layer after the other, `Bidirectional` where there are two ways."""

from __future__ import annotations

from typing import Any

from archcalc.interop.export.params import Code, literal
from archcalc.interop.export.spelling import KERAS, Arg, Case, Layout, Made, Speller, Spelling, Table, args

TABLE: Table[Speller] = Table()
_LAYERS = {"rnn": "SimpleRNN", "lstm": "LSTM", "gru": "GRU"}
#: A GRU has its gates r, z, n here and z, r, n there.
_GATES = {"rnn": (0,), "lstm": (0, 1, 2, 3), "gru": (1, 0, 2)}


@TABLE.of("rnn", "lstm", "gru")
def _recurrent(case: Case) -> Spelling:
    op: Any = case.op
    if op.per_row:
        raise case.cannot("a recurrent layer over each row of a map", KERAS)
    if op.kind == "gru" and op.bias and op.single_bias == op.reset_after:
        which = "one bias a gate that resets after" if op.single_bias else "two biases a gate that resets before"
        raise case.cannot(f"a GRU with {which} the product", KERAS)
    parts = [_layer(op, index) for index in range(op.num_layers)]
    arrays = {param.name: _layout(op, param.name) for param in op.param_shapes(case.inputs)}
    return Spelling(tuple(parts), arrays=arrays)


def _layer(op: Any, index: int) -> Made:
    """One of its layers; all but the last give every step."""
    is_last = index == op.num_layers - 1
    settings = args(
        return_sequences=(not (op.last and is_last), False),
        use_bias=(op.bias, True),
        activation=(getattr(op, "nonlinearity", "tanh"), "tanh"),
        reset_after=(getattr(op, "reset_after", True), True),
    )
    suffix = "" if is_last else f"l{index}"
    if op.biases == 2 and op.kind != "gru":
        cell = f"TwoBias{_LAYERS[op.kind]}Cell({_given((Arg('units', op.hidden_size, keyword=False), settings[2]))})"
        call = "layers.RNN"
        given: tuple[Arg, ...] = (Arg("cell", Code(cell), keyword=False), settings[0])
    else:
        call, given = f"layers.{_LAYERS[op.kind]}", (Arg("units", op.hidden_size, keyword=False), *settings)
    if not op.bidirectional:
        return Made(call, given, suffix)
    inner = Code(f"{call}({_given(given)})")
    return Made("layers.Bidirectional", (Arg("layer", inner, keyword=False),), suffix)


def _given(arguments: tuple[Arg, ...]) -> str:
    """The arguments of a call inside another."""
    return ", ".join(
        literal(each.value) if not each.keyword else f"{each.name}={literal(each.value)}"
        for each in arguments
        if not each.keyword or each.value != each.default
    )


def _layout(op: Any, name: str) -> Layout:
    """Where an array goes: `weight_hh_l1_reverse` to `backward/recurrent_kernel` of the second layer."""
    kind, which, layer, *back = name.split("_")
    index = int(layer[1:])
    way = ("backward/" if back else "forward/") if op.bidirectional else ""
    suffix, gates = "" if index == op.num_layers - 1 else f"l{index}", _GATES[op.kind]
    if kind == "weight":
        return Layout(way + ("kernel" if which == "ih" else "recurrent_kernel"), (1, 0), None, gates, None, suffix)
    if op.kind == "gru" and op.reset_after:
        return Layout(f"{way}bias", (0,), None, gates, ("ih", "hh").index(which), suffix)
    return Layout(way + ("bias" if which == "ih" else "recurrent_bias"), (0,), None, gates, None, suffix)
