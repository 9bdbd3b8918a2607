"""What the page shows where it has no answer, or where a link names what there is not, in Chromium."""

from __future__ import annotations

import pytest

from tests.cli.serve.playground import Playground, link
from tests.cli.serve.test_playground import SPEC


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
