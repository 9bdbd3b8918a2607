"""The HTML format in a real browser: tooltips, the table, no complaints, no overflow on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archcalc.render.charts.compare import compare
from archcalc.render.charts.profile import profile
from archcalc.render.charts.render import render
from tests.render.charts.charts import analysis_of
from tests.render.pages.browser import WIDTHS, Browser

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    assert browser.complaints() == []
    browser.close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("page") / "compare.html"
    target.write_bytes(render(compare([analysis_of("resnet50"), analysis_of("zfnet"), analysis_of("vgg16")]), "html"))
    return target


def shown(window: Browser) -> None:
    """Wait until Vega has drawn."""
    window.until(lambda: bool(window.run("return document.querySelectorAll('#plot svg text').length > 10")))


def test_a_bubble_says_its_numbers_and_its_source(window: Browser, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    window.open(page)
    shown(window)
    # The legend has such a mark too, before the bubbles.
    bubble = window.driver.find_elements("css selector", "#plot svg .mark-symbol path[stroke-dasharray]")[-1]
    ActionChains(window.driver).move_to_element(bubble).perform()
    window.until(lambda: bool(window.texts("#vg-tooltip-element.visible")))
    (tooltip,) = window.texts("#vg-tooltip-element.visible")
    for word in ("ZFNet", "61.6 %", "Zeiler & Fergus 2013", "crops not stated", "62,357,608"):
        assert word in tooltip


def test_the_numbers_stand_in_a_table(window: Browser, page: Path) -> None:
    window.open(page)
    assert window.texts("tbody td") == []
    window.click("main > details > summary")
    cells = window.texts("tbody td")
    assert {"resnet50", "25,557,032", "4,089,184,256", "76.13"} <= set(cells)
    assert window.run("return document.querySelector('figcaption').textContent").startswith(
        "Bubble chart of 3 networks"
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_overflow(window: Browser, page: Path, width: int) -> None:
    window.open(page, width=width)
    shown(window)
    window.click("main > details > summary")
    assert window.run("return document.documentElement.scrollWidth") <= width


def test_strange_names_do_not_run(window: Browser, tmp_path: Path) -> None:
    from dataclasses import replace

    from archcalc.passes.analysis import analyse

    graph = analysis_of("lenet5").graph
    evil = "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
    layers = (graph.layers[0], graph.layers[1]._replace(name=evil), *graph.layers[2:])
    target = tmp_path / "evil.html"
    target.write_bytes(render(profile(analyse(replace(graph, title=evil, layers=layers))), "html"))
    window.open(target)
    shown(window)
    window.click("main > details > summary")
    assert window.run("return window.ran === undefined")
    assert window.run("return document.title").startswith("</script><script>window.ran")
