"""What a document of Keras names: the outputs of layers, the uses of each, and the shapes that it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from archcalc.core.shapes import Shape
from archcalc.spec.values import MOST_LAYERS

#: Models do not lie deeper inside one another.
DEEPEST = 24
MODELS = ("Functional", "Model", "Sequential")

#: An output of a layer: its name, which of its uses, which of its outputs.
Key = tuple[str, int, int]


class Call(NamedTuple):
    """A use of a layer: the outputs that it reads in order, those it reads by name, and what else it is given."""

    reads: list[Key]
    named: dict[str, Key]
    other: dict[str, Any]

    def sources(self) -> Iterator[Key]:
        """All that it reads."""
        yield from self.reads
        yield from self.named.values()

    def renumbered(self, names: Set[str]) -> Call:
        """The same where uses of these layers are counted from 0, not from 1."""
        if not names:
            return self
        named = {part: _earlier(key, names) for part, key in self.named.items()}
        return self._replace(reads=[_earlier(key, names) for key in self.reads], named=named)


def output_names(document: Any, nodes: Sequence[str]) -> list[str]:
    """The names of the outputs: keys of a mapping, or the layers of Keras that give them; else `nodes`."""
    config = document.get("config")
    given = config.get("output_layers") if isinstance(config, Mapping) else None
    parts: list[tuple[str, Any]] = [(key[0], [*key]) for key in keys_in(given)]
    if isinstance(given, Mapping) and "class_name" not in given:
        parts = list(given.items())
    names = [str(name) for name, part in parts if len(list(keys_in(part))) == 1]
    return names if len(set(names)) == len(nodes) == len(parts) else list(nodes)


def keys_in(value: Any, depth: int = 0) -> Iterator[Key]:
    """The outputs of layers that a value names, in order: `["conv", 0, 0]`, or a `__keras_tensor__` of Keras 3."""
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "__keras_tensor__" and isinstance(config, Mapping):
            yield from keys_in(config.get("keras_history"), depth + 1)
        elif "class_name" not in value:
            for one in value.values():
                yield from keys_in(one, depth + 1)
    elif isinstance(value, list):
        if len(value) >= 3 and isinstance(value[0], str) and _is_index(value[1]) and _is_index(value[2]):
            yield value[0], value[1], value[2]
        else:
            for one in value:
                yield from keys_in(one, depth + 1)


def numbered(named: Mapping[str, Mapping[str, Any]], calls: dict[str, list[Call]], outputs: list[Key]) -> list[Key]:
    """The outputs, and in `calls` what is read, with the uses of models inside counted from 0.

    A model has a use of its own from the start, that on its inputs. Keras 3 counts it where the outputs of the model
    around are named, and nowhere else; Keras 2 counts it always, or never where a Sequential has no input layer.
    Source: keras-team/keras 3, keras/src/models/functional.py, `functional_from_config`.
    """
    models = {name for name, layer in named.items() if layer["class_name"] in MODELS and calls[name]}
    if not models:
        return outputs
    last = dict.fromkeys(models, 0)
    for key, use, _ in [*outputs, *(key for uses in calls.values() for one in uses for key in one.sources())]:
        if key in models:
            last[key] = max(last[key], use)
    from_one, outputs_from_one = set(), set()
    for name in models:
        if isinstance(named[name]["inbound_nodes"][0], list):
            from_one |= {name} if last[name] == len(calls[name]) else set()
        elif named[name]["class_name"] != "Sequential":
            outputs_from_one.add(name)
    for reader, uses in calls.items():
        calls[reader] = [one.renumbered(from_one) for one in uses]
    return [_earlier(key, from_one | outputs_from_one) for key in outputs]


def _earlier(key: Key, names: Set[str]) -> Key:
    return (key[0], key[1] - 1, key[2]) if key[0] in names and key[1] else key


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_LAYERS


def built_for(layer: Any) -> Shape | None:
    """The shape that a layer was built for, without the batch, where a file of Keras 3 says it."""
    build = layer.get("build_config") if isinstance(layer, Mapping) else None
    shape = build.get("input_shape") if isinstance(build, Mapping) else None
    is_shared = isinstance(layer, Mapping) and "shared_object_id" in layer  # it may have been built for another
    if (
        is_shared
        or not isinstance(shape, list)
        or len(shape) < 2
        or any(isinstance(size, (list, Mapping)) for size in shape)
    ):
        return None
    return tuple(size if isinstance(size, int) and size > 0 else 0 for size in shape[1:])


def shapes_in(layers: Any) -> dict[Key, Shape]:
    """The shapes of outputs that a file of Keras 3 says where they are read, without the batch; 0 for an open size."""
    found: dict[Key, Shape] = {}
    stack = [layer.get("inbound_nodes") for layer in layers]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, Mapping):
            config = value.get("config")
            if value.get("class_name") == "__keras_tensor__" and isinstance(config, Mapping):
                shape, keys = config.get("shape"), list(keys_in(config.get("keras_history")))
                if isinstance(shape, list) and len(shape) > 1 and keys:
                    found[keys[0]] = tuple(size if isinstance(size, int) and size > 0 else 0 for size in shape[1:])
            else:
                stack += value.values()
    return found


def mentions_channels_first(document: Any) -> bool:
    """Whether any layer has its channels first, which a model has of all or none."""
    stack = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, Mapping):
            if value.get("data_format") == "channels_first":
                return True
            stack += value.values()
    return False
