"""One network of a spec: its variant, its parameters, its input, and the graph that comes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archcalc.errors import Location, Problem, SpecError, UsageError
from archcalc.graph import LayerGraph
from archcalc.shapes import Shape
from archcalc.spec.document import Reported, Variant
from archcalc.spec.expand import expand, expand_input
from archcalc.spec.expressions import ExpressionError
from archcalc.spec.load import Spec
from archcalc.spec.settings import settle
from archcalc.spec.suggest import did_you_mean
from archcalc.spec.values import evaluate_tree, plain

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
    input_shape: Shape | None = None,
) -> LayerGraph:
    """The layer graph of a network.

    `member` is a network of a family, `variant` one of its variants, `settings` set parameters over both. Raises
    `UsageError` for unknown names and values, `SpecError` for faults in the file.
    """
    document = spec.document
    member = member or document.name
    chosen = [document.networks.get(member, NOTHING), _variant(spec, member, variant)]
    variables = _variables(spec, member, chosen, settings or {})
    given_shape = input_shape is not None
    if input_shape is None:
        text, at = document.input, spec.source.value.values_at["input"]
        for section, key, facts in (("networks", member, chosen[0]), ("variants", variant, chosen[1])):
            if facts.input is not None:
                text, at = facts.input, spec.source.value[section][key].values_at["input"]
        input_shape = expand_input(spec, text, _with_let(spec, variables), at)
    body = spec.own_bodies.get(variant or "", spec.own_bodies.get(member, spec.body))
    # The outputs of the file name its own layers.
    outputs = document.outputs if body is spec.body else {}
    name = f"{member}@{variant}" if variant else member
    told = _facts(spec, chosen)
    told["reported"] = _reported(spec, chosen, variables, input_shape, changed=bool(settings) or given_shape)
    return expand(spec, name, body, outputs, variables, input_shape, told)


def _variant(spec: Spec, member: str, variant: str | None) -> Variant:
    if variant is None:
        return NOTHING
    known = variants_of(spec, member)
    if variant not in known:
        there = f"there are {', '.join(known)}" if known else "it has none"
        raise UsageError(f"{member} has no variant {variant!r}{did_you_mean(variant, known)}; {there}")
    return spec.document.variants[variant]


def _variables(spec: Spec, member: str, chosen: Sequence[Variant], settings: Mapping[str, Any]) -> dict[str, Any]:
    declared = spec.document.parameters
    try:
        own = settle(declared, *(facts.set for facts in chosen))
    except ValueError as error:
        location = Location(spec.file, *spec.source.value.values_at.get("parameters", (1, 1)))
        raise SpecError([Problem(str(error), location)]) from None
    try:
        return settle(declared, own, settings)
    except ValueError as error:
        raise UsageError(f"{member}: {error}") from None


def _with_let(spec: Spec, variables: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(variables)
    for name, value in (spec.document.let or {}).items():
        try:
            result[name] = evaluate_tree(value, result)
        except ExpressionError as error:
            let = spec.document.let
            assert let is not None
            raise SpecError([Problem(f"{name}: {error.message}", Location(spec.file, *let.values_at[name]))]) from None
    return result


def _facts(spec: Spec, chosen: Sequence[Variant]) -> dict[str, Any]:
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
    spec: Spec, chosen: Sequence[Variant], variables: Mapping[str, Any], shape: Shape, changed: bool
) -> tuple[Reported, ...]:
    """The figures that were reported for this very network.

    A figure with `when` is shown where that holds. One without belongs to the network, or the variant, under which it
    stands, as long as the user has changed nothing.
    """
    member, variant = chosen
    whole = (spec.document, member, variant)
    exact_source = variant if variant is not NOTHING else member if member is not NOTHING else spec.document
    known = {**_with_let(spec, variables), "channels": shape[0], "height": shape[1], "width": shape[2]}
    figures = []
    for facts in whole:
        for figure in facts.reported:
            if figure.when is None:
                holds = facts is exact_source and not changed
            else:
                holds = bool(_told(spec, "when", figure.when, known))
            if figure.by is not None and isinstance(figure.value, dict):
                key = plain(_told(spec, "by", figure.by, known))
                holds = holds and str(key) in figure.value
                figure = figure.model_copy(update={"value": figure.value.get(str(key)), "by": None})  # noqa: PLW2901
            if holds:
                figures.append(figure)
    return tuple(figures)


def _told(spec: Spec, what: str, expression: str | bool, variables: Mapping[str, Any]) -> Any:
    """The value of an expression in a reported figure."""
    try:
        return evaluate_tree(expression, variables)
    except ExpressionError as error:
        location = Location(spec.file, *spec.source.value.at)
        raise SpecError([Problem(f"reported: {what}: {error.message}", location)]) from None
