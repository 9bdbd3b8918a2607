"""Networks of the catalogue as archcalc's peers take them: an ONNX model and a torch module, with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights
from archcalc.passes.analysis import Analysis


def arrays_of(analysis: Analysis) -> dict[str, Mapping[str, Array]]:
    """The seeded weights of every layer that has some."""
    weights = SeededWeights(analysis.graph, 0, analysis.dtype)
    sizes = {
        row.name: {param.name: param.shape for param in row.op.param_shapes(row.input_shapes)} for row in analysis.rows
    }
    return {name: weights.of(name, each) for name, each in sizes.items() if each}


# --- ONNX


def _sides(row: Any) -> tuple[int, int, int, int]:
    """Pixels of padding at the top, left, bottom and right."""
    down, across = (row.op.axis(row.input_shapes[0], axis) for axis in (0, 1))
    return down.before, across.before, down.after, across.after


def _window(row: Any) -> dict[str, Any]:
    op = row.op
    return {
        "kernel_shape": op.kernel_size,
        "strides": op.stride,
        "dilations": op.dilation,
        "pads": _sides(row),
    }


def _pool(row: Any) -> dict[str, Any]:
    return {**_window(row), "ceil_mode": int(row.op.ceil_mode)}


#: Kind → operator of ONNX, and its attributes from the layer's row.
OPERATORS: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "add": ("Add", lambda _: {}),
    "avg_pool2d": ("AveragePool", lambda row: {**_pool(row), "count_include_pad": int(row.op.count_include_pad)}),
    "batch_norm2d": ("BatchNormalization", lambda row: {"epsilon": row.op.epsilon}),
    "concat": ("Concat", lambda _: {"axis": 1}),
    "conv2d": ("Conv", lambda row: {**_window(row), "group": row.op.groups}),
    "depthwise_conv2d": ("Conv", lambda row: {**_window(row), "group": row.input_shapes[0][0]}),
    "dropout": ("Identity", lambda _: {}),
    "flatten": ("Flatten", lambda _: {}),
    "global_avg_pool2d": ("GlobalAveragePool", lambda _: {}),
    "linear": ("Gemm", lambda _: {"transB": 1}),
    "local_response_norm": (
        "LRN",
        lambda row: {"size": row.op.size, "alpha": row.op.alpha, "beta": row.op.beta, "bias": row.op.k},
    ),
    "max_pool2d": ("MaxPool", _pool),
    "relu": ("Relu", lambda _: {}),
    "softmax": ("Softmax", lambda _: {"axis": 1}),
}
ORDER = ("weight", "bias", "running_mean", "running_var")


def onnx_model(analysis: Analysis, arrays: Mapping[str, Mapping[str, Array]]) -> Any:
    """The network in ONNX, its weights in it."""
    from onnx import TensorProto, helper, numpy_helper

    graph = analysis.graph
    nodes, weights = [], []
    for row, layer in zip(analysis.rows[1:], graph.layers[1:], strict=True):
        kind, attributes = OPERATORS[layer.op.kind]
        inputs = [graph.layers[source].name for source in layer.inputs]
        if kind == "Gemm" and len(row.input_shapes[0]) == 3:
            nodes.append(helper.make_node("Flatten", inputs, [f"{layer.name}.flat"]))
            inputs = [f"{layer.name}.flat"]
        given = arrays.get(layer.name, {})
        for name in ORDER:
            if name in given:
                values = given[name]
            elif kind == "BatchNormalization":
                values = np.full_like(given["running_mean"], name == "weight")
            else:
                continue
            weights.append(numpy_helper.from_array(values, f"{layer.name}.{name}"))
            inputs.append(f"{layer.name}.{name}")
        nodes.append(helper.make_node(kind, inputs, [layer.name], **attributes(row)))
    first = helper.make_tensor_value_info(graph.layers[0].name, TensorProto.FLOAT, (1, *graph.input_shape))
    last = analysis.rows[graph.outputs[-1].layer]
    result = helper.make_tensor_value_info(last.name, TensorProto.FLOAT, (1, *last.output_shape))
    whole = helper.make_graph(nodes, graph.name, [first], [result], weights)
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)


# --- PyTorch


def torch_network(analysis: Analysis, arrays: Mapping[str, Mapping[str, Array]]) -> Callable[[Any], Any]:
    """The network in PyTorch: its modules in eval mode, ReLU in place, each map let go after its last reader."""
    import torch
    from torch import nn

    graph = analysis.graph
    modules = [_module(row, nn) for row in analysis.rows]
    for layer, module in zip(graph.layers, modules, strict=True):
        if layer.name in arrays:
            inner = module[-1] if isinstance(module, nn.Sequential) else module
            state = {name: torch.from_numpy(array) for name, array in arrays[layer.name].items()}
            inner.load_state_dict(state, strict=False)
        if isinstance(module, nn.Module):
            module.eval()
    last = {source: index for index, layer in enumerate(graph) for source in layer.inputs}
    dying = [[source for source in set(layer.inputs) if last[source] == index] for index, layer in enumerate(graph)]

    def run(x: Any) -> Any:
        maps = {0: x}
        with torch.no_grad():
            for index, layer in enumerate(graph.layers):
                if index:
                    maps[index] = modules[index](*(maps[source] for source in layer.inputs))
                    for source in dying[index]:
                        del maps[source]
        return maps[graph.outputs[-1].layer]

    return run


def _module(row: Any, nn: Any) -> Any:
    """A layer as PyTorch's own module."""
    import torch

    op = row.op
    if op.kind in ("conv2d", "depthwise_conv2d"):
        depth = row.input_shapes[0][0]
        groups = depth if op.kind == "depthwise_conv2d" else op.groups
        before, padding = _padding(row, nn)
        conv = nn.Conv2d(
            depth, row.output_shape[0], op.kernel_size, op.stride, padding, op.dilation, groups, bias=op.bias
        )
        return nn.Sequential(before, conv) if before else conv
    if op.kind == "max_pool2d":
        before, padding = _padding(row, nn)
        assert before is None
        return nn.MaxPool2d(op.kernel_size, op.stride, padding, op.dilation, ceil_mode=op.ceil_mode)
    if op.kind == "avg_pool2d":
        before, padding = _padding(row, nn)
        assert before is None
        return nn.AvgPool2d(op.kernel_size, op.stride, padding, op.ceil_mode, op.count_include_pad)
    if op.kind == "linear":
        linear = nn.Linear(int(np.prod(row.input_shapes[0])), op.out_features, bias=op.bias)
        return nn.Sequential(nn.Flatten(), linear) if len(row.input_shapes[0]) == 3 else linear
    make: dict[str, Callable[[], Any]] = {
        "input": nn.Identity,
        "add": lambda: torch.add,
        "batch_norm2d": lambda: nn.BatchNorm2d(row.output_shape[0], op.epsilon),
        "concat": lambda: lambda *maps: torch.cat(maps, 1),
        "dropout": nn.Dropout,
        "flatten": nn.Flatten,
        "global_avg_pool2d": lambda: nn.AdaptiveAvgPool2d(1),
        "local_response_norm": lambda: nn.LocalResponseNorm(op.size, op.alpha, op.beta, op.k),
        "relu": lambda: nn.ReLU(inplace=True),
        "softmax": lambda: nn.Softmax(dim=1),
    }
    return make[op.kind]()


def _padding(row: Any, nn: Any) -> tuple[Any, tuple[int, int]]:
    """A module that pads, where the layer's own argument cannot, and that argument."""
    top, left, bottom, right = _sides(row)
    if (top, left) == (bottom, right):
        return None, (top, left)
    return nn.ZeroPad2d((left, right, top, bottom)), (0, 0)
