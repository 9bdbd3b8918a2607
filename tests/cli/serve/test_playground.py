"""The page of `archcalc serve` in use, in Chromium: from an empty editor to a shared link."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from operator import eq
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

import archcalc
from archcalc.interop.structured import write_structured
from tests.cli.runner import DATA
from tests.cli.serve.playground import CONTROL, ENTER, ESCAPE, Playground, Static, link

WIDTHS = pytest.mark.parametrize("width", [1440, 768, 390])
BOTH = pytest.mark.parametrize("backend", ["server", "static"], indirect=True)
STATIC = pytest.mark.parametrize("backend", ["static"], indirect=True)
LEFT, RIGHT = "\ue012", "\ue014"
SPEC = """name: mine
title: Mine
input: 32x32x3
layers:
  - conv2d: {name: first, out_channels: 8, kernel_size: 3}
  - relu
  - max_pool2d: {kernel_size: 2}
  - linear: {name: last, out_features: 10}"""


def params(text: str, **parameters: object) -> str:
    """The parameters of a network, as the page writes them."""
    return f"{archcalc.analyse(archcalc.load(text, parameters)).totals.params:,}"


def analysed(path: Path, text: str) -> archcalc.Analysis:
    path.write_text(text, encoding="utf-8")
    return archcalc.analyse(archcalc.load(str(path)))


@BOTH
@WIDTHS
def test_a_network_is_typed_from_zero_and_its_typo_mended(page: Playground, width: int, tmp_path: Path) -> None:
    page.open(width=width)
    page.write(SPEC.replace("out_channels", "out_chanels"))
    assert page.settle() == "wrong"
    message = page.wait(".problems .error span", bool)
    assert "out_chanels" in message[0]
    assert page.browser.texts(".problems .place") == ["Line 5"]
    assert page.browser.run("return document.querySelectorAll('.cm-lintRange-error').length") > 0
    page.browser.click(".problems .fix")
    assert page.settle() == "ready"
    assert page.spec() == SPEC
    analysis = analysed(tmp_path / "mine.yaml", SPEC)
    totals = page.totals()
    assert totals["parameters"] == f"{analysis.totals.params:,}"
    assert totals["multiplications"] == f"{analysis.totals.multiplications:,}"
    page.view("table")
    assert page.browser.texts(".tableview tbody th") == [row.name for row in analysis.rows]


@BOTH
@WIDTHS
def test_a_box_leads_to_its_derivation_its_row_and_its_line(page: Playground, width: int) -> None:
    page.open("alexnet", width)
    page.pane("side")
    page.browser.click(".diagram [data-layer=conv2]")
    page.wait(".layer h2", lambda found: found == ["conv2"])
    assert any("614,656" in text for text in page.wait(".layer .derivation dd", bool))
    page.wait_for_chosen("conv2")
    page.view("table")
    page.wait(".tableview tr.chosen th", lambda found: found == ["conv2"])
    page.pane("spec")
    page.wait(".cm-marked", lambda found: len(found) == 1 and "conv2" in found[0])
    page.pane("side")
    page.browser.click(".layer [data-act=after]")
    page.wait(".layer h2", lambda found: found == ["relu2"])
    page.browser.click(".layer [data-act=close]")
    page.wait(".layer h2", lambda found: not found)


@BOTH
def test_the_cursor_in_the_spec_lights_up_its_boxes(page: Playground) -> None:
    page.open(link(text=SPEC))
    for line, layer in ((4, "first"), (7, "last")):
        page.browser.driver.find_elements("css selector", ".cm-line")[line].click()
        page.wait_for_chosen(layer)


@BOTH
@WIDTHS
def test_a_slider_redraws_the_network(page: Playground, width: int) -> None:
    page.open("mobilenet", width)
    assert page.totals()["parameters"] == params("mobilenet")
    page.pane("spec")
    page.browser.run("document.querySelector('[data-parameter=alpha] input').focus()")
    page.browser.press(LEFT)
    value = float(page.wait("[data-parameter=alpha] output", bool)[0])
    assert value < 1
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == params("mobilenet", alpha=value)


@BOTH
def test_the_size_of_the_input_is_a_slider(page: Playground) -> None:
    page.open("vgg16&view=table")
    page.browser.run("document.querySelector('[data-input] input').focus()")
    page.browser.press(RIGHT)
    assert page.settle() in {"ready", "wrong"}
    assert page.browser.texts("[data-input] output")[0].startswith("225")


@BOTH
def test_a_pattern_becomes_a_spec(page: Playground) -> None:
    page.open()
    field = page.browser.find("#pattern")
    field.send_keys("32x32x3 -> conv3-8 -> rellu -> fc10", ENTER)
    assert "rellu" in page.wait("#pattern-problem", lambda found: found != [""])[0]
    field.send_keys(CONTROL + "a")
    field.send_keys("32x32x3 -> conv3-8 -> relu -> fc10", ENTER)
    page.browser.until(lambda: "input: 32x32x3" in page.spec())
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == params("32x32x3 -> conv3-8 -> relu -> fc10")


@BOTH
def test_the_catalogue_is_searched(page: Playground) -> None:
    page.open()
    page.browser.click(".open")
    page.browser.until(lambda: len(page.browser.texts("dialog[open] tbody tr")) > 20)
    page.browser.find("#search").send_keys("googlenet")
    found = page.wait("dialog[open] tbody th", lambda names: 0 < len(names) < 9)
    page.browser.click("dialog[open] [data-name=googlenet]")
    page.browser.until(lambda: "name: googlenet" in page.spec())
    assert page.settle() == "ready"
    assert found[0] == page.browser.texts(".head h2")[0]
    assert page.totals()["parameters"] == params("googlenet")


@BOTH
@WIDTHS
def test_two_networks_are_compared(page: Playground, width: int) -> None:
    page.open("alexnet", width)
    page.view("compare")
    page.browser.find("#other").send_keys("alexnet@grouped")
    page.browser.click(".compare .primary")
    assert page.settle() == "ready"
    sums = page.browser.texts(".totals-compared tbody tr")
    assert any(params("alexnet") in row and params("alexnet@grouped") in row for row in sums)
    changed = page.browser.texts(".compare tr.side-changed td:first-child")
    assert changed == ["conv2", "conv4", "conv5"]


def test_a_layer_that_one_network_has_alone_is_shown_with_its_numbers(page: Playground) -> None:
    page.open(link(name="alexnet", text="", view="compare", other="vgg16"))
    left, right = (page.browser.texts(f".compare tr.side-{side}")[0] for side in ("left", "right"))
    assert left == "norm1 – only left LRN, size 5 55×55×96 – –"
    assert right == "– conv1_2 only right conv 3×3, 64 224×224×64 36,928 1,849,688,064"


@BOTH
@WIDTHS
def test_a_table_is_checked(page: Playground, width: int) -> None:
    page.open("alexnet", width)
    page.view("check")
    page.browser.find("#check-text").send_keys("layer,params\nconv1,34944\nconv2,614400\n")
    page.browser.click(".check .primary")
    rows = page.wait(".check .result tbody tr", lambda found: len(found) == 2)
    assert "right" in rows[0]
    assert "wrong" in rows[1]
    assert "the bias is missing" in rows[1]
    reason = page.browser.find(".check .result tbody tr:last-child td:last-child").rect
    assert reason["x"] + reason["width"] <= width
    assert page.violations() == []


@BOTH
def test_a_table_is_dropped_and_stays_out_of_the_spec(page: Playground) -> None:
    page.open("alexnet")
    spec = page.spec()
    page.drop("answers.csv", b"layer,params\nconv1,34944\n")
    rows = page.wait(".check .result tbody tr", lambda found: len(found) == 1)
    assert "right" in rows[0]
    assert page.spec() == spec


@BOTH
def test_a_spreadsheet_is_dropped(page: Playground, tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in (["layer", "params"], ["conv1", 34944], ["fc8", 4097001]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "answers.xlsx")
    page.open("alexnet")
    page.drop("answers.xlsx", (tmp_path / "answers.xlsx").read_bytes())
    rows = page.wait(".check .result tbody tr", lambda found: len(found) == 2)
    assert ["right" in row for row in rows] == [True, False]


@BOTH
def test_an_onnx_file_is_dropped(page: Playground, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    file = tmp_path / "small.onnx"
    kernel = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [4, 3, 3, 3], [0.0] * 108)
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy"]
    ends[0] = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 8, 8])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Conv", ["x", "w"], ["y"])], "small", *[[e] for e in ends], [kernel]
    )
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10), file)
    page.open("alexnet")
    page.drop("small.onnx", file.read_bytes())
    page.browser.until(lambda: "8x8x3" in page.spec())
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == "108"


@BOTH
def test_a_file_that_is_no_model_is_refused_in_words(page: Playground) -> None:
    page.open("alexnet")
    page.drop("broken.onnx", b"\x00 no model")
    assert page.wait(".banner span", bool)[0]
    assert "name: alexnet" in page.spec()


@pytest.mark.parametrize(
    ("backend", "width"), [("server", 1440), ("server", 768), ("server", 390), ("static", 768)], indirect=["backend"]
)
def test_a_link_holds_the_whole_state(
    page: Playground, fresh_profile: Callable[[], Playground], width: int, tmp_path: Path
) -> None:
    page.open(link(text=SPEC, view="table", layer="first"), width)
    page.browser.click(".share-button")
    shared = page.browser.run("return document.querySelector('dialog[open] #share-link')?.value")
    page.browser.until(lambda: bool(page.browser.texts("dialog[open] #share-title")))
    shared = page.browser.run("return document.querySelector('#share-link').value")
    assert shared.startswith(page.address)
    other = fresh_profile()
    other.open(shared.partition("#")[2], width)
    assert other.spec() == SPEC
    assert other.totals()["parameters"] == f"{analysed(tmp_path / 'mine.yaml', SPEC).totals.params:,}"
    other.wait(".tableview tr.chosen th", lambda found: found == ["first"])
    other.wait(".layer h2", lambda found: found == ["first"])


@BOTH
def test_nothing_of_another_network_is_shown_beside_an_error(page: Playground) -> None:
    page.open("alexnet")
    assert page.browser.texts(".totals dd")
    page.browser.run("location.hash = arguments[0]", link(text="name: broken\nlayers: 3"))
    page.browser.until(lambda: "name: broken" in page.spec())
    assert page.settle() == "wrong"
    assert page.browser.texts(".problems .error span")
    assert page.browser.texts(".totals dd") == page.browser.texts(".head h2") == []


@BOTH
@pytest.mark.parametrize("to", ["png", "pdf", "svg"])
def test_the_picture_is_saved(page: Playground, to: str) -> None:
    page.open("fcn8s" if isinstance(page, Static) and to != "svg" else "alexnet")
    name, data = page.saved(to)
    assert name.endswith(f".{to}")
    wide, high = map(float, re.findall(r'<svg[^>]*? width="([\d.]+)[^>]*? height="([\d.]+)', page.drawn())[0])
    if to == "png":
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.width / picture.height == pytest.approx(wide / high, rel=0.01)
            assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 10
    elif to == "pdf":
        (sheet,) = PdfReader(io.BytesIO(data)).pages
        assert sheet.mediabox.width / sheet.mediabox.height == pytest.approx(wide / high, rel=0.01)
        assert len(sheet.images) == isinstance(page, Static)
    else:
        assert b"<svg" in data


@BOTH
@pytest.mark.parametrize("name", ["fcn8s", "yolov3_tiny", "hrnet_w18"])
def test_pictures_are_those_that_graphviz_lays_out_here(page: Playground, name: str, tmp_path: Path) -> None:
    """Of a network with another title, which no file of the build has: boxes, lines and texts, to the last digit."""
    text = write_structured(archcalc.load(name)) + "\n# changed\n"
    page.open(link(text=text))
    theme = "light" if page.browser.run("return matchMedia('(prefers-color-scheme: light)').matches") else "dark"
    drawn = analysed(tmp_path / "changed.yaml", text).draw(theme=theme)._repr_svg_()
    shown = page.drawn()
    for pattern in (r' d="([^"]*)"', r'<rect [^>]*?x="([^"]*)"', r'data-layer="([^"]*)"', r'<text[^>]*? y="([^"]*)"'):
        assert re.findall(pattern, shown) == re.findall(pattern, drawn)


@BOTH
@pytest.mark.parametrize("fragment", ["%zz", "z=AAAA", "z=***", "<script>alert(1)</script>", "nothing_like_it"])
def test_a_damaged_link_is_refused_in_words(page: Playground, fragment: str) -> None:
    page.open(fragment)
    assert len(page.wait(".banner span", bool)[0]) > 20


@BOTH
def test_a_frame_shows_one_pane_alone(page: Playground) -> None:
    page.open("alexnet&view=table&embed=1", 768)
    assert len(page.browser.texts(".tableview tbody tr")) == len(archcalc.analyse(archcalc.load("alexnet")).rows)
    assert not page.browser.find(".spec").is_displayed()
    for selector in (".bar", ".totals", ".tabs", ".conventions", ".tableview > .tools"):
        assert not page.browser.find(selector).is_displayed(), selector
    assert page.browser.find("h2.title").is_displayed()
    assert page.browser.find(".whole").is_displayed()


@BOTH
def test_an_exercise_is_filled_in(page: Playground) -> None:
    page.open("lenet5")
    page.view("exercise")
    blanks = page.browser.driver.find_elements("css selector", ".exercise input[data-key]")
    assert blanks
    blanks[0].send_keys("1")
    page.browser.click(".exercise .primary")
    assert page.wait(".exercise .summary", lambda found: found != [""])[0].startswith("0 of")


@BOTH
@pytest.mark.parametrize("view", ["charts", "memory", "lint"])
def test_the_other_panes_show_the_network(page: Playground, view: str) -> None:
    page.open("alexnet")
    page.view(view)
    shown = page.browser.run("return document.querySelector(arguments[0]).textContent.length", f"#panel-{view}")
    assert shown > 100
    assert page.browser.texts(".refused") == []
    pictures = page.browser.run("return document.querySelectorAll(arguments[0]).length", f"#panel-{view} svg[role=img]")
    assert pictures == (view != "lint")
    assert page.violations() == []


@BOTH
def test_a_column_is_sorted_and_another_chosen(page: Playground) -> None:
    page.open("alexnet&view=table")
    page.browser.click(".tableview th[data-key=params] button")
    assert page.browser.texts(".tableview tbody th")[:3] == ["fc6", "fc7", "fc8"]
    page.browser.click(".tableview .popup summary")
    page.wait(".tableview .menu label", bool)
    page.browser.click(".tableview .menu input[value=params]")
    assert page.settle() == "ready"
    assert page.browser.texts(".tableview th[data-key=params]") == []


@BOTH
def test_a_hostile_spec_is_shown_and_not_run(page: Playground) -> None:
    text = (DATA / "hostile.yaml").read_text(encoding="utf-8")
    # An exercise shows no derivation of a layer, which would give answers.
    for view in ("exercise", "diagram", "table", "charts", "memory", "lint"):
        page.open(link(text=text, view=view, layer="<img src=x onerror=alert(2)>"))
        assert page.browser.run("return document.querySelectorAll('img, iframe, main script').length") == 0
        assert page.browser.run("return document.scripts.length") == 1
    assert page.wait(".layer h2", bool) == ["<img src=x onerror=alert(2)>"]
    # An open dialog would have raised an exception in any of the calls above.


@pytest.mark.parametrize(
    ("backend", "width", "dark"),
    [
        *(("server", *look) for look in ((1440, False), (1440, True), (768, False), (390, False), (390, True))),
        *(("static", *look) for look in ((1440, True), (768, False), (390, False))),
    ],
    indirect=["backend"],
)
def test_axe_finds_nothing(page: Playground, width: int, dark: bool) -> None:
    found = {}
    page.open("alexnet&layer=conv2", width, dark)
    for view in ("diagram", "table", "check", "compare", "exercise", "memory"):
        page.view(view)
        page.wait(".layer h2", partial(eq, [] if view == "exercise" else ["conv2"]))
        found[view] = page.violations()
    page.open(link(text=SPEC), width, dark)
    page.pane("spec")
    page.browser.find(".cm-content").send_keys("- ", ESCAPE)
    assert page.settle() == "wrong"
    found["an error in what was right"] = page.violations()
    page.browser.click(".open")
    found["the catalogue"] = page.violations()
    assert {state: faults for state, faults in found.items() if faults} == {}


@BOTH
@WIDTHS
def test_nothing_is_wider_than_the_window(page: Playground, width: int) -> None:
    page.open("googlenet&layer=conv1", width)
    assert page.browser.run("return document.documentElement.scrollWidth") <= width
    for view in ("diagram", "table", "check", "compare", "exercise"):
        page.view(view)
        assert page.browser.run("return document.documentElement.scrollWidth") <= width, view


@BOTH
@pytest.mark.parametrize(("lang", "words"), [("ru", "Открыть"), ("he", "פתיחה"), ("hy", "Բացել")])
def test_the_page_speaks_the_language_of_its_link(page: Playground, lang: str, words: str) -> None:
    for width in (1440, 390):
        page.open(f"alexnet&lang={lang}&view=table", width)
        assert page.browser.texts(".open") == [words]
        assert page.browser.run("return document.documentElement.lang") == lang
        assert page.browser.run("return document.documentElement.scrollWidth") <= width
    assert page.violations() == []


@BOTH
def test_a_menu_changes_the_language(page: Playground) -> None:
    page.open(link(text=SPEC, view="table", layer="first"))
    chosen = "arguments[0].value = 'he'; arguments[0].dispatchEvent(new Event('change'))"
    page.browser.run(chosen, page.browser.find(".looks select"))
    page.browser.until(lambda: page.browser.run("return document.documentElement.lang") == "he")
    assert page.settle() == "ready"
    assert page.browser.texts(".open") == ["פתיחה"]
    assert page.spec() == SPEC
    page.wait(".tableview tr.chosen th", lambda found: found == ["first"])
    assert page.browser.run("return document.querySelector('.looks select').value") == "he"
    assert page.violations() == []


@BOTH
def test_the_page_can_be_read_from_right_to_left(page: Playground) -> None:
    page.open("alexnet&lang=he&view=table")
    assert page.browser.run("return getComputedStyle(document.querySelector('main')).direction") == "rtl"
    assert page.browser.run("return getComputedStyle(document.querySelector('.cm-content')).direction") == "ltr"
    spec, side = (page.browser.find(selector).rect["x"] for selector in (".spec", ".side"))
    assert spec > side


#: The texts of a picture that reach out of it, and those whose last letter stands left of the first one.
WRONG_TEXTS = """
const svg = document.querySelector(arguments[0]), box = svg.getBoundingClientRect();
return [...svg.querySelectorAll('text')].filter((text) => {
  const own = text.getBoundingClientRect(), letters = text.getNumberOfChars();
  const turned = /^[\\d×.,]+$/.test(text.textContent) && letters > 1
    && text.getStartPositionOfChar(0).x > text.getStartPositionOfChar(letters - 1).x;
  return turned || own.left < box.left - 1 || own.right > box.right + 1;
}).map((text) => text.textContent);
"""


@pytest.mark.parametrize(("view", "picture"), [("diagram", ".diagram svg"), ("memory", "#panel-memory svg[role=img]")])
def test_pictures_are_not_turned_in_a_page_from_right_to_left(page: Playground, view: str, picture: str) -> None:
    page.open(f"alexnet&lang=he&view={view}&layer=conv2")
    assert page.browser.run(WRONG_TEXTS, picture) == []
    heading = page.wait(".layer .what", bool)[0]
    assert "\u20665×5×96\u2069" in heading
