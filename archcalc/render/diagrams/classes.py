"""A drawing in fewer letters: what several shapes share of their look becomes a class of its style sheet."""

from __future__ import annotations

import re
from collections import Counter
from zlib import crc32

#: In a drawing no `<`, `>` or quote of a text stands bare, so that nothing a spec says looks like a tag.
_TAG = re.compile(r"<(?:rect|text|path)(?= )[^<>]*>")
#: What may stand in a style sheet as it stands in an attribute; the size of a font needs its unit there.
_LOOK = re.compile(
    r" (fill|stroke|stroke-width|stroke-dasharray|stroke-linecap|stroke-linejoin|opacity|font-size|font-weight|"
    r'text-anchor|class)="([^"]*)"'
)
_DARK = re.compile(r"<style>@media \(prefers-color-scheme:dark\)\{(.*)\}</style>\n")
_RULE = re.compile(r"\.([^{}]+)\{([^{}]+)\}")

#: The look of a shape: its attributes.
Look = tuple[tuple[str, str], ...]


def with_classes(drawing: str) -> str:
    """The same drawing with classes. The name of a class goes by its look: it means the same in every drawing."""
    uses = Counter(_look(match[0]) for match in _TAG.finditer(drawing))
    names = {look: "" for look, count in uses.items() if count > 1 and len(look) > 1}
    for look in names:
        digits, number = 6, crc32(repr(look).encode())
        while (name := f"z{number % 16**digits:x}") in names.values():
            digits += 1
        names[look] = name
    dark = dict(_RULE.findall("".join(_DARK.findall(drawing))))

    def shortened(match: re.Match[str]) -> str:
        name = names.get(_look(match[0]))
        return match[0] if name is None else re.sub(r"^<\w+", rf'\g<0> class="{name}"', _LOOK.sub("", match[0]))

    body = _TAG.sub(shortened, _DARK.sub("", drawing))
    rules = "".join(f".{name}{{{_style(look)}}}" for look, name in names.items())
    kept = {name for given in re.findall(r' class="([^"]*)"', body) for name in given.split()}
    night = [f".{name}{{{rule}}}" for name, rule in dark.items() if name in kept]
    night += [f".{name}{{{found}}}" for look, name in names.items() if (found := _night(look, dark))]
    if night:
        rules += f"@media (prefers-color-scheme:dark){{{''.join(night)}}}"
    return re.sub(r"</desc>\n", rf"\g<0><style>{rules}</style>\n", body, count=1) if rules else body


def _look(tag: str) -> Look:
    return tuple(_LOOK.findall(tag))


def _style(look: Look) -> str:
    return ";".join(f"{name}:{value}{'px' if name == 'font-size' else ''}" for name, value in look if name != "class")


def _night(look: Look, dark: dict[str, str]) -> str:
    return ";".join(dark[name] for name in dict(look).get("class", "").split())
