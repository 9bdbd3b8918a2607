"""The presentation that slides are put into: its layouts, fonts and colours, from a file or the usual one."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from archcalc.core.archives import DAMAGED
from archcalc.core.errors import UsageError
from archcalc.render.decks.slides import BODY, HEIGHT, WIDTH, Area
from archcalc.render.diagrams.fonts import installed
from archcalc.render.diagrams.ooxml import FONT
from archcalc.render.diagrams.theme import THEMES, Theme

#: EMU to the point, and the size of a slide without a template.
POINT = 12_700
#: The largest template, packed and unpacked, in bytes.
LARGEST, LARGEST_UNPACKED = 100 << 20, 500 << 20
#: Sides of slides in EMU that PowerPoint has: 1 to 56 inches.
SMALLEST_SLIDE, LARGEST_SLIDE = 914_400, 56 * 914_400
#: Fonts of the template's theme: of texts. Without a template the font is one whose widths are known.
THEME_FONT = "+mn-lt"
SMALLER = 0.85
_SECTIONS = "{521415D9-36F7-43E2-AB2F-B90AF26B5E84}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
#: What python-pptx lets through where a file is damaged; XML has errors of syntax.
_DAMAGE = (
    AttributeError, EOFError, IndexError, KeyError, NotImplementedError, RuntimeError, SyntaxError, TypeError,
    ValueError,
)  # fmt: skip
#: The placeholders that stand at the foot of a slide.
_FOOT = ("DATE", "FOOTER", "SLIDE_NUMBER")


class Template:
    """An opened presentation without slides. Raises `UsageError` for a file that is none.

    `theme` is that of the diagrams: where the template is dark and no other is asked for, the dark one.
    """

    def __init__(self, data: bytes | None, name: str, theme: str) -> None:
        if theme not in THEMES:
            raise UsageError(f"there is no theme {theme[:60]!r}; there are {', '.join(THEMES)}")
        self.is_own = data is None
        self.presentation = _usual(THEMES[theme]) if data is None else _opened(data, name)
        self.font = FONT if data is None else THEME_FONT
        #: What texts are measured in, where this system has the font.
        self.face = None if data is None else installed(_family(self.presentation))
        #: The widths of an unknown font are not known: texts get some space.
        self.share = 1.0 if data is None or self.face else SMALLER
        self.name = name
        layouts = [layout for master in self.presentation.slide_masters for layout in master.slide_layouts]
        self.layouts = [layout for layout in layouts if _title(layout) is not None]
        if not self.layouts:
            raise UsageError(f"{name} has no layout with a title")
        self.theme = theme
        if data is not None and theme == "light" and _is_dark(self.layout("picture")):
            self.theme = "dark"

    def layout(self, kind: str) -> Any:
        """The layout for a kind of slide: by its type, else the first that has what is needed."""
        wanted = {"title": ("title",), "section": ("secHead", "title"), "points": ("obj", "tx")}
        kind = "points" if kind == "quiz" else kind
        for type_ in wanted.get(kind, ("titleOnly",)):
            for layout in self.layouts:
                if layout._element.get("type") == type_:
                    return layout
        with_text = [layout for layout in self.layouts if body(layout) is not None]
        without = [layout for layout in self.layouts if not _others(layout)]
        if kind in ("points", "title", "section"):
            return (with_text or self.layouts)[0]
        return (without or self.layouts)[0]

    def area(self, layout: Any) -> Area:
        """Where the contents of a slide lie, in EMU: below its title, above what stands at its foot."""
        width, height = int(self.presentation.slide_width or 0), int(self.presentation.slide_height or 0)
        if self.is_own:
            unit = width / WIDTH
            return Area(BODY.x * unit, BODY.y * unit, BODY.width * unit, BODY.height * unit)
        title = _title(layout)
        assert title is not None
        margin = 0.03 * width
        left, right = float(title.left), float(title.left + title.width)
        if right - left < 0.6 * width:
            left, right = margin, width - margin
        feet = [shape.top for shape in layout.placeholders if _kind(shape) in _FOOT and shape.top > height / 2]
        top, bottom = title.top + title.height, min([*feet, round(height * 0.96)])
        if bottom - top < 0.45 * height:  # a title at the foot, or across the whole slide
            top, bottom = round(0.2 * height), round(height * 0.94)
        gap = 0.01 * height
        return Area(left, top + gap, right - left, bottom - top - 2 * gap)


def title_size(layout: Any) -> float:
    """The size of the font of a layout's title in points: its own, else that of the master's titles."""
    title = _title(layout)
    assert title is not None
    style = layout.slide_master._element.find(f"{_P}txStyles/{_P}titleStyle")
    for holder in (title._element.txBody.find(f"{_A}lstStyle"), style):
        found = None if holder is None else holder.find(f"{_A}lvl1pPr/{_A}defRPr")
        if found is not None and str(found.get("sz", "")).isdecimal():
            return int(found.get("sz")) / 100
    return 44.0


def body(layout: Any) -> Any:
    """The placeholder of a layout or slide that takes text below the title; None without one."""
    found = [shape for shape in layout.placeholders if _kind(shape) in ("BODY", "OBJECT", "SUBTITLE")]
    return min(found, key=lambda shape: shape.placeholder_format.idx) if found else None


def _kind(shape: Any) -> str:
    return str(shape.placeholder_format.type).partition(" ")[0]


def _title(layout: Any) -> Any:
    found = [shape for shape in layout.placeholders if _kind(shape) in ("TITLE", "CENTER_TITLE")]
    return found[0] if found and found[0].width else None


def _others(layout: Any) -> list[Any]:
    return [shape for shape in layout.placeholders if _kind(shape) not in (*_FOOT, "TITLE", "CENTER_TITLE")]


def slide_number(layout: Any) -> Any:
    """The placeholder for the number of the slide; None without one."""
    return next((shape for shape in layout.placeholders if _kind(shape) == "SLIDE_NUMBER"), None)


def _opened(data: bytes, name: str) -> Any:
    """A presentation of a user, without its slides. What is damaged in it is refused, whatever library notices it."""
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_UNPACKED:
                raise UsageError(f"{name} unpacks to more than {LARGEST_UNPACKED >> 20} MiB; no template does")
        presentation = Presentation(io.BytesIO(data))
        _remove_slides(presentation)
        sizes = presentation.slide_width, presentation.slide_height
        layouts = [list(master.slide_layouts) for master in presentation.slide_masters]
        for master in presentation.slide_masters:
            _colours(master)
        for layout in (layout for each in layouts for layout in each):
            _check_layout(layout)
    except UsageError:
        raise
    except (PythonPptxError, *DAMAGED, *_DAMAGE) as error:
        reason = " ".join(str(error).split())[:120]
        raise UsageError(f"{name} is no presentation (.pptx) that can be read: {reason}") from None
    if not all(sizes) or not any(layouts):
        raise UsageError(f"{name} has no size or no layout of slides")
    if not all(SMALLEST_SLIDE <= size <= LARGEST_SLIDE for size in sizes if size):
        raise UsageError(f"{name} has slides of a size that PowerPoint does not have: 1 to 56 inches along each side")
    return presentation


def _family(presentation: Any) -> str:
    """The name of the font that texts of a presentation have."""
    from pptx.opc.constants import RELATIONSHIP_TYPE

    theme = presentation.slide_masters[0].part.part_related_by(RELATIONSHIP_TYPE.THEME).blob.decode(errors="replace")
    found = re.search(r'<a:minorFont>\s*<a:latin typeface="([^"]*)"', theme)
    return found[1] if found else ""


def _check_layout(layout: Any) -> None:
    """That all that is taken from a layout is there. Raises `ValueError` and others where it is not."""
    if _title(layout) is not None:
        title_size(layout)
    for shape in layout.placeholders:
        int(shape.placeholder_format.idx)
        if any(side is not None and abs(side) > LARGEST_SLIDE for side in (shape.left, shape.top)):
            raise ValueError("a placeholder lies outside of all slides")
        if any(side is not None and not 0 <= side <= LARGEST_SLIDE for side in (shape.width, shape.height)):
            raise ValueError("a placeholder has a size that no slide has")


def _remove_slides(presentation: Any) -> None:
    part = presentation.part
    listed = presentation.slides._sldIdLst
    for entry in list(listed):
        part.drop_rel(entry.rId)
        listed.remove(entry)
    # Sections name slides; those that are gone would make PowerPoint repair the file.
    for extension in list(presentation.element.iter(f"{_P}ext")):
        if extension.get("uri") == _SECTIONS:
            extension.getparent().remove(extension)


def _usual(theme: Theme) -> Any:
    """python-pptx's own template, as wide as a screen, in the fonts and colours of the diagrams."""
    from pptx import Presentation
    from pptx.opc.constants import RELATIONSHIP_TYPE
    from pptx.util import Emu

    presentation = Presentation()
    factor = WIDTH * POINT / int(presentation.slide_width or 1)
    presentation.slide_width, presentation.slide_height = Emu(round(WIDTH * POINT)), Emu(round(HEIGHT * POINT))
    master = presentation.slide_masters[0]
    down = HEIGHT * POINT / 6_858_000
    for holder in (master, *master.slide_layouts):
        for shape in holder.placeholders:
            if shape._element.spPr.xfrm is not None:
                for name, share in (("left", factor), ("width", factor), ("top", down), ("height", down)):
                    setattr(shape, name, Emu(round(getattr(shape, name) * share)))
    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    part._blob = _recoloured(
        part.blob.decode(), theme
    ).encode()  # there is no other way to a part that is no XML to python-pptx
    _place_titles(presentation)
    return presentation


