"""Documents that are zip archives of XML: checked before anything reads them."""

from __future__ import annotations

import io
import zipfile
from typing import IO, Any
from xml.parsers import expat

from archcalc.core.archives import DAMAGED
from archcalc.core.language import say
from archcalc.teach.check.answers.table import fault
from archcalc.teach.check.model import Place

#: Bytes of all parts of the file, unpacked.
LARGEST_UNPACKED = 50_000_000
#: Characters of a text; a cell of Excel takes 32,767.
LONGEST_TEXT = 131_072


def check_archive(data: bytes, file: str, what: str) -> None:
    """Refuse what unpacks to far more than a table, and XML that defines entities.

    `what` is the kind of document. Raises `SpecError`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > 1000 or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
                raise fault(
                    say(
                        "unpacks to more than {size}; no table of answers does",
                        size=f"{LARGEST_UNPACKED // 1_000_000} MB",
                    ),
                    Place(file, 1, 1),
                )
            for part in parts:
                with archive.open(part) as stream:
                    _check_part(stream, part.filename, file, what)
    except DAMAGED as error:
        raise fault(say("is no {what}: {reason}", what=what, reason=str(error)[:80]), Place(file, 1, 1)) from None


def _check_part(stream: IO[bytes], name: str, file: str, what: str) -> None:
    """Read a part to its end without keeping it: no document type may define entities, and no text may be endless.

    A picture is no XML and ends at its first bytes, where the reader of the spreadsheet would end too.
    """
    parser = expat.ParserCreate()
    length = 0

    def document_type(*_: Any) -> None:
        raise fault(say("holds XML with a document type, as no {what} does", what=what), Place(file, 1, 1))

    def element(*_: Any) -> None:
        nonlocal length
        length = 0

    def text(characters: str) -> None:
        nonlocal length
        length += len(characters)
        if length > LONGEST_TEXT:
            raise fault(say("a cell has more than {count:,} characters", count=LONGEST_TEXT), Place(file, 1, 1))

    parser.StartDoctypeDeclHandler = document_type
    parser.StartElementHandler = element
    parser.EndElementHandler = element
    parser.CharacterDataHandler = text
    try:
        while chunk := stream.read(1 << 16):
            parser.Parse(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError:
        if name.endswith((".xml", ".rels")):
            raise fault(
                say("is no {what} that can be read (a part is not well-formed)", what=what), Place(file, 1, 1)
            ) from None
