"""The page of `archcalc serve` as its users see it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.render.pages.browser import Browser

ROOT = Path(__file__).parents[3]
ENTER, ESCAPE, CONTROL, DELETE = "\ue007", "\ue00c", "\ue009", "\ue017"
_AXE = ROOT / "docs" / "playground" / "node_modules" / "axe-core" / "axe.min.js"
_DROP = """
const bytes = Uint8Array.from(atob(arguments[1]), (letter) => letter.charCodeAt(0));
const held = new DataTransfer();
held.items.add(new File([bytes], arguments[0]));
for (const kind of ['dragover', 'drop']) {
  const target = document.querySelector('.cm-content') ?? document.body;
  target.dispatchEvent(new DragEvent(kind, {dataTransfer: held, bubbles: true, cancelable: true}));
}
"""

_FOLLOW = """
for (const dialog of document.querySelectorAll('dialog[open]')) dialog.close();
for (const field of document.querySelectorAll('main textarea, #pattern')) field.value = '';
history.replaceState(null, '', `#${arguments[0]}`);
dispatchEvent(new HashChangeEvent('hashchange'));
"""

_KEEP_BLOBS = """
window.kept = null;
window.made ??= URL.createObjectURL.bind(URL);
const last = {};
URL.createObjectURL = (blob) => { last.blob = blob; return window.made(blob); };
HTMLAnchorElement.prototype.click = function () { window.kept = [this.download, last.blob]; };
"""
_KEPT = """
const done = arguments[0];
if (!window.kept) done(null);
else window.kept[1].arrayBuffer().then((data) => {
  let text = '';
  for (const byte of new Uint8Array(data)) text += String.fromCharCode(byte);
  done([window.kept[0], btoa(text)]);
});
"""

_RUN_AXE = """
const done = arguments[0];
const line = ({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(' | ')}`;
axe.run({resultTypes: ['violations']}).then((found) => done(found.violations.map(line)), (error) => done([`${error}`]));
"""


def link(**state: Any) -> str:
    """The part of a link after `#` that holds a state."""
    packed = zlib.compress(json.dumps(state).encode())
    return "z=" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


class Playground:
    """The page in a window."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self, fragment: str = "", width: int = 1440, dark: bool = False) -> None:
        """Load the page with a link, and wait until it shows what the link says."""
        self.browser.resize(width, 844 if width < 700 else 900)
        self.browser.media(dark=dark)
        self.load(fragment)
        # The menus come with the catalogue, after which all is shown again.
        self.browser.until(lambda: self.browser.run("return document.querySelector('.conventions select') !== null"))
        self.settle()

    def load(self, fragment: str) -> None:
        """Go to a link, in a page that is loaded again."""
        self.browser.driver.get("about:blank")
        self.browser.driver.get(f"{self.address}#{fragment}")

    def settle(self) -> str:
        """Wait until the page has nothing left to do; the state in which it is: ready, wrong or failed."""
        state = ""

        def still() -> bool:
            nonlocal state
            state = str(self.browser.run("return document.querySelector('main')?.dataset.state ?? 'busy'"))
            return state != "busy"

        self.browser.until(still)
        return state

    def pane(self, name: str) -> None:
        """Show the spec or the result (`side`), where one of them is seen at a time."""
        if self.browser.find(".panes").is_displayed():
            self.browser.click(f".panes [data-pane={name}]")

    def view(self, name: str) -> None:
        """Open a pane of the result."""
        self.pane("side")
        self.browser.click(f"#tab-{name}")
        self.settle()

    def write(self, text: str) -> None:
        """Type a text in place of the spec, key by key; a completion that is offered is waved away."""
        self.pane("spec")
        editor = self.browser.find(".cm-content")
        editor.click()
        editor.send_keys(CONTROL + "a")
        editor.send_keys(DELETE)
        for place, line in enumerate(text.splitlines()):
            if place:
                editor.send_keys(ESCAPE, ENTER)
                # The editor indents by itself; the text says how much it wants.
                editor.send_keys(CONTROL + "[[[")
            editor.send_keys(line)
        editor.send_keys(ESCAPE)

    def spec(self) -> str:
        """The text in the editor, as far as it can be seen there."""
        lines = self.browser.run(
            "return [...document.querySelectorAll('.cm-content > .cm-line')].map((line) => line.textContent)"
        )
        return "\n".join(lines)

    def totals(self) -> dict[str, str]:
        """The totals at the top of the result."""
        self.pane("side")
        heads, values = self.browser.texts(".totals dt"), self.browser.texts(".totals dd")
        return dict(zip(heads, values, strict=True))

    def drop(self, name: str, data: bytes) -> None:
        """Let a file fall on the editor."""
        self.browser.run(_DROP, name, base64.b64encode(data).decode())

    def wait(self, selector: str, wanted: Callable[[list[str]], bool]) -> list[str]:
        """Wait until what elements show is as wanted."""
        found: list[str] = []

        def reached() -> bool:
            found[:] = self.browser.texts(selector)
            return wanted(found)

        self.browser.until(reached)
        return found

    def wait_for_chosen(self, layer: str) -> None:
        """Wait until the box of this layer is the only one in the diagram that is lit up."""
        script = "return [...document.querySelectorAll('.diagram .chosen')].map((box) => box.dataset.layer)"
        self.browser.until(lambda: self.browser.run(script) == [layer])

    def violations(self) -> list[str]:
        """What axe finds, in one line each. Skips the test where axe is not installed."""
        if not _AXE.is_file():
            pytest.skip("axe-core is not installed: npm ci in docs/playground")
        if not self.browser.run("return 'axe' in window"):
            self.browser.run(_AXE.read_text(encoding="utf-8"))
        found = self.browser.driver.execute_async_script(_RUN_AXE)
        return list(found)

    def drawn(self) -> str:
        """The diagram, as the page has it."""
        return str(self.browser.run("return document.querySelector('.diagram svg').outerHTML"))

    def saved(self, to: str) -> tuple[str, bytes]:
        """The file that the menu of exports saves, and its name."""
        self.browser.run(_KEEP_BLOBS)
        self.browser.click(".bar .popup summary")
        # The menu is filled when it has opened, so a button that was found may be replaced before it is clicked.
        clicked = "const button = document.querySelector(arguments[0]); button?.click(); return Boolean(button)"
        self.browser.until(lambda: self.browser.run(clicked, f"[open] .menu [data-to={to}]"))
        found: list[str] = []

        def came() -> bool:
            found[:] = self.browser.driver.execute_async_script(_KEPT) or []
            return bool(found)

        self.browser.until(came)
        return found[0], base64.b64decode(found[1])

    def hosts(self) -> set[str]:
        """Every host that the page asked for something."""
        return set(
            self.browser.run(
                "return performance.getEntriesByType('resource').map((e) => new URL(e.name))"
                ".filter((u) => u.protocol.startsWith('http')).map((u) => u.origin + '/')"
            )
        )


class Static(Playground):
    """The page of the static build. Its engine takes seconds to start: it is loaded once, then links are followed."""

    def load(self, fragment: str) -> None:
        is_here = self.browser.driver.current_url.startswith(self.address)
        if is_here and self.browser.run("return document.documentElement.lang") == "en":
            self.browser.run(_FOLLOW, fragment)
        else:
            super().load(fragment)
