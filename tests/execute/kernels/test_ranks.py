"""Kernels over one, two and three position axes: against loops over every index, and cases worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from archcalc.execute.kernels import ALGORITHMS, Algorithm, Array, pool, reshape
from archcalc.execute.kernels.backward import pool as back
from archcalc.execute.kernels.conv import conv, locally_connected
from archcalc.execute.kernels.transposed import conv_transpose

every_rank = pytest.mark.parametrize("rank", [1, 2, 3])
every_form = pytest.mark.parametrize("algorithm", ALGORITHMS)

#: For each axis: size, window, stride, dilation, padding at the begin and at the end.
AXES = ((7, 3, 2, 1, 1, 0), (6, 2, 1, 2, 0, 1), (5, 2, 2, 1, 1, 1))


def settings(rank: int) -> tuple[tuple[int, ...], dict[str, Any]]:
    """The positions of a map, and a window over it."""
    sizes, window, stride, dilation, begins, ends = zip(*AXES[:rank], strict=True)
    return sizes, {"kernel_size": window, "stride": stride, "dilation": dilation, "padding": (*begins, *ends)}


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape)


def windows(sizes: Sequence[int], fields: dict[str, Any]) -> Iterator[tuple[tuple[int, ...], list[tuple[Any, Any]]]]:
    """Each position, and for each tap its index in the filter and in the map; None where that lies in the padding."""
    rank = len(sizes)
    columns = (sizes, fields["kernel_size"], fields["stride"], fields["dilation"], fields["padding"][:rank],
               fields["padding"][rank:])  # fmt: skip
    axes = list(zip(*columns, strict=True))
    counts = [(n + begin + end - d * (f - 1) - 1) // s + 1 for n, f, s, d, begin, end in axes]
    for position in product(*map(range, counts)):
        taps = []
        for tap in product(*map(range, fields["kernel_size"])):
            where = [i * s + t * d - begin for i, t, (_, _, s, d, begin, _) in zip(position, tap, axes, strict=True)]
            inside = all(0 <= place < size for place, size in zip(where, sizes, strict=True))
            taps.append((tap, tuple(where) if inside else None))
        yield position, taps


@every_form
@every_rank
def test_convolution(rank: int, algorithm: Algorithm) -> None:
    sizes, fields = settings(rank)
    x, weight, bias = numbers(2, 4, *sizes), numbers(6, 2, *fields["kernel_size"], seed=1), numbers(6, seed=2)
    del fields["kernel_size"]
    out = conv(x, weight, bias, groups=2, algorithm=algorithm, **fields)
    seen = 0
    for position, taps in windows(sizes, {**fields, "kernel_size": weight.shape[2:]}):
        for image, k in product(range(2), range(6)):
            first = k // 3 * 2
            total = bias[k]
            for tap, where in taps:
                if where is not None:
                    total += sum(x[(image, first + c, *where)] * weight[(k, c, *tap)] for c in range(2))
            assert out[(image, k, *position)] == pytest.approx(total, abs=1e-12)
            seen += 1
    assert seen == out.size


@every_form
@every_rank
def test_transposed_convolution(rank: int, algorithm: Algorithm) -> None:
    sizes, stride, window = (3, 2, 2)[:rank], (2, 1, 3)[:rank], (3, 2, 2)[:rank]
    padding, extra, dilation = (1, 0, 0)[:rank] + (0, 1, 1)[:rank], (1, 0, 2)[:rank], (3, 1, 2)[:rank]
    x, weight, bias = numbers(2, 4, *sizes), numbers(4, 3, *window, seed=1), numbers(6, seed=2)
    wanted = np.zeros((2, 6, *(20,) * rank))
    for position, tap in product(product(*map(range, sizes)), product(*map(range, window))):
        # Index 5 is where the result would begin without padding.
        axes = zip(position, stride, tap, dilation, padding, strict=False)
        where = tuple(5 + i * s + t * apart - begin for i, s, t, apart, begin in axes)
        for image, c, k in product(range(2), range(4), range(3)):
            wanted[(image, c // 2 * 3 + k, *where)] += x[(image, c, *position)] * weight[(c, k, *tap)]
    columns = zip(sizes, stride, window, dilation, padding, padding[rank:], extra, strict=False)
    ends = [(n - 1) * s + (f - 1) * d + 1 - begin - end + more for n, s, f, d, begin, end, more in columns]
    kept: Any = (..., *(slice(5, 5 + end) for end in ends))
    steps: Any = {"stride": stride, "dilation": dilation, "padding": padding, "output_padding": extra}
    out = conv_transpose(x, weight, bias, **steps, groups=2, algorithm=algorithm)
    np.testing.assert_allclose(out, wanted[kept] + bias.reshape(-1, *(1,) * rank), atol=1e-12)


@every_form
@every_rank
@pytest.mark.parametrize(
    ("window", "stride", "dilation"),
    [(3, 2, 1), (2, 2, 1), (4, 2, 1), (1, 3, 1), (5, 1, 1), (3, 1, 2), (2, 3, 2), (2, 2, 3)],
)
def test_same_padding_of_a_transposed_convolution(
    rank: int, window: int, stride: int, dilation: int, algorithm: Algorithm
) -> None:
    """Source: TensorFlow, Conv2DTranspose: S·W positions; the adjoint of a convolution with `same` over them."""
    x, weight = numbers(1, 2, *(3,) * rank), numbers(2, 3, *(window,) * rank, seed=1)
    steps: Any = {"stride": stride, "dilation": dilation, "padding": "same", "algorithm": algorithm}
    out = conv_transpose(x, weight, **steps)
    assert out.shape == (1, 3, *(3 * stride,) * rank)
    y = numbers(*out.shape, seed=2)
    there = conv(y, weight, **steps)
    np.testing.assert_allclose((there * x).sum(), (out * y).sum(), rtol=1e-10)


@every_form
@every_rank
def test_local_filters_that_are_equal_are_a_convolution(rank: int, algorithm: Algorithm) -> None:
    sizes, fields = settings(rank)
    x, weight = numbers(2, 3, *sizes), numbers(4, 3, *fields.pop("kernel_size"), seed=1)
    wanted = conv(x, weight, **fields)
    spread = np.broadcast_to(weight[(slice(None), *(None,) * rank)], (4, *wanted.shape[2:], *weight.shape[1:]))
    np.testing.assert_allclose(locally_connected(x, spread, algorithm=algorithm, **fields), wanted, atol=1e-12)


@every_form
@every_rank
def test_pools(rank: int, algorithm: Algorithm) -> None:
    sizes, fields = settings(rank)
    x = numbers(2, 3, *sizes)
    highest = pool.max_pool(x, algorithm=algorithm, **fields)
    _, switches = pool.max_pool_with_switches(x, **fields)
    mean = pool.avg_pool(x, algorithm=algorithm, **fields)
    inside = pool.avg_pool(x, count_include_pad=False, algorithm=algorithm, **fields)
    norm = pool.lp_pool(x, norm_type=3, algorithm=algorithm, **fields)
    seen = 0
    for position, taps in windows(sizes, fields):
        for plane in product(range(2), range(3)):
            values = [x[(*plane, *where)] for _, where in taps if where is not None]
            index = (*plane, *position)
            assert highest[index] == max(values)
            assert x[plane].reshape(-1)[switches.position[index]] == max(values)
            assert mean[index] == pytest.approx(sum(values) / len(taps))
            assert inside[index] == pytest.approx(sum(values) / len(values))
            assert norm[index] == pytest.approx(sum(abs(value) ** 3 for value in values) ** (1 / 3))
            seen += 1
    assert seen == highest.size == mean.size == norm.size


@every_form
@every_rank
def test_the_last_window_hangs_over_on_every_axis(rank: int, algorithm: Algorithm) -> None:
    x = np.arange(5.0**rank).reshape(1, 1, *(5,) * rank)
    window: Any = {"kernel_size": (2,) * rank, "stride": (2,) * rank, "ceil_mode": True, "algorithm": algorithm}
    ends = np.minimum(np.arange(3) * 2 + 1, 4)
    np.testing.assert_array_equal(pool.max_pool(x, **window)[0, 0], x[0, 0][np.ix_(*[ends] * rank)])
    # The mean of a linear map is its value in the middle of what lies inside: 0.5, 2.5 and 4.
    middle = np.array([0.5, 2.5, 4])
    wanted = sum(np.expand_dims(middle * 5 ** (rank - 1 - axis), [*range(axis), *range(axis + 1, rank)])
                 for axis in range(rank))  # fmt: skip
    np.testing.assert_allclose(pool.avg_pool(x, **window)[0, 0], wanted)


@every_rank
def test_global_and_adaptive_pools(rank: int) -> None:
    x = numbers(2, 3, *(5, 4, 6)[:rank])
    flat = x.reshape(2, 3, -1)
    np.testing.assert_allclose(pool.global_avg_pool(x).reshape(2, 3), flat.mean(axis=2))
    np.testing.assert_array_equal(pool.global_max_pool(x).reshape(2, 3), flat.max(axis=2))
    assert pool.global_max_pool(x).shape == (2, 3, *(1,) * rank)
    counts = (3, 2, 4)[:rank]
    mean, highest = (run(x, output_size=counts) for run in (pool.adaptive_avg_pool, pool.adaptive_max_pool))
    position: Any
    for position in product(*map(range, counts)):
        axes = zip(position, x.shape[2:], counts, strict=True)
        # ⌊i·W/N⌋ … ⌈(i + 1)·W/N⌉. Source: PyTorch, AdaptiveAvgPool2d.
        part: Any = (..., *(slice(int(np.floor(i * n / c)), int(np.ceil((i + 1) * n / c))) for i, n, c in axes))
        values = x[part].reshape(2, 3, -1)
        np.testing.assert_allclose(mean[:, :, *position], values.mean(axis=2))
        np.testing.assert_array_equal(highest[:, :, *position], values.max(axis=2))


@every_rank
def test_the_gradient_of_adaptive_maxima_goes_to_them(rank: int) -> None:
    x = np.random.default_rng(0).permutation(2 * 5**rank).reshape(1, 2, *(5,) * rank).astype(np.float64)
    out = pool.adaptive_max_pool(x, output_size=(2,) * rank)
    grad = numbers(*out.shape)
    (found,) = back.adaptive_max_pool(grad, x, output_size=(2,) * rank).maps
    wanted = np.zeros_like(x)
    for index in np.ndindex(*out.shape):
        wanted[x == out[index]] += grad[index]
    assert found is not None
    np.testing.assert_allclose(found, wanted)
    total = numbers(1, 2, *(1,) * rank)
    (found,) = back.global_max_pool(total, x).maps
    assert found is not None
    np.testing.assert_allclose(found, np.where(x == pool.global_max_pool(x), total, 0))


@every_rank
def test_unpooling_puts_maxima_back(rank: int) -> None:
    x = numbers(2, 3, *(6,) * rank)
    out, switches = pool.max_pool_with_switches(x, kernel_size=(2,) * rank, stride=(2,) * rank)
    back_again = pool.max_unpool(out, out, switches=switches, kernel_size=(2,) * rank)
    assert switches.size == (6,) * rank
    assert back_again.shape == x.shape
    np.testing.assert_array_equal(np.sort(back_again[back_again != 0]), np.sort(out.reshape(-1)))
    np.testing.assert_array_equal(back_again[back_again != 0], x[back_again != 0])


@every_rank
def test_moving_values(rank: int) -> None:
    x = numbers(2, 3, *(5, 6, 4)[:rank])
    begins, ends = (1, 0, 2)[:rank], (0, 2, 1)[:rank]
    padded = reshape.zero_pad(x, padding=(*begins, *ends))
    np.testing.assert_array_equal(padded, np.pad(x, ((0, 0), (0, 0), *zip(begins, ends, strict=True))))
    np.testing.assert_array_equal(reshape.crop(padded, margins=(*begins, *ends)), x)
    like = np.zeros((1, 1, *(2,) * rank))
    middle = [slice((n - 2) // 2, (n - 2) // 2 + 2) for n in x.shape[2:]]
    np.testing.assert_array_equal(reshape.crop(x, like), x[:, :, *middle])
    steps, starts = (2, 3, 1)[:rank], (1, 0, 2)[:rank]
    taken = [slice(first, None, by) for first, by in zip(starts, steps, strict=True)]
    np.testing.assert_array_equal(reshape.slice_(x, step=steps, start=starts), x[:, :, *taken])
    larger = reshape.upsample(x, scale=(2, 1, 3)[:rank])
    for index in np.ndindex(*larger.shape[2:]):
        old = tuple(i // factor for i, factor in zip(index, (2, 1, 3), strict=False))
        np.testing.assert_array_equal(larger[(..., *index)], x[(..., *old)])


@every_rank
def test_linear_interpolation_along_every_axis(rank: int) -> None:
    """Of a linear map it is linear too, up to the edges, where the outermost centres hold."""
    axes = np.indices((4,) * rank).astype(np.float64)
    x = sum((axis + 1) * axes[axis] for axis in range(rank))[None, None]
    centres = np.clip((np.arange(8) + 0.5) / 2 - 0.5, 0, 3)
    wanted = sum((axis + 1) * each for axis, each in enumerate(np.meshgrid(*[centres] * rank, indexing="ij")))
    np.testing.assert_allclose(reshape.upsample(x, scale=2, mode="linear")[0, 0], wanted)


def test_a_signal_by_hand() -> None:
    x, edge = np.array([[[1.0, 2, 4, 8]]]), np.array([[[1.0, -1]]])
    np.testing.assert_array_equal(conv(x, edge), [[[-1, -2, -4]]])
    np.testing.assert_array_equal(conv(x, edge, padding=1, stride=2), [[[-1, -2, 8]]])
    np.testing.assert_array_equal(conv(x, edge, dilation=2), [[[-3, -6]]])
    np.testing.assert_array_equal(conv_transpose(x, edge, stride=2), [[[1, -1, 2, -2, 4, -4, 8, -8]]])
    np.testing.assert_array_equal(pool.max_pool(x, kernel_size=(3,), stride=(1,)), [[[4, 8]]])


def test_a_volume_by_hand() -> None:
    """A 2×2×2 sum over the numbers of a 3×2×2 volume."""
    x = np.arange(12.0).reshape(1, 1, 3, 2, 2)
    np.testing.assert_array_equal(conv(x, np.ones((1, 1, 2, 2, 2)))[0, 0, :, 0, 0], [28, 60])
    np.testing.assert_array_equal(pool.avg_pool(x, kernel_size=(2, 2, 2), stride=(1, 1, 1)).reshape(-1), [3.5, 7.5])
