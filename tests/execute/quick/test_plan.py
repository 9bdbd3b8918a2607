"""A planned run gives what the plain kernels give, sees every layer, and stays within its memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import archcalc as ac
from archcalc.execute.kernels import Array
from archcalc.execute.quick.arena import Arena, Life, places
from archcalc.execute.quick.forms import plain
from archcalc.execute.quick.fuse import fuse
from archcalc.execute.quick.registry import FORMS, role_of
from archcalc.execute.runner import KernelError, Plan, SeededWeights, compare, execute
from archcalc.execute.runner.execute import Algorithm
from archcalc.execute.runner.inputs import random_input, random_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.catalogue import load
from tests.execute.runner.runs import CHOICES, QUICK, networks, outputs, smaller
from tests.networks import chain, layers, one_of_each, op
from tests.tiers import examples

#: Largest error over the largest value of the output.
PRECISION = {"float32": 1e-4, "float64": 1e-10}


def largest(values: Array) -> float:
    """The largest of the finite values, without its sign."""
    return float(np.abs(values).max(where=np.isfinite(values), initial=1e-30))


def error(got: Array, wanted: Array, scale: float = 0) -> float:
    """The largest difference, as a share of the largest value, or of `scale` where that is larger."""
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    # The maximum of padding alone is −∞, and what is made of it may be no number at all.
    finite = np.isfinite(wanted)
    np.testing.assert_array_equal(np.isfinite(got), finite)
    return float(np.abs(got[finite] - wanted[finite]).max(initial=0)) / max(largest(wanted), scale)


def check(
    graph: LayerGraph,
    dtype: str,
    batch: int = 1,
    runs: int = 4,
    watched: Collection[int] = (),
    cancels: bool = False,
) -> Plan:
    """A plan gives the values of the plain kernels, whatever is watched: the outputs, and every map that is seen.

    Once, and again and again: with the branches of concatenations in their places, and memory that is reused. Where
    values may cancel, as in the mean of what has the mean 0, errors are a share of the largest value of any map.
    """
    x = random_inputs(graph, batch, 0, dtype)
    given = x if isinstance(x, Mapping) else {"input": x}
    before = {name: array.copy() for name, array in given.items()}
    weights = SeededWeights(graph, 0, dtype, keep=True)
    analysis = analyse(graph, batch, dtype)
    wanted: dict[int, Array] = {}
    plain = execute(graph, x, weights, "im2col", observe=lambda index, array: wanted.update({index: array.copy()}))

    scale = max(map(largest, wanted.values())) if cancels else 0

    def same(index: int, array: Array) -> None:
        assert error(array, wanted[index], scale) < PRECISION[dtype], graph.layers[index].name

    plan = Plan(graph, weights)
    found = [
        execute(graph, x, weights, compare_values=True),
        execute(graph, x, weights, observe=same, compare_values=True),
    ]
    found += [plan.run(x) for _ in range(runs)]
    found += [Plan(graph, weights, watched=watched).run(x, observe=same)]
    for execution in found:
        assert compare(execution, analysis) == []
        for name, values in plain.outputs.items():
            assert error(execution.outputs[name], values, scale) < PRECISION[dtype], name
    for name, array in given.items():
        np.testing.assert_array_equal(array, before[name])
    return plan


@pytest.mark.parametrize("name", ["lenet5", "lenet5@1998", "resnet20_cifar"])
def test_networks_agree_with_the_plain_kernels(name: str) -> None:
    graph = load(name)
    check(smaller(graph), "float32", runs=2)


@pytest.mark.parametrize("batch", [1, 3])
def test_a_trained_array_is_no_copy_and_is_not_written_over(batch: int) -> None:
    graph = layers(
        """\
  - conv2d: {name: conv, out_channels: 3, kernel_size: 3, padding: 1}
  - parameter: {name: flat, shape: 3}
  - sigmoid: {name: gate}
  - parameter: {name: map, shape: 8x8x3}
  - relu: {name: positive}
  - dropout: {name: kept, from: map}
  - max_pool2d: {name: pool, kernel_size: 3, stride: 1, padding: 1}
  - conv2d: {name: mixed, from: map, out_channels: 3, kernel_size: 1}
  - concat: {name: joined, from: [map, positive, pool, mixed, conv]}
  - flatten: {name: row, from: map}
  - linear: {name: dense, out_features: 3}
  - multiply: {name: gated, from: [conv, gate, dense]}
  - add: {name: sum, from: [gated, map]}
  - concat: {name: all, from: [sum, joined]}
