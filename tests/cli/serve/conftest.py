"""`archcalc serve` in a process of its own, and its page in a browser."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archcalc.cli.serve.server import PAGE
from tests.cli.serve.playground import Playground
from tests.render.pages.browser import Browser


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the page is. Skips where it was not built."""
    if not (PAGE / "dist" / "index.html").is_file():
        pytest.skip("the page was not built: npm ci && npm run build in docs/playground")
    command = [sys.executable, "-m", "archcalc", "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        found = next((match for line in server.stderr if (match := re.search(r"http://\S+/", line))), None)
        assert found, "archcalc serve ended before it answered"
        yield found[0]
        server.send_signal(signal.SIGINT)
        server.communicate()


@pytest.fixture(scope="session")
def one_browser(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page(address: str, one_browser: Browser) -> Iterator[Playground]:
    """The page; a test fails where it wrote to the console or asked another host for anything."""
    one_browser.complaints()
    playground = Playground(one_browser, address)
    yield playground
    assert one_browser.complaints() == []
    assert playground.hosts() <= {address}


@pytest.fixture
def fresh_profile(address: str, one_browser: Browser, tmp_path: Path) -> Iterator[Callable[[], Playground]]:
    """A browser that has seen nothing before."""
    opened: list[Browser] = []

    def start() -> Playground:
        opened.append(Browser(tmp_path / f"profile{len(opened)}"))
        return Playground(opened[-1], address)

    yield start
    for browser in opened:
        assert browser.complaints() == []
        browser.close()
