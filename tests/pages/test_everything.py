"""The files in reports/ are those that `archcalc report --all` makes now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archcalc.analysis import Analysis, analyse
from archcalc.catalogue import load, names
from archcalc.pages.everything import catalogue_files
from archcalc.plots.catalogue import catalogue_plots
from archcalc.reports.index import accuracy
from archcalc.reports.index import render_index as render


def analysed(name: str) -> Analysis:
    return analyse(load(name))


pytest.importorskip("vl_convert", reason='the extra is not installed: pip install "archcalc[plot]"')
FOLDER = Path(__file__).parents[2] / "reports"
REMEDY = "run: archcalc report --all -o reports/"
#: The audit of the lecture notes is made by another command, and tested there.
OTHERS = {"lecture_audit.md", "lecture_claims.yaml"}


PLOTS = {name for name, _ in catalogue_plots()}


def seen(name: str, text: str) -> object:
    """The text of a file; of a plot its words, in their order: another version of Vega may draw a line otherwise."""
    return re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)", text) if name in PLOTS else text


def test_reports_are_fresh() -> None:
    made = dict(catalogue_files())
    files = (path for path in FOLDER.rglob("*") if path.is_file() and path.name not in OTHERS)
    kept = {path.relative_to(FOLDER).as_posix(): path for path in files}
    assert sorted(kept) == sorted(made), REMEDY
    stale = [
        name for name, text in made.items() if seen(name, kept[name].read_text(encoding="utf-8")) != seen(name, text)
    ]
    assert not stale, REMEDY


def test_every_network_has_a_report() -> None:
    made = {name for name, _ in catalogue_files() if name.endswith(".md")}
    assert {f"{name}.md" for name in names()} == made - {"README.md"}


@pytest.mark.parametrize(
    ("network", "top1", "top5"),
    # An error of 24.7 % is an accuracy of 75.3 %.
    [
        ("resnet50@v1", "75.3", "92.2"),
        ("resnet50", "76.1", "92.9"),
        ("vgg16", "71.6", "90.4"),
        ("zfnet", "61.6", "83.5"),
    ],
)
def test_accuracies(network: str, top1: str, top5: str) -> None:
    analysis = analysed(network)
    assert (accuracy(analysis, "top1"), accuracy(analysis, "top5")) == (top1, top5)


def test_index_compares_and_links() -> None:
    text = render([analysed("alexnet"), analysed("googlenet"), analysed("blocks/conv7x7")])
    row = next(line for line in text.splitlines() if "(alexnet.md)" in line)
    assert row.count("|") == 10
    assert "| 2012 | 227×227×3 | 8 | 62,378,344 | 1,135,256,096 |" in row
    assert "](comparison.svg)" in text
    assert "](timeline.svg)" in text
    assert "## Building blocks" in text
