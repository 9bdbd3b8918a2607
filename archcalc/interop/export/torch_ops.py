"""How each op is spelt in PyTorch. What PyTorch has no module for is a class of torch_modules.txt."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from archcalc.interop.export.spelling import Arg, Case, Made, Speller, Spelling, args, plain, pools_padding
from archcalc.ops.axes import axis_of
from archcalc.ops.reweighted import Reweighted
from archcalc.ops.windowed import Sides

PROGRAM = "PyTorch"
TABLE: dict[str, Speller] = {}


def spell(case: Case) -> Spelling:
    """The layer in PyTorch. Raises `UsageError` that names the layer where there is no such thing."""
    found = TABLE.get(re.sub("[123]d$", "Nd", case.op.kind))
    if found is None:
        raise case.missing(PROGRAM)
    return found(case)


def spelt(*kinds: str) -> Callable[[Speller], Speller]:
    """Register how these kinds are spelt; `convNd` stands for conv1d, conv2d and conv3d."""

    def register(function: Speller) -> Speller:
        TABLE.update(dict.fromkeys(kinds, function))
        return function

    return register


def _only(call: str, *needed: tuple[str, Any], **more: tuple[Any, Any]) -> Spelling:
    return Spelling((Made(call, args(*needed, **more)),))


def _same_as(kind: str, call: str, **fields: tuple[str, Any]) -> None:
    """An op whose module takes its fields: for each its name in PyTorch and the default there."""

    def make(case: Case) -> Spelling:
        more = {name: (getattr(case.op, field), default) for field, (name, default) in fields.items()}
        return _only(call.replace("N", str(case.rank)), **more)

    TABLE[kind] = make


_same_as("relu", "nn.ReLU")
_same_as("relu6", "nn.ReLU6")
_same_as("sigmoid", "nn.Sigmoid")
_same_as("tanh", "nn.Tanh")
_same_as("scaled_tanh", "ScaledTanh")
_same_as("leaky_relu", "nn.LeakyReLU", negative_slope=("negative_slope", 0.01))
_same_as("elu", "nn.ELU", alpha=("alpha", 1.0))
_same_as("selu", "nn.SELU")
_same_as("gelu", "nn.GELU", approximate=("approximate", "none"))
_same_as("silu", "nn.SiLU")
_same_as("mish", "nn.Mish")
_same_as("hardsigmoid", "nn.Hardsigmoid")
_same_as("hardswish", "nn.Hardswish")
_same_as("hardtanh", "nn.Hardtanh", min_val=("min_val", -1.0), max_val=("max_val", 1.0))
_same_as("softplus", "nn.Softplus", beta=("beta", 1.0), threshold=("threshold", 20.0))
_same_as("dropout", "nn.Dropout", p=("p", 0.5))
_same_as("alpha_dropout", "nn.AlphaDropout", p=("p", 0.5))
_same_as("feature_alpha_dropout", "nn.FeatureAlphaDropout", p=("p", 0.5))
_same_as("stochastic_depth", "StochasticDepth", p=("p", 0.5), mode=("mode", "row"))
_same_as("drop_block", "DropBlock", p=("p", 0.5), block_size=("block_size", 7))
_same_as("identity", "nn.Identity")
_same_as("flatten", "nn.Flatten")


@spelt("softmax", "log_softmax")
def _softmax(case: Case) -> Spelling:
    return _only("nn.Softmax" if case.op.kind == "softmax" else "nn.LogSoftmax", dim=(1, None))


@spelt("glu")
def _glu(_: Case) -> Spelling:
    return _only("nn.GLU", dim=(1, -1))


@spelt("prelu")
def _prelu(case: Case) -> Spelling:
    op: Any = case.op
    return _only("nn.PReLU", num_parameters=(1 if op.num_parameters == 1 else case.inputs[0][0], 1))


@spelt("feature_dropout")
def _feature_dropout(case: Case) -> Spelling:
    op: Any = case.op
    # Where there are no positions every value is a channel.
    return _only(f"nn.Dropout{case.rank}d" if case.rank else "nn.Dropout", p=(op.p, 0.5))


# --- windows


def pad_order(begins: Sequence[int], ends: Sequence[int]) -> int | tuple[int, ...]:
    """Sides as PyTorch's padding modules take them: the last axis first, its begin and its end."""
    pairs = zip(reversed(begins), reversed(ends), strict=True)
    return plain([side for pair in pairs for side in pair])


