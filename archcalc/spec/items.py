"""The items of a list of layers, read from YAML: steps, repeats, loops over a table, branches, outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from archcalc.core.errors import Location, Problem
from archcalc.core.suggest import did_you_mean
from archcalc.spec.hints import settings_example
from archcalc.spec.source import Mark, MarkedDict, MarkedList

#: Keys that every step understands besides the fields of its op or block.
STEP_KEYS = ("name", "from", "weights", "when", "repeat", "as", "frozen")
#: The same, and the key of ops that take the size of another layer.
KEYS_BESIDES_FIELDS = (*STEP_KEYS, "like")
#: Those that are texts with expressions in braces; everything else is an expression.
TEXT_KEYS = ("name", "from", "weights")
#: Keys of an entry of `from` that is a mapping.
SOURCE_KEYS = ("layer", "when", "repeat", "as")
_FORMS = {
    "repeat": ("repeat", "as", "layers", "when"),
    "for_each": ("for_each", "rows", "layers", "block", "when"),
    "branches": ("branches", "merge", "name", "from", "when"),
    "output": ("output", "loss_weight", "training_only", "layers", "when"),
}
_NO_FIELDS = MarkedDict((1, 1))


class Step(NamedTuple):
    """One op or block."""

    kind: str
    fields: MarkedDict
    at: Mark


class Repeat(NamedTuple):
    """The same layers several times; `variable` counts from 1."""

    times: Any
    variable: str | None
    body: tuple[Item, ...]
    when: Any
    at: Mark
    #: Where the value of each key stands.
    places: Mapping[str, Mark]


class ForEach(NamedTuple):
    """The same layers once for each row of a table."""

    columns: tuple[str, ...]
    #: A list of rows, or an expression that gives one. A row that is an item stands between the others as it is.
    rows: tuple[MarkedList | Item, ...] | str
    body: tuple[Item, ...]
    when: Any
    at: Mark
    #: Where the value of each key stands.
    places: Mapping[str, Mark]


class Branch(NamedTuple):
    """A branch, or as many equal ones side by side as `times` says; `variable` counts them from 1."""

    name: str | None
    body: tuple[Item, ...]
    when: Any = None
    times: Any = None
    variable: str | None = None
    #: Where the value of each key stands.
    places: Mapping[str, Mark] = MappingProxyType({})


class Branches(NamedTuple):
    """Layers side by side; an empty branch passes its input on."""

    branches: tuple[Branch, ...]
    merge: str | None
    name: str | None
    sources: Any
    when: Any
    at: Mark
    #: Where the value of each key stands.
    places: Mapping[str, Mark]


class Output(NamedTuple):
    """A side branch that ends in an output of the network; the sequence goes on where the branch began."""

    name: str
    loss_weight: Any
    training_only: bool
    body: tuple[Item, ...]
    when: Any
    at: Mark
    #: Where the value of each key stands.
    places: Mapping[str, Mark]


Item = Step | Repeat | ForEach | Branches | Output


def _with_own_names(fields: MarkedDict) -> MarkedDict:
    """`{name, out_channels, stride: 2}`: a field without a value takes the variable of its own name."""
    for key, value in fields.items():
        if value is None:
            fields[key] = f"{{{key}}}" if key in TEXT_KEYS else key
            fields.values_at[key] = fields.keys_at[key]
    return fields


class ItemReader:
    """Reads lists of layers; faults are collected in `problems`."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems

    def problem(self, message: str, at: Mark, *details: str) -> None:
        self.problems.append(Problem(message, Location(self.file, *at), details=details))

    def items(self, value: Any, at: Mark) -> tuple[Item, ...]:
        """The items of a list of layers."""
        if not isinstance(value, MarkedList):
            self.problem("layers must be a list", at, "each layer stands on a line of its own that begins with '- '")
            return ()
        found = (self.item(item, mark) for item, mark in zip(value, value.items_at, strict=True))
        return tuple(item for item in found if item is not None)

    def item(self, value: Any, at: Mark) -> Item | None:
        if isinstance(value, str):
            return Step(value, _NO_FIELDS, at)
        if not isinstance(value, MarkedDict) or not value:
            self.problem(
                "a layer is a name, or a name with its settings", at, "for example - relu, or - relu: {name: r1}"
            )
            return None
        for form in _FORMS:
            if form in value:
                return self._form(form, value, at)
        if len(value) > 1:
            self._too_many_keys(value)
            return None
        ((kind, fields),) = value.items()
        if fields is None:
            return Step(kind, _NO_FIELDS, at)
        if not isinstance(fields, MarkedDict):
            self.problem(
                f"the settings of {kind} must be a mapping", value.values_at[kind], settings_example(kind, fields)
            )
            return None
        if "as" in fields and not (isinstance(fields["as"], str) and fields["as"].isidentifier()):
            self.problem("as must be a name for the counter of repeat", fields.values_at["as"])
            return None
        return Step(kind, _with_own_names(fields), value.keys_at[kind])

    def _too_many_keys(self, value: MarkedDict) -> None:
        first, second = list(value)[:2]
        close = did_you_mean(first, _FORMS) or did_you_mean(second, _FORMS)
        self.problem(
            f"a layer has one name, here are {len(value)}: {', '.join(map(repr, value))}{close}",
            value.keys_at[second],
            f"settings stand inside the braces: {first}: {{…}}",
        )

    def _form(self, form: str, value: MarkedDict, at: Mark) -> Item | None:
        known = _FORMS[form]
        for key in value:
            if key not in known:
                self.problem(
                    f"{form!r} has no key {key!r}{did_you_mean(key, known)}",
                    value.keys_at[key],
                    f"known keys: {', '.join(known)}",
                )
        when = value.get("when")
        if form == "branches":
            return Branches(
                self._branches(value["branches"], value.values_at["branches"]),
                self._word(value, "merge"),
                self._word(value, "name"),
                value.get("from"),
                when,
                at,
                value.values_at,
            )
        body = self._body(form, value, at)
        if form == "repeat":
            return Repeat(value["repeat"], self._word(value, "as"), body, when, at, value.values_at)
        if form == "output":
            training_only = value.get("training_only", False)
            if not isinstance(training_only, bool):
                self.problem("training_only must be true or false", value.values_at["training_only"])
            weight = value.get("loss_weight", 1.0)
            return Output(str(value["output"]), weight, training_only is True, body, when, at, value.values_at)
        return self._for_each(value, body, when, at)

    def _word(self, value: MarkedDict, key: str) -> str | None:
        word = value.get(key)
        if word is not None and not isinstance(word, (str, int)):
            self.problem(f"{key} must be a word", value.values_at[key])
            return None
        return None if word is None else str(word)

    def _body(self, form: str, value: MarkedDict, at: Mark) -> tuple[Item, ...]:
        if form == "for_each" and "block" in value and "layers" not in value:
            columns = value["for_each"] if isinstance(value["for_each"], MarkedList) else []
            fields = MarkedDict(at)
            for column in map(str, columns):
                fields[column] = f"{{{column}}}" if column in TEXT_KEYS else column
                fields.keys_at[column] = fields.values_at[column] = value.values_at["for_each"]
            return (Step(str(value["block"]), fields, value.values_at["block"]),)
        if "layers" not in value:
            self.problem(f"{form!r} needs layers", at)
            return ()
        return self.items(value["layers"], value.values_at["layers"])

    def _for_each(self, value: MarkedDict, body: tuple[Item, ...], when: Any, at: Mark) -> ForEach | None:
        columns, rows = value["for_each"], value.get("rows")
        if not isinstance(columns, MarkedList) or not all(isinstance(column, str) for column in columns):
            self.problem("for_each must list the names of the columns", value.values_at["for_each"])
            return None
        if not isinstance(rows, (MarkedList, str)):
            self.problem("for_each needs rows: a list of lists, or an expression that gives one", at)
            return None
        if isinstance(rows, str):
            return ForEach(tuple(columns), rows, body, when, at, value.values_at)
        read = [self._row(row, mark, columns) for row, mark in zip(rows, rows.items_at, strict=True)]
        given = tuple(row for row in read if row is not None)
        return ForEach(tuple(columns), given, body, when, at, value.values_at)

    def _row(self, row: Any, at: Mark, columns: Sequence[str]) -> MarkedList | Item | None:
        if isinstance(row, MarkedDict):
            return self.item(row, at)
        if isinstance(row, MarkedList) and len(row) == len(columns):
            return row
        if not isinstance(row, MarkedList):
            self.problem(
                f"a row must be a list of {len(columns)} columns", at, f"columns: {', '.join(map(str, columns))}"
            )
            return None
        count = len(row)
        self.problem(f"a row of {count} for {len(columns)} columns", at, f"columns: {', '.join(map(str, columns))}")
        return None

    def _branches(self, value: Any, at: Mark) -> tuple[Branch, ...]:
        named: Sequence[tuple[str | None, Any, Mark]]
        if isinstance(value, MarkedDict):
            named = [(name, body, value.values_at[name]) for name, body in value.items()]
        elif isinstance(value, MarkedList):
            named = [(None, body, mark) for body, mark in zip(value, value.items_at, strict=True)]
        else:
            self.problem("branches must be a list of lists, or a mapping of names to lists", at)
            return ()
        return tuple(self._branch(*entry) for entry in named)

    def _branch(self, name: str | None, value: Any, at: Mark) -> Branch:
        if isinstance(value, MarkedDict) and "layers" in value and set(value) <= set(_FORMS["repeat"]):
            body = self.items(value["layers"], value.values_at["layers"])
            return Branch(name, body, value.get("when"), value.get("repeat"), self._word(value, "as"), value.values_at)
        return Branch(name, () if value is None else self.items(value, at))


