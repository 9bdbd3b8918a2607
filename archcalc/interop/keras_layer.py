"""A layer of Keras while it is read: its settings, checked, and the maps that reach it.

A map of Keras has its channels last or first. `Tensor.last` says which of its axes archcalc has as the channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.core.shapes import LARGEST_FLAT, Shape
from archcalc.interop.assemble import Assembler, fault

if TYPE_CHECKING:
    import numpy

    from archcalc.interop.foreign import LazyArray

#: Array in, array out: an array of Keras in the layout of archcalc.
Transform = Callable[["numpy.ndarray[Any, Any]"], "numpy.ndarray[Any, Any]"]


class Wide(NamedTuple):
    """A map with more axes than there are here: its sizes in Keras, and then its axes in another order."""

    sizes: Shape
    order: tuple[int, ...]


class Tensor(NamedTuple):
    """A map: its node, whether Keras has its channels last, and of a flat one how its values lie.

    `order`: the maps whose values lie one after the other in it, channels last in Keras and channels first here;
    empty where both have the same order. `source`: the map of one that was flattened.
    """

    node: str
    last: bool = True
    order: tuple[Shape, ...] = ()
    source: str = ""
    #: What it has become since `node`, until a layer gives it as many axes as there are here.
    wide: Wide | None = None
    #: Whether a mask says which of its steps are to be skipped.
    masked: bool = False


#: A map, or what adds the layers of one that few models read when it is read.
Output = Tensor | Callable[[], Tensor]

#: The arrays of the layers by the names that Keras gives them.
Arrays = Mapping[str, "LazyArray"]


class UnreadError(Exception):
    """A setting that archcalc does not have: the layer becomes opaque where the file says what is needed for that."""


@dataclass
class KerasLayer:
    """A layer and one of its uses.

    Args:
        net: The network that it is added to.
        kind: Its class.
        name: Its name with those of the models around it.
        config: Its settings.
        place: The file.
        last: Whether the maps of the whole model have their channels last.
        weights: Its arrays as Keras names them; none where the file has none.
        owners: Of a layer that is used again, the layers here that it was the first time.
        shape: The shape of its output without the batch, where the file says it.
        extra: The maps that were given by name: `key`, `value`, `attention_mask`.
        call: What else it was called with.
        classes: What reads each class, for layers that hold others.

    """

    net: Assembler
    kind: str
    name: str
    config: Mapping[str, Any]
    place: str
    last: bool
    weights: Arrays = field(default_factory=dict)
    owners: Sequence[str] = ()
    shape: Shape | None = None
    extra: Mapping[str, Tensor] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, Callable[[KerasLayer, list[Tensor]], Any]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    #: How many numbers it stores; None where that is not known.
    stored: Callable[[], int | None] = lambda: None
    #: The shape of its output where `shape` has none, as another layer or a model in memory has it.
    seen: Shape | None = None

    # --- settings

    def wrong(self, message: str) -> Exception:
        """The error for something that is wrong with this layer."""
        return fault(message, self.place, self.name)

    def value(self, name: str, default: Any = None) -> Any:
        """A setting as it stands in the file."""
        found = self.config.get(name, default)
        return default if found is None else found

    def integer(self, name: str, default: int | None = None, least: int = 1) -> int:
        """A whole number from `least` on."""
        return self._integer(name, self.value(name, default), least)

    def _integer(self, name: str, found: Any, least: int) -> int:
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= LARGEST_FLAT:
            raise self.wrong(f"{name} should be a whole number from {least} to {LARGEST_FLAT:,}, not {found!r:.60}")
        return found

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        found = self.value(name, default)
        if isinstance(found, bool) or not isinstance(found, (int, float)) or not math.isfinite(found):
            raise self.wrong(f"{name} should be a number, not {found!r:.60}")
        return float(found)

    def flag(self, name: str, default: bool) -> bool:
        """True or false."""
        found = self.value(name, default)
        if not isinstance(found, bool):
            raise self.wrong(f"{name} should be true or false, not {found!r:.60}")
        return found

    def word(self, name: str, default: str, *others: str) -> str:
        """One of some words; the first is the default."""
        found = self.value(name, default)
        if found not in (default, *others):
            raise self.wrong(f"{name} should be {' or '.join((default, *others))}, not {found!r:.60}")
        return str(found)

    def sizes(self, name: str, rank: int, default: int | None = None, least: int = 1) -> int | list[int]:
        """A number for each axis, or one where they are equal."""
        found = self.value(name, default)
        given = found if isinstance(found, (list, tuple)) else [found] * rank
        if len(given) != rank:
            raise self.wrong(f"{name} needs {rank} numbers, not {found!r:.60}")
        checked = [self._integer(name, one, least) for one in given]
        return checked[0] if len(set(checked)) == 1 else checked

    def integers(self, name: str, given: Sequence[Any], least: int = 1) -> list[int]:
        """Whole numbers from `least` on."""
        return [self._integer(name, one, least) for one in given]

    def pairs(self, name: str, rank: int) -> list[int]:
        """Positions before each axis and then those after: of a number, one for each axis, or two for each."""
        found = self.value(name)
        given = found if isinstance(found, (list, tuple)) else [found] * rank
        if rank == 1 and len(given) == 2:
            given = [given]
        if len(given) != rank:
            raise self.wrong(f"{name} needs a number or two for each of {rank} axes, not {found!r:.60}")
        both = [one if isinstance(one, (list, tuple)) else (one, one) for one in given]
        if any(len(one) != 2 for one in both):
            raise self.wrong(f"{name} needs two numbers for each axis, not {found!r:.60}")
        return [self._integer(name, one[side], 0) for side in (0, 1) for one in both]

    # --- maps

    def own(self, tensor: Tensor) -> Shape:
        """The shape of a map here: channels first."""
        return self.net.shape(tensor.node)

    def keras_shape(self, tensor: Tensor) -> Shape:
        """The shape of a map in Keras, without the batch."""
        channels, *sizes = self.own(tensor)
        return (*sizes, channels) if tensor.last else (channels, *sizes)

    def axis(self, tensor: Tensor, axis: int) -> int:
        """The axis here of one in Keras, which counts the batch, or from the end."""
        rank = len(self.own(tensor))
        found = axis + rank if axis < 0 else axis - 1
        if not 0 <= found < rank:
            raise self.wrong(f"axis {axis} is not one of its input, which has {rank} without the batch")
        return (0 if found == rank - 1 else found + 1) if tensor.last else found

    def as_layout(self, tensor: Tensor, last: bool) -> Tensor:
        """The same map of Keras, read with its channels last or first."""
        rank = len(self.own(tensor))
        if rank == 1 or tensor.last == last:
            return tensor._replace(last=last)
        order = [*range(1, rank), 0] if tensor.last else [rank - 1, *range(rank - 1)]
        return Tensor(self.net.permute(f"{self.name}/layout", tensor.node, order, place=self.place), last)

    def image(self, tensor: Tensor, rank: int | None = None) -> Tensor:
        """A map as the layer reads it by its `data_format`, with so many position axes."""
        given = self.config.get("data_format")
        last = given != "channels_first" if isinstance(given, str) else self.last
        found = self.as_layout(tensor, last)
        if rank is not None and len(self.own(found)) != rank + 1:
            raise self.wrong(f"it needs {rank} position axes, its input is {self.keras_shape(found)}")
        return found

    # --- layers

    def after(self, part: str) -> KerasLayer:
        """The same layer, whose further layers have another name."""
        return replace(self, name=self.name + part)

    def add(
        self,
        op: str,
        inputs: Sequence[Tensor],
        fields: Mapping[str, Any] | None = None,
        *,
        part: str = "",
        arrays: Mapping[str, tuple[str, Transform | None]] | None = None,
        loaded: Arrays | None = None,
    ) -> Tensor:
        """Add a layer of archcalc and give its output.

        `arrays`: for each of its arrays the name that Keras has for it and how it is brought into archcalc's layout;
        `loaded`: its arrays as they are here, in place of that.
        `part` comes after the name of the layer.
        """
        owner = self.owners[len(self.made)] if len(self.made) < len(self.owners) else None
        node = self.net.add(
            self.name + part,
            op,
            [one.node for one in inputs],
            fields,
            place=self.place,
            weights=owner if owner is not None and self.net.has_arrays(owner) else None,
            arrays=loaded or self._lazy(arrays or {}),
            frozen=self.config.get("trainable") is False and op != "opaque",
        )
        self.made.append(node)
        return Tensor(node, inputs[0].last if inputs else True)

    def _lazy(self, arrays: Mapping[str, tuple[str, Transform | None]]) -> Arrays:
        found: dict[str, LazyArray] = {}
        for name, (theirs, transform) in arrays.items():
            if theirs in self.weights:
                load = self.weights[theirs]
                found[name] = load if transform is None else _then(load, transform)
        return found

    def opaque(
        self,
        inputs: Sequence[Tensor],
        shape: Shape,
        params: int = 0,
        *,
        multiplications: int | None = 0,
        part: str = "",
    ) -> Tensor:
        """A layer that archcalc does not have; `shape` is that of its output here.

        `multiplications` are those of one image; None where they are not known.
        """
        fields = {"of": self.kind, "shape": tuple(shape), "params": params, "multiplications": multiplications}
        return self.add("opaque", inputs, fields, part=part)


def _then(load: LazyArray, transform: Transform) -> LazyArray:
    return lambda: transform(load())


def only(layer: KerasLayer, inputs: Sequence[Tensor]) -> Tensor:
    """The one input of a layer. Raises `SpecError` for another number."""
    if len(inputs) != 1:
        raise layer.wrong(f"it takes one input, {len(inputs)} reach it")
    return inputs[0]
