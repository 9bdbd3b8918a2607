"""What the page shows where it has no answer, or where a link names what there is not, in Chromium."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.serve.playground import CONTROL, ENTER, ESCAPE, Playground, link
from tests.cli.serve.test_playground import BOTH, SPEC

ALT, SHIFT, UP, END = "\ue00a", "\ue008", "\ue013", "\ue010"


def test_without_an_answer_the_network_before_is_grey(page: Playground) -> None:
    page.open(link(text=SPEC))
    page.browser.run("window.real = fetch; window.fetch = () => Promise.reject(new TypeError('gone'));")
    page.write(SPEC.replace("out_channels: 8", "out_channels: 9"))
    page.wait(".banner span", bool)
    assert page.settle() == "failed"
    assert page.wait(".before", bool) == ["This is the network before the last change."]
    page.browser.run("window.fetch = window.real")
    page.browser.click(".banner button")
    page.browser.until(lambda: page.settle() == "ready")
    assert page.browser.texts(".banner, .before") == []


FIRST_CHOICE = """
const list = document.querySelector(arguments[0]);
list.selectedIndex = 0;
list.dispatchEvent(new Event('change'));
"""


@pytest.mark.parametrize(
    ("fragment", "selector"),
    [("convention=nope", ".conventions select"), ("view=table&folded=nope", "#panel-table select"),
     ("view=charts&chart=nope", "#panel-charts select"), ("style=nope", "#panel-diagram select")],
)  # fmt: skip
def test_a_list_is_blank_where_a_link_names_what_there_is_not(page: Playground, fragment: str, selector: str) -> None:
    """A list that showed its first choice could not be set to it."""
    page.open("alexnet")
    page.browser.run("location.hash = arguments[0]", f"alexnet&{fragment}")
    chosen = "return document.querySelector(arguments[0])?.selectedIndex"
    page.browser.until(lambda: page.browser.run(chosen, selector) == -1 and page.settle() != "busy")
    page.browser.run(FIRST_CHOICE, selector)
    page.browser.until(lambda: page.settle() == "ready" and "nope" not in page.browser.run("return location.hash"))
    assert page.browser.texts("main .refused, .problems .error") == []


def test_the_list_of_conventions_shows_that_of_a_link(page: Playground) -> None:
    page.open("alexnet")
    page.browser.run("location.hash = 'alexnet&convention=keras'")
    chosen = "return document.querySelector('.conventions select').value"
    page.browser.until(lambda: page.browser.run(chosen) == "keras")


@pytest.mark.parametrize(
    "state", [{"name": "mobilenet", "parameters": {"alpha": 0.5}}, {"name": "alexnet", "input": "454x454x3"}]
)
def test_the_network_as_it_is_now_keeps_its_values(page: Playground, state: dict[str, Any]) -> None:
    """Also in the link to it, while the one at the left is changed."""
    page.open(link(**state, view="compare"))
    ratios = ".totals-compared tbody td:last-child"
    page.browser.click(".compare .tools button:not(.primary)")
    assert set(page.wait(ratios, bool)) <= {"1", ""}
    page.browser.run("document.querySelector('.parameters button').click()")
    page.browser.until(lambda: page.settle() == "ready" and not set(page.browser.texts(ratios)) <= {"1", ""})
    changed = page.browser.texts(".totals-compared tbody")
    page.browser.click(".share-button")
    page.browser.until(lambda: page.browser.run("return document.querySelector('#share-link').value") != "")
    page.open(page.browser.run("return document.querySelector('#share-link').value.split('#')[1]"))
    assert page.wait(".totals-compared tbody", bool) == changed


def test_an_exported_table_is_the_one_that_is_shown(page: Playground) -> None:
    choices = {"columns": ["layer", "params"], "convention": "keras"}
    page.open(link(name="resnet50", view="table", folded="1", **choices))
    _, data = page.saved("csv")
    rows = [line.split(",") for line in data.decode().splitlines()]
    assert rows[0] == ["layer", "params"]
    assert rows[-1] == ["total", page.totals()["parameters"].replace(",", "")]
    assert len(rows) - 2 == len(page.browser.texts("#panel-table tbody tr"))


KINDS = SPEC.replace(
    "layers:",
    """parameters:
  big: true
  n: 8
  kind: {default: relu, choices: [relu, sigmoid]}
