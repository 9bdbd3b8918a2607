"""Time of an update while somebody types in ResNet-50's spec: the table, then the picture, then the warnings.

Run it with the Python of an environment where archcalc is installed. Every update is another text, so that nothing is
known from the one before. It starts `archcalc serve` and asks it as the page does, over HTTP; the times are wall time.
With `--worker` it builds the static page instead and asks its worker in Chromium, by selenium; it also measures how
long the first view and the engine take, the second time that the page is opened.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING

from measure import Target, machine, print_targets

import archcalc
from archcalc.cli.serve.functions import call_text
from archcalc.interop.structured import write_structured

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

#: What the page asks for after a change, one after the other.
NAMES = ("analyse", "draw", "validate")
#: Milliseconds that 95 of 100 updates may take, with the server and in a worker.
GOAL, WORKER_GOAL = 250, 600
#: Seconds until the first network is seen, and until the engine is ready.
VIEW_GOAL, ENGINE_GOAL = 3, 10


def texts(count: int) -> Iterator[str]:
    """ResNet-50's spec with the title, a number of channels or the classes changed, one change an update."""
    text = write_structured(archcalc.load("resnet50"))
    sizes = list(re.finditer(r"out_features: \d+|^title: .*", text, re.MULTILINE))
    for number in range(count):
        place = sizes[number % len(sizes)]
        key = place[0].partition(":")[0]
        new = f"{key}: {1000 + number}" if key == "out_features" else f'{key}: "ResNet-50, {number}"'
        yield text[: place.start()] + new + text[place.end() :]


def over_http(port: int) -> Callable[[str, str], str]:
    """The functions of a server, over a connection that is kept."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)

    def ask(name: str, request: str) -> str:
        connection.request("POST", f"/api/{name}", request, {"content-type": "application/json"})
        return connection.getresponse().read().decode()

    return ask


def measured(ask: Callable[[str, str], str], count: int, clock: Callable[[], float]) -> list[list[float]]:
    """For each of `NAMES` the milliseconds of every update until its answer is there, those before it included."""
    found: list[list[float]] = [[] for _ in NAMES]
    for number, text in enumerate(texts(count + 5)):
        begun = clock()
        for name, times in zip(NAMES, found, strict=True):
            answer = json.loads(ask(name, json.dumps({"source": {"text": text}})))
            if not answer["ok"]:
                raise SystemExit(f"{name}: {answer['errors']}")
            if number >= 5:  # the first ones wait for the processes
                times.append((clock() - begun) * 1000)
    return found


@contextmanager
def opened() -> Iterator[Chrome]:
    """The static page, built and served, in Chromium."""
    from selenium import webdriver

    with TemporaryDirectory() as folder:
        site = Path(folder, "site")
        subprocess.run([sys.executable, "-m", "archcalc", "serve", "--build", site], check=True, capture_output=True)
        with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=site)) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            options = webdriver.ChromeOptions()
            options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
            for flag in ("--headless", "--no-sandbox", f"--user-data-dir={folder}/profile"):
                options.add_argument(flag)
            browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
            try:
                browser.set_script_timeout(600)
                for _ in range(2):
                    browser.get("about:blank")
                    browser.get(f"http://127.0.0.1:{server.server_port}/")
                    browser.execute_async_script(UNTIL_READY)
                yield browser
            finally:
                browser.quit()
                server.shutdown()


class Files(SimpleHTTPRequestHandler):
    """A server that writes no log."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


#: Both marks are set by the page's own events: its state, and the bar that goes when the engine is there.
UNTIL_READY = """
const done = arguments[0], found = {};
const look = () => {
  const now = performance.now() / 1000;
  if (document.querySelector('.diagram svg') && document.querySelector('.totals dd')) found.view ??= now;
  if (document.querySelector('main') && !document.querySelector('.starting')) found.engine ??= now;
  if (found.view && found.engine) { window.found = found; done(); } else setTimeout(look, 10);
};
look();
"""
ASK = """
const [name, request, done] = arguments;
window.asked ??= new Promise((resolve) => {
  const worker = new Worker('./worker.js', {type: 'module'});
  worker.onmessage = ({data}) => { if (data.kind === 'ready') resolve(worker); };
});
window.asked.then((worker) => {
  worker.onmessage = ({data}) => { if ('answer' in data) done(JSON.stringify(data.answer)); };
  worker.postMessage({id: 1, name, request: JSON.parse(request)});
});
"""


def started(browser: Chrome) -> dict[str, float]:
    """Seconds from the start of the page until its first network is seen, and until its engine is ready."""
    found: dict[str, float] = browser.execute_script("return window.found")
    return found


def in_worker(browser: Chrome) -> Callable[[str, str], str]:
    """The functions in a worker of the page."""
    return lambda name, request: str(browser.execute_async_script(ASK, name, request))


def main() -> None:
    """Print the median and the 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--worker", action="store_true", help="the static page, in Chromium")
    arguments = parser.parse_args()
    print(machine())
    if arguments.worker:
        with opened() as browser:
            seconds = started(browser)
            results = measured(in_worker(browser), arguments.updates, time.perf_counter)
        report(results, "in the worker")
        print_targets([
            Target("first view", seconds["view"], VIEW_GOAL, "s"),
            Target("engine", seconds["engine"], ENGINE_GOAL, "s"),
            Target("update of ResNet-50", late(results[1]), WORKER_GOAL, "ms"),
        ])  # fmt: skip
        return
    command = [sys.executable, "-m", "archcalc", "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        port = int(server.stderr.readline().split("/")[2].split(":")[1])
        try:
            results = measured(over_http(port), arguments.updates, time.perf_counter)
        finally:
            server.terminate()
    report(results, "until the answer")
    # Other work on the machine changes the times of the processor little.
    report(measured(call_text, arguments.updates, time.process_time), "of the processor, without a server")
    print_targets([Target("update of ResNet-50", late(results[1]), GOAL, "ms")])


def report(results: list[list[float]], what: str) -> None:
    """Median and 95th percentile of each step."""
    for place, found in enumerate(results):
        names = " + ".join(NAMES[: place + 1])
        print(f"{names}, {what}: median {statistics.median(found):.0f} ms, 95 % within {late(found):.0f} ms")


def late(times: list[float]) -> float:
    """What 95 of 100 stay under."""
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