"""
    )
    check(graph, "float64", batch, watched=range(len(graph)))
    plan = Plan(graph, SeededWeights(graph, 0, "float64"))
    live = [layer.live_bytes for layer in plan.run(random_inputs(graph, batch, 0, "float64")).layers]
    by_name = dict(zip([layer.name for layer in graph], live, strict=True))
    assert by_name["flat"] == batch * 8 * 8 * 3 * 8  # the map of conv alone


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, dtype) for name in one_of_each() for dtype in PRECISION if dtype == "float32" or name in QUICK],
)
def test_every_network_agrees_with_the_plain_kernels(name: str, dtype: str) -> None:
    graph = load(name)
    watched = range(0, len(graph), 3)
    if dtype == "float64":
        check(smaller(graph), dtype, batch=2, runs=1, watched=watched)
    else:
        # The third run is the first in memory that has its place.
        check(graph if name in QUICK else smaller(graph), dtype, runs=3, watched=watched)


RANDOM = (
    networks(finite=False),
    st.sampled_from([1, 2, 3]),
    st.sampled_from(["float32", "float64"]),
    st.sets(st.integers(0, 9)),
)


@examples(2000, quick=10)
@given(*RANDOM)
def test_random_networks_agree_with_the_plain_kernels(
    graph: LayerGraph, batch: int, dtype: str, watched: set[int]
) -> None:
    seen = {index for index in watched if index < len(graph)}
    check(graph, dtype, batch, runs=3, watched=seen, cancels=True)


def test_what_is_made_of_padding_alone_agrees_too() -> None:
    """−∞ of a window in the padding, and NaN of what follows it, without a warning of numpy's."""
    window = {"kernel_size": (3, 2), "stride": (1, 3), "padding": 2, "dilation": (1, 2)}
    pool = op("max_pool2d", **window, ceil_mode=True, clip_last_window=False)
    conv = op("conv2d", out_channels=1, kernel_size=1, padding="same")
    check(
        chain((op("input", shape=(1, 1, 1)), ()), (pool, (0,)), (conv, (1,)), (op("add"), (1, 2)), outputs=(1, 3)),
        "float32",
        batch=2,
        watched={1, 2},
    )


class _AllFoundError(Exception):
    """Nothing is missing, so no further networks are made."""


@pytest.mark.slow
def test_the_random_networks_hold_every_op_and_all_that_is_fused() -> None:
    """Everything that a form takes on of the layers after it, on flat and on spatial maps."""
    missing: set[object] = {*CHOICES, "input", "max_unpool2d"}
    for kind, form in FORMS.items():
        missing |= {(kind, role, False) for role in form.does if kind != "linear"}
        if kind not in ("conv2d", "depthwise_conv2d", "batch_norm2d"):  # their maps are images
            missing |= {(kind, role, True) for role in form.does}

    @settings(max_examples=10_000, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(networks())
    def every(graph: LayerGraph) -> None:
        shapes = [row.output_shape for row in analyse(graph).rows]
        missing.difference_update(layer.op.kind for layer in graph)
        for group in fuse(graph, ()):
            for index in group.layers[1:]:
                head = graph.layers[group.first].op.kind
                missing.discard((head, role_of(graph.layers[index]), len(shapes[index]) == 1))
        if not missing:
            raise _AllFoundError

    with suppress(_AllFoundError):
        every()
    assert missing == set()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ("1x1x4", "  - linear: {out_features: 6}\n  - batch_norm1d\n  - relu\n"),
        ("1x1x4", "  - linear: {out_features: 6}\n  - relu\n  - batch_norm1d\n  - dropout\n  - relu\n"),
        (
            "4x4x3",
            "  - batch_norm2d\n  - identity\n  - relu\n  - linear: {out_features: 5}\n  - batch_norm1d\n  - relu\n",
        ),
    ],
)
def test_a_rectifier_after_a_flat_normalisation_is_not_lost(size: str, text: str) -> None:
    graph = layers(text, size)
    check(graph, "float64", batch=3)
    (values,) = outputs(execute(graph, random_input(graph.input_shape, 3, 0, "float64"), SeededWeights(graph)))
    assert values.min() == 0
    assert values.max() > 0


