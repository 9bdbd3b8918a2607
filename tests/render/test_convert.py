"""What vl-convert needs of the machine."""

from __future__ import annotations

import sys

import pytest

from archcalc.core.errors import UsageError
from archcalc.render.convert import RESERVED, scripted


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of address space")
@pytest.mark.parametrize("limit", [6_000_000_000, RESERVED - 1])
def test_too_few_addresses_are_an_error_and_not_the_end_of_the_process(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, resource.RLIM_INFINITY))
    with pytest.raises(UsageError, match="address space"):
        scripted()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of address space")
@pytest.mark.parametrize("limit", [RESERVED, -1])
def test_enough_addresses(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, resource.RLIM_INFINITY))
    assert scripted()
