"""Progress of long work on stderr: one line that is written over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from time import monotonic
from typing import Self


class Progress:
    """Shows how far the work inside a `with` is, once it has taken a while."""

    def __init__(self, total: int, patience: float = 2.0) -> None:
        """`patience`: seconds before anything is shown; a file or pipe gets a line only every tenth time."""
        self._total = total
        self._terminal = sys.stderr.isatty()
        self._pause = 0.2 if self._terminal else 10 * patience
        self._next = monotonic() + patience
        self._width = 0

    def __call__(self, done: int, name: str) -> None:
        """`done` of the total are done, the last of them `name`."""
        now = monotonic()
        if now < self._next:
            return
        self._next = now + self._pause
        line = f"{done} of {self._total}: {name}"
        if self._terminal:
            sys.stderr.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the line empty."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
