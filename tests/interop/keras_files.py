"""Models of Keras as their JSON has them, in the layouts of Keras 2 and 3, in text of our own."""

from __future__ import annotations

import json
from typing import Any


class Model:
    """A functional model that is written layer by layer; `last` is what the next layer reads."""

    def __init__(self, name: str, *shape: int | None, version: int = 3) -> None:
        self.name, self.version = name, version
        self.layers: list[dict[str, Any]] = []
        self.ends: list[str] = []
        self.inputs: list[str] = []
        self.last = self.input("image", *shape)

    def input(self, name: str, *shape: int | None) -> str:
        key = "batch_shape" if self.version == 3 else "batch_input_shape"
        self.layers.append(self._layer("InputLayer", {"name": name, key: [None, *shape]}, []))
        self.inputs.append(name)
        self.last = name
        return name

    def _layer(self, kind: str, config: dict[str, Any], nodes: list[Any]) -> dict[str, Any]:
        return {"class_name": kind, "config": config, "name": config["name"], "inbound_nodes": nodes}

    def node(self, reads: list[str | tuple[str, int, int]], kwargs: dict[str, Any]) -> Any:
        keys = [(one, 0, 0) if isinstance(one, str) else one for one in reads]
        if self.version == 2:
            return [[*key, kwargs] for key in keys]
        tensors = [self.tensor(key) for key in keys]
        return {"args": [tensors] if len(tensors) > 1 else tensors, "kwargs": kwargs}

    def tensor(self, key: tuple[str, int, int]) -> dict[str, Any]:
        return {"class_name": "__keras_tensor__", "config": {"keras_history": list(key)}}

    def add(self, kind: str, name: str, reads: Any = None, kwargs: dict[str, Any] | None = None, **config: Any) -> str:
        sources = [self.last] if reads is None else list(reads) if isinstance(reads, (list, tuple)) else [reads]
        self.layers.append(self._layer(kind, {"name": name, **config}, [self.node(sources, kwargs or {})]))
        self.last = name
        return name

    def again(self, name: str, reads: str) -> tuple[str, int, int]:
        """Use a layer once more; the key of that output."""
        layer = next(layer for layer in self.layers if layer["name"] == name)
        layer["inbound_nodes"].append(self.node([reads], {}))
        return (name, len(layer["inbound_nodes"]) - 1, 0)

    def document(self, *outputs: str) -> dict[str, Any]:
        config = {
            "name": self.name,
            "layers": self.layers,
            "input_layers": [[name, 0, 0] for name in self.inputs],
            "output_layers": [[name, 0, 0] for name in outputs or (self.last,)],
        }
        return {"class_name": "Functional" if self.version == 3 else "Model", "config": config}

    def text(self, *outputs: str) -> str:
        return json.dumps(self.document(*outputs))


def sequential(name: str, *layers: tuple[str, dict[str, Any]], shape: list[int | None] | None = None) -> dict[str, Any]:
    given: list[Any] = [{"class_name": kind, "config": config} for kind, config in layers]
    if shape is not None:
        given.insert(
            0, {"class_name": "InputLayer", "config": {"batch_shape": [None, *shape], "name": f"{name}_input"}}
        )
    return {"class_name": "Sequential", "config": {"name": name, "layers": given}}


def vgg16(version: int = 3) -> str:
    """`keras.applications.VGG16`: an activation in every convolution, a flattened map before the dense layers."""
    model = Model("vgg16", 224, 224, 3, version=version)
    for stage, (filters, times) in enumerate(zip((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), strict=True), 1):
        for unit in range(1, times + 1):
            given: Any = {"kernel_size": [3, 3], "padding": "same", "activation": "relu"}
            model.add("Conv2D", f"block{stage}_conv{unit}", filters=filters, **given)
        model.add("MaxPooling2D", f"block{stage}_pool", pool_size=[2, 2], strides=[2, 2], padding="valid")
    model.add("Flatten", "flatten")
    for index in (1, 2):
        model.add("Dense", f"fc{index}", units=4096, activation="relu")
    model.add("Dense", "predictions", units=1000, activation="softmax")
    return model.text()


def mobilenet() -> str:
    """`keras.applications.MobileNet`: padding at the bottom and right, depthwise convolutions, ReLU up to 6."""
    model = Model("mobilenet", 224, 224, 3)

    def after(name: str) -> None:
        model.add("BatchNormalization", f"{name}_bn", axis=-1, epsilon=0.001)
        model.add("ReLU", f"{name}_relu", max_value=6.0)

    given: Any = {"kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "use_bias": False}
    model.add("Conv2D", "conv1", filters=32, **given)
    after("conv1")
    units = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for index, (filters, stride) in enumerate(units, 1):
        if stride == 2:
            model.add("ZeroPadding2D", f"conv_pad_{index}", padding=[[0, 1], [0, 1]])
        padding = "valid" if stride == 2 else "same"
        window: Any = {"kernel_size": [3, 3], "strides": [stride, stride], "padding": padding, "use_bias": False}
        model.add("DepthwiseConv2D", f"conv_dw_{index}", depth_multiplier=1, **window)
        after(f"conv_dw_{index}")
        model.add("Conv2D", f"conv_pw_{index}", filters=filters, kernel_size=[1, 1], padding="same", use_bias=False)
        after(f"conv_pw_{index}")
    model.add("GlobalAveragePooling2D", "pool", keepdims=True)
    model.add("Dropout", "dropout", rate=0.001)
    model.add("Conv2D", "conv_preds", filters=1000, kernel_size=[1, 1], padding="same")
    model.add("Reshape", "reshape_2", target_shape=[1000])
    model.add("Activation", "predictions", activation="softmax")
    return model.text()


def resnet50() -> str:
    """`keras.applications.ResNet50`: biases before batch norms, padded by hand, the stride on the first 1×1."""
    model = Model("resnet50", 224, 224, 3)

    def conv(name: str, filters: int, size: int, stride: int = 1, reads: str | None = None, pad: str = "valid") -> str:
        window: Any = {"kernel_size": [size, size], "strides": [stride, stride], "padding": pad}
        model.add("Conv2D", f"{name}_conv", reads, filters=filters, **window)
        return model.add("BatchNormalization", f"{name}_bn", axis=3, epsilon=1.001e-05)

    model.add("ZeroPadding2D", "conv1_pad", padding=[[3, 3], [3, 3]])
    conv("conv1", 64, 7, 2)
    model.add("Activation", "conv1_relu", activation="relu")
    model.add("ZeroPadding2D", "pool1_pad", padding=[[1, 1], [1, 1]])
    model.add("MaxPooling2D", "pool1_pool", pool_size=[3, 3], strides=[2, 2])
    for stage, times in enumerate((3, 4, 6, 3)):
        width = 64 << stage
        for unit in range(1, times + 1):
            name, source = f"conv{stage + 2}_block{unit}", model.last
            stride = 2 if stage and unit == 1 else 1
            shortcut = conv(f"{name}_0", 4 * width, 1, stride, source) if unit == 1 else source
            conv(f"{name}_1", width, 1, stride, source)
            model.add("Activation", f"{name}_1_relu", activation="relu")
            conv(f"{name}_2", width, 3, pad="same")
            model.add("Activation", f"{name}_2_relu", activation="relu")
            conv(f"{name}_3", 4 * width, 1)
            model.add("Add", f"{name}_add", [shortcut, model.last])
            model.add("Activation", f"{name}_out", activation="relu")
    model.add("GlobalAveragePooling2D", "avg_pool")
    model.add("Dense", "predictions", units=1000, activation="softmax")
    return model.text()
