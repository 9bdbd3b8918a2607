"""Convolutions: cases worked out by hand, in every form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archcalc.execute.kernels import ALGORITHMS, Algorithm, Array
from archcalc.execute.kernels.conv import conv, depthwise_conv, im2col_sizes, locally_connected
from archcalc.execute.kernels.transposed import conv_transpose

#: 1 2 3 / 4 5 6 / 7 8 9
NINE = np.arange(1.0, 10).reshape(1, 1, 3, 3)
#: The value at the top left minus the one at the bottom right.
DIAGONAL = np.array([[[[1.0, 0], [0, -1]]]])

every_form = pytest.mark.parametrize("algorithm", ALGORITHMS)


def equal(out: Array, wanted: object) -> None:
    np.testing.assert_allclose(out, np.asarray(wanted, out.dtype), rtol=1e-6)


@every_form
def test_a_filter_is_laid_on_every_place_and_not_turned_over(algorithm: Algorithm) -> None:
    equal(conv(NINE, DIAGONAL, algorithm=algorithm), [[[[-4, -4], [-4, -4]]]])


@every_form
def test_the_bias_is_added_to_every_value_of_its_filter(algorithm: Algorithm) -> None:
    weight = np.concatenate([DIAGONAL, -DIAGONAL])
    out = conv(NINE, weight, np.array([10.0, 20]), algorithm=algorithm)
    equal(out, [[[[6, 6], [6, 6]], [[24, 24], [24, 24]]]])


@every_form
def test_padding_is_zeros(algorithm: Algorithm) -> None:
    out = conv(NINE, DIAGONAL, padding=(1, 0, 0, 2), algorithm=algorithm)
    # Row 0 pairs the zeros above with row 0 shifted; the last columns pair with zeros at the right.
    equal(out, [[[[-2, -3, 0, 0], [-4, -4, 3, 0], [-4, -4, 6, 0]]]])


@every_form
def test_the_stride_skips_places(algorithm: Algorithm) -> None:
    x = np.arange(20.0).reshape(1, 1, 4, 5)
    equal(conv(x, np.ones((1, 1, 1, 1)), stride=(3, 2), algorithm=algorithm), [[[[0, 2, 4], [15, 17, 19]]]])


@every_form
def test_dilation_spreads_the_taps(algorithm: Algorithm) -> None:
    x = np.arange(25.0).reshape(1, 1, 5, 5)
    out = conv(x, DIAGONAL, dilation=(2, 3), algorithm=algorithm)
    # x[i, j] − x[i + 2, j + 3] = −13 at 3×2 places.
    equal(out, np.full((1, 1, 3, 2), -13))


@every_form
def test_groups_see_their_own_channels(algorithm: Algorithm) -> None:
    x = np.stack([np.full((2, 2), value) for value in (1.0, 10, 100, 1000)])[None]
    weight = np.ones((2, 2, 1, 1))
    equal(conv(x, weight, groups=2, algorithm=algorithm)[0, :, 0, 0], [11, 1100])
    equal(conv(x, np.ones((4, 1, 1, 1)), groups=4, algorithm=algorithm)[0, :, 1, 1], [1, 10, 100, 1000])


@every_form
def test_depthwise_has_several_filters_a_channel(algorithm: Algorithm) -> None:
    x = np.stack([np.full((2, 2), value) for value in (1.0, 10)])[None]
    weight = np.array([1.0, 2, 3, 4]).reshape(4, 1, 1, 1)
    equal(depthwise_conv(x, weight, algorithm=algorithm)[0, :, 0, 0], [1, 2, 30, 40])


@every_form
def test_a_connection_table_names_the_channels_of_each_filter(algorithm: Algorithm) -> None:
    x = np.array([1.0, 10, 100]).reshape(1, 3, 1, 1)
    weight = np.array([1.0, 1, 2, 1, 1]).reshape(5, 1, 1)
    out = conv(x, weight, np.zeros(3), connections=((0, 2), (1,), (2, 0)), algorithm=algorithm)
    equal(out[0, :, 0, 0], [101, 20, 101])


@every_form
@pytest.mark.parametrize(
    ("size", "window", "stride", "before", "positions"),
    [
        (5, 3, 1, 1, 5),
        (5, 2, 1, 0, 5),  # one pixel of padding: it comes after
        (6, 3, 2, 0, 3),
        (5, 3, 2, 1, 3),
        (224, 7, 2, 2, 112),
        (7, 1, 4, 0, 2),
    ],
)
def test_same_padding_puts_the_odd_pixel_last(
    algorithm: Algorithm, size: int, window: int, stride: int, before: int, positions: int
) -> None:
    x = np.zeros((1, 1, 1, size))
    x[0, 0, 0, 0] = 1
    weight = np.arange(1.0, window + 1).reshape(1, 1, 1, window)
    out = conv(x, weight, stride=(1, stride), padding="same", algorithm=algorithm)
    assert out.shape == (1, 1, 1, positions)
    # Position 0 sees the first pixel under tap number `before`.
    assert out[0, 0, 0, 0] == before + 1


@every_form
def test_transposed_every_value_contributes_its_filter(algorithm: Algorithm) -> None:
    x = np.array([[[[1.0, 10]]]])
    weight = np.array([[[[1.0, 2, 3]]]])
    # 1 2 3, and one place further 10 20 30.
    equal(conv_transpose(x, weight, algorithm=algorithm), [[[[1, 12, 23, 30]]]])
    equal(conv_transpose(x, weight, stride=(1, 2), algorithm=algorithm), [[[[1, 2, 13, 20, 30]]]])
    equal(
        conv_transpose(x, weight, np.array([5.0]), stride=(1, 2), padding=(0, 1, 0, 1), algorithm=algorithm),
        [[[[7, 18, 25]]]],
    )


@every_form
def test_transposed_dilation_spreads_the_filter(algorithm: Algorithm) -> None:
    x = np.array([[[[1.0, 10]]]])
    weight = np.array([[[[1.0, 2, 3]]]])
    # 1 0 2 0 3, and one place further 10 0 20 0 30; two places further some of them meet.
    equal(conv_transpose(x, weight, dilation=2, algorithm=algorithm), [[[[1, 10, 2, 20, 3, 30]]]])
    equal(conv_transpose(x, weight, stride=2, dilation=(1, 2), algorithm=algorithm), [[[[1, 0, 12, 0, 23, 0, 30]]]])
    # `same` keeps the size: 4 positions more, 2 of them on each side.
    equal(conv_transpose(x, weight, padding="same", dilation=(1, 2), algorithm=algorithm), [[[[2, 20]]]])


@every_form
def test_transposed_output_padding_reaches_further(algorithm: Algorithm) -> None:
    x = np.array([[[[1.0, 10]]]])
    weight = np.array([[[[1.0, 2, 3]]]])
    out = conv_transpose(x, weight, stride=(1, 3), output_padding=(0, 2), algorithm=algorithm)
    equal(out, [[[[1, 2, 3, 10, 20, 30, 0, 0]]]])
    cut = conv_transpose(x, weight, stride=(1, 3), padding=(0, 0, 0, 2), output_padding=(0, 1), algorithm=algorithm)
    equal(cut, [[[[1, 2, 3, 10, 20]]]])


@every_form
def test_transposed_groups(algorithm: Algorithm) -> None:
    x = np.array([1.0, 10, 100, 1000]).reshape(1, 4, 1, 1)
    weight = np.array([[1.0, 2, 3]] * 4).reshape(4, 3, 1, 1)
    out = conv_transpose(x, weight, groups=2, algorithm=algorithm)
    equal(out[0, :, 0, 0], [11, 22, 33, 1100, 2200, 3300])


@every_form
def test_transposed_is_the_adjoint_of_the_convolution(algorithm: Algorithm) -> None:
    """⟨conv(x), y⟩ = ⟨x, conv_transpose(y)⟩ with the same filter: the definition of "transposed"."""
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((2, 4, 9, 10)), draw.standard_normal((2, 6, 4, 4))
    weight = draw.standard_normal((6, 2, 3, 3))
    frame: Any = {"stride": (2, 2), "padding": (0, 1, 1, 1), "dilation": (1, 2), "groups": 2, "algorithm": algorithm}
    forward = conv(x, weight, **frame)
    back = conv_transpose(y, weight, **frame, output_padding=(1, 1))
    assert forward.shape == y.shape
    assert back.shape == x.shape
    np.testing.assert_allclose((forward * y).sum(), (x * back).sum(), rtol=1e-12)


@every_form
def test_locally_connected_has_filters_for_each_place(algorithm: Algorithm) -> None:
    x = np.arange(4.0).reshape(1, 1, 1, 4)
    # (K, rows, columns, C, height, width): two windows of two.
    weight = np.array([[1.0, 1], [1, -1]]).reshape(1, 1, 2, 1, 1, 2)
    bias = np.array([0.5, 100]).reshape(1, 1, 2)
    equal(locally_connected(x, weight, bias, stride=(1, 2), algorithm=algorithm), [[[[1.5, 99]]]])


@every_form
def test_locally_connected_with_equal_filters_is_a_convolution(algorithm: Algorithm) -> None:
    draw = np.random.default_rng(0)
    x, weight = draw.standard_normal((2, 3, 6, 5)), draw.standard_normal((4, 3, 3, 2))
    wanted = conv(x, weight, stride=(2, 1), padding=(1, 0, 1, 0), algorithm=algorithm)
    spread = np.broadcast_to(weight[:, None, None], (4, 3, 4, 3, 3, 2))
    out = locally_connected(x, spread, stride=(2, 1), padding=(1, 0, 1, 0), algorithm=algorithm)
    np.testing.assert_allclose(out, wanted, rtol=1e-12)


def test_the_matrices_of_alexnets_first_layer() -> None:
    """CS231n, "implementation as matrix multiplication": W_row 96×363, X_col 363×3025, result 96×3025."""
    x, weight = np.zeros((1, 3, 227, 227), np.float32), np.zeros((96, 3, 11, 11), np.float32)
    assert im2col_sizes(x, weight, stride=(4, 4)) == ((96, 363), (363, 3025), (96, 3025), 1)


def test_the_matrices_of_groups() -> None:
    x, weight = np.zeros((1, 8, 5, 5)), np.zeros((6, 4, 3, 3))
    assert im2col_sizes(x, weight, padding="same", groups=2) == ((3, 36), (36, 25), (3, 25), 2)


@pytest.mark.parametrize("kernel", [conv, depthwise_conv])
def test_weights_that_do_not_fit_are_refused(kernel: object) -> None:
    with pytest.raises(ValueError, match="does not fit a map of 3 channels"):
        kernel(np.zeros((1, 3, 4, 4)), np.zeros((2, 2, 1, 1)))  # type: ignore[operator]
    with pytest.raises(ValueError, match="does not fit a map of 3 channels"):
        conv_transpose(np.zeros((1, 3, 4, 4)), np.zeros((2, 2, 1, 1)))


def test_a_table_with_too_few_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="1 weights for 3 connections"):
        conv(np.zeros((1, 2, 3, 3)), np.zeros((1, 1, 1)), connections=((0, 1), (1,)))


def test_local_weights_for_other_positions_are_refused() -> None:
    with pytest.raises(ValueError, match="positions"):
        locally_connected(np.zeros((1, 1, 4, 4)), np.zeros((1, 2, 2, 1, 2, 2)))
