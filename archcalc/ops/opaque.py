"""A layer of which only the shape and the number of parameters are known."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer

from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.language import say, with_value
from archcalc.core.shapes import Shape, format_shape, parse_shape, spec_shape
from archcalc.ops.base import UNKNOWN, Letter, Op, Param, Reads
from archcalc.ops.reshape import MapShape

#: Far above any layer, and small enough to be written and added up.
_MOST_PARAMS = 10**15
_MOST_MULTIPLICATIONS = 10**21


def _as_shapes(value: Any) -> Any:
    """The shapes of a size, or of a list of sizes."""
    sizes = value if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(size, (str, int)) for size in sizes):
        return value
    try:
        return tuple([parse_shape(str(size)) for size in sizes])
    except UsageError as error:
        raise ValueError(str(error)) from error


def _written(shapes: tuple[Shape, ...] | None) -> Any:
    sizes = [spec_shape(shape) for shape in shapes or ()]
    return sizes[0] if len(sizes) == 1 else sizes or None


class Opaque(Op):
    """What archcalc does not have, as in a model file: its output and parameters are known, its cost is not counted.

    `of` names what it is there. With `multiplications`, 0 of a choice or a sort, totals of multiplications are exact;
    its other operations are not counted all the same. With `reads`, the shapes that it was made for, it takes no
    others.
    """

    kind = "opaque"
    stem = "opaque"
    noun = "opaque"
    family = "opaque"
    saves = None
    most_inputs = 1024

    of: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^{}\x00-\x1f\x7f]+$")]
    shape: MapShape
    params: Annotated[int, Field(strict=True, ge=0, le=_MOST_PARAMS), Letter("P", "parameters, as given")] = 0
    multiplications: Annotated[int, Field(strict=True, ge=0, le=_MOST_MULTIPLICATIONS)] | None = None
    reads: Annotated[
        tuple[Shape, ...] | None,
        BeforeValidator(_as_shapes, json_schema_input_type=str | int | list[str | int]),
        PlainSerializer(_written),
    ] = None

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if strict:
            raise ShapeError(f"what {self.of} costs cannot be counted")
        if self.reads is not None and tuple(inputs) != self.reads:
            raise ShapeError(
                f"what {self.of} gives is known only for the inputs that it was made for",
                f"made for {_listed(self.reads)}, here are {_listed(inputs)}",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    @property
    def may_have_arrays(self) -> bool:
        return self.params > 0

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("values", (self.params,)),) if self.params else ()

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        return self.multiplications

    def operations(self, inputs: Sequence[Shape], output: Shape) -> None:
        return None

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (UNKNOWN,) * len(inputs)

    @property
    def not_counted(self) -> str:
        return self.of if self.multiplications is None else ""

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, self.of)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [say("cost not counted")] if self.multiplications is None else []


def _listed(shapes: Sequence[Shape]) -> str:
    return ", ".join(format_shape(shape) for shape in shapes)
