"""Diagnoses of single cells: what is found, what is not reported, and that right answers are never called wrong."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archcalc
from archcalc.core.quantities import QUANTITIES
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.params import count_params
from archcalc.passes.shapes import ShapedLayer
from archcalc.spec.catalogue import variants_in_catalogue
from archcalc.teach.check.diagnose import Situation, diagnose
from archcalc.teach.check.expected import derivations, expected
from archcalc.teach.check.mistakes import formulas
from archcalc.teach.check.model import CHECKED, TOTAL, Diagnosis
from archcalc.teach.check.search import LARGEST_CHANCE, tables_of
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.statements import read_statement
from archcalc.teach.reading.typos import describe_typo, mistyped, rounded
from tests.networks import numbers, one_of_each
from tests.tiers import slow_but

COUNTS = ("params", "weights", "biases", "multiplications", "activations", "activation_bytes")


@cache
def analysed(name: str) -> Analysis:
    return archcalc.analyse(archcalc.load(name))


def why(network: str, layer: str, quantity: str, text: str) -> tuple[Diagnosis, ...]:
    return diagnose(Situation(analysed(network), layer, quantity), read_statement(text, quantity)[0])


def ids(found: tuple[Diagnosis, ...]) -> list[tuple[int, str]]:
    return [(one.rank, one.mistake) for one in found]


def exactly(value: int) -> Stated:
    return Stated(str(value), Fraction(value), Fraction(value), Fraction(value))


def other_rows(analysis: Analysis) -> list[Row]:
    """One row of each size."""
    return list({(row.op.kind, row.input_shapes, row.output_shape, row.params): row for row in analysis.rows}.values())


# --- what is found

ONE = [
    # network, layer, quantity, written, the best diagnosis, and what its explanation says
    ("alexnet", "conv4", "params", "(3*3*256+1)*384", "wrong_input_channels", "conv3's output, which is 384 deep"),
    ("zfnet", "conv2", "params", "307,456", "wrong_input_channels", "half the input depth, as in a filter of two"),
    ("alexnet", "conv2", "params", "307,456", "other_variant", "Right for conv2 of alexnet@grouped"),
    ("alexnet", "fc6", "params", "(256+1)*4096", "wrong_input_channels", "fc6 reads 6×6×256 = 9,216 values"),
    ("vgg16", "fc6", "params", "(14*14*512 + 1)*4096", "wrong_input_channels", "the map that pool5 reads, 14×14×512"),
    ("vit_b_16", "encoder2/fc1", "params", "464,784,384", "wrong_input_channels", "the values of all 197 positions"),
    ("alexnet", "fc7", "params", "37,752,832", "repeat_count", "the number of fc6"),
    ("vgg16", "conv4_2", "params", "3*2359808", "repeat_count", "3 layers of this size in one"),
    ("alexnet", "conv4", "params", "(3*3*200+1)*384", "wrong_input_channels", "200 stands where 384 belongs"),
    ("alexnet", "conv2", "multiplications", "27*27*(5*5*96+1)*256", "added_bias", "no multiplication"),
    ("alexnet", "conv2", "multiplications", "25*25*256*2400", "padding_once", "(27 − 5 + 2)/1 + 1 = 25 positions"),
    ("unet", "expand1/up", "multiplications", "392*392*64*2*2*128", "positions_of_input", "each position of its input"),
    ("lenet5@1998", "C3", "params", "2416", "wrong_input_channels", "By its connection table each reads only some"),
    ("alexnet", "relu1", "activations", "290400", "repeat_count", "relu1 works in place"),
    ("alexnet", "conv1", "activation_bytes", "290400", "unit", "Values, not bytes"),
    ("alexnet", "conv1", "activation_bytes", "139776", "unit", "the memory of conv1's parameters"),
    ("alexnet", "conv1", "activation_bytes", "1.16 MiB", "unit", "A number of MB that is called MiB"),
    ("alexnet", "fc6", "params", "37.7M", "floor_ceil", "Cut off instead of rounded"),
    ("alexnet", "pool1", "output_shape", "27x27x256", "wrong_input_channels", "96 in, 96 out"),
    ("alexnet", "conv2", "output_shape", "27x27x96", "forgot_output_channels", "the depth of the input"),
    ("alexnet", "fc6", "output_shape", "9216", "forgot_output_channels", "6·6·256"),
    ("resnet50", "conv2_x/unit1/add1", "output_shape", "56x56x512", "sum_of_parts", "256 + 256"),
    ("unet", "contract1/conv1/conv", "output_shape", "572x572x64", "added_padding", "padded by 1 on each side"),
    ("alexnet", "conv2", "receptive_field", "23", "forgot_stride", "8 pixels apart"),
    ("alexnet", "conv2", "receptive_field", "59x59", "forgot_plus_one", "19 + 5·8"),
    ("alexnet", "conv2", "receptive_field", "5", "sum_of_parts", "The window of conv2 alone"),
    ("alexnet", "fc6", "receptive_field", "227x227", "forgot_padding", "Cut off at the edge of the input"),
    ("alexnet", TOTAL, "params", "61,935,976", "wrong_input_channels", "(3·3·256 + 1)·384 = 885,120 for conv4"),
    ("alexnet", TOTAL, "params", "62367776", "forgot_bias", "In all 8 layers"),
    ("alexnet", TOTAL, "multiplications", "2270512192", "factor_two", "twice"),
    ("vgg16", TOTAL, "activation_bytes", "58.13 MB", "unit", "A number of MiB that is called MB"),
    ("vgg16", TOTAL, "activations", "138357544", "unknown", "15,237,608"),
    ("resnet50", TOTAL, "params", "25610152", "counted_running_statistics", "In all 53 layers"),
    ("resnet50", TOTAL, "params", "25503912", "forgot_batch_norm", "In all 53 layers"),
    ("coatnet_0", TOTAL, "params", "25023124", "forgot_batch_norm", "In all 16 layers"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "layer", "quantity", "written", "mistake", "says"), ONE)
def test_one_mistake(network: str, layer: str, quantity: str, written: str, mistake: str, says: str) -> None:
    best = why(network, layer, quantity, written)[0]
    assert best.mistake == mistake, best
    assert says in best.explanation


PAIRS = [
    ("alexnet", "conv4", "params", "3*3*256*384", {"forgot_bias", "wrong_input_channels"}),
    ("alexnet", "conv5", "params", "13*13*384*256", {"forgot_bias", "map_size_as_kernel"}),
    ("alexnet@grouped", "conv2", "params", "5*5*96*256", {"forgot_bias", "forgot_groups"}),
    ("alexnet", "conv2", "multiplications", "23*23*614656", {"added_bias", "forgot_padding"}),
    ("resnet50", TOTAL, "params", "25636712", {"other_variant", "counted_running_statistics"}),
    ("alexnet", "conv2", "output_shape", "23x23x96", {"forgot_padding", "forgot_output_channels"}),
]


@pytest.mark.parametrize(("network", "layer", "quantity", "written", "mistakes"), PAIRS)
def test_two_mistakes(network: str, layer: str, quantity: str, written: str, mistakes: set[str]) -> None:
    best = [one for one in why(network, layer, quantity, written) if one.rank == 0]
    assert {one.mistake for one in best} == mistakes
    assert len({one.explanation for one in best}) == 1


def test_two_mistakes_are_explained_one_after_the_other() -> None:
    assert why("alexnet", "conv4", "params", "884736")[0].explanation == (
        "Your number is exactly 3·3·256·384, by two mistakes. First: the bias is missing. Each of the 384 filters has "
        "one. Second: conv3's input depth. conv4 reads conv3's output, which is 384 deep."
    )


@pytest.mark.parametrize(
    ("written", "mistake"),
    [
        ("3*256*384", "unknown"),  # a bias for each slice and no window: 384·384 + 384·384
        ("294912", "bias_per_weight"),
        ("9*256*384", "forgot_bias"),
        ("2304*384+384", "wrong_input_channels"),
        ("3*3*98688", "bias_per_weight"),
        ("9*98304+384", "wrong_input_channels"),
    ],
)
def test_an_explanation_has_the_numbers_that_were_written(written: str, mistake: str) -> None:
    assert why("alexnet", "conv4", "params", written)[0].mistake == mistake


@pytest.mark.parametrize(
    ("network", "quantity"),
    [("alexnet", "params"), ("alexnet", "multiplications"), ("vgg16", "params"), ("resnet50", "multiplications")],
)
def test_the_total_of_a_variant_is_one_mistake(network: str, quantity: str) -> None:
    for name in variants_in_catalogue(network):
        value = QUANTITIES[quantity].sum_of(analysed(name).rows)
        if value != QUANTITIES[quantity].sum_of(analysed(network).rows):
            found = why(network, TOTAL, quantity, str(value))
            assert len({one.rank for one in found}) == len(found), found
            assert "counted_running_statistics" not in {one.mistake for one in found if network in ("alexnet", "vgg16")}


def test_alternatives_come_after_the_best() -> None:
    found = why("alexnet", "conv1", "output_shape", "54x54x96")
    assert ids(found) == [(0, "forgot_plus_one"), (1, "other_input")]


def test_written_calculation_decides_between_alternatives() -> None:
    """884,992 + 640 is one number; how it was written says what was meant."""
    assert why("vgg16", "conv3_2", "params", "1180160")[0].mistake == "factor_two"
    assert why("vgg16", "conv3_1", "multiplications", "56*56*256*3*3*256")[0].mistake == "wrong_input_channels"
    assert why("vgg16", "conv3_1", "multiplications", "2*56*56*256*3*3*128")[0].mistake == "factor_two"


def test_earlier_map_that_was_not_asked_for() -> None:
    found = why("alexnet", "fc6", "params", "(5*5*256+1)*4096")
    both = [one for one in found if one.mistake != "carried_forward"]
    assert "carried_forward" in [one.mistake for one in found]
    assert both[0].layer != "fc6"
    assert both[0].quantity == "output_shape"


def test_place_of_a_mistake_with_positions_is_the_shape() -> None:
    (best, *_) = why("alexnet", "conv2", "multiplications", "23*23*256*2400")
    assert (best.mistake, best.layer, best.quantity) == ("forgot_padding", "conv2", "output_shape")


def test_half_of_a_shape() -> None:
    found = why("alexnet", "conv2", "output_shape", "23x23x200")
    assert found[0].mistake == "forgot_padding"
    assert found[-1].mistake == "unknown"
    assert "this depth" in found[-1].explanation


def test_row_on_the_inputs_of_a_student() -> None:
    """A mistake is looked for on the shapes that the student had."""
    analysis = analysed("alexnet")
    right = analysis["fc6"]
    shaped = ShapedLayer(analysis.graph.layers[analysis.graph.index["fc6"]], right.op, ((256, 5, 5),), (4096,), 0)
    row = right._replace(input_shapes=shaped.inputs, params=count_params(shaped).params)
    assert row.params == (5 * 5 * 256 + 1) * 4096
    assert diagnose(Situation(analysis, "fc6", "params", row), exactly(row.params)) == ()
    found = diagnose(Situation(analysis, "fc6", "params", row), exactly(5 * 5 * 256 * 4096))
    assert found[0].mistake == "forgot_bias"


# --- what is not reported


def test_of_a_rounded_number_that_is_right_there_is_nothing_to_say() -> None:
    assert not tuple(why("alexnet", TOTAL, "params", "60M"))


SILENT = [
    ("alexnet", "conv4", "params", "1,234,567"),
    ("alexnet", "conv4", "params", "0"),
    ("alexnet", "pool1", "multiplications", "629857"),
    ("alexnet", "relu1", "params", "97"),
    ("vgg16", TOTAL, "params", "137701672"),
    ("alexnet", "fc6", "output_shape", "1000x3"),
    ("alexnet", "conv2", "receptive_field", "43"),
]


@pytest.mark.parametrize(("network", "layer", "quantity", "written"), SILENT)
def test_nothing_fits(network: str, layer: str, quantity: str, written: str) -> None:
    (found,) = why(network, layer, quantity, written)
    assert found.mistake == "unknown"
    assert found.explanation.startswith("None of the usual mistakes gives this number.")


def test_what_a_layer_does_instead() -> None:
    (found,) = why("alexnet", "pool1", "multiplications", str(8 * 27 * 27 * 96))
    assert found.mistake == "unknown"
    assert found.explanation.endswith("neither a convolution nor a dense layer. pool1 makes so many comparisons.")


#: Of each kind of layer one; the slow tier takes the whole catalogue.
FEW = ("lenet5@1998", "alexnet@grouped", "mobilenet", "unet", "resnet18", "blocks/inception_naive")


@pytest.mark.parametrize("name", slow_but(FEW, one_of_each()))
def test_right_answers_are_never_accused(name: str) -> None:
    """Every layer of every network, and the formulas that mistakes are made from give the right numbers."""
    analysis = archcalc.analyse(archcalc.load(name))
    network = tables_of(analysis).network
    for row in other_rows(analysis):
        for quantity in CHECKED:
            value = expected(row, analysis, quantity)
            if value is None:
                continue
            if quantity in COUNTS:
                assert formulas.right(network.context(row), quantity).value == value, (row.name, quantity)
                assert isinstance(value, int)
                stated = exactly(value)
            elif quantity == "output_shape":
                assert isinstance(value, tuple)
                stated = Stated("", shape=value, sides=value)
            else:
                assert isinstance(value, tuple)
                stated = Stated("", sides=value)
            assert diagnose(Situation(analysis, row.name, quantity), stated) == (), (row.name, quantity)
    for quantity in COUNTS:
        total = expected(None, analysis, quantity)
        assert isinstance(total, int)
        assert diagnose(Situation(analysis, TOTAL, quantity), exactly(total)) == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alexnet", "lenet5@1998", "unet", "resnet18", "mobilenet", "inception_v3"])
def test_derivations_give_what_is_expected(name: str) -> None:
    analysis = analysed(name)
    for row in other_rows(analysis):
        for quantity in CHECKED:
            found = [one.value for one in derivations(row, analysis, quantity)]
            value = expected(row, analysis, quantity)
            if isinstance(value, tuple) and quantity == "output_shape":
                value = (*value[1:], value[0])
            if quantity in ("weights", "biases"):
                continue  # parts of the parameters, which are derived as a whole
            if row.inputs or quantity != "receptive_field":
                assert found == (list(value) if isinstance(value, tuple) else [value])


def test_no_total_of_shapes() -> None:
    analysis = analysed("alexnet")
    assert expected(None, analysis, "output_shape") is None
    assert expected(None, analysis, "receptive_field") is None
    with pytest.raises(KeyError):
        expected(analysis["conv1"], analysis, "price")


def test_statement_of_another_kind() -> None:
    """A shape where a number belongs accuses nobody."""
    for quantity in COUNTS:
        (found,) = diagnose(
            Situation(analysed("alexnet"), "conv1", quantity), Stated("55x55", shape=(1, 55, 55), sides=(55, 55))
        )
        assert found.mistake == "unknown"


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["conv1", "fc6", "relu1", TOTAL])
@pytest.mark.parametrize("value", [Fraction(10) ** 5000, Fraction(-5), Fraction(1, 3), Fraction(10) ** 300])
def test_numbers_out_of_all_proportion(layer: str, value: Fraction) -> None:
    """Nothing is reported and nothing fails, for a shape of such sides either."""
    for quantity in COUNTS:
        stated = Stated("", value, value, value)
        (found,) = diagnose(Situation(analysed("alexnet"), layer, quantity), stated)
        assert found.mistake == "unknown"
    side = abs(int(value))
    for quantity in ("output_shape", "receptive_field") if layer != TOTAL else ():
        (found,) = diagnose(
            Situation(analysed("alexnet"), layer, quantity), Stated("", shape=(7, side, 3), sides=(side, 3, 7))
        )
        assert found.mistake == "unknown"
    if layer != TOTAL:
        stated = Stated("", value, value, value)
        (found,) = diagnose(Situation(analysed("alexnet"), layer, "receptive_field"), stated)
        assert found.mistake == "unknown"


def test_unknown_layer() -> None:
    with pytest.raises(KeyError):
        diagnose(Situation(analysed("alexnet"), "conv9", "params"), exactly(1))


@given(st.sampled_from(["alexnet", "vgg16", "googlenet", "resnet18"]), st.data())
def test_pairs_are_rarely_an_accident(name: str, data: st.DataObject) -> None:
    """Where a pair of mistakes is named, few pairs lie near its number."""
    analysis = analysed(name)
    row = data.draw(st.sampled_from([row for row in other_rows(analysis) if row.multiplications]))
    value = data.draw(st.integers(row.params // 2, 2 * row.params))
    found = diagnose(Situation(analysis, row.name, "params"), exactly(value))
    ranks = [one.rank for one in found]
    if any(ranks.count(rank) == 2 for rank in ranks) and all(one.mistake != "carried_forward" for one in found):
        index = tables_of(analysis).get((row.name, "params", row.input_shapes, row.output_shape, 2), AssertionError)
        assert index.chance(value, value) <= LARGEST_CHANCE  # type: ignore[attr-defined]  # the index of the pairs


# --- slips

SLIPS = [
    (34944, 34994, "one digit is mistyped, 9 for 4"),
    (34944, 39444, "two digits have changed places, 94 for 49"),
    (34944, 3494, "a digit is missing, the 4"),
    (34944, 349944, "a digit is doubled, the 9"),
    (34944, 34944, ""),
    (34944, 34855, ""),
    (7, 9, ""),
    (100, 10, "a digit is missing, the 0"),
    (12, 1234, ""),
]


@pytest.mark.parametrize(("right", "wrong", "words"), SLIPS)
def test_digit_slip(right: int, wrong: int, words: str) -> None:
    assert describe_typo(right, wrong) == words


@given(st.integers(10, 10**9), st.data())
def test_every_mistyped_digit_is_seen(value: int, data: st.DataObject) -> None:
    digits = str(value)
    place = data.draw(st.integers(1, len(digits) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    assert "mistyped" in describe_typo(value, int(digits[:place] + other + digits[place + 1 :]))


@given(st.integers(10, 10**6), st.integers(0, 10**7))
def test_slips_are_made_as_they_are_seen(value: int, other: int) -> None:
    assert all(describe_typo(value, made) for made in mistyped(value))
    assert (other in set(mistyped(value))) == bool(describe_typo(value, other))


@pytest.mark.parametrize(
    ("value", "digits", "expected_value"),
    [(290_400, 2, 290_000), (290_400, 3, 290_000), (290_500, 3, 291_000), (99_960, 3, 100_000), (96, 3, 96)],
)
def test_rounded(value: int, digits: int, expected_value: int) -> None:
    assert rounded(value, digits) == expected_value


# --- shared weights

SHARED = """\
  - conv_bn_relu: {name: one, out_channels: 4, kernel_size: 3, padding: 1}
  - conv_bn_relu: {name: two, out_channels: 4, kernel_size: 3, padding: 1, weights: one}
  - linear: {name: three, out_features: 10}
  - linear: {name: four, out_features: 10}
  - linear: {name: five, out_features: 10, weights: four}
