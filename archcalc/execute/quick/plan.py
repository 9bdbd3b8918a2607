"""A network planned for speed: maps channels last, layers fused, weights prepared once, memory used again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import prod

import numpy as np

from archcalc.core.shapes import Shape
from archcalc.execute.calls import Inputs, Pools, errors_of, images_of, inputs_by_layer
from archcalc.execute.execution import ExecutedLayer, Execution, KernelError, Observer, Reporter
from archcalc.execute.kernels import Array
from archcalc.execute.quick.arena import Arena, Map
from archcalc.execute.quick.forms import channels_first, channels_last, multiplies_less, prepared_bytes, run_of
from archcalc.execute.quick.fuse import fuse, reads
from archcalc.execute.quick.kernels import Workspace
from archcalc.execute.quick.registry import Budget, Group, Task, form_of
from archcalc.execute.quick.values import ValueCheck
from archcalc.execute.weights import Weights
from archcalc.graph.layer_graph import Layer, LayerGraph

#: A place among the inputs of a concatenation.
Home = tuple[int, int]


class Plan:
    """Runs a network again and again. The first run prepares the weights, for the sizes that its maps have.

    Of the ops only the settings are read: every shape is that of a map that was made. One caller at a time.
    """

    def __init__(
        self,
        graph: LayerGraph,
        weights: Weights,
        *,
        watched: Collection[int] | None = (),
        once: bool = False,
        threads: int | None = None,
        budget: int | None = None,
    ) -> None:
        """`watched` layers are not fused away (`None`: every layer is watched), so that their maps can be observed.

        `once`: for a single run; weights are freed as soon as they have been used, and not prepared at a cost that
        only many runs pay back. `budget`: bytes that prepared weights may take beyond those of the plain ones.
        """
        self.graph = graph
        self.watched = watched
        self.once = once
        self.groups = fuse(graph, watched)
        self.homes = _homes(graph, self.groups)
        self.reads = reads(self.groups, graph)
        self.workspace = Workspace(threads)
        self.arena = Arena()
        #: Shapes of concatenations, and where each input lies in them, once they have been seen.
        self.layouts: dict[int, tuple[Shape, list[slice]]] = {}
        pools, spare = Pools(graph), Budget(budget)
        self.tasks = [
            Task(graph, group, weights, self.workspace, spare, once, pools, run_of(graph, group, pools.read))
            for group in self.groups
        ]
        self._inputs: list[Shape] | None = None

    def run(
        self,
        x: Inputs,
        observe: Observer | None = None,
        report: Reporter | None = None,
        check: ValueCheck | None = None,
    ) -> Execution:
        """Run a batch (N, C, H, W), or those of the inputs by name.

        `observe` is called for every watched layer, `report` for every group of layers.

        `check` compares a sample of the values with the plain kernels.

        Raises `KernelError` where a kernel cannot take what reaches it.
        """
        given = inputs_by_layer(self.graph, x)
        shapes = [batch.shape for batch in given.values()]
        if shapes != self._inputs:
            for known, shape in zip(self._inputs or (), shapes, strict=False):
                if shape[1:] != known[1:]:
                    raise ValueError(f"the plan is for maps {known[1:]}, not {shape[1:]}")
            self.layouts.clear()
            self._inputs = shapes
        self.arena.start()
        this = _Run(self, given)
        # Numbers beyond the type are seen in the outputs; numpy would warn of each on the way.
        with self.workspace, np.errstate(all="ignore"):
            for task in self.tasks:
                this.step(task, check)
                last = task.group.last
                if observe is not None and (self.watched is None or last in self.watched):
                    observe(last, channels_first(this.maps[last].array))
                if report is not None:
                    report(last)
                this.free(task.group)
                if self.once:
                    task.prepared = None
        # Copies, for the next run writes over these.
        outputs = {
            each.name: np.array(channels_first(this.maps[each.layer].array), order="C", copy=True)
            for each in self.graph.outputs
        }
        self.arena.finish()
        layers = tuple(this.layers[index] for index in range(len(self.graph)))
        return Execution(layers, outputs, shapes[0][0], None if check is None else check.result())

    @property
    def prepared_bytes(self) -> int:
        """Bytes of the weights as they were prepared."""
        return sum(prepared_bytes(task) for task in self.tasks)

    @property
    def transformed(self) -> set[int]:
        """The convolutions that the last run computed by Winograd's algorithm."""
        return {task.group.first for task in self.tasks if multiplies_less(task)}


