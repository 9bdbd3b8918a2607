"""The newer ops in PyTorch, one function each: the op, its arrays by name, and the maps that it reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import product
from typing import Any

# By name, so that the type checker says the same with and without PyTorch.
torch: Any = import_module("torch")
F: Any = import_module("torch.nn.functional")
Tensor = Any
Weights = Mapping[str, Tensor]

ACTIVATIONS: dict[str, Callable[..., Tensor]] = {
    "elu": lambda op, _, x: F.elu(x, op.alpha),
    "gelu": lambda op, _, x: F.gelu(x, approximate=op.approximate),
    "glu": lambda _op, _, x: F.glu(x, 1),
    "hardsigmoid": lambda _op, _, x: F.hardsigmoid(x),
    "hardswish": lambda _op, _, x: F.hardswish(x),
    "hardtanh": lambda op, _, x: F.hardtanh(x, op.min_val, op.max_val),
    "leaky_relu": lambda op, _, x: F.leaky_relu(x, op.negative_slope),
    "log_softmax": lambda _op, _, x: F.log_softmax(x, 1),
    "mish": lambda _op, _, x: F.mish(x),
    "prelu": lambda _op, weights, x: F.prelu(x, weights["weight"]),
    "selu": lambda _op, _, x: F.selu(x),
    "silu": lambda _op, _, x: F.silu(x),
    "softplus": lambda op, _, x: F.softplus(x, op.beta, op.threshold),
}


def _layer_norm(op: Any, weights: Weights, x: Tensor) -> Tensor:
    if op.axes == "all":
        return F.layer_norm(x, x.shape[1:], weights.get("weight"), weights.get("bias"), op.epsilon)
    moved = x.movedim(1, -1)
    return F.layer_norm(moved, moved.shape[-1:], weights.get("weight"), weights.get("bias"), op.epsilon).movedim(-1, 1)


def _rms_norm(op: Any, weights: Weights, x: Tensor) -> Tensor:
    moved = x if op.axes == "all" else x.movedim(1, -1)
    size = x.shape[1:] if op.axes == "all" else moved.shape[-1:]
    out = F.rms_norm(moved, size, weights.get("weight"), op.epsilon) + weights.get("bias", 0)
    return out if op.axes == "all" else out.movedim(-1, 1)


def _global_response_norm(op: Any, weights: Weights, x: Tensor) -> Tensor:
    """As facebookresearch/ConvNeXt-V2 has it, for channels first."""
    # PyTorch takes an empty list of axes for all of them.
    norms = torch.linalg.vector_norm(x, dim=tuple(range(2, x.ndim)), keepdim=True) if x.ndim > 2 else x.abs()
    each = (-1, *(1,) * (x.ndim - 2))
    normal = norms / (norms.mean(1, keepdim=True) + op.epsilon)
    return weights["weight"].view(each) * (x * normal) + weights["bias"].view(each) + x


def _dropped(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda op, _, x: function(x, op.p, training=False)


NORMS: dict[str, Callable[..., Tensor]] = {
    "group_norm": lambda op, weights, x: F.group_norm(
        x, op.num_groups, weights.get("weight"), weights.get("bias"), op.epsilon
    ),
    "instance_norm": lambda op, weights, x: F.instance_norm(
        x, None, None, weights.get("weight"), weights.get("bias"), eps=op.epsilon
    ),
    "global_response_norm": _global_response_norm,
    "l2_norm": lambda op, _, x: F.normalize(x, dim=1, eps=op.epsilon),
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "alpha_dropout": _dropped(F.alpha_dropout),
    "feature_alpha_dropout": _dropped(F.feature_alpha_dropout),
    "feature_dropout": lambda op, _, x: torch.feature_dropout(x, op.p, False),
    # torchvision's; they do nothing at inference by definition.
    "drop_block": lambda _op, _, x: x,
    "stochastic_depth": lambda _op, _, x: x,
}


def _axis(x: Tensor, axis: str) -> int:
    """Where PyTorch has an axis of this name."""
    last: int = {"width": -1, "length": -1, "height": -2, "depth": -3, "channels": 1}[axis]
    return last if last > 0 else int(x.ndim) + last


def _resized(op: Any, _: Weights, x: Tensor, like: Tensor | None = None) -> Tensor:
    size = like.shape[2:] if like is not None else op.size and op.size * (1 if len(op.size) > 1 else x.ndim - 2)
    corners = None if op.mode == "nearest" else op.align_corners
    return F.interpolate(x, size, op.scale_factor, op.mode, corners, antialias=op.antialias)


def _border(mode: str) -> Callable[..., Tensor]:
    def pad(op: Any, _: Weights, x: Tensor) -> Tensor:
        rank, sides = x.ndim - 2, op.padding
        sides = sides * 2 * rank if len(sides) == 1 else sides if len(sides) == 2 * rank else sides * 2
        # PyTorch begins with the last axis, and has both of its sides first.
        pairs = [(sides[axis], sides[rank + axis]) for axis in reversed(range(rank))]
        return F.pad(x, [side for pair in pairs for side in pair], mode=mode)

    return pad


def _shuffle_blocks(op: Any, _: Weights, x: Tensor) -> Tensor:
    """In two axes PyTorch's own; else channels as blocks, written down apart."""
    r = op.upscale_factor
    if x.ndim == 4:
        return F.pixel_shuffle(x, r)
    if x.ndim == 3:
        return x.unflatten(1, (-1, r)).permute(0, 1, 3, 2).flatten(2)
    n, _c, d, h, w = x.shape
    return x.view(n, -1, r, r, r, d, h, w).permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(n, -1, d * r, h * r, w * r)


