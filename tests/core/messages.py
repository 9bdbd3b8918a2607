"""The messages of the code, and the catalogues that translate them: extracted, merged and compiled with Babel."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import archcalc
from archcalc.core.language import ENGLISH, LANGUAGES
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import AXES
from archcalc.design.conventions import TOOLS
from archcalc.ops import OPS
from archcalc.teach.check.model import CHECKED, Verdict

PACKAGE = Path(archcalc.__file__).parent
LOCALE = PACKAGE / "locale"
TRANSLATED = tuple([name for name in LANGUAGES if name != ENGLISH])
KEYWORDS = {"say": None, "mark": None, "say_many": (1, 2)}


def words() -> Iterator[str]:
    """What `say` is called with that stands in a registry: names of quantities, axes, ops and verdicts."""
    for quantity in CHECKED:
        yield QUANTITIES[quantity].title if "_" in quantity else quantity
        yield quantity.replace("_", " ")
    for axes in AXES:
        yield from axes
    yield from (op.noun for op in OPS.values())
    yield from map(str, Verdict)
    yield from (tool.added for tool in TOOLS.values() if tool.added)
    # What letters of formulas mean, where a number is taken for another one.
    yield from ("depth of input", "values of input", "window", "filters", "neurons", "groups")


def extracted() -> Catalog:
    """Every message of the code."""
    found = Catalog(project="archcalc", charset="utf-8")
    for file, line, message, comments, context in extract_from_dir(PACKAGE, keywords=KEYWORDS):
        found.add(message, locations=[(file, line)], auto_comments=comments, context=context)
    for word in dict.fromkeys(words()):
        found.add(word)
    return found


def path(name: str) -> Path:
    """The catalogue of a language that people edit."""
    return LOCALE / name / "LC_MESSAGES" / "archcalc.po"


def catalogue(name: str) -> Catalog:
    """The translations of a language."""
    with path(name).open("rb") as file:
        return read_po(file, locale=name)


def compiled(translations: Catalog) -> bytes:
    """A catalogue as the program reads it."""
    out = BytesIO()
    write_mo(out, translations)
    return out.getvalue()


def update(name: str) -> None:
    """Merge the messages of the code into a catalogue: new ones without a translation, and none that is gone."""
    path(name).parent.mkdir(parents=True, exist_ok=True)
    known = catalogue(name) if path(name).exists() else Catalog(locale=name, project="archcalc", charset="utf-8")
    known.update(extracted(), no_fuzzy_matching=True)
    known.obsolete.clear()
    with path(name).open("wb") as file:
        write_po(file, known, width=120, omit_header=False, no_location=True, sort_output=True)
    path(name).with_suffix(".mo").write_bytes(compiled(known))


def messages(translations: Catalog) -> Iterator[Message]:
    """The messages of a catalogue, without its header."""
    return (message for message in translations if message.id)
