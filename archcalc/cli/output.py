"""Where results go: stdout, or a file that is either whole or not there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import click

from archcalc.cli.options import Command
from archcalc.core import files
from archcalc.core.errors import UsageError
from archcalc.core.language import LANGUAGES, WITHOUT_FONT, language, say
from archcalc.core.text import printable


class Target(NamedTuple):
    """Where the result of a command goes, None or `-` for stdout, and in which format."""

    path: str | None
    form: str = "text"
    #: The endings that name a format, where the ending decides.
    endings: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: str | None, form: str | None, endings: Mapping[str, str], default: str = "text") -> Target:
        """In the format that is asked for, or else that of the ending, or the default."""
        if form is not None:
            return cls(path, form)
        return cls(path, endings.get(Path(path or "").suffix.lower(), default), tuple(endings))

    @property
    def is_stdout(self) -> bool:
        return self.path in (None, "-")

    @property
    def colour(self) -> bool:
        """Whether the result may be in colour."""
        return self.is_stdout and colour()

    @property
    def width(self) -> int | None:
        """The columns of the terminal that the result is written to."""
        return width() if self.is_stdout else None

    def check(self, picture: bool = False) -> None:
        """Raise `UsageError` for a file that cannot be written, or whose ending means a format that there is not.

        A `picture` has formats of its own.
        """
        files.check_target(self.path)
        found = "" if self.is_stdout or picture else Path(str(self.path)).suffix.lower()
        if found and self.endings and found not in (".txt", *self.endings):
            known = ", ".join(dict.fromkeys((".txt", *self.endings)))
            raise UsageError(
                say(
                    "no format ends in {ending!r}; there are {formats}, and -f names one for any file",
                    ending=found[:20],
                    formats=known,
                )
            )

    def write(self, text: str) -> None:
        write(text, self.path)


def output_options(
    formats: Sequence[str] = (),
    endings: Mapping[str, str] | None = None,
    default: str = "text",
    what: str = "Write to a file; - is stdout.",
    checked: bool = True,
) -> Callable[[Command], Command]:
    """`-f` and `-o` as `target`: the format is the one that is asked for, or that of the ending of -o, or the default.

    Without `formats` there is no `-f`. Whether the file can be written is checked before the command begins, unless
    it may be a folder.
    """

    def decorate(command: Command) -> Command:
        @wraps(command)
        def call(*positional: Any, output: str | None, form: str | None = None, **rest: Any) -> Any:
            target = Target.of(output, form, endings or {}, default)
            if checked:
                target.check()
            return command(*positional, target=target, **rest)

        with_output = click.option("-o", "--output", metavar="FILE", help=what)(call)
        if not formats:
            return with_output
        explained = f"Default: by the ending of -o, else {default}." if endings else f"Default: {default}."
        return click.option("-f", "--format", "form", type=click.Choice(formats), help=explained)(with_output)

    return decorate


def ending(output: str, formats: Collection[str]) -> str:
    """The format that the name of a file asks for. Raises `UsageError` with those that there are."""
    known = ", ".join(f".{form}" for form in formats)
    if output == "-":
        raise UsageError(say("which format? -o - needs -f; there are {formats}", formats=known))
    found = Path(output).suffix.lower().lstrip(".")
    if found and found not in formats:
        raise UsageError(say("no format ends in {ending!r}; there are {formats}", ending=f".{found}", formats=known))
    if not found:
        raise UsageError(say("{file} has no ending; there are {formats}", file=output, formats=known))
    return found


def write(text: str, path: str | None) -> None:
    """Write to stdout (None or `-`) or to a file, which is either whole or not there."""
    to_stdout = path is None or path == "-"
    text = printable(text, colour=to_stdout and colour())
    if to_stdout or path is None:
        sys.stdout.write(text)
        return
    files.write_text(text, path)


def note(text: str) -> None:
    """A line on stderr, next to the result."""
    sys.stdout.flush()
    sys.stderr.write(printable(text) + "\n")


def note_fonts(form: str) -> None:
    """A line on stderr where a format holds fonts, and the letters of the language are in none that is shipped."""
    if language() in WITHOUT_FONT and form in ("pdf", "png", "gif"):
        name = LANGUAGES[language()]
        note(f"note: the characters of {name} are drawn in a font of this system, as □ where it has none")


def write_bytes(data: bytes, path: str) -> None:
    """The same for bytes."""
    if path != "-":
        files.write_bytes(data, path)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def colour() -> bool:
    """Colour only on a terminal, and not where NO_COLOR is set or the terminal is dumb."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def width() -> int | None:
    """Columns of the terminal; None where the output is no terminal."""
    import shutil

    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
