"""What all rewrites share: how layers are found, replaced and refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.core.suggest import did_you_mean
from archcalc.graph.layer_graph import Layer, LayerGraph
from archcalc.ops.activation import LogSoftmax, Softmax
from archcalc.ops.base import Op
from archcalc.ops.conv import Conv
from archcalc.passes.analysis import Analysis, Row


@dataclass(frozen=True)
class Rewritten:
    """A new graph, and what was done.

    same_function: whether the network gives the same outputs, with the weights changed as `folded` and `reshaped` say.
    folded: for a layer the batch norm that became part of it. reshaped: the former shapes of arrays that have new ones.
    """

    graph: LayerGraph
    notes: tuple[str, ...] = ()
    same_function: bool = False
    folded: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    reshaped: Mapping[str, Mapping[str, Shape]] = field(default_factory=lambda: MappingProxyType({}))


class Editor:
    """The layers of a graph, taken over one by one into a new graph, with others between or in place of them."""

    def __init__(self, graph: LayerGraph) -> None:
        self.graph = graph
        self.layers: list[Layer] = []
        #: For each layer of the old graph the layer of the new one that its readers read.
        self.place: dict[int, int] = {}
        self._names = set(graph.index)

    def add(self, name: str, op: Op, inputs: Sequence[int], frozen: bool = False, weights_of: int | None = None) -> int:
        """A new layer; its name gets a number where another has it."""
        unique, count = name, 2
        while unique in self._names:
            unique, count = f"{name}_{count}", count + 1
        self._names.add(unique)
        self.layers.append(Layer(unique, op, tuple(inputs), frozen=frozen, weights_of=weights_of))
        return len(self.layers) - 1

    def keep(self, index: int, op: Op | None = None, inputs: Sequence[int] | None = None) -> int:
        """A layer of the old graph, with another op or other inputs where they are given."""
        layer = self.graph.layers[index]
        reads = tuple(self.place[source] for source in layer.inputs) if inputs is None else tuple(inputs)
        owner = None if layer.weights_of is None else self.place[layer.weights_of]
        self.layers.append(layer._replace(op=op or layer.op, inputs=reads, weights_of=owner))
        return len(self.layers) - 1

    def done(self) -> LayerGraph:
        """The new graph."""
        outputs = tuple(output._replace(layer=self.place[output.layer]) for output in self.graph.outputs)
        return replace(self.graph, layers=tuple(self.layers), outputs=outputs)


#: Makes the layers that stand in place of one, by its index, and gives the index of the last.
Change = Callable[[Editor, int], int]


def edit(graph: LayerGraph, changes: Mapping[int, Change]) -> LayerGraph:
    """The graph with some layers changed, all others as they are."""
    editor = Editor(graph)
    for index in range(len(graph)):
        editor.place[index] = changes[index](editor, index) if index in changes else editor.keep(index)
    return editor.done()


def with_ops(graph: LayerGraph, ops: Mapping[int, Op]) -> LayerGraph:
    """The graph with other ops for some layers."""
    layers = tuple(layer._replace(op=ops.get(index, layer.op)) for index, layer in enumerate(graph.layers))
    return replace(graph, layers=layers)


def refusal(what: str, row: Row, why: str) -> UsageError:
    """The error for a layer that cannot be changed."""
    return UsageError(f'--{what}: layer "{row.name}" ({row.summary or row.op.noun}) {why}')


def find(analysis: Analysis, what: str, name: str) -> tuple[list[int], bool]:
    """The layer of this name, or the layers of the block, and whether it is a block. Raises `UsageError`."""
    graph = analysis.graph
    if name in graph.index:
        return [graph.index[name]], False
    inside = [index for index, layer in enumerate(graph.layers) if layer.name.startswith(f"{name}/")]
    if not inside:
        hint = did_you_mean(name, graph.index) or "; `archcalc report` shows its layers"
        raise UsageError(f"--{what}: {graph.name} has no layer or block {name[:80]!r}{hint}")
    return inside, True


def check_own_weights(analysis: Analysis, what: str, index: int) -> None:
    """Raise `UsageError` where the layer shares its weights with another."""
    graph = analysis.graph
    others = [layer.name for layer in graph if layer.weights_of == index]
    if graph.layers[index].weights_of is not None:
        others.append(graph.owner(graph.layers[index]).name)
    if others:
        raise refusal(what, analysis.rows[index], f'shares its weights with "{others[0]}"')


def convolution(analysis: Analysis, what: str, index: int) -> Conv:
    """The op of a layer that is a convolution of its own. Raises `UsageError` where it is none."""
    row = analysis.rows[index]
    if not isinstance(row.op, Conv):
        raise refusal(what, row, "is no convolution")
    if row.op.connections is not None:
        raise refusal(what, row, "has a connection table")
    check_own_weights(analysis, what, index)
    return row.op


def readers_of(graph: LayerGraph) -> list[list[int]]:
    """For each layer those that read it."""
    readers: list[list[int]] = [[] for _ in graph]
    for index, layer in enumerate(graph.layers):
        for source in layer.inputs:
            readers[source].append(index)
    return readers


def followers(analysis: Analysis, index: int, readers: Sequence[Sequence[int]]) -> list[Layer]:
    """The batch norm and the activation function after a layer, which stand after each part of it too."""
    graph = analysis.graph
    found: list[Layer] = []
    for family in ("normalisation", "activation"):
        after = readers[index]
        if len(after) != 1 or len(graph.layers[after[0]].inputs) != 1:
            break
        op = analysis.rows[after[0]].op
        if op.family == family and not isinstance(op, Softmax | LogSoftmax):
            index = after[0]
            found.append(graph.layers[index])
    return found


def add_with_followers(editor: Editor, name: str, op: Op, source: int, after: Sequence[Layer]) -> int:
    """A new layer with copies of the layers that follow the one it stands for."""
    last = editor.add(name, op, [source])
    for layer in after:
        last = editor.add(f"{name}_{layer.op.stem}", layer.op, [last])
    return last
