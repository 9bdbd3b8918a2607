"""Pictures in pages from right to left: drawn from the left, as they are laid out, but for texts that are turned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.runner import Run
from tests.render.pages.browser import Browser

#: What makes each kind of page that has pictures.
PAGES = {
    "report": ("report", "lenet5", "-f", "html"),
    "reports": ("report", "lenet5", "alexnet", "-f", "html"),
    "deck": ("deck", "lenet5", "alexnet@grouped"),
    "grade": ("grade", "lenet5", "in"),
}
#: Texts that run to the left.
WRONG = """
return [...document.querySelectorAll('svg text')].filter((e) => getComputedStyle(e).direction !== 'ltr')
  .map((e) => e.outerHTML.slice(0, 200));
"""
#: How much text the browser draws.
COUNT = "return document.querySelectorAll('svg text').length"
every_page = pytest.mark.parametrize("kind", PAGES)


@pytest.fixture
def page(kind: str, archcalc: Run, own_folder: Path) -> Path:
    """A page in Hebrew."""
    (own_folder / "in").mkdir()
    (own_folder / "in" / "bob.csv").write_text("layer,params\nC1,150\nC3,2416\n", encoding="utf-8")
    done = archcalc(*PAGES[kind], "--lang", "he", "-o", "page.html")
    assert done.code in (0, 1), done.err
    return own_folder / "page.html"


@every_page
def test_every_picture_says_its_direction(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    drawings = re.findall("<svg[^>]*>", text)
    assert 'dir="rtl"' in text
    assert drawings
    assert [one for one in drawings if ' direction="ltr"' not in one] == []


@every_page
def test_texts_of_pictures_run_from_the_left(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.run(COUNT) > 0
    assert browser.run(WRONG) == []


def test_sizes_in_tables_run_from_the_left(archcalc: Run) -> None:
    """Else 32×32×1 is read as 1×32×32: between numbers the sign runs as what is around it."""
    text = archcalc("report", "lenet5", "-f", "html", "--lang", "he").out
    assert '<td class="word" dir="ltr">32×32×1</td>' in text
    assert ">32×32×1</td>" not in text.replace(' dir="ltr">', "")
    assert (
        'dir="ltr"' not in archcalc("report", "lenet5", "-f", "html").out.partition("<tbody")[2].partition("</tbody")[0]
    )
