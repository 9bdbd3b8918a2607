"""Where the rows of a search go: a list in memory, or a file that grows and can be continued after a stop.

While a search runs, FILE.partial has its rows and FILE.progress how far it is; both are gone once FILE is whole.
`FILE.progress` is replaced in one step after the rows that it counts are on the disk: a run that is stopped anywhere
continues from it, and rows after it are cut off and made again, so that nothing is lost or written twice. It has a
digest of the rows and one of itself: what somebody else has changed is not continued.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from archcalc.core.cells import harmless
from archcalc.core.errors import UsageError
from archcalc.core.files import check_target, write_text
from archcalc.design.search.evaluate import Evaluated
from archcalc.design.search.front import Point
from archcalc.design.search.parquet import columnar, is_parquet
from archcalc.design.search.program import Array
from archcalc.design.search.search import Search, cell
from archcalc.design.search.space import Family, decimal

SCHEMA = "archcalc.search.progress/2"
#: Rows that are kept in memory; more need a file.
MOST_ROWS = 100_000
_LARGEST_PROGRESS = 1 << 28
_BLOCK = 1 << 20


@dataclass
class Progress:
    """How far a search is: configurations that are done, in order, and what they came to."""

    done: int = 0
    unfit: int = 0
    found: int = 0
    checked: int = 0
    problem: str | None = None
    points: list[Point] = field(default_factory=list)


class Rows:
    """Rows in memory. `most`: rows after that many are only counted; None: more are an error."""

    def __init__(self, search: Search, most: int | None = None) -> None:
        self._search, self._most = search, most
        self.rows: list[list[Any]] = []

    def begin(self) -> Progress:
        return Progress()

    def add(self, family: int, found: Evaluated) -> None:
        """Take in rows of a family. Raises `UsageError` for more than fit."""
        limit = MOST_ROWS if self._most is None else self._most
        space = limit - len(self.rows)
        if self._most is None and len(found.indices) > space:
            raise UsageError(f"more than {limit:,} configurations were found; write them to a file, or say less")
        columns = [column[:space].tolist() for column in found.columns]
        for index, numbers in zip(
            found.indices[:space].tolist(), _across(columns, min(space, len(found.indices))), strict=True
        ):
            self.rows.append(self._search.row(family, index, numbers))

    def keep(self, progress: Progress) -> None:
        """Nothing is kept of a search in memory."""

    def finish(self, points: Sequence[Point]) -> None:
        for point in points[: MOST_ROWS if self._most is None else self._most]:
            self.rows.append(self._search.row(point.family, point.place, point.row))

    def close(self) -> None:
        """Nothing is open."""


class RowFile:
    """Rows in a CSV file, which becomes a Parquet file at the end where the name ends so."""

    def __init__(self, search: Search, path: str, restart: bool = False) -> None:
        """`restart`: an earlier run is not continued."""
        check_target(path)
        self._search, self._path = search, path
        self._heading = ",".join(search.heading)
        self._write_whole = columnar(search) if is_parquet(path) else None
        self._partial, self._progress = Path(f"{path}.partial"), Path(f"{path}.progress")
        for name in (self._partial, self._progress):
            if name.is_symlink() or (name.exists() and not name.is_file()):
                raise UsageError(f"{name} is in the way: a search keeps its state there, and it is no plain file")
        self._file: BinaryIO | None = None
        self._restart = restart
        #: The digest of the rows so far.
        self._rows = sha256()
        self._texts = [_Texts(family, search) for family in search.families]

    def begin(self) -> Progress:
        """Open the file; where an earlier run of the same search was stopped, from where it was."""
        earlier = None if self._restart else self._earlier()
        try:
            if earlier is None:
                self._progress.unlink(missing_ok=True)
                self._file = self._partial.open("wb")
                self._write([self._heading])
                self.keep(progress := Progress())
                return progress
            progress, size = earlier
            self._file = self._partial.open("r+b")
            self._file.truncate(size)
            self._file.seek(size)
            return progress
        except OSError as error:
            raise UsageError(f"cannot write {self._partial}: {error.strerror or error}") from None

    def _earlier(self) -> tuple[Progress, int] | None:
        """What a run that was stopped has done, and the size of its rows. Raises `UsageError` where it cannot be."""
        if not self._progress.exists():
            self._refuse_rows_without_progress()
            return None
        try:
            # The file is the search's own, and is written again: it is no input.
            with self._progress.open("rb") as file:
                data = json.loads(file.read(_LARGEST_PROGRESS))
            if data["schema"] != SCHEMA:
                raise self._refusal("was written by another version")
            if data["search"] != self._search.request.fingerprint:
                raise self._refusal("is that of another search")
            if data["digest"] != _digest(data):
                raise self._refusal("cannot be continued: it was changed since it was written")
            progress, size = self._progress_of(data), _count(data["bytes"])
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise self._refusal("cannot be continued: it is not what a search writes") from None
        if why := self._wrong_rows(size, data["rows"]):
            raise self._refusal(f"cannot be continued: {self._partial} {why}")
        return progress, size

    def _refuse_rows_without_progress(self) -> None:
        """Raises `UsageError` where rows would be overwritten; the heading alone is what a stop at the start leaves."""
        with suppress(FileNotFoundError):
            size = self._partial.stat().st_size
            if size > len(self._heading) + 1:
                raise UsageError(
                    f"{self._partial} has {size:,} bytes of a search that was stopped, and {self._progress}, which "
                    "says how far it was, is missing; --restart begins again and overwrites it, or give another file"
                )

    def _refusal(self, why: str) -> UsageError:
        return UsageError(f"{self._progress} {why}; --restart begins again, or give another file")

    def _wrong_rows(self, size: int, digest: str) -> str:
        """What is wrong with the rows so far; empty where they are those that were written. Reads all of them."""
        self._rows = sha256()
        try:
            with self._partial.open("rb") as file:
                for start in range(0, size, _BLOCK):
                    self._rows.update(file.read(min(_BLOCK, size - start)))
                length = os.fstat(file.fileno()).st_size
        except OSError as error:
            return f"cannot be read: {error.strerror or error}"
        if length < size:
            return f"has {length:,} bytes, of which {size:,} were written"
        return "" if self._rows.hexdigest() == digest else "has other rows than were written"

    def _progress_of(self, data: Any) -> Progress:
        """What is written of a run, as far as it can be true. Raises `ValueError` and others where it cannot."""
        search, problem = self._search, data["problem"]
        done, unfit, found, checked = (_count(data[name]) for name in ("done", "unfit", "found", "checked"))
        points = [
            Point(_count(one[0]), _count(one[1]), tuple(map(_number, one[2])), tuple(map(_number, one[3])))
            for one in data["points"]
        ]
        outside = any(
            one.family >= len(search.families) or one.place >= search.families[one.family].count for one in points
        )
        if done > search.count or unfit + found > done or outside or not isinstance(problem, (str, type(None))):
            raise ValueError("no run comes to this")
        return Progress(done, unfit, found, checked, problem, points)

    def _write(self, lines: Sequence[str]) -> None:
        assert self._file is not None
        text = ("\n".join(lines) + "\n").encode()
        self._file.write(text)
        self._rows.update(text)

    def add(self, family: int, found: Evaluated) -> None:
        """Append rows of a family."""
        if len(found.indices):
            texts = self._texts[family].of(found.indices)
            columns = [
                [cell(value) for value in column.tolist()] for column in found.columns[: len(self._search.columns)]
            ]
            self._write([",".join(parts) for parts in zip(texts, *columns, strict=True)])

    def keep(self, progress: Progress) -> None:
        """Note how far the search is, once all rows so far are on the disk."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        data = {
            "schema": SCHEMA, "search": self._search.request.fingerprint, "bytes": self._file.tell(),
            "rows": self._rows.hexdigest(),
            "done": progress.done, "unfit": progress.unfit, "found": progress.found, "checked": progress.checked,
            "problem": progress.problem,
            "points": [[one.family, one.place, one.objectives, one.row] for one in progress.points],
        }  # fmt: skip
        try:
            text = json.dumps({**data, "digest": _digest(data)})
        except TypeError:
            return  # a front with fractions in it is made again from the start
        write_text(text, self._progress)

    def finish(self, points: Sequence[Point]) -> None:
        """Let the rows take their place as FILE."""
        for point in points:
            (text,) = self._texts[point.family].of(np.array([point.place]))
            self._write([",".join([text, *map(cell, point.row[: len(self._search.columns)])])])
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        if self._write_whole is None:
            self._partial.replace(self._path)
        else:
            self._write_whole(self._partial, self._path)
            self._progress.unlink(missing_ok=True)
            self._partial.unlink()
        self._progress.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave what is there for a later run."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()