def _zeros(sides: Sides, rank: int) -> tuple[Made, ...]:
    """The zeros around a map as a part of their own; none where there are none."""
    if not any(sides):
        return ()
    return (Made(f"nn.ZeroPad{rank}d", args(("padding", pad_order(sides.begins, sides.ends))), "pad"),)


def _padding(sides: Sides, rank: int) -> tuple[tuple[Made, ...], int | tuple[int, ...]]:
    """Padding as the argument of a module where begin and end of each axis are equal, else as a part before it."""
    if sides.begins == sides.ends:
        return (), plain(sides.begins)
    return _zeros(sides, rank), 0


@spelt("convNd")
def _conv(case: Case) -> Spelling:
    op: Any = case.op
    before, padding = _padding(op.sides(case.inputs[0]), case.rank)
    window = {"stride": (plain(op.stride), 1), "padding": (padding, 0), "dilation": (plain(op.dilation), 1)}
    if op.connections is not None:
        table = (Arg("connections", [list(row) for row in op.connections], keyword=False),)
        own = Made("TableConv", (
            *args(("in_channels", case.inputs[0][0])), *table, *args(("kernel_size", op.kernel_size)),
            *args(**window, bias=(op.bias, True)),
        ))  # fmt: skip
        return Spelling((*before, own))
    own = Made(_normalised(op, f"nn.Conv{case.rank}d"), args(
        ("in_channels", case.inputs[0][0]), ("out_channels", op.out_channels), ("kernel_size", plain(op.kernel_size)),
        **window, groups=(op.groups, 1), bias=(op.bias, True),
    ))  # fmt: skip
    return Spelling((*before, own), arrays=_arrays(op))


def _normalised(op: Reweighted, call: str) -> str:
    """The call that makes a module, in that of what normalises its weight; both end after the arguments."""
    name = "weight_norm" if op.weight_norm else "spectral_norm" if op.spectral_norm else ""
    return f"nn.utils.parametrizations.{name}({call}" if name else call


def _arrays(op: Reweighted) -> dict[str, str]:
    """What PyTorch calls the arrays of which a weight is made."""
    if op.weight_norm:
        return {name: f"parametrizations.weight.{name}" for name in ("original0", "original1")}
    if op.spectral_norm:
        vectors = {name: f"parametrizations.weight.0.{name}" for name in ("_u", "_v")}
        return {"weight": "parametrizations.weight.original", **vectors}
    return {}


@spelt("conv_transposeNd")
def _conv_transpose(case: Case) -> Spelling:
    op: Any = case.op
    sides = op.cut_off()
    paddings, extra, begins, ends = [], [], [], []
    for begin, end, more, stride in zip(sides.begins, sides.ends, op.output_padding, op.stride, strict=True):
        # PyTorch cuts off as much at the begin as at the end, and adds less than a stride at the end.
        kept = end - more
        padding = min(begin, kept + stride - 1)
        paddings.append(padding)
        extra.append(max(padding - kept, 0))
        begins.append(padding - begin)
        ends.append(min(padding - kept, 0))
    own = Made(_normalised(op, f"nn.ConvTranspose{case.rank}d"), args(
        ("in_channels", case.inputs[0][0]), ("out_channels", op.out_channels), ("kernel_size", plain(op.kernel_size)),
        stride=(plain(op.stride), 1), padding=(plain(paddings), 0), output_padding=(plain(extra), 0),
        groups=(op.groups, 1), bias=(op.bias, True),
    ))  # fmt: skip
    cut = Made(f"nn.ZeroPad{case.rank}d", args(("padding", pad_order(begins, ends))), "crop")
    return Spelling((own, cut) if any(begins) or any(ends) else (own,), arrays=_arrays(op))


