"""Parts of the page in Chromium: mends while one types, links that are too long, frames, names of boxes, a phone."""

from __future__ import annotations

import base64
import gzip
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import archcalc
from tests.cli.serve.conftest import Files
from tests.cli.serve.playground import CONTROL, DELETE, ENTER, ESCAPE, Playground, link
from tests.cli.serve.test_files_and_keys import KERAS
from tests.cli.serve.test_functions import good
from tests.cli.serve.test_playground import BOTH, LEFT, RIGHT, SPEC, STATIC

HOME, END = "\ue011", "\ue010"
#: From now on the server does not answer, until it is let go.
HOLD = "window.ask = window.fetch; window.fetch = () => new Promise(() => {});"
#: From now on no picture comes, or no answer of functions that are named, until it is let go.
HOLD_DRAWING = """
window.held ??= window.fetch;
const wait = new Promise((resolve) => { window.release = resolve; });
const held = arguments[0] ?? ['draw'];
window.fetch = async (address, options) => {
  if (held.some((name) => String(address).endsWith(`/${name}`))) await wait;
  return window.held(address, options);
};
"""


def test_a_mend_goes_to_its_words_though_lines_were_written_above_them(page: Playground) -> None:
    page.open(link(text=SPEC.replace("out_channels", "out_chanels")))
    page.wait(".problems .fix", bool)
    page.browser.run(HOLD)
    editor = page.browser.find(".cm-content")
    editor.click()
    editor.send_keys(CONTROL + HOME)
    editor.send_keys("# one", ENTER, "# two", ENTER)
    page.browser.click(".problems .fix")
    page.browser.run("window.fetch = window.ask")
    assert page.spec() == f"# one\n# two\n{SPEC}"
    editor.send_keys(" ")
    page.browser.until(lambda: page.settle() == "ready")


@BOTH
@pytest.mark.parametrize("title", ["", "title: Mine\n"])
def test_a_spec_without_a_title_or_a_name_is_mended(page: Playground, title: str) -> None:
    page.open(link(text=SPEC.replace("title: Mine\n", "") if not title else SPEC.replace("name: mine\n", "")))
    page.browser.click(".problems .fix")
    assert page.settle() == "ready"
    assert page.spec().splitlines()[:2] == (["title: Mine", "name: mine"] if title else ["name: mine", "title: mine"])


@BOTH
def test_what_is_too_long_for_a_link_is_offered_as_a_file(page: Playground) -> None:
    letters = random.Random(1)
    noise = "".join(chr(letters.randrange(0x4E00, 0x9000)) for _ in range(150_000))
    text = f"{SPEC}\n# {noise}\n"
    page.open()
    page.drop("long.yaml", text.encode())
    page.browser.until(lambda: page.spec().startswith("name: mine"))
    assert page.settle() == "ready"
    page.browser.click(".share-button")
    assert "too long for a link" in page.wait("#share-trouble", lambda found: found not in ([], [""]))[0]
    assert not page.browser.find("#share-link").is_displayed()
    assert page.browser.texts("dialog[open] .primary") == ["Save the spec as a file"]
    assert page.violations() == []
    page.browser.click("dialog.share header button")
    page.open("alexnet")
    page.browser.click(".share-button")
    page.wait("#share-title", bool)
    assert page.browser.find("#share-link").is_displayed()
    page.browser.click("dialog.share header button")


def test_a_link_that_is_too_long_is_refused_with_what_to_do(page: Playground) -> None:
    page.open("z=" + "A" * 250_000)
    assert "as a file" in page.wait(".banner span", bool)[0]


@pytest.fixture
def lecture(page: Playground, tmp_path: Path) -> Iterator[str]:
    """Somebody's page on this machine, with the network in a frame."""
    frame = f'<iframe src="{page.address}#alexnet&amp;view=diagram" width="800" height="600" title="AlexNet"></iframe>'
    (tmp_path / "notes.html").write_text(f"<!doctype html><title>Notes</title>{frame}", encoding="utf-8")
    (tmp_path / "favicon.ico").write_bytes(b"")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/notes.html"
        server.shutdown()


