"""Markup that is safe by construction: what is not made here is text, and text is escaped."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from json import dumps
from string import Template
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

_VOID = frozenset({"input", "meta", "br", "wbr"})


class Html(str):
    """Markup; any other text has yet to be escaped."""

    __slots__ = ()


Content = str | None
Part = TypeVar("Part")


class Drawn(NamedTuple, Generic[Part]):
    """What could be drawn, and a sentence for each thing that could not: mostly the package that is missing."""

    drawn: tuple[Part, ...]
    missing: tuple[str, ...]


def element(tag: str, *content: Content, **attributes: str | int | bool | None) -> Html:
    """An element. `class_` and `aria_label` become `class` and `aria-label`; None and False are left out."""
    written = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(*content)}</{tag}>")


def _attribute(name: str, value: str | int | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = name.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


def join(*content: Content, between: str = "") -> Html:
    """Contents one after the other; texts are escaped, None is nothing."""
    return Html(between.join(_safe(part) for part in content if part))


def _safe(part: str, quote: bool = False) -> str:
    return part if isinstance(part, Html) else escape(part, quote)


def wide(content: Html, label: str) -> Html:
    """A table in a region that scrolls where the window is too narrow for it."""
    return element("div", content, class_="wide", tabindex=0, role="region", aria_label=label)


@cache
def asset(name: str) -> str:
    """The text of a file of the folder assets."""
    return files("archcalc.render.pages").joinpath("assets", name).read_text(encoding="utf-8")


def fill(name: str, **parts: str) -> Html:
    """The markup of an asset with its parts, as `$name`, filled in; texts are escaped."""
    return Html(Template(asset(name)).substitute({name: _safe(part, quote=True) for name, part in parts.items()}))


def breakable(name: str) -> Html:
    """A name that may go on in the next line after each slash."""
    return join(*name.split("/"), between=f"/{element('wbr')}")


def link(text: str, url: str | None) -> Html:
    """A link to a page of the web; any other address, as one that runs a script, is left a text."""
    if url is None or not is_web(url):
        return join(text)
    return element("a", text, href=url, rel="noopener noreferrer")


def is_web(url: str) -> bool:
    """Whether an address is that of a page of the web."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are no address of a host
        return False
    plain = url.isprintable() and not any(letter.isspace() for letter in url)
    return plain and parts.scheme in ("http", "https") and bool(parts.netloc)


def fragment(name: str) -> str:
    """A name as an `id` and the fragment that leads to it: the same letters in both, whatever the name holds."""
    return quote(name, safe="/:@,=+-._~()")


def data(value: Any) -> Html:
    """JSON for an element `script`: nothing in it can end the element or open a comment."""
    text = dumps(value, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Html(text)
