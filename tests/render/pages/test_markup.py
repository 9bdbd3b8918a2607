"""Markup is safe whatever the texts are, and pictures for two themes become one."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archcalc.render.diagrams.theme import FAMILIES
from archcalc.render.pages.colours import merge
from archcalc.render.pages.markup import Html, data, element, fragment, join, link


class Reader(HTMLParser):
    """What a browser would see: the tags with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(), st.text())
def test_texts_and_attributes_come_back_as_they_were(text: str, value: str) -> None:
    page = Reader(element("p", text, title=value))
    assert page.tags == [("p", {"title": value})]
    # A parser makes one line end of every kind of them.
    assert page.text.splitlines() == text.splitlines() or page.text == text


def test_elements() -> None:
    made = element("a", "x & y", None, Html("<b>z</b>"), class_="c", aria_label='"', hidden=True, title=None, id=False)
    assert made == '<a class="c" aria-label="&quot;" hidden>x &amp; y<b>z</b></a>'
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert join("<", Html("<br>"), between="|") == "&lt;|<br>"


@pytest.mark.parametrize("url", ["https://arxiv.org/abs/1512.03385", "http://x.org/?a=1&b=%22"])
def test_addresses_of_the_web_become_links(url: str) -> None:
    assert Reader(link("paper", url)).tags[0][1]["href"] == url


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "//x.org", "x.org", "https:",
        "https://", "https:x", "http://[", "https://x.org/\n", "https://x.org/ a", "blob:https://x.org/1",
    ],
)  # fmt: skip
def test_other_addresses_stay_texts(url: str | None) -> None:
    assert link("a<b", url) == "a&lt;b"


@given(st.text(min_size=1))
def test_a_fragment_is_plain_and_tells_names_apart(name: str) -> None:
    from urllib.parse import unquote

    made = fragment(name.encode("utf-8", "ignore").decode())
    assert made.isascii()
    assert not set(made) & set(" \t\n\"'<>&#")
    assert unquote(made) == name.encode("utf-8", "ignore").decode()


_JSON = st.recursive(st.text() | st.integers() | st.none(), st.lists)


@given(_JSON)
def test_data_cannot_end_its_script(value: object) -> None:
    made = data(value)
    assert not set("<>&\u2028\u2029") & set(made)
    assert json.loads(made) == value


def test_colours_of_two_drawings_become_variables() -> None:
    light = '<g><rect x="1" fill="#ffffff" stroke="#000000"/><text fill="#000000">fill="#ffffff"</text></g>'
    dark = light.replace('stroke="#000000"', 'stroke="#eeeeee"').replace('x="1" fill="#ffffff"', 'x="1" fill="#101010"')
    assert merge(light, dark) == (
        '<g><rect x="1" fill="var(--c-ffffff-101010)" stroke="var(--c-000000-eeeeee)"/>'
        '<text fill="var(--c-000000-000000)">fill="#ffffff"</text></g>'
    )


def test_drawings_of_different_things_are_not_merged() -> None:
    with pytest.raises(ValueError, match="differ in more"):
        merge('<rect x="1" fill="#ffffff"/>', '<rect x="2" fill="#000000"/>')


def test_every_kind_of_layer_has_its_colours_in_the_table() -> None:
    sheet = (resources.files("archcalc.render.pages") / "assets" / "table.css").read_text(encoding="utf-8")
    for family in FAMILIES:
        colours = f"--kind-fill: var(--{family}-fill); --kind-line: var(--{family}-line);"
        rule = f".layers tr[data-kind={family}] {{ {colours} }}"
        assert (rule in sheet) == (family != "output")
