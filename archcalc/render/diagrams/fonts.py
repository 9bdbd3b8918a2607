"""A font of one's own, from its files: how wide its texts are, and where PDF and PNG take it from."""

from __future__ import annotations

import atexit
import hashlib
import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.files import read_bytes
from archcalc.render.diagrams.text import FACE, clean

#: A font of all scripts has less than 40 MB.
LARGEST = 64 * 2**20
#: Characters are measured at this size.
SIZE = 1000
#: The weight, slant and width that fontconfig has for regular and bold letters.
_UPRIGHT = ("80 0 100", "200 0 100")
#: What a name of a font may not have: it stands in attributes and style sheets.
_NOT_IN_NAMES = str.maketrans("", "", "\"'<>&;{}\\,")


class Face:
    """A font by its files, the second of which has its bold letters."""

    def __init__(self, files: Sequence[str]) -> None:
        self.files = [Path(file) for file in files]
        self.data = [read_bytes(file, LARGEST) for file in self.files]
        self.fonts = [_opened(data, file) for data, file in zip(self.data, self.files, strict=True)]
        self.name = clean(str(self.fonts[0].getname()[0] or "")).translate(_NOT_IN_NAMES).strip()
        if not self.name:
            raise UsageError(f"{self.files[0].name} does not say what the font is called")
        #: What says whether two fonts measure alike.
        self.key = hashlib.sha256(b"".join(self.data)).hexdigest()
        self._widths: dict[tuple[str, bool], float] = {}

    def width(self, character: str, bold: bool) -> float:
        """The width of a character in thousandths of the size of the font."""
        key = character, bold
        if key not in self._widths:
            try:
                self._widths[key] = float(self.fonts[-1 if bold else 0].getlength(character)) * 1000 / SIZE
            except OSError:
                raise UsageError(f"{self.files[-1 if bold else 0].name} has a glyph that cannot be read") from None
        return self._widths[key]


def _opened(data: bytes, file: Path) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.truetype(io.BytesIO(data), SIZE, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        raise UsageError(f"{file.name} is no font of TrueType or OpenType (.ttf, .otf)") from None


@contextmanager
def drawn_in(files: str | Sequence[str]) -> Iterator[None]:
    """Texts are measured and drawn in the font of these files: one, or a second one for bold letters."""
    files = [files] if isinstance(files, str) else files
    if len(files) > 2:
        raise UsageError(f"a font has up to two files, the second one with bold letters; not {len(files)}")
    with measured_in(Face(files)):
        yield


def installed(family: str) -> Face | None:
    """A font of this system with its bold letters, as fontconfig lists it; None where there is none of this name."""
    found: dict[str, str] = {}
    for line in _listed():
        names, _, rest = line.partition("\t")
        style, _, file = rest.partition("\t")
        if family in names.split(",") and style in _UPRIGHT:
            found[style] = file
    try:
        face = Face([found[style] for style in _UPRIGHT if style in found]) if _UPRIGHT[0] in found else None
    except UsageError:
        return None
    return face if face is not None and face.name == family else None


@cache
def _listed() -> tuple[str, ...]:
    """The fonts of this system in a fixed order: names, weight, slant and width, file."""
    program = shutil.which("fc-list")
    if program is None:
        return ()
    wanted = "%{family}\t%{weight} %{slant} %{width}\t%{file}\n"
    done = subprocess.run([program, "--format", wanted], capture_output=True, check=False)  # noqa: S603  # fontconfig
    return tuple(sorted(done.stdout.decode(errors="replace").splitlines()))


@contextmanager
def measured_in(face: Face | None) -> Iterator[None]:
    """Texts are measured in a font; in the one of before where it is None."""
    before = FACE.set(face or FACE.get())
    try:
        yield
    finally:
        FACE.reset(before)


def make_known() -> None:
    """Make the chosen font known to what makes PDF and PNG."""
    face = FACE.get()
    if isinstance(face, Face):
        _register(face.key, tuple(face.data))


@cache
def _register(_key: str, data: tuple[bytes, ...]) -> None:
    """It reads fonts from a folder."""
    from archcalc.render.convert import converter

    folder = tempfile.mkdtemp(prefix="archcalc-font-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for number, one in enumerate(data):
        (Path(folder) / f"{number}.ttf").write_bytes(one)
    converter().register_font_directory(folder)
