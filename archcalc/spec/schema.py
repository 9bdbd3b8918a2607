"""The JSON Schema of the spec language, made from the models of the document and of the ops."""

from __future__ import annotations

from typing import Any

from archcalc.ops import OPS
from archcalc.ops.base import Op
from archcalc.spec.document import Document, Parameter
from archcalc.spec.load import prelude

_LIKE = {"type": "string", "description": "the layer whose size it takes"}
_EXPRESSION = {
    "type": ["string", "null"],
    "description": "an expression, such as 4*c or max(1, c // 2); nothing: the variable of the field's own name",
}


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a spec file."""
    schema = _linked(Document.model_json_schema())
    definitions = schema.setdefault("$defs", {})
    definitions |= _items()
    definitions["Declaration"] = {
        "description": "a default, a type (int, number, bool, str, list, any), or a mapping",
        "anyOf": [{"$ref": "#/$defs/Parameter"}, {"type": ["string", "number", "boolean", "array"]}],
    }
    parameter = Parameter.model_json_schema()
    parameter["required"] = []
    parameter["properties"].pop("required")
    definitions["Parameter"] = parameter
    outputs = {"anyOf": [{"$ref": "#/$defs/LayerOutput"}, {"type": "string"}]}
    named = {"type": "object", "additionalProperties": outputs}
    names = {"type": "array", "items": {"type": "string"}, "description": "layers that give their outputs their names"}
    schema["properties"]["outputs"] = {"anyOf": [named, names]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "archcalc spec",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
        "oneOf": [{"required": [key]} for key in ("input", "inputs")],
    }


def _linked(schema: Any) -> Any:
    """`{"defined": NAME}` as a reference; pydantic itself refers only to its own models."""
    if isinstance(schema, dict):
        if isinstance(schema.get("defined"), str):
            return {"$ref": f"#/$defs/{schema['defined']}"}
        return {key: _linked(value) for key, value in schema.items()}
    return [_linked(item) for item in schema] if isinstance(schema, list) else schema


def _items() -> dict[str, Any]:
    """Steps, repeats, loops, branches and outputs."""
    step_keys = {
        "name": {
            "type": ["string", "integer"],
            "description": "made (conv1, conv2, …) unless given; may hold {expressions}",
        },
        "from": {
            "description": "the layers to read; the one before unless given",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Source"}]}},
            ],
        },
        "weights": {
            "type": "string",
            "description": "the layer above whose weights it uses, of a block the block; without it they are its own",
        },
        "when": {"type": ["string", "boolean"], "description": "a condition; without it always"},
        "repeat": {"type": ["string", "integer"], "description": "how many times"},
        "as": {"type": "string", "description": "a name for the counter of repeat, which counts from 1"},
        "frozen": {"type": ["string", "boolean"], "description": "a condition; where it holds nothing is trained"},
    }
    ops = {
        kind: _step(_op_fields(cls), cls.__doc__ or "", step_keys, cls) for kind, cls in OPS.items() if kind != "input"
    }
    for name, block in prelude().items():
        fields: dict[str, Any] = {key: {} for key in block.declared.parameters}
        required = [key for key, parameter in block.declared.parameters.items() if parameter.required]
        ops[name] = {
            "type": ["object", "null"],
            "description": block.declared.description or "",
            "properties": {**fields, **step_keys},
            "required": required,
            "additionalProperties": False,
        }
    layers = {"type": "array", "items": {"$ref": "#/$defs/Item"}}
    when, words = step_keys["when"], {"type": "string"}
    repeated = _form({"repeat": step_keys["repeat"], "as": step_keys["as"], "layers": layers, "when": when}, ["layers"])
    return {
        "Item": {
            "anyOf": [
                {"type": "string", "description": "an op or block with no settings", "examples": sorted(ops)},
                {"$ref": "#/$defs/Step"},
                {"$ref": "#/$defs/Repeat"},
                {"$ref": "#/$defs/ForEach"},
                {"$ref": "#/$defs/Branches"},
                {"$ref": "#/$defs/Output"},
            ]
        },
        "Step": {
            "type": "object",
            "description": "an op, or a block of this file",
            "properties": ops,
            "additionalProperties": {"type": ["object", "null"]},
            "minProperties": 1,
            "maxProperties": 1,
            "not": {"anyOf": [{"required": [key]} for key in ("repeat", "for_each", "branches")]},
        },
        "Repeat": {**repeated, "required": ["repeat", "layers"]},
        "ForEach": _form(
            {
                "for_each": {"type": "array", "items": words, "description": "the names of the columns"},
                "rows": {"anyOf": [{"type": "array", "items": {"type": ["array", "object"]}}, {"type": "string"}]},
                "layers": layers,
                "block": words,
                "when": when,
            },
            ["for_each", "rows"],
        ),
        "Branches": _form(
            {
                "branches": {"$ref": "#/$defs/BranchList"},
                "merge": {"enum": [kind for kind, op in OPS.items() if op.most_inputs is None]},
                "name": step_keys["name"],
                "from": step_keys["from"],
                "when": when,
            },
            ["branches"],
        ),
        "Output": _form(
            {
                "output": words,
                "loss_weight": {"type": ["number", "string"]},
                "training_only": {"type": "boolean"},
                "layers": layers,
                "when": when,
            },
            ["output", "layers"],
        ),
        "Source": _form(
            {"layer": words, "when": when, "repeat": step_keys["repeat"], "as": step_keys["as"]}, ["layer"]
        ),
        "BranchList": {
            "description": "branches side by side; an empty one passes its input on",
            "anyOf": [
                {"type": "array", "items": {"$ref": "#/$defs/Branch"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/Branch"}},
            ],
        },
        "Branch": {"anyOf": [layers, {"type": "null"}, repeated]},
    }


def _form(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _step(fields: dict[str, Any], description: str, step_keys: dict[str, Any], cls: type[Op]) -> dict[str, Any]:
    required = [name for name, field in cls.model_fields.items() if field.is_required()]
    return {
        "type": "object" if required else ["object", "null"],
        "description": description.strip(),
        "properties": {**fields, **({"like": _LIKE} if cls.sized_by_second else {}), **step_keys},
        "required": required,
        "additionalProperties": False,
    }


def _op_fields(cls: type[Op]) -> dict[str, Any]:
    """The fields of an op; wherever a value may stand, an expression may stand too."""
    schema = cls.model_json_schema(mode="validation")
    fields = {}
    for name, field in schema.get("properties", {}).items():
        field.pop("title", None)
        kept = {key: field.pop(key) for key in ("default", "description") if key in field}
        fields[name] = {"anyOf": [_with_expressions(field), _EXPRESSION], **kept}
    return fields


def _with_expressions(schema: Any) -> Any:
    """Let the items of lists be expressions too."""
    if isinstance(schema, dict):
        result = {key: _with_expressions(value) for key, value in schema.items()}
        if "prefixItems" in result:
            result["prefixItems"] = [{"anyOf": [item, _EXPRESSION]} for item in result["prefixItems"]]
        if isinstance(result.get("items"), dict):
            result["items"] = {"anyOf": [result["items"], _EXPRESSION]}
        return result
    return [_with_expressions(item) for item in schema] if isinstance(schema, list) else schema
