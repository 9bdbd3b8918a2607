"""Contact sheets: the catalogue as pictures of slide size, several on a page, to be looked at.

`python -m tests.render.diagrams.sheets FOLDER --style blocks --theme dark NETWORK …` writes PNG pages; without networks
it takes one of each structure in the catalogue. `--full` writes each picture by itself, at 1920 × 1080.
"""

from __future__ import annotations

import argparse
import io
from itertools import islice
from pathlib import Path

from PIL import Image, ImageDraw

from archcalc.passes.analysis import Analysis
from archcalc.render.convert import to_png
from archcalc.render.diagrams.choices import Choices
from archcalc.render.diagrams.from_analysis import drawing_of
from archcalc.render.diagrams.pages import standard_styles
from archcalc.render.diagrams.svg import svg
from tests.networks import one_of_each
from tests.render.diagrams.pictures import analysis_of

SLIDE = (1920, 1080)
#: Pictures next to each other and below each other, and their size on a page.
ACROSS, DOWN, SMALL = 2, 3, (960, 540)
STRIP = 20


def module_of(analysis: Analysis) -> str | None:
    """The outermost block with the most layers that no other block holds twice: the one worth a picture."""
    sizes: dict[str, int] = {}
    for row in analysis.rows:
        if "/" in row.name:
            block = row.name.partition("/")[0]
            sizes[block] = sizes.get(block, 0) + 1
    fitting = {block: count for block, count in sizes.items() if count <= 60}
    return max(fitting, key=lambda block: fitting[block], default=None)


def picture(name: str, style: str, theme: str, size: tuple[int, int]) -> tuple[Image.Image, tuple[str, ...]] | None:
    """A network on a slide of so many pixels, and the notes on it; None where the style does not suit it."""
    analysis = analysis_of(name)
    only = None
    if style == "module":
        only = module_of(analysis)
        if only is None:
            return None
    elif style == "volumes" and style not in standard_styles(analysis):
        return None
    choices = Choices(style="graph" if only else style, only=only, fit="16:9", theme=theme)
    drawing, notes = drawing_of(analysis, choices)
    data = to_png(svg(drawing), size[0] / drawing.width)
    return Image.open(io.BytesIO(data)).convert("RGB").resize(size), notes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--style", default="blocks", choices=("blocks", "graph", "volumes", "module"))
    parser.add_argument("--theme", default="light", choices=("light", "dark"))
    parser.add_argument("--full", action="store_true")
    choices = parser.parse_intermixed_args()
    choices.folder.mkdir(parents=True, exist_ok=True)
    names = choices.networks or [name for name in one_of_each() if "/" not in name]
    size = SLIDE if choices.full else SMALL
    stem = f"{choices.style}_{choices.theme}"
    made = ((name, found) for name in names if (found := picture(name, choices.style, choices.theme, size)))
    if choices.full:
        for name, (image, notes) in made:
            image.save(choices.folder / f"{stem}_{name.replace('/', '_')}.png")
            print(name, *notes)
        return
    for number, group in enumerate(iter(lambda: list(islice(made, ACROSS * DOWN)), [])):
        sheet = Image.new("RGB", (ACROSS * SMALL[0], DOWN * (SMALL[1] + STRIP)), "white")
        for place, (name, (image, notes)) in enumerate(group):
            x, y = place % ACROSS * SMALL[0], place // ACROSS * (SMALL[1] + STRIP)
            ImageDraw.Draw(sheet).text((x + 4, y + 4), f"{name}  {' '.join(notes)}", "black")
            sheet.paste(image, (x, y + STRIP))
        sheet.save(choices.folder / f"{stem}_{number:02}.png")
        print(f"{stem}_{number:02}", *(name for name, _ in group), flush=True)


if __name__ == "__main__":
    main()
