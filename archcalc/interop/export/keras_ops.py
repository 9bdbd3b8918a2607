"""How each op is spelt in Keras 3, with channels last. Calls of `ops` take the map as their first argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

from archcalc.interop.export.spelling import Arg, Case, Made, Speller, Spelling, args, plain, pools_padding
from archcalc.ops.axes import axis_of
from archcalc.ops.reweighted import Reweighted
from archcalc.ops.windowed import Sides

PROGRAM = "Keras"
TABLE: dict[str, Speller] = {}
#: Ops that Keras has no layer for, or one that has other parameters.
NONE = frozenset({
    "alpha_dropout", "circular_pad", "drop_block", "feature_alpha_dropout", "global_response_norm", "gru",
    "locally_connectedNd", "lp_poolNd", "lstm", "max_unpoolNd", "multi_head_attention", "replication_pad", "rnn",
})  # fmt: skip


class Layout(NamedTuple):
    """Where an array of a layer goes: the variable, the order of its axes there, and the shape where it is another."""

    variable: str
    axes: tuple[int, ...] = ()
    shape: tuple[int, ...] | None = None


def spell(case: Case) -> Spelling:
    """The layer in Keras. Raises `UsageError` that names the layer where there is no such thing."""
    found = TABLE.get(re.sub("[123]d$", "Nd", case.op.kind))
    if found is None:
        raise case.missing(PROGRAM)
    if isinstance(case.op, Reweighted) and case.op.normalised():
        raise case.cannot(case.op.normalised()[0], PROGRAM)
    return found(case)


def spelt(*kinds: str) -> Callable[[Speller], Speller]:
    """Register how these kinds are spelt."""

    def register(function: Speller) -> Speller:
        TABLE.update(dict.fromkeys(kinds, function))
        return function

    return register


def _only(call: str, *needed: tuple[str, Any], **more: tuple[Any, Any]) -> Spelling:
    return Spelling((Made(call, args(*needed, **more)),))


def _same_as(kind: str, call: str, *needed: tuple[str, Any], **fields: tuple[str, Any]) -> None:
    """An op whose layer takes its fields: for each its name in archcalc and the default in Keras."""

    def make(case: Case) -> Spelling:
        more = {name: (getattr(case.op, field), default) for name, (field, default) in fields.items()}
        return _only(call, *needed, **more)

    TABLE[kind] = make


for _kind, _name in {
    "relu6": "relu6", "sigmoid": "sigmoid", "tanh": "tanh", "selu": "selu", "silu": "silu", "mish": "mish",
    "hardsigmoid": "hard_sigmoid", "hardswish": "hard_silu", "log_softmax": "log_softmax",
}.items():  # fmt: skip
    _same_as(_kind, "layers.Activation", ("activation", _name))
_same_as("relu", "layers.ReLU")
_same_as("softmax", "layers.Softmax")
_same_as("leaky_relu", "layers.LeakyReLU", negative_slope=("negative_slope", 0.3))
_same_as("elu", "layers.ELU", alpha=("alpha", 1.0))
_same_as("dropout", "layers.Dropout", rate=("p", None))
_same_as("identity", "layers.Identity")


@spelt("scaled_tanh")
def _scaled_tanh(_: Case) -> Spelling:
    return Spelling(expression="1.7159 * ops.tanh({0} * (2 / 3))")


@spelt("gelu")
def _gelu(case: Case) -> Spelling:
    op: Any = case.op
    if op.approximate == "none":
        return _only("layers.Activation", ("activation", "gelu"))
    return Spelling(expression="ops.gelu({0}, approximate=True)")


@spelt("hardtanh")
def _hardtanh(case: Case) -> Spelling:
    op: Any = case.op
    return _only("ops.clip", ("x_min", op.min_val), ("x_max", op.max_val))


@spelt("softplus")
def _softplus(case: Case) -> Spelling:
    op: Any = case.op
    soft = "ops.softplus({0})" if op.beta == 1 else f"ops.softplus({op.beta!r} * {{0}}) / {op.beta!r}"
    scaled = "{0}" if op.beta == 1 else f"{op.beta!r} * {{0}}"
    return Spelling(expression=f"ops.where({scaled} > {op.threshold!r}, {{0}}, {soft})")


@spelt("glu")
def _glu(_: Case) -> Spelling:
    return Spelling(expression="ops.glu({0})")


@spelt("prelu")
def _prelu(case: Case) -> Spelling:
    op: Any = case.op
    shared = tuple(range(1, 1 + case.rank + (op.num_parameters == 1)))
    shape = (*[1] * case.rank, 1 if op.num_parameters == 1 else case.inputs[0][0])
    made = Made("layers.PReLU", (Arg("shared_axes", list(shared) or None, None),))
    return Spelling((made,), arrays={"weight": Layout("alpha", (0,), shape)})


@spelt("feature_dropout")
def _feature_dropout(case: Case) -> Spelling:
    op: Any = case.op
    return _only(f"layers.SpatialDropout{case.rank}D" if case.rank else "layers.Dropout", rate=(op.p, None))


@spelt("stochastic_depth")
def _stochastic_depth(case: Case) -> Spelling:
    op: Any = case.op
    noise = Arg("noise_shape", (None if op.mode == "row" else 1, *[1] * (case.rank + 1)), None)
    return Spelling((Made("layers.Dropout", (*args(rate=(op.p, None)), noise)),))


# --- windows


def _pairs(sides: Sides) -> Any:
    """Padding as Keras's layers take it: a number, or begin and end of each axis."""
    if sides.is_even:
        return sides[0]
    pairs = tuple(zip(sides.begins, sides.ends, strict=True))
    return pairs[0] if len(pairs) == 1 else pairs