def _recoloured(text: str, theme: Theme) -> str:
    """The theme part with the colours of the diagrams and one font."""
    accents = [
        theme.families[name].line
        for name in ("convolution", "pooling", "normalisation", "dense", "block", "activation")
    ]
    colours = {"dk1": theme.ink, "lt1": theme.background, "dk2": theme.quiet, "lt2": theme.frame.fill}
    colours |= {f"accent{number}": accent for number, accent in enumerate(accents, 1)}
    for name, colour in colours.items():
        inner = f'<a:srgbClr val="{colour[1:].upper()}"/>'
        text = re.sub(rf"(<a:{name}>).*?(</a:{name}>)", rf"\g<1>{inner}\g<2>", text, flags=re.DOTALL)
    for script in ("latin", "cs"):
        text = re.sub(
            rf'(<a:(?:major|minor)Font>(?:(?!</a:m).)*?<a:{script} typeface=")[^"]*',
            rf"\g<1>{FONT}",
            text,
            flags=re.DOTALL,
        )
    return text


def _place_titles(presentation: Any) -> None:
    """Titles at the left upper corner, as large as those of the other formats."""
    from pptx.enum.text import MSO_ANCHOR
    from pptx.util import Pt

    for layout in presentation.slide_layouts:
        title = _title(layout)
        if title is None or layout._element.get("type") in ("title", "secHead"):
            continue
        title.left, title.top, title.width, title.height = Pt(BODY.x), Pt(22), Pt(BODY.width), Pt(46)
        frame = title.text_frame
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        frame.margin_left = frame.margin_right = 0
        style = title._element.txBody.find(f"{_A}lstStyle")
        _level(style, "l", 2800, True)
        holder = body(layout)
        if holder is not None:
            holder.left, holder.top, holder.width, holder.height = (
                Pt(BODY.x),
                Pt(BODY.y + 10),
                Pt(BODY.width),
                Pt(BODY.height - 20),
            )


