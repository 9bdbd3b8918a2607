"""Times of whole processes and of calls, their ratios, and how both are printed."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Target(NamedTuple):
    """A measured value and the most that it may be."""

    what: str
    value: float
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.value <= self.limit


def process_times(
    commands: Mapping[str, Sequence[str]], rounds: int, folder: Path, expected: Mapping[str, str]
) -> dict[str, list[float]]:
    """Wall times in seconds of each command, started in turn: one of each makes a round.

    A first round is not counted: it fills caches, compiles bytecode, and its output must hold the text in `expected`,
    so that all have done the same work. Raises `RuntimeError` where a command fails or prints something else.
    """
    # A user's Python keeps the bytecode that it compiled; some containers switch that off.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for name, command in commands.items():
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if run.returncode or expected.get(name, "") not in run.stdout:
            raise RuntimeError(f"{name} did not print {expected.get(name, '')!r}:\n{run.stdout[-2000:]}{run.stderr}")
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - start)
    return times


def paired_ratio(first: Sequence[float], second: Sequence[float]) -> float:
    """The median of the ratios within each round: other load on the machine slows both of a pair."""
    return statistics.median(one / other for one, other in zip(first, second, strict=True))


def call_times(function: Callable[[], object], repeats: int) -> list[float]:
    """Seconds of each call, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def print_times(times: Mapping[str, Sequence[float]]) -> None:
    """Median and fastest time of each entry, in milliseconds."""
    width = max(len(name) for name in times)
    print(f"{'':{width}}  {'median ms':>10}  {'fastest ms':>10}")
    for name, values in times.items():
        print(f"{name:{width}}  {statistics.median(values) * 1000:10.1f}  {min(values) * 1000:10.1f}")


def print_targets(targets: Sequence[Target]) -> bool:
    """Each target with what was measured; whether all are met."""
    width = max(len(target.what) for target in targets)
    print(f"\n{'':{width}}  {'measured':>10}  {'at most':>10}")
    for target in targets:
        measured, limit = (f"{number:.3g}{target.unit}" for number in (target.value, target.limit))
        print(f"{target.what:{width}}  {measured:>10}  {limit:>10}  {'met' if target.met else 'MISSED'}")
    return all(target.met for target in targets)


def machine() -> str:
    """Processor, its number of cores, system and Python."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} cores, {platform.system()}, Python {sys.version.split()[0]}"
