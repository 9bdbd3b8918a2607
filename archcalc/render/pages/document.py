"""The page around its contents: one file that loads nothing, with a policy that forbids it to."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

from archcalc.render.diagrams.pages import colours
from archcalc.render.diagrams.theme import DARK, LIGHT, Theme
from archcalc.render.pages.compact import Looks
from archcalc.render.pages.markup import Html, element, join

#: Every text is escaped, so that only a drawing begins so.
_DRAWING = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg".*?</svg>', re.DOTALL)
_STYLES = ("page.css", "table.css", "diagram.css", "panel.css", "print.css")
_SCRIPTS = ("math.js", "table.js", "diagram.js", "panel.js", "plots.js", "page.js")


def document(title: str, body: Html) -> str:
    """A whole page. How the shapes of its drawings look is put into its style sheet."""
    looks = Looks()
    body = Html(_DRAWING.sub(lambda match: looks.shorten(match[0]), body))
    style, script = _style(looks.style(), body), _script()
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # `Html` as it is: style and script know no escapes. Nothing of a spec is in them.
    head = join(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Html(style)),
        between="\n",
    )
    skip = element("a", "Skip to the content", href="#content", class_="skip")
    theme = element("div", element("button", "Dark", type="button", class_="theme", hidden=True), class_="bar-of-page")
    made = element("footer", element("p", "Made by archcalc. This file needs no network and no other file."))
    parts = join(
        skip,
        theme,
        element("main", body, id="content", tabindex="-1"),
        element(
            "aside", class_="panel", id="panel", aria_label="Derivation of the chosen layer", tabindex="-1", hidden=True
        ),
        made,
        element("script", Html(script)),
        between="\n",
    )
    page = element("html", Html("\n"), element("head", head), Html("\n"), element("body", parts), lang="en")
    return f"<!doctype html>\n{page}\n"


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


@cache
def _read(name: str) -> str:
    return files("archcalc.render.pages").joinpath("assets", name).read_text(encoding="utf-8")


def _script() -> str:
    parts = "\n".join(_read(name) for name in _SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def _style(*coloured: str) -> str:
    """Light colours, dark ones on a dark screen unless the page's button says else, and light ones on paper."""
    light, dark = colours(coloured)
    light, dark = _variables(LIGHT) + light, _variables(DARK) + dark
    themes = (
        f":root{{{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n"
    )
    return themes + coloured[0] + "\n" + "\n".join(_read(name) for name in _STYLES)


def _variables(theme: Theme) -> str:
    named = {
        "background": theme.background,
        "ink": theme.ink,
        "quiet": theme.quiet,
        "accent": theme.accent,
        "surface": theme.frame.fill,
        "line": theme.frame.line,
    }
    for family, paint in theme.families.items():
        named |= {f"{family}-fill": paint.fill, f"{family}-line": paint.line}
    return "".join(f"--{name}:{value};" for name, value in named.items())
