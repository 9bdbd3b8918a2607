"""One network of a spec: its variant, its parameters, its input, and the graph that comes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from archcalc.core.errors import Location, Problem, SpecError, UsageError
from archcalc.core.shapes import Shape
from archcalc.core.suggest import did_you_mean
from archcalc.graph.inputs import InputShapes, given_inputs
from archcalc.graph.layer_graph import LayerGraph
from archcalc.graph.published import Reported
from archcalc.graph.ranks import check_ranks
from archcalc.spec.document import Facts, Variant
from archcalc.spec.evaluate import FAULTY, entry, exact
from archcalc.spec.expand import expand
from archcalc.spec.expressions import SIZE_FUNCTIONS, SIZE_NAMES, ExpressionError, parse_expression
from archcalc.spec.inputs import expand_inputs, input_places
from archcalc.spec.settings import accept, settle
from archcalc.spec.sizes import InputSizes, Scope, sizes_of
from archcalc.spec.source import MarkedDict, within
from archcalc.spec.spec import Spec
from archcalc.spec.values import evaluate_tree

NOTHING = Variant()


def network_names(spec: Spec) -> list[str]:
    """Every network of a spec: the members of a family (or the one network), each followed by its variants."""
    document = spec.document
    members = list(document.networks) or [document.name]
    names = []
    for member in members:
        names.append(member)
        names += [f"{member}@{variant}" for variant in variants_of(spec, member)]
    return names


def split_name(spec: Spec, name: str) -> tuple[str, str | None]:
    """Member and variant of a name that `network_names` gives. The name of a member may hold an `@` itself."""
    members = list(spec.document.networks) or [spec.document.name]
    known = {f"{member}@{variant}": (member, variant) for member in members for variant in variants_of(spec, member)}
    return (name, None) if name in members else known[name]


def variants_of(spec: Spec, member: str) -> list[str]:
    """The variants that a member of the family has."""
    return [
        name
        for name, variant in spec.document.variants.items()
        if variant.networks is None or member in variant.networks
    ]


def build(
    spec: Spec,
    member: str | None = None,
    variant: str | None = None,
    settings: Mapping[str, Any] | None = None,
    input_shape: InputShapes | None = None,
) -> LayerGraph:
    """The layer graph of a network.

    `member` is a network of a family, `variant` one of its variants, `settings` set parameters over both,
    `input_shape` its inputs. Raises `UsageError` for unknown names and values, `SpecError` for faults in the file.
    """
    document = spec.document
    member = member or document.name
    chosen = _chosen(spec, member, variant)
    variables = _variables(spec, member, variant, chosen, settings or {})
    described = [_described(spec, chosen[0], variables, settings or {}), chosen[1]]
    problems: list[Problem] = []
    shapes: Mapping[str, Shape] = {}
    section = input_section(spec, member, variant)
    places = input_places(section)
    found = {} if input_shape is None else given_inputs(member, places, input_shape)
    own: Mapping[str, Shape] = {}
    try:
        own = expand_inputs(spec, section, _with_let(spec, variables))
        shapes = {**own, **found}
    except SpecError as error:
        # The layers are expanded all the same, so that everything wrong is reported at once.
        shapes = found if len(found) == len(places) else {}
        problems += () if shapes else error.problems
    body = spec.body_of(member, variant)
    # The outputs of the file name its own layers.
    outputs = document.outputs if body is spec.body else {}
    name = f"{member}@{variant}" if variant else member
    try:
        again = partial(build, spec, member, variant, settings)
        graph = expand(spec, name, body, outputs, variables, places, shapes, facts_of(spec, described), again)
    except SpecError as error:
        if shapes:
            check_ranks(member, own, found)
        raise SpecError([*problems, *error.problems]) from None
    if not shapes:
        raise SpecError(problems)
    check_ranks(member, own, found, graph.layers)
    keys = ((), ("networks", member), ("variants", variant))
    changed = bool(settings) or input_shape is not None
    sources = list(zip(keys, (document, *chosen), strict=True))
    reported = _reported(spec, sources, variables, next(iter(shapes.values())), changed)
    return replace(graph, reported=reported)


def settings_of(
    spec: Spec, member: str | None = None, variant: str | None = None, settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Every parameter of a network with its value, whether or not its layers fit. Raises as `build` does."""
    member = member or spec.document.name
    return _variables(spec, member, variant, _chosen(spec, member, variant), settings or {})


def input_section(spec: Spec, member: str, variant: str | None) -> MarkedDict:
    """The part of a spec whose `input` or `inputs` a network has: its variant's, its own, or the file's."""
    document, raw = spec.document, spec.source.value
    found = raw
    for section, key, facts in (("networks", member, document.networks), ("variants", variant, document.variants)):
        if key in facts and (facts[key].input is not None or facts[key].inputs is not None):
            found = raw[section][key]
    assert isinstance(found, MarkedDict)
    return found


def _chosen(spec: Spec, member: str, variant: str | None) -> list[Variant]:
    return [spec.document.networks.get(member, NOTHING), _variant(spec, member, variant)]


