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

OPS = {**ACTIVATIONS, **NORMS}
