"""The layer graph: plain nodes in topological order, which is all that the passes need."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from archcalc.core.errors import Location, UsageError
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import listed
from archcalc.graph.inputs import InputShapes, given_inputs
from archcalc.ops.base import Op

if TYPE_CHECKING:
    from archcalc.graph.published import Paper, Reported


class Call(NamedTuple):
    """How the code of a network calls what a layer is: tools count a module otherwise than a function.

    `function` is its name; `way` says what it is: a "function" of Python as most of torch.nn.functional, a "builtin"
    as `torch.matmul`, or a "method" of a tensor, as which operators such as `@` count. `module` is the class of the
    module that calls it, `base` the class of PyTorch that this one is made of; `inner`: it has other modules in it.
    `within` are the classes of the modules that this one is in. `leading` is the size of the first axis of what it
    gives, which is the batch for most tools. `steps` are the calls of a layer that several operations are; its own way
    is then "steps". `overload` is the form of PyTorch's operation: that of a convolution whose padding is a word, as
    "same", is "padding".
    """

    function: str
    way: str
    module: str = ""
    base: str = ""
    inner: bool = False
    within: tuple[str, ...] = ()
    leading: int = 1
    steps: tuple[Call, ...] = ()
    overload: str = ""

    @property
    def by_module(self) -> bool:
        """Whether a layer of PyTorch itself calls it, not a class of somebody else."""
        return self.module.startswith("torch.nn.modules.") and not self.inner


class Layer(NamedTuple):
    """A node: its full name (`stage2/block1/conv2`), its op, and the indices of the layers that it reads.

    `weights_of`: the index of the earlier layer whose arrays it uses; that one owns them. None: it has its own.
    `frozen`: its parameters are not trained. `call`: how code calls it, where the network comes of code. `masked`: it
    skips some of what it reads, so that it cannot be executed.
    Layers are equal where all of this is; where one was written, how it is called and a mask make no difference.

    >>> import archcalc as ac
    >>> layer = ac.load("alexnet").layers[1]
    >>> layer.name, layer.op.out_channels, layer.inputs
    ('conv1', 96, (0,))

    """

    name: str
    op: Op
    inputs: tuple[int, ...]
    weights_of: int | None = None
    location: Location | None = None
    frozen: bool = False
    call: Call | None = None
    masked: bool = False

    def _compared(self) -> tuple[Any, ...]:
        return (*self[:4], self.frozen)

    def __eq__(self, other: object) -> bool:
        return self._compared() == other._compared() if isinstance(other, Layer) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return self._compared() != other._compared() if isinstance(other, Layer) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._compared())


class Output(NamedTuple):
    """An output of the network, the weight of its loss, and whether it is there for the training alone."""

    name: str
    layer: int
    loss_weight: float = 1.0
    training_only: bool = False


class FileNode(NamedTuple):
    """A node of a model file as it stands there: its operation, the shapes with the batch, and its settings.

    What is left out has no shape.
    """

    op: str
    inputs: tuple[Shape | None, ...]
    outputs: tuple[Shape | None, ...]
    settings: Mapping[str, Any]


class Written(NamedTuple):
    """How a model file writes the layers: the nodes of each by its name, for a batch of so many images.

    It holds for these layers only. A layer that is not there has no node of its own. `repeated`: how many values more
    than the file they have, because several have an array that it holds once.
    """

    layers: tuple[Layer, ...]
    nodes: Mapping[str, tuple[FileNode, ...]]
    images: int = 1
    repeated: int = 0


class Recipe(NamedTuple):
    """How layers that depend on the size of the input are made again for another; it holds for these layers only."""

    layers: tuple[Layer, ...]
    make: Callable[[Mapping[str, Shape]], LayerGraph]


@dataclass(frozen=True)
class LayerGraph:
    """A network, expanded. The inputs are the first layers; every layer reads only earlier ones.

    Two graphs are equal where everything is that they know, the published facts included.

    >>> import archcalc as ac
    >>> net = ac.load("lenet5")
    >>> isinstance(net, ac.LayerGraph), [layer.name for layer in net.layers][:3], net.year
    (True, ['input', 'C1', 'sigmoid1'], 1998)

    """

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
    #: A hash need not tell graphs apart by what has none of its own.
    paper: Paper | None = field(default=None, hash=False)
    follows: tuple[str, ...] = ()
    reported: tuple[Reported, ...] = field(default=(), hash=False)
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    #: What the notation of the network leaves unsaid; reports print it.
    notes: tuple[str, ...] = field(default=(), compare=False)
    #: Where the layers depend on the size of the input; None where they do not.
    recipe: Recipe | None = field(default=None, compare=False, repr=False)
    #: Weights that came with a model file: for a layer by its name, each array by its name, read when it is called.
    arrays: Mapping[str, Mapping[str, Callable[[], Any]]] = field(default_factory=dict, compare=False, repr=False)

    #: Parameters of a module that inference does not use, and that are in no layer: how many, by its part.
    unused: Mapping[str, int] = field(default_factory=dict, compare=False)
    #: How the file of the network writes its layers; None where there is none, or no tool looks at it.
    written: Written | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        # A network that belongs to no family is the only member of its own.
        titles = self.title or self.family_title, self.family_title or self.title
        for name, value in zip(("family", "title", "family_title"), (self.family or self.name, *titles), strict=True):
            object.__setattr__(self, name, value)

    @property
    def input_shape(self) -> Shape:
        """The shape of the first input, of most networks the only one."""
        return self.layers[0].op.output_shape(())

    @cached_property
    def inputs(self) -> Mapping[str, Shape]:
        """The shape of each input by its name; the inputs are the first layers."""
        return {layer.name: layer.op.output_shape(()) for layer in self.layers if layer.op.is_input}

    def only_input(self, what: str) -> Shape:
        """The shape of the input. Raises `UsageError` where there are several, which `what` cannot do."""
        if len(self.inputs) > 1:
            raise UsageError(f"{what} needs a network of one input; {self.name} has {listed(list(self.inputs))}")
        return self.input_shape

    def inputs_in_words(self, layout: str = "hwc") -> str:
        """224×224×3; of several inputs image 224×224×3, mask 224×224×1."""
        if len(self.inputs) == 1:
            return format_shape(self.input_shape, layout)
        return ", ".join(f"{name} {format_shape(shape, layout)}" for name, shape in self.inputs.items())

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each layer by its name."""
        return {layer.name: position for position, layer in enumerate(self.layers)}

    def owner(self, layer: Layer) -> Layer:
        """The layer that owns the arrays which a layer uses: itself, unless it shares those of an earlier one."""
        return layer if layer.weights_of is None else self.layers[layer.weights_of]

    def read_by(self, place: int) -> set[int]:
        """The indices of a layer and of all that it depends on."""
        found, waiting = {place}, [place]
        while waiting:
            for source in self.layers[waiting.pop()].inputs:
                if source not in found:
                    found.add(source)
                    waiting.append(source)
        return found

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def with_input(self, given: InputShapes) -> Self:
        """The same layers on another input, or those that the network has there.

        Of several inputs, those that are given by name; a shape alone sets the positions of all that have those of
        the first, each with its own channels. Raises `UsageError` for an input that the network does not have, and
        `SpecError` where there is no such network: its layers depend on a size that this input does not have.
        """
        from dataclasses import replace

        from archcalc.ops.reshape import Input

        shapes = self._shapes_of(given)
        if self.recipe is not None and self.recipe.layers is self.layers:
            made = self.recipe.make(shapes)
            return replace(self, layers=made.layers, outputs=made.outputs, recipe=made.recipe)
        layers = tuple(
            layer._replace(op=Input(shape=shapes[layer.name])) if layer.name in shapes else layer
            for layer in self.layers
        )
        return replace(self, layers=layers)

    def _shapes_of(self, given: InputShapes) -> Mapping[str, Shape]:
        """The shapes of all inputs, with those that are given."""
        if isinstance(given, Mapping):
            return {**self.inputs, **given_inputs(self.name, self.inputs, given)}
        first, own = given, self.input_shape[1:]
        others = {name: (shape[0], *first[1:]) if shape[1:] == own else shape for name, shape in self.inputs.items()}
        return {**others, self.layers[0].name: first}