layers:""",
)
FIELDS = """
const field = (name) => document.querySelector(name).querySelector('input, select');
const control = field(arguments[0]);
return control.type === 'checkbox' ? control.checked : control.type === 'range' ? control.nextSibling.innerText
  + ' at ' + control.value : control.selectedOptions?.[0].text ?? control.value;
"""


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ({"text": KINDS, "parameters": {"big": False, "kind": "sigmoid", "n": 4}, "input": "64x16x3"},
         ["[data-input]", "[data-parameter=big]", "[data-parameter=kind]", "[data-parameter=n]"]),
        ({"name": "mobilenet", "parameters": {"alpha": 0.5}}, ["[data-parameter=alpha]"]),
    ],
)  # fmt: skip
def test_fields_show_the_values_of_a_link(page: Playground, state: dict[str, Any], fields: list[str]) -> None:
    """Where the network before it was the same one with other values."""

    def shown() -> list[Any]:
        return [page.browser.run(FIELDS, field) for field in fields]

    plain = link(**{key: value for key, value in state.items() if key in ("name", "text")})
    page.open(plain)
    before = shown()
    page.open(link(**state))
    changed = shown()
    assert all(one != other for one, other in zip(before, changed, strict=True))
    page.browser.run("location.hash = arguments[0]", plain)
    page.browser.until(lambda: page.settle() == "ready" and shown() == before)
    page.browser.run("history.back()")
    page.browser.until(lambda: page.settle() == "ready" and shown() == changed)


def test_what_is_typed_while_a_text_is_formatted_stays(page: Playground) -> None:
    page.open(link(text=SPEC.replace("  - relu", "  -   relu") + "\n"))
    page.browser.run(
        "window.real = fetch; window.fetch = async (address, ...more) => { if (`${address}`.endsWith('/format'))"
        " await new Promise((go) => { window.go = go; }); return window.real(address, ...more); };"
    )
    page.browser.find(".cm-content").click()
    page.browser.press(CONTROL + END)
    page.browser.click(".spec > .under > .tools button")
    page.browser.find(".cm-content").send_keys("  - tanh")
    page.browser.run("window.go()")
    page.browser.until(lambda: page.settle() == "ready" and "tanh" in page.browser.texts(".diagram")[0])
    assert page.spec().endswith("  - tanh")
    page.browser.run("window.fetch = window.real")


def test_the_cursor_stays_at_its_word_when_a_text_is_formatted(page: Playground) -> None:
    page.open(link(text=SPEC.replace("  - relu", "  -   relu") + "\n"))
    page.browser.find(".cm-content").click()
    page.browser.press(CONTROL + END, UP, END)
    page.browser.press(SHIFT + ALT + "f")
    page.browser.until(lambda: "  - relu" in page.spec() and page.settle() == "ready")
    page.browser.press("x")
    page.browser.until(lambda: page.spec().endswith("out_features: 10}x\n") or page.spec().endswith("10}x"))


def test_answers_stay_where_the_network_is_the_same(page: Playground) -> None:
    page.open(link(text=SPEC.replace("  - relu", "  -   relu"), view="exercise"))
    page.wait(".exercise .primary", bool)
    answer = "return document.querySelector('.exercise input[data-key]').value"
    page.browser.find(".exercise input[data-key]").send_keys("7")
    page.browser.click(".spec > .under > .tools button")
    page.browser.until(lambda: "  - relu" in page.spec() and page.settle() == "ready")
    assert page.browser.run(answer) == "7"
    page.browser.find(".cm-content").click()
    page.browser.press(CONTROL + END, "  # a comment")
    assert page.settle() == "ready"
    assert page.browser.run(answer) == "7"
    page.browser.press(ENTER, "- tanh", ESCAPE)
    page.browser.until(lambda: page.settle() == "ready" and page.browser.run(answer) == "")


SLOW = """
window.arrayBuffer ??= File.prototype.arrayBuffer;
window.text ??= File.prototype.text;
for (const name of ['arrayBuffer', 'text']) File.prototype[name] = async function () {
  if (this.name.startsWith('slow')) await new Promise((go) => { window.go = go; });
  return window[name].call(this);
};
"""


@pytest.mark.parametrize(
    ("ending", "data", "selector"),
    [("yaml", "name: {0}\ntitle: {0}\ninput: 8x8x3\nlayers:\n  - relu\n", "h2.title"),
     ("csv", "layer,params\n{0},1\n", ".check tbody th")],
)  # fmt: skip
def test_of_two_files_the_last_one_stays(page: Playground, ending: str, data: str, selector: str) -> None:
    """Although the one before it takes longer to be read."""
    page.open("alexnet")
    page.browser.run(SLOW)
    for name in ("slow", "conv2"):
        page.drop(f"{name}.{ending}", data.format(name).encode())
    page.wait(selector, lambda texts: texts == ["conv2"])
    page.browser.run("window.go()")
    assert page.browser.driver.execute_async_script("setTimeout(arguments[0], 300, 1)")
    assert page.settle() == "ready"
    assert page.browser.texts(selector) == ["conv2"]
    assert page.browser.texts(".reading") in ([], [""])


def test_a_damaged_link_leaves_the_page_as_it_is(page: Playground) -> None:
    page.open("lenet5&view=table")
    page.browser.run("location.hash = 'z=AAAA'")
    page.wait(".banner span", bool)
    page.browser.until(lambda: page.settle() == "ready" and page.browser.run("return location.hash") != "#z=AAAA")
    assert page.browser.texts(".banner button") == ["×"]
    assert "name: lenet5" in page.spec()
    assert page.browser.run("return location.hash") == "#lenet5&view=table"


def test_sharing_says_where_a_frame_is_refused(page: Playground) -> None:
    page.open("lenet5")
    page.browser.click(".share-button")
    words = "A page that is opened as a file cannot show a frame of archcalc serve."
    page.wait("#share-note", lambda texts: texts == [words])
    page.browser.press(ESCAPE)


def test_the_catalogue_without_a_server_says_so(page: Playground) -> None:
    page.open("lenet5")
    page.browser.run("window.real = fetch; window.fetch = () => Promise.reject(new TypeError('gone'));")
    page.browser.click(".open")
    page.wait(".catalogue .empty", lambda texts: texts == ["archcalc serve does not answer. Was it stopped?"])
    page.browser.run("window.fetch = window.real")
    page.browser.press(ESCAPE)


def test_a_spec_that_no_request_holds_is_refused_in_words(page: Playground) -> None:
    page.load(link(text=SPEC + "\n#" + "x" * 3_000_000))
    page.wait(".problems .error", lambda texts: texts == ["Error: The spec is too long: 1 MiB are read."])
    assert page.settle() == "wrong"


def test_a_file_is_checked_again(page: Playground) -> None:
    """Where the network is another one, by the button; its name is shown although it was dropped."""
    page.open("alexnet")
    page.drop("hand.csv", b"layer,params\nconv1,34944\n")
    page.wait(".check .summary", lambda texts: texts == ["1 of 1 right"])
    assert page.browser.run("return document.querySelector('#check-file').files[0].name") == "hand.csv"
    page.browser.run("location.hash = 'zfnet&view=check'")
    page.wait(".check .summary", lambda texts: not texts)
    assert page.settle() == "ready"
    page.browser.click(".check .primary")
    page.wait(".check .summary", bool)


SAY = """
window.said = [];
for (const element of document.querySelectorAll('[role=status], [role=alert]')) {
  const tell = () => { if (element.textContent) window.said.push(element.textContent); };
  new MutationObserver(tell).observe(element, {childList: true, characterData: true, subtree: true});
}
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("layer,params\nconv1,34944\n", "1 of 1 right"),
        ("\0", "hand.csv:1:1: is not a text file: it holds bytes that are 0"),
    ],
)
def test_what_a_check_finds_is_said_once(page: Playground, text: str, said: str) -> None:
    """A screen reader does not read the whole table."""
    page.open("alexnet&view=check")
    page.browser.run(SAY)
    page.drop("hand.csv", text.encode())
    page.browser.until(lambda: said in page.browser.run("return window.said"))
    page.browser.until(lambda: page.browser.texts(".reading") == [])
    assert page.browser.run("return window.said") == ["Reading hand.csv …", "Checking …", said]


