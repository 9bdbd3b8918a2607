"""ONNX operations over sequences: recurrent layers and attention, as operations of a program."""

from __future__ import annotations

from typing import Any

from archcalc.core.errors import UsageError
from archcalc.interop.arrays import np
from archcalc.interop.onnx_call import Call, translates
from archcalc.interop.onnx_constants import Stored

#: The gates of ONNX in the order of torch: LSTM i o f c → i f c o, GRU z r h → r z h.
_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
_USUAL = {"LSTM": ["sigmoid", "tanh", "tanh"], "GRU": ["sigmoid", "tanh"]}
#: No recurrent layer has more biases, and no state more numbers.
_MOST_BIASES = 1 << 22
_WAYS = {"forward": 1, "reverse": 1, "bidirectional": 2}


@translates("LSTM", "GRU", "RNN")
def _recurrent(call: Call) -> bool:
    """A recurrent layer that starts at zero, with torch's activations; other ones are opaque."""
    weights, states, biases = (call.constant(index) for index in (1, 2, 3))
    direction, nonlinearity = call.attributes.get("direction", "forward"), _nonlinearity(call)
    if direction in _WAYS:
        _check_sizes(call, _WAYS[direction])
    if weights is None or states is None or not nonlinearity or not _is_plain(call) or direction not in _WAYS:
        return False
    if biases is None and call.has(3):
        return False
    ways = _WAYS[direction]
    single = biases is not None and _is_single(biases)
    by_batch = bool(call.attributes.get("layout", 0))
    hidden = states.shape[2]
    arrays: list[Stored] = []
    for way in range(ways):
        arrays += [_gates(call, each, way, hidden) for each in (weights, states)]
        if biases is not None:
            arrays += [_gates(call, biases, way, hidden, half) for half in (0, 1)[: 1 if single else 2]]
    time = 1 if by_batch else 0
    sizes = call.shape()
    attributes = {
        "hidden_size": hidden, "num_layers": 1, "bidirectional": ways == 2, "bias": biases is not None,
        "batch_first": by_batch, "single_bias": single, **({"nonlinearity": nonlinearity} if call.op == "RNN" else {}),
        **({"reset_after": bool(call.attributes.get("linear_before_reset", 0))} if call.op == "GRU" else {}),
    }  # fmt: skip
    name = call.inputs[0]
    flat = (*sizes[:2], ways * hidden)
    if direction == "reverse":
        name = call.emit("flip", [name], {"dims": (time,)}, shape=sizes)
    name = call.emit(call.op.lower(), [name, *arrays], attributes, shape=flat)
    last = (name, time, sizes[time] - 1)
    if direction == "reverse":
        name = call.emit("flip", [name], {"dims": (time,)}, shape=flat)
    if call.uses(0):
        _all_steps(call, name, flat, ways)
    if call.uses(1):
        _last_step(call, last, flat, ways, by_batch)
    if call.uses(2):
        call.emit("lstm cell state", [last[0]], outputs=[call.node.output[2]])
    return True


def _check_sizes(call: Call, ways: int) -> None:
    """Raise `UsageError` where an array has not the size that the operation has for it."""
    gates, channels = len(_GATES[call.op]), call.shape()[-1]
    recurrence = call.shape(2)
    hidden = int(call.attributes.get("hidden_size") or (recurrence[-1] if recurrence else 0))
    rows = gates * hidden
    state = (None, ways, hidden) if call.attributes.get("layout", 0) else (ways, None, hidden)
    wanted: dict[str, tuple[int, tuple[int | None, ...]]] = {
        "W": (1, (ways, rows, channels)), "R": (2, (ways, rows, hidden)), "B": (3, (ways, 2 * rows)),
        "initial_h": (5, state), "initial_c": (6, state),
    }  # fmt: skip
    for name, (index, sizes) in wanted.items():
        if not call.has(index):
            continue
        shape = call.shape(index)
        if len(shape) != len(sizes) or any(size not in (None, own) for own, size in zip(shape, sizes, strict=True)):
            shown = "×".join("batch" if size is None else str(size) for size in sizes)
            came = "×".join(map(str, shape)) or "a single number"
            raise UsageError(f"its {name} is {came}; with hidden_size {hidden} it should be {shown}")


def _nonlinearity(call: Call) -> str:
    """What torch calls the activation of an RNN; the op's own name where the usual ones are used, else nothing."""
    ways = _WAYS.get(call.attributes.get("direction", "forward"), 1)
    given = [each.lower() for each in call.attributes.get("activations") or ()]
    if call.op == "RNN":
        kinds = set(given or ["tanh"])
        return kinds.pop() if kinds in ({"tanh"}, {"relu"}) else ""
    return "usual" if not given or given == _USUAL[call.op] * ways else ""


