"""The page of the JSON report, compared with a report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
