"""A page in use: sorting, filtering, choosing layers by mouse and by keys, zooming, addresses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from archcalc.core import words
from archcalc.explain.derive.formats import lines
from archcalc.explain.derive.network import explain_layers
from archcalc.explain.derive.notation import MATHML
from tests.cli.runner import DATA
from tests.render.pages.browser import Browser
from tests.render.pages.conftest import MakePage
from tests.render.pages.made import analysis_of

HOSTILE = str(DATA / "hostile.yaml")
ENTER, ESCAPE, TAB, RIGHT, LEFT, HOME, END = "\ue007", "\ue00c", "\ue004", "\ue014", "\ue012", "\ue011", "\ue010"
ROWS = "table.layers tbody tr:not([hidden]) th"


def names(browser: Browser, count: int = 3) -> list[str]:
    return browser.texts(ROWS)[:count]


def head(browser: Browser, key: str) -> Any:
    return browser.find(f"table.layers th[data-key={key}]")


# --- table


@pytest.mark.parametrize(
    ("key", "down", "up"),
    [
        ("params", ["fc6", "fc7", "fc8"], ["input", "relu1", "norm1"]),
        ("multiplications_share", ["conv2", "conv4", "conv3"], ["input", "relu1", "norm1"]),
        ("stored", ["conv1", "norm1", "conv2"], ["relu1", "relu2", "relu3"]),
        ("receptive_field", ["fc6", "relu6", "drop6"], ["input", "conv1", "relu1"]),
    ],
)
def test_numbers_are_sorted_from_the_largest(
    browser: Browser, make_page: MakePage, key: str, down: list[str], up: list[str]
) -> None:
    browser.open(make_page("alexnet"))
    order = names(browser, 24)
    assert order == [row.name for row in analysis_of("alexnet").rows]
    for wanted, sorted_ in ((down, "descending"), (up, "ascending")):
        browser.click(f"th[data-key={key}] button")
        assert names(browser) == wanted
        assert head(browser, key).get_attribute("aria-sort") == sorted_
    browser.click(f"th[data-key={key}] button")
    assert names(browser, 24) == order
    assert head(browser, key).get_attribute("aria-sort") is None


def test_a_sorted_table_begins_with_its_first_row(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("resnet152"))
    browser.run("document.querySelector('.layers').closest('.wide').scrollTop = 4000")
    browser.run("document.querySelector('th[data-key=params] button').click()")
    assert browser.run("return document.querySelector('.layers').closest('.wide').scrollTop") == 0


def test_a_layer_is_opened_by_a_click_anywhere_in_its_row(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("lenet5"))
    browser.click(".layers tbody tr:nth-child(2) td:nth-child(4)")
    assert browser.find("tr.chosen th").text == names(browser, 2)[1]
    assert browser.find(".panel").is_displayed()


def test_names_of_layers_leave_space_on_a_phone(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("googlenet"), width=360)
    width = browser.run("return document.querySelector('.layers tbody th').offsetWidth")
    assert width <= 180
    browser.run("document.querySelector('.layers').closest('.wide').scrollLeft = 200")
    box, cell = browser.run(
        "return [document.querySelector('.layers').closest('.wide'), document.querySelector('.layers tbody th')]"
        ".map(e => e.getBoundingClientRect().left)"
    )
    assert cell - box < 2


def test_what_has_a_role_has_a_name(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("alexnet", "vgg16"))
    assert browser.run(
        "return [...document.querySelectorAll('svg [role]')].filter(e => /^(img|group|graphics)/.test("
        "e.getAttribute('role')) && !e.hasAttribute('aria-label') && !e.hasAttribute('aria-labelledby')).length"
    ) == 0  # fmt: skip
    # What a button is called begins with what it reads.
    assert browser.run(
        "return [...document.querySelectorAll('button[aria-label]')].filter(e => /[a-z]/i.test(e.innerText) &&"
        " !e.getAttribute('aria-label').startsWith(e.innerText.trim())).map(e => e.innerText)"
    ) == []  # fmt: skip


def test_names_are_sorted_as_people_count(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("resnet152"))
    browser.click("th[data-key=layer] button")
    assert head(browser, "layer").get_attribute("aria-sort") == "ascending"
    units = [re.search(r"conv4_x/unit(\d+)", name) for name in browser.texts(ROWS)]
    numbers = [int(unit[1]) for unit in units if unit]
    assert numbers == sorted(numbers)
    assert numbers[-1] == 36


def test_a_sorted_column_holds_the_numbers_in_order(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("googlenet"))
    for key in ("params", "multiplications"):
        browser.click(f"th[data-key={key}] button")
        place = browser.run("return document.querySelector(arguments[0]).cellIndex", f"th[data-key={key}]")
        cells = browser.texts(f"table.layers tbody tr > :nth-child({place + 1})")
        counts = [0 if cell == "–" else int(cell.replace(",", "")) for cell in cells]
        assert counts == sorted((getattr(row, key) for row in analysis_of("googlenet").rows), reverse=True)


@pytest.mark.parametrize(
    ("typed", "kind", "fits"),
    [
        ("inception_3a", "", lambda row: "inception_3a" in row.name),
        ("INCEPTION conv", "", lambda row: "inception" in row.name and "conv" in f"{row.name} {row.summary}"),
        ("", "pooling", lambda row: row.op.family == "pooling"),
        ("inception_4", "convolution", lambda row: "inception_4" in row.name and row.op.family == "convolution"),
    ],
    ids=["name", "words", "kind", "both"],
)
def test_the_filter_keeps_what_fits_and_adds_it_up(
    browser: Browser, make_page: MakePage, typed: str, kind: str, fits: Any
) -> None:
    rows = [row for row in analysis_of("googlenet").rows if fits(row)]
    assert 2 < len(rows) < 143
    browser.open(make_page("googlenet"))
    browser.find("form.filter input").send_keys(typed)
    if kind:
        browser.click(f"form.filter option[value={kind}]")
    assert browser.texts(ROWS) == [row.name for row in rows]
    assert browser.find(".found[role=status]").text == f"{len(rows)} of 143 rows"
    sums = dict(zip(browser.texts("table.layers thead th"), browser.texts("tr.shown > *"), strict=True))
    assert sums["params"] == f"{sum(row.params for row in rows):,}"
    assert sums["multiplications"] == f"{sum(row.multiplications or 0 for row in rows):,}"
    assert sums["stored"] == words.size(sum(row.activation_bytes for row in rows))
    browser.click("form.filter button[type=reset]")
    browser.until(lambda: len(browser.texts(ROWS)) == 143)
    assert browser.texts("tr.shown > *") == []
    assert browser.find(".found").text == ""


def test_a_filter_that_fits_nothing_says_so(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("lenet5"))
    browser.find("form.filter input").send_keys("transformer", ENTER)
    assert browser.texts(ROWS) == []
    assert browser.find(".found").text == "No layer fits."


# --- derivations


@pytest.mark.parametrize("network", ["lenet5@1998", "unet", "googlenet@aux", "mobilenet", "nasnet_mobile"])
def test_formulas_are_those_that_explain_writes(browser: Browser, make_page: MakePage, network: str) -> None:
    analysis = analysis_of(network)
    step = max(1, len(analysis.rows) // 40)
    rows = analysis.rows[::step]
    browser.open(make_page(network))
    for row, explanation in zip(rows, explain_layers(analysis, [row.name for row in rows]), strict=True):
        shown = browser.run(
            "document.getElementById(arguments[0]).querySelector('a').click();"
            "return [document.querySelector('.panel h2').textContent,"
            " document.querySelector('.panel .what').textContent,"
            " [...document.querySelectorAll('.panel .derivation dt')].map(dt => dt.textContent),"
            " [...document.querySelectorAll('.panel .derivation dd')].map(dd =>"
            " [...dd.querySelectorAll('math')].map(m => m.innerHTML))]",
            f"layer-{row.name}",
        )
        wanted = list(lines(explanation, MATHML))
        assert f"{shown[0]}: {shown[1]}" == explanation.heading
        assert shown[2] == [line.label for line in wanted]
        assert shown[3] == [[f"<mrow>{part}</mrow>" for part in line.parts] for line in wanted]


def test_the_panel_shows_the_right_numbers(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("alexnet"))
    browser.click("#layer-conv2 a")
    assert browser.texts(".panel h2") == ["conv2"]
    found = dict(zip(browser.texts(".panel dt"), browser.texts(".panel dd"), strict=True))
    assert found["params"].endswith("= 614,656 2,400 weights and 1 bias for each filter")
    assert found["multiplications"].endswith("= 447,897,600")
    assert found["memory"].endswith("= 746,496 bytes 729 KiB")
    assert browser.texts("tr.chosen th") == ["conv2"]
    assert browser.run("return document.querySelector('.view .chosen').dataset.layer") == "conv2"
    assert browser.run("return location.hash") == "#layer-conv2"
    assert browser.texts(".panel .neighbours a") == ["pool1", "relu2"]


def test_links_in_the_panel_and_the_history_lead_from_layer_to_layer(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("alexnet"))
    browser.click("#layer-conv2 a")
    browser.click(".panel .neighbours a")
    assert browser.texts(".panel h2") == ["pool1"]
    browser.click(".panel .steps button:last-child")
    assert browser.texts(".panel h2") == ["conv2"]
    browser.driver.back()
    browser.until(lambda: browser.texts(".panel h2") == ["pool1"])
    browser.driver.back()
    browser.driver.back()
    browser.until(lambda: browser.texts(".panel") == [])
    assert browser.texts("tr.chosen th") == []


def test_an_address_opens_its_layer(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("resnet152"), fragment="layer-conv4_x/unit20/bottleneck/conv2/conv")
    assert browser.texts(".panel h2") == ["conv4_x/unit20/bottleneck/conv2/conv"]
    seen = browser.run(
        "const row = document.querySelector('tr.chosen').getBoundingClientRect();"
        "const box = document.querySelector('.layers').closest('.wide').getBoundingClientRect();"
        "return row.top >= box.top && row.bottom <= box.bottom"
    )
    assert seen
    browser.open(make_page("resnet152"), fragment="layer-conv4_x/unit20")
    assert browser.texts(".panel h2") == ["conv4_x/unit20"]
    assert browser.texts(".panel h3") == ["10 layers"]
    for wrong in ("layer-nothing", "layer-%zz", "layer-", "nothing"):
        browser.open(make_page("resnet152"), fragment=wrong)
        assert browser.texts(".panel") == []


def test_a_block_lists_its_layers_and_finds_them_in_the_table(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("googlenet"))
    node = browser.find('.view:not([hidden]) [data-block="inception_3a"]')
    node.click()
    inside = [row for row in analysis_of("googlenet").rows if row.name.startswith("inception_3a/")]
    assert browser.texts(".panel h2") == ["inception_3a"]
    assert browser.texts(".panel li a") == [row.name for row in inside]
    browser.click(".panel > button")
    assert browser.texts(ROWS) == [row.name for row in inside]
    assert f"{sum(row.params for row in inside):,}" in browser.texts("tr.shown > *")


# --- diagram


def view_box(browser: Browser) -> list[float]:
    text = browser.run("return document.querySelector('.view:not([hidden]) svg').getAttribute('viewBox')")
    return [float(part) for part in text.split()]


def test_the_diagram_zooms_and_moves(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("alexnet"))
    whole = view_box(browser)
    browser.click("[data-do=in]")
    assert view_box(browser)[2] == pytest.approx(whole[2] / 1.25, rel=0.01)
    browser.click("[data-do=out]")
    browser.click("[data-do=fit]")
    assert view_box(browser) == whole

    view = browser.find(".view:not([hidden])")
    wheel = (
        "arguments[0].dispatchEvent("
        "new WheelEvent('wheel', {deltaY: -100, bubbles: true, cancelable: true, ...arguments[1]}))"
    )
    browser.run("document.activeElement.blur()")
    browser.run(wheel, view, {})
    assert view_box(browser) == whole, "the wheel scrolls the page until the diagram is used"
    browser.run(wheel, view, {"ctrlKey": True})
    assert view_box(browser)[2] < whole[2]
    browser.click("[data-do=fit]")
    browser.run("arguments[0].focus()", view)
    for _ in range(5):
        browser.run(wheel, view, {})
    zoomed = view_box(browser)
    assert zoomed[2] < whole[2]

    from selenium.webdriver import ActionChains

    ActionChains(browser.driver).move_to_element(view).click_and_hold().move_by_offset(-60, -30).release().perform()
    moved = view_box(browser)
    assert moved[2] == zoomed[2]
    assert moved[0] > zoomed[0]
    assert browser.texts(".panel") == [], "moving chooses nothing"
    browser.press("0")
    assert view_box(browser) == whole
    browser.press("+", "+")
    assert view_box(browser)[2] == pytest.approx(whole[2] / 1.25**2, rel=0.01)


def test_a_click_in_the_diagram_chooses_a_layer(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("alexnet"))
    browser.click('.view:not([hidden]) [data-layer="pool2"]')
    assert browser.texts(".panel h2") == ["pool2"]
    assert browser.texts("tr.chosen th") == ["pool2"]


def test_the_diagram_is_one_stop_of_the_tab_key_and_arrows_lead_through_it(
    browser: Browser, make_page: MakePage
) -> None:
    browser.open(make_page("alexnet"))
    stops = ".view:not([hidden]) [tabindex='0']"
    assert browser.run("return document.querySelectorAll(arguments[0]).length", stops) == 1
    browser.run("document.querySelector('[data-do=full]').focus()")
    browser.press(TAB)
    focused = "return document.activeElement.dataset.layer"
    assert browser.run(focused) == "input"
    browser.press(RIGHT, RIGHT)
    assert browser.run(focused) == "relu1"
    browser.press(LEFT)
    assert browser.run("return document.activeElement.ariaLabel").startswith("conv1: conv 11×11, 96, /4")
    browser.press(ENTER)
    assert browser.texts(".panel h2") == ["conv1"]
    assert browser.run("return document.activeElement.id") == "panel"
    browser.press(ESCAPE)
    assert browser.texts(".panel") == []
    assert browser.run(focused) == "conv1"
    browser.press(END)
    assert browser.run(focused) == "prob"
    browser.press(HOME)
    assert browser.run(focused) == "input"


def test_every_layer_of_a_deep_network_can_be_shown(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("resnet152"))
    assert browser.texts(".choice label") == ["Blocks", "Every layer"]
    browser.click(".choice label:last-of-type")
    shown = browser.run("return document.querySelectorAll('.view:not([hidden]) [data-layer]').length")
    assert shown == 516
    browser.click("#layer-fc a")
    browser.until(
        lambda: browser.run(
            "const node = document.querySelector('.view:not([hidden]) .chosen').getBoundingClientRect();"
            "const box = document.querySelector('.view:not([hidden])').getBoundingClientRect();"
            "return node.left >= box.left && node.right <= box.right"
            " && node.top >= box.top && node.bottom <= box.bottom"
        )
    )


def test_the_diagram_fills_the_window_until_escape(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("resnet152"))
    browser.click("[data-do=full]")
    box = browser.run("return document.querySelector('.diagram').getBoundingClientRect().toJSON()")
    assert (box["width"], box["height"]) == (1280, 900)
    browser.press(ESCAPE)
    assert browser.run("return document.querySelector('.diagram').getBoundingClientRect().height") < 900


# --- plots

_PLACE = """
const svg = document.querySelectorAll('figure[data-area] svg')[arguments[0]];
const [left, , width] = svg.closest('figure').dataset.area.split(' ').map(Number);
const box = svg.getBoundingClientRect();
const scale = box.width / svg.viewBox.baseVal.width;
return [box.left + (left + (arguments[1] + 0.5) / arguments[2] * width) * scale, box.top + box.height / 2];
"""
_POINT = """
const at = {clientX: arguments[1][0], clientY: arguments[1][1], bubbles: true};
document.querySelectorAll('figure[data-area] svg')[arguments[0]].dispatchEvent(new MouseEvent(arguments[2], at));
"""


@pytest.mark.parametrize("plot", [1, 2], ids=["memory", "receptive field"])
def test_a_click_in_a_plot_chooses_the_layer_below(browser: Browser, make_page: MakePage, plot: int) -> None:
    rows = analysis_of("alexnet").rows
    browser.open(make_page("alexnet"))
    for place in (0, 9, 23):
        point = browser.run(_PLACE, plot, place, len(rows))
        browser.run(_POINT, plot, point, "pointermove")
        assert browser.texts(".pointed")[plot] == rows[place].name
        browser.run(_POINT, plot, point, "click")
        assert browser.texts(".panel h2") == [rows[place].name]


def test_a_bar_is_where_the_plot_says_it_is(browser: Browser, make_page: MakePage) -> None:
    """The names that Vega wrote below the bars stand in the bands that the page marks."""
    browser.open(make_page("alexnet"))
    for name in ("input", "conv1", "pool5", "fc8"):
        browser.run("document.getElementById(arguments[0]).querySelector('a').click()", f"layer-{name}")
        inside = browser.run(
            "const svg = document.querySelector('figure[data-along=bars] svg');"
            "const word = [...svg.querySelectorAll('text')].find((e) => e.textContent === arguments[0]);"
            "const [a, b] = [word, svg.querySelector('.here')].map((e) => e.getBoundingClientRect());"
            "return Math.abs((a.left + a.right) / 2 - (b.left + b.right) / 2)",
            name,
        )
        assert inside < 2
    # An activation has no bar of its own in this plot, and its place in the others.
    browser.run("document.querySelector('#layer-relu3 a').click()")
    shown = browser.run("return [...document.querySelectorAll('.here')].map((e) => e.getAttribute('visibility'))")
    assert shown == ["hidden", "visible", "visible"]


# --- keys and landmarks


def test_the_first_tab_stop_leads_to_the_content(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("lenet5"))
    browser.press(TAB)
    assert browser.run("return document.activeElement.textContent") == "Skip to the content"
    assert browser.run("return document.activeElement.getBoundingClientRect().top >= 0")
    browser.press(ENTER)
    assert browser.run("return document.activeElement.tagName") == "MAIN"


def test_what_has_the_focus_can_be_seen(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("lenet5"))
    for _ in range(40):
        browser.press(TAB)
        seen = browser.run(
            "const e = document.activeElement; if (e === document.body) return true;"
            "const lit = (x) => x && (getComputedStyle(x).outlineStyle !== 'none'"
            " || getComputedStyle(x).strokeWidth === '2.5px');"
            "return lit(e) || [...e.children].some(lit) || lit(e.nextElementSibling) || e.outerHTML.slice(0, 200)"
        )
        assert seen is True


def test_a_row_is_chosen_by_the_enter_key(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("lenet5"))
    browser.run("document.querySelector('#layer-C3 a').focus()")
    browser.press(ENTER)
    assert browser.texts(".panel h2") == ["C3"]
    assert browser.run("return document.activeElement.id") == "panel"
    browser.press(ESCAPE)
    assert browser.run("return document.activeElement.textContent") == "C3"


# --- what a spec says


def test_a_hostile_spec_is_shown_and_not_run(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page(HOSTILE))
    rows = analysis_of(HOSTILE).rows
    assert browser.run("return [...document.querySelectorAll('.layers tbody th')].map(e => e.textContent)") == [
        row.name for row in rows
    ]
    assert browser.run("return document.querySelectorAll('img, iframe, b, i').length") == 0
    assert browser.run("return document.querySelectorAll('script').length") == 2
    for row in rows:
        browser.run(
            "[...document.querySelectorAll('.layers tbody a')].find(a => a.textContent === arguments[0]).click()",
            row.name,
        )
        assert browser.run("return document.querySelector('.panel h2').textContent") == row.name
        assert browser.run("return document.querySelector('tr.chosen th').textContent") == row.name
        assert browser.run("return document.querySelector('.view .chosen').dataset.layer") == row.name
        address = browser.run("return location.href")
        browser.driver.get("about:blank")
        browser.driver.get(address)
        assert browser.run("return document.querySelector('.panel h2').textContent") == row.name
    # An open dialog would have raised an exception in any of the calls above.


# --- several networks


def test_a_comparison_shows_one_network_at_a_time(browser: Browser, make_page: MakePage) -> None:
    networks = ("alexnet", "vgg16", "resnet50")
    browser.open(make_page(*networks))
    assert browser.texts("[role=tab]") == ["AlexNet", "VGG-16", "ResNet-50"]
    assert browser.texts("article h2:first-of-type")[0] == "AlexNet"
    browser.click("[role=tab][href='#network-vgg16']")
    assert browser.texts("[role=tabpanel] header h2") == ["VGG-16"]
    assert len(browser.texts(ROWS)) == len(analysis_of("vgg16").rows)
    browser.run("document.activeElement.closest('nav') || document.querySelector('[aria-selected=true]').focus()")
    browser.press(RIGHT)
    assert browser.texts("[role=tabpanel] header h2") == ["ResNet-50"]
    browser.press(RIGHT)
    assert browser.texts("[role=tabpanel] header h2") == ["AlexNet"]
    browser.click("#alexnet-layer-conv2 a")
    assert browser.texts(".panel h2") == ["conv2"]
    browser.open(make_page(*networks), fragment="resnet50-layer-fc")
    assert browser.texts("[role=tabpanel] header h2") == ["ResNet-50"]
    assert browser.texts(".panel h2") == ["fc"]


def test_a_comparison_names_the_extremes_in_words(browser: Browser, make_page: MakePage) -> None:
    networks = ("alexnet", "vgg16", "resnet50")
    browser.open(make_page(*networks))
    heads = browser.texts(".compared thead th")
    marked = {}
    for place, row in enumerate(networks, 1):
        cells = browser.texts(f".compared tbody tr:nth-child({place}) > *")
        marked[row] = dict(zip(heads, cells, strict=True))
    assert marked["vgg16"]["parameters"] == "138,357,544 ▴ most"
    assert marked["resnet50"]["parameters"] == "25,557,032 ▾ fewest"
    assert marked["alexnet"]["multiplications"] == "1,135,256,096 ▾ fewest"
    assert marked["alexnet"]["parameters"] == "62,378,344"
    browser.click(".compared thead th:nth-child(6) button")
    assert browser.texts(".compared tbody th a") == ["VGG-16", "AlexNet", "ResNet-50"]
