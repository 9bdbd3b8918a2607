"""The layers of Caffe that join, cut and reorder maps, in ops of archcalc."""

from __future__ import annotations

import math
from itertools import pairwise

from archcalc.core.shapes import LARGEST_SIZE, Shape
from archcalc.interop.assemble import fault
from archcalc.interop.caffe_blobs import Blob, Caffe, after, axis_of, one, opaque
from archcalc.interop.prototxt import Message
from archcalc.ops.axes import axes_named


def concat(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part = message.message("concat_param")
    if not bottoms:
        raise fault("it needs a bottom", message.place, name)
    option = "concat_dim" if "concat_dim" in part.fields else "axis"
    axis = axis_of(part, option, 1, caffe.full(bottoms[0]), message, name)
    node = caffe.net.concat(name, [blob.node for blob in bottoms], axis - 1, place=message.place)
    return [after(bottoms, node)]


def cut(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part, count = message.message("slice_param"), len(message.texts("top"))
    if len(bottoms) != 1:
        raise fault("it needs one bottom", message.place, name)
    full = caffe.full(bottoms[0])
    axis = axis_of(part, "slice_dim" if "slice_dim" in part.fields else "axis", 1, full, message, name)
    points = part.integers("slice_point", 1)
    if points and (len(points) != count - 1 or points != sorted(set(points)) or points[-1] >= full[axis]):
        raise fault(f"slice_point {points} does not cut {full[axis]} into {count}", part.place, name)
    if not points and full[axis] % max(count, 1):
        raise fault(f"{full[axis]} cannot be cut into {count} equal parts", message.place, name)
    edges = [0, *points, full[axis]]
    sizes = [end - start for start, end in pairwise(edges)]
    fields = {"sizes": sizes if points else full[axis] // count, "axis": axes_named(full[1:])[axis - 1]}
    return [
        one(caffe, message, f"{name}/{index}", bottoms, "split", {**fields, "index": index})[0]
        for index in range(count)
    ]


def crop(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """Cuts the axes from `axis` on to the size of a second map, from `offset` on. Source: CropLayer::Reshape."""
    part = message.message("crop_param")
    if len(bottoms) != 2:
        raise fault("it needs two bottoms", message.place, name)
    own, other = caffe.full(bottoms[0]), caffe.full(bottoms[1])
    axis = axis_of(part, "axis", 2, own, message, name)
    offsets = part.integers("offset") or [0]
    if len(own) != len(other) or len(offsets) not in (1, len(own) - axis):
        raise fault("offset needs one number, or one for each axis that is cut", part.place, name)
    offsets = offsets * (len(own) - axis) if len(offsets) == 1 else offsets
    begins = [0] * (axis - 1) + offsets
    ends = [
        size - begin - (wanted if index + 1 >= axis else size)
        for index, (size, wanted, begin) in enumerate(zip(own[1:], other[1:], begins, strict=True))
    ]
    if min(ends) < 0:
        raise fault(f"the map to cut is {own[1:]}, too small for {other[1:]} from {offsets} on", message.place, name)
    node = bottoms[0].node
    if begins[0] or ends[0]:
        cut = {"start": begins[0], "length": other[1]}
        node = caffe.net.add(f"{name}/channels", "narrow", [node], cut, place=message.place)
        name = f"{name}/crop"
    margins = begins[1:] + ends[1:]
    op, fields = (f"crop{len(own) - 2}d", {"margins": margins}) if any(margins) else ("identity", {})
    return one(caffe, message, name, [bottoms[0]._replace(node=node)], op, fields)


def softmax(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    full = caffe.full(bottoms[0]) if bottoms else ()
    axis = axis_of(message.message("softmax_param"), "axis", 1, full, message, name) - 1
    if axis == 0:
        return one(caffe, message, name, bottoms, "softmax", {})
    dims = {"dims": ("channels", axes_named(full[1:])[axis])}
    turned = one(caffe, message, f"{name}/transpose", bottoms, "transpose", dims)
    made = one(caffe, message, f"{name}/softmax", turned, "softmax", {})
    return one(caffe, message, f"{name}/back", made, "transpose", dims)


def flatten(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    part, full = message.message("flatten_param"), caffe.full(bottoms[0]) if bottoms else ()
    first = axis_of(part, "axis", 1, full, message, name)
    last = axis_of(part, "end_axis", -1, full, message, name, first)
    return _reshaped(
        caffe, message, name, bottoms, (*full[1:first], math.prod(full[first : last + 1]), *full[last + 1 :])
    )


def reshape(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """`dim` 0 keeps the size of the input there, −1 is what is left. Source: ReshapeLayer."""
    part, full = message.message("reshape_param"), caffe.full(bottoms[0]) if bottoms else ()
    dims = part.message("shape").integers("dim", -1)
    start = part.integer("axis", 0, -8)
    start += len(full) + 1 if start < 0 else 0
    count = part.integer("num_axes", -1, -1)
    end = len(full) if count < 0 else start + count
    if not 0 <= start <= end <= len(full) or dims.count(-1) > 1:
        raise fault("axis and num_axes are not of its input, or there are two dim −1", part.place, name)
    kept = full[start:end]
    if any(size == 0 and index >= len(kept) for index, size in enumerate(dims)):
        raise fault("a dim 0 stands where its input has no axis", part.place, name)
    sizes = [*full[:start], *(kept[index] if size == 0 else size for index, size in enumerate(dims)), *full[end:]]
    if -1 in sizes:
        known = -math.prod(sizes)
        sizes[sizes.index(-1)] = math.prod(full) // known if known > 0 else 0
    if math.prod(sizes) != math.prod(full) or len(sizes) < 2 or sizes[0] != full[0]:
        raise fault(f"{full} cannot be given the shape {tuple(sizes)}, image by image", part.place, name)
    return _reshaped(caffe, message, name, bottoms, tuple(sizes[1:]))


def _reshaped(caffe: Caffe, message: Message, name: str, bottoms: list[Blob], shape: Shape) -> list[Blob]:
    own = caffe.net.shape(bottoms[0].node)
    if shape == own:
        return [bottoms[0]]
    if len(shape) == 1:
        return one(caffe, message, name, bottoms, "flatten", {})
    if len(shape) == 2 and shape[0] == own[0]:
        return one(caffe, message, name, bottoms, "tokens", {})
    return one(caffe, message, name, bottoms, "reshape", {"shape": shape})


def permute(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    full = caffe.full(bottoms[0]) if bottoms else ()
    order = message.message("permute_param").integers("order")
    order += [axis for axis in range(len(full)) if axis not in order]
    if sorted(order) != list(range(len(full))) or order[0] != 0:
        raise fault(f"order {order} does not put the axes of each image in another order", message.place, name)
    node = caffe.net.permute(name, bottoms[0].node, [axis - 1 for axis in order[1:]], place=message.place)
    return [after(bottoms, node)]


def split(_: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    if len(bottoms) != 1:
        raise fault("it needs one bottom", message.place, name)
    return [bottoms[0]] * len(message.texts("top"))


def shuffle(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """The channel shuffle of ShuffleNet's authors."""
    fields = {"groups": message.message("shuffle_channel_param").integer("group", 1, 1)}
    return one(caffe, message, name, bottoms, "channel_shuffle", fields)


def interp(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """DeepLab's bilinear resizing, corners on corners. Source: InterpLayer::Reshape."""
    part, full = message.message("interp_param"), caffe.full(bottoms[0]) if bottoms else ()
    if len(full) != 4 or part.integer("pad_beg", 0, -LARGEST_SIZE) or part.integer("pad_end", 0, -LARGEST_SIZE):
        raise fault("it needs a map, without pad_beg and pad_end", message.place, name)
    shrink, zoom = part.integer("shrink_factor", 1, 1), part.integer("zoom_factor", 1, 1)
    sizes = [(size - 1) // shrink + 1 for size in full[2:]]
    sizes = [size + (size - 1) * (zoom - 1) for size in sizes]
    if len(bottoms) == 2:
        return one(caffe, message, name, bottoms, "interpolate", {"mode": "bilinear", "align_corners": True})
    given = [part.integer(side, size, 1) for side, size in zip(("height", "width"), sizes, strict=True)]
    fields = {"size": given, "mode": "bilinear", "align_corners": True}
    return one(caffe, message, name, bottoms, "interpolate", fields)


def upsample(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """The nearest upsampling of YOLO's ports. That of SegNet, with a second bottom, is not read."""
    if len(bottoms) != 1:
        raise fault("archcalc reads Upsample with one bottom only", message.place, name)
    return one(
        caffe, message, name, bottoms, "upsample2d", {"scale": message.message("upsample_param").integer("scale", 2, 1)}
    )


def roi_pooling(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """One region of a map: as many follow as the second bottom holds."""
    part = message.message("roi_pooling_param")
    sides = [part.integer(f"pooled_{side}", 0, 1) for side in ("h", "w")]
    caffe.net.note(f"{name}: what follows is counted for one region")
    return opaque(caffe, message, name, bottoms, (caffe.net.shape(bottoms[0].node)[0], *sides))


def normalize(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """SSD's L2 norm of each position, times a trained factor for each channel or for all."""
    shape = caffe.net.shape(bottoms[0].node)
    shared = message.message("norm_param").flag("channel_shared", True)
    return opaque(caffe, message, name, bottoms, shape, 1 if shared else shape[0])


def prior_box(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """SSD's boxes and their variances, four numbers for each box at each position. Source: PriorBoxLayer."""
    part, shape = message.message("prior_box_param"), caffe.net.shape(bottoms[0].node)
    ratios = {1.0}
    for ratio in part.numbers("aspect_ratio"):
        ratios |= {ratio, 1 / ratio} if part.flag("flip", True) and ratio else {ratio}
    boxes = len(ratios) * len(part.numbers("min_size")) + len(part.numbers("max_size"))
    return opaque(caffe, message, name, bottoms[:1], (2, 4 * boxes * math.prod(shape[1:])))


def detection_output(caffe: Caffe, message: Message, name: str, bottoms: list[Blob]) -> list[Blob]:
    """SSD's boxes after suppression: at most `keep_top_k`, seven numbers each."""
    kept = message.message("detection_output_param").integer("keep_top_k", -1, -1)
    if kept < 1:
        raise fault("the number of its boxes is not known without keep_top_k", message.place, name)
    caffe.net.note(f"{name}: it gives at most {kept} boxes")
    return opaque(caffe, message, name, bottoms, (1, kept, 7))
