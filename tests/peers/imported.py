"""What PyTorch itself says of its modules."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from archcalc.interop import torch_export
from archcalc.interop.foreign import ForeignNetwork, to_network
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse


def module_of(name: str) -> Any:
    """A model of torchvision at inference, or a part of it (`model.backbone`), without memory for its weights."""
    import torchvision  # timm's models are counted without it

    model, _, part = name.partition(".")
    families = (torchvision.models.segmentation, torchvision.models.detection)
    apart = any(model in torchvision.models.list_models(module=family) for family in families)
    settings = {"weights": None, **({"weights_backbone": None} if apart else {})}
    with warnings.catch_warnings(), torch_export.without_weights():
        # GoogLeNet and Inception v3 announce other initial values; none are looked at here.
        warnings.filterwarnings("ignore", "The default weight initialization", FutureWarning)
        made = torchvision.models.get_model(model, **settings).eval()
    return getattr(made, part) if part else made


def shape_of(name: str) -> tuple[int, ...]:
    """The input that a model of torchvision is tried on."""
    if name.endswith(".backbone"):
        return (3, 320, 320)
    if name in ("r3d_18", "mc3_18", "r2plus1d_18"):
        return (3, 16, 112, 112)
    return (3, 16, 224, 224) if name.startswith(("swin3d", "s3d", "mvit")) else (3, 224, 224)


class Given:
    """The weights that came with a network."""

    def __init__(self, arrays: Mapping[str, Mapping[str, Any]]) -> None:
        self.arrays = arrays

    def of(self, layer: str, sizes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Any]:
        """The arrays of a layer by name, in these sizes."""
        found = {name: np.asarray(load()) for name, load in self.arrays[layer].items()}
        return {name: found[name].reshape(size) for name, size in sizes.items()}


def noted(foreign: ForeignNetwork, words: str) -> int:
    """The sum of the numbers that notes with these words begin with."""
    return sum(int(note.split()[0].replace(",", "")) for note in foreign.notes if words in note)


class Counts(NamedTuple):
    """What is compared of a module. Buffers are left out where inference does not use all that is stored."""

    params: int
    buffers: int | None
    multiplications: int | None


def compared(module: Any, shape: tuple[int, ...], name: str) -> tuple[Counts, Counts, list[str]]:
    """What archcalc counts of a module, what PyTorch states, and the kinds of the layers that are opaque."""
    foreign = recognise(torch_export.trace(module, shape, name))
    analysis = analyse(to_network(foreign))
    totals, rows = analysis.totals, {row.name for row in analysis.rows}
    unused, filters = noted(foreign, "not used at inference"), noted(foreign, "values of buffers")
    stored = {name.replace(".", "/"): buffer for name, buffer in module.named_buffers()}
    buffers = sum(buffer.numel() for name, buffer in stored.items() if buffer.is_floating_point() or name in rows)
    found = Counts(
        totals.params + unused - filters,
        None if unused else totals.buffers + filters - noted(foreign, "computes and does not store"),
        None if totals.not_counted else totals.multiplications + noted(foreign, "of stored tensors alone"),
    )
    params = sum(parameter.numel() for parameter in module.parameters())
    stated = Counts(params, None if unused else buffers, counted_by_torch(module, shape))
    return found, stated, sorted({str(node.fields["of"]) for node in foreign.nodes if node.op == "opaque"})


def counted_by_torch(module: Any, shape: tuple[int, ...]) -> int:
    """Multiplications of one image: FlopCounterMode counts a multiplication and an addition for each.

    Attention is counted as its matrix products; the fused paths of MultiheadAttention and of recurrent layers, which
    the counter does not know, are off.
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
    has_onednn = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), mode, FlopCounterMode(display=False) as counter:
            whole(*given)
    finally:
        torch.backends.mha.set_fastpath_enabled(is_fast)
        torch._C._set_mkldnn_enabled(has_onednn)
        for parameter in trained:
            parameter.requires_grad_(True)
    return int(counter.get_total_flops()) // 2