def _zeros(sides: Sides, suffix: str = "pad") -> tuple[Made, ...]:
    rank = len(sides) // 2
    return (Made(f"layers.ZeroPadding{rank}D", args(("padding", _pairs(sides))), suffix),) if any(sides) else ()


def _cropped(sides: Sides, suffix: str = "crop") -> tuple[Made, ...]:
    rank = len(sides) // 2
    return (Made(f"layers.Cropping{rank}D", args(("cropping", _pairs(sides))), suffix),) if any(sides) else ()


def _is_same(case: Case) -> bool:
    """Whether the padding is what Keras calls same."""
    op: Any = case.op
    axes = op.axes(case.inputs[0])
    totals = [max((-(-axis.size // axis.stride) - 1) * axis.stride + axis.window - axis.size, 0) for axis in axes]
    return tuple(op.sides(case.inputs[0])) == tuple(Sides.halves(totals))


def _padding(case: Case) -> tuple[tuple[Made, ...], str]:
    """Zeros before a layer, and its argument `padding`."""
    op: Any = case.op
    sides = op.sides(case.inputs[0])
    if not any(sides):
        return (), "valid"
    return ((), "same") if _is_same(case) else (_zeros(sides), "valid")


def _kernel(rank: int) -> tuple[int, ...]:
    """(K, C, positions) as (positions, C, K)."""
    return (*range(2, 2 + rank), 1, 0)


@spelt("convNd")
def _conv(case: Case) -> Spelling:
    op: Any = case.op
    if op.connections is not None:
        raise case.cannot("a table of connections", PROGRAM)
    if set(op.stride) != {1} and set(op.dilation) != {1}:
        raise case.cannot("a convolution with both stride and dilation", PROGRAM)
    before, padding = _padding(case)
    channels, rank = case.inputs[0][0], case.rank
    window = {
        "strides": (plain(op.stride), 1), "padding": (padding, "valid"), "dilation_rate": (plain(op.dilation), 1),
        "use_bias": (op.bias, True),
    }  # fmt: skip
    arrays = {"weight": Layout("kernel", _kernel(rank)), "bias": Layout("bias", (0,))}
    if op.groups == channels > 1 and rank < 3:
        multiplier = op.out_channels // channels
        own = Made(f"layers.DepthwiseConv{rank}D", args(
            ("kernel_size", plain(op.kernel_size)), depth_multiplier=(multiplier, 1), **window,
        ))  # fmt: skip
        arrays["weight"] = Layout("kernel", (*range(2, 2 + rank), 0, 1), (*op.kernel_size, channels, multiplier))
        return Spelling((*before, own), arrays=arrays)
    own = Made(f"layers.Conv{rank}D", args(
        ("filters", op.out_channels), ("kernel_size", plain(op.kernel_size)), **window, groups=(op.groups, 1),
    ))  # fmt: skip
    return Spelling((*before, own), arrays=arrays)


@spelt("conv_transposeNd")
def _conv_transpose(case: Case) -> Spelling:
    op: Any = case.op
    if op.groups != 1:
        raise case.cannot("a transposed convolution in groups", PROGRAM)
    begins, ends = op.cut_off().begins, []
    for axis, (size, window, stride) in enumerate(zip(case.inputs[0][1:], op.kernel_size, op.stride, strict=True)):
        ends.append(size * stride + max(window - stride, 0) - begins[axis] - case.output[1 + axis])
    if min((*begins, *ends)) < 0:
        raise case.cannot("a transposed convolution that is extended beyond its filters", PROGRAM)
    own = Made(f"layers.Conv{case.rank}DTranspose", args(
        ("filters", op.out_channels), ("kernel_size", plain(op.kernel_size)), strides=(plain(op.stride), 1),
        use_bias=(op.bias, True),
    ))  # fmt: skip
    arrays = {"weight": Layout("kernel", _kernel(case.rank)), "bias": Layout("bias", (0,))}
    return Spelling((own, *_cropped(Sides((*begins, *ends)))), arrays=arrays)


def _want_plain_window(case: Case) -> None:
    op: Any = case.op
    if any(step > 1 < size for step, size in zip(op.dilation, op.kernel_size, strict=True)):
        raise case.cannot("a pool with dilation", PROGRAM)


def _pool_args(op: Any, padding: str) -> tuple[Arg, ...]:
    return args(
        ("pool_size", plain(op.kernel_size)), strides=(plain(op.stride), plain(op.kernel_size)),
        padding=(padding, "valid"),
    )  # fmt: skip


@spelt("max_poolNd")
def _max_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    needed = pools_padding(case)
    call = f"layers.MaxPooling{case.rank}D"
    if not any(needed):
        return Spelling((Made(call, _pool_args(op, "valid")),))
    if _is_same(case) and not op.ceil_mode:
        return Spelling((Made(call, _pool_args(op, "same")),))
    margins = ((0, 0), *zip(needed.begins, needed.ends, strict=True), (0, 0))
    pad = Made("ops.pad", (Arg("pad_width", margins, keyword=False), Arg("constant_values", float("-inf"), 0)), "pad")
    return Spelling((pad, Made(call, _pool_args(op, "valid"))))


@spelt("avg_poolNd")
def _avg_pool(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    sides, needed = op.sides(case.inputs[0]), pools_padding(case)
    call = f"layers.AveragePooling{case.rank}D"
    if not any(needed):
        return Spelling((Made(call, _pool_args(op, "valid")),))
    # With more padding at the end, Keras's torch backend repeats the last value instead of leaving padding out.
    if _is_same(case) and sides.is_even and not op.ceil_mode and not op.count_include_pad:
        return Spelling((Made(call, _pool_args(op, "same")),))
    if op.count_include_pad and all(last <= end for last, end in zip(needed.ends, sides.ends, strict=True)):
        return Spelling((*_zeros(needed), Made(call, _pool_args(op, "valid"))))
    counted = sides if op.count_include_pad else Sides((0,) * len(sides))
    more = args(("pool_size", op.kernel_size), ("strides", op.stride), ("padding", tuple(needed)), ("counted", counted))
    return Spelling((Made("PaddedAveragePooling", more),))


@spelt("subsamplingNd")
def _subsampling(case: Case) -> Spelling:
    op: Any = case.op
    _want_plain_window(case)
    own = Made("Subsampling", args(("pool_size", op.kernel_size), ("strides", op.stride)))
    arrays = {name: Layout(name, (0,)) for name in ("weight", "bias")}
    return Spelling((*_zeros(pools_padding(case)), own), arrays=arrays)


@spelt("global_avg_poolNd", "global_max_poolNd")
def _global_pool(case: Case) -> Spelling:
    what = "Average" if "avg" in case.op.kind else "Max"
    return _only(f"layers.Global{what}Pooling{case.rank}D", keepdims=(True, False))


@spelt("adaptive_avg_poolNd", "adaptive_max_poolNd")
def _adaptive(case: Case) -> Spelling:
    what = "Average" if "avg" in case.op.kind else "Max"
    if set(case.output[1:]) == {1}:
        return _global_pool(case)
    if all(size % count == 0 for size, count in zip(case.inputs[0][1:], case.output[1:], strict=True)):
        window = plain([size // count for size, count in zip(case.inputs[0][1:], case.output[1:], strict=True)])
        return _only(f"layers.{what}Pooling{case.rank}D", ("pool_size", window))
    return _only(f"layers.Adaptive{what}Pooling{case.rank}D", ("output_size", plain(case.output[1:])))


# --- dense layers and trained values


def _flat(case: Case) -> tuple[Made, ...]:
    """All values in a row, channel by channel as archcalc has them."""
    if not case.rank:
        return ()
    flat = Made("layers.Flatten", suffix="flatten")
    if prod(case.inputs[0][1:]) == 1 or case.inputs[0][0] == 1:
        return (flat,)
    order = (1 + case.rank, *range(1, 1 + case.rank))
    return Made("layers.Permute", (Arg("dims", list(order), keyword=False),), "permute"), flat


@spelt("linear")
def _linear(case: Case) -> Spelling:
    op: Any = case.op
    own = Made("layers.Dense", args(("units", op.out_features), use_bias=(op.bias, True)))
    arrays = {"weight": Layout("kernel", (1, 0)), "bias": Layout("bias", (0,))}
    return Spelling((own,) if op.per_position else (*_flat(case), own), arrays=arrays)


@spelt("rbf")
def _rbf(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling((Made("Rbf", args(("units", op.out_features))),), arrays={"centers": Layout("centers", (0, 1))})


@spelt("scale")
def _scale(case: Case) -> Spelling:
    op: Any = case.op
    arrays = {name: Layout(name, (0,)) for name in ("weight", "bias")}
    return Spelling((Made("Scale", args(use_bias=(op.bias, False))),), arrays=arrays)


def _last(rank: int) -> tuple[int, ...]:
    """(C, positions) as (positions, C)."""
    return (*range(1, 1 + rank), 0)


@spelt("position_embedding")
def _positions(case: Case) -> Spelling:
    return Spelling((Made("PositionEmbedding"),), arrays={"weight": Layout("weight", _last(case.rank))})


@spelt("parameter")
def _parameter(case: Case) -> Spelling:
    size = (*case.output[1:], case.output[0])
    made = Made("TrainedMap", (Arg("size", list(size), keyword=False),))
    return Spelling((made,), arrays={"weight": Layout("weight", _last(case.rank))})


@spelt("l2_norm")
def _l2_norm(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"{{0}} / ops.maximum(ops.norm({{0}}, axis=-1, keepdims=True), {op.epsilon!r})")


@spelt("class_token")
def _class_token(case: Case) -> Spelling:
    op: Any = case.op
    made = Made("ClassToken", args(num_tokens=(op.num_tokens, 1)))
    return Spelling((made,), arrays={"weight": Layout("weight", (1, 0))})


@spelt("embedding")
def _embedding(case: Case) -> Spelling:
    op: Any = case.op
    numbers = Made("token_numbers", args(("input_dim", op.num_embeddings)), "numbers")
    own = Made("layers.Embedding", args(("input_dim", op.num_embeddings), ("output_dim", op.embedding_dim)))
    return Spelling((numbers, own), arrays={"weight": Layout("embeddings", (0, 1))})


# --- normalisation

_TRAINED = {"weight": Layout("gamma", (0,)), "bias": Layout("beta", (0,))}


@spelt("batch_normNd")
def _batch_norm(case: Case) -> Spelling:
    op: Any = case.op
    made = Made("layers.BatchNormalization", args(
        epsilon=(op.epsilon, 0.001), center=(op.shift, True), scale=(op.scale, True),
    ))  # fmt: skip
    moving = {"running_mean": Layout("moving_mean", (0,)), "running_var": Layout("moving_variance", (0,))}
    return Spelling((made,), arrays={**_TRAINED, **moving})


@spelt("local_response_norm")
def _lrn(case: Case) -> Spelling:
    op: Any = case.op
    return _only(
        "LocalResponseNormalization", ("size", op.size), alpha=(op.alpha, 1e-4), beta=(op.beta, 0.75), k=(op.k, 1.0)
    )


@spelt("layer_norm", "rms_norm")
def _layer_norm(case: Case) -> Spelling:
    op: Any = case.op
    scale, shift = op.affine_parts
    axes = list(range(1, 2 + case.rank))
    axis = Arg("axis", axes if op.axes == "all" and case.rank else -1, -1)
    order = _last(case.rank) if op.axes == "all" else (0,)
    arrays = {"weight": Layout("gamma", order), "bias": Layout("beta", order)}
    if op.kind == "layer_norm":
        more = args(epsilon=(op.epsilon, 0.001), center=(shift, True), scale=(scale, True))
        return Spelling((Made("layers.LayerNormalization", (axis, *more)),), arrays=arrays)
    if not scale or shift:
        raise case.cannot("an RMS norm without a scale, or with a shift,", PROGRAM)
    arrays["weight"] = Layout("scale", order)
    return Spelling((Made("layers.RMSNormalization", (axis, *args(epsilon=(op.epsilon, 1e-6)))),), arrays=arrays)


@spelt("group_norm", "instance_norm")
def _group_norm(case: Case) -> Spelling:
    op: Any = case.op
    groups = op.num_groups if op.kind == "group_norm" else -1
    made = Made("layers.GroupNormalization", args(
        groups=(groups, 32), epsilon=(op.epsilon, 0.001), center=(op.affine, True), scale=(op.affine, True),
    ))  # fmt: skip
    return Spelling((made,), arrays=_TRAINED)


# --- shapes


def _turned(order: Sequence[int], suffix: str = "") -> tuple[Made, ...]:
    """Axes in another order, counted from 1 as Keras does; nothing where they stay."""
    if list(order) == list(range(1, 1 + len(order))):
        return ()
    return (Made("layers.Permute", (Arg("dims", list(order), keyword=False),), suffix),)


def _shape(sizes: Sequence[int], suffix: str = "") -> Made:
    return Made("layers.Reshape", (Arg("target_shape", list(sizes), keyword=False),), suffix)


@spelt("flatten")
def _flatten(case: Case) -> Spelling:
    *before, own = _flat(case) or (Made("layers.Flatten"),)
    return Spelling((*before, Made(own.call)))


@spelt("reshape")
def _reshape(case: Case) -> Spelling:
    if len(case.output) == 1:
        return _flatten(case)
    rank = len(case.output) - 1
    first = (1 + case.rank, *range(1, 1 + case.rank)) if case.rank else (1,)
    turned = _turned((*range(2, 2 + rank), 1), "last")
    return Spelling((*_turned(first, "first"), _shape(case.output), *turned))


@spelt("tokens", "grid")
def _tokens(case: Case) -> Spelling:
    return Spelling((_shape((*case.output[1:], case.output[0])),))


@spelt("cropNd")
def _crop(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(_cropped(op.margins, "") or (Made("layers.Identity"),), first_only=True)


@spelt("sliceNd")
def _slice(case: Case) -> Spelling:
    op: Any = case.op
    taken = [f"{start or ''}::{step}" for start, step in zip(op.start, op.step, strict=True)]
    return Spelling(expression=f"{{0}}[:, {', '.join(taken)}]")


@spelt("zero_padNd")
def _zero_pad(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(_zeros(op.sides(), "") or (Made("layers.Identity"),))


@spelt("reflection_pad")
def _reflection_pad(case: Case) -> Spelling:
    op: Any = case.op
    margins = ((0, 0), *op.margins(case.inputs[0]), (0, 0))
    return Spelling((Made("ops.pad", (Arg("pad_width", margins, keyword=False), Arg("mode", "reflect", "constant"))),))


@spelt("pad_channels")
def _pad_channels(case: Case) -> Spelling:
    op: Any = case.op
    margins = (*[(0, 0)] * (1 + case.rank), (op.before, op.after or 0))
    return Spelling((Made("ops.pad", (Arg("pad_width", margins, keyword=False),)),))


@spelt("upsampleNd", "interpolate")
def _resize(case: Case) -> Spelling:
    op: Any = case.op
    old, new = case.inputs[0][1:], case.output[1:]
    times = [wanted // size if wanted % size == 0 else 0 for size, wanted in zip(old, new, strict=True)]
    if op.mode == "nearest":
        if all(times):
            return Spelling((Made(f"layers.UpSampling{case.rank}D", args(("size", plain(times)))),), first_only=True)
        text = "{0}"
        for axis, (size, wanted) in enumerate(zip(old, new, strict=True), 1):
            places = [index * size // wanted for index in range(wanted)]
            text = f"ops.take({text}, {places}, {axis})"
        return Spelling(expression=text)
    if op.mode != "bilinear" or getattr(op, "align_corners", False):
        raise case.cannot(f"interpolation with mode {op.mode}, or with aligned corners,", PROGRAM)
    made = Made("layers.Resizing", args(("height", new[0]), ("width", new[1]), interpolation=("bilinear", None)))
    return Spelling((made,), first_only=True)


@spelt("chunk", "split", "narrow")
def _part(case: Case) -> Spelling:
    op: Any = case.op
    axis = axis_of(op.axis, case.inputs[0])
    start, length, step = op.run(case.inputs[0][axis])
    taken = f"{start}:{start + (length - 1) * step + 1}" + (f":{step}" if step != 1 else "")
    return Spelling(expression=f"{{0}}[..., {taken}]" if axis == 0 else f"{{0}}[{':, ' * axis}{taken}]")


@spelt("channel_shuffle")
def _channel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    channels, *positions = case.inputs[0]
    rank = case.rank
    turn = _turned((*range(1, 1 + rank), 2 + rank, 1 + rank), "turn")
    return Spelling(
        (_shape((*positions, op.groups, channels // op.groups), "rows"), *turn, _shape((*positions, channels)))
    )


@spelt("permute", "transpose")
def _permute(case: Case) -> Spelling:
    op: Any = case.op
    # Channel axis 0 is the last here, position axis n the n-th.
    place = {axis: axis or 1 + case.rank for axis in range(1 + case.rank)}
    first, *others = op.order(case.inputs[0])
    return Spelling(_turned([place[axis] for axis in (*others, first)]) or (Made("layers.Identity"),))


@spelt("pixel_shuffle", "pixel_unshuffle")
def _pixel_shuffle(case: Case) -> Spelling:
    op: Any = case.op
    rank = case.rank
    if op.kind == "pixel_shuffle":
        factor, positions = op.upscale_factor, case.inputs[0][1:]
        blocks = (*positions, case.output[0], *[factor] * rank)
        order = [axis for place in range(rank) for axis in (1 + place, 2 + rank + place)] + [1 + rank]
    else:
        factor, positions = op.downscale_factor, case.output[1:]
        blocks = (*(part for size in positions for part in (size, factor)), case.inputs[0][0])
        order = [*range(1, 1 + 2 * rank, 2), 1 + 2 * rank, *range(2, 2 + 2 * rank, 2)]
    return Spelling((_shape(blocks, "blocks"), *_turned(order, "turn"), _shape((*case.output[1:], case.output[0]))))


@spelt("roll")
def _roll(case: Case) -> Spelling:
    op: Any = case.op
    shifts = op.shifts if len(op.shifts) == case.rank else op.shifts * case.rank
    return _only("ops.roll", ("shift", list(shifts)), ("axis", list(range(1, 1 + case.rank))))


# --- several maps into one


def _wide(case: Case) -> list[str]:
    """The inputs, flat ones with an axis for each position axis of the largest."""
    axes = max(map(len, case.inputs))
    missing = [axes - len(shape) for shape in case.inputs]
    return [f"{{{n}}}" + (f"[:, {'None, ' * more}:]" if more else "") for n, more in enumerate(missing)]


@spelt("add")
def _add(case: Case) -> Spelling:
    return Spelling(expression=" + ".join(_wide(case)))


@spelt("multiply")
def _multiply(case: Case) -> Spelling:
    op: Any = case.op
    factor = [repr(op.factor)] if op.factor != 1 or len(case.inputs) == 1 else []
    return Spelling(expression=" * ".join([*factor, *_wide(case)]))


@spelt("subtract")
def _subtract(case: Case) -> Spelling:
    return Spelling(expression=" - ".join(_wide(case)))


@spelt("divide")
def _divide(case: Case) -> Spelling:
    return Spelling(expression=" / ".join(_wide(case)))


@spelt("rescale")
def _rescale(case: Case) -> Spelling:
    op: Any = case.op
    # Channels are the last axis, so that a number for each is a list there.
    given = [list(numbers) if isinstance(numbers, tuple) else numbers for numbers in (op.factor, op.offset)]
    return _only("layers.Rescaling", ("scale", given[0]), offset=(given[1], 0.0))


@spelt("power")
def _power(case: Case) -> Spelling:
    op: Any = case.op
    return Spelling(expression=f"ops.power({{0}}, {op.exponent!r})")


def _axis(case: Case) -> int:
    op: Any = case.op
    return axis_of(op.axis, case.inputs[0]) or -1


@spelt("concat")
def _concat(case: Case) -> Spelling:
    return Spelling(
        expression=f"ops.concatenate([{', '.join(f'{{{n}}}' for n in range(len(case.inputs)))}], {_axis(case)})"
    )


@spelt("matmul")
def _matmul(case: Case) -> Spelling:
    op: Any = case.op
    if case.rank > 1:
        raise case.cannot("a product of maps with several axes of positions", PROGRAM)
    turned = [
        f"ops.swapaxes({{{n}}}, 1, 2)" if flag else f"{{{n}}}"
        for n, flag in enumerate((op.transpose_first, op.transpose_second))
    ]
    return Spelling(expression=f"ops.matmul({', '.join(turned)})")


@spelt("scaled_dot_product_attention")
def _attention(case: Case) -> Spelling:
    op: Any = case.op
    heads = ", ".join(f"{{{n}}}" for n in range(3))
    return Spelling(expression=f"attention({heads}, {op.num_heads}, {op.is_causal}, {op.scale!r})")
