"""Caffe's network definitions (`deploy.prototxt`, `train_val.prototxt`), read without Caffe.

The network is that of the phase TEST. Source: BVLC/caffe, src/caffe/proto/caffe.proto, net.cpp and
util/upgrade_proto.cpp for the older names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from archcalc.core.shapes import Shape
from archcalc.core.suggest import did_you_mean
from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.caffe_blobs import Blob, Caffe
from archcalc.interop.caffe_layers import LAYERS, LEFT_OUT, is_plain_scale
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.prototxt import Message, parse_prototxt

#: No file is larger: those of the largest public networks have 250 kB.
LARGEST_PROTOTXT = 4 << 20
#: Types that have another name in older or other versions, without case and underscores.
_OTHER_NAMES = {
    "softmaxloss": "softmaxwithloss",
    "depthwiseconvolution": "convolutiondepthwise",
}
#: Settings that say how a layer is trained or computed, not what it computes.
_WITHOUT_EFFECT = frozenset({
    "weight_filler", "bias_filler", "filler", "engine", "force_nd_im2col", "moving_average_fraction",
    "use_global_stats", "sample_weights_test", "scale_train",
})  # fmt: skip
_DATA = ("data", "imagedata", "hdf5data", "windowdata", "annotateddata", "imagesegdata", "densimagedata")


@dataclass
class _Layer:
    """A layer of the file, with its type in small letters, and which layers read each of its tops."""

    message: Message
    kind: str
    name: str
    bottoms: list[str]
    tops: list[str]
    readers: list[int]


def read_caffe(
    text: str, file: str = "network.prototxt", shapes: Mapping[str, Shape] | Shape | None = None
) -> ForeignNetwork:
    """The network of a prototxt, as Caffe runs it in the phase TEST; `shapes` has other sizes for its inputs.

    Layers keep their names, in which slashes make blocks. A batch norm and the scale after it become one layer.
    Losses and accuracies are left out: what they read is an output. Raises `SpecError` with file, line and column.

    >>> net = read_caffe('''input: "data" input_dim: [1, 3, 9, 9]
    ... layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
    ...         convolution_param { num_output: 8 kernel_size: 3 } }''')
    >>> net.nodes[0].name, net.nodes[0].op, dict(net.outputs)
    ('conv1', 'conv2d', {'conv1': 'conv1'})
    """
    root = parse_prototxt(text, file)
    found = root.messages("layer") + root.messages("layers")
    if not found:
        if root.texts("net") or root.texts("train_net") or root.texts("base_lr"):
            raise fault("this is a solver, not a network; give the file that its `net` names", root.place)
        raise fault("there is no layer { … } in it, so it is no network of Caffe", root.place)
    layers = _wired([_layer(message) for message in found if _in_test(message)])
    name = root.text("name") or PurePath(file).stem
    caffe = Caffe(Assembler(name.lower().replace(" ", "_"), name, shapes))
    _declared_inputs(caffe, root)
    for layer in layers:
        _read_layer(caffe, layers, layer)
    for blob in caffe.ends(layers[-1].message.place):
        caffe.net.outputs[blob.name] = blob.node
    return caffe.net.network()


def _layer(message: Message) -> _Layer:
    """A layer of the file. Raises `SpecError` for one without a type, and for files of 2013."""
    if "layer" in message.fields:
        raise fault(
            "this is the format of 2013; Caffe's upgrade_net_proto_text writes it in the newer one", message.place
        )
    name, given = message.text("name"), message.text("type")
    if not given:
        raise fault("a layer needs a type", message.place, name)
    kind = given.lower().replace("_", "")
    kind = _OTHER_NAMES.get(kind, kind)
    if kind == "python" and not message.texts("bottom"):
        kind = "data"  # what reads nothing can only bring data
    if kind not in LAYERS and kind not in LEFT_OUT and kind not in _DATA:
        hint = did_you_mean(kind, LAYERS)
        raise fault(f"archcalc has no layer type {given[:60]!r} of Caffe{hint}", message.place, name)
    return _Layer(message, kind, name or kind, message.texts("bottom"), message.texts("top"), [])


def _wired(layers: list[_Layer]) -> list[_Layer]:
    """The layers, each with those that read its output; a name stands for what was last written under it."""
    written: dict[str, int] = {}
    for index, layer in enumerate(layers):
        for bottom in layer.bottoms:
            if bottom in written and layer.kind not in LEFT_OUT:
                layers[written[bottom]].readers.append(index)
        for top in layer.tops:
            written[top] = index
    return layers


def _in_test(message: Message) -> bool:
    """Whether a layer belongs to the phase TEST. Source: Net::FilterNet and Net::StateMeetsRule."""

    def met(rule: Message) -> bool:
        return (
            ("phase" not in rule.fields or rule.choice("phase", ("TRAIN", "TEST")) == "TEST")
            and rule.integer("min_level", 0, -(1 << 31)) <= 0 <= rule.integer("max_level", 0, -(1 << 31))
            and not rule.texts("stage")
        )

    included, excluded = message.messages("include"), message.messages("exclude")
    return any(map(met, included)) if included else not any(map(met, excluded))


def _declared_inputs(caffe: Caffe, root: Message) -> None:
    """The inputs that stand before the layers: `input` with `input_shape` or four `input_dim` each."""
    names, dims = root.values("input"), root.integers("input_dim", 1)
    shapes = [shape.integers("dim", 1) for shape in root.messages("input_shape")]
    shapes = shapes or [dims[start : start + 4] for start in range(0, len(dims), 4)]
    for index, name in enumerate(names):
        shape = shapes[index] if index < len(shapes) else None
        caffe.input(name.text, shape, name.place)


def _read_layer(caffe: Caffe, layers: Sequence[_Layer], layer: _Layer) -> None:
    message, place = layer.message, layer.message.place
    if layer.kind in LEFT_OUT:
        caffe.leave_out(layer.name, message.text("type"), layer.bottoms, layer.tops)
        return
    if layer.kind in _DATA:
        _data(caffe, layer)
        return
    bottoms = [caffe.blob(bottom, place, layer.name) for bottom in layer.bottoms]
    after = layers[layer.readers[0]] if len(layer.readers) == 1 else None
    caffe.scale_after = after.message if after and layer.kind == "batchnorm" and is_plain_scale(after.message) else None
    if caffe.scale_after is not None and (after is None or after.kind != "scale" or len(after.bottoms) != 1):
        caffe.scale_after = None
    tops = LAYERS[layer.kind](caffe, message, layer.name, bottoms)
    _note_unread(caffe, layer)
    if len(layer.tops) > len(tops):
        raise fault(f"it has {len(layer.tops)} tops, {message.text('type')} gives {len(tops)}", place, layer.name)
    for top, blob in zip(layer.tops, tops, strict=False):
        caffe.blobs[top] = Blob(top, blob.node, blob.batch)
    caffe.read.update(blob.node for blob in bottoms if blob.node not in {top.node for top in tops})
    caffe.written.extend(caffe.blobs[top] for top in layer.tops)


def _note_unread(caffe: Caffe, layer: _Layer) -> None:
    """Say which settings of a layer were not looked at, but for those of its training and of its implementation."""
    for name in [name for name in layer.message.read if name.endswith("_param")]:
        for part in layer.message.messages(name):
            if unread := [each for each in part.fields if each not in part.read | _WITHOUT_EFFECT]:
                caffe.net.note(f"{layer.name}: {', '.join(unread[:5])} of {name} is not read")


def _data(caffe: Caffe, layer: _Layer) -> None:
    """The images of a data layer, whose size is that of its crops, and its labels, which only losses read."""
    message = layer.message
    transform = message.message("transform_param")
    parameters = [transform, *(message.message(name) for name in message.fields if name.endswith("data_param"))]
    crop = next((size for part in parameters if (size := part.integer("crop_size", 0))), 0)
    image = message.message("image_data_param")
    sides = (crop, crop) if crop else (image.integer("new_height", 0), image.integer("new_width", 0))
    grey = transform.flag("force_gray", False)
    shape = [1, 1 if grey else 3, *sides] if all(sides) else None
    for index, top in enumerate(layer.tops):
        if index:
            caffe.blobs[top] = Blob(top, "", 1)
            continue
        caffe.input(top, shape, message.place)
        if shape is not None and not grey:
            caffe.net.note(f"{layer.name}: three channels are assumed for its images")
