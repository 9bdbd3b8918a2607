"""Configurations a second of a design space: with layers that stay, that come and go, with peaks; and with workers.

Run it with the Python of an environment where archcalc is installed, and `distributed` for the workers. Rates are per
second of the processor, so that other work on the machine changes them little; the scaling over workers is wall time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from measure import Target, machine, print_targets

from archcalc.design.search.run import Outcome, Parts, parts_here, run
from archcalc.design.search.search import Search, request_of
from archcalc.design.search.sink import Rows

#: Nothing is found, so that rows cost nothing: what is measured is the evaluation.
NOTHING = "params < 1"
#: One structure for all: 26 × n configurations of MobileNet.
KEPT = "mobilenet alpha=0.25..1.5 step 0.05, resolution=96..{last}, classes=1..100"
#: The same with one parameter of many values.
ONE = "mobilenet alpha=0.25..1.249999 step {step}"
#: Layers come and go: RegNet's stages depend on its four numbers.
EXPANDED = "regnet depth=12..28, w_0=24..40 step {step}, w_a=20..60 step 4, w_m=2,2.25,2.5,2.75,3"
#: The peak of memory depends on the order of the layers, and on which of them are there.
ORDERED = "params < 1 or peak_activation_bytes < 1"
SIZES = (96, 99, 127, 479)


def searched(space: str, where: str, parts: Parts = parts_here) -> Outcome:
    """One search, from reading the space to its last configuration; ten of a sample are compared with reports."""
    made = Search(request_of(space, where))
    return run(made, Rows(made), parts)


def measured(task: Callable[[], Outcome], rounds: int) -> tuple[int, float, float]:
    """Configurations, and the median seconds of the processor and of the clock."""
    own, wall = [], []
    for _ in range(rounds):
        begun, clock = time.process_time(), time.perf_counter()
        outcome = task()
        own.append(time.process_time() - begun)
        wall.append(time.perf_counter() - clock)
    return outcome.count, statistics.median(own), statistics.median(wall)


def steady(space: str, where: str, rounds: int) -> float:
    """Configurations a second of the processor once structures are known: a second pass over the same space."""
    made = Search(request_of(space, where, sample=0))
    made.run(0, made.count)
    times = []
    for _ in range(rounds):
        begun = time.process_time()
        made.run(0, made.count)
        times.append(time.process_time() - begun)
    return made.count / statistics.median(times)


def print_sizes(rounds: int) -> None:
    print(f"\n{'space':>34}  {'configurations':>14}  {'processor':>10}  {'a second':>12}")
    spaces = [(f"one structure, {last - 95} sizes", KEPT.format(last=last), NOTHING) for last in SIZES]
    spaces += [(f"one parameter, step {step}", ONE.format(step=step), NOTHING) for step in ("0.00001", "0.000001")]
    spaces += [(f"layers come and go, step {step}", EXPANDED.format(step=step), NOTHING) for step in (16, 8, 4, 2)]
    spaces += [(f"the same with the peak, step {step}", EXPANDED.format(step=step), ORDERED) for step in (16, 4, 2, 1)]
    for name, space, where in spaces:
        count, own, _ = measured(lambda space=space, where=where: searched(space, where), rounds)  # type: ignore[misc]
        print(f"{name:>34}  {count:14,}  {own:8.2f} s  {count / own:12,.0f}", flush=True)


def print_workers(rounds: int) -> None:
    """Wall time of searches of two sizes with one worker and more, each a process of one thread."""
    try:
        import distributed
    except ImportError:
        print("\nworkers: pip install 'archcalc[dask]'")
        return
    from archcalc.design.search.cluster import parts_on

    print(f"\n{'workers':>7}  {'configurations':>14}  {'wall':>8}  {'a second':>12}")
    for workers in (1, 2, 4):
        make: Any = distributed.LocalCluster
        with make(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster:
            parts = parts_on(cluster.scheduler_address)
            searched(KEPT.format(last=96), NOTHING, parts)  # the workers load what they need
            for space in (KEPT.format(last=127), KEPT.format(last=1055), EXPANDED.format(step=2)):
                count, _, wall = measured(lambda space=space, parts=parts: searched(space, NOTHING, parts), rounds)  # type: ignore[misc]
                print(f"{workers:7}  {count:14,}  {wall:6.2f} s  {count / wall:12,.0f}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-workers", action="store_true")
    arguments = parser.parse_args()
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}; {arguments.rounds} rounds")
    print_sizes(arguments.rounds)
    rates = {
        "microseconds a configuration, one structure": 1e6 / steady(KEPT.format(last=479), NOTHING, arguments.rounds),
        "the same, layers come and go": 1e6 / steady(EXPANDED.format(step=4), NOTHING, arguments.rounds),
        "the same, with the peak of memory": 1e6 / steady(EXPANDED.format(step=4), ORDERED, arguments.rounds),
    }
    met = print_targets(
        [Target(what, value, limit) for (what, value), limit in zip(rates.items(), (1.0, 500.0, 500.0), strict=True)]
    )
    if not arguments.no_workers:
        print_workers(arguments.rounds)
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
