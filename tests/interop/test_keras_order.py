"""The values of maps that were flattened: channels last in Keras, channels first here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import archcalc as ac
from archcalc.interop.foreign import to_network
from archcalc.interop.keras import read_keras
from tests.interop.keras_files import Model

#: A map of 4×3 positions and 2 channels with different values, as Keras has it.
IMAGE = np.arange(24, dtype=np.float32).reshape(4, 3, 2)
ROW = IMAGE.reshape(-1)


def _relu(model: Model) -> None:
    model.add("Flatten", "flatten")
    model.add("ReLU", "relu")


def _dropout(model: Model) -> None:
    model.add("Flatten", "flatten")
    model.add("Dropout", "dropout", rate=0.3)


def _softmax(model: Model) -> None:
    model.add("Flatten", "flatten")
    model.add("Softmax", "softmax")


def _two_maps(model: Model) -> None:
    model.add("Flatten", "first")
    model.add("AveragePooling2D", "pool", "image", pool_size=[1, 3])
    model.add("Flatten", "second")
    model.add("Concatenate", "joined", ["first", "second"])


def _with_one_channel(model: Model) -> None:
    model.add("GlobalAveragePooling2D", "means", keepdims=False)
    model.add("Flatten", "flatten", "image")
    model.add("Concatenate", "joined", ["means", "flatten"])


def _reshape(model: Model) -> None:
    _relu(model)
    model.add("Reshape", "reshape", target_shape=[8, 3])


def _reshape_of_dropout(model: Model) -> None:
    _dropout(model)
    model.add("Reshape", "reshape", target_shape=[8, 3])


def _back_to_the_map(model: Model) -> None:
    _relu(model)
    model.add("Reshape", "reshape", target_shape=[4, 3, 2])


def _repeated(model: Model) -> None:
    _relu(model)
    model.add("RepeatVector", "rows", n=2)


_MEANS = IMAGE.mean(axis=1).reshape(-1)


@pytest.mark.parametrize(
    ("build", "expected"),
    [(_relu, ROW), (_dropout, ROW), (_softmax, np.exp(ROW - 23) / np.exp(ROW - 23).sum()),
     (_two_maps, np.concatenate([ROW, _MEANS])), (_with_one_channel, np.concatenate([IMAGE.mean(axis=(0, 1)), ROW])),
     (_reshape, ROW.reshape(8, 3)), (_reshape_of_dropout, ROW.reshape(8, 3)), (_back_to_the_map, IMAGE),
     (_repeated, np.stack([ROW, ROW]))],
)  # fmt: skip
def test_the_values_of_an_output_lie_as_in_keras(build: Callable[[Model], None], expected: Any) -> None:
    model = Model("order", 4, 3, 2)
    build(model)
    ran = ac.run(to_network(read_keras(model.text())), np.moveaxis(IMAGE, -1, 0)[None])
    (found,) = ran.outputs.values()
    found = found[0] if found.ndim == 2 else np.moveaxis(found[0], 0, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert ran.differences == ()
