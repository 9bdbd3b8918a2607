"""Claims and sums in the ways that people write them: `check` and `audit` agree, and nothing right is called wrong."""

from __future__ import annotations

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from archcalc.core.errors import SpecError
from archcalc.spec.source import parse_source
from archcalc.teach.audit.checker import check_claims
from archcalc.teach.audit.language import read_claims
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Answer
from archcalc.teach.check.terms import check_total
from tests.teach.check.claims import count, shape, total
from tests.teach.check.tables import analysis_of
from tests.tiers import examples

NETWORKS = (
    "lenet5",
    "alexnet",
    "vgg16",
    "googlenet",
    "resnet18",
    "squeezenet1_0",
    "unet",
    "vit_b_16",
    "crnn",
    "c3d",
    "m5",
)
QUANTITIES = ("output_shape", "output_shape", "params", "multiplications", "activations", "receptive_field")


def audited(network: str, layer: str, quantity: str, written: str) -> str:
    """The verdict of an audit on one claim."""
    about = f"network: {network}, layer: {json.dumps(layer)}, quantity: {quantity}"
    text = f"claims: [{{{about}, value: {json.dumps(written)}}}]"
    try:
        (one,) = check_claims(read_claims(parse_source(text, "claims.yaml"))).checked
    except SpecError:
        return "unreadable"
    return str(one.verdict)


@examples(300, quick=10)
@given(st.sampled_from(NETWORKS), st.sampled_from(QUANTITIES), st.booleans(), st.integers(0, 2**32))
def test_check_and_audit_agree(name: str, quantity: str, is_right: bool, seed: int) -> None:
    rng = Random(seed)
    row = rng.choice([row for row in analysis_of(name).rows if row.inputs])
    if quantity == "output_shape":
        sides = list(row.output_shape)
        sides[rng.randrange(len(sides))] += 0 if is_right else rng.choice((1, 2))
        written = shape(rng, tuple(sides))
    elif quantity == "receptive_field":
        if row.receptive_field is None or not row.receptive_field.axes:
            return
        sizes = [side + (not is_right) for side in row.receptive_field.size]
        written = rng.choice(("x", "×")).join(map(str, sizes))
    else:
        value = getattr(row, quantity)
        if not value or value < 10:
            return
        written = count(rng, value if is_right else int(value * rng.uniform(1.2, 1.9)))
    (cell,) = check_answers(analysis_of(name), [Answer(row.name, quantity, written, heading=quantity)]).cells
    assert str(cell.verdict) == audited(name, row.name, quantity, written), (row.name, written)
    assert not is_right or str(cell.verdict) == "right", (row.name, written)


@examples(500)
@given(st.sampled_from(NETWORKS), st.sampled_from(("params", "multiplications")), st.integers(0, 2**32))
def test_right_sums_are_right(name: str, quantity: str, seed: int) -> None:
    values = [value for row in analysis_of(name).rows if (value := getattr(row, quantity))]
    text = total(Random(seed), values)
    assert check_total(analysis_of(name), quantity, text).is_right, text
