"""The inputs that a spec gives its network."""

from __future__ import annotations

from collections.abc import Mapping

from archcalc.core.errors import Location, Problem, SpecError, UsageError
from archcalc.core.shapes import Shape, parse_shape
from archcalc.spec.evaluate import interpolate
from archcalc.spec.expressions import SIZE_FUNCTIONS, SIZE_NAMES, ExpressionError
from archcalc.spec.source import Mark, MarkedDict, within
from archcalc.spec.spec import Spec
from archcalc.spec.values import Variables


def input_places(section: MarkedDict) -> Mapping[str, Mark]:
    """Where each input that a part of a spec gives is written, by its name."""
    several = section.get("inputs")
    return several.keys_at if isinstance(several, MarkedDict) else {"input": section.keys_at["input"]}


def expand_inputs(spec: Spec, section: MarkedDict, variables: Variables) -> dict[str, Shape]:
    """The shape of each input that a part of a spec gives, its braces filled. Raises `SpecError`."""
    owner = section.get("inputs", section)
    names = input_places(section)
    found, problems = {}, []
    for name in names:
        raw, at = owner[name], owner.values_at[name]
        if not name.isprintable() or "/" in name or not name.strip():
            problems.append(Problem(f"{name[:60]!r} cannot be the name of an input", Location(spec.file, *at)))
        try:
            found[name] = parse_shape(interpolate(str(raw), variables))
        except ExpressionError as error:
            if error.message:
                place = Location(spec.file, *within(raw, at, error.offset))
                before = error.unknown in (*SIZE_NAMES, *SIZE_FUNCTIONS)
                message = f"{error.unknown} is not known here: an input comes before all layers; write the number"
                problems.append(Problem(f"{name}: {message if before else error.message}", place))
        except UsageError as error:
            problems.append(Problem(f"{name}: {error}", Location(spec.file, *at)))
    if problems or len(found) < len(names):
        raise SpecError(problems)
    return found