def test_what_a_form_leaves_to_the_plain_kernels_is_done_for_the_whole_group() -> None:
    """Whatever was fused: a fallback runs the followers too."""
    graph = layers(RESIDUAL)
    x = random_input(graph.input_shape, 2, 0, "float64")
    weights = SeededWeights(graph, 0, "float64", keep=True)
    plan = Plan(graph, weights)
    for task in plan.tasks:
        task.run = plain
    (wanted,), (got,) = outputs(execute(graph, x, weights, "im2col")), outputs(plan.run(x))
    assert error(got, wanted) < PRECISION["float64"]


def names_of(graph: LayerGraph, watched: Iterable[int] | None = ()) -> list[str]:
    """The groups, as in conv1+bn1+relu1."""
    groups = fuse(graph, None if watched is None else set(watched))
    return ["+".join(graph.layers[index].name for index in group.layers) for group in groups]


RESIDUAL = """\
  - conv_bn_relu: {name: first, out_channels: 4, kernel_size: 3, padding: 1}
  - branches:
      - - conv_bn_relu: {name: a, out_channels: 4, kernel_size: 3, padding: 1}
        - conv_bn: {name: b, out_channels: 4, kernel_size: 3, padding: 1}
      - []
    merge: add
  - relu: {name: end}
"""


CONCATENATED = """\
  - branches:
      - - conv_relu: {name: c, out_channels: 3, kernel_size: 1}
      - - max_pool2d: {kernel_size: 3, stride: 1, padding: 1}
        - conv2d: {name: d, out_channels: 5, kernel_size: 1}
      - []
    merge: concat
"""


def test_what_follows_a_convolution_is_done_with_it() -> None:
    graph = layers(RESIDUAL)
    assert names_of(graph) == [
        "input",
        "first/conv+first/bn+first/relu",
        "a/conv+a/bn+a/relu",
        "b/conv+b/bn+add1+end",
    ]
    assert len(names_of(graph, None)) == len(graph)
    watched = [graph.index["a/bn"], graph.index["add1"]]
    assert names_of(graph, watched) == [
        "input",
        "first/conv+first/bn+first/relu",
        "a/conv+a/bn",
        "a/relu",
        "b/conv+b/bn+add1",
        "end",
    ]


def test_a_map_that_others_read_is_made() -> None:
    conv = op("conv2d", out_channels=2, kernel_size=1)
    graph = chain(
        (op("input", shape=(2, 4, 4)), ()),
        (conv, (0,)),
        (op("relu"), (1,)),
        (op("add"), (1, 2)),
        (conv, (3,)),
        (op("relu"), (4,)),
        outputs=(4, 5),
    )
    assert names_of(graph) == ["0", "1", "2", "3", "4", "5"]
    check(graph, "float64")


def test_an_addition_goes_with_the_branch_that_is_calculated_last() -> None:
    conv = op("conv2d", out_channels=2, kernel_size=1)
    graph = chain(
        (op("input", shape=(2, 4, 4)), ()), (conv, (0,)), (conv, (0,)), (op("add"), (2, 1)), (op("relu"), (3,))
    )
    assert names_of(graph) == ["0", "1", "2+3+4"]
    twice = chain((op("input", shape=(2, 4, 4)), ()), (conv, (0,)), (op("add"), (1, 1)), (op("relu"), (2,)))
    assert names_of(twice) == ["0", "1", "2+3"]
    for each in (graph, twice):
        check(each, "float64")