def _unshuffle_blocks(op: Any, _: Weights, x: Tensor) -> Tensor:
    r = op.downscale_factor
    if x.ndim == 4:
        return F.pixel_unshuffle(x, r)
    if x.ndim == 3:
        return x.unflatten(2, (-1, r)).permute(0, 1, 3, 2).flatten(1, 2)
    n, c, d, h, w = x.shape
    return x.reshape(n, c, d // r, r, h // r, r, w // r, r).permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)


def _rolled(op: Any, _: Weights, x: Tensor) -> Tensor:
    rank = x.ndim - 2
    return torch.roll(x, op.shifts if len(op.shifts) == rank else op.shifts * rank, tuple(range(2, x.ndim)))


SHAPES: dict[str, Callable[..., Tensor]] = {
    "channel_shuffle": lambda op, _, x: F.channel_shuffle(
        x if x.ndim > 3 else x.reshape(*x.shape, 1, 1), op.groups
    ).reshape(x.shape),
    "chunk": lambda op, _, x: torch.chunk(x, op.chunks, _axis(x, op.axis))[op.index],
    "circular_pad": _border("circular"),
    "grid": lambda op, _, x: x.unflatten(2, op.size),
    "interpolate": _resized,
    "narrow": lambda op, _, x: torch.narrow(
        x, _axis(x, op.axis), op.start, x.shape[_axis(x, op.axis)] - op.start
    ).index_select(_axis(x, op.axis), torch.arange(0, x.shape[_axis(x, op.axis)] - op.start, op.step)[: op.length]),
    "permute": lambda op, _, x: x.permute(0, *(_axis(x, axis) for axis in op.dims)),
    "pixel_shuffle": _shuffle_blocks,
    "pixel_unshuffle": _unshuffle_blocks,
    "reflection_pad": _border("reflect"),
    "replication_pad": _border("replicate"),
    "mean": lambda op, _, x: x.mean([_axis(x, axis) for axis in op.axes], keepdim=True),
    "amax": lambda op, _, x: x.amax([_axis(x, axis) for axis in op.axes], keepdim=True),
    "roll": _rolled,
    "split": lambda op, _, x: torch.split(x, list(op.sizes) if len(op.sizes) > 1 else op.sizes[0], _axis(x, op.axis))[
        op.index
    ],
    "tokens": lambda _op, _, x: x.reshape(*x.shape[:2], -1),
    "transpose": lambda op, _, x: x.transpose(_axis(x, op.dims[0]), _axis(x, op.dims[1])),
}


def _embedding(_op: Any, weights: Weights, x: Tensor) -> Tensor:
    numbers = (x if x.ndim == 2 else x[:, 0]).round().long() % len(weights["weight"])
    return F.embedding(numbers, weights["weight"]).movedim(-1, 1)


def _index_select(_op: Any, _weights: Weights, x: Tensor, index: Tensor) -> Tensor:
    numbers = (index if index.ndim == 2 else index[:, 0]).round().long() % x.shape[2]
    return torch.stack([row.index_select(1, each.reshape(-1)).reshape(-1, *each.shape)
                        for row, each in zip(x, numbers, strict=True)])  # fmt: skip


def _class_token(_op: Any, weights: Weights, x: Tensor) -> Tensor:
    return torch.cat([weights["weight"].expand(len(x), -1, -1), x], 2)


def _matmul(op: Any, _: Weights, first: Tensor, second: Tensor) -> Tensor:
    a, b = first.movedim(1, -1), second.movedim(1, -1)
    return ((a.mT if op.transpose_first else a) @ (b.mT if op.transpose_second else b)).movedim(-1, 1)


def _attention(op: Any, _: Weights, *maps: Tensor) -> Tensor:
    heads = [x.unflatten(1, (op.num_heads, -1)).mT for x in maps]
    return F.scaled_dot_product_attention(*heads, is_causal=op.is_causal, scale=op.scale).mT.flatten(1, 2)


def _multi_head(op: Any, weights: Weights, *maps: Tensor) -> Tensor:
    rows = [x.flatten(2).permute(2, 0, 1) for x in maps]
    if op.window_size is None and not op.relative_position_bias:
        return _attended(op, weights, rows, None).permute(1, 2, 0).unflatten(2, maps[0].shape[2:])
    (x,) = maps
    op = op.resolve([tuple(each.shape[1:]) for each in maps])
    sides = op.window_size or x.shape[2:]
    if op.partition == "grid" or any(op.shift_size):
        return _one_by_one(op, weights, x, sides)
    out = x.new_empty(len(x), len(weights["out_proj_weight"]), *x.shape[2:])
    offsets = _offsets(op, weights, sides).repeat(len(x), 1, 1) if op.relative_position_bias else None
    for corner in product(*(range(0, size, side) for size, side in zip(x.shape[2:], sides, strict=True))):
        window = (..., *(slice(start, start + side) for start, side in zip(corner, sides, strict=True)))
        part = _attended(op, weights, [x[window].flatten(2).permute(2, 0, 1)], offsets)
        out[window] = part.permute(1, 2, 0).unflatten(2, sides)
    return out


def _one_by_one(op: Any, weights: Weights, x: Tensor, sides: Sequence[int]) -> Tensor:
    """Each grid, or the windows of a map that was rolled: pairs that were not together before are masked.

    Of rolled maps it is looked up how far two positions were apart before, not in which part of the map they lie.
    """
    sizes = x.shape[2:]
    out = x.new_empty(len(x), len(weights["out_proj_weight"]), *x.shape[2:])
    side = math.prod(sides)
    offsets = _offsets(op, weights, sides) if op.relative_position_bias else torch.zeros(1, side, side, dtype=x.dtype)
    counts = [size // side for size, side in zip(sizes, sides, strict=True)]
    for block in product(*map(range, counts)):
        inside = list(product(*map(range, sides)))
        if op.partition == "grid":
            places = [[b + i * n for b, i, n in zip(block, each, counts, strict=True)] for each in inside]
        else:
            places = [[b * s + i for b, i, s in zip(block, each, sides, strict=True)] for each in inside]
        old = [[(p + s) % n for p, s, n in zip(place, op.shift_size, sizes, strict=True)] for place in places]
        near = [[all(abs(a - b) < side for a, b, side in zip(q, k, sides, strict=True)) for k in old] for q in old]
        mask = torch.where(torch.tensor(near), 0.0, -math.inf).to(x.dtype) if any(op.shift_size) else torch.zeros(1)
        rows = torch.stack([x[(..., *place)] for place in places])
        added = (offsets + mask).expand(op.num_heads, -1, -1).repeat(len(x), 1, 1)
        found = _attended(op, weights, [rows], added)
        for place, each in zip(places, found, strict=True):
            out[(..., *place)] = each
    return out


def _offsets(op: Any, weights: Weights, sides: Sequence[int]) -> Tensor:
    """What each head adds to a pair of positions: by their offset along each axis, one pair after the other."""
    table = weights["relative_position_bias_table"].reshape(*(2 * side - 1 for side in sides), op.num_heads)
    places = list(product(*map(range, sides)))
    pairs = [[tuple(i - j + side - 1 for i, j, side in zip(q, k, sides, strict=True)) for k in places] for q in places]
    return torch.stack([torch.stack([table[pair] for pair in row]) for row in pairs]).permute(2, 0, 1)


def _attended(op: Any, weights: Weights, rows: Sequence[Tensor], offsets: Tensor | None) -> Tensor:
    """PyTorch's own, for rows (T, N, C)."""
    queries, keys, values = rows[0], rows[min(1, len(rows) - 1)], rows[-1]
    mask = torch.ones(len(queries), len(keys)).triu(1).bool() if op.is_causal else offsets
    if weights["out_proj_weight"].shape[1] != queries.shape[-1]:
        return _embedded(op, weights, queries, mask)
    out, _ = F.multi_head_attention_forward(
        queries, keys, values, len(weights["out_proj_weight"]), op.num_heads,
        weights.get("in_proj_weight"), weights.get("in_proj_bias"),
        None, None, False, 0.0, weights["out_proj_weight"], weights.get("out_proj_bias"), need_weights=False,
        attn_mask=mask, use_separate_proj_weight="q_proj_weight" in weights,
        q_proj_weight=weights.get("q_proj_weight"), k_proj_weight=weights.get("k_proj_weight"),
        v_proj_weight=weights.get("v_proj_weight"),
    )  # fmt: skip
    return out


def _embedded(op: Any, weights: Weights, rows: Tensor, mask: Tensor | None) -> Tensor:
    """Rows (T, N, C) that are projected to another number of channels, which PyTorch's own refuses."""
    parts = F.linear(rows, weights["in_proj_weight"], weights.get("in_proj_bias")).chunk(3, -1)
    q, k, v = (part.unflatten(-1, (op.num_heads, -1)).permute(1, 2, 0, 3) for part in parts)
    if mask is not None:
        mask = ~mask if mask.dtype == torch.bool else mask.unflatten(0, (-1, op.num_heads))
    out = F.scaled_dot_product_attention(q, k, v, mask).permute(2, 0, 1, 3).flatten(2)
    return F.linear(out, weights["out_proj_weight"], weights.get("out_proj_bias"))


def _reset_first(x: Tensor, weights: Mapping[str, Tensor], size: int) -> Tensor:
    """A GRU whose state is reset before the product, which PyTorch has not: one layer forward, as Keras computes it."""
    w, u = weights["weight_ih_l0"].split(size), weights["weight_hh_l0"].split(size)
    b, c = weights["bias_ih_l0"].split(size), weights["bias_hh_l0"].split(size)
    state, steps = x.new_zeros(len(x), size), []
    for step in x.unbind(2):
        r, z = (torch.sigmoid(step @ w[n].T + b[n] + state @ u[n].T + c[n]) for n in (0, 1))
        new = torch.tanh(step @ w[2].T + b[2] + (r * state) @ u[2].T + c[2])
        state = z * state + (1 - z) * new
        steps.append(state)
    return torch.stack(steps, 2)


def _recurrent(name: str) -> Callable[..., Tensor]:
    def run(op: Any, weights: Weights, x: Tensor) -> Tensor:
        more = {"nonlinearity": op.nonlinearity} if name == "RNN" else {}
        module = getattr(torch.nn, name)(
            x.shape[1],
            op.hidden_size,
            num_layers=op.num_layers,
            bias=op.bias,
            batch_first=True,
            bidirectional=op.bidirectional,
            **more,
        ).double()
        if not getattr(op, "reset_after", True):
            return _reset_first(x, weights, op.hidden_size)
        # Each row of a map is one of the batch: (N, C, rows…, steps) → (N·rows, steps, C), and back.
        rows = x.movedim(1, -1).flatten(0, -3)
        arrays = {n: torch.zeros_like(p) for n, p in module.named_parameters() if "bias_hh" in n and op.single_bias}
        sequence, state = torch.func.functional_call(module, {**arrays, **weights}, rows)
        hidden = state[0] if name == "LSTM" else state
        ways = 2 if op.bidirectional else 1
        if op.last:
            return torch.cat(list(hidden[-ways:]), 1)
        return sequence.unflatten(0, (x.shape[0], *x.shape[2:-1])).movedim(-1, 1)

    return run


ATTENTION: dict[str, Callable[..., Tensor]] = {
    "class_token": _class_token,
    "embedding": _embedding,
    "index_select": _index_select,
    "gru": _recurrent("GRU"),
    "lstm": _recurrent("LSTM"),
    "matmul": _matmul,
    "multi_head_attention": _multi_head,
    "parameter": lambda _op, weights, x: weights["weight"].expand(len(x), *weights["weight"].shape),
    "position_embedding": lambda _op, weights, x: x + weights["weight"],
    "rnn": _recurrent("RNN"),
    "scale": lambda _op, weights, x: F.batch_norm(
        x, torch.zeros(x.shape[1], dtype=x.dtype), torch.ones(x.shape[1], dtype=x.dtype), weights["weight"],
        weights.get("bias"), eps=0.0,
    ),
    "scaled_dot_product_attention": _attention,
}  # fmt: skip


def _linear(op: Any, weights: Weights, x: Tensor) -> Tensor:
    if not op.per_position:
        return F.linear(x.flatten(1), weights["weight"], weights.get("bias"))
    return F.linear(x.movedim(1, -1), weights["weight"], weights.get("bias")).movedim(-1, 1)


def _wide(maps: Sequence[Tensor]) -> list[Tensor]:
    axes = max(x.ndim for x in maps)
    return [x[(...,) + (None,) * (axes - x.ndim)] for x in maps]


def _numbers(given: Any, x: Tensor) -> Tensor:
    """One number, or one for each channel."""
    found = torch.as_tensor(given, dtype=x.dtype)
    return found.reshape(-1, *(1,) * (x.ndim - 2)) if found.ndim else found


MERGING: dict[str, Callable[..., Tensor]] = {
    "concat": lambda op, _, *maps: torch.cat(maps, _axis(maps[0], op.axis)),
    "add": lambda _op, _, *maps: sum(torch.broadcast_tensors(*_wide(maps))),
    "subtract": lambda _op, _, *maps: torch.sub(*_wide(maps)),
    "divide": lambda _op, _, *maps: torch.div(*_wide(maps)),
    "rescale": lambda op, _, x: x * _numbers(op.factor, x) + _numbers(op.offset, x),
    "power": lambda op, _, x: torch.pow(x, op.exponent),
    "linear": _linear,
    "multiply": lambda op, _, *maps: op.factor * math.prod(torch.broadcast_tensors(*_wide(maps))),
}

OPS = {**ACTIVATIONS, **NORMS, **SHAPES, **ATTENTION, **MERGING}
