"""The language of lectures: what it takes, and where each fault is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from archcalc.core.errors import SpecError
from archcalc.core.shapes import parse_shape
from archcalc.passes.analysis import Analysis, analyse
from archcalc.render.decks.deck import make_deck
from archcalc.render.decks.lecture import KINDS, Plan, read_lecture
from archcalc.spec.catalogue import load
from archcalc.spec.source import parse_source


def _load(name: str, settings: Mapping[str, Any], size: str | None) -> Analysis:
    return analyse(load(name, settings, None if size is None else parse_shape(size)))


def lecture(text: str) -> Plan:
    return read_lecture(parse_source(text, "lecture.yaml"), _load)


#: A slide of each kind, and the titles of the slides that come of it.
EVERY = {
    "title": ("title", ["T"]),
    "section": ("section: Part one", ["Part one"]),
    "points": ("points: {title: P, points: [a, 7]}", ["P"]),
    "architecture": ("architecture: lenet5", ["LeNet-5"]),
    "block": ("block: {network: googlenet, block: inception_3a}", ["GoogLeNet (Inception v1): inception_3a"]),
    "table": ("table: {network: lenet5, columns: 'layer,params', title: Mine}", ["Mine"]),
    "derivation": ("derivation: {network: lenet5, layer: c1, quantities: [params]}", ["LeNet-5: C1, derived"]),
    "cost": ("cost: {network: mobilenet, set: {alpha: 0.5}, input: 160x160x3}", ["MobileNet: where it spends"]),
    "memory": ("memory: lenet5", ["LeNet-5: what is alive while it runs"]),
    "receptive_field": ("receptive_field: lenet5", ["LeNet-5: how far it sees"]),
    "comparison": ("comparison: [lenet5, alexnet]", ["Side by side", "What they cost"]),
    "timeline": ("timeline: [lenet5, alexnet]", ["The line of development", "What each step brought"]),
    "quiz": ("quiz: {questions: [{question: Why?, answer: Because.}]}", ["Quiz"]),
    "sources": ("sources", ["Sources"]),
}


def test_every_kind_is_tried_here() -> None:
    assert list(EVERY) == list(KINDS)


@pytest.mark.parametrize("kind", EVERY)
def test_every_kind_of_slide(kind: str) -> None:
    text, titles = EVERY[kind]
    deck = make_deck(lecture(f"title: T\nnetworks: [lenet5]\nslides:\n  - {text}\n"))
    assert [slide.title for slide in deck.slides] == titles


@pytest.mark.parametrize(
    "slide", ["table: {network: lenet5, columns: ", "derivation: {network: lenet5, layer: C1, quantities: "]
)
def test_names_are_a_list_or_a_text(slide: str) -> None:
    written, listed = (
        make_deck(lecture(f"title: T\nslides:\n  - {slide}{names}}}\n"))
        for names in ("'output, params'", "[output, params]")
    )
    assert written == listed


def test_settings_and_inputs_hold() -> None:
    plan = lecture("title: T\nslides:\n  - cost: {network: mobilenet, set: {alpha: 0.5}, input: 160x160x3}\n")
    assert plan.slides[0].analyses[0].totals.multiplications == 76_524_800


def test_a_note_of_the_lecture_may_come_again() -> None:
    slide = "  - points: {title: T, points: [a], notes: 'Ask them'}\n"
    assert [one.notes for one in make_deck(lecture(f"title: T\nslides:\n{slide}{slide}")).slides] == [("Ask them",)] * 2


def test_notes_of_the_lecture_come_first() -> None:
    deck = make_deck(lecture("title: T\nslides:\n  - architecture: {network: lenet5, notes: 'Ask <them>'}\n"))
    assert deck.slides[0].notes[0] == "Ask <them>"
    assert "Source: " in " ".join(deck.slides[0].notes)


def test_without_slides_the_networks_get_the_usual_ones() -> None:
    deck = make_deck(lecture("title: T\nsubtitle: S\ndate: 2026\nnetworks: [lenet5]\n"))
    assert (deck.slides[0].title, deck.slides[0].subtitle) == ("T", "S\n2026")
    assert [slide.title for slide in deck.slides][-1] == "Sources"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- a\n", "L:1:1: a lecture is a mapping with title, networks and slides"),
        ("networks: [lenet5]\n", "L:1:1: needs 'title'"),
        ("title: T\n", "L:1:1: a lecture needs networks, or slides"),
        ("title: T\nnetwork: x\n", "L:2:1: unknown key 'network'; did you mean networks?"),
        ("title: T\nnetworks: [lenet6]\n", "L:2:12: there is no network 'lenet6'; did you mean lenet5"),
        ("title: T\nslides: []\n", "L:2:9: slides: takes at least 1, not 0"),
        ("S cast: x\n", "L:3:5: there is no kind of slide 'cast'; did you mean cost?"),
        ("S [cost]\n", "L:3:5: a slide is its kind"),
        ("S cost\n", "L:3:5: needs 'network'"),
        ("S cost: [a]\n", "L:3:11: cost takes a mapping with"),
        ("S cost: {network: lenet5, inptu: 1}\n", "L:3:29: unknown key 'inptu'; did you mean input?"),
        ("S comparison\n", "L:3:5: comparison needs networks"),
        ("S comparison: [lenet5, vgg17]\n", "L:3:26: there is no network 'vgg17'"),
        ("S block: {network: googlenet, block: inception_9}\n", "L:3:40: there is no block"),
        ("S derivation: {network: lenet5, layer: C9}\n", "L:3:42: lenet5 has no layer 'C9'"),
        ("S derivation: {network: googlenet, layer: inception_3a}\n", "is a block of"),
        ("S derivation: {network: lenet5, layer: C1, quantities: [parms]}\n", "no quantity 'parms'"),
        ("S table: {network: lenet5, columns: size}\n", "L:3:39: there is no column 'size'"),
        ("S table: {network: lenet5, columns: [layer, size]}\n", "L:3:39: there is no column 'size'"),
        ("S table: {network: lenet5, columns: []}\n", "L:3:39: columns: takes at least 1, not 0"),
        ("S architecture: {network: lenet5, style: nice}\n", "L:3:44: there is no style"),
        ("S quiz: {questions: [{question: Q}]}\n", "L:3:24: needs 'answer'"),
        ("S quiz: {questions: [{question: Q, answer: A, x: 1}]}\n", "known keys: question, answer"),
        ("S quiz: {count: 99, networks: [lenet5]}\n", "L:3:19: count: should be at most 12"),
        ("title: T\nslides: !!python/object:os.system []\n", "tags are not part"),
    ],
)  # fmt: skip
def test_faults_have_their_places(text: str, wanted: str) -> None:
    with pytest.raises(SpecError) as caught:
        lecture(text.replace("S ", "title: T\nslides:\n  - ", 1) if text.startswith("S ") else text)
    assert wanted.replace("L:", "lecture.yaml:") in str(caught.value)


def test_all_faults_are_reported_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        lecture("title: T\nslides:\n  - cost: vgg17\n  - table: vgg18\n  - cast\n")
    assert [problem.location and problem.location.line for problem in caught.value.problems] == [3, 4, 5]