@BOTH
def test_a_frame_that_names_a_view_shows_it_alone_and_leads_to_the_whole(page: Playground, lecture: str) -> None:
    driver = page.browser.driver
    page.browser.resize(1440)
    driver.get(lecture)
    driver.switch_to.frame(0)
    page.browser.until(lambda: page.browser.find(".whole").is_displayed())
    assert page.settle() == "ready"
    for part in (".bar", ".spec", ".panes"):
        assert not page.browser.find(part).is_displayed()
    whole = page.browser.find(".whole")
    assert whole.is_displayed()
    page.browser.until(lambda: whole.get_attribute("href") is not None)
    assert whole.get_attribute("href") == f"{page.address}#alexnet"
    assert page.violations() == []
    driver.switch_to.default_content()
    # The same link outside of a frame is the page.
    page.open("alexnet&view=diagram")
    assert page.browser.find(".spec").is_displayed()
    assert not page.browser.find(".whole").is_displayed()


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "densenet121", "mobilenet", "vgg16", "unet"])
@pytest.mark.parametrize("style", ["", "volumes"])
def test_boxes_are_called_as_they_are_written(page: Playground, name: str, style: str) -> None:
    page.open(name + (f"&style={style}" if style else ""))
    assert page.violations() == []


@pytest.mark.parametrize("view", ["diagram", "table"])
def test_a_phone_has_room_for_the_picture_above_the_chosen_layer(page: Playground, view: str) -> None:
    page.open(f"alexnet&layer=conv2&view={view}", 390)
    page.pane("side")
    page.wait(".layer h2", bool)
    frame = page.browser.find(f"#panel-{view} .frame").rect
    assert frame["height"] > 200
    assert page.browser.find(".layer").rect["height"] > 150


@pytest.mark.parametrize("lang", ["", "&lang=he"])
@pytest.mark.parametrize("layer", ["conv1", "fc8"])
def test_a_phone_shows_the_box_that_is_chosen(page: Playground, lang: str, layer: str) -> None:
    page.open(f"alexnet&layer={layer}{lang}", 390)
    page.pane("side")
    page.wait_for_chosen(layer)
    box = page.browser.find(".diagram .chosen").rect
    page.browser.until(lambda: 0 <= page.browser.find(".diagram .chosen").rect["x"] <= 390 - box["width"])


def test_layers_are_offered_before_their_blocks(page: Playground) -> None:
    page.open(link(text=SPEC))
    editor = page.browser.find(".cm-content")
    editor.click()
    editor.send_keys(CONTROL + END)
    editor.send_keys(ENTER, "conv2")
    offered = page.wait(".cm-tooltip-autocomplete li", lambda found: len(found) > 1)
    assert offered[0].startswith("conv2d")


def test_a_phone_shows_the_tab_that_is_open(page: Playground) -> None:
    page.open("alexnet&view=exercise", 390)
    page.pane("side")
    tab = page.browser.find("#tab-exercise").rect
    assert tab["x"] >= 0
    assert tab["x"] + tab["width"] <= 390


@BOTH
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("answers.json", json.dumps({"conv1": {"params": 34944}})),
        ("answers.yaml", "- {layer: conv1, params: 34944}\n"),
        ("answers.html", "<table><tr><th>layer<th>params<tr><td>conv1<td>34,944</table><script>alert(1)</script>"),
        ("answers.tex", "\\begin{tabular}{ll}\nlayer & params \\\\\nconv1 & 34944 \\\\\n\\end{tabular}\n"),
    ],
)
def test_answers_of_any_form_are_dropped(page: Playground, name: str, text: str) -> None:
    page.open("alexnet")
    page.drop(name, text.encode())
    rows = page.wait(".check .result tbody tr", lambda found: len(found) == 1)
    assert "right" in rows[0]


@BOTH
def test_a_sum_is_checked_term_by_term(page: Playground) -> None:
    page.open("lenet5")
    page.view("check")
    page.browser.find("#check-text").send_keys("params: 156 + 2416 + 48120 + 10164 + 850")
    page.browser.click(".check .primary")
    rows = page.wait(".check .result tbody tr", bool)
    assert rows[-1].startswith("total params 61,706 ✓")
    # The verdicts go with their network.
    page.browser.run("location.hash = 'alexnet&view=check'")
    page.wait(".check .result tbody tr", lambda found: not found)
    assert page.settle() == "ready"