def test_observing_shows_the_maps_of_the_plain_kernels() -> None:
    graph = layers(RESIDUAL)
    x = random_input(graph.input_shape, 1, 0, "float64")
    weights = SeededWeights(graph, 0, "float64", keep=True)
    plain: dict[int, Array] = {}
    seen: dict[int, Array] = {}
    execute(graph, x, weights, "im2col", observe=lambda index, array: plain.update({index: array.copy()}))
    execute(graph, x, weights, "auto", observe=lambda index, array: seen.update({index: array.copy()}))
    assert list(seen) == list(plain) == list(range(len(graph)))
    for index, array in plain.items():
        np.testing.assert_allclose(seen[index], array, rtol=0, atol=1e-12)


@pytest.mark.parametrize("algorithm", ["auto", "im2col"])
def test_only_watched_layers_are_observed(algorithm: Algorithm) -> None:
    graph = layers(RESIDUAL)
    x = random_input(graph.input_shape, 1, 0, "float32")
    seen: list[int] = []
    reported: list[int] = []

    def observe(index: int, _array: Array) -> None:
        seen.append(index)

    execute(graph, x, SeededWeights(graph), algorithm, observe=observe, watched={3, 5}, report=reported.append)
    assert seen == [3, 5]
    assert reported[-1] == len(graph) - 1
    assert reported == sorted(reported)


def test_the_results_of_a_run_stay() -> None:
    """The memory of a run is used again by the next, but not that of its results."""
    graph = layers(RESIDUAL)
    plan = Plan(graph, SeededWeights(graph))
    inputs = [random_input(graph.input_shape, 1, seed, "float32") for seed in range(6)]
    kept = [outputs(plan.run(x))[0] for x in inputs]
    for x, output in zip(inputs, kept, strict=True):
        np.testing.assert_array_equal(outputs(plan.run(x))[0], output)


def test_a_plan_takes_another_batch_but_no_other_size() -> None:
    graph = layers(RESIDUAL + CONCATENATED)
    weights = SeededWeights(graph, keep=True)
    plan = Plan(graph, weights)
    for batch in (1, 1, 1, 2, 2, 2, 2, 1, 1):
        x = random_input(graph.input_shape, batch, 0, "float32")
        execution = plan.run(x)
        assert compare(execution, analyse(graph, batch)) == []
        assert error(outputs(execution)[0], outputs(execute(graph, x, weights, "im2col"))[0]) < 1e-4
    with pytest.raises(ValueError, match="the plan is for maps"):
        plan.run(np.zeros((1, 4, 99, 99), np.float32))


def test_a_kernel_that_refuses_is_named() -> None:
    # Put together by hand, for the analysis would not let it pass.
    graph = chain((op("input", shape=(2, 3, 3)), ()), (op("conv2d", out_channels=2, kernel_size=5), (0,)))
    with pytest.raises(KernelError, match=r'layer "1" \(conv2d\): .*fit'):
        Plan(graph, SeededWeights(graph)).run(np.zeros((1, 2, 3, 3), np.float32))


def test_weights_that_are_not_to_grow_do_not() -> None:
    """Transformed weights are larger than plain ones; without a budget for that they stay as they are."""
    graph = layers("  - conv_bn_relu: {out_channels: 64, kernel_size: 3, padding: 1, repeat: 3}\n", "40x40x16")
    analysis = analyse(graph)
    x = random_input(graph.input_shape, 1, 0, "float32")
    sizes = {}
    for budget in (0, 1 << 17, None):
        plan = Plan(graph, SeededWeights(graph), budget=budget)
        plan.run(x)
        sizes[budget] = plan.prepared_bytes
    plain = analysis.totals.param_bytes
    assert sizes[0] <= plain
    assert plain < sizes[1 << 17] <= plain + (1 << 17) < sizes[None]


