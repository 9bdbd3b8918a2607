"""What is alive when: inference equals the pass over the graph, training equals sums worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc as ac
from archcalc.core.errors import UsageError
from archcalc.core.shapes import LARGEST_BATCH
from archcalc.design.fit import fit_into, largest_batch
from archcalc.design.memory import BACKWARD, IN_PLACE, Policy, Timeline, memory_timeline, policy_of
from archcalc.ops import OPS
from tests.networks import numbers, one_of_each
from tests.random_graphs import random_graph
from tests.tiers import examples, slow_but

TRAINING = Policy(training=True)


def timeline(network: str, policy: Policy, batch: int = 1, dtype: str = "float32") -> Timeline:
    return memory_timeline(ac.analyse(network, batch, dtype), policy)


@pytest.mark.parametrize("name", slow_but(["alexnet", "googlenet@aux", "unet"], one_of_each()))
def test_inference_is_that_of_the_analysis(name: str) -> None:
    analysis = ac.analyse(name)
    found = memory_timeline(analysis, Policy())
    assert [image for image, _ in found.live] == [4 * values for values in analysis.memory.live]
    assert (
        found.peak == analysis.totals.peak_activation_bytes + analysis.totals.param_bytes + 4 * analysis.totals.buffers
    )


@given(st.integers(0, 2**31), st.sets(st.sampled_from(IN_PLACE)), st.sampled_from(IN_PLACE), st.booleans())
@examples(200)
def test_random_graphs_run_as_the_analysis_says_and_need_no_more_in_place(
    seed: int, over: set[str], more: str, training: bool
) -> None:
    analysis = ac.analyse(random_graph(seed, 24))
    assert [image for image, _ in memory_timeline(analysis, Policy()).live] == [4 * one for one in analysis.memory.live]
    training = training and all(row.op.saved_is_known() for row in analysis.rows)
    some, others = (Policy(training=training, in_place=tuple(sorted(which))) for which in (over, over | {more}))
    assert memory_timeline(analysis, others).peak <= memory_timeline(analysis, some).peak


@pytest.mark.parametrize(
    ("view", "in_place", "keep_all", "maps"),
    [
        # x is 16 x 16 x 64 float32, 64 KiB: the view still shows it after the ReLU, so x, r and their sum are alive.
        ("identity", ["activations"], False, 3 * 65_536),
        ("dropout", ["activations"], False, 3 * 65_536),
        # With additions in place the sum is written over r.
        ("identity", ["activations", "additions"], False, 2 * 65_536),
        # All three, the input of 16 x 16 x 3 and the 10 outputs.
        ("identity", ["activations"], True, 3 * 65_536 + 3072 + 40),
    ],
)
def test_what_a_view_shows_is_not_overwritten(view: str, in_place: list[str], keep_all: bool, maps: int) -> None:
    network = ac.from_yaml(
        "name: sibling\ntitle: Sibling\ninput: 16x16x3\nlayers:\n"
        "  - conv2d: {name: x, out_channels: 64, kernel_size: 3, padding: 1}\n"
        f"  - {view}: {{name: keep}}\n  - relu: {{name: r, from: x}}\n  - add: {{from: [r, keep]}}\n"
        "  - linear: {out_features: 10}\n"
    )
    found = memory_timeline(ac.analyse(network), Policy(in_place=tuple(in_place), keep_all=keep_all))
    assert found.at(found.peak_step)["map"] == maps


def test_vgg16_keeps_what_the_notes_add_up() -> None:
    # CS231n adds up all maps for the forward pass: 15,237,608 values of 4 bytes are 58.1 MiB, not its printed 93 MB.
    found = timeline("vgg16", Policy(keep_all=True))
    assert sum(buffer.size for buffer in found.alive(len(found.steps) - 1)) == 4 * 15_237_608


#: CS231n, convolutional networks, case study of VGG-16: memory of each row, by hand as H·W·D.
NOTES = [
    224 * 224 * 3, 224 * 224 * 64, 224 * 224 * 64, 112 * 112 * 64, 112 * 112 * 128, 112 * 112 * 128, 56 * 56 * 128,
    56 * 56 * 256, 56 * 56 * 256, 56 * 56 * 256, 28 * 28 * 256, 28 * 28 * 512, 28 * 28 * 512, 28 * 28 * 512,
    14 * 14 * 512, 14 * 14 * 512, 14 * 14 * 512, 14 * 14 * 512, 7 * 7 * 512, 4096, 4096, 1000,
]  # fmt: skip


def test_the_table_of_the_notes_row_by_row() -> None:
    found = timeline("vgg16", Policy(keep_all=True))
    assert [buffer.size // 4 for buffer in sorted(found.buffers)] == NOTES
    # The printed total of 24M values is not the sum of the printed rows.
    assert sum(NOTES) == 15_237_608


def test_the_remarks_of_the_notes() -> None:
    training = timeline("vgg16", TRAINING)
    peak = training.at(training.peak_step)
    assert sum(peak.values()) == 73_658_368 < 2 * 4 * sum(NOTES)  # not twice: gradients are not kept
    plan = timeline("vgg16", Policy(training=True, optimiser="momentum"))
    assert [largest_batch(plan, size * 10**9) for size in (3, 4, 6, 12)] == [18, 31, 58, 140]
    # By hand for 3 GB: 3·4·138,357,544 bytes, the rest for images of 73,658,368 bytes.
    assert (3 * 10**9 - 12 * 138_357_544) // 73_658_368 == 18


#: 8×8×3 → conv → relu → pool → fc: 64·4, 64·4, 16·4 and 10 values.
SMALL = "8x8x3 -> conv3-4 -> relu -> pool2 -> fc10"


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        # conv keeps its input, relu its output, which the pool reads, the pool 64 indices of 8 bytes, fc its input.
        (TRAINING, 4 * (192 + 256 + 64) + 8 * 64),
        # The convolution's own map is free again once relu has read it.
        (Policy(training=True, in_place=()), 4 * (192 + 256 + 64) + 8 * 64),
        (Policy(training=True, mixed=True), 2 * (192 + 256 + 64) + 8 * 64),
    ],
    ids=["in place", "apart", "mixed"],
)
def test_the_forward_pass_keeps_what_autograd_saves(policy: Policy, kept: int) -> None:
    # The output of the network, 10 values, is still there when the backward pass begins, and nobody saves it.
    assert timeline(SMALL, policy).kept == kept


def test_in_place_needs_one_map_less_at_the_peak() -> None:
    apart, over = (timeline("8x8x3 -> conv3-4 -> relu", Policy(in_place=each)).peak for each in ((), ("activations",)))
    assert apart - over == 4 * (256 - 192)  # conv and relu of 256 values each, against the input of 192 and one of 256


@pytest.mark.parametrize(
    ("optimiser", "mixed", "bytes_each"),
    [("none", False, 4 + 4), ("sgd", False, 4 + 4), ("momentum", False, 4 + 4 + 4), ("adam", False, 4 + 4 + 8),
     ("adam", True, 4 + 2 + 2 + 8)],
)  # fmt: skip
def test_what_a_parameter_costs(optimiser: str, mixed: bool, bytes_each: int) -> None:
    # CS231n: parameters, gradients and a momentum cache are 3 times the parameters. Mixed: 16 bytes for each of Adam's.
    found = timeline("alexnet", Policy(training=True, optimiser=optimiser, mixed=mixed))
    assert sum(found.fixed) == bytes_each * 62_378_344


FROZEN = """
name: n
title: N
input: 8x8x3
layers:
  - conv2d: {out_channels: 4, kernel_size: 1, frozen: true}
  - relu
  - linear: {out_features: 2}
