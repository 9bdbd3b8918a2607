"""The pydantic models of a spec file. Layers are kept as written; `items` reads them, `expand` builds them."""

import re
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from archcalc.spec.source import MarkedDict, MarkedList

TYPES = ("int", "number", "bool", "str", "list", "any")
TypeName = Literal["int", "number", "bool", "str", "list", "any"]
Scalar = bool | int | float | str


#: Kept as written. `defined` names a definition that `archcalc.spec.schema` adds.
LayerList = Annotated[MarkedList, WithJsonSchema({"type": "array", "items": {"defined": "Item"}})]
BranchList = Annotated[MarkedDict | MarkedList, WithJsonSchema({"defined": "BranchList"})]
Let = Annotated[MarkedDict, WithJsonSchema({"type": "object", "description": "names computed in order"})]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True)


class Parameter(Model):
    """A setting of a network or a block: its type, its default (none: it must be given) and its limits."""

    type: TypeName
    default: Any = None
    required: bool = False
    choices: list[Scalar] | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    multiple_of: int | None = None
    #: The value must be greater than this.
    above: int | float | None = None
    description: str | None = None


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, (float, Fraction)):
        return "number"
    return "list" if isinstance(value, list) else "str"


def _as_parameter(value: Any) -> Any:
    """`classes: 1000` is a default, `width: int` a type without one."""
    if isinstance(value, dict):
        result = dict(value)
        result.setdefault("type", _type_of(value["default"]) if "default" in value else "any")
        result["required"] = "default" not in value
        return result
    if isinstance(value, str) and value in TYPES:
        return {"type": value, "required": True}
    return {"type": _type_of(value), "default": value}


Parameters = dict[
    str,
    Annotated[Parameter, BeforeValidator(_as_parameter), WithJsonSchema({"defined": "Declaration"})],
]


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
    "neurons",
    "depth",
]


_NUMBER = re.compile(r"\d+(?:\.\d+)?")


class Reported(Model):
    """A figure as a paper or model card prints it, with its source; `note`: why it differs from the computed one."""

    quantity: Quantity
    #: As printed. With `by`, an expression, a mapping of its values to figures: one line for a whole family.
    value: int | float | str | dict[str, int | float | str]
    by: str | None = None
    source: str
    note: str | None = None
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

    @property
    def accuracy(self) -> float | None:
        """An accuracy in percent; an error is taken from 100. None for other quantities and for what is no number."""
        found = _NUMBER.search(str(self.value))
        if found is None or not self.quantity.endswith(("accuracy", "error")):
            return None
        value = float(found[0])
        return round(100 - value if self.quantity.endswith("error") else value, 6)


class Facts(Model):
    """What a network and its variants say of themselves."""

    #: In a variant `{title}` stands for the title of the network that it varies.
    title: str | None = None
    description: str | None = None
    authors: list[str] = []
    year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    paper: Paper | None = None
    input: str | None = None
    #: The networks whose ideas it develops, by catalogue name.
    follows: list[str] = []
    reported: list[Reported] = []


class Variant(Facts):
    """A change of parameters, input or layers; `networks` limits it to some members of a family."""

    set: dict[str, Any] = {}
    #: Layers of its own, in place of those of the file.
    layers: LayerList | None = None
    networks: list[str] | None = None


class Block(Model):
    """A named part with parameters of its own: a list of layers, or branches that are merged."""

    description: str | None = None
    parameters: Parameters = {}
    inputs: list[str] = []
    let: Let | None = None
    layers: LayerList | None = None
    branches: BranchList | None = None
    merge: str | None = None
    outputs: list[str] = []


class LayerOutput(Model):
    """An output of the network: the layer, and the weight of its loss in training."""

    layer: str
    loss_weight: float | str = 1.0


def _as_output(value: Any) -> Any:
    return {"layer": value} if isinstance(value, str) else value


class Document(Facts):
    """A whole spec file: one network, or a family that shares its layers."""

    name: str
    title: str
    input: str
    parameters: Parameters = {}
    let: Let | None = None
    blocks: dict[str, Block] = {}
    networks: dict[str, Variant] = {}
    variants: dict[str, Variant] = {}
    layers: LayerList
    outputs: dict[str, Annotated[LayerOutput, BeforeValidator(_as_output)]] = {}
