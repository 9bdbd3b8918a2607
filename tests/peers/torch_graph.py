"""The layers of a graph in PyTorch: another implementation of every op, by other people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from tests.peers import torch_ops

# By name, so that the type checker says the same with and without PyTorch.
torch: Any = import_module("torch")
F: Any = import_module("torch.nn.functional")
Tensor = Any
Weights = Mapping[str, Tensor]


class TorchGraph:
    """Calculates layer after layer; `switches` are those of max pooling, by layer."""

    def __init__(self, training: bool = False) -> None:
        """`training`: batch normalisation takes the statistics of the batch."""
        self.training = training
        self.switches: dict[int, Tensor] = {}

    def layer(self, index: int, op: Any, sources: Sequence[int], inputs: Sequence[Tensor], weights: Weights) -> Tensor:
        """The map of a layer, from those that it reads (`sources`, by index) and its arrays."""
        if op.kind == "max_pool2d":
            return self._max_pool(index, op, inputs[0])
        if op.kind == "max_unpool2d":
            size = inputs[2].shape[2:] if len(inputs) == 3 else None
            stride = op.stride or op.kernel_size
            switches = self.switches[sources[1]]
            return F.max_unpool2d(inputs[0] * _stayed(switches), switches, op.kernel_size, stride, op.padding, size)
        if op.kind == "batch_norm2d" and self.training:
            return F.batch_norm(
                inputs[0], None, None, weights.get("weight"), weights.get("bias"), training=True, eps=op.epsilon
            )
        return OPS[op.kind](op, weights, *inputs)

    def _max_pool(self, index: int, op: Any, x: Tensor) -> Tensor:
        x, padding = _padded(op, x, float("-inf"))
        out, self.switches[index] = F.max_pool2d(
            x, op.kernel_size, op.stride, padding, op.dilation, op.ceil_mode, return_indices=True
        )
        return out


def _stayed(switches: Tensor) -> Tensor:
    """1 for what unpooling puts last at its place: PyTorch's backward ignores what was overwritten."""
    flat = switches.flatten(2)
    numbers = torch.arange(flat.shape[2]).expand_as(flat)
    last = torch.full((*flat.shape[:2], int(flat.max()) + 1), -1).scatter_reduce(2, flat, numbers, "amax")
    return (last.gather(2, flat) == numbers).reshape(switches.shape)