"""


def test_frozen_layers_have_no_gradients() -> None:
    found = memory_timeline(ac.from_yaml(FROZEN).analyse(), TRAINING)
    assert found.fixed.gradients == 4 * (256 * 2 + 2)
    assert {found.analysis.rows[buffer.layer].name for buffer in found.buffers if buffer.what == "gradient"} == {"fc1"}
    assert found.kept == 4 * 256  # what the dense layer reads


@pytest.mark.parametrize("policy", [TRAINING, Policy(training=True, checkpoint=1), Policy(training=True, checkpoint=3)])
@pytest.mark.parametrize("name", ["resnet18", "googlenet@aux", "unet", "mobilenet"])
def test_every_layer_runs_backward_once_and_nothing_is_left(name: str, policy: Policy) -> None:
    found = timeline(name, policy)
    backward = [step.layer for step in found.steps if step.phase == BACKWARD]
    assert sorted(backward) == list(range(len(found.analysis.rows)))
    assert all(0 <= buffer.born <= buffer.dies < len(found.steps) for buffer in found.buffers)
    assert all(image >= 0 and once >= 0 for image, once in found.live)
    assert sum(found.at(found.peak_step).values()) + sum(found.fixed) == found.peak


def test_checkpoints_trade_memory_for_steps() -> None:
    plain, saved = (timeline("resnet50", policy, 32) for policy in (TRAINING, Policy(training=True, checkpoint=2)))
    assert saved.peak < plain.peak / 2
    assert len(saved.steps) > len(plain.steps)


LAYERS = st.lists(st.sampled_from(["conv3-4", "relu", "sigmoid", "bn", "conv1-4"]), min_size=1, max_size=9)


@given(LAYERS, st.sets(st.sampled_from(IN_PLACE)), st.booleans())
@examples(200)
def test_more_in_place_never_takes_more(layers: list[str], over: set[str], training: bool) -> None:
    network = " -> ".join(["8x8x4", *layers])
    some = Policy(training=training, in_place=tuple(sorted(over)))
    assert timeline(network, some).peak <= timeline(network, Policy(training=training, in_place=())).peak


@given(st.integers(1, 1 << 34), st.sampled_from([Policy(), TRAINING, Policy(training=True, optimiser="adam")]))
@examples(100)
def test_the_largest_batch_fits_and_one_more_does_not(memory: int, policy: Policy) -> None:
    found = timeline("alexnet", policy)
    fit = fit_into(found.analysis, policy, memory)
    step = range(len(found.steps))
    assert fit.batch == 0 or fit.used == max(found.bytes_at(one, fit.batch) for one in step) <= memory
    assert fit.needed == max(found.bytes_at(one, fit.batch + 1) for one in step) > memory


@pytest.mark.parametrize(
    "policy", [Policy(), TRAINING, Policy(training=True, optimiser="adam"), Policy(training=True, mixed=True)]
)
@pytest.mark.parametrize("name", ["resnet18", "lenet5"])
def test_memory_is_the_same_however_running_statistics_count(name: str, policy: Policy) -> None:
    plain, counted = (
        memory_timeline(ac.analyse(name, conventions=ac.Conventions(running_statistics=one)), policy)
        for one in (False, True)
    )
    assert plain.fixed == counted.fixed
    assert plain.fixed.buffers == 4 * plain.analysis.totals.buffers
    assert plain.peak == counted.peak


@pytest.mark.parametrize(
    ("memory", "is_at_limit"),
    [(1 << 30, False), ("limit", False), ("one more", True), (1 << 60, True)],
)
def test_the_largest_batch_is_one_that_can_be_calculated(memory: int | str, is_at_limit: bool) -> None:
    found = timeline("lenet5", Policy())
    peaks = {"limit": LARGEST_BATCH, "one more": LARGEST_BATCH + 1}
    peak_of = [max(found.bytes_at(step, batch) for step in range(len(found.steps))) for batch in peaks.values()]
    size = memory if isinstance(memory, int) else dict(zip(peaks, peak_of, strict=True))[memory]
    fit = fit_into(found.analysis, Policy(), size)
    assert fit.is_at_limit == is_at_limit
    assert timeline("lenet5", Policy(), fit.batch).peak == fit.used <= size
    assert (fit.batch == LARGEST_BATCH) == (size >= peak_of[0])
    assert (fit.needed <= size) == is_at_limit
    assert max(fit.alternatives.values(), default=0) <= LARGEST_BATCH


FOLDED, ADDED = "--in-place activations,batch-norm", "--in-place activations,additions"


@pytest.mark.parametrize(
    ("policy", "dtype", "options"),
    [
        (TRAINING, "float32", ["--dtype bfloat16", "--mixed", "--checkpoint 1"]),
        (Policy(), "float64", [FOLDED, "--dtype float32", "--dtype float16", "--dtype int8"]),
        (Policy(), "int8", [FOLDED]),
        (Policy(keep_all=True), "float16", ["maps freed (no --keep-all)", FOLDED, ADDED, "--dtype int8"]),
    ],
)
def test_alternatives_give_larger_batches(policy: Policy, dtype: str, options: list[str]) -> None:
    fit = fit_into(ac.analyse("resnet18", dtype=dtype), policy, 1 << 30)
    assert list(fit.alternatives) == options
    assert all(batch > fit.batch for batch in fit.alternatives.values())


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_the_batch_of_another_type_is_what_that_type_gives(dtype: str) -> None:
    wanted = fit_into(ac.analyse("resnet18", dtype=dtype), Policy(), 1 << 30).batch
    assert (
        fit_into(ac.analyse("resnet18", dtype="float64"), Policy(), 1 << 30).alternatives[f"--dtype {dtype}"] == wanted
    )


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"optimizer": "adam"}, "no 'optimizer'; did you mean optimiser"),
        ({"optimiser": "adamw"}, "optimiser is one of"),
        ({"in_place": ("activation",)}, "in place can be"),
    ],
)
def test_a_policy_of_names_is_checked(choices: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        policy_of(choices)


@pytest.mark.parametrize(
    ("network", "policy", "dtype", "message"),
    [
        ("lenet5", Policy(optimiser="adam"), "float32", "are for training"),
        ("lenet5", Policy(training=True, keep_all=True), "float32", "is for inference"),
        ("lenet5", TRAINING, "int8", "nothing is trained in int8"),
        ("lenet5", Policy(training=True, mixed=True), "float16", "leave out --dtype"),
    ],
)
def test_refused(network: str, policy: Policy, dtype: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        timeline(network, policy, dtype=dtype)


@pytest.mark.parametrize(
    ("layer", "values"),
    [
        # 7 values for each of 16 steps and 4 units; a second layer reads 16·4 of the first.
        ("lstm: {hidden_size: 4}", 7 * 16 * 4),
        ("gru: {hidden_size: 4, num_layers: 2}", 2 * 7 * 16 * 4 + 16 * 4),
        # The state before the first step and after each.
        ("rnn: {hidden_size: 4, bidirectional: true}", 2 * 17 * 4),
        # Queries, keys, values and what the heads give, 16·8 each, and a number for each head and query.
        ("multi_head_attention: {num_heads: 2}", 4 * 16 * 8 + 2 * 16),
    ],
)
def test_rows_in_training(layer: str, values: int) -> None:
    head = "name: n\ntitle: N\ninput: 16x8\nlayers:\n  - conv1d: {out_channels: 8, kernel_size: 1}\n"
    found = memory_timeline(ac.from_yaml(f"{head}  - {layer}\n").analyse(), TRAINING)
    # The input and the convolution's map, each of 16·8 values, are read by the layers after them.
    assert found.kept == 4 * (2 * 16 * 8 + values)


def test_what_is_not_known_is_not_guessed() -> None:
    layer = "  - multi_head_attention: {name: read, num_heads: 2, window_size: 4}\n"
    text = "name: n\ntitle: N\ninput: 16x8\nlayers:\n" + layer
    analysis = ac.from_yaml(text).analyse()
    with pytest.raises(UsageError, match="read keeps is not known"):
        memory_timeline(analysis, TRAINING)
    assert memory_timeline(analysis, Policy()).peak > 0


def test_every_op_says_what_it_saves() -> None:
    for kind, op in OPS.items():
        assert op.saves is None or set(op.saves) <= {"inputs", "output"}, kind
        assert op.saves_in_place is None or op.in_place, kind


#: 20 values come in; 100 values of a parameter are read by an add, or by an activation function after a view.
@pytest.mark.parametrize(
    ("text", "inference", "training"),
    [
        # Input and sum; in training nothing is kept, and the gradient of the sum alone is no more.
        ("add: {from: [p, input], broadcast: true}", 20 + 100, 20 + 100),
        ("identity\n  - relu", 100, 100 + 100),
    ],
)
def test_a_parameter_as_a_map_is_counted_once(text: str, inference: int, training: int) -> None:
    analysis = numbers(f"  - parameter: {{name: p, shape: 20x5}}\n  - {text}\n", "20x1")
    assert [image for image, _ in memory_timeline(analysis, Policy()).live] == [4 * v for v in analysis.memory.live]
    assert memory_timeline(analysis, Policy()).peak == 4 * (100 + inference)
    assert memory_timeline(analysis, TRAINING).peak == 4 * (100 + 100 + training)
