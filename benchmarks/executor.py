"""How long a forward pass takes, compared with PyTorch, ONNX Runtime and onnx.reference, and how much memory it needs.

Batch 1, float32, two threads, everybody warm: archcalc's plan has prepared its weights (that time is printed too), the
peers have their models loaded. In each round everybody runs once, in turn; a ratio is the median of those within each
round. Outputs are compared first, so that all do the same work.

Run it with the Python of an environment where archcalc and its peers are installed: `python benchmarks/executor.py`.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

from measure import Target, machine, paired_ratio, print_targets

from archcalc.cli.blas import choose_core_type

THREADS = 2
ARCHCALC, TORCH, RUNTIME, REFERENCE = "archcalc", "PyTorch", "ONNX Runtime", "onnx.reference"
PACKAGES = {TORCH: "torch", RUNTIME: "onnxruntime", REFERENCE: "onnx"}
#: archcalc's time over the peer's, at most.
LIMITS: dict[str, dict[str, float]] = {
    "vgg16": {TORCH: 1.0, RUNTIME: 1.25, REFERENCE: 1 / 20},
    "alexnet": {TORCH: 1.0, REFERENCE: 1 / 10},
    "resnet50": {TORCH: 1.5, REFERENCE: 1 / 10},
    "googlenet": {TORCH: 1.5},
    "inception_v3": {TORCH: 1.5, REFERENCE: 1 / 20},
    "mobilenet": {TORCH: 3.0},
}
#: How far outputs may differ, relative to the largest. The LRN of onnx.reference normalises only as many channels as
#: there are images (onnx 1.23, reference/ops/op_lrn.py loops over the batch), so it is off where a network has one.
TOLERANCES = {REFERENCE: 1e-2}
#: Peak resident memory over weights and live maps, once 150 MiB for the program are taken off.
MEMORY_LIMIT = 1.3
PROGRAM_BYTES = 150 << 20


class Timed(NamedTuple):
    """Seconds of each run, on the clock and of all cores together."""

    wall: list[float]
    cpu: list[float]


def once(run: Callable[[], Any], into: Timed) -> None:
    """One run, after the threads of the one before have gone to sleep."""
    time.sleep(0.03)
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    into.wall.append(time.perf_counter() - wall)
    into.cpu.append(time.process_time() - cpu)


def runners(name: str, peers: Sequence[str]) -> tuple[dict[str, Callable[[], Any]], float]:
    """What runs the network, by name, and how long archcalc took to prepare."""
    import numpy as np
    from networks import arrays_of, onnx_model, torch_network

    import archcalc
    from archcalc.execute.runner import Plan, SeededWeights
    from archcalc.execute.runner.inputs import random_input
    from archcalc.execute.runner.memory import preparation_budget

    analysis = archcalc.analyse(archcalc.load(name))
    graph = analysis.graph
    x = random_input(graph.input_shape, 1, 0, "float32")
    start = time.perf_counter()
    plan = Plan(graph, SeededWeights(graph), threads=THREADS, budget=preparation_budget(analysis))
    wanted = list(plan.run(x).outputs.values())[-1]
    preparation = time.perf_counter() - start
    found: dict[str, Callable[[], Any]] = {ARCHCALC: lambda: list(plan.run(x).outputs.values())[-1]}
    arrays = arrays_of(analysis)
    if TORCH in peers:
        import torch

        torch.set_num_threads(THREADS)
        module, tensor = torch_network(analysis, arrays), torch.from_numpy(x)
        found[TORCH] = lambda: module(tensor).numpy()
    model = onnx_model(analysis, arrays) if {RUNTIME, REFERENCE} & set(peers) else None
    if RUNTIME in peers:
        found[RUNTIME] = _runtime(model, graph.layers[0].name, x)
    if REFERENCE in peers and REFERENCE in LIMITS[name]:
        from onnx.reference import ReferenceEvaluator

        evaluator: Any = ReferenceEvaluator(model)
        found[REFERENCE] = lambda: evaluator.run(None, {graph.layers[0].name: x})[0]
    for peer, function in found.items():
        output = function()
        error = float(np.abs(output.reshape(-1) - wanted.reshape(-1)).max() / np.abs(wanted).max())
        if not error < TOLERANCES.get(peer, 1e-3):
            raise RuntimeError(f"{name}: {peer} and archcalc differ by {error:.1e}")
    return found, preparation


def _runtime(model: Any, name: str, x: Any) -> Callable[[], Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {name: x})[0]


def measure(name: str, peers: Sequence[str], rounds: int, slow_rounds: int) -> list[Target]:
    """Time a network, print a line for each that ran, and give the targets."""
    running, preparation = runners(name, peers)
    slow = running.pop(REFERENCE, None)
    times = {each: Timed([], []) for each in running}
    for _ in range(3):
        for run in running.values():
            run()
    for _ in range(rounds):
        for each, run in running.items():
            once(run, times[each])
    print(f"\n{name}: archcalc prepared in {preparation * 1000:,.0f} ms")
    print(f"  {'':14}  {'median ms':>10}  {'fastest ms':>10}  {'CPU ms':>10}")
    targets = []
    for each, timed in times.items():
        _line(each, timed)
        if each in LIMITS[name]:
            targets.append(
                Target(f"{name} / {each}", paired_ratio(times[ARCHCALC].wall, timed.wall), LIMITS[name][each])
            )
    for each, timed in times.items():
        if each != ARCHCALC:
            wall, cpu = paired_ratio(times[ARCHCALC].wall, timed.wall), paired_ratio(times[ARCHCALC].cpu, timed.cpu)
            print(f"  archcalc / {each}: {wall:.2f} by the clock, {cpu:.2f} in CPU time")
    if slow is not None:
        fast = {ARCHCALC: Timed([], []), REFERENCE: Timed([], [])}
        for _ in range(slow_rounds):
            # Twice each, the second counts: after seconds of another's work the first finds no cache as it left it.
            for each, run in ((ARCHCALC, running[ARCHCALC]), (REFERENCE, slow)):
                run()
                once(run, fast[each])
        _line(REFERENCE, fast[REFERENCE])
        ratio = paired_ratio(fast[ARCHCALC].wall, fast[REFERENCE].wall)
        print(f"  {REFERENCE} / archcalc: {1 / ratio:.1f} by the clock")
        targets.append(Target(f"{name} / {REFERENCE}", ratio, LIMITS[name][REFERENCE]))
    return targets


def _line(name: str, timed: Timed) -> None:
    wall, cpu = (statistics.median(values) * 1000 for values in timed)
    print(f"  {name:14}  {wall:10.1f}  {min(timed.wall) * 1000:10.1f}  {cpu:10.1f}")


MEMORY = """
from archcalc.cli.blas import choose_core_type
choose_core_type()
import archcalc
from archcalc.execute.runner import Plan, SeededWeights
from archcalc.execute.runner.inputs import random_input
from archcalc.execute.runner.memory import preparation_budget
analysis = archcalc.analyse(archcalc.load({name!r}))
graph = analysis.graph
plan = Plan(graph, SeededWeights(graph), threads={threads}, budget=preparation_budget(analysis))
x = random_input(graph.input_shape, 1, 0, "float32")
for _ in range(5):
    plan.run(x)
