"""The newer ops in PyTorch, one function each: the op, its arrays by name, and the maps that it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
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


def _dropped(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda op, _, x: function(x, op.p, training=False)


NORMS: dict[str, Callable[..., Tensor]] = {
    "group_norm": lambda op, weights, x: F.group_norm(
        x, op.num_groups, weights.get("weight"), weights.get("bias"), op.epsilon
    ),
    "instance_norm": lambda op, weights, x: F.instance_norm(
        x, None, None, weights.get("weight"), weights.get("bias"), eps=op.epsilon
    ),
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
    return F.interpolate(x, size, op.scale_factor, op.mode, corners)


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
    return F.pixel_unshuffle(x, r) if x.ndim == 4 else x.unflatten(2, (-1, r)).permute(0, 1, 3, 2).flatten(1, 2)


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
    "roll": _rolled,
    "split": lambda op, _, x: torch.split(x, list(op.sizes) if len(op.sizes) > 1 else op.sizes[0], _axis(x, op.axis))[
        op.index
    ],
    "tokens": lambda _op, _, x: x.flatten(2),
    "transpose": lambda op, _, x: x.transpose(_axis(x, op.dims[0]), _axis(x, op.dims[1])),
}

OPS = {**ACTIVATIONS, **NORMS, **SHAPES}
