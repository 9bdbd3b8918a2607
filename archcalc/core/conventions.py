"""What is counted, and how: named choices that are printed under every table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archcalc.core.language import all_of, say, say_many
from archcalc.core.words import several

BYTES: dict[str, int] = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}

#: The layers whose multiplications everyone counts.
PRODUCTS = "convolution and dense layers"


@dataclass(frozen=True)
class Conventions:
    """The choices in which tools and textbooks differ.

    running_statistics: count BatchNorm's running mean and variance as (untrained) parameters, as Keras does.
    in_place: activation functions overwrite their input and store nothing.
    strict: a window that does not tile its input is an error.
    params_rule, multiplications_rule: what another tool counts, in a sentence, where the numbers are its.

    >>> import archcalc as ac
    >>> ac.analyse("resnet50", conventions=ac.Conventions(running_statistics=True)).totals.params
    25610152

    """

    running_statistics: bool = False
    in_place: bool = True
    strict: bool = False
    params_rule: str = ""
    multiplications_rule: str = ""

    def describe(self, batch: int = 1, dtype: str = "float32", counted: Sequence[str] = (PRODUCTS,)) -> dict[str, str]:
        """Each choice in a sentence, by name; `counted` are the kinds of layers whose multiplications count."""
        others = all_of([say(one) for one in counted if one != PRODUCTS])
        size = BYTES[dtype]
        return {
            "multiplications": self.multiplications_rule
            or (
                say("of convolution and dense layers, one for each multiply-add, bias additions not counted; per image")
                if not others
                else say(
                    "of convolution and dense layers and of {others}, one for each multiply-add, bias additions not "
                    "counted; per image",
                    others=others,
                )
                if PRODUCTS in counted
                else say("of {others}, one for each multiply-add, bias additions not counted; per image", others=others)
            ),
            "params": self.params_rule
            or (
                say(
                    "weights, biases, γ and β; running statistics of batch normalisation count as parameters that are "
                    "not trained"
                )
                if self.running_statistics
                else say(
                    "weights, biases, γ and β; running statistics of batch normalisation are buffers, not parameters"
                )
            ),
            "stored": say_many(
                "new values that a layer keeps, {dtype} ({count} byte each)",
                "new values that a layer keeps, {dtype} ({count} bytes each)",
                size,
                dtype=dtype,
            )
            + (f", {several(batch, 'image')}" if batch > 1 else "")
            + (
                say("; activation functions work in place")
                if self.in_place
                else say("; activation functions keep their output too")
            ),
            "peak": say("values alive at one time at inference, each map freed after its last reader"),
            "receptive_field": say(
                "input pixels that an output can depend on, padding included; not cut off at the image"
            ),
        }
