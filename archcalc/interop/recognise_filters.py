"""Filters that programs write as other operations: tables of connections, and filters of every position's own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archcalc.interop.arrays import np
from archcalc.interop.program import Constant, Node, Value

if TYPE_CHECKING:
    from numpy import ndarray

    Array = ndarray[Any, Any]

#: As many numbers of places are compared.
_MOST_PLACES = 1 << 24
#: What takes windows of a map; other arrangements belong to them only where they come after one of these.
_CUTS = frozenset({"slice", "select", "unfold", "pad", "cat", "stack"})


def connections(filters: int, pairs: Sequence[Sequence[int]]) -> list[list[int]] | None:
    """The channels that each filter reads, of pairs of a filter and a channel; None where they stand in no order."""
    table: list[list[int]] = [[] for _ in range(filters)]
    for row, channel in pairs:
        if not 0 <= row < filters or channel < 0 or any(table[row + 1 :]) or channel in table[row][-1:]:
            return None
        table[row].append(channel)
    return table if all(each == sorted(set(each)) and each for each in table) else None


def scattered(node: Node, constants: Mapping[str, Constant]) -> tuple[list[list[int]], Constant] | None:
    """The table and the filters of weights that are put among zeros by the numbers of filter and channel."""
    found = [constants.get(name or "") for name in node.inputs]
    if node.op != "index_put" or len(found) != 4 or found[3] is None:
        return None
    filters, arrays = found[3], [each.load() for each in found[:3] if each is not None and each.load is not None]
    if len(arrays) != 3 or arrays[0].size > _MOST_PLACES or arrays[0].any() or arrays[1].ndim != 1:
        return None
    zeros, rows, columns = arrays
    if filters.shape != (*rows.shape, *zeros.shape[2:]):
        return None
    table = connections(zeros.shape[0], list(zip(rows.tolist(), columns.tolist(), strict=True)))
    return None if table is None else (table, filters)


class Filters:
    """Finds products of the windows of a map with filters of each window's own."""

    def __init__(
        self, values: dict[str, Value], constants: Mapping[str, Constant], makers: Mapping[str, Node]
    ) -> None:  # fmt: skip
        self.values, self.constants, self.makers = values, constants, makers

    def local(self, node: Node) -> list[Node]:
        """The layer that a matrix product for each window is, and the arrangement of its result; none for another one.

        The filters are stored as (filters, *positions, channels, *kernel).
        """
        if node.op != "matmul" or len(node.inputs) != 2:
            return []
        for windows, weight, turn in ((*node.inputs, False), (*node.inputs[::-1], True)):
            source = self._source(weight)
            shape = () if source is None else source.shape
            rank = len(shape) // 2 - 1
            if source is None or not 1 <= rank <= 3 or len(shape) != 2 * rank + 2 or source.role != "parameter":
                continue
            count, depth = math.prod(shape[1 : 1 + rank]), math.prod(shape[1 + rank :])
            sizes = [(count, 1, depth), (count, depth, shape[0])]
            if turn:
                sizes = [(each[0], each[2], each[1]) for each in sizes]
            x = self._base(windows, shape[1 + rank], rank)
            if x is None or [*map(self._matrices, (windows, weight))] != sizes or source.size > _MOST_PLACES:
                continue
            window = self._window(x, windows, weight, shape, rank, turn)
            if window is not None:
                return self._layer(node, x, source, window, turn)
        return []

    def _layer(self, node: Node, x: str, source: Constant, window: Mapping[str, Any], turn: bool) -> list[Node]:
        """The layer, then its result with the positions first."""
        rank = len(source.shape) // 2 - 1
        filters, sizes = source.shape[0], source.shape[1 : 1 + rank]
        count = math.prod(sizes)
        dims, whole = ((2, 1, 0), (count, filters, 1)) if turn else ((2, 0, 1), (count, 1, filters))
        steps: list[Node] = []
        for op, made, given in (
            (f"locally_connected{rank}d", (1, filters, *sizes), window),
            ("reshape", (1, filters, count), {"shape": (1, filters, count)}),
            ("permute", whole, {"dims": dims}),
            ("reshape", self._shape(node.outputs[0]), {"shape": self._shape(node.outputs[0])}),
        ):
            name = node.outputs[0] if len(steps) == 3 else f"{node.outputs[0]} {op}"
            self.values[name] = replace(self.values[node.outputs[0]], name=name, shape=tuple(made))
            inputs = (steps[-1].outputs[0],) if steps else (x, source.name, None)
            steps.append(replace(node, op=op, inputs=inputs, outputs=(name,), attributes=dict(given)))
        return steps

    def _window(
        self, x: str, windows: str | None, weight: str | None, shape: Sequence[int], rank: int, turn: bool
    ) -> dict[str, Any] | None:
        """The settings of the windows; None where the filters are others, or in another order."""
        size, seen = self._shape(x), self._places(windows, x)
        held = self._places(weight, None)
        if seen is None or held is None:
            return None
        out, channels, kernel = shape[1 : 1 + rank], shape[1 + rank], shape[2 + rank :]
        count, depth = math.prod(out), math.prod(shape[1 + rank :])
        seen = seen.reshape(count, depth)
        held = held.reshape(self._matrices(weight))
        held = np.transpose(held, (0, 2, 1)) if turn else held
        # The place of each weight says its filter, its position and its place in the window.
        order = np.transpose(np.arange(math.prod(shape)).reshape(shape[0], count, depth), (1, 2, 0))
        inside = held[:, :, :1].reshape(count, depth) % depth
        rows = np.arange(count).reshape(count, 1) * depth
        wanted = np.take(order.reshape(count * depth, shape[0]), (rows + inside).reshape(-1), 0)
        if not np.array_equal(held.reshape(count * depth, shape[0]), wanted):
            return None
        # In the order of the stored filters.
        by_place = np.full(count * depth, -1)
        by_place[(rows + inside).reshape(-1)] = seen.reshape(-1)
        return _settings(by_place.reshape(*out, channels, *kernel), size[2:], out, kernel)

    # --- reading

    def _shape(self, name: str | None) -> tuple[int, ...]:
        return (self.values.get(name or "") or self.constants[name or ""]).shape

    def _matrices(self, name: str | None) -> tuple[int, ...]:
        """How many matrices of which size a tensor is."""
        shape = self._shape(name)
        return (math.prod(shape[:-2]), *shape[-2:])

    def _source(self, name: str | None) -> Constant | None:
        """The stored tensor that a value is in another arrangement."""
        while (node := self.makers.get(name or "")) is not None and node.op in ("reshape", "permute", "transpose"):
            name = node.inputs[0]
        return self.constants.get(name or "")

    def _base(self, name: str | None, channels: int, rank: int) -> str | None:
        """The map of which a value has windows."""
        is_cut = False
        for _ in range(64):
            node, shape = self.makers.get(name or ""), self._shape(name)
            is_map = shape[:2] == (1, channels) and len(shape) == 2 + rank
            if node is None or (is_map and is_cut and node.op not in _CUTS):
                return name if is_map and is_cut else None
            is_cut = is_cut or node.op in _CUTS
            if node.op not in _MOVES:
                return None
            name = node.inputs[0]
        return None

    def _places(self, name: str | None, x: str | None) -> Array | None:
        """The places of a tensor, counted in the order of its values, that a value is made of; −1 for a zero."""
        if name == x or (x is None and name in self.constants):
            return np.arange(math.prod(self._shape(name))).reshape(self._shape(name))
        node = self.makers.get(name or "")
        if node is None or node.op not in _MOVES or math.prod(self._shape(name)) > _MOST_PLACES:
            return None
        inputs = [self._places(each, x) for each in node.inputs]
        known = [each for each in inputs if each is not None]
        if len(known) != len(inputs):
            return None
        made = _MOVES[node.op](known, node.attributes)
        return None if made is None else made.reshape(self._shape(name))


