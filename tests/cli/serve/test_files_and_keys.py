"""Files in and out of the page, the worksheet, and the page without a mouse, in Chromium, with both back ends."""

from __future__ import annotations

import base64
import json

import pytest

import archcalc
from archcalc.cli.serve.functions import call
from tests.cli.serve.playground import ENTER, ESCAPE, Playground, link
from tests.cli.serve.test_playground import BOTH, LEFT, RIGHT, SPEC, STATIC, WIDTHS, params

TAB, DOWN, END = "\ue004", "\ue015", "\ue010"
CAFFE = """name: "small"
input: "data" input_shape { dim: 1 dim: 3 dim: 32 dim: 32 }
layer { name: "first" type: "Convolution" bottom: "data" top: "a" convolution_param { num_output: 8 kernel_size: 3 } }
layer { name: "last" type: "InnerProduct" bottom: "a" top: "b" inner_product_param { num_output: 10 } }
"""
DARKNET = """[net]
width=32
height=32
channels=3
[convolutional]
filters=8
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=2
"""
KERAS = json.dumps(
    {"class_name": "Sequential", "config": {"name": "small", "layers": [
        {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, 32, 32, 3]}},
        {"class_name": "Conv2D", "config": {"name": "first", "filters": 8, "kernel_size": [3, 3], "padding": "valid"}},
        {"class_name": "Flatten", "config": {"name": "flat"}},
        {"class_name": "Dense", "config": {"name": "last", "units": 10}},
    ]}}
)  # fmt: skip


@BOTH
@pytest.mark.parametrize(
    ("name", "text", "count"),
    [("a.prototxt", CAFFE, 72_234), ("a.json", KERAS, 72_234), ("a.cfg", DARKNET, 224), ("a.yaml", SPEC, 18_234)],
)
def test_a_model_file_is_dropped(page: Playground, name: str, text: str, count: int) -> None:
    page.open("alexnet")
    page.drop(name, text.encode())
    page.browser.until(lambda: "32x32x3" in page.spec())
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == f"{count:,}"


@STATIC
def test_a_damaged_file_is_refused_in_words(page: Playground) -> None:
    page.open("alexnet")
    page.drop("a.h5", b"\x89HDF\r\n\x1a\n" + bytes(100))
    assert page.wait(".banner span", bool) == ["a.h5 is damaged, or holds weights without a network."]
    assert "name: alexnet" in page.spec()


@BOTH
def test_the_size_of_an_input_that_a_file_lacks_is_asked_for(page: Playground) -> None:
    page.open("alexnet")
    page.drop("a.json", KERAS.replace("32, 32, 3]", "null, null, 3]").encode())
    assert page.wait(".banner span", bool) == ["a.json: the size of the input 'in' is (None, None, 3)"]
    page.browser.press("8", ENTER)
    page.wait(".banner span", lambda texts: texts != [] and "its input is (8,)" in texts[0])
    page.browser.press("32x32x3", ENTER)
    page.browser.until(lambda: "32x32x3" in page.spec() and page.settle() == "ready")
    assert page.totals()["parameters"] == "72,234"
    assert page.browser.texts(".banner") == []


@BOTH
@pytest.mark.parametrize("to", ["yaml", "csv", "markdown", "json", "torch", "keras", "caffe", "mermaid"])
def test_texts_are_saved_as_the_function_writes_them(page: Playground, to: str) -> None:
    page.open(link(text=SPEC))
    name, data = page.saved(to)
    wanted = call("export", {"source": {"text": SPEC}, "to": to})
    assert (name, data) == (wanted["filename"], base64.b64decode(wanted["data"]))
    assert b"first" in data


@BOTH
def test_a_picture_is_saved_as_it_is_seen(page: Playground) -> None:
    page.open(link(text=SPEC, style="volumes"))
    _, volumes = page.saved("svg")
    page.open(link(text=SPEC, style="graph"))
    _, graph = page.saved("svg")
    assert volumes != graph
    assert b"first" in volumes
    assert b"first" in graph


