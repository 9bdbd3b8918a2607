"""The language of claims: a YAML file read into claims, every fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from archcalc.core.errors import ArchcalcError, Location, Problem, SpecError
from archcalc.core.shapes import parse_shape
from archcalc.core.suggest import did_you_mean
from archcalc.ops import OPS
from archcalc.spec.expressions import Expression, ExpressionError, parse_expression
from archcalc.spec.source import Mark, MarkedDict, MarkedList, Source, read_source, within
from archcalc.teach.audit.claims import Calculation, Claim, Claims, Formula, Printed
from archcalc.teach.audit.functions import QUANTITIES
from archcalc.teach.audit.networks import NetworkReference, hashable
from archcalc.teach.audit.printed import read_printed
from archcalc.teach.reading.calculation import StatementError, bounds, calculate
from archcalc.teach.reading.claimed import read_claimed

T = TypeVar("T")

MOST_CLAIMS = 5000
MOST_PROBLEMS = 50
DEEPEST = 5

#: What a claim may hold. A group holds `claims`, and what it has besides goes for all of them.
ABOUT = ("id", "document", "line", "topic", "text")
SUBJECT = ("network", "input", "set", "layer", "quantity", "calculate", "with", "formula", "equals", "for", "if")
CLAIM = (*ABOUT, *SUBJECT, "expression", "value", "adds", "not_calculated", "readings")
READING = ("when", *SUBJECT, "not_calculated")
MOST_READINGS = 10
KEYS = (*CLAIM, "claims")
TOP = ("title", "documents", "claims")
_SINGLE_LAYERS = tuple(kind for kind in OPS if kind != "input")


class FaultyError(Exception):
    """A part of a claim cannot be read; the place is that of the part, or of a character in it."""

    def __init__(self, message: str, key: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message, self.key, self.offset = message, key, offset


def load_claims(path: Path) -> Claims:
    """Read a file of claims. Raises `SpecError` with everything that is wrong, `UsageError` without a file."""
    return read_claims(read_source(path))


def read_claims(source: Source) -> Claims:
    """Check a parsed file against the language."""
    reader = _Reader(source.file)
    raw = source.value
    if not isinstance(raw, MarkedDict) or not isinstance(raw.get("claims"), MarkedList):
        raise SpecError([Problem("a file of claims is a mapping with a list `claims`", source.locate(("claims",)))])
    reader.known(raw, TOP)
    title = reader.words(raw, "title") or ""
    documents = raw.get("documents", {})
    if not isinstance(documents, dict):
        reader.fault("documents: a mapping of short names to titles", raw.values_at["documents"])
        documents = {}
    claims = list(reader.items(raw["claims"], {}, 0))
    if reader.problems:
        raise SpecError(reader.problems[:MOST_PROBLEMS])
    titles = {str(name): str(text) for name, text in documents.items()}
    return Claims(source.file, title, titles, tuple(claims))


class _Entry:
    """A claim with what its groups say of it; the nearest counts."""

    def __init__(self, raw: MarkedDict, outer: Mapping[str, tuple[Any, Mark, Mark]]) -> None:
        own = {key: (value, raw.keys_at[key], raw.values_at[key]) for key, value in raw.items() if key != "claims"}
        self.at = raw.at
        # A layer by itself or another network takes the place of what the group is about.
        replaced: set[str] = set()
        if "network" in own or _kind(own):
            replaced = {"network", "input", "set", "layer", *_SINGLE_LAYERS}
        self.values = {**{key: part for key, part in outer.items() if key not in replaced}, **own}

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def get(self, key: str) -> Any:
        return self.values[key][0] if key in self.values else None

    def mark(self, key: str) -> Mark:
        return self.values[key][2] if key in self.values else self.at


def _kind(values: Mapping[str, Any]) -> str | None:
    """The op of a single layer, where a claim is about one."""
    return next((key for key in values if key in _SINGLE_LAYERS), None)


class _Reader:
    """Reads claims and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.ids: dict[str, Mark] = {}
        self.count = 0

    def fault(self, message: str, mark: Mark, *details: str) -> None:
        self.problems.append(Problem(message, Location(self.file, *mark), details=details))

    def known(self, raw: MarkedDict, keys: tuple[str, ...]) -> None:
        for key in raw:
            if key not in keys and not (keys is KEYS and key in _SINGLE_LAYERS):
                hint = did_you_mean(key, (*keys, *_SINGLE_LAYERS) if keys is KEYS else keys)
                self.fault(f"unknown key {key[:60]!r}{hint}", raw.keys_at[key], f"known keys: {', '.join(keys)}")

    def words(self, raw: MarkedDict, key: str) -> str | None:
        value = raw.get(key)
        if value is not None and not isinstance(value, (str, int, float)):
            self.fault(f"{key}: words", raw.values_at[key])
            return None
        return None if value is None else str(value)

    def items(self, raw: MarkedList, outer: Mapping[str, tuple[Any, Mark, Mark]], depth: int) -> Iterator[Claim]:
        for item, mark in zip(raw, raw.items_at, strict=True):
            if not isinstance(item, MarkedDict):
                self.fault("a claim is a mapping, as in {network: alexnet, quantity: params, value: 60M}", mark)
                continue
            if "claims" in item:
                yield from self.group(item, outer, depth)
                continue
            self.known(item, KEYS)
            self.count += 1
            if self.count == MOST_CLAIMS + 1:
                self.fault(f"a file may hold {MOST_CLAIMS:,} claims", mark)
            if self.count > MOST_CLAIMS:
                return
            if claim := self.claim(_Entry(item, outer)):
                yield claim

    def group(self, raw: MarkedDict, outer: Mapping[str, tuple[Any, Mark, Mark]], depth: int) -> Iterator[Claim]:
        self.known(raw, KEYS)
        inner = raw["claims"]
        if not isinstance(inner, MarkedList) or depth >= DEEPEST:
            what = "a list of claims" if depth < DEEPEST else f"groups may be nested {DEEPEST} deep"
            self.fault(f"claims: {what}", raw.values_at["claims"])
            return
        for key in ("id", "value", "expression"):
            if key in raw:
                self.fault(f"{key} is of a claim, not of a group", raw.keys_at[key])
        yield from self.items(inner, _Entry(raw, outer).values, depth + 1)

    def claim(self, entry: _Entry) -> Claim | None:
        try:
            return self._claim(entry)
        except FaultyError as error:
            mark = entry.mark(error.key)
            if error.offset is not None:
                mark = within(entry.get(error.key), mark, error.offset)
            self.fault(error.message, mark)
        return None

    def _claim(self, entry: _Entry) -> Claim:
        name = self._name(entry)
        line = entry.get("line")
        if line is not None and (isinstance(line, bool) or not isinstance(line, int) or line < 1):
            raise FaultyError("line: a whole number from 1", "line")
        texts = {key: _text(entry, key) for key in ("document", "topic", "text", "adds", "not_calculated")}
        value = None
        if "value" in entry:
            try:
                value = read_claimed(entry.get("value"))
            except ValueError as error:
                raise FaultyError(f"value: {error}", "value") from None
        printed = None
        if "expression" in entry:
            tree = _printed(entry, "expression", calculate)
            printed = Printed(str(entry.get("expression")), tree, bounds(str(entry.get("expression"))))
        claim = Claim(
            name,
            texts["document"],
            texts["topic"],
            texts["text"],
            line,
            value,
            printed,
            adds=texts["adds"],
            reason=texts["not_calculated"],
            location=Location(self.file, *entry.at),
            places={key: Location(self.file, *mark) for key, (_, _, mark) in entry.values.items()},
        )
        found = _with_subject(claim, entry)
        return replace(found, readings=tuple(_readings(claim, entry))) if "readings" in entry else found

    def _name(self, entry: _Entry) -> str:
        name = str(entry.get("id")) if entry.get("id") is not None else f"claim-{self.count}"
        if name in self.ids:
            first = self.ids[name]
            raise FaultyError(f"two claims are called {name[:60]!r}; the first stands in line {first[0]}", "id")
        self.ids[name] = entry.at
        return name


