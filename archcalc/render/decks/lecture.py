"""The language of lectures: a YAML file read into the slides that are wanted, every fault with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from archcalc.core.errors import ArchcalcError, Problem, SpecError, UsageError
from archcalc.core.model import Model
from archcalc.core.suggest import did_you_mean
from archcalc.explain.derive.network import find_quantity
from archcalc.passes.analysis import Analysis
from archcalc.render.diagrams.choices import STYLES, known
from archcalc.render.diagrams.only import only
from archcalc.render.tables.columns import choose
from archcalc.spec.faults import describe_fault
from archcalc.spec.source import MarkedDict, MarkedList, Source, read_source

MOST_SLIDES, MOST_NETWORKS, LONGEST = 200, 60, 2000
#: What makes an analysis of a network as it is named in a lecture, with its settings and its input.
Loader = Callable[[str, Mapping[str, Any], str | None], Analysis]


def _text(value: Any) -> Any:
    """A number or a date may stand for a text."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text), Field(max_length=LONGEST)]


def _names(value: Any) -> Any:
    """Names between commas may stand for a list of them."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


Names = Annotated[list[Text], BeforeValidator(_names), Field(min_length=1)]


class Titled(Model):
    """What every slide may say: another title, and notes for the speaker."""

    title: Text = ""
    notes: Text = ""


class Title(Titled):
    pass


class Section(Titled):
    title: Text
    subtitle: Text = ""


class Points(Titled):
    title: Text
    points: Annotated[list[Text], Field(min_length=1, max_length=12)]


class OfNetwork(Titled):
    network: Text
    settings: Annotated[dict[str, Any], Field(alias="set", default_factory=dict)]
    input: Text | None = None


class Architecture(OfNetwork):
    style: Text | None = None
    depth: Annotated[int, Field(ge=0, le=99)] | None = None
    highlight: Text | None = None


class Block(OfNetwork):
    block: Text


class TableOf(OfNetwork):
    columns: Names | None = None


class DerivationOf(OfNetwork):
    layer: Text
    quantities: Names | None = None


class OfNetworks(Titled):
    networks: Annotated[list[Text], Field(min_length=2, max_length=MOST_NETWORKS)] | None = None


class Question(Model):
    question: Text
    answer: Text


class Quiz(OfNetworks):
    networks: Annotated[list[Text], Field(min_length=1, max_length=MOST_NETWORKS)] | None = None
    count: Annotated[int, Field(ge=1, le=12)] = 4
    questions: Annotated[list[Question], Field(min_length=1, max_length=12)] | None = None


#: The kinds of slides, what each may say, and what a word after its name means, as in `architecture: alexnet`.
KINDS: Mapping[str, tuple[type[Titled], str]] = {
    "title": (Title, "title"),
    "section": (Section, "title"),
    "points": (Points, ""),
    "architecture": (Architecture, "network"),
    "block": (Block, ""),
    "table": (TableOf, "network"),
    "derivation": (DerivationOf, ""),
    "cost": (OfNetwork, "network"),
    "memory": (OfNetwork, "network"),
    "receptive_field": (OfNetwork, "network"),
    "comparison": (OfNetworks, "networks"),
    "timeline": (OfNetworks, "networks"),
    "quiz": (Quiz, "networks"),
    "sources": (Titled, "title"),
}


class Lecture(Model):
    """A lecture: what its first slide says, its networks, and its slides where they are listed."""

    title: Text
    subtitle: Text = ""
    author: Text = ""
    date: Text = ""
    networks: Annotated[list[Text], Field(max_length=MOST_NETWORKS, default_factory=list)]
    slides: Annotated[list[Any], Field(min_length=1, max_length=MOST_SLIDES)] | None = None


class Wanted(NamedTuple):
    """A slide of the list: its kind, its texts, and the networks that it shows."""

    kind: str
    fields: Titled
    analyses: tuple[Analysis, ...] = ()


class Plan(NamedTuple):
    """A lecture that has been read: what its first slide says, its networks, and its slides; none: the usual ones."""

    title: str
    subtitle: str
    author: str
    date: str
    networks: tuple[Analysis, ...]
    slides: tuple[Wanted, ...]


def load_lecture(path: Path, load: Loader) -> Plan:
    """Read a lecture. Raises `SpecError` with everything that is wrong in it, `UsageError` without a file."""
    return read_lecture(read_source(path), load)


def is_lecture(name: str) -> bool:
    """Whether a file is a lecture and no network: one that has slides, or no layers of its own."""
    if Path(name).suffix.lower() not in (".yaml", ".yml") or not Path(name).is_file():
        return False
    value = read_source(Path(name)).value
    return isinstance(value, MarkedDict) and ("slides" in value or not {"layers", "blocks"} & set(value))


def read_lecture(source: Source, load: Loader) -> Plan:
    """Check a parsed file against the language, and load its networks."""
    return _Reader(source, load).read()


class _Reader:
    def __init__(self, source: Source, load: Loader) -> None:
        self.source, self.load = source, load
        self.problems: list[Problem] = []
        self.loaded: dict[tuple[str, str, str | None], Analysis | None] = {}

    def read(self) -> Plan:
        value = self.source.value
        if not isinstance(value, MarkedDict):
            raise SpecError([Problem("a lecture is a mapping with title, networks and slides", self.source.locate(()))])
        lecture = self._checked(Lecture, value, ())
        if lecture is None:
            raise SpecError(self.problems)
        networks = self._networks(lecture.networks, ("networks",))
        if not lecture.networks and lecture.slides is None:
            self.problems.append(Problem("a lecture needs networks, or slides", self.source.locate(())))
        wanted = [
            one
            for index, item in enumerate(lecture.slides or ())
            if (one := self._slide(item, ("slides", index), networks)) is not None
        ]
        if self.problems:
            raise SpecError(self.problems)
        return Plan(lecture.title, lecture.subtitle, lecture.author, lecture.date, networks, tuple(wanted))

    def _fault(self, message: str, path: Sequence[Any], key: bool = False, *details: str) -> None:
        place = self.source.locate_key(path) if key else self.source.locate(path)
        self.problems.append(Problem(message, place, details=details))

    def _checked(self, model: type[BaseModel], value: Mapping[str, Any], path: tuple[Any, ...]) -> Any:
        """The model, or None where something is wrong in it."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for fault in error.errors():
                place = (*path, *fault["loc"])
                if fault["type"] == "extra_forbidden":
                    names = _keys(Question if "questions" in fault["loc"][:-1] else model)
                    hint = did_you_mean(str(place[-1]), names)
                    self._fault(f"unknown key {place[-1]!r}{hint}", place, True, f"known keys: {', '.join(names)}")
                elif fault["type"] == "missing":
                    self._fault(f"needs {place[-1]!r}", place[:-1])
                elif fault["type"] in ("too_long", "too_short"):
                    limits = fault["ctx"]
                    limit = (
                        f"at most {limits['max_length']}"
                        if "max_length" in limits
                        else f"at least {limits['min_length']}"
                    )
                    self._fault(f"{place[-1]}: takes {limit}, not {limits['actual_length']}", place)
                else:
                    self._fault(f"{place[-1]}: {describe_fault(fault)}", place)
            return None

    def _slide(self, item: Any, path: tuple[Any, ...], networks: tuple[Analysis, ...]) -> Wanted | None:
        """`- title`, `- architecture: alexnet`, or `- architecture: {network: alexnet, …}`."""
        if isinstance(item, str):
            kind, value, inner = str(item), None, path
        elif isinstance(item, MarkedDict) and len(item) == 1:
            kind, value = next(iter(item.items()))
            inner = (*path, kind)
        else:
            self._fault("a slide is its kind, as `title`, or its kind with what it shows, as `cost: alexnet`", path)
            return None
        if kind not in KINDS:
            hint = did_you_mean(kind, KINDS)
            self._fault(f"there is no kind of slide {kind[:60]!r}{hint}", path, False, f"kinds: {', '.join(KINDS)}")
            return None
        model, short = KINDS[kind]
        if not isinstance(value, dict):
            plain = value is not None
            if plain and (not short or isinstance(value, list) != (short == "networks")):
                self._fault(f"{kind} takes a mapping with {', '.join(_keys(model))}", inner)
                return None
            value = {short: value} if plain else {}
            if plain and short == "networks":
                value = _marked(short, value[short], self.source, inner)
        fields = self._checked(model, value, inner)
        if fields is None:
            return None
        analyses: tuple[Analysis, ...] = ()
        if isinstance(fields, OfNetwork):
            place = (*inner, "network") if isinstance(value, MarkedDict) else inner
            found = self._network(fields.network, fields.settings, fields.input, place)
            if found is None:
                return None
            analyses = (found,)
            self._check_parts(fields, found, inner)
        elif isinstance(fields, OfNetworks):
            given = fields.networks
            place = (*inner, "networks") if isinstance(item, MarkedDict) and isinstance(item[kind], dict) else inner
            analyses = networks if given is None else self._networks(given, place)
            own = isinstance(fields, Quiz) and fields.questions is not None
            if len(analyses) < (1 if kind == "quiz" else 2) and not own and not self.problems:
                self._fault(f"{kind} needs networks: name them here, or at the top of the lecture", path)
        return Wanted(kind, fields, analyses)

    def _networks(self, names: Sequence[str], path: tuple[Any, ...]) -> tuple[Analysis, ...]:
        found = (self._network(name, {}, None, (*path, index)) for index, name in enumerate(names))
        return tuple(one for one in found if one is not None)

    def _network(
        self, name: str, settings: Mapping[str, Any], size: str | None, path: tuple[Any, ...]
    ) -> Analysis | None:
        key = (name, repr(sorted(settings.items())), size)
        if key not in self.loaded:
            try:
                if name.startswith("py:"):
                    raise UsageError(f"{name[:60]} would run code; a lecture names networks and files")
                self.loaded[key] = self.load(self._beside(name), settings, size)
            except SpecError as error:
                self.loaded[key] = None
                self._fault(f"{name[:60]} has faults", path, False, *map(str, error.problems[:5]))
            except UsageError as error:
                self.loaded[key] = None
                self._fault(str(error), path)
        return self.loaded[key]

    def _beside(self, name: str) -> str:
        """A file that lies next to the lecture is meant from there."""
        if not Path(name).suffix or len(name) > 200:
            return name
        near = Path(self.source.file).parent / name
        return str(near) if near.is_file() and not Path(name).is_file() else name

    def _check_parts(self, fields: OfNetwork, analysis: Analysis, path: tuple[Any, ...]) -> None:
        """Layers, blocks, columns and quantities that do not exist are faults of the lecture, with their places."""
        checks: list[tuple[str, Callable[[], object]]] = []
        if isinstance(fields, Block):
            checks.append(("block", lambda: only(analysis, fields.block)))
        if isinstance(fields, DerivationOf):
            checks.append(("layer", lambda: _single_layer(analysis, fields.layer)))
            checks += [
                ("quantities", lambda name=name: find_quantity(name))  # type: ignore[misc]  # its own name each
                for name in fields.quantities or ()
            ]
        if isinstance(fields, TableOf) and (columns := fields.columns) is not None:
            checks.append(("columns", lambda: choose(",".join(columns))))
        if isinstance(fields, Architecture):
            style, layer = fields.style, fields.highlight
            if style is not None:
                checks.append(("style", lambda: known("style", style, STYLES)))
            if layer is not None:
                checks.append(("highlight", lambda: _single_layer(analysis, layer)))
        for key, check in checks:
            try:
                check()
            except ArchcalcError as error:
                self._fault(str(error), (*path, key))


def _single_layer(analysis: Analysis, name: str) -> str:
    from archcalc.explain.derive.network import find_layers

    names = find_layers(analysis, name)
    if len(names) > 1:
        raise UsageError(f"{name[:60]!r} is a block of {len(names)} layers; name one, as {names[0]}")
    return names[0]


def _marked(key: str, value: Any, source: Source, path: tuple[Any, ...]) -> MarkedDict:
    """A mapping made of a value, which keeps its place."""
    place = source.locate(path)
    made = MarkedDict((place.line, place.column))
    made[key] = value
    made.keys_at[key] = made.values_at[key] = made.at
    assert isinstance(value, MarkedList)
    return made


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]
