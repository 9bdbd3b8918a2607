"""Networks by name: the shipped specs, their variants, and spec files of the user's own."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.core.errors import UsageError
from archcalc.core.language import say
from archcalc.core.suggest import did_you_mean, perhaps
from archcalc.graph.inputs import InputShapes
from archcalc.graph.layer_graph import LayerGraph
from archcalc.spec.build import build, network_names, variants_of
from archcalc.spec.document import Parameter
from archcalc.spec.load import load_spec, spec_of
from archcalc.spec.spec import Spec

_PACKAGE = Path(__file__).parents[1]
#: In the wheel the specs lie inside the package; in a checkout next to it.
SPECS = _PACKAGE / "specs" if (_PACKAGE / "specs").is_dir() else _PACKAGE.parent / "specs"

_NAME = re.compile(r"^name:\s*(\S+)", re.MULTILINE)
_ALIASES = re.compile(r"^aliases:\s*\[([^\]]*)\]", re.MULTILINE)
_NETWORKS = re.compile(r"^networks:[^\n]*\n((?:[ \t#][^\n]*\n|\n)*)", re.MULTILINE)
_FILE = re.compile(r"(.*?\.ya?ml)(?:@(.*))?")
_MEMBER = re.compile(r"^  ([\w/.-]+):", re.MULTILINE)


class Entry(NamedTuple):
    """A network of a spec file."""

    file: Path
    name: str


def key_of(name: str) -> str:
    """Names are compared without case, spaces, '-' and '_'; between digits these are as good as a point, and count.

    >>> key_of("RegNet-X 1_6GF"), key_of("regnet_x_16gf")
    ('regnetx1.6gf', 'regnetx16gf')

    """
    return re.sub(r"[\s_-]", "", re.sub(r"(?<=\d)[\s_-](?=\d)", ".", name.lower()))


@lru_cache(maxsize=1)
def entries() -> Mapping[str, Entry]:
    """Every shipped network, in the order of the files; found by a look at the text, without parsing all of it."""
    found: dict[str, Entry] = {}
    for path in sorted(SPECS.rglob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        networks = _NETWORKS.search(text)
        members = _MEMBER.findall(networks[1]) if networks else []
        name = _NAME.search(text)
        # A family can be named too: it stands for its default member.
        for member in [*members, *([name[1]] if name else [])]:
            found.setdefault(key_of(member), Entry(path, member))
        if name and (aliases := _ALIASES.search(text)):
            for alias in aliases[1].split(","):
                found.setdefault(key_of(alias), Entry(path, name[1]))
    return found


def _own_file(key: str) -> Entry | None:
    """The network that a file is called after, found without a look at the others: alexnet."""
    path = SPECS / f"{key}.yaml"
    if not os.path.isfile(path):  # says no to what no file can be called, where Path raises
        return None
    name = _NAME.search(path.read_text(encoding="utf-8"))
    return Entry(path, name[1]) if name and key_of(name[1]) == key else None


def aliases_of(name: str) -> list[str]:
    """The keys under which a network is known besides its own name."""
    base = name.partition("@")[0]
    return [key for key, entry in entries().items() if entry.name == base and key != key_of(base)]


@cache
def _shipped_spec(path: Path) -> Spec:
    return load_spec(path, f"specs/{path.relative_to(SPECS).as_posix()}")


def names() -> Iterator[str]:
    """Every network and variant of the catalogue, family by family.

    >>> import archcalc as ac
    >>> [name for name in ac.names() if name.startswith("alexnet")]
    ['alexnet', 'alexnet@grouped', 'alexnet@torchvision']

    """
    for path in sorted(SPECS.rglob("*.yaml"), key=lambda path: (len(path.relative_to(SPECS).parts), path.name)):
        yield from network_names(_shipped_spec(path))


def variants_in_catalogue(name: str) -> list[str]:
    """A network of the catalogue and its variants, by the name of one of them; empty for another name."""
    entry = entries().get(key_of(name.partition("@")[0]))
    if entry is None:
        return []
    own = key_of(entry.name)
    return [one for one in network_names(_shipped_spec(entry.file)) if key_of(one.partition("@")[0]) == own]


def implementations(name: str, library: str) -> list[str]:
    """A network of the catalogue and its variants, those that their spec says are the library's own.

    >>> from archcalc.spec.catalogue import implementations
    >>> implementations("alexnet@torchvision", "caffe"), implementations("vgg11", "caffe")
    (['alexnet@grouped'], [])

    """
    found = []
    for one in variants_in_catalogue(name):
        base, _, variant = one.partition("@")
        document = _shipped_spec(entries()[key_of(base)].file).document
        said = document.variants[variant] if variant else document
        own = said.implementations.get(library)
        if own is not None and (own.networks is None or base in own.networks):
            found.append(one)
    return found


def landmarks() -> Iterator[str]:
    """The networks and variants of the families that the catalogue calls landmarks."""
    return (name for name in names() if find(name)[0].document.landmark)


def is_pattern(network: str) -> bool:
    """Whether a NET argument is a pattern rather than a name or a file."""
    return "->" in network or "→" in network


def is_file_name(network: str) -> bool:
    """Whether a NET argument means a file rather than a name."""
    return network.endswith((".yaml", ".yml")) or "\\" in network or network.startswith((".", "/"))


def load(
    network: str | Path | Spec, settings: Mapping[str, Any] | None = None, input_shape: InputShapes | None = None
) -> LayerGraph:
    """The layer graph of a network: a name, `name@variant`, the path of a spec file, or a pattern.

    A `Path` is always a file.

    Raises `UsageError` for what does not exist (with the nearest names) and `SpecError` for faults in a file.
    """
    spec, member, variant = find(network)
    graph = build(spec, member, variant, settings, input_shape)
    if isinstance(network, str) and is_pattern(network):
        from archcalc.spec.patterns import pattern_notes

        return replace(graph, notes=pattern_notes(graph))
    return graph


def parameters(network: str) -> Mapping[str, Parameter]:
    """What can be set of a network."""
    return find(network)[0].document.parameters


def _split(network: str) -> tuple[str, str]:
    """Name and variant, either may be empty; an @ in a folder or before the ending of a file is no variant's."""
    folder, slash, last = network.rpartition("/")
    file = _FILE.fullmatch(last)
    name, variant = (file[1], file[2] or "") if file else last.partition("@")[::2]
    return folder + slash + name, variant


