"""The text of Darknet's `.cfg` files: sections with options. Source: pjreddie/darknet, src/option_list.c."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from archcalc.core.shapes import LARGEST_FLAT, LARGEST_SIZE
from archcalc.interop.assemble import fault
from archcalc.spec.values import MOST_LAYERS

_INTEGER = re.compile(r"[+-]?\d{1,15}")


@dataclass
class Section:
    """A `[section]` with its options, each with the place of its value; `read` are those that were asked for."""

    kind: str
    place: str
    options: dict[str, tuple[str, str]] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)

    def text(self, name: str, default: str = "") -> str:
        """An option as it is written."""
        self.read.add(name)
        return self.options.get(name, (default, ""))[0]

    def place_of(self, name: str) -> str:
        """Where an option stands, or the section."""
        return self.options.get(name, ("", self.place))[1]

    def integer(self, name: str, default: int = 0, least: int = 0) -> int:
        """A whole number from `least` on. Raises `SpecError` for what is none."""
        return self._checked(name, self.text(name, str(default)), least)

    def integers(self, name: str) -> list[int]:
        """Whole numbers with commas between them; any sign."""
        parts = [part for part in self.text(name).split(",") if part]
        return [self._checked(name, part, -LARGEST_SIZE) for part in parts]

    def number(self, name: str, default: float) -> float:
        """A finite number. Raises `SpecError` for what is none."""
        text = self.text(name, repr(default))
        try:
            found = float(text[:40])
        except ValueError:
            found = math.nan
        if not math.isfinite(found):
            raise fault(f"{name} should be a number, not {text[:60]!r}", self.place_of(name))
        return found

    def _checked(self, name: str, text: str, least: int) -> int:
        if not _INTEGER.fullmatch(text):
            raise fault(f"{name} should be a whole number, not {text[:60]!r}", self.place_of(name))
        found = int(text)
        if not least <= found <= LARGEST_FLAT:
            raise fault(f"{name} should lie between {least} and {LARGEST_FLAT:,}, not {found}", self.place_of(name))
        return found


def parse_cfg(text: str, file: str) -> list[Section]:
    r"""The sections of a `.cfg` file. Raises `SpecError` with line and column.

    >>> [(section.kind, dict(section.options)) for section in parse_cfg("[net]\nwidth = 416", "a.cfg")]
    [('net', {'width': ('416', 'a.cfg:2:1')})]
    """
    sections: list[Section] = []
    for number, line in enumerate(text.splitlines(), 1):
        content = "".join(line.partition("#")[0].split())
        if not content or content[0] == ";":
            continue
        place = f"{file}:{number}:{len(line) - len(line.lstrip()) + 1}"
        if content[0] == "[":
            if content[-1] != "]" or len(content) < 3:
                raise fault(f"a section is written [convolutional], not {content[:60]!r}", place)
            if len(sections) > MOST_LAYERS:
                raise fault(f"more than {MOST_LAYERS:,} sections; no network has so many layers", place)
            sections.append(Section(content[1:-1].lower(), place))
            continue
        name, equals, value = content.partition("=")
        if not equals or not name or not value:
            raise fault(f"an option is written filters=64, not {content[:60]!r}", place)
        if not sections:
            raise fault("an option stands before the first section, which should be [net]", place)
        sections[-1].options[name.lower()] = (value, place)
    return sections
