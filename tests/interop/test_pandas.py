"""The pandas table: a row for each layer, sums equal to the totals, and one line where pandas is missing."""

from __future__ import annotations

import sys

import pytest

from archcalc.core.errors import UsageError
from archcalc.core.quantities import QUANTITIES, adding_up
from archcalc.interop.pandas import to_pandas
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load


@pytest.mark.parametrize("name", ["lenet5", "googlenet", "resnet50", "unet"])
def test_a_row_for_each_layer_and_sums_equal_to_the_totals(name: str) -> None:
    analysis = analyse(load(name), batch=2)
    table = to_pandas(analysis)
    assert list(table.index) == [row.name for row in analysis.rows]
    assert set(QUANTITIES) <= set(table.columns)
    for quantity in adding_up():
        assert sum(int(value) for value in table[quantity.key]) == quantity.of(analysis.totals), quantity.key


def test_cells_are_those_of_the_row() -> None:
    line = to_pandas(analyse(load("alexnet"))).loc["conv1"]
    # The lecture's table: 11·11·3·96 + 96 parameters, 55·55·96·11·11·3 multiplications.
    assert (line["op"], line["summary"], line["inputs"]) == ("conv2d", "conv 11×11, 96, /4", ("input",))
    assert line["output_shape"] == (96, 55, 55)
    assert line["params"] == 11 * 11 * 3 * 96 + 96
    assert line["multiplications"] == 55 * 55 * 96 * 11 * 11 * 3
    assert line["receptive_field"] == (11, 11)


def test_counts_beyond_64_bits_stay_exact() -> None:
    analysis = analyse(load("100000x100000x100000 -> fc1000000"))
    assert to_pandas(analysis).loc["fc1", "params"] == 10**21 + 10**6 > 2**63


def test_without_pandas_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"^a table of pandas needs pandas: pip install pandas$"):
        to_pandas(analyse(load("lenet5")))
