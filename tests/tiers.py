"""Which tier of tests runs, and how many random examples a property is tried with there.

`pytest` alone is the quick tier: the same few examples on every run. `pytest -m slow` is the slow tier: new examples
on every run, and many of them. A property that states its own number of examples says `@examples(150)`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import HealthCheck, settings

#: Set by tests/conftest.py where the command line asks for the slow tier; it can also be set by hand.
VARIABLE = "ARCHCALC_TIER"
#: What the quick tier takes of a number of examples, and the least that it takes.
_SHARE, _LEAST = 10, 5
_PROFILES = ("quick", "slow")


def slow() -> bool:
    """Whether this is the slow tier."""
    return os.environ.get(VARIABLE) == "slow"


def examples(number: int, *, quick: int | None = None) -> settings:
    """Settings of a property: `number` examples in the slow tier, in the quick one a tenth of it or `quick`."""
    return settings(max_examples=number if slow() else quick or max(_LEAST, number // _SHARE))


def load_profile() -> None:
    """The settings of all properties that do not state their own. Nothing depends on how fast the machine is."""
    busy = [HealthCheck.too_slow]
    settings.register_profile(
        "quick", derandomize=True, max_examples=10, deadline=None, database=None, suppress_health_check=busy
    )
    # At random a run may begin with many examples that do not fit; that none fits stays an error.
    by_chance = [*busy, HealthCheck.filter_too_much]
    # What fails says how to try the same example again.
    settings.register_profile("slow", max_examples=300, deadline=None, print_blob=True, suppress_health_check=by_chance)
    settings.load_profile(_PROFILES[slow()])


def slow_but(quick: Iterable[object], values: Iterable[object]) -> list[ParameterSet]:
    """The values as parameters of a test: all slow but those that the quick tier runs too.

    A tuple stands for the values of several parameters.
    """
    kept, every = list(quick), list(values)
    assert all(value in every for value in kept), "the quick tier runs values that there are not"
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)), marks=[] if value in kept else [pytest.mark.slow]
        )
        for value in every
    ]
