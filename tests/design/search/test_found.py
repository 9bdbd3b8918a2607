"""The file of a search, read again: values, conditions, limits, fronts; and what is no such file."""

from __future__ import annotations

from pathlib import Path

import pytest

from archcalc.core.errors import UsageError
from archcalc.design.search.found import found_in, read_found
from archcalc.design.search.query import Names, parse_objectives
from archcalc.searching import find
from tests.cli.test_plot import FOUND

SPACE = "mobilenet alpha=0.25..1.5 step 0.05, resolution=96..320 step 32; resnet depth=18,34,50"
WHERE = "multiplications <= 300M and params*4 <= 16MiB"


@pytest.mark.slow
def test_rows_are_those_that_were_found(tmp_path: Path) -> None:
    target = tmp_path / "found.csv"
    find(SPACE, output=str(target))
    assert target.read_bytes() == FOUND.read_bytes()
    found = read_found(str(FOUND))
    assert (found.heading, found.rows) == (found_in(SPACE).heading, found_in(SPACE).rows)
    assert found.parameters == {"alpha": True, "resolution": True, "depth": True}


@pytest.mark.parametrize(
    ("space", "columns", "parameters"),
    [
        ("mobilenet alpha=0.5,1", "depth,params", {"alpha"}),
        ("mobilenet alpha=0.5,1", "depth", {"alpha"}),
        ("resnet depth=18,34", "params", {"depth"}),
        # A family that has a parameter of this name, which the space does not vary.
        ("efficientnet width=1,1.1", "depth,params", {"width"}),
    ],
)
def test_depth_as_a_quantity_is_no_parameter(tmp_path: Path, space: str, columns: str, parameters: set[str]) -> None:
    target = str(tmp_path / "found.csv")
    find(space, columns=columns, output=target)
    assert set(read_found(target).parameters) == parameters


@pytest.mark.parametrize("ending", ["csv", "parquet"])
@pytest.mark.parametrize("where", ["not (macs > 100M and params < 4M) or resolution in [96, 128]"])
def test_a_condition_keeps_what_the_search_keeps(tmp_path: Path, where: str, ending: str) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    everything, narrow = (str(tmp_path / f"{name}.{ending}") for name in ("everything", "narrow"))
    space = SPACE.partition(";")[0]
    find(space, output=everything)
    find(space, where, output=narrow)
    found = read_found(everything)
    assert found.only(found.kept(found.condition(where))).rows == read_found(narrow).rows
    assert sorted(one.name for one in tmp_path.iterdir()) == [f"everything.{ending}", f"narrow.{ending}"]


def test_the_front_is_that_of_the_search(tmp_path: Path) -> None:
    narrow = str(tmp_path / "front.csv")
    find(SPACE, WHERE, "multiplications,params:max", output=narrow)
    found = read_found(str(FOUND))
    objectives = parse_objectives("multiplications,params:max", Names(found.parameters))
    front = found.front(objectives, found.kept(found.condition(WHERE)))
    assert sorted(str(found.rows[place]) for place in front) == sorted(map(str, read_found(narrow).rows))


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("params <= 5M", [("≤", 5_000_000)]),
        ("params*4 <= 16MiB and multiplications < 1M", [("≤", 4 << 20)]),
        ("5M > params", [("≤", 5_000_000)]),
        ("1M <= params <= 2M", [("≥", 1_000_000), ("≤", 2_000_000)]),
        ("10 - params <= 3", [("≥", 7)]),
        ("params / 3 < 1", [("≤", 3)]),
        # No limit of params by itself.
        ("params < multiplications", []), ("params <= 5M or alpha < 1", []), ("params*params < 9", []),
    ],
)  # fmt: skip
def test_limits(text: str, limits: list[tuple[str, int]]) -> None:
    assert [(sign, int(limit)) for sign, limit in read_found(str(FOUND)).condition(text).limits("params")] == limits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no result of archcalc search"),
        ("a,b\n1,2\n", "is no result of archcalc search"),
        ("network,params\n", "has no rows"),
        ("network,params\nx,1,2\n", ":2: 3 fields, and the heading has 2"),
        ('network,params\n"x,1\n', "is no CSV file"),
        ("network,params,params\nx,1,2\n", "is no result"),
    ],
)
def test_what_is_no_result_is_refused(tmp_path: Path, text: str, message: str) -> None:
    target = tmp_path / "found.csv"
    target.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_found(str(target))


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    target = tmp_path / "found.parquet"
    target.write_text("network,params\nx,1\n")
    with pytest.raises(UsageError, match="is not a Parquet file"):
        read_found(str(target))