def _is_plain(call: Call) -> bool:
    """Whether nothing is asked of it that torch's layers do not do."""
    given = call.attributes
    if "clip" in given or given.get("input_forget") or call.has(7):
        return False
    if call.has(4):
        lengths = call.known(4)
        if lengths is None or set(lengths.reshape(-1).tolist()) != {call.shape()[1 if given.get("layout") else 0]}:
            return False
    return all(_is_zero(call.constant(index)) for index in (5, 6) if call.has(index))


def _is_zero(state: Stored | None) -> bool:
    """Whether an initial state is stored and all zeros, as PyTorch's exporters write one that is not given."""
    return state is not None and state.is_there and state.work <= _MOST_BIASES and not state.load().any()


def _is_single(biases: Stored) -> bool:
    """Whether the biases of the state are zeros in the file, as converters write a layer that has one bias a gate."""
    if not biases.is_there or biases.work > _MOST_BIASES:
        return False
    values = biases.load()
    row, state = np.split(values, 2, axis=1)
    return bool(row.any()) and not state.any()


def _gates(call: Call, stored: Stored, way: int, hidden: int, half: int = 0) -> Stored:
    """The array of one way, its gates in the order of torch; of a bias the half for the input or for the state."""
    order = _GATES[call.op]
    rows = len(order) * hidden

    def change(array: Any) -> Any:
        own = array[way][half * rows : (half + 1) * rows]
        return np.concatenate([own[gate * hidden : (gate + 1) * hidden] for gate in order])

    shape = (rows, *stored.shape[2:])
    return stored.changed(f"{stored.name}#{way}.{half}", shape, change)


def _all_steps(call: Call, name: str, flat: tuple[int, ...], ways: int) -> None:
    """The output Y, in which the ways have an axis of their own."""
    by_batch = bool(call.attributes.get("layout", 0))
    if ways == 1:
        call.emit("unsqueeze", [name], {"dim": 2 if by_batch else 1})
        return
    split = (*flat[:2], ways, flat[2] // ways)
    if by_batch:
        call.emit("reshape", [name], {"shape": split})
        return
    name = call.emit("reshape", [name], {"shape": split}, shape=split)
    call.emit("permute", [name], {"dims": (0, 2, 1, 3)})


def _last_step(call: Call, last: tuple[str, int, int], flat: tuple[int, ...], ways: int, by_batch: bool) -> None:
    """The output Y_h: the state after the last step of each way."""
    name, time, end = last
    count = flat[1 - time]
    output = [call.node.output[1]]
    hidden = flat[2] // ways
    parts: list[str | Stored | None] = []
    for way, step in enumerate((end, 0)[:ways]):
        made = call.emit("select", [name], {"dim": time, "index": step}, shape=(count, flat[2]))
        if ways == 2:
            bounds = {"dim": 1, "start": way * hidden, "end": (way + 1) * hidden, "step": 1}
            made = call.emit("slice", [made], bounds, shape=(count, hidden))
        parts.append(made)
    dim = 1 if by_batch else 0
    if ways == 1:
        call.emit("unsqueeze", parts, {"dim": dim}, outputs=output)
    else:
        call.emit("stack", parts, {"dim": dim}, outputs=output)


@translates("Attention")
def _attention(call: Call) -> bool:
    """Scaled dot-product attention, of (batch, heads, positions, features) or with the heads in the features."""
    given = call.attributes
    has_past = any(call.has(index) for index in (4, 5, 6)) or any(call.uses(index) for index in (1, 2, 3))
    if has_past or given.get("softcap") or (call.has(3) and given.get("is_causal")):
        return False
    given.read.update(("q_num_heads", "kv_num_heads", "qk_matmul_output_mode"))
    scale = given.get("scale")
    attributes = {"is_causal": bool(given.get("is_causal", 0)), "scale": None if scale is None else float(scale)}
    mask = call.inputs[3] if call.has(3) else None
    if len(call.shape()) == 4:
        if call.shape(0)[1] != call.shape(1)[1]:
            return False
        call.emit("scaled_dot_product_attention", [*call.inputs[:3], mask], attributes)
        return True
    heads, shared = given.get("q_num_heads", 1), given.get("kv_num_heads", 1)
    if heads != shared:
        return False
    split = [_by_heads(call, index, heads) for index in range(3)]
    batch, positions, _ = call.shape(0)
    shape = (batch, heads, positions, call.shape(2)[2] // heads)
    name = call.emit("scaled_dot_product_attention", [*split, mask], attributes, shape=shape)
    turned = (batch, positions, heads, shape[3])
    name = call.emit("permute", [name], {"dims": (0, 2, 1, 3)}, shape=turned)
    call.emit("reshape", [name], {"shape": call.output_shape})
    return True


def _by_heads(call: Call, index: int, heads: int) -> str:
    batch, positions, features = call.shape(index)
    shape = (batch, positions, heads, features // heads)
    name = call.emit("reshape", [call.inputs[index]], {"shape": shape}, shape=shape)
    return call.emit("permute", [name], {"dims": (0, 2, 1, 3)}, shape=(batch, heads, positions, shape[3]))
