"""Reshapes, permutations and the like without layers: which part of a map lies where in a tensor.

A map has the shape (channels, *positions). A tensor of the program is a `View` of a map: each of its axes is a list of
factors of the map's axes, the outermost first. A reshape splits and joins factors, a permutation reorders the axes;
neither makes a layer. Only when an operation needs a map in another arrangement are layers made (see `Maps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.core.shapes import Shape

#: Axes that no map has: images of a batch, and copies that an expansion made.
BATCH, COPIES = -1, -2


class Factor(NamedTuple):
    """A factor of an axis of a map: `size` steps of `stride` positions. Axis 0 are the channels."""

    axis: int
    size: int
    stride: int = 1


#: A tensor's axis: factors from the outermost to the innermost; empty for an axis of size 1.
Axis = tuple[Factor, ...]
Axes = tuple[Axis, ...]


class View(NamedTuple):
    """A tensor as an arrangement of the map of a layer."""

    layer: str
    axes: Axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(map(axis_size, self.axes))


def axis_size(axis: Axis) -> int:
    """The size of a tensor's axis."""
    size = 1
    for factor in axis:
        size *= factor.size
    return size


def whole(index: int, size: int) -> Axis:
    """A whole axis of a map."""
    return (Factor(index, size),) if size > 1 else ()


def whole_axes(shape: Shape) -> Axes:
    """Every axis of a map as it is."""
    return tuple([whole(index, size) for index, size in enumerate(shape)])


def joined(factors: Sequence[Factor]) -> Axis:
    """The factors with neighbours that are one run of their axis as one."""
    found: list[Factor] = []
    for factor in factors:
        if factor.size == 1:
            continue
        last = found[-1] if found else None
        if last is not None and last.axis == factor.axis and last.stride == factor.stride * factor.size:
            found[-1] = Factor(factor.axis, last.size * factor.size, factor.stride)
        elif last is not None and last.axis == factor.axis == COPIES:
            found[-1] = Factor(COPIES, last.size * factor.size)
        else:
            found.append(factor)
    return tuple(found)


def split_factor(factor: Factor, inner: int) -> tuple[Factor, Factor]:
    """The factor as an outer one and an inner one of this size, which divides it."""
    outer = Factor(factor.axis, factor.size // inner, factor.stride * inner if factor.axis >= 0 else 1)
    return outer, Factor(factor.axis, inner, factor.stride)


def reshaped(axes: Axes, shape: Sequence[int]) -> Axes | None:
    """The axes after a reshape; None where a new axis would begin inside of a factor that it does not divide."""
    rest = [factor for axis in axes for factor in axis]
    rest.reverse()  # the innermost last becomes first: pop takes the outermost
    found: list[Axis] = []
    for size in shape:
        needed, parts = size, []
        while needed > 1:
            if not rest:
                return None
            factor = rest.pop()
            if needed % factor.size == 0:
                parts.append(factor)
                needed //= factor.size
            elif factor.size % needed == 0:
                outer, inner = split_factor(factor, factor.size // needed)
                parts.append(outer)
                rest.append(inner)
                needed = 1
            else:
                return None
        found.append(joined(parts))
    return tuple(found) if not rest else None


def permuted(axes: Axes, dims: Sequence[int]) -> Axes:
    """The axes in another order."""
    return tuple([axes[dim] for dim in dims])


def without(axes: Axes, kind: int) -> Axes:
    """The axes without the images of the batch, or without copies."""
    return tuple([tuple([factor for factor in axis if factor.axis != kind]) for axis in axes])


def refined(axis: Axis, sizes: Sequence[int]) -> list[Axis] | None:
    """An axis cut into parts of these sizes, the outermost first; None where a cut falls inside of a factor."""
    parts = reshaped((axis,), sizes)
    return None if parts is None else list(parts)


def common_sizes(one: Axis, other: Axis) -> list[int] | None:
    """Sizes into which both axes can be cut, as few as possible; None where there are none."""
    if axis_size(one) != axis_size(other):
        return None
    cuts = sorted({*_cuts(one), *_cuts(other)}, reverse=True)
    sizes = []
    for outer, inner in pairwise(cuts):
        if outer % inner:
            return None
        sizes.append(outer // inner)
    return sizes


def _cuts(axis: Axis) -> list[int]:
    """The number of values inside of each place where a factor begins or ends."""
    found = [1]
    for factor in reversed(axis):
        found.append(found[-1] * factor.size)
    return found


def arranged_like(axes: Axes, other: Axes, shape: Shape) -> Axes | None:
    """How a tensor must be arranged to lie on the map of shape `shape` as a tensor of `other` axes does.

    Where the tensor has size 1, the other is spread over. None where the axes do not fit together.
    """
    missing = len(other) - len(axes)
    if missing < 0:
        return None
    axes = ((),) * missing + axes
    goal: list[list[tuple[int, Axis]]] = [[] for _ in shape]
    for mine, its in zip(axes, other, strict=True):
        if not mine:
            # Spread over whatever the other has here.
            for factor in its:
                if factor.axis >= 0:
                    goal[factor.axis].append((factor.stride, ()))
            continue
        sizes = common_sizes(mine, its)
        if sizes is None:
            return None
        my_parts, its_parts = refined(mine, sizes), refined(its, sizes)
        if my_parts is None or its_parts is None:
            return None
        for my_part, its_part in zip(my_parts, its_parts, strict=True):
            for factor in its_part[:1]:
                if factor.axis >= 0:
                    goal[factor.axis].append((factor.stride, my_part))
                elif factor.axis == COPIES:
                    return None
    return tuple([joined([f for _, part in sorted(parts, key=lambda pair: -pair[0]) for f in part]) for parts in goal])
