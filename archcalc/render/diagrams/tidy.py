"""What Graphviz leaves to be done: straight shortcuts, and frames that are as large as what is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from archcalc.render.diagrams.drawing import Point
from archcalc.render.diagrams.measure import SMALL
from archcalc.render.diagrams.model import Edge
from archcalc.render.diagrams.routes import CORNER, Area, bracket, course, elbow_in, elbow_out, free, rounded, runs_on
from archcalc.render.diagrams.segments import HEADER, SHADOW, Frame, Line, Placed, Segment

Path = tuple[str, ...]
MARGIN = 9.0


def tidy(segment: Segment, down: bool) -> Segment:
    """The segment with everything below put right."""
    paths = {placed.box.node.id: placed.box.node.path for placed in segment.nodes}
    incoming = Counter(line.edge.target for line in segment.lines)
    lines = tuple(_routed(line, segment, incoming, down) for line in segment.lines)
    frames = tuple(_widened(frame, segment.frames, lines, paths) for frame in segment.frames)
    if not down:
        frames = tuple(_raised(frame, frames, lines, paths) for frame in frames)
        frames = tuple(_lowered(frame, frames, lines, paths) for frame in frames)
    points = [point for line in lines for point in course(line.points)]
    right = max([segment.width, *(frame.x + frame.width + 1 for frame in frames), *(x + 2 for x, _ in points)])
    bottom = max([segment.height, *(frame.y + frame.height + 1 for frame in frames), *(y + 2 for _, y in points)])
    return _from_zero(_trimmed(segment._replace(lines=lines, frames=frames, width=right, height=bottom), down))


# -- lines -----------------------------------------------------------------------------------------------------------


def _routed(line: Line, segment: Segment, incoming: Mapping[str, int], down: bool) -> Line:
    """A line with right angles where nothing is in its way: past a residual, or apart to branches."""
    edge = line.edge
    target = next((placed for placed in segment.nodes if placed.box.node.id == edge.target), None)
    if target is None:
        return line
    front = _front(target)
    if incoming[edge.target] == 1:
        way = elbow_in(line.points[0], front if down else _whole(target), down)
    elif edge.kind not in ("identity", "projection"):
        return line
    elif edge.kind == "projection" and any(placed.box.node.id == edge.source for placed in segment.nodes):
        way = elbow_out(line.points[0], front, down)
    else:
        way = bracket(line.points, front, down)
    areas = [area for placed in segment.nodes if placed is not target for area in _areas(placed, edge.source, down)]
    across = way[:2] if down else way[1:]
    # From left to right, frames around a whole shortcut are raised above it afterwards.
    headers = [(frame.x, frame.y, frame.x + frame.width, frame.y + HEADER) for frame in segment.frames
               if down or not _holds_both(frame, edge, segment)]  # fmt: skip
    if not runs_on(way, down) or not free(way, areas) or not free(across, headers):
        return line
    return line._replace(points=rounded(way, CORNER))


def _holds_both(frame: Frame, edge: Edge, segment: Segment) -> bool:
    """Whether both ends of an edge lie in a frame, or it comes from outside of the segment."""
    path = frame.group.path
    ends = {placed.box.node.id: placed.box.node.path for placed in segment.nodes}
    return all(ends.get(name, path)[: len(path)] == path for name in (edge.source, edge.target))


def _front(placed: Placed) -> Area:
    """The first part of a node: where lines arrive."""
    return placed.x, placed.y, placed.x + placed.width, placed.y + placed.box.parts[0].height


def _whole(placed: Placed) -> Area:
    return placed.x, placed.y, placed.x + placed.width, placed.y + placed.box.height


def _areas(placed: Placed, source: str, down: bool) -> list[Area]:
    """What no line may cross: a box, and the size that stands next to the line that leaves it."""
    box = placed.box
    own = placed.box.node.id == source
    shadow = 2 * SHADOW if box.badge else 0.0
    inset = 5.0 if own else 0.0  # a line may start at its own box
    areas = [(placed.x + inset, placed.y + inset, placed.x + placed.width + shadow - inset,
              placed.y + box.height + shadow - inset)]  # fmt: skip
    if placed.trunk != placed.start:
        (x, y), (end_x, end_y) = placed.start, placed.trunk
        if down:
            middle = (y + end_y) / 2
            areas.append((x + 6, middle - SMALL * 0.36, x + 6 + box.output_width, middle + SMALL * 0.36))
        else:
            middle = (x + end_x) / 2
            areas.append((middle - box.output_width / 2, y - SMALL - 3, middle + box.output_width / 2, y - 5))
    return areas


# -- frames ----------------------------------------------------------------------------------------------------------


def _widened(frame: Frame, frames: Sequence[Frame], lines: Sequence[Line], paths: Mapping[str, Path]) -> Frame:
    """A frame around the shortcuts that end inside, as long as it meets no other one."""
    path = frame.group.path
    level = sum(path[: len(other.group.path)] == other.group.path for other in frames)
    left, right = frame.x, frame.x + frame.width
    for line in lines:
        inside = paths.get(line.edge.target, ())[: len(path)] == path
        if inside and line.edge.kind in ("identity", "projection"):
            depth = sum(paths[line.edge.target][: len(other.group.path)] == other.group.path for other in frames)
            margin = 8 + 8 * (depth - level)
            across = [x for x, _ in course(line.points)]
            right = max(right, max(across) + margin)
            # What comes from outside may lie to the left before it enters.
            if paths.get(line.edge.source, ())[: len(path)] == path:
                left = min(left, min(across) - margin)
    wider = frame._replace(x=left, width=right - left)
    return wider if _alone(wider, frames) else frame


def _raised(frame: Frame, frames: Sequence[Frame], lines: Sequence[Line], paths: Mapping[str, Path]) -> Frame:
    """A frame whose label lies above the lines inside; its label, and those of the frames in it, need space."""
    path = frame.group.path
    inner = max((len(other.group.path) for other in frames if other.group.path[: len(path)] == path), default=0)
    top = frame.y
    for line in lines:
        ends = (paths.get(line.edge.source, path), paths.get(line.edge.target, path))
        if line.edge.target and all(end[: len(path)] == path for end in ends):
            deepest = min(len(end) for end in ends)
            labels = 1 + sum(len(path) < len(other.group.path) <= min(deepest, inner) and
                             all(end[: len(other.group.path)] == other.group.path for end in ends)
                             for other in frames)  # fmt: skip
            top = min(top, min(y for _, y in course(line.points)) - 6 - (HEADER + 4) * labels)
    higher = frame._replace(y=top, height=frame.height + frame.y - top)
    return higher if _alone(higher, frames) else frame


def _lowered(frame: Frame, frames: Sequence[Frame], lines: Sequence[Line], paths: Mapping[str, Path]) -> Frame:
    """A frame that ends below the lines that start inside."""
    path = frame.group.path
    bottom = frame.y + frame.height
    for line in lines:
        ends = [paths.get(name) for name in (line.edge.source, line.edge.target) if name]
        if all(end is not None and end[: len(path)] == path for end in ends):
            bottom = max(bottom, max(y for _, y in course(line.points)) + MARGIN - 3)
    lower = frame._replace(height=bottom - frame.y)
    return lower if _alone(lower, frames) else frame


def _alone(frame: Frame, frames: Sequence[Frame]) -> bool:
    """Whether a frame meets none but those around it and in it."""
    path = frame.group.path
    return all(_related(other.group.path, path) or not _touch(other, frame) for other in frames)


def _related(first: Path, second: Path) -> bool:
    length = min(len(first), len(second))
    return first[:length] == second[:length]


def _touch(first: Frame, second: Frame) -> bool:
    return (
        first.x < second.x + second.width
        and second.x < first.x + first.width
        and first.y < second.y + second.height
        and second.y < first.y + first.height
    )


def _trimmed(segment: Segment, down: bool) -> Segment:
    """A frame around the whole segment ends below what is in it; its maps leave from there."""
    axis, other = (1, 0) if down else (0, 1)
    placed = {node.box.node.id: node for node in segment.nodes}
    if not segment.frames or not segment.exits:
        return segment
    outer = segment.frames[0]
    low = (outer.x, outer.y)[axis]
    high = low + (outer.width, outer.height)[axis]
    inside = all(low <= point[axis] <= high for point in segment.exits.values())
    straight = all(
        name in placed and abs(placed[name].trunk[other] - point[other]) < 0.6 for name, point in segment.exits.items()
    )
    if not inside or not straight:
        return segment
    content = [max(_end(node, axis), node.trunk[axis]) for node in segment.nodes]
    content += [(frame.x + frame.width, frame.y + frame.height)[axis] for frame in segment.frames[1:]]
    content += [point[axis] for line in segment.lines if line.edge.target for point in line.points]
    edge = max(content) + MARGIN
    if edge >= high:
        return segment
    end = edge + MARGIN
    frame = outer._replace(height=edge - low) if down else outer._replace(width=edge - low)
    lines = tuple(
        line if line.edge.target else line._replace(points=_straight(placed[line.edge.source].trunk, end, down))
        for line in segment.lines
    )
    exits = {name: _at(point, end, down) for name, point in segment.exits.items()}
    shorter = segment._replace(height=end) if down else segment._replace(width=end)
    return shorter._replace(frames=(frame, *segment.frames[1:]), lines=lines, exits=exits)


def _end(node: Placed, axis: int) -> float:
    shadow = 2 * SHADOW if node.box.badge else 0.0
    return (node.x + node.width, node.y + node.box.height)[axis] + shadow


def _at(point: Point, end: float, down: bool) -> Point:
    return (point[0], end) if down else (end, point[1])


def _straight(start: Point, end: float, down: bool) -> tuple[Point, ...]:
    goal = _at(start, end, down)
    return (start, start, goal, goal)


def _from_zero(segment: Segment) -> Segment:
    """Moved so that nothing lies above or left of the origin."""
    points = [point for line in segment.lines for point in course(line.points)]
    dx = -min([0.0, *(frame.x - 1 for frame in segment.frames), *(x - 1 for x, _ in points)])
    dy = -min([0.0, *(frame.y - 1 for frame in segment.frames), *(y - 1 for _, y in points)])
    if not dx and not dy:
        return segment
    return moved(segment, dx, dy)._replace(width=segment.width + dx, height=segment.height + dy)


def moved(segment: Segment, dx: float, dy: float) -> Segment:
    """The segment somewhere else."""

    def at(point: Point) -> Point:
        return point[0] + dx, point[1] + dy

    return segment._replace(
        nodes=tuple(
            node._replace(x=node.x + dx, y=node.y + dy, start=at(node.start), trunk=at(node.trunk))
            for node in segment.nodes
        ),
        frames=tuple(frame._replace(x=frame.x + dx, y=frame.y + dy) for frame in segment.frames),
        lines=tuple(line._replace(points=tuple(at(point) for point in line.points)) for line in segment.lines),
        entries={name: at(point) for name, point in segment.entries.items()},
        exits={name: at(point) for name, point in segment.exits.items()},
    )
