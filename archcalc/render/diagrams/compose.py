"""From units to a diagram: texts, colours, frames and edges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import inf, log, prod

from archcalc.core.language import THEN, apart, say
from archcalc.core.quantities import QUANTITIES
from archcalc.core.shapes import format_shape
from archcalc.core.words import AT_LEAST, NOT_COUNTED, several
from archcalc.ops.merge import Add
from archcalc.passes.analysis import Row
from archcalc.passes.blocks import weights_owner, with_shared_weights
from archcalc.render.diagrams import words
from archcalc.render.diagrams.fold import Folding, Unit, fold, gathered, main_layer, unfolded
from archcalc.render.diagrams.frames import innermost, kept_frames, members_of
from archcalc.render.diagrams.measure import CARD_LABEL, LABEL, SMALL, WIDEST
from archcalc.render.diagrams.model import Diagram, Edge, EdgeKind, Group, Node, Part, Scale, Swatch
from archcalc.render.diagrams.text import clean, shorten, text_width
from archcalc.render.diagrams.theme import FAMILIES, family_name
from archcalc.render.diagrams.wiring import Path, Wiring

#: What a box can be coloured by: the kind of its layer, or a quantity.
COLOUR_BY = ("kind", "params", "multiplications", "activations", "receptive_field")
#: A folded block of more stacks of layers is counted, not listed.
MOST_STACKS = 5
#: More maps than this are counted, not named.
MOST_NAMED = 3
_KINDS: tuple[EdgeKind, ...] = ("identity", "projection", "auxiliary")


def compose_graph(wiring: Wiring, colour_by: str = "kind") -> Diagram:
    """Every layer, in stacks; blocks as frames."""
    return _Composer(wiring, unfolded(wiring), colour_by, cards=False).diagram()


def compose_blocks(
    wiring: Wiring,
    depth: int,
    colour_by: str = "kind",
    widest: float = WIDEST,
    dense: bool = False,
    most: int | None = None,
) -> Diagram:
    """Blocks below a depth folded to one card each, equal neighbours to one; texts in lines of at most `widest`.

    `dense` cards say the same in fewer lines. Of more cards than `most` neighbours are put together.
    """
    folding = fold(wiring, depth)
    if most is not None:
        folding = gathered(wiring, folding, most)
    return _Composer(wiring, folding, colour_by, cards=True, widest=widest, dense=dense).diagram()


def compose_volumes(wiring: Wiring, depth: int, colour_by: str = "kind") -> Diagram:
    """Blocks below a depth folded, equal neighbours to one; texts say what layers do, without numbers of parameters."""
    return _Composer(wiring, fold(wiring, depth), colour_by, cards=True, figures=False).diagram()


class _Composer:
    def __init__(
        self,
        wiring: Wiring,
        folding: Folding,
        colour_by: str,
        cards: bool,
        widest: float = WIDEST,
        dense: bool = False,
        figures: bool = True,
    ) -> None:
        self.wiring, self.folding, self.cards, self.widest, self.dense = wiring, folding, cards, widest, dense
        self.figures = figures
        self.units = folding.units
        self.colour_by = colour_by
        self.unit_of = {row: number for number, unit in enumerate(self.units) for row in unit.rows}
        self.exits = [wiring.exits(unit.rows) if unit.block else [unit.rows[-1]] for unit in self.units]
        self.carried: dict[tuple[int, int], list[int]] = {}
        self.links = self._links()
        self.copies = self._copies()
        self.kept = kept_frames([unit.path for unit in self.units], list(self.links), cards, folding.repeats)
        self.sharing = words.sharing(self.kept, self.wiring.rows)
        self.frames = [innermost(unit.path, self.kept) for unit in self.units]
        self.heats = self._heats()
        self.notes: tuple[str, ...] = ()
        if colour_by != "kind" and not self.heats:
            # Without a number there is no scale: then colours say what a legend can explain.
            what = QUANTITIES[colour_by].title
            self.notes = (say("no layer has a number for {title}: coloured by kind", title=what),)
            self.colour_by = "kind"

    def _links(self) -> dict[tuple[int, int], EdgeKind]:
        """The edges between units, by their numbers; a plain one outdoes a shortcut between the same two."""
        links: dict[tuple[int, int], EdgeKind] = {}
        for target, unit in enumerate(self.units):
            for row in unit.rows:
                for source_row in self.wiring.inputs[row]:
                    source = self.unit_of[self._original(source_row)]
                    if source == target:
                        continue
                    self.carried.setdefault((source, target), []).append(self._original(source_row))
                    kind = self.wiring.edge_kinds.get((source_row, row), "flow")
                    if links.setdefault((source, target), kind) != kind:
                        links[source, target] = "flow"
        # What a repeated block reads from the repetition before it is inside; edges run forwards only.
        return {link: kind for link, kind in links.items() if link[0] < link[1]}

    def _is_block(self, unit: Unit) -> bool:
        """Whether a unit is a block of the network, rather than neighbours that were put together."""
        return unit.block in self.wiring.sizes

    def _is_run(self, unit: Unit) -> bool:
        """Whether a unit is neighbours that were put together."""
        return unit.block is not None and not self._is_block(unit)

    def _sizes(self, layers: Sequence[int]) -> str:
        """The sizes of the maps that some layers give, each once; of very many the number."""
        sizes = list(dict.fromkeys(format_shape(self.wiring.rows[layer].output_shape) for layer in layers))
        return say(" and ").join(sizes) if len(sizes) <= MOST_NAMED else several(len(layers), "map")

    def _copies(self) -> dict[int, tuple[str, ...]]:
        """By the first layer of a unit, the names of all layers that it stands for."""
        copies: dict[int, list[str]] = {unit.rows[0]: [] for unit in self.units}
        for row in range(len(self.wiring.rows)):
            unit = self.units[self.unit_of[self._original(row)]]
            copies[unit.rows[0]].append(self.wiring.rows[row].name)
        return {row: tuple(names) for row, names in copies.items()}

    def _original(self, row: int) -> int:
        """The layer that is drawn for a layer: that of the first of equal blocks, at every level."""
        while self.folding.stands_for[row] != row:
            row = self.folding.stands_for[row]
        return row

    def diagram(self) -> Diagram:
        graph = self.wiring.analysis.graph
        totals = self.wiring.analysis.totals
        nodes = [self._node(number, unit) for number, unit in enumerate(self.units)]
        edges = [
            Edge(nodes[a].id, nodes[b].id, kind, size=self._sizes(self.carried[a, b]) if self.exits[a][1:] else "")
            for (a, b), kind in self.links.items()
        ]
        sized = dict.fromkeys(
            (a, b) for row, source in self.wiring.sized.items()
            if (a := self.unit_of[self._original(source)]) < (b := self.unit_of[self._original(row)])
        )  # fmt: skip
        hosts = list(nodes)
        for ending in reversed(self.wiring.endings):
            number = self.unit_of[self._original(ending.layer)]
            host = hosts[number]
            many = self.exits[number][1:]
            lines = (clean(say("reads {names}", names=self.wiring.rows[ending.layer].name)),) if many else ()
            size = self._sizes([ending.layer]) if many else ""
            part = Part("", clean(ending.label), size, lines, "output")
            # The name of an output may be that of a layer, and several outputs may leave one layer.
            # The output of repeated blocks is that of the last repetition: it stands outside of their frame.
            levels = range(1, len(host.path) + 1)
            repeated = next((level for level in levels if host.path[:level] in self.folding.repeats), None)
            path = host.path if repeated is None else innermost(host.path[: repeated - 1], self.kept)
            end = Node(f"output:{ending.label}", (part,), path, auxiliary=ending.auxiliary)
            nodes.insert(nodes.index(host) + 1, end)
            edges.append(Edge(host.id, end.id, "auxiliary" if ending.auxiliary else "flow", size=size))
        subtitle = [
            say("input {size}", size=graph.inputs_in_words()),
            several(totals.params, "parameter"),
            words.work(totals.multiplications, bool(totals.not_counted)),
        ]
        return Diagram(
            clean(graph.title or graph.name),
            " · ".join(subtitle),
            self._description(len(nodes)),
            tuple(nodes),
            tuple(self._groups()),
            tuple(edges),
            tuple(self._legend(nodes, edges)),
            self.scale,
            tuple(Edge(hosts[a].id, hosts[b].id, "size") for a, b in sized),
            self.notes,
            cards=self.cards,
            slim=self.widest < WIDEST or self.dense,
        )

    def _description(self, count: int) -> str:
        analysis = self.wiring.analysis
        title, layers = clean(analysis.graph.title), several(analysis.layer_count, "layer")
        if self.cards:
            return say(
                "{title}: {layers}, folded to {count} boxes. Boxes are blocks, arrows carry feature maps with their "
                "size as height × width × channels; they run from the input to the output.",
                title=title, layers=layers, count=count,
            )  # fmt: skip
        return say(
            "{title}: {layers}. Boxes are layers, arrows carry feature maps with their size as height × width × "
            "channels; they run from the input to the output.",
            title=title, layers=layers,
        )  # fmt: skip

    # -- colours -----------------------------------------------------------------------------------------------------

    def _measure(self, rows: Sequence[Row]) -> int:
        if self.colour_by == "receptive_field":
            fields = [row.receptive_field for row in rows if row.receptive_field]
            return max((max(field.size, default=0) for field in fields), default=0)
        return QUANTITIES[self.colour_by].sum_of(rows)

    def _heats(self) -> dict[tuple[int, ...], float]:
        """Where the number of each part lies on the scale, which is logarithmic where numbers are far apart."""
        self.scale: Scale | None = None
        if self.colour_by == "kind":
            return {}
        keys = [key for unit in self.units for key in self._keys(unit)]
        numbers = {key: self._measure([self.wiring.rows[row] for row in key]) for key in keys}
        for unit in self.units:
            if self.colour_by != "receptive_field":
                for key in self._keys(unit):
                    numbers[key] *= unit.times
        positive = sorted(number for number in numbers.values() if number > 0)
        if not positive:
            return {}
        low, high = positive[0], positive[-1]
        logarithmic = high > 30 * low
        middle = (low * high) ** 0.5 if logarithmic else (low + high) / 2
        ticks = ((0.0, words.figure(low)), (0.5, words.figure(middle)), (1.0, words.figure(high)))
        shown = QUANTITIES[self.colour_by]
        title = shown.title if shown.adds_up else say("{title} in {unit}", title=shown.title, unit=say(shown.unit))
        title += say(", logarithmic") if logarithmic else ""
        self.scale = Scale(title, ticks if high > low else ((0.0, words.figure(low)),))
        if high == low:
            return {key: 0.0 for key, number in numbers.items() if number}
        if logarithmic:
            return {key: log(number / low) / log(high / low) for key, number in numbers.items() if number}
        return {key: (number - low) / (high - low) for key, number in numbers.items() if number}

    def _keys(self, unit: Unit) -> list[tuple[int, ...]]:
        return [unit.rows] if self.cards else [(row,) for row in unit.rows]

    def _coloured(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """The number by which a box is coloured, where its text does not hold it anyway."""
        if self.colour_by in ("kind", "params") or (self.cards and self.colour_by == "multiplications"):
            return ()
        number = self._measure(rows)
        shown = QUANTITIES[self.colour_by]
        text = f"{words.figure(number)} {shown.short or say(shown.unit)}"
        return (text if shown.adds_up else f"{shown.title} {text}",) if number else ()

    # -- boxes -------------------------------------------------------------------------------------------------------

    def _node(self, number: int, unit: Unit) -> Node:
        frame = self.frames[number]
        rows = [self.wiring.rows[row] for row in unit.rows]
        parts = (self._card(number, frame),) if self.cards else tuple(self._layer(row, frame) for row in unit.rows)
        name = "/".join(unit.block) if unit.block else rows[0].name
        return Node(
            name,
            parts,
            frame,
            "" if self._gives_size_alone(unit.rows[0]) else self._output(number),
            unit.times,
            all(row in self.wiring.side for row in unit.rows),
        )

    def _output(self, number: int) -> str:
        """The size of what leaves a box; one that nobody reads is no output of the network, and says so."""
        rows, wiring = self._read_on(number), self.wiring
        unread = not any(row in wiring.outputs or wiring.consumers[row] for row in rows)
        return say("{size}, not read", size=self._sizes(rows)) if unread else self._sizes(rows)

    def _read_on(self, number: int) -> list[int]:
        """The maps of a unit that other layers read, and outputs; without any, all that leave it."""
        read = {row for (source, _), rows in self.carried.items() if source == number for row in rows}
        read |= {self._original(row) for row in self.wiring.outputs}
        return [row for row in self.exits[number] if row in read] or self.exits[number]

    def _gives_size_alone(self, index: int) -> bool:
        """Whether a layer is an input that is there for its size: no arrow leaves it."""
        wiring = self.wiring
        alone = wiring.rows[index].op.is_input and not wiring.consumers[index] and index not in wiring.outputs
        return alone and index in wiring.sized.values()

    def _layer(self, index: int, frame: Path) -> Part:
        row = self.wiring.rows[index]
        is_said = not self.sharing.isdisjoint(frame[:level] for level in range(1, len(frame) + 1))
        label = clean("/".join(self.wiring.paths[index][len(frame) :]))
        family, heat = row.op.family, self.heats.get((index,))
        more = self._coloured([row])
        if family == "input":
            size = format_shape(row.output_shape) if self._gives_size_alone(index) else ""
            return Part(row.name, label, size, (), family, heat)
        if words.is_small(row):
            return Part(
                row.name, label, " · ".join((words.suffix(row, label, is_said), *more)).strip(" ·"), (), family, heat
            )
        lines = [words.summary(row, is_said)]
        if row.params:
            lines.append(words.params(row.params))
        lines += self._sized_by([index])
        return Part(row.name, label, "", (*lines, *more), family, heat)

    def _sized_by(self, members: Sequence[int]) -> list[str]:
        """The layers outside whose size some layers take."""
        sources = dict.fromkeys(self.wiring.sized[row] for row in members if row in self.wiring.sized)
        names = [clean(self.wiring.rows[source].name) for source in sources if source not in members]
        return [say("size of {layer}", layer=name) for name in names]

    def _card(self, number: int, frame: Path) -> Part:
        unit = self.units[number]
        rows = [self.wiring.rows[row] for row in unit.rows]
        heat = self.heats.get(unit.rows)
        label = clean("/".join((*unit.path[len(frame) :], words.span(unit.first, unit.last))))
        if unit.block is None:
            main = self.wiring.rows[main_layer(self.wiring, unit.rows)]
            name, family = main.name, main.op.family
            plain = len(rows) == 1 and (family == "input" or (words.is_small(main) and not words.suffix(main, label)))
            is_said = not self.sharing.isdisjoint(frame[:level] for level in range(1, len(frame) + 1))
            texts = [] if plain else [words.summary(row, is_said) for row in rows]
            lines = words.lines_of(texts, THEN, self.widest, SMALL)
        else:
            # Neighbours that were put together have no name of their own.
            name = "/".join(unit.block) if self._is_block(unit) else ""
            family = "block"
            owner = self._owner(unit.rows, unit.block)
            lines = self._recipe(unit.rows, bool(owner))
            if owner and not self._owner(unit.rows, frame):  # else the frame says it
                lines.append(say("weights of {owner}", owner=owner))
        lines += [*self._reads(number), *self._sized_by(unit.rows)]
        figures = [*(self._figures(rows, unit.times) if self.figures else ()), *self._coloured(rows)]
        suffix = ""
        if self.dense:
            lines = words.counted(lines)
            shown = figures or lines
            length = text_width(label, CARD_LABEL, True) + text_width(shown[0], SMALL) if len(shown) == 1 else inf
            if length <= self.widest:
                suffix, figures, lines = shown[0], [], lines if figures else []
        return Part(name, label, clean(suffix), tuple(clean(line) for line in (*lines, *figures)), family, heat,
                    holds=self.copies[unit.rows[0]])  # fmt: skip

    def _reads(self, number: int) -> list[str]:
        """What the arrows into a box leave open where boxes stand for several equal blocks, or for several maps."""
        unit, lines = self.units[number], []
        count = len(self.wiring.entries(unit.rows))
        if unit.times > 1 and self.exits[number][1:]:
            maps = several(len(self.exits[number]), "map")
            lines.append(say("each reads the {maps} of the one before it", maps=maps))
        elif unit.times > 1 and count > 1:
            lines.append(say("each reads the {count} before it", count=count))
        read: dict[int, list[int]] = {}
        for source in self.wiring.entries(unit.rows):
            read.setdefault(self.unit_of[self._original(source)], []).append(source)
        for place, sources in read.items():
            other = self.units[place]
            names = [self.wiring.paths[source][len(other.path)] for source in sources]
            if len(names) > MOST_NAMED and (self._is_run(unit) or self._is_run(other)):
                maps = several(len(names), "map")
                lines.append(say("reads {maps} of {layers}", maps=maps, layers=words.span(other.first, other.last)))
            elif self.exits[place][1:]:
                lines += self._naming([self.wiring.rows[source].name for source in sources])
            elif other.times > 1 and names != [other.last] and not self._is_end(sources, other):
                lines += self._naming(names)
        return lines

    def _is_end(self, sources: Sequence[int], unit: Unit) -> bool:
        """Whether one layer is read, the last one of a unit: an activation has a name other than its block."""
        return [self.wiring.rows[source].name for source in sources] == [self.copies[unit.rows[0]][-1]]

    def _naming(self, names: Sequence[str]) -> list[str]:
        """What is read, in one line if it fits."""
        line = say("reads {names}", names=say(" and ").join(names))
        return (
            [line] if text_width(line, SMALL) <= self.widest else [say("reads {names}", names=name) for name in names]
        )

    def _owner(self, members: Sequence[int], path: Path) -> str:
        """The block whose weights all layers of a block use, each those of its counterpart; empty without one."""
        return weights_owner([self.wiring.rows[member] for member in members], "/".join(path)) or ""

    def _recipe(self, members: Sequence[int], shared: bool) -> list[str]:
        """What happens in a folded block, in the order in which it runs, where it is a chain; else what it is made of.

        A chain may have a shortcut past it, which is named where it is added. Whose weights are used is left out where
        they are `shared` with one block.
        """
        wiring, kinds = self.wiring, self.wiring.edge_kinds

        def said(member: int) -> str:
            row = wiring.rows[member]
            return (row._replace(weights_of=None) if shared else row).summary

        short = [m for m in members if any(kinds.get((s, m)) == "projection" for s in wiring.inputs[m])]
        way = [m for m in members if m not in short or isinstance(wiring.rows[m].op, Add)]
        # A block that is itself the shortcut has no other way.
        way, short = (way, [m for m in short if m not in way]) if way else (list(members), [])
        inside = set(way)
        stacks = [stack for stack in wiring.stacks if stack[0] in inside]
        if len(stacks) > MOST_STACKS or not self._is_chain(way):
            rows = [wiring.rows[member] for member in members]
            using = 0 if shared else sum(row.weights_of is not None for row in rows)
            texts = [*words.composition(rows), *([with_shared_weights(using)] if using else ())]
            return words.lines_of(texts, words.AND, self.widest, SMALL)
        lines = []
        for stack in stacks:
            texts = [said(m) for m in stack]
            if isinstance(wiring.rows[stack[0]].op, Add):
                texts[0] = f"+ {words.shortcut(())}"
                if short:
                    around = [said(m) for m in short]
                    lines += words.lines_of(
                        [say("+ shortcut: {layer}", layer=around[0]), *around[1:]], THEN, self.widest, SMALL
                    )
                    texts[0] = say("sum")  # what follows belongs to both ways
                    texts = texts if texts[1:] else []
            lines += words.lines_of(texts, THEN, self.widest, SMALL)
        return lines

    def _is_chain(self, way: Sequence[int]) -> bool:
        """Whether each of some layers reads the one before, and none more than that but an addition at a shortcut."""
        inside = set(way)
        for before, layer in pairwise(way):
            sources = self.wiring.inputs[layer]
            if before not in sources or len(inside.intersection(sources)) > 1:
                return False
            if len(sources) > 1 and not self.wiring.edge_kinds.keys() & {(source, layer) for source in sources}:
                return False
        return len(self.wiring.inputs[way[0]]) <= 1

    def _figures(self, rows: Sequence[Row], times: int) -> list[str]:
        params, work = sum(row.params for row in rows), sum(row.multiplications or 0 for row in rows)
        unknown = any(row.not_counted for row in rows)
        if not params and not work and not unknown:
            return []
        each = f"{times} × " if times > 1 else ""
        figures = [words.params(params, each)] if params else []
        if work:
            number = apart(f"{each}{AT_LEAST if unknown else ''}{words.figure(work)}")
            figures.append(f"{number} {QUANTITIES['multiplications'].short}")
        elif unknown:
            figures.append(say(NOT_COUNTED))
        lines = words.lines_of(figures, words.AND, self.widest, SMALL)
        if times > 1:
            sums = [f"{params * times:,}"] if params else []  # shared weights are counted elsewhere
            if work or not unknown:
                sums.append(f"{AT_LEAST if unknown else ''}{words.figure(work * times)}")
            if sums:
                lines.append(say("total {sums}", sums=words.AND.join(map(apart, sums))))
        return lines

    # -- frames and legend -------------------------------------------------------------------------------------------

    def _groups(self) -> list[Group]:
        groups = []
        for path, members in members_of([unit.path for unit in self.units]).items():
            if path not in self.kept:
                continue
            times, last = self.folding.repeats.get(path, (1, path[-1]))
            outer = innermost(path[:-1], self.kept)
            label = "/".join((*path[len(outer) : -1], words.span(path[-1], last)))
            units = [self.units[member] for member in members]
            params = sum(self._repeats(unit, path) * self._params(unit) for unit in units)
            note = words.params(params) if self.cards and params and self.figures else ""
            if note and times > 1:
                note = say("{count:,} params in all", count=params)
            rows = [row for unit in units for row in unit.rows]
            owner = self._owner(rows, path)
            if owner and not self._owner(rows, outer):
                note = say("weights of {owner}", owner=owner)
            side = all(row in self.wiring.side for row in rows)
            groups.append(Group(path, shorten(clean(label), WIDEST, LABEL, True), times, note, side))
        return groups

    def _repeats(self, unit: Unit, frame: Path) -> int:
        """How often all that is drawn once in a frame runs in it, and in all repetitions of the frame."""
        levels = range(len(frame), len(unit.path) + 1)
        return prod(self.folding.repeats.get(unit.path[:level], (1, ""))[0] for level in levels)

    def _params(self, unit: Unit) -> int:
        return unit.times * sum(self.wiring.rows[row].params for row in unit.rows)

    def _legend(self, nodes: Sequence[Node], edges: Sequence[Edge]) -> list[Swatch]:
        present = {part.family for node in nodes for part in node.parts}
        swatches = []
        if self.colour_by == "kind":
            swatches = [Swatch(family_name(family), family) for family in FAMILIES if family in present]
        kinds = {edge.kind for edge in edges}
        labels = {
            "identity": words.shortcut(()), "projection": words.shortcut(self.wiring.projections),
            "auxiliary": say("auxiliary output, in training only"),
        }  # fmt: skip
        return swatches + [Swatch(labels[kind], "", kind) for kind in _KINDS if kind in kinds]
