"""What an op is: its fields, and the rules that the passes ask it for."""

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, field_validator

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import AXES, LARGEST_SIZE, Shape, axes_in_words, format_shape
from archcalc.ops import rules

Count = Annotated[int, Field(strict=True, ge=1, le=1 << 30)]
Size = Annotated[int, Field(strict=True, ge=1, le=LARGEST_SIZE)]
Margin = Annotated[int, Field(strict=True, ge=0, le=LARGEST_SIZE)]
#: A number that may be a decimal; true and false are none.
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
#: One number for each position axis; in specs one for all of them, or [height, width]. See `Spatial`.
Sizes = tuple[Size, ...]
Margins = tuple[Margin, ...]


@dataclass(frozen=True)
class Letter:
    """How derivations write a field: its letter and what it means. Stands in the field's annotation.

    A field whose value is `plain` stays a number: a dilation of 1 is not written.
    """

    text: str
    meaning: str
    plain: int | None = None


class Param(NamedTuple):
    """An array that a layer owns. Buffers (running statistics) are kept by frameworks next to the parameters."""

    name: str
    shape: Shape
    trainable: bool = True
    buffer: bool = False

    @property
    def is_bias(self) -> bool:
        """Whether it is added: the biases of gates, of projections and of relative positions too."""
        return "bias" in self.name


class Operations(NamedTuple):
    """Scalar operations for one image, by kind; roots and powers count as exponentials."""

    additions: int = 0
    multiplications: int = 0
    comparisons: int = 0
    divisions: int = 0
    exponentials: int = 0


class Window(NamedTuple):
    """What an output position reads along one axis.

    Position o reads every `dilation`-th input from o·stride − before to o·stride − before + size − 1. When
    `transposed`, input i is added to every `dilation`-th output from i·stride − before to i·stride − before + size − 1.
    """

    size: int
    stride: int = 1
    before: int = 0
    transposed: bool = False
    dilation: int = 1


class Spans(NamedTuple):
    """The first and the last input position that each output position reads along one axis.

    Of those in between it reads one in every `step`. With `moves` the spans are those of the first positions, and the
    next as many read the same so many positions further on. Positions outside of the map count as padding.
    """

    spans: tuple[tuple[int, int], ...]
    step: int = 1
    moves: int | None = None

    def at(self, position: int) -> tuple[int, int]:
        """The first and the last input position that one position reads."""
        if self.moves is None:
            return self.spans[position]
        period, phase = divmod(position, len(self.spans))
        first, last = self.spans[phase]
        return first + period * self.moves, last + period * self.moves


@dataclass(frozen=True)
class Turned:
    """The same positions under axes in another order: `to` is the output axis that each input axis becomes.

    Position axes count from 0. None: the axis becomes the channels, so that every position reads all of it.
    """

    to: tuple[int | None, ...]


class MatrixProduct(NamedTuple):
    """A layer as a product of matrices, `count` times: the weights' rows and columns times those of the patches."""

    count: Number
    weights: tuple[Number, Number]
    patches: tuple[Number, Number]


def names(text: str) -> tuple[str, ...]:
    """The parts of "a|b|c"."""
    return tuple(text.split("|"))


#: A copy of an earlier map, cropped and joined with the main path: people call either so.
COPIES = names("copy and crop|crop and copy|copy crop|crop and concat|crop concat|crop and concatenate|copy and concat")

#: A larger map by repeated or interpolated values, whatever its size is said by.
UPSAMPLING = names(
    "upsample|upsampling|up sampling|unsampling|interpolate|resize|nearest upsampling|"
    "bilinear upsampling|апсемплинг|апсэмплинг|повышение разрешения|上采样|アップサンプリング"
)

#: Every output reads every input position: dense layers and global pooling.
EVERYTHING = "everything"
#: The same values in the same order under another shape.
REORDERED = "reordered"
#: What an output position reads of an input along one axis: a window, a span of its own, or everything.
AxisReads = Window | Spans | str
Windows = tuple[AxisReads, ...]
#: The same for all axes; None where only the size of the input matters.
Reads = Windows | Turned | str | None
POINT = Window(1)
#: Every output position reads the same position of the input.
POINTS = "points"
#: Every output position reads one value of a flat map, in its order.
VALUES = "values"
#: What an output position reads is not known.
UNKNOWN = "unknown"
NO_OPERATIONS = Operations()


