"""A few worker processes: each call has one to itself, for a bounded time."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from archcalc.cli.serve.functions import failure

T = TypeVar("T")

#: Processes; the table and the picture of a text are made at the same time.
COUNT = 2
#: Calls that may wait for a process.
MOST_WAITING = 16
#: Seconds that a call may take, that one may go on which nobody waits for, and that a process may take to start.
PATIENCE, GRACE, STARTING = 30.0, 1.0, 120.0
#: Bytes of a request; a model file comes as base64.
LARGEST = 2 << 20
LARGEST_BY_NAME = {"import_file": 64 << 20, "check": 6 << 20}
#: Bytes of an answer.
LARGEST_ANSWER = 128 << 20


def largest(name: str) -> int:
    """The bytes that a request of a function may have."""
    return LARGEST_BY_NAME.get(name, LARGEST)


class BusyError(Exception):
    """Too many calls wait already."""


class SlowError(Exception):
    """A call took longer than it may, or its process ended."""


class Workers:
    """The processes that call functions, started when they are first needed.

    Each key that is typed makes the answer before it useless: a call that is cancelled leaves the queue at once. One
    that has begun may finish within `grace` seconds, while the other processes answer; else its process is replaced.
    """

    def __init__(
        self, count: int = COUNT, patience: float = PATIENCE, waiting: int = MOST_WAITING, grace: float = GRACE
    ) -> None:
        self.patience, self.grace, self._most = patience, grace, count + waiting
        self._calls, self._count = 0, count
        self._idle: asyncio.LifoQueue[asyncio.subprocess.Process | None] = asyncio.LifoQueue()
        self._running: set[asyncio.subprocess.Process] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._soon: set[str] = set()
        self._closed = False
        for _ in range(count):
            self._idle.put_nowait(None)

    async def call(self, name: str, request: object, patience: float | None = None) -> bytes:
        """The answer as JSON text. Raises `BusyError`, and `SlowError` once the time is over."""
        if self._calls >= self._most:
            raise BusyError
        self._calls += 1
        try:
            process = await self._taken()
            answer = self._task(self._answer(process, name, request, patience or self.patience))
            try:
                return await asyncio.shield(answer)
            except asyncio.CancelledError:
                asyncio.get_running_loop().call_later(self.grace, answer.cancel)
                raise
        finally:
            self._calls -= 1

    def too_slow(self) -> dict[str, Any]:
        """The answer to a call that raised `SlowError`."""
        words = f"this took longer than {self.patience:g} seconds, or more memory than there is"
        return {**failure(words), "slow": True}

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Work that goes on when nobody waits for it any more."""
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def done(task: asyncio.Task[T]) -> None:
            self._tasks.discard(task)
            # Who waits for it hears of its failure; nobody else need.
            if not task.cancelled():
                task.exception()

        task.add_done_callback(done)
        return task

    async def _taken(self) -> asyncio.subprocess.Process:
        """A process that does nothing, which is this call's until it stands among the idle ones again."""
        process = await self._idle.get()
        if process is not None and process.returncode is None:
            return process
        try:
            return await self._start()
        except BaseException as error:
            self._idle.put_nowait(None)
            if isinstance(error, (TimeoutError, EOFError, OSError)):
                raise SlowError from error
            raise

    async def _answer(self, process: asyncio.subprocess.Process, name: str, request: object, patience: float) -> bytes:
        try:
            answer = await asyncio.wait_for(self._ask(process, name, request), patience)
        except BaseException as error:
            # Whatever stopped it, its process is in the middle of it.
            await self._end(process)
            if not self._closed:
                self._task(self._replace())
            if isinstance(error, (TimeoutError, EOFError, OSError)):
                raise SlowError from error
            raise
        self._idle.put_nowait(process)
        return answer

    async def _replace(self) -> None:
        """Start another process: the next call need not wait until it is there."""
        process = None
        try:
            process = await self._start()
        finally:
            self._idle.put_nowait(process)

    async def warm(self) -> None:
        """Start all processes, so that the first call need not wait for one."""
        await asyncio.gather(*(self.call("hover", {"text": "a", "line": 1, "column": 1}) for _ in range(self._count)))

    def soon(self, name: str, request: object, pause: float) -> None:
        """Call a function after some seconds, once in all, for what it leaves ready; nobody hears its answer."""
        if name in self._soon:
            return
        self._soon.add(name)

        async def later() -> None:
            await asyncio.sleep(pause)
            with suppress(BusyError, SlowError):
                await self.call(name, request)

        self._task(later())

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
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for process in list(self._running):
            await self._end(process)
