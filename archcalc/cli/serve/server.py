"""The page on this machine: files, and functions under /api/, on 127.0.0.1 alone."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from archcalc.cli.serve.functions import FUNCTIONS, failure
from archcalc.cli.serve.protect import Guard, ImpatientProtocol, read_body, refusal, unless_gone
from archcalc.cli.serve.workers import BusyError, SlowError, Workers, largest
from archcalc.core.errors import UsageError

ADDRESS = "127.0.0.1"
PAGE = Path(__file__).with_name("page")
#: Seconds for the analysis of the whole catalogue, which is kept.
_CATALOGUE = 300.0
_TYPES = {
    ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
    ".json": "application/json", ".map": "application/json", ".woff2": "font/woff2", ".png": "image/png",
}  # fmt: skip
_MOST_CONNECTIONS = 64
#: Seconds after the first picture of a network when a chart is drawn that nobody sees: the first one takes seconds.
BREATH = 2.0
_SMALL = {"source": {"text": "8x8x3 -> conv3-4"}}


def page_files(page: Path = PAGE) -> dict[str, Path]:
    """Every file that is served, by its address: what is not in this list is not there, whatever the address says."""
    found = {f"/{path.name}": path for path in sorted(page.iterdir()) if path.suffix in _TYPES}
    dist = page / "dist"
    found |= {
        f"/{path.relative_to(dist).as_posix()}": path
        for path in sorted(dist.rglob("*"))
        if path.is_file() and path.suffix in _TYPES
    }
    found["/"] = found.get("/index.html", found["/plain.html"])
    return found


def application(port: int, workers: Workers, page: Path = PAGE, patience: float = 10.0) -> Starlette:
    """The application that answers on a port; `patience` is for the body of a request, in seconds."""
    files = page_files(page)
    kept: dict[str, bytes] = {}

    async def show(request: Request) -> Response:
        path = files.get(request.url.path)
        if path is None:
            return refusal(404, "there is no such page")
        return FileResponse(path, media_type=_TYPES[path.suffix])

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FUNCTIONS:
            return refusal(404, f"there is no function {name[:60]!r}; there are {', '.join(FUNCTIONS)}")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return refusal(415, "a request is application/json")
        most = largest(name)
        too_large = refusal(413, f"a request of {name} has at most {most >> 20} MiB")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > most:
            return too_large
        try:
            values = object_in(await read_body(request.receive, most, patience))
        except TimeoutError:
            return refusal(408, "the request came too slowly")
        except ConnectionError:
            return Response(status_code=400)
        except UsageError as error:
            return refusal(400, str(error))
        except ValueError:
            return too_large
        return await called(name, values, request)

    async def called(name: str, values: dict[str, Any], request: Request) -> Response:
        key = json.dumps(values, sort_keys=True)
        is_catalogue = name == "catalogue" and key in ("{}", '{"counts": true}')
        if is_catalogue and key in kept:
            return Response(kept[key], media_type="application/json")
        try:
            if is_catalogue:  # it is kept: whoever asked first need not be there to see it
                text = await workers.call(name, values, _CATALOGUE)
            else:
                text = await unless_gone(request.receive, workers.call(name, values))
        except ConnectionError:
            return Response(status_code=400)
        # The request was a good one: a browser writes every other status than 200 to its console.
        except BusyError:
            return JSONResponse(failure("too many requests wait; try again") | {"busy": True})
        except SlowError:
            return JSONResponse(workers.too_slow())
        if name == "draw":
            workers.soon("chart", _SMALL, BREATH)
        if is_catalogue:
            kept[key] = text
        return Response(text, media_type="application/json")

    async def wrong(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        words = {404: "there is no such page", 405: "functions are called with POST, pages with GET"}
        return refusal(status, words.get(status, "the request cannot be answered"))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        warming = asyncio.create_task(workers.warm())
        yield
        warming.cancel()
        await asyncio.wait([warming])
        await workers.close()

    hosts = tuple(f"{name}{f':{port}' if port != 80 else ''}" for name in (ADDRESS, "localhost"))
    made = Starlette(
        routes=[Route("/api/{name}", answer, methods=["POST"]), Route("/{path:path}", show, methods=["GET"])],
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: wrong, Exception: wrong},
        lifespan=lifespan,
    )
    made.router.redirect_slashes = False
    return made


def object_in(body: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises `UsageError` where there is none."""
    try:
        values = json.loads(body)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise UsageError("the request is no JSON") from None
    except ValueError:  # nothing else that is well written is not read
        raise UsageError(f"a number of the request has more than {sys.get_int_max_str_digits():,} digits") from None
    if not isinstance(values, dict):
        raise UsageError("a request is a JSON object")
    return values


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1. Raises `UsageError` where the port is taken."""
    # asyncio sends small pieces at once on a socket that says it is of TCP; else each answer waits for 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((ADDRESS, port))
    except OSError as error:
        found.close()
        raise UsageError(
            f"cannot listen on {ADDRESS}:{port}: {error.strerror or error}; choose another --port"
        ) from None
    return found


def serve(port: int, ready: Callable[[str], None]) -> None:
    """Answer on a port (0: a free one) until Ctrl-C; `ready` is called with the address once pages are answered."""
    listening = listen(port)
    port = listening.getsockname()[1]
    address = f"http://{ADDRESS}:{port}/"

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready(address)

    config = uvicorn.Config(
        application(port, Workers()), http=ImpatientProtocol, ws="none", access_log=False, log_level="warning",
        server_header=False, date_header=False, limit_concurrency=_MOST_CONNECTIONS, timeout_keep_alive=30,
        timeout_graceful_shutdown=3, h11_max_incomplete_event_size=32 << 10, proxy_headers=False,
    )  # fmt: skip
    # Ctrl-C is how it ends: uvicorn answers what it has begun, and raises it again.
    with listening, suppress(KeyboardInterrupt):
        asyncio.run(Server(config).serve([listening]))
