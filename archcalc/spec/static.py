"""Checks of a spec as written, whether or not its layers are used: names of ops, blocks and fields, and expressions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from archcalc.core.errors import Location, Problem, UsageError
from archcalc.core.shapes import parse_shape
from archcalc.core.suggest import did_you_mean
from archcalc.ops import OPS
from archcalc.spec import items as it
from archcalc.spec.document import Parameter
from archcalc.spec.evaluate import expressions_in_braces
from archcalc.spec.expressions import KEYWORDS, SIZE_NAMES, TRUTHS, ExpressionError, parse_expression
from archcalc.spec.faults import MOST_PROBLEMS, TooMuchError
from archcalc.spec.hints import name_elsewhere, unknown_op, unknown_setting
from archcalc.spec.items import kinds_of
from archcalc.spec.settings import accept
from archcalc.spec.source import Mark, MarkedDict, MarkedList, within
from archcalc.spec.spec import Spec
from archcalc.spec.values import PLAIN_SHAPE, is_text, is_text_field

_WORD = re.compile(r"[\w.]+")


def check_statically(spec: Spec) -> list[Problem]:
    """Every fault that can be seen without expanding the spec."""
    checker = Checker(spec)
    with suppress(TooMuchError):
        checker.run()
    return checker.problems


class Checker:
    """Collects the faults of a spec, or of single steps of it."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.problems: list[Problem] = []
        #: All counters and columns of tables so far, those that a block does not know, and whether there is a repeat
        #: without a counter here.
        self.counted: set[str] = set()
        self.outside: set[str] = set()
        self.uncounted = False

    def problem(self, message: str, at: Mark, *details: str) -> None:
        self.problems.append(Problem(message, Location(self.spec.file, *at), details=details))
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooMuchError

    @contextmanager
    def repeated(self, counter: str | None, is_repeat: bool = True) -> Iterator[set[str]]:
        """What is repeated; gives the names that are known there besides."""
        outer = self.uncounted
        self.uncounted = outer or (is_repeat and counter is None)
        found = {counter} if counter else set()
        self.counted |= found
        yield found
        self.uncounted = outer

    def run(self) -> None:
        spec, document = self.spec, self.spec.document
        names = {*document.parameters, *(document.let or ())}
        for body in (spec.body, *spec.own_bodies.values()):
            self.items(body, names)
        for name in document.blocks:
            if name in OPS:
                self.problem(
                    f"there is an op {name!r}; a block needs another name", spec.source.value["blocks"].keys_at[name]
                )
        self.outside = self.counted - names
        own = [block for block in spec.blocks.values() if block.file == spec.file]
        for block in own:
            inner = names | set(block.declared.parameters) | set(block.declared.let or ())
            self.items(block.body, inner)
            if block.declared.merge is not None and block.declared.branches is None:
                self.problem("merge needs branches", block.raw.keys_at["merge"])
            self.defaults(block.declared.parameters, block.raw)
        self.defaults(document.parameters, spec.source.value)
        self.recursion()
        self.variants()
        if self.problems:  # else the expansion reads the input, and reports it with what else it finds
            self.inputs()

    def items(self, items: Sequence[it.Item], names: set[str]) -> None:
        for item in items:
            if isinstance(item, it.Step):
                self.step(item, names)
                continue
            at = item.places
            self.expression(item.when, names, at.get("when", item.at), "when")
            if isinstance(item, it.Repeat):
                self.expression(item.times, names, at["repeat"], "repeat")
                with self.repeated(item.variable) as counter:
                    self.items(item.body, names | counter)
            elif isinstance(item, it.ForEach):
                if isinstance(item.rows, str):
                    self.expression(item.rows, names, at["rows"])
                else:
                    self.items([row for row in item.rows if not isinstance(row, MarkedList)], names)
                self.counted |= set(item.columns)
                self.items(item.body, names | set(item.columns))
            elif isinstance(item, it.Branches):
                if item.merge is not None:
                    self.merge(item.merge, at.get("merge", item.at))
                for branch in item.branches:
                    self.expression(branch.when, names, branch.places.get("when", item.at), "when")
                    self.expression(branch.times, names, branch.places.get("repeat", item.at), "repeat")
                    with self.repeated(branch.variable, branch.times is not None) as counter:
                        self.items(branch.body, names | counter)
            else:
                self.expression(item.loss_weight, names, at.get("loss_weight", item.at))
                self.items(item.body, names)

    def merge(self, merge: str, at: Mark) -> None:
        if merge not in OPS or OPS[merge].most_inputs is not None:
            kinds = [kind for kind, op in OPS.items() if op.most_inputs is None]
            self.problem(f"merge can be {', '.join(kinds)}, not {merge!r}{did_you_mean(merge, kinds)}", at)

    def faulty_blocks(self) -> Collection[str]:
        """Names of blocks that the spec declares, read or not."""
        written = self.spec.source.value.get("blocks")
        return written if isinstance(written, dict) else ()

    def step(self, item: it.Step, names: set[str]) -> None:
        if item.kind in self.spec.blocks:
            declared = self.spec.blocks[item.kind].declared.parameters
            known: list[str] = list(declared)
        elif item.kind in OPS and item.kind != "input":
            known = [*OPS[item.kind].model_fields, *(["like"] if OPS[item.kind].sized_by_second else [])]
        elif item.kind in self.faulty_blocks():
            return  # it is there, and what is wrong with it is said
        else:
            hint, details = unknown_op(item.kind, self.spec.blocks)
            self.problem(f"there is no op or block {item.kind!r}{hint}", item.at, *details)
            return
        outer = names
        if "as" in item.fields and "repeat" not in item.fields:
            self.problem("as counts the times of repeat, which is not here", item.fields.keys_at["as"])
        with self.repeated(item.fields.get("as"), "repeat" in item.fields) as counter:
            self.settings(item, known, outer, names | counter)

    def settings(self, item: it.Step, known: Sequence[str], outer: set[str], names: set[str]) -> None:
        """The settings of a step: `known` are those that it has, `outer` the names that its repeat knows."""
        quoted = ""  # what stands before, as it is written in quotes
        for key, raw in item.fields.items():
            at = item.fields.values_at.get(key, item.at)
            before, quoted = quoted, f'{key}: "{raw}'
            if key not in known and key not in it.STEP_KEYS:
                is_cut = before.count("(") > before.count(")") and key.endswith(")")
                self.problem(
                    f"{item.kind} has no setting {key!r}{unknown_setting(key, [*known, *it.STEP_KEYS])}",
                    item.fields.keys_at.get(key, item.at),
                    f'in braces a value with a comma needs quotes: {before}, {key}"'
                    if is_cut
                    else f"it has {', '.join([*known, *it.STEP_KEYS])}",
                )
            elif key in ("when", "repeat", "frozen"):
                self.expression(raw, outer, at, key)
            elif key == "as":
                continue
            elif key in it.TEXT_KEYS or (key == "like" and item.kind not in self.spec.blocks):
                self.references(raw, names, at)
            elif item.kind in OPS and is_text_field(item.kind, key):
                self.braces(raw, names, at)
            else:
                self.syntax(raw, names, at, f"{item.kind}: {key}")

    def references(self, raw: Any, names: set[str], at: Mark) -> None:
        """The names in `from`; each may be a mapping, with a condition and a number of times."""
        for entry in raw if isinstance(raw, list) else [raw]:
            if not isinstance(entry, MarkedDict):
                self.braces(entry, names, at)
                continue
            for key in entry:
                if key not in it.SOURCE_KEYS:
                    hint = f"it has {', '.join(it.SOURCE_KEYS)}"
                    message = f"an entry of from has no key {key!r}{did_you_mean(key, it.SOURCE_KEYS)}"
                    self.problem(message, entry.keys_at[key], hint)
            if "layer" not in entry:
                self.problem("an entry of from needs layer: the name of a layer", entry.at)
            counter = entry.get("as")
            if counter is not None and not (isinstance(counter, str) and counter.isidentifier()):
                self.problem("as must be a name for the counter of repeat", entry.values_at["as"])
                counter = None
            for key in ("when", "repeat"):
                self.expression(entry.get(key), names, entry.values_at.get(key, entry.at), key)
            self.braces(entry.get("layer"), names | ({counter} if counter else set()), entry.values_at.get("layer", at))

    def syntax(self, raw: Any, names: set[str], at: Mark, what: str) -> None:
        """Whether a field can be read at all. Words and sizes, `same` and 7x7x512, are for the op to judge."""
        if isinstance(raw, MarkedList):
            for value, mark in zip(raw, raw.items_at, strict=True):
                self.syntax(value, names, mark, what)
        elif is_text(raw):
            self.braces(raw, names, at)
        elif isinstance(raw, str) and not _WORD.fullmatch(raw) and not PLAIN_SHAPE.fullmatch(raw):
            try:
                parse_expression(raw)
            except ExpressionError as error:
                self.problem(f"{what}: {error.message}", within(raw, at, error.offset))

    def expression(self, raw: Any, names: set[str], at: Mark, what: str = "") -> None:
        if not isinstance(raw, str):
            return
        what = what and f"{what}: "
        try:
            used = parse_expression(raw).names()
        except ExpressionError as error:
            self.problem(what + error.message, within(raw, at, error.offset))
            return
        for name, offset in sorted(used):
            if name not in names and name not in SIZE_NAMES:
                hint = name_elsewhere(name, self.outside, self.uncounted)
                hint = hint or did_you_mean(name, names) or did_you_mean(name, (*SIZE_NAMES, *TRUTHS), likeness=0.7)
                self.problem(f"{what}{name!r} is not known here{hint}", within(raw, at, offset))

    def braces(self, text: Any, names: set[str], at: Mark) -> None:
        if isinstance(text, str) and "{" in text:
            for offset, inner in expressions_in_braces(text):
                self.expression(inner, names, within(text, at, offset))

    def defaults(self, parameters: Mapping[str, Parameter], raw: MarkedDict) -> None:
        """The default of a parameter must keep to its own type and limits."""
        for name, parameter in parameters.items():
            at = raw["parameters"].values_at[name]
            if not name.isidentifier() or name in KEYWORDS:
                self.problem(f"{name!r} cannot be the name of a parameter: letters, digits and _, no keyword", at)
            try:
                if not parameter.required:
                    accept(name, parameter, parameter.default)
            except ValueError as error:
                self.problem(f"the default of {error}", at)

    def recursion(self) -> None:
        uses = {name: dict(kinds_of(block.body)) for name, block in self.spec.blocks.items()}
        found, told = 0, set[str]()
        for name in _on_or_between_cycles(uses):
            if name in told or self.spec.blocks[name].file != self.spec.file or found == 10:
                continue
            if path := _path_to(name, uses):
                found += 1
                told.update(path)
                shown = path if len(path) <= 10 else [*path[:4], "…", *path[-4:]]
                self.problem(f"the block {name!r} includes itself: {' → '.join(shown)}", uses[name][path[1]])

    def inputs(self) -> None:
        """An input without braces is the same for every network."""
        raw = self.spec.source.value
        members = [raw[section][name] for section in ("networks", "variants") for name in raw.get(section) or ()]
        for facts in (raw, *members):
            if not isinstance(facts, MarkedDict):
                continue
            several = facts.get("inputs")
            given = [(facts, "input")]
            if isinstance(several, MarkedDict):
                given += [(several, name) for name in several]
            for owner, key in given:
                text = owner.get(key)
                if isinstance(text, (str, int)) and "{" not in str(text):
                    try:
                        parse_shape(str(text))
                    except UsageError as error:
                        self.problem(f"{key}: {error}", owner.values_at[key])

    def variants(self) -> None:
        document, raw = self.spec.document, self.spec.source.value
        for section, members in (("networks", document.networks), ("variants", document.variants)):
            for name, variant in members.items():
                entry = raw[section][name]
                for key in variant.set:
                    if key not in document.parameters:
                        hint = did_you_mean(key, document.parameters)
                        self.problem(f"there is no parameter {key!r} to set{hint}", entry["set"].keys_at[key])
                for network in variant.networks or ():
                    if network not in document.networks:
                        hint = did_you_mean(network, document.networks)
                        self.problem(f"there is no network {network!r} in this file{hint}", entry.values_at["networks"])


