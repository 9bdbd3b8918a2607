"""Models of Keras in memory that a function makes: read by their `to_json`, without their weights."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.core.words import line
from archcalc.interop.foreign import ForeignNetwork


def is_keras(model: Any) -> bool:
    """Whether it is a model of Keras, which is not imported for that; with the backend torch it is a module too."""
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(model, keras.Model)


def read_model(model: Any, shapes: Mapping[str, Shape] | Shape | None = None) -> ForeignNetwork:
    """The network of a model; its weights may have no memory, so only their number is read."""
    from archcalc.interop.keras import read_keras
    from archcalc.interop.keras_file import LiveWeights
    from archcalc.interop.keras_layer import Arrays

    class Numbers(LiveWeights):
        def of(self, path: Sequence[str], kind: str, config: Mapping[str, Any]) -> Arrays:
            return {}

    model = functional(model, shapes)
    return read_keras(model.to_json(), model.name, shapes, Numbers(model))


def functional(model: Any, shapes: Mapping[str, Shape] | Shape | None = None) -> Any:
    """The model whose `to_json` has all of its layers.

    A subclass has none there, so its code is run on maps without values; a layer that a `Sequential` uses twice is
    there only once.
    """
    keras = sys.modules.get("keras")
    if keras is None or not isinstance(model, keras.Model):
        return model
    if isinstance(model, keras.Sequential):
        is_twice = len({id(layer) for layer in model.layers}) < len(model.layers)
        return keras.Model(model.inputs, model.outputs, name=model.name) if is_twice and model.built else model
    if hasattr(model, "operations"):
        return model
    if isinstance(shapes, tuple):
        sizes: Any = (*shapes[1:], shapes[0])
    else:
        built = getattr(model, "_build_shapes_dict", None)
        if not built or len(built) != 1 or not isinstance(next(iter(built.values())), tuple):
            raise UsageError(
                f"{line(model.name)} is a subclass of Model without a known size of its input; give it with --input"
            )
        sizes = next(iter(built.values()))[1:]
    given = keras.Input(sizes, name="input")
    try:
        return keras.Model(given, model.call(given), name=model.name)
    except Exception as error:
        raise UsageError(f"the code of {line(model.name)} cannot be followed: {line(str(error))[:200]}") from error
