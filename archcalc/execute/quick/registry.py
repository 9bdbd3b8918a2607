"""How layers run on channels-last maps: what a form is, and what it does of the layers that follow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from archcalc.core.shapes import Shape
from archcalc.execute.calls import Pools, in_use, multiplications, settings_of
from archcalc.execute.kernels import Array
from archcalc.execute.quick.arena import Map
from archcalc.execute.quick.kernels import Workspace
from archcalc.execute.weights import Weights, arrays_of
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.ops.base import Op

#: What a layer can be to the one before it: it does nothing at inference, multiplies each channel and adds a number to
#: it, adds another map, or sets what is below 0 to 0.
Role = Literal["nothing", "scale", "add", "rectify"]


class Group(NamedTuple):
    """Layers that run as one, by position: the first works, the others follow it in a chain.

    `inputs` are the maps that the first reads, then the one that an addition in the chain adds. All layers have the
    shape of the last; only its map is made.
    """

    layers: tuple[int, ...]
    inputs: tuple[int, ...]
    scaled: tuple[int, ...] = ()
    residual: bool = False
    relu: bool = False

    @property
    def first(self) -> int:
        return self.layers[0]

    @property
    def last(self) -> int:
        return self.layers[-1]


class Place(Protocol):
    """Where the result of a layer goes."""

    def new(self, shape: Shape) -> Map:
        """Memory that nobody reads: its part of a concatenation, where it has one."""
        ...

    def over(self, x: Map) -> Map:
        """The memory of the input itself if no other layer reads it, else new memory of its size."""
        ...


#: Runs a group on its maps.
Run = Callable[["Task", Sequence[Map], Place], Map]
#: From an op and its arrays: the factor and the addend of each channel, or of all.
Scale = Callable[[Any, Mapping[str, Array]], tuple[Any, Any]]


@dataclass
class Budget:
    """Bytes by which prepared weights may still be larger than plain ones; `None`: any number."""

    left: int | None


@dataclass
class Task:
    """A group, and all that it keeps from run to run.

    `arrays` are the shapes of the arrays of each layer as they were read; `prepared` is what a form made of them.
    """

    graph: LayerGraph
    group: Group
    weights: Weights
    workspace: Workspace
    budget: Budget
    once: bool
    pools: Pools
    run: Run
    arrays: dict[int, Mapping[str, Shape]] = field(default_factory=dict)
    #: What a layer that reads nothing runs on: as many images as there are.
    batch: Array = field(default_factory=lambda: np.empty((1, 0)))
    prepared: Any = None

    @property
    def layer(self) -> Layer:
        """The first layer, which does the work."""
        return self.graph.layers[self.group.first]

    def multiplications(self, maps: Sequence[Array], out: Array) -> int:
        """Multiply-adds of one image, for these maps (N, C, *positions)."""
        return multiplications(self.layer, maps, out, self.arrays.get(self.group.first, {}))

    def settings(self, *names: str) -> dict[str, Any]:
        """Settings of the first layer by name."""
        return settings_of(self.layer, names)

    def take(self, index: int, *maps: Array) -> dict[str, Array]:
        """The arrays of a layer that reads these maps (N, C, *positions), in their type."""
        layer = self.graph.layers[index]
        given = arrays_of(self.graph, layer, self.weights, *maps)
        self.arrays[index] = {name: array.shape for name, array in given.items()}
        used = in_use(layer, given)
        return {name: array.astype(maps[0].dtype, copy=False) for name, array in used.items()}


@dataclass(frozen=True)
class Form:
    """How an op runs on channels-last maps, and what it is to its neighbours.

    run: does the work of the whole group that the layer begins.
    does: the roles of following layers that `run` takes on.
    role: what the layer is to the layer before it.
    scale: for the role "scale", what its channels are multiplied by and what is added to them.
    suits: whether `run` can do an op with these settings; else the plain kernel runs.
    joins: the result is its inputs next to each other along the channels, so they can be written where it wants them.
    """

    kind: str
    run: Run
    does: frozenset[Role] = frozenset()
    role: Role | None = None
    scale: Scale | None = None
    suits: Callable[[Any], bool] | None = None
    joins: bool = False


FORMS: dict[str, Form] = {}


def form(kind: str, **facts: Any) -> Callable[[Run], Run]:
    """Register a function as the quick form of an op; `facts` are the fields of `Form`."""

    def register(function: Run) -> Run:
        FORMS[kind] = Form(kind, function, **facts)
        return function

    return register


def form_of(op: Op) -> Form | None:
    """The quick form of an op; None where its plain kernel runs."""
    found = FORMS.get(op.kind)
    return None if found is None or (found.suits is not None and not found.suits(op)) else found


def role_of(layer: Layer) -> Role | None:
    """What a layer is to the layer before it; only additions read a second map."""
    found = form_of(layer.op)
    if found is None or (len(layer.inputs) > 1 and found.role != "add"):
        return None
    return found.role
