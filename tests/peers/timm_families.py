"""One model of every family of timm: which, and what PyTorch says of it. A family is a module of timm.models.

`python -m tests.peers.timm_families --seed 1` measures another choice of models and prints a row for each: the kinds of
its opaque layers, and how many parameters and multiplications more than PyTorch it has. Families may be named after it.
"""

from __future__ import annotations

import argparse
import importlib
import random
import warnings
from typing import Any

from archcalc.interop import torch_export

timm: Any = importlib.import_module("timm")
_MODULES: dict[str, Any] = importlib.import_module("timm.models._registry")._module_to_models
#: The seed of the choice that the tests measure.
SEED = 20261128
#: The most parameters of a model that is chosen; where all that are drawn have more, the smallest of them is taken.
LARGEST = 40_000_000
#: Models drawn of a family.
DRAWN = 4


def families() -> list[str]:
    """The modules of timm that register models."""
    return sorted(_MODULES)


def module_of(name: str) -> Any:
    """A model at inference, without memory for its large weights."""
    with warnings.catch_warnings():
        # Some names are old ones of models that have other names now.
        warnings.filterwarnings("ignore", "Mapping deprecated model name")
        return torch_export.made(timm.create_model, name, pretrained=False).eval()


def shape_of(module: Any) -> tuple[int, ...]:
    """The shape of its input, (channels, height, width)."""
    return tuple(module.pretrained_cfg["input_size"])


def chosen(family: str, seed: int = SEED) -> str:
    """A model of a family: the first of a few drawn at random that is small, or the smallest of them."""
    names: list[str] = sorted(_MODULES[family])
    drawn = random.Random(f"{seed}/{family}").sample(names, min(DRAWN, len(names)))
    sizes: dict[str, int] = {}
    for name in drawn:
        sizes[name] = sum(parameter.numel() for parameter in module_of(name).parameters())
        if sizes[name] <= LARGEST:
            return name
    return min(sizes, key=lambda name: sizes[name])


def differences(name: str) -> str:
    """What a model has that PyTorch does not count: its opaque layers, further parameters and multiplications."""
    from tests.peers.imported import compared

    module = module_of(name)
    (params, _, products), stated, opaque = compared(module, shape_of(module), name)
    found = [f"opaque: {', '.join(opaque)}"] if opaque else []
    found += [f"parameters: {params - stated.params:+,}"] if params != stated.params else []
    if not opaque and products != stated.multiplications:
        found += [f"multiplications: {products} ≠ {stated.multiplications}"]
    return "; ".join(found) or "equal"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("families", nargs="*", default=families())
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    for family in given.families:
        model = chosen(family, given.seed)
        print(family, model, differences(model), sep="  ", flush=True)
