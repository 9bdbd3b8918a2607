"""Parameters of ONNX models against the initialisers of their files."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

from onnx import helper

from archcalc.interop.foreign import to_network
from archcalc.interop.onnx_read import from_onnx
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import model, weights


def test_a_mask_put_together_of_small_arrays_is_no_parameter_of_an_opaque_layer() -> None:
    """Exporters write the masks of shifted windows as small arrays that are spread and joined."""
    nodes = [
        helper.make_node("Expand", ["part", "size"], ["mask"]),
        helper.make_node("Mod", ["x", "mask"], ["y"], fmod=1),
    ]
    arrays = {"part": weights(1, 1, 1, 20), "size": np.array([1, 4, 8, 20])}
    foreign = from_onnx(model(nodes, (1, 4, 8, 20), arrays))
    assert analyse(to_network(foreign)).totals.params == 0
    assert foreign.notes[0].startswith("mask: computed from smaller arrays of the file")


def test_an_array_of_an_opaque_layer_counts_as_often_as_the_file_has_it() -> None:
    nodes = [
        helper.make_node("Mod", ["x", "w"], ["a"], fmod=1),
        helper.make_node("Mod", ["a", "w"], ["y"], fmod=1),
    ]
    foreign = from_onnx(model(nodes, (1, 4, 8, 20), {"w": weights(1, 4, 8, 20)}))
    assert analyse(to_network(foreign)).totals.params == 640
    assert foreign.notes == ()
