"""Programs: what stands between a foreign file and the layers."""

import pytest

from archcalc.core.errors import UsageError
from archcalc.interop.program import Constant, Node, Program, Value

VALUES = {"x": Value("x", (1, 3, 8, 8)), "y": Value("y", (1, 4, 8, 8))}
CONVOLUTION = Node("conv2d", ("x", "w", None), ("y",), {"stride": (1, 1)}, path="stem/conv", place='node "conv_0"')


def _program(**changed: object) -> Program:
    given = {
        "name": "net", "inputs": ("x",), "nodes": (CONVOLUTION,), "outputs": {"y": "y"}, "values": VALUES,
        "constants": {"w": Constant("w", (4, 3, 1, 1))},
    }  # fmt: skip
    return Program(**(given | changed))  # type: ignore[arg-type]  # the settings differ in type


def test_a_whole_program_is_accepted_and_knows_its_shapes() -> None:
    program = _program()
    program.check()
    assert program.shape("y") == (1, 4, 8, 8)
    assert program.shape("w") == (4, 3, 1, 1)
    assert program.constants["w"].size == 12


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"constants": {}}, 'node "conv_0": its input w is made by no operation before it'),
        ({"nodes": (CONVOLUTION, CONVOLUTION)}, "y is made twice"),
        ({"values": {"x": VALUES["x"]}}, "the shape of y is not known"),
        ({"outputs": {"logits": "z"}}, "the output logits is made by no operation"),
    ],
)
def test_what_is_missing_is_named(changed: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        _program(**changed).check()


def test_an_unknown_name_has_no_shape() -> None:
    with pytest.raises(UsageError, match="nothing is called z"):
        _program().shape("z")
