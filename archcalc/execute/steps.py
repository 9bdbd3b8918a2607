"""What was seen of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from archcalc.core.errors import ArchcalcError
from archcalc.core.shapes import Shape
from archcalc.execute.kernels import Array, Matrices

#: Called after a layer with its position and its map (N, C, H, W), which later layers may overwrite.
Observer = Callable[[int, Array], None]
#: Called with the position of the layer that has just run.
Reporter = Callable[[int], None]


class Step(NamedTuple):
    """What was seen of one layer; counts are for one image, `live_bytes` for the whole batch while the layer ran.

    Layers that ran as one share their map, and so its `live_bytes`. `matrices` are the sizes that im2col multiplied,
    where it was asked for by name.
    """

    name: str
    shape: Shape
    dtype: str
    arrays: Mapping[str, Shape]
    multiplications: int
    live_bytes: int
    matrices: Matrices | None = None


@dataclass(frozen=True)
class Execution:
    """A run: what each layer did, and the maps of the network's outputs by name."""

    steps: tuple[Step, ...]
    outputs: Mapping[str, Array]
    batch: int


class KernelError(ArchcalcError):
    """A kernel could not take what reached it, although the analysis says that the layer fits."""
