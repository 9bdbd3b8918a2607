"""What slides say: the numbers are those of the analysis, the sources are there, nothing is left out unsaid."""

from __future__ import annotations

import re
from functools import cache

import pytest

from archcalc.core.errors import UsageError
from archcalc.core.language import LANGUAGES, say, use, without_isolates
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.decks.animation import Target, clicks
from archcalc.render.decks.deck import make_deck, usual_plan
from archcalc.render.decks.layout import grid, table_shapes
from archcalc.render.decks.lecture import Architecture, Wanted
from archcalc.render.decks.network import (
    SlideLook,
    architecture,
    derivation,
    interesting_layers,
    table,
    usual_blocks,
)
from archcalc.render.decks.several import comparison, questions, quiz, sources_slides, timeline
from archcalc.render.decks.slides import BELOW, BODY, Area, Deck, Slide, Table
from archcalc.render.diagrams.drawing import Text
from archcalc.render.diagrams.text import text_width
from archcalc.render.diagrams.theme import LIGHT
from archcalc.spec.catalogue import load
from tests.core.messages import TRANSLATED
from tests.tiers import slow_but


@cache
def analysis_of(name: str) -> Analysis:
    return analyse(load(name))


@cache
def deck_of(*names: str, steps: bool = False) -> Deck:
    return make_deck(usual_plan([analysis_of(name) for name in names]), steps=steps)


def slides(deck: Deck, part: str) -> list[Slide]:
    return [slide for slide in deck.slides if part in slide.title]


@pytest.mark.parametrize(
    ("names", "title"),
    [
        (("lenet5",), "LeNet-5"),
        (("lenet5", "alexnet", "vgg16"), "LeNet-5, AlexNet and VGG-16"),
        (("lenet5", "alexnet", "zfnet", "vgg16", "unet"), "LeNet-5 to U-Net: 5 networks"),
    ],
)
def test_the_title_names_the_networks_that_it_can_hold(names: tuple[str, ...], title: str) -> None:
    assert usual_plan([analysis_of(name) for name in names]).title == title


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("ru", "От LeNet-5 до U-Net: 5 сетей"),
        ("he", "מ־LeNet-5 עד U-Net: 5 רשתות"),
        ("hy", "LeNet-5-ից մինչև U-Net՝ 5 ցանց"),
    ],
)
def test_the_title_counts_the_networks_in_the_language(name: str, title: str) -> None:
    use(name)
    try:
        networks = [analysis_of(each) for each in ("lenet5", "alexnet", "zfnet", "vgg16", "unet")]
        assert without_isolates(usual_plan(networks).title) == title
    finally:
        use("en")


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize("name", ["unet", "unet_3d", "pix2pix"])
@pytest.mark.parametrize("spoken", ["en", *TRANSLATED])
def test_a_network_in_the_shape_of_a_u_is_drawn_as_one(spoken: str, name: str, steps: bool) -> None:
    """However long the words of a language are."""
    use(spoken)
    try:
        slide = architecture(analysis_of(name), SlideLook(LIGHT, steps), None, None, None)
        assert slide.about.endswith(say("Maps shrink down the left arm of a U and grow up the right one."))
        assert max(item.step for item in slide.items) > 10
    finally:
        use("en")


def test_a_network_gets_the_usual_slides() -> None:
    assert [(slide.kind, slide.title) for slide in deck_of("lenet5").slides] == [
        ("title", "LeNet-5"),
        ("picture", "LeNet-5"),
        ("table", "LeNet-5: the layers"),
        ("picture", "LeNet-5: C3, derived"),
        ("picture", "LeNet-5: C5, derived"),
        ("picture", "LeNet-5: where it spends"),
        ("picture", "LeNet-5: what is alive while it runs"),
        ("quiz", "Quiz"),
        ("points", "Sources"),
    ]


def test_the_table_is_that_of_the_analysis() -> None:
    shown = slides(deck_of("lenet5"), "the layers")[0].table
    assert shown is not None
    assert shown.heads == ("layer", "operation", "output", "params", "multiplications", "stored", "receptive field")
    assert shown.rows[1][:5] == ("C1", "conv 5×5, 6", "28×28×6", "156", "117,600")
    # The sum of the hand calculation in the notes: 156 + 2,416 + 48,120 + 10,164 + 850.
    assert shown.rows[-1][3] == "61,706"
    assert shown.total


