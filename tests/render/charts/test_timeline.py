"""The line of development: what the specs say, laid out without overlaps."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc import UsageError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.families import line_of_development
from archcalc.render.charts.figure import Look
from archcalc.render.charts.layered import APART, arrange
from archcalc.render.charts.timeline import timeline
from archcalc.spec.catalogue import load, names
from tests.render.charts.charts import analysis_of, data_of, words_of
from tests.tiers import examples

CATALOGUE = [name for name in names() if "/" not in name]


def changed(name: str, year: int | None, *follows: str) -> Analysis:
    from dataclasses import replace

    graph = load("8x8x3 -> conv3-4")
    return analyse(replace(graph, name=name, title=name, family=name, family_title=name, year=year, follows=follows))


@pytest.mark.slow
def test_every_family_of_the_catalogue_and_what_it_follows() -> None:
    line = line_of_development([analysis_of(name) for name in CATALOGUE])
    assert line.notes == ()
    follows = {family.key: family.follows for family in line.families}
    assert follows["lenet5"] == ()
    assert follows["alexnet"] == ("lenet5",)
    assert follows["googlenet"] == ("alexnet", "nin")
    assert follows["resnet"] == ("vgg", "googlenet")
    assert follows["nasnet"] == ("inception_resnet", "xception")
    assert [family.year for family in line.families] == sorted(family.year for family in line.families)
    # ResNet-18 and ResNet-152; the plain nets of the same file are none.
    resnet = next(family for family in line.families if family.key == "resnet")
    assert resnet.params == (11_689_512, 60_192_808)


@pytest.mark.slow
def test_arrows_lead_to_the_right_and_cards_do_not_overlap() -> None:
    spec = timeline([analysis_of(name) for name in CATALOGUE], Look(width=2560, height=1440))
    cards = data_of(spec, "brought")
    assert len(cards) == len({analysis_of(name).graph.family for name in CATALOGUE})
    for first, second in combinations(cards, 2):
        apart = (first["x2"] <= second["x"] or second["x2"] <= first["x"] or first["y2"] <= second["y"]
                 or second["y2"] <= first["y"])  # fmt: skip
        assert apart, (first["title"], second["title"])
        # Columns are in the order of the years.
        assert first["x"] <= second["x"] or first["year"] >= second["year"]
    edges = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"]["type"] == "line"]
    assert len(edges) == sum(len(family.follows) for family in line_of_development(
        [analysis_of(name) for name in CATALOGUE]).families)  # fmt: skip
    for points in edges:
        places = [point["x"] for point in points]
        assert places == sorted(places)
        for card in cards:
            inside = [
                p for p in points[1:-1] if card["x"] + 1 < p["x"] < card["x2"] - 1 and card["y"] < p["y"] < card["y2"]
            ]
            assert not inside, card["title"]
    for year in ("1998", "2012", "2017"):
        assert year in words_of(spec)


def test_what_cannot_be_shown_is_said() -> None:
    line = line_of_development([changed("a", 2000), changed("b", None, "a"), changed("c", 1999, "a", "nobody")])
    assert [family.key for family in line.families] == ["c", "a"]
    assert line.notes == ("b: its spec has no year", "c follows a, which is later: no line is drawn")
    with pytest.raises(UsageError, match="none of these networks has a year"):
        timeline([changed("b", None)])


def test_circles_end() -> None:
    line = line_of_development([changed("a", 2000, "b"), changed("b", 2000, "a"), changed("c", 2000, "c")])
    assert len(line.families) == 3
    timeline([changed("a", 2000, "b"), changed("b", 2000, "a"), changed("c", 2001, "b")])


@examples(60, quick=6)
@given(
    st.integers(1, 5).flatmap(lambda columns: st.lists(st.integers(1, 5), min_size=columns, max_size=columns)),
    st.data(),
)
def test_layouts_keep_nodes_apart(sizes: list[int], data: st.DataObject) -> None:
    columns = [[f"{column}.{row}" for row in range(size)] for column, size in enumerate(sizes)]
    pairs = [(a, b) for i, left in enumerate(columns) for right in columns[i + 1 :] for a in left for b in right]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=12)) if pairs else []
    layout = arrange(columns, edges)
    for names_ in columns:
        heights = sorted(layout.heights[name] for name in names_)
        assert all(second - first >= APART - 1e-6 for first, second in pairwise(heights))
    assert min([*layout.heights.values(), *(h for way in layout.passes.values() for h in way)]) == pytest.approx(0)
    for (source, target), way in layout.passes.items():
        assert len(way) == int(target.split(".")[0]) - int(source.split(".")[0]) - 1


def test_a_simple_crossing_is_undone() -> None:
    layout = arrange([["a", "b"], ["c", "d"]], [("a", "d"), ("b", "c")])
    order = (layout.heights["a"] - layout.heights["b"]) * (layout.heights["d"] - layout.heights["c"])
    assert order > 0
