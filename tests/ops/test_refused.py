"""What the newer ops cannot take, and what they say then."""

from __future__ import annotations

from typing import Any

import pytest

from archcalc.core.errors import ShapeError
from archcalc.core.shapes import Shape
from tests.networks import op, shape

IMAGE = (6, 4, 8)


@pytest.mark.parametrize(
    ("kind", "fields", "inputs", "message", "detail"),
    [
        ("prelu", {"num_parameters": 3}, [IMAGE], "neither 1 nor the number of channels", "num_parameters: channels"),
        ("hardtanh", {"min_val": 2, "max_val": 1}, [IMAGE], "min_val is not below max_val", "min_val 2, max_val 1"),
        ("glu", {}, [(5, 2, 2)], "an odd number of channels has no halves", "input 2×2×5"),
        ("group_norm", {"num_groups": 4}, [IMAGE], "does not divide the channels", "it fits with num_groups: 3"),
        ("group_norm", {"num_groups": 6}, [(6,)], "one value by itself has no variance", "input 6"),
        ("instance_norm", {}, [(6, 1, 1)], "one value by itself has no variance", "input 1×1×6"),
    ],
)
def test_a_clear_error(kind: str, fields: dict[str, Any], inputs: list[Shape], message: str, detail: str) -> None:
    with pytest.raises(ShapeError) as caught:
        shape(op(kind, **fields), *inputs)
    assert message in caught.value.message
    assert detail in " ".join(caught.value.details)
