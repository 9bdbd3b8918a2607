"""How long the analysis itself takes, in one warm process: a small network, long chains, the whole catalogue.

Run it with the Python of an environment where archcalc is installed: `python benchmarks/analysis.py`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from itertools import count

from measure import Target, call_times, machine, print_targets, print_times

import archcalc
from archcalc.graph.layer_graph import Layer, LayerGraph, Output
from archcalc.ops.activation import Relu
from archcalc.ops.base import Op
from archcalc.ops.conv import Conv2d
from archcalc.ops.norm import BatchNorm2d
from archcalc.ops.reshape import Input
from archcalc.ops.windowed import Sides

LENGTHS = (1_000, 2_000, 5_000, 10_000)
NASNET = "nasnet_large"


def chain(length: int) -> LayerGraph:
    """Convolution, batch normalisation, ReLU, over and over: so many layers, one after the other."""
    kinds: tuple[Op, ...] = (
        Conv2d(out_channels=64, kernel_size=(3, 3), padding=Sides((1, 1, 1, 1)), bias=False),
        BatchNorm2d(),
        Relu(),
    )
    layers = [Layer("input", Input(shape=(64, 56, 56)), ())]
    layers += [Layer(f"layer{index}", kinds[index % 3], (index,)) for index in range(length)]
    return LayerGraph(f"chain of {length:,}", tuple(layers), (Output("output", length),))


def chain_times(length: int, repeats: int) -> list[float]:
    """Each time on an input that is a pixel larger than before, so that no result is remembered."""
    graph = chain(length)
    sizes = count(56)

    def once() -> None:
        size = next(sizes)
        archcalc.analyse(graph.with_input((64, size, size)))

    return call_times(once, repeats)


def main() -> None:
    """Measure, print, and leave with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9, help="times that each is measured (default: %(default)s)")
    repeats = parser.parse_args().repeats
    print(f"{machine()}, archcalc {archcalc.__version__}\n")

    chains = {length: chain_times(length, repeats) for length in (150, *LENGTHS)}
    times = {f"chain of {length:,} layers": values for length, values in chains.items()}
    nasnet = archcalc.load(NASNET)
    times[f"{NASNET}, {len(nasnet):,} layers"] = call_times(lambda: archcalc.analyse(nasnet), repeats)
    start = time.perf_counter()
    names = list(archcalc.names())
    graphs = [archcalc.load(name) for name in names]
    loading = time.perf_counter() - start
    catalogue = call_times(lambda: [archcalc.analyse(graph) for graph in graphs], repeats)
    times[f"catalogue, {len(graphs)} networks, {sum(map(len, graphs)):,} layers"] = catalogue
    print_times(times)
    print(f"\nLoading the catalogue, specs read and expanded, once: {loading:.2f} s")
    print("Per layer of a chain, fastest:", end=" ")
    # The fastest, not the median: other load on the machine must not look like growth.
    per_layer = {length: min(chains[length]) / length * 1e6 for length in LENGTHS}
    print(", ".join(f"{value:.1f} µs at {length:,}" for length, value in per_layer.items()))

    shortest, longest = LENGTHS[0], LENGTHS[-1]
    medians = {name: statistics.median(values) for name, values in times.items()}
    targets = [
        Target("150 layers", statistics.median(chains[150]) * 1000, 5, " ms"),
        Target(f"{longest:,} layers", statistics.median(chains[longest]), 0.5, " s"),
        # Linear growth is 1, quadratic 10; the processor's caches hold the short chain, not the long one.
        Target(f"per layer, {longest:,} / {shortest:,}", per_layer[longest] / per_layer[shortest], 1.5),
        Target(NASNET, next(value for name, value in medians.items() if name.startswith(NASNET)) * 1000, 30, " ms"),
        Target("the whole catalogue", statistics.median(catalogue), 1, " s"),
    ]
    sys.exit(not print_targets(targets))


if __name__ == "__main__":
    main()