def _level(style: Any, align: str, size: int, bold: bool) -> None:
    from pptx.oxml import parse_xml

    text = (
        '<a:lvl1pPr xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'algn="{align}"><a:defRPr sz="{size}" b="{int(bold)}"/></a:lvl1pPr>'
    )
    for child in list(style):
        style.remove(child)
    style.append(parse_xml(text))


def _is_dark(layout: Any) -> bool:
    """Whether the ground of a layout is dark, by its own background, that of its master, or the theme's colours."""
    colours = _colours(layout.slide_master)
    for holder in (layout, layout.slide_master):
        ground = holder._element.find(f"{_P}cSld/{_P}bg")
        if ground is None:
            continue
        colour = next(_named(ground, colours), None)
        if colour is not None:
            return _luminance(colour) < 0.4
    return _luminance(colours.get("bg1", "FFFFFF")) < 0.4


def _named(element: Any, colours: dict[str, str]) -> Iterator[str]:
    for child in element.iter(f"{_A}srgbClr", f"{_A}schemeClr"):
        value = child.get("val", "")
        if child.tag.endswith("srgbClr"):
            yield value
        elif value in colours:
            yield colours[value]


def _colours(master: Any) -> dict[str, str]:
    """The colours of a master's theme by name, those that stand for others too (bg1, tx1)."""
    from pptx.opc.constants import RELATIONSHIP_TYPE
    from pptx.oxml import parse_xml

    part = master.part.part_related_by(RELATIONSHIP_TYPE.THEME)
    root: Any = parse_xml(part.blob)
    scheme = root.find(f"{_A}themeElements/{_A}clrScheme")
    found: dict[str, str] = {}
    for entry in scheme if scheme is not None else ():
        for child in entry:
            found[entry.tag.rpartition("}")[2]] = child.get("lastClr") or child.get("val", "")
    mapping = master._element.find(f"{_P}clrMap")
    if mapping is not None:
        found |= {name: found[value] for name, value in mapping.attrib.items() if value in found}
    return found


def _luminance(colour: str) -> float:
    if not re.fullmatch(r"[0-9A-Fa-f]{6}", colour):
        return 1.0
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