def _variant(spec: Spec, member: str, variant: str | None) -> Variant:
    if variant is None:
        return NOTHING
    known = variants_of(spec, member)
    if variant not in known:
        there = f"there are {', '.join(known)}" if known else "it has none"
        raise UsageError(f"{member} has no variant {variant!r}{did_you_mean(variant, known)}; {there}")
    return spec.document.variants[variant]


def _described(spec: Spec, member: Variant, variables: Mapping[str, Any], settings: Mapping[str, Any]) -> Variant:
    """The member of a family whose title and description hold for these settings; none where they make another one."""
    networks, declared = spec.document.networks.values(), spec.document.parameters
    names = {name for other in networks for name in other.set}
    if member is NOTHING or not names.intersection(settings):
        return member

    def has_these(other: Variant) -> bool:
        # What a member does not set has its default, and a parameter without one is never equal.
        return all(exact(other.set.get(name, declared[name].default)) == variables[name] for name in names)

    others = [member] if has_these(member) else [other for other in networks if has_these(other)]
    if len(others) == 1:
        return others[0]
    changed = any(name in member.set and exact(member.set[name]) != variables[name] for name in settings)
    return NOTHING if changed else member


def _variables(
    spec: Spec, member: str, variant: str | None, chosen: Sequence[Variant], settings: Mapping[str, Any]
) -> dict[str, Any]:
    declared = spec.document.parameters
    problems = []
    for (section, key), facts in zip((("networks", member), ("variants", variant)), chosen, strict=True):
        for name, value in facts.set.items():
            try:
                accept(name, declared[name], value)
            except ValueError as error:
                at = spec.source.value[section][key]["set"].values_at[name]
                problems.append(Problem(str(error), Location(spec.file, *at)))
    if problems:
        raise SpecError(problems)
    own: dict[str, Any] = {name: value for facts in chosen for name, value in facts.set.items()}
    try:
        return settle(declared, own, settings)
    except ValueError as error:
        raise UsageError(f"{member}: {error}") from None


def _with_let(spec: Spec, variables: Mapping[str, Any], shape: Shape | None = None) -> dict[str, Any]:
    """The variables and the names of `let`; without the shape of the input those that do not depend on it."""
    result = dict(variables)
    for name, value in (spec.document.let or {}).items():
        try:
            result[name] = evaluate_tree(value, Scope(result, InputSizes(shape), (0,), "") if shape else result)
        except ExpressionError as error:
            if shape is not None or error.unknown not in (*SIZE_NAMES, *SIZE_FUNCTIONS):
                result[name] = FAULTY  # the expansion tells what is wrong with it
    return result


def facts_of(spec: Spec, chosen: Sequence[Variant]) -> dict[str, Any]:
    """Title, authors and so on: a variant's own where it has them, else those of its network, else the file's."""
    document = spec.document
    facts: dict[str, Any] = {"family": document.name, "family_title": document.title}
    for field in ("title", "description", "authors", "year", "paper", "follows"):
        given = [value for source in (*reversed(chosen), document) if (value := getattr(source, field))]
        if given:
            facts[field] = tuple(given[0]) if isinstance(given[0], list) else given[0]
    member, variant = chosen
    if variant.title and "{title}" in variant.title:
        facts["title"] = variant.title.replace("{title}", member.title or document.title)
    return facts


def _reported(
    spec: Spec,
    sources: Sequence[tuple[tuple[Any, ...], Facts]],
    variables: Mapping[str, Any],
    shape: Shape,
    changed: bool,
) -> tuple[Reported, ...]:
    """The figures that were reported for this very network.

    A figure with `when` is shown where that holds. One without belongs to the network, or the variant, under which it
    stands, as long as the user has changed nothing.
    """
    exact_source = next(facts for _, facts in reversed(sources) if facts is not NOTHING)
    known = {**_with_let(spec, variables, shape), **sizes_of(shape)}
    figures = []
    for path, facts in sources:
        for index, figure in enumerate(facts.reported):
            place = (*path, "reported", index)
            if figure.when is None:
                holds = facts is exact_source and not changed
            else:
                holds = not _lacks(figure.when, known) and bool(_evaluated(spec, place, "when", figure.when, known))
            if figure.by is not None and isinstance(figure.value, dict):
                try:
                    value = entry(figure.value, _evaluated(spec, place, "by", figure.by, known))
                except KeyError:
                    continue
                figure = figure.model_copy(update={"value": value, "by": None})  # noqa: PLW2901  # one of them
            if holds:
                figures.append(figure.model_copy(update={"when": None}))
    return tuple(figures)


def _lacks(expression: str | bool, known: Mapping[str, Any]) -> bool:
    """Whether an expression asks for a size that the input does not have, as a signal has no height."""
    if isinstance(expression, bool):
        return False
    with suppress(ExpressionError):  # which is reported when it is evaluated
        return any(name in SIZE_NAMES and name not in known for name, _ in parse_expression(expression).names())
    return False


def _evaluated(
    spec: Spec, place: Sequence[Any], what: str, expression: str | bool, variables: Mapping[str, Any]
) -> Any:
    """The value of an expression in a reported figure."""
    try:
        return evaluate_tree(expression, variables)
    except ExpressionError as error:
        location = spec.source.locate((*place, what))
        location = Location(spec.file, *within(expression, location[1:], error.offset))
        raise SpecError([Problem(f"reported: {what}: {error.message}", location)]) from None
