"""One model of every family of timm: parameters, buffers and multiplications are those that PyTorch counts."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="PyTorch reads its own modules: pip install 'archcalc[peers]'")
pytest.importorskip("timm", reason="its models are what is read: pip install timm")

from tests.peers.imported import compared  # noqa: E402  # it needs both
from tests.peers.timm_families import chosen, families, module_of, shape_of  # noqa: E402

pytestmark = pytest.mark.peers


@pytest.mark.parametrize("family", families())
def test_counts_of_timm(family: str) -> None:
    name = chosen(family)
    module = module_of(name)
    found, stated, opaque = compared(module, shape_of(module), name)
    assert opaque == []
    assert (found.params, found.multiplications) == (stated.params, stated.multiplications)
