"""Operations of ATen that move, cut or copy values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: What an operation becomes: its name, the tensors that it reads, and its attributes.
Translated = tuple[str, Sequence[str | None], dict[str, Any]]
Translation = Callable[[Any], Translated]

#: The largest index of a slice stands for its end.
_END = 1 << 62


def axes(dims: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from 0; None for all."""
    if dims is None or (isinstance(dims, (list, tuple)) and not dims):
        return tuple(range(rank))
    return tuple([dim % rank for dim in (dims if isinstance(dims, (list, tuple)) else (dims,))])


def _reshape(call: Any) -> Translated:
    return "reshape", [call.tensor("self")], {"shape": call.made_shape}


def _expand(call: Any) -> Translated:
    return "expand", [call.tensor("self")], {"shape": call.made_shape}


def _permute(call: Any) -> Translated:
    return "permute", [call.tensor("self")], {"dims": axes(call["dims"], len(call.shape("self")))}


def _movedim(call: Any) -> Translated:
    rank = len(call.shape("self"))
    source, goal = axes(call["source"], rank), axes(call["destination"], rank)
    order = [axis for axis in range(rank) if axis not in source]
    for to, axis in sorted(zip(goal, source, strict=True)):
        order.insert(to, axis)
    return "permute", [call.tensor("self")], {"dims": tuple(order)}


def _turn(call: Any) -> Translated:
    rank = len(call.shape("self"))
    return "permute", [call.tensor("self")], {"dims": tuple(reversed(range(rank)))}


def _turn_last(call: Any) -> Translated:
    rank = len(call.shape("self"))
    return "transpose", [call.tensor("self")], {"dim0": rank - 2, "dim1": rank - 1}


def _transpose(call: Any) -> Translated:
    rank = len(call.shape("self"))
    return "transpose", [call.tensor("self")], {"dim0": call["dim0"] % rank, "dim1": call["dim1"] % rank}


def _join(name: str) -> Translation:
    def translate(call: Any) -> Translated:
        tensors = [call.name(item) for item in call["tensors"]]
        return name, tensors, {"dim": call["dim"] % len(call.made_shape)}

    return translate


def _split(call: Any) -> Translated:
    dim = call["dim"] % len(call.shape("self"))
    sizes = tuple([int(made.shape[dim]) for made in call.made])
    return "split", [call.tensor("self")], {"sizes": sizes, "dim": dim}


def _chunk(call: Any) -> Translated:
    dim = call["dim"] % len(call.shape("self"))
    return "chunk", [call.tensor("self")], {"chunks": call["chunks"], "dim": dim}


def _unbind(call: Any) -> Translated:
    return "unbind", [call.tensor("self")], {"dim": call["dim"] % len(call.shape("self"))}


def _slice(call: Any) -> Translated:
    shape = call.shape("self")
    dim = call["dim"] % len(shape)
    size = shape[dim]
    start, end = call["start"] or 0, call["end"]
    end = size if end is None or end > _END else end
    ends = [min(max(value + size if value < 0 else value, 0), size) for value in (start, end)]
    return "slice", [call.tensor("self")], {"dim": dim, "start": ends[0], "end": ends[1], "step": call["step"]}


def _narrow(call: Any) -> Translated:
    dim, start = call["dim"] % len(call.shape("self")), call["start"]
    return "slice", [call.tensor("self")], {"dim": dim, "start": start, "end": start + call["length"], "step": 1}


def _select(call: Any) -> Translated:
    shape = call.shape("self")
    dim = call["dim"] % len(shape)
    return "select", [call.tensor("self")], {"dim": dim, "index": call["index"] % shape[dim]}


def _pad(call: Any) -> Translated:
    mode = call.get("mode", "constant")
    return "pad", [call.tensor("self")], {"pad": tuple(call["pad"]), "mode": mode, "value": call.get("value") or 0.0}


def _repeat(call: Any) -> Translated:
    """How often each axis of the result has the tensor, whose own axes are the last."""
    return "repeat", [call.tensor("self")], {"repeats": tuple(call.get("repeats") or call.get("dims"))}


def _repeat_each(call: Any) -> Translated:
    dim = call.get("dim")
    if dim is None or not isinstance(call["repeats"], int):
        return "repeat_interleave", call.reader.tensors(call.arguments), {}
    return "repeat_each", [call.tensor("self")], {"repeats": call["repeats"], "dim": dim % len(call.shape("self"))}


def _copy(call: Any) -> Translated:
    return "expand", [call.tensor("src")], {"shape": call.made_shape}


def _slice_scatter(call: Any) -> Translated:
    _, _, given = _slice(call)
    return "slice_scatter", [call.tensor("self"), call.tensor("src")], given


def _unfold(call: Any) -> Translated:
    dim = call["dimension"] % len(call.shape("self"))
    return "unfold", [call.tensor("self")], {"dim": dim, "size": call["size"], "step": call["step"]}


def _index(call: Any) -> Translated:
    """Numbers for some axes; `dims` says which."""
    indices = call["indices"]
    dims = tuple([axis for axis, index in enumerate(indices) if index is not None])
    return "index", [call.tensor("self"), *(call.name(indices[axis]) for axis in dims)], {"dims": dims}


def _index_select(call: Any) -> Translated:
    dims = (call["dim"] % len(call.shape("self")),)
    return "index", [call.tensor("self"), call.tensor("index")], {"dims": dims}


def _roll(call: Any) -> Translated:
    rank = len(call.shape("self"))
    # Without axes all values are rolled as one row.
    dims = axes(call["dims"], rank) if call["dims"] else ()
    return "roll", [call.tensor("self")], {"shifts": tuple(call["shifts"]), "dims": dims}


def _squeeze(call: Any) -> Translated:
    return "reshape", [call.tensor("self")], {"shape": call.made_shape}


MOVES: Mapping[str, Translation] = {
    **dict.fromkeys(("view", "reshape", "flatten", "unflatten", "_unsafe_view", "view_as", "reshape_as"), _reshape),
    "expand": _expand,
    "expand_as": _expand,
    "permute": _permute,
    "movedim": _movedim,
    "t": _turn,
    "numpy_T": _turn,
    "mT": _turn_last,
    "adjoint": _turn_last,
    "matrix_H": _turn_last,
    "transpose": _transpose,
    "squeeze": _squeeze,
    "unsqueeze": _squeeze,
    "cat": _join("cat"),
    "concat": _join("cat"),
    "stack": _join("stack"),
    **dict.fromkeys(("split", "split_with_sizes", "tensor_split", "unsafe_split", "unsafe_split_with_sizes"), _split),
    "chunk": _chunk,
    "unsafe_chunk": _chunk,
    "unbind": _unbind,
    "slice": _slice,
    "narrow": _narrow,
    "select": _select,
    "pad": _pad,
    "constant_pad_nd": _pad,
    "roll": _roll,
    "repeat": _repeat,
    "tile": _repeat,
    "repeat_interleave": _repeat_each,
    "copy": _copy,
    "slice_scatter": _slice_scatter,
    "index": _index,
    "unfold": _unfold,
    "index_select": _index_select,
}
