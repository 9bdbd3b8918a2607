"""For the API reference: the doctests of a docstring become code blocks, as Markdown would take `>>>` for quotes."""

from __future__ import annotations

import re
from typing import Any

import griffe

#: A doctest with its output, up to an empty line.
_DOCTEST = re.compile(r"(?:^[ ]*>>> .*\n?)(?:^[ ]*\S.*\n?)*", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences doctests in every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of an object, once it is loaded."""
        if obj.docstring and ">>>" in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """A docstring with each doctest in a code block."""
    return _DOCTEST.sub(lambda match: f"\n```pycon\n{match[0].rstrip()}\n```\n", text)
