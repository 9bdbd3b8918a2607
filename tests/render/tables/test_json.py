"""JSON: the keys of the contract, and what must hold in each row of each network of the catalogue."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import pytest

from archcalc import analyse, load
from archcalc.ops import OPS
from archcalc.render.tables.formats import render
from archcalc.render.tables.json import as_dict
from archcalc.render.tables.report import make_report
from archcalc.spec.build import network_names
from archcalc.spec.catalogue import SPECS
from archcalc.spec.load import load_spec
from tests.cli.runner import DATA, Run, run_process
from tests.networks import numbers
from tests.render.tables.tables import check_json_sums
from tests.tiers import slow_but

TOP = {"schema", "network", "title", "input", "layers", "totals", "conventions"}
ROW = {
    "name", "op", "inputs", "input_shapes", "output_shape", "params", "trainable_params", "buffers", "multiplications",
    "operations", "activations", "activation_bytes", "receptive_field", "receptive_field_stride",
}  # fmt: skip
TOTALS = {
    "params", "trainable_params", "multiplications", "activations", "activation_bytes", "param_bytes",
    "peak_activation_bytes",
}  # fmt: skip
OPERATIONS = {"additions", "multiplications", "comparisons", "divisions", "exponentials"}
#: What multiplies, and what works in place, by the families of the contract.
MULTIPLY = {
    kind for kind, op in OPS.items() if op.family in ("convolution", "dense", "attention", "recurrent")
} - {"rbf", "embedding"}  # fmt: skip
IN_PLACE = {kind for kind, op in OPS.items() if op.family in ("activation", "regularisation")} - {"glu"} | {
    "flatten", "reshape", "identity", "tokens", "grid",
}  # fmt: skip


def check_report(report: Any) -> None:
    """What the contract says of every report."""
    assert report["schema"] == "archcalc.report/1"
    assert report.keys() >= TOP
    assert report["totals"].keys() >= TOTALS
    assert report["conventions"]
    check_json_sums(report)
    first, *others = report["layers"]
    shape, batch = report["input"]["shape"], report["input"]["batch"]
    assert (first["op"], first["inputs"], first["output_shape"]) == ("input", [], shape)
    assert (first["params"], first["multiplications"], set(first["operations"].values())) == (0, 0, {0})
    # An input may have a name of its own; what reads it names it so.
    shapes = {first["name"]: shape}
    for row in report["layers"]:
        assert row.keys() >= ROW
        assert row["operations"].keys() == OPERATIONS
        assert row["op"] in OPS
        values = prod(row["output_shape"])
        assert row["activations"] == (0 if row["op"] in IN_PLACE else values), row["name"]
        assert row["activation_bytes"] == row["activations"] * 4 * batch
        assert (row["multiplications"] > 0) == (row["op"] in MULTIPLY), row["name"]
        assert 0 <= row["trainable_params"] <= row["params"]
        field = row["receptive_field"]
        assert (field is None) == (row["receptive_field_stride"] is None)
        if field is not None:
            # Along each axis of the input that has positions; embedded numbers have one.
            axes = (0, 1) if len(shape) == 1 else (len(shape) - 1,)
            assert len(field) == len(row["receptive_field_stride"]) in axes
            assert all(size >= 1 for size in field)
    for row in others:
        # In the order of execution: a layer reads what stands above it.
        assert row["name"] not in shapes
        assert row["input_shapes"] == [shapes[name] for name in row["inputs"]], row["name"]
        shapes[row["name"]] = row["output_shape"]


@pytest.mark.parametrize(
    "path",
    slow_but([SPECS / "lenet5.yaml", SPECS / "bert.yaml", SPECS / "c3d.yaml"], sorted(SPECS.rglob("*.yaml"))),
    ids=lambda path: path.stem,
)
def test_every_network_keeps_the_contract(path: Path) -> None:
    spec = load_spec(path)
    for name in network_names(spec):
        report = json.loads(render([make_report(analyse(load(name)))], "json"))
        assert report["network"] == name
        check_report(report)


def test_the_example_of_the_contract(archcalc: Run) -> None:
    report = archcalc("report", "alexnet", "-f", "json").json
    conv1 = report["layers"][1]
    assert {key: conv1[key] for key in ROW - {"operations", "buffers"}} == {
        "name": "conv1", "op": "conv2d", "inputs": ["input"], "input_shapes": [[3, 227, 227]],
        "output_shape": [96, 55, 55], "params": 34944, "trainable_params": 34944, "multiplications": 105415200,
        "activations": 290400, "activation_bytes": 1161600, "receptive_field": [11, 11],
        "receptive_field_stride": [4, 4],
    }  # fmt: skip
    assert report["title"] == "AlexNet"
    assert report["input"] == {"shape": [3, 227, 227], "batch": 1, "dtype": "float32"}
    assert report["totals"]["params"] == report["totals"]["trainable_params"] == 62378344
    assert report["totals"]["param_bytes"] == 62378344 * 4


@pytest.mark.parametrize(
    ("network", "params", "multiplications"),
    [
        ("alexnet", 62378344, 1135256096),
        ("alexnet@grouped", 60965224, 724406816),
        ("lenet5", 61706, 416520),
        ("vgg16", 138357544, 15470264320),
        ("vgg19", 143667240, 19632062464),
    ],
)
def test_headline_totals(archcalc: Run, network: str, params: int, multiplications: int) -> None:
    totals = archcalc("report", network, "-f", "json").json["totals"]
    assert (totals["params"], totals["multiplications"]) == (params, multiplications)


def test_headline_totals_of_other_columns(archcalc: Run) -> None:
    assert archcalc("report", "lenet5@1998", "-f", "json").json["totals"]["trainable_params"] == 60000
    assert archcalc("report", "vgg16", "-f", "json").json["totals"]["activations"] == 15237608


def test_several_networks_are_a_list(archcalc: Run) -> None:
    both = archcalc("report", "lenet5", DATA / "modules.yaml", "-f", "json").json
    assert both["schema"] == "archcalc.reports/1"
    assert [report["network"] for report in both["reports"]] == ["lenet5", "modules"]
    assert both["reports"][0] == archcalc("report", "lenet5", "-f", "json").json
    for report in both["reports"]:
        check_report(report)


def test_modules_by_hand(archcalc: Run) -> None:
    report = archcalc("report", DATA / "modules.yaml", "-f", "json").json
    stem, first, second = 27 * 8 + 16, 8 * 9 + 8 * 9 * 16 + 32, 33 * 4 + 32 * 9 * 8 + 16
    assert report["totals"]["params"] == stem + first + second + 45 * 5 == 4165
    assert report["totals"]["buffers"] == 2 * (8 + 16 + 8)
    positions = {"stem": 64 * 8 * 27, "first": 64 * (8 * 8 + 16 * 72), "second": 16 * (4 * 32 + 8 * 288), "fc": 44 * 5}
    assert report["totals"]["multiplications"] == sum(positions.values()) == 130780
    assert report["outputs"] == [{"name": "output", "layer": "softmax1", "loss_weight": 1.0}]


@pytest.mark.parametrize("depth", ["1", "2", "3", "9"])
def test_folded_blocks_keep_the_sums_and_read_rows_that_are_there(archcalc: Run, depth: str) -> None:
    whole = archcalc("report", "googlenet", "-f", "json").json
    folded = archcalc("report", "googlenet", "-f", "json", "--depth", depth).json
    check_json_sums(folded)
    assert folded["totals"] == whole["totals"]
    names = [layer["name"] for layer in folded["layers"]]
    assert len(set(names)) == len(names)
    # A block of one layer is that layer.
    assert all(layer["name"].count("/") < int(depth) for layer in folded["layers"] if layer["op"] == "block")
    seen: set[str] = set()
    for layer in folded["layers"]:
        assert set(layer["inputs"]) <= seen, layer["name"]
        assert len(layer["inputs"]) == len(layer["input_shapes"])
        seen.add(layer["name"])


def test_a_folded_block_is_the_sum_of_its_layers(archcalc: Run) -> None:
    whole = archcalc("report", DATA / "modules.yaml", "-f", "json").json["layers"]
    folded = archcalc("report", DATA / "modules.yaml", "-f", "json", "--depth", "1").json["layers"]
    assert [layer["name"] for layer in folded] == [
        "input", "stem", "first", "shrink", "second", "mean", "drop1", "classifier", "softmax1",
    ]  # fmt: skip
    block = folded[2]
    inside = [layer for layer in whole if layer["name"].startswith("first/")]
    assert (block["op"], block["summary"]) == ("block", f"{len(inside)} layers")
    assert block["input_shapes"] == [[8, 8, 8]]
    last = inside[-1]
    assert (block["output_shape"], block["receptive_field"]) == (last["output_shape"], last["receptive_field"])
    for key in ("params", "buffers", "multiplications", "activations", "activation_bytes"):
        assert block[key] == sum(layer[key] for layer in inside)


def test_settings_are_those_of_a_spec(archcalc: Run) -> None:
    conv = archcalc("report", DATA / "modules.yaml", "-f", "json").json["layers"][1]
    assert conv["settings"]["out_channels"] == 8
    assert conv["settings"]["kernel_size"] == [3, 3]
    assert conv["settings"]["stride"] == [2, 2]
    assert conv["settings"]["bias"] is False


def test_the_library_gives_the_same_as_the_program(archcalc: Run) -> None:
    data = json.loads(json.dumps(as_dict(analyse(load("lenet5")))))
    assert data == archcalc("report", "lenet5", "-f", "json").json


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes() -> None:
    outputs = {run_process("report", "googlenet", "-f", "json", more={"PYTHONHASHSEED": seed}) for seed in ("1", "2")}
    assert len(outputs) == 1
    assert outputs.pop().code == 0


SHARED = """\
  - conv2d: {name: first, out_channels: 4, kernel_size: 1}
  - conv2d: {name: second, out_channels: 4, kernel_size: 1, weights: first}
"""


def test_a_layer_that_shares_weights_says_whose() -> None:
    analysis = numbers(SHARED)
    report = as_dict(analysis)
    check_report(report)
    first, second = report["layers"][1:]
    assert (second["weights_of"], second["params"], second["trainable_params"]) == ("first", 0, 0)
    assert "weights_of" not in first
    assert (first["params"], report["totals"]["params"]) == (20, 20)
    assert first["multiplications"] == second["multiplications"] == 8 * 8 * 4 * 4
    assert second["summary"] == "conv 1×1, 4, weights of first"
    table = render([make_report(analysis)], "csv").splitlines()
    assert "weights of first" in table[3]
    assert "weights of" not in table[2]
