"""Reads a catalogue of translations: a `.po` file of GNU gettext, as people edit it."""

from __future__ import annotations

import json
from collections import defaultdict
from gettext import c2py
from pathlib import Path


class Translations:
    """The messages of a language. What is not translated is not there, and stays as it is."""

    def __init__(self, path: Path) -> None:
        entries = map(_entry, path.read_text(encoding="utf-8").split("\n\n"))
        #: By message, or by the form of a message for one: its forms.
        self.forms = {entry["msgid"]: forms for entry in entries if (forms := _forms(entry))}
        (header,) = self.forms.pop("")
        #: Which form a number takes.
        self.form_of = c2py(header.partition("plural=")[2].partition(";")[0])

    def one(self, message: str) -> str:
        """The translation of a message, in its form for one."""
        forms = self.forms.get(message, (message,))
        return forms[0] if len(forms) == 1 else forms[self.form_of(1)]

    def many(self, one: str, many: str, count: int) -> str:
        """The translation of a message in the form that the language has for this number."""
        forms = self.forms.get(one)
        if forms is None:
            return one if count == 1 else many
        return forms[self.form_of(count)]


def _entry(text: str) -> dict[str, str]:
    """The strings of an entry by keyword: msgid, msgstr or msgstr[0], …."""
    strings: defaultdict[str, str] = defaultdict(str)
    keyword = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            before, _, rest = line.partition('"')
            keyword = before.strip() or keyword
            strings[keyword] += json.loads(f'"{rest}') if "\\" in rest else rest[:-1]
    return strings


def _forms(entry: dict[str, str]) -> tuple[str, ...]:
    """The forms of a translation; none where one is missing."""
    forms = tuple([text for keyword, text in entry.items() if keyword.startswith("msgstr")])
    return forms if all(forms) else ()
