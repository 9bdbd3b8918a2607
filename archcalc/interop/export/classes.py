"""The classes of a network: blocks with the same parts, whose numbers become parameters, and runs of equal blocks."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from archcalc.interop.export.names import camel, common_name, identifier, unique_class
from archcalc.interop.export.params import Param, Params, literal
from archcalc.interop.export.spelling import Arg
from archcalc.interop.export.structure import Block, Leaf, Part, Tree, Value

#: From three blocks on numbers that grow by the same step are written as a formula.
FEWEST_IN_PROGRESSION = 3
#: A class of so few parts may be called after them: ConvBnRelu.
_MOST_JOINED = 4
#: With so many parts more than another class, a class is called after them: UnitWithShortcut.
_MOST_IN_NAME = 2


class Call(NamedTuple):
    """A call as text: what is called, and its arguments."""

    call: str
    arguments: tuple[str, ...]
    suffix: str = ""


class Item(NamedTuple):
    """A part of a class: the calls that make it, what it reads and how many values it gives.

    `reads` are places: of an input (-1, number), or of what an earlier item gives (item, number). Of a run `last` is
    the text of its last number, `first` its first, and `attribute` what comes before the number.
    """

    attribute: str
    calls: tuple[Call, ...]
    reads: tuple[tuple[int, int], ...]
    gives: int
    expression: str = ""
    shares: str = ""
    frozen: bool = False
    first: int | None = None
    last: str = ""
    first_only: bool = False
    given: str = ""


@dataclass(eq=False)
class Template:
    """A class: its parameters, its parts, how many values it reads and which it gives."""

    name: str
    params: tuple[Param, ...]
    items: tuple[Item, ...]
    inputs: int
    gives: tuple[tuple[int, int], ...]
    holders: tuple[str, ...] = ()
    blocks: list[Block] = field(default_factory=list)

    @property
    def is_chain(self) -> bool:
        """Whether each part reads what the one before it gives, and nothing else."""
        if self.inputs != 1 or self.holders:
            return False
        for number, item in enumerate(self.items):
            if item.shares or not item.calls or item.gives != 1 or item.reads != ((number - 1, 0),):
                return False
        return bool(self.items) and self.gives == ((len(self.items) - 1, 0),)


#: Calls with what is called (a name or a class), the suffix of the part, and the arguments.
_Calls = tuple[tuple[Any, str, tuple[Arg, ...]], ...]


class _Draft(NamedTuple):
    """An item of one block, before it is compared with those of others."""

    key: Hashable
    attribute: str
    calls: _Calls
    reads: tuple[tuple[int, int], ...]
    gives: int
    part: Part
    first: int | None = None
    last: int = 0


class Classes:
    """All classes of a tree, those of inner blocks before those that use them; the last is the network's own."""

    def __init__(self, tree: Tree, top_name: str, reserved: Collection[str] = ()) -> None:
        self.tree = tree
        self.templates: list[Template] = []
        self._of_block: dict[int, Template] = {}
        self._args: dict[int, tuple[Arg, ...]] = {}
        self._names: set[str] = {top_name, *reserved}
        self._top_name = top_name
        by_height: dict[int, list[Block]] = {}
        _sort_by_height(tree.top, by_height)
        for _, blocks in sorted(by_height.items()):
            groups: dict[Hashable, list[tuple[Block, list[_Draft]]]] = {}
            for block in blocks:
                drafts = self._drafts(block)
                gives = tuple(_places(block, drafts)[value] for value in block.outputs)
                key = (tuple(draft.key for draft in drafts), len(block.inputs), gives, block.holders, block is tree.top)
                groups.setdefault(key, []).append((block, drafts))
            for members, name in zip(groups.values(), self._named(list(groups.values())), strict=True):
                self._make(members, name)

    # --- what is in a block

    def _drafts(self, block: Block) -> list[_Draft]:
        found: list[_Draft] = []
        place: dict[Value, tuple[int, int]] = {value: (-1, number) for number, value in enumerate(block.inputs)}
        parts, position = block.parts, 0
        while position < len(parts):
            part = parts[position]
            run = self._run(block, position)
            reads = tuple(place[value] for value in part.inputs)
            draft = self._run_draft(parts, position, run, reads) if run else self._draft(part, reads)
            last = parts[position + max(run, 1) - 1]
            place.update((value, (len(found), number)) for number, value in enumerate(last.outputs))
            found.append(draft)
            position += max(run, 1)
        return found

    def _draft(self, part: Part, reads: tuple[tuple[int, int], ...]) -> _Draft:
        if isinstance(part, Leaf):
            calls: _Calls = tuple((made.call, made.suffix, made.args) for made in part.spelling.parts)
            kind: Hashable = (part.spelling.expression, part.frozen)
        else:
            template = self._of_block[id(part)]
            calls = ((template, "", self._args[id(part)]),)
            kind = None
        shape = tuple(
            (call if isinstance(call, str) else id(call), suffix, tuple(map(_kind_of, args)))
            for call, suffix, args in calls
        )
        key = (part.attribute, part.shares, kind, shape, reads, len(part.outputs))
        return _Draft(key, part.attribute, calls, reads, len(part.outputs), part)

    # --- runs

    def _run(self, block: Block, start: int) -> int:
        """How many parts from here on are equal blocks in a chain, numbered one after the other; 0 for no run."""
        parts = block.parts
        chain = [parts[start]]
        while start + len(chain) < len(parts) and self._follows(block, chain[-1], parts[start + len(chain)]):
            chain.append(parts[start + len(chain)])
        if not isinstance(chain[0], Block) or _numbered(chain[0]) is None or chain[0].shares:
            return 0
        rows = [self._args[id(each)] for each in chain]
        equal = next((n for n, row in enumerate(rows) if not _same(row, rows[0])), len(rows))
        grows = next((n for n in range(2, len(rows)) if not _grows(rows[n - 2 : n + 1])), len(rows))
        longest = max(equal, grows if grows >= FEWEST_IN_PROGRESSION else 0)
        is_last = start > 0 and self._follows(block, parts[start - 1], chain[0])
        return longest if longest > 1 or is_last else 0

    def _follows(self, block: Block, before: Part, after: Part) -> bool:
        """Whether a block is of the class of the one before it, has the next number, and alone reads its result."""
        if not isinstance(before, Block) or not isinstance(after, Block) or before.shares or after.shares:
            return False
        one, two = _numbered(before), _numbered(after)
        if one is None or two is None or (one[0], one[1] + 1) != two:
            return False
        if self._of_block[id(before)] is not self._of_block[id(after)]:
            return False
        if len(before.outputs) != 1 or after.inputs != before.outputs or before.outputs[0] in block.outputs:
            return False
        value = before.outputs[0]
        return all(value not in part.inputs for part in block.parts if part is not after)

    def _run_draft(self, parts: Sequence[Part], start: int, count: int, reads: tuple[tuple[int, int], ...]) -> _Draft:
        blocks = parts[start : start + count]
        first = _numbered(blocks[0]) or ("", 0)
        rows = [self._args[id(each)] for each in blocks]
        template = self._of_block[id(blocks[0])]
        args: list[Arg] = []
        for column in zip(*rows, strict=True):
            args.append(column[0])
            step = 0 if _same(column[:1], column[-1:]) else column[1].value - column[0].value
            args.append(Arg(f"{column[0].name}_step", step, 0))
        last = first[1] + count - 1
        args.append(Arg(f"{first[0].rstrip('_')}s", last))
        shape = (id(template), tuple(map(_kind_of, args)), tuple(arg.value == 0 for arg in args[1:-1:2]))
        key = ("run", *first, shape, reads)
        return _Draft(key, first[0], ((template, "", tuple(args)),), reads, 1, blocks[0], first[1], last)

    # --- classes

    def _make(self, members: Sequence[tuple[Block, list[_Draft]]], name: str) -> None:
        block, drafts = members[0]
        finder = Params([[list(_slots(draft)) for draft in each] for _, each in members])
        items = []
        for number, draft in enumerate(drafts):
            texts = finder.texts[number]
            items.append(_item(draft, texts))
        gives = tuple(_places(block, drafts)[value] for value in block.outputs)
        template = Template(
            name, finder.params, tuple(items), len(block.inputs), gives, block.holders, [each for each, _ in members]
        )
        self.templates.append(template)
        for row, (each, _) in enumerate(members):
            self._of_block[id(each)] = template
            self._args[id(each)] = finder.arguments(row)

    def _named(self, groups: Sequence[Sequence[tuple[Block, list[_Draft]]]]) -> list[str]:
        """A name for each class: of several that are called alike the one with the fewest parts has the plain one."""
        found: dict[int, str] = {}
        plain: dict[str, set[str]] = {}
        for number in sorted(range(len(groups)), key=lambda each: len(groups[each][0][1])):
            block, drafts = groups[number][0]
            if block is self.tree.top:
                found[number] = self._top_name
                continue
            name = self._name(groups[number])
            attributes = {draft.attribute.rstrip("0123456789") for draft in drafts}
            more = sorted(attributes - plain.setdefault(name, attributes))
            if more and plain[name] < attributes and len(more) <= _MOST_IN_NAME:
                name = f"{name}With{''.join(camel(each) for each in more)}"
            found[number] = name if name not in self._names else unique_class(name, self._names)
            self._names.add(found[number])
        return [found[number] for number in range(len(groups))]

    def _name(self, members: Sequence[tuple[Block, list[_Draft]]]) -> str:
        drafts = members[0][1]
        leaves = [draft.part for draft in drafts]
        if len(drafts) <= _MOST_JOINED and all(isinstance(leaf, Leaf) for leaf in leaves):
            rows = self.tree.analysis.rows
            stems = [rows[leaf.layer].op.stem for leaf in leaves if isinstance(leaf, Leaf)]
            if len(set(stems)) > 1:
                return camel("_".join(stems))
            if len(stems) > 1:
                return camel("_".join(draft.attribute for draft in drafts))
        own = list(dict.fromkeys(each.path.rpartition("/")[2] for each, _ in members))
        common = common_name(own)
        if not common and len(own) > 1 and 1 < len(drafts) <= _MOST_JOINED:
            common = "_".join(draft.attribute.strip("_") for draft in drafts)
        common = common or common_name(own[:1])
        name = camel(common)
        units = [_numbered(draft.part) for draft in drafts]
        numbered = len(drafts) > 1 and None not in units and len({unit[0] for unit in units if unit}) == 1
        repeats = (
            numbered
            and isinstance(drafts[0].part, Block)
            and any(isinstance(part, Block) for part in drafts[0].part.parts)
        )
        if (repeats or any(draft.first is not None for draft in drafts)) and not common.endswith("stage"):
            name = f"{name}Stage"
        return identifier(name)


