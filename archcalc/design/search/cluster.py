"""A search on other processes and machines: its parts are evaluated by the workers of a Dask cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from time import monotonic
from typing import Any

from archcalc.core.errors import ArchcalcError, UsageError
from archcalc.design.search.run import FIRST_PART, Parts, next_size
from archcalc.design.search.search import Part, Request, Search, run_range, version

#: How often a part is tried; a worker that dies with it counts.
MOST_TRIES = 5
#: Parts that wait or run, for each thread of the cluster: what is done out of order is held until its turn.
AHEAD = 3
#: Seconds in which a scheduler must answer, and how often so many are waited for while it has no worker.
PATIENCE = 10
MOST_WAITS = 6


def timed_range(request: Request, start: int, stop: int, wanted: str) -> tuple[Part, float]:
    """A part and the seconds that it took. Raises `UsageError` where a worker has another version of archcalc."""
    if wanted != version():
        raise UsageError(f"a worker has archcalc {version()}, and this is {wanted}")
    begun = monotonic()
    return run_range(request, start, stop), monotonic() - begun


def parts_on(address: str) -> Parts:
    """The parts of a search as the workers of a scheduler evaluate them, in order.

    Every part is asked for once and taken once: one that is lost with its worker is evaluated again by another.
    Raises `UsageError` without the package `distributed`, or where no scheduler answers.
    """
    try:
        import distributed
    except ImportError:
        raise UsageError("--dask needs the package distributed: pip install 'archcalc[dask]'") from None

    def parts(search: Search, start: int) -> Iterator[Part]:
        try:
            make: Any = distributed.Client
            client = make(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UsageError(f"no Dask scheduler answers at {address[:100]!r}: {str(error)[:200]}") from None
        with client:
            yield from _in_order(client, search, start)

    return parts


def _in_order(client: Any, search: Search, start: int) -> Iterator[Part]:
    waiting: deque[tuple[int, int, Any]] = deque()
    size, following = FIRST_PART, start
    threads = sum(client.nthreads().values())
    while waiting or following < search.count:
        while following < search.count and len(waiting) < AHEAD * max(threads, 1):
            stop = min(following + size, search.count)
            waiting.append((following, stop, _submit(client, search, following, stop)))
            following = stop
        begin, stop, future = waiting.popleft()
        part, took = _result(client, search, begin, stop, future)
        yield part
        size = next_size(stop - begin, took) if stop - begin == size else size
        threads = sum(client.nthreads().values())


def _submit(client: Any, search: Search, start: int, stop: int) -> Any:
    # pure=False: a key of its own, so that an equal search of somebody else is another.
    return client.submit(timed_range, search.request, start, stop, version(), retries=MOST_TRIES, pure=False)


def _result(client: Any, search: Search, start: int, stop: int, future: Any) -> tuple[Part, float]:
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm.core import CommClosedError

    waits = tries = 0
    while tries < MOST_TRIES:
        try:
            found: tuple[Part, float] = future.result(timeout=PATIENCE)
            return found
        except ArchcalcError:
            raise
        except TimeoutError:
            waits = 0 if client.nthreads() else waits + 1
            if waits == MOST_WAITS:
                raise UsageError("the Dask scheduler has no workers; start some with `dask worker ADDRESS`") from None
        except (KilledWorker, CommClosedError, CancelledError, OSError):
            tries += 1
            future = _submit(client, search, start, stop)
    raise UsageError(f"the configurations from {start:,} to {stop:,} were lost with {MOST_TRIES} workers")
