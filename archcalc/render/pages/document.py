"""The page around its contents: one file that loads nothing, with a policy that forbids it to."""

from __future__ import annotations

import re
from json import dumps
from typing import Any

from archcalc.core import words
from archcalc.core.language import direction, language, say
from archcalc.render.diagrams.pages import colours
from archcalc.render.diagrams.theme import DARK, LIGHT, Theme
from archcalc.render.pages.compact import StyleClasses
from archcalc.render.pages.markup import Html, asset, fill
from archcalc.render.pages.shell import page

#: Every text is escaped, so that only a drawing begins so.
_DRAWING = re.compile(r'<svg xmlns="http://www\.w3\.org/2000/svg".*?</svg>', re.DOTALL)
_STYLES = ("page.css", "table.css", "diagram.css", "panel.css", "print.css")
#: A number for each form of the plural that a browser tells apart.
_COUNTS = {"one": 1, "two": 2, "few": 3, "many": 5, "other": 10}
_SCRIPTS = ("math.js", "table.js", "diagram.js", "panel.js", "plots.js", "page.js")


def document(title: str, body: Html) -> str:
    """A whole page. How the shapes of its drawings look is put into its style sheet."""
    classes = StyleClasses()
    body = Html(_DRAWING.sub(lambda match: classes.shorten(match[0]), body))
    script = "\n".join(asset(name) for name in _SCRIPTS)
    whole = fill("page.html", body=body, **_words())
    return page(title, _style(classes.style(), body), script, whole, language(), direction())


def _words() -> dict[str, str]:
    """What stands on every page, and what its script says."""
    says: dict[str, Any] = {
        "close": say("Close"), "likewise": say("{what}, likewise", what="#"), "note": say("likewise"),
        "reads": say("reads"), "readers": say("is read by"), "more": say("and {count} more", count="#"),
        "before": say("← before"), "next": say("next →"), "find": say("Find them in the table"),
        "rows": say("{shown} of {count} rows", shown="#", count="##"), "none": say("No layer fits."),
        "these": say("these"), "unknown": say(words.NOT_COUNTED), "layers": _forms("layer"), "bytes": _forms("byte"),
    }  # fmt: skip
    return {
        "skip": say("Skip to the content"), "dark": say("Dark"), "panel": say("Derivation of the chosen layer"),
        "made": say("Made by archcalc. This file needs no network and no other file."),
        "says": dumps(says, ensure_ascii=False),
    }  # fmt: skip


def _forms(noun: str) -> dict[str, str]:
    """A number of things for each form of the plural; the script puts its own number in."""
    return {form: words.several(count, noun) for form, count in _COUNTS.items()}


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
