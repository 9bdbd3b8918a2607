"""Trained values that a map is scaled by, that are added to it or put before it, and tables of embeddings."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from archcalc.core.errors import ShapeError
from archcalc.core.language import say, with_value
from archcalc.core.numbers import Number, minimum
from archcalc.core.shapes import Shape, format_shape, spec_shape
from archcalc.core.words import several
from archcalc.ops.base import (
    EVERYTHING,
    NO_OPERATIONS,
    POINTS,
    VALUES,
    Count,
    Letter,
    Op,
    Operations,
    Param,
    Pointwise,
    Reads,
    Size,
    Spans,
    WithoutWeights,
    elements,
    names,
)
from archcalc.ops.reshape import as_shape


class Parameter(Op):
    """A trained array as a map of its own, which others add, multiply or concatenate; it reads nothing.

    It is the same for every image of a batch, and stores nothing besides its parameters. With `buffer` it is fixed and
    kept next to the parameters, as a mask or a table of indices. Source: PyTorch, `Parameter` and `register_buffer`.
    """

    kind = "parameter"
    stem = "parameter"
    noun = "parameter"
    words = names(
        "free parameter|trained array|learned parameter|learnable parameter|query embedding|параметр|可学习参数"
    )
    family = "parameter"
    in_place = True
    is_view = True
    fewest_inputs = 0
    most_inputs = 0
    stored_channels_last = True

    shape: Annotated[
        tuple[Size, ...], BeforeValidator(as_shape, json_schema_input_type=str | int), PlainSerializer(spec_shape)
    ]
    buffer: bool = False

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.shape

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("weight", self.shape, trainable=not self.buffer, buffer=self.buffer),)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        return 0

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return NO_OPERATIONS

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return ()

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("buffer") if self.buffer else say("parameter")


class Scale(Pointwise):
    """Each channel times a trained factor, and with `bias` plus a trained number. With `frozen: true` they are fixed.

    Source: Caffe, `Scale`; as layer scale Touvron et al. 2021 (Going deeper with image transformers), section 2.
    """

    kind = "scale"
    stem = "scale"
    noun = "scale"
    words = names("layer scale|layerscale|channel scale|affine channels|gamma|масштаб|масштабирование|escala|échelle")
    family = "normalisation"
    unit = "channel"

    bias: bool = False

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        channels = inputs[0][:1]
        return (Param("weight", channels), Param("bias", channels))[: 1 + self.bias]

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        values = elements(output)
        return Operations(additions=int(self.bias) * values, multiplications=values)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("scale and shift") if self.bias else say("scale")


class PositionEmbedding(Pointwise):
    """Adds a trained value to each value of the map. Source: Dosovitskiy et al. 2020, equation 1."""

    saves = ()
    stored_channels_last = True
    kind = "position_embedding"
    stem = "positions"
    noun = "position embedding"
    words = names(
        "positional embedding|positional encoding|pos embed|pos embedding|pos encoding|pos enc|"
        "позиционное кодирование|位置编码"
    )
    family = "parameter"

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("weight", inputs[0]),)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(additions=elements(output))

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: every position has values of its own."""


class ClassToken(Pointwise):
    """Puts trained tokens before a row of tokens. Source: Devlin et al. 2018, section 3; Dosovitskiy et al. 2020."""

    saves = ()
    stored_channels_last = True
    kind = "class_token"
    stem = "token"
    noun = "class token"
    words = names("cls token|cls|classification token|register tokens|distillation token|токен класса|类别标记")
    family = "parameter"

    num_tokens: Annotated[Count, Letter("n", "tokens put before")] = 1

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if len(inputs[0]) != 2:
            raise ShapeError(
                "needs a row of tokens", f"input {format_shape(inputs[0])}; tokens makes a row of positions"
            )

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("weight", (inputs[0][0], self.num_tokens)),)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], inputs[0][1] + self.num_tokens)

    def sliding(self, inputs: Sequence[Shape]) -> None:
        """None: they come before the whole row."""

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        # A token that was put before the row reads nothing.
        own = [(0, -1)] * int(self.num_tokens)
        return ((Spans((*own, *((index, index) for index in range(inputs[0][1])))),),)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("class token") if self.num_tokens == 1 else several(self.num_tokens, "class token")


class Embedding(Op):
    """For each number the row of a table with this number: T numbers, flat or as one channel, become (features, T).

    A number beyond the table counts on from its start, so that any input can be tried. Source: PyTorch, `Embedding`.
    """

    kind = "embedding"
    stem = "embedding"
    noun = "embedding"
    words = names("embed|token embedding|word embedding|lookup|lookup table|эмбеддинг|incrustación|嵌入|埋め込み")
    family = "parameter"
    shares_with = "dense"

    num_embeddings: Annotated[Count, Letter("R", "rows of the table")]
    embedding_dim: Annotated[Count, Letter("E", "features")]

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if len(inputs[0]) > 1 and inputs[0][0] != 1:
            sizes = inputs[0][1:]
            fits = format_shape(sizes if len(sizes) == 1 else (1, *sizes))
            raise ShapeError(
                "needs one number for each position",
                f"input {format_shape(inputs[0])} has {inputs[0][0]} channels",
                f"it fits with input: {fits.replace('×', 'x')}, whose values are the numbers of the rows",
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.embedding_dim, *(inputs[0][1:] or inputs[0]))

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return (Param("weight", (self.num_embeddings, self.embedding_dim)),)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        return 0

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations()

    def params_read(self, output: Shape, batch: Number, owned: Number) -> Number:
        # The rows that are looked up, if they all differ, and never more than the table has.
        return minimum(elements(output) * batch, owned)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return (POINTS,) if len(inputs[0]) > 1 else (VALUES,)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"{self.num_embeddings} → {self.embedding_dim}")


class IndexSelect(WithoutWeights):
    """Positions of a row by their numbers: of a map (C, R) and T numbers, flat or as one channel, the map (C, T).

    It reads what other layers compute, where `embedding` has a table of its own: the biases of relative positions, for
    example. A number beyond the row counts on from its start. Source: PyTorch, `index_select`; ONNX, `Gather`; Liu et
    al. 2021 (Swin transformer), section 3.2.
    """

    kind = "index_select"
    stem = "rows"
    noun = "index select"
    words = names("gather|gather rows|select rows|выборка по индексу|按索引取")
    family = "merge"
    fewest_inputs = 2
    most_inputs = 2

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if len(inputs[0]) != 2:
            raise ShapeError(
                "needs a row of positions", f"input {format_shape(inputs[0])}; tokens makes a row of positions"
            )
        if len(inputs[1]) > 1 and inputs[1][0] != 1:
            raise ShapeError("needs one number for each position", f"second input {format_shape(inputs[1])}")

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[0][0], *(inputs[1][1:] or inputs[1]))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return NO_OPERATIONS

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        # Any position of the row may be asked for; the numbers of a flat input have no positions to follow.
        return (EVERYTHING, POINTS if len(inputs[1]) > 1 else EVERYTHING)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("index select")