@pytest.mark.parametrize("name", slow_but(["alexnet", "resnet50"], ["alexnet", "resnet50", "densenet201", "gpt2"]))
def test_no_row_of_a_long_table_is_lost(name: str) -> None:
    found = table(analysis_of(name), ["layer", "params", "multiplications"])
    cells = [row for slide in found if slide.table for row in slide.table.rows]
    sums = [sum(int(row[at].replace(",", "").replace("–", "0")) for row in cells[:-1]) for at in (1, 2)]
    totals = analysis_of(name).totals
    assert sums == [totals.params, totals.multiplications]
    assert cells[-1] == ("total", f"{totals.params:,}", f"{totals.multiplications:,}")
    assert len(found) <= 3


def test_derivations_are_written_out() -> None:
    slide = slides(deck_of("alexnet"), "conv2, derived")[0]
    text = " ".join(shape.text for item in slide.items for shape in item.shapes if isinstance(shape, Text))
    assert "(27 − 5 + 2·2)/1 + 1 = 26/1 + 1 = 27" in text
    assert "2401·256 = 614,656" in text
    assert slide.subtitle == "256 filters of 5×5×96, stride 1, padding 2; input 27×27×96"
    assert "F = 5: " in slide.notes[0]


def test_a_derivation_fills_its_slide() -> None:
    for layer in ("conv1", "pool5", "fc8"):
        (slide,) = derivation(analysis_of("alexnet"), layer, None, SlideLook(LIGHT, False))
        texts = [shape for item in slide.items for shape in item.shapes if isinstance(shape, Text)]
        assert max(shape.size for shape in texts) >= 20
        assert BELOW.height * 0.8 <= max(shape.y for shape in texts) <= BELOW.y + BELOW.height


@pytest.mark.parametrize("name", TRANSLATED)
def test_letters_are_told_in_the_language(name: str) -> None:
    use(name)
    try:
        for network, layer in (("alexnet", "conv1"), ("googlenet", "inception_3a/concat1"), ("unet", "expand1/up")):
            letters = derivation(analysis_of(network), layer, None, SlideLook(LIGHT, False))[0].notes[0]
            assert re.findall("[a-z]{3,}", letters) == []
    finally:
        use("en")


def test_what_is_interesting_is_where_the_network_spends() -> None:
    assert interesting_layers(analysis_of("alexnet")) == ["conv2", "fc6"]
    rows = analysis_of("alexnet").by_name
    assert rows["conv2"].multiplications == max(row.multiplications or 0 for row in rows.values())
    assert rows["fc6"].params == max(row.params for row in rows.values())


def test_blocks_that_come_often_are_looked_at() -> None:
    assert usual_blocks(analysis_of("lenet5")) == []
    assert usual_blocks(analysis_of("googlenet")) == ["inception_3a"]
    # Units with their shortcuts, neither a convolution with its batch norm nor a stage of units.
    assert usual_blocks(analysis_of("resnet18")) == ["conv2_x/unit1"]
    assert usual_blocks(analysis_of("inception_v4")) == ["inception_a1"]


def test_notes_name_the_source_and_the_printed_figures() -> None:
    notes = " ".join(slides(deck_of("alexnet"), "AlexNet")[1].notes)
    assert (
        "Krizhevsky, Sutskever & Hinton: ImageNet Classification with Deep Convolutional Neural Networks. NIPS" in notes
    )
    assert "Reported parameters: 60 million" in notes
    assert "computed 62,378,344" in notes


def test_a_note_is_on_the_first_slide_that_has_it() -> None:
    """The source of a network is on its first slide alone; what a lecturer writes is on every slide that has it."""
    notes = [note for slide in deck_of("lenet5").slides for note in slide.notes]
    assert len(notes) == len(set(notes))
    assert sum(note.startswith("Source: LeCun") for note in notes) == 1


def test_answers_stand_in_the_notes_only() -> None:
    slide = deck_of("lenet5", "alexnet").slides[-2]
    assert (slide.kind, len(slide.points)) == ("quiz", 4)
    assert slide.points[0].startswith("LeNet-5, C1: 6 filters of 5×5×1")
    assert slide.points[0].endswith("How many parameters does it have?")
    # 6·(5·5·1 + 1)
    assert slide.notes[0].endswith("= 26·6 = 156")
    assert "156" not in " ".join(slide.points)


