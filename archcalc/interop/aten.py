"""Operations of PyTorch's ATen in the words of `archcalc.interop.program`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.interop.aten_moves import MOVES, Translated, Translation, axes
from archcalc.interop.aten_recurrent import RECURRENT


def fold(node: Any, known: dict[str, Any]) -> bool:
    """Compute an operation whose tensors are all known, or that makes one of fixed values; note the result."""
    kind = str(node.target)
    tensors = list(node.all_input_nodes)
    makes = any(word in kind for word in _MAKERS)
    if not makes and not (tensors and all(item.name in known for item in tensors)):
        return False
    if not _all_small(node):
        return False
    args = [_real(item, known) for item in node.args]
    kwargs = {key: _real(item, known) for key, item in node.kwargs.items()}
    if makes and tensors and any(item.name not in known for item in tensors):
        # new_zeros(x, …) and zeros_like(x): only the kind of x matters.
        args = [_stand_in(item, known) for item in node.args]
    known[node.name] = node.target(*args, **kwargs)
    return True


_PRODUCTS = ("aten.matmul.", "aten.bmm.", "aten.mm.", "aten.addmm.", "aten.linear.")


def products(node: Any) -> int:
    """Multiplications of a matrix product; 0 for all else."""
    if not str(node.target).startswith(_PRODUCTS):
        return 0
    first = node.args[1 if "addmm" in str(node.target) else 0].meta["val"]
    return int(node.meta["val"].numel()) * int(first.shape[-1])


def later(node: Any, known: Mapping[str, Any], most: int = 1 << 28) -> Callable[[], Any] | None:
    """What computes a tensor of known ones alone that is too large to be held; None where it is not one."""
    tensors = list(node.all_input_nodes)
    if not tensors or not all(item.name in known for item in tensors) or not _all_small(node, most):
        return None
    # What is written in place afterwards does not reach it.
    args = [_copied(_real(item, known)) for item in node.args]
    kwargs = {key: _copied(_real(item, known)) for key, item in node.kwargs.items()}
    return lambda: node.target(*args, **kwargs)


def fits_memory(node: Any, most: int = 1 << 28) -> bool:
    """Whether what an operation gives is not too large to be computed."""
    return _all_small(node, most)


def real_arguments(node: Any, known: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of an operation, with the known tensors in the place of nodes."""
    return [_real(item, known) for item in node.args], {key: _real(item, known) for key, item in node.kwargs.items()}


def _copied(item: Any) -> Any:
    if isinstance(item, list):
        return [_copied(part) for part in item]
    return item.clone() if hasattr(item, "clone") else item


_MAKERS = (
    "aten.zeros", "aten.zero.", "aten.ones", "aten.full", "aten.arange", "aten.new_zeros", "aten.new_ones",
    "aten.new_full", "aten.linspace", "aten.eye", "aten.scalar_tensor", "aten.new_empty",
)  # fmt: skip


def _all_small(node: Any, most: int = 1 << 22) -> bool:
    made = node.meta.get("val")
    for tensor in made if isinstance(made, (list, tuple)) else (made,):
        if hasattr(tensor, "numel") and not (isinstance(tensor.numel(), int) and tensor.numel() <= most):
            return False
    return True


def _real(item: Any, known: Mapping[str, Any]) -> Any:
    if hasattr(item, "op") and hasattr(item, "name"):
        return known.get(item.name)
    if isinstance(item, (list, tuple)):
        return [_real(part, known) for part in item]
    return item


def _stand_in(item: Any, known: Mapping[str, Any]) -> Any:
    if hasattr(item, "op") and item.name not in known:
        value = item.meta["val"]
        import torch

        return torch.empty(tuple(value.shape), dtype=value.dtype)
    return _real(item, known)


