"""The layers of Darknet in ops of archcalc.

Sources: pjreddie/darknet, src/parser.c and the layers' own files; AlexeyAB/darknet for `groups` of a route,
`dilation`, `stride_x` and `stride_y`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archcalc.core.shapes import Shape
from archcalc.core.suggest import did_you_mean
from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.darknet_cfg import Section
from archcalc.interop.darknet_heads import detection, region, yolo
from archcalc.interop.foreign import ForeignNetwork
from archcalc.ops.base import names

#: Darknet's activations and what they are here; None where nothing is done.
_ACTIVATIONS: dict[str, tuple[str, dict[str, Any]] | None] = {
    "linear": None,
    "logistic": ("sigmoid", {}),
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "leaky": ("leaky_relu", {"negative_slope": 0.1}),
    "relie": ("leaky_relu", {"negative_slope": 0.01}),
    "elu": ("elu", {}),
    "selu": ("selu", {}),
    "gelu": ("gelu", {"approximate": "tanh"}),
    "tanh": ("tanh", {}),
    "hardtan": ("hardtanh", {}),
    "mish": ("mish", {}),
    "swish": ("silu", {}),
}
#: Activations that archcalc does not have.
_OTHER_ACTIVATIONS = ("ramp", "loggy", "plse", "stair", "lhtan", "hard_mish", "revleaky")


class Reader:
    """Turns the sections into layers one by one."""

    def __init__(self, name: str, shapes: Mapping[str, Shape] | Shape | None) -> None:
        self.net = Assembler(name, shapes=shapes)
        #: The node that holds the output of each section.
        self.results: list[str] = []
        self.current = ""
        self.heads: list[str] = []

    def read(self, sections: Sequence[Section]) -> ForeignNetwork:
        """The whole network."""
        self.current = self.input(sections[0])
        for index, section in enumerate(sections[1:]):
            kind = _NAMES.get(section.kind, section.kind)
            if kind not in _LAYERS:
                hint = did_you_mean(section.kind, _LAYERS)
                raise fault(f"archcalc has no layer [{section.kind[:60]}] of Darknet{hint}", section.place)
            self.current = _LAYERS[kind](self, section, f"{section.kind}_{index}")
            self.results.append(self.current)
            unread = [name for name in section.options if name not in section.read | _TRAINING]
            if unread and kind not in _ALL_TRAINING:
                self.net.note(f"[{section.kind}] {index}: {', '.join(unread[:5])} is not read")
        if not self.results:
            raise fault("the network has no layers", sections[0].place)
        # The heads and, as in Darknet, the last layer, which most often is one of them.
        for head in dict.fromkeys([*self.heads, self.current]):
            self.net.outputs[head.rpartition("/")[0] or head] = head
        return self.net.network()

    def input(self, net: Section) -> str:
        """The input: a map, or so many values."""
        height, width, channels = (net.integer(name) for name in ("height", "width", "channels"))
        shape: Shape = (channels, height, width) if height * width * channels else (net.integer("inputs"),)
        if 0 in shape and not self.net.given("data"):
            raise fault("[net] needs height, width and channels, or inputs", net.place)
        return self.net.input("data", shape)

    def finish(self, section: Section, name: str, op: str, fields: Mapping[str, Any], inputs: Sequence[str]) -> str:
        """A layer, its batch norm and its activation, in a block if there is more than the layer."""
        normalised = section.integer("batch_normalize")
        activation = section.text("activation", _FIRST_ACTIVATION.get(op, "linear"))
        stem = {"conv2d": "conv", "conv_transpose2d": "deconv", "linear": "connected"}.get(op, op.rstrip("123d"))
        inside = bool(normalised) or _ACTIVATIONS.get(activation, "other") is not None
        given = {**fields, "bias": not normalised} if op in _FIRST_ACTIVATION else fields
        found = self.net.add(f"{name}/{stem}" if inside else name, op, inputs, given, place=section.place)
        if normalised:
            rank = len(self.net.shape(found)) - 1
            found = self.net.add(f"{name}/bn", f"batch_norm{max(rank, 1)}d", [found], place=section.place)
        return self.activate(section, f"{name}/{activation}", activation, found)

    def activate(self, section: Section, name: str, activation: str, source: str) -> str:
        """An activation; the source itself for `linear`."""
        if activation in _OTHER_ACTIVATIONS:
            return self.net.opaque(name, activation, [source], self.net.shape(source), place=section.place)
        if activation not in _ACTIVATIONS:
            hint = did_you_mean(activation, _ACTIVATIONS)
            raise fault(f"there is no activation {activation[:60]!r}{hint}", section.place_of("activation"))
        found = _ACTIVATIONS[activation]
        return source if found is None else self.net.add(name, found[0], [source], found[1], place=section.place)

    def earlier(self, section: Section, option: str) -> list[str]:
        """The outputs of the layers that an option names: from the start, or below 0 from this layer backward."""
        named = section.integers(option)
        if not named:
            raise fault(f"[{section.kind}] needs {option}", section.place)
        here = len(self.results)
        found = [here + index if index < 0 else index for index in named]
        for index, given in zip(found, named, strict=True):
            if not 0 <= index < here:
                message = f"{option} names layer {given}, which is not before this one (layer {here})"
                raise fault(message, section.place_of(option))
        return [self.results[index] for index in found]


def _window(section: Section, size: int) -> dict[str, Any]:
    """Stride and padding of a convolution or a transposed one: `pad=1` is half of the size, else `padding`."""
    stride = section.integer("stride", 1, 1)
    strides = [section.integer(name, stride, 1) for name in ("stride_y", "stride_x")]
    padding = section.integer("padding")
    if section.integer("pad"):
        padding = size // 2
    return {"stride": strides[0] if strides[0] == strides[1] else strides, "padding": padding}


def _convolutional(reader: Reader, section: Section, name: str) -> str:
    size, dilation = section.integer("size", 1, 1), section.integer("dilation", 1, 1)
    window = _window(section, size)
    fields = {
        "out_channels": section.integer("filters", 1, 1),
        "kernel_size": size,
        **window,
        "padding": window["padding"] * dilation,
        "dilation": dilation,
        "groups": section.integer("groups", 1, 1),
    }
    for option in ("antialiasing", "share_index", "deform", "assisted_excitation"):
        if section.integer(option):
            raise fault(f"archcalc does not read {option} of [convolutional]", section.place_of(option))
    for option in ("xnor", "binary"):
        if section.integer(option):
            reader.net.note(f"[{section.kind}] {len(reader.results)}: its weights are binary ({option})")
    return reader.finish(section, name, "conv2d", fields, [reader.current])


def _deconvolutional(reader: Reader, section: Section, name: str) -> str:
    size = section.integer("size", 1, 1)
    fields = {"out_channels": section.integer("filters", 1, 1), "kernel_size": size, **_window(section, size)}
    return reader.finish(section, name, "conv_transpose2d", fields, [reader.current])


def _local(reader: Reader, section: Section, name: str) -> str:
    size, padding = section.integer("size", 1, 1), section.integer("pad")
    if padding and size != 3:
        # Its output has the size of padding size/2, but 1 is what it pads with.
        raise fault("[local] with pad is only sound for size=3", section.place_of("pad"))
    fields = {
        "out_channels": section.integer("filters", 1, 1),
        "kernel_size": size,
        "stride": section.integer("stride", 1, 1),
        "padding": min(padding, 1),
    }
    return reader.finish(section, name, "locally_connected2d", fields, [reader.current])


def _connected(reader: Reader, section: Section, name: str) -> str:
    return reader.finish(section, name, "linear", {"out_features": section.integer("output", 1, 1)}, [reader.current])


def _maxpool(reader: Reader, section: Section, name: str) -> str:
    stride = section.integer("stride", 1, 1)
    size = section.integer("size", stride, 1)
    total = section.integer("padding", size - 1)
    if section.integer("maxpool_depth"):
        raise fault("archcalc does not read maxpool_depth", section.place_of("maxpool_depth"))
    fields: dict[str, Any] = {"kernel_size": size, "stride": stride}
    # The padding is a total; an odd position goes to the end. Written as `same` where that is the same for any input.
    if total == size - 1 and (stride == 1 or (size, stride) == (2, 2)):
        fields["padding"] = "same" if size > 1 else 0
    else:
        fields["padding"] = [total // 2] * 2 + [total - total // 2] * 2
    return reader.net.add(name, "max_pool2d", [reader.current], fields, place=section.place)


def _avgpool(reader: Reader, section: Section, name: str) -> str:
    return reader.net.add(name, "global_avg_pool2d", [reader.current], place=section.place)


def _route(reader: Reader, section: Section, name: str) -> str:
    sources = reader.earlier(section, "layers")
    groups, index = section.integer("groups", 1, 1), section.integer("group_id")
    if groups > 1:
        part = {"chunks": groups, "index": index}
        names = [f"{name}/{place}" for place in range(len(sources))] if len(sources) > 1 else [name]
        sources = [
            reader.net.add(made, "chunk", [source], part, place=section.place)
            for made, source in zip(names, sources, strict=True)
        ]
        name = f"{name}/concat"
    return reader.net.concat(name, sources, 0, place=section.place)


def _shortcut(reader: Reader, section: Section, name: str) -> str:
    if section.text("weights_type", "none") not in ("", "none"):
        raise fault("archcalc does not read weights_type of [shortcut]", section.place_of("weights_type"))
    own = reader.net.shape(reader.current)
    others = [_fitted(reader, section, f"{name}/from", source, own) for source in reader.earlier(section, "from")]
    return reader.finish(section, name, "add", {}, [reader.current, *others])


def _fitted(reader: Reader, section: Section, name: str, source: str, wanted: Shape) -> str:
    """A map as a shortcut of Darknet adds it to another: every n-th position, the channels that both have.

    Source: shortcut_cpu in src/blas.c.
    """
    net, at = reader.net, section.place
    (channels, *sizes), (depth, *fitting) = net.shape(source), wanted
    if (channels, *sizes) == wanted:
        return source
    steps = [max(size // fit, 1) for size, fit in zip(sizes, fitting, strict=False)]
    if len(sizes) != 2 or len(fitting) != 2 or steps[0] != steps[1] or any(map(int.__gt__, fitting, sizes)):
        raise fault(f"a map of {sizes} positions cannot be added to one of {fitting}", section.place_of("from"))
    if steps[0] > 1:
        source = net.add(f"{name}/slice", "slice2d", [source], {"step": steps[0]}, place=at)
    spare = [size - fit for size, fit in zip(net.shape(source)[1:], fitting, strict=True)]
    if any(spare):
        source = net.add(f"{name}/crop", "crop2d", [source], {"margins": [0, 0, *spare]}, place=at)
    if channels > depth:
        source = net.add(f"{name}/narrow", "narrow", [source], {"length": depth}, place=at)
    if channels < depth:
        source = net.add(f"{name}/pad", "pad_channels", [source], {"out_channels": depth}, place=at)
    return source


def _reorg(reader: Reader, section: Section, name: str) -> str:
    for option in ("reverse", "flatten", "extra"):
        if section.integer(option):
            raise fault(f"archcalc does not read {option} of [reorg]", section.place_of(option))
    reader.net.note(
        f"[{section.kind}] {len(reader.results)}: the channels are in the order of pixel_unshuffle, not in Darknet's"
    )
    fields = {"downscale_factor": section.integer("stride", 1, 1)}
    return reader.net.add(name, "pixel_unshuffle", [reader.current], fields, place=section.place)


def _upsample(reader: Reader, section: Section, name: str) -> str:
    stride, factor = section.integer("stride", 2, 1), section.number("scale", 1)
    inside = f"{name}/upsample" if factor != 1 else name
    found = reader.net.add(inside, "upsample2d", [reader.current], {"scale": stride}, place=section.place)
    if factor == 1:
        return found
    return reader.net.add(f"{name}/multiply", "multiply", [found], {"factor": factor}, place=section.place)


def _dropout(reader: Reader, section: Section, name: str) -> str:
    fields = {"p": section.number("probability", 0.5)}
    return reader.net.add(name, "dropout", [reader.current], fields, place=section.place)


def _softmax(reader: Reader, section: Section, name: str) -> str:
    if section.integer("groups", 1, 1) > 1 or section.text("tree"):
        return reader.net.opaque(
            name, "grouped softmax", [reader.current], reader.net.shape(reader.current), place=section.place
        )
    source = reader.current
    if math.prod(reader.net.shape(source)[1:]) > 1 and not section.integer("spatial"):
        source = reader.net.add(f"{name}/flatten", "flatten", [source], place=section.place)
        name = f"{name}/softmax"
    return reader.net.add(name, "softmax", [source], place=section.place)


def _crop(reader: Reader, section: Section, name: str) -> str:
    wanted = [section.integer(f"crop_{side}", 1, 1) for side in ("height", "width")]
    shape = reader.net.shape(reader.current)
    if len(shape) != 3 or any(size > has for size, has in zip(wanted, shape[1:], strict=True)):
        raise fault("[crop] is larger than the map that it cuts", section.place)
    if not section.integer("noadjust"):
        reader.net.note("[crop] also moves pixels from 0 … 1 to −1 … 1; that is left to the input")
    begins = [(has - size) // 2 for size, has in zip(wanted, shape[1:], strict=True)]
    ends = [has - size - begin for size, has, begin in zip(wanted, shape[1:], begins, strict=True)]
    margins = begins + ends
    cut = ("crop2d", {"margins": margins}) if any(margins) else ("identity", {})
    return reader.net.add(name, cut[0], [reader.current], cut[1], place=section.place)


def _normalization(reader: Reader, section: Section, name: str) -> str:
    size = section.integer("size", 5, 1)
    if size % 2 == 0:
        reader.net.note("the even window of [normalization] reaches one channel further back here than in Darknet")
    fields = {
        "size": size,
        "alpha": section.number("alpha", 0.0001) * size,  # here α is not divided by the size
        "beta": section.number("beta", 0.75),
        "k": section.number("kappa", 1),
    }
    return reader.net.add(name, "local_response_norm", [reader.current], fields, place=section.place)


def _batchnorm(reader: Reader, section: Section, name: str) -> str:
    return reader.net.add(name, "batch_norm2d", [reader.current], place=section.place)


def _activation(reader: Reader, section: Section, name: str) -> str:
    return reader.activate(section, name, section.text("activation", "linear"), reader.current)


def _logistic(reader: Reader, section: Section, name: str) -> str:
    return reader.net.add(name, "sigmoid", [reader.current], place=section.place)


def _left_out(reader: Reader, _: Section, __: str) -> str:
    return reader.current


def _scale_channels(reader: Reader, section: Section, name: str) -> str:
    """The factors of squeeze and excitation, which come last, times the map that is named."""
    (source,) = reader.earlier(section, "from")[:1]
    if section.integer("scale_wh"):
        raise fault("archcalc does not read scale_wh", section.place_of("scale_wh"))
    return reader.finish(section, name, "multiply", {}, [source, reader.current])


def _sam(reader: Reader, section: Section, name: str) -> str:
    (source,) = reader.earlier(section, "from")[:1]
    return reader.finish(section, name, "multiply", {}, [reader.current, source])


def _heads(make: Callable[[Assembler, Section, str, str], str]) -> Callable[[Reader, Section, str], str]:
    """A detection head, whose output is one of the network."""

    def read(reader: Reader, section: Section, name: str) -> str:
        reader.heads.append(make(reader.net, section, reader.current, name))
        return reader.heads[-1]

    return read


#: What a layer does unless `activation` says otherwise.
_FIRST_ACTIVATION = dict.fromkeys(("conv2d", "conv_transpose2d", "locally_connected2d", "linear"), "logistic")
_NAMES = {
    "conv": "convolutional",
    "deconv": "deconvolutional",
    "conn": "connected",
    "max": "maxpool",
    "avg": "avgpool",
    "soft": "softmax",
    "lrn": "normalization",
    "concat": "route",
    "silence": "empty",
}
_LAYERS: dict[str, Callable[[Reader, Section, str], str]] = {
    "convolutional": _convolutional,
    "deconvolutional": _deconvolutional,
    "local": _local,
    "connected": _connected,
    "maxpool": _maxpool,
    "avgpool": _avgpool,
    "route": _route,
    "shortcut": _shortcut,
    "reorg": _reorg,
    "upsample": _upsample,
    "dropout": _dropout,
    "softmax": _softmax,
    "crop": _crop,
    "normalization": _normalization,
    "batchnorm": _batchnorm,
    "activation": _activation,
    "logistic": _logistic,
    "scale_channels": _scale_channels,
    "sam": _sam,
    "yolo": _heads(yolo),
    "region": _heads(region),
    "detection": _heads(detection),
    "cost": _left_out,
    "empty": _left_out,
}
#: Options that only matter in training, or to what reads the boxes.
_TRAINING = frozenset(
    names(
        "learning_rate|stopbackward|burnin_update|train_only_bn|dontload|dontloadscales|onlyforward|flipped|"
        "lr_mult|flip|angle|saturation|exposure|shift|hue|type"
    )
)
#: Sections whose other options say how boxes are read, or how the loss is made.
_ALL_TRAINING = ("yolo", "region", "detection", "cost", "softmax", "empty")