def test_a_page_without_a_table_is_refused_in_words(page: Playground) -> None:
    page.open("alexnet")
    page.drop("answers.html", b"<p>nothing")
    assert page.wait(".banner span", bool) == ["There is no table in answers.html."]


@BOTH
def test_an_hdf5_file_of_keras_is_dropped(page: Playground, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "small.h5", "w") as file:
        file.attrs["model_config"] = KERAS.encode()
    page.open("alexnet")
    page.drop("small.h5", (tmp_path / "small.h5").read_bytes())
    page.browser.until(lambda: "32x32x3" in page.spec())
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == "72,234"


#: A file that is too large for a driver, unpacked in the page.
DROP_PACKED = """
const [name, text, done] = arguments;
const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))).blob().then((data) => {
  const held = new DataTransfer();
  held.items.add(new File([data], name));
  document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: held, bubbles: true, cancelable: true}));
  done();
});
"""


@BOTH
def test_of_a_large_onnx_file_the_network_is_read(page: Playground) -> None:
    """52 million zeros: more than a request may have. A dense layer of 13,000 values on 1,000: 13,000,000 weights."""
    onnx = pytest.importorskip("onnx")
    made, float32 = onnx.helper, onnx.TensorProto.FLOAT
    weight = onnx.TensorProto(name="w", dims=[13_000, 1_000], data_type=float32, raw_data=bytes(52_000_000))
    ends = [made.make_tensor_value_info("x", float32, [1, 13_000]), made.make_tensor_value_info("y", float32, None)]
    graph = made.make_graph([made.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight])
    model = made.make_model(graph, opset_imports=[made.make_opsetid("", 17)], ir_version=10)
    packed = base64.b64encode(gzip.compress(model.SerializeToString(), 1)).decode()
    page.open("alexnet")
    page.browser.driver.execute_async_script(DROP_PACKED, "large.onnx", packed)
    page.browser.until(lambda: "13000" in page.spec())
    assert page.settle() == "ready"
    assert page.totals()["parameters"] == "13,000,000"


def test_what_is_large_and_no_network_is_refused_in_words(page: Playground) -> None:
    page.open("alexnet")
    packed = base64.b64encode(gzip.compress(bytes(50 << 20), 1)).decode()
    page.browser.driver.execute_async_script(DROP_PACKED, "large.pt2", packed)
    assert "too large" in page.wait(".banner span", bool)[0]


def test_a_picture_of_another_network_says_so_and_what_cannot_be_drawn_leaves_none(page: Playground) -> None:
    page.open("alexnet@grouped&style=towers")
    browser = page.browser
    assert browser.texts(".diagram > .late") == []
    browser.run(HOLD_DRAWING)
    browser.run("location.hash = '#bert_base&style=towers'")
    page.wait("h2.title", lambda texts: "BERT" in texts[0])
    page.wait(".diagram > .late", lambda texts: texts == ["This is the network before the last change."])
    grey = "return getComputedStyle(document.querySelector('.diagram > .frame')).filter"
    browser.until(lambda: browser.run(grey) == "grayscale(1)")
    browser.run("window.release()")
    assert page.settle() == "ready"
    assert browser.texts(".diagram > .late") == []
    assert not browser.find(".diagram > .frame").is_displayed()
    assert "styles that suit: tall, volumes, graph, blocks" in browser.texts(".diagram > .refused")[0]
    browser.click(".diagram > .refused button")
    page.settle()
    assert browser.find(".diagram > .frame").is_displayed()
    assert browser.texts(".diagram > .refused") == []
    assert "BERT" in page.drawn()
    assert browser.run("return document.querySelector('.diagram select').value") == "blocks"


@pytest.mark.parametrize("view", ["exercise", "compare&other=vgg16", "check"])
def test_sizes_keep_their_order_in_hebrew(page: Playground, view: str) -> None:
    page.open(f"alexnet&lang=he&view={view}")
    if view == "check":
        page.browser.find("#check-text").send_keys("layer,output", ENTER, "conv1,55x55x95")
        page.browser.click(".check button.primary")
    cell = "return [...document.querySelectorAll('td bdi')].find((one) => one.textContent.match(/\\d[×x]\\d/))"
    page.browser.until(lambda: page.browser.run(cell) is not None)
    # From left to right the first number stands before the second one.
    places = page.browser.run(
        f"const text = (() => {{ {cell} }})().firstChild, at = text.data.search(/\\d[×x]\\d/);"
        "return [at, at + 2].map((place) => { const range = document.createRange();"
        "range.setStart(text, place); range.setEnd(text, place + 1); return range.getBoundingClientRect().left; })"
    )
    assert places[0] < places[1]
    for words in ("some blanks", " total", "ratio", "difference", "output_shape"):
        assert words not in page.browser.texts("main")[0]


