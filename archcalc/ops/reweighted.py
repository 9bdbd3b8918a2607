"""Weights that are made of other arrays: weight normalisation and spectral normalisation."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import product
from archcalc.core.shapes import Shape
from archcalc.ops.base import Op, Param


class Reweighted(Op):
    """An op whose `weight` may be normalised; what it costs to make the weight is no part of a forward pass.

    `weight_norm`: the weight is g·v/‖v‖, one length g for each index of the first axis; g and v are trained in its
    place, as `original0` and `original1`. Source: Salimans & Kingma 2016, equation 2; PyTorch,
    `parametrizations.weight_norm`, whose axis is the first for transposed convolutions too.

    `spectral_norm`: the weight divided by σ = uᵀ·W·v, an estimate of its largest singular value as a matrix of
    outputs × the rest; the vectors `_u` and `_v` of the power method are buffers. Source: Miyato et al. 2018,
    algorithm 1; PyTorch, `parametrizations.spectral_norm`.
    """

    #: The axis of the outputs in the weight.
    output_axis: ClassVar[int] = 0

    weight_norm: bool = False
    spectral_norm: bool = False

    def stored(self, weight: Param) -> tuple[Param, ...]:
        """The arrays that stand for the weight."""
        if self.weight_norm:
            first, *others = weight.shape
            return Param("original0", (first, *(1 for _ in others))), Param("original1", weight.shape)
        if self.spectral_norm:
            outputs = weight.shape[self.output_axis]
            rest = product([size for axis, size in enumerate(weight.shape) if axis != self.output_axis])
            vectors = (("_u", outputs), ("_v", rest))
            return (weight, *(Param(name, (size,), trainable=False, buffer=True) for name, size in vectors))
        return (weight,)

    def pytorch_names(self) -> Mapping[str, str]:
        if self.weight_norm:
            return {name: f"parametrizations.weight.{name}" for name in ("original0", "original1")}
        if self.spectral_norm:
            vectors = {name: f"parametrizations.weight.0.{name}" for name in ("_u", "_v")}
            return {"weight": "parametrizations.weight.original", **vectors}
        return {}

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        super().check(inputs, strict)
        normalised = self.weight_norm or self.spectral_norm
        if self.weight_norm and self.spectral_norm:
            raise ShapeError("weight_norm and spectral_norm cannot be combined")
        if normalised and getattr(self, "connections", None) is not None:
            raise ShapeError("the filters of a connection table cannot be normalised")

    def normalised(self) -> list[str]:
        """The normalisation in words, for a heading."""
        words = {say("weight norm"): self.weight_norm, say("spectral norm"): self.spectral_norm}
        return [name for name, is_there in words.items() if is_there]
