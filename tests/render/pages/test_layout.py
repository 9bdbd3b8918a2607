"""How a page looks in a real browser: nothing overflows, everything can be read, it can be printed."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from tests.cli.runner import DATA
from tests.render.pages.browser import WIDTHS, Browser
from tests.render.pages.conftest import MakePage
from tests.render.pages.made import analysis_of

HOSTILE = str(DATA / "hostile.yaml")
PAGES = [("lenet5",), ("alexnet",), ("resnet152",), ("unet",), (HOSTILE,), ("alexnet", "vgg16", "resnet50")]
every_page = pytest.mark.parametrize("networks", PAGES, ids="-".join)

A4 = {"paperWidth": 8.27, "paperHeight": 11.69}
#: Elements that reach beyond the window and stand in nothing that scrolls or cuts.
_OUTSIDE = """
const wide = document.documentElement.clientWidth;
const cut = (e) => e && e !== document.documentElement &&
    (getComputedStyle(e).overflowX !== 'visible' || getComputedStyle(e).clipPath !== 'none' || cut(e.parentElement));
return [...document.querySelectorAll('body *')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && (box.right > wide + 1 || box.left < -1) && !cut(e.parentElement) && !e.matches('.skip');
}).map((e) => e.outerHTML.slice(0, 200));
"""


@every_page
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overflows(browser: Browser, make_page: MakePage, networks: tuple[str, ...], width: int) -> None:
    browser.open(make_page(*networks), width=width)
    for step in ("", "document.querySelector('.layers tbody a').click()"):
        browser.run(step)
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run(_OUTSIDE) == []


@pytest.mark.parametrize("width", [*WIDTHS, 1200])
def test_a_total_stands_in_one_line(browser: Browser, make_page: MakePage, width: int) -> None:
    browser.open(make_page("gpt2_small"), width=width)
    lines = browser.run(
        "return [...document.querySelectorAll('.totals strong')].map(e => e.getBoundingClientRect().height /"
        " parseFloat(getComputedStyle(e).lineHeight))"
    )
    assert [line for line in lines if line > 1.5] == []
    assert browser.run(_OUTSIDE) == []


@every_page
def test_every_control_has_a_name_and_a_place_for_a_finger(
    browser: Browser, make_page: MakePage, networks: tuple[str, ...]
) -> None:
    browser.open(make_page(*networks), width=360)
    found = browser.run(
        "return [...document.querySelectorAll('button, input, select')].filter(e => e.checkVisibility()).map(e =>"
        " [e.ariaLabel || e.innerText || [...(e.labels || [])].map(l => l.innerText).join(),"
        " e.getBoundingClientRect().height, e.getBoundingClientRect().width])"
    )
    assert len(found) > 8
    assert [control for control in found if not control[0].strip() or control[1] < 24 or control[2] < 24] == []


# --- contrast, as WCAG 2.2 defines it


def _luminance(colour: str) -> float:
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
    if colour.startswith("color("):  # what is mixed is written from 0 to 1
        parts = [part * 255 for part in parts]
    linear = [part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str) -> float:
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


#: Every element with a text of its own: the text, its colour, and its background colour.
_COLOURS = """
const background = (e) => {
    for (; e; e = e.parentElement) {
        const colour = getComputedStyle(e).backgroundColor;
        if (colour !== 'rgba(0, 0, 0, 0)' && colour !== 'transparent') return colour;
    }
    return 'none';
};
const own = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
return [...document.querySelectorAll('body *:not(svg *, script)')].filter((e) => own(e) && e.checkVisibility())
    .map((e) => [e.textContent.trim().slice(0, 40), getComputedStyle(e).color, background(e)]);
