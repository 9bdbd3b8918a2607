"""A PDF whose objects stand in one order, so that the same plot gives the same bytes.

vl-convert writes fonts and resources in the order of a hash table, which is another one on every run. Here the objects
are numbered anew as they are reached from the catalogue, and the names in each dictionary of resources are sorted.
"""

from __future__ import annotations

import re

_XREF = re.compile(rb"xref\s+0 (\d+)\s+((?:\d{10} \d{5} [fn]\s+)+)trailer\s*<<(.*?)>>\s*startxref", re.DOTALL)
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_ROOT = re.compile(rb"/Root (\d+) 0 R")
#: Entries such as `/fo1 7 0 R`, one a line.
_RESOURCES = re.compile(rb"(?:^[ ]*/[a-z]+\d+ \d+ 0 R\n)+", re.MULTILINE)
_STREAM = b"\nstream"


def canonical(data: bytes, title: str, subject: str) -> bytes:
    """The same document with its objects in the order in which they are read, and with a title."""
    found = _XREF.search(data)
    assert found, "vl-convert writes a table of objects"
    entries = found[2].split(b"\n")
    starts = {number: int(entry[:10]) for number, entry in enumerate(entries) if entry.strip().endswith(b"n")}
    root = _ROOT.search(found[3])
    assert root, "a document has a catalogue"
    ends = dict(zip(sorted(starts.values()), [*sorted(starts.values())[1:], found.start()], strict=True))
    bodies = {number: _body(data[start : ends[start]]) for number, start in starts.items()}

    order: list[int] = []
    waiting = [int(root[1])]
    while waiting:
        number = waiting.pop()
        if number not in order:
            order.append(number)
            head, _, _ = bodies[number].partition(_STREAM)
            waiting += [int(target) for target in reversed(_REFERENCE.findall(head))]
    numbers = {old: new for new, old in enumerate(order, 1)}

    out = bytearray(data[: min(starts.values())])
    places = []
    information = b"<< /Title %s /Subject %s /Creator (archcalc) >>\n" % (_text(title), _text(subject))
    for body in [*(_renumbered(bodies[old], numbers) for old in order), information]:
        places.append(len(out))
        out += b"%d 0 obj\n%sendobj\n" % (len(places), body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(places) + 1, len(places), table,
    )  # fmt: skip
    return bytes(out)


def _body(text: bytes) -> bytes:
    """What stands between `obj` and `endobj`, its resources sorted."""
    inner = text.partition(b"obj")[2].rpartition(b"endobj")[0].lstrip(b"\r\n ")
    head, stream, rest = inner.partition(_STREAM)
    return _RESOURCES.sub(lambda run: b"".join(sorted(run[0].splitlines(keepends=True))), head) + stream + rest


def _renumbered(body: bytes, numbers: dict[int, int]) -> bytes:
    head, stream, rest = body.partition(_STREAM)
    return _REFERENCE.sub(lambda found: b"%d 0 R" % numbers[int(found[1])], head) + stream + rest


def _text(text: str) -> bytes:
    """A text string of PDF: UTF-16 in hexadecimal, in which nothing has to be escaped."""
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"
