"""How several maps into one, attention and recurrence are written in ONNX."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from archcalc.interop.export.onnx_graph import Builder, Writer
from archcalc.interop.export.onnx_windows import indices
from archcalc.interop.export.spelling import Case, Table

TABLE: Table[Writer] = Table()


def _wide(g: Builder, case: Case, inputs: Sequence[str]) -> list[str]:
    """The maps, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    return [
        x if len(shape) == axes else g("Unsqueeze", x, g.ints(range(1 + len(shape), 1 + axes)))
        for x, shape in zip(inputs, case.inputs, strict=True)
    ]


@TABLE.of("add")
def _add(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    maps = _wide(g, case, inputs)
    return str(g("Add" if len(maps) == 2 else "Sum", *maps))


@TABLE.of("multiply")
def _multiply(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    first, *others = _wide(g, case, inputs)
    for other in others:
        first = g("Mul", first, other)
    return str(g("Mul", first, g.number(op.factor)) if op.factor != 1 or not others else first)


@TABLE.of("subtract", "divide")
def _difference(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    return str(g("Sub" if case.op.kind == "subtract" else "Div", *_wide(g, case, inputs)))


@TABLE.of("rescale")
def _rescale(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op

    def given(numbers: Any) -> str:
        return g.spread(g.floats(numbers), case.rank) if isinstance(numbers, tuple) else g.number(numbers)

    return str(g("Add", g("Mul", inputs[0], given(op.factor)), given(op.offset)))


@TABLE.of("power")
def _power(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    return str(g("Pow", inputs[0], g.number(op.exponent)))


@TABLE.of("matmul")
def _matmul(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    # Maps are (channels, positions), matrices positions × channels: (AB)ᵀ = BᵀAᵀ.
    rank = len(case.inputs[0]) - 1
    batch, back = range(2, rank + 1), (0, rank, *range(1, rank), rank + 1)
    first, second = (
        g.transpose(x, 0, *batch, *((rank + 1, 1) if turned else (1, rank + 1))) if turned or rank > 1 else x
        for x, turned in zip(inputs, (op.transpose_first, op.transpose_second), strict=True)
    )
    return str(g("MatMul", second, first)) if rank == 1 else str(g.transpose(g("MatMul", second, first), *back))


class _Parted(NamedTuple):
    """How many windows an image has, and what is added to the scores of each: (windows, 1, positions, positions)."""

    windows: int
    added: str


def _attended(
    g: Builder, maps: Sequence[str], shapes: Sequence[tuple[int, int]], heads: int, scale: float | None,
    offsets: str | None, causal: bool, parted: _Parted | None = None,
) -> str:  # fmt: skip
    """softmax(QKᵀ·scale + offsets)·V of rows (N, C, T), head by head: (N, C, T).

    `parted`: what is added to the scores of each window of an image: (windows, 1, T, T).
    """
    (embed, queries), (_, keys), (values, _) = shapes
    q, k, v = (g.reshape(x, heads, channels // heads, count) for x, (channels, count) in zip(maps, shapes, strict=True))
    factor = 1 / math.sqrt(embed // heads) if scale is None else scale
    q = g("Mul", g.transpose(q, 0, 1, 3, 2), g.number(factor))
    scores = g("MatMul", q, k)
    scores = scores if offsets is None else g("Add", scores, offsets)
    if parted is not None:
        whole = g("Reshape", scores, g.ints([-1, parted.windows, heads, queries, keys]))
        scores = g("Reshape", g("Add", whole, parted.added), g.ints([-1, heads, queries, keys]))
    if causal:
        hidden = [0.0 if key <= query else float("-inf") for query in range(queries) for key in range(keys)]
        scores = g("Add", scores, g.floats(hidden, (queries, keys)))
    shares = g("Softmax", scores, axis=-1)
    out = g("MatMul", shares, g.transpose(v, 0, 1, 3, 2))
    return g.reshape(g.transpose(out, 0, 1, 3, 2), values, queries)


@TABLE.of("scaled_dot_product_attention")
def _sdpa(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    shapes = [(shape[0], shape[1]) for shape in case.inputs]
    return _attended(g, inputs, shapes, op.num_heads, op.scale, None, op.is_causal)


@TABLE.of("multi_head_attention")
def _multi_head(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    op: Any = case.op
    embed = op.embed_dim
    places = (0, min(1, len(inputs) - 1), len(inputs) - 1)
    rows = {n: g.reshape(inputs[n], case.inputs[n][0], -1) for n in dict.fromkeys(places)}
    if len(rows) == 1 and g.has("in_proj_weight"):
        out = g("MatMul", g.weight("in_proj_weight"), rows[0])
        out = g("Add", out, g.spread(g.weight("in_proj_bias"), 1)) if op.bias else out
        projected = list(g("Split", out, outputs=3, axis=1, num_outputs=3))
    else:
        projected = [_projected(g, op, number, rows[place]) for number, place in enumerate(places)]
    counts = [math.prod(case.inputs[place][1:]) for place in places]
    window = op.window_size
    offsets = _offsets(g, case) if op.relative_position_bias else None
    grid = op.partition == "grid"
    if window is not None:
        projected = [_cut(g, x, embed, case.inputs[0][1:], window, grid) for x in projected]
        counts = [math.prod(window)] * 3
    shapes = [(embed, count) for count in counts]
    parted = _parted(g, case) if any(op.shift_size) else None
    mixed = _attended(g, projected, shapes, op.num_heads, None, offsets, op.is_causal, parted)
    if window is not None:
        mixed = _joined(g, mixed, embed, case.inputs[0][1:], window, grid)
    out = g("MatMul", g.weight("out_proj_weight"), g.reshape(mixed, embed, -1))
    out = g("Add", out, g.spread(g.weight("out_proj_bias"), 1)) if op.bias else out
    return g.reshape(out, *case.output)


def _projected(g: Builder, op: Any, number: int, rows: str) -> str:
    """The queries, keys or values (0, 1, 2) of rows of their own."""
    part = (number * op.embed_dim, (number + 1) * op.embed_dim)
    together = g.has("in_proj_weight")
    weight = g.slice(g.weight("in_proj_weight"), 0, *part) if together else g.weight(f"{'qkv'[number]}_proj_weight")
    out = g("MatMul", weight, rows)
    return str(g("Add", out, g.spread(g.slice(g.weight("in_proj_bias"), 0, *part), 1)) if op.bias else out)


def _parted(g: Builder, case: Case) -> _Parted:
    """What keeps positions of a window apart that come from both ends of a map that was rolled."""
    op: Any = case.op
    sizes = case.inputs[0][1:]
    inside = indices(op.window_size)
    values: list[float] = []
    blocks = indices([size // side for size, side in zip(sizes, op.window_size, strict=True)])
    for block in blocks:
        ends = [
            [
                b * side + i >= size - shift
                for b, i, side, size, shift in zip(block, one, op.window_size, sizes, op.shift_size, strict=True)
            ]
            for one in inside
        ]
        values += [0.0 if one == other else float("-inf") for one in ends for other in ends]
    return _Parted(len(blocks), g.floats(values, (len(blocks), 1, len(inside), len(inside))))


def _cut(g: Builder, x: str, embed: int, sizes: Sequence[int], window: Sequence[int], grid: bool) -> str:
    """(N, C, positions) as (N·windows, C, positions of a window)."""
    rank = len(sizes)
    pairs = [(size // side, side) for size, side in zip(sizes, window, strict=True)]
    parts = [part for pair in pairs for part in (pair[::-1] if grid else pair)]
    first, second = range(2, 2 + 2 * rank, 2), range(3, 3 + 2 * rank, 2)
    order = (0, *second, 1, *first) if grid else (0, *first, 1, *second)
    turned = g.transpose(g.reshape(x, embed, *parts), *order)
    return str(g("Reshape", turned, g.ints([-1, embed, math.prod(window)])))


def _joined(g: Builder, x: str, embed: int, sizes: Sequence[int], window: Sequence[int], grid: bool) -> str:
    """The inverse: (N, C, positions)."""
    rank = len(sizes)
    counts = [size // side for size, side in zip(sizes, window, strict=True)]
    parts = g("Reshape", x, g.ints([-1, *counts, embed, *window]))
    pairs = [(1 + place, 2 + rank + place) for place in range(rank)]
    order = (0, 1 + rank, *(axis for pair in pairs for axis in (pair[::-1] if grid else pair)))
    return g.reshape(g.transpose(parts, *order), embed, math.prod(sizes))


def _offsets(g: Builder, case: Case) -> str:
    """What each head adds to a pair of positions, by their offset: (heads, positions, positions)."""
    op: Any = case.op
    sides = op.window_size or case.inputs[0][1:]
    places = indices(sides)
    rows = []
    for one in places:
        for other in places:
            row = 0
            for a, b, side in zip(one, other, sides, strict=True):
                row = row * (2 * side - 1) + a - b + side - 1
            rows.append(row)
    index = g.ints(rows, (len(places), len(places)))
    return g.transpose(g("Gather", g.weight("relative_position_bias_table"), index, axis=0), 2, 0, 1)


#: The gates in the order of ONNX, by their place in archcalc's (PyTorch's) order.
_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}


@TABLE.of("rnn", "lstm", "gru")
def _recurrent(g: Builder, case: Case, inputs: Sequence[str]) -> str:
    import numpy as np

    op: Any = case.op
    ways = ("", "_reverse")[: op.directions]

    def gates(name: str) -> Any:
        parts = np.split(g.array(name), len(_GATES[op.kind]))
        return np.concatenate([parts[place] for place in _GATES[op.kind]])

    more: dict[str, Any] = {"hidden_size": op.hidden_size}
    more["direction"] = "bidirectional" if op.bidirectional else "forward"
    if op.kind == "gru":
        more["linear_before_reset"] = int(op.reset_after)
    if op.kind == "rnn":
        more["activations"] = [op.nonlinearity.capitalize()] * len(ways)
    others = case.inputs[0][1:-1]  # rows of a map, which are sequences of their own
    end, steps = 2 + len(others), case.inputs[0][-1]
    x = g.transpose(inputs[0], end, 0, *range(2, end), 1)
    x = g("Reshape", x, g.ints([steps, -1, case.inputs[0][0]])) if others else x
    last = ""
    for layer in range(op.num_layers):
        arrays = [
            g.changed(f"weight_{kind}_l{layer}", np.stack([gates(f"weight_{kind}_l{layer}{way}") for way in ways]))
            for kind in ("ih", "hh")
        ]
        if op.bias:
            rows = [gates(f"bias_ih_l{layer}{way}") for way in ways]
            states = [np.zeros_like(rows[0]) if op.single_bias else gates(f"bias_hh_l{layer}{way}") for way in ways]
            arrays.append(g.changed(f"bias_l{layer}", np.concatenate([np.stack(rows), np.stack(states)], axis=1)))
        # (T, directions, N, hidden) and (directions, N, hidden).
        states, last, *_ = g(op.kind.upper(), x, *arrays, outputs=3 if op.kind == "lstm" else 2, **more)
        flat = g.transpose(states, 0, 2, 1, 3)
        x = g("Reshape", flat, g.ints([0, 0, len(ways) * op.hidden_size]))
    if op.last:
        return g.reshape(g.transpose(last, 1, 0, 2), *case.output)
    if others:
        x = g("Reshape", x, g.ints([steps, -1, *others, len(ways) * op.hidden_size]))
    return g.transpose(x, 1, end, *range(2, end), 0)
