"""Text put into Markdown or LaTeX as itself, and pages of HTML."""

from __future__ import annotations

import re
from html import escape

from archcalc.core.language import direction, language

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~])")
_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "×": r"$\times$", "–": "--", "−": "$-$", "·": r"$\cdot$", "γ": r"$\gamma$", "β": r"$\beta$", "α": r"$\alpha$",
    "→": r"$\to$", "←": r"$\gets$", "²": "$^2$", "±": r"$\pm$", "…": r"\dots{}", "⌈": r"$\lceil$", "⌉": r"$\rceil$",
    "\u2066": "", "\u2067": "", "\u2069": "", "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "≤": r"$\le$", "≥": r"$\ge$",
}  # fmt: skip


def escape_markdown(text: str) -> str:
    """Text that Markdown would read as marks, as itself."""
    return _MARKDOWN.sub(r"\\\1", text).replace("\n", " ")


def escape_latex(text: str) -> str:
    """Text for LaTeX, with the special characters and signs of the reports written as commands."""
    return "".join(_LATEX.get(character, character) for character in text)


def html_page(title: str, style: str, body: str) -> str:
    """A page that needs nothing else: `title` as plain text, a style sheet, and what is shown."""
    return (
        f'<!doctype html>\n<html lang="{language()}" dir="{direction()}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def turned(text: str, between: str = "") -> str:
    """What stands in the page of another program, from right to left where the language runs so."""
    if not text or direction() == "ltr":
        return text
    return f'<div dir="rtl">{between}{text}{between}</div>'
