"""Claims judged one by one: what functions give, and which mistakes are named."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import Problem, SpecError
from archcalc.passes.analysis import Analysis, analyse
from archcalc.spec.catalogue import load
from archcalc.spec.evaluate import evaluate
from archcalc.spec.expressions import parse_expression
from archcalc.spec.source import parse_source
from archcalc.teach.audit.checker import check_claims
from archcalc.teach.audit.diagnose import MISTAKES
from archcalc.teach.audit.formats import FORMATS, render
from archcalc.teach.audit.functions import QUANTITIES, Reader
from archcalc.teach.audit.language import read_claims
from archcalc.teach.audit.networks import Networks
from archcalc.teach.audit.verdicts import Audit, CheckedClaim, Verdict
from archcalc.teach.audit.view import calculated, claimed, summary
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Answer
from archcalc.teach.check.model import Verdict as CellVerdict
from archcalc.teach.check.terms import check_total
from tests.tiers import examples

READER = Reader(Networks())

#: One shape in the ways that people write it, and some that are near it.
SHAPES = [
    "64@224x224", "(64,224,224)", "(N,64,224,224)", "(None, 64, 224, 224)", "(-1, 224, 224, 64)", "(1, 64, 224, 224)",
    "224²×64", "H=224, W=224, C=64", "224 x 224, 64", "224x224x64 = 3211264", "224x224", "224", "[224, 224, 64]",
    "[64, 224, 224]", "[null, 64, 224, 224]", "[-1, 224, 224, 64]", "224х224х64", "(224×224)×64", "224x224@64",
    "torch.Size([1, 64, 224, 224])", "64 maps of 224x224", "64,224,224", "3211264", "64x224x224", "224×224×64 (3.2M)",
    "224x224x63", "223x223x64", "(64, 224, 223)", "225", "224x224x64 = 3211265", "65@224x224", "224²×65",
]  # fmt: skip
WRONG_SHAPES = SHAPES[-7:]

#: Worked out by hand or printed in the papers.
VALUES: list[tuple[str, Any]] = [
    ("params('vgg16')", 138_357_544),
    ("params('alexnet', 'conv1')", 34_944),
    ("weights('alexnet', 'conv1')", 34_848),
    ("biases('alexnet', 'conv1')", 96),
    ("params('resnet50', 'conv2_x')", 215_808),
    ("param_bytes('lenet5')", 61_706 * 4),
    ("multiplications('blocks/conv5x5_direct')", 120_422_400),
    ("activations('vgg16', 'conv1_1')", 3_211_264),
    ("activation_bytes('vgg16', 'conv1_1')", 12_845_056),
    ("output_shape('alexnet', 'conv1')", [55, 55, 96]),
    ("output_shape('googlenet', 'inception_3a')", [28, 28, 256]),
    ("output_shape('alexnet')", [1000]),
    ("input_shape('alexnet')", [227, 227, 3]),
    ("input_shape('alexnet', 'conv2')", [27, 27, 96]),
    ("height('alexnet', 'conv1')", 55),
    ("channels('alexnet', 'fc6')", 4096),
    ("weights_shape('alexnet', 'conv1')", [11, 11, 3, 96]),
    ("weights_shape('alexnet@grouped', 'conv2')", [5, 5, 48, 256]),
    ("receptive_field('9x9x1 -> [conv3-1]*3')", 7),
    ("receptive_field_stride('vgg16', 'pool5')", 32),
    ("receptive_field('90x2 -> [conv3-1]*3')", 7),
    ("receptive_field_stride('90x2 -> [conv3-1/2]*3')", 8),
    ("receptive_field('9x12x12x2 -> [conv3-1]*2')", 5),
    ("receptive_field('9x12x12x2 -> pool2 -> [conv3-1]*2')", 10),
    ("length('90x2 -> conv3-4/2')", 45),
    ("height('9x12x14x2 -> conv3-4')", 12),
    ("width('9x12x14x2 -> conv3-4')", 14),
    ("output_shape('9x12x14x2 -> conv3-4')", [9, 12, 14, 4]),
    ("weights_shape('90x2 -> conv3-4')", [3, 2, 4]),
    ("count('9x12x12x2 -> [conv3-1]*2', 'conv3d', 3)", 2),
    ("count('90x2 -> [conv3-1]*2', 'conv1d', 3)", 2),
    ("reads('90x2 -> [conv3-1]*2', 'conv2', 1)", [-1, 3]),
    ("x_col('alexnet', 'conv1')", [363, 3025]),
    ("w_row('alexnet', 'conv1')", [96, 363]),
    ("product_shape('alexnet', 'conv1')", [96, 3025]),
    ("kernel_size('alexnet', 'conv1')", 11),
    ("stride('alexnet', 'conv1')", 4),
    ("groups('alexnet@grouped', 'conv2')", 2),
    ("setting('alexnet', 'drop6', 'p')", Fraction(1, 2)),
    ("depth('resnet152')", 152),
    ("year('vgg16')", 2014),
    ("venue('unet')", "MICCAI 2015"),
    ("count('vgg16', 'max_pool2d')", 5),
    ("count('vgg16', 'conv2d', 3)", 13),
    ("count('vgg16', 'conv2d', 1)", 0),
    ("count('resnet50', 'conv2d', 'conv2_x/unit2')", 3),
    ("count('resnet50', 'conv2d', 'conv2_x/unit2', 3)", 1),
    ("fits('224x224x3 -> [pool2]*5')", True),
    ("fits('48x48x3 -> [pool2]*5')", False),
    ("fits('8x8x3 -> [pool2]*5')", False),
    ("output_size(227, 11, 4, 0)", 55),
    ("exact_output_size(224, 11, 4, 0)", Fraction(217, 4)),
    ("leftover(224, 11, 4, 0)", 1),
    ("same_padding(32, 5, 1)", 4),
    ("dilated_window(3, 2)", 5),
    ("reads('alexnet', 'conv1', 1)", [4, 14]),
    ("reads('alexnet', 'conv1', 1, 'width')", [4, 14]),
    ("dataset('mnist', 'image')", [28, 28]),
    ("dataset('cifar100', 'classes')", 100),
    ("conv_params(11, 3, 96)", 34_944),
    ("conv_weights([1, 7], 192, 192)", 258_048),
    ("bytes_of('float64')", 8),
    ("product([11, 11, 3])", 363),
    ("top1_accuracy('vgg16')[0]", Fraction("71.592")),
    ("top1_error('vgg16')[0]", Fraction("28.408")),
    ("reported('inception_v4', 'top1_accuracy')", Fraction("80.2")),
]

#: A claim and the mistake that it shows.
MADE: list[tuple[str, str]] = [
    ("{network: inception_v4, quantity: params, value: 55.8M}", "other_network"),
    ("{network: alexnet, layer: conv4, quantity: weights_shape, value: 3x3x256x384}", "other_layer"),
    ("{network: unet, layer: pool4, quantity: output_shape, value: 64x64x512}", "other_layer"),
    (
        "{conv2d: {input: 9x9x1, kernel_size: 3, stride: 2, out_channels: 1}, quantity: receptive_field, value: 2}",
        "other_quantity",
    ),
    (
        "{conv1d: {input: 99x2, kernel_size: 5, stride: 2, out_channels: 1}, quantity: receptive_field, value: 2}",
        "other_quantity",
    ),
    ("{conv1d: {input: 99x2, kernel_size: 3, out_channels: 4}, quantity: output_shape, value: 99x4}", "wrong_setting"),
    (
        "{conv1d: {input: 99x2, kernel_size: 3, out_channels: 4}, quantity: weights_shape, value: 99x2x4}",
        "map_size_as_kernel",
    ),
    (
        "{conv3d: {input: 9x9x9x2, kernel_size: 3, out_channels: 4}, quantity: output_shape, value: 9x9x9x4}",
        "wrong_setting",
    ),
    ("{network: unet, layer: expand3/concat, quantity: output_shape, value: 104x104x1024}", "mixed_layers"),
    ("{expression: 224/2/2/2/2, value: 7}", "arithmetic"),
    ("{calculate: (32 / 16) ** 2, value: 2}", "incomplete"),
    (
        "{formula: (W F)/S + 1, equals: 'output_size(W, F, S, 0)', for: {W: [7, 9], F: [3], S: [1, 2]}}",
        "wrong_operator",
    ),
    ("{network: vgg16, layer: conv1_1, quantity: out_channels, value: 128}", "wrong_setting"),
    ("{network: alexnet, layer: conv2, quantity: stride, value: 2}", "wrong_stride"),
    ("{network: alexnet, layer: conv2, quantity: kernel_size, value: 3}", "wrong_kernel"),
    ("{network: alexnet, layer: conv5, quantity: weights_shape, value: 13x13x384x256}", "map_size_as_kernel"),
    ("{network: alexnet, layer: conv5, quantity: weights_shape, value: 3x3x256x256}", "wrong_input_channels"),
    ("{calculate: params('vgg19') - params('vgg16'), value: 6M}", "rounded_inputs"),
    ("{network: vgg16, quantity: param_bytes, value: 138 MB}", "unit"),
    ("{calculate: 'exact_output_size(224, 11, 4, 3)', value: 55}", "padding_once"),
    ("{calculate: \"x_col('alexnet', 'conv1')[0]\", value: 3025}", "swapped_axes"),
    ("{network: vgg16, quantity: input_shape, value: 224x244x3}", "digit_slip"),
    ("{expression: 64*2*2*2, value: 1024}", "repeat_count"),
    ("{calculate: 2 * 8, value: 32}", "factor_two"),
]


def audited(*claims: str) -> Audit:
    return check_claims(
        read_claims(parse_source("claims:\n" + "".join(f"  - {claim}\n" for claim in claims), "c.yaml"))
    )


def judged(claim: str) -> CheckedClaim:
    (one,) = audited(claim).checked
    return one


@pytest.mark.parametrize(("expression", "value"), VALUES)
def test_functions(expression: str, value: Any) -> None:
    assert evaluate(parse_expression(expression), {}, READER.functions) == value


def test_every_quantity_is_tried() -> None:
    tried = {expression.partition("(")[0] for expression, _ in VALUES}
    untried = set(QUANTITIES) - tried
    assert untried == {"padding", "out_channels", "dilation", "top5_accuracy", "top5_error"}


@pytest.mark.parametrize(("claim", "mistake"), MADE)
def test_mistakes(claim: str, mistake: str) -> None:
    one = judged(claim)
    assert one.verdict is Verdict.WRONG
    assert mistake in [found.mistake for found in one.diagnoses]


def test_a_variant_of_the_network_is_one_reason() -> None:
    one = judged("{network: resnet50, quantity: params, value: 25583592}")
    assert [found.mistake for found in one.diagnoses] == ["other_variant"]


def test_every_mistake_of_texts_is_tried() -> None:
    assert MISTAKES.keys() <= {mistake for _, mistake in MADE}


@pytest.mark.parametrize(
    "claim",
    [
        "{network: resnet50, quantity: top1_accuracy, value: 77.5}",
        "{network: vgg16, quantity: top5_error, value: 7.3%}",
        "{network: lenet5, quantity: top1_accuracy, value: 99}",
        "{not_calculated: history, text: it won}",
    ],
)
def test_what_was_measured_is_never_wrong(claim: str) -> None:
    one = judged(claim)
    assert one.verdict is Verdict.NOT_CALCULATED
    assert one.reason


def test_a_reported_figure_is_right() -> None:
    assert judged("{network: vgg16, quantity: top1_accuracy, value: 71.6}").verdict is Verdict.RIGHT
    assert judged("{network: vgg16, quantity: top1_error, value: 28.4}").verdict is Verdict.RIGHT


def test_a_total_that_is_not_the_sum_of_its_parts() -> None:
    found = audited(
        "{id: a-1, network: vgg16, layer: conv1_1, quantity: activations, value: 3.2M}",
        "{id: a-2, network: vgg16, layer: conv1_2, quantity: activations, value: 3.2M}",
        "{network: vgg16, quantity: activations, value: 24M, adds: a-*}",
    )
    assert [one.verdict for one in found.checked] == [Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG]
    assert "sum_of_parts" in [one.mistake for one in found.checked[-1].diagnoses]


def test_a_right_value_with_a_wrong_calculation_is_wrong() -> None:
    one = judged("{network: vgg16, layer: pool5, quantity: height, expression: 224/2/2/2/2, value: 7}")
    assert one.verdict is Verdict.WRONG


@lru_cache(maxsize=8)
def analysed(name: str) -> Analysis:
    return analyse(load(name))


@examples(60, quick=2)
@given(st.data(), st.sampled_from(["alexnet", "vgg16", "googlenet", "resnet18", "unet"]))
def test_right_values_are_right_and_others_wrong(data: st.DataObject, name: str) -> None:
    row = data.draw(st.sampled_from(analysed(name).rows))
    quantity = data.draw(st.sampled_from(["params", "multiplications", "activations"]))
    value = getattr(row, quantity)
    start = f"{{network: {name}, layer: {row.name}, quantity: {quantity}, value: "
    assert judged(f"{start}{value}}}").verdict is Verdict.RIGHT
    assert judged(f"{start}{value + data.draw(st.integers(1, 10**6))}}}").verdict is Verdict.WRONG
    shape = "x".join(map(str, (*row.output_shape[1:], row.output_shape[0])))
    claim = f"{{network: {name}, layer: {row.name}, quantity: output_shape, value: {shape}}}"
    assert judged(claim).verdict is Verdict.RIGHT


NETWORKS = ["alexnet", "unet", "lenet5@1998", "googlenet@aux", "mobilenet", "9x9x3 -> [conv3-4 -> pool2]*2 -> fc5"]
CLAIMED = [
    "0",
    "2",
    "-1",
    "0.5",
    "5M",
    "about 60M",
    "140 MB",
    '"1,327,488"',
    "55x55x96",
    "7x7x512",
    "1x1x10",
    "3x3x3x96",
    "true",
    "[1, 2]",
    "[[1, 2], 3x3]",
    "ICLR 2015",
    "64%",
    "1e9",
]
PRINTED = ["(3*3*64+64)*2", "3+4", "224/2/2", "1/3", "(11-5)/2+1", "5*5*3+5"]
CALCULATED = [
    "params(network) - params(network, 'L')",
    "[height(network, 'L'), width(network, 'L')]",
    "count(network, 'conv2d') ** 2",
    "x_col(network, 'L')[0]",
    "output_shape(network, 'L')[0]",
    "activations(network, 'L') > 3",
    "reads(network, 'L', 0)",
    "params(network, 'L') + params(network)",
    "kernel_size(network, 'L') / 2",
]


@examples(150, quick=5)
@given(st.data(), st.sampled_from(NETWORKS))
def test_whatever_is_claimed_is_checked_or_refused_in_its_place(data: st.DataObject, name: str) -> None:
    layer = data.draw(st.sampled_from(analysed(name).rows)).name
    parts = [f'network: "{name}"']
    if data.draw(st.booleans()):
        parts.append(f"quantity: {data.draw(st.sampled_from(QUANTITIES))}")
        parts += [f'layer: "{layer}"'] if data.draw(st.booleans()) else []
    else:
        parts.append(f'calculate: "{data.draw(st.sampled_from(CALCULATED)).replace("L", layer)}"')
    is_printed = data.draw(st.booleans())
    parts += [f"expression: {data.draw(st.sampled_from(PRINTED))}"] if is_printed else []
    parts += [f"value: {data.draw(st.sampled_from(CLAIMED))}"] if not is_printed or data.draw(st.booleans()) else []
    problems: tuple[Problem, ...] = ()
    try:
        found = audited(f"{{{', '.join(parts)}}}")
    except SpecError as error:
        problems = error.problems
    else:
        assert all(render(found, form) for form in FORMATS)
    assert all(problem.location is not None for problem in problems)


@pytest.mark.parametrize("value", ["true", "ICLR 2015", "[1, 2]", "55x55x96", "64%", "1e300", '"3+"'])
def test_a_sum_next_to_what_is_no_result_of_it_is_wrong(value: str) -> None:
    found = audited(f"{{network: lenet5, quantity: params, expression: 156+2416, value: {value}}}")
    assert found.checked[0].verdict is Verdict.WRONG


#: Claims with another reading; in the last two it changes nothing.
READINGS = (
    "{id: hidden, network: alexnet, calculate: \"count(network, 'linear')\", value: 2, "
    "readings: [{when: hidden layers are meant, calculate: \"count(network, 'linear') - 1\"}]}",
    "{id: variant, network: resnet50, quantity: multiplications, value: 3857973248, "
    "readings: [{when: the stride of the first paper is meant, network: resnet50@v1}]}",
    "{id: neither, network: alexnet, calculate: \"count(network, 'linear')\", value: 7, "
    "readings: [{when: hidden layers are meant, calculate: \"count(network, 'linear') - 1\"}]}",
    "{id: outside, network: lenet5, quantity: year, value: 1990, "
    "readings: [{when: earlier networks are meant, not_calculated: they are not in the catalogue}]}",
    "{id: both, network: alexnet, quantity: params, value: 62378344, "
    "readings: [{when: the sum is meant, calculate: params(network)}]}",
)


def test_a_claim_that_may_mean_several_things() -> None:
    found = {one.claim.id: one for one in audited(*READINGS).checked}
    assert {name: str(one.verdict) for name, one in found.items()} == {
        "hidden": "depends", "variant": "depends", "neither": "wrong", "outside": "depends", "both": "right",
    }  # fmt: skip
    assert found["hidden"].reason == "right if hidden layers are meant, wrong otherwise"
    assert found["outside"].reason == "not calculated if earlier networks are meant, wrong otherwise"
    assert found["hidden"].diagnoses == ()
    assert found["neither"].diagnoses != () or found["neither"].workings != ()


def test_only_the_wrong_items_of_a_list_are_accused() -> None:
    one = judged(
        "{network: vgg16, value: [77.7, 13, 6], "
        "calculate: \"[top1_accuracy(network), count(network, 'conv2d'), count(network, 'max_pool2d')]\"}"
    )
    assert [str(part.verdict) for part in one.parts] == ["not calculated", "right", "wrong"]
    assert (claimed(one), calculated(one)) == ("6", "5")


@pytest.mark.parametrize(
    ("written", "verdict"),
    [("60M", "right"), ("62M", "right"), ("61M", "wrong"), ("60.0M", "wrong"), ("50M", "wrong"), ("100M", "wrong")],
)
def test_a_rounded_figure_is_judged_by_its_own_precision(written: str, verdict: str) -> None:
    """AlexNet has 62,378,344 parameters."""
    assert str(judged(f"{{network: alexnet, quantity: params, value: {written}}}").verdict) == verdict


MANY = [f"{{network: vgg16, input: {side}x{side}x3, quantity: params, value: {side}}}" for side in range(224, 264)]


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "some_unreached", "some_unexplained"), [
    (10**9, False, False), (300_000, False, True), (20_000, True, True),
])  # fmt: skip
def test_the_work_on_a_file_is_bounded(
    monkeypatch: pytest.MonkeyPatch, steps: int, some_unreached: bool, some_unexplained: bool
) -> None:
    monkeypatch.setattr("archcalc.teach.audit.networks.MOST_STEPS", steps)
    found = audited(*MANY[: 3 if steps == 10**9 else None])
    assert (found.unreached > 0, found.unexplained > 0) == (some_unreached, some_unexplained)
    assert found.count(Verdict.NOT_CALCULATED) == found.unreached
    assert found.unexplained == sum(not one.workings for one in found.checked if one.verdict is Verdict.WRONG)
    assert ("the budget" in summary(found)) == (some_unreached or some_unexplained)


def test_faults_of_many_claims_end_early() -> None:
    with pytest.raises(SpecError) as refusal:
        audited(*["{network: vgg16, layer: none, quantity: params, value: 1}"] * 200)
    assert len(refusal.value.problems) == 50


# --- one verdict on one claim


def verdict_on(quantity: str, layer: str, written: str, network: str = "vgg16") -> str:
    plain = written.startswith("[") or ("." in written and written.replace(".", "").replace("e", "").isdigit())
    value = written if plain else json.dumps(written)
    text = f"claims: [{{network: {network}, layer: {layer}, quantity: {quantity}, value: {value}}}]"
    (one,) = check_claims(read_claims(parse_source(text, "claims.yaml"))).checked
    return str(one.verdict)


@pytest.mark.parametrize(
    ("network", "quantity", "written", "verdict", "says"),
    [
        ("vit_b_16", "multiplications", "17.5G", "wrong", "Cut off instead of rounded"),
        ("alexnet", "params", "62.5M", "wrong", ""),
        ("alexnet", "params", "62.3M", "wrong", "Cut off instead of rounded"),
        ("resnet18", "multiplications", "3.63 GFLOPs", "right", ""),
        ("resnet18", "multiplications", "3.63G", "wrong", "twice the right number"),
    ],
)
def test_rounded_totals_are_judged_as_in_check(
    network: str, quantity: str, written: str, verdict: str, says: str
) -> None:
    text = f'claims: [{{id: a, network: {network}, quantity: {quantity}, value: "{written}"}}]'
    (one,) = check_claims(read_claims(parse_source(text, "claims.yaml"))).checked
    (cell,) = check_answers(READER.analysis(network), [Answer("total", quantity, written)]).cells
    assert str(one.verdict) == str(cell.verdict) == verdict
    assert says.lower() in " ".join(found.explanation for found in one.diagnoses).lower()


@pytest.mark.parametrize("written", SHAPES)
def test_check_and_audit_give_one_verdict_on_a_shape(written: str) -> None:
    (cell,) = check_answers(
        READER.analysis("vgg16"), [Answer("conv1_1", "output_shape", written.replace("null", "None"))]
    ).cells
    assert str(cell.verdict) == verdict_on("output_shape", "conv1_1", written)
    assert (cell.verdict is CellVerdict.WRONG) == (written in WRONG_SHAPES)


@pytest.mark.parametrize(
    ("network", "layer", "quantity", "written", "verdict"),
    [
        ("vgg16", "pool4", "receptive_field", "100x100", "right"),
        ("vgg16", "pool4", "receptive_field", "(100, 100)", "right"),
        ("vgg16", "pool4", "receptive_field", "100", "right"),
        ("vgg16", "pool4", "receptive_field", "100х101", "wrong"),
        ("vgg16", "conv1_2", "kernel_size", "3x3", "right"),
        ("vgg16", "conv1_2", "kernel_size", "[3, 3]", "right"),
        ("vgg16", "conv1_2", "stride", "(1, 1)", "right"),
        ("vgg16", "conv1_2", "kernel_size", "3x5", "wrong"),
        ("vgg16", "conv1_1", "weights_shape", "[64, 3, 3, 3]", "right"),
        ("alexnet", "conv2", "weights_shape", "(256, 96, 5, 5)", "right"),
        ("alexnet", "conv2", "weights_shape", "5x5x256x96", "wrong"),
        ("mobilenet", "conv4_1/sep/bn", "weights_shape", "256", "right"),
        ("mobilenet", "conv4_1/sep/bn", "weights_shape", "0", "wrong"),
        ("alexnet", "conv2", "input_shape", "(96, 27, 27)", "right"),
        ("alexnet", "conv2", "input_shape", "96@27x27", "right"),
        ("alexnet", "conv2", "input_shape", "96@27x28", "wrong"),
        ("alexnet", "fc6", "output_shape", "1x1x4096", "right"),
        ("alexnet", "fc6", "output_shape", "(None, 4096)", "right"),
        ("alexnet", "conv2", "params", "5x5x96x256 + 256", "right"),
        ("alexnet", "conv2", "weights", "5*5*96*256", "right"),
        ("alexnet", "conv2", "multiplications", "4.479e8", "right"),
        ("alexnet", "conv2", "multiplications", "4.489e8", "wrong"),
        ("unet", "contract1/conv1/conv", "output_shape", "64@570²", "right"),
        ("resnet18", "conv1/conv", "output_shape", "(N, 64, 112, 112)", "right"),
        ("c3d", "conv1a", "output_shape", "(None, 64, 16, 112, 112)", "right"),
        ("m5", "conv1/conv", "output_shape", "[-1, 128, 8000]", "right"),
    ],
)
def test_claims_as_people_write_them(network: str, layer: str, quantity: str, written: str, verdict: str) -> None:
    assert verdict_on(quantity, layer, written, network) == verdict


def test_a_shape_that_cannot_be_read_is_a_fault_of_the_file() -> None:
    with pytest.raises(SpecError, match=r"claims.yaml:1:.*cannot be read as a shape"):
        verdict_on("output_shape", "conv1_1", "as before")


@pytest.mark.parametrize(
    ("network", "expression", "value", "verdict"),
    [
        ("vgg11", "9.2M + 123.6M", "132.9M", "right"),
        ("vgg11", "9.2M + 123.6M", "133.4M", "wrong"),
        (
            "vgg16",
            "1792+36928+73856+147584+295168+590080*2+1180160+2359808*5+102764544+16781312+4097000",
            "138.4M",
            "right",
        ),
        ("lenet5", "156 + 2.416 + 48.120 + 10.164 + 850", "61.706", "right"),
    ],
)
def test_sums_are_read_as_check_reads_them(network: str, expression: str, value: str, verdict: str) -> None:
    text = f"claims: [{{network: {network}, quantity: params, expression: {json.dumps(expression)}, value: '{value}'}}]"
    (one,) = check_claims(read_claims(parse_source(text, "claims.yaml"))).checked
    assert str(one.verdict) == verdict
    total = check_total(READER.analysis(network), "params", f"{expression} = {value}")
    assert total.is_right == (verdict == "right")
