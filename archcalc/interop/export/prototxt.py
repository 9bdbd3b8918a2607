"""Caffe's network definitions: a `deploy.prototxt` of what Caffe has layers for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.interop.export.names import docstring, unique
from archcalc.interop.export.spelling import Case
from archcalc.interop.export.structure import cases_of
from archcalc.ops import rules
from archcalc.ops.reweighted import Reweighted
from archcalc.passes.analysis import Analysis

PROGRAM = "Caffe"
#: Activation functions without settings.
_PLAIN = {"relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "TanH", "softmax": "Softmax", "flatten": "Flatten"}
#: Kinds that Caffe has for some settings or inputs alone.
_SOME = frozenset({"linear", "local_response_norm", "concat", "add", "multiply"})
Fields = Mapping[str, Any]


def to_prototxt(analysis: Analysis) -> str:
    """The network as a prototxt with its layers in order. Raises `UsageError` for a layer that Caffe does not have."""
    graph = analysis.graph
    names: dict[int, str] = {}
    taken: dict[str, None] = {}
    lines = [f'name: "{docstring(graph.name)}"']
    for index, case in cases_of(analysis).items():
        layer = graph.layers[index]
        if layer.weights_of is not None:
            raise case.cannot("shared weights", PROGRAM)
        names[index] = unique(re.sub(r"[^0-9A-Za-z_/.-]", "_", case.name) or "layer", taken)
        taken[names[index]] = None
        if case.op.kind == "input":
            dims = "".join(f" dim: {size}" for size in (1, *case.output))
            lines += _layer("Input", names[index], [], {"input_param": {"shape": f"{{{dims} }}"}})
            continue
        sources = [names[source] for source in layer.inputs]
        for kind, suffix, fields in _caffe(case):
            name = unique(f"{names[index]}{suffix}", taken) if suffix else names[index]
            taken[name] = None
            lines += _layer(kind, name, sources, fields)
            sources = [name]
    return "\n".join(lines) + "\n"


def _layer(kind: str, name: str, sources: Sequence[str], fields: Fields) -> list[str]:
    lines = ["layer {", f'  name: "{name}"', f'  type: "{kind}"']
    lines += [f'  bottom: "{source}"' for source in sources]
    lines.append(f'  top: "{name}"')
    for group, settings in fields.items():
        lines.append(f"  {group} {{")
        lines += [f"    {key} {value}" if str(value).startswith("{") else f"    {key}: {value}"
                  for key, value in settings.items()]  # fmt: skip
        lines.append("  }")
    return [*lines, "}"]


def _caffe(case: Case) -> list[tuple[str, str, Fields]]:
    """The layers of Caffe that make a layer: the type, what its name ends in besides the last one's, and settings."""
    op: Any = case.op
    kind = op.kind
    if isinstance(op, Reweighted) and op.normalised():
        raise case.cannot(op.normalised()[0], PROGRAM)
    if kind in _PLAIN:
        return [(_PLAIN[kind], "", {})]
    if kind in ("conv2d", "conv_transpose2d") and getattr(op, "connections", None) is None:
        return [(("Convolution" if kind == "conv2d" else "Deconvolution"), "", {"convolution_param": _window(case)})]
    if kind in ("max_pool2d", "avg_pool2d"):
        return [("Pooling", "", {"pooling_param": _pool(case)})]
    if kind in ("global_avg_pool2d", "global_max_pool2d"):
        pool = "AVE" if "avg" in kind else "MAX"
        return [("Pooling", "", {"pooling_param": {"pool": pool, "global_pooling": "true"}})]
    if kind == "linear" and (not op.per_position or not case.rank):
        return [("InnerProduct", "", {"inner_product_param": _outputs(op.out_features, op.bias)})]
    if kind == "local_response_norm" and op.size % 2:
        return [("LRN", "", {"lrn_param": {"local_size": op.size, "alpha": op.alpha, "beta": op.beta, "k": op.k}})]
    if kind == "dropout":
        return [("Dropout", "", {"dropout_param": {"dropout_ratio": op.p}})]
    if kind == "leaky_relu":
        return [("ReLU", "", {"relu_param": {"negative_slope": op.negative_slope}})]
    if kind == "elu":
        return [("ELU", "", {"elu_param": {"alpha": op.alpha}})]
    if kind == "concat" and op.axis == "channels":
        return [("Concat", "", {"concat_param": {"axis": 1}})]
    if kind == "add" and len(set(case.inputs)) == 1:
        return [("Eltwise", "", {"eltwise_param": {"operation": "SUM"}})]
    if kind == "multiply" and len(set(case.inputs)) == 1 < len(case.inputs) and op.factor == 1:
        return [("Eltwise", "", {"eltwise_param": {"operation": "PROD"}})]
    if kind == "scale":
        return [("Scale", "", {"scale_param": {"bias_term": str(op.bias).lower()}})]
    if kind.startswith("batch_norm") and op.scale and op.shift:
        norm = {"batch_norm_param": {"use_global_stats": "true", "eps": op.epsilon}}
        return [("BatchNorm", "_bn", norm), ("Scale", "", {"scale_param": {"bias_term": "true"}})]
    if kind in _SOME or kind.startswith("batch_norm"):
        raise case.cannot("these settings or inputs", PROGRAM)
    raise case.missing(PROGRAM)


