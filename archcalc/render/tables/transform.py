"""A network before and after rewrites: what was done, the totals, and the layers that differ."""

from __future__ import annotations

import json
from typing import Any

from archcalc.core.text import bold
from archcalc.design.compare import align
from archcalc.design.transform.transform import Transformed
from archcalc.render.tables import comparison

FORMATS = ("text", "json")


def render(transformed: Transformed, form: str, colour: bool = False, proof: float | None = None) -> str:
    """The rewrites and the comparison; `proof` is the largest difference between outputs, where both were run."""
    if form == "json":
        return json.dumps(as_dict(transformed, proof), ensure_ascii=False, indent=1) + "\n"
    lines = [bold("Rewrites", colour)]
    for step in transformed.steps:
        lines.append(step.words)
        lines += [f"  {note}" for note in step.notes]
    lines += ["", in_words(transformed, proof), ""]
    both = [transformed.before, transformed.after]
    return "\n".join([*lines, comparison.render(both, "table", diff=True, colour=colour)])


def in_words(transformed: Transformed, proof: float | None) -> str:
    """Whether the function stays the same, and what was proved of it."""
    if proof is None:
        hint = " --check runs both on random weights." if transformed.same else ""
        return transformed.function + hint
    return f"{transformed.function} On random weights the outputs differ by {proof:.1e} of the largest value."


def as_dict(transformed: Transformed, proof: float | None) -> dict[str, Any]:
    """The same as data."""
    both = [transformed.before, transformed.after]
    compared = comparison.as_dict(both, align(*both))
    return {
        **compared,
        "schema": "archcalc.transform/1",
        "rewrites": [
            {
                "name": step.name,
                "arguments": list(step.arguments),
                "same_function": step.rewritten.same_function,
                "notes": list(step.notes),
            }
            for step in transformed.steps
        ],
        "same_function": bool(transformed.same),
        "difference": proof,
    }
