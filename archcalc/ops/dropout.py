"""What is dropped in training and left alone at inference, besides plain dropout."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from archcalc.core.language import with_value
from archcalc.core.numbers import Number
from archcalc.core.shapes import Shape
from archcalc.ops.base import Count, Pointwise, Real, elements, names

Probability = Annotated[Real, Field(ge=0, le=1)]


class TrainingOnly(Pointwise):
    """Does nothing at inference, so that it costs nothing."""

    saves = ()
    family = "regularisation"
    in_place = True
    is_view = True
    only_in_training = True

    p: Probability = 0.5

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return elements(output)  # one byte of the mask for each value

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return with_value(self.noun, f"{self.p:g}")


class StochasticDepth(TrainingOnly):
    """Drops a whole residual branch, of the batch or of each image (`row`). Source: Huang et al. 2016, equation 2."""

    kind = "stochastic_depth"
    stem = "drop"
    noun = "stochastic depth"
    words = names("droppath|drop path|drop connect|dropconnect|survival probability|стохастическая глубина|随机深度")

    mode: Literal["batch", "row"] = "row"

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return 1  # whether the image keeps the branch


class DropBlock(TrainingOnly):
    """Drops squares of `block_size` positions of each channel. Source: Ghiasi et al. 2018, algorithm 1."""

    kind = "drop_block"
    stem = "drop"
    noun = "drop block"
    words = names("dropblock|drop block2d|drop block3d|block dropout")

    block_size: Count = 7


class FeatureDropout(TrainingOnly):
    """Drops whole channels; PyTorch's Dropout1d, 2d and 3d. Source: Tompson et al. 2015, section 3.2."""

    kind = "feature_dropout"
    stem = "drop"
    noun = "feature dropout"
    words = names("dropout1d|dropout3d|spatial dropout|spatialdropout|channel dropout")

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return output[0]  # one byte of the mask for each channel


class AlphaDropout(TrainingOnly):
    """Sets values to SELU's lowest one and keeps mean and variance. Source: Klambauer et al. 2017, section 3."""

    kind = "alpha_dropout"
    stem = "drop"
    noun = "alpha dropout"
    words = names("alphadropout|alpha drop out")


class FeatureAlphaDropout(TrainingOnly):
    """Alpha dropout of whole channels. Source: PyTorch, `FeatureAlphaDropout`."""

    kind = "feature_alpha_dropout"
    stem = "drop"
    noun = "feature alpha dropout"
    words = names("featurealphadropout")

    def saved_bytes(self, inputs: Sequence[Shape], output: Shape) -> Number:
        return output[0]  # one byte of the mask for each channel
