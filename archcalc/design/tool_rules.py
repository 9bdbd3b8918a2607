"""What each tool counts of each kind of layer as multiplications, read from its source and compared with its output.

Every kind (without its rank: `conv` is `conv2d` and the others) that calculates something has an answer in every table.
None says that the count is not known or depends on how the layer is written; totals then name it as not counted. The
tests of the tier `peers` hold every rule against the tool as installed, op by op.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archcalc.design.counting import (
    BETWEEN_TOKENS,
    BIAS_ADDITIONS,
    BY_FILTERS,
    BY_OUTPUT,
    CHANNELS,
    HIDDEN_VALUES,
    IN_WINDOWS,
    LAYERS,
    MACS,
    MACS_AND_BIASES,
    MULTIPLY_ADDS,
    NOTHING,
    ONE_DIRECTION,
    PAIRS,
    PARAMS,
    POSITIONS,
    PROJECTIONS,
    READ,
    READ_PADDED,
    VALUES,
    Rule,
    Term,
    Terms,
    has_array,
    read,
    rules,
    values,
)
from archcalc.design.file_rules import OF_EACH_VALUE
from archcalc.graph.layer_graph import Call
from archcalc.ops.pool import AvgPool
from archcalc.ops.windowed import Sides
from archcalc.passes.analysis import Row


def _dense(terms: Terms) -> Rule:
    """For a convolution without a connection table, whose weights PyTorch's modules hold as zeros."""
    return lambda row: None if row.op.model_dump().get("connections") else terms


def _plain(terms: Terms) -> Rule:
    """For a layer that is one module of PyTorch: no connection table, no weights made of others, no uneven padding.

    A recurrent layer of PyTorch has two biases for each gate or none.
    """

    def rule(row: Row) -> Terms | None:
        fields = row.op.model_dump()
        special = any(fields.get(name) for name in ("connections", "weight_norm", "spectral_norm", "single_bias"))
        special = special or not fields.get("reset_after", True)
        padding = getattr(row.op, "padding", None)
        uneven = isinstance(padding, Sides) and padding.begins != padding.ends
        return None if special or (uneven and "output_padding" in fields) else terms

    return rule


def _of_pytorch(terms: Terms) -> Rule:
    """For a GRU that is a module of PyTorch; one that resets the state before its product is written out."""
    return lambda row: terms if row.op.model_dump()["reset_after"] else None


def _padded(terms: Terms, of_padded: Terms) -> Rule:
    """For a pool that pads by itself; where PyTorch's does not pad so, another layer pads, and its map is read."""

    def rule(row: Row) -> Terms | None:
        op: Any = row.op
        if "kernel_size" not in type(op).model_fields:
            return terms
        sides = op.sides(row.input_shapes[0])
        small = all(2 * side <= window for side, window in zip(sides.begins, op.kernel_size, strict=True))
        pads_itself = sides.begins == sides.ends and small and (op.clip_last_window or not op.ceil_mode)
        is_plain = not op.ceil_mode and getattr(op, "count_include_pad", True)
        return terms if pads_itself else of_padded if is_plain else None

    return rule


def _affine(with_arrays: Terms, without: Terms | None) -> Rule:
    """For a normalisation with γ and β, and for one without; with only one of them it is not known."""

    def rule(row: Row) -> Terms | None:
        both = has_array(row, "weight"), has_array(row, "bias")
        return with_arrays if all(both) else None if any(both) else without

    return rule


def _of_rows(rule: Rule) -> Rule:
    """For a norm of rows; over the channels of an image libraries write it as a module of their own."""
    return lambda row: None if row.call is None and len(row.output_shape) > 2 else rule(row) if callable(rule) else rule


def _attention(module: Rule, windows: Terms, grids: Terms | None = None) -> Rule:
    """For `nn.MultiheadAttention` as PyTorch's own layers call it (in eval mode, need_weights=False), and for windows.

    Windows are those of torchvision's Swin, which calls functions on the weights of its linear layers; grids are those
    of its MaxViT, which calls einsum.
    """

    def rule(row: Row) -> Terms | None:
        fields = row.op.model_dump()
        if row.output_shape[0] != row.input_shapes[0][0]:
            return None
        if fields["window_size"] is None and not fields["relative_position_bias"]:
            return module(row) if callable(module) else module
        if not (fields["window_size"] and fields["relative_position_bias"]):
            return None
        return windows if fields["partition"] == "window" else grids

    return rule


