"""A real browser: Chromium without a window, and what the tests ask of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--disable-ipc-flooding-protection",  # tests follow hundreds of links within seconds: the browser drops some else
)  # fmt: skip
_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: The widths of a phone, a laptop and a large screen.
WIDTHS = (360, 1280, 1920)


def programs() -> tuple[str, str]:
    """The browser and its driver. Skips the test where one is missing."""
    pytest.importorskip("selenium", reason='the extra is not installed: pip install "archcalc[browser]"')
    browser = next((found for name in _NAMES if (found := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("there is no Chromium with its driver: apt-get install chromium chromium-driver")
    return browser, driver


class Browser:
    """A window with one page."""

    def __init__(self, profile: Path) -> None:
        program, driver = programs()
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = program
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

    def open(self, page: Path, fragment: str = "", width: int = 1280, dark: bool = False) -> None:
        """Load a file again, in a window of this width."""
        self.resize(width)
        self.media(dark=dark)
        self.driver.get("about:blank")
        self.driver.get(page.as_uri() + (f"#{fragment}" if fragment else ""))

    def resize(self, width: int, height: int = 900) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def media(self, kind: str = "", dark: bool = False, still: bool = False) -> None:
        """What style sheets ask for: a medium, a theme, no motion."""
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script in the page."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> Any:
        return self.driver.find_element("css selector", selector)

    def click(self, selector: str) -> None:
        """A click by the mouse, on what can be seen there."""
        element = self.find(selector)
        self.run("arguments[0].scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'})", element)
        element.click()

    def press(self, *keys: str) -> None:
        """Keys for whatever has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def texts(self, selector: str) -> list[str]:
        """What elements show."""
        found = self.run(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter(e => e.checkVisibility()).map(e => e.innerText)",
            selector,
        )
        return [" ".join(text.split()) for text in found]

    def complaints(self) -> list[str]:
        """Errors and warnings of the console since the last call."""
        entries: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # not typed yet
        return [entry["message"] for entry in entries]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what a page does a moment later."""
        for _ in range(10_000):
            if condition():
                return
            time.sleep(0.02)
        pytest.fail("the page never came to it")

    def close(self) -> None:
        self.driver.quit()
