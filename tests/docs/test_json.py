"""The page of the JSON report, compared with a report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from archcalc.passes.analysis import analyse
from archcalc.render.tables.json import as_dict
from tests.cli.runner import Run
from tests.docs.pages import ROOT, analysis_of, keys, table
from tests.networks import graph, numbers

SHARED = """\
  - conv2d: {name: first, out_channels: 4, kernel_size: 1}
  - conv2d: {out_channels: 4, kernel_size: 1, weights: first}
"""
OPAQUE = "input: 8x8x4\nlayers: [opaque: {of: grid_sample, shape: 8x8x4}]\n"
TWO_INPUTS = "inputs: {a: 8x8x4, b: 8x8x4}\nlayers: [add: {from: [a, b]}]\n"


def paths(value: Any, path: str = "") -> Iterator[str]:
    """layers[].operations.additions and so on; what an op or a parameter calls its own is left out."""
    if path in (
        "layers[].settings",
        "layers[].not_counted",
        "totals.not_counted",
        "conventions",
        "inputs",
    ) or not isinstance(value, (dict, list)):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}" if path else key)
    elif value and isinstance(value[0], dict):
        for inner in value:
            yield from paths(inner, f"{path}[]")
    elif value:
        yield path


def test_keys_of_the_report() -> None:
    found: dict[str, None] = {}
    for name in ("alexnet", "googlenet@aux", "mobilenet", "resnet50"):
        found.update(dict.fromkeys(paths(as_dict(analysis_of(name)))))
    for analysis in (numbers(SHARED), analyse(graph(TWO_INPUTS)), analyse(graph(OPAQUE))):
        found.update(dict.fromkeys(paths(as_dict(analysis))))
    assert sorted(keys(table(ROOT / "docs" / "reference" / "json.md", "## A report"))) == sorted(found)


def test_keys_of_the_conventions() -> None:
    rows = table(ROOT / "docs" / "reference" / "json.md", "## Conventions")
    assert keys(rows) == list(analysis_of("alexnet").conventions.describe())


def test_keys_of_the_list(archcalc: Run) -> None:
    entries = archcalc("list", "lenet5", "-f", "json").json
    assert keys(table(ROOT / "docs" / "reference" / "json.md", "## The list of networks")) == list(entries[0])


#: What depends on the network, and is not listed key by key.
OPEN = ("policy", "totals", "ratios", "shares", "not_counted", "alternatives", "layers[].changes", "findings[].costs",
        "bridges[].from.not_counted", "bridges[].to.not_counted")  # fmt: skip
SMALL = "17x17x3 -> conv3-16 -> bn -> relu -> pool2 -> fc1 -> softmax"


def answer_paths(value: Any, leaves: Sequence[str], path: str = "") -> Iterator[str]:
    """The keys of an answer."""
    if path in leaves or not (isinstance(value, dict) or (isinstance(value, list) and value)):
        yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from answer_paths(inner, leaves, f"{path}.{key}" if path else key)
    elif isinstance(value[0], dict):
        for inner in value:
            yield from answer_paths(inner, leaves, f"{path}[]")
    else:
        yield path


@pytest.mark.parametrize(
    ("section", "runs"),
    [
        ("## Memory", [["memory", "lenet5"]]),
        ("## The largest batch", [["fit", "lenet5", "--memory", "1GB", "--training"]]),
        ("## Compare", [["compare", "lenet5", "alexnet", "--diff"]]),
        ("## Transform", [["transform", SMALL, "--fold-batch-norm"]]),
        ("## Lint", [["lint", SMALL]]),
        ("## Estimate", [["estimate", SMALL, "--device", "this"]]),
        ("## Reconcile", [["reconcile", "resnet18", "--from", "onnx-tool", "--to", "torchvision"],
                          ["reconcile", "maxvit_t", "--from", "fvcore", "--to", "thop"]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_keys_of_the_answers(archcalc: Run, section: str, runs: list[list[str]]) -> None:
    name = section.removeprefix("## ").lower()
    leaves = [one for one in OPEN if one != "totals" or name != "estimate"]
    found = {path for run in runs for path in answer_paths(json.loads(archcalc(*run, "-f", "json").out), leaves)}
    listed = set(keys(table(ROOT / "docs" / "reference" / "json.md", section)))
    if name == "transform":
        listed |= set(keys(table(ROOT / "docs" / "reference" / "json.md", "## Compare")))
    assert {path for path in found if path} == listed


def test_keys_of_a_search(archcalc: Run) -> None:
    found = set(answer_paths(archcalc("reconcile", "lenet5", "61,706", "-f", "json").json, OPEN))
    text = (ROOT / "docs" / "reference" / "json.md").read_text(encoding="utf-8").rpartition("NET NUMBER -f json`")[2]
    listed = re.findall(
        r"`([a-z\[\]._]+)`", " ".join(line.split("|")[1] for line in text.splitlines() if line[:3] == "| `")
    )
    assert found == set(listed)
