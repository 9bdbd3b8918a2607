"""Plain arrays equal those of numpy, and ONNX files are read the same without numpy."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx

from archcalc.core.errors import UsageError
from archcalc.interop import onnx_fold, plain
from archcalc.interop.models import load
from archcalc.interop.onnx_call import attributes_of
from archcalc.interop.structured import write_structured
from tests.interop.onnx_models import weights, written
from tests.interop.test_onnx_fold import CASES
from tests.tiers import examples

TYPES = ("bool", "int8", "int32", "int64", "uint8", "uint32", "float16", "float32", "float64")
Values = np.ndarray[Any, Any]


def as_plain(array: Any) -> plain.ndarray:
    array = np.asarray(array)
    return plain.asarray(array.reshape(-1).tolist(), array.dtype.name).reshape(array.shape)


def check_equal(ours: Any, theirs: Any, exact: bool = True) -> None:
    """Type, sizes and values are equal; decimals of functions such as exp to their last digits."""
    theirs = np.asarray(theirs)
    assert (ours.dtype.name, ours.shape) == (theirs.dtype.name, theirs.shape)
    found = np.array(ours.values, dtype=theirs.dtype).reshape(ours.shape)
    if exact:
        np.testing.assert_array_equal(found, theirs)
    else:
        np.testing.assert_allclose(found, theirs, rtol=1e-3 if theirs.dtype.itemsize == 2 else 1e-6)


@pytest.fixture(scope="module")
def plain_fold() -> Callable[..., list[Any]]:
    """`onnx_fold.fold` with plain arrays instead of numpy's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "archcalc.interop.arrays", SimpleNamespace(np=plain))
        spec = importlib.util.spec_from_file_location("plain_onnx_fold", onnx_fold.__file__)
        assert spec
        assert spec.loader
        module: ModuleType = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module.fold  # type: ignore[no-any-return]


