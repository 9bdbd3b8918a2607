"""Where a long diagram may be cut, and which blocks are drawn as frames."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set

Path = tuple[str, ...]
#: A block with more nodes than this is cut into its parts where it can be.
MOST_TOGETHER = 10
#: A segment of more nodes is cut even where up to so many maps cross, as between the cells of NASNet.
LONGEST_PIECE = 16
MOST_CROSSING = 8


def crossings(count: int, edges: Sequence[tuple[int, int]]) -> list[frozenset[int]]:
    """For each place between nodes (`i`: before node i) the nodes above it that are read below it."""
    last = list(range(count))
    for source, target in edges:
        last[source] = max(last[source], target)
    result: list[frozenset[int]] = []
    open_ends: set[int] = set()
    for place in range(count):
        open_ends = {node for node in open_ends if last[node] >= place}
        result.append(frozenset(open_ends))
        if last[place] > place:
            open_ends.add(place)
    return result


def _pieces(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """For each place between nodes (`i`: before node i) how many parts without a common edge the nodes above make."""
    part = list(range(count))

    def root(node: int) -> int:
        while part[node] != node:
            part[node] = node = part[part[node]]
        return node

    sources: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        sources[target].append(source)
    found = [0]
    for node in range(count):
        joined = {root(source) for source in sources[node]}
        part[node] = node
        for other in joined:
            part[other] = node
        found.append(found[-1] + 1 - len(joined))
    return found


def members_of(paths: Sequence[Path]) -> dict[Path, list[int]]:
    """The nodes of each block, from the outermost blocks to the innermost."""
    members: dict[Path, list[int]] = {}
    for index, path in enumerate(paths):
        for level in range(1, len(path) + 1):
            members.setdefault(path[:level], []).append(index)
    return dict(sorted(members.items(), key=lambda item: (len(item[0]), item[1][0])))


def kept_frames(
    paths: Sequence[Path], edges: Sequence[tuple[int, int]], always: bool = False, repeated: Collection[Path] = ()
) -> set[Path]:
    """The blocks that are drawn: those of several nodes, but not long chains, whose parts are drawn instead.

    Those that are `repeated` are drawn in any case: their frame says how often. Of equal ways from several inputs, as
    the towers of a siamese network, all are drawn where one is: past the last no map of the others runs.
    """
    crossing = crossings(len(paths), edges)
    kept: set[Path] = set()
    starts = set(range(len(paths))) - {target for _, target in edges}
    firsts = {target for source, target in edges if source in starts}
    towers: dict[tuple[Path, ...], list[Path]] = {}
    # A map that is read past others, where the one before is read too.
    linked = {*edges}
    skips = [(source, target) for source, target in edges if source < target - 1 and (target - 1, target) in linked]
    members = members_of(paths)
    for path, inside in members.items():
        low, high = inside[0], inside[-1]
        alone = len(inside) == 1 or len(inside) != high - low + 1
        below = paths[low][: len(path) + 1]
        same = len(below) > len(path) and members[below] == inside
        chain = not always and len(inside) > MOST_TOGETHER and any(
            len(crossing[place]) == 1 for place in range(low + 1, high + 1)
        )  # fmt: skip
        chain = chain or (not always and len(inside) > LONGEST_PIECE and _passed_by(low, high, crossing, skips))
        if path in repeated or not (alone or same or chain):
            kept.add(path)
        if low in firsts and not (alone or same):
            towers.setdefault(tuple([paths[index][len(path) :] for index in inside]), []).append(path)
    for equal in towers.values():
        kept |= set(equal) if kept.intersection(equal) else set()
    return kept


def _passed_by(low: int, high: int, crossing: Sequence[frozenset[int]], skips: Sequence[tuple[int, int]]) -> bool:
    """Whether nodes are a chain past which one map goes, as round the body of EDSR."""
    return any(
        source <= low
        and sum(crossing[place] == {place - 1, source} for place in range(low + 1, min(target, high + 1)))
        >= MOST_TOGETHER
        for source, target in skips
    )


def innermost(path: Path, kept: Set[Path]) -> Path:
    """The innermost frame around a place."""
    return next((path[:level] for level in range(len(path), 0, -1) if path[:level] in kept), ())


def outermost(path: Path, kept: Set[Path]) -> Path:
    """The outermost frame around a place."""
    return next((path[:level] for level in range(1, len(path) + 1) if path[:level] in kept), ())


def cut(outer: Sequence[Path], edges: Sequence[tuple[int, int]], longest: int | None = LONGEST_PIECE) -> list[range]:
    """The segments of a diagram that are laid out one after the other; `outer` is the outermost frame of each node.

    Heads that read one map stay together, and so do the ways from several inputs until they meet.
    """
    count = len(outer)
    crossing = crossings(count, edges)
    starts = set(range(count)) - {target for _, target in edges}
    pieces = _pieces(count, edges)

    def may_end(place: int) -> bool:
        # Of several inputs that follow each other the first is no segment of its own.
        apart = pieces[place] > 1 or {place - 1, place} <= starts
        return not _inside_frame(outer, place) and not apart

    allowed = {place for place in range(count) if may_end(place)}
    places = [place for place in range(count) if not place or (place in allowed and crossing[place] == {place - 1})]
    spans = [range(low, high) for low, high in zip(places, [*places[1:], count], strict=True)]
    if longest is None:
        return spans
    return [part for span in spans for part in _shorter(span, allowed, crossing, longest)]


def _shorter(span: range, allowed: Set[int], crossing: Sequence[frozenset[int]], longest: int) -> list[range]:
    """A long segment cut near its middle where no more than a few maps cross, as between the arms of U-Net."""
    if len(span) <= longest:
        return [span]
    places = [place for place in span[1:] if place in allowed and len(crossing[place]) <= MOST_CROSSING]
    if not places:
        return [span]
    middle = (span.start + span.stop) / 2
    place = min(
        places, key=lambda place: (abs(place - middle) > len(span) / 4, len(crossing[place]), abs(place - middle))
    )
    return [
        *_shorter(range(span.start, place), allowed, crossing, longest),
        *_shorter(range(place, span.stop), allowed, crossing, longest),
    ]


def _inside_frame(outer: Sequence[Path], place: int) -> bool:
    return bool(outer[place]) and outer[place] == outer[place - 1]
