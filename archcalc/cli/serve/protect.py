"""What stands before the pages: other hosts and origins, and requests that are too large or too slow, are refused."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import h11
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from archcalc.cli.serve.functions import failure

#: Seconds in which the head of a request, and then its body, must have come.
PATIENCE = 10.0
#: Pages of this machine may hold the page in a frame, as notebooks do.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self' http://127.0.0.1:* http://localhost:*"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cache-control": "no-cache",
}


def refusal(status: int, message: str) -> JSONResponse:
    """An answer that says why there is none."""
    return JSONResponse(failure(message), status)


class Guard:
    """Lets through what comes from this machine by name, and adds headers to every answer.

    A page of another site can send requests to 127.0.0.1, and by a name that it lets point there it could read the
    answers; so the host must be one of `hosts` (with the port), and an origin, where one is given, the same.
    """

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        wrong = self._wrong(Headers(scope=scope), str(scope["method"]))
        if wrong is not None:
            await refusal(403, wrong)(scope, receive, with_headers)
            return
        await self.app(scope, receive, with_headers)

    def _wrong(self, headers: Headers, method: str) -> str | None:
        if headers.getlist("host") != headers.getlist("host")[:1] or headers.get("host", "").lower() not in self.hosts:
            return f"this server answers {' and '.join(self.hosts)} only"
        origins = {f"http://{host}" for host in self.hosts}
        if any(origin.lower() not in origins for origin in headers.getlist("origin")):
            return "this server answers its own page only"
        # A page of another site may link here, and do nothing else.
        if method != "GET" and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return "this server answers its own page only"
        return None


class ImpatientProtocol(H11Protocol):
    """HTTP in which the head of a request must come within `PATIENCE` of the connection, or of its first byte.

    Of a body that was answered before its end, such as one that is too large, the rest must come within the same time:
    a client that still sends would not see the answer if the connection was closed at once.
    """

    patience = PATIENCE
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn names the same type by another class
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        self._expect()
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE and not self._is_answered():
            self._stop_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_answered():
            self._expect()

    def _is_answered(self) -> bool:
        """Whether the client still sends a body of which nothing is read any more."""
        return self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.patience, self._close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._timer = None
        if (self.conn.their_state is h11.IDLE or self._is_answered()) and not self.transport.is_closing():
            self.transport.close()


async def read_body(receive: Receive, largest: int, patience: float = PATIENCE) -> bytes:
    """The body of a request. Raises `ValueError` where it is larger, `TimeoutError` where it comes too slowly."""
    body = bytearray()
    async with asyncio.timeout(patience):
        while True:
            message: dict[str, Any] = dict(await receive())
            if message["type"] == "http.disconnect":
                raise ConnectionError
            body += message.get("body", b"")
            if len(body) > largest:
                raise ValueError
            if not message.get("more_body"):
                return bytes(body)


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, bytes]) -> bytes:
    """What work gives; it is cancelled when the client goes before, as a page does that asks for something newer.

    Raises `ConnectionError` then.
    """

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = working, _ = asyncio.create_task(work), asyncio.create_task(gone())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ConnectionError
        return working.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
