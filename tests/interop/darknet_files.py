"""Darknet `.cfg` files with the structure of the public ones, in files of our own."""

from __future__ import annotations

from collections.abc import Callable


def section(kind: str, **options: object) -> str:
    return f"[{kind}]\n" + "".join(f"{name}={value}\n" for name, value in options.items()) + "\n"


def conv(filters: int, size: int, stride: int = 1, bn: int = 1, activation: str = "leaky", **more: object) -> str:
    norm = {"batch_normalize": 1} if bn else {}
    given = {**norm, "filters": filters, "size": size, "stride": stride, "pad": 1, **more, "activation": activation}
    return section("convolutional", **given)


def net(side: int, channels: int = 3) -> str:
    training = {"batch": 128, "subdivisions": 1, "momentum": 0.9, "decay": 0.0005, "policy": "poly"}
    return section("net", height=side, width=side, channels=channels, **training)


POOL = section("maxpool", size=2, stride=2)


def _darknet19_body() -> str:
    parts = [conv(32, 3), POOL, conv(64, 3), POOL]
    for filters, times in ((128, 3), (256, 3), (512, 5), (1024, 5)):
        parts += [conv(filters // 2, 1) if index % 2 else conv(filters, 3) for index in range(times)]
        parts.append(POOL)
    return "".join(parts[:-1])


def darknet19() -> str:
    """Source: Redmon & Farhadi 2016, table 6."""
    last = conv(1000, 1, bn=0, activation="linear") + section("avgpool") + section("softmax", groups=1)
    return net(256) + _darknet19_body() + last + section("cost", type="sse")


def _darknet53_body() -> str:
    parts = [conv(32, 3)]
    for filters, times in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        parts.append(conv(filters, 3, 2))
        residual = section("shortcut", **{"from": -3, "activation": "linear"})
        parts += [conv(filters // 2, 1) + conv(filters, 3) + residual] * times
    return "".join(parts)


def darknet53() -> str:
    """Source: Redmon & Farhadi 2018, table 1."""
    last = section("avgpool") + conv(1000, 1, bn=0, activation="linear") + section("softmax", groups=1)
    return net(256) + _darknet53_body() + last


def _yolo(mask: str, num: int) -> str:
    anchors = ", ".join(["10,13"] * num)
    head = conv(255, 1, bn=0, activation="linear")
    return head + section("yolo", mask=mask, anchors=anchors, classes=80, num=num, jitter=0.3, random=1)


def yolov3() -> str:
    """Source: Redmon & Farhadi 2018, section 2.3."""

    def neck(filters: int) -> str:
        return (conv(filters, 1) + conv(2 * filters, 3)) * 3

    def up(filters: int, layer: int) -> str:
        joined = section("route", layers=f"-1, {layer}")
        return section("route", layers=-4) + conv(filters, 1) + section("upsample", stride=2) + joined

    heads = neck(512) + _yolo("6,7,8", 9) + up(256, 61) + neck(256) + _yolo("3,4,5", 9) + up(128, 36) + neck(128)
    return net(416) + _darknet53_body() + heads + _yolo("0,1,2", 9)


def yolov3_tiny() -> str:
    body = "".join(conv(filters, 3) + POOL for filters in (16, 32, 64, 128, 256))
    body += conv(512, 3) + section("maxpool", size=2, stride=1) + conv(1024, 3)
    first = conv(256, 1) + conv(512, 3) + _yolo("3,4,5", 6)
    up = section("route", layers=-4) + conv(128, 1) + section("upsample", stride=2) + section("route", layers="-1, 8")
    return net(416) + body + first + up + conv(256, 3) + _yolo("0,1,2", 6)


def _region(classes: int) -> str:
    given = {"anchors": "0.57273, 0.677385", "bias_match": 1, "classes": classes, "coords": 4, "num": 5, "softmax": 1}
    return conv(5 * (classes + 5), 1, bn=0, activation="linear") + section("region", **given)


def yolov2() -> str:
    """Source: Redmon & Farhadi 2016, section 3, with the passthrough layer."""
    passthrough = section("route", layers=-9) + conv(64, 1) + section("reorg", stride=2)
    joined = section("route", layers="-1,-4")
    return net(608) + _darknet19_body() + conv(1024, 3) * 2 + passthrough + joined + conv(1024, 3) + _region(80)


def yolov2_tiny() -> str:
    body = "".join(conv(filters, 3) + POOL for filters in (16, 32, 64, 128, 256))
    body += conv(512, 3) + section("maxpool", size=2, stride=1) + conv(1024, 3) + conv(512, 3)
    return net(416) + body + _region(80)


def resnet50() -> str:
    """Darknet's own: its shortcuts have no projections, they add the channels that both maps have."""
    parts = [conv(64, 7, 2), POOL]
    for stage, (filters, times) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
        for unit in range(times):
            stride = 2 if stage and not unit else 1
            parts += [conv(filters, 1), conv(filters, 3, stride), conv(4 * filters, 1, activation="linear")]
            parts.append(section("shortcut", **{"from": -4, "activation": "leaky"}))
    last = section("avgpool") + conv(1000, 1, bn=0, activation="linear") + section("softmax", groups=1)
    return net(256) + "".join(parts) + last


def vgg16() -> str:
    parts = [net(256), section("crop", crop_height=224, crop_width=224, flip=1, exposure=1, saturation=1, angle=0)]
    for filters, times in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        parts += [conv(filters, 3, bn=0, activation="relu")] * times + [POOL]
    dense = section("connected", output=4096, activation="relu") + section("dropout", probability=0.5)
    return "".join(parts) + dense * 2 + section("connected", output=1000, activation="linear") + section("softmax")


FILES: dict[str, Callable[[], str]] = {
    "darknet19": darknet19,
    "darknet53": darknet53,
    "resnet50": resnet50,
    "vgg16": vgg16,
    "yolov2": yolov2,
    "yolov2_tiny": yolov2_tiny,
    "yolov3": yolov3,
    "yolov3_tiny": yolov3_tiny,
}
