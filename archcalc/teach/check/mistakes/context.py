"""A layer among its neighbours: what a slip could have taken from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from archcalc.core.language import say
from archcalc.core.shapes import Shape
from archcalc.explain.derive.lift import AXIS_NAMES, SymbolicLayer, lift
from archcalc.ops.base import Op
from archcalc.ops.windowed import Windowed
from archcalc.passes.analysis import Analysis, Row, row_of
from archcalc.teach.check.mistakes.base import MistakenSize
from archcalc.teach.check.mistakes.followed import Followed
from archcalc.teach.check.numbering import is_depthwise

#: Families that move maps along as they are; a person names the layer before them.
_PASSING = ("activation", "regularisation", "normalisation")
#: Kernels and strides that people choose.
KERNELS = (1, 2, 3, 5, 7, 11)
#: The largest that is taken for any other, by the number of axes.
LARGEST_KERNEL = {1: 7, 2: 11, 3: 5}
STRIDES = (1, 2, 3, 4)
#: Numbers of classes that people calculate with; 1001 has one for the background.
CLASSES = (10, 100, 1000, 1001)
MOST_DEPTHS = 24
#: Rows with a student's sizes that are kept.
_MOST_CONTEXTS = 1000
#: Changed outputs that are kept with what they change.
_MOST_FOLLOWED = 2000


class Borrowed(NamedTuple):
    """A number that belongs to another layer: `whose` says it in words, `far` counts layers in between."""

    value: int
    whose: str
    far: int


class NetworkContext:
    """An analysis with what is asked of it again and again."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.rows = analysis.rows
        self.position = {row.name: index for index, row in enumerate(analysis.rows)}
        self._contexts: dict[tuple[object, ...], LayerContext] = {}
        #: The layers of the other variants of the network by their names, once they were asked for.
        self.variants: dict[str, dict[str, Row]] = {}
        #: The layers of the network with other parameters, by these.
        self.altered: dict[tuple[tuple[str, int], ...], Mapping[str, Row]] = {}
        #: Receptive fields with a mistake in every layer, by what counts.
        self.walks: dict[tuple[bool, bool, str], Mapping[str, tuple[int, ...]]] = {}
        self._followed: dict[tuple[str, Shape], Followed] = {}
        #: Layers with weights that multiply: those a student fills in.
        self.weighted = tuple([row for row in analysis.rows if row.multiplications])

    def context(self, row: Row) -> LayerContext:
        """The row among its neighbours; of equal rows it is made once."""
        key = (row.name, row.input_shapes, row.output_shape, row.receptive_field, row.weights_of)
        if key not in self._contexts:
            if len(self._contexts) >= _MOST_CONTEXTS + len(self.rows):
                self._contexts.clear()
            self._contexts[key] = LayerContext(self, row)
        return self._contexts[key]

    def followed(self, row: Row, output: Shape) -> Followed:
        """What follows when a layer gives this output; of equal outputs it is worked out once."""
        key = (row.name, output)
        if key not in self._followed:
            if len(self._followed) >= _MOST_FOLLOWED:
                self._followed.clear()
            self._followed[key] = Followed(self.analysis, self.position, row, output)
        return self._followed[key]

    def maker(self, name: str) -> Row:
        """The layer whose output this is, seen through layers that change no shape."""
        row = self.analysis[name]
        while row.op.family in _PASSING and len(row.inputs) == 1 and row.output_shape == row.input_shapes[0]:
            row = self.analysis[row.inputs[0]]
        return row

    def whose_map(self, name: str) -> str:
        """conv1's map, or the network's input."""
        maker = self.maker(name)
        return say("{layer}'s map", layer=maker.name) if maker.inputs else say("the network's input")

    @cached_property
    def kernels(self) -> dict[int, str]:
        """Kernel sizes of the network, each with the first layer that has it."""
        found: dict[int, str] = {}
        for row in self.weighted:
            for size in getattr(row.op, "kernel_size", ()):
                found.setdefault(size, row.name)
        return found

    @cached_property
    def strides(self) -> dict[int, str]:
        """Strides of the network, each with the first layer that has it."""
        found: dict[int, str] = {}
        for row in self.rows:
            stride = getattr(row.op, "stride", None)
            for size in stride or ():
                found.setdefault(size, row.name)
        return found

    def readers(self, name: str) -> list[Row]:
        """The layers that read this one's output, seen through layers that change no shape."""
        return self._readers.get(name, [])

    @cached_property
    def _readers(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            for source in row.inputs[:1]:
                found.setdefault(self.maker(source).name, []).append(row)
        return found

    def partners(self, name: str) -> list[Row]:
        """Of a depthwise convolution the 1×1 convolution after it, and the other way round."""
        own = self.analysis[name]
        before = [self.maker(source) for source in own.inputs[:1]]
        found = [(own, row) for row in self.readers(name)] + [(row, own) for row in before]
        pairs = [pair for pair in found if is_depthwise(pair[0]) and set(getattr(pair[1].op, "kernel_size", ())) == {1}]
        return [second if first is own else first for first, second in pairs if second.weights_of is None]

    def nearest(self, name: str) -> Iterator[tuple[int, Row]]:
        """The layers with weights, nearest first, and how many layers with weights lie between."""
        here = self.position[name]
        before = [row for row in self.weighted if self.position[row.name] < here][::-1]
        after = [row for row in self.weighted if self.position[row.name] > here]
        for far in range(max(len(before), len(after))):
            if far < len(before):
                yield far, before[far]
            if far < len(after):
                yield far, after[far]

    @cached_property
    def _alike(self) -> dict[tuple[object, ...], list[str]]:
        found: dict[tuple[object, ...], list[str]] = {}
        for row in self.rows:
            found.setdefault(_size(row), []).append(row.name)
        return found

    def alike(self, name: str) -> list[str]:
        """The layers of the very size of this one, itself among them."""
        return self._alike[_size(self.analysis[name])]

    def depths(self, name: str) -> list[Borrowed]:
        """Numbers of channels elsewhere in the network, the nearest first, each once."""
        found: dict[int, Borrowed] = {}
        own = self.analysis[name]
        if len(own.output_shape) > 1 and own.multiplications:
            found[own.output_shape[0]] = Borrowed(
                own.output_shape[0], say("{name}'s own number of filters", name=name), 1
            )
        for far, row in self.nearest(name):
            for shape, what in (
                (row.input_shapes[0], say("input depth")),
                (row.output_shape, say("number of filters")),
            ):
                if len(shape) > 1:
                    # What comes later is known later.
                    distance = far + 5 * (self.position[row.name] > self.position[name] and far > 0)
                    found.setdefault(
                        shape[0], Borrowed(shape[0], say("{layer}'s {what}", layer=row.name, what=what), distance)
                    )
        first = self.rows[0].output_shape
        if len(first) > 1:
            # What the layers before read is rather the network's input where it has that depth.
            other = found.get(first[0])
            far = min(other.far, 6) if other is not None else 6
            is_own = other is not None and first[0] == own.output_shape[0]
            if not is_own:
                found[first[0]] = Borrowed(first[0], say("the depth of the network's input"), far)
        for source in own.inputs:
            # Of maps that are stacked or added, one alone.
            for inner in self.maker(source).inputs if self.maker(source).op.family == "merge" else ():
                shape = self.analysis[inner].output_shape
                if len(shape) > 1:
                    found.setdefault(shape[0], Borrowed(shape[0], say("the depth of {inner}", inner=inner), 1))
        return sorted(found.values(), key=lambda one: one.far)[:MOST_DEPTHS]


def _size(row: Row) -> tuple[object, ...]:
    return (row.op.kind, row.input_shapes, row.output_shape, row.params)


class LayerContext:
    """A row with its rules lifted to symbols; `same` padding as the pixels that it comes to."""

    def __init__(self, network: NetworkContext, row: Row) -> None:
        self.network = network
        self.row = row
        self.name = row.name
        self.op = row.op
        self.inputs: tuple[Shape, ...] = row.input_shapes
        #: What mistakes with the sides of the map lead to, once it was looked for.
        self.sizes: list[MistakenSize] | None = None

    def as_owner(self) -> LayerContext:
        """The same layer as if the weights that it uses were its own."""
        analysis, row = self.network.analysis, self.row
        index = self.network.position[self.name]
        own = row_of(analysis, index, self.inputs, row.output_shape, self.op, row.receptive_field, owner=True)
        return self.network.context(own)

    @cached_property
    def plain(self) -> Op:
        op = self.op
        if isinstance(op, Windowed) and isinstance(op.padding, str):
            return op.model_copy(update={"padding": op.sides(self.inputs[0])})
        return op

    @property
    def is_same(self) -> bool:
        return self.plain is not self.op

    @cached_property
    def lifted(self) -> SymbolicLayer:
        return lift(self.plain, self.inputs, self.row.output_shape)

    @cached_property
    def kernel(self) -> tuple[int, ...] | None:
        """The window of a layer, a size for each axis."""
        return tuple(getattr(self.op, "kernel_size", ())) or None

    def kernels_taken(self) -> set[int]:
        """Sizes of windows that people take for that of this layer: those of the network, and usual ones near it."""
        own = max(self.kernel or (1,))
        usual = {size for size in KERNELS if size <= LARGEST_KERNEL.get(len(self.kernel or ()), 0) or size <= own + 2}
        return usual | {*self.network.kernels}

    @cached_property
    def axes(self) -> tuple[str, ...]:
        """The letters of the position axes of what is read: H and W of an image."""
        return tuple([name.letter for name in AXIS_NAMES[len(self.inputs[0]) - 1][1:]])

    @cached_property
    def depth_letter(self) -> str:
        """The letter of the channels of what is read: D₁ of an image, else C₁."""
        return f"{AXIS_NAMES[len(self.inputs[0]) - 1][0].letter}₁"

    @cached_property
    def source(self) -> str:
        """The layer that is read, as a person names it."""
        return self.network.maker(self.row.inputs[0]).name if self.row.inputs else ""

    @property
    def depth(self) -> int:
        return self.inputs[0][0] if self.inputs else 0

    def reads(self) -> str:
        """conv4 reads conv3's output, which is 384 deep."""
        if len(self.inputs[0]) == 1:
            return say(
                "{layer} reads {source}'s {inputs:,} values.",
                layer=self.name,
                source=self.source,
                inputs=self.inputs[0][0],
            )
        if not self.network.position.get(self.source, 0):
            return say("{layer} reads the network's input, which is {depth} deep.", layer=self.name, depth=self.depth)
        return say(
            "{layer} reads {source}'s output, which is {depth} deep.",
            layer=self.name,
            source=self.source,
            depth=self.depth,
        )
