"""Small networks for the tests: from a few lines of YAML, or from ops put together by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from archcalc.core.errors import Problem, ShapeError, SpecError
from archcalc.core.shapes import Shape
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops import OPS, Op
from archcalc.passes.analysis import Analysis, analyse
from archcalc.passes.shapes import ShapedLayer, infer_shapes
from archcalc.spec import catalogue
from archcalc.spec.build import build
from archcalc.spec.load import spec_of
from archcalc.spec.source import parse_source
from archcalc.spec.spec import Spec

FILE = "net.yaml"
HEAD = "name: net\ntitle: A network\n"

#: Krizhevsky et al. 2012, one tower, 227×227 as in CS231n. Local response normalisation and dropout left out.
ALEXNET = """\
input: 227x227x3
layers:
  - conv_relu: {name: c1, out_channels: 96, kernel_size: 11, stride: 4}
  - max_pool2d: {kernel_size: 3, stride: 2}
  - conv_relu: {name: c2, out_channels: 256, kernel_size: 5, padding: 2}
  - max_pool2d: {kernel_size: 3, stride: 2}
  - conv_relu: {name: c3, out_channels: 384, kernel_size: 3, padding: 1}
  - conv_relu: {name: c4, out_channels: 384, kernel_size: 3, padding: 1}
  - conv_relu: {name: c5, out_channels: 256, kernel_size: 3, padding: 1}
  - max_pool2d: {kernel_size: 3, stride: 2}
  - linear: {out_features: 4096}
  - relu
  - linear: {out_features: 4096}
  - relu
  - linear: {out_features: 1000}
  - softmax
"""

#: Simonyan & Zisserman 2014, configuration D.
VGG16 = """\
input: 224x224x3
layers:
  - for_each: [channels, count]
    rows:
      - [64, 2]
      - [128, 2]
      - [256, 3]
      - [512, 3]
      - [512, 3]
    layers:
      - conv_relu: {out_channels: channels, kernel_size: 3, padding: 1, repeat: count}
      - max_pool2d: {kernel_size: 2}
  - linear: {out_features: 4096}
  - relu
  - linear: {out_features: 4096}
  - relu
  - linear: {out_features: 1000}
  - softmax
"""

#: LeCun et al. 1998, read as it is today: every map of C3 sees every map of S2, average pooling, a dense output.
LENET5 = """\
input: 32x32x1
layers:
  - conv2d: {out_channels: 6, kernel_size: 5}
  - tanh
  - avg_pool2d: {kernel_size: 2}
  - conv2d: {out_channels: 16, kernel_size: 5}
  - tanh
  - avg_pool2d: {kernel_size: 2}
  - conv2d: {out_channels: 120, kernel_size: 5}
  - tanh
  - linear: {out_features: 84}
  - tanh
  - linear: {out_features: 10}
  - softmax
"""


def spec(text: str) -> Spec:
    """A spec; the text lacks only name and title."""
    return spec_of(parse_source(HEAD + text, FILE))


def graph(text: str, **choices: Any) -> LayerGraph:
    """The layer graph of a spec without its name and title."""
    return build(spec(text), **choices)


def layers(text: str, size: str = "8x8x4", top: str = "") -> LayerGraph:
    """The layer graph of the items under `layers:`; `top` holds further keys of the spec."""
    return graph(f"input: {size}\n{top}layers:\n{text}")


def numbers(text: str, size: str = "8x8x4", top: str = "") -> Analysis:
    """The analysis of the items under `layers:`."""
    return analyse(layers(text, size, top))


def names(network: LayerGraph) -> list[str]:
    """Names of all layers but the input."""
    return [layer.name for layer in network.layers[1:]]


def inputs_of(network: LayerGraph, name: str) -> list[str]:
    """Names of the layers that a layer reads."""
    return [network.layers[source].name for source in network.layers[network.index[name]].inputs]


def problems(text: str, **choices: Any) -> tuple[Problem, ...]:
    """Everything that is found wrong with a spec, whatever finds it; nothing where it is good."""
    try:
        analyse(graph(text, **choices))
    except SpecError as error:
        return error.problems
    return ()


def places(found: Sequence[Problem]) -> list[tuple[int, int]]:
    """Line and column of each problem."""
    return [(problem.location.line, problem.location.column) for problem in found if problem.location]


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its `^`, and the lines and columns that they mark in the whole file."""
    found = []
    lines = text.split("\n")
    for index in range(len(lines)):
        while (at := lines[index].find("^")) >= 0:
            found.append((HEAD.count("\n") + index + 1, at + 1))
            lines[index] = lines[index].replace("^", "", 1)
    return "\n".join(lines), found


def op(kind: str, **fields: Any) -> Op:
    """An op with settings as a spec gives them."""
    return OPS[kind].model_validate(fields)


def shape(layer: Op, *inputs: Shape) -> ShapedLayer:
    """The op on inputs of these shapes, as the shape pass hands it to the others. Raises `ShapeError`."""
    sources = [(op("input", shape=source), ()) for source in inputs]
    result = infer_shapes(chain(*sources, (layer, range(len(inputs)))))
    for problem in result.problems:
        raise ShapeError(problem.message, *problem.details)
    return result.layers[-1]


def chain(*layers_and_inputs: tuple[Op, Sequence[int]], outputs: Sequence[int] = ()) -> LayerGraph:
    """A graph of ops with the indices that they read; layer i is named `i`."""
    network = tuple(Layer(str(i), layer, tuple(inputs)) for i, (layer, inputs) in enumerate(layers_and_inputs))
    ends = [Output(f"out{index}", index) for index in outputs or (len(network) - 1,)]
    return LayerGraph("graph", network, tuple(ends))


#: Members of families that tests name besides the first.
_MORE = ("vgg16", "resnet34", "resnet50", "plain34", "resnet110_cifar", "inception_resnet_v2")


@cache
def one_of_each() -> tuple[str, ...]:
    """Of each spec of the catalogue the first network, every variant, and a few more: each structure that there is."""
    first: dict[Path, str] = {}
    known = list(catalogue.names())
    for entry in catalogue.entries().values():
        if entry.name in known:
            first.setdefault(entry.file, entry.name)
    chosen = {*first.values(), *_MORE}
    return tuple([name for name in known if name in chosen or "@" in name or "/" in name])
