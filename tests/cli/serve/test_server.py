"""The server of the playground answers its own page on this machine, and nobody else."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from archcalc.cli.serve import protect, server
from archcalc.cli.serve.protect import POLICY
from archcalc.cli.serve.server import application, listen, page_files
from archcalc.cli.serve.workers import LARGEST, BusyError, SlowError, Workers
from archcalc.core.errors import UsageError
from tests.cli.runner import PROGRAM, environment
from tests.steps import PATIENCE

HOST = "127.0.0.1:8000"
JSON = {"content-type": "application/json"}


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Echo(Workers):
    """Workers that answer what they were asked, without a process."""

    ended: asyncio.CancelledError | None = None
    last = ""

    async def call(self, name: str, request: object, patience: float | None = None) -> bytes:
        self.last = name
        if request == {"how": "slow"}:
            raise SlowError
        if request == {"how": "busy"}:
            raise BusyError
        if request == {"how": "never"}:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                self.ended = error
                raise
        return json.dumps({"ok": True, "asked": [name, request]}).encode()


def ask(
    path: str, method: str = "GET", body: bytes = b"", headers: dict[str, str] | None = None, is_whole: bool = True,
    page: Path | None = None, goes: bool = False, workers: Workers | None = None, turns: int = 0,
) -> Answer:  # fmt: skip
    """One request to the application itself. Unless it `is_whole`, the body never comes; after it the client `goes`.

    The loop goes on for some `turns` after the answer.
    """
    sent: list[dict[str, Any]] = []
    pieces = [body] if is_whole else []

    async def receive() -> dict[str, Any]:
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        if goes:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(dict(message))

    raw = {"host": HOST, **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in raw.items()],
    }  # fmt: skip
    app = application(8000, workers or Echo(), **({"page": page} if page else {}), patience=0.05)

    async def run() -> None:
        await app(scope, receive, send)
        for _ in range(turns):
            await asyncio.sleep(0)

    asyncio.run(run())
    start = next(one for one in sent if one["type"] == "http.response.start")
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], found, b"".join(one.get("body", b"") for one in sent))


def test_the_page_and_a_function() -> None:
    page = ask("/")
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<title>archcalc" in page.body
    assert page.headers["content-security-policy"] == POLICY
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "unsafe-eval" not in POLICY
    assert "script-src 'self';" in POLICY
    answer = ask("/api/analyse", "POST", b"{}", JSON)
    assert (answer.status, json.loads(answer.body)) == (200, {"ok": True, "asked": ["analyse", {}]})
    assert answer.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8000"}, 200),
        ({"host": "LOCALHOST:8000", "origin": "http://127.0.0.1:8000"}, 200),
        ({"host": "127.0.0.1"}, 403),
        ({"host": "127.0.0.1:8001"}, 403),
        ({"host": "evil.example:8000"}, 403),
        ({"host": "127.0.0.1:8000.evil.example"}, 403),
        ({"host": ""}, 403),
        ({"host": "[::1]:8000"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "https://127.0.0.1:8000"}, 403),
        ({"origin": "http://localhost:8001"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
    ids=str,
)
def test_only_its_own_host_and_origin_are_answered(headers: dict[str, str], status: int) -> None:
    assert ask("/api/lint", "POST", b"{}", {**JSON, **headers}).status == status
    if "host" in headers:
        refused = ask("/", headers=headers)
        assert refused.status == status
        assert refused.headers["content-security-policy"] == POLICY


@pytest.mark.parametrize(
    ("path", "method", "body", "headers", "status"),
    [
        ("/api/nothing", "POST", b"{}", JSON, 404),
        ("/api/analyse/x", "POST", b"{}", JSON, 405),
        ("/api/analyse", "GET", b"", {}, 404),
        ("/api/analyse", "PUT", b"{}", JSON, 405),
        ("/", "POST", b"{}", JSON, 405),
        ("/", "DELETE", b"", {}, 405),
        ("/api/analyse", "POST", b"{}", {}, 415),
        ("/api/analyse", "POST", b"{}", {"content-type": "text/plain"}, 415),
        ("/api/analyse", "POST", b"a=1", {"content-type": "application/x-www-form-urlencoded"}, 415),
        ("/api/analyse", "POST", b"{}", {"content-type": "application/json; charset=utf-8"}, 200),
        ("/api/analyse", "POST", b"", JSON, 400),
        ("/api/analyse", "POST", b"{", JSON, 400),
        ("/api/analyse", "POST", b"\xff\xfe", JSON, 400),
        ("/api/analyse", "POST", b"[" * 100_000, JSON, 400),
        ("/api/analyse", "POST", b"[1]", JSON, 400),
        ("/api/analyse", "POST", b"7", JSON, 400),
        ("/api/analyse", "POST", b'"' + b"x" * LARGEST + b'"', JSON, 413),
        ("/api/analyse", "POST", b"{}", {**JSON, "content-length": "999999999999999999999999"}, 413),
        ("/api/analyse", "POST", b'{"parameters": {"n": ' + b"9" * 5_000 + b"}}", JSON, 400),
    ],
)
def test_wrong_requests_are_refused_with_a_reason(
    path: str, method: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = ask(path, method, body, headers)
    assert answer.status == status
    found = json.loads(answer.body)
    assert found["ok"] is (status == 200)
    assert status == 200 or found["errors"][0]["message"]


@pytest.mark.parametrize(("name", "last"), [("draw", "chart"), ("hover", "hover")])
def test_after_the_first_picture_the_engine_of_charts_is_started(
    name: str, last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BREATH", 0)
    workers = Echo()
    ask(f"/api/{name}", "POST", b"{}", JSON, workers=workers, turns=5)
    assert workers.last == last


def test_what_takes_too_long_is_an_answer() -> None:
    answer = ask("/api/draw", "POST", b'{"how": "slow"}', JSON)
    words = "this took longer than 30 seconds, or more memory than there is"
    found = {"ok": False, "errors": [{"message": words, "severity": "error"}], "slow": True}
    assert (answer.status, json.loads(answer.body)) == (200, found)


def test_a_server_that_has_too_much_to_do_says_so_in_an_answer() -> None:
    answer = ask("/api/draw", "POST", b'{"how": "busy"}', JSON)
    found = {
        "ok": False,
        "errors": [{"message": "too many requests wait; try again", "severity": "error"}],
        "busy": True,
    }
    assert (answer.status, json.loads(answer.body)) == (200, found)


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    assert ask("/api/analyse", "POST", b"{}", JSON, is_whole=False).status == 408


@pytest.mark.parametrize(
    "path",
    [
        "/../server.py", "/../../../../etc/passwd", "/%2e%2e/server.py", "/..%2fserver.py", "//etc/passwd",
        "/dist/../plain.html",
        "/./plain.html", "/plain.html/", "/plain.html\0.js", "/secret.txt", "/.hidden.html/..", "/dist", "/link.html/x",
    ],
)  # fmt: skip
def test_only_the_listed_files_are_served(tmp_path: Path, path: str) -> None:
    (tmp_path / "dist" / "inner").mkdir(parents=True)
    for name in ("plain.html", "secret.txt", "dist/index.html", "dist/page.js", "dist/inner/more.css"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert ask(path, page=tmp_path).status == 404
    assert set(page_files(tmp_path)) == {"/", "/plain.html", "/index.html", "/page.js", "/inner/more.css"}
    assert ask("/", page=tmp_path).body == b"dist/index.html"
    assert ask("/inner/more.css", page=tmp_path).body == b"dist/inner/more.css"


def test_a_port_that_is_taken_is_said() -> None:
    with closing(listen(0)) as taken:
        taken.listen()
        with pytest.raises(UsageError, match=r"cannot listen on 127\.0\.0\.1"):
            listen(taken.getsockname()[1])


def test_the_plain_page_has_no_inline_script_and_no_other_address() -> None:
    text = page_files()["/plain.html"].read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "onclick" not in text
    assert "//" not in text.replace("<!doctype html>", "")
    script = page_files()["/plain.js"].read_text(encoding="utf-8")
    assert "innerHTML" not in script
    assert "http" not in script


# --- processes


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    """A real server, ended by Ctrl-C."""
    with subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", "--no-browser"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=environment(),
    ) as process:  # fmt: skip
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("http://127.0.0.1:"), line
        yield "127.0.0.1", int(line.split("/")[2].split(":")[1])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err


def post(address: tuple[str, int], name: str, request: object) -> dict[str, Any]:
    with closing(http.client.HTTPConnection(*address, timeout=PATIENCE)) as connection:
        connection.request("POST", f"/api/{name}", json.dumps(request), JSON)
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a signal of POSIX here")
def test_a_real_server_answers_and_stops(address: tuple[str, int]) -> None:
    answer = post(address, "analyse", {"source": {"text": "alexnet"}})
    assert {one["key"]: one["exact"] for one in answer["totals"]}["params"] == "62378344"
    assert post(address, "draw", {"source": {"text": "alexnet"}})["svg"].startswith("<svg")
    wrong = post(address, "analyse", {"source": {"text": "alexnt"}})
    assert wrong["errors"][0]["fix"]["text"] == "alexnet"
    with closing(socket.create_connection(address, timeout=PATIENCE)) as other:
        other.sendall(b"GET /../../etc/passwd HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert other.recv(20).startswith(b"HTTP/1.1 403")
    with closing(socket.create_connection(address, timeout=PATIENCE)) as other:
        other.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)
        assert other.recv(20).startswith(b"HTTP/1.1 400")


@asynccontextmanager
async def running() -> AsyncIterator[int]:
    """A server in this process, on its port."""
    import uvicorn

    listening = listen(0)
    port = listening.getsockname()[1]
    config = uvicorn.Config(
        application(port, Echo()), http=protect.ImpatientProtocol, ws="none", log_level="error", timeout_keep_alive=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield port
    finally:
        server.should_exit = True
        await task
        listening.close()


@pytest.mark.slow
def test_a_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a byte, with half a head, and with half a head after a whole request."""

    async def run() -> None:
        async with running() as port:
            whole = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
            for first in (b"", b"GET / HT", whole + b"GET / HT"):
                # A whole request may take its time; what follows it has that of a kept connection.
                patience = PATIENCE if first.startswith(whole) else 0.3
                monkeypatch.setattr(protect.ImpatientProtocol, "patience", patience)
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(first)
                answer = await asyncio.wait_for(reader.read(), PATIENCE)
                assert answer.startswith(b"HTTP/1.1 200") is first.startswith(whole)
                writer.close()

    asyncio.run(run())


