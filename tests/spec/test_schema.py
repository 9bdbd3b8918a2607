"""The JSON Schema: valid itself, true to the shipped specs, closed to slips, and useful to an editor."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import yaml

from archcalc.ops import OPS
from archcalc.spec.catalogue import SPECS
from archcalc.spec.document import Block, Document, Variant
from archcalc.spec.items import STEP_KEYS
from archcalc.spec.load import prelude
from archcalc.spec.schema import json_schema
from tests.cli.runner import DATA

SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
GOOD: dict[str, Any] = {
    "name": "net",
    "title": "A network",
    "input": "8x8x3",
    "layers": [{"conv2d": {"out_channels": 4, "kernel_size": 3}}, "relu"],
}


def errors(document: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(document)]


def with_layer(layer: Any) -> dict[str, Any]:
    return {**GOOD, "layers": [layer]}


# --- itself


@pytest.mark.slow
def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_reference_has_its_definition_and_every_definition_is_used() -> None:
    references: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                references.add(value["$ref"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(SCHEMA)
    assert references == {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


def test_it_is_made_anew_each_time() -> None:
    first = json_schema()
    before = copy.deepcopy(first)
    first["$defs"].clear()
    assert json_schema() == before == SCHEMA


# --- what it accepts


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(SPECS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_spec_is_accepted(path: Any) -> None:
    assert errors(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", sorted(DATA.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_specs_of_the_tests_are_accepted(path: Any) -> None:
    assert errors(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "layer",
    [
        "relu",
        {"relu": None},
        {"relu": {"name": "r1", "from": "input", "when": "deep"}},
        {"conv2d": {"out_channels": "4*c", "kernel_size": [3, "k"], "padding": "same", "bias": "deep"}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "padding": [1, 2, 3, 4]}},
        {"conv_bn_relu": {"out_channels": 4, "kernel_size": 3, "repeat": "n"}},
        {"concat": {"from": ["a", "b"]}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "weights": "conv1"}},
        {"conv_relu": {"out_channels": 4, "kernel_size": 3, "weights": "stem"}},
        {"my_block": {"anything": [1, 2]}},
        {"my_block": None},
        {"repeat": "n - 1", "as": "i", "layers": ["relu"]},
        {"for_each": ["name", "c"], "rows": [["a", 1], ["b", "2*c"]], "block": "my_block"},
        {"for_each": ["c"], "rows": [[1]], "layers": ["relu"], "when": True},
        {"branches": [["relu"], [], None], "merge": "add"},
        {"branches": {"left": ["relu"], "right": {"layers": ["relu"], "when": "deep"}}, "merge": "concat"},
        {"output": "aux", "loss_weight": 0.3, "layers": ["relu"]},
    ],
    ids=str,
)
def test_forms_of_layers_that_are_accepted(layer: Any) -> None:
    assert errors(with_layer(layer)) == []


@pytest.mark.parametrize(
    "more",
    [
        {"parameters": {"classes": 10, "alpha": 1.0, "deep": True, "kind": "same", "width": "int", "sizes": [1, 2]}},
        {"parameters": {"groups": {"default": 1, "choices": [1, 2], "description": "towers"}}},
        {"parameters": {"alpha": {"type": "number", "above": 0, "maximum": 1}}},
        {"variants": {"wide": {"title": "Wide", "set": {"width": 2}, "input": "16x16x3"}}},
        {"variants": {"other": {"layers": ["relu"]}}},
        {"networks": {"net18": {"set": {"depth": 18}}, "net34": {}}},
        {"reported": [{"quantity": "top1_error", "value": "40.7%", "source": "abstract"}]},
        {"paper": {"title": "T", "venue": "V", "url": "https://example.org"}},
        {"authors": ["A. B"], "year": 2012, "description": "D"},
        {"outputs": {"main": "fc", "aux": {"layer": "aux/fc", "loss_weight": 0.3}}},
        {"let": {"c": "2 * width"}},
        {"blocks": {"b": {"parameters": {"c": "int"}, "layers": [{"relu": None}]}}},
        {
            "blocks": {
                "b": {"branches": {"l": ["relu"], "r": None}, "merge": "concat", "inputs": ["x"], "outputs": ["y"]}
            }
        },
    ],
    ids=lambda more: next(iter(more)),
)
def test_parts_of_a_spec_that_are_accepted(more: dict[str, Any]) -> None:
    assert errors({**GOOD, **more}) == []


# --- what it rejects


@pytest.mark.parametrize("key", ["name", "title", "layers"])
def test_what_every_spec_needs(key: str) -> None:
    assert errors({name: value for name, value in GOOD.items() if name != key}) == [f"'{key}' is a required property"]


@pytest.mark.parametrize(
    "layer",
    [
        {"conv2d": {"kernel_size": 3}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "weights": ["a", "b"]}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "strides": 2}},
        {"conv2d": {"out_channels": 4, "kernel_size": 0}},
        {"conv2d": {"out_channels": 4, "kernel_size": [3, 3, 3]}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "stride": -1}},
        {"conv2d": {"out_channels": 4.5, "kernel_size": 3}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "padding": [1, 2, 3]}},
        {"conv2d": {"out_channels": 4, "kernel_size": 3, "bias": 7}},
        {"conv2d": None},
        {"conv2d": 3},
        {"linear": {}},
        {"conv_relu": {"out_channels": 4}},
        {"conv_relu": {"out_channels": 4, "kernel_size": 3, "dilatation": 2}},
        {"relu": {"nmae": "r"}},
        {"relu": None, "tanh": None},
        {},
        7,
        ["relu"],
        {"repeat": 2},
        {"repeat": 2, "layers": ["relu"], "merge": "add"},
        {"repeat": 2.5, "layers": ["relu"]},
        {"for_each": ["c"], "layers": ["relu"]},
        {"for_each": "c", "rows": [[1]], "layers": ["relu"]},
        {"branches": [["relu"]], "merge": "sum"},
        {"branches": "relu"},
        {"output": "aux"},
        {"max_pool2d": {"kernel_size": 2, "name": ["a"]}},
        {"concat": {"from": 3}},
    ],
    ids=str,
)
def test_layers_that_are_rejected(layer: Any) -> None:
    assert errors(with_layer(layer))


@pytest.mark.parametrize(
    "more",
    [
        {"layer": []},
        {"layers": "relu"},
        {"layers": {"relu": None}},
        {"name": 3},
        {"year": "long ago"},
        {"year": 12},
        {"authors": "A. B"},
        {"paper": "T"},
        {"paper": {"venue": "V"}},
        {"reported": [{"quantity": "speed", "value": 1, "source": "s"}]},
        {"reported": [{"quantity": "params", "value": 1}]},
        {"parameters": {"c": {"type": "integer"}}},
        {"parameters": {"c": {"default": 1, "minimun": 0}}},
        {"parameters": ["c"]},
        {"variants": {"v": {"sets": {}}}},
        {"variants": {"v": {"set": 3}}},
        {"networks": ["a"]},
        {"blocks": {"b": {"layer": ["relu"]}}},
        {"outputs": {"main": {"loss_weight": 1}}},
        {"outputs": [{"layer": "fc"}]},
    ],
    ids=str,
)
def test_parts_of_a_spec_that_are_rejected(more: dict[str, Any]) -> None:
    assert errors({**GOOD, **more})


@pytest.mark.parametrize("document", [None, [], "net", 3, {}])
def test_what_is_no_spec(document: Any) -> None:
    assert errors(document)


# --- what an editor makes of it


@pytest.mark.parametrize("kind", [kind for kind in OPS if kind != "input"])
def test_the_fields_of_every_op_can_be_completed(kind: str) -> None:
    step = SCHEMA["$defs"]["Step"]["properties"][kind]
    fields = OPS[kind].model_fields
    assert set(step["properties"]) == {*fields, *STEP_KEYS, *(["like"] if OPS[kind].sized_by_second else [])}
    assert step["additionalProperties"] is False
    assert step["required"] == [name for name, field in fields.items() if field.is_required()]
    assert step["description"]
    # A step without settings is one without anything that must be given.
    assert ("null" in step["type"]) == (not step["required"])


def test_ops_and_blocks_can_be_completed() -> None:
    known = {*OPS, *prelude()} - {"input"}
    assert set(SCHEMA["$defs"]["Step"]["properties"]) == known
    words = next(form for form in SCHEMA["$defs"]["Item"]["anyOf"] if form.get("type") == "string")
    assert set(words["examples"]) == known
    assert SCHEMA["$defs"]["Branches"]["properties"]["merge"]["enum"] == ["add", "multiply", "concat"]


def test_the_keys_of_every_part_can_be_completed() -> None:
    assert set(SCHEMA["properties"]) == set(Document.model_fields)
    for model in (Block, Variant):
        definition = SCHEMA["$defs"][model.__name__]
        assert set(definition["properties"]) == set(model.model_fields)
        assert definition["additionalProperties"] is False


def test_words_of_a_field_can_be_completed() -> None:
    padding = SCHEMA["$defs"]["Step"]["properties"]["conv2d"]["properties"]["padding"]
    assert "'same'" in str(padding)
    assert "'valid'" in str(padding)
    stride = SCHEMA["$defs"]["Step"]["properties"]["conv2d"]["properties"]["stride"]
    assert stride["default"] == 1


def test_a_spec_has_an_input_or_inputs() -> None:
    rest = {name: value for name, value in GOOD.items() if name != "input"}
    assert errors({**rest, "inputs": {"image": "8x8x3", "features": 16}}) == []
    assert len(errors(rest)) == len(errors({**GOOD, "inputs": {"image": "8x8x3"}})) == 1
