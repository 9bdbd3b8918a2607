"""Files of Keras, Caffe and Darknet in which something was changed at random: a network, or one clear error."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from archcalc.core.errors import ArchcalcError
from archcalc.interop.caffe import read_caffe
from archcalc.interop.darknet import read_darknet
from archcalc.interop.foreign import to_network
from archcalc.interop.keras import read_keras
from tests.interop import caffe_files, darknet_files
from tests.interop.keras_files import Model, sequential
from tests.interop.test_keras import LAYERS

VALUES: list[Any] = [
    None, True, -1, 0, 2**70, 1.5, "x", "", [], {}, [1, 2, 3, 4, 5], [[1]], {"a": 1}, ["a", 0, 0], float("inf"), "same",
    [None], -(10**9), "channels_first",
]  # fmt: skip
FIELDS = [
    "{", "}", '"', "layer", "dim: -1", "dim: 0", "1e400", "nan", "axis: 7", "axis: -7", "slice_point: 0", 'top: "data"',
    'bottom: "data"', "kernel_size: 0", "pad: 99", "num_output: 0", "group: 3", "stride: 100", "offset: 9", "[", "]",
    'param { name: "w" }', "global_pooling: true",
    *(
        f'type: "{kind}"'
        for kind in (
            "Slice", "Crop", "Concat", "Reshape", "Permute", "Flatten", "Eltwise", "Split", "Input", "PriorBox",
            "Normalize", "Interp", "ROIPooling", "BatchNorm", "Scale", "Bias", "Axpy", "Softmax", "LRN", "Power",
        )
    ),
]  # fmt: skip
LINES = [
    "[route]", "[shortcut]", "layers=-1,-2", "from=-2", "size=0", "stride=9", "filters=0", "groups=5", "[reorg]",
    "[connected]", "output=3", "[upsample]", "[softmax]", "[region]", "[yolo]", "[crop]", "[local]", "[avgpool]", "=",
    "[",
    "channels=0", "classes=0", "num=0", "coords=2",
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    if path:
        yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from _places(inner, (*path, key))


def _documents() -> list[Any]:
    found: list[Any] = [
        sequential("m", (kind, {"name": "x", **config}), shape=[*shape]) for kind, shape, config, _, _ in LAYERS
    ]
    model = Model("attention", 9, 8)
    model.add("MultiHeadAttention", "wide", ["image", "image"], num_heads=3, key_dim=5)
    found.append(model.document())
    model = Model("merge", 6, 6, 4)
    model.add("GlobalAveragePooling2D", "pool", keepdims=True)
    model.add("Multiply", "scaled", ["image", "pool"])
    model.add("Concatenate", "joined", ["scaled", "image"], axis=1)
    model.add("Flatten", "flat")
    model.add("Dense", "fc", units=3, activation={"class_name": "ReLU", "config": {"max_value": 6}})
    found.append(model.document())
    for kind, config in (("GRU", {"units": 3}), ("Dense", {"units": 3})):
        outer = "Bidirectional" if kind == "GRU" else "TimeDistributed"
        inner = {"class_name": kind, "config": config}
        found.append(sequential("m", (outer, {"name": "t", "layer": inner}), shape=[5, 8]))
    return found


def _keras(chance: random.Random) -> str:
    document = json.loads(json.dumps(chance.choice(_documents())))
    for _ in range(chance.choice([1, 1, 2])):
        *path, last = chance.choice(list(_places(document)))
        place = document
        for key in path:
            place = place[key]
        place[last] = json.loads(json.dumps(chance.choice(VALUES)))
    return json.dumps(document)


def _caffe(chance: random.Random) -> str:
    texts = [caffe_files.lenet(), caffe_files.googlenet(training=True)[:3000], caffe_files.fcn32s()]
    words = chance.choice(texts).split(" ")
    for _ in range(chance.choice([1, 2, 3])):
        at = chance.randrange(len(words))
        words[at : at + chance.choice([0, 1])] = [chance.choice(FIELDS)]
    return " ".join(words)


def _darknet(chance: random.Random) -> str:
    lines = chance.choice([darknet_files.yolov3_tiny(), darknet_files.yolov2_tiny()]).split("\n")
    for _ in range(chance.choice([1, 2, 3])):
        lines[chance.randrange(len(lines))] = chance.choice(LINES)
    return "\n".join(lines)


READERS = {"keras": (_keras, read_keras), "caffe": (_caffe, read_caffe), "darknet": (_darknet, read_darknet)}


def _try(name: str, seeds: range) -> int:
    """How many of the changed files are refused; any other exception fails the test."""
    make, read = READERS[name]
    refused = 0
    for seed in seeds:
        try:
            to_network(read(make(random.Random(f"{name} {seed}"))))
        except ArchcalcError as error:
            refused += len(str(error)) > 0
    return refused


@pytest.mark.parametrize("name", READERS)
def test_a_changed_file_is_read_or_refused(name: str) -> None:
    assert 0 < _try(name, range(12)) <= 12


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_many_changed_files_are_read_or_refused(name: str) -> None:
    assert 100 < _try(name, range(12, 612)) < 600
