"""Keras's recurrent layers: forward, backward and both, with their states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from archcalc.interop.keras_activations import Maker, activation_name
from archcalc.interop.keras_layer import KerasLayer, Output, Tensor, Transform, UnreadError, only
from archcalc.ops.axes import axes_named


def recurrent(op: str) -> Maker:
    """`LSTM`, `GRU`, `SimpleRNN`; their state alone unless `return_sequences`."""

    def make(layer: KerasLayer, inputs: list[Tensor]) -> list[Output]:
        return _recurrent(layer, inputs, op, layer.config, None)

    return make


def around_cell(layer: KerasLayer, inputs: list[Tensor]) -> list[Output]:
    """`RNN` around a cell: the layer of that cell."""
    op, config = _of_kind(layer.kind, layer.config)
    return _recurrent(layer, inputs, op, config, None)


def bidirectional(layer: KerasLayer, inputs: list[Tensor]) -> list[Output]:
    """A recurrent layer forward and backward, with both outputs next to one another, or as one."""
    inner = layer.value("layer", {})
    kind = inner.get("class_name") if isinstance(inner, Mapping) else None
    config = inner.get("config") if isinstance(inner, Mapping) else None
    if not isinstance(kind, str) or not isinstance(config, Mapping):
        raise layer.wrong("its layer is not readable")
    op, config = _of_kind(kind, config)
    merge = layer.config.get("merge_mode", "concat")
    if merge not in ("concat", "sum", "mul", "ave", None):
        raise layer.wrong(f"merge_mode should be concat, sum, mul or ave, not {merge!r:.60}")
    return _recurrent(layer, inputs, op, config, str(merge))


#: The recurrent layers by class, and the cells.
RECURRENT = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn", "CuDNNLSTM": "lstm", "CuDNNGRU": "gru"}
_CELLS = {f"{kind}Cell": op for kind, op in RECURRENT.items()}
#: Cells of the code that archcalc writes, with a bias of what is read and one of the state.
_TWO_BIASES = {f"TwoBias{kind}Cell": op for kind, op in RECURRENT.items()}
_GATES = {"lstm": 4, "gru": 3, "rnn": 1}


def _of_kind(kind: str, config: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The op of a recurrent layer and its settings, which are partly those of its cell."""
    if kind in RECURRENT:
        return RECURRENT[kind], config
    cell = config.get("cell")
    if kind == "RNN" and isinstance(cell, Mapping) and isinstance(cell.get("config"), Mapping):
        kind = str(cell.get("class_name"))
        op = _CELLS.get(kind) or _TWO_BIASES.get(kind)
        if op is not None:
            own = {**cell["config"], **{name: value for name, value in config.items() if name != "cell"}}
            return op, {**own, "two_biases": kind in _TWO_BIASES}
    shown = str(cell.get("class_name"))[:40] if isinstance(cell, Mapping) else kind[:40]
    raise UnreadError(f"archcalc reads recurrent layers of LSTM, GRU and SimpleRNN, not {shown!r}")


class _Run(NamedTuple):
    """What a recurrent layer gives: every way's values next to one another, of all steps or of the last."""

    layer: KerasLayer
    output: Tensor
    units: int
    ways: int
    is_last: bool

    def half(self, way: int) -> Tensor:
        """The values of one way."""
        if self.ways == 1:
            return self.output
        name = ("forward", "backward")[way]
        fields = {"axis": "channels", "start": way * self.units, "length": self.units, "step": 1}
        return self.layer.add("narrow", [self.output], fields, part=f"/{name}")

    def state(self, way: int) -> Tensor:
        """The output of the last step of one way: the first one here of what runs backward."""
        found = self.half(way)
        if self.is_last:
            return found
        (axis,), steps = axes_named(self.layer.own(found))[1:], self.layer.own(found)[1]
        fields = {"axis": axis, "start": 0 if way else steps - 1, "length": 1, "step": 1}
        return self.layer.add("flatten", [self.layer.add("narrow", [found], fields, part="/step")], part="/state")

    def cell(self, way: int) -> Tensor:
        """The other state of an LSTM, which archcalc does not have as a map."""
        name = ("", "/backward")[way]
        fields = {"of": "LSTM cell state", "shape": (self.units,), "multiplications": 0}
        return self.layer.add("opaque", [self.output], fields, part=f"{name}/cell_state")


