"""A few worker processes: each call has one to itself, for a bounded time."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress

#: Processes; the table and the picture of a text are made at the same time.
COUNT = 2
#: Calls that may wait for a process.
MOST_WAITING = 16
#: Seconds that a call may take, and that a process may take to start.
PATIENCE, STARTING = 30.0, 120.0
#: Bytes of an answer.
LARGEST_ANSWER = 128 << 20


class BusyError(Exception):
    """Too many calls wait already."""


class SlowError(Exception):
    """A call took longer than it may, or its process ended."""


class Workers:
    """The processes that call functions, started when they are first needed."""

    def __init__(self, count: int = COUNT, patience: float = PATIENCE, waiting: int = MOST_WAITING) -> None:
        self.patience, self._most = patience, count + waiting
        self._calls, self._count = 0, count
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        self._running: set[asyncio.subprocess.Process] = set()
        for _ in range(count):
            self._idle.put_nowait(None)

    async def call(self, name: str, request: object, patience: float | None = None) -> bytes:
        """The answer as JSON text. Raises `BusyError`, and `SlowError` once the time is over."""
        if self._calls >= self._most:
            raise BusyError
        self._calls += 1
        try:
            process = await self._idle.get()
            try:
                if process is None or process.returncode is not None:
                    process = await self._start()
                return await asyncio.wait_for(self._ask(process, name, request), patience or self.patience)
            except BaseException as error:
                # Whatever stopped the call, its process is in the middle of it.
                if process is not None:
                    await self._end(process)
                    process = None
                if isinstance(error, (TimeoutError, EOFError, OSError)):
                    raise SlowError from error
                raise
            finally:
                self._idle.put_nowait(process)
        finally:
            self._calls -= 1

    async def warm(self) -> None:
        """Start all processes, so that the first call need not wait for one."""
        await asyncio.gather(*(self.call("hover", {"text": "a", "line": 1, "column": 1}) for _ in range(self._count)))

    async def _ask(self, process: asyncio.subprocess.Process, name: str, request: object) -> bytes:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{name} {json.dumps(request)}\n".encode())
        await process.stdin.drain()
        answer = await process.stdout.readuntil(b"\n")
        return answer[:-1]

    async def _start(self) -> asyncio.subprocess.Process:
        # A session of its own: Ctrl-C reaches the server alone, which ends the processes.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "archcalc.cli.serve.worker",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LARGEST_ANSWER,
            start_new_session=os.name == "posix",
        )  # fmt: skip
        self._running.add(process)
        assert process.stdout is not None
        try:
            await asyncio.wait_for(process.stdout.readline(), STARTING)
        except BaseException:
            await self._end(process)
            raise
        return process

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        self._running.discard(process)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def close(self) -> None:
        """End every process."""
        for process in list(self._running):
            await self._end(process)
