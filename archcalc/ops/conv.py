"""Convolutions: plain, grouped, depthwise, with a connection table, transposed, and without weight sharing."""

from collections.abc import Sequence
from math import gcd
from typing import Annotated

from pydantic import Field

from archcalc.core.errors import ShapeError
from archcalc.core.language import apart, say, with_value
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.core.words import several
from archcalc.ops import rules
from archcalc.ops.base import (
    Count,
    Letter,
    Margins,
    MatrixProduct,
    Op,
    Operations,
    Param,
    Reads,
    Window,
    by,
    dividing,
    elements,
    names,
)
from archcalc.ops.ranks import Ranks, class_of_rank
from archcalc.ops.reweighted import Reweighted
from archcalc.ops.windowed import (
    Dilation,
    KernelSize,
    Padded,
    Sides,
    SidesPadding,
    Stride,
    Windowed,
    by_default,
    dilation_in_words,
    padding_in_words,
    plain,
    stride_in_words,
)

Filters = Annotated[Count, Letter("K", "filters")]
Groups = Annotated[Count, Letter("G", "groups", plain=1)]

#: What people call a convolution of any kind.
_CONVOLUTION = names(
    "conv|convolution|convolutional|c|свёртка|свертка|свёрточный|сверточный|конв|convolución|"
    "свёртки|свертки|convolucional|faltung|faltungsschicht|convolução|convolucao|卷积|标准卷积|普通卷积|逐点卷积|"
    "畳み込み|קונבולוציה|קונבולוציית|փաթույթ|փաթույթային|կոնվոլյուցիա|կոնվոլյուցիոն"
)


class Conv(Reweighted, Windowed):
    """Convolution (cross-correlation) of K filters, each as deep as its group of input channels.

    Source: CS231n, convolutional layer; groups: Krizhevsky et al. 2012, section 3.5.
    """

    stem = "conv"
    noun = "conv"
    words = (*names("spatial convolution"), *_CONVOLUTION)
    family = "convolution"
    unit = "filter"

    out_channels: Filters
    groups: Groups = 1
    bias: bool = True
    #: For each filter the input channels that it reads, counted from 0. Source: LeCun et al. 1998, table I.
    connections: tuple[tuple[Annotated[int, Field(strict=True, ge=0)], ...], ...] | None = None

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        super().check(inputs, strict)
        channels = inputs[0][0]
        for name, value in (("input channels", channels), ("out_channels", self.out_channels)):
            if value % self.groups:
                raise ShapeError(
                    f"groups does not divide the {name}",
                    f"{value} {name}, groups {self.groups}; the remainder is {value % self.groups}",
                    dividing("it fits with groups: {}", self.groups, channels, self.out_channels),
                )
        if self.connections is not None:
            _check_connections(self, channels)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.out_channels, *self.spatial_output(inputs[0]))

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        if self.connections is None:
            depth = rules.group_depth(inputs[0][0], self.groups)
            shape: Shape = (self.out_channels, depth, *self.kernel_size)
        else:
            shape = (sum(len(row) for row in self.connections), *self.kernel_size)
        weight = self.stored(Param("weight", shape))
        return (*weight, Param("bias", (self.out_channels,))) if self.bias else weight

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        if self.connections is None:
            depth = rules.group_depth(inputs[0][0], self.groups)
            count: int = rules.convolution_multiplications(output[1:], output[0], self.kernel_size, depth)
        else:
            pairs = sum(len(row) for row in self.connections)
            count = rules.convolution_multiplications(output[1:], pairs, self.kernel_size, 1)
        return count

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        multiplications = self.macs(inputs, output)
        if self.connections is None:
            terms = rules.patch_elements(self.kernel_size, rules.group_depth(inputs[0][0], self.groups))
            additions = rules.sums(elements(output), terms, int(self.bias))
        else:
            additions = rules.uneven_sums(multiplications, elements(output), int(self.bias))
        return Operations(additions=additions, multiplications=multiplications)

    def matrix_product(self, inputs: Sequence[Shape], output: Shape) -> MatrixProduct | None:
        if self.connections is not None:
            return None
        row = rules.patch_elements(self.kernel_size, rules.group_depth(inputs[0][0], self.groups))
        filters = rules.group_depth(self.out_channels, self.groups)
        return MatrixProduct(self.groups, (filters, row), (row, product(output[1:])))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        groups = "".join(f", {words}" for words in _groups(self.groups, inputs))
        table = say(", connection table") if self.connections is not None else ""
        return (
            f"{with_value(self.noun, by(self.kernel_size))}, {self.out_channels}{self.window_summary()}{groups}{table}"
        )

    def describe(self, inputs: Sequence[Shape]) -> str:
        if self.connections is not None:
            filters = several(self.out_channels, "filter")
            return say("{filters} of {size} with a connection table", filters=filters, size=by(self.kernel_size))
        return _filters(self.out_channels, self.kernel_size, rules.group_depth(inputs[0][0], self.groups))

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [*super().details(inputs), *_groups(self.groups, inputs), *_no_bias(self.bias), *self.normalised()]


