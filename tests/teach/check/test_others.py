"""A table that was made for another network of the catalogue, or another input, is not explained cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.passes.analysis import analyse
from archcalc.teach.check import others
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.expected import expected
from archcalc.teach.check.model import Answer, Verdict
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


#: Columns of a table that is right for an input of 224×224, and one that was printed.
COLUMNS = [("multiplications",), ("activation_bytes",), ("output_shape", "params", "multiplications")]


@pytest.mark.parametrize("columns", COLUMNS)
def test_all_that_follows_from_another_input_says_so(columns: tuple[str, ...]) -> None:
    own = analysis_of("squeezenet1_0")
    made = analyse(own.graph.with_input((3, 224, 224)))
    answers = []
    for row in made.rows:
        for quantity in columns:
            value = expected(row, made, quantity)
            answers.append(Answer(row.name, quantity, plain(value) if isinstance(value, tuple) else str(value)))
    found = check_answers(own, answers)
    wrong = [cell for cell in found.cells if cell.verdict is Verdict.WRONG]
    assert wrong
    assert {cell.diagnoses[0].explanation for cell in wrong} == {"Right for an input of 224×224. Here it is 227×227."}


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