@pytest.mark.parametrize("count", [1, 4, 12])
def test_a_quiz_has_as_many_questions_as_are_wanted_each_once(count: int) -> None:
    asked = questions([analysis_of("alexnet"), analysis_of("resnet50")], count)
    assert len({one.question for one in asked}) == len(asked) == count


def test_a_small_network_has_no_more_questions_than_layers() -> None:
    asked = questions([analyse(load("8x8x3 -> conv3-4 -> fc2"))], 12)
    assert len(asked) == 2


def test_networks_are_compared_and_their_steps_have_reasons() -> None:
    deck = deck_of("lenet5", "alexnet")
    shown = slides(deck, "Side by side")[0].table
    assert shown is not None
    assert [row[:3] for row in shown.rows] == [("LeNet-5", "1998", "32×32×1"), ("AlexNet", "2012", "227×227×3")]
    steps = slides(deck, "What each step brought")[0]
    assert "2012 AlexNet: LeNet's pattern at the scale of ImageNet" in steps.about
    words = " ".join(shape.text for item in steps.items for shape in item.shapes if isinstance(shape, Text))
    assert "Follows LeNet-5." in words


@pytest.mark.parametrize("names", slow_but(["lenet5"], ["lenet5", "vgg16 resnet50", "googlenet unet gpt2"]))
def test_everything_lies_on_the_slide(names: str) -> None:
    for slide in deck_of(*names.split()).slides:
        for item in slide.items:
            for shape in item.shapes:
                if isinstance(shape, Text) and not shape.turned:
                    width = text_width(shape.text, shape.size, shape.bold)
                    left = shape.x - {"start": 0.0, "middle": width / 2, "end": width}[shape.anchor]
                    assert left > -6, (slide.title, shape)
                    assert left + width < BODY.width + 6, (slide.title, shape)
                    assert shape.y < BODY.height + 6, (slide.title, shape)


@pytest.mark.slow
def test_texts_that_nobody_can_read_are_reported() -> None:
    unet = analysis_of("unet")
    graph = Wanted("architecture", Architecture.model_validate({"network": "unet", "style": "graph"}), (unet,))
    remarks = make_deck(usual_plan([unet])._replace(slides=(graph,))).remarks
    assert any("U-Net: the smallest text is" in remark for remark in remarks)
    # Left to itself, a picture has texts that can be read.
    for name in ("unet", "vgg16", "googlenet", "resnet50"):
        assert deck_of(name).remarks == ()
    assert deck_of("lenet5").remarks == ()


@pytest.mark.parametrize("columns", [2, 9])
def test_a_table_is_fitted_into_its_area(columns: int) -> None:
    area = Area(0, 0, 600, 300)
    row = tuple(f"a rather long text for column {number}" for number in range(columns))
    shown = grid(Table(row, (row,) * 9, (False,) * columns), area)
    assert shown.width <= area.width + 1
    texts = [shape for shape in table_shapes(shown, area, LIGHT).shapes if isinstance(shape, Text)]
    lines = [text.split("\n") for row in shown.rows for text in row]
    assert [shape.text for shape in texts] == [line for text in lines for line in text]
    assert max(shape.x + text_width(shape.text, shape.size, shape.bold) for shape in texts) <= area.width


def test_what_appears_first_is_there_from_the_start() -> None:
    assert clicks([(0, Target(1)), (1, Target(2)), (2, Target(3)), (5, Target(4)), (2, Target(5))]) == [
        [Target(3), Target(5)],
        [Target(4)],
    ]
    assert clicks([(0, Target(1))]) == []
    many = clicks([(step, Target(step)) for step in range(1, 302)])
    assert len(many) == 60
    assert sorted(target.shape for group in many for target in group) == list(range(2, 302))


def test_wrong_choices() -> None:
    with pytest.raises(UsageError, match="no theme 'pink'"):
        make_deck(usual_plan([analysis_of("lenet5")]), "pink")
    with pytest.raises(UsageError, match="needs a lecture"):
        usual_plan([])


@pytest.mark.parametrize(("count", "sizes"), [(4, [4]), (5, [2, 3]), (12, [4, 4, 4])])
def test_a_quiz_goes_on_over_slides_with_its_numbers(count: int, sizes: list[int]) -> None:
    found = list(quiz("", questions([analysis_of("alexnet"), analysis_of("resnet50")], count)))
    assert [len(slide.points) for slide in found] == sizes
    assert [slide.first for slide in found] == [1 + sum(sizes[:place]) for place in range(len(sizes))]
    numbers = [int(note.split(":")[0].removeprefix("Answer ")) for slide in found for note in slide.notes]
    assert numbers == list(range(1, count + 1))


