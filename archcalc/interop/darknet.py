"""Darknet's `.cfg` files (YOLO and its backbones), read without Darknet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from archcalc.core.shapes import Shape
from archcalc.interop.assemble import fault
from archcalc.interop.darknet_cfg import parse_cfg
from archcalc.interop.darknet_layers import Reader
from archcalc.interop.foreign import ForeignNetwork

#: No file is larger: the largest public ones have 40 kB.
LARGEST_CFG = 8 << 20


def read_darknet(
    text: str, file: str = "network.cfg", shapes: Mapping[str, Shape] | Shape | None = None
) -> ForeignNetwork:
    r"""The network of a Darknet `.cfg`; `shapes` has another size for its input, which is named `data`.

    Each section becomes a layer or a block, named after it and its index: `convolutional_0/conv`. Raises `SpecError`
    with file, line and column.

    >>> net = read_darknet("[net]\nwidth=8\nheight=8\nchannels=3\n[conv]\nfilters=4\nsize=3\nactivation=leaky")
    >>> [(node.name, node.op) for node in net.nodes]
    [('conv_0/conv', 'conv2d'), ('conv_0/leaky', 'leaky_relu')]
    """
    sections = parse_cfg(text, file)
    if not sections or sections[0].kind not in ("net", "network"):
        place = sections[0].place if sections else f"{file}:1:1"
        raise fault("a Darknet network begins with the section [net]", place)
    return Reader(PurePath(file).stem, shapes).read(sections)
