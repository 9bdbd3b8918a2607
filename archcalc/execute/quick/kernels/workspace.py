"""Reusable buffers and worker threads: numpy releases the interpreter lock in every large operation.

A convolution is cut into blocks; each worker takes the next one, with buffers of its own and a single-threaded BLAS. So
the copies and element-wise passes run in parallel too, and what a block has written is still in its core's cache when
the next step reads it. A BLAS with threads of its own would parallelise the matrix products alone.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]
Item = TypeVar("Item")

_ALIGNMENT = 64  # a cache line, and an AVX-512 register


class Blas:
    """The OpenBLAS that numpy has loaded, where its library can be found: its threads, and its kernels."""

    def __init__(self) -> None:
        self._get: Callable[[], int] | None = None
        self._set: Callable[[int], Any] | None = None
        self._core: Callable[[], bytes] | None = None
        for library in _openblas_libraries():
            for form in ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}"):
                try:
                    get = getattr(library, form.format("get_num_threads"))
                    set_ = getattr(library, form.format("set_num_threads"))
                    core = getattr(library, form.format("get_corename"))
                except AttributeError:
                    continue
                get.restype, get.argtypes = ctypes.c_int, []
                set_.restype, set_.argtypes = None, [ctypes.c_int]
                core.restype, core.argtypes = ctypes.c_char_p, []
                self._get, self._set, self._core = get, set_, core
                return

    @property
    def known(self) -> bool:
        return self._get is not None

    def core(self) -> str:
        """The CPU that its kernels are made for."""
        return "unknown" if self._core is None else self._core().decode()

    def threads(self) -> int | None:
        return None if self._get is None else self._get()

    def set_threads(self, count: int) -> None:
        if self._set is not None:
            self._set(count)


def _openblas_libraries() -> Iterable[ctypes.CDLL]:
    package = Path(np.__file__).parent
    for folder in (package.parent / "numpy.libs", package / ".dylibs"):
        for path in sorted(folder.glob("*openblas*")):
            try:
                yield ctypes.CDLL(str(path))
            except OSError:
                continue
    if sys.platform != "win32":
        yield ctypes.CDLL(None)  # a BLAS of the system, linked into the process


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
        self._blas_before: int | None = None
        self._orders: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._done: SimpleQueue[BaseException | None] = SimpleQueue()
        self._workers: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._depth += 1
        if self._depth == 1:
            library = blas()
            # A BLAS that cannot be made single-threaded would start its threads under every worker.
            if library.known:
                self._blas_before = library.threads()
                library.set_threads(1)
                self.active = self.threads
                self._workers = [threading.Thread(target=self._serve, daemon=True) for _ in range(self.threads - 1)]
                for worker in self._workers:
                    worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._depth -= 1
        if self._depth == 0:
            for _ in self._workers:
                self._orders.put(None)
            for worker in self._workers:
                worker.join()
            self._workers = []
            self.active = 1
            if self._blas_before is not None:
                blas().set_threads(self._blas_before)
                self._blas_before = None

    def _serve(self) -> None:
        while (order := self._orders.get()) is not None:
            try:
                # As in the thread of the caller.
                with np.errstate(all="ignore"):
                    order()
            except BaseException as error:  # it is raised again in the caller's thread
                self._done.put(error)
            else:
                self._done.put(None)

    def each(self, task: Callable[[int, Item], None], items: Iterable[Item]) -> None:
        """`task(worker, item)` for every item; a worker that is free takes the next one."""
        work = list(items)
        helpers = min(self.active, len(work)) - 1
        if helpers <= 0:
            for item in work:
                task(0, item)
            return
        queue = iter(work)  # next() of a list iterator is atomic

        def serve(worker: int) -> None:
            for item in queue:
                task(worker, item)

        for worker in range(1, helpers + 1):
            self._orders.put(partial(serve, worker))
        errors: list[BaseException | None] = []
        try:
            serve(0)
        except BaseException as error:
            errors.append(error)
        errors.extend(self._done.get() for _ in range(helpers))
        for problem in errors:
            if problem is not None:
                raise problem

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


@cache
def blas() -> Blas:
    """The one that numpy uses."""
    return Blas()
