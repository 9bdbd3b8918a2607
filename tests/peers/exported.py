"""Exported PyTorch code, run with the weights of archcalc."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np

from archcalc.api import from_torch
from archcalc.execute.kernels import Array
from archcalc.execute.model_weights import own_weights
from archcalc.execute.runner import SeededWeights, execute
from archcalc.execute.runner.inputs import random_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.export.keras_code import keras_weights, to_keras_code
from archcalc.interop.export.onnx_file import to_onnx
from archcalc.interop.export.spelling import Layout
from archcalc.interop.export.torch_code import state_keys, to_torch_code
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import analyse

torch: Any = import_module("torch")


def module_of(code: str) -> Any:
    """An object of the last class in the code."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(code, "exported.py", "exec"), space)
    made = [value for value in space.values() if isinstance(value, type) and value.__module__ == "exported"]
    return made[-1]().eval()


def worst_of_torch(graph: LayerGraph, batch: int = 1) -> float:
    """The largest error of an output, relative to its largest value; shapes, parameters and buffers are compared."""
    analysis = analyse(graph)
    module = module_of(to_torch_code(analysis))
    totals = analysis.totals
    assert sum(each.numel() for each in module.parameters()) == totals.params
    assert sum(each.numel() for each in module.parameters() if each.requires_grad) == totals.trainable_params
    weights = SeededWeights(graph, 0, "float32", keep=True)
    inputs = random_inputs(graph, batch, 0, "float32")
    given = inputs if isinstance(inputs, Mapping) else {"x": inputs}
    tensors = [torch.from_numpy(each.copy()) for each in given.values()]
    with np.errstate(all="ignore"):
        found = execute(graph, inputs, weights, "im2col").outputs
    state = module.state_dict()
    keys = state_keys(analysis)
    own = {key for key in state if not key.endswith("num_batches_tracked")}
    shares = any(layer.weights_of is not None for layer in graph)
    assert set(keys.values()) <= own if shares else set(keys.values()) == own
    for name, key in keys.items():
        layer, _, array = name.rpartition(".")
        values = torch.from_numpy(weights.kept(layer)[array].copy())
        assert state[key].shape == values.shape, name
        state[key].copy_(values)
    with torch.no_grad():
        out = module(*tensors)
    results = out if isinstance(out, dict) else {graph.outputs[0].name: out}
    assert list(results) == [each.name for each in graph.outputs]
    return max(_error(found[name], each.detach().numpy()) for name, each in results.items())


def back_from_torch(graph: LayerGraph, module: Any) -> LayerGraph:
    """The network that is read of a module of the graph; where all its layers are known, it computes what that does."""
    for each in module.parameters():
        torch.nn.init.normal_(each, std=0.5)
    inputs = random_inputs(graph, 1, 0, "float32")
    given = list(inputs.values()) if isinstance(inputs, Mapping) else [inputs]
    tensors = tuple([torch.from_numpy(each.copy()) for each in given])
    back = from_torch(module, tensors if len(tensors) > 1 else tensors[0])
    if any(layer.op.kind == "opaque" for layer in back):
        return back
    named = dict(zip(back.inputs, given, strict=True)) if len(given) > 1 else given[0]
    with np.errstate(all="ignore"), torch.no_grad():
        found = execute(back, named, own_weights(analyse(back), 0)).outputs
        made = module(*tensors)
    results = made.values() if isinstance(made, dict) else [made]
    for ours, theirs in zip(found.values(), results, strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs.numpy(), rtol=1e-4, atol=1e-4)
    return back


def keras_model_of(code: str) -> Any:
    """The model that the last function in the code makes."""
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(code, "exported.py", "exec"), space)
    made = [value for value in space.values() if callable(value) and getattr(value, "__module__", "") == "exported"]
    return made[-1]()


