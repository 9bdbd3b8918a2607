"""Drawings in fewer letters: what many shapes share of their look becomes a class of the page's style sheet."""

from __future__ import annotations

import re

#: In a drawing no `<`, `>` or quote of a text stands bare, so that nothing a spec says looks like a tag.
_TAG = re.compile(r"<(?:rect|text|path|line|circle|g)(?= )[^<>]*>")
#: What may stand in a style sheet as it stands in an attribute; the size of a font needs its unit there.
_LOOK = re.compile(
    r" (fill|stroke|stroke-width|stroke-dasharray|stroke-linecap|stroke-linejoin|stroke-opacity|fill-opacity|opacity|"
    r'font-size|font-weight|font-family|text-anchor|xml:space)="([^"]*)"'
)
_FREE = re.compile(r' class="[^"]*"')


class StyleClasses:
    """The classes of a page: each a set of properties that came in some drawing."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def shorten(self, drawing: str) -> str:
        """The same drawing, with a class in the place of the attributes that say how a shape looks."""
        return _TAG.sub(self._tag, drawing)

    def style(self) -> str:
        """The rules of the classes."""
        return "".join(f".{name}{{{look}}}" for look, name in self._names.items())

    def _tag(self, match: re.Match[str]) -> str:
        tag = match[0]
        found = _LOOK.findall(tag)
        if len(found) < 2 or (tag.startswith("<g") and _FREE.search(tag)):
            return tag
        look = ";".join(_property(name, value) for name, value in found)
        name = self._names.setdefault(look, f"z{len(self._names)}")
        tag, given = _FREE.subn(lambda kept: f'{kept[0][:-1]} {name}"', _LOOK.sub("", tag))
        return tag if given else re.sub(r"^<\w+", rf'\g<0> class="{name}"', tag)


def _property(name: str, value: str) -> str:
    if name == "xml:space":
        return "white-space:pre"
    if name == "font-size" and not value.endswith("px"):
        value += "px"
    return f"{name}:{value}"
