"""The words in a diagram's boxes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from archcalc.core.language import THEN, apart, chain, is_chain, say
from archcalc.core.words import AT_LEAST
from archcalc.ops.base import Op
from archcalc.ops.windowed import Windowed, plain
from archcalc.passes.analysis import Row
from archcalc.passes.blocks import counterpart, weights_owner
from archcalc.render.diagrams.text import text_width

_PLAIN = re.compile(r"[\d_ -]")
_SMALL = frozenset({"activation", "normalisation", "regularisation", "merge", "parameter"})
#: Families that a count of a block's layers leaves out where they own no parameters: they change no size.
_UNCOUNTED = frozenset({"input", "activation", "regularisation"})
#: Between things that are counted.
AND = " · "


def figure(number: float) -> str:
    """Three digits and K, M, G or T, as in tables (thousand, million, billion): 70.4 K, 1.08 G."""
    value, unit = float(number), ""
    for larger in ("K", "M", "G", "T"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    if not unit:
        return f"{number:g}" if number == int(number) else f"{number:.3g}"
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {unit}"


def is_small(row: Row) -> bool:
    """Whether a layer is drawn as one line."""
    return row.op.family in _SMALL and not row.is_weighted


def summary(row: Row, is_said: bool = False) -> str:
    """The op in a few words, and the block or layer whose weights it uses, unless a frame has said so."""
    text = row.op.summary(row.input_shapes)
    if row.weights_of is None or is_said:
        return text
    return say("{summary}, weights of {layer}", summary=text, layer=counterpart(row)[0])


def sharing(frames: Iterable[tuple[str, ...]], rows: Iterable[Row]) -> set[tuple[str, ...]]:
    """The frames all of whose layers use the weights of one block, each those of its counterpart."""
    rows = tuple(rows)
    names = {path: "/".join(path) for path in frames}
    return {
        path for path, name in names.items()
        if weights_owner([row for row in rows if row.name.startswith(f"{name}/")], name)
    }  # fmt: skip


def suffix(row: Row, label: str, is_said: bool = False) -> str:
    """What stands next to the name of a small layer: nothing where the name says it."""
    text = summary(row, is_said)
    leaf = _plain(label.rpartition("/")[2])
    parts = [] if leaf in (_plain(text), _plain(row.op.kind)) else [text]
    if row.params:
        parts.append(params(row.params))
    return " · ".join(parts)


def params(count: int, each: str = "") -> str:
    """A number of parameters in a box, or so many times that number."""
    return say("{count} params", count=f"{each}{count:,}")


def work(multiplications: int, is_lower_bound: bool) -> str:
    """The multiplications of a network below its title."""
    count = f"{AT_LEAST if is_lower_bound else ''}{figure(multiplications)}"
    return say("{count} multiplications", count=count)


def _plain(text: str) -> str:
    return _PLAIN.sub("", text.lower())


def lines_of(parts: Sequence[str], between: str, width: float, size: float) -> list[str]:
    """The parts in lines of at most a width. A further line begins with the arrow between two parts, if it is one."""
    lines: list[list[str]] = []
    for part in parts:
        if lines and text_width(between.join([*lines[-1], part]).lstrip(), size) <= width:
            lines[-1].append(part)
        else:
            lines.append(["", part] if lines and between == THEN else [part])
    return [chain(line) if between == THEN else between.join(line) for line in lines]


def counted(lines: Sequence[str]) -> list[str]:
    """The lines, with equal neighbours in one."""
    runs = [(line, len(list(run))) for line, run in groupby(lines)]
    return [line if number == 1 else f"{number} × ({line})" if is_chain(line) else f"{number} × {line}"
            for line, number in runs]  # fmt: skip


def composition(rows: Sequence[Row]) -> list[str]:
    """What a block is made of, by what owns parameters, multiplies or changes sizes: 6 conv, max pool /2, concat."""
    ops = [row.op for row in rows if row.op.family not in _UNCOUNTED or row.params] or [row.op for row in rows]
    order = list(dict.fromkeys(op.noun for op in ops))
    counts = Counter((order.index(op.noun), _strided(op)) for op in ops)
    named = sorted(((place, say(order[place]) + stride, number) for (place, stride), number in counts.items()))
    return [say("{number} {noun}", number=number, noun=noun) if number > 1 else noun for _, noun, number in named]


def drawn_together(rows: Iterable[Row]) -> list[str]:
    """The note that names the layers which have no box of their own; none where there are no such layers."""
    nouns = dict.fromkeys(say(row.op.noun) for row in rows)
    return [say("Without a box: {layers}.", layers=", ".join(nouns))] if nouns else []


def _strided(op: Op) -> str:
    """The stride of the windows of a layer, where it is not 1."""
    return f" {apart('/' + plain(op.stride))}" if isinstance(op, Windowed) and set(op.stride) != {1} else ""


def shortcut(rows: Sequence[Row]) -> str:
    """A shortcut by its layers: none, some without weights, or a projection (He et al. 2016, section 3.3)."""
    if not rows:
        return say("identity shortcut")
    return say("projection shortcut") if any(row.params for row in rows) else say("zero-padded shortcut")


def span(first: str, last: str) -> str:
    """The names of a run of blocks: unit2–4, or the first and the last."""
    if first == last:
        return first
    common = 0
    while common < min(len(first), len(last)) and first[common] == last[common]:
        common += 1
    while common and first[common - 1].isdigit():
        common -= 1
    if common and first[common:].isdigit() and last[common:].isdigit():
        return f"{first}–{last[common:]}"
    return f"{first} … {last}"