def _groups(groups: int, inputs: Sequence[Shape]) -> list[str]:
    """A convolution is depthwise where every input channel is a group by itself. Source: Howard et al. 2017."""
    if groups == 1:
        return []
    return [say("depthwise") if inputs and groups == inputs[0][0] else several(groups, "group")]


CONV_OF_RANK = Ranks(Conv, "conv")


def _no_bias(bias: bool) -> list[str]:
    return [] if bias else [say("no bias")]


def _filters(count: int, kernel: Sequence[int], depth: int) -> str:
    return say("{filters} of {size}", filters=several(count, "filter"), size=f"{by(kernel)}×{depth}")


def _check_connections(op: Conv, channels: int) -> None:
    table = op.connections or ()
    if op.groups != 1:
        raise ShapeError("a connection table and groups cannot be combined")
    if len(table) != op.out_channels:
        raise ShapeError(
            "the connection table needs one row for each filter",
            f"{len(table)} rows, out_channels {op.out_channels}",
        )
    for index, row in enumerate(table):
        if not row or len(set(row)) != len(row) or max(row) >= channels:
            raise ShapeError(
                f"row {index} of the connection table must name different input channels from 0 to {channels - 1}",
                f"it names {list(row)}",
            )


class DepthwiseConv(Reweighted, Windowed):
    """A convolution of each channel by itself, with `depth_multiplier` filters each; it becomes a grouped convolution.

    Source: Howard et al. 2017 (MobileNet), section 3.1.
    """

    stem = "conv"
    noun = "depthwise conv"
    words = names(
        "depthwise|depthwise convolution|dw|dwconv|dw conv|conv dw|depth wise conv|channelwise conv|"
        "поканальная свёртка|поканальная свертка|depthwise свёртка|深度卷积"
    )
    family = "convolution"
    unit = "filter"

    depth_multiplier: Count = 1
    bias: bool = True

    def resolve(self, inputs: Sequence[Shape]) -> Conv:
        self.want_positions(inputs[0])
        channels = inputs[0][0]
        return CONV_OF_RANK[self.rank].model_construct(
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            out_channels=channels * self.depth_multiplier,
            groups=channels,
            bias=self.bias,
            connections=None,
            exact=self.exact,
            weight_norm=self.weight_norm,
            spectral_norm=self.spectral_norm,
        )

    # The passes only ever see what `resolve` gives; these keep the class whole for direct use.
    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return self.resolve(inputs).output_shape(inputs)

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        return self.resolve(inputs).param_shapes(inputs)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        return self.resolve(inputs).macs(inputs, output)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return self.resolve(inputs).operations(inputs, output)

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, by(self.kernel_size)) + self.window_summary()


DEPTHWISE_CONV_OF_RANK = Ranks(DepthwiseConv, "depthwise_conv")


