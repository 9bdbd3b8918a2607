"""The layers of a graph in PyTorch: another implementation of every op, by other people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from math import prod
from typing import Any

from tests.peers import torch_ops
from tests.ranks import plane

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
        weights = _reweighted(op, weights)
        if plane(op.kind) == "max_pool2d":
            return self._max_pool(index, op, inputs[0])
        if plane(op.kind) == "max_unpool2d":
            size = inputs[2].shape[2:] if len(inputs) == 3 else None
            stride = op.stride or op.kernel_size
            switches = self.switches[sources[1]]
            unpool = _of_rank("max_unpool", inputs[0])
            return unpool(inputs[0] * _stayed(switches), switches, op.kernel_size, stride, op.padding, size)
        if plane(op.kind) == "batch_norm2d" and self.training:
            return F.batch_norm(
                inputs[0], None, None, weights.get("weight"), weights.get("bias"), training=True, eps=op.epsilon
            )
        return OPS[plane(op.kind)](op, weights, *inputs)

    def _max_pool(self, index: int, op: Any, x: Tensor) -> Tensor:
        x, padding = _padded(op, x, float("-inf"))
        out, self.switches[index] = _of_rank("max_pool", x)(
            x, op.kernel_size, op.stride, padding, op.dilation, op.ceil_mode, return_indices=True
        )
        return out


def _reweighted(op: Any, weights: Weights) -> Weights:
    """The weight as the parametrizations of PyTorch make it."""
    if "original1" in weights:
        made = torch._weight_norm(weights["original1"], weights["original0"], 0)
    elif "_u" in weights:
        normalisation = import_module("torch.nn.utils.parametrizations")._SpectralNorm
        transposed = plane(op.kind) == "conv_transpose2d"
        module = normalisation(weights["weight"].detach(), dim=1 if transposed else 0).eval()
        module._u, module._v = weights["_u"], weights["_v"]
        made = module(weights["weight"])
    else:
        return weights
    return {**weights, "weight": made}


def _stayed(switches: Tensor) -> Tensor:
    """1 for what unpooling puts last at its place: PyTorch's backward ignores what was overwritten."""
    flat = switches.flatten(2)
    numbers = torch.arange(flat.shape[2]).expand_as(flat)
    last = torch.full((*flat.shape[:2], int(flat.max()) + 1), -1).scatter_reduce(2, flat, numbers, "amax")
    return (last.gather(2, flat) == numbers).reshape(switches.shape)


def _of_rank(function: str, x: Tensor) -> Callable[..., Tensor]:
    """The function for as many position axes as the map has: conv1d, conv2d, conv3d."""
    found: Callable[..., Tensor] = getattr(F, f"{function}{x.ndim - 2}d")
    return found


def _pad(x: Tensor, begins: Sequence[int], ends: Sequence[int], value: float = 0.0) -> Tensor:
    """PyTorch names the last axis first; less than 0 cuts off."""
    pairs = zip(reversed(begins), reversed(ends), strict=True)
    return F.pad(x, [side for pair in pairs for side in pair], value=value)