class Op(BaseModel):
    """A layer's kind and its settings. The names are PyTorch's; the formulas are in `archcalc.ops.rules`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    #: Name in specs and in JSON.
    kind: ClassVar[str]
    #: Stem of the names that are made for layers of this kind: conv1, conv2, …
    stem: ClassVar[str]
    #: Group of kinds that tables and diagrams treat alike.
    family: ClassVar[str]
    #: Another family with which it may share weights, as an embedding with a dense layer.
    shares_with: ClassVar[str] = ""
    #: What diagrams and sentences call it: conv, max pool. Empty: made from the kind.
    noun: ClassVar[str] = ""
    #: What people call it, in lower case, words separated by a space, in any language. `archcalc.ops.called` reads it.
    words: ClassVar[tuple[str, ...]] = ()
    #: What the parameters are shared out over, in a sentence: filter, neuron, channel.
    unit: ClassVar[str] = ""
    #: What a sentence calls the layers whose multiplications count as this one's, besides convolution and dense layers.
    counted_as: ClassVar[str] = ""
    #: True where frameworks overwrite the input, so that nothing new is stored.
    in_place: ClassVar[bool] = False
    #: True where the values stay as they are, only under another shape.
    is_view: ClassVar[bool] = False
    #: True where it is the network's own input, of which receptive fields are measured.
    is_input: ClassVar[bool] = False
    #: True where the layer does something in training only, and makes a new map there.
    only_in_training: ClassVar[bool] = False
    #: What the backward pass reads of the forward pass: "inputs", "output" or both. None: it is not known here.
    saves: ClassVar[tuple[str, ...] | None] = ("inputs",)
    #: The same where the layer overwrites its input; None: it cannot in training.
    saves_in_place: ClassVar[tuple[str, ...] | None] = None
    #: Whether `saved_values` are those of a whole batch.
    saved_for_batch: ClassVar[bool] = False
    #: Whether a second input says how large the result is, and nothing else; specs name it with `like`.
    sized_by_second: ClassVar[bool] = False
    #: Whether PyTorch's models may store its array as 1×positions×channels, where archcalc has the channels first.
    stored_channels_last: ClassVar[bool] = False
    fewest_inputs: ClassVar[int] = 1
    most_inputs: ClassVar[int | None] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "kind" in cls.__dict__ and not cls.noun:
            cls.noun = re.sub("[123]d$", "", cls.kind).replace("_", " ")

    @classmethod
    def letters(cls) -> Mapping[str, Letter]:
        """The letters of the fields that have one; the others are plain numbers in derivations."""
        return {
            name: part
            for name, field in cls.model_fields.items()
            for part in field.metadata
            if isinstance(part, Letter)
        }

    @classmethod
    def with_defaults(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields, with those that are not given but follow from others: a pool's stride is its window."""
        return fields

    def resolve(self, inputs: Sequence[Shape]) -> "Op":
        """The op with every setting that depends on its input filled in."""
        return self

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        """Raise `ShapeError` where the op cannot take these shapes; `strict` also rejects windows that do not tile."""

    @property
    def may_have_arrays(self) -> bool:
        """Whether there are inputs and settings with which it owns arrays."""
        return type(self).param_shapes is not WithoutWeights.param_shapes

    @abstractmethod
    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        """Shape of the output, for inputs that `check` accepts."""

    @abstractmethod
    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        """The arrays that the layer owns."""

    def pytorch_names(self) -> Mapping[str, str]:
        """What PyTorch calls an array within the module, where it is another name."""
        return {}

    @abstractmethod
    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        """Multiplications of convolution and dense layers, one for each multiply-add, without bias; per image.

        None where they cannot be counted: see `not_counted`.
        """

    @abstractmethod
    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations | None:
        """Everything that is calculated, by kind; per image. None where it cannot be counted."""

    @property
    def not_counted(self) -> str:
        """What it is that cannot be counted, for the note under a table; empty where everything is counted."""
        return ""

    @abstractmethod
    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        """For each input: what an output position reads of it."""

    def sliding(self, inputs: Sequence[Shape]) -> "Op | None":
        """The op that does the same around every position of a larger map; None where there is none.

        `inputs` are its own, as (C, 1, 1) where they are flat: a dense layer becomes a convolution as large as its map.
        """
        return None

    def matrix_product(self, inputs: Sequence[Shape], output: Shape) -> MatrixProduct | None:
        """The layer as a matrix product (im2col), where it is one."""
        return None

    def values_read(self, inputs: Sequence[Shape], output: Shape) -> Number:
        """Values of its inputs that it reads, for one image, each once: those that its windows reach."""
        return sum(
            values_reached(shape, reads, output) for shape, reads in zip(inputs, self.windows(inputs), strict=True)
        )

    def params_read(self, output: Shape, batch: Number, owned: Number) -> Number:
        """Values that it reads of those that it owns, once for the batch."""
        return owned

    def saved_parts(self, inputs: Sequence[Shape]) -> tuple[str, ...]:
        """`saves`, for these inputs."""
        return self.saves or ()

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        """Values that are kept for the backward pass besides those of `saves`, for one image: statistics, scales."""
        return 0

    def saved_maps(self, inputs: Sequence[Shape], output: Shape) -> Number:
        """The same for maps inside of the op, which have the type of all maps."""
        return 0

    @property
    def shows_parameters(self) -> bool:
        """Whether its map is an array of its own as it is, which takes no memory besides that of the parameters."""
        return self.is_view and self.most_inputs == 0

    def saved_is_known(self) -> bool:
        """Whether all that it keeps is known, with these settings."""
        return self.saves is not None

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        """The same for what has a size of its own, in bytes: indices of maxima, masks."""
        return 0

    @abstractmethod
    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        """A few words for a table: conv 11×11, 96, /4. Some need the input shapes: depthwise."""

    def describe(self, inputs: Sequence[Shape]) -> str:
        """The op with its sizes, for a heading: 96 filters of 11×11×3."""
        return self.summary(inputs)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        """The settings that a heading adds: stride 4, no padding."""
        return []

    def costs(self, inputs: Sequence[Shape]) -> list[str]:
        """Parts of its multiplications that are counted apart, for a heading. Exercises ask for them."""
        return []


