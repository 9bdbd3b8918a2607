"""The pydantic models of a spec file. Layers are kept as written; `items` reads them, `expand` builds them."""

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from archcalc.core.model import Model
from archcalc.graph.published import Paper, Reported
from archcalc.spec.source import MarkedDict, MarkedList

TYPES = ("int", "number", "bool", "str", "list", "any")
TypeName = Literal["int", "number", "bool", "str", "list", "any"]
Scalar = bool | int | float | str


#: Kept as written. `defined` names a definition that `archcalc.spec.schema` adds.
LayerList = Annotated[MarkedList, WithJsonSchema({"type": "array", "items": {"defined": "Item"}})]
BranchList = Annotated[MarkedDict | MarkedList, WithJsonSchema({"defined": "BranchList"})]
Let = Annotated[MarkedDict, WithJsonSchema({"type": "object", "description": "names computed in order"})]


#: A whole or finite number.
Limit = int | Annotated[float, Field(allow_inf_nan=False)]


class Parameter(Model):
    """A setting of a network or a block: its type, its default (none: it must be given) and its limits."""

    type: TypeName
    default: Any = None
    required: bool = False
    choices: list[Scalar | list[Any]] | None = None
    minimum: Limit | None = None
    maximum: Limit | None = None
    multiple_of: Annotated[int, Field(ge=1)] | None = None
    #: The value must be greater than this.
    above: Limit | None = None
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


#: The size of an input: 224x224x3, or a number.
Size = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if type(value) is int else value),
    WithJsonSchema({"type": ["string", "integer"]}),
]


class Implementation(Model):
    """The network of a library that this one is: where it stands; `networks` limits it to some members of a family."""

    source: str
    networks: list[str] | None = None


class Facts(Model):
    """What a network and its variants say of themselves."""

    #: In a variant `{title}` stands for the title of the network that it varies.
    title: str | None = None
    description: str | None = None
    authors: list[str] = []
    year: Annotated[int, Field(ge=1900, le=2100)] | None = None
    paper: Paper | None = None
    input: Size | None = None
    #: Several inputs, each with its size.
    inputs: dict[str, Size] | None = None
    #: The networks whose ideas it develops, by catalogue name.
    follows: list[str] = []
    reported: list[Reported] = []
    #: The libraries whose own network this very one is, variants not among it.
    implementations: dict[str, Implementation] = {}


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
    #: Every use after the first has the weights of the first: true, false or a condition.
    shared: bool | str = False


class LayerOutput(Model):
    """An output of the network: the layer, the weight of its loss, and whether it is there for the training alone."""

    layer: str
    loss_weight: float | str = 1.0
    training_only: bool = False


def _as_output(value: Any) -> Any:
    return {"layer": value} if isinstance(value, str) else value


def _as_outputs(value: Any) -> Any:
    """`[p3, p4]` is `{p3: p3, p4: p4}`."""
    is_list = isinstance(value, list) and all(isinstance(name, str) for name in value)
    if is_list and len(set(value)) < len(value):
        raise ValueError("an output is named twice")
    return {name: name for name in value} if is_list else value


class Document(Facts):
    """A whole spec file: one network, or a family that shares its layers."""

    name: str
    #: Other names of the network of a catalogue, or of the default member of a family.
    aliases: list[str] = []
    title: str
    #: Whether charts of the catalogue show it unless other networks are named.
    landmark: bool = False
    parameters: Parameters = {}
    let: Let | None = None
    blocks: dict[str, Block] = {}
    networks: dict[str, Variant] = {}
    variants: dict[str, Variant] = {}
    layers: LayerList
    outputs: Annotated[
        dict[str, Annotated[LayerOutput, BeforeValidator(_as_output)]], BeforeValidator(_as_outputs)
    ] = {}