@pytest.mark.slow
def test_a_body_that_does_not_end_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is too large, or its request is refused whatever it holds: the connection ends some time after the answer."""
    monkeypatch.setattr(protect.ImpatientProtocol, "patience", 0.3)

    async def sent_for_ever(writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"10000\r\n" + b"x" * (1 << 16) + b"\r\n")
            await writer.drain()

    async def run() -> None:
        async with running() as port:
            for path, status in (("/api/analyse", b"413"), ("/nothing", b"405")):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
                writer.write(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
                with pytest.raises(ConnectionError):
                    await sent_for_ever(writer)
                with suppress(ConnectionError):
                    assert (await reader.read())[9:12] == status
                writer.close()

    asyncio.run(run())


@pytest.mark.slow
def test_after_a_body_that_was_not_read_the_connection_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with running() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = f"Host: 127.0.0.1:{port}\r\n"
            body = b"x" * (LARGEST + (1 << 20))
            writer.write(f"POST /api/analyse HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            writer.write(f"GET / HTTP/1.1\r\n{head}Connection: close\r\n\r\n".encode())
            answers = await asyncio.wait_for(reader.read(), PATIENCE)
            assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"415", b"200"]
            writer.close()

    asyncio.run(run())


def test_small_answers_are_sent_at_once() -> None:
    """Asyncio sets TCP_NODELAY on sockets of this protocol alone; without it each answer waits for 40 ms."""
    with closing(listen(0)) as made:
        assert made.proto == socket.IPPROTO_TCP


def test_a_call_ends_when_its_client_goes() -> None:
    workers = Echo()
    assert ask("/api/analyse", "POST", b'{"how": "never"}', JSON, goes=True, workers=workers).status == 400
    assert workers.ended is not None


class Process:
    """What the workers know of a process, without one."""

    returncode: int | None = None


class Held(Workers):
    """Workers whose calls of `hold` take until they are let go."""

    def __init__(self, count: int, grace: float = PATIENCE) -> None:
        super().__init__(count, grace=grace)
        self.let_go, self.begun = asyncio.Event(), asyncio.Event()
        self.started, self.stopped = 0, 0

    async def _start(self) -> Any:
        self.started += 1
        return Process()

    async def _end(self, process: Any) -> None:
        process.returncode = -9
        self.stopped += 1

    async def _ask(self, process: Any, name: str, request: object) -> bytes:
        assert process.returncode is None
        if name == "hold":
            self.begun.set()
            await self.let_go.wait()
        return name.encode()


async def _cancelled(workers: Held) -> None:
    call = asyncio.create_task(workers.call("hold", {}))
    await workers.begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


def test_what_nobody_waits_for_does_not_hold_up_the_next_call() -> None:
    async def run() -> None:
        workers = Held(2)
        await _cancelled(workers)
        assert await workers.call("draw", {}) == b"draw"  # by the other process
        workers.let_go.set()
        # Both answer again, and none was ended.
        assert [*await asyncio.gather(workers.call("a", {}), workers.call("b", {}))] == [b"a", b"b"]
        assert (workers.started, workers.stopped) == (2, 0)

    asyncio.run(run())


def test_a_process_that_goes_on_for_nobody_is_replaced() -> None:
    async def run() -> None:
        workers = Held(1, grace=0.0)
        await _cancelled(workers)
        assert await workers.call("draw", {}) == b"draw"
        assert (workers.started, workers.stopped) == (2, 1)
        workers.begun.clear()
        await _cancelled(workers)
        await workers.close()
        assert (workers.started, workers.stopped) == (2, 2)  # what is closed starts nothing

    asyncio.run(run())


def test_a_call_that_still_waits_leaves_the_queue() -> None:
    async def run() -> None:
        workers = Held(1)
        first = asyncio.create_task(workers.call("hold", {}))
        await workers.begun.wait()
        waiting = [asyncio.create_task(workers.call(name, {})) for name in ("old", "new")]
        await asyncio.sleep(0)
        waiting[0].cancel()
        workers.let_go.set()
        assert [*await asyncio.gather(first, waiting[1])] == [b"hold", b"new"]
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]

    asyncio.run(run())


@pytest.mark.slow
def test_a_call_that_takes_too_long_is_ended_and_the_next_is_answered() -> None:
    async def run() -> None:
        workers = Workers(count=1, patience=PATIENCE, waiting=0)
        source = {"source": {"text": "resnet50"}}
        first = asyncio.create_task(workers.call("analyse", source))
        await asyncio.sleep(0)
        with pytest.raises(BusyError):
            await workers.call("analyse", source)
        assert json.loads(await first)["ok"]
        with pytest.raises(SlowError):
            await workers.call("catalogue", {"counts": True}, 0.01)
        assert {one["key"]: one["exact"] for one in json.loads(await workers.call("analyse", source))["totals"]}[
            "params"
        ] == "25557032"
        await workers.close()

    asyncio.run(run())


def test_a_worker_whose_server_is_gone_says_nothing() -> None:
    command = [sys.executable, "-m", "archcalc.cli.serve.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as worker:
        assert worker.stdin
        assert worker.stdout
        assert worker.stderr
        assert worker.stdout.readline() == b"ready\n"
        worker.stdout.close()
        worker.stdin.write(b'hover {"text": "a", "line": 1, "column": 1}\n')
        worker.stdin.close()
        assert worker.stderr.read() == b""