@pytest.mark.parametrize(("op", "inputs", "attributes", "count"), CASES, ids=[case[0] for case in CASES])
def test_constants_are_folded_as_with_numpy(
    op: str, inputs: list[Any], attributes: dict[str, Any], count: int, plain_fold: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given_ = attributes_of(onnx.helper.make_node(op, ["x"], ["y"], **attributes))
    theirs = onnx_fold.fold(op, given_, 19, inputs)
    to_array = onnx.numpy_helper.to_array
    monkeypatch.setattr(onnx.numpy_helper, "to_array", lambda tensor: as_plain(to_array(tensor)))
    ours = plain_fold(op, given_, 19, [as_plain(each) for each in inputs])
    assert len(ours) == len(theirs) == count
    for one, other in zip(ours, theirs, strict=True):
        check_equal(one, other, exact=False)


def test_what_makes_no_sense_is_refused(plain_fold: Callable[..., list[Any]]) -> None:
    x = as_plain(np.arange(6).reshape(2, 3))
    for op, others in {
        "Reshape": [as_plain([4, 4])], "Gather": [as_plain([9])], "Concat": [as_plain(np.zeros((2, 2), int))],
        "Expand": [as_plain([5, 5])], "Squeeze": [as_plain([1])], "Add": [as_plain([1, 2])], "MatMul": [x],
        "Pow": [as_plain([-1])], "GatherND": [as_plain([[2]])], "Transpose": [],
    }.items():  # fmt: skip
        with pytest.raises(UsageError, match="its constants cannot be used"):
            plain_fold(op, {"perm": [0, 0], "axis": 0}, 18, [x, *others])


@st.composite
def arrays(draw: st.DrawFn, kinds: tuple[str, ...] = TYPES, shape: tuple[int, ...] | None = None) -> Values:
    kind: np.dtype[Any] = np.dtype(draw(st.sampled_from(kinds)))
    sizes = draw(st.lists(st.integers(0, 4), max_size=3)) if shape is None else shape
    seed = draw(st.integers(0, 1 << 32))
    random = np.random.default_rng(seed)
    if kind.kind == "f":
        found = random.choice([0.0, -0.0, 0.5, -1.5, 2.5, 7.25, -300.75, 1e30, np.inf, np.nan], sizes)
    else:
        limits = (0, 2) if kind.kind == "b" else (np.iinfo(kind).min, int(np.iinfo(kind).max))
        found = random.integers(*limits, sizes, dtype=kind if kind.kind != "b" else np.int8, endpoint=kind.kind != "b")
        found = np.where(random.random(sizes) < 0.6, found % 5 - (kind.kind == "i") * 2, found)
    with np.errstate(all="ignore"):
        return np.asarray(found).astype(kind)


ONE = ("negative", "absolute", "sign", "floor", "ceil", "round", "isnan", "logical_not", "sqrt", "reciprocal", "exp",
       "log", "sin", "cos", "tanh")  # fmt: skip
TWO = ("add", "subtract", "multiply", "divide", "floor_divide", "mod", "fmod", "maximum", "minimum", "equal", "greater",
       "greater_equal", "less", "less_equal", "logical_and", "logical_or", "logical_xor")  # fmt: skip
INEXACT = frozenset({"exp", "log", "sin", "cos", "tanh"})
NUMBERS = ("int32", "int64", "float16", "float32", "float64")


@examples(400)
@given(st.data())
def test_functions_of_values(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(ONE + TWO))
    x = data.draw(arrays(NUMBERS))
    both = [x]
    if name in TWO:
        shape = data.draw(st.sampled_from([x.shape, (1,) * x.ndim, x.shape[1:]]))
        both.append(data.draw(arrays(NUMBERS, shape)))
    if name in ("floor_divide", "mod", "fmod", "reciprocal"):
        # At the limits of what a type holds the results of numpy depend on the processor.
        both = [np.where(np.isfinite(each) & (abs(each) < 1000), each, 3).astype(each.dtype) for each in both]
    if name == "reciprocal" and x.dtype.kind != "f":
        both = [np.where(x == 0, x.dtype.type(3), x)]
    with np.errstate(all="ignore"):
        theirs = getattr(np, name)(*both)
    check_equal(getattr(plain, name)(*map(as_plain, both)), theirs, name not in INEXACT)


def test_whole_numbers_are_rounded_before_they_are_divided() -> None:
    both = np.array(-115153665, np.int32), np.array(218070485381080319)
    check_equal(plain.divide(*map(as_plain, both)), np.divide(*both))


@examples(300)
@given(arrays(), st.sampled_from(TYPES))
def test_types(x: Values, kind: str) -> None:
    ours = as_plain(x)
    assert ours.tobytes() == x.tobytes()
    check_equal(plain.frombuffer(x.tobytes(), x.dtype.name).reshape(x.shape), x)
    np.testing.assert_array_equal(np.array(ours.tolist(), x.dtype).reshape(x.shape), x)
    assert plain.add(ours, as_plain(np.zeros((), kind))).dtype.name == (x + np.zeros((), kind)).dtype.name
    if x.dtype.kind != "f" or (np.isfinite(x) & (abs(x) < 100)).all():
        with np.errstate(all="ignore"):
            check_equal(ours.astype(kind), x.astype(kind))


@examples(300)
@given(arrays(), st.data())
def test_moves(x: Values, data: st.DataObject) -> None:
    ours = as_plain(x)
    order = data.draw(st.permutations(range(x.ndim)))
    check_equal(plain.transpose(ours, order), x.transpose(order))
    check_equal(plain.broadcast_to(ours, (2, *x.shape)), np.broadcast_to(x, (2, *x.shape)))
    check_equal(plain.tile(ours, (2,) * max(1, x.ndim)), np.tile(x, (2,) * max(1, x.ndim)))
    check_equal(plain.expand_dims(ours, (0, -1)), np.expand_dims(x, (0, -1)))
    check_equal(plain.squeeze(ours), np.squeeze(x))
    for one, other in zip(plain.nonzero(ours) if x.ndim else (), np.nonzero(x) if x.ndim else (), strict=True):
        check_equal(one, other)
    if not x.ndim:
        return
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    size = x.shape[axis]
    check_equal(plain.concatenate([ours, ours], axis), np.concatenate([x, x], axis))
    cut = slice(*data.draw(st.tuples(*[st.none() | st.integers(-5, 5)] * 2, st.sampled_from([None, 1, 2, -1, -2]))))
    key = (*[slice(None)] * (axis % x.ndim), cut)
    check_equal(ours[key], x[key])
    for one, other in zip(plain.split(ours, [1, 2], axis), np.split(x, [1, 2], axis), strict=True):
        check_equal(one, other)
    if size:
        places = np.array(
            data.draw(st.lists(st.lists(st.integers(-size, size - 1), min_size=2, max_size=2), min_size=1))
        )
        check_equal(plain.take(ours, as_plain(places), axis), np.take(x, places, axis))
        indices = places.reshape(-1)[:1].reshape((1,) * x.ndim)
        check_equal(plain.take_along_axis(ours, as_plain(indices), axis), np.take_along_axis(x, indices, axis))


@examples(300)
@given(arrays(("int32", "int64", "float32", "float64")), st.booleans(), st.data())
def test_reductions(x: Values, keepdims: bool, data: st.DataObject) -> None:
    x = np.where(np.isfinite(x) & (abs(x) < 1000), x, 3).astype(x.dtype)
    axes = None if not x.ndim else data.draw(st.none() | st.lists(st.integers(0, x.ndim - 1), min_size=1, unique=True))
    for name in ("sum", "prod", "max", "min", "mean"):
        if not x.size and name in ("max", "min", "mean"):
            continue
        theirs = getattr(np, name)(x, axis=None if axes is None else tuple(axes), keepdims=keepdims)
        ours = getattr(plain, name)(as_plain(x), axis=axes, keepdims=keepdims).astype(theirs.dtype.name)
        check_equal(ours, theirs, exact=False)
    if x.ndim:
        check_equal(plain.cumsum(as_plain(x), 0).astype(x.dtype.name), np.cumsum(x, 0).astype(x.dtype), exact=False)


HIDDEN = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "ml_dtypes"):
            raise ImportError(name)

