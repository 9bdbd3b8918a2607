"""From a YAML file to a `Spec`: the checked document with its layers and blocks read into items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from archcalc.core.errors import Problem, SpecError
from archcalc.core.suggest import did_you_mean
from archcalc.graph.published import Paper, Reported
from archcalc.ops import OPS
from archcalc.spec.document import Block, Document, Implementation, LayerOutput, Parameter, Variant
from archcalc.spec.faults import MOST_PROBLEMS, describe_fault
from archcalc.spec.items import ItemReader, block_item, kinds_of, of_rank
from archcalc.spec.source import MarkedDict, Source, parse_source, read_source
from archcalc.spec.spec import BlockSpec, Spec
from archcalc.spec.static import check_statically


def load_spec(path: Path, shown: str | None = None) -> Spec:
    """Read a spec file. Raises `SpecError` with everything that is wrong in its form, `UsageError` without a file."""
    return spec_of(read_source(path, shown))


def spec_of(source: Source) -> Spec:
    """Check a parsed file against the spec language."""
    if not isinstance(source.value, MarkedDict):
        raise SpecError([Problem("a spec is a mapping with name, title, input and layers", source.locate(()))])
    problems: list[Problem] = []
    try:
        document = Document.model_validate(source.value)
    except ValidationError as error:
        problems += _structural_problems(source, error)
        document = _without_faults(source, error, problems)
    reader = ItemReader(source.file, problems)
    raw = source.value
    problems += _input_problems(source)
    body = reader.items(raw["layers"], raw.values_at["layers"])
    blocks = {name: _block(reader, declared, raw["blocks"][name]) for name, declared in document.blocks.items()}
    own_bodies = {
        (section, name): reader.items(variant.layers, variant.layers.at)
        for section, variants in (("networks", document.networks), ("variants", document.variants))
        for name, variant in variants.items()
        if variant.layers is not None
    }
    bodies = (body, *own_bodies.values(), *(block.body for block in blocks.values()))
    used = {kind for items in bodies for kind, _ in kinds_of(items)}
    if not used <= {*OPS, *blocks}:
        blocks = {**prelude(), **blocks}
    spec = Spec(source, document, body, blocks, own_bodies)
    problems += check_statically(spec)
    if problems:
        raise SpecError(problems[:MOST_PROBLEMS])
    return spec


_STAND_INS = {"name": "unnamed", "title": "untitled", "input": "1x1x1"}


def _input_problems(source: Source) -> list[Problem]:
    """A file needs an input or inputs, and nothing in it can have both."""
    raw = source.value
    found = [] if "input" in raw or "inputs" in raw else [Problem("needs 'input', or 'inputs'", source.locate(()))]
    sections = [(section, name) for section in ("networks", "variants") for name in raw.get(section) or ()]
    for path in ((), *sections):
        part = raw
        for key in path:
            part = part[key] if isinstance(part, MarkedDict) else None
        if isinstance(part, MarkedDict) and "inputs" in part:
            if "input" in part:
                problem = "input and inputs are two ways to say the same; give one"
                found.append(Problem(problem, source.locate_key((*path, "inputs"))))
            elif part["inputs"] == {}:
                found.append(Problem("inputs must name at least one", source.locate((*path, "inputs"))))
    return found


def _without_faults(source: Source, error: ValidationError, problems: list[Problem]) -> Document:
    """The rest of a faulty document, so that the layers are checked in the same run. Raises `SpecError` without one."""
    faulty = {fault["loc"][0] for fault in error.errors() if fault["loc"]}
    rest = {key: value for key, value in source.value.items() if key not in faulty}
    try:
        return Document.model_validate({**_STAND_INS, **rest})
    except ValidationError:
        raise SpecError(problems) from None


def _block(reader: ItemReader, declared: Block, raw: MarkedDict) -> BlockSpec:
    items = block_item(declared, raw)
    if items is None or (declared.layers is not None and declared.branches is not None):
        reader.problem("a block has either layers or branches", raw.at)
        return BlockSpec(declared, (), reader.file, raw)
    return BlockSpec(declared, reader.items(items, items.at), reader.file, raw)


_HERE = Path(__file__).parent


@cache
def prelude() -> Mapping[str, BlockSpec]:
    """The blocks that every spec may use: conv_relu, mbconv, …, for maps of any rank; some with a rank in the name."""
    problems: list[Problem] = []
    reader = ItemReader("prelude.yaml", problems)
    found: dict[str, BlockSpec] = {}
    for file, around_convolution in (("prelude_windows.yaml", True), ("prelude.yaml", False)):
        for name, raw in parse_source((_HERE / file).read_text("utf-8"), reader.file).value.items():
            block = _block(reader, Block.model_validate(raw), raw)
            bodies = {1: of_rank(block.body, 1), 2: block.body, 3: of_rank(block.body, 3)}
            stem = name.removesuffix("2d")
            if stem == name:
                found[name] = replace(block, by_rank=bodies)
            if around_convolution:
                found |= {f"{stem}{rank}d": replace(block, body=body) for rank, body in bodies.items()}
    if problems:
        raise SpecError(problems)
    return found


def _structural_problems(source: Source, error: ValidationError) -> list[Problem]:
    problems = []
    for fault in error.errors()[:MOST_PROBLEMS]:
        path: list[Any] = [step for step in fault["loc"] if step != "[key]"]
        if fault["type"] == "extra_forbidden":
            known = _known_keys(path[:-1])
            message = f"unknown key {path[-1]!r}{did_you_mean(str(path[-1]), known)}"
            problems.append(Problem(message, source.locate_key(path), details=(f"known keys: {', '.join(known)}",)))
        elif fault["type"] == "missing":
            problems.append(Problem(f"{_path(path[:-1])}needs {path[-1]!r}", source.locate(path[:-1])))
        else:
            problems.append(Problem(f"{_path(path)}{describe_fault(fault)}", source.locate(path)))
    return problems


def _path(path: Sequence[Any]) -> str:
    return f"{'.'.join(str(step) for step in path)}: " if path else ""


def _known_keys(path: Sequence[Any]) -> list[str]:
    model: type[BaseModel] = Document
    for step in path:
        model = _MODELS.get(str(step), model)
    return list(model.model_fields)


_MODELS: dict[str, type[BaseModel]] = {
    "paper": Paper,
    "reported": Reported,
    "implementations": Implementation,
    "blocks": Block,
    "networks": Variant,
    "variants": Variant,
    "parameters": Parameter,
    "outputs": LayerOutput,
}
