"""What a search found as a picture: every point once, the front of a search, limits where they belong."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.design.search.found import FoundRows, read_found
from archcalc.render.charts.figure import Look
from archcalc.render.charts.pareto import pareto
from archcalc.render.charts.sweep import sweep_of_search
from tests.cli.test_plot import FOUND
from tests.render.charts.charts import check_chart, data_of, words_of

WHERE = "multiplications <= 300M and params*4 <= 16MiB"


def table_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    table = spec["usermeta"]["archcalc"]["table"]
    return [dict(zip(table["heads"], row, strict=True)) for row in table["rows"]]


def points_of(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for layer in spec["layer"] for row in layer["data"]["values"] if "c0" in row]


def test_the_front_and_the_rest() -> None:
    spec = pareto(read_found(str(FOUND)), "multiplications,params:max", WHERE)
    rows = table_of(spec)
    assert len(rows) == len(points_of(spec)) == 211
    front = [row for row in rows if row["front"] == "yes"]
    # By the definition: nothing that keeps to the condition has fewer multiplications and as many parameters, or more.
    kept = [row for row in rows if row["multiplications"] <= 300_000_000 and row["params"] * 4 <= 16 << 20]
    assert len(kept) == 87
    expected = [
        one for one in kept
        if not any(
            other["multiplications"] <= one["multiplications"] and other["params"] >= one["params"]
            and (other["multiplications"], other["params"]) != (one["multiplications"], one["params"])
            for other in kept
        )
    ]  # fmt: skip
    assert sorted(map(str, front)) == sorted(map(str, expected))
    assert len(front) == 15
    words = words_of(spec)
    assert "211 configurations, 87 with multiplications <= 300M" in words
    assert "≤ 300 M" in words
    assert "≤ 4.19 M" in words
    assert "mobilenet (alpha, resolution)" in words
    assert "0.25, 96" in words


@pytest.mark.slow
def test_a_point_is_where_its_numbers_are() -> None:
    found = read_found(str(FOUND))
    spec = pareto(found.only([row[0] == "mobilenet" for row in found.rows]), "multiplications,alpha:max")
    places = {(row["c1"], row["c2"]): (row["x"], row["y"]) for row in points_of(spec)}
    heights = {alpha: {y for (one, _), (_, y) in places.items() if one == alpha} for alpha, _ in places}
    assert all(len(found) == 1 for found in heights.values())
    assert max(heights["0.25"]) > max(heights["0.5"]) > max(heights["1.5"])
    assert places["0.5", "96"][0] < places["0.5", "128"][0] < places["0.5", "320"][0]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(960, 540), (480, 320), (1920, 1080)])
def test_pictures(size: tuple[int, int]) -> None:
    look = Look("dark", *size)
    found = read_found(str(FOUND))
    check_chart(pareto(found, "multiplications,params:max", WHERE, look))
    check_chart(pareto(found, "params:max,multiplications:max", None, look))
    check_chart(pareto(found, "params,multiplications", "params < 1000", look))
    check_chart(pareto(found.only([True, *[False] * 210]), "params,alpha:max", None, look))
    where = "network == 'mobilenet' and resolution in [96, 160, 224]"
    check_chart(sweep_of_search(found, "alpha", None, where, look))
    check_chart(sweep_of_search(found, "depth", ["params"], None, look))


def test_many_points_are_a_small_picture() -> None:
    rows = [["a", number, number * number % 9973, 10**6 + number] for number in range(20_000)]
    spec = pareto(FoundRows("found.csv", ("network", "n", "params", "multiplications"), rows), "multiplications,params")
    assert 1000 < len(points_of(spec)) < 20_000
    assert "20,000 configurations" in words_of(spec)
    assert len(table_of(spec)) == 1000


def test_a_sweep_has_a_line_for_each_choice_of_the_others() -> None:
    found = read_found(str(FOUND))
    spec = sweep_of_search(found, "alpha", ["multiplications"], "network == 'mobilenet' and resolution in [96, 224]")
    rows = table_of(spec)
    assert len(rows) == 2 * 26
    expected = {(str(row[1]), f"resolution {row[2]}"): row[-1] for row in found.rows if row[2] in (96, 224)}
    assert {(row["alpha"], row["line"]): row["multiplications"] for row in rows} == expected
    assert len(data_of(spec, "multiplications")) == 26
    with pytest.raises(UsageError, match="8 lines, and 7 can be told apart"):
        sweep_of_search(found, "alpha")