def worst_of_keras(graph: LayerGraph, batch: int = 1) -> float:
    """The same for Keras code."""
    analysis = analyse(graph)
    model = keras_model_of(to_keras_code(analysis))
    # A model of Keras has the layers that lead to an output, and no others.
    led = {output.layer for output in graph.outputs}
    for index in range(len(graph) - 1, -1, -1):
        if index in led:
            owner = graph.layers[index].weights_of
            led |= {*graph.layers[index].inputs, *([] if owner is None else [owner])}
    rows = [row for index, row in enumerate(analysis.rows) if index in led]
    counters = sum(isinstance(row.op, BatchNorm) and row.op.counts_values for row in rows)
    assert model.count_params() == sum(row.params + row.buffers for row in rows) + counters
    trained = sum(math.prod(each.shape) for each in model.trainable_weights)
    assert trained == sum(row.trainable_params for row in rows)
    weights = SeededWeights(graph, 0, "float32", keep=True)
    inputs = random_inputs(graph, batch, 0, "float32")
    given = inputs if isinstance(inputs, Mapping) else {"x": inputs}
    with np.errstate(all="ignore"):
        found = execute(graph, inputs, weights, "im2col").outputs
    made = {graph.layers[index].name for index in led}
    for name, (path, layout) in keras_weights(analysis).items():
        layer, _, array = name.rpartition(".")
        if layer not in made:
            continue
        parts = np.split(weights.kept(layer)[array], 1 + len(layout.others))
        for values, place in zip(parts, (layout.variable, *layout.others), strict=True):
            _put(model.get_layer(path), place, values, layout)
    maps = [np.moveaxis(each, 1, -1).copy() for each in given.values()]
    out = model(maps if len(maps) > 1 else maps[0], training=False)
    results = out if isinstance(out, dict) else {graph.outputs[0].name: out}
    assert set(results) == {each.name for each in graph.outputs}
    return max(
        _error(found[name], np.moveaxis(np.asarray(each.detach().cpu()), -1, 1)) for name, each in results.items()
    )


def _put(layer: Any, place: str, values: Array, layout: Layout) -> None:
    """Give a variable of a layer of Keras its values."""
    if layout.gates:
        parts = np.split(values, len(layout.gates))
        values = np.concatenate([parts[gate] for gate in layout.gates])
    values = values.transpose(layout.axes)
    values = values if layout.shape is None else values.reshape(layout.shape)
    *scopes, last = place.split("/")
    (variable,) = [
        each for each in layer.weights
        if each.name == last and all(re.search(f"/{scope}[_/]", each.path) for scope in scopes)
    ]  # fmt: skip
    if layout.row is not None:
        held = np.copy(variable.value.detach().numpy())
        held[layout.row] = values
        values = held
    assert tuple(variable.shape) == values.shape, place
    variable.assign(values)


def worst_of_onnx(graph: LayerGraph, batch: int = 1) -> float:
    """The same for the ONNX file, run by onnxruntime."""
    import onnx
    import onnxruntime

    analysis = analyse(graph)
    weights = SeededWeights(graph, 0, "float32", keep=True)
    data = to_onnx(analysis, weights)
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    held = sum(math.prod(each.dims) for each in model.graph.initializer)
    # ONNX has two biases a gate: those that a layer has not are zeros in the file.
    zeros = sum(math.prod(array.shape) for row in analysis.rows if getattr(row.op, "single_bias", False)
                for array in row.op.param_shapes(row.input_shapes) if array.name.startswith("bias_ih"))  # fmt: skip
    assert held == analysis.totals.params + analysis.totals.buffers + zeros
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    inputs = random_inputs(graph, batch, 0, "float32")
    given = inputs if isinstance(inputs, Mapping) else {graph.layers[0].name: inputs}
    with np.errstate(all="ignore"):
        found = execute(graph, inputs, weights, "im2col").outputs
    names = [each.name for each in session.get_outputs()]
    results = session.run(names, {name: each.copy() for name, each in given.items()})
    assert len(names) == len(graph.outputs)
    return max(_error(found[each.name], result) for each, result in zip(graph.outputs, results, strict=True))


def _error(ours: Array, theirs: Array) -> float:
    assert ours.shape == theirs.shape
    if not ours.size:
        return 0.0
    # A window of nothing but padding has the maximum −∞ in both.
    apart = np.where(ours == theirs, 0, ours) - np.where(ours == theirs, 0, theirs)
    return float(np.abs(apart).max()) / max(float(np.abs(theirs[np.isfinite(theirs)]).max(initial=0)), 1e-30)