def _outputs(count: int, bias: bool) -> dict[str, Any]:
    return {"num_output": count, **({} if bias else {"bias_term": "false"})}


def _axes(name: str, values: Sequence[int], default: int, short: str = "") -> dict[str, int]:
    """One setting for both axes, or one for each."""
    if values[0] == values[1]:
        return {} if values[0] == default else {name: values[0]}
    return {f"{short or name}_h": values[0], f"{short or name}_w": values[1]}


def _window(case: Case) -> dict[str, Any]:
    op: Any = case.op
    sides = op.sides(case.inputs[0]) if op.kind == "conv2d" else op.cut_off()
    dilation = getattr(op, "dilation", (1, 1))
    if any(getattr(op, "output_padding", ())):
        raise case.cannot("output_padding", PROGRAM)
    if sides.begins != sides.ends:
        raise case.cannot("padding on one side only", PROGRAM)
    if dilation[0] != dilation[1]:
        raise case.cannot("a dilation for each axis", PROGRAM)
    return {
        **_outputs(op.out_channels, op.bias),
        **_axes("kernel_size", op.kernel_size, 0, "kernel"),
        **_axes("stride", op.stride, 1),
        **_axes("pad", sides.begins, 0),
        **({"dilation": dilation[0]} if dilation[0] != 1 else {}),
        **({"group": op.groups} if op.groups != 1 else {}),
    }


def _pool(case: Case) -> dict[str, Any]:
    """Caffe rounds up, and drops a last window that would start in the padding where there is padding."""
    op: Any = case.op
    sides, positions = op.sides(case.inputs[0]), []
    if sides.begins != sides.ends or set(op.dilation) != {1}:
        raise case.cannot("a pool with padding on one side only, or with dilation,", PROGRAM)
    for axis in op.axes(case.inputs[0]):
        count = rules.ceil_window_output_size(axis.size, axis.window, axis.stride, axis.padding)
        inside = rules.windows_that_start_inside(count, axis.size, axis.stride, axis.before)
        positions.append(inside if any(sides) else count)
    rounds = {}
    if tuple(positions) != case.output[1:]:
        if op.ceil_mode:
            raise case.cannot("such rounding of a pool", PROGRAM)
        rounds = {"round_mode": "FLOOR"}
    if op.kind == "avg_pool2d" and any(sides) and not op.count_include_pad:
        raise case.cannot("a mean that leaves padding out", PROGRAM)
    return {
        "pool": "AVE" if op.kind == "avg_pool2d" else "MAX",
        **_axes("kernel_size", op.kernel_size, 0, "kernel"),
        **_axes("stride", op.stride, 1),
        **_axes("pad", sides.begins, 0),
        **rounds,
    }
