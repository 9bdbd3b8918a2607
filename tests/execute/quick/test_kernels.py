"""The fast kernels against loops over every window in float64."""

import ast
import threading
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from archcalc.execute.quick import kernels as fast
from archcalc.execute.quick.kernels import Geometry, Workspace, plan
from tests.tiers import examples

Array = NDArray[Any]

#: Largest error over largest value. Winograd's transforms cost a digit of float32: Lavin & Gray 2015, section 5.2.
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def padded(x: Array, padding: tuple[int, int, int, int], value: float = 0) -> Array:
    top, left, bottom, right = padding
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def windows(x: Array, kernel: Any, stride: Any, dilation: Any) -> tuple[int, int, dict[tuple[int, int], Array]]:
    """(OH, OW, {position: window (N, C, kh, kw)}) of an already padded (N, C, H, W)."""
    high, wide = (dilation[axis] * (kernel[axis] - 1) + 1 for axis in (0, 1))
    tops = range(0, x.shape[2] - high + 1, stride[0])
    lefts = range(0, x.shape[3] - wide + 1, stride[1])
    found = {
        (i, j): x[:, :, top : top + high : dilation[0], left : left + wide : dilation[1]]
        for i, top in enumerate(tops)
        for j, left in enumerate(lefts)
    }
    return len(tops), len(lefts), found


def naive_conv2d(
    x: Array, weight: Array, bias: Array | None, stride: Any, padding: Any, dilation: Any, groups: int
) -> Array:
    """The definition, in float64."""
    x, weight = padded(x.astype(np.float64), padding), weight.astype(np.float64)
    filters, depth = weight.shape[:2]
    rows, columns, found = windows(x, weight.shape[2:], stride, dilation)
    out = np.zeros((len(x), filters, rows, columns))
    for (i, j), window in found.items():
        for k in range(filters):
            group = k // (filters // groups)
            part = window[:, group * depth : (group + 1) * depth]
            out[:, k, i, j] = (part * weight[k]).sum(axis=(1, 2, 3)) + (0 if bias is None else bias[k])
    return out


def random_case(seed: int, shape: Any, weight: Any, dtype: Any, bias: bool = True) -> tuple[Array, Array, Array | None]:
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal(shape).astype(dtype),
        rng.standard_normal(weight).astype(dtype),
        rng.standard_normal(weight[0]).astype(dtype) if bias else None,
    )


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None,
    geometry: Geometry,
    groups: int = 1,
    algorithm: plan.Algorithm | None = None,
    threads: int = 1,
) -> Array:
    """One layer, channels first."""
    size = geometry.positions(x.shape[2], x.shape[3])
    chosen = algorithm or fast.choose(weight.shape, geometry, groups, size)
    out = np.empty((len(x), *size, len(weight)), x.dtype)
    with Workspace(threads) as workspace:
        fast.prepare(weight, bias, geometry, groups, chosen).run(x.transpose(0, 2, 3, 1), out, workspace)
    return out.transpose(0, 3, 1, 2)


def assert_close(got: Array, want: Array, dtype: Any) -> None:
    assert got.shape == want.shape
    assert got.dtype == dtype
    scale = max(float(np.abs(want).max(initial=0)), 1.0)
    assert float(np.abs(got - want).max(initial=0)) <= TOLERANCE[dtype] * scale


