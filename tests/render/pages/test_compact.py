"""Drawings with classes in the place of attributes look the same."""

from __future__ import annotations

from archcalc.render.pages.compact import StyleClasses

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" font-family="Arial" viewBox="0 0 9 9">'
    '<g class="node" data-layer="a"><rect x="1" fill="#fff" stroke="#000" stroke-width="2"/>'
    '<text x="1" font-size="12" fill="#000" xml:space="preserve">fill="#fff" stroke="#000"</text></g>'
    '<rect x="2" fill="#fff" stroke="#000" stroke-width="2"/><path d="M0 0" fill="none"/>'
    '<path class="background" d="M1 1" fill="none" stroke="#000"/></svg>'
)


def test_equal_looks_share_a_class() -> None:
    classes = StyleClasses()
    assert classes.shorten(DRAWING) == (
        '<svg xmlns="http://www.w3.org/2000/svg" font-family="Arial" viewBox="0 0 9 9">'
        '<g class="node" data-layer="a"><rect class="z0" x="1"/>'
        '<text class="z1" x="1">fill="#fff" stroke="#000"</text></g>'
        '<rect class="z0" x="2"/><path d="M0 0" fill="none"/>'
        '<path class="background z2" d="M1 1"/></svg>'
    )
    assert classes.style() == (
        ".z0{fill:#fff;stroke:#000;stroke-width:2}"
        ".z1{font-size:12px;fill:#000;white-space:pre}"
        ".z2{fill:none;stroke:#000}"
    )


def test_a_second_drawing_uses_the_same_classes() -> None:
    classes = StyleClasses()
    first = classes.shorten(DRAWING)
    assert classes.shorten(DRAWING) == first
    assert classes.style().count("{") == 3