@spelt("locally_connectedNd")
def _local(case: Case) -> Spelling:
    op: Any = case.op
    own = Made("LocallyConnected", args(
        ("in_channels", case.inputs[0][0]), ("out_channels", op.out_channels), ("output_size", case.output[1:]),
        ("kernel_size", op.kernel_size), ("stride", op.stride), ("dilation", op.dilation), bias=(op.bias, True),
    ))  # fmt: skip
    return Spelling((*_zeros(op.sides(case.inputs[0]), case.rank), own))


def _fits(op: Any, sides: Sides) -> bool:
    """Whether PyTorch's own padding and rounding of a pool are those of the op."""
    small = all(2 * side <= window for side, window in zip(sides.begins, op.kernel_size, strict=True))
    return sides.begins == sides.ends and small and (op.clip_last_window or not op.ceil_mode)


def _stride(op: Any) -> dict[str, tuple[Any, Any]]:
    """PyTorch's default is the window."""
    return {"stride": (plain(op.stride), plain(op.kernel_size))}


@spelt("max_poolNd")
def _max_pool(case: Case) -> Spelling:
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    more: dict[str, tuple[Any, Any]] = {"padding": (plain(sides.begins), 0), "dilation": (plain(op.dilation), 1)}
    more["ceil_mode"] = (op.ceil_mode, False)
    before: tuple[Made, ...] = ()
    if not _fits(op, sides):
        if case.switches:
            raise case.cannot("a pool whose maxima are put back, with padding on one side only,", PROGRAM)
        wanted = pools_padding(case)
        padding = pad_order(wanted.begins, wanted.ends)
        before = (Made(f"nn.ConstantPad{case.rank}d", args(("padding", padding), ("value", float("-inf"))), "pad"),)
        more |= {"padding": (0, 0), "ceil_mode": (False, False)}
    if case.switches:
        more["return_indices"] = (True, False)
    own = Made(f"nn.MaxPool{case.rank}d", args(("kernel_size", plain(op.kernel_size)), **_stride(op), **more))
    return Spelling((*before, own))


def _want_plain_window(case: Case) -> None:
    op: Any = case.op
    if any(step > 1 < size for step, size in zip(op.dilation, op.kernel_size, strict=True)):
        raise case.cannot("a mean or a sum over a dilated window", PROGRAM)


@spelt("avg_poolNd")
def _avg_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    sides, rank = op.sides(case.inputs[0]), case.rank
    window = ("kernel_size", plain(op.kernel_size))
    if _fits(op, sides):
        own = Made(f"nn.AvgPool{rank}d", args(
            window, **_stride(op), padding=(plain(sides.begins), 0), ceil_mode=(op.ceil_mode, False),
            count_include_pad=(op.count_include_pad if any(sides) else True, True),
        ))  # fmt: skip
        return Spelling((own,))
    wanted = pools_padding(case)
    overhang = [max(last - end, 0) for last, end in zip(wanted.ends, sides.ends, strict=True)]
    if op.count_include_pad and not any(overhang):
        return Spelling((*_zeros(sides, rank), Made(f"nn.AvgPool{rank}d", args(window, **_stride(op)))))
    ends = [last - more for last, more in zip(wanted.ends, overhang, strict=True)]
    own = Made(f"PaddedAvgPool{rank}d", args(
        window, ("stride", plain(op.stride)), padding=(pad_order(sides.begins, ends), 0),
        overhang=(pad_order([0] * rank, overhang), 0), count_include_pad=(op.count_include_pad, True),
    ))  # fmt: skip
    return Spelling((own,))


@spelt("lp_poolNd")
def _lp_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    # PyTorch takes powers of negative values as they are.
    absolute = (Made("Abs", suffix="abs"),) if op.norm_type % 2 else ()
    norm = ("norm_type", float(op.norm_type))
    own = Made(f"nn.LPPool{case.rank}d", args(norm, ("kernel_size", plain(op.kernel_size)), **_stride(op)))
    return Spelling((*absolute, *_zeros(pools_padding(case), case.rank), own))


