"""The playground in a notebook: the page in a frame, and functions called by messages between it and the kernel.

The page is that of `archcalc serve`, and so are the functions, their processes and their bounds.
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import anywidget
import traitlets

from archcalc.cli.serve.files import text_of
from archcalc.cli.serve.functions import FUNCTIONS, call_text, failure
from archcalc.cli.serve.requests import Source
from archcalc.cli.serve.workers import BusyError, SlowError, Workers, largest
from archcalc.core.errors import UsageError
from archcalc.explain.derive.network import find_layers
from archcalc.graph.layer_graph import LayerGraph
from archcalc.interop.models import load
from archcalc.interop.structured import write_structured
from archcalc.objects import Network
from archcalc.spec.catalogue import is_file_name

#: The panes of the page, as `link.ts` has them.
VIEWS = ("diagram", "table", "charts", "memory", "lint", "check", "compare", "exercise")
PAGE = Path(__file__).with_name("page") / "dist"
_LONGEST_KEY = 200
#: The processes of each event loop, which all widgets share; a kernel has one.
_workers: WeakKeyDictionary[asyncio.AbstractEventLoop, Workers] = WeakKeyDictionary()


@cache
def bundle(page: Path = PAGE) -> str:
    """The module that shows the widget, with the page in it. Raises `UsageError` where the page was not built."""
    try:
        script, style, shown = (
            (page / name).read_text(encoding="utf-8") for name in ("page.js", "page.css", "widget.js")
        )
    except FileNotFoundError:
        raise UsageError(
            "the page is not built here: run npm ci and npm run build in docs/playground, or install a release"
        ) from None
    return f"const PAGE = {json.dumps(script)}, STYLE = {json.dumps(style)};\n{shown}"


def text_for(network: str | Path | LayerGraph) -> str:
    """A network as a spec: its own text where it has one."""
    if isinstance(network, LayerGraph):
        return write_structured(network)
    if isinstance(network, Path) or is_file_name(network):
        path = Path(network)
        if path.suffix.lower() in (".yaml", ".yml"):
            try:
                return path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{path} cannot be read: {error}") from None
        return write_structured(load(path))
    return text_of(Source(network))


class Playground(anywidget.AnyWidget):
    """The playground in a notebook. Its traits are what the page shows, and can be set."""

    text = traitlets.Unicode().tag(sync=True)
    input = traitlets.Unicode().tag(sync=True)
    parameters = traitlets.Dict().tag(sync=True)
    view = traitlets.Enum(VIEWS, VIEWS[0]).tag(sync=True)
    layer = traitlets.Unicode().tag(sync=True)
    lang = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(640, min=200, max=4000).tag(sync=True)
    _from_page = False

    def __init__(self, **state: Any) -> None:
        super().__init__(_esm=bundle(), **state)
        self._calls: dict[str, asyncio.Task[None]] = {}
        self.on_msg(self._said)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the page shows, which may have a layer of the network before."""
        self._from_page = True
        try:
            super().set_state(sync_data)
        finally:
            self._from_page = False

    @traitlets.validate("layer")
    def _known(self, proposal: Any) -> str:
        """A layer or a block of the network. Raises `UsageError` for another one."""
        layer = str(proposal["value"])
        if layer and not self._from_page:
            find_layers(self.network.analyse(), layer)
        return layer

    @property
    def network(self) -> Network:
        """The network as it is now. Raises `SpecError` and `UsageError` for what is wrong with it."""
        source = Source(self.text, self.input.strip(), json.dumps(self.parameters, sort_keys=True))
        return Network.of(source.graph())

    def _said(self, _: Any, said: Any, __: Any) -> None:
        """A message of the page: a request, or that nobody waits for the answer any more."""
        key = said.get("id") if isinstance(said, dict) else None
        if not isinstance(key, str) or len(key) > _LONGEST_KEY:
            return
        if said.get("cancel"):
            if key in self._calls:
                self._calls[key].cancel()
            return
        name, request = said.get("name"), json.dumps(said.get("request"))
        if name not in FUNCTIONS or len(request) > largest(name):
            self._answer(key, failure(f"{str(name)[:60]} is no function, or its request is too large"))
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is None or sys.platform == "emscripten":  # a kernel in a browser has no processes
            self._answer(key, json.loads(call_text(name, request)))
        elif key not in self._calls:
            task = loop.create_task(self._called(key, name, said["request"]))
            self._calls[key] = task
            task.add_done_callback(lambda _: self._calls.pop(key, None))

    async def _called(self, key: str, name: str, request: Any) -> None:
        workers = _workers.setdefault(asyncio.get_running_loop(), Workers())
        try:
            answer = json.loads(await workers.call(name, request))
        except BusyError:
            answer = failure("too many requests wait; try again")
        except SlowError:
            answer = workers.too_slow()
        self._answer(key, answer)

    def _answer(self, key: str, answer: dict[str, Any]) -> None:
        self.send({"id": key, "answer": answer})
