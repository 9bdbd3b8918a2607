"""The page around its contents: one file that loads nothing, with a policy that forbids it to."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

from archcalc.render.diagrams.pages import colours
from archcalc.render.diagrams.theme import DARK, LIGHT, Theme
from archcalc.render.pages.compact import StyleClasses
from archcalc.render.pages.markup import Html, asset, fill

#: Every text is escaped, so that only a drawing begins so.
_DRAWING = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg".*?</svg>', re.DOTALL)
_STYLES = ("page.css", "table.css", "diagram.css", "panel.css", "print.css")
_SCRIPTS = ("math.js", "table.js", "diagram.js", "panel.js", "plots.js", "page.js")


def document(title: str, body: Html) -> str:
    """A whole page. How the shapes of its drawings look is put into its style sheet."""
    classes = StyleClasses()
    body = Html(_DRAWING.sub(lambda match: classes.shorten(match[0]), body))
    style, script = _style(classes.style(), body), _script()
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # `Html` as it is: style and script know no escapes. Nothing of a spec is in them.
    return fill("page.html", policy=policy, title=title, style=Html(style), body=body, script=Html(script))


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _script() -> str:
    parts = "\n".join(asset(name) for name in _SCRIPTS)
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
    return themes + coloured[0] + "\n" + "\n".join(asset(name) for name in _STYLES)


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