@spelt("subsamplingNd")
def _subsampling(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    own = Made(f"Subsampling{case.rank}d", args(
        ("channels", case.inputs[0][0]), ("kernel_size", plain(op.kernel_size)), **_stride(op),
    ))  # fmt: skip
    return Spelling((*_zeros(pools_padding(case), case.rank), own))


@spelt("max_unpoolNd")
def _max_unpool(case: Case) -> Spelling:
    op: Any = case.op
    own = Made(f"Unpool{case.rank}d", args(
        ("kernel_size", plain(op.kernel_size)), stride=(plain(op.stride or op.kernel_size), plain(op.kernel_size)),
        padding=(plain(op.padding), 0),
        found_in=(None if case.pooled is None or case.pooled[1:] == case.output[1:] else case.pooled[1:], None),
    ))  # fmt: skip
    return Spelling((own,))


@spelt("global_avg_poolNd", "global_max_poolNd", "adaptive_avg_poolNd", "adaptive_max_poolNd")
def _adaptive(case: Case) -> Spelling:
    what = "Avg" if "avg" in case.op.kind else "Max"
    return _only(f"nn.Adaptive{what}Pool{case.rank}d", ("output_size", plain(case.output[1:])))


# --- dense layers and trained values


@spelt("linear")
def _linear(case: Case) -> Spelling:
    op: Any = case.op
    size = case.inputs[0][0] if op.per_position else _values(case.inputs[0])
    fields = args(("in_features", size), ("out_features", op.out_features), bias=(op.bias, True))
    if op.per_position and case.rank:
        return Spelling((Made(_normalised(op, "PositionLinear"), fields),), arrays=_arrays(op))
    return Spelling((*_flat(case), Made(_normalised(op, "nn.Linear"), fields)), arrays=_arrays(op))


def _values(shape: Sequence[int]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count


def _flat(case: Case) -> tuple[Made, ...]:
    return (Made("nn.Flatten", suffix="flatten"),) if case.rank else ()


@spelt("rbf")
def _rbf(case: Case) -> Spelling:
    op: Any = case.op
    return _only("Rbf", ("in_features", case.inputs[0][0]), ("out_features", op.out_features))


@spelt("scale")
def _scale(case: Case) -> Spelling:
    op: Any = case.op
    return _only("Scale", ("num_channels", case.inputs[0][0]), bias=(op.bias, False))


@spelt("position_embedding")
def _positions(case: Case) -> Spelling:
    return _only("PositionEmbedding", *((f"size{index}", size) for index, size in enumerate(case.inputs[0])))


@spelt("class_token")
def _class_token(case: Case) -> Spelling:
    op: Any = case.op
    return _only("ClassToken", ("num_channels", case.inputs[0][0]), num_tokens=(op.num_tokens, 1))


@spelt("embedding")
def _embedding(case: Case) -> Spelling:
    op: Any = case.op
    return _only("TokenEmbedding", ("num_embeddings", op.num_embeddings), ("embedding_dim", op.embedding_dim))


# --- normalisation


@spelt("batch_normNd")
def _batch_norm(case: Case) -> Spelling:
    op: Any = case.op
    rank = max(case.rank, 1)
    fields = args(("num_features", case.inputs[0][0]), eps=(op.epsilon, 1e-5))
    if op.scale == op.shift:
        return Spelling((Made(f"nn.BatchNorm{rank}d", (*fields, *args(affine=(op.scale, True)))),))
    return Spelling((Made(f"HalfBatchNorm{rank}d", (*fields, *args(scale=(op.scale, None)))),))


@spelt("local_response_norm")
def _lrn(case: Case) -> Spelling:
    op: Any = case.op
    call = "nn.LocalResponseNorm" if case.rank else "LocalResponseNorm"
    return _only(call, ("size", op.size), alpha=(op.alpha, 1e-4), beta=(op.beta, 0.75), k=(op.k, 1.0))


@spelt("l2_norm")
def _l2_norm(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression="F.normalize({0})" if op.epsilon == 1e-12 else f"F.normalize({{0}}, eps={op.epsilon!r})")


@spelt("global_response_norm")
def _global_response_norm(case: Case) -> Spelling:
    op: Any = case.op
    return _only("GlobalResponseNorm", ("channels", case.inputs[0][0]), eps=(op.epsilon, 1e-6))


@spelt("parameter")
def _parameter(case: Case) -> Spelling:
    return _only("TrainedMap", *((f"size{index}", size) for index, size in enumerate(case.output)))


@spelt("layer_norm", "rms_norm")
def _layer_norm(case: Case) -> Spelling:
    op: Any = case.op
    scale, shift = op.affine_parts
    name = "LayerNorm" if case.op.kind == "layer_norm" else "RMSNorm"
    size = plain_shape(case.inputs[0] if op.axes == "all" else case.inputs[0][:1])
    more = {"eps": (op.epsilon, 1e-5 if name == "LayerNorm" else None), "elementwise_affine": (scale, True)}
    shifted = name == "LayerNorm" or shift
    if shifted and scale:
        more["bias"] = (shift, True) if name == "LayerNorm" else (shift, False)
    moved = op.axes == "channels" and case.rank > 0
    call = f"Channel{name}" if moved else "ShiftedRMSNorm" if name == "RMSNorm" and shift else f"nn.{name}"
    return _only(call, ("normalized_shape", size), **more)


def plain_shape(shape: Sequence[int]) -> int | tuple[int, ...]:
    """A number where there is one axis."""
    return shape[0] if len(shape) == 1 else tuple(shape)


@spelt("group_norm")
def _group_norm(case: Case) -> Spelling:
    op: Any = case.op
    return _only(
        "nn.GroupNorm", ("num_groups", op.num_groups), ("num_channels", case.inputs[0][0]),
        eps=(op.epsilon, 1e-5), affine=(op.affine, True),
    )  # fmt: skip


@spelt("instance_norm")
def _instance_norm(case: Case) -> Spelling:
    op: Any = case.op
    return _only(
        f"nn.InstanceNorm{case.rank}d", ("num_features", case.inputs[0][0]),
        eps=(op.epsilon, 1e-5), affine=(op.affine, False),
    )  # fmt: skip


# --- shapes


@spelt("reshape")
def _reshape(case: Case) -> Spelling:
    flat = _flat(case)
    if len(case.output) == 1:
        return Spelling((Made("nn.Flatten"),))
    own = Made("nn.Unflatten", args(("dim", 1), ("unflattened_size", case.output)))
    return Spelling((*flat, own))


@spelt("tokens")
def _tokens(case: Case) -> Spelling:
    if case.rank:
        return _only("nn.Flatten", ("start_dim", 2))
    return _only("nn.Unflatten", ("dim", 1), ("unflattened_size", (case.output[0], 1)))


@spelt("grid")
def _grid(case: Case) -> Spelling:
    return _only("nn.Unflatten", ("dim", 2), ("unflattened_size", case.output[1:]))


@spelt("cropNd")
def _crop(case: Case) -> Spelling:
    op: Any = case.op
    if len(case.inputs) == 2 and op.margins == Sides.halves(
        [size - kept for size, kept in zip(case.inputs[0][1:], case.inputs[1][1:], strict=True)]
    ):
        return _only("CenterCrop")
    cut = pad_order([-side for side in op.margins.begins], [-side for side in op.margins.ends])
    return Spelling((Made(f"nn.ZeroPad{case.rank}d", args(("padding", cut))),))


@spelt("sliceNd")
def _slice(case: Case) -> Spelling:
    op: Any = case.op
    return _only("Slice", ("start", op.start), ("step", op.step))


@spelt("zero_padNd")
def _zero_pad(case: Case) -> Spelling:
    op: Any = case.op
    sides = op.sides()
    return _only(f"nn.ZeroPad{case.rank}d", ("padding", pad_order(sides.begins, sides.ends)))


@spelt("reflection_pad", "replication_pad", "circular_pad")
def _border_pad(case: Case) -> Spelling:
    op: Any = case.op
    begins, ends = zip(*op.margins(case.inputs[0]), strict=True)
    name = {"reflection_pad": "Reflection", "replication_pad": "Replication", "circular_pad": "Circular"}[op.kind]
    return _only(f"nn.{name}Pad{case.rank}d", ("padding", pad_order(begins, ends)))


@spelt("pad_channels")
def _pad_channels(case: Case) -> Spelling:
    op: Any = case.op
    return _only("PadChannels", ("before", op.before), ("after", op.after or 0))


@spelt("upsampleNd")
def _upsample(case: Case) -> Spelling:
    op: Any = case.op
    return _only("nn.Upsample", scale_factor=(plain(op.scale), None), mode=(op.mode, "nearest"))


@spelt("interpolate")
def _interpolate(case: Case) -> Spelling:
    op: Any = case.op
    mode = {"mode": (op.mode, "nearest"), "align_corners": (op.align_corners or None, None)}
    if len(case.inputs) == 2:
        return _only("ResizeLike", **mode)
    if op.scale_factor is not None:
        return _only("nn.Upsample", scale_factor=(op.scale_factor, None), **mode)
    return _only("nn.Upsample", size=(plain_shape(case.output[1:]), None), **mode)


def _dim(case: Case) -> int:
    op: Any = case.op
    return 1 + axis_of(op.axis, case.inputs[0])


@spelt("chunk")
def _chunk(case: Case) -> Spelling:
    op: Any = case.op
    return _only("Chunk", ("chunks", op.chunks), ("index", op.index), dim=(_dim(case), 1))


@spelt("split", "narrow")
def _part(case: Case) -> Spelling:
    op: Any = case.op
    axis = _dim(case) - 1
    start, length, step = op.run(case.inputs[0][axis])
    return _only("Part", ("start", start), ("length", length), step=(step, 1), dim=(axis + 1, 1))


@spelt("channel_shuffle")
def _channel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    return _only("nn.ChannelShuffle" if case.rank > 1 else "ChannelShuffle", ("groups", op.groups))


@spelt("permute", "transpose")
def _permute(case: Case) -> Spelling:
    op: Any = case.op
    return _only("Permute", *((f"dim{n}", 1 + axis) for n, axis in enumerate(op.order(case.inputs[0]))))


@spelt("pixel_shuffle")
def _pixel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    return _only("nn.PixelShuffle" if case.rank == 2 else "PixelShuffle", ("upscale_factor", op.upscale_factor))


@spelt("pixel_unshuffle")
def _pixel_unshuffle(case: Case) -> Spelling:
    op: Any = case.op
    name = "nn.PixelUnshuffle" if case.rank == 2 else "PixelUnshuffle"
    return _only(name, ("downscale_factor", op.downscale_factor))


@spelt("roll")
def _roll(case: Case) -> Spelling:
    op: Any = case.op
    shifts = op.shifts if len(op.shifts) == case.rank else op.shifts * case.rank
    return _only("Roll", *((f"shift{n}", shift) for n, shift in enumerate(shifts)))


# --- several maps into one


def _spread(case: Case) -> list[str]:
    """The inputs, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    missing = [axes - len(shape) for shape in case.inputs]
    return [f"{{{n}}}" + (f"[:, :{', None' * more}]" if more else "") for n, more in enumerate(missing)]


@spelt("add")
def _add(case: Case) -> Spelling:
    return Spelling(expression=" + ".join(_spread(case)))


@spelt("multiply")
def _multiply(case: Case) -> Spelling:
    op: Any = case.op
    if len(case.inputs) == 1:
        return _only("Multiply", ("factor", op.factor))
    factor = [] if op.factor == 1 else [repr(op.factor)]
    return Spelling(expression=" * ".join([*factor, *_spread(case)]))


@spelt("subtract")
def _subtract(case: Case) -> Spelling:
    return Spelling(expression=" - ".join(_spread(case)))


@spelt("divide")
def _divide(case: Case) -> Spelling:
    return Spelling(expression=" / ".join(_spread(case)))


@spelt("rescale")
def _rescale(case: Case) -> Spelling:
    op: Any = case.op

    def given(numbers: Any) -> str:
        if not isinstance(numbers, tuple):
            return repr(numbers)
        # On the device of the map, with an axis for each position axis.
        return f"{{0}}.new_tensor({list(numbers)!r})" + (f"[:, {', '.join(['None'] * case.rank)}]" if case.rank else "")

    return Spelling(expression=f"{{0}} * {given(op.factor)} + {given(op.offset)}")


@spelt("power")
def _power(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"{{0}} ** {op.exponent!r}" if op.exponent >= 0 else f"{{0}} ** ({op.exponent!r})")


@spelt("concat")
def _concat(case: Case) -> Spelling:
    op: Any = case.op
    maps = ", ".join(f"{{{n}}}" for n in range(len(case.inputs)))
    return Spelling(expression=f"torch.cat([{maps}], {1 + axis_of(op.axis, case.inputs[0])})")


@spelt("matmul")
def _matmul(case: Case) -> Spelling:
    op: Any = case.op
    # Maps are (channels, positions), matrices positions × channels: (AB)ᵀ = BᵀAᵀ.
    first = "{0}.mT" if op.transpose_first else "{0}"
    second = "{1}.mT" if op.transpose_second else "{1}"
    if len(case.inputs[0]) > 2:
        # The axes before the rows are a batch: they go before the channels, and back.
        first, second = (f"{name}.movedim(1, -2)" + turned for name, turned in _turned(op))
        return Spelling(expression=f"({second} @ {first}).movedim(-2, 1)")
    return Spelling(expression=f"{second} @ {first}")


def _turned(op: Any) -> tuple[tuple[str, str], tuple[str, str]]:
    """The names of both maps, and what transposes them."""
    return ("{0}", ".mT" if op.transpose_first else ""), ("{1}", ".mT" if op.transpose_second else "")


# --- attention and recurrence


@spelt("scaled_dot_product_attention")
def _attention(case: Case) -> Spelling:
    op: Any = case.op
    return _only("Attention", ("num_heads", op.num_heads), is_causal=(op.is_causal, False), scale=(op.scale, None))


_OUT = {"out_proj_weight": "out_proj.weight", "out_proj_bias": "out_proj.bias"}


@spelt("multi_head_attention")
def _multi_head(case: Case) -> Spelling:
    op: Any = case.op
    needed = (("embed_dim", op.embed_dim), ("num_heads", op.num_heads))
    if op.window_size is not None or op.relative_position_bias:
        sides = op.window_size or case.inputs[0][1:]
        more: dict[str, tuple[Any, Any]] = {
            "relative_position_bias": (op.relative_position_bias, True),
            "bias": (op.bias, True),
        }
        # One row of tokens may attend to those before it alone.
        more["is_causal"] = (op.is_causal, False)
        more["partition"] = (op.partition, "window")
        more["shift_size"] = (tuple(op.shift_size) if any(op.shift_size) else None, None)
        made = Made("WindowAttention", args(*needed, ("window_size", tuple(sides)), **more))
        return Spelling((made,), arrays=_OUT)
    made = Made("MultiheadAttention", args(
        *needed, bias=(op.bias, True), kdim=(op.kdim, op.embed_dim), vdim=(op.vdim, op.embed_dim),
        is_causal=(op.is_causal, False),
    ))  # fmt: skip
    return Spelling((made,), arrays=_OUT)


@spelt("rnn", "lstm", "gru")
def _recurrent(case: Case) -> Spelling:
    op: Any = case.op
    more = {"nonlinearity": (op.nonlinearity, "tanh")} if op.kind == "rnn" else {}
    return _only(
        op.kind.capitalize(), ("input_size", case.inputs[0][0]), ("hidden_size", op.hidden_size),
        num_layers=(op.num_layers, 1), bias=(op.bias, True), bidirectional=(op.bidirectional, False),
        last=(op.last, False), **more,
    )  # fmt: skip
