"""The detection heads of Darknet: activations of runs of channels, as the layers apply them at inference.

What turns the maps into boxes afterwards (offsets, exponentials of the sizes, thresholds) is not part of the network.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.darknet_cfg import Section


def yolo(net: Assembler, section: Section, source: str, name: str) -> str:
    """For each anchor a sigmoid of x and y, width and height as they are, a sigmoid of objectness and classes.

    Source: src/yolo_layer.c.
    """
    anchors = len(section.integers("mask")) or section.integer("num", 1, 1)
    rest = 1 + section.integer("classes", 20, 1)
    if section.integer("new_coords"):  # the layer before it applied the sigmoid to everything
        return source
    return _runs(net, section, source, name, [(2, "sigmoid"), (2, ""), (rest, "sigmoid")] * anchors)


def region(net: Assembler, section: Section, source: str, name: str) -> str:
    """As `yolo`; of the classes a softmax where `softmax` says so. Source: src/region_layer.c."""
    anchors, coords = section.integer("num", 1, 1), section.integer("coords", 4, 2)
    classes = section.integer("classes", 20)
    if section.text("tree"):
        return net.opaque(name, "region with a tree", [source], net.shape(source), place=section.place)
    background, softmax = section.integer("background"), section.integer("softmax")
    parts = [(2, "sigmoid"), (coords - 2, "")]
    if background and softmax:
        parts += [(1 + classes, "softmax")]
    else:
        parts += [(1, "" if background else "sigmoid"), (classes, "softmax" if softmax else "sigmoid")]
    return _runs(net, section, source, name, parts * anchors)


def detection(net: Assembler, section: Section, source: str, name: str) -> str:
    """At inference its input, or with `softmax` one over the classes of each cell. Source: src/detection_layer.c."""
    if section.integer("softmax"):
        return net.opaque(name, "detection with softmax", [source], net.shape(source), place=section.place)
    return source


def _runs(net: Assembler, section: Section, source: str, name: str, parts: Sequence[tuple[int, str]]) -> str:
    """Runs of channels, each with an activation of its own or none; equal neighbours together."""
    wanted, channels = sum(count for count, _ in parts), net.shape(source)[0]
    if channels != wanted:
        raise fault(f"[{section.kind}] needs {wanted} channels, the layer before it has {channels}", section.place)
    runs: list[tuple[int, str]] = []
    for count, op in parts:
        if runs and runs[-1][1] == op and op != "softmax":
            runs[-1] = (runs[-1][0] + count, op)
        elif count:
            runs.append((count, op))
    sizes, made = [count for count, _ in runs], []
    for index, (_, op) in enumerate(runs):
        part = net.add(f"{name}/split", "split", [source], {"sizes": sizes, "index": index}, place=section.place)
        made.append(net.add(f"{name}/{op}", op, [part], place=section.place) if op else part)
    net.note(f"[{section.kind}]: turning its output into boxes is not part of the network")
    return net.concat(f"{name}/concat", made, 0, place=section.place)
