"""What the executor knows of a gradient: how to call it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar

from archcalc.execute.kernels.registry import Array, kinds_of, settings_of


class Gradients(NamedTuple):
    """Gradients of the loss with respect to each map that was read (None: it has no part in it), and to each array."""

    maps: tuple[Array | None, ...]
    arrays: Mapping[str, Array] = {}


#: How a result depends on what was read. linear: as a sum or a choice of values; rectifier: as one, with what is below
#: 0 set to 0; rescaled: value by value, in the same order, by a curve or a divisor; other: in some other way.
Nature = Literal["linear", "rectifier", "rescaled", "other"]


@dataclass(frozen=True)
class Backward:
    """A gradient and what goes with it.

    run: the gradient of the result, then the maps; the layer's arrays and settings by keyword.
    nature: what a deconvnet must know of the layer.
    nature_of_one: the same where the layer has a single input.
    """

    kind: str
    run: Callable[..., Gradients]
    nature: Nature = "other"
    nature_of_one: Nature | None = None

    @property
    def settings(self) -> frozenset[str]:
        """Names of the settings that `run` reads."""
        return settings_of(self.run)


#: The gradients by the name of their op.
BACKWARD: dict[str, Backward] = {}
Function = TypeVar("Function", bound=Callable[..., Gradients])


def backward(kind: str, **facts: Any) -> Callable[[Function], Function]:
    """Register a function as the gradient of an op's kernel; `facts` are the fields of `Backward`."""

    def register(function: Function) -> Function:
        for each in kinds_of(kind):
            BACKWARD[each] = Backward(each, function, **facts)
        return function

    return register


def with_bias(weight: Array, bias: Array | None, grad: Array, axes: tuple[int, ...]) -> dict[str, Array]:
    """The gradient of the weight, and of a bias that was added along these axes: the sum of what came there."""
    return {"weight": weight} if bias is None else {"weight": weight, "bias": grad.sum(axis=axes)}
