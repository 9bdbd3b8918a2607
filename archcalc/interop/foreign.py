"""A network as the readers of other formats describe it, and the layer graph that comes of it.

A reader translates each layer to an op of archcalc with its settings; here the layers are checked as those of specs
are, and every fault names its place in the file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from archcalc.core.errors import Location, Problem, SpecError, UsageError
from archcalc.core.shapes import AXES, LARGEST_FLAT, LARGEST_SIZE, Shape
from archcalc.core.suggest import did_you_mean
from archcalc.graph.inputs import inputs_in_words
from archcalc.graph.layer_graph import Call, FileNode, Layer, LayerGraph, Output, Recipe, Written
from archcalc.ops import OPS, Op
from archcalc.ops.opaque import Opaque
from archcalc.ops.reshape import Identity, Input
from archcalc.passes.shapes import ShapedLayer, infer_shapes
from archcalc.spec.faults import MOST_PROBLEMS
from archcalc.spec.names import LONGEST_NAME, LONGEST_PATH
from archcalc.spec.single import make_op
from archcalc.spec.values import MOST_LAYERS

if TYPE_CHECKING:
    import numpy

#: An array that comes with a file, read when it is asked for.
LazyArray: TypeAlias = "Callable[[], numpy.ndarray[Any, Any]]"
_BRACES = str.maketrans({"{": "(", "}": ")"})


@dataclass(frozen=True)
class ForeignNode:
    """A layer of a foreign network.

    Args:
        name: Its path, with `/` between blocks: `layer1/0/conv1`. It is made legal and unique where it is not.
        op: The kind of op in archcalc: `conv2d`; `opaque` for what archcalc does not have.
        fields: The settings of the op, as in specs.
        inputs: What it reads: names of earlier nodes or of inputs of the network.
        weights: The earlier node whose arrays it uses; None: it has its own.
        place: Where it stands in the file, for errors: `deploy.prototxt:12:3` or `node "Conv_4"`.
        arrays: The weights that came with the file, by archcalc's names (`weight`, `bias`, …), each in archcalc's
            layout, loaded when called.
        frozen: Its parameters are not trained.
        call: How code calls it.
        value: The value of the file or program that it gives.
        masked: It skips some of what it reads, which archcalc does not do.

    """

    name: str
    op: str
    fields: Mapping[str, Any]
    inputs: tuple[str, ...]
    weights: str | None = None
    place: str = ""
    arrays: Mapping[str, LazyArray] = field(default_factory=dict)
    frozen: bool = False
    call: Call | None = None
    value: str = ""
    masked: bool = False


@dataclass(frozen=True)
class ForeignNetwork:
    """A network of another format, in ops of archcalc.

    Args:
        name: A short name, as of a spec.
        title: What headings call it.
        inputs: The shape of each input by its name, (channels, *positions), without the batch.
        nodes: The layers; each reads only earlier ones.
        outputs: The name of a node for each output by its name.
        notes: What a user has to know: what was left out, what was assumed.
        held: How many values the layers have by what the reader found in the file; None where it did not count.
        unused: Parameters that inference does not use: how many, by the part of the network that has them.
        written: The nodes of the file that each layer is, by its name, where tools count them.
        images: The batch that these nodes are for.
        repeated: How many values more than the file layers have, because several have an array that it holds once.

    """

    name: str
    title: str
    inputs: Mapping[str, Shape]
    nodes: tuple[ForeignNode, ...]
    outputs: Mapping[str, str]
    notes: tuple[str, ...] = ()
    held: int | None = None
    unused: Mapping[str, int] = field(default_factory=dict)
    written: Mapping[str, tuple[FileNode, ...]] = field(default_factory=dict)
    images: int = 1
    repeated: int = 0


#: Reads the network again for other inputs.
ReadAgain = Callable[[Mapping[str, Shape]], ForeignNetwork]


def to_network(foreign: ForeignNetwork, again: ReadAgain | None = None) -> LayerGraph:
    """The layer graph of a foreign network, with every layer checked.

    `again` reads the network for other inputs; without it the network stays on those that it has.

    Raises `SpecError` with all that is wrong, each with the layer and its place in the file.

    >>> conv = ForeignNode("stem/conv", "conv2d", {"out_channels": 8, "kernel_size": 3}, ("image",))
    >>> graph = to_network(ForeignNetwork("small", "Small", {"image": (3, 9, 9)}, (conv,), {"features": "stem/conv"}))
    >>> [layer.name for layer in graph]
    ['input', 'stem/conv']
    >>> bad = ForeignNode("conv", "conv2d", {"out_channels": 8}, ("image",), place="small.prototxt:4:3")
    >>> to_network(ForeignNetwork("small", "Small", {"image": (3, 9, 9)}, (bad,), {"features": "conv"}))
    Traceback (most recent call last):
    archcalc.core.errors.SpecError: small.prototxt:4:3: layer "conv" (conv2d): conv2d needs kernel_size
    """
    return _Builder(foreign).graph(again)


class _Builder:
    """Adds the nodes one by one, and collects what is wrong."""

    def __init__(self, foreign: ForeignNetwork) -> None:
        self.foreign = foreign
        self.problems: list[Problem] = []
        self.layers: list[Layer] = []
        #: The index of each layer by the name that the reader gave it.
        self.known: dict[str, int] = {}
        self.arrays: dict[str, Mapping[str, LazyArray]] = {}
        #: The ops by their kind and settings: equal layers share one.
        self._ops: dict[str, Op] = {}

    def graph(self, again: ReadAgain | None) -> LayerGraph:
        """The whole, checked."""
        foreign = self.foreign
        if len(foreign.nodes) + len(foreign.inputs) > MOST_LAYERS:
            raise SpecError(
                [Problem(f"{foreign.name} has more than the {MOST_LAYERS:,} layers that a network may have")]
            )
        names = _names(foreign)
        for name, shape in foreign.inputs.items():
            self.input(name, shape, names[name])
        for node in foreign.nodes:
            self.node(node, names[node.name])
            if len(self.problems) >= MOST_PROBLEMS:
                break
        outputs = self.outputs()
        if not foreign.nodes:
            self.problems.append(Problem(f"{foreign.name} has no layers"))
        if self.problems:
            raise SpecError(self.problems)
        graph = LayerGraph(
            legal_name(foreign.name) or "network",
            tuple(self.layers),
            outputs,
            title=foreign.title,
            notes=foreign.notes,
            arrays=self.arrays,
            unused=foreign.unused,
        )
        shapes = infer_shapes(graph)
        if shapes.problems:
            raise SpecError(shapes.problems)
        layers = tuple([_for_its_inputs(shaped) for shaped in shapes.layers])
        recipe = Recipe(layers, lambda shapes: _on_inputs(foreign, again, shapes))
        notes = (*foreign.notes, *_unexplained(foreign, shapes.layers))
        nodes = {names[name]: found for name, found in foreign.written.items()}
        written = Written(layers, nodes, foreign.images, foreign.repeated) if nodes else None
        return replace(graph, layers=layers, recipe=recipe, notes=notes, written=written)

    def wrong(self, message: str, node: ForeignNode) -> None:
        """Note what is wrong with a node."""
        kind = f" ({node.op})" if node.op in OPS else ""
        self.problems.append(Problem(message, _location(node), f'"{node.name[:200]}"{kind}'))

    def input(self, name: str, shape: Shape, legal: str) -> None:
        """Add an input of the network."""
        largest = LARGEST_SIZE if len(shape) > 1 else LARGEST_FLAT
        if not 1 <= len(shape) <= len(AXES) or not all(1 <= size <= largest for size in shape):
            sizes = "×".join(map(str, shape))[:60]
            message = f"the input {name[:60]!r} is {sizes or 'empty'} (channels first)"
            rule = f"an input has channels and at most {len(AXES) - 1} position axes, each from 1 to {largest:,}"
            self.problems.append(Problem(f"{message}: {rule}"))
            shape = (1,)
        self.known[name] = len(self.layers)
        self.layers.append(Layer(legal, Input(shape=shape), ()))

    def node(self, node: ForeignNode, legal: str) -> None:
        """Add a layer, or an identity in its place where it is faulty."""
        inputs = tuple([index for name in node.inputs if (index := self.find(name, node)) is not None])
        op = self.op(node)
        if op is not None and len(inputs) == len(node.inputs):
            fewest, most = op.fewest_inputs, op.most_inputs
            if len(inputs) < fewest or (most is not None and len(inputs) > most):
                self.wrong(f"{op.kind} takes {inputs_in_words(fewest, most)}, {len(inputs)} reach it", node)
        owner, frozen = None, node.frozen
        if node.weights is not None and (found := self.find(node.weights, node)) is not None:
            other = self.layers[found]
            owner = found if other.weights_of is None else other.weights_of
            frozen = self.layers[owner].frozen
        self.known[node.name] = len(self.layers)
        self.layers.append(
            Layer(legal, op or Identity(), inputs, owner, _location(node), frozen, node.call, node.masked)
        )
        if node.arrays and owner is None:
            self.arrays[legal] = node.arrays

    def find(self, name: str, node: ForeignNode) -> int | None:
        """The index of what a node names; an unknown one is noted."""
        if name not in self.known:
            later = any(other.name == name for other in self.foreign.nodes)
            hint = ", which comes later" if later else did_you_mean(name, list(self.known)[:2000])
            self.wrong(f"it reads {name[:200]!r}{hint or ', which is not there'}", node)
        return self.known.get(name)

    def op(self, node: ForeignNode) -> Op | None:
        """The op of a node; None for a faulty one, which is noted."""
        key = f"{node.op} {sorted(node.fields.items())!r}"
        if key not in self._ops:
            try:
                self._ops[key] = make_op(node.op, node.fields)
            except UsageError as error:
                self.wrong(str(error), node)
                return None
        return self._ops[key]

    def outputs(self) -> tuple[Output, ...]:
        """The outputs; a single one is `output`."""
        foreign, found = self.foreign, []
        for name, node in foreign.outputs.items():
            if node in self.known:
                only = len(foreign.outputs) == 1
                found.append(Output("output" if only else legal_name(name) or "output", self.known[node]))
            elif not self.problems:
                self.problems.append(Problem(f"the output {name[:60]!r} is {node[:60]!r}, which is not there"))
        if not found and not self.problems:
            self.problems.append(Problem(f"{foreign.name} has no outputs"))
        return tuple(found)


def _unexplained(foreign: ForeignNetwork, layers: Iterable[ShapedLayer]) -> list[str]:
    """A note where the arrays of the layers have not as many values as those that the reader gave them."""
    if foreign.held is None:
        return []
    sizes: dict[int, int] = {}
    total = 0
    for layer in layers:
        if layer.layer.weights_of is None:
            if layer.key not in sizes:
                sizes[layer.key] = sum(math.prod(param.shape) for param in layer.op.param_shapes(layer.inputs))
            total += sizes[layer.key]
    if total == foreign.held:
        return []
    return [
        f"the layers have {total:,} parameters and buffers, and the arrays that were read for them {foreign.held:,} "
        "values: the counts of some layers are not those of the file"
    ]


def _for_its_inputs(shaped: ShapedLayer) -> Layer:
    """The layer; an opaque one takes only what it reads now, for which its output is known."""
    layer = shaped.layer
    if not isinstance(layer.op, Opaque):
        return layer
    return layer._replace(op=layer.op.model_copy(update={"reads": shaped.inputs}))


def _on_inputs(foreign: ForeignNetwork, again: ReadAgain | None, shapes: Mapping[str, Shape]) -> LayerGraph:
    """The network on other inputs, or the same where they are those that it has."""
    wanted = dict(zip(foreign.inputs, shapes.values(), strict=True))
    if wanted == dict(foreign.inputs):
        return to_network(foreign, again)
    if again is None:
        raise UsageError(f"{foreign.name} holds the sizes that it was made with; its input cannot be another")
    return to_network(again(wanted), again)


def _location(node: ForeignNode) -> Location | None:
    """Where a node stands, for errors."""
    return Location(node.place, 0, 0) if node.place else None


def legal_name(name: str) -> str:
    """A name as specs allow it: printable, without braces, and no blanks or nothing between the slashes."""
    printable = "".join(letter if letter.isprintable() else "_" for letter in name).translate(_BRACES)
    parts = [part.strip()[:LONGEST_NAME].strip() for part in printable.split("/")]
    return "/".join(part for part in parts if part)[-LONGEST_PATH:].strip("/ ")


def _names(foreign: ForeignNetwork) -> dict[str, str]:
    """The legal and unique name of every input and node. A single input is `input`.

    A layer that is named as a block goes into that block: `stage` next to `stage/conv` becomes `stage/add`. An input is
    in no block: it becomes `stage_input`.
    """
    wanted = {name: legal_name(name).replace("/", "_") or "input" for name in foreign.inputs}
    if len(wanted) == 1:
        wanted = dict.fromkeys(wanted, "input")
    stems = dict.fromkeys(wanted, "input")
    for node in foreign.nodes:
        if node.name in wanted:
            raise SpecError([Problem(f"two layers are named {node.name[:200]!r}", _location(node))])
        stems[node.name] = OPS[node.op].stem if node.op in OPS else "layer"
        wanted[node.name] = legal_name(node.name) or stems[node.name]
    blocks = {name[:end] for name in wanted.values() for end, letter in enumerate(name) if letter == "/"}
    taken: set[str] = set()
    counts: dict[str, int] = {}
    for given, name in wanted.items():
        inner = f"{name}_input" if given in foreign.inputs else f"{name}/{stems[given]}"
        free = found = inner if name in blocks else name
        while found in taken or found in blocks:
            counts[free] = counts.get(free, 1) + 1
            found = f"{free}_{counts[free]}"
        taken.add(found)
        wanted[given] = found
    return wanted
