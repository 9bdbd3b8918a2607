"""What an op is: its fields, and the rules that the passes ask it for."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from archcalc.core.errors import ShapeError
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import LARGEST_SIZE, Shape, format_shape


def _as_pair(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value, value)


Count = Annotated[int, Field(strict=True, ge=1, le=1 << 30)]
Size = Annotated[int, Field(strict=True, ge=1, le=LARGEST_SIZE)]
Margin = Annotated[int, Field(strict=True, ge=0, le=LARGEST_SIZE)]
#: A number that may be a decimal; true and false are none.
Real = Annotated[float, Field(strict=True, allow_inf_nan=False)]
#: One number for both axes, or [height, width].
SizePair = Annotated[tuple[Size, Size], BeforeValidator(_as_pair, json_schema_input_type=Size | tuple[Size, Size])]
MarginPair = Annotated[
    tuple[Margin, Margin], BeforeValidator(_as_pair, json_schema_input_type=Margin | tuple[Margin, Margin])
]


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
    `transposed`, it reads every input i whose span i·stride − before … i·stride − before + size − 1 holds o.
    """

    size: int
    stride: int = 1
    before: int = 0
    transposed: bool = False
    dilation: int = 1


class Spans(NamedTuple):
    """The first and the last input position that each output position reads along one axis."""

    spans: tuple[tuple[int, int], ...]


class MatrixProduct(NamedTuple):
    """A layer as a product of matrices, `count` times: the weights' rows and columns times those of the patches."""

    count: Number
    weights: tuple[Number, Number]
    patches: tuple[Number, Number]


def names(text: str) -> tuple[str, ...]:
    """The parts of "a|b|c"."""
    return tuple(text.split("|"))


#: Every output reads every input position: dense layers and global pooling.
EVERYTHING = "everything"
#: The same values in the same order under another shape.
REORDERED = "reordered"
#: What an output position reads of an input along one axis: a window, a span of its own, or everything.
AxisReads = Window | Spans | str
Windows = tuple[AxisReads, ...]
#: The same for all axes; None where only the size of the input matters.
Reads = Windows | str | None
POINT = Window(1)
POINTS: Windows = (POINT, POINT)
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
    #: What diagrams and sentences call it: conv, max pool. Empty: made from the kind.
    noun: ClassVar[str] = ""
    #: What people call it, in lower case, words separated by a space, in any language. `archcalc.ops.called` reads it.
    words: ClassVar[tuple[str, ...]] = ()
    #: What the parameters are shared out over, in a sentence: filter, neuron, channel.
    unit: ClassVar[str] = ""
    #: True where frameworks overwrite the input, so that nothing new is stored.
    in_place: ClassVar[bool] = False
    #: True where the values stay as they are, only under another shape.
    is_view: ClassVar[bool] = False
    fewest_inputs: ClassVar[int] = 1
    most_inputs: ClassVar[int | None] = 1

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "kind" in cls.__dict__ and not cls.noun:
            cls.noun = cls.kind.removesuffix("2d").replace("_", " ")

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

    @abstractmethod
    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        """Multiplications of convolution and dense layers, one for each multiply-add, without bias; per image."""

    @abstractmethod
    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        """Everything that is calculated, by kind; per image."""

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

    @abstractmethod
    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        """A few words for a table: conv 11×11, 96, /4. Some need the input shapes: depthwise."""

    def describe(self, inputs: Sequence[Shape]) -> str:
        """The op with its sizes, for a heading: 96 filters of 11×11×3."""
        return self.summary(inputs)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        """The settings that a heading adds: stride 4, no padding."""
        return []


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
        return self.kind.replace("_", " ")


def want_image(shape: Shape) -> None:
    """Raise `ShapeError` unless the shape has channels, height and width."""
    if len(shape) != 3:
        raise ShapeError(
            "needs height, width and channels, but its input is flat",
            f"input {format_shape(shape)}; a flat map can be given a shape again with reshape",
        )


def elements(shape: Shape) -> Number:
    """Number of values of a shape, in the order of the textbooks: H·W·D."""
    return product((*shape[1:], shape[0])) if shape else 1


def by(pair: tuple[int, int]) -> str:
    """11×11 of (11, 11)."""
    return f"{pair[0]}×{pair[1]}"