def find(network: str | Path | Spec, read: Callable[[Path], Spec] = load_spec) -> tuple[Spec, str | None, str | None]:
    """The spec of a network, its member of a family and its variant; `read` reads a file. Raises as `load` does."""
    if isinstance(network, Spec):
        return network, default_member(network), None
    if isinstance(network, Path):
        spec = read(network)
        return spec, default_member(spec), None
    if is_pattern(network):
        from archcalc.spec.patterns import parse_pattern

        return spec_of(parse_pattern(network)), None, None
    name, variant = _split(network)
    if not name:
        raise UsageError("a network needs a name; `archcalc list` shows all")
    if is_file_name(name) or (os.path.isdir(name) and key_of(name) not in entries()):
        spec = read(Path(name))
        member = default_member(spec)
        # fam.yaml@member@variant: a file may hold a family.
        first, _, rest = variant.partition("@")
        networks = spec.document.networks
        chosen = {key_of(candidate): candidate for candidate in networks}.get(key_of(first))
        if chosen is not None:
            member, variant = chosen, rest
        elif first and len(networks) > 1 and key_of(first) not in map(key_of, spec.document.variants):
            choices = [*networks, *spec.document.variants]
            raise UsageError(
                f"{name} has no network or variant {first[:60]!r}{did_you_mean(first, choices)}; "
                f"there are {', '.join(choices)}"
            )
    else:
        entry = _own_file(key_of(name)) or entries().get(key_of(name))
        if entry is None:
            raise UsageError(_unknown(network))
        spec = _shipped_spec(entry.file)
        member = _member(spec, entry.name)
    if variant:
        known = {key_of(candidate): candidate for candidate in variants_of(spec, member or spec.document.name)}
        variant = known.get(key_of(variant), variant)
    return spec, member, variant or None


def default_member(spec: Spec) -> str | None:
    """The network that a file stands for: the first of a family."""
    return next(iter(spec.document.networks), None)


def _member(spec: Spec, name: str) -> str | None:
    """A member of a family; the family's own name stands for its parameters' defaults."""
    return name if name in spec.document.networks else None


def _unknown(network: str) -> str:
    known = [entry.name for entry in entries().values()]
    hint = perhaps(network.partition("@")[0], known) or say("; `archcalc list` shows all")
    return say("there is no network {name!r}{hint}", name=network[:80], hint=hint)
