"""Weights under another framework's names: matched by shape and order, or refused where that leaves a choice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.execute.kernels import Array
from archcalc.execute.runner import SeededWeights
from archcalc.execute.runner.files import load_weights, wanted_arrays
from archcalc.execute.runner.names import Wanted, match
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.cli.runner import Run
from tests.networks import layers

SMALL = """\
  - conv2d: {name: a, out_channels: 4, kernel_size: 3}
  - relu
  - conv2d: {name: b, out_channels: 4, kernel_size: 3}
  - relu
  - conv2d: {name: c, out_channels: 4, kernel_size: 3}
  - relu
  - linear: {name: d, out_features: 5}
  - relu
  - linear: {name: e, out_features: 5}
"""


def vgg(layer: str) -> str:
    """The module of torchvision's VGG-16 for a layer: convolutions and dense layers by their position."""
    if layer.startswith("fc"):
        return f"classifier.{3 * (int(layer[2:]) - 6)}"
    stage, number = map(int, layer.removeprefix("conv").split("_"))
    pools = (2, 2, 3, 3)
    return f"features.{sum(2 * count + 1 for count in pools[: stage - 1]) + 2 * (number - 1)}"


def resnet(layer: str) -> str:
    """The module of torchvision's ResNet for a layer of the catalogue."""
    if layer == "fc":
        return "fc"
    if layer.startswith("conv1/"):
        return "conv1" if layer.endswith("conv") else "bn1"
    stage, unit, part, *rest = re.split(r"[/_]x?/?(?:unit)?", layer.replace("_x", ""))
    prefix = f"layer{int(stage.removeprefix('conv')) - 1}.{int(unit) - 1}"
    if part == "shortcut":
        return f"{prefix}.downsample.{int(rest[-1] == 'bn')}"
    number = rest[0].removeprefix("conv")
    return f"{prefix}.{rest[-1]}{number}"


def arrays(graph: LayerGraph, name_of: object) -> dict[str, Shape]:
    """The arrays as they would be named, with PyTorch's counters of batches."""
    found: dict[str, Shape] = {}
    for name, shape in wanted_arrays(analyse(graph)).items():
        layer, _, array = name.rpartition(".")
        found[f"{name_of(layer)}.{array}"] = shape  # type: ignore[operator]
        if array == "running_var":
            found[f"{name_of(layer)}.num_batches_tracked"] = ()  # type: ignore[operator]
    return found


def wanted_of(graph: LayerGraph) -> dict[str, Wanted]:
    """The arrays of a network, called in PyTorch as here."""
    found = wanted_arrays(analyse(graph))
    return {name: Wanted(shape, name.rpartition(".")[2]) for name, shape in found.items()}


CASES = [("vgg16", vgg), ("vgg19", vgg), ("resnet18", resnet), ("resnet34", resnet), ("resnet50", resnet)]


@pytest.mark.parametrize(("name", "name_of"), CASES)
def test_the_order_of_the_file_decides(name: str, name_of: object) -> None:
    graph = load(name)
    found = arrays(graph, name_of)
    matched = match(found.items(), wanted_of(graph)).layers
    assert matched == {layer: name_of(layer) for layer in matched}  # type: ignore[operator]
    assert len(matched) == len({key.rpartition(".")[0] for key in found})


@pytest.mark.parametrize(("name", "name_of"), CASES)
def test_names_in_alphabetical_order_are_sorted_out(name: str, name_of: object) -> None:
    """As safetensors files have them: features.10 before features.2, bn1 before conv1."""
    graph = load(name)
    found = sorted(arrays(graph, name_of).items())
    matched = match(found, wanted_of(graph)).layers
    assert matched == {layer: name_of(layer) for layer in matched}  # type: ignore[operator]


def test_shapes_that_do_not_fit_are_named() -> None:
    graph = layers(SMALL, "9x9x3")
    wanted = wanted_of(graph)
    shapes = wanted_arrays(analyse(graph))
    found = {f"m.{index}.{name.rpartition('.')[2]}": shape for index, (name, shape) in enumerate(shapes.items())}
    with pytest.raises(UsageError, match=r"no array fits a: bias 4, weight 4×3×3×3"):
        match(found.items(), wanted)
    with pytest.raises(UsageError, match=r"x\.0 fits no layer: weight 7"):
        match([("x.0.weight", (7,)), *named(shapes)], wanted)


def named(wanted: dict[str, Shape]) -> Iterable[tuple[str, Shape]]:
    """In two parts, with numbers that leave out what owns no arrays."""
    names = {"a": "features.0", "b": "features.2", "c": "features.10", "d": "classifier.1", "e": "classifier.11"}
    return [(f"{names[name.partition('.')[0]]}.{name.partition('.')[2]}", shape) for name, shape in wanted.items()]


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
@pytest.mark.parametrize("command", [("run",), ("gradients",), ("deconv", "--layer", "c", "--top", 3)])
def test_the_program_reads_them(archcalc: Run, tmp_path: Path, ending: str, command: tuple[object, ...]) -> None:
    graph = layers(SMALL, "9x9x3")
    spec, ours, theirs = tmp_path / "net.yaml", tmp_path / f"ours.{ending}", tmp_path / f"theirs.{ending}"
    spec.write_text(f"name: net\ntitle: Net\ninput: 9x9x3\nlayers:\n{SMALL}", encoding="utf-8")
    wanted = wanted_arrays(analyse(graph))
    weights = SeededWeights(graph, 7)
    made: dict[str, Array] = {}
    for name in wanted:
        layer, _, array = name.rpartition(".")
        made[name] = weights.of(layer, {array: wanted[name]})[array]
    renamed = dict(zip((name for name, _ in named(wanted)), made.values(), strict=True))
    if ending == "npz":
        np.savez(ours, **made)  # type: ignore[arg-type]  # numpy's own stub takes them for a flag
        np.savez(theirs, **renamed)  # type: ignore[arg-type]  # the same
    else:
        safetensors.numpy.save_file(made, ours)
        safetensors.numpy.save_file(renamed, theirs)
    first, *more = command
    plain = archcalc(first, spec, *more, "--weights", ours, "-f", "json")
    other = archcalc(first, spec, *more, "--weights", theirs, "-f", "json")
    assert (plain.code, other.code) == (0, 0)
    assert plain.err == ""
    assert (
        "5 layers by shape and order: a from features.0, b from features.2, c from features.10, … e from" in other.err
    )
    assert other.json == {**plain.json, **({"how": other.json["how"]} if "how" in other.json else {})}


def test_the_values_are_those_of_the_file(tmp_path: Path) -> None:
    graph = layers(SMALL, "9x9x3")
    wanted = wanted_arrays(analyse(graph))
    values = {name: np.full(shape, number, np.float32) for number, (name, shape) in enumerate(named(wanted))}
    safetensors.numpy.save_file(values, tmp_path / "w.safetensors")
    loaded = load_weights(tmp_path / "w.safetensors", analyse(graph))
    for number, (name, shape) in enumerate(wanted.items()):
        layer, _, array = name.rpartition(".")
        assert (loaded.of(layer, {array: shape})[array] == number).all()
    assert loaded.matched["c"] == "features.10"