# --- memory


def test_pieces_that_live_together_do_not_overlap() -> None:
    lives = [Life(100, 0, 3), Life(300, 1, 2), Life(50, 2, 9), Life(300, 4, 6), Life(100, 5, 9)]
    found, size = places(lives)
    for number, life in enumerate(lives):
        for other in range(number):
            if lives[other].birth < life.death and life.birth < lives[other].death:
                first, second = sorted((number, other), key=found.__getitem__)
                assert found[first] + lives[first].nbytes <= found[second]
    assert max(start + life.nbytes for start, life in zip(found, lives, strict=True)) == size
    # The most that lives at one time is 50 + 300 + 100, each rounded up to whole cache lines.
    assert size <= 64 + 320 + 128


def test_memory_has_its_place_after_two_equal_runs() -> None:
    arena = Arena()
    addresses = []
    for _ in range(5):
        arena.start()
        first = arena.take(1000)
        second = arena.take(500)
        arena.release(first)
        third = arena.take(900)
        assert arena.live_bytes() == 1400
        addresses.append([each.raw.ctypes.data for each in (first, second, third)])
        assert not np.shares_memory(second.raw, third.raw)
        arena.finish()
    assert addresses[2] == addresses[3] == addresses[4]
    assert addresses[4][0] == addresses[4][2]
    # A run that asks for something else gets memory of its own.
    arena.start()
    other = arena.take(1001)
    assert other.raw.nbytes == 1001


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg16", "resnet50", "googlenet", "mobilenet", "unet"])
def test_memory_stays_near_what_the_analysis_says(name: str) -> None:
    """Peak resident memory of a process that keeps a plan: at most 1.3 × (weights + live maps) + 150 MiB."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the peak of one program: elsewhere a child begins with that of its parent")
    code = (
        "from archcalc.passes.analysis import analyse\n"
        "from archcalc.spec.catalogue import load\n"
        "from archcalc.execute.runner import Plan, SeededWeights\n"
        "from archcalc.execute.runner.inputs import random_input\n"
        "from archcalc.execute.runner.memory import preparation_budget\n"
        f"graph = load({name!r})\n"
        "analysis = analyse(graph)\n"
        "plan = Plan(graph, SeededWeights(graph), budget=preparation_budget(analysis))\n"
        "x = random_input(graph.input_shape, 1, 0, 'float32')\n"
        "for _ in range(4):\n"
        "    plan.run(x)\n"
        "lines = open('/proc/self/status', encoding='ascii').read().splitlines()\n"
        "print(*(line.split()[1] for line in lines if line.startswith('VmHWM:')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600)
    totals = analyse(load(name)).totals
    limit = 1.3 * (totals.param_bytes + totals.peak_activation_bytes) + (150 << 20)
    assert int(done.stdout) * 1024 <= limit


@pytest.mark.parametrize(("unpools", "count"), [(True, 0), (False, 2)])
def test_a_network_that_reads_places_of_maxima_has_no_rounded_convolutions(unpools: bool, count: int) -> None:
    last = "max_unpool2d: {from: [a, pool, b], kernel_size: 2}" if unpools else "upsample2d: {scale: 2}"
    spec = [
        "conv2d: {name: b, out_channels: 32, kernel_size: 3, padding: 1}",
        "max_pool2d: {name: pool, kernel_size: 2}",
        "conv2d: {name: a, out_channels: 32, kernel_size: 3, padding: 1}",
        last,
    ]
    graph = ac.from_yaml("\n  - ".join(["name: unpooled\ntitle: Unpooled\ninput: 96x96x8\nlayers:", *spec]))
    plan = Plan(graph, SeededWeights(graph))
    plan.run(random_input(graph.input_shape, 1, 0, "float32"))
    assert len(plan.transformed) == count
