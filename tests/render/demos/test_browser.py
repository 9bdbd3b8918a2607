"""Demonstrations and decks in Chromium: by keyboard alone, without a complaint of the console."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archcalc.passes.analysis import analyse
from archcalc.render.decks.deck import render as render_deck
from archcalc.render.decks.deck import usual_plan
from archcalc.render.demos.demo import render
from archcalc.spec.catalogue import load
from tests.render.demos.test_demo import hostile, shown
from tests.render.pages.browser import Browser

pytestmark = pytest.mark.browser

RIGHT, LEFT, HOME, END, TAB, ENTER = "\ue014", "\ue012", "\ue011", "\ue010", "\ue004", "\ue007"
#: Everything that can be reached has a name, and every text has contrast: what axe asks of such a page.
AUDIT = """
const wrong = [];
const named = e => (e.getAttribute("aria-label") || e.innerText || e.closest("label")?.innerText || "").trim();
for (const e of document.querySelectorAll("button, input, [tabindex], [role=region]")) {
  if (!named(e)) wrong.push("no name: " + e.outerHTML.slice(0, 80));
}
const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
if (new Set(ids).size !== ids.length) wrong.push("an id appears twice");
for (const tag of ["h1", "main"]) if (document.querySelectorAll(tag).length !== 1) wrong.push("not one " + tag);
if (!document.documentElement.lang || !document.title) wrong.push("no language or title");
const rgb = text => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const ground = e => { const c = rgb(getComputedStyle(e).backgroundColor);
  return c.length === 4 && c[3] === 0 ? (e.parentElement ? ground(e.parentElement) : [255, 255, 255]) : c; };
for (const e of document.querySelectorAll("td, p, li, h1, h2, h3, caption, button, span, label")) {
  if (!e.innerText || !e.innerText.trim() || !e.checkVisibility()) continue;
  const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
  if ((a + 0.05) / (b + 0.05) < 4.5) wrong.push("contrast: " + e.outerHTML.slice(0, 80));
}
return [...new Set(wrong)];
"""


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    file = tmp_path / "demo.html"
    file.write_bytes(render(shown(), "html"))
    return file


def marked(browser: Browser, kind: str) -> int:
    found: int = browser.run("return document.querySelectorAll('td.' + arguments[0]).length", kind)
    return found


def outputs(browser: Browser) -> list[str]:
    found: list[str] = browser.run("return [...document.querySelectorAll('td')].slice(-18).map(e => e.textContent)")
    return found


def test_keys_alone_go_through_all_steps(browser: Browser, demo: Path) -> None:
    browser.open(demo)
    assert outputs(browser) == [""] * 18
    browser.press(RIGHT)
    assert (marked(browser, "read"), marked(browser, "weights"), marked(browser, "written")) == (27, 28, 1)
    browser.press(RIGHT, RIGHT)
    assert len([text for text in outputs(browser) if text]) == 3
    browser.press(LEFT)
    assert len([text for text in outputs(browser) if text]) == 2
    browser.press(END)
    wanted = [f"{step.written[0].value:g}".replace("-", "−") for step in shown().steps]
    assert outputs(browser) == wanted
    assert browser.texts("#count") == ["18 of 18"]
    browser.press(HOME)
    assert outputs(browser) == [""] * 18
    assert browser.texts("#calculation") == ["Before the first step"]


def test_buttons_are_reached_by_tab_and_playing_comes_to_an_end(browser: Browser, demo: Path) -> None:
    browser.open(demo)
    browser.press(TAB, TAB, TAB, TAB, ENTER)
    assert browser.texts("#count") == ["1 of 18"]
    browser.press("p")
    assert browser.texts("#play") == ["Pause"]
    browser.press(END)
    assert browser.texts("#play") == ["Play"]


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wrong_for_those_who_see_little(browser: Browser, demo: Path, dark: bool) -> None:
    browser.open(demo, dark=dark)
    browser.press(RIGHT, RIGHT)
    assert browser.run(AUDIT) == []


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_is_not_wider_than_the_window(browser: Browser, demo: Path, width: int) -> None:
    browser.open(demo, width=width)
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_hostile_words_run_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    file.write_bytes(render(hostile(), "html"))
    browser.open(file)
    browser.press(RIGHT)
    assert outputs(browser)[-1] == "−2.5"
    assert "</script>" in browser.texts("#calculation")[0]


# --- decks


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    file = tmp_path / "deck.html"
    file.write_bytes(render_deck(usual_plan([analyse(load("lenet5"))]), "html", steps=True)[0])
    return file


def test_a_deck_goes_by_keys(browser: Browser, deck: Path) -> None:
    browser.open(deck)
    assert browser.texts("#place") == ["1 of 9"]
    browser.press(RIGHT, RIGHT)
    later = browser.run("return document.querySelectorAll('.now .later').length")
    assert later
    assert browser.texts("#place") == ["2 of 9"]
    browser.press(END)
    assert browser.texts("#place") == ["9 of 9"]
    browser.press(LEFT)
    assert browser.texts("#place") == ["8 of 9"]
    assert browser.run("return document.querySelectorAll('.now .later').length") == 0
    assert browser.texts(".now .notes") == []
    browser.press("n")
    assert re.match(r"Notes Answer 1: ", browser.texts(".now .notes")[0])


@pytest.mark.parametrize("dark", [False, True])
def test_a_deck_has_names_and_contrast(browser: Browser, deck: Path, dark: bool) -> None:
    browser.open(deck, dark=dark)
    browser.press("n")
    assert browser.run(AUDIT) == []
