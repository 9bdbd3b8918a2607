"""Models of Keras 2 and 3 by their architecture: `.json`, `.keras` and `.h5`, read without Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from archcalc.core.shapes import Shape
from archcalc.interop.assemble import Assembler, fault
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.keras_model import ModelReader, Weights

#: No architecture is larger: that of NASNet-Large has 1.5 MB.
LARGEST_JSON = 32 << 20


def read_keras(
    text: str,
    file: str = "model.json",
    shapes: Mapping[str, Shape] | Shape | None = None,
    weights: Weights | None = None,
) -> ForeignNetwork:
    """The network of a model as `model.to_json()` writes it; `shapes` has other sizes for its inputs.

    Layers keep their names; models inside models are blocks; a layer that is used again shares its weights. Raises
    `SpecError` with the file and the layer.

    >>> net = read_keras('''{"class_name": "Sequential", "config": {"name": "tiny", "layers": [
    ...   {"class_name": "InputLayer", "config": {"batch_shape": [null, 8, 8, 3], "name": "image"}},
    ...   {"class_name": "Conv2D", "config": {"name": "conv", "filters": 4, "kernel_size": 3,
    ...                                      "activation": "relu"}}]}}''')
    >>> [(node.name, node.op) for node in net.nodes]
    [('conv', 'conv2d'), ('conv_relu', 'relu')]
    """
    document = parse_json(text, file)
    config = document.get("config") if isinstance(document, Mapping) else None
    name = config.get("name") if isinstance(config, Mapping) else None
    title = name if isinstance(name, str) and name else PurePath(file).stem
    net = Assembler(title, title, shapes)
    ModelReader(net, file, weights or Weights()).read(document)
    return net.network()


def parse_json(text: str, file: str) -> Any:
    """A JSON document. Raises `SpecError` with line and column."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise fault(f"it is no JSON: {error.msg}", f"{file}:{error.lineno}:{error.colno}") from None
    except RecursionError:
        raise fault("it is nested too deeply", file) from None
    except ValueError:  # a whole number of more than 4,300 digits
        raise fault("it has a number that is too long", file) from None
