"""A program run by PyTorch, operation by operation: what a reader made of a model, before layers are made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from archcalc.interop.program import Node, Program

Run = Callable[[Sequence[Any], Mapping[str, Any]], Any]


def run(program: Program, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a program by name, for torch tensors as inputs."""
    known: dict[str, Any] = dict(inputs)
    for name, constant in program.constants.items():
        assert constant.load is not None, name
        known[name] = torch.from_numpy(constant.load().copy())
        assert tuple(known[name].shape) == constant.shape, name
    for node in program.nodes:
        found = _run(node, [None if name is None else known[name] for name in node.inputs])
        for name, tensor in zip(node.outputs, found, strict=True):
            assert tuple(tensor.shape) == program.shape(name), (node, tensor.shape)
            known[name] = tensor
    return {name: known[value] for name, value in program.outputs.items()}


def _run(node: Node, inputs: Sequence[Any]) -> Sequence[Any]:
    found = OPERATIONS[node.op](inputs, node.attributes)
    return found if isinstance(found, (tuple, list)) else [found]


def _padded(x: Any, attributes: Mapping[str, Any], window: Sequence[int], value: float = 0.0) -> Any:
    """The input with its padding; an odd position of `same` goes to the end."""
    padding, rank = attributes["padding"], len(window)
    if padding == "same":
        totals = [
            max((-(-size // step) - 1) * step + (kernel - 1) * apart + 1 - size, 0)
            for size, step, kernel, apart in zip(
                x.shape[2:], attributes["stride"], window, attributes.get("dilation", (1,) * rank), strict=True
            )
        ]
        padding = (*(total // 2 for total in totals), *(total - total // 2 for total in totals))
    if len(padding) == rank:
        padding = (*padding, *padding)
    pairs = [side for axis in reversed(range(rank)) for side in (padding[axis], padding[axis + rank])]
    return F.pad(x, pairs, value=value) if any(pairs) else x


def _conv(rank: int) -> Run:
    def conv(i: Sequence[Any], a: Mapping[str, Any]) -> Any:
        function = (F.conv1d, F.conv2d, F.conv3d)[rank - 1]
        x = _padded(i[0], a, i[1].shape[2:])
        return function(x, i[1], i[2], stride=a["stride"], dilation=a["dilation"], groups=a["groups"])

    return conv


def _conv_transpose(rank: int) -> Run:
    def conv(i: Sequence[Any], a: Mapping[str, Any]) -> Any:
        function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[rank - 1]
        strides, sides = a["stride"], (*a["padding"], *a["padding"])[: 2 * rank]
        # PyTorch takes no more output padding than a stride, and the same padding on both sides: both are cut here.
        y = function(i[0], i[1], None, stride=strides, dilation=a["dilation"], groups=a["groups"])
        y = F.pad(y, [side for more in reversed(a["output_padding"]) for side in (0, more)])
        if i[2] is not None:
            y = y + i[2].reshape(-1, *[1] * rank)
        for axis in range(rank):
            size = y.shape[axis + 2] - sides[axis] - sides[axis + rank]
            y = y.narrow(axis + 2, sides[axis], size)
        return y

    return conv


def _max_pool(rank: int) -> Run:
    def pool(i: Sequence[Any], a: Mapping[str, Any]) -> Any:
        function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[rank - 1]
        x = _padded(i[0], a, a["kernel_size"], float("-inf"))
        y = function(x, a["kernel_size"], a["stride"], 0, a["dilation"], a["ceil_mode"])
        return _inside(y, i[0], a)

    return pool


def _avg_pool(rank: int) -> Run:
    def pool(i: Sequence[Any], a: Mapping[str, Any]) -> Any:
        function = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[rank - 1]
        sums, counts = (
            function(_padded(x, a, a["kernel_size"]), a["kernel_size"], a["stride"], 0, a["ceil_mode"], True)
            for x in (i[0], torch.ones_like(i[0]))
        )
        if a["count_include_pad"]:
            counts = torch.ones_like(counts)
        return _inside(sums / counts, i[0], a)

    return pool


def _inside(y: Any, x: Any, attributes: Mapping[str, Any]) -> Any:
    """The windows that start inside the input or the padding before it; ceil_mode adds no others."""
    if not attributes["ceil_mode"] or attributes["padding"] == "same":
        return y
    for axis, stride in enumerate(attributes["stride"]):
        most = -(-(x.shape[axis + 2] + attributes["padding"][axis]) // stride)
        y = y.narrow(axis + 2, 0, min(y.shape[axis + 2], most))
    return y


def _reduced(function: Callable[..., Any]) -> Run:
    return lambda i, a: function(i[0], dim=a["dim"], keepdim=a["keepdim"])


def _each(function: Callable[[Any], Any]) -> Run:
    return lambda i, _: function(i[0])


def _adaptive(name: str) -> Run:
    return lambda i, a: getattr(F, name)(i[0], a["output_size"])


def _two(function: Callable[[Any, Any], Any]) -> Run:
    return lambda i, a: function(i[0], a["other"] if "other" in a else i[1])


def _recurrent(cls: Any) -> Run:
    def recurrent(i: Sequence[Any], a: Mapping[str, Any]) -> Any:
        x, *arrays = i
        if a.get("single_bias"):
            each = [arrays[start : start + 3] for start in range(0, len(arrays), 3)]
            arrays = [array for three in each for array in (*three, torch.zeros_like(three[2]))]
        more = {"nonlinearity": a["nonlinearity"]} if "nonlinearity" in a else {}
        layer = cls(x.shape[2], a["hidden_size"], a["num_layers"], bias=a["bias"], batch_first=a["batch_first"],
                    bidirectional=a["bidirectional"], **more)  # fmt: skip
        with torch.no_grad():
            for parameter, array in zip(layer.parameters(), arrays, strict=True):
                parameter.copy_(array)
            return layer(x)[0]

    return recurrent


def _gru(i: Sequence[Any], a: Mapping[str, Any]) -> Any:
    """A GRU of one layer and way whose reset gate comes before the product (Cho et al. 2014); PyTorch has the other."""
    if a.get("reset_after", True) or a["num_layers"] > 1 or a["bidirectional"]:
        return _recurrent(torch.nn.GRU)(i, a)
    x, weight_ih, weight_hh, *biases = i
    inner, outer = (biases + [torch.zeros(len(weight_ih))] * 2)[:2]
    steps, made = x.unbind(1 if a["batch_first"] else 0), []
    state, recurrent = torch.zeros(len(steps[0]), a["hidden_size"]), (weight_hh.chunk(3), outer.chunk(3))
    for step in steps:
        (r, z, n) = (step @ weight_ih.T + inner).chunk(3, 1)
        r, z = (torch.sigmoid(own + state @ w.T + b) for own, w, b in zip((r, z), *recurrent, strict=False))
        n = torch.tanh(n + (r * state) @ recurrent[0][2].T + recurrent[1][2])
        state = (1 - z) * n + z * state
        made.append(state)
    return torch.stack(made, 1 if a["batch_first"] else 0)


#: How each operation is run.
OPERATIONS: dict[str, Run] = {
    **{f"conv{rank}d": _conv(rank) for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": _conv_transpose(rank) for rank in (1, 2, 3)},
    **{f"max_pool{rank}d": _max_pool(rank) for rank in (1, 2, 3)},
    **{f"avg_pool{rank}d": _avg_pool(rank) for rank in (1, 2, 3)},
    **{f"adaptive_avg_pool{rank}d": _adaptive(f"adaptive_avg_pool{rank}d") for rank in (1, 2, 3)},
    **{f"adaptive_max_pool{rank}d": _adaptive(f"adaptive_max_pool{rank}d") for rank in (1, 2, 3)},
    "linear": lambda i, _: F.linear(*i),
    "batch_norm": lambda i, a: F.batch_norm(i[0], i[3], i[4], i[1], i[2], eps=a["eps"]),
    "layer_norm": lambda i, a: F.layer_norm(i[0], a["normalized_shape"], i[1], i[2], a["eps"]),
    "rms_norm": lambda i, a: F.rms_norm(i[0], a["normalized_shape"], i[1], a["eps"]),
    "group_norm": lambda i, a: F.group_norm(i[0], a["num_groups"], i[1], i[2], a["eps"]),
    "instance_norm": lambda i, a: F.instance_norm(i[0], None, None, i[1], i[2], eps=a["eps"]),
    "local_response_norm": lambda i, a: F.local_response_norm(i[0], a["size"], a["alpha"], a["beta"], a["k"]),
    **{
        name: _each(getattr(F, name))
        for name in ("relu", "relu6", "sigmoid", "tanh", "silu", "mish", "hardsigmoid", "hardswish", "selu")
    },
    **{
        name: _each(getattr(torch, name))
        for name in ("neg", "abs", "exp", "log", "sqrt", "rsqrt", "reciprocal", "erf", "sin", "cos", "square")
    },
    "gelu": lambda i, a: F.gelu(i[0], approximate=a["approximate"]),
    "leaky_relu": lambda i, a: F.leaky_relu(i[0], a["negative_slope"]),
    "elu": lambda i, a: F.elu(i[0], a["alpha"]),
    "clamp": lambda i, a: torch.clamp(i[0], a["min"], a["max"]),
    "softplus": lambda i, a: F.softplus(i[0], a["beta"], a["threshold"]),
    "prelu": lambda i, _: F.prelu(i[0], i[1]),
    "softmax": lambda i, a: F.softmax(i[0], a["dim"]),
    "log_softmax": lambda i, a: F.log_softmax(i[0], a["dim"]),
    **{name: _reduced(getattr(torch, name)) for name in ("mean", "sum", "amax", "amin", "argmax", "argmin")},
    "prod": lambda i, a: _prod(i[0], a["dim"], a["keepdim"]),
    **{name: _two(getattr(torch, name)) for name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum")},
    "rsub": lambda i, a: a["other"] - i[0],
    "matmul": lambda i, _: torch.matmul(i[0], i[1]),
    "scaled_dot_product_attention": lambda i, a: F.scaled_dot_product_attention(
        i[0], i[1], i[2], i[3], is_causal=a["is_causal"], scale=a["scale"]
    ),
    "reshape": lambda i, a: i[0].reshape(a["shape"]),
    "expand": lambda i, a: i[0].expand(a["shape"]),
    "permute": lambda i, a: i[0].permute(a["dims"]),
    "transpose": lambda i, a: i[0].transpose(a["dim0"], a["dim1"]),
    "squeeze": lambda i, a: i[0].squeeze(a["dim"]),
    "unsqueeze": lambda i, a: i[0].unsqueeze(a["dim"]),
    "cat": lambda i, a: torch.cat(list(i), a["dim"]),
    "stack": lambda i, a: torch.stack(list(i), a["dim"]),
    "split": lambda i, a: torch.split(i[0], list(a["sizes"]), a["dim"]),
    "slice": lambda i, a: i[0][(*[slice(None)] * a["dim"], slice(a["start"], a["end"], a["step"]))],
    "select": lambda i, a: i[0].select(a["dim"], a["index"]),
    "flip": lambda i, a: torch.flip(i[0], a["dims"]),
    "pad": lambda i, a: F.pad(i[0], a["pad"], a["mode"], a["value"] if a["mode"] == "constant" else None),
    "interpolate": lambda i, a: F.interpolate(
        i[0],
        **({"scale_factor": a["scales"]} if any(a.get("scales") or ()) else {"size": a["size"]}),
        mode=a["mode"].split()[0],
        antialias=" " in a["mode"],
        align_corners=None if a["mode"] == "nearest" else a["align_corners"],
    ),
    "pixel_unshuffle": lambda i, a: F.pixel_unshuffle(i[0], a["factor"]),
    "pixel_shuffle": lambda i, a: F.pixel_shuffle(i[0], a["factor"]),
    "embedding": lambda i, _: F.embedding(i[0], i[1]),
    "rnn": _recurrent(torch.nn.RNN),
    "lstm": _recurrent(torch.nn.LSTM),
    "gru": _gru,
    "dropout": lambda i, _: i[0],
    "identity": lambda i, _: i[0],
}


def _prod(x: Any, dims: Sequence[int], keepdim: bool) -> Any:
    for dim in sorted(dims, reverse=True):
        x = torch.prod(x, dim, keepdim=keepdim)
    return x