# pydantic evaluates what a base annotates again for each op, though these are no fields: a third of the start-up.
for _name in Op.__class_vars__:
    Op.__annotations__.pop(_name, None)


class WithoutWeights(Op):
    """An op that owns no arrays and makes no multiply-adds."""

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return ()

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        return 0


class Pointwise(WithoutWeights):
    """An op that treats every value by itself: the shape stays, and there are no parameters."""

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return inputs[0]

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return self

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return NO_OPERATIONS

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (POINTS,) * len(inputs)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say(self.kind.replace("_", " "))


#: Fields with one value for each position axis: those that are at least 1, and those that are at least 0.
_SIZES = ("kernel_size", "stride", "dilation", "output_size", "scale", "step")
_MARGINS = ("output_padding", "start")


class Spatial(Op):
    """An op over position axes, `rank` of them: length; height and width; depth, height and width.

    A number for a setting that has one value for each axis stands for all of them.
    """

    rank: ClassVar[int] = 2

    @field_validator(
        *_SIZES, mode="before", check_fields=False, json_schema_input_type=Size | tuple[Size, ...],
    )  # fmt: skip
    @classmethod
    def _sizes_by_axis(cls, value: Any) -> Any:
        return cls.by_axis(value)

    @field_validator(*_MARGINS, mode="before", check_fields=False, json_schema_input_type=Margin | tuple[Margin, ...])
    @classmethod
    def _margins_by_axis(cls, value: Any) -> Any:
        return cls.by_axis(value)

    @classmethod
    def by_axis(cls, value: Any) -> Any:
        """One value for each axis. Raises `ValueError` for another number of values."""
        if value is None:
            return value
        if not isinstance(value, (list, tuple)):
            return (value,) * cls.rank
        if len(value) != cls.rank:
            raise ValueError(f"should be a number{cls.one_for_each_axis()}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema of the fields, in which a list has as many numbers as there are axes."""
        made = handler.resolve_ref_schema(handler(schema))
        for name, field in made.get("properties", {}).items():
            if lengths := cls.list_lengths(name):
                forms = field.pop("anyOf", None) or [{key: field.pop(key) for key in ("type", "items") if key in field}]
                lists = [form for form in forms if form.get("type") == "array"]
                field["anyOf"] = [form for form in forms if form not in lists] + [
                    {**form, "minItems": length, "maxItems": length} for form in lists for length in lengths
                ]
        return made

    @classmethod
    def list_lengths(cls, name: str) -> tuple[int, ...]:
        """How many numbers a list may have that stands for this field; none for a field without lists."""
        return (cls.rank,) if name in _SIZES or name in _MARGINS else ()

    @classmethod
    def one_for_each_axis(cls) -> str:
        """What may stand in place of a number, for messages: `, or [height, width]`."""
        return f", or [{', '.join(AXES[cls.rank])}]" if cls.rank > 1 else ""

    def want_positions(self, shape: Shape) -> None:
        """Raise `ShapeError` unless the shape has as many position axes as the op slides over."""
        has, form = len(shape) - 1, f"{self.rank}d"
        if has == self.rank:
            return
        needs, given = f"needs {axes_in_words(self.rank)} and channels, but its input ", f"input {format_shape(shape)}"
        if has == 0:
            raise ShapeError(needs + "is flat", given + "; a flat map can be given a shape again with reshape")
        fits = [f"it fits with {self.kind.removesuffix(form)}{has}d"] if self.kind.endswith(form) else []
        raise ShapeError(needs + f"has {axes_in_words(has)}", given, *fits)


def elements(shape: Shape) -> Number:
    """Number of values of a shape, in the order of the textbooks: H·W·D."""
    return product((*shape[1:], shape[0])) if shape else 1


def values_reached(shape: Shape, reads: Reads, output: Shape) -> Number:
    """Values of an input that are read at least once; all of them where it is not known which."""
    if reads is None:
        return 0
    if not isinstance(reads, tuple) or not len(reads) == len(shape) - 1 == len(output) - 1:
        return elements(shape)
    axes = zip(shape[1:], reads, output[1:], strict=True)
    return product((shape[0], *(_positions_reached(*axis) for axis in axes)))


def _positions_reached(size: Number, reads: AxisReads, positions: Number) -> Number:
    if isinstance(reads, Window) and not reads.transposed:
        return rules.positions_reached(size, positions, reads.size, reads.stride, reads.before)
    if isinstance(reads, Spans):
        found = end = 0
        for first, last in sorted(map(reads.at, range(int(positions)))):
            found += max(min(last + 1, size) - max(first, end), 0)
            end = max(end, min(last + 1, size))
        return found
    return size


def nearest_divisor(wanted: int, *numbers: int) -> int:
    """The number nearest to the wanted one that divides all of these; the smaller of two.

    >>> nearest_divisor(3, 10), nearest_divisor(4, 12, 18)
    (2, 3)
    """
    common = gcd(*numbers)
    return min(
        (each for each in range(1, min(common, 1 << 16) + 1) if common % each == 0), key=lambda each: abs(each - wanted)
    )


def dividing(words: str, wanted: int, *numbers: int) -> Callable[[], str]:
    """What says which number near to the wanted one divides all of these: `words` with it in their braces."""
    return lambda: words.format(nearest_divisor(wanted, *numbers))


def affine_in_words(scale: bool, shift: bool) -> list[str]:
    """Which of γ and β a normalisation trains; nothing where it trains both."""
    if scale:
        return [] if shift else [say("no β")]
    return [say("no γ")] if shift else [say("no γ and β")]


def by(sizes: Sequence[int]) -> str:
    """11×11 of (11, 11)."""
    return "×".join(map(str, sizes))
