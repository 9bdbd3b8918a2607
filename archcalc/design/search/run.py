"""A search from its beginning, or from where it was stopped, to its end: in this process or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from archcalc.core.errors import UsageError
from archcalc.design.search.evaluate import Evaluated
from archcalc.design.search.front import Front, Point
from archcalc.design.search.search import Part, Search
from archcalc.design.search.sink import Progress

#: How long a part may take, in seconds, before smaller ones are made; and how often progress is kept.
LONGEST_PART = 1.0
KEEP_EVERY = 2.0
FIRST_PART, LARGEST_PART = 1024, 1 << 20

#: Called after each part with: configurations that are done, and those that were found.
Tell = Callable[[int, int], None]
#: What gives the parts of a search from a configuration on, in order.
Parts = Callable[[Search, int], Iterable[Part]]


class Sink(Protocol):
    """Where rows go; see `archcalc.design.search.sink`."""

    def begin(self) -> Progress: ...
    def add(self, family: int, found: Evaluated) -> None: ...
    def keep(self, progress: Progress) -> None: ...
    def finish(self, points: list[Point]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Outcome:
    """What a search came to."""

    count: int
    unfit: int
    found: int
    checked: int
    #: Done by an earlier run that was stopped.
    continued: int
    #: Why the first of those that do not fit does not.
    problem: str | None


def parts_here(search: Search, start: int) -> Iterator[Part]:
    """The parts of a search, evaluated in this process; their size follows from the time that they take."""
    size = FIRST_PART
    while start < search.count:
        begun = monotonic()
        part = search.run(start, min(start + size, search.count))
        yield part
        start = part.stop
        size = next_size(size, monotonic() - begun)


def next_size(size: int, took: float) -> int:
    """How large the next part is, after one of a size took so many seconds."""
    if took > LONGEST_PART:
        return max(size // 2, 1)
    return min(size * 2, LARGEST_PART) if took < LONGEST_PART / 4 else size


def run(search: Search, sink: Sink, parts: Parts = parts_here, tell: Tell | None = None) -> Outcome:
    """Evaluate every configuration that is not done yet, once.

    Raises `MismatchError` where one of the sample has other numbers than its report, and `UsageError` where no
    configuration fits. What was done before an error or a stop is kept by the sink.
    """
    progress = sink.begin()
    front = Front(search.front.signs, progress.points)
    begun = progress.done
    try:
        kept = monotonic()
        for part in parts(search, begun):
            assert part.start == progress.done, "a part is missing"
            for family, found in part.found:
                if search.objectives:
                    front.add(family, found)
                else:
                    sink.add(family, found)
                    progress.found += len(found.indices)
                progress.unfit += found.unfit
                progress.problem = progress.problem or found.problem
            progress.done = part.stop
            progress.checked += part.checked
            progress.points = front.points
            if search.objectives:
                progress.found = len(front.points)
            if tell is not None:
                tell(progress.done, progress.found)
            if monotonic() - kept > KEEP_EVERY:
                sink.keep(progress)
                kept = monotonic()
        if progress.unfit == search.count:
            raise UsageError(f"none of the configurations fits; the first: {progress.problem}")
    except BaseException:
        if 0 < progress.done < search.count:
            sink.keep(progress)
        sink.close()
        raise
    sink.finish(front.sorted())
    return Outcome(search.count, progress.unfit, progress.found, progress.checked, begun, progress.problem)
