"""Specs as YAML: a document as it was parsed, or a network written out layer by layer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from archcalc.core.shapes import format_shape
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import OPS, Op
from archcalc.ops.windowed import Sides

_PLAIN = re.compile(r"[A-Za-z_][\w ./'()&-]*[\w.)]|[A-Za-z]|\d+(?:x\d+)+")
_RESERVED = {"true", "false", "null", "yes", "no", "on", "off"}


def write_document(value: Mapping[str, Any]) -> str:
    """A spec document without blocks: name, title, input, layers."""
    head = [f"{key}: {_inline(item)}" for key, item in value.items() if key != "layers"]
    return "\n".join([*head, "layers:", *_items(value["layers"], "  "), ""])


def write_graph(graph: LayerGraph) -> str:
    """A network with all blocks, repeats and parameters worked out. The `/` of names becomes a `.`."""
    names = [_flat(layer.name) for layer in graph.layers]
    head: dict[str, Any] = {"name": graph.name.replace("@", "_").replace("/", "."), "title": graph.title or graph.name}
    if graph.authors:
        head["authors"] = list(graph.authors)
    if graph.year:
        head["year"] = graph.year
    head["input"] = format_shape(graph.input_shape).replace("×", "x")
    lines = [f"{key}: {_inline(value)}" for key, value in head.items()]
    lines.append("layers:")
    for index, layer in enumerate(graph.layers[1:], start=1):
        fields: dict[str, Any] = {"name": names[index]}
        if layer.inputs != (index - 1,):
            sources = [names[source] for source in layer.inputs]
            fields["from"] = sources[0] if len(sources) == 1 else sources
        fields.update(_settings(layer.op))
        lines.append(f"  - {layer.op.kind}: {_inline(fields)}")
    default = len(graph.outputs) == 1 and graph.outputs[0].layer == len(names) - 1
    if not default:
        lines.append("outputs:")
        for output in graph.outputs:
            told = {"layer": names[output.layer], "loss_weight": output.loss_weight}
            lines.append(f"  {_inline(output.name)}: {_inline(told)}")
    return "\n".join([*lines, ""])


def _flat(name: str) -> str:
    return name.replace("/", ".")


def _settings(op: Op) -> dict[str, Any]:
    """The fields that are needed to make the op again, as short as they can be written."""
    fields = {name: getattr(op, name) for name in type(op).model_fields}
    kept = {name: value for name, value in fields.items() if value is not None}
    for name in fields:
        fewer = {key: value for key, value in kept.items() if key != name}
        try:
            if OPS[op.kind].model_validate(fewer) == op:
                kept = fewer
        except ValueError:
            continue
    return {name: _short(value) for name, value in kept.items()}


def _short(value: Any) -> Any:
    if isinstance(value, Sides):
        if value[:2] == value[2:]:
            value = value[:2]
        return value[0] if len(set(value)) == 1 else list(value)
    if isinstance(value, tuple) and len(value) == 2 and value[0] == value[1] and isinstance(value[0], int):
        return value[0]
    return value


def _items(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if isinstance(item, Mapping) and "repeat" in item:
            yield f"{indent}- repeat: {item['repeat']}"
            yield f"{indent}  layers:"
            yield from _items(item["layers"], indent + "    ")
        elif isinstance(item, Mapping):
            ((kind, fields),) = item.items()
            yield f"{indent}- {kind}: {_inline(fields)}"
        else:
            yield f"{indent}- {item}"


def _inline(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_inline(item) for item in value) + "]"
    if isinstance(value, str):
        return (
            value
            if _PLAIN.fullmatch(value) and value.lower() not in _RESERVED
            else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value)
