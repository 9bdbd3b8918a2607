"""Specs as YAML: a document as it was parsed, or a network written out layer by layer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.shapes import spec_shape
from archcalc.graph.layer_graph import LayerGraph, Output
from archcalc.ops import OPS, Op
from archcalc.ops.windowed import Sides
from archcalc.spec.evaluate import exact

_PLAIN = re.compile(r"[A-Za-z_][\w ./'()&-]*[\w.)]|[A-Za-z]|\d+(?:x\d+)+")
#: What YAML holds only as an escape.
_UNSAFE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off"}


def write_document(value: Mapping[str, Any]) -> str:
    """A spec document without blocks: name, title, input, layers."""
    head = [f"{key}: {inline(item)}" for key, item in value.items() if key != "layers"]
    return "\n".join([*head, "layers:", *_items(value["layers"], "  "), ""])


def write_graph(graph: LayerGraph) -> str:
    """A network with all blocks, repeats and parameters worked out; what is read back is an equal graph.

    Its parameters are kept with the values that they had: the layers are those of these values, so each can only be
    set to the one it has. Raises `UsageError` for a value that no decimal number gives.
    """
    lines = [*head_of(graph), *_own_facts(graph)]
    lines += ["layers:", *_layers(graph)]
    if graph.outputs != (Output("output", len(graph) - 1),):
        lines += outputs_of(graph)
    return "\n".join([*lines, ""])


def head_of(graph: LayerGraph, settings: bool = True) -> list[str]:
    """Name, title and input of a network; with `settings` its parameters as well, and its family."""
    name, title = (graph.family, graph.family_title) if settings else (graph.name, graph.title)
    lines = [f"name: {inline(name)}", f"title: {inline(title)}"]
    sizes = {name: spec_shape(shape) for name, shape in graph.inputs.items()}
    lines.append(f"input: {sizes['input']}" if list(sizes) == ["input"] else f"inputs: {inline(sizes)}")
    if graph.settings and settings:
        lines += ["parameters:", *_entries({name: _fixed(name, value) for name, value in graph.settings.items()}, "  ")]
    return lines


def _own_facts(graph: LayerGraph) -> list[str]:
    """What was published of a network, under its name where it is a member of a family."""
    facts = list(facts_of(graph))
    if (graph.family, graph.family_title) == (graph.name, graph.title):
        return facts
    return [
        "networks:",
        f"  {inline(graph.name)}:",
        *(f"    {line}" for line in (f"title: {inline(graph.title)}", *facts)),
    ]


def outputs_of(graph: LayerGraph) -> list[str]:
    """The outputs of a network, by the names of layers."""
    outputs = {
        output.name: {
            "layer": graph.layers[output.layer].name,
            "loss_weight": output.loss_weight,
            **({"training_only": True} if output.training_only else {}),
        }
        for output in graph.outputs
    }
    return ["outputs:", *_entries(outputs, "  ")]


def facts_of(graph: LayerGraph) -> Iterator[str]:
    """What was published of the network."""
    yield from _entries(
        {
            "description": graph.description,
            "authors": graph.authors,
            "year": graph.year,
            "paper": graph.paper.model_dump(exclude_none=True) if graph.paper else None,
            "follows": graph.follows,
        }
    )
    if graph.reported:
        yield "reported:"
        yield from (f"  - {inline(figure.model_dump(exclude_defaults=True))}" for figure in graph.reported)


def _entries(values: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """`key: value` lines of what is there."""
    return (f"{indent}{inline(key)}: {inline(value)}" for key, value in values.items() if value not in (None, "", ()))


def _fixed(name: str, value: Any) -> dict[str, Any]:
    """A parameter that can be nothing but what it is."""
    if isinstance(value, Fraction):
        decimal = float(value)
        if exact(decimal) != value:
            raise UsageError(f"{name} = {value} cannot be written: no decimal number is exactly that")
        value = decimal
    return {"type": "any", "default": None} if value is None else {"default": value, "choices": [value]}


def _layers(graph: LayerGraph) -> Iterator[str]:
    written: dict[Op, dict[str, Any]] = {}
    # What a layer without `from` reads: the first of the inputs, then the layer that was written before it.
    previous = next((index for index, layer in enumerate(graph.layers) if layer.op.kind == "input"), -1)
    for index, layer in enumerate(graph.layers):
        if layer.op.kind == "input":
            continue
        fields: dict[str, Any] = {"name": layer.name}
        if layer.inputs and layer.inputs != (previous,):
            sources = [graph.layers[source].name for source in layer.inputs]
            fields["from"] = sources[0] if len(sources) == 1 else sources
        previous = index
        if layer.weights_of is not None:
            fields["weights"] = graph.owner(layer).name
        elif layer.frozen:
            fields["frozen"] = True
        if layer.op not in written:
            written[layer.op] = settings_of(layer.op)
        yield f"  - {layer.op.kind}: {inline({**fields, **written[layer.op]})}"


def settings_of(op: Op) -> dict[str, Any]:
    """The fields that are needed to make the op again, as short as they can be written."""
    dumped = op.model_dump()
    fields = {name: value if isinstance(value := getattr(op, name), Sides) else dumped[name] for name in dumped}
    kept = {name: value for name, value in fields.items() if value is not None}
    for name in fields:
        fewer = {key: value for key, value in kept.items() if key != name}
        try:
            if OPS[op.kind].model_validate(fewer) == op:
                kept = fewer
        except ValueError:
            continue
    for name, value in kept.items():
        with suppress(ValueError):
            shorter = {**kept, name: short(value)}
            kept = shorter if OPS[op.kind].model_validate(shorter) == op else kept
    return kept


def short(value: Any) -> Any:
    """One number for several that are equal; of sides only the first half where the second is the same."""
    if isinstance(value, Sides):
        half = len(value) // 2
        value = tuple(value[:half] if value[:half] == value[half:] else value)
    is_equal = isinstance(value, tuple) and len(set(value)) == 1 and isinstance(value[0], int)
    return value[0] if is_equal else list(value) if isinstance(value, tuple) else value


def _items(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and "repeat" in item:
            yield f"{indent}- repeat: {item['repeat']}"
            yield f"{indent}  layers:"
            yield from _items(item["layers"], indent + "    ")
        elif isinstance(item, Mapping):
            ((kind, fields),) = item.items()
            yield f"{indent}- {kind}: {inline(fields)}"
        else:
            yield f"{indent}- {item}"


class Written(str):
    """An expression, which is written as it is."""

    __slots__ = ()


def inline(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Written):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(key)}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    if isinstance(value, str):
        is_plain = _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
        return value if is_plain else _UNSAFE.sub(_escaped, json.dumps(value, ensure_ascii=False))
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else repr(value)


def _escaped(unsafe: re.Match[str]) -> str:
    return f"\\U{ord(unsafe[0]):08x}"
