"""The whole catalogue as files: reports/ is fresh and small, and the long form has all that it promises.

Tables are compared to the byte. Of pictures the texts are compared: another version of Graphviz or Vega may lay them
out in another way.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from archcalc.core import words
from archcalc.render.charts.accuracy import top1
from archcalc.render.charts.catalogue import catalogue_plots, comparison_plot
from archcalc.render.diagrams.pages import standard_styles
from archcalc.render.pages.everything import (
    COMPARISON,
    MOST_ROWS,
    PICTURES,
    family_files,
    index_file,
    network_files,
    overview_files,
    picture_file,
)
from archcalc.render.tables.index import render_index
from archcalc.render.tables.networks import network_column
from archcalc.spec.catalogue import find, names
from tests.networks import one_of_each
from tests.render.pages.made import analysis_of
from tests.tiers import slow_but

FOLDER = Path(__file__).parents[3] / "reports"
#: The plots that the documentation shows.
IMAGES = FOLDER.parent / "docs" / "images"
REMEDY = "run: archcalc report --all -f markdown -o reports/"
#: The audit of the lecture notes is made by another command, and tested there.
OTHERS = {"lecture_audit.md", "lecture_claims.yaml"}
PLOTS = (
    "alexnet-profile",
    "comparison",
    "mobilenet-sweep",
    "search-front",
    "timeline",
    "vgg16-memory",
    "vgg16-receptive-field",
)
#: Blocks of a disk that a file takes.
BLOCK = 4096


@cache
def families() -> dict[str, list[str]]:
    """The networks of each page, by its file: those of a spec, or all building blocks."""
    found: dict[str, list[str]] = {}
    for name in names():
        file = "blocks" if name.startswith("blocks/") else find(name)[0].document.name
        found.setdefault(f"{file}.md", []).append(name)
    return found


def texts(picture: str) -> list[str]:
    """The texts of a picture and the layers that it shows, whatever their places."""
    return sorted(re.findall(r"(?<=>)[^<>]+(?=</(?:text|tspan|title|desc))|data-[a-z]+=\"[^\"]*\"", picture))


def kept(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_tables_are_fresh() -> None:
    made = dict(family_files([analysis_of(name) for name in names()]))
    assert len(made) > 50
    assert [name for name, text in made.items() if kept(name) != text] == [], REMEDY


@pytest.mark.parametrize("name", slow_but(["alexnet", "resnet50"], PICTURES))
def test_the_diagrams_are_fresh(name: str) -> None:
    file, text = picture_file(name)
    assert len(texts(text)) > 10
    assert texts(kept(file)) == texts(text), REMEDY


@pytest.mark.slow
def test_the_comparison_is_fresh() -> None:
    file, text = comparison_plot()
    assert len(texts(text)) > 10
    assert texts(kept(file)) == texts(text), REMEDY


@pytest.mark.slow
def test_the_index_is_fresh() -> None:
    file, text = index_file([analysis_of(name) for name in names()])
    assert kept(file) == text, REMEDY


@pytest.mark.parametrize("family", ["alexnet", "c3d", "resnet_cifar", "blocks"])
def test_some_tables_are_fresh_and_short(family: str) -> None:
    ((file, text),) = family_files([analysis_of(name) for name in families()[f"{family}.md"]])
    assert kept(file) == text, REMEDY
    parts = text.split("\n## ")
    for number, (name, part) in enumerate(zip(families()[file], parts, strict=True)):
        # The head, the line under it and the totals are no layers.
        assert sum(line.startswith("|") for line in part.splitlines()) <= MOST_ROWS[number > 0] + 3
        assert ("blocks are shown to level" in part) == (len(analysis_of(name).rows) > MOST_ROWS[number > 0])


def test_every_network_has_its_files_and_nothing_else_is_there() -> None:
    wanted = set(families()) | {f"{name}-{style}.svg" for name, style in PICTURES.items()}
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}
    assert found == wanted | OTHERS | {"README.md", "comparison.svg"}, REMEDY


def test_every_link_of_the_index_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)]+)\)", kept("README.md"))
    assert len(links) > len(PICTURES)
    assert [link for link in links if not (FOLDER / link).is_file()] == []


def test_the_reports_are_small_enough_for_a_repository() -> None:
    sizes = [path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(-(-size // BLOCK) * BLOCK for size in sizes) < 2e6


# Pictures, tables and pages of every network have tests of their own.
@pytest.mark.parametrize("name", slow_but(["lenet5"], ("lenet5", *one_of_each()[::4])))
def test_the_long_form_has_table_page_and_diagrams(name: str) -> None:
    made = dict(network_files(analysis_of(name)))
    styles = standard_styles(analysis_of(name))
    assert set(made) == {f"{name}.md", f"{name}.html", *(f"{name}-{style}.svg" for style in styles)}
    assert {"blocks", "graph"} <= set(styles)
    assert all(made.values())


def test_the_long_form_compares_the_networks() -> None:
    some = [analysis_of(name) for name in ("alexnet", "googlenet", "blocks/conv7x7")]
    made = dict(overview_files(some))
    assert set(made) == {"README.md", COMPARISON}
    assert "[volumes](alexnet-volumes.svg)" in made["README.md"]
    assert "[page](blocks/conv7x7.html)" in made["README.md"]
    assert "AlexNet" in made[COMPARISON]


@pytest.mark.slow
def test_the_long_form_has_all_plots_and_those_of_the_documentation_are_fresh() -> None:
    made = dict(catalogue_plots())
    assert sorted(made) == [f"{name}.svg" for name in PLOTS]
    for name, text in made.items():
        folder = FOLDER if (FOLDER / name).is_file() else IMAGES
        assert len(texts(text)) > 5
        assert texts((folder / name).read_text(encoding="utf-8")) == texts(text), f"{folder.name}/{name} is not fresh"


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
    assert tuple(network_column(f"top{n}_accuracy").text(analysis) for n in (1, 5)) == (best, five)


@pytest.mark.parametrize("name", slow_but(["alexnet", "vgg16", "resnet50@v1", "unet"], one_of_each()))
def test_the_index_and_the_chart_quote_the_same_accuracy(name: str) -> None:
    one = top1(analysis_of(name))
    assert network_column("top1_accuracy").text(analysis_of(name)) == (f"{one.percent:.1f}" if one else words.NONE)


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
    short = render_index(analyses, pages=False)
    assert "](timeline.svg)" not in short
    assert "## Building blocks" in short