class _Run:
    """One run: the maps that are still to be read, what was seen, and where the next result goes."""

    def __init__(self, plan: Plan, given: Mapping[int, Array]) -> None:
        self.plan = plan
        self.given = given
        self.dtype = given[0].dtype
        self.maps: dict[int, Map] = {}
        self.layers: dict[int, ExecutedLayer] = {}
        #: Concatenations of which some inputs are there.
        self._begun: dict[int, Map] = {}
        self._left = list(plan.reads)
        self._index = 0

    def step(self, task: Task, check: ValueCheck | None = None) -> None:
        """Run a group, and write down what was seen of each of its layers."""
        group = task.group
        self._index = group.last
        inputs = [self.maps[source] for source in group.inputs]
        for source, each in zip(group.inputs, inputs, strict=True):
            each.memory.readers -= 1
            self._left[source] -= 1
        copies = None if check is None else check.before(task, inputs)
        with errors_of(task.layer, KernelError):
            if group.first in self.given:
                x = channels_last(self.given[group.first])
                out = self.new(x.shape)
                np.copyto(out.array, x)
            else:
                task.batch = images_of(next(iter(self.given.values())))
                out = task.run(task, inputs, self)
        if check is not None:
            check.after(task, inputs, copies, out)
        out.memory.readers += self._left[group.last]
        self.maps[group.last] = out
        if _joins(task.layer):
            self._learn(group.last, out, inputs)
        first = channels_first(out.array)
        live = self.plan.arena.live_bytes()
        seen = [channels_first(each.array) for each in inputs[: len(task.layer.inputs)]]
        for index in group.layers:
            done = task.multiplications(seen, first) if index == group.first and inputs else 0
            layer, arrays = self.plan.graph.layers[index], task.arrays.get(index, {})
            owner = self.plan.graph.owner(layer).name
            self.layers[index] = ExecutedLayer(
                layer.name, first.shape[1:], first.dtype.name, arrays, done, live, owner=owner
            )

    def free(self, group: Group) -> None:
        """Free maps that nobody reads any more, and of memory in which there are only such maps."""
        for index in {*group.inputs, group.last}:
            memory = self.maps[index].memory
            if not self._left[index]:
                del self.maps[index]
            if not memory.readers:
                self.plan.arena.release(memory)

    def new(self, shape: Shape) -> Map:
        """Memory for the result at hand: what is there of a concatenation, the place in one, or any."""
        begun = self._begun.pop(self._index, None)
        return self._allocate(self._index, shape) if begun is None else begun

    def over(self, x: Map) -> Map:
        """The memory of `x` where its last reader is at hand and the result has no place of its own; else new.

        That of weights is never written.
        """
        if x.memory.readers or self._index in self.plan.homes or not x.array.flags.writeable:
            return self.new(x.array.shape)
        return x._replace(home=None)

    def _allocate(self, index: int, shape: Shape) -> Map:
        home = self.plan.homes.get(index)
        if home is not None and home[0] in self.plan.layouts:
            concat, position = home
            whole, parts = self.plan.layouts[concat]
            if concat not in self._begun:
                self._begun[concat] = self._allocate(concat, whole)
            buffer = self._begun[concat]
            return Map(buffer.array[..., parts[position]], buffer.memory, home)
        memory = self.plan.arena.take(prod(shape) * self.dtype.itemsize)
        return Map(memory.raw.view(self.dtype).reshape(shape), memory)

    def _learn(self, index: int, out: Map, inputs: Iterable[Map]) -> None:
        """Remember how a concatenation is laid out: in the next run its inputs are written there."""
        if index in self.plan.layouts or self.plan.once:
            return
        parts, start = [], 0
        for each in inputs:
            parts.append(slice(start, start + each.array.shape[-1]))
            start = parts[-1].stop
        self.plan.layouts[index] = out.array.shape, parts


def _joins(layer: Layer) -> bool:
    found = form_of(layer.op)
    return found is not None and found.joins


def _homes(graph: LayerGraph, groups: Iterable[Group]) -> Mapping[int, Home]:
    """Which maps can be written where a concatenation wants them: each in one place only."""
    homes: dict[int, Home] = {}
    for group in groups:
        if _joins(graph.layers[group.first]):
            for position, source in enumerate(group.inputs):
                if group.inputs.count(source) == 1:
                    homes.setdefault(source, (group.first, position))
    return homes