def _text(entry: _Entry, key: str) -> str:
    value = entry.get(key)
    if value is not None and not isinstance(value, (str, int, float)):
        raise FaultyError(f"{key}: words", key)
    return "" if value is None else str(value)


def _printed(entry: _Entry, key: str, read: Callable[[str], T]) -> T:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise FaultyError(f"{key}: a calculation, as in (11*11*3+1)*96", key)
    try:
        return read(str(value))
    except StatementError as error:
        raise FaultyError(f"{key}: {error.message}", key, error.offset) from None
    except ExpressionError as error:
        raise FaultyError(f"{key}: {error.message}", key) from None


def _parsed(entry: _Entry, key: str) -> Expression:
    try:
        return parse_expression(str(entry.get(key)))
    except ExpressionError as error:
        raise FaultyError(f"{key}: {error.message}", key, error.offset) from None


def _with_subject(claim: Claim, entry: _Entry) -> Claim:
    """The claim with what it is checked against."""
    if "not_calculated" in entry:
        return claim
    network = _network(entry)
    variables = _variables(entry, network)
    if "formula" in entry:
        return replace(claim, formula=_formula(entry, variables))
    if claim.value is None and claim.printed is None:
        raise FaultyError("a claim needs a value or an expression, or says in not_calculated why it has none", "id")
    if "calculate" in entry:
        return replace(claim, calculation=Calculation(_parsed(entry, "calculate"), variables))
    if "quantity" in entry and network is not None:
        quantity = entry.get("quantity")
        if quantity not in QUANTITIES:
            hint = did_you_mean(str(quantity), QUANTITIES)
            raise FaultyError(
                f"there is no quantity {str(quantity)[:60]!r}{hint}; there are {', '.join(QUANTITIES)}", "quantity"
            )
        layer = entry.get("layer")
        if layer is not None and not isinstance(layer, str):
            raise FaultyError("layer: the name of a layer or a block", "layer")
        parts = [Expression("name", 0, "network")]
        if layer is not None:
            parts.append(Expression("value", 0, layer))
        tree = Expression("call", 0, quantity, tuple(parts))
        return replace(claim, calculation=Calculation(tree, variables))
    if claim.printed is not None and claim.value is not None and "quantity" not in entry:
        return claim  # only its arithmetic
    raise FaultyError(
        "a claim says what to calculate: network and quantity, calculate, formula, "
        "or an expression and its value; not_calculated gives a reason where nothing can be",
        "quantity",
    )


