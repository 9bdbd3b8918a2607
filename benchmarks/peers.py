"""AlexNet, one tower on 227×227×3, as archcalc's peers take it: an ONNX file, and a torch module for torchinfo.

`python benchmarks/peers.py` prints torchinfo's summary and nothing else: it is the process that startup.py measures.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

#: conv: input and output channels, kernel size, stride, padding; linear: input and output features.
ALEXNET: tuple[tuple[str, *tuple[int, ...]], ...] = (
    ("conv", 3, 96, 11, 4, 0),
    ("relu",),
    ("norm",),
    ("pool",),
    ("conv", 96, 256, 5, 1, 2),
    ("relu",),
    ("norm",),
    ("pool",),
    ("conv", 256, 384, 3, 1, 1),
    ("relu",),
    ("conv", 384, 384, 3, 1, 1),
    ("relu",),
    ("conv", 384, 256, 3, 1, 1),
    ("relu",),
    ("pool",),
    ("flatten",),
    ("linear", 9216, 4096),
    ("relu",),
    ("dropout",),
    ("linear", 4096, 4096),
    ("relu",),
    ("dropout",),
    ("linear", 4096, 1000),
    ("softmax",),
)


def write_onnx(path: Path) -> None:
    """An ordinary ONNX file: the weights lie in it, and of the shapes only those of input and output are given."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper, save_model

    random = np.random.default_rng(0)
    nodes, weights = [], []

    def array(name: str, *shape: int) -> str:
        values = random.standard_normal(shape, dtype=np.float32) * np.float32(0.01)
        weights.append(numpy_helper.from_array(values, name))
        return name

    values = "input"
    for index, (kind, *numbers) in enumerate(ALEXNET):
        inputs = [values]
        settings: dict[str, Any] = {}
        if kind == "conv":
            depth, filters, size, stride, padding = numbers
            inputs += [array(f"{index}.weight", filters, depth, size, size), array(f"{index}.bias", filters)]
            settings = {"kernel_shape": [size] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
        elif kind == "linear":
            inputs += [array(f"{index}.weight", numbers[1], numbers[0]), array(f"{index}.bias", numbers[1])]
            settings = {"transB": 1}
        elif kind == "norm":
            settings = {"size": 5, "alpha": 1e-4, "beta": 0.75, "bias": 1.0}
        elif kind == "pool":
            settings = {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}
        operator = {"norm": "LRN", "pool": "MaxPool", "linear": "Gemm"}.get(kind, kind.capitalize())
        values = "output" if index == len(ALEXNET) - 1 else str(index)
        nodes.append(helper.make_node(operator, inputs, [values], **settings))
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, (1, 3, 227, 227))
    scores = helper.make_tensor_value_info("output", TensorProto.FLOAT, (1, 1000))
    graph = helper.make_graph(nodes, "alexnet", [image], [scores], weights)
    save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)


def torch_module() -> Any:
    """The layers as a `torch.nn.Sequential`."""
    from torch import nn

    make: dict[str, Callable[..., Any]] = {
        "conv": nn.Conv2d,
        "relu": nn.ReLU,
        "norm": lambda: nn.LocalResponseNorm(5),
        "pool": lambda: nn.MaxPool2d(3, 2, ceil_mode=True),
        "flatten": nn.Flatten,
        "linear": nn.Linear,
        "dropout": nn.Dropout,
        "softmax": lambda: nn.Softmax(dim=1),
    }
    return nn.Sequential(*(make[kind](*numbers) for kind, *numbers in ALEXNET))


if __name__ == "__main__":
    from torchinfo import summary

    print(summary(torch_module(), input_size=(1, 3, 227, 227)))
