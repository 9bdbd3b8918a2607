"""Time of an update while somebody types in ResNet-50's spec: the table and the picture, asked for at the same time.

Run it with the Python of an environment where archcalc is installed. Every update is another text, so that nothing is
known from the one before. It starts `archcalc serve` and asks it as the page does, over HTTP; the times are wall time.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

from measure import Target, machine, print_targets

import archcalc
from archcalc.cli.serve.functions import call_text
from archcalc.interop.structured import write_structured

#: Milliseconds that 95 of 100 updates may take.
GOAL = 250


def texts(count: int) -> Iterator[str]:
    """ResNet-50's spec with the title, a number of channels or the classes changed, one change an update."""
    text = write_structured(archcalc.load("resnet50"))
    sizes = list(re.finditer(r"out_features: \d+|^title: .*", text, re.MULTILINE))
    for number in range(count):
        place = sizes[number % len(sizes)]
        key = place[0].partition(":")[0]
        new = f"{key}: {1000 + number}" if key == "out_features" else f'{key}: "ResNet-50, {number}"'
        yield text[: place.start()] + new + text[place.end() :]


class Client:
    """A connection to the server that is kept."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=600)

    def ask(self, name: str, text: str) -> None:
        request = json.dumps({"source": {"text": text}})
        self.connection.request("POST", f"/api/{name}", request, {"content-type": "application/json"})
        answer = json.loads(self.connection.getresponse().read())
        if not answer["ok"]:
            raise SystemExit(f"{name}: {answer['errors']}")


def measured(port: int, count: int, names: tuple[str, ...]) -> list[float]:
    """Milliseconds of each update: until all answers are there."""
    clients = [Client(port) for _ in names]
    found = []
    with ThreadPoolExecutor(len(names)) as pool:
        for number, text in enumerate(texts(count + 5)):
            begun = time.perf_counter()
            list(pool.map(lambda client, name, text=text: client.ask(name, text), clients, names))
            if number >= 5:  # the first ones wait for the processes
                found.append((time.perf_counter() - begun) * 1000)
    return found


def processor(count: int) -> list[float]:
    """Milliseconds of the processor of each update, without a server: other work on the machine changes them little."""
    found = []
    for number, text in enumerate(texts(count + 5)):
        begun = time.process_time()
        for name in ("analyse", "draw"):
            call_text(name, json.dumps({"source": {"text": text}}))
        if number >= 5:
            found.append((time.process_time() - begun) * 1000)
    return found


def main() -> None:
    """Print the median and the 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--updates", type=int, default=200)
    updates = parser.parse_args().updates
    command = [sys.executable, "-m", "archcalc", "serve", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        port = int(server.stderr.readline().split("/")[2].split(":")[1])
        try:
            results = {
                names: measured(port, updates, names) for names in (("analyse",), ("draw",), ("analyse", "draw"))
            }
        finally:
            server.terminate()
    print(machine())
    shown = {" + ".join(names): found for names, found in results.items()}
    for what, found in {**shown, "both, of the processor": processor(updates)}.items():
        median, late = statistics.median(found), statistics.quantiles(found, n=20)[-1]
        print(f"{what}: median {median:.0f} ms, 95 % within {late:.0f} ms ({updates} updates)")
    print_targets(
        [Target("update of ResNet-50", statistics.quantiles(results["analyse", "draw"], n=20)[-1], GOAL, "ms")]
    )


if __name__ == "__main__":
    main()
