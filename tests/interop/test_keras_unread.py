"""Layers of Keras that archcalc does not have: opaque, with shapes and parameters by their settings or by the file."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from archcalc.core.errors import SpecError
from archcalc.interop.keras import read_keras
from archcalc.interop.keras_model import Weights
from tests.interop.keras_files import Model, sequential
from tests.interop.test_keras import analysed

#: What Keras 3.15 gives: the class, the shapes that reach it, its settings; its output here, what it stores, and its
#: multiplications, where they are counted.
KNOWN: list[tuple[str, list[tuple[int, ...]], dict[str, Any], tuple[int, ...], int, int | None]] = [
    ("TimeDistributed", [(5, 4, 3)], {"layer": {"class_name": "Flatten", "config": {}}}, (12, 5), 0, 0),
    ("Dot", [(7, 6), (9, 6)], {"axes": 2}, (9, 7), 0, 7 * 9 * 6),
    ("Dot", [(7, 6), (9, 7)], {"axes": [1, -1]}, (9, 6), 0, 6 * 9 * 7),
    ("Dot", [(6,), (6,)], {"axes": 1}, (1,), 0, 6),
    ("EinsumDense", [(7, 6)], {"equation": "abc,cd->abd", "output_shape": [None, 8], "bias_axes": "d"},
     (8, 7), 56, 7 * 6 * 8),
    ("EinsumDense", [(7, 6)], {"equation": "...x,xy->...y", "output_shape": 8}, (8, 7), 48, 7 * 6 * 8),
    ("EinsumDense", [(7, 6)], {"equation": "abc,cde->abde", "output_shape": [None, 2, 8], "bias_axes": "de"},
     (8, 7, 2), 112, 7 * 6 * 2 * 8),
    # Queries and the output, keys and values, the scores and the values by them.
    ("GroupQueryAttention", [(7, 12), (7, 12)], {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
     (12, 7), 468, 2 * 7 * 12 * 12 + 2 * 7 * 12 * 6 + 2 * 7 * 7 * 12),
    ("AdditiveAttention", [(7, 6), (9, 6)], {"use_scale": True}, (6, 7), 6, None),
    ("CategoryEncoding", [(1,)], {"num_tokens": 6}, (6,), 0, 0),
    ("Discretization", [(4,)], {"bin_boundaries": [0.0, 1.0]}, (4,), 0, 0),
    # Steps, positions, gates of filters, values in a window of the map and of the state.
    ("ConvLSTM2D", [(3, 9, 9, 2)], {"filters": 4, "kernel_size": 3, "strides": 2}, (4, 4, 4), 880,
     3 * 16 * 16 * 9 * (2 + 4)),
    ("ConvLSTM1D", [(3, 9, 2)], {"filters": 4, "kernel_size": 3}, (4, 7), 304, 3 * 7 * 16 * 3 * (2 + 4)),
    ("SpectralNormalization", [(8, 8, 3)],
     {"layer": {"class_name": "Conv2D", "config": {"filters": 4, "kernel_size": 3}}}, (4, 6, 6), 112, 36 * 4 * 27),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "shapes", "config", "output", "stored", "products"), KNOWN)
def test_layers_that_are_known_by_their_settings(
    kind: str, shapes: list[tuple[int, ...]], config: dict[str, Any], output: tuple[int, ...], stored: int,
    products: int | None,
) -> None:  # fmt: skip
    model = Model("m", *shapes[0])
    names = ["image", *(model.input(f"other{place}", *shape) for place, shape in enumerate(shapes[1:]))]
    model.add(kind, "x", names, **config)
    analysis = analysed(read_keras(model.text()))
    assert (analysis.rows[-1].output_shape, analysis.totals.params) == (output, stored)
    assert analysis.totals.not_counted == ({kind: 1} if products is None else {})
    assert analysis.totals.multiplications == (products or 0)


class Stored(Weights):
    """A file in which a layer `own` stores 15 numbers."""

    def count(self, path: Any) -> int | None:
        return 15 if path[-1] == "own" else None


def _own(shape: list[int | None] | None) -> dict[str, Any]:
    """A model of a class of the user, before a layer that was built for a shape."""
    dense = ("Dense", {"name": "d", "units": 2})
    document = sequential("m", ("Own", {"name": "own", "trainable": True, "dtype": "float32"}), dense, shape=[8, 3])
    if shape is not None:
        document["config"]["layers"][-1]["build_config"] = {"input_shape": shape}
    return document


def test_other_classes_have_what_the_file_says() -> None:
    analysis = analysed(read_keras(json.dumps(_own([None, 8, 5])), weights=Stored()))
    assert [(row.name, row.output_shape, row.params) for row in analysis.rows[1:]] == [
        ("own", (5, 8), 15),
        ("d", (2, 8), 12),
    ]
    assert analysis.totals.not_counted == {"Own": 1}


@pytest.mark.parametrize(
    ("shape", "given", "weights", "says"),
    [(None, None, Stored(), "archcalc has no layer 'Own' of Keras, and the shape of its output is not in the file"),
     ([None, 8, 5], None, Weights(), "its parameters are not in the file; save the model with its weights"),
     ([None, None, 5], None, Stored(), "is not known for inputs of this size"),
     ([None, 8, 5], (3, 9), Stored(), "is not known for inputs of this size")],
)  # fmt: skip
def test_what_is_not_in_the_file_is_said(shape: Any, given: Any, weights: Weights, says: str) -> None:
    with pytest.raises(SpecError, match=re.escape(says)):
        read_keras(json.dumps(_own(shape)), shapes=given, weights=weights)


def test_operations_of_an_h5_are_those_of_keras_ops() -> None:
    model = Model("m", 8, 8, 3)
    model.add("Relu", "relu")
    assert [node.op for node in read_keras(model.text()).nodes] == ["relu"]


@pytest.mark.parametrize(
    ("equation", "says"),
    [("abc,cd", "does not read the equation"), ("abc,cd->abe", "does not fit its input"),
     (7, "does not read the equation"),
     ("abcd,de->abce", "does not fit its input"), ("...abcd,de->...e", "does not fit its input")],
)  # fmt: skip
def test_equations_that_do_not_fit(equation: Any, says: str) -> None:
    layer = ("EinsumDense", {"name": "x", "equation": equation, "output_shape": [None, 8]})
    with pytest.raises(SpecError, match=says):
        read_keras(json.dumps(sequential("m", layer, shape=[7, 6])))
