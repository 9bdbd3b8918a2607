"""The widget in Chromium: the bundle as a notebook shows it, with the functions of archcalc behind its messages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.render.pages.browser import Browser

pytestmark = pytest.mark.browser

TEXT = """\
name: small
title: Small
input: 8x8x3
parameters: {classes: 10}
layers:
  - linear: {name: fc, out_features: classes}
"""
#: A cell of a notebook, with what the widget uses of a model of Jupyter.
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>notebook</title>
<link rel="icon" href="data:,"><style>svg { display: none } button { color: red }</style></head>
<body><div id="cell"></div><script type="module">
import widget from "/widget.js";
const state = STATE, heard = {};
const say = (event, ...rest) => (heard[event] ?? []).forEach((listener) => listener(...rest));
window.sent = [];
window.model = {
  get: (name) => state[name],
  set(name, value) { state[name] = value; say(`change:${name}`); },
  save_changes() {},
  async send(message) {
    window.sent.push(message);
    if (message.cancel) return;
    const response = await fetch(`/call/${message.name}`, {method: "POST", body: JSON.stringify(message.request)});
    say("msg:custom", {id: message.id, answer: await response.json()});
  },
  on: (event, listener) => { (heard[event] ??= []).push(listener); },
  off: (event, listener) => { heard[event] = heard[event].filter((one) => one !== listener); },
};
window.state = state;
window.heard = heard;
window.end = widget.render({model: window.model, el: document.getElementById("cell")});
</script></body></html>"""


@contextmanager
def notebook(**state: Any) -> Iterator[str]:
    """The address of a page with the widget."""
    from archcalc.cli.serve.functions import call_text
    from archcalc.cli.serve.widget import bundle
    from archcalc.core.errors import UsageError

    try:
        script = bundle()
    except UsageError as error:
        pytest.skip(str(error))
    given = {"text": TEXT, "input": "", "parameters": {}, "view": "diagram", "layer": "", "lang": "", "height": 640}
    pages = {
        "/": ("text/html", HOST.replace("STATE", json.dumps(given | state).replace("</", "<\\/"))),
        "/widget.js": ("text/javascript", script),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(*pages.get(self.path, ("text/plain", "")))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.answer("application/json", call_text(self.path.rpartition("/")[2], body))

        def answer(self, kind: str, text: str) -> None:
            data = text.encode()
            self.send_response(200)
            self.send_header("content-type", f"{kind}; charset=utf-8")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class Cell:
    """The widget in a notebook, seen from inside its frame."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        browser.resize(1100)
        browser.driver.get(address)
        browser.until(lambda: bool(browser.run("return document.querySelector('iframe')")))
        self.inside()
        self.settle()

    def inside(self) -> None:
        self.browser.driver.switch_to.frame(self.browser.find("iframe"))

    def outside(self, script: str, *arguments: Any) -> Any:
        """The result of a script in the notebook."""
        self.browser.driver.switch_to.default_content()
        found = self.browser.run(script, *arguments)
        if self.browser.run("return document.querySelector('iframe') !== null"):
            self.inside()
        return found

    def settle(self) -> None:
        state = "return document.querySelector('main')?.dataset.state ?? 'busy'"
        self.browser.until(lambda: self.browser.run(state) not in ("busy", "failed"))

    def shows(self, selector: str, text: str) -> None:
        self.browser.until(lambda: any(text in one for one in self.browser.texts(selector)))


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    made = Browser(tmp_path / "profile")
    yield made
    made.close()


def test_the_widget_shows_a_network_and_says_what_is_changed(browser: Browser) -> None:
    with notebook() as address:
        cell = Cell(browser, address)
        # 8·8·3 values and a bias for each of 10 outputs.
        cell.shows(".totals", "1,930")
        assert browser.find(".diagram svg").is_displayed()  # the styles of the notebook stay outside
        assert browser.run("return document.querySelectorAll('.share-button').length") == 0
        fills = "return [...document.querySelectorAll('.diagram rect')].map((box) => getComputedStyle(box).fill)"
        assert "rgb(0, 0, 0)" not in browser.run(fills)
        # A slider of the page becomes a trait of the widget.
        browser.run(
            "const range = document.querySelector('[data-parameter=classes] input');"
            "range.value = range.max; range.dispatchEvent(new Event('input'));"
        )
        cell.shows(".totals", f"{193 * 20:,}")
        browser.until(lambda: cell.outside("return window.state.parameters") == {"classes": 20})
        browser.click("#tab-table")
        browser.until(lambda: cell.outside("return window.state.view") == "table")
        browser.click("[data-layer=fc] button.name")
        browser.until(lambda: cell.outside("return window.state.layer") == "fc")
        # And a trait that Python sets comes to the page.
        cell.outside("window.model.set('parameters', {classes: 3}); window.model.set('view', 'diagram')")
        cell.shows(".totals", f"{193 * 3:,}")
        cell.shows("[aria-selected=true]", "Diagram")
        cell.settle()
        assert browser.complaints() == []


def test_a_hostile_spec_and_a_lost_frame(browser: Browser) -> None:
    hostile = "</script><script>parent.document.title = 'broken'</script><img src=x onerror=alert(1)>"
    with notebook(text=TEXT.replace("Small", json.dumps(hostile))) as address:
        cell = Cell(browser, address)
        cell.shows("h2.title", "</script>")
        assert cell.outside("return document.title") == "notebook"
        # The frame has an origin of its own, from which the notebook cannot be reached, and loads nothing.
        assert (
            browser.run("try { return parent.document.title } catch (error) { return error.name }") == "SecurityError"
        )
        assert browser.run("return location.href") == "about:srcdoc"
        cell.outside("window.end()")
        assert cell.outside("return document.querySelector('iframe')") is None
        assert cell.outside("return Object.values(window.heard).flat().length") == 0
        assert browser.complaints() == []