lines = open("/proc/self/status", encoding="ascii").read().splitlines()
peak = next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))
print(peak, analysis.totals.param_bytes + analysis.totals.peak_activation_bytes)
"""


def memory(name: str) -> Target:
    """Peak resident memory of a process that prepares a plan and runs it five times."""
    code = MEMORY.format(name=name, threads=THREADS)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak, least = map(int, done.stdout.split())
    print(f"  {name:14}  {peak / (1 << 20):8,.0f} MiB at the peak; weights and live maps {least / (1 << 20):,.0f} MiB")
    return Target(f"{name}, memory", (peak - PROGRAM_BYTES) / least, MEMORY_LIMIT)


def main() -> None:
    """Measure, print, and leave with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", help=f"default: {' '.join(LIMITS)}")
    parser.add_argument("--rounds", type=int, default=25, help="rounds for each network (default: %(default)s)")
    parser.add_argument("--slow-rounds", type=int, default=3, help="rounds with onnx.reference (default: %(default)s)")
    parser.add_argument("--peers", default=",".join(PACKAGES), help="those to compare with (default: %(default)s)")
    arguments = parser.parse_args()
    unknown = [each for each in arguments.networks if each not in LIMITS]
    if unknown:
        parser.error(f"there are no targets for {', '.join(unknown)}; networks: {', '.join(LIMITS)}")
    # As the command-line program does, before numpy is loaded.
    chosen = choose_core_type()
    from archcalc.execute.quick.kernels import blas_kernels

    peers = []
    for peer, package in PACKAGES.items():
        if importlib.util.find_spec(package) is None:
            print(f"{peer}: skipped; python -m pip install '.[peers]' brings {package}")
        elif peer in arguments.peers.split(","):
            peers.append(peer)
    print(machine())
    print(
        ", ".join(
            f"{package} {version(package)}" for package in ("archcalc", "numpy", *(PACKAGES[peer] for peer in peers))
        )
    )
    print(f"{chosen}; numpy's OpenBLAS runs its kernels for {blas_kernels()}; {THREADS} threads, batch 1, float32")
    targets = []
    for name in arguments.networks or LIMITS:
        targets += measure(name, peers, arguments.rounds, arguments.slow_rounds)
    if sys.platform == "linux":
        print("\nMemory")
        targets += [memory(name) for name in arguments.networks or LIMITS]
    sys.exit(not print_targets(targets))


if __name__ == "__main__":
    main()
