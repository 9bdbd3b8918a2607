"""One browser for all tests of a process, and pages to open in it, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.render.pages.browser import Browser
from tests.render.pages.made import page_of

#: A file with the page of these networks.
MakePage = Callable[..., Path]


@pytest.fixture(scope="session")
def one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(one_browser: Browser) -> Iterator[Browser]:
    """The browser; a test fails where its page wrote to the console."""
    one_browser.complaints()
    yield one_browser
    assert one_browser.complaints() == []


@pytest.fixture(scope="session")
def make_page(tmp_path_factory: pytest.TempPathFactory) -> MakePage:
    folder = tmp_path_factory.mktemp("pages")
    made: dict[tuple[str, ...], Path] = {}

    def make(*networks: str) -> Path:
        if networks not in made:
            made[networks] = folder / f"page{len(made)}.html"
            made[networks].write_text(page_of(*networks), encoding="utf-8")
        return made[networks]

    return make