def test_an_error_that_was_mended_goes_before_the_picture_comes(page: Playground) -> None:
    page.open(link(text=SPEC.replace("out_channels: 8", "out_channels: none")))
    page.wait(".problems li", bool)
    page.browser.run(HOLD_DRAWING)
    page.browser.run("location.hash = arguments[0]", link(text=SPEC))
    page.browser.until(lambda: page.browser.texts(".problems li") == [])
    page.browser.run("window.release()")
    assert page.settle() == "ready"


def test_a_spec_is_typed_from_nothing_without_a_look_at_columns(page: Playground) -> None:
    page.open()
    editor = page.browser.find(".cm-content")
    editor.click()
    editor.send_keys(CONTROL + "a")
    editor.send_keys(DELETE)
    lines = ["name: mine", "title: Mine", "input: 32x32x3", "layers:", "- conv2d:", "out_channels: 8", "kernel_size: 3"]
    for line in [
        *lines,
        "- relu: {}",
        "- repeat: 2",
        "layers:",
        "- conv2d: {out_channels: 8, kernel_size: 3}",
        "- relu",
    ]:
        editor.send_keys(line, ESCAPE, ENTER)
    assert page.spec().rstrip() == (
        "name: mine\ntitle: Mine\ninput: 32x32x3\nlayers:\n  - conv2d:\n      out_channels: 8\n      kernel_size: 3\n"
        "  - relu: {}\n  - repeat: 2\n    layers:\n      - conv2d: {out_channels: 8, kernel_size: 3}\n      - relu"
    )
    assert page.settle() == "ready"


@STATIC
def test_an_engine_that_did_not_start_is_tried_again(
    fresh_profile: Callable[[], Playground], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Files, "refused", "/packages.bin")
    page = fresh_profile()
    # The landmarks are there without the engine; a network of one's own needs it.
    page.load(link(text=SPEC))
    assert page.settle() == "failed"
    assert "packages.bin is not there (503)" in page.wait(".banner span", bool)[0]
    assert "packages.bin is not there (503)" in page.wait(".starting", bool)[0]
    monkeypatch.setattr(Files, "refused", "")
    page.browser.click(".banner button")
    page.browser.until(lambda: page.settle() == "ready")
    assert page.totals()["parameters"] == "18,234"
    assert page.browser.texts(".banner, .starting") == []


@BOTH
def test_a_slider_stays_in_use_while_the_network_is_drawn(page: Playground) -> None:
    """Steps that come one after another move one and the same slider, and it rests at what is shown."""
    page.open("mobilenet")
    page.pane("spec")
    field = "[data-parameter=alpha] input"
    page.browser.run("window.slider = document.querySelector(arguments[0]); window.slider.focus()", field)
    places = [page.browser.run("return window.slider.value")]
    for _ in range(3):
        page.browser.press(LEFT)
        places.append(page.browser.run("return window.slider.value"))
    assert [int(place) for place in places] == list(range(int(places[0]), int(places[0]) - 4, -1))
    page.browser.until(lambda: page.settle() == "ready")
    assert page.browser.run("return document.activeElement === window.slider && window.slider.isConnected")
    assert page.browser.run("return window.slider.value") == places[-1]
    alpha = page.browser.texts("[data-parameter=alpha] output")[0]
    wanted = f"{archcalc.analyse(archcalc.load('mobilenet', {'alpha': float(alpha)})).totals.params:,}"
    page.browser.until(lambda: page.totals()["parameters"] == wanted)
    # Nothing moves afterwards.
    page.browser.press(RIGHT)
    page.browser.press(LEFT)
    page.browser.until(lambda: page.settle() == "ready")
    page.browser.until(lambda: page.totals()["parameters"] == wanted)
    assert page.browser.run("return window.slider.value") == places[-1]


