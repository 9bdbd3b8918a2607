"""Documents that are zip archives of XML: checked before anything reads them."""

from __future__ import annotations

import io
import zipfile
from typing import IO, Any
from xml.parsers import expat

from archcalc.core.archives import DAMAGED
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
                    f"unpacks to more than {LARGEST_UNPACKED // 1_000_000} MB; no table of answers does",
                    Place(file, 1, 1),
                )
            for part in parts:
                with archive.open(part) as stream:
                    _check_part(stream, part.filename, file, what)
    except DAMAGED as error:
        raise fault(f"is no {what}: {str(error)[:80]}", Place(file, 1, 1)) from None


def _check_part(stream: IO[bytes], name: str, file: str, what: str) -> None:
    """Read a part to its end without keeping it: no document type may define entities, and no text may be endless.

    A picture is no XML and ends at its first bytes, where the reader of the spreadsheet would end too.
    """
    parser = expat.ParserCreate()
    length = 0

    def document_type(*_: Any) -> None:
        raise fault(f"holds XML with a document type, as no {what} does", Place(file, 1, 1))

    def element(*_: Any) -> None:
        nonlocal length
        length = 0

    def text(characters: str) -> None:
        nonlocal length
        length += len(characters)
        if length > LONGEST_TEXT:
            raise fault(f"has a cell of more than {LONGEST_TEXT:,} characters", Place(file, 1, 1))

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
            raise fault(f"is no {what} that can be read (a part is not well-formed)", Place(file, 1, 1)) from None
