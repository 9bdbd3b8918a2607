"""A planned run against the plain kernels, by value: on a sample that costs little compared with the run itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from archcalc.execute.execution import ValueDifference, Values
from archcalc.execute.kernels import Array, Sizes
from archcalc.execute.quick.arena import Map
from archcalc.execute.quick.forms import channels_first, plain, plain_values
from archcalc.execute.quick.registry import Task, role_of
from archcalc.execute.weights import Weights

#: Largest difference, as a share of the largest value. Winograd's transforms cost a digit or two of float32
#: (Lavin & Gray 2015, section 5.2).
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
#: Values of each map that must be the same when it is read as when it was made.
WATCHED_VALUES = 64


class ValueCheck:
    """What a plan did, compared with the plain kernels while it runs.

    Of each kind of group (the op, what is done with it, flat or not, the algorithm of a convolution) the first is done
    again by the plain kernels, from the same maps, and all of its values are compared. Of every map some values are
    kept, to see that nothing overwrites it before it is read.
    """

    def __init__(self, weights: Weights) -> None:
        self.weights = Remembered(weights)
        self._compared: list[str] = []
        self._largest = 0.0
        self._differences: list[ValueDifference] = []
        self._kinds: set[tuple[Any, ...]] = set()
        self._samples: dict[int, Array] = {}

    def before(self, task: Task, maps: Sequence[Map]) -> list[Array] | None:
        """Look at the maps that a group is about to read; copies of them, where the group will be compared."""
        for source, each in zip(task.group.inputs, maps, strict=True):
            if not np.array_equal(_sample(each.array), self._samples[source], equal_nan=True):
                name = task.graph.layers[source].name
                self._differences.append(ValueDifference(name, f"overwritten before {task.layer.name} read it"))
        if task.run is plain or not maps or self._kind(task, maps) in self._kinds:
            return None
        return [each.array.copy() for each in maps]

    def after(self, task: Task, maps: Sequence[Map], copies: list[Array] | None, out: Map) -> None:
        """Compare what a group made, if it is the first of its kind."""
        self._samples[task.group.last] = _sample(out.array)
        if task.run is not plain and maps:
            # What a convolution reads it never overwrites, so without a copy the maps are still as they were.
            inputs = copies if copies is not None else [each.array for each in maps]
            kind = self._kind(task, maps)
            chosen = (*kind, getattr(task.prepared, "algorithm", None))
            if copies is not None or (chosen[-1] is not None and chosen not in self._kinds):
                self._compare(task, inputs, channels_first(out.array))
            self._kinds |= {kind, chosen}
        self.weights.forget()

    def result(self) -> Values:
        """What was compared, and what was found."""
        return Values(tuple(self._compared), self._largest, tuple(self._differences))

    def _kind(self, task: Task, maps: Sequence[Map]) -> tuple[Any, ...]:
        roles = tuple(role_of(task.graph.layers[index]) for index in task.group.layers[1:])
        return (task.layer.op.kind, roles, maps[0].array.ndim)

    def _compare(self, task: Task, inputs: Sequence[Array], got: Array) -> None:
        seen = {source: channels_first(each) for source, each in zip(task.group.inputs, inputs, strict=True)}
        wanted = plain_values(task, seen, {})
        name = task.graph.layers[task.group.last].name
        if not np.isfinite(wanted).all():
            return  # numbers beyond the type have no distance
        self._compared.append(name)
        difference = relative_difference(got, wanted)
        self._largest = max(self._largest, difference)
        if not difference <= TOLERANCE[wanted.dtype.name]:
            text = f"{difference:.1e} of the largest value from the plain kernels"
            self._differences.append(ValueDifference(name, text))


def relative_difference(got: Array, wanted: Array) -> float:
    """The largest difference, as a share of the largest value; infinite where shapes differ or values are missing."""
    if got.shape != wanted.shape or not np.isfinite(got).all():
        return float("inf")
    largest = float(np.abs(wanted).max(initial=0))
    return float(np.abs(got - wanted).max(initial=0)) / (largest or 1.0)


def _sample(array: Array) -> Array:
    """Some values of a map, spread evenly over it."""
    places = np.linspace(0, array.size - 1, min(WATCHED_VALUES, array.size)).astype(np.intp)
    return np.asarray(array[np.unravel_index(places, array.shape)])


class Remembered:
    """Weights that are made once for the layers of a group, which are read by both."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._kept: dict[str, Mapping[str, Array]] = {}

    def of(self, layer: str, sizes: Sizes) -> Mapping[str, Array]:
        """The arrays of a layer by name, in these sizes."""
        if layer not in self._kept:
            self._kept[layer] = self._weights.of(layer, sizes)
        return self._kept[layer]

    def forget(self) -> None:
        """The next group has other layers."""
        self._kept.clear()
