"""Every newer op on its own, values and gradients, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from archcalc.execute.kernels import KERNELS
from archcalc.execute.kernels.backward import BACKWARD
from tests.execute.kernels.inputs import values
from tests.networks import op
from tests.ops.rows import SMALL, Row, label

torch = pytest.importorskip("torch", reason="the comparison with PyTorch needs it: pip install 'archcalc[peers]'")
pytestmark = pytest.mark.peers

#: PyTorch's gradient has 1/6 in float32.
PRECISION = {"hardsigmoid": 1e-7}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("row", SMALL, ids=label)
def test_values_and_gradients(row: Row, seed: int) -> None:
    from tests.peers.torch_ops import OPS

    draw = np.random.default_rng(seed)
    layer = op(row.kind, **row.fields).resolve(row.inputs)
    maps = [values(row.kind, (3, *shape), draw) for shape in row.inputs]
    arrays = {array.name: draw.standard_normal(array.shape) for array in layer.param_shapes(row.inputs)}
    kernel, backward = KERNELS[row.kind], BACKWARD[row.kind]
    settings = {name: getattr(layer, name) for name in kernel.settings}
    out = kernel.run(*maps, **arrays, **settings)

    tensors = [torch.from_numpy(each).requires_grad_() for each in maps]
    weights = {name: torch.from_numpy(each).requires_grad_() for name, each in arrays.items()}
    wanted = OPS[row.kind](layer, weights, *tensors)
    assert tuple(wanted.shape) == out.shape == (3, *row.output)
    np.testing.assert_allclose(out, wanted.detach().numpy(), rtol=1e-10, atol=1e-12)

    grad = draw.standard_normal(out.shape)
    (wanted * torch.from_numpy(grad)).sum().backward()
    read = {name: settings[name] for name in backward.settings}
    found = backward.run(grad, *maps, **arrays, **read)
    pairs = [*zip(found.maps, tensors, strict=True), *((found.arrays[name], weights[name]) for name in found.arrays)]
    for ours, theirs in pairs:
        if ours is None:
            assert theirs.grad is None or not theirs.grad.any()
            continue
        np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=PRECISION.get(row.kind, 1e-9), atol=1e-10)
    assert all(each.grad is None for name, each in weights.items() if name not in found.arrays)


def test_every_newer_op_has_a_peer() -> None:
    from tests.peers.torch_ops import OPS

    assert set(OPS) == {row.kind for row in SMALL}