@BOTH
@pytest.mark.parametrize("name", ["alexnet", "alexnet@grouped", "plain18"])
def test_a_picture_is_saved_by_the_name_of_its_network(page: Playground, name: str) -> None:
    page.open(name)
    text = good("spec", name=name)["text"]
    for to in ("png", "svg"):
        wanted = good("export", source={"text": text}, to="svg")["filename"].removesuffix("svg") + to
        assert page.saved(to)[0] == wanted


def test_an_error_keeps_the_network_before_it_in_grey_and_no_other(page: Playground) -> None:
    page.open("alexnet")
    browser = page.browser
    assert not browser.find(".before").is_displayed()
    browser.find(".cm-content").send_keys("x")
    browser.until(lambda: page.settle() == "wrong")
    assert browser.texts(".side > .before") == ["This is the network before the last change."]
    assert browser.run("return getComputedStyle(document.querySelector('.totals')).filter") == "grayscale(1)"
    page.write("name: other\nlayers: 3")
    browser.until(lambda: page.settle() == "wrong" and not browser.find(".totals").is_displayed())
    assert not browser.find(".side > .before").is_displayed()
    assert not browser.find(".panels").is_displayed()
    assert browser.driver.title == "archcalc"


@pytest.mark.parametrize(("fragment", "pane"), [("alexnet&layer=conv2", "side"), ("alexnet", "spec")])
def test_on_a_phone_a_link_to_a_result_shows_it(page: Playground, fragment: str, pane: str) -> None:
    page.open(fragment, 390)
    assert page.browser.run("return document.body.dataset.pane") == pane


def test_a_file_that_is_read_and_a_second_check_are_said_at_once(page: Playground) -> None:
    page.open("alexnet&view=check")
    browser = page.browser
    browser.find("#check-text").send_keys("layer,params", ENTER, "conv1,34944")
    browser.click(".check button.primary")
    page.wait(".check .summary", bool)
    browser.run(HOLD_DRAWING, ["check", "import_file"])
    browser.find("#check-text").send_keys("0")
    assert "outdated" in str(browser.find(".check .result").get_attribute("class"))
    browser.click(".check button.primary")
    page.wait(".check .result", lambda texts: texts == ["Checking …"])
    page.drop("small.prototxt", b"")
    page.wait(".reading", lambda texts: texts == ["Reading small.prototxt …"])
    browser.run("window.release()")
    page.wait(".check .summary", bool)
    browser.until(lambda: not browser.find(".reading").is_displayed())


def test_escape_closes_the_chosen_layer_and_a_link_without_a_name_says_so(page: Playground) -> None:
    page.open("alexnet&layer=conv2")
    page.browser.until(lambda: page.browser.find(".layer").is_displayed())
    page.browser.find("body").send_keys(ESCAPE)
    page.browser.until(lambda: not page.browser.find(".layer").is_displayed())
    page.load("<script>PWN=1</script>")
    assert "does not name a network" in page.wait(".banner span", bool)[0]


def test_a_cell_in_hebrew_begins_at_the_right_with_its_latin_name(page: Playground) -> None:
    page.open("alexnet&lang=he&view=table")
    places = page.browser.run(
        "const cells = [...document.querySelectorAll('td bdi')];"
        "const text = cells.find((one) => one.textContent.startsWith('LRN')).firstChild;"
        "return [0, text.length - 2].map((place) => { const range = document.createRange();"
        "range.setStart(text, place); range.setEnd(text, place + 1); return range.getBoundingClientRect().left; })"
    )
    assert places[0] > places[1]


def test_formulas_and_links_run_from_left_to_right_in_hebrew(page: Playground) -> None:
    page.open("alexnet&lang=he&view=check")
    page.browser.find(".check textarea").send_keys("layer,params\nconv2,614400\n")
    page.browser.click(".check .primary")
    page.wait(".check td code", bool)
    page.browser.click(".share-button")
    direction = "return [...document.querySelectorAll(arguments[0])].map((one) => getComputedStyle(one).direction)"
    for selector in (".check td code bdi", "#share-link", "#share-frame"):
        assert page.browser.run(direction, selector) == ["ltr"]
    page.browser.press(ESCAPE)
    page.browser.click(".open")
    assert "רשת קטנה בשורה אחת" in page.wait("dialog[open] button", lambda found: len(found) > 20)
