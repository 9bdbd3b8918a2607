"""Work bounded by counting: a test of hostile input must not depend on how fast the machine is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Seconds that a process of its own may take on the busiest machine. It ends what hangs; it measures nothing.
PATIENCE = 600.0


class TooManyCallsError(AssertionError):
    """More functions were called than a bounded computation calls."""


class Calls:
    """The number of functions called so far, those written in C included."""

    def __init__(self) -> None:
        self.number = 0


@contextmanager
def at_most_calls(limit: int) -> Iterator[Calls]:
    """Let a block call at most `limit` functions.

    Raises:
        TooManyCallsError: at the call that is one too many, so that work without a bound ends too.

    """
    calls = Calls()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        if event.endswith("call"):
            calls.number += 1
            if calls.number > limit:
                sys.setprofile(None)
                raise TooManyCallsError(f"more than {limit:,} calls, the last one in {frame.f_code.co_qualname}")

    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)