"""


def test_contrast_is_measured_right() -> None:
    assert _contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == pytest.approx(21)
    assert _contrast("rgb(119, 119, 119)", "color(srgb 1 1 1)") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@every_page
def test_texts_stand_out(browser: Browser, make_page: MakePage, networks: tuple[str, ...], dark: bool) -> None:
    browser.open(make_page(*networks), dark=dark)
    browser.run("document.querySelector('.layers tbody tr:nth-child(2) a').click()")
    found = browser.run(_COLOURS)
    assert len(found) > 100
    weak = [item for item in found if _contrast(item[1], item[2]) < 4.5]
    assert weak == []
    ground = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (_luminance(ground) < 0.05) == dark


def test_the_button_turns_the_page_dark_and_light(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("alexnet"))

    def shades() -> list[float]:
        colours = browser.run(
            "return [getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('.view svg rect')).fill]"
        )
        return [round(_luminance(colour), 1) for colour in colours]

    assert shades() == [1.0, 1.0]
    browser.click("button.theme")
    assert shades() == [0.0, 0.0]
    assert browser.find("button.theme").get_attribute("aria-pressed") == "true"
    browser.click("button.theme")
    assert shades() == [1.0, 1.0]
    browser.media(dark=True)  # what was chosen by hand stays
    assert shades() == [1.0, 1.0]
    browser.open(make_page("alexnet"), dark=True)
    assert shades() == [0.0, 0.0]


@every_page
def test_paper_shows_everything_in_black_on_white(
    browser: Browser, make_page: MakePage, networks: tuple[str, ...]
) -> None:
    browser.open(make_page(*networks), dark=True)
    browser.media("print", dark=True)
    assert _luminance(browser.run("return getComputedStyle(document.body).color")) < 0.1
    hidden = ".tools, .filter, .parts, button.theme, .skip"
    assert browser.texts(hidden) == []
    assert browser.run(
        "return [...document.querySelectorAll('.wide')].every(e => e.scrollHeight <= e.clientHeight + 1)"
    )
    rows = len(browser.texts(".layers tbody tr"))
    # Those of every network, not of the one that is shown on the screen.
    assert rows == browser.run("return document.querySelectorAll('.layers tbody tr').length")
    browser.media()
    paper = base64.b64decode(browser.driver.execute_cdp_cmd("Page.printToPDF", A4)["data"])
    assert paper.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) >= 1


def test_motion_stops_for_who_asks(browser: Browser, make_page: MakePage) -> None:
    browser.open(make_page("lenet5"))
    behaviour = "return getComputedStyle(document.documentElement).scrollBehavior"
    assert browser.run(behaviour) == "smooth"
    browser.media(still=True)
    assert browser.run(behaviour) == "auto"
    assert browser.run("return document.getAnimations().length") == 0


def test_without_scripts_the_table_and_the_diagram_are_there(browser: Browser, make_page: MakePage) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page: Path = make_page("lenet5")
        browser.open(page)
        text = browser.find("body").text
        for words in ("LeNet-5", "61,706", "conv 5×5, 16", "How it is counted"):
            assert words in text
        buttons = browser.driver.find_elements("css selector", "button")
        assert [button.text for button in buttons if button.is_displayed()] == []
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


#: How every shape of a drawing is painted, as the browser calculates it.
_PAINTED = """
const names = ['fill', 'stroke', 'strokeWidth', 'strokeDasharray', 'strokeLinecap', 'opacity', 'fontSize', 'fontWeight',
               'textAnchor', 'whiteSpace'];
return [...document.querySelectorAll('svg :is(rect, path, text, line)')].map((shape) => {
    const look = getComputedStyle(shape);
    return names.map((name) => look[name]).join(' ');
});
"""


@pytest.mark.parametrize("network", ["googlenet", "unet"])
@pytest.mark.parametrize("style", ["graph", "blocks"])
def test_a_drawing_looks_in_the_page_as_it_does_by_itself(
    browser: Browser, make_page: MakePage, tmp_path: Path, network: str, style: str
) -> None:
    from archcalc.render.diagrams.draw import Choices, draw

    alone = tmp_path / "alone.svg"
    for dark in (False, True):
        theme = "dark" if dark else "light"
        alone.write_bytes(draw(analysis_of(network), "svg", Choices(style=style, title="", theme=theme)).data)
        browser.open(alone)
        wanted = browser.run(_PAINTED)
        assert len(wanted) > 50
        browser.open(make_page(network), dark=dark)
        assert browser.run(_PAINTED.replace("'svg :is", f"'[data-style={style}] svg :is")) == wanted
