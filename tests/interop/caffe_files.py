"""Caffe networks with the structure of the public ones, in prototxt of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def fields(given: Mapping[str, Any]) -> str:
    """The text of fields: mappings are messages, lists are repeated fields."""
    parts = []
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                parts.append(f"{name} {{ {fields(one)} }}")
            elif isinstance(one, bool):
                parts.append(f"{name}: {str(one).lower()}")
            elif isinstance(one, str) and not one.isupper():
                parts.append(f'{name}: "{one}"')
            else:
                parts.append(f"{name}: {one}")
    return " ".join(parts)


class Net:
    """A network that is written layer by layer; `last` is what the next layer reads."""

    def __init__(self, name: str, shape: tuple[int, ...], old: bool = False) -> None:
        dims = " ".join(f"dim: {size}" for size in (10, *shape))
        declared = f'input: "data" input_shape {{ {dims} }}'
        if old:
            declared = 'input: "data" ' + " ".join(f"input_dim: {size}" for size in (10, *shape))
        self.lines = [f'name: "{name}"', declared]
        self.old = old
        self.last = "data"

    def add(self, name: str, kind: str, bottom: str | Sequence[str] = "", top: str = "", **given: Any) -> str:
        bottoms = [bottom] if isinstance(bottom, str) else list(bottom)
        shown = {"name": name, "type": kind, "bottom": [one or self.last for one in bottoms], "top": top or name}
        self.lines.append(f"{'layers' if self.old else 'layer'} {{ {fields({**shown, **given})} }}")
        self.last = top or name
        return self.last

    def conv(self, name: str, out: int, size: int, stride: int = 1, pad: int = 0, bottom: str = "", **more: Any) -> str:
        given = {"num_output": out, "kernel_size": size} | ({"stride": stride} if stride > 1 else {})
        given |= ({"pad": pad} if pad else {}) | more
        return self.add(name, "CONVOLUTION" if self.old else "Convolution", bottom, convolution_param=given)

    def relu(self, name: str) -> str:
        return self.add(name, "RELU" if self.old else "ReLU", top=self.last)

    def pool(self, name: str, how: str, size: int, stride: int = 1, pad: int = 0, bottom: str = "") -> str:
        given: dict[str, Any] = {"pool": how, "kernel_size": size, "stride": stride} | ({"pad": pad} if pad else {})
        return self.add(name, "POOLING" if self.old else "Pooling", bottom, pooling_param=given)

    def dense(self, name: str, out: int, bottom: str = "") -> str:
        kind = "INNER_PRODUCT" if self.old else "InnerProduct"
        return self.add(name, kind, bottom, inner_product_param={"num_output": out})

    def dropout(self, name: str, ratio: float = 0.5) -> str:
        kind = "DROPOUT" if self.old else "Dropout"
        return self.add(name, kind, top=self.last, dropout_param={"dropout_ratio": ratio})

    def lrn(self, name: str) -> str:
        return self.add(name, "LRN", lrn_param={"local_size": 5, "alpha": 0.0001, "beta": 0.75})

    def bn(self, name: str) -> None:
        self.add(f"bn_{name}", "BatchNorm", top=self.last, batch_norm_param={"use_global_stats": True})
        self.add(f"scale_{name}", "Scale", top=self.last, scale_param={"bias_term": True})

    def text(self) -> str:
        return "\n".join(self.lines) + "\n"


def lenet() -> str:
    net = Net("LeNet", (1, 28, 28))
    net.conv("conv1", 20, 5)
    net.pool("pool1", "MAX", 2, 2)
    net.conv("conv2", 50, 5)
    net.pool("pool2", "MAX", 2, 2)
    net.dense("ip1", 500)
    net.relu("relu1")
    net.dense("ip2", 10)
    net.add("prob", "Softmax")
    return net.text()


def alexnet(pool_first: bool = False) -> str:
    """Krizhevsky et al. 2012 in two groups; CaffeNet pools before it normalises."""
    net = Net("CaffeNet" if pool_first else "AlexNet", (3, 227, 227))
    for index, (out, size, stride, pad, group) in enumerate(((96, 11, 4, 0, 1), (256, 5, 1, 2, 2)), 1):
        net.conv(f"conv{index}", out, size, stride, pad, group=group)
        net.relu(f"relu{index}")
        steps = [lambda index=index: net.lrn(f"norm{index}"), lambda index=index: net.pool(f"pool{index}", "MAX", 3, 2)]
        for step in reversed(steps) if pool_first else steps:
            step()
    for index, (out, group) in enumerate(((384, 1), (384, 2), (256, 2)), 3):
        net.conv(f"conv{index}", out, 3, 1, 1, group=group)
        net.relu(f"relu{index}")
    net.pool("pool5", "MAX", 3, 2)
    for index in (6, 7):
        net.dense(f"fc{index}", 4096)
        net.relu(f"relu{index}")
        net.dropout(f"drop{index}")
    net.dense("fc8", 1000)
    net.add("prob", "Softmax")
    return net.text()


#: Szegedy et al. 2014, table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


def googlenet(training: bool = False) -> str:
    """Deploy, or the file for training: data layers of both phases, auxiliary classifiers, losses and accuracies."""
    net = Net("GoogleNet", (3, 224, 224))
    if training:
        net.lines[1:] = [
            f'layer {{ name: "data" type: "Data" top: "data" top: "label" include {{ phase: {phase} }} '
            f"transform_param {{ mirror: true crop_size: 224 mean_value: 104 mean_value: 117 mean_value: 123 }} }}"
            for phase in ("TRAIN", "TEST")
        ]

    def conv(block: str, name: str, out: int, size: int, stride: int = 1, pad: int = 0, bottom: str = "") -> str:
        net.conv(f"{block}/{name}", out, size, stride, pad, bottom)
        return net.relu(f"{block}/relu_{name}")

    def classifier(index: int) -> None:
        before = net.last
        net.pool(f"loss{index}/ave_pool", "AVE", 5, 3)
        conv(f"loss{index}", "conv", 128, 1)
        net.dense(f"loss{index}/fc", 1024)
        net.relu(f"loss{index}/relu_fc")
        net.dropout(f"loss{index}/drop_fc", 0.7)
        net.dense(f"loss{index}/classifier", 1000)
        net.add(f"loss{index}/loss", "SoftmaxWithLoss", [net.last, "label"], loss_weight=0.3)
        net.last = before

    conv("conv1", "7x7_s2", 64, 7, 2, 3)
    net.pool("pool1/3x3_s2", "MAX", 3, 2)
    net.lrn("pool1/norm1")
    conv("conv2", "3x3_reduce", 64, 1)
    conv("conv2", "3x3", 192, 3, 1, 1)
    net.lrn("conv2/norm2")
    net.pool("pool2/3x3_s2", "MAX", 3, 2)
    for name, sizes in INCEPTIONS.items():
        block, source = f"inception_{name}", net.last
        if training and name in ("4b", "4e"):
            classifier(1 if name == "4b" else 2)
        ends = [conv(block, "1x1", sizes[0], 1, bottom=source)]
        for size, reduced, out in ((3, sizes[1], sizes[2]), (5, sizes[3], sizes[4])):
            conv(block, f"{size}x{size}_reduce", reduced, 1, bottom=source)
            ends.append(conv(block, f"{size}x{size}", out, size, 1, size // 2))
        net.pool(f"{block}/pool", "MAX", 3, 1, 1, source)
        ends.append(conv(block, "pool_proj", sizes[5], 1))
        net.add(f"{block}/output", "Concat", ends)
        if name in ("3b", "4e"):
            net.pool(f"pool{name[0]}/3x3_s2", "MAX", 3, 2)
    net.pool("pool5/7x7_s1", "AVE", 7)
    net.dropout("pool5/drop_7x7_s1", 0.4)
    net.dense("loss3/classifier", 1000)
    if training:
        logits = net.last
        net.add("loss3/loss3", "SoftmaxWithLoss", [logits, "label"])
        net.add("loss3/top-1", "Accuracy", [logits, "label"], include={"phase": "TEST"})
    else:
        net.add("prob", "Softmax")
    return net.text()


def nin() -> str:
    """Lin et al. 2013 for ImageNet, as the file for training that its author gave."""
    net = Net("nin_imagenet", (3, 224, 224))
    net.lines[1] = (
        'layer { top: "data" top: "label" name: "data" type: "Data" transform_param { crop_size: 224 } '
        "include: { phase: TEST } }"
    )
    parts = [(96, 11, 4, 0, 96), (256, 5, 1, 2, 256), (384, 3, 1, 1, 384), (1024, 3, 1, 1, 1024)]
    for index, (out, size, stride, pad, mlp) in enumerate(parts):
        if index == 3:
            net.dropout("drop")
        for step, (width, window) in enumerate(((out, size), (mlp, 1), (1000 if index == 3 else mlp, 1))):
            net.conv(f"part{index}_{step}", width, window, stride if step == 0 else 1, pad if step == 0 else 0)
            net.relu(f"relu{index}_{step}")
        if index < 3:
            net.pool(f"pool{index}", "MAX", 3, 2)
    net.pool("pool4", "AVE", 6)
    net.add("accuracy", "Accuracy", [net.last, "label"], include={"phase": "TEST"})
    return net.text()


def vgg(*widths: int) -> str:
    """Simonyan & Zisserman 2014 in the older format: `layers`, types in capitals."""
    net = Net("VGG", (3, 224, 224), old=True)
    for stage, (out, times) in enumerate(zip((64, 128, 256, 512, 512), widths, strict=True), 1):
        for unit in range(1, times + 1):
            net.conv(f"conv{stage}_{unit}", out, 3, 1, 1)
            net.relu(f"relu{stage}_{unit}")
        net.pool(f"pool{stage}", "MAX", 2, 2)
    for index in (6, 7):
        net.dense(f"fc{index}", 4096)
        net.relu(f"relu{index}")
        net.dropout(f"drop{index}")
    net.dense("fc8", 1000)
    net.add("prob", "SOFTMAX")
    return net.text()


def resnet(*times: int) -> str:
    """He et al. 2015 as its authors released it: stride on the first 1×1, a bias in ResNet-50's first convolution."""
    net = Net(f"ResNet-{3 * sum(times) + 2}", (3, 224, 224))
    net.conv("conv1", 64, 7, 2, 3, bias_term=sum(times) == 16)
    net.bn("conv1")
    net.relu("conv1_relu")
    net.pool("pool1", "MAX", 3, 2)
    for stage, count in enumerate(times):
        width = 64 << stage
        for unit in range(count):
            source, stride = net.last, 2 if stage and not unit else 1
            shortcut = source
            if unit == 0:
                shortcut = net.conv(f"res{stage}_{unit}_branch1", 4 * width, 1, stride, bottom=source, bias_term=False)
                net.bn(f"{stage}_{unit}_branch1")
            for step, (out, size) in enumerate(((width, 1), (width, 3), (4 * width, 1))):
                name = f"{stage}_{unit}_branch2{'abc'[step]}"
                given = {"bottom": source} if step == 0 else {}
                net.conv(f"res{name}", out, size, stride if step == 0 else 1, size // 2, bias_term=False, **given)
                net.bn(name)
                if step < 2:
                    net.relu(f"res{name}_relu")
            net.add(f"res{stage}_{unit}", "Eltwise", [shortcut, net.last])
            net.relu(f"res{stage}_{unit}_relu")
    net.pool("pool5", "AVE", 7)
    net.dense("fc1000", 1000)
    net.add("prob", "Softmax")
    return net.text()


def squeezenet(first: bool) -> str:
    """Iandola et al. 2016, versions 1.0 and 1.1."""
    net = Net("SqueezeNet", (3, 227, 227))
    net.conv("conv1", 96 if first else 64, 7 if first else 3, 2)
    net.relu("relu_conv1")
    net.pool("pool1", "MAX", 3, 2)
    for index, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64), 2):
        block = f"fire{index}"
        net.conv(f"{block}/squeeze1x1", squeeze, 1)
        source = net.relu(f"{block}/relu_squeeze1x1")
        ends = []
        for size in (1, 3):
            net.conv(f"{block}/expand{size}x{size}", 4 * squeeze, size, 1, size // 2, source)
            ends.append(net.relu(f"{block}/relu_expand{size}x{size}"))
        net.add(f"{block}/concat", "Concat", ends)
        if index in ((4, 8) if first else (3, 5)):
            net.pool(f"pool{index}", "MAX", 3, 2)
    net.dropout("drop9")
    net.conv("conv10", 1000, 1, 1, 1 if first else 0)
    net.relu("relu_conv10")
    net.add("pool10", "Pooling", pooling_param={"pool": "AVE", "global_pooling": True})
    net.add("prob", "Softmax")
    return net.text()


def mobilenet() -> str:
    """Howard et al. 2017, with depthwise convolutions as groups."""
    net = Net("MOBILENET", (3, 224, 224))
    net.conv("conv1", 32, 3, 2, 1, bias_term=False)
    net.bn("conv1")
    net.relu("relu1")
    depth = 32
    units = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for index, (out, stride) in enumerate(units):
        for name, width, size, step, group in (("dw", depth, 3, stride, depth), ("sep", out, 1, 1, 1)):
            net.conv(f"unit{index}/{name}", width, size, step, size // 2, bias_term=False, group=group)
            net.bn(f"unit{index}_{name}")
            net.relu(f"unit{index}/relu_{name}")
        depth = out
    net.add("pool6", "Pooling", pooling_param={"pool": "AVE", "global_pooling": True})
    net.conv("fc7", 1000, 1)
    net.add("prob", "Softmax")
    return net.text()


def fcn32s() -> str:
    """Long et al. 2014: VGG-16 as a convolution, padded by 100, its scores enlarged and cut to the image."""
    net = Net("FCN", (3, 500, 500))
    for stage, (out, times) in enumerate(zip((64, 128, 256, 512, 512), (2, 2, 3, 3, 3), strict=True), 1):
        for unit in range(1, times + 1):
            net.conv(f"conv{stage}_{unit}", out, 3, 1, 100 if (stage, unit) == (1, 1) else 1)
            net.relu(f"relu{stage}_{unit}")
        net.pool(f"pool{stage}", "MAX", 2, 2)
    for index, size in ((6, 7), (7, 1)):
        net.conv(f"fc{index}", 4096, size)
        net.relu(f"relu{index}")
        net.dropout(f"drop{index}")
    net.conv("score_fr", 21, 1)
    up = {"num_output": 21, "bias_term": False, "kernel_size": 64, "stride": 32}
    net.add("upscore", "Deconvolution", convolution_param=up, param={"lr_mult": 0})
    net.add("score", "Crop", [net.last, "data"], crop_param={"axis": 2, "offset": 19})
    return net.text()


FILES: dict[str, Callable[[], str]] = {
    "lenet": lenet,
    "alexnet": alexnet,
    "caffenet": lambda: alexnet(pool_first=True),
    "googlenet": googlenet,
    "googlenet_aux": lambda: googlenet(training=True),
    "nin": nin,
    "vgg16": lambda: vgg(2, 2, 3, 3, 3),
    "vgg19": lambda: vgg(2, 2, 4, 4, 4),
    "resnet50": lambda: resnet(3, 4, 6, 3),
    "resnet101": lambda: resnet(3, 4, 23, 3),
    "squeezenet1_0": lambda: squeezenet(first=True),
    "squeezenet1_1": lambda: squeezenet(first=False),
    "mobilenet": mobilenet,
    "fcn32s": fcn32s,
}