def block_item(block: Any, raw: MarkedDict) -> MarkedList | None:
    """The body of a block as a list of layers: its layers, or its branches as the only item."""
    if block.layers is not None:
        return block.layers  # type: ignore[no-any-return]  # `block` is Any
    if block.branches is None:
        return None
    item = MarkedDict(raw.at)
    for key in ("branches", "merge"):
        if key in raw:
            item[key] = raw[key]
            item.keys_at[key], item.values_at[key] = raw.keys_at[key], raw.values_at[key]
    items = MarkedList(raw.at)
    items.append(item)
    items.items_at.append(raw.at)
    return items


def kinds_of(items: Sequence[Item]) -> Iterator[tuple[str, Mark]]:
    """The op or block of every step, at any depth, with its place."""
    for item in items:
        if isinstance(item, Step):
            yield item.kind, item.at
        elif isinstance(item, Branches):
            for branch in item.branches:
                yield from kinds_of(branch.body)
        else:
            yield from kinds_of(item.body)
            if isinstance(item, ForEach) and not isinstance(item.rows, str):
                yield from kinds_of([row for row in item.rows if not isinstance(row, MarkedList)])


def of_rank(items: tuple[Item, ...], rank: int) -> tuple[Item, ...]:
    """Items for images as those for maps with so many position axes: `conv2d` becomes `conv1d`."""
    return tuple(_of_rank(item, rank) for item in items)


def _of_rank(item: Any, rank: int) -> Any:
    if isinstance(item, Step):
        return item._replace(kind=f"{item.kind[:-2]}{rank}d") if item.kind.endswith("2d") else item
    if isinstance(item, Branches):
        return item._replace(branches=tuple(_of_rank(branch, rank) for branch in item.branches))
    return item._replace(body=tuple(_of_rank(inner, rank) for inner in item.body)) if hasattr(item, "body") else item
