"""What PyTorch itself says of its modules."""

from __future__ import annotations

from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archcalc.interop import torch_export
from archcalc.interop.foreign import ForeignNetwork


def module_of(name: str) -> Any:
    """A model of torchvision at inference, without memory for its weights."""
    import torchvision  # timm's models are counted without it

    segmentation = torchvision.models.list_models(module=torchvision.models.segmentation)
    settings = {"weights": None, **({"weights_backbone": None} if name in segmentation else {})}
    with torch_export.without_weights():
        return torchvision.models.get_model(name, **settings).eval()


def noted(foreign: ForeignNetwork, words: str) -> int:
    """The sum of the numbers that notes with these words begin with."""
    return sum(int(note.split()[0].replace(",", "")) for note in foreign.notes if words in note)


def counted_by_torch(module: Any, shape: tuple[int, ...]) -> int:
    """Multiplications of one image: FlopCounterMode counts a multiplication and an addition for each.

    Attention is counted as its matrix products; the fused path of MultiheadAttention, which the counter does not know,
    is off.
    """
    whole, args, _ = torch_export.on_fake_tensors(module, shape)
    modes = [parameter.fake_mode for parameter in whole.parameters() if hasattr(parameter, "fake_mode")]
    mode = modes[0] if modes else FakeTensorMode(allow_non_fake_inputs=True)
    given = [x if hasattr(x, "fake_mode") else mode.from_tensor(x) for x in args]
    trained = [parameter for parameter in whole.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)  # the counter would follow gradients, which there are none of
    is_fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), mode, FlopCounterMode(display=False) as counter:
            whole(*given)
    finally:
        torch.backends.mha.set_fastpath_enabled(is_fast)
        for parameter in trained:
            parameter.requires_grad_(True)
    return int(counter.get_total_flops()) // 2
