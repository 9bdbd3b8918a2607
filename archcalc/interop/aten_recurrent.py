"""Recurrent layers of ATen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archcalc.interop.aten_moves import Translated, Translation

#: Rows of a weight for each hidden unit.
_GATES = {"lstm": 4, "gru": 3}


def _is_zero(call: Any, item: Any) -> bool:
    """Whether a tensor is made of zeros, as PyTorch makes a state that is not given."""
    known = call.reader.known.get(getattr(item, "name", None))
    return known is not None and not bool(known.any())


def _recurrent(name: str, **more: Any) -> Translation:
    def translate(call: Any) -> Translated:
        given, params = call["hx"], list(call["params"])
        rows, width = params[1].meta["val"].shape
        hidden = rows // _GATES.get(name, 1)
        # Of each layer and way there are two weights, the bias of the row, that of the state, and a projection.
        each = 4 + (width != hidden)
        of_states = params[3::each] if call["has_biases"] else []
        single = bool(of_states) and all(_is_zero(call, item) for item in of_states)
        if single:
            del params[3::each]
        arrays = [call.name(item) for item in params]
        attributes = {
            "hidden_size": hidden, "num_layers": call["num_layers"], "bidirectional": call["bidirectional"],
            "bias": call["has_biases"], "batch_first": call["batch_first"], **more,
            **({"proj_size": width} if width != hidden else {}), **({"single_bias": True} if single else {}),
        }  # fmt: skip
        states = [item for item in (given if isinstance(given, (list, tuple)) else [given]) if not _is_zero(call, item)]
        if states:
            # A state that is given is no zero: archcalc's layers begin with zeros.
            names = [call.tensor("input"), *(call.name(item) for item in states), *arrays]
            return f"{name} with initial states", names, attributes
        return name, [call.tensor("input"), *arrays], attributes

    return translate


RECURRENT: Mapping[str, Translation] = {
    "lstm": _recurrent("lstm"),
    "gru": _recurrent("gru"),
    "rnn_tanh": _recurrent("rnn", nonlinearity="tanh"),
    "rnn_relu": _recurrent("rnn", nonlinearity="relu"),
}