def _readings(claim: Claim, entry: _Entry) -> Iterator[tuple[str, Claim]]:
    """What else a claim may mean, each with what it is about then."""
    given = entry.get("readings")
    wanted = "readings: a list such as [{when: hidden layers are meant, calculate: …}]"
    if not isinstance(given, MarkedList) or not 0 < len(given) <= MOST_READINGS:
        raise FaultyError(wanted, "readings")
    for reading in given:
        if not isinstance(reading, MarkedDict) or not isinstance(reading.get("when"), str):
            raise FaultyError(wanted, "readings")
        unknown = next((key for key in reading if key not in READING), None)
        if unknown is not None:
            raise FaultyError(f"readings: unknown key {unknown[:60]!r}{did_you_mean(unknown, READING)}", "readings")
        own = _Entry(reading, entry.values)
        if "calculate" not in reading and "quantity" in reading:
            own.values.pop("calculate", None)
        assert claim.location is not None
        places = {key: Location(claim.location.file, *mark) for key, (_, _, mark) in own.values.items()}
        reason = _text(own, "not_calculated")
        yield reading["when"], _with_subject(replace(claim, places=places, reason=reason), own)


def _network(entry: _Entry) -> NetworkReference | None:
    kind = _kind(entry.values)
    if kind is not None and "network" not in entry:
        fields = entry.get(kind)
        if not isinstance(fields, dict) or not isinstance(fields.get("input"), str):
            raise FaultyError(f"{kind}: its settings and its input, as in {{input: 11x11x4, …}}", kind)
        rest = {key: value for key, value in fields.items() if key != "input"}
        return _checked(kind, lambda: NetworkReference(kind, (), parse_shape(fields["input"]), hashable(rest)))
    if "network" not in entry:
        return None
    return _named({key: entry.get(key) for key in ("network", "input", "set") if key in entry})


def _named(raw: Mapping[str, Any]) -> NetworkReference:
    name, settings, size = raw.get("network"), raw.get("set", {}), raw.get("input")
    if not isinstance(name, str):
        raise FaultyError("network: the name of a network, a file or a pattern", "network")
    if not isinstance(settings, dict):
        raise FaultyError("set: a mapping of settings to values", "set")
    shape = None if size is None else _checked("input", lambda: parse_shape(str(size)))
    return _checked("set", lambda: NetworkReference(name, hashable(settings), shape))


def _checked(key: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except ArchcalcError as error:
        raise FaultyError(f"{key}: {error}", key) from None


def _variables(entry: _Entry, network: NetworkReference | None) -> dict[str, Any]:
    found: dict[str, Any] = {} if network is None else {"network": network}
    given = entry.get("with")
    if given is None:
        return found
    if not isinstance(given, dict):
        raise FaultyError("with: a mapping of names to numbers, words or networks", "with")
    for name, value in given.items():
        found[name] = _named(value) if isinstance(value, dict) else value
    return found


def _formula(entry: _Entry, variables: Mapping[str, Any]) -> Formula:
    printed = _printed(entry, "formula", read_printed)
    if "equals" not in entry or not isinstance(entry.get("for"), dict):
        raise FaultyError(
            "a formula needs `equals`, what it should be, and `for`, values of its letters to try", "formula"
        )
    points: dict[str, tuple[Any, ...]] = {}
    for name, values in entry.get("for").items():
        if not isinstance(values, list) or not values:
            raise FaultyError(f"for: a list of values for {name}", "for")
        points[name] = tuple(values)
    condition = _parsed(entry, "if") if "if" in entry else None
    equals = Calculation(_parsed(entry, "equals"), variables)
    return Formula(printed, str(entry.get("formula")), equals, points, condition)