def test_papers_are_spread_evenly() -> None:
    names = ("lenet5", "alexnet", "zfnet", "nin", "vgg16", "googlenet", "resnet50", "mobilenet", "unet")
    assert [len(slide.points) for slide in sources_slides("", [analysis_of(name) for name in names])] == [4, 5]


def test_a_wide_table_has_heads_in_two_lines_and_fills_its_slide() -> None:
    wide = Table(tuple(f"a rather long heading {n}" for n in range(7)), (("1",) * 7,) * 6, (True,) * 7)
    shown = grid(wide, BODY)
    assert [text.count("\n") for text in shown.table.heads] == [1] * 7
    assert shown.size > 11
    assert 0.5 * BODY.height < sum(shown.heights) <= BODY.height


def test_of_a_table_that_is_too_wide_only_words_are_cut() -> None:
    names = ("a_name_without_any_space_that_is_long", "227×227×3", "1,234,567,890")
    wide = Table(("heading_without_any_space",) * 9, (names * 3,) * 4, (False, False, True) * 3)
    shown = grid(wide, Area(0, 0, 640, 300))
    assert shown.width <= 641
    assert [row[1:3] for row in shown.table.rows] == [names[1:]] * 4
    assert "…" in shown.table.rows[0][0]
    assert "…" in shown.table.heads[0]


@pytest.mark.parametrize("name", LANGUAGES)
def test_nothing_of_a_comparison_or_a_derivation_is_cut(name: str) -> None:
    networks = [analysis_of(one) for one in ("lenet5", "alexnet@grouped", "googlenet", "resnet50")]
    use(name)
    try:
        compared = comparison(networks, SlideLook(LIGHT))[0].table
        assert compared is not None
        shown = grid(compared, BODY)
        derived = [
            slide
            for one in networks[:2]
            for slide in derivation(one, interesting_layers(one)[0], None, SlideLook(LIGHT))
        ]
    finally:
        use("en")
    texts = [text for row in shown.rows for text in row]
    shapes = [shape for slide in derived for item in slide.items for shape in item.shapes]
    texts += [shape.text for shape in shapes if isinstance(shape, Text)]
    assert [text for text in texts if "…" in text] == []
    assert shown.size >= 10.5
    assert sum(shown.heights) <= BODY.height


def test_steps_of_a_long_timeline_are_spread_evenly() -> None:
    names = ("lenet5", "alexnet", "zfnet", "nin", "vgg16", "googlenet", "resnet50", "xception", "mobilenet", "unet")
    use("ru")
    try:
        parts = [
            slide.about.count("; ")
            for slide in timeline([analysis_of(name) for name in names], SlideLook(LIGHT, False))[1:]
        ]
        texts = " ".join(
            shape.text for slide in timeline([analysis_of(name) for name in names], SlideLook(LIGHT, False))[1:]
            for item in slide.items for shape in item.shapes if isinstance(shape, Text)
        )  # fmt: skip
    finally:
        use("en")
    assert max(parts) - min(parts) <= 1
    # The reasons of the lecture's networks are in the language of the lecture.
    assert not re.search(r"convolutions|Depthwise|Inception taken", texts)


def test_blocks_of_a_picture_are_put_together_only_as_far_as_texts_need_it() -> None:
    """On the part of a slide that a picture has; what is left of it is not taken off twice."""
    slide = slides(deck_of("googlenet"), "GoogLeNet (Inception v1)")[1]
    boxes = {item.owner for item in slide.items if item.role == "node"}
    assert {f"inception_{name}" for name in ("3a", "4a", "4e", "5b")} <= boxes
    smallest = min(shape.size for item in slide.items for shape in item.shapes if isinstance(shape, Text))
    assert smallest >= 9 - 0.05


def test_names_in_questions_are_set_apart_in_hebrew() -> None:
    """Else a name, a layer and the number after it are one run from left to right."""
    use("he")
    try:
        asked = questions([analysis_of("lenet5")], 1)[0].question
    finally:
        use("en")
    assert asked.startswith("\u2066LeNet-5\u2069, \u2066C1\u2069: \u20666\u2069 ")