def _by_axis(value: Any, rank: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return values * rank if len(values) == 1 else values


def _convolution(rank: int, transposed: bool = False) -> Translation:
    def translate(call: Any) -> Translated:
        padding = call["padding"]
        attributes = {
            "stride": _by_axis(call["stride"], rank),
            "padding": padding if isinstance(padding, str) else _by_axis(padding, rank),
            "dilation": _by_axis(call["dilation"], rank),
            "groups": call["groups"],
        }
        if attributes["padding"] == "valid":
            attributes["padding"] = (0,) * rank
        if transposed:
            attributes["output_padding"] = _by_axis(call["output_padding"], rank)
        name = f"conv_transpose{rank}d" if transposed else f"conv{rank}d"
        return name, [call.tensor("input"), call.tensor("weight"), call.tensor("bias")], attributes

    return translate


def _general_convolution(call: Any) -> Translated:
    return _convolution(len(call.shape("weight")) - 2, bool(call["transposed"]))(call)


def _plain(name: str, *attributes: str, tensors: Sequence[str] = ("self",), **renamed: str) -> Translation:
    """An operation with the same name and arguments; `renamed` maps ours to ATen's."""

    def translate(call: Any) -> Translated:
        found = {key: call[key] for key in attributes} | {ours: call[theirs] for ours, theirs in renamed.items()}
        return name, [call.tensor(tensor) for tensor in tensors], found

    return translate


def _pool(name: str, rank: int) -> Translation:
    def translate(call: Any) -> Translated:
        kernel = _by_axis(call["kernel_size"], rank)
        attributes: dict[str, Any] = {
            "kernel_size": kernel,
            "stride": _by_axis(call["stride"], rank) if call["stride"] else kernel,
            "padding": _by_axis(call["padding"], rank),
            "ceil_mode": call["ceil_mode"],
        }
        if name == "max_pool":
            attributes["dilation"] = _by_axis(call["dilation"], rank)
        else:
            attributes["count_include_pad"] = call["count_include_pad"]
            if call.get("divisor_override"):
                attributes["divisor_override"] = call["divisor_override"]
        return f"{name}{rank}d", [call.tensor("self")], attributes

    return translate


def _adaptive(name: str, rank: int) -> Translation:
    def translate(call: Any) -> Translated:
        # None keeps a size: the result has it.
        return f"{name}{rank}d", [call.tensor("self")], {"output_size": call.made_shape[-rank:]}

    return translate


def _norm(name: str, *attributes: str, tensor: str = "input", **renamed: str) -> Translation:
    return _plain(name, *attributes, tensors=(tensor, "weight", "bias"), **renamed)


def _rms_norm(call: Any) -> Translated:
    eps = call["eps"]
    inputs = [call.tensor("input"), call.tensor("weight"), None]
    # PyTorch's default is the smallest step of the number type.
    return "rms_norm", inputs, {"normalized_shape": call["normalized_shape"], "eps": 2.0**-23 if eps is None else eps}


def _batch_norm(call: Any) -> Translated:
    names = ("input", "weight", "bias", "running_mean", "running_var")
    return "batch_norm", [call.tensor(name) for name in names], {"eps": call["eps"]}


def _two(name: str) -> Translation:
    """An operation on two tensors, or a tensor and a number; a scaled second one (`alpha`) stays as it is."""

    def translate(call: Any) -> Translated:
        other, alpha = call["other"], call.get("alpha", 1)
        first, second = call.tensor("self"), call.name(other)
        rounding = call.get("rounding_mode")
        kind = name if rounding is None else f"{name}_{rounding}"
        if second is None:
            return kind, [first], {"other": other * alpha if alpha != 1 else other}
        return (kind, [first, second], {}) if alpha == 1 else (f"{kind}_scaled", [first, second], {"alpha": alpha})

    return translate


def _pow(call: Any) -> Translated:
    exponent = call["exponent"]
    second = call.name(exponent)
    return ("pow", [call.tensor("self")], {"other": exponent}) if second is None else (
        "pow", [call.tensor("self"), second], {})  # fmt: skip


def _reduction(name: str) -> Translation:
    def translate(call: Any) -> Translated:
        rank = len(call.shape("self"))
        dims = call.get("dim")
        attributes = {"dim": axes(dims, rank), "keepdim": bool(call.get("keepdim", False))}
        if name == "vector_norm":
            attributes["ord"] = call.get("ord", call.get("p", 2))
        if name in ("var", "std"):
            # One less than there are, unless it is said: the estimate from a sample.
            correction = call.get("correction", int(call.get("unbiased", True)))
            attributes["correction"] = 1 if correction is None else correction
        return name, [call.tensor("self")], attributes

    return translate


def _extreme(name: str) -> Translation:
    """The largest or smallest value along an axis, with where it stands, or of all; or of two tensors."""

    def translate(call: Any) -> Translated:
        return (_two(f"{name}imum") if "other" in call.arguments else _reduction(f"a{name}"))(call)

    return translate


def _addcmul(call: Any) -> Translated:
    names = [call.tensor(name) for name in ("self", "tensor1", "tensor2")]
    return "addcmul", names, {"value": call.get("value", 1)}


#: What the scale of each axis is called where they are no list.
_SCALES = ("scales_d", "scales_h", "scales_w")


def _upsample(mode: str) -> Translation:
    def translate(call: Any) -> Translated:
        rank, name = len(call.made_shape) - 2, "self" if call.tensor("self") else "input"
        attributes = {
            "size": call.made_shape[-rank:],
            "mode": mode,
            "align_corners": bool(call.get("align_corners") or False),
            "scales": call.get("scale_factors") or [call.get(name) for name in _SCALES[-rank:]],
        }
        if call.shape(name) == tuple(call.made_shape) and set(attributes["scales"]) <= {None, 1.0}:
            return "identity", [call.tensor(name)], {}
        return "interpolate", [call.tensor(name)], attributes

    return translate


def _attention(call: Any) -> Translated:
    names = [call.tensor(name) for name in ("query", "key", "value", "attn_mask")]
    attributes = {"is_causal": bool(call.get("is_causal", False)), "scale": call.get("scale")}
    return "scaled_dot_product_attention", names, attributes


def _einsum(call: Any) -> Translated:
    return "einsum", [call.name(item) for item in call["tensors"]], {"equation": call["equation"]}


def _dropout(call: Any) -> Translated:
    return "dropout", [call.tensor("input") or call.tensor("self")], {"p": call["p"]}


def _rrelu(call: Any) -> Translated:
    """At inference the slope is the mean of its bounds."""
    if call.get("training"):
        return "rrelu", [call.tensor("self")], {}
    return "leaky_relu", [call.tensor("self")], {"negative_slope": (call["lower"] + call["upper"]) / 2}


def _threshold(call: Any) -> Translated:
    bound, value = call["threshold"], call["value"]
    if bound == value == 0:
        return "relu", [call.tensor("self")], {}
    return "threshold", [call.tensor("self")], {"threshold": bound, "value": value}


def _clamp(call: Any) -> Translated:
    return "clamp", [call.tensor("self")], {"min": call.get("min"), "max": call.get("max")}


def _identity(call: Any) -> Translated:
    first = next(iter(call.arguments))
    return "identity", [call.tensor(first)], {}


def _cast(call: Any) -> Translated:
    """Another precision of the same values; what cuts their decimals off is known by its name alone.

    What a model casts for an embedding only are tokens, which are whole numbers.
    """
    source = next(iter(call.arguments.values()))
    kind = call.made.dtype
    decimals = source.meta["val"].dtype.is_floating_point and not (kind.is_floating_point or kind.is_complex)
    if decimals and not all(_is_embedding(user) for user in call.node.users):
        return "cast", [call.name(source)], {}
    return _identity(call)


def _is_embedding(node: Any) -> bool:
    return getattr(node.target, "_opname", "") in ("embedding", "embedding_bag")


def _matmul(call: Any) -> Translated:
    names = list(call.arguments)[:2]
    return "matmul", [call.tensor(name) for name in names], {}


def _addmm(call: Any) -> Translated:
    return "addmm", [call.tensor("self"), call.tensor("mat1"), call.tensor("mat2")], {}


def _softmax(name: str) -> Translation:
    def translate(call: Any) -> Translated:
        return name, [call.tensor("self")], {"dim": call["dim"] % len(call.made_shape)}

    return translate


def _masked_fill(call: Any) -> Translated:
    return "masked_fill", [call.tensor("self"), call.tensor("mask")], {"value": call["value"], "keeps": False}


def _where(call: Any) -> Translated:
    """One of two tensors; where one of them is a number, the other with that number in places."""
    for name, other, keeps in (("self", "other", True), ("other", "self", False)):
        number = call.reader.everywhere(call[other])
        if isinstance(number, (int, float)) and call.tensor(name) is not None:
            return "masked_fill", [call.tensor(name), call.tensor("condition")], {"value": number, "keeps": keeps}
    return "where", [call.name(call[name]) for name in ("condition", "self", "other")], {}


_SAME = (
    "relu", "relu6", "sigmoid", "tanh", "silu", "mish", "hardsigmoid", "hardswish", "selu", "neg", "abs", "exp", "log",
    "sqrt", "rsqrt", "reciprocal", "erf", "sin", "cos", "square",
)  # fmt: skip
_IDENTITIES = (
    "contiguous",
    "clone",
    "detach",
    "alias",
    "lift_fresh_copy",
    "lift_fresh",
    "detach_",
    "view_as_real_copy",
    "requires_grad_",
)
_CASTS = ("to", "_to_copy", "type_as", "float")  # fmt: skip
TRANSLATIONS: Mapping[str, Translation] = {
    **MOVES,
    **RECURRENT,
    **{f"conv{rank}d": _convolution(rank) for rank in (1, 2, 3)},
    **{f"conv_transpose{rank}d": _convolution(rank, transposed=True) for rank in (1, 2, 3)},
    "conv_transpose2d": _convolution(2, transposed=True),
    "convolution": _general_convolution,
    "linear": _plain("linear", tensors=("input", "weight", "bias")),
    "bilinear": _plain("bilinear", tensors=("input1", "input2", "weight", "bias")),
    "cosine_similarity": _plain("cosine_similarity", "dim", "eps", tensors=("x1", "x2")),
    "_weight_norm": _plain("weight_norm", "dim", tensors=("v", "g")),
    "addmm": _addmm,
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "layer_norm": _norm("layer_norm", "normalized_shape", "eps"),
    "native_layer_norm": _norm("layer_norm", "normalized_shape", "eps"),
    "rms_norm": _rms_norm,
    "group_norm": _norm("group_norm", "num_groups", "eps"),
    "instance_norm": _norm("instance_norm", "eps"),
    **{name: _plain(name) for name in _SAME},
    "gelu": _plain("gelu", "approximate"),
    "leaky_relu": _plain("leaky_relu", "negative_slope"),
    "elu": _plain("elu", "alpha"),
    "celu": _plain("celu", "alpha"),
    "hardtanh": _plain("clamp", min="min_val", max="max_val"),
    "clamp": _clamp,
    "clamp_min": _plain("clamp", min="min"),
    "clamp_max": _plain("clamp", max="max"),
    "softplus": _plain("softplus", "beta", "threshold"),
    "log_sigmoid": _plain("log_sigmoid"),
    "softshrink": _plain("softshrink", "lambd"),
    "rrelu": _rrelu,
    "threshold": _threshold,
    "prelu": _plain("prelu", tensors=("self", "weight")),
    "glu": _softmax("glu"),
    "softmax": _softmax("softmax"),
    "_softmax": _softmax("softmax"),
    "log_softmax": _softmax("log_softmax"),
    **{f"max_pool{rank}d": _pool("max_pool", rank) for rank in (1, 2, 3)},
    **{f"max_pool{rank}d_with_indices": _pool("max_pool", rank) for rank in (1, 2, 3)},
    "max_unpool2d": _plain("max_unpool2d", tensors=("self", "indices")),
    "max_unpool3d": _plain("max_unpool3d", tensors=("self", "indices")),
    **{f"avg_pool{rank}d": _pool("avg_pool", rank) for rank in (1, 2, 3)},
    **{f"adaptive_avg_pool{rank}d": _adaptive("adaptive_avg_pool", rank) for rank in (1, 2, 3)},
    **{f"adaptive_max_pool{rank}d": _adaptive("adaptive_max_pool", rank) for rank in (1, 2, 3)},
    **{name: _reduction(name) for name in ("mean", "sum", "amax", "amin", "prod", "logsumexp")},
    "var": _reduction("var"),
    "std": _reduction("std"),
    "max": _extreme("max"),
    "min": _extreme("min"),
    "linalg_vector_norm": _reduction("vector_norm"),
    "norm": _reduction("vector_norm"),
    "add": _two("add"),
    "sub": _two("sub"),
    "mul": _two("mul"),
    "div": _two("div"),
    "multiply": _two("mul"),
    "divide": _two("div"),
    "remainder": _two("remainder"),
    "round": _plain("round"),
    "maximum": _two("maximum"),
    "minimum": _two("minimum"),
    "rsub": _two("rsub"),
    "pow": _pow,
    "matmul": _matmul,
    "bmm": _matmul,
    "mm": _matmul,
    "einsum": _einsum,
    "scaled_dot_product_attention": _attention,
    "im2col": _plain("im2col", "kernel_size", "dilation", "padding", "stride"),
    "col2im": _plain("col2im", "output_size", "kernel_size", "dilation", "padding", "stride"),
    "addcmul": _addcmul,
    "upsample_nearest1d": _upsample("nearest"),
    "upsample_nearest2d": _upsample("nearest"),
    "upsample_nearest3d": _upsample("nearest"),
    **{f"_upsample_nearest_exact{rank}d": _upsample("nearest-exact") for rank in (1, 2, 3)},
    "upsample_linear1d": _upsample("linear"),
    "upsample_bilinear2d": _upsample("bilinear"),
    "_upsample_bilinear2d_aa": _upsample("bilinear antialias"),
    "_upsample_bicubic2d_aa": _upsample("bicubic antialias"),
    "upsample_trilinear3d": _upsample("trilinear"),
    "upsample_bicubic2d": _upsample("bicubic"),
    "pixel_shuffle": _plain("pixel_shuffle", factor="upscale_factor"),
    "pixel_unshuffle": _plain("pixel_unshuffle", factor="downscale_factor"),
    "channel_shuffle": _plain("channel_shuffle", "groups"),
    "embedding": _plain("embedding", tensors=("indices", "weight")),
    **dict.fromkeys(("dropout", "native_dropout"), _dropout),
    "feature_dropout": _dropout,
    **dict.fromkeys(("alpha_dropout", "feature_alpha_dropout"), _dropout),
    "masked_fill": _masked_fill,
    "where": _where,
    "swapaxes": _plain("transpose", dim0="axis0", dim1="axis1"),
    **dict.fromkeys(_IDENTITIES, _identity),
    **dict.fromkeys(_CASTS, _cast),
}