"""


@pytest.mark.parametrize(
    ("layer", "quantity", "text", "reason"),
    [
        ("two/conv", "params", "144", "the weights of one/conv are counted again"),
        ("two/bn", "params", "2*4", "the weights of one/bn are counted again"),
        ("five", "params", "110", "the weights of four are counted again. five uses them and has none of its own"),
        ("five", "weights", "100", "the weights of four are counted again"),
        ("five", "biases", "10", "the weights of four are counted again"),
        (TOTAL, "params", str(144 + 8 + 2570 + 110 + 144 + 8 + 110), "Weights that layers share count once"),
    ],
)
def test_shared_weights_that_are_counted_again(layer: str, quantity: str, text: str, reason: str) -> None:
    analysis = numbers(SHARED)
    assert analysis.totals.params == 144 + 8 + 2570 + 110
    found = diagnose(Situation(analysis, layer, quantity), read_statement(text, quantity)[0])
    assert found[0].mistake == "repeat_count"
    assert reason in found[0].explanation


def test_shared_weights_counted_as_none_are_right() -> None:
    analysis = numbers(SHARED)
    for layer in ("two/conv", "two/bn", "five"):
        for quantity in ("params", "weights", "biases"):
            assert diagnose(Situation(analysis, layer, quantity), exactly(0)) == ()
    assert diagnose(Situation(analysis, TOTAL, "params"), exactly(2832)) == ()


def test_a_total_of_a_network_that_ends_with_a_convolution_is_diagnosed() -> None:
    analysis = archcalc.analyse(archcalc.load("8x8x3 -> conv3-8p1 nobias -> bn -> conv1-8 nobias"))
    (found, *_) = diagnose(Situation(analysis, TOTAL, "params"), exactly(216 + 8 + 64))
    assert found.mistake == "forgot_batch_norm"