def _recurrent(
    layer: KerasLayer, inputs: list[Tensor], op: str, config: Mapping[str, Any], merge: str | None
) -> list[Output]:
    """The layer; `merge` says how both ways become one, `None` as text not at all."""
    settings = KerasLayer(layer.net, layer.kind, layer.name, config, layer.place, layer.last)
    source = layer.as_layout(only(layer, inputs[:1]), last=True)
    starts = [*inputs[1:], *layer.extra.values()]
    if len(layer.own(source)) != 2:
        raise layer.wrong(f"it needs a row of steps, its input is {layer.keras_shape(source)}")
    units, bias = settings.integer("units"), settings.flag("use_bias", True)
    fields: dict[str, Any] = {"hidden_size": units, "bias": bias}
    if merge:
        fields["bidirectional"] = True
    if not settings.flag("return_sequences", False):
        fields["last"] = True
    activation = activation_name(config.get("activation", "tanh"))
    usual = activation == "tanh" and activation_name(config.get("recurrent_activation", "sigmoid")) == "sigmoid"
    if op == "rnn":
        usual = activation in ("tanh", "relu")
        if activation == "relu":
            fields["nonlinearity"] = "relu"
    two = settings.flag("reset_after", True) if op == "gru" else settings.flag("two_biases", False)
    depth, steps = layer.own(source)
    ways = 2 if merge else 1
    if usual and not starts and not settings.flag("go_backwards", False):
        if bias and not two:
            fields["single_bias"] = True
        if op == "gru" and not two:
            fields["reset_after"] = False
        found = layer.add(op, [source], fields, arrays=_arrays(op, bool(merge), bias, two))
    else:
        rows = _GATES[op] * units
        params = ways * (rows * (depth + units) + rows * bias * (1 + two))
        shape = (ways * units,) if fields.get("last") else (ways * units, steps)
        products = ways * rows * (depth + units) * steps
        found = layer.opaque([source, *starts], shape, params, multiplications=products)
    run = _Run(layer, found, units, ways, "last" in fields)
    return [*_merged(run, merge or "concat"), *(_states(run, op) if settings.flag("return_state", False) else [])]


def _merged(run: _Run, merge: str) -> list[Tensor]:
    """The output of both ways, or those of each."""
    if merge == "concat":
        return [run.output]
    both = [run.half(way) for way in range(run.ways)]
    if merge == "None":
        return both
    joined = run.layer.add("multiply" if merge == "mul" else "add", both, part=f"/{merge}")
    return [run.layer.add("multiply", [joined], {"factor": 0.5}, part="/half") if merge == "ave" else joined]


def _states(run: _Run, op: str) -> list[Callable[[], Tensor]]:
    """The states of each way: what it gave last, and of an LSTM that of its cell."""
    parts = (run.state, run.cell) if op == "lstm" else (run.state,)
    return [partial(part, way) for way in range(run.ways) for part in parts]


def _arrays(op: str, both: bool, bias: bool, two: bool) -> dict[str, tuple[str, Transform | None]]:
    """The arrays of a recurrent layer; a GRU has its gates in another order here."""
    turn: Transform = _gru_order if op == "gru" else _as_it_is
    found: dict[str, tuple[str, Transform | None]] = {}
    for way, scope in (("", "forward_"), ("_reverse", "backward_")) if both else (("", ""),):
        found[f"weight_ih_l0{way}"] = (f"{scope}kernel", lambda array: turn(array.T))
        found[f"weight_hh_l0{way}"] = (f"{scope}recurrent_kernel", lambda array: turn(array.T))
        if bias and two:
            found[f"bias_ih_l0{way}"] = (f"{scope}bias", lambda array: turn(array[0]) if op == "gru" else array)
            name = "bias" if op == "gru" else "recurrent_bias"
            found[f"bias_hh_l0{way}"] = (f"{scope}{name}", lambda array: turn(array[1]) if op == "gru" else array)
        elif bias:
            found[f"bias_ih_l0{way}"] = (f"{scope}bias", turn)
    return found


def _gru_order(array: Any) -> Any:
    """Gates z, r, n as r, z, n."""
    import numpy as np

    update, reset, new = np.split(array, 3)
    return np.concatenate([reset, update, new])


def _as_it_is(array: Any) -> Any:
    return array
