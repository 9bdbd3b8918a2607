"""The widget answers its page as the server does, and knows what the page shows."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import archcalc as ac
from archcalc.cli.serve.functions import call
from archcalc.cli.serve.workers import BusyError, SlowError, Workers

pytest.importorskip("anywidget", reason='the extra is not installed: pip install "archcalc[widget]"')

from archcalc.cli.serve import widget as module
from archcalc.cli.serve.widget import VIEWS, Playground, bundle

ROOT = Path(__file__).parents[3]
TEXT = (
    "name: small\ntitle: Small\ninput: 8x8x3\nparameters: {classes: 10}\nlayers:\n  - linear: {out_features: classes}\n"
)


class Front:
    """What a notebook's side of the widget sends and gets."""

    def __init__(self, shown: Playground, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shown = shown
        self.got: list[dict[str, Any]] = []
        monkeypatch.setattr(shown, "send", lambda message, buffers=None: self.got.append(message))

    def say(self, **message: Any) -> None:
        """A custom message, as it comes over the comm."""
        self.shown._handle_msg({"content": {"data": {"method": "custom", "content": message}}, "buffers": []})

    def change(self, **state: Any) -> None:
        """Other values of the traits, as they come over the comm."""
        self.shown._handle_msg({"content": {"data": {"method": "update", "state": state}}, "buffers": []})


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page need not be built here."""
    monkeypatch.setattr(module, "bundle", lambda: "export default { render() {} }")


@pytest.fixture
def front(monkeypatch: pytest.MonkeyPatch) -> Front:
    return Front(Playground(text=TEXT), monkeypatch)


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("analyse", {"source": {"text": TEXT}}),
        ("draw", {"source": {"text": "8x8x3 -> fc10"}, "theme": "dark"}),
        ("explain", {"source": {"text": "lenet5"}, "layer": "C1"}),
        ("analyse", {"source": {"text": "alexnt"}}),
        ("complete", {}),
        ("complete", None),
    ],
)
def test_a_message_is_answered_as_the_server_answers(front: Front, name: str, request_: Any) -> None:
    front.say(id="v:1", name=name, request=request_)
    assert front.got == [{"id": "v:1", "answer": json.loads(json.dumps(call(name, request_)))}]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"id": "v:1", "name": "analyze", "request": {}}, "analyze is no function"),
        ({"id": "v:1", "name": "draw {}\nanalyse", "request": {}}, "is no function"),
        ({"id": "v:1", "request": {}}, "None is no function"),
        ({"id": "v:1", "name": "analyse", "request": {"source": {"text": "x" * (2 << 20)}}}, "too large"),
    ],
)
def test_what_is_no_request_is_refused(front: Front, message: dict[str, Any], words: str) -> None:
    front.say(**message)
    (found,) = front.got
    assert found["answer"]["ok"] is False
    assert words in found["answer"]["errors"][0]["message"]


@pytest.mark.parametrize("message", [{}, {"id": 1}, {"id": "x" * 201}, {"id": "v:1", "cancel": True}])
def test_what_names_no_request_has_no_answer(front: Front, message: dict[str, Any]) -> None:
    front.say(**message)
    assert front.got == []


def test_the_network_is_what_the_page_shows(front: Front) -> None:
    assert front.shown.network == ac.from_yaml(TEXT)
    front.change(parameters={"classes": 4}, input="16x16x3", layer="fc1")
    assert front.shown.network.analyse().totals.params == (16 * 16 * 3 + 1) * 4
    assert front.shown.layer == "fc1"
    front.change(text="name: [")
    with pytest.raises(ac.SpecError, match="valid YAML"):
        _ = front.shown.network


def test_a_layer_is_one_of_the_network(front: Front) -> None:
    shown = front.shown
    shown.layer = "fc1"
    with pytest.raises(ac.UsageError, match="small has no layer 'fc2'; did you mean fc1"):
        shown.layer = "fc2"
    assert shown.layer == "fc1"
    # The page may tell of a layer that its network has no more.
    front.change(layer="conv1", text="name: [")
    assert shown.layer == "conv1"
    shown.layer = ""
    shown.text = "resnet18"
    shown.layer = "conv2_x/unit1"


@pytest.mark.parametrize(
    ("network", "text"),
    [
        ("alexnet", (ROOT / "specs" / "alexnet.yaml").read_text(encoding="utf-8")),
        ("8x8x3 -> conv3-4 -> fc10", None),
        ("vgg16@c", None),
        (ac.load("lenet5"), None),
        ("small.yaml", TEXT),
        (Path("small.yaml"), TEXT),
    ],
)
def test_a_network_is_given_as_load_takes_it(
    network: Any, text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "small.yaml").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = ac.widget(network)
    expected = network if isinstance(network, ac.Network) else ac.load(network)
    assert shown.network.analyse().totals == expected.analyse().totals
    assert text in (None, shown.text)


def test_parameters_input_view_and_height() -> None:
    shown = ac.widget("mobilenet", {"alpha": 0.5}, input="160x160x3", view="table", height=480, lang="he")
    assert (shown.view, shown.height, shown.lang) == ("table", 480, "he")
    assert shown.network.analyse().totals == ac.load("mobilenet", {"alpha": 0.5}, input="160x160x3").analyse().totals


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"network": "alexnt"}, "did you mean alexnet"),
        ({"network": "alexnet", "view": "tabel"}, "did you mean table"),
        ({"network": "alexnet", "lang": "fr"}, "en, ru, he, hy"),
        ({"network": "alexnet", "parameters": {"alpha": 1}}, "alpha"),
        ({"network": "nothing.yaml"}, r"nothing\.yaml"),
    ],
)
def test_what_is_wrong_is_said_at_once(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ac.UsageError, match=words):
        ac.widget(**arguments)


def test_without_anywidget_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(
        ac.UsageError, match=r"^the widget needs the package anywidget: pip install 'archcalc\[widget\]'$"
    ):
        ac.widget("alexnet")


def test_a_page_that_is_not_built_is_named(tmp_path: Path) -> None:
    with pytest.raises(ac.UsageError, match="npm run build"):
        bundle(tmp_path)
    for name in ("page.js", "page.css", "widget.js"):
        (tmp_path / name).write_text(f'"{name}"', encoding="utf-8")
    assert bundle(tmp_path) == 'const PAGE = "\\"page.js\\"", STYLE = "\\"page.css\\"";\n"widget.js"'


def test_the_views_are_those_of_the_page() -> None:
    source = (ROOT / "docs" / "playground" / "src" / "link.ts").read_text(encoding="utf-8")
    listed = re.search(r"VIEWS = \[(.*?)\]", source)
    assert listed
    assert tuple(re.findall(r'"(\w+)"', listed[1])) == VIEWS


class Slow(Workers):
    """Workers that answer when they are let go."""

    let_go: asyncio.Event

    async def call(self, name: str, request: object, patience: float | None = None) -> bytes:
        if request == {"how": "slow"}:
            raise SlowError
        if request == {"how": "busy"}:
            raise BusyError
        await self.let_go.wait()
        return b'{"ok": true}'


def test_in_a_kernel_processes_answer_and_what_is_overtaken_is_cancelled(front: Front) -> None:
    async def run() -> None:
        workers = module._workers[asyncio.get_running_loop()] = Slow()
        workers.let_go = asyncio.Event()
        for key in ("old", "new"):
            front.say(id=key, name="draw", request={})
        await asyncio.sleep(0)
        front.say(id="old", cancel=True)
        for how in ("slow", "busy"):
            front.say(id=how, name="draw", request={"how": how})
        workers.let_go.set()
        await asyncio.gather(*front.shown._calls.values(), return_exceptions=True)

    asyncio.run(run())
    answers = {message["id"]: message["answer"] for message in front.got}
    assert answers.pop("new") == {"ok": True}
    assert {key: answer["errors"][0]["message"] for key, answer in answers.items()} == {
        "slow": "this took longer than 30 seconds, or more memory than there is",
        "busy": "too many requests wait; try again",
    }
