"""Ops that leave the values as they are: the input, and the same values under another name or shape."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from archcalc.core.errors import ShapeError, UsageError
from archcalc.core.language import say
from archcalc.core.shapes import AXES, Shape, format_shape, parse_shape, spec_shape
from archcalc.ops.base import (
    POINTS,
    REORDERED,
    Margin,
    Op,
    Pointwise,
    Reads,
    elements,
    names,
)


class Input(Pointwise):
    """The network's input; it stores the image."""

    saves = ()
    kind = "input"
    stem = "input"
    noun = "input"
    words = names(
        "input|image|data|in|input image|вход|изображение|входное изображение|entrada|imagen|imagem|eingabe|"
        "entrée|bild|输入|入力|קלט|մուտք"
    )
    family = "input"
    is_input = True
    fewest_inputs = 0
    most_inputs = 0

    shape: tuple[int, ...]

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return ""


class Identity(Pointwise):
    """The input itself, under another name."""

    saves = ()
    kind = "identity"
    stem = "identity"
    noun = "identity"
    words = names("identity|shortcut|skip|skip connection|тождество|тождественный")
    family = "shape"
    in_place = True
    is_view = True


class Flatten(Pointwise):
    """All values in one row, channel by channel."""

    saves = ()
    kind = "flatten"
    stem = "flatten"
    noun = "flatten"
    words = names(
        "flatten|reshape|view|flat|vectorize|unroll|выпрямление|развёртка|развертка|вектор|aplanar|"
        "aplanamiento|aplanado|achatar|achatamento|aplatir|aplatissement|abflachen|abflachung|glätten|展平|平坦化|フラット化|"
        "שיטוח|הרחבה לשטוח"
    )
    family = "shape"
    in_place = True
    is_view = True

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (elements(inputs[0]),)

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return Identity()


def as_shape(value: Any) -> Any:
    """A shape as text, 7x7x512, or as a number; other values as they are. Raises `ValueError` for what is none."""
    if isinstance(value, int):
        return (value,)
    if isinstance(value, list):
        raise ValueError("should be written positions×channels, as in 7x7x512 or 49x512, or a number")
    if isinstance(value, tuple) and not 1 <= len(value) <= len(AXES):
        raise ValueError(f"a shape has channels and at most {len(AXES) - 1} position axes")
    if isinstance(value, str):
        try:
            return parse_shape(value)
        except UsageError as error:
            raise ValueError(str(error)) from error
    return value


#: A shape of a setting: `height×width×channels` in specs, a number if it is flat.
MapShape = Annotated[
    tuple[Margin, ...], BeforeValidator(as_shape, json_schema_input_type=str | int), PlainSerializer(spec_shape)
]


class Reshape(Pointwise):
    """The same values in the same order under another shape: `height×width×channels`, a number if it is flat."""

    saves = ()
    kind = "reshape"
    stem = "reshape"
    noun = "reshape"
    words = names("reshape|view")
    family = "shape"
    in_place = True
    is_view = True

    shape: MapShape

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if elements(inputs[0]) != elements(self.shape):
            raise ShapeError(
                "the number of values changes",
                f"input {format_shape(inputs[0])} has {elements(inputs[0]):,} values, "
                f"{format_shape(self.shape)} has {elements(self.shape):,}",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return None

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [say("to {size}", size=format_shape(self.shape))]

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        # A flat map keeps what its values saw.
        return (POINTS if len(self.shape) == 1 or self.shape == inputs[0] else REORDERED,)
