"""What an op says that its positions read, against what changes in its kernel when an input position is moved."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.execute.kernels import KERNELS, Array
from archcalc.ops.base import EVERYTHING, POINTS, REORDERED, Reads, Spans, Turned, Window
from archcalc.passes.axis_field import taps_of
from tests.execute.kernels.inputs import values
from tests.networks import op
from tests.ops.rows import SMALL, Row, label


def claimed(reads: Reads, axis: int, place: tuple[int, ...], size: int) -> tuple[int, int]:
    """The first and the last position that an op says a position reads, within the map."""
    if reads == EVERYTHING:
        return 0, size - 1
    if isinstance(reads, Turned):
        turned = reads.to[axis]
        return (0, size - 1) if turned is None else (place[turned], place[turned])
    position = place[axis]
    if reads is POINTS:
        return position, position
    assert isinstance(reads, tuple)
    read = reads[axis]
    if read == EVERYTHING:
        return 0, size - 1
    assert isinstance(read, (Window, Spans))
    inside = [tap for tap in taps_of(read, position) if 0 <= tap < size]
    return (inside[0], inside[-1]) if inside else (-1, -1) if isinstance(read, Window) else (0, -1)


def changed(row: Row, place: int, seed: int) -> Array:
    """Which positions of the output change with which of an input: both one after the other, as a matrix."""
    draw = np.random.default_rng(seed)
    layer = op(row.kind, **row.fields).resolve(row.inputs)
    maps = [values(row.kind, (1, *shape), draw) for shape in row.inputs]
    arrays = {array.name: draw.standard_normal(array.shape) for array in layer.param_shapes(row.inputs)}
    kernel = KERNELS[row.kind]
    settings = {name: getattr(layer, name) for name in kernel.settings}
    before = kernel.run(*maps, **arrays, **settings)
    found = []
    for position in np.ndindex(row.inputs[place][1:]):
        moved = [each.copy() for each in maps]
        moved[place][(slice(None), slice(None), *position)] += draw.standard_normal(row.inputs[place][0])
        after = kernel.run(*moved, **arrays, **settings)
        found.append((after != before).any(axis=(0, 1)).ravel())
    return np.array(found).T


@pytest.mark.parametrize("row", [row for row in SMALL if row.inputs and len(row.inputs[0]) > 1], ids=label)
def test_what_is_read_is_what_is_claimed(row: Row) -> None:
    layer = op(row.kind, **row.fields).resolve(row.inputs)
    for place, reads in enumerate(layer.windows(row.inputs)):
        seen = np.any([changed(row, place, seed) for seed in range(6)], axis=0)
        if reads is None:
            assert not seen.any()
            continue
        if reads == REORDERED or len(row.output) != len(row.inputs[place]):
            continue  # followed by the pass itself, by the order of the values
        sizes = row.inputs[place][1:]
        for output, position in zip(seen, np.ndindex(row.output[1:]), strict=True):
            inputs = [each for each, is_read in zip(np.ndindex(sizes), output, strict=True) if is_read]
            if row.fields.get("is_causal") and position == (0,) and not inputs:
                continue  # a single key is taken whole, whatever it is
            spans = [claimed(reads, axis, position, size) for axis, size in enumerate(sizes)]
            if any(last < first for first, last in spans):
                assert not inputs, "a token of its own, or a position of another map, reads nothing"
                continue
            for axis, (first, last) in enumerate(spans):
                places = [each[axis] for each in inputs]
                if first < 0:
                    continue  # a border, which counts as padding
                assert first <= min(places)
                assert last >= max(places)
                if row.kind == "index_select":
                    continue  # any position may be asked for, and few numbers ask for few
                assert (first, last) == (min(places), max(places))