#: Shapes of input and weight as `conv2d` takes them; stride; padding (top, left, bottom, right); dilation; groups.
CASES = {
    "1×1": ((1, 8, 7, 9), (6, 8, 1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "1×1, stride 2": ((1, 8, 7, 9), (6, 8, 1, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1),
    "1×1, padded": ((1, 5, 4, 4), (3, 5, 1, 1), (1, 1), (1, 0, 2, 1), (1, 1), 1),
    "first layer of VGG": ((1, 3, 17, 16), (8, 3, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "first layer of ResNet": ((1, 3, 23, 24), (8, 3, 7, 7), (2, 2), (3, 3, 3, 3), (1, 1), 1),
    "first layer of AlexNet": ((1, 3, 35, 35), (6, 3, 11, 11), (4, 4), (2, 2, 2, 2), (1, 1), 1),
    "one channel, stride 3": ((2, 1, 11, 14), (2, 1, 2, 3), (2, 3), (0, 1, 1, 0), (1, 1), 1),
    "3×3": ((2, 16, 13, 14), (12, 16, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
    "3×3, valid": ((1, 6, 9, 5), (4, 6, 3, 3), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "3×3, one window": ((1, 6, 3, 3), (4, 6, 3, 3), (1, 1), (0, 0, 0, 0), (1, 1), 1),
    "3×3, asymmetric": ((1, 5, 6, 8), (4, 5, 3, 3), (1, 1), (0, 2, 3, 1), (1, 1), 1),
    "3×3, wide padding": ((1, 4, 2, 3), (4, 4, 3, 3), (1, 1), (6, 5, 7, 4), (1, 1), 1),
    "3×3, stride 2": ((1, 5, 9, 12), (4, 5, 3, 3), (2, 2), (1, 1, 0, 0), (1, 1), 1),
    "3×3, dilated": ((1, 5, 12, 11), (4, 5, 3, 3), (1, 1), (2, 2, 2, 2), (2, 2), 1),
    "5×5": ((1, 6, 11, 10), (7, 6, 5, 5), (1, 1), (2, 2, 2, 2), (1, 1), 1),
    "1×7": ((1, 6, 9, 10), (4, 6, 1, 7), (1, 1), (0, 3, 0, 3), (1, 1), 1),
    "7×1, stride 2": ((1, 6, 16, 5), (4, 6, 7, 1), (2, 1), (3, 0, 3, 0), (1, 1), 1),
    "grouped": ((2, 12, 8, 7), (9, 4, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 3),
    "grouped 1×1": ((1, 8, 5, 5), (6, 4, 1, 1), (1, 1), (0, 0, 0, 0), (1, 1), 2),
    "depthwise": ((2, 12, 9, 10), (12, 1, 3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 12),
    "depthwise, stride 2": ((1, 12, 9, 10), (12, 1, 3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 12),
    "depthwise, stride 2, dilation 3": ((1, 4, 14, 17), (4, 1, 3, 3), (2, 2), (1, 2, 0, 1), (3, 3), 4),
    "depthwise, multiplier 3": ((1, 4, 7, 6), (12, 1, 3, 2), (1, 2), (0, 1, 1, 0), (1, 1), 4),
    "depthwise, wide padding": ((1, 4, 2, 2), (4, 1, 3, 3), (2, 3), (7, 5, 8, 6), (1, 1), 4),
}


def algorithms(weight: Any, stride: Any, dilation: Any, groups: int) -> list[plan.Algorithm]:
    """Every algorithm that can do this convolution."""
    able: list[plan.Algorithm] = ["matrix"]
    if groups == 1:
        able.append("planar")
    if weight[1] == 1:
        able.append("depthwise")
    if groups == 1 and tuple(stride) == tuple(dilation) == (1, 1):
        if tuple(weight[2:]) in {(3, 3), (5, 5)}:
            able.append("winograd2")
        if tuple(weight[2:]) == (3, 3):
            able.append("winograd4")
    return able


@DTYPES
@pytest.mark.parametrize("name", CASES)
def test_every_algorithm_against_loops(name: str, dtype: Any) -> None:
    shape, weight_shape, stride, padding, dilation, groups = CASES[name]
    x, weight, bias = random_case(1, shape, weight_shape, dtype)
    want = naive_conv2d(x, weight, bias, stride, padding, dilation, groups)
    geometry = Geometry((weight_shape[2], weight_shape[3]), stride, padding, dilation)
    for threads in (1, 2):
        for algorithm in (None, *algorithms(weight_shape, stride, dilation, groups)):
            assert_close(conv2d(x, weight, bias, geometry, groups, algorithm, threads), want, dtype)


small = st.integers(1, 3)
sides = st.tuples(*[st.integers(0, 4)] * 4)


@given(
    data=st.data(),
    kernel=st.one_of(st.sampled_from([(1, 1), (3, 3), (5, 5)]), st.tuples(st.integers(1, 4), st.integers(1, 4))),
    stride=st.one_of(st.just((1, 1)), st.tuples(small, small)),
    dilation=st.one_of(st.just((1, 1)), st.tuples(small, small)),
    padding=sides,
    size=st.tuples(st.integers(1, 14), st.integers(1, 14)),
    batch=st.integers(1, 2),
    groups=st.integers(1, 4),
    dtype=st.sampled_from([np.float32, np.float64]),
    threads=st.integers(1, 3),
)
@examples(150)
def test_random_hyperparameters(
    data: st.DataObject,
    kernel: Any,
    stride: Any,
    dilation: Any,
    padding: Any,
    size: Any,
    batch: int,
    groups: int,
    dtype: Any,
    threads: int,
) -> None:
    for axis in (0, 1):
        assume(size[axis] + padding[axis] + padding[axis + 2] > dilation[axis] * (kernel[axis] - 1))
    depth, per_group = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 5))
    weight_shape = (groups * per_group, depth, *kernel)
    x, weight, bias = random_case(2, (batch, groups * depth, *size), weight_shape, dtype, data.draw(st.booleans()))
    want = naive_conv2d(x, weight, bias, stride, padding, dilation, groups).transpose(0, 2, 3, 1)
    algorithm = data.draw(st.sampled_from(algorithms(weight_shape, stride, dilation, groups)))
    prepared = fast.prepare(weight, bias, Geometry(kernel, stride, padding, dilation), groups, algorithm)
    relu, residual = data.draw(st.booleans()), None
    if data.draw(st.booleans()):
        residual = np.random.default_rng(3).standard_normal(want.shape).astype(dtype)
        want = want + residual
    if relu:
        want = np.maximum(want, 0)
    # As a branch of a concatenation: a slice of a wider map, whose other channels stay as they are.
    wide = np.full((*want.shape[:3], want.shape[3] + 5), 7, dtype)
    out = wide[..., 2 : 2 + want.shape[3]] if data.draw(st.booleans()) else np.empty(want.shape, dtype)
    with Workspace(threads) as workspace:
        prepared.run(x.transpose(0, 2, 3, 1), out, workspace, residual=residual, relu=relu)
    assert_close(out, want, dtype)
    assert (wide[..., :2] == 7).all()
    assert (wide[..., 2 + want.shape[3] :] == 7).all()


@pytest.mark.parametrize(
    ("weight", "size", "algorithm"),
    [
        pytest.param((64, 64, 3, 3), 224, "winograd4", id="VGG-16 conv1_2"),
        pytest.param((512, 512, 3, 3), 14, "winograd2", id="VGG-16 conv5"),
        pytest.param((512, 512, 3, 3), 7, "matrix", id="ResNet-50 stage 5"),
        pytest.param((192, 64, 5, 5), 27, "winograd2", id="AlexNet conv2"),
        pytest.param((256, 64, 1, 1), 56, "matrix", id="ResNet-50 1×1"),
        pytest.param((64, 3, 3, 3), 224, "planar", id="VGG-16 conv1_1"),
    ],
)
def test_layers_of_networks(weight: Any, size: int, algorithm: plan.Algorithm) -> None:
    """The algorithm that is chosen, and that real depths keep to the tolerance: against a float64 matrix product."""
    side = weight[2] // 2
    geometry = Geometry((weight[2], weight[3]), padding=(side, side, side, side))
    assert plan.choose(weight, geometry, 1, (size, size)) == algorithm
    height = min(size, 29)
    x, filters, bias = random_case(4, (1, weight[1], height, height), weight, np.float32)
    x = np.maximum(x, 0)
    assert bias is not None
    wide = (x.astype(np.float64), filters.astype(np.float64), bias.astype(np.float64))
    want = conv2d(*wide, geometry, algorithm="matrix")
    assert_close(conv2d(x, filters, bias, geometry, algorithm=algorithm, threads=2), want, np.float32)


def test_choose_names_only_algorithms_that_can_do_it() -> None:
    names = get_args(plan.Algorithm)
    for kernel in [(1, 1), (3, 3), (5, 5), (1, 7), (11, 11)]:
        for stride in (1, 2):
            for depth, filters, groups in [(1, 1, 1), (3, 64, 1), (64, 64, 1), (1, 64, 64), (8, 64, 8), (512, 512, 1)]:
                for size in (1, 7, 14, 28, 56, 224):
                    weight = (filters, depth, *kernel)
                    name = plan.choose(weight, Geometry(kernel, (stride, stride)), groups, (size, size))
                    assert name in names
                    assert name in algorithms(weight, (stride, stride), (1, 1), groups)


# kernel, stride, padding, dilation
POOLS = [
    ((2, 2), (2, 2), (0, 0, 0, 0), (1, 1)),
    ((3, 3), (2, 2), (1, 1, 1, 1), (1, 1)),
    ((3, 3), (1, 1), (1, 1, 1, 1), (1, 1)),
    ((3, 2), (2, 3), (0, 1, 1, 0), (1, 1)),
    ((2, 3), (1, 2), (1, 2, 0, 1), (3, 2)),
    ((7, 7), (1, 1), (0, 0, 0, 0), (1, 1)),
]


@DTYPES
@pytest.mark.parametrize(("kernel", "stride", "padding", "dilation"), POOLS)
def test_pools(kernel: Any, stride: Any, padding: Any, dilation: Any, dtype: Any) -> None:
    x = np.random.default_rng(5).standard_normal((2, 5, 9, 10)).astype(dtype)
    rows, columns, best = windows(padded(x, padding, -np.inf), kernel, stride, dilation)
    sums = windows(padded(x.astype(np.float64), padding), kernel, stride, dilation)[2]
    inside = windows(padded(np.ones_like(x), padding), kernel, stride, dilation)[2]
    last = np.moveaxis(x, 1, 3)
    geometry = Geometry(kernel, stride, padding, dilation)
    for threads in (1, 2):
        highest, mean = np.empty((2, 2, rows, columns, 5), dtype)
        wide = np.full((2, rows, columns, 8), 7, dtype)
        true_mean = wide[..., 2:7]
        with Workspace(threads) as workspace:
            fast.max_pool(last, geometry, highest, workspace)
            fast.avg_pool(last, geometry, mean, workspace)
            fast.avg_pool(last, geometry, true_mean, workspace, count_include_pad=False)
        assert (wide[..., :2] == 7).all()
        for (i, j), window in best.items():
            np.testing.assert_array_equal(highest[:, i, j], window.max(axis=(2, 3)))
            total = sums[i, j].sum(axis=(2, 3))
            np.testing.assert_allclose(mean[:, i, j], total / (kernel[0] * kernel[1]), rtol=1e-5, atol=1e-6)
            count = inside[i, j].sum(axis=(2, 3))
            np.testing.assert_allclose(true_mean[:, i, j], total / count, rtol=1e-5, atol=1e-6)


def test_pools_with_a_window_over_the_edge() -> None:
    x = np.arange(25.0).reshape(1, 5, 5, 1)
    out = np.empty((1, 3, 3, 1))
    fast.max_pool(x, Geometry((2, 2), (2, 2)), out, Workspace(1))
    np.testing.assert_array_equal(out[0, :, :, 0], [[6, 8, 9], [16, 18, 19], [21, 23, 24]])
    fast.avg_pool(x, Geometry((2, 2), (2, 2)), out, Workspace(1))
    np.testing.assert_array_equal(out[0, :, :, 0], [[3, 5, 6.5], [13, 15, 16.5], [20.5, 22.5, 24]])


def test_max_pool_keeps_nan() -> None:
    x = np.zeros((1, 4, 4, 2), np.float32)
    x[0, 1, 2, 1] = np.nan
    got = np.empty((1, 2, 2, 2), np.float32)
    fast.max_pool(x, Geometry((2, 2), (2, 2)), got, Workspace(1))
    assert np.isnan(got[0, 0, 1, 1])
    assert np.isnan(got).sum() == 1


@DTYPES
def test_global_average(dtype: Any) -> None:
    x = np.random.default_rng(6).standard_normal((2, 7, 7, 5)).astype(dtype)
    out = np.empty((2, 1, 1, 5), dtype)
    fast.global_avg_pool(x, out)
    assert_close(out, x.astype(np.float64).mean(axis=(1, 2), keepdims=True), dtype)


@DTYPES
@pytest.mark.parametrize("batch", [1, 3])
def test_dense(batch: int, dtype: Any) -> None:
    x, weight, bias = random_case(7, (batch, 40), (11, 40), dtype)
    assert bias is not None
    want = x.astype(np.float64) @ weight.T.astype(np.float64)
    out = np.empty((batch, 11), dtype)
    with Workspace(2) as workspace:
        fast.dense(x, weight, bias, out, workspace, relu=True)
        assert_close(out, np.maximum(want + bias, 0), dtype)
    fast.dense(x, weight, None, out, Workspace(1))
    assert_close(out, want, dtype)


@DTYPES
@pytest.mark.parametrize(("size", "beta"), [(5, 0.75), (4, 0.5), (1, 0.75)])
def test_local_response_norm(size: int, beta: float, dtype: Any) -> None:
    x = np.random.default_rng(8).standard_normal((2, 3, 4, 9)).astype(dtype)
    wide = x.astype(np.float64)
    want = np.empty_like(wide)
    for c in range(9):
        low, high = max(0, c - size // 2), min(9, c + (size - 1) // 2 + 1)
        want[..., c] = wide[..., c] / (2 + 0.1 / size * (wide[..., low:high] ** 2).sum(axis=3)) ** beta
    got = np.empty_like(x)
    with Workspace(2) as workspace:
        fast.local_response_norm(x, got, workspace, size=size, alpha=0.1, beta=beta, k=2.0)
    assert_close(got, want, dtype)


@DTYPES
@pytest.mark.parametrize("with_bias", [True, False])
def test_fold_batch_norm(with_bias: bool, dtype: Any) -> None:
    x, weight, bias = random_case(9, (1, 4, 6, 6), (5, 4, 3, 3), dtype, with_bias)
    rng = np.random.default_rng(10)
    gamma, beta, mean = (rng.standard_normal(5).astype(dtype) for _ in range(3))
    var = rng.uniform(0.5, 2, 5).astype(dtype)
    each = (slice(None), None, None)
    plain = naive_conv2d(x, weight, bias, (1, 1), (1, 1, 1, 1), (1, 1), 1)
    want = gamma[each] * (plain - mean[each]) / np.sqrt(var[each].astype(np.float64) + 1e-3) + beta[each]
    geometry = Geometry((3, 3), padding=(1, 1, 1, 1))
    whole = fast.fold(weight, bias, *fast.batch_norm_factors(gamma, beta, mean, var, 1e-3))
    assert_close(conv2d(x, *whole, geometry), want, dtype)
    bare = fast.fold(weight, bias, *fast.batch_norm_factors(None, None, mean, var, 1e-3))
    want = (plain - mean[each]) / np.sqrt(var[each].astype(np.float64) + 1e-3)
    assert_close(conv2d(x, *bare, geometry), want, dtype)


def test_the_output_is_nobody_elses_memory() -> None:
    x = np.ones((1, 5, 5, 4), np.float32)
    geometry = Geometry((3, 3), padding=(1, 1, 1, 1))
    prepared = fast.prepare(np.ones((4, 4, 3, 3), np.float32), None, geometry, 1, "matrix")
    out = np.empty_like(x)
    with pytest.raises(ValueError, match="memory of residual"):
        prepared.run(x, out, Workspace(1), residual=out)
    with pytest.raises(ValueError, match="memory of x"):
        prepared.run(x, x, Workspace(1))


class TestWorkspace:
    def test_buffers_are_used_again(self) -> None:
        workspace = Workspace(1)
        first = workspace.array(0, "a", (4, 5), np.float32)
        assert first.ctypes.data % 64 == 0
        assert np.shares_memory(first, workspace.array(0, "a", (2, 3), np.float64))
        assert not np.shares_memory(first, workspace.array(0, "b", (4, 5), np.float32))
        assert workspace.nbytes == 160

    def test_workers_end_with_the_block(self) -> None:
        before = threading.active_count()
        with Workspace(3) as workspace, workspace:
            workspace.each(lambda worker, item: None, range(10))
        assert threading.active_count() == before
        assert workspace.active == 1

    @pytest.mark.parametrize("bad", range(4))
    def test_an_error_of_a_worker_is_raised(self, bad: int) -> None:
        def task(worker: int, item: int) -> None:
            if item == bad:
                raise ZeroDivisionError

        with Workspace(2) as workspace:
            with pytest.raises(ZeroDivisionError):
                workspace.each(task, range(4))
            done: list[int] = []
            workspace.each(lambda worker, item: done.append(item), range(4))
            assert sorted(done) == [0, 1, 2, 3]

    def test_no_thread(self) -> None:
        with pytest.raises(ValueError, match="at least one thread"):
            Workspace(0)


def test_wrong_arguments() -> None:
    x, weight, bias = random_case(12, (1, 4, 5, 5), (6, 4, 3, 3), np.float32)
    prepared = fast.prepare(weight, bias, Geometry((3, 3)), 1, "matrix")
    last, out, workspace = x.transpose(0, 2, 3, 1), np.empty((1, 3, 3, 6), np.float32), Workspace(1)
    with pytest.raises(ValueError, match=r"\(N, H, W, 4\)"):
        prepared.run(x, out, workspace)
    with pytest.raises(TypeError, match="float64"):
        prepared.run(last.astype(np.float64), out, workspace)
    with pytest.raises(ValueError, match="out must be"):
        prepared.run(last, out[..., :5], workspace)
    with pytest.raises(ValueError, match="do not divide"):
        fast.prepare(weight, None, Geometry((3, 3)), 4, "matrix")
    with pytest.raises(ValueError, match="bias"):
        fast.prepare(weight, np.zeros(5, np.float32), Geometry((3, 3)), 1, "matrix")
    with pytest.raises(ValueError, match="no window"):
        prepared.run(last[:, :2], out, workspace)


def test_the_kernels_import_nothing_of_the_analysis() -> None:
    for path in Path(str(fast.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                module = str(node.module)
                assert not module.startswith("archcalc") or module.startswith("archcalc.execute.quick.kernels"), (
                    path.name,
                    module,
                )