def _sides(op: Any, x: Tensor) -> tuple[Sequence[int], Sequence[int]]:
    """The padding at the begin and at the end of each axis; `same` as TensorFlow has it."""
    rank = x.ndim - 2
    if op.padding != "same":
        return op.padding[:rank], op.padding[rank:]
    totals = []
    for size, window, stride, dilation in zip(
        x.shape[2:], op.kernel_size, op.stride, getattr(op, "dilation", (1,) * rank), strict=True
    ):
        totals.append(max(((size + stride - 1) // stride - 1) * stride + (window - 1) * dilation + 1 - size, 0))
    return [total // 2 for total in totals], [total - total // 2 for total in totals]


def _padded(op: Any, x: Tensor, value: float) -> tuple[Tensor, Sequence[int]]:
    """Padding that PyTorch's own argument can say is left to it."""
    begins, ends = _sides(op, x)
    halves = zip(begins, op.kernel_size, strict=True)
    if tuple(begins) == tuple(ends) and all(2 * begin <= window for begin, window in halves):
        return x, tuple(begins)
    return _pad(x, begins, ends, value), (0,) * len(begins)


def _conv(op: Any, weights: Weights, x: Tensor) -> Tensor:
    weight = weights["weight"]
    if getattr(op, "connections", None) is not None:
        # Filters as deep as the map, with zeros where there is no connection.
        dense = weight.new_zeros((op.out_channels, x.shape[1], *weight.shape[1:]))
        places = [(row, channel) for row, channels in enumerate(op.connections) for channel in channels]
        for place, (row, channel) in enumerate(places):
            dense[row, channel] = weight[place]
        weight = dense
    groups = x.shape[1] if plane(op.kind) == "depthwise_conv2d" else op.groups
    x = _pad(x, *_sides(op, x))
    return _of_rank("conv", x)(x, weight, weights.get("bias"), op.stride, 0, op.dilation, groups)


def _conv_transpose(op: Any, weights: Weights, x: Tensor) -> Tensor:
    more = 0 if op.padding == "same" else op.output_padding
    out = _of_rank("conv_transpose", x)(x, weights["weight"], None, op.stride, 0, more, op.groups, op.dilation)
    if op.padding == "same":
        axes = zip(out.shape[2:], x.shape[2:], op.stride, strict=True)
        totals = [end - size * stride for end, size, stride in axes]
        begins = [max(total, 0) // 2 for total in totals]
        ends = [total - begin for total, begin in zip(totals, begins, strict=True)]
    else:
        begins, ends = map(list, _sides(op, x))
    out = _pad(out, [-begin for begin in begins], [-end for end in ends])
    return out + weights["bias"].reshape(-1, *(1,) * (x.ndim - 2)) if "bias" in weights else out


def _local(op: Any, weights: Weights, x: Tensor) -> Tensor:
    windows = _pad(x, *_sides(op, x))
    for axis, (window, stride, dilation) in enumerate(zip(op.kernel_size, op.stride, op.dilation, strict=True), 2):
        windows = windows.unfold(axis, (window - 1) * dilation + 1, stride)[..., ::dilation]
    weight = weights["weight"]
    positions = weight.shape[1 : x.ndim - 1]
    windows = windows.reshape(*x.shape[:2], positions.numel(), -1)
    flat = weight.reshape(len(weight), positions.numel(), x.shape[1], -1)
    # One product of matrices for each position.
    rows, columns = windows.permute(2, 0, 1, 3).flatten(2), flat.permute(1, 2, 3, 0).flatten(1, 2)
    out = torch.bmm(rows, columns).permute(1, 2, 0).reshape(len(x), len(weight), *positions)
    return out + weights["bias"] if "bias" in weights else out


def _avg_pool(op: Any, _: Weights, x: Tensor) -> Tensor:
    pool = _of_rank("avg_pool", x)
    padded, padding = _padded(op, x, 0.0)
    if any(padding) or padded is x:
        return pool(padded, op.kernel_size, op.stride, padding, op.ceil_mode, op.count_include_pad)
    out = pool(padded, op.kernel_size, op.stride, 0, op.ceil_mode)
    if op.count_include_pad:
        return out
    return out / pool(_padded(op, torch.ones_like(x), 0.0)[0], op.kernel_size, op.stride, 0, op.ceil_mode)


def _subsampling(op: Any, weights: Weights, x: Tensor) -> Tensor:
    sums = _of_rank("avg_pool", x)(x, op.kernel_size, op.stride) * prod(op.kernel_size)
    weight, bias = (weights[name].reshape(-1, *(1,) * (x.ndim - 2)) for name in ("weight", "bias"))
    return sums * weight + bias


def _batch_norm(op: Any, weights: Weights, x: Tensor) -> Tensor:
    return F.batch_norm(
        x, weights["running_mean"], weights["running_var"], weights.get("weight"), weights.get("bias"), eps=op.epsilon
    )


def _crop(op: Any, _: Weights, x: Tensor, *like: Tensor) -> Tensor:
    rank = x.ndim - 2
    if op.margins is not None:
        begins, ends = op.margins[:rank], op.margins[rank:]
    else:
        spare = [size - kept for size, kept in zip(x.shape[2:], like[0].shape[2:], strict=True)]
        begins, ends = [size // 2 for size in spare], [size - size // 2 for size in spare]
    return _pad(x, [-begin for begin in begins], [-end for end in ends])


def _slice(op: Any, _: Weights, x: Tensor) -> Tensor:
    taken = [slice(start, None, step) for start, step in zip(op.start, op.step, strict=True)]
    return x[(..., *taken)]


def _pad_channels(op: Any, _: Weights, x: Tensor) -> Tensor:
    missing = 0 if op.out_channels is None else op.out_channels - x.shape[1]
    before = missing // 2 if op.before == "half" else op.before
    after = missing - before if op.out_channels is not None else op.after or 0
    return F.pad(x, (*(0, 0) * (x.ndim - 2), before, after))


def _upsample(op: Any, _: Weights, x: Tensor) -> Tensor:
    corners = None if op.mode == "nearest" else False
    return F.interpolate(x, scale_factor=[float(each) for each in op.scale], mode=op.mode, align_corners=corners)


OPS: dict[str, Callable[..., Tensor]] = {
    **torch_ops.OPS,
    "adaptive_avg_pool2d": lambda op, _, x: _of_rank("adaptive_avg_pool", x)(x, op.output_size),
    "adaptive_max_pool2d": lambda op, _, x: _of_rank("adaptive_max_pool", x)(x, op.output_size),
    "avg_pool2d": _avg_pool,
    "batch_norm2d": _batch_norm,
    "conv2d": _conv,
    "conv_transpose2d": _conv_transpose,
    "crop2d": _crop,
    "depthwise_conv2d": _conv,
    "dropout": lambda op, _, x: F.dropout(x, op.p, training=False),
    "flatten": lambda _op, _, x: torch.flatten(x, 1),
    "global_avg_pool2d": lambda _op, _, x: _of_rank("adaptive_avg_pool", x)(x, 1),
    "global_max_pool2d": lambda _op, _, x: _of_rank("adaptive_max_pool", x)(x, 1),
    "identity": lambda _op, _, x: x,
    "local_response_norm": lambda op, _, x: F.local_response_norm(x, op.size, op.alpha, op.beta, op.k),
    "locally_connected2d": _local,
    "lp_pool2d": lambda op, _, x: _of_rank("lp_pool", x)(
        _pad(x, *_sides(op, x)),
        op.norm_type,
        op.kernel_size[0] if x.ndim == 3 else op.kernel_size,
        op.stride,
        op.ceil_mode,
    ),
    "pad_channels": _pad_channels,
    "rbf": lambda _op, weights, x: (x[:, None] - weights["centers"]).square().sum(2),
    "relu": lambda _op, _, x: F.relu(x),
    "relu6": lambda _op, _, x: F.relu6(x),
    "reshape": lambda op, _, x: x.reshape(len(x), *op.shape),
    "scaled_tanh": lambda _op, _, x: 1.7159 * torch.tanh(x * 2 / 3),
    "sigmoid": lambda _op, _, x: torch.sigmoid(x),
    "slice2d": _slice,
    "softmax": lambda _op, _, x: torch.softmax(x, 1),
    "subsampling2d": _subsampling,
    "tanh": lambda _op, _, x: torch.tanh(x),
    "upsample2d": _upsample,
    "zero_pad2d": lambda op, _, x: _pad(x, *_sides(op, x)),
}
