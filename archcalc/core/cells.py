"""Texts in CSV files: a spreadsheet takes none of them for a formula, and they are read back as they were."""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+@\t\r-]")
_ONE = r"[+-]?\d[\d.,]*(?:[eE][+-]?\d+|/\d+)?"
_NUMBER = re.compile(f"{_ONE}(?: {_ONE})*")


def harmless(text: str) -> str:
    """A text with an apostrophe before the sign that begins a formula; numbers are as they are.

    >>> harmless("=1+1"), harmless("-3.5"), as_written("'=1+1")
    ("'=1+1", '-3.5', '=1+1')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def as_written(text: str) -> str:
    """The text that `harmless` was given."""
    return text[1:] if text.startswith("'") and harmless(text[1:]) != text[1:] else text
