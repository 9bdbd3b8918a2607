"""Sums of windows that overlap: the inverse arrangement of `im2col`, as PyTorch's `fold` adds it up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archcalc.interop.program import Node, Value


def as_sums(node: Node, shape: Sequence[int], values: dict[str, Value]) -> list[Node]:
    """Windows as columns (N, C·height·width, windows), each added where it was taken: `col2im`, which only adds.

    Place i of a window that moves by S lies at S·o + i, which is place o + ⌊i/S⌋ of the positions with the remainder
    i mod S. The places with one remainder are padded and added; the sums are put side by side, and the border goes.
    The operation itself where it has no batch, or where some positions are in no window.
    """
    given = node.attributes
    kernel, step, border = given["kernel_size"], given["stride"], given["padding"]
    if len(shape) != 3 or any(size != 1 for size in given["dilation"]) or any(map(int.__lt__, kernel, step)):
        return [node]
    sides = tuple(given["output_size"])
    counts = [
        (side + 2 * edge - size) // move + 1
        for side, edge, size, move in zip(sides, border, kernel, step, strict=True)
    ]  # fmt: skip
    batch, channels = shape[0], shape[1] // (kernel[0] * kernel[1])
    steps: list[Node] = []

    def add(op: str, inputs: Sequence[str], made_shape: Sequence[int], name: str = "", **attributes: Any) -> str:
        name = name or f"{node.outputs[0]} {op} {len(steps)}"
        values[name] = Value(name, tuple(made_shape))
        steps.append(replace(node, op=op, inputs=tuple(inputs), outputs=(name,), attributes=attributes))
        return name

    split = (batch, channels, kernel[0] * kernel[1], *counts)
    windows = add("reshape", (node.inputs[0] or "",), split, shape=split)
    # Positions of the padded map with one remainder, of each axis.
    each = [count + (size - 1) // move for count, size, move in zip(counts, kernel, step, strict=True)]
    sums: dict[tuple[int, int], list[str]] = {}
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            place = add("select", (windows,), (batch, channels, *counts), dim=2, index=row * kernel[1] + column)
            before = (row // step[0], column // step[1])
            after = [size - first - count for size, first, count in zip(each, before, counts, strict=True)]
            pads = (before[1], after[1], before[0], after[0])
            place = add("pad", (place,), (batch, channels, *each), pad=pads, mode="constant", value=0.0)
            sums.setdefault((row % step[0], column % step[1]), []).append(place)
    parts = [
        add("add", places, (batch, channels, *each)) if len(places) > 1 else places[0]
        for _, places in sorted(sums.items())
    ]
    whole = tuple(size * move for size, move in zip(each, step, strict=True))
    found = parts[0]
    if len(parts) > 1:
        found = add("stack", parts, (batch, channels, len(parts), *each), dim=2)
        split = (batch, channels, *step, *each)
        found = add("reshape", (found,), split, shape=split)
        dims = (0, 1, 4, 2, 5, 3)
        found = add("permute", (found,), [split[dim] for dim in dims], dims=dims)
        found = add("reshape", (found,), (batch, channels, *whole), shape=(batch, channels, *whole))
    rest = [size - side - edge for size, side, edge in zip(whole, sides, border, strict=True)]
    pads = (-border[1], -rest[1], -border[0], -rest[0])
    add("pad", (found,), (batch, channels, *sides), node.outputs[0], pad=pads, mode="constant", value=0.0)
    return steps
