"""Numbers at layers: those of all boxes and arrows of a picture add up to the totals of its network."""

from __future__ import annotations

import re

import pytest

from archcalc.core.language import without_isolates
from archcalc.render.diagrams import words
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.from_analysis import drawing_of
from tests.render.diagrams.papers.figures import texts
from tests.render.diagrams.pictures import analysis_of

#: Normalisation, its weights, projections, and gates are counted, wherever they stand.
NORMED = "32x32x4 -> conv3-16 -> bn -> relu -> conv3-16g2 -> bn -> relu -> pool2 -> fc10"


def exact(number: float) -> str:
    return f"{number:,}"


def sums(style: str, name: str) -> dict[str, int]:
    """The sums of what stands in a picture before "params" and "mult."."""
    choices = Choices(style=style, fit="16:9", labels=("params", "macs"), names="none")
    items = [item for item in drawing_of(analysis_of(name), choices)[0].items if item.role not in ("title", "legend")]
    found = {"params": 0, "mult.": 0}
    for text in map(without_isolates, texts(items)):
        for number, unit in re.findall(r"([\d,]+) (params|mult\.)", text):
            found[unit] += int(number.replace(",", ""))
    return found


@pytest.mark.parametrize(
    ("style", "name"),
    [
        ("bars", "resnet18"), ("bars", "vgg16@bn"), ("bars", "mobilenet_v3_small"), ("bars", "vit_b_16"),
        ("bars", "unet@padded"), ("towers", NORMED), ("towers", "alexnet@grouped"), ("maps", NORMED),
        ("maps", "lenet5@1998"), ("slabs", "resnet18"), ("slabs", "mobilenet_v3_small"), ("tall", "googlenet"),
        ("tall", "inception_v3"), ("detector", "yolov3"), ("detector", "retinanet_resnet50_fpn"),
        ("detector", "ssd300_vgg16"),
    ],
)  # fmt: skip
def test_labels_add_up_to_the_totals(style: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "figure", exact)
    totals = analysis_of(name).totals
    assert sums(style, name) == {"params": totals.params, "mult.": totals.multiplications}


@pytest.mark.parametrize(("labels", "is_said"), [(None, True), (("shape", "params"), True), (("params",), False)])
def test_maps_speak_of_a_number_that_is_there(labels: tuple[str, ...] | None, is_said: bool) -> None:
    drawing, _ = drawing_of(analysis_of(NORMED.replace("16", "64")), Choices(style="maps", labels=labels))
    note = " ".join(texts([item for item in drawing.items if item.role == "legend"]))
    assert "Of more than 16 maps 16 are drawn." in note
    assert ("The number above counts all." in note) == is_said


@pytest.mark.parametrize(
    ("labels", "written"),
    [(("shape", "macs"), ["22.2 M mult.", "22.2 M mult."]), (("shape",), []), (("kernel",), None)],
)
def test_arrows_of_detectors_say_what_is_asked_for(labels: tuple[str, ...], written: list[str] | None) -> None:
    drawing, _ = drawing_of(analysis_of("yolov3"), Choices(style="detector", labels=labels))
    found = texts([item for item in drawing.items if item.role == "edge"])
    key = "feature maps through layers that are drawn as an arrow"
    assert found == written if written is not None else "conv 1×1, 256" in found
    assert (key in texts([item for item in drawing.items if item.role == "legend"])) == bool(found)