def _sort_by_height(block: Block, found: dict[int, list[Block]]) -> int:
    heights = [_sort_by_height(part, found) for part in block.parts if isinstance(part, Block)]
    height = 1 + max(heights, default=0)
    found.setdefault(height, []).append(block)
    return height


def _places(block: Block, drafts: Sequence[_Draft]) -> dict[Value, tuple[int, int]]:
    """Where each value of a block comes from."""
    found: dict[Value, tuple[int, int]] = {value: (-1, number) for number, value in enumerate(block.inputs)}
    ends = {id(draft.part): number for number, draft in enumerate(drafts)}
    number = -1
    for part in block.parts:
        number = ends.get(id(part), number)
        found.update((value, (number, which)) for which, value in enumerate(part.outputs))
    return found


def _numbered(part: Part) -> tuple[str, int] | None:
    """The attribute of a part as a name and a number: unit, 3."""
    match = re.fullmatch(r"(.*?[a-zA-Z_])([1-9]\d{0,5}|0)", part.attribute)
    return (match[1], int(match[2])) if match and "." not in part.attribute else None


def _kind_of(arg: Arg) -> Hashable:
    """What two equal arguments have in common: the name, and the value unless it is a number."""
    return (arg.name, None if arg.is_number else repr(arg.value))


def _same(one: Sequence[Arg], other: Sequence[Arg]) -> bool:
    return [arg.value for arg in one] == [arg.value for arg in other]