def _sides(op: Any, x: Tensor) -> tuple[int, int, int, int]:
    """Top, left, bottom, right; `same` as TensorFlow has it."""
    if op.padding != "same":
        top, left, bottom, right = op.padding
        return top, left, bottom, right
    before, after = [], []
    for axis in (0, 1):
        size, stride = x.shape[axis + 2], op.stride[axis]
        reach = (op.kernel_size[axis] - 1) * getattr(op, "dilation", (1, 1))[axis] + 1
        total = max(((size + stride - 1) // stride - 1) * stride + reach - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before[0], before[1], after[0], after[1]


def _padded(op: Any, x: Tensor, value: float) -> tuple[Tensor, tuple[int, int]]:
    """Padding that PyTorch's own argument can say is left to it."""
    top, left, bottom, right = _sides(op, x)
    if (top, left) == (bottom, right) and 2 * top <= op.kernel_size[0] and 2 * left <= op.kernel_size[1]:
        return x, (top, left)
    return F.pad(x, (left, right, top, bottom), value=value), (0, 0)


def _conv(op: Any, weights: Weights, x: Tensor) -> Tensor:
    weight = weights["weight"]
    if getattr(op, "connections", None) is not None:
        # Filters as deep as the map, with zeros where there is no connection.
        dense = weight.new_zeros((op.out_channels, x.shape[1], *weight.shape[1:]))
        places = [(row, channel) for row, channels in enumerate(op.connections) for channel in channels]
        for place, (row, channel) in enumerate(places):
            dense[row, channel] = weight[place]
        weight = dense
    groups = x.shape[1] if op.kind == "depthwise_conv2d" else op.groups
    top, left, bottom, right = _sides(op, x)
    x = F.pad(x, (left, right, top, bottom))
    return F.conv2d(x, weight, weights.get("bias"), op.stride, 0, op.dilation, groups)


def _conv_transpose(op: Any, weights: Weights, x: Tensor) -> Tensor:
    top, left, bottom, right = op.padding
    out = F.conv_transpose2d(x, weights["weight"], weights.get("bias"), op.stride, 0, op.output_padding, op.groups)
    return out[:, :, top : out.shape[2] - bottom, left : out.shape[3] - right]


def _local(op: Any, weights: Weights, x: Tensor) -> Tensor:
    top, left, bottom, right = _sides(op, x)
    columns = F.unfold(F.pad(x, (left, right, top, bottom)), op.kernel_size, op.dilation, 0, op.stride)
    weight = weights["weight"]
    filters, rows, across = weight.shape[:3]
    flat = weight.reshape(filters, rows * across, -1)
    out = torch.einsum("nfp,kpf->nkp", columns, flat).reshape(len(x), filters, rows, across)
    return out + weights["bias"] if "bias" in weights else out


def _avg_pool(op: Any, _: Weights, x: Tensor) -> Tensor:
    padded, padding = _padded(op, x, 0.0)
    plain = padding != (0, 0) or padded is x
    if plain:
        return F.avg_pool2d(padded, op.kernel_size, op.stride, padding, op.ceil_mode, op.count_include_pad)
    out = F.avg_pool2d(padded, op.kernel_size, op.stride, 0, op.ceil_mode)
    if op.count_include_pad:
        return out
    return out / F.avg_pool2d(_padded(op, torch.ones_like(x), 0.0)[0], op.kernel_size, op.stride, 0, op.ceil_mode)


def _subsampling(op: Any, weights: Weights, x: Tensor) -> Tensor:
    sums = F.avg_pool2d(x, op.kernel_size, op.stride, divisor_override=1)
    return sums * weights["weight"][:, None, None] + weights["bias"][:, None, None]


def _batch_norm(op: Any, weights: Weights, x: Tensor) -> Tensor:
    return F.batch_norm(
        x, weights["running_mean"], weights["running_var"], weights.get("weight"), weights.get("bias"), eps=op.epsilon
    )


def _multiply(op: Any, _: Weights, *maps: Tensor) -> Tensor:
    largest = max(maps, key=lambda each: each.numel())
    out = torch.full_like(largest, op.factor)
    for each in maps:
        out = out * (each if each.ndim == out.ndim else each[:, :, None, None])
    return out


def _crop(op: Any, _: Weights, x: Tensor, *like: Tensor) -> Tensor:
    if op.margins is not None:
        top, left, bottom, right = op.margins
        return F.pad(x, (-left, -right, -top, -bottom))
    spare = [x.shape[axis] - like[0].shape[axis] for axis in (2, 3)]
    top, left = spare[0] // 2, spare[1] // 2
    return F.pad(x, (-left, left - spare[1], -top, top - spare[0]))


def _zero_pad(op: Any, _: Weights, x: Tensor) -> Tensor:
    top, left, bottom, right = _sides(op, x)
    return F.pad(x, (left, right, top, bottom))


def _pad_channels(op: Any, _: Weights, x: Tensor) -> Tensor:
    missing = 0 if op.out_channels is None else op.out_channels - x.shape[1]
    before = missing // 2 if op.before == "half" else op.before
    after = missing - before if op.out_channels is not None else op.after or 0
    return F.pad(x, (0, 0, 0, 0, before, after))


def _upsample(op: Any, _: Weights, x: Tensor) -> Tensor:
    corners = None if op.mode == "nearest" else False
    return F.interpolate(x, scale_factor=[float(each) for each in op.scale], mode=op.mode, align_corners=corners)


OPS: dict[str, Callable[..., Tensor]] = {
    **torch_ops.OPS,
    "adaptive_avg_pool2d": lambda op, _, x: F.adaptive_avg_pool2d(x, op.output_size),
    "add": lambda _op, _, *maps: torch.stack(maps).sum(0),
    "avg_pool2d": _avg_pool,
    "batch_norm2d": _batch_norm,
    "concat": lambda _op, _, *maps: torch.cat(maps, 1),
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "crop2d": _crop,
    "depthwise_conv2d": _conv,
    "dropout": lambda op, _, x: F.dropout(x, op.p, training=False),
    "flatten": lambda _op, _, x: torch.flatten(x, 1),
    "global_avg_pool2d": lambda _op, _, x: F.adaptive_avg_pool2d(x, 1),
    "identity": lambda _op, _, x: x,
    "linear": lambda _op, weights, x: F.linear(torch.flatten(x, 1), weights["weight"], weights.get("bias")),
    "local_response_norm": lambda op, _, x: F.local_response_norm(x, op.size, op.alpha, op.beta, op.k),
    "locally_connected2d": _local,
    "lp_pool2d": lambda op, _, x: F.lp_pool2d(x, op.norm_type, op.kernel_size, op.stride, op.ceil_mode),
    "multiply": _multiply,
    "pad_channels": _pad_channels,
    "rbf": lambda _op, weights, x: (x[:, None] - weights["centers"]).square().sum(2),
    "relu": lambda _op, _, x: F.relu(x),
    "relu6": lambda _op, _, x: F.relu6(x),
    "reshape": lambda op, _, x: x.reshape(len(x), *op.shape),
    "scaled_tanh": lambda _op, _, x: 1.7159 * torch.tanh(x * 2 / 3),
    "sigmoid": lambda _op, _, x: torch.sigmoid(x),
    "slice2d": lambda op, _, x: x[:, :, op.start[0] :: op.step[0], op.start[1] :: op.step[1]],
    "softmax": lambda _op, _, x: torch.softmax(x, 1),
    "subsampling2d": _subsampling,
    "tanh": lambda _op, _, x: torch.tanh(x),
    "upsample2d": _upsample,
    "zero_pad2d": _zero_pad,
}