class ConvTranspose(Reweighted, Padded):
    """Transposed ("up") convolution: every input value is multiplied by a filter; products at one place add up.

    Source: Dumoulin & Visin 2016, chapter 4; Zeiler et al. 2010.
    """

    stem = "upconv"
    noun = "transposed conv"
    words = (
        *names(
            "deconv|deconvolution|transposed convolution|conv transpose|convtranspose|transpose conv|"
            "conv2d transpose|upconv|up conv|up convolution|upsample|upsampling|fractionally strided conv|"
            "backwards convolution|tconv|транспонированная свёртка|транспонированная свертка|"
            "обратная свёртка|обратная свертка|деконволюция|convolución transpuesta|"
            "transponierte faltung|convolution transposée|convolução transposta|转置卷积|反卷积|"
            "転置畳み込み"
        ),
        *_CONVOLUTION,
    )
    family = "convolution"
    unit = "filter"

    out_channels: Filters
    kernel_size: KernelSize
    stride: Stride = by_default(1)
    padding: SidesPadding = by_default(0)
    output_axis = 1
    dilation: Dilation = by_default(1)
    output_padding: Annotated[Margins, Letter("A", "rows or columns added to the output", plain=0)] = by_default(0)
    groups: Groups = 1
    bias: bool = True

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        super().check(inputs, strict)
        self.want_positions(inputs[0])
        for name, value in (("input channels", inputs[0][0]), ("out_channels", self.out_channels)):
            if value % self.groups:
                raise ShapeError(
                    f"groups does not divide the {name}",
                    f"{value} {name}, groups {self.groups}; the remainder is {value % self.groups}",
                    dividing("it fits with groups: {}", self.groups, inputs[0][0], self.out_channels),
                )
        dilated = set(self.dilation) != {1}
        # Source: PyTorch, `ConvTranspose2d`: "output padding must be smaller than either stride or dilation".
        most = tuple([max(axis) - 1 for axis in zip(self.stride, self.dilation, strict=True)])
        if any(added > limit for added, limit in zip(self.output_padding, most, strict=True)):
            raise ShapeError(
                "output_padding must be smaller than the stride or the dilation",
                f"output_padding {by(self.output_padding)}, stride {by(self.stride)}, dilation {by(self.dilation)}",
                f"output_padding is at most {by(most)}",
            )
        if min(self._spatial_output(inputs[0])) < 1:
            raise ShapeError(
                "nothing is left of the output once the padding is cut off",
                f"input {format_shape(inputs[0])}, kernel_size {by(self.kernel_size)}"
                f"{f', dilation {by(self.dilation)}' if dilated else ''}, padding {tuple(self.padding)}",
            )

    def spans(self) -> tuple[Number, ...]:
        """The positions that a filter spans along each axis."""
        return tuple([rules.dilated_window(*axis) for axis in zip(self.kernel_size, self.dilation, strict=True)])

    def resolve(self, inputs: Sequence[Shape]) -> "ConvTranspose":
        """With the padding of `same`, which gives S·W positions, as in TensorFlow."""
        if self.padding != "same":
            return self
        if any(self.output_padding):
            raise ShapeError(
                "padding: same has the output padding that it needs",
                f"output_padding {list(self.output_padding)}",
                "leave output_padding out, or give the padding as a number",
            )
        axes = list(zip(self.spans(), self.stride, strict=True))
        sides = Sides.halves([rules.transposed_same_padding(*axis) for axis in axes])
        added = tuple([rules.transposed_same_output_padding(*axis) for axis in axes])
        return self.model_copy(update={"padding": sides, "output_padding": added})

    def cut_off(self) -> Sides:
        assert self.padding != "same"
        return self.padding

    def _spatial_output(self, shape: Shape) -> tuple[int, ...]:
        sides, spans = self.cut_off(), self.spans()
        return tuple(
            rules.transposed_output_size(
                shape[axis + 1],
                spans[axis],
                self.stride[axis],
                rules.total_padding(sides.begins[axis], sides.ends[axis]),
                self.output_padding[axis],
            )
            for axis in range(self.rank)
        )

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.out_channels, *self._spatial_output(inputs[0]))

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        depth = rules.group_depth(self.out_channels, self.groups)
        weight = self.stored(Param("weight", (inputs[0][0], depth, *self.kernel_size)))
        return (*weight, Param("bias", (self.out_channels,))) if self.bias else weight

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        channels, *positions = inputs[0]
        depth = rules.group_depth(self.out_channels, self.groups)
        count: int = rules.transposed_convolution_multiplications(positions, channels, self.kernel_size, depth)
        return count

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        multiplications = self.macs(inputs, output)
        # n products at one place take n − 1 additions, and one for the bias; some places may have none.
        steps = (_coprime(*axis) for axis in zip(self.stride, self.dilation, strict=True))
        axes = zip(inputs[0][1:], self.kernel_size, steps, strict=True)
        covered = product((*(rules.covered_positions(size, window, *step) for size, window, step in axes),
                           self.out_channels))  # fmt: skip
        additions = rules.uneven_sums(multiplications, covered, int(self.bias))
        return Operations(additions=additions, multiplications=multiplications)

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        axes = zip(self.spans(), self.stride, self.cut_off().begins, self.dilation, strict=True)
        return (
            tuple([Window(span, stride, begin, transposed=True, dilation=step) for span, stride, begin, step in axes]),
        )

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        stride = "" if set(self.stride) == {1} else f", {apart('×' + plain(self.stride))}"
        groups = "".join(f", {words}" for words in _groups(self.groups, inputs))
        dilation = "".join(f", {words}" for words in dilation_in_words(self.dilation))
        return f"{with_value(self.noun, by(self.kernel_size))}, {self.out_channels}{stride}{dilation}{groups}"

    def describe(self, inputs: Sequence[Shape]) -> str:
        depth = rules.group_depth(inputs[0][0], self.groups)
        return say("{filters}, transposed", filters=_filters(self.out_channels, self.kernel_size, depth))

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        more = [] if not any(self.output_padding) else [say("output padding {size}", size=plain(self.output_padding))]
        dilation = dilation_in_words(self.dilation)
        window = [stride_in_words(self.stride), *dilation, padding_in_words(self.padding), *more]
        return [*window, *_groups(self.groups, inputs), *_no_bias(self.bias), *self.normalised()]