@BOTH
@WIDTHS
def test_a_worksheet_gives_hints_and_a_score(page: Playground, width: int) -> None:
    page.open("lenet5", width)
    page.view("exercise")
    rows = {row.name: row for row in archcalc.analyse(archcalc.load("lenet5")).rows}
    blanks = page.browser.driver.find_elements("css selector", ".exercise input[data-key=params]")
    names = [blank.find_element("xpath", "ancestor::tr/th").text for blank in blanks]
    layer = next(place for place, name in enumerate(names) if rows[name].params)
    row, blank = rows[names[layer]], blanks[layer]
    bias = row.output_shape[0]
    # What was filled in before stays where the network is the same.
    for each in page.browser.driver.find_elements("css selector", ".exercise input[data-key]"):
        each.clear()
    blank.send_keys(f"{row.params - bias}")
    page.browser.click(".exercise .primary")
    page.wait(".exercise .summary", lambda found: found != [""] and found[0].startswith("0 of"))
    assert "bias" in page.wait(".exercise .hintline", bool)[0]
    blank.clear()
    blank.send_keys(f"{row.params:,}")
    page.browser.click(".exercise .primary")
    page.wait(".exercise .summary", lambda found: found != [""] and found[0].startswith("1 of"))
    assert page.browser.texts(".exercise .mark") == ["✓ right"]
    assert page.browser.texts(".exercise .hintline") == []
    assert page.browser.run("return document.documentElement.scrollWidth") <= width


def focus(page: Playground) -> str:
    """What the keyboard is at: the text, else the name, of an element that can be seen."""
    return str(
        page.browser.run(
            "const one = document.activeElement; if (!one.checkVisibility()) return 'nothing that is seen';"
            "return one.getAttribute('aria-label') || one.id || one.innerText || one.className || one.tagName"
        )
    )


def tab_to(page: Playground, wanted: str) -> None:
    """Go on with the tab key until something is reached."""
    seen = []
    for _ in range(80):
        page.browser.press(TAB)
        seen.append(focus(page))
        if seen[-1] == wanted:
            return
    pytest.fail(f"{wanted!r} is not reached by the tab key: {seen}")


@BOTH
def test_all_is_done_by_the_keyboard(page: Playground) -> None:
    page.open("lenet5")
    # A network of the catalogue.
    page.browser.run("document.activeElement.blur()")
    tab_to(page, "Open")
    page.browser.press(ENTER)
    page.browser.until(lambda: len(page.browser.texts("dialog[open] tbody tr")) > 20)
    assert focus(page) == "search"
    page.browser.press("mobilenet", ENTER)
    page.browser.until(lambda: "name: mobilenet" in page.spec())
    assert page.settle() == "ready"
    # A slider.
    page.browser.run("document.activeElement.blur()")
    for _ in range(80):
        page.browser.press(TAB)
        if page.browser.run("return document.activeElement.closest('[data-parameter=alpha]') !== null"):
            break
    page.browser.press(LEFT)
    value = float(page.wait("[data-parameter=alpha] output", lambda found: found != ["1"])[0])
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == params("mobilenet", alpha=value)
    # A box of the diagram, its derivation, and back.
    for _ in range(80):
        page.browser.press(TAB)
        if page.browser.run("return document.activeElement.closest('.diagram svg') !== null"):
            break
    page.browser.press(DOWN, DOWN, ENTER)
    page.wait(".layer h2", bool)
    page.browser.until(lambda: page.browser.run("return document.querySelector('.diagram .chosen') !== null"))
    # The panes.
    page.browser.run("document.querySelector('[role=tab][aria-selected=true]').focus()")
    page.browser.press(RIGHT)
    page.wait(".tableview tr.chosen th", bool)
    assert focus(page) == "tab-table"
    page.browser.press(END)
    assert focus(page) == "tab-exercise"
    # The menu of exports opens and closes, and its button has the focus again.
    page.browser.run("document.activeElement.blur()")
    tab_to(page, "Export")
    page.browser.press(ENTER)
    page.wait(".menu [data-to]", bool)
    page.browser.press(TAB, ESCAPE)
    assert focus(page) == "Export"
    assert page.browser.texts(".menu [data-to]") == []
