"""The files in reports/ are those that `archcalc report --all` makes now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archcalc.core import words
from archcalc.render.charts.accuracy import top1
from archcalc.render.charts.catalogue import catalogue_plots
from archcalc.render.pages.everything import COMPARISON, network_files, overview_files
from archcalc.render.tables.index import accuracy, render_index
from archcalc.spec.catalogue import names
from tests.render.pages.made import analysis_of

FOLDER = Path(__file__).parents[3] / "reports"
REMEDY = "run: archcalc report --all -o reports/ (another version of Graphviz may lay a diagram out in another way)"
#: The audit of the lecture notes is made by another command, and tested there.
OTHERS = {"lecture_audit.md", "lecture_claims.yaml"}
PLOTS = ("alexnet-profile", "comparison", "mobilenet-sweep", "timeline", "vgg16-memory", "vgg16-receptive-field")


def check(made: dict[str, str]) -> None:
    """What is made is what is kept, to the byte."""
    stale = [
        name
        for name, text in made.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_bytes() != text.encode()
    ]
    assert stale == [], REMEDY


@pytest.mark.parametrize("name", list(names()))
def test_the_files_of_a_network_are_fresh(name: str) -> None:
    made = dict(network_files(analysis_of(name)))
    assert {f"{name}.md", f"{name}.html", f"{name}-blocks.svg", f"{name}-graph.svg"} <= set(made)
    check(made)


def test_what_compares_the_networks_is_fresh_and_nothing_else_lies_there() -> None:
    from archcalc.render.diagrams.pages import standard_styles

    analyses = [analysis_of(name) for name in names()]
    made = dict(overview_files(analyses))
    check(made)
    wanted = set(made)
    for analysis in analyses:
        name = analysis.graph.name
        wanted |= {f"{name}.md", f"{name}.html", *(f"{name}-{style}.svg" for style in standard_styles(analysis))}
    kept = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert kept == wanted | OTHERS | {f"{name}.svg" for name in PLOTS}, REMEDY
    assert wanted >= {"README.md", COMPARISON, "alexnet-volumes.svg", "unet-volumes.svg", "blocks/conv7x7.html"}


def words_of(picture: str) -> list[str]:
    """The texts of a plot in their order: another version of Vega may draw a line otherwise."""
    return re.findall(r"<(?:text|title|desc)[^>]*>([^<]*)", picture)


def test_the_plots_are_fresh() -> None:
    made = dict(catalogue_plots())
    assert sorted(made) == [f"{name}.svg" for name in PLOTS]
    kept = {name: (FOLDER / name).read_text(encoding="utf-8") for name in made}
    stale = [name for name, text in made.items() if words_of(kept[name]) != words_of(text)]
    assert stale == [], REMEDY


def test_the_reports_are_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 45e6


@pytest.mark.parametrize(
    ("network", "best", "five"),
    # An error of 24.7 % is an accuracy of 75.3 %.
    [
        ("resnet50@v1", "75.3", "92.2"),
        ("resnet50", "76.1", "92.9"),
        ("vgg16", "71.6", "90.4"),
        ("zfnet", "61.6", "83.5"),
    ],
)
def test_accuracies(network: str, best: str, five: str) -> None:
    analysis = analysis_of(network)
    assert (accuracy(analysis, "top1"), accuracy(analysis, "top5")) == (best, five)


@pytest.mark.parametrize("name", list(names()))
def test_the_index_and_the_chart_quote_the_same_accuracy(name: str) -> None:
    found = top1(analysis_of(name))
    assert accuracy(analysis_of(name), "top1") == (f"{found.percent:.1f}" if found else words.NONE)


def test_index_compares_and_links() -> None:
    analyses = [analysis_of(name) for name in ("alexnet", "googlenet", "blocks/conv7x7")]
    text = render_index(analyses, {"alexnet": {"page": "alexnet.html"}})
    row = next(line for line in text.splitlines() if "(alexnet.md)" in line)
    assert "<br>[page](alexnet.html) |" in row
    assert row.count("|") == 10
    assert "| 2012 | 227×227×3 | 8 | 62,378,344 | 1,135,256,096 |" in row
    assert "](comparison.svg)" in text
    assert "](timeline.svg)" in text
    assert "## Building blocks" in text
