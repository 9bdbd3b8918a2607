"""What was published of a network: its paper, and the figures that papers and model cards print."""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from archcalc.core.model import Model


class Paper(Model):
    """Where the network was published."""

    title: str
    venue: str | None = None
    url: str | None = None


Quantity = Literal[
    "params",
    "multiplications",
    "top1_accuracy",
    "top5_accuracy",
    "top1_error",
    "top5_error",
    "error",
    "mean_iou",
    "f1_score",
    "psnr",
    "mean_opinion_score",
    "neurons",
    "depth",
]


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Counts(Model):
    """How a source counts params or multiplications, where that differs from archcalc's way."""

    #: What it leaves out: biases, gamma (γ of batch normalisation), layers by the name of their op, or by their own
    #: name, in which * stands for anything.
    without: tuple[str, ...] = ()
    #: Whether running statistics of batch normalisation are parameters.
    running_statistics: bool = False
    #: What it counts more for each value that layers give, by the same names.
    for_each_value: dict[str, Annotated[int, Field(ge=1, le=100)]] = Field(default_factory=dict)
    #: As how many operations a multiply-add counts.
    operations: Annotated[int, Field(ge=1, le=2)] = 1

    def foreign_to(self, quantity: str) -> str:
        """The key that does not belong to a quantity; empty where all do."""
        if quantity == "params":
            return "for_each_value" if self.for_each_value else "operations" if self.operations > 1 else ""
        if quantity == "multiplications":
            named = [name for name in PARTS if name in self.without]
            return "running_statistics" if self.running_statistics else f"without: {named[0]}" if named else ""
        return next(iter(self.model_fields_set), "")


#: What can be left out besides layers.
PARTS = ("biases", "gamma")


class Reported(Model):
    """A figure as a paper or model card prints it, with its source; `note`: why it differs from the computed one."""

    quantity: Quantity
    #: As printed. With `by`, an expression, a mapping of its values to figures: one line for a whole family.
    value: int | float | str | dict[str, int | float | str]
    by: str | None = None
    source: str
    note: str | None = None
    #: How the source counts, where a rule gives its figure.
    counts: Counts | None = None
    #: Of an accuracy: how many crops of an image were averaged. None where the source does not say.
    crops: Annotated[int, Field(ge=1)] | None = None
    #: Of which network it was measured, where that is not this one.
    of: str | None = None
    #: For which settings it was reported: an expression in the parameters and in height, width and channels of the
    #: input. Without it the figure belongs to the network exactly as the file gives it.
    when: str | bool | None = None

    @model_validator(mode="after")
    def _by_needs_mapping(self) -> "Reported":
        if isinstance(self.value, dict) != (self.by is not None):
            raise ValueError("`by` and a mapping of values go together: by: depth, value: {18: 1.8 billion, …}")
        return self

    @model_validator(mode="after")
    def _counts_belong_to_quantity(self) -> "Reported":
        if self.counts is not None and (foreign := self.counts.foreign_to(self.quantity)):
            raise ValueError(f"`counts`: {foreign} does not change {self.quantity}")
        return self

    @property
    def accuracy(self) -> float | None:
        """An accuracy in percent; an error is taken from 100. None for other quantities and for what is no number."""
        found = _NUMBER.search(str(self.value))
        if found is None or not self.quantity.endswith(("accuracy", "error")):
            return None
        value = float(found[0])
        return round(100 - value if self.quantity.endswith("error") else value, 6)