def _digest(data: dict[str, Any]) -> str:
    """The digest of what is noted of a run, without itself."""
    return sha256(json.dumps({**data, "digest": ""}, sort_keys=True).encode()).hexdigest()


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("no count")
    return value


def _number(value: Any) -> int | float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise ValueError("no number")
    return value


class _Texts:
    """The first columns of rows of a family: its name and its parameters, as text."""

    def __init__(self, family: Family, search: Search) -> None:
        self._family = family
        self._names = list(search.names.parameters)
        self._name = quoted(family.network)

    def of(self, indices: Array) -> Iterator[str]:
        """Of configurations, `mobilenet,0.25,96` each."""
        columns, step = {}, 1
        for axis in reversed(self._family.axes):
            places, which = np.unique(indices // step % len(axis.values), return_inverse=True)
            texts = [quoted(decimal(axis.values[place])) for place in places.tolist()]
            columns[axis.name] = [texts[place] for place in which.tolist()]
            step *= len(axis.values)
        nothing = [""] * len(indices)
        parts = [columns.get(name, nothing) for name in self._names]
        return iter([",".join((self._name, *row)) for row in _across(parts, len(indices))])


def _across(columns: Sequence[Sequence[Any]], count: int) -> list[tuple[Any, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * count


def quoted(text: str) -> str:
    """A field of CSV; a name that a spreadsheet would calculate is made a text."""
    text = harmless(text)
    return '"' + text.replace('"', '""') + '"' if any(letter in text for letter in ',"\n\r') else text
