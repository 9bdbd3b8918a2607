"""Reusable buffers and worker threads: numpy releases the interpreter lock in every large operation.

A convolution is cut into blocks; each worker takes the next one, with buffers of its own and a single-threaded BLAS. So
the copies and element-wise passes run in parallel too, and what a block has written is still in its core's cache when
the next step reads it. A BLAS with threads of its own would parallelise the matrix products alone.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import cache, partial
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray
from threadpoolctl import ThreadpoolController

Array = NDArray[Any]
Item = TypeVar("Item")

_ALIGNMENT = 64  # a cache line, and an AVX-512 register


@cache
def blas() -> ThreadpoolController:
    """The libraries of matrix products that are loaded: numpy's, and those of other packages."""
    return ThreadpoolController().select(user_api="blas")


def blas_kernels() -> str:
    """The CPU that the kernels of numpy's BLAS are made for."""
    return ", ".join(sorted({getattr(each, "architecture", "unknown") for each in blas().lib_controllers})) or "unknown"


def available_threads() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workspace:
    """Buffers that are used again, and workers that run while the workspace is entered.

    >>> with Workspace(threads=2) as workspace:
    ...     done: list[int] = []
    ...     workspace.each(lambda worker, item: done.append(item), range(3))
    >>> sorted(done)
    [0, 1, 2]

    Outside `with`, or where the BLAS cannot be made single-threaded, everything runs on the calling thread and
    BLAS keeps its own threads. One workspace serves one caller at a time.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = available_threads() if threads is None else threads
        if self.threads < 1:
            raise ValueError(f"a workspace needs at least one thread, not {threads}")
        self.active = 1
        self._buffers: dict[tuple[int, str], Array] = {}
        self._depth = 0
        self._limited = ExitStack()
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()

    def __enter__(self) -> Self:
        self._depth += 1
        # A BLAS that cannot be made single-threaded would start its threads under every worker.
        if self._depth == 1 and len(blas()):
            self._limited.enter_context(blas().limit(limits=1))
            self.active = self.threads
            for _ in range(self.threads - 1):
                worker = Thread(target=self._serve, daemon=True)
                worker.start()
                self._limited.callback(worker.join)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            for _ in range(self.active - 1):
                self._orders.put(None)
            self._limited.close()
            self.active = 1

    @np.errstate(all="ignore")  # as in the thread of the caller
    def _serve(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order()
            except BaseException as error:  # it is raised again in the caller's thread
                self._done.put(error)
            else:
                self._done.put(None)

    def each(self, task: Callable[[int, Item], None], items: Iterable[Item]) -> None:
        """`task(worker, item)` for every item; a worker that is free takes the next one."""
        work = list(items)
        queue = iter(work)  # next() of a list iterator is atomic

        def serve(worker: int) -> None:
            for item in queue:
                task(worker, item)

        helpers = range(1, min(self.active, len(work)))
        for worker in helpers:
            self._orders.put(partial(serve, worker))
        try:
            serve(0)
        finally:
            errors = [self._done.get() for _ in helpers]
        for error in errors:
            if error is not None:
                raise error

    def array(self, worker: int, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An uninitialised buffer of this worker; the next call with the same name gives the same memory."""
        wanted = np.dtype(dtype)
        size = math.prod(shape) * wanted.itemsize
        held = self._buffers.get((worker, name))
        if held is None or held.nbytes < size:
            held = aligned_bytes(size)
            self._buffers[worker, name] = held
        return held[:size].view(wanted).reshape(shape)

    @property
    def nbytes(self) -> int:
        """Memory that the buffers hold."""
        return sum(buffer.nbytes for buffer in self._buffers.values())


def aligned_bytes(size: int) -> Array:
    """`size` bytes that begin on a cache line."""
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % _ALIGNMENT
    return raw[start : start + size]
