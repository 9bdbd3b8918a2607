"""The formulas, each written once.

Every function here is generic in its number type: ints give the value, numpy arrays a million values, sympy symbols
the closed form, tracing numbers the derivation. So: no branches on values, no floats, no library calls.

Symbols: W input size, F window, S stride, P padding, K filters, C channels, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence

from archcalc.core.numbers import Number, ceil_div, maximum, minimum, product


def dilated_window(kernel_size: Number, dilation: Number) -> Number:
    """Span of a dilated kernel: D·(F − 1) + 1. Source: Yu & Koltun 2016, section 2; dilation 1 is the dense kernel."""
    return dilation * (kernel_size - 1) + 1


def window_output_size(size: Number, window: Number, stride: Number, padding: Number) -> Number:
    """Positions of a window along one axis: (W − F + 2P)/S + 1, floored; `padding` is that of both sides together.

    Source: CS231n, convolutional layer.
    """
    return (size - window + padding) // stride + 1


def ceil_window_output_size(size: Number, window: Number, stride: Number, padding: Number) -> Number:
    """The same, rounded up: a last window that hangs over the edge counts. Source: Caffe pooling_layer.cpp."""
    return ceil_div(size - window + padding, stride) + 1


def windows_that_start_inside(positions: Number, size: Number, stride: Number, padding_before: Number) -> Number:
    """At most those windows whose first element lies before the end of the input. Source: PyTorch `ceil_mode`."""
    return minimum(positions, ceil_div(size + padding_before, stride))


def window_start(position: Number, stride: Number, padding_before: Number) -> Number:
    """The first input position that a window covers; negative inside the padding."""
    return position * stride - padding_before


def positions_reached(size: Number, positions: Number, span: Number, stride: Number, padding_before: Number) -> Number:
    """Input positions along one axis that at least one window covers; a dilated window counts with its gaps.

    Each window has a stride of its own, of which it covers min(F, S); counted from the padding's first position.
    """
    first = maximum(padding_before, 0)
    end = maximum(minimum(size + padding_before, (positions - 1) * stride + span), first)
    covered = minimum(span, stride)
    before_end = end // stride * covered + minimum(end % stride, covered)
    return before_end - first // stride * covered - minimum(first % stride, covered)


def adaptive_window_start(position: Number, size: Number, positions: Number) -> Number:
    """First input position of an adaptive window: ⌊i·W/N⌋. Source: PyTorch, `AdaptiveAvgPool2d`."""
    return position * size // positions


def adaptive_window_end(position: Number, size: Number, positions: Number) -> Number:
    """The input position after the last of an adaptive window: ⌈(i + 1)·W/N⌉. Source: the same."""
    return ceil_div((position + 1) * size, positions)


def leftover(size: Number, window: Number, stride: Number, padding: Number) -> Number:
    """Input positions that no window reads when the division is floored; 0 where (W − F + 2P)/S is whole."""
    return (size - window + padding) % stride


def padding_for(positions: Number, size: Number, window: Number, stride: Number) -> Number:
    """Padding of both sides together with which so many windows tile the input; negative where it is too large."""
    return (positions - 1) * stride + window - size


def same_padding(size: Number, window: Number, stride: Number) -> Number:
    """Padding of both sides together that gives ⌈W/S⌉ positions. Source: TensorFlow, `padding="SAME"`."""
    return maximum(padding_for(ceil_div(size, stride), size, window, stride), 0)


def transposed_output_size(
    size: Number, window: Number, stride: Number, padding: Number, output_padding: Number
) -> Number:
    """Size of a transposed convolution: S·(W − 1) + F − 2P + extra. Source: Dumoulin & Visin 2016, relationship 14.

    `window` is the span of a dilated kernel. Source: PyTorch, `ConvTranspose2d`, shape.
    """
    return stride * (size - 1) + window - padding + output_padding


def transposed_same_padding(window: Number, stride: Number) -> Number:
    """Positions cut off on both sides together for S·W positions. Source: TensorFlow, `Conv2DTranspose`, "SAME"."""
    return maximum(window - stride, 0)


def transposed_same_output_padding(window: Number, stride: Number) -> Number:
    """Positions added for S·W positions where a window is smaller than its stride. Source: the same."""
    return maximum(stride - window, 0)


def covered_positions(size: Number, window: Number, stride: Number, dilation: Number) -> Number:
    """Output positions of a transposed convolution that some tap of a filter meets, before its padding is cut off.

    `stride` and `dilation` have no common factor: where they have one, it is divided out. The first D filters meet F
    positions each; of a later one, all taps but the last S meet what the filter D before it has met.
    """
    return minimum(window, stride) * maximum(size - dilation, 0) + window * minimum(dilation, size)


def total_padding(before: Number, after: Number) -> Number:
    """Padding of both sides together: 2·P where one number gave both, a sum where they were given apart."""
    return 2 * before if before is after else before + after


def group_depth(channels: Number, groups: Number) -> Number:
    """C/G: the channels of one group. Source: Krizhevsky et al. 2012, section 3.5."""
    return channels // groups


def patch_elements(kernel: Sequence[Number], depth: Number) -> Number:
    """F·F·D: the values that a filter reads at one position, and its weights; a row of im2col's matrix."""
    return product((*kernel, depth))


def convolution_multiplications(
    output_sizes: Sequence[Number], out_channels: Number, kernel: Sequence[Number], depth: Number
) -> Number:
    """H₂·W₂·K·F·F·D: one multiplication a weight and output; `depth` is the input depth that a filter sees (C/G).

    `output_sizes` and `kernel` have one number for each position axis.
    """
    return product((*output_sizes, out_channels)) * patch_elements(kernel, depth)


def transposed_convolution_multiplications(
    input_sizes: Sequence[Number], in_channels: Number, kernel: Sequence[Number], depth: Number
) -> Number:
    """H₁·W₁·C·F·F·(K/G): every input value multiplies its whole filter, and products at one place are added."""
    return product((*input_sizes, in_channels)) * patch_elements(kernel, depth)


def linear_multiplications(in_features: Number, out_features: Number) -> Number:
    """One multiplication a weight."""
    return in_features * out_features


def sums(results: Number, terms: Number, bias: Number) -> Number:
    """Additions for `results` sums of `terms` terms each, and one more for each result where there is a bias."""
    return results * (terms - 1 + bias)


def uneven_sums(terms: Number, results: Number, bias: Number) -> Number:
    """The same for sums that differ in length: `terms` are those of all sums together."""
    return terms - results * (1 - bias)


def powers(values: Number, exponent: Number) -> Number:
    """Multiplications that raise values to a whole power: one less than the exponent for each."""
    return values * (exponent - 1)


def receptive_field_size(size: Number, window: Number, jump: Number) -> Number:
    """Input pixels that a window sees: r + (F − 1)·j, where its input sees r pixels and steps by j of them.

    Source: Araujo et al. 2019, equation 2, for one layer.
    """
    return size + (window - 1) * jump


def receptive_field_jump(jump: Number, stride: Number) -> Number:
    """Input pixels from one position to the next: j·S. Source: Araujo et al. 2019, section on strides."""
    return jump * stride


def receptive_field_start(start: Number, padding_before: Number, jump: Number) -> Number:
    """First input pixel that position 0 sees; left of the image where there is padding."""
    return start - padding_before * jump


def window_elements_inside(size: Number, before: Number, after: Number) -> Number:
    """Elements read by all windows from `before` to `after` around each of `size` positions, cut off at the ends."""
    before, after = minimum(before, size - 1), minimum(after, size - 1)
    return size * (before + 1 + after) - (before * (before + 1) // 2 + after * (after + 1) // 2)