CONV_TRANSPOSE_OF_RANK = Ranks(ConvTranspose, "conv_transpose")


def _coprime(stride: Number, dilation: Number) -> tuple[Number, Number]:
    """Both without their common factor; a stride is not asked for its value where there is no dilation."""
    if isinstance(dilation, int) and dilation == 1:
        return stride, dilation
    shared = gcd(stride, dilation)
    return stride // shared, dilation // shared


class LocallyConnected(Windowed):
    """A convolution that shares no weights: every output position has filters (and biases) of its own.

    Source: CS231n, parameter sharing; Taigman et al. 2014, section 2.2.
    """

    stem = "local"
    noun = "local"
    words = (
        *names(
            "local|locally connected|local conv|unshared conv|unshared convolution|локально связный|"
            "локально-связный|локальная свёртка"
        ),
        *_CONVOLUTION,
    )
    family = "convolution"
    unit = "filter"

    out_channels: Filters
    bias: bool = True

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return None

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (self.out_channels, *self.spatial_output(inputs[0]))

    def param_shapes(self, inputs: Sequence[Shape]) -> tuple[Param, ...]:
        output = self.output_shape(inputs)
        weight = Param("weight", (*output, inputs[0][0], *self.kernel_size))
        return (weight, Param("bias", output)) if self.bias else (weight,)

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int:
        depth = inputs[0][0]
        count: int = rules.convolution_multiplications(output[1:], output[0], self.kernel_size, depth)
        return count

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        terms = rules.patch_elements(self.kernel_size, inputs[0][0])
        additions = rules.sums(elements(output), terms, int(self.bias))
        return Operations(additions=additions, multiplications=self.macs(inputs, output))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return f"{with_value(self.noun, by(self.kernel_size))}, {self.out_channels}{self.window_summary()}"

    def describe(self, inputs: Sequence[Shape]) -> str:
        filters = _filters(self.out_channels, self.kernel_size, inputs[0][0])
        return say("{filters} at every position", filters=filters)

    def details(self, inputs: Sequence[Shape]) -> list[str]:
        return [*super().details(inputs), *_no_bias(self.bias)]


LOCALLY_CONNECTED_OF_RANK = Ranks(LocallyConnected, "locally_connected")


__getattr__ = class_of_rank(globals())
