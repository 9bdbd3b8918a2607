"""The layer graph: plain nodes in topological order, which is all that the passes need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.core.errors import Location
from archcalc.core.shapes import Shape
from archcalc.ops.base import Op

if TYPE_CHECKING:
    import networkx

    from archcalc.graph.published import Paper, Reported


class Layer(NamedTuple):
    """A node: its full name (`stage2/block1/conv2`), its op, and the indices of the layers that it reads."""

    name: str
    op: Op
    inputs: tuple[int, ...]
    location: Location | None = None


class Output(NamedTuple):
    """An output of the network; auxiliary ones weigh less in the training loss."""

    name: str
    layer: int
    loss_weight: float = 1.0


@dataclass(frozen=True)
class LayerGraph:
    """A network, expanded. `layers[0]` is the input; every layer reads only earlier ones."""

    name: str
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]
    title: str = ""
    #: Name and title of the spec: those of the family for its members.
    family: str = ""
    family_title: str = ""
    description: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    paper: Paper | None = None
    follows: tuple[str, ...] = ()
    reported: tuple[Reported, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def input_shape(self) -> Shape:
        return self.layers[0].op.output_shape(())

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each layer by its name."""
        return {layer.name: position for position, layer in enumerate(self.layers)}

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def with_input(self, shape: Shape) -> LayerGraph:
        """The same layers on another input."""
        from dataclasses import replace

        from archcalc.ops.reshape import Input

        first = self.layers[0]._replace(op=Input(shape=shape))
        return replace(self, layers=(first, *self.layers[1:]))

    def to_networkx(self) -> networkx.DiGraph[str]:
        """A networkx view: nodes by name, with the layer as an attribute."""
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph(name=self.name)
        for layer in self.layers:
            graph.add_node(layer.name, layer=layer)
        for layer in self.layers:
            graph.add_edges_from((self.layers[source].name, layer.name) for source in layer.inputs)
        return graph
