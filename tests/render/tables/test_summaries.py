"""The figures that are kept of the catalogue: those of the specs at hand, or calculated again."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc import analyse, load
from archcalc.render.tables import summaries
from archcalc.render.tables.summaries import Summary, calculated, hash_of, written
from archcalc.spec import catalogue
from archcalc.spec.catalogue import SPECS

REMEDY = "run: pytest tests/render/tables/test_summaries.py --update"


@pytest.fixture(autouse=True)
def _read_again() -> None:
    summaries.summaries.cache_clear()


def test_the_kept_figures_are_those_of_the_specs(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --update they are calculated and written."""
    if request.config.getoption("update"):
        (SPECS / "figures.json").write_text(written(SPECS), encoding="utf-8", newline="\n")
    monkeypatch.setattr(summaries, "calculated", lambda: pytest.fail(f"specs have changed; {REMEDY}"))
    assert len(summaries.summaries()) > 200


@pytest.mark.parametrize("name", ["alexnet", "lenet5@1998", "resnet50"])
def test_each_kept_figure_is_what_the_analysis_gives(name: str) -> None:
    kept = {one.network: one for one in summaries.summaries()}[name]
    analysis = analyse(load(name))
    assert kept[4:7] == (analysis.layer_count, analysis.totals.params, analysis.totals.multiplications), REMEDY
    graph = analysis.graph
    facts = (graph.name, graph.title, graph.year, graph.input_shape, graph.family, graph.family_title)
    assert (*kept[:4], *kept[7:]) == facts, REMEDY


@pytest.mark.slow
def test_all_kept_figures_are_what_the_analyses_give() -> None:
    assert summaries.summaries() == tuple(calculated()), REMEDY


NETWORK = "name: tiny\ntitle: Tiny\nyear: 2000\ninput: 8x8x3\nlayers: [conv2d: {out_channels: %d, kernel_size: 3}]\n"


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one network."""
    (tmp_path / "tiny.yaml").write_text(NETWORK % 4, encoding="utf-8")
    monkeypatch.setattr(catalogue, "SPECS", tmp_path)
    return tmp_path


def test_what_is_not_kept_is_calculated(specs: Path) -> None:
    found = Summary("tiny", "Tiny", 2000, (3, 8, 8), 1, 112, 36 * 4 * 27, "tiny", "Tiny")
    assert summaries.summaries() == (found,) == tuple(calculated())


def test_kept_figures_of_other_specs_are_calculated_again(specs: Path) -> None:
    (specs / "figures.json").write_text(written(specs).replace(",112,", ",111,"), encoding="utf-8")
    assert [one.params for one in summaries.summaries()] == [111]
    summaries.summaries.cache_clear()
    catalogue._shipped_spec.cache_clear()
    (specs / "tiny.yaml").write_text(NETWORK % 5, encoding="utf-8")
    assert [one.params for one in summaries.summaries()] == [140]


def test_the_ends_of_lines_change_no_hash(specs: Path) -> None:
    before = hash_of(specs)
    text = (specs / "tiny.yaml").read_bytes()
    (specs / "tiny.yaml").write_bytes(text.replace(b"\n", b"\r\n"))
    assert hash_of(specs) == before
    (specs / "tiny.yaml").write_bytes(text + b"\n")
    assert hash_of(specs) != before
