"""Adaptive average pools that PyTorch's exporter to ONNX writes as gathered places: found where they are equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

from archcalc.interop.arrays import np
from archcalc.interop.program import Constant, Node

#: The order of axes in which the rows and columns of (N, C, H, W) come first, and the one after they are gathered.
_FIRST, _LAST = (2, 3, 0, 1), (4, 5, 0, 1, 2, 3)
#: The axes of the places of a window in (N, C, height, places of rows, width, places of columns).
_PLACES = (3, 5)
_Shape = Callable[[str], tuple[int, ...]]


def adaptive_pool(
    node: Node, nodes: Mapping[str, Node], constants: Mapping[str, Constant], shape: _Shape
) -> Node | None:
    """The pool that a mean of gathered places is, or their sum divided by how many there are."""
    cells = node.inputs[0] or "" if node.op == "mean" else _of_sum(node.inputs[0] or "", nodes, shape)
    if cells is None or (node.op == "mean" and (tuple(node.attributes["dim"]), len(shape(cells))) != (_PLACES, 6)):
        return None
    hidden, masks = cells, list[Any]()
    while (made := nodes.get(hidden)) is not None and made.op == "masked_fill" and len(masks) < len(_PLACES):
        mask = _array(made.inputs[1], constants)
        if mask is None or made.attributes["value"] != 0 or made.attributes["keeps"] or mask.ndim > 4:
            return None
        masks.append(mask.reshape((1,) * (4 - mask.ndim) + mask.shape))
        hidden = made.inputs[0] or ""
    gathered = _turned(hidden, _LAST, nodes)
    gather = nodes.get(gathered or "")
    if gather is None or gather.op != "GatherND" or gather.attributes.get("batch_dims"):
        return None
    x, places = _turned(gather.inputs[0] or "", _FIRST, nodes), _array(gather.inputs[1], constants)
    if x is None or places is None or places.ndim != 5 or places.shape[-1] != 2:
        return None
    shown = ~np.any([np.broadcast_to(mask, places.shape[:4]) for mask in masks], axis=0) if masks else np.ones(1, bool)
    shown = np.broadcast_to(shown, places.shape[:4])
    wanted = _windows(shape(x)[2:], (places.shape[0], places.shape[2]))
    count = np.array([[len(window) for window in row] for row in wanted])
    divisor = shown.shape[1] * shown.shape[3] if node.op == "mean" else _divisor(node, constants)
    is_same = divisor is not None and np.ndim(divisor) <= 2 and (count == divisor).all()
    for row, column in np.ndindex(count.shape):
        found = places[row, :, column][shown[row, :, column]]
        is_same = is_same and sorted(map(tuple, found.tolist())) == wanted[row][column]
    if not is_same:
        return None
    return replace(node, op="adaptive_avg_pool2d", inputs=(x,), attributes={"output_size": count.shape})


def _windows(sizes: tuple[int, ...], counts: tuple[int, int]) -> list[list[list[tuple[int, int]]]]:
    """The places of each window of an adaptive pool: from ⌊o·size/count⌋ to ⌈(o + 1)·size/count⌉."""
    axes = [
        [range(n * size // count, -(-(n + 1) * size // count)) for n in range(count)]
        for size, count in zip(sizes, counts, strict=True)
    ]
    return [[list(product(rows, columns)) for columns in axes[1]] for rows in axes[0]]


def _of_sum(name: str, nodes: Mapping[str, Node], shape: _Shape) -> str | None:
    """The gathered places whose sum over the places of windows a value is, added one after another."""
    found: set[tuple[str, int, int]] = set()
    waiting, count = [name], 0
    while waiting:
        made = nodes.get(waiting.pop())
        if made is None:
            return None
        if made.op == "add" and len(made.inputs) == 2:
            waiting += [each or "" for each in made.inputs]
            continue
        row = nodes.get(made.inputs[0] or "")
        if made.op != "select" or made.attributes["dim"] != 4 or row is None or row.op != "select":
            return None
        if row.attributes["dim"] != _PLACES[0]:
            return None
        found.add((row.inputs[0] or "", row.attributes["index"], made.attributes["index"]))
        count += 1
    (cells, *others) = {each[0] for each in found}
    sizes = shape(cells)
    is_all = not others and len(sizes) == 6 and len(found) == count == sizes[3] * sizes[5]
    return cells if is_all else None


def _turned(name: str, dims: tuple[int, ...], nodes: Mapping[str, Node]) -> str | None:
    """The value whose axes an operation puts in this order."""
    node = nodes.get(name)
    is_it = node is not None and node.op == "permute" and tuple(node.attributes["dims"]) == dims
    return node.inputs[0] if node is not None and is_it else None


def _divisor(node: Node, constants: Mapping[str, Constant]) -> Any:
    """What an operation divides by: a number or an array."""
    return _array(node.inputs[1], constants) if len(node.inputs) == 2 else node.attributes["other"]


def _array(name: str | None, constants: Mapping[str, Constant]) -> Any:
    """The values of a constant; None where there are none."""
    constant = constants.get(name or "")
    return None if constant is None or constant.load is None else constant.load()