def _attention_of_ptflops(row: Row) -> Terms | None:
    """Keys and values of other depths are taken for projections to their own depth, which no bridge can name.

    The bias of the last projection counts even where there is none.
    """
    if len({shape[0] for shape in row.input_shapes}) > 1:
        return None
    more = 1 if has_array(row, "in_proj_bias") else 2
    return (*MACS_AND_BIASES, Term(more, VALUES), Term(1, PAIRS))


def in_grids(rows: Sequence[Row], by_call: bool) -> frozenset[str]:
    """The windows of a network that has grids too, as MaxViT: its attention is einsum, which tools count otherwise.

    `by_call`: without those of code, whose calls a tool's rule looks at.
    """
    attention = [row for row in rows if row.op.kind == "multi_head_attention" and not (by_call and row.call)]
    windows = {row.name: row.op.model_dump()["partition"] for row in attention}
    return frozenset(windows) if "grid" in windows.values() else frozenset()


#: How torchvision calls the layer norms of its Swin Transformer, channels last.
_LAYER_NORM = Call("layer_norm", "function", "torch.nn.modules.normalization.LayerNorm")


def as_written(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows as a library writes them, where that is known: attention in windows alone is torchvision's Swin."""
    attention = [row.op.model_dump() for row in rows if row.op.kind == "multi_head_attention" and row.call is None]
    if {one["partition"] if one["window_size"] and one["relative_position_bias"] else "" for one in attention} != {
        "window"
    }:
        return rows
    return [row._replace(call=row.call or _LAYER_NORM) if row.op.kind == "layer_norm" else row for row in rows]


def _scaled(with_scale: Terms, without: Terms) -> Rule:
    """For a normalisation with γ, and for one without."""
    return lambda row: with_scale if has_array(row, "weight") else without


def _without_padding(terms: Terms) -> Rule:
    """For a pool of PyTorch that cannot pad; where it has to, it is written in other ways."""

    def rule(row: Row) -> Terms | None:
        op: Any = row.op
        sides = op.sides(row.input_shapes[0])
        return None if op.ceil_mode or any((*sides.begins, *sides.ends)) else terms

    return rule


def _resized(by_mode: dict[str, Terms], of_another_map: Terms | None = None, smoothed: Terms | None = None) -> Rule:
    """For a map made larger or smaller, by the mode; `of_another_map` where a second input gives the size.

    `smoothed`: for a map that is smoothed first (antialias), where that differs.
    """

    def rule(row: Row) -> Terms | None:
        if of_another_map is not None and len(row.inputs) > 1:
            return of_another_map
        if smoothed is not None and row.op.model_dump().get("antialias"):
            return smoothed
        return by_mode.get(row.op.model_dump()["mode"])

    return rule


def _by_size(rule: Rule) -> Rule:
    """For a map made larger or smaller to a size or by a whole number, not smoothed; for others it is another."""

    def of(row: Row) -> Terms | None:
        fields = row.op.model_dump()
        special = fields.get("antialias") or not float(fields.get("scale_factor") or 1).is_integer()
        return None if special else rule(row) if callable(rule) else rule

    return of


def _of_images(rule: Rule) -> Rule:
    """For a tool that has a rule for layers of images only: rows and volumes count nothing."""
    return lambda row: NOTHING if len(row.input_shapes[0]) != 3 else rule(row) if callable(rule) else rule


#: What makes no product in any tool but those that read ONNX.
_FREE = (
    "relu__relu6__elu__gelu__silu__prelu__leaky_relu__selu__sigmoid__tanh__hardsigmoid__hardswish__hardtanh__mish__"
    "softplus__scaled_tanh__glu__softmax__log_softmax__power__max_pool__avg_pool__lp_pool__subsampling__"
    "adaptive_avg_pool__adaptive_max_pool__global_avg_pool__global_max_pool__batch_norm__layer_norm__group_norm__"
    "instance_norm__rms_norm__l2_norm__global_response_norm__local_response_norm__scale__rescale__add__multiply__"
    "subtract__divide__interpolate__upsample__parameter__position_embedding__class_token__embedding__mean__amax"
)
#: What PyTorch's tools do not see, for they look at modules or have no rule for the function: they count nothing.
_UNSEEN = rules(
    add__multiply__subtract__divide__rescale__scale__sigmoid__tanh__hardsigmoid__hardswish__mish__softplus=NOTHING,
    hardtanh__selu__parameter__position_embedding__class_token__embedding__log_softmax__mean__amax=NOTHING,
)

#: Convolution and dense layers only, as in the tables of torchvision.
PRODUCTS = rules(
    rules(**{_FREE: NOTHING}),
    conv=_dense(MACS),
    conv_transpose__linear__matmul__scaled_dot_product_attention__multi_head_attention=MACS,
    locally_connected__rbf__rnn__lstm__gru=None,
)

#: Of recurrent layers the profilers of DeepSpeed and calflops count operations, which are no MACs.
DEEPSPEED = rules(PRODUCTS, rnn__lstm=NOTHING, gru=_of_pytorch(NOTHING), multi_head_attention=_attention(MACS, MACS))

#: Its rule for a transposed convolution in groups divides by the groups once too often.
CALFLOPS = rules(
    PRODUCTS,
    matmul__scaled_dot_product_attention__rnn__lstm=NOTHING,
    gru=_of_pytorch(NOTHING),
    multi_head_attention=_attention(PROJECTIONS, MACS),
    conv_transpose=lambda row: MACS if row.op.model_dump()["groups"] == 1 else None,
)

FLOP_COUNTER = rules(
    rules(**{_FREE: NOTHING}),
    conv=_dense((Term(2, MULTIPLY_ADDS),)),
    conv_transpose__locally_connected__linear__matmul__rnn__gru=(Term(2, MULTIPLY_ADDS),),
    lstm__scaled_dot_product_attention=NOTHING,
    multi_head_attention=_attention(
        (Term(2, MULTIPLY_ADDS), Term(-2, BETWEEN_TOKENS)), (Term(2, MULTIPLY_ADDS),), (Term(2, MULTIPLY_ADDS),)
    ),
    rbf=None,
)

FVCORE = rules(
    PRODUCTS,
    scaled_dot_product_attention__rnn__lstm=NOTHING,
    gru=_of_pytorch(NOTHING),
    multi_head_attention=_attention(PROJECTIONS, MACS),
    batch_norm=_scaled(values(2), values(1)),
    layer_norm__group_norm__instance_norm=_scaled(values(5), values(4)),
    adaptive_avg_pool__global_avg_pool=_of_images(read(1)),
    upsample__interpolate=_of_images(
        _resized({"nearest": values(1), "bilinear": values(4), "bicubic": NOTHING}, smoothed=NOTHING)
    ),
)

#: What has no arrays has no row in its summary.
_NO_ARRAYS = (
    "relu__relu6__elu__gelu__silu__leaky_relu__selu__sigmoid__tanh__hardsigmoid__hardswish__hardtanh__mish__softplus__"
    "scaled_tanh__glu__softmax__log_softmax__power__max_pool__avg_pool__lp_pool__adaptive_avg_pool__adaptive_max_pool__"
    "global_avg_pool__global_max_pool__l2_norm__local_response_norm__rescale__add__multiply__subtract__divide__"
    "interpolate__upsample__matmul__scaled_dot_product_attention__mean__amax"
)
TORCHINFO = rules(
    conv=_plain(MACS_AND_BIASES),
    conv_transpose=_plain((*MACS_AND_BIASES, Term(1, BY_OUTPUT))),
    linear=_plain(PARAMS),
    locally_connected=MACS_AND_BIASES,
    rnn__lstm__gru=_plain(MACS_AND_BIASES),
    batch_norm__layer_norm__group_norm__instance_norm__rms_norm__global_response_norm__prelu__embedding=PARAMS,
    scale__parameter__position_embedding__class_token=NOTHING,
    multi_head_attention=_attention(NOTHING, NOTHING),
    rbf__subsampling=None,
    **{_NO_ARRAYS: NOTHING},
)

PTFLOPS = rules(
    _UNSEEN,
    conv__conv_transpose__linear=_plain(MACS_AND_BIASES),
    lstm=_plain((*MACS_AND_BIASES, Term(10, HIDDEN_VALUES))),
    gru=_plain((*MACS_AND_BIASES, Term(7, HIDDEN_VALUES))),
    rnn=_plain((*MACS_AND_BIASES, Term(1, HIDDEN_VALUES))),
    batch_norm__group_norm__instance_norm=_affine(values(2), values(1)),
    layer_norm=_of_rows(values(1)),
    relu__elu__gelu__prelu=values(2),
    relu6__leaky_relu__silu__softmax=values(1),
    max_pool__avg_pool__adaptive_avg_pool__global_avg_pool__adaptive_max_pool__global_max_pool=_padded(
        read(2), (Term(2, READ_PADDED),)
    ),
    local_response_norm=lambda row: (*values(4), Term(row.op.model_dump()["size"] - 1, POSITIONS)),
    lp_pool=_without_padding((*read(1), *values(2))),
    upsample__interpolate=_by_size(
        _resized(dict.fromkeys(("nearest", "linear", "bilinear", "trilinear", "bicubic"), values(2)), values(1))
    ),
    scaled_dot_product_attention=NOTHING,
    multi_head_attention=_attention(_attention_of_ptflops, (Term(1, BETWEEN_TOKENS), Term(1, PAIRS))),
    locally_connected__rbf__matmul=None,
    subsampling__rms_norm__l2_norm__global_response_norm__glu__power__scaled_tanh=None,
)

THOP = rules(
    _UNSEEN,
    conv__linear=_plain(MACS),
    conv_transpose=_plain((*MACS, Term(1, BY_OUTPUT))),
    lstm=_plain((*MACS_AND_BIASES, Term(8, HIDDEN_VALUES))),
    gru=_plain((*MACS_AND_BIASES, Term(7, HIDDEN_VALUES))),
    rnn=_plain((*MACS_AND_BIASES, Term(1, HIDDEN_VALUES))),
    batch_norm__instance_norm=_affine(values(4), values(2)),
    layer_norm=_of_rows(_scaled(values(4), values(2))),
    avg_pool__prelu=values(1),
    adaptive_avg_pool__global_avg_pool=(Term(1, READ), Term(1, VALUES)),
    softmax=(Term(3, VALUES), Term(-1, POSITIONS)),
    relu__relu6__leaky_relu__elu__gelu__silu__max_pool__adaptive_max_pool__global_max_pool=NOTHING,
    group_norm__local_response_norm__glu__power__rms_norm__l2_norm__global_response_norm=NOTHING,
    upsample__interpolate=_resized(
        {"nearest": values(1), "linear": values(5), "bilinear": values(11), "bicubic": values(259)}, NOTHING, NOTHING
    ),
    scaled_dot_product_attention=NOTHING,
    multi_head_attention=_attention(NOTHING, NOTHING),
    locally_connected__rbf__matmul=None,
    lp_pool=NOTHING,
    subsampling__scaled_tanh=None,
)


def has_class_of_its_own(row: Row) -> bool:
    """Whether libraries write a layer as a class of their own, so that a tool may not see its arrays."""
    fields = row.op.model_dump()
    norm_of_images = row.op.kind == "layer_norm" and len(row.output_shape) > 2
    made_of_others = any(fields.get(name) for name in ("weight_norm", "spectral_norm", "single_bias"))
    made_of_others = made_of_others or not fields.get("reset_after", True)
    return bool(norm_of_images or made_of_others) or row.op.kind.startswith(("locally_connected", "rbf", "subsampling"))


def _across_channels(row: Row) -> Terms | None:
    return values(row.op.model_dump()["size"] + 37) if row.op.model_dump()["size"] % 2 else None


def _additions(row: Row) -> Terms | None:
    """Maps are added two by two; a sum that only the next addition spreads is smaller than the last."""
    return values(len(row.inputs) - 1) if len(row.inputs) == 2 or len(set(row.input_shapes)) == 1 else None


def _products(row: Row) -> Terms:
    return values(max(1, len(row.inputs) - 1 + (row.op.model_dump()["factor"] != 1)))


def _gates(times: int) -> Rule:
    """A file holds two biases for each gate, zeros among them; a layer without biases stops the tool."""

    def rule(row: Row) -> Terms | None:
        fields = row.op.model_dump()
        biases = Term(2 if fields["single_bias"] else 1, BIAS_ADDITIONS)
        return (*MACS, biases, Term(times, ONE_DIRECTION)) if fields["bias"] else None

    return rule


def _mean_of_windows(row: Row) -> Terms | None:
    """A mean over windows that go on beyond the padding is written with other nodes."""
    assert isinstance(row.op, AvgPool)
    shape = row.input_shapes[0]
    ends = row.op.sides(shape).ends
    over = any(
        (count - 1) * axis.stride + axis.window > axis.before + axis.size + end
        for axis, count, end in zip(row.op.axes(shape), row.output_shape[1:], ends, strict=True)
    )
    return None if over and row.op.count_include_pad else (Term(1, IN_WINDOWS),)


def _tiles(row: Row) -> Terms | None:
    """Windows that tile the map are a pool, of volumes counted by one side; others are parts, as many as windows."""
    sides = list(zip(row.input_shapes[0][1:], row.output_shape[1:], strict=True))
    if any(size % count for size, count in sides):
        return None
    return read(1) if len(sides) < 3 else values(sides[0][0] // sides[0][1])


def _powers(row: Row) -> Terms:
    """Magnitudes of an odd norm, powers and roots of one that is not 1, and the mean times the window."""
    norm = row.op.model_dump()["norm_type"]
    power = 0 if norm == 1 else 32
    return (Term(norm % 2 + power, READ), Term(1, IN_WINDOWS), Term(1 + power, VALUES))


def _attention_in_files(row: Row) -> Terms:
    """Products, biases, the scale of the queries; for each pair the softmax and each mask or bias that is added."""
    fields = row.op.model_dump()
    added = [fields["is_causal"], fields["relative_position_bias"], any(fields["shift_size"] or ())]
    return (*MACS_AND_BIASES, *values(1), Term(36 + sum(map(bool, added)), PAIRS))


def _nodes(*kinds: str) -> Terms:
    """What the nodes that a layer becomes in a file count for each value."""
    return values(sum(OF_EACH_VALUE[kind] for kind in kinds))


#: By layer what `file_rules` has by node of a file. Source: onnx_tool/node.py.
ONNX_TOOL = rules(
    conv__locally_connected__linear=lambda row: None if row.op.model_dump().get("spectral_norm") else MACS_AND_BIASES,
    conv_transpose=_plain((Term(1, BY_FILTERS), Term(1, BIAS_ADDITIONS))),
    matmul=MACS,
    max_pool=(Term(1, IN_WINDOWS),),
    avg_pool=_mean_of_windows,
    adaptive_avg_pool__adaptive_max_pool=_tiles,
    lp_pool=_powers,
    multi_head_attention=_attention_in_files,
    l2_norm=(Term(6, VALUES), Term(25, POSITIONS)),
    global_response_norm=(Term(5, VALUES), Term(30, CHANNELS), Term(1, LAYERS)),
    global_avg_pool=(Term(1, READ), Term(4, VALUES)),
    mean__amax=(Term(1, READ),),
    batch_norm=_nodes("BatchNormalization"),
    local_response_norm=_across_channels,
    layer_norm=(Term(7, VALUES), Term(29, POSITIONS)),
    group_norm__instance_norm=_scaled(values(9), values(7)),
    relu=_nodes("Relu"),
    relu6__leaky_relu__prelu__hardtanh=_nodes("Clip"),
    hardsigmoid=_nodes("HardSigmoid"),
    hardswish=_nodes("HardSwish"),
    sigmoid__power=_nodes("Sigmoid"),
    silu__glu=_nodes("Sigmoid", "Mul"),
    gelu=_nodes("Gelu"),
    elu=_nodes("Elu"),
    softmax=_nodes("Softmax"),
    tanh=_nodes("Tanh"),
    scaled_tanh=_nodes("Mul", "Tanh", "Mul"),
    log_softmax=_nodes("LogSoftmax"),
    add=_additions,
    multiply=_products,
    subtract__position_embedding=values(1),
    divide=_nodes("Div"),
    rescale=_nodes("Mul", "Add"),
    scale=(*values(1), Term(1, BIAS_ADDITIONS)),
    parameter__class_token=NOTHING,
    upsample__interpolate=_resized(
        {"nearest": NOTHING, "linear": values(4), "bilinear": values(4), "trilinear": values(4), "bicubic": values(8)}
    ),
    lstm=_gates(180),
    gru=_gates(110),
    rbf__rnn__scaled_dot_product_attention__subsampling__global_max_pool__rms_norm__selu__mish__softplus=None,
    # The gather itself counts nothing; each number that is computed is rounded and taken modulo the row first.
    index_select__embedding=(Term(2, POSITIONS),),
)
