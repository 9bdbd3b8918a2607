"""A search on a Dask cluster: what one process finds, also where workers die."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from time import sleep
from typing import Any

import pytest

from archcalc.core.errors import UsageError
from archcalc.design.search import cluster
from archcalc.design.search.run import run
from archcalc.design.search.search import Part, Search
from archcalc.design.search.sink import Rows
from tests.design.search.spaces import search

SPACE = "mobilenet alpha=0.25..1.5 step 0.25, resolution=32..320; resnet depth=18,34, resolution=32..232"
#: How often a process is looked for.
_LOOKS = 600
WHERE = "multiplications <= 500M"


@pytest.fixture(scope="module")
def local() -> Iterator[Any]:
    """A cluster of two processes on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        yield made


def a_process(local: Any, killed: list[int]) -> int:
    """The process of a worker, none of those killed. A worker that lost its own has none until it starts again."""
    for _ in range(_LOOKS):
        for worker in local.workers.values():
            pid = None if worker.process is None else worker.process.pid
            if pid is not None and pid not in killed:
                return int(pid)
        sleep(0.1)
    raise AssertionError(f"no worker has a process after {_LOOKS} looks")


def in_one_process() -> list[list[Any]]:
    made = search(SPACE, WHERE)
    rows = Rows(made)
    run(made, rows)
    return rows.rows


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_finds_the_same(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "FIRST_PART", 100)
    made = search(SPACE, WHERE)
    rows = Rows(made)
    outcome = run(made, rows, cluster.parts_on(local.scheduler_address))
    assert (outcome.count, outcome.checked) == (made.count, 10)
    assert rows.rows == in_one_process()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_nothing_is_lost_with_a_worker(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "FIRST_PART", 50)
    monkeypatch.setattr(cluster, "next_size", lambda size, _: size)
    made = search(SPACE, WHERE)
    rows = Rows(made)
    killed: list[int] = []

    def parts(one: Search, start: int) -> Iterator[Part]:
        for number, part in enumerate(cluster.parts_on(local.scheduler_address)(one, start)):
            if number in (1, 6):
                # The worker takes its waiting parts, and what it has done of later ones, with it.
                killed.append(a_process(local, killed))
                os.kill(killed[-1], signal.SIGKILL)
            yield part

    outcome = run(made, rows, parts)
    assert len(killed) == 2
    assert outcome.found == len(rows.rows)
    assert rows.rows == in_one_process()


def test_without_the_package_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match=r"pip install 'archcalc\[dask\]'"):
        cluster.parts_on("tcp://127.0.0.1:8786")


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_where_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    made = search("lenet5")
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"):
        run(made, Rows(made), cluster.parts_on("tcp://127.0.0.1:9"))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_cluster_without_workers_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    made = search("lenet5")
    with (
        distributed.LocalCluster(n_workers=0, dashboard_address=None, silence_logs=50) as empty,
        pytest.raises(UsageError, match="the Dask scheduler has no workers"),
    ):
        run(made, Rows(made), cluster.parts_on(empty.scheduler_address))


def test_a_worker_of_another_version_is_refused() -> None:
    with pytest.raises(UsageError, match="a worker has archcalc"):
        cluster.timed_range(search("lenet5").request, 0, 1, "0.0.1")
