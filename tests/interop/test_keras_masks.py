"""Masks of Keras change no count, and the layers that look at one cannot be executed."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import UsageError
from archcalc.execute.runner import SeededWeights, execute
from archcalc.interop.foreign import to_network
from archcalc.interop.keras import read_keras
from archcalc.passes.analysis import analyse
from tests.interop.keras_files import Model, sequential

EMBEDDING = ("Embedding", {"name": "e", "input_dim": 20, "output_dim": 4, "mask_zero": True})
STEPS: dict[str, Any] = {"units": 5, "return_sequences": True}
LAST = ("LSTM", {"name": "a", "units": 2})
DENSE = ("Dense", {"name": "d", "units": 3})


@pytest.mark.parametrize(
    ("layers", "masked"),
    [
        ([EMBEDDING, ("LSTM", {"name": "a", **STEPS})], ["a"]),
        ([EMBEDDING, DENSE, ("GRU", {"name": "b", **STEPS}), LAST], ["b", "a"]),
        ([("Masking", {"name": "m"}), ("SimpleRNN", {"name": "a", "units": 2})], ["a"]),
        ([("Masking", {"name": "m", "mask_value": 9.0}), DENSE], ["m"]),
        ([EMBEDDING, ("GlobalAveragePooling1D", {"name": "a"})], ["a", "a_flatten"]),
        ([EMBEDDING, ("TimeDistributed", {"name": "t", "layer": {"class_name": "Dense", "config": DENSE[1]}})], []),
        (
            [EMBEDDING, ("Conv1D", {"name": "c", "filters": 3, "kernel_size": 3}), LAST],
            [],
        ),
        ([("Embedding", {**EMBEDDING[1], "mask_zero": False}), LAST], []),
    ],
)
def test_what_skips_steps(layers: list[tuple[str, dict[str, Any]]], masked: list[str]) -> None:
    document = sequential("m", *layers, shape=[7] if layers[0][0] == "Embedding" else [7, 4])
    graph = to_network(read_keras(json.dumps(document)))
    assert [layer.name for layer in graph if layer.masked] == masked
    assert all(any(note.startswith(f"{name}: a mask") for note in graph.notes) for name in masked if "_" not in name)
    if masked:
        with pytest.raises(UsageError, match=rf'layer "{masked[0]}" .* cannot be executed: a mask'):
            execute(graph, np.zeros((1, *graph.layers[0].op.output_shape(())), np.float32), SeededWeights(graph))


def test_what_only_calculates_a_mask_is_no_layer() -> None:
    """As Keras 3 writes a functional model: the mask is made by operations, and given by name."""
    model = Model("m", 7)
    model.add("Embedding", "e", input_dim=20, output_dim=4, mask_zero=True)
    reads = [{"args": [model.tensor(("image", 0, 0)), 0], "kwargs": {}}]
    operation = {"module": "keras.src.ops.numpy", "class_name": "NotEqual", "config": {"name": "mask"}, "name": "mask"}
    model.layers.append({**operation, "inbound_nodes": reads})
    model.add("LSTM", "lstm", "e", {"mask": model.tensor(("mask", 0, 0))}, units=5)
    graph = to_network(read_keras(model.text()))
    assert [(layer.name, layer.masked) for layer in graph] == [("input", False), ("e", False), ("lstm", True)]
    assert analyse(graph).totals.params == 80 + 4 * (4 + 5 + 1) * 5
