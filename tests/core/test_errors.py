"""Messages: what is wrong, where, and in which layer."""

from __future__ import annotations

import pytest

from archcalc.core.errors import ArchcalcError, Location, Problem, ShapeError, SpecError, UsageError

HERE = Location("net.yaml", 12, 7)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("is empty"), "is empty"),
        (Problem("is empty", HERE), "net.yaml:12:7: is empty"),
        (Problem("is too large", HERE, '"conv1"'), 'net.yaml:12:7: layer "conv1": is too large'),
        (Problem("is too large", layer='"conv1"'), 'layer "conv1": is too large'),
        (Problem("is wrong", HERE, None, ("a", "b")), "net.yaml:12:7: is wrong\n    a\n    b"),
    ],
)
def test_a_problem_is_one_line_and_its_details(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_problems_stand_in_the_order_of_the_file() -> None:
    places = [(2, 9), (10, 1), (2, 10), (1, 30), (9, 2)]
    error = SpecError(Problem(f"{line}:{column}", Location("f", line, column)) for line, column in places)
    assert [problem.message for problem in error.problems] == ["1:30", "2:9", "2:10", "9:2", "10:1"]
    assert str(error).splitlines() == [f"f:{place}: {place}" for place in ("1:30", "2:9", "2:10", "9:2", "10:1")]


def test_problems_without_a_place_come_first() -> None:
    error = SpecError([Problem("placed", HERE), Problem("somewhere")])
    assert [problem.message for problem in error.problems] == ["somewhere", "placed"]


def test_one_fault_is_reported_once_however_often_its_block_is_used() -> None:
    error = SpecError(Problem("is wrong", HERE, f'"block{count}"') for count in range(16))
    assert [problem.layer for problem in error.problems] == ['"block0"']


def test_one_fault_is_reported_once_whatever_its_numbers() -> None:
    error = SpecError(Problem(f"at most 64, not {64 * 2**count}", HERE, f'"conv{count}"') for count in range(1, 16))
    assert [problem.message for problem in error.problems] == ["at most 64, not 128"]
    nowhere = SpecError(Problem(f"at most 64, not {64 * 2**count}") for count in range(1, 3))
    assert len(nowhere.problems) == 2


def test_the_same_message_at_two_places_is_two_problems() -> None:
    error = SpecError([Problem("is wrong", HERE), Problem("is wrong", HERE._replace(line=13))])
    assert len(error.problems) == 2


@pytest.mark.parametrize("error", [UsageError("x"), ShapeError("x", "detail"), SpecError([Problem("x")])])
def test_every_error_can_be_caught_as_one(error: ArchcalcError) -> None:
    assert isinstance(error, ArchcalcError)
    assert str(error) == "x"


def test_a_shape_error_keeps_what_helps() -> None:
    error = ShapeError("the window is larger than its input", "input 4×4×3", "it fits with padding: 1")
    assert (error.message, error.details) == (
        "the window is larger than its input",
        ("input 4×4×3", "it fits with padding: 1"),
    )
