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

OPS = {**ACTIVATIONS}