def test_after_a_mend_the_keyboard_is_at_the_next_problem(page: Playground) -> None:
    page.open(link(text=SPEC.replace("out_channels", "out_chanels").replace("kernel_size: 3", "kernel_sise: 3")))
    at = "return document.activeElement.innerText || document.activeElement.className"
    problems = ".problems .error"
    page.wait(problems, lambda found: len(found) == 2)
    page.browser.run("document.querySelector('.problems .fix').focus()")
    page.browser.press(ENTER)
    page.wait(problems, lambda found: len(found) == 1)
    assert page.settle() == "wrong"
    assert str(page.browser.run(at)).endswith("Line 5")
    page.browser.run("document.querySelector('.problems .fix').focus()")
    page.browser.press(ENTER)
    page.wait(problems, lambda found: not found)
    assert page.settle() == "ready"
    assert str(page.browser.run(at)).endswith("3 warnings")


@BOTH
def test_the_menu_of_exports_has_one_order(page: Playground) -> None:
    page.open("alexnet")
    page.browser.click(".bar .popup summary")
    orders = "return [...document.querySelectorAll('.bar .menu button')].map((button) => button.dataset.to).join(' ')"
    page.browser.until(lambda: bool(page.browser.run(orders)))
    found = str(page.browser.run(orders))
    page.browser.click(".bar .popup summary")
    assert found == "yaml torch keras caffe csv markdown json svg png pdf mermaid"


