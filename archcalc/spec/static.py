"""Checks of a spec as written, whether or not its layers are used: names of ops, blocks and fields, and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archcalc.errors import Location, Problem
from archcalc.ops import OPS
from archcalc.spec import items as it
from archcalc.spec.document import Parameter
from archcalc.spec.expressions import KEYWORDS, ExpressionError, expressions_in_braces, parse_expression
from archcalc.spec.settings import accept
from archcalc.spec.source import Mark, MarkedList, Quoted
from archcalc.spec.suggest import did_you_mean

if TYPE_CHECKING:
    from archcalc.spec.load import Spec


_WORD = re.compile(r"[\w.]+")


def check_statically(spec: Spec) -> list[Problem]:
    """Every fault that can be seen without expanding the spec."""
    return _Checker(spec).run()


class _Checker:
    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.problems: list[Problem] = []

    def problem(self, message: str, at: Mark, *details: str) -> None:
        self.problems.append(Problem(message, Location(self.spec.file, *at), details=details))

    def run(self) -> list[Problem]:
        spec, document = self.spec, self.spec.document
        names = {*document.parameters, *(document.let or ())}
        for body in (spec.body, *spec.own_bodies.values()):
            self.items(body, names)
        for name in document.blocks:
            if name in OPS:
                self.problem(
                    f"there is an op {name!r}; a block needs another name", spec.source.value["blocks"].keys_at[name]
                )
        own = [block for block in spec.blocks.values() if block.file == spec.file]
        for block in own:
            inner = names | set(block.declared.parameters) | set(block.declared.let or ())
            self.items(block.body, inner)
            if block.declared.merge is not None:
                self.merge(block.declared.merge, block.raw.values_at["merge"])
                if block.declared.branches is None:
                    self.problem("merge needs branches", block.raw.keys_at["merge"])
            self.defaults(block.declared.parameters, block.raw.values_at.get("parameters", block.raw.at))
        self.defaults(document.parameters, spec.source.value.values_at.get("parameters", (1, 1)))
        self.recursion()
        self.variants()
        return self.problems

    def items(self, items: Sequence[it.Item], names: set[str]) -> None:
        for item in items:
            if isinstance(item, it.Step):
                self.step(item, names)
                continue
            self.expression(item.when, names, item.at)
            if isinstance(item, it.Repeat):
                self.expression(item.times, names, item.at)
                self.items(item.body, names | ({item.variable} if item.variable else set()))
            elif isinstance(item, it.ForEach):
                if isinstance(item.rows, str):
                    self.expression(item.rows, names, item.at)
                else:
                    self.items([row for row in item.rows if not isinstance(row, MarkedList)], names)
                self.items(item.body, names | set(item.columns))
            elif isinstance(item, it.Branches):
                if item.merge is not None:
                    self.merge(item.merge, item.at)
                for branch in item.branches:
                    self.items(branch.body, names)
            else:
                self.items(item.body, names)

    def merge(self, merge: str, at: Mark) -> None:
        kinds = [kind for kind, op in OPS.items() if op.most_inputs is None]
        if merge not in kinds:
            self.problem(f"merge can be {', '.join(kinds)}, not {merge!r}", at)

    def step(self, item: it.Step, names: set[str]) -> None:
        if item.kind in self.spec.blocks:
            declared = self.spec.blocks[item.kind].declared.parameters
            known: list[str] = list(declared)
        elif item.kind in OPS and item.kind != "input":
            known = list(OPS[item.kind].model_fields)
        else:
            hint = did_you_mean(item.kind, [*self.spec.blocks, *OPS])
            self.problem(f"there is no op or block {item.kind!r}{hint}", item.at)
            return
        for key, raw in item.fields.items():
            at = item.fields.values_at.get(key, item.at)
            if key not in known and key not in it.STEP_KEYS:
                self.problem(
                    f"{item.kind} has no setting {key!r}{did_you_mean(key, [*known, *it.STEP_KEYS])}",
                    item.fields.keys_at.get(key, item.at),
                    f"it has {', '.join([*known, *it.STEP_KEYS])}",
                )
            elif key in ("when", "repeat"):
                self.expression(raw, names, at)
            elif key in ("name", "from"):
                for text in raw if isinstance(raw, list) else [raw]:
                    self.braces(text, names, at)
            else:
                self.syntax(raw, at)

    def syntax(self, raw: Any, at: Mark) -> None:
        """Whether a field can be read at all. Words and sizes, `same` and 7x7x512, are for the op to judge."""
        if isinstance(raw, MarkedList):
            for value, mark in zip(raw, raw.items_at, strict=True):
                self.syntax(value, mark)
        elif isinstance(raw, str) and not _WORD.fullmatch(raw):
            try:
                parse_expression(raw)
            except ExpressionError as error:
                self.problem(error.message, (at[0], at[1] + error.offset + isinstance(raw, Quoted)))

    def expression(self, raw: Any, names: set[str], at: Mark) -> None:
        if not isinstance(raw, str):
            return
        try:
            used = parse_expression(raw).names()
        except ExpressionError as error:
            self.problem(error.message, (at[0], at[1] + error.offset))
            return
        for name, offset in sorted(used):
            if name not in names:
                self.problem(f"{name!r} is not known here{did_you_mean(name, names)}", (at[0], at[1] + offset))

    def braces(self, text: Any, names: set[str], at: Mark) -> None:
        if isinstance(text, str) and "{" in text:
            for offset, inner in expressions_in_braces(text):
                self.expression(inner, names, (at[0], at[1] + offset))

    def defaults(self, parameters: Mapping[str, Parameter], at: Mark) -> None:
        """The default of a parameter must keep to its own type and limits."""
        for name, parameter in parameters.items():
            if not name.isidentifier() or name in KEYWORDS:
                self.problem(f"{name!r} cannot be the name of a parameter: letters, digits and _, no keyword", at)
            try:
                if not parameter.required:
                    accept(name, parameter, parameter.default)
            except ValueError as error:
                self.problem(f"the default of {error}", at)

    def recursion(self) -> None:
        uses = {name: dict(_kinds(block.body)) for name, block in self.spec.blocks.items()}
        for name, block in self.spec.blocks.items():
            if block.file != self.spec.file:
                continue
            path = _path_to(name, name, uses)
            if path:
                at = uses[name][path[1]]
                self.problem(f"the block {name!r} includes itself: {' → '.join(path)}", at)

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


def _kinds(items: Sequence[it.Item]) -> Iterator[tuple[str, Mark]]:
    for item in items:
        if isinstance(item, it.Step):
            yield item.kind, item.at
        elif isinstance(item, it.Branches):
            for branch in item.branches:
                yield from _kinds(branch.body)
        else:
            yield from _kinds(item.body)
            if isinstance(item, it.ForEach) and not isinstance(item.rows, str):
                yield from _kinds([row for row in item.rows if not isinstance(row, MarkedList)])


def _path_to(start: str, target: str, uses: dict[str, dict[str, Mark]]) -> list[str] | None:
    """A chain of blocks from `start` that ends in `target`, if there is one."""
    open_paths = [[start]]
    seen = set()
    while open_paths:
        path = open_paths.pop()
        for kind in uses.get(path[-1], ()):
            if kind == target:
                return [*path, kind]
            if kind in uses and kind not in seen:
                seen.add(kind)
                open_paths.append([*path, kind])
    return None
