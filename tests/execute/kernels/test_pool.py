"""Pooling and unpooling: cases worked out by hand, in every form."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.execute.kernels import ALGORITHMS, Algorithm, Array
from archcalc.execute.kernels.pool import (
    adaptive_avg_pool,
    avg_pool,
    global_avg_pool,
    lp_pool,
    max_pool,
    max_pool_with_switches,
    max_unpool,
    subsampling,
)

SIXTEEN = np.arange(16.0).reshape(1, 1, 4, 4)
#: CS231n, pooling layer: the map of its figure.
FIGURE = np.array([[[[1.0, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]]]])

every_form = pytest.mark.parametrize("algorithm", ALGORITHMS)


def row(*values: float) -> Array:
    """A map with one row."""
    return np.array(values, np.float64).reshape(1, 1, 1, -1)


def equal(out: Array, wanted: object) -> None:
    np.testing.assert_allclose(out, np.asarray(wanted, out.dtype), rtol=1e-6)


@every_form
def test_max_pooling_as_in_the_lecture_notes(algorithm: Algorithm) -> None:
    equal(max_pool(FIGURE, kernel_size=(2, 2), stride=(2, 2), algorithm=algorithm), [[[[6, 8], [3, 4]]]])


@every_form
def test_padding_never_wins(algorithm: Algorithm) -> None:
    out = max_pool(row(-5, -3, -4), kernel_size=(1, 3), stride=(1, 2), padding=(0, 1, 0, 1), algorithm=algorithm)
    equal(out, [[[[-3, -3]]]])


@every_form
def test_windows_overlap_and_spread(algorithm: Algorithm) -> None:
    settings = {"kernel_size": (1, 2), "stride": (1, 1), "algorithm": algorithm}
    equal(max_pool(row(3, 1, 4, 1, 5), dilation=(1, 3), **settings), [[[[3, 5]]]])  # type: ignore[arg-type]
    equal(max_pool(row(3, 1, 4, 1, 5), **settings), [[[[3, 4, 4, 5]]]])  # type: ignore[arg-type]


@every_form
def test_ceil_mode_lets_the_last_window_hang_over(algorithm: Algorithm) -> None:
    x = row(1, 2, 3, 4, 5)
    floored = max_pool(x, kernel_size=(1, 2), stride=(1, 2), algorithm=algorithm)
    equal(floored, [[[[2, 4]]]])
    ceiled = max_pool(x, kernel_size=(1, 2), stride=(1, 2), ceil_mode=True, algorithm=algorithm)
    equal(ceiled, [[[[2, 4, 5]]]])


@every_form
def test_a_last_window_in_the_padding_is_dropped_where_clipped(algorithm: Algorithm) -> None:
    # 4 pixels, padding 1 and 1, windows of 2 every 5: one from −1, one from 4, in the padding alone.
    settings = {"kernel_size": (1, 2), "stride": (1, 5), "padding": (0, 1, 0, 1), "algorithm": algorithm}
    clipped = max_pool(row(1, 2, 3, 4), ceil_mode=True, **settings)  # type: ignore[arg-type]
    equal(clipped, [[[[1]]]])
    kept = max_pool(row(1, 2, 3, 4), ceil_mode=True, clip_last_window=False, **settings)  # type: ignore[arg-type]
    equal(kept, [[[[1, -np.inf]]]])
    kept = avg_pool(row(1, 2, 3, 4), ceil_mode=True, clip_last_window=False, **settings)  # type: ignore[arg-type]
    equal(kept, [[[[0.5, 0]]]])


def test_a_last_window_after_the_padding_is_an_error() -> None:
    window = {"kernel_size": (1, 1), "stride": (1, 5), "padding": (0, 0, 0, 1)}
    with pytest.raises(ValueError, match="starts at 10, after the 7 pixels of the padded map"):
        max_pool(row(1, 2, 3, 4, 5, 6), ceil_mode=True, clip_last_window=False, **window)  # type: ignore[arg-type]


def test_padding_alone_has_no_position() -> None:
    with pytest.raises(ValueError, match="nowhere in the map"):
        max_pool_with_switches(
            row(1, 2, 3, 4), kernel_size=(1, 2), stride=(1, 5), padding=(0, 1, 0, 1), ceil_mode=True,
            clip_last_window=False,
        )  # fmt: skip


@every_form
def test_caffe_keeps_a_last_window_that_starts_on_the_map(algorithm: Algorithm) -> None:
    settings = {"kernel_size": (1, 3), "stride": (1, 2), "algorithm": algorithm}
    out = max_pool(row(1, 2, 3, 4), ceil_mode=True, clip_last_window=False, **settings)  # type: ignore[arg-type]
    equal(out, [[[[3, 4]]]])


@every_form
def test_the_mean_counts_padding_or_not(algorithm: Algorithm) -> None:
    settings = {"kernel_size": (1, 3), "stride": (1, 2), "padding": (0, 1, 0, 1), "algorithm": algorithm}
    equal(avg_pool(row(3, 6, 9), **settings), [[[[3, 5]]]])  # type: ignore[arg-type]
    without = avg_pool(row(3, 6, 9), count_include_pad=False, **settings)  # type: ignore[arg-type]
    equal(without, [[[[4.5, 7.5]]]])


@every_form
def test_what_hangs_over_never_counts(algorithm: Algorithm) -> None:
    out = avg_pool(row(3, 6, 9), kernel_size=(1, 2), stride=(1, 2), ceil_mode=True, algorithm=algorithm)
    equal(out, [[[[4.5, 9]]]])


@every_form
def test_same_padding(algorithm: Algorithm) -> None:
    out = avg_pool(
        row(2, 4, 6, 8),
        kernel_size=(1, 3),
        stride=(1, 2),
        padding="same",
        count_include_pad=False,
        algorithm=algorithm,
    )
    # One pixel of padding, at the right.
    equal(out, [[[[4, 7]]]])


@every_form
def test_the_norm_of_a_window(algorithm: Algorithm) -> None:
    settings = {"kernel_size": (1, 2), "stride": (1, 2), "algorithm": algorithm}
    equal(lp_pool(row(3, -4, 6, 8), **settings), [[[[5, 10]]]])  # type: ignore[arg-type]
    equal(lp_pool(row(3, -4, 6, 8), norm_type=1, **settings), [[[[7, 14]]]])  # type: ignore[arg-type]
    equal(lp_pool(row(-1, 2, 0, 5), norm_type=3, **settings), [[[[9 ** (1 / 3), 5]]]])  # type: ignore[arg-type]


@every_form
def test_subsampling_weighs_the_sum(algorithm: Algorithm) -> None:
    x = np.concatenate([SIXTEEN, SIXTEEN], axis=1)
    out = subsampling(
        x, np.array([1.0, 0.25]), np.array([0.0, -1]), kernel_size=(2, 2), stride=(2, 2), algorithm=algorithm
    )
    equal(out, [[[[10, 18], [42, 50]], [[1.5, 3.5], [9.5, 11.5]]]])


def test_the_mean_of_each_channel() -> None:
    equal(global_avg_pool(np.concatenate([SIXTEEN, 2 * SIXTEEN], axis=1)), [[[[7.5]], [[15]]]])


def test_adaptive_windows_overlap_where_the_size_is_no_multiple() -> None:
    # 5 columns in 3: columns 0–1, 1–3, 3–4.
    equal(adaptive_avg_pool(row(0, 1, 2, 3, 4), output_size=(1, 3)), [[[[0.5, 2, 3.5]]]])
    equal(adaptive_avg_pool(SIXTEEN, output_size=(2, 1)), [[[[3.5], [11.5]]]])
    # More columns than there are.
    equal(adaptive_avg_pool(row(1, 2), output_size=(1, 4)), [[[[1, 1, 2, 2]]]])


def test_switches_say_where_the_maxima_stood() -> None:
    out, switches = max_pool_with_switches(FIGURE, kernel_size=(2, 2), stride=(2, 2))
    equal(out, [[[[6, 8], [3, 4]]]])
    np.testing.assert_array_equal(switches.position, [[[[5, 7], [8, 15]]]])
    assert switches.size == (4, 4)


def test_of_equal_maxima_the_first_has_the_switch() -> None:
    _, switches = max_pool_with_switches(np.ones((1, 1, 2, 2)), kernel_size=(2, 2), stride=(1, 1))
    assert switches.position.item() == 0


def test_switches_count_in_the_map_without_its_padding() -> None:
    _, switches = max_pool_with_switches(
        row(9, 1, 2), kernel_size=(1, 3), stride=(1, 2), padding=(0, 1, 0, 1), dilation=(1, 1)
    )
    np.testing.assert_array_equal(switches.position, [[[[0, 2]]]])


def test_unpooling_puts_the_maxima_back() -> None:
    out, switches = max_pool_with_switches(FIGURE, kernel_size=(2, 2), stride=(2, 2))
    back = max_unpool(out * 10, out, switches=switches, kernel_size=(2, 2))
    equal(back, [[[[0, 0, 0, 0], [0, 60, 0, 80], [30, 0, 0, 0], [0, 0, 0, 40]]]])


def test_unpooling_takes_the_size_of_the_map_that_was_pooled() -> None:
    x = np.arange(25.0).reshape(1, 1, 5, 5)
    out, switches = max_pool_with_switches(x, kernel_size=(2, 2), stride=(2, 2))
    back = max_unpool(out, out, x, switches=switches, kernel_size=(2, 2))
    assert back.shape == x.shape
    assert {(int(r), int(c)) for r, c in zip(*np.nonzero(back[0, 0]), strict=True)} == {(1, 1), (1, 3), (3, 1), (3, 3)}
    # Without it the map is as large as the windows reach, and the rows still fit.
    small = max_unpool(out, out, switches=switches, kernel_size=(2, 2))
    equal(small, back[:, :, :4, :4])


def test_unpooling_refuses_switches_outside() -> None:
    x = row(1, 2, 3, 4, 5, 6)
    out, switches = max_pool_with_switches(x, kernel_size=(1, 2), stride=(1, 2))
    with pytest.raises(ValueError, match="give the map that was pooled"):
        max_unpool(out, out, switches=switches, kernel_size=(1, 1), stride=(1, 1))
    with pytest.raises(ValueError, match="the maps are"):
        max_unpool(out[:, :, :, :1], out, switches=switches, kernel_size=(1, 2))


def test_switches_of_many_windows_in_maps_of_one_column() -> None:
    """More than 8,192 places, and a last axis of one element."""
    x = np.random.default_rng(0).random((3, 4, 801, 2))
    out, switches = max_pool_with_switches(x, kernel_size=(2, 2), stride=(1, 1))
    planes = switches.position.reshape(12, -1)
    np.testing.assert_array_equal(np.take_along_axis(x.reshape(12, -1), planes, axis=1), out.reshape(12, -1))
    back = max_unpool(out, out, x, switches=switches, kernel_size=(2, 2), stride=(1, 1)).reshape(12, -1)
    np.testing.assert_array_equal(np.take_along_axis(back, planes, axis=1), out.reshape(12, -1))
