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


class ExecutedLayer(NamedTuple):
    """What was seen of one layer; counts are for one image, `live_bytes` for the whole batch while the layer ran.

    Layers that ran as one share their map, and so its `live_bytes`. `matrices` are the sizes that im2col multiplied,
    where it was asked for by name. `owner` is the layer whose `arrays` they are, itself unless weights are shared.
    """

    name: str
    shape: Shape
    dtype: str
    arrays: Mapping[str, Shape]
    multiplications: int
    live_bytes: int
    matrices: Matrices | None = None
    owner: str = ""


class ValueDifference(NamedTuple):
    """A layer of a planned run whose values are not those of the plain kernels, and how far off."""

    layer: str
    difference: str


class Values(NamedTuple):
    """The layers of a planned run whose values were compared with those of the plain kernels.

    `largest`: the largest difference, as a share of the largest value of its map.
    """

    compared: tuple[str, ...]
    largest: float
    differences: tuple[ValueDifference, ...]


@dataclass(frozen=True)
class Execution:
    """A run: what each layer did, and the maps of the network's outputs by name; `values` where they were compared."""

    layers: tuple[ExecutedLayer, ...]
    outputs: Mapping[str, Array]
    batch: int
    values: Values | None = None


class KernelError(ArchcalcError):
    """A kernel could not take what reached it, although the analysis says that the layer fits."""
