"""Every other kernel: cases worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from archcalc.execute.kernels import Array, activation, dense, merge, norm, reshape

X = np.array([[-2.0, 0, 2]])


def equal(out: Array, wanted: object) -> None:
    np.testing.assert_allclose(out, np.asarray(wanted, out.dtype), rtol=1e-6, atol=1e-12)


# --- activation functions

FUNCTIONS: list[tuple[Callable[..., Array], list[float]]] = [
    (activation.relu, [0, 0, 2]),
    (activation.relu6, [0, 0, 2]),
    (activation.sigmoid, [0.11920292, 0.5, 0.88079708]),
    (activation.tanh, [-0.96402758, 0, 0.96402758]),
    (activation.scaled_tanh, [-1.49293881, 0, 1.49293881]),
    (activation.softmax, [0.01587624, 0.11731043, 0.86681333]),
]


@pytest.mark.parametrize(("function", "values"), FUNCTIONS, ids=lambda case: getattr(case, "__name__", ""))
def test_functions_of_one_value(function: Callable[..., Array], values: list[float]) -> None:
    equal(function(X), [values])
    assert list(X[0]) == [-2, 0, 2], "the input stays as it is"


@pytest.mark.parametrize("function", [function for function, _ in FUNCTIONS])
def test_functions_can_work_in_place(function: Callable[..., Array]) -> None:
    x = X.copy()
    wanted = function(X)
    assert function(x, out=x) is x
    equal(x, wanted)


def test_relu6_ends_at_6() -> None:
    equal(activation.relu6(np.array([[5.9, 6, 7]])), [[5.9, 6, 6]])


def test_scaled_tanh_is_1_at_1() -> None:
    """LeCun et al. 1998, appendix A: f(1) = 1 and f(−1) = −1."""
    np.testing.assert_allclose(activation.scaled_tanh(np.array([[1.0, -1]])), [[1, -1]], atol=1e-4)


@pytest.mark.parametrize("function", [activation.sigmoid, activation.softmax, activation.tanh])
def test_large_values_do_not_overflow(function: Callable[..., Array]) -> None:
    assert np.isfinite(function(np.array([[-1e4, 0, 1e4]], np.float32))).all()


def test_softmax_is_over_the_classes_at_each_position() -> None:
    x = np.zeros((1, 2, 1, 2))
    x[0, 1, 0, 1] = np.log(3)
    equal(activation.softmax(x), [[[[0.5, 0.25]], [[0.5, 0.75]]]])


# --- dense layers


def test_a_dense_layer_flattens_channel_by_channel() -> None:
    x = np.arange(1.0, 5).reshape(1, 2, 1, 2)
    weight = np.array([[1.0, 10, 100, 1000], [0, 0, 0, 1]])
    equal(dense.linear(x, weight), [[4321, 4]])
    equal(dense.linear(x, weight, np.array([0.5, -1])), [[4321.5, 3]])


def test_rbf_is_the_squared_distance_to_each_code() -> None:
    equal(dense.rbf(np.array([[1.0, -1, 0.5]]), np.array([[1.0, -1, 1], [-1, -1, -1]])), [[0.25, 6.25]])


# --- normalisation


def test_batch_norm_by_hand() -> None:
    x = np.array([[[[1.0, 5]], [[0, 2]]]])
    # (x − 3)/√(3 + 1)·10 + 1, and (x − 0)/√(0 + 1)·1 + 0
    out = norm.batch_norm(
        x, np.array([3.0, 0]), np.array([3.0, 0]), np.array([10.0, 1]), np.array([1.0, 0]), epsilon=1.0
    )
    equal(out, [[[[-9, 11]], [[0, 2]]]])
    equal(norm.batch_norm(x[:, :, 0, 0], np.array([3.0, 0]), np.array([3.0, 0]), epsilon=1.0), [[-1, 0]])


def test_response_norm_by_hand() -> None:
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1, 1)
    # Window 3, α 3, so α/n 1: k + the squares of the neighbours.
    out = norm.local_response_norm(x, size=3, alpha=3, beta=1, k=1)
    equal(out[0, :, 0, 0], [1 / 6, 2 / 15, 3 / 30, 4 / 26])


def test_response_norm_an_even_window_reaches_backward() -> None:
    # torch.nn.LocalResponseNorm(2, alpha=2, beta=1, k=0) of 1, 2, 3, and with size 4 and alpha 4 of 1, 2, 3, 4.
    x = np.array([1.0, 2, 3]).reshape(1, 3, 1, 1)
    out = norm.local_response_norm(x, size=2, alpha=2, beta=1, k=0)
    equal(out[0, :, 0, 0], [1 / 1, 2 / 5, 3 / 13])
    x = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1, 1)
    out = norm.local_response_norm(x, size=4, alpha=4, beta=1, k=0)
    equal(out[0, :, 0, 0], [1 / 5, 2 / 14, 3 / 30, 4 / 29])


def test_response_norm_divides_alpha_by_the_window() -> None:
    x = np.full((1, 5, 1, 1), 10.0)
    wanted = 10 / (2 + 1e-4 / 5 * 500) ** 0.75
    assert norm.local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2)[0, 2, 0, 0] == pytest.approx(wanted)


def test_dropout_does_nothing() -> None:
    assert norm.dropout(X) is X


# --- merging


def test_add_takes_any_number_of_maps() -> None:
    equal(merge.add(X, X, 10 * X), 12 * X)
    assert list(X[0]) == [-2, 0, 2]


def test_multiply_spreads_a_value_a_channel() -> None:
    x = np.arange(1.0, 9).reshape(1, 2, 2, 2)
    each = np.array([[10.0, 100]])
    wanted = [[[[10, 20], [30, 40]], [[500, 600], [700, 800]]]]
    equal(merge.multiply(x, each), wanted)
    equal(merge.multiply(each.reshape(1, 2, 1, 1), x), wanted)
    equal(merge.multiply(x, factor=0.5), x / 2)
    equal(merge.multiply(x, x, factor=2.0), 2 * x * x)


def test_concat_stacks_channels() -> None:
    first, second = np.zeros((2, 1, 2, 2)), np.ones((2, 3, 2, 2))
    equal(merge.concat(first, second, first)[1, :, 0, 0], [0, 1, 1, 1, 0])


# --- shapes

NINE = np.arange(9.0).reshape(1, 1, 3, 3)


def test_views_keep_the_order() -> None:
    x = np.arange(24.0).reshape(2, 3, 2, 2)
    equal(reshape.flatten(x), np.arange(24.0).reshape(2, 12))
    equal(reshape.reshape(x, shape=(12, 1, 1)), np.arange(24.0).reshape(2, 12, 1, 1))
    assert np.shares_memory(reshape.flatten(x), x)


def test_crop() -> None:
    equal(reshape.crop(NINE, margins=(1, 0, 0, 2)), [[[[3], [6]]]])
    # To the size of another map: the odd pixel goes at the bottom and right.
    equal(reshape.crop(NINE, np.zeros((1, 5, 2, 1))), [[[[1], [4]]]])
    with pytest.raises(ValueError, match="needs margins"):
        reshape.crop(NINE)


def test_slice() -> None:
    equal(reshape.slice_(NINE, step=(2, 1), start=(0, 1)), [[[[1, 2], [7, 8]]]])


def test_zero_pad() -> None:
    equal(reshape.zero_pad(np.ones((1, 1, 1, 1)), padding=(0, 1, 1, 2)), [[[[0, 1, 0, 0], [0, 0, 0, 0]]]])
    equal(reshape.zero_pad(np.ones((1, 1, 1, 2)), padding="same", kernel_size=(1, 4)), [[[[0, 1, 1, 0, 0]]]])


@pytest.mark.parametrize(
    ("settings", "channels"),
    [
        ({"before": 1, "after": 2}, [0, 1, 1, 0, 0]),
        ({"after": 1}, [1, 1, 0]),
        ({"out_channels": 4}, [1, 1, 0, 0]),
        ({"out_channels": 5, "before": "half"}, [0, 1, 1, 0, 0]),
        ({"out_channels": 5, "before": 2}, [0, 0, 1, 1, 0]),
    ],
)
def test_pad_channels(settings: dict[str, Any], channels: list[float]) -> None:
    equal(reshape.pad_channels(np.ones((1, 2, 1, 1)), **settings)[0, :, 0, 0], channels)


def test_nearest_repeats() -> None:
    x = np.array([[[[1.0, 2], [3, 4]]]])
    equal(reshape.upsample(x, scale=(1, 3)), [[[[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]]]])


def test_bilinear_weighs_by_the_distance_of_centres() -> None:
    x = np.array([[[[0.0, 8]]]])
    equal(reshape.upsample(x, scale=(1, 2), mode="bilinear"), [[[[0, 2, 6, 8]]]])
    equal(reshape.upsample(x, scale=(2, 4), mode="bilinear")[0, 0, 1], [0, 0, 1, 3, 5, 7, 8, 8])


@pytest.mark.parametrize("function", [reshape.input_, reshape.identity])
def test_some_do_nothing(function: Callable[[Array], Array]) -> None:
    assert function(X) is X