def test_the_pattern_goes_when_another_network_is_opened(page: Playground) -> None:
    page.open("alexnet")
    pattern = "return document.querySelector('#pattern').value"
    field = page.browser.find("#pattern")
    field.send_keys("8x8x3 -> conv3-4")
    page.browser.click(".pattern button")
    page.browser.until(lambda: "8x8x3" in page.spec())
    assert page.browser.run(pattern) == "8x8x3 -> conv3-4"
    page.drop("small.yaml", b"name: small\ntitle: Small\ninput: 9x9x1\nlayers: [relu]\n")
    page.browser.until(lambda: "9x9x1" in page.spec())
    assert page.browser.run(pattern) == ""


def test_messages_keep_their_lines(page: Playground) -> None:
    lines = "return document.querySelector(arguments[0]).innerText.split('\\n')"
    page.open("alexnet&view=check")
    page.browser.find("#pattern").send_keys("8x8x3 -> frob")
    page.browser.click(".pattern button")
    page.browser.until(lambda: bool(page.browser.texts("#pattern-problem")[0]))
    assert page.browser.run(lines, "#pattern-problem")[1].startswith("layers: ")
    page.browser.find(".check textarea").send_keys("hello")
    page.browser.click(".check .primary")
    page.wait(".check .result p", lambda found: "hello" in "".join(found))
    assert page.browser.run(lines, ".check .result p")[-1] == "found: hello"


def test_every_tab_and_the_whole_derivation_are_in_a_narrow_window(page: Playground) -> None:
    page.open("resnet50&layer=fc&lang=he", 768)
    cut = "return [...document.querySelectorAll('.derivation dd')].map((dd) => dd.scrollWidth - dd.clientWidth)"
    page.browser.until(lambda: bool(page.browser.run(cut)))
    assert not any(page.browser.run(cut))
    page.browser.find("#tab-exercise").click()
    page.settle()
    assert page.browser.texts("#tab-exercise[aria-selected=true]")