sys.meta_path.insert(0, Hide())
from archcalc.interop.models import load
from archcalc.interop.structured import write_structured

for file in sys.argv[1:]:
    print(write_structured(load(file)))
assert not {"numpy", "ml_dtypes"} & sys.modules.keys()
"""
MODELS = {
    "plain": """g (float[1,3,8,8] x) => (float[1,5] y) {
        a = Conv <kernel_shape=[3,3], pads=[1,1,1,1]> (x, w)
        b = Relu(a)
        s = Shape(b)
        n = Constant <value_ints=[0]> ()
        first = Gather(s, n)
        rest = Constant <value_ints=[-1]> ()
        shape = Concat <axis=0> (first, rest)
        c = Reshape(b, shape)
        y = Gemm(c, v)
    }""",
    "resized": """g (float[1,3,8,8] x) => (float[1,4,32,32] y) {
        a = Conv <kernel_shape=[3,3], auto_pad="SAME_UPPER", strides=[2,2]> (x, w)
        low = Constant <value_float=0.0> ()
        high = Constant <value_float=6.0> ()
        b = Clip(a, low, high)
        no = Constant <value_floats=[1.0]> ()
        e = Constant <value_ints=[0]> ()
        scales = Constant <value_floats=[1.0, 1.0, 8.0, 8.0]> ()
        y = Resize <mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor"> (b, , scales)
    }""",
}


def test_files_are_read_without_numpy(tmp_path: Path) -> None:
    files = []
    for name, text in MODELS.items():
        made = written(text)
        arrays_ = {"w": weights(4, 3, 3, 3), "v": weights(256, 5)}
        made.graph.initializer.extend(
            onnx.numpy_helper.from_array(array, key) for key, array in arrays_.items() if key in text.replace("v)", "v")
        )
        files.append(tmp_path / f"{name}.onnx")
        onnx.save(made, files[-1])
    done = subprocess.run([sys.executable, "-c", HIDDEN, *map(str, files)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(f"{write_structured(load(file))}\n" for file in files)