def _settings(
    places: Array, sizes: Sequence[int], out: Sequence[int], kernel: Sequence[int]
) -> dict[str, Any] | None:  # fmt: skip
    """Stride, dilation and padding of windows; `places` are those of (*positions, channels, *kernel) in the map."""
    rank = len(out)
    strides, dilations, begins, ends = list[int](), list[int](), list[int](), list[int]()
    wanted = np.zeros(places.shape)
    inside = np.full(places.shape, 1)
    step = 1
    for axis in reversed(range(rank)):
        # Places along the axis, where neither the others nor the padding matter.
        lines = np.moveaxis(np.moveaxis(places, rank + 1 + axis, 0), 1 + axis, 1).reshape(kernel[axis], out[axis], -1)
        line = np.max(lines, axis=2)
        along = [[(value // step) % sizes[axis] if value >= 0 else None for value in row] for row in line.tolist()]
        pairs = {(tap, at): value for tap, row in enumerate(along) for at, value in enumerate(row) if value is not None}
        stride = next((pairs[tap, at + 1] - pairs[tap, at] for tap, at in pairs if (tap, at + 1) in pairs), 1)
        dilation = next((pairs[tap + 1, at] - pairs[tap, at] for tap, at in pairs if (tap + 1, at) in pairs), 1)
        if not pairs or stride < 1 or dilation < 1:
            return None
        (tap, at), value = next(iter(pairs.items()))
        begin = at * stride + tap * dilation - value
        last = (out[axis] - 1) * stride + (kernel[axis] - 1) * dilation + 1
        own = np.array(
            [[at * stride + tap * dilation - begin for tap in range(kernel[axis])] for at in range(out[axis])]
        )
        own = own.reshape([size if n in (axis, rank + 1 + axis) else 1 for n, size in enumerate(places.shape)])
        inside = inside * np.where(own >= 0, 1, 0) * np.where(own < sizes[axis], 1, 0)
        wanted, step = wanted + own * step, step * sizes[axis]
        strides, dilations = [stride, *strides], [dilation, *dilations]
        begins, ends = [begin, *begins], [max(last - begin - sizes[axis], 0), *ends]
    channel = [size if n == rank else 1 for n, size in enumerate(places.shape)]
    wanted = np.where(inside, wanted + np.arange(places.shape[rank]).reshape(channel) * step, -1)
    if min(begins) < 0 or not np.array_equal(places, wanted):
        return None
    return {"kernel_size": tuple(kernel), "stride": tuple(strides), "dilation": tuple(dilations),
            "padding": (*begins, *ends)}  # fmt: skip


def _taken(arrays: Sequence[Array], places: Sequence[int], dim: int) -> Array:
    return np.take(arrays[0], np.array(list(places)), dim)


def _unfolded(arrays: Sequence[Array], given: Mapping[str, Any]) -> Array:
    dim, size, step = given["dim"], given["size"], given["step"]
    shape = arrays[0].shape
    starts = range(0, shape[dim] - size + 1, step)
    places = [start + place for start in starts for place in range(size)]
    made = _taken(arrays, places, dim).reshape(*shape[:dim], len(starts), size, *shape[dim + 1 :])
    return np.moveaxis(made, dim + 1, made.ndim - 1)


def _padded(arrays: Sequence[Array], given: Mapping[str, Any]) -> Array | None:
    """With −1 for zeros around."""
    found = arrays[0]
    if given["mode"] != "constant" or given["value"] or min(given["pad"]) < 0:
        return None
    for index in range(0, len(given["pad"]), 2):
        dim = found.ndim - 1 - index // 2
        sides = [np.full([count if n == dim else size for n, size in enumerate(found.shape)], -1)
                 for count in given["pad"][index : index + 2]]  # fmt: skip
        found = np.concatenate([sides[0], found, sides[1]], dim)
    return found


def _permuted(arrays: Sequence[Array], given: Mapping[str, Any]) -> Array:
    order = list(given.get("dims", range(arrays[0].ndim)))
    if "dim0" in given:
        order[given["dim0"]], order[given["dim1"]] = order[given["dim1"]], order[given["dim0"]]
    return np.transpose(arrays[0], order)


#: How operations arrange places; what only changes a shape gives its input.
_MOVES: Mapping[str, Any] = {
    **dict.fromkeys(("reshape", "squeeze", "unsqueeze", "identity"), lambda arrays, _: arrays[0]),
    "slice": lambda a, given: _taken(a, range(given["start"], given["end"], given["step"]), given["dim"]),
    "select": lambda a, given: _taken(a, [given["index"]], given["dim"]),
    "unfold": _unfolded,
    "pad": _padded,
    "permute": _permuted,
    "transpose": _permuted,
    "cat": lambda a, given: np.concatenate(a, given["dim"]),
    "stack": lambda a, given: np.concatenate([np.expand_dims(each, given["dim"]) for each in a], given["dim"]),
}