def _on_or_between_cycles(uses: Mapping[str, Mapping[str, Mark]]) -> list[str]:
    """The blocks that remain when those that use none of the others, or are used by none, are taken away in turn."""
    left = {name: {kind for kind in kinds if kind in uses} for name, kinds in uses.items()}
    for _ in range(2):
        users: dict[str, set[str]] = {name: set() for name in left}
        for name, kinds in left.items():
            for kind in kinds:
                users[kind].add(name)
        free = [name for name, kinds in left.items() if not kinds]
        while free:
            name = free.pop()
            del left[name]
            for user in users[name]:
                left[user].discard(name)
                if not left[user]:
                    free.append(user)
        # The same from the other end.
        left = {name: {user for user in users[name] if user in left} for name in left}
    return [name for name in uses if name in left]


def _path_to(start: str, uses: Mapping[str, Mapping[str, Mark]]) -> list[str] | None:
    """A shortest chain of blocks from a block to itself, if there is one."""
    before: dict[str, str] = {}
    waiting = [start]
    while waiting:
        following = []
        for name in waiting:
            for kind in uses[name]:
                if kind == start:
                    path = [start, name]
                    while path[-1] != start:
                        path.append(before[path[-1]])
                    return [start, *reversed(path[1:-1]), start] if name != start else [start, start]
                if kind in uses and kind not in before:
                    before[kind] = name
                    following.append(kind)
        waiting = following
    return None
