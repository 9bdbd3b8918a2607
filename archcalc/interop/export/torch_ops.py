"""How each op is spelt in PyTorch. What PyTorch has no module for is a class of torch_modules.txt."""

from __future__ import annotations

from archcalc.interop.export import torch_merges, torch_pointwise, torch_shapes, torch_trained, torch_windows
from archcalc.interop.export.spelling import PYTORCH, Case, Speller, Spelling, entry_of

TABLE: dict[str, Speller] = {
    **torch_pointwise.TABLE,
    **torch_windows.TABLE,
    **torch_trained.TABLE,
    **torch_shapes.TABLE,
    **torch_merges.TABLE,
}


def spell(case: Case) -> Spelling:
    """The layer in PyTorch. Raises `UsageError` that names the layer where there is no such thing."""
    return entry_of(TABLE, case, PYTORCH)(case)
