"""A picture of folded blocks with one of them opened next to it."""

from __future__ import annotations

from archcalc.core.errors import UsageError
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.drawing import Cluster, Curve, Drawing, Rect, Text, main_box, shifted_link
from archcalc.render.diagrams.measure import LABEL
from archcalc.render.diagrams.model import Diagram
from archcalc.render.diagrams.paint import MARGIN
from archcalc.render.diagrams.theme import Theme

GAP = 40.0
HEAD = 34.0
#: In front of the names of what is inside of the block, which is also there folded.
INSIDE = "inside: "


def holder(diagram: Diagram, analysis: Analysis, block: str) -> str:
    """The name of the box in which a block is folded: its own, that of a block around it or of an equal one before."""
    rows = analysis.rows

    def start(name: str) -> int:
        return next(i for i, row in enumerate(rows) if row.name == name or row.name.startswith(name + "/"))

    names = [part.name for node in diagram.nodes for part in node.parts[:1] if part.name]
    here = start(block)
    before = [name for name in names if start(name) <= here]
    if not before:
        raise UsageError(f"the block {block[:80]!r} is folded together with others: draw it by itself with --only")
    return max(before, key=start)


def side_by_side(folded: Drawing, opened: Drawing, name: str, label: str, theme: Theme) -> Drawing:
    """Two drawings in one: the second in a frame to the right, joined to the box of the first that it opens."""
    node = next(item for item in folded.items if item.role == "node" and name in (item.layer, item.block))
    box = main_box(node)
    assert box is not None
    inner_height = opened.height - 2 * MARGIN + HEAD + 12
    height = max(folded.height, inner_height + 2 * MARGIN)
    left = folded.width - MARGIN + GAP
    top = max(MARGIN, min(box.y + box.height / 2 - inner_height / 2, height - MARGIN - inner_height))
    width = opened.width - 2 * MARGIN + 2 * 14
    frame = Rect(left, top, width, inner_height, theme.frame.fill, theme.accent, 1.4, 8)
    corner = box.x + box.width
    outline = box._replace(fill=None, line=theme.accent, thickness=2.4, dash=())
    wedge = ((corner, box.y), (left, top), (left, top + inner_height), (corner, box.y + box.height))
    shade = Curve(wedge, None, 0, fill=theme.accent, closed=True, opacity=0.09)
    title = Text(left + 14, top + 22, label, LABEL + 1, theme.ink, True)
    dx, dy = left + 14 - MARGIN, top + HEAD - MARGIN
    items = [
        *(item for item in folded.items if item.role in ("title",)),
        Cluster(label, (shade,), "plain", step=node.step),
        *(item for item in folded.items if item.role != "title"),
        Cluster(label, (outline, frame, title), "plain", step=node.step),
        *(
            item.moved(dx, dy)._replace(
                owner=item.owner and INSIDE + item.owner,
                linked=2 * item.linked,
                step=node.step,
            )
            for item in opened.items
        ),
    ]
    inside = (
        shifted_link(link, dx, dy)._replace(
            source=INSIDE + link.source, target=INSIDE + link.target, step=node.step, layer=2
        )
        for link in opened.links
    )
    links = (*folded.links, *inside)
    return folded._replace(width=left + width + MARGIN, height=height, items=tuple(items), links=links)
