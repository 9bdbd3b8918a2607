"""Attention, and products of two maps. A row of T tokens with C features is the map (C, T).

What these ops multiply with one another counts as multiplications, as in the counts of papers and of fvcore.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import mark, say, say_many
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops import rules
from archcalc.ops.axes import axes_named, by_position, for_each_axis, position_reads, want_each_axis
from archcalc.ops.base import (
    EVERYTHING,
    POINTS,
    Count,
    Letter,
    Margin,
    Op,
    Operations,
    Param,
    Reads,
    Real,
    Size,
    Spans,
    WithoutWeights,
    by,
    dividing,
    elements,
    names,
)

#: What people call any of them.
_ANY = names("attention|внимание|atención|atenção|aufmerksamkeit|注意力|アテンション")


class Product(Op):
    """An op that multiplies maps with one another; `parts` says where its multiplications come from."""

    family = "attention"
    counted_as = "attention (projections, QKᵀ and AV)"

    @abstractmethod
    def parts(self, inputs: Sequence[Shape], output: Shape) -> Mapping[str, Number]:
        """Multiplications of one image by what they are for: projections, QKᵀ, AV."""

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        first, *others = self.parts(inputs, output).values()
        for part in others:
            first = first + part
        return first  # type: ignore[no-any-return]  # ints give an int

    def costs(self, inputs: Sequence[Shape]) -> list[str]:
        parts = self.parts(inputs, self.output_shape(inputs))
        if len(parts) < 2:
            return []
        return [
            say_many(
                "{count:,} multiplication for {part}",
                "{count:,} multiplications for {part}",
                int(count),
                part=say(name),
            )
            for name, count in parts.items()
        ]


#: By the number of maps that are transposed first.
_MATMULS = (mark("matmul"), mark("matmul, first transposed"), mark("matmul, first and second transposed"))


class Matmul(Product):
    """The product of two maps as matrices of positions × channels; each may be transposed first.

    With several position axes the last are the rows; those before it are a batch, the same in both maps. Source:
    PyTorch, `matmul`.
    """

    kind = "matmul"
    stem = "matmul"
    noun = "matmul"
    words = names("matrix product|matrix multiplication|bmm|batch matmul|dot|dot product|произведение матриц|矩阵乘法")
    counted_as = "products of maps"
    fewest_inputs = 2
    most_inputs = 2

    transpose_first: bool = False
    transpose_second: bool = False

    def sides(self, inputs: Sequence[Shape]) -> tuple[Shape, Shape]:
        """Rows and columns of both matrices."""
        first, second = ((shape[-1], shape[0]) for shape in inputs)
        turned = (first[::-1] if self.transpose_first else first, second[::-1] if self.transpose_second else second)
        return turned

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        for shape in inputs:
            if len(shape) < 2:
                raise ShapeError(
                    "needs rows of positions", f"input {format_shape(shape)}; tokens makes a row of positions"
                )
        if inputs[0][1:-1] != inputs[1][1:-1] or len(inputs[0]) != len(inputs[1]):
            raise ShapeError(
                "the axes before the rows differ",
                f"inputs {format_shape(inputs[0])} and {format_shape(inputs[1])}; those axes are a batch",
            )
        first, second = self.sides(inputs)
        if first[1] != second[0]:
            raise ShapeError(
                "the columns of the first matrix are not the rows of the second",
                f"{first[0]}×{first[1]} and {second[0]}×{second[1]}, as positions×channels",
                self._turns_that_fit(inputs),
            )

    def _turns_that_fit(self, inputs: Sequence[Shape]) -> str:
        """Which of the two matrices can be transposed so that they fit, or that none can."""
        fits = []
        for first, second in [(False, False), (False, True), (True, False), (True, True)]:
            turned = self.model_copy(update={"transpose_first": first, "transpose_second": second})
            left, right = turned.sides(inputs)
            if left[1] == right[0]:
                changed = [("transpose_first", first, self.transpose_first)]
                changed += [("transpose_second", second, self.transpose_second)]
                fits.append(" and ".join(f"{name}: {str(new).lower()}" for name, new, old in changed if new != old))
        if not fits:
            return "no transposition makes them fit: they have no side in common"
        return f"it fits with {', or with '.join(fits)}"

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        first, second = self.sides(inputs)
        return (second[1], *inputs[0][1:-1], first[0])

    param_shapes = WithoutWeights.param_shapes

    def parts(self, inputs: Sequence[Shape], output: Shape) -> Mapping[str, Number]:
        first, _ = self.sides(inputs)
        return {"the product": product(output[1:]) * first[1] * output[0]}

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        first, _ = self.sides(inputs)
        return Operations(rules.sums(elements(output), first[1], 0), self.macs(inputs, output))

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        rank = len(inputs[0]) - 1
        if rank == 1:
            return (EVERYTHING if self.transpose_first else POINTS, EVERYTHING)
        rows = {rank: EVERYTHING}
        return (position_reads(inputs[0], rows if self.transpose_first else {}), position_reads(inputs[1], rows))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        turned = [name for name in ("first", "second") if getattr(self, f"transpose_{name}")]
        return say(_MATMULS[len(turned)] if turned != ["second"] else "matmul, second transposed")


class Heads(Product):
    """What the two kinds of attention share: QKᵀ, a softmax and AV, head by head."""

    num_heads: Annotated[Count, Letter("h", "heads")] = 1
    is_causal: bool = False

    def heads_divide(self, sizes: Mapping[str, Number]) -> None:
        """Raise `ShapeError` where the channels are no whole heads."""
        for name, size in sizes.items():
            if size % self.num_heads:
                raise ShapeError(
                    f"num_heads does not divide the {name}",
                    f"{size} {name}, num_heads {self.num_heads}; the remainder is {size % self.num_heads}",
                    dividing("it fits with num_heads: {}", self.num_heads, *sizes.values()),
                )

    def scores(self, queries: Number, keys: Number, embed: Number, values: Number) -> Operations:
        """What happens between the projections: each query meets so many keys."""
        pairs = self.num_heads * queries * keys
        return Operations(
            additions=rules.sums(pairs, rules.group_depth(embed, self.num_heads), 0)
            + rules.sums(self.num_heads * queries, keys, 0)
            + rules.sums(queries * values, keys, 0),
            # QKᵀ and AV, and the queries divided by the root of the depth of a head.
            multiplications=queries * keys * embed + queries * keys * values + queries * embed,
            divisions=pairs,
            exponentials=pairs,
        )

    def keys_read(self, queries: Shape, keys: Shape) -> Reads:
        """What a query reads of the keys and the values: all, or those up to its own position."""
        if not self.is_causal:
            return EVERYTHING
        last = int(keys[1]) - 1
        return (Spans(tuple([(0, min(index, last)) for index in range(queries[1])])),)


class ScaledDotProductAttention(Heads):
    """softmax(QKᵀ/√d)·V for each head, from queries, keys and values as rows of tokens.

    Source: Vaswani et al. 2017, equation 1.
    """

    saves = ("inputs", "output")
    kind = "scaled_dot_product_attention"
    stem = "attention"
    noun = "attention"
    words = (*names("sdpa|dot product attention|scaled dot product"), *_ANY)
    fewest_inputs = 3
    most_inputs = 3

    scale: Annotated[Real, Field(gt=0)] | None = None

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        queries, keys, values = inputs
        if {len(shape) for shape in inputs} != {2}:
            listed = ", ".join(map(format_shape, inputs))
            raise ShapeError("needs rows of positions", f"inputs {listed}; tokens makes a row of positions")
        self.heads_divide({"channels of the queries": queries[0], "channels of the values": values[0]})
        if queries[0] != keys[0]:
            raise ShapeError(
                "queries and keys differ in channels",
                f"queries {format_shape(queries)}, keys {format_shape(keys)}",
                f"it fits with a dense layer of {queries[0]} features at each position of the keys; "
                "multi_head_attention has such layers of its own",
            )
        if keys[1] != values[1]:
            raise ShapeError(
                "keys and values differ in number", f"keys {format_shape(keys)}, values {format_shape(values)}"
            )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (inputs[2][0], inputs[0][1])

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return self.num_heads * inputs[0][1]  # the logarithm of the sum of each softmax

    param_shapes = WithoutWeights.param_shapes

    def parts(self, inputs: Sequence[Shape], output: Shape) -> Mapping[str, Number]:
        queries, keys, values = inputs
        pairs = queries[1] * keys[1]
        return {"QKᵀ": pairs * queries[0], "AV": pairs * values[0]}

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        queries, keys, values = inputs
        return self.scores(queries[1], keys[1], queries[0], values[0])

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        read = self.keys_read(inputs[0], inputs[1])
        return (POINTS, read, read)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"{say('attention')}, {several(self.num_heads, 'head')}" + (say(", causal") if self.is_causal else "")


class MultiheadAttention(Heads):
    """Queries, keys and values projected, attention head by head, and a last projection.

    One input attends to itself; two are queries, and what keys and values are made of; three are queries, keys and
    values. With `window_size` the positions of a map attend to those of their own window; with `partition: grid` to
    those of a grid of this size which is spread over the map. `shift_size`: the map was rolled back by so many
    positions, and those that were no neighbours before do not attend to one another. Source: Vaswani et al. 2017,
    section 3.2.2; windows, their shift and `relative_position_bias`: Liu et al. 2021, section 3.2 and figure 4; grids:
    Tu et al. 2022, figure 3. Arrays as in PyTorch. A map that attends to itself may be projected to more or fewer
    channels, `embed_dim`, which come out too: Dai et al. 2021 (CoAtNet).
    """

    saves = ("inputs",)
    kind = "multi_head_attention"
    stem = "attention"
    noun = "multi-head attention"
    words = (
        *names(
            "multiheadattention|mha|msa|self attention|multi head self attention|cross attention|window attention|"
            "w msa|самовнимание|многоголовое внимание|autoatención|auto attention|多头注意力|自注意力"
        ),
        *_ANY,
    )
    most_inputs = 3

    num_heads: Annotated[Count, Letter("h", "heads")]
    embed_dim: Annotated[Count | None, Letter("E", "embedding")] = None
    kdim: Count | None = None
    vdim: Count | None = None
    bias: bool = True
    window_size: Annotated[tuple[Size, ...], by_position(Size)] | None = None
    partition: Literal["window", "grid"] = "window"
    shift_size: Annotated[tuple[Margin, ...], by_position(Margin)] = Field(default=0, validate_default=True)
    relative_position_bias: bool = False

    def resolve(self, inputs: Sequence[Shape]) -> "MultiheadAttention":
        """Every size that depends on the inputs."""
        queries, keys, values = _three(inputs)
        embed = self.embed_dim or queries[0]
        rank = len(queries) - 1
        window, shift = self.window_size, self.shift_size
        # What does not have a number for each axis stays as it is, for the check to name.
        window = window and (for_each_axis(window, rank) or window)
        shift = for_each_axis(shift, rank) or shift
        given: dict[str, Any] = {
            "embed_dim": embed,
            "kdim": self.kdim or keys[0],
            "vdim": self.vdim or values[0],
            "window_size": window,
            "shift_size": shift,
        }
        return self.model_copy(update=given)

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        queries, keys, values = _three(inputs)
        if min(map(len, inputs)) < 2:
            listed = ", ".join(map(format_shape, inputs))
            raise ShapeError("needs positions, but an input is flat", f"inputs {listed}")
        embed = self._embedding(inputs)
        if (embed != queries[0] and len(inputs) > 1) or self.kdim != keys[0] or self.vdim != values[0]:
            raise ShapeError(
                "embed_dim, kdim and vdim are not the channels of queries, keys and values",
                f"embed_dim {embed}, kdim {self.kdim}, vdim {self.vdim}; channels {queries[0]}, {keys[0]}, "
                f"{values[0]}; left out, they are those; with one input embed_dim may be any",
            )
        self.heads_divide({"channels" if embed == queries[0] else "embed_dim": embed})
        if keys[1:] != values[1:]:
            raise ShapeError(
                "keys and values differ in number", f"keys {format_shape(keys)}, values {format_shape(values)}"
            )
        if self.is_causal and len(queries) != 2:
            raise ShapeError("is_causal is for rows of tokens", f"input {format_shape(queries)}")
        if self.window_size is not None or self.relative_position_bias:
            self._check_windows(inputs)
        elif any(self.shift_size) or self.partition == "grid":
            raise ShapeError("shift_size and partition: grid are for windows", "give window_size too")

    def _check_shift(self, shape: Shape, window: Sequence[int]) -> None:
        given = f"input {format_shape(shape)}, window_size {list(window)}, shift_size {list(self.shift_size)}"
        if self.partition == "grid":
            raise ShapeError("a grid has no neighbours that a shift could part", given)
        want_each_axis("shift_size", self.shift_size, shape)
        for axis, size, side, shift in zip(axes_named(shape)[1:], shape[1:], window, self.shift_size, strict=True):
            if shift >= side or (shift and side >= size):
                fits = "it fits with shift_size: 0" if side >= size else f"it fits with shift_size: {side // 2}"
                raise ShapeError(f"shift_size does not lie within a window along the {axis}", given, fits)

    def _check_windows(self, inputs: Sequence[Shape]) -> None:
        if len(inputs) != 1:
            raise ShapeError("windows and relative positions are for maps that attend to themselves: one input")
        sizes, window = inputs[0][1:], self.window_size
        if window is None:
            return
        want_each_axis("window_size", window, inputs[0])
        if any(self.shift_size):
            self._check_shift(inputs[0], window)
        for axis, size, side in zip(axes_named(inputs[0])[1:], sizes, window, strict=True):
            if size % side:
                raise ShapeError(
                    f"window_size does not divide the {axis}",
                    f"input {format_shape(inputs[0])}, window_size {side}; the remainder is {size % side}",
                    dividing("{} divides it", side, size),
                )

    def _embedding(self, inputs: Sequence[Shape]) -> Number:
        """Channels between the projections, and of the output."""
        return inputs[0][0] if self.embed_dim is None else self.embed_dim

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self._embedding(inputs), *inputs[0][1:])

    def saved_is_known(self) -> bool:
        """Not in windows: how often the map is copied depends on how they are written."""
        return self.window_size is None and not self.relative_position_bias

    def saved_maps(self, inputs: Sequence[Shape], output: Shape) -> Number:
        queries, keys, _ = (elements(shape[1:]) for shape in _three(inputs))
        return self._embedding(inputs) * (2 * queries + 2 * keys)  # queries, keys, values, and what the heads give

    def saved_values(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return self.num_heads * elements(inputs[0][1:])  # the logarithm of the sum of each softmax

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        queries, keys, values = (shape[0] for shape in _three(inputs))
        embed = self._embedding(inputs)
        if queries == keys == values:
            arrays = [Param("in_proj_weight", (3 * embed, queries))]
        else:
            sizes = {"q": queries, "k": keys, "v": values}
            arrays = [Param(f"{name}_proj_weight", (embed, size)) for name, size in sizes.items()]
        if self.bias:
            arrays.append(Param("in_proj_bias", (3 * embed,)))
        arrays.append(Param("out_proj_weight", (embed, embed)))
        if self.bias:
            arrays.append(Param("out_proj_bias", (embed,)))
        if self.relative_position_bias:
            offsets = product([2 * side - 1 for side in self.window_size or inputs[0][1:]])
            arrays.append(Param("relative_position_bias_table", (offsets, self.num_heads)))
        return tuple(arrays)

    def pytorch_names(self) -> Mapping[str, str]:
        return {"out_proj_weight": "out_proj.weight", "out_proj_bias": "out_proj.bias"}

    def _seen(self, keys: Shape) -> Number:
        """How many keys a query meets."""
        return product(self.window_size if self.window_size is not None else keys[1:])

    def parts(self, inputs: Sequence[Shape], output: Shape) -> Mapping[str, Number]:
        queries, keys, values = _three(inputs)
        embed, rows, others = self._embedding(inputs), product(queries[1:]), product(keys[1:])
        pairs = rows * self._seen(keys)
        return {
            mark("the projections"): rules.linear_multiplications(rows * embed, queries[0])
            + rules.linear_multiplications(others * keys[0], embed)
            + rules.linear_multiplications(others * values[0], embed)
            + rules.linear_multiplications(rows * embed, embed),
            "QKᵀ": pairs * embed,
            "AV": pairs * embed,
        }

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        queries, keys, values = _three(inputs)
        embed, bias = self._embedding(inputs), int(self.bias)
        rows, others = product(queries[1:]), product(keys[1:])
        inner = self.scores(rows, self._seen(keys), embed, embed)
        offsets = self.num_heads * rows * self._seen(keys) * int(self.relative_position_bias)
        projected = (
            rules.sums(rows * embed, queries[0], bias)
            + rules.sums(rows * embed, embed, bias)
            + rules.sums(others * embed, keys[0], bias)
            + rules.sums(others * embed, values[0], bias)
        )
        return inner._replace(
            additions=projected + inner.additions + offsets,
            multiplications=self.parts(inputs, output)["the projections"] + inner.multiplications,
        )

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        queries, keys, _ = _three(inputs)
        if self.window_size is not None:
            if self.partition == "grid":
                axes = zip(queries[1:], self.window_size, strict=True)
                return (tuple([_own_grid(int(size), side) for size, side in axes]),)
            sides = zip(queries[1:], self.window_size, self.shift_size, strict=True)
            return (tuple([_own_window(int(size), side, shift) for size, side, shift in sides]),)
        read = self.keys_read(queries, keys)
        return (read,) if len(inputs) == 1 else (POINTS, read, read)[: len(inputs)]

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        embed = self._embedding(inputs)
        return [
            *([] if embed == inputs[0][0] else [say("embedding {size}", size=embed)]),
            *([] if self.bias else [say("no bias")]),
            *([say("a bias for each relative position")] if self.relative_position_bias else []),
        ]

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        words = (
            mark(", grids of {size}")
            if self.partition == "grid"
            else mark(", shifted windows of {size}")
            if any(self.shift_size)
            else mark(", windows of {size}")
        )
        window = "" if self.window_size is None else say(words, size=by(self.window_size))
        causal = say(", causal") if self.is_causal else ""
        return f"{say('attention')}, {several(self.num_heads, 'head')}{window}{causal}"


def _three(inputs: Sequence[Shape]) -> tuple[Shape, Shape, Shape]:
    """Queries, keys and values."""
    return inputs[0], inputs[min(1, len(inputs) - 1)], inputs[-1]


def _own_window(size: int, side: int, shift: int) -> Spans:
    """Each position reads the window in which it lies; in the last of shifted ones, its part of it."""
    spans = [(index // side * side, index // side * side + side - 1) for index in range(size)]
    if shift:
        cut = size - shift
        spans[size - side : cut] = [(size - side, cut - 1)] * (side - shift)
        spans[cut:] = [(cut, size - 1)] * shift
    return Spans(tuple(spans))


def _own_grid(size: int, side: int) -> Spans:
    """Each position reads its grid, which has one in every `size // side` positions."""
    step = size // side
    return Spans(tuple([(index % step, size - step + index % step) for index in range(size)]), step)
