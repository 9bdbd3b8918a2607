"""One model of every family of timm: parameters, buffers and multiplications are those that PyTorch counts."""

from __future__ import annotations

import pytest

from archcalc.interop import torch_export
from archcalc.interop.foreign import to_network
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse

torch = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")
pytest.importorskip("timm", reason="its models are what is read: pip install timm")

from tests.peers.imported import counted_by_torch, noted  # noqa: E402  # it needs both
from tests.peers.timm_families import chosen, families, module_of, shape_of  # noqa: E402

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("family", families())
def test_counts_of_timm(family: str) -> None:
    name = chosen(family)
    module = module_of(name)
    shape = shape_of(module)
    foreign = recognise(torch_export.trace(module, shape, name))
    opaque = {node.fields["of"] for node in foreign.nodes if node.op == "opaque"}
    assert opaque == set()
    totals = analyse(to_network(foreign)).totals
    stated = sum(parameter.numel() for parameter in module.parameters())
    assert totals.params + noted(foreign, "not used at inference") - noted(foreign, "values of buffers") == stated
    products = totals.multiplications + noted(foreign, "of stored tensors alone")
    assert products == counted_by_torch(module, shape)
