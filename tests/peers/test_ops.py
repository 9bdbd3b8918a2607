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
    maps = [values(row.kind, (3, *shape), draw) for shape in row.inputs or [(0,)]]
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


def test_an_output_tied_to_its_embedding() -> None:
    """Both uses of the table add to its gradient."""
    from archcalc.execute.runner.tape import record, rewind
    from archcalc.execute.weights import SeededWeights
    from tests.networks import layers

    graph = layers(
        "  - embedding: {name: table, num_embeddings: 7, embedding_dim: 4}\n  - gelu\n"
        "  - linear: {name: scores, out_features: 7, bias: false, per_position: true, weights: table}\n"
        "  - parameter: {name: shift, shape: 7}\n  - add: {from: [scores, shift], broadcast: true}\n",
        "5",
    )
    draw = np.random.default_rng(0)
    numbers, weights = draw.integers(0, 7, (2, 5)).astype("float64"), SeededWeights(graph, 0, "float64", keep=True)
    tape = record(graph, numbers, weights)
    seed = draw.standard_normal((2, 7, 5))
    out = tape.maps[len(graph) - 1]
    found = {graph.layers[step.layer].name: step.arrays for step in rewind(tape, {len(graph) - 1: seed})}

    table = torch.from_numpy(weights.kept("table")["weight"]).requires_grad_()
    shift = torch.from_numpy(weights.kept("shift")["weight"]).requires_grad_()
    rows = torch.nn.functional.gelu(torch.nn.functional.embedding(torch.from_numpy(numbers).long(), table))
    wanted = (rows @ table.T).mT + shift[:, None]
    np.testing.assert_allclose(out, wanted.detach().numpy(), rtol=1e-12)
    (wanted * torch.from_numpy(seed)).sum().backward()
    for name, array in (("table", table), ("shift", shift)):
        np.testing.assert_allclose(found[name]["weight"], array.grad.numpy(), rtol=1e-9, atol=1e-12)
