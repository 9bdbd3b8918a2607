"""What is wrong with the networks of a spec, for `archcalc validate` and the editor of the playground."""

from __future__ import annotations

from archcalc.core.errors import Problem, SpecError
from archcalc.passes.shapes import infer_shapes
from archcalc.spec.build import build, network_names, split_name
from archcalc.spec.spec import Spec


def problems_in(spec: Spec, file: str, most: int) -> list[Problem]:
    """What is wrong with all networks of a spec; after `most` layers, that the others were not checked."""
    found: list[Problem] = []
    names = network_names(spec)
    layers = 0
    for done, name in enumerate(names):
        if layers > most:
            rest = f"{len(names) - done:,} of {len(names):,} networks were not checked"
            return [*found, Problem(f"{file}: after {layers:,} layers {rest}; check them in files of their own")]
        try:
            graph = build(spec, *split_name(spec, name))
        except SpecError as error:
            found += error.problems
            continue
        layers += len(graph)
        found += infer_shapes(graph).problems
    return found
