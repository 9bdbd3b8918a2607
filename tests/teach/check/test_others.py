"""A table that was made for another network of the catalogue is not explained cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.teach.check import others
from tests.cli.runner import Run
from tests.teach.check.tables import analysis_of, plain
from tests.tiers import slow_but

#: The network that is asked for, and that of the table.
PAIRS = [("vgg11", "alexnet"), ("alexnet", "vgg16"), ("vgg16", "resnet18"), ("lenet5", "squeezenet1_0"),
         ("resnet50", "mobilenet_v2")]  # fmt: skip


def table(network: str) -> str:
    rows = [row for row in analysis_of(network).rows if row.op.family in ("convolution", "pooling", "dense")]
    return "layer,output,params\n" + "".join(f"{row.name},{plain(row.output_shape)},{row.params}\n" for row in rows)


@pytest.mark.parametrize(("asked", "made_for"), slow_but(PAIRS[:1], PAIRS))
def test_a_table_of_another_network_says_so(archcalc: Run, tmp_path: Path, asked: str, made_for: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(table(made_for), encoding="utf-8")
    result = archcalc("check", asked, path)
    assert result.code == 1
    assert f"The table fits {made_for}: " in result.out
    assert "mistyped" not in result.out
    assert len(result.out.splitlines()) <= 4


def test_a_table_with_mistakes_is_explained(archcalc: Run, tmp_path: Path) -> None:
    """Every output is wrong, and all of the rest is right."""
    lines = table("alexnet").splitlines()
    text = "\n".join([lines[0], *(line.replace(",", ",9", 1) for line in lines[1:])])
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    result = archcalc("check", "alexnet", path)
    assert result.code == 1
    assert "The table fits" not in result.out


@pytest.mark.slow
def test_the_networks_that_are_tried_are_read_once_for_all_cells_and_students(archcalc: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("layer,params\n" + "".join(f"conv1_1,{1_000_003 * n}\n" for n in range(1, 400)), encoding="utf-8")
    before = others._known.cache_info()
    for _ in range(2):
        assert archcalc("check", "vgg16", path).code == 1
    after = others._known.cache_info()
    assert after.misses - before.misses <= others._MOST_TRIED
    assert after.hits + after.misses - before.hits - before.misses == 2 * others._MOST_TRIED
