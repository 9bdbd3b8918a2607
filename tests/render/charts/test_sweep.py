"""Totals over the values of a parameter."""

from __future__ import annotations

import pytest

from archcalc import UsageError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.charts.sweep import SHOWN, sweep
from archcalc.spec.catalogue import load
from tests.render.charts.charts import check_chart, data_of, words_of

ALPHAS = ("0.25", "0.5", "0.75", "1")


def mobilenets() -> list[Analysis]:
    return [analyse(load("mobilenet", {"alpha": float(alpha)})) for alpha in ALPHAS]


def test_values_are_those_of_the_analyses() -> None:
    analyses = mobilenets()
    spec = sweep(analyses, "alpha", ALPHAS)
    for field in ("params", "multiplications", "activation_bytes"):
        rows = data_of(spec, field)
        assert [row[field] for row in rows] == [getattr(analysis.totals, field) for analysis in analyses]
        assert [row["step"] for row in rows] == list(ALPHAS)
    # Howard et al. 2017, table 6.
    assert [row["top1"] for row in data_of(spec, "top1")] == [50.6, 63.7, 68.4, 70.6]
    assert "Howard et al. 2017, table 6; crops not stated" in words_of(spec)


@pytest.mark.slow
def test_pictures() -> None:
    check_chart(sweep(mobilenets(), "alpha", ALPHAS))
    for key in SHOWN:
        check_chart(sweep(mobilenets(), "alpha", ALPHAS, [key]))
    check_chart(sweep([analyse(load("lenet5"))], "input", ["32x32x1"]))
    many = [str(number) for number in range(2, 40)]
    analyses = [analyse(load("lenet5", {"classes": int(number)})) for number in many]
    check_chart(sweep(analyses, "classes", many, ["params", "multiplications"]))


def test_without_accuracies_there_is_no_panel_for_them() -> None:
    spec = sweep([analyse(load("lenet5"))] * 2, "classes", ["10", "11"])
    assert "accuracy" not in words_of(spec)
    with pytest.raises(UsageError, match="none of these networks has a value for top1"):
        sweep([analyse(load("lenet5"))], "classes", ["10"], ["top1"])
    with pytest.raises(UsageError, match="params, multiplications"):
        sweep([analyse(load("lenet5"))], "classes", ["10"], ["colour"])
