"""The page with its two back ends, `archcalc serve` and the static build, each with one browser of its own."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from archcalc.cli.serve.server import PAGE
from tests.cli.serve.playground import Playground, Static
from tests.render.pages.browser import Browser


class Place(NamedTuple):
    """Where a back end has its page, and the browser for it."""

    address: str
    browser: Browser


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`archcalc serve` in a process of its own."""
    command = [sys.executable, "-m", "archcalc", "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr
        found = next((match for line in server.stderr if (match := re.search(r"http://\S+/", line))), None)
        assert found, "archcalc serve ended before it answered"
        yield found[0]
        server.send_signal(signal.SIGINT)
        server.communicate()


class Files(SimpleHTTPRequestHandler):
    """A server of files that writes no log. It refuses `refused`."""

    refused = ""

    def do_GET(self) -> None:  # the name that the library calls
        """Answer with a file."""
        if self.refused and self.path.endswith(self.refused):
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing of a request."""


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Other processes wait here. The lock of a database works on every system and ends with its process."""
    with closing(sqlite3.connect(path, timeout=3600, isolation_level=None)) as lock:
        lock.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def built(folder: Path) -> Iterator[str]:
    """`archcalc serve --build`, once in a folder, behind a server of files. Skips where a registry cannot be had."""
    site = folder / "site"
    with one_at_a_time(folder / "lock"):
        if not site.exists():
            command = [sys.executable, "-m", "archcalc", "serve", "--build", str(site)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 2 and re.search("cannot (fetch|download)", done.stderr):
                pytest.skip(done.stderr.strip().splitlines()[-1])
            assert done.returncode == 0, done.stderr
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


BACKENDS: dict[str, Callable[[Path], AbstractContextManager[str]]] = {"server": served, "static": built}


@pytest.fixture(scope="session")
def place_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Place]]:
    """The place of a back end, made when it is first asked for. Skips where the page was not built.

    The workers of pytest-xdist share one static build.
    """
    if not (PAGE / "dist" / "index.html").is_file():
        pytest.skip("the page was not built: npm ci && npm run build in docs/playground")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made: dict[str, Place] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:

        def place(backend: str) -> Place:
            if backend in missing:
                pytest.skip(missing[backend])
            if backend not in made:
                folder = tmp_path_factory.mktemp(backend)
                try:
                    browser = Browser(folder / "profile")
                    stack.callback(browser.close)
                    made[backend] = Place(stack.enter_context(BACKENDS[backend](shared)), browser)
                except pytest.skip.Exception as reason:
                    missing[backend] = str(reason)
                    raise
            return made[backend]

        yield place


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    """The back end of a test: the server, where it does not say another one."""
    return str(getattr(request, "param", "server"))


@pytest.fixture
def one_browser(backend: str, place_of: Callable[[str], Place]) -> Browser:
    return place_of(backend).browser


@pytest.fixture
def page(backend: str, one_browser: Browser, place_of: Callable[[str], Place]) -> Iterator[Playground]:
    """The page; a test fails where it wrote to the console or asked another host for anything."""
    one_browser.complaints()
    address = place_of(backend).address
    playground = (Static if backend == "static" else Playground)(one_browser, address)
    yield playground
    assert one_browser.complaints() == []
    assert playground.hosts() <= {address}


@pytest.fixture
def fresh_profile(page: Playground, tmp_path: Path) -> Iterator[Callable[[], Playground]]:
    """A browser that has seen nothing before."""
    opened: list[Browser] = []

    def start() -> Playground:
        opened.append(Browser(tmp_path / f"profile{len(opened)}"))
        return type(page)(opened[-1], page.address)

    yield start
    for browser in opened:
        assert browser.complaints() == []
        browser.close()