def _grows(rows: Sequence[Sequence[Arg]]) -> bool:
    """Whether each number grows by the same step from row to row."""
    for one, two, three in zip(*rows, strict=True):
        if one.value == two.value == three.value:
            continue
        if not all(type(arg.value) is int for arg in (one, two, three)):
            return False
        if three.value - two.value != two.value - one.value:
            return False
    return True


def _slots(draft: _Draft) -> Iterator[tuple[str, Arg]]:
    """Every argument of an item, with the name of the part."""
    for _, suffix, args in draft.calls:
        name = f"{draft.attribute}_{suffix}" if suffix else draft.attribute
        for arg in args:
            yield name, arg


def _item(draft: _Draft, texts: Sequence[str | None]) -> Item:
    """The item with its arguments as text; None: left out."""
    given = iter(texts)
    calls, end = [], ""
    for call, suffix, args in draft.calls:
        written: list[str] = []
        values = [(arg, next(given)) for arg in args]
        if draft.first is not None:
            *pairs, (_, last) = values
            end = last or str(draft.last)
            values = [
                (arg, text if step is None else f"{text or literal(arg.value)} + {factor(step)} * (i - {draft.first})")
                for (arg, text), (_, step) in zip(pairs[::2], pairs[1::2], strict=True)
            ]
        for arg, text in values:
            if text is not None:
                written.append(f"{arg.name}={text}" if arg.keyword else text)
        calls.append(Call(call if isinstance(call, str) else call.name, tuple(written), suffix))
    part = draft.part
    if not isinstance(part, Leaf):
        return Item(draft.attribute, tuple(calls), draft.reads, draft.gives, "", part.shares, False, draft.first, end)
    return Item(
        draft.attribute, tuple(calls), draft.reads, draft.gives, part.spelling.expression, part.shares, part.frozen,
        first_only=part.spelling.first_only, given=part.spelling.given,
    )  # fmt: skip


def factor(text: str) -> str:
    """An expression that can be multiplied."""
    return text if re.fullmatch(r"\w+", text) else f"({text})"
