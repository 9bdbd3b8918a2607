"""What the executor knows of a kernel: how to call it, which arrays it reads, and what kind of function it is."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, Unpack, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from archcalc.execute.kernels.moments import Moments

#: Maps are (N, C, *positions), flat ones (N, features); float32 or float64, and what goes in comes out.
Array = NDArray[Any]
#: loops: over output positions, as in the lecture notes; im2col: one matrix product, and pools tap by tap.
Algorithm = Literal["loops", "im2col"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
Sizes = Mapping[str, tuple[int, ...]]

#: Keyword arguments of kernels that are no settings of a layer.
_OPTIONS = {"algorithm", "out", "switches", "training"}


class Switches(NamedTuple):
    """Where max pooling found its values: the index of each among all positions of its channel, in order.

    `size`: how many there are along each axis; in an image the index is row·width + column.
    """

    position: NDArray[np.intp]
    size: tuple[int, ...]


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
    """A kernel and what the executor must know of it. Only `kind` and `run` are needed; the rest has a default.

    How it is called:

    run: the maps as positional arguments, the layer's arrays and settings by keyword. The settings are its
        keyword-only parameters, those of a TypedDict after `**` included.
    arrays: names and shapes of the arrays that `run` reads, from the maps and the settings.
    run_with_switches: like `run`, and it also gives the positions of the maxima.
    takes_switches_of: the input whose switches `run` wants.

    What is counted:

    weight_uses: how often each weight is multiplied for one image, from the executed maps (first input, output);
        None where a layer is neither a convolution nor dense.
    products: the multiply-adds of one image where they are more than uses of `weight`, from the executed maps, then the
        result, and the settings: attention, recurrent layers, products of two maps.
    matrices: sizes of the matrices that `im2col` multiplies, from the map, the weights and the settings.

    How its weights are drawn, and those of the layers before and after it:

    output_axis: the axis of the results in `weight`.
    fans: fan-in and fan-out of a weight, from the shape of `weight` and the settings.
    is_rectifier: negative values become 0.
    before_rectifier: a rectifier after this layer halves the mean square of what was multiplied before it too.
    normalises: the result has variance 1, whatever came in.
    moments: mean and variance of the result from those of the inputs and the settings; those of the first input
        where there is no such function.

    What an output layer gives, for the loss:

    gives: scores; probabilities of the scores that it reads; or distances, of which the smallest wins.
    """

    kind: str
    run: Callable[..., Array]
    arrays: Callable[..., Sizes] | None = None
    run_with_switches: Callable[..., tuple[Array, Switches]] | None = None
    takes_switches_of: int | None = None
    weight_uses: Callable[[Array, Array], int] | None = None
    products: Callable[..., int] | None = None
    matrices: Callable[..., Matrices] | None = None
    output_axis: int = 0
    fans: Callable[..., tuple[int, int]] | None = None
    is_rectifier: bool = False
    before_rectifier: bool = False
    normalises: bool = False
    moments: Callable[..., Moments] | None = None
    gives: Literal["scores", "probabilities", "distances"] = "scores"

    @property
    def multiplies_weights(self) -> bool:
        """Whether it makes sums of products with weights, as convolutions, attention and recurrent layers do."""
        return self.weight_uses is not None or (self.products is not None and self.arrays is not None)

    @property
    def settings(self) -> frozenset[str]:
        """Names of the settings that `run` reads."""
        return settings_of(self.run)

    @property
    def array_settings(self) -> frozenset[str]:
        """Settings on which the shapes of the arrays depend."""
        return settings_of(self.arrays)

    @property
    def array_maps(self) -> int:
        """How many of the layer's maps the shapes of the arrays depend on: the first, as a rule."""
        assert self.arrays is not None
        return sum(
            each.kind is each.POSITIONAL_OR_KEYWORD for each in inspect.signature(self.arrays).parameters.values()
        )

    @property
    def options(self) -> frozenset[str]:
        """What else `run` takes: a choice of algorithms, `out` for its result, `training`, `switches`."""
        return _keywords(self.run) & _OPTIONS

    @property
    def in_place(self) -> bool:
        """Whether `run` can put its result over its input."""
        return "out" in self.options


def settings_of(function: Callable[..., Any] | None) -> frozenset[str]:
    """Names of the settings of a layer that a function reads."""
    return frozenset() if function is None else _keywords(function) - _OPTIONS


@cache
def _keywords(function: Callable[..., Any]) -> frozenset[str]:
    """The keyword-only parameters of a function; `**settings: Unpack[Settings]` means the keys of Settings."""
    found = set()
    for each in inspect.signature(function).parameters.values():
        if each.kind is inspect.Parameter.KEYWORD_ONLY:
            found.add(each.name)
        elif each.kind is inspect.Parameter.VAR_KEYWORD:
            hint = get_type_hints(function)[each.name]
            if get_origin(hint) is Unpack:  # else they are the arrays of the layer
                found.update(get_type_hints(get_args(hint)[0]))
    return frozenset(found)


#: The kernels by the name of their op.
KERNELS: dict[str, Kernel] = {}
Function = TypeVar("Function", bound=Callable[..., Array])


#: Numbers of position axes for which the ops of a family are there.
RANKS = (1, 2, 3)


def kernel(kind: str, **facts: Any) -> Callable[[Function], Function]:
    """Register a function as the kernel of an op; `facts` are the fields of `Kernel`.

    convNd stands for conv1d, conv2d and conv3d.
    """

    def register(function: Function) -> Function:
        for each in kinds_of(kind):
            KERNELS[each] = Kernel(each, function, **facts)
        return function

    return register


def kinds_of(kind: str) -> list[str]:
    """The op itself, or those of all ranks where the name ends in Nd."""
    return [f"{kind[:-2]}{rank}d" for rank in RANKS] if kind.endswith("Nd") else [kind]


def positions(x: Array) -> tuple[int, ...]:
    """The position axes of a map (N, C, *positions)."""
    return tuple(range(2, x.ndim))


def by_channel(values: Array, x: Array) -> Array:
    """A value a channel, in a shape that is spread over the positions of the map x."""
    return values.reshape(-1, *(1,) * (x.ndim - 2))
