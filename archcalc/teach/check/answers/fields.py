"""The form fields of a PDF that `archcalc exercise` made, as a student filled them in. Nothing else in it is read."""

from __future__ import annotations

import io
from typing import Any

from archcalc.core.errors import ArchcalcError
from archcalc.core.language import say
from archcalc.teach.check.answers.table import MOST_ROWS, Answers, Item, fault, read_cells
from archcalc.teach.check.model import CHECKED, Place

#: Characters of a field.
_LONGEST = 10_000


def read_fields(data: bytes, file: str) -> Answers:
    """The answers in the fields, whose names are `layer|quantity`; the place of an answer is the number of its field.

    Raises `SpecError` for a PDF without such fields: what was scanned, or printed to a file, cannot be read.
    """
    try:
        found = _fields(data)
    except ArchcalcError:
        raise
    except Exception as error:  # whatever a broken file makes of its reader
        raise fault(
            say("is no PDF that can be read ({reason})", reason=type(error).__name__), Place(file, 1, 1)
        ) from None
    values: dict[tuple[str, str], Item] = {}
    for number, (name, text) in enumerate(found, 1):
        layer, _, quantity = name.rpartition("|")
        if layer and quantity in CHECKED:
            values[layer, quantity] = Item(text[:_LONGEST], Place(file, 1, number))
    if not values:
        raise fault(
            say("has no fields to fill in, so that its answers cannot be read"),
            Place(file, 1, 1),
            say(
                "fill in the fields of the worksheet's PDF; a scan, or a PDF that was printed to a file, has none left"
            ),
            say("or hand in DOCX, XLSX, CSV or a notebook"),
        )
    return read_cells(values, file)


def _fields(data: bytes) -> list[tuple[str, str]]:
    """The text fields at the top of the form, and their values."""
    import logging

    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # one error is raised, in our words
    root: Any = PdfReader(io.BytesIO(data)).trailer["/Root"].get_object()
    form = root.get("/AcroForm")
    found = []
    for reference in (form.get_object().get("/Fields") or [])[:MOST_ROWS] if form is not None else []:
        field = reference.get_object()
        if field.get("/FT") == "/Tx" and "/T" in field:
            value = field.get("/V", "")
            name = str(field["/T"]).replace("%2E", ".").replace("%25", "%")
            found.append(
                (name, value.get_data().decode("utf-8", "replace") if hasattr(value, "get_data") else str(value))
            )
    return found
