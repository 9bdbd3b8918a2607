"""What the executor knows of a kernel: how to call it, and which arrays it consumes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

#: Maps are (N, C, H, W), flat ones (N, features); float32 or float64, and what goes in comes out.
Array = NDArray[Any]
#: loops: over output positions, as in the lecture notes; im2col: one matrix product; fast: what is quickest here.
Algorithm = Literal["auto", "loops", "im2col", "fast"]
ALGORITHMS: tuple[Algorithm, ...] = ("auto", "loops", "im2col", "fast")
Sizes = Mapping[str, tuple[int, ...]]

#: Keyword arguments of kernels that are no settings of a layer.
_NOT_SETTINGS = {"algorithm", "out", "switches", "training"}


class Switches(NamedTuple):
    """Where max pooling found its values: positions row·width + column in a plane of this height and width."""

    position: NDArray[np.intp]
    size: tuple[int, int]


class Matrices(NamedTuple):
    """The product W_row · X_col of one image: rows and columns of both, of the result, and how many such products."""

    w_row: tuple[int, int]
    x_col: tuple[int, int]
    result: tuple[int, int]
    groups: int

    def __str__(self) -> str:
        product = f"{self.w_row[0]}×{self.w_row[1]} · {self.x_col[0]}×{self.x_col[1]}"
        return product if self.groups == 1 else f"{self.groups} × ({product})"


@dataclass(frozen=True)
class Kernel:
    """A kernel and what goes with it.

    run: the maps as positional arguments, the layer's arrays and settings by keyword.
    arrays: names and shapes of the arrays that `run` consumes, from the maps and the settings.
    weight_uses: how often each weight is multiplied for one image, from the executed maps (first input, output);
        None where a layer is neither a convolution nor dense, for only those have multiply-adds.
    matrices: sizes of the matrices that `im2col` multiplies, from the map, the weights and the settings.
    run_with_switches: like `run`, and it also gives the positions of the maxima.
    takes_switches_of: the input whose switches `run` wants.
    settings: names of the settings that `run` reads.
    """

    kind: str
    run: Callable[..., Array]
    arrays: Callable[..., Sizes] | None = None
    weight_uses: Callable[[Array, Array], int] | None = None
    matrices: Callable[..., Matrices] | None = None
    run_with_switches: Callable[..., tuple[Array, Switches]] | None = None
    takes_switches_of: int | None = None

    @property
    def settings(self) -> frozenset[str]:
        return settings_of(self.run)

    @property
    def array_settings(self) -> frozenset[str]:
        """Settings on which the shapes of the arrays depend."""
        return frozenset() if self.arrays is None else _keyword_only(self.arrays)

    @property
    def matrix_settings(self) -> frozenset[str]:
        """Settings on which the sizes of the matrices depend."""
        return frozenset() if self.matrices is None else _keyword_only(self.matrices)

    @property
    def has_forms(self) -> bool:
        """Whether `run` can be told which algorithm to use."""
        return "algorithm" in _keyword_only(self.run)

    @property
    def in_place(self) -> bool:
        """Whether `run` can put its result over its input (`out=`)."""
        return "out" in _keyword_only(self.run)

    @property
    def has_training(self) -> bool:
        """Whether `run` does something else in training (`training=`)."""
        return "training" in _keyword_only(self.run)


def settings_of(function: Callable[..., Any]) -> frozenset[str]:
    """Names of the settings of a layer that a function reads."""
    return _keyword_only(function) - _NOT_SETTINGS


def _keyword_only(function: Callable[..., Any]) -> frozenset[str]:
    parameters = inspect.signature(function).parameters.values()
    return frozenset(each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY)


#: The kernels by the name of their op.
KERNELS: dict[str, Kernel] = {}
Function = TypeVar("Function", bound=Callable[..., Array])


def kernel(kind: str, **facts: Any) -> Callable[[Function], Function]:
    """Register a function as the kernel of an op; `facts` are the fields of `Kernel`."""

    def register(function: Function) -> Function:
        KERNELS[kind] = Kernel(kind, function, **facts)
        return function

    return register
