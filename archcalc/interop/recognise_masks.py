"""Masks of scores that programs write as formulas: found again where they are exactly equal."""

from __future__ import annotations

import math
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from archcalc.interop.program import Constant, Node

if TYPE_CHECKING:
    import numpy

#: What is added to a score so that its share is 0 in float32.
HIDDEN = -1e4
#: Masks of more values are not read.
MOST_VALUES = 1 << 24
#: As many operations stand between a product and its softmax.
_MOST_STEPS = 8


def hidden_rows(mask: Constant | None, hides: bool = False) -> numpy.ndarray[Any, Any] | None:
    """The rows of scores of which a stored mask leaves nothing; None where there is no such row, or no values.

    `hides`: it is true where a place is hidden, not where it is seen. What is no such mask is added to scores.
    """
    if mask is None or mask.load is None or not mask.shape or math.prod(mask.shape) > MOST_VALUES:
        return None
    from archcalc.interop.arrays import np

    values = np.asarray(mask.load()).reshape(mask.shape)
    seen = values == (not hides) if mask.dtype == "bool" else values != -math.inf
    found = ~seen.any(-1, keepdims=True)
    return found if found.any() else None


class Masks:
    """Looks backward from the last operation of a formula; `maker` gives the operation that makes a value."""

    def __init__(
        self, constants: MutableMapping[str, Constant], maker: Callable[[str | None], Node | None],
        users: MutableMapping[str, int],
    ) -> None:  # fmt: skip
        self.constants, self.maker, self.users = constants, maker, users

    def found(self, node: Node) -> Node | None:
        """The single operation that a formula which ends here is; None where there is none."""
        if node.op in ("add", "sub") and len(node.inputs) == 2:
            return self.by_product(node)
        return self.of_numbers(node) if node.op == "masked_fill" else None

    def by_product(self, node: Node) -> Node | None:
        """x·m + c where m is 1 and c is 0, or m is 0 and c one number: x with this number in places."""
        pairs = [node.inputs] if node.op == "sub" else [node.inputs, node.inputs[::-1]]
        for product, added in pairs:
            made = self.maker(product)
            if made is None or made.op != "mul" or len(made.inputs) != 2 or self.users.get(product or "") != 1:
                continue
            for x, mask in (made.inputs, made.inputs[::-1]):
                found = self._numbers(mask, added, node.op == "sub")
                if found is not None:
                    return replace(node, op="masked_fill", inputs=(x, found[0]),
                                   attributes={"value": found[1], "keeps": True})  # fmt: skip
        return None

    def _numbers(self, mask: str | None, added: str | None, is_less: bool) -> tuple[str, float] | None:
        """A factor as a mask, and what is added where it is 0."""
        from archcalc.interop.arrays import np

        kept, other = self.values(mask), self.values(added)
        if kept is None or other is None or kept.shape != other.shape:
            return None
        value = float(np.max(other) if is_less else np.min(other))
        is_mask = np.logical_or(kept == 0, kept == 1).all()
        if not value or not is_mask or not np.array_equal(other, np.where(kept == 0, value, 0.0).astype(other.dtype)):
            return None
        name = f"{mask} as a mask"
        self.constants[name] = replace(
            self.constants[mask or ""], name=name, dtype="bool", role="constant", load=lambda: kept == 1, values=None
        )
        return name, -value if is_less else value

    def of_numbers(self, node: Node) -> Node | None:
        """A softmax with 0 where it is no number: itself where no mask hides all of a row."""
        test, soft = self.maker(node.inputs[1]), self.maker(node.inputs[0])
        if test is None or soft is None or test.op.lower() != "isnan" or test.inputs[0] != node.inputs[0]:
            return None
        if soft.op != "softmax" or node.attributes["keeps"] or node.attributes["value"] != 0:
            return None
        if not self._sees_some(soft.inputs[0]):
            return None
        self.users[node.inputs[0] or ""] -= 1  # the test is gone
        return replace(node, op="identity", inputs=soft.outputs[:1], attributes={})

    def _sees_some(self, name: str | None) -> bool:
        """Whether scores are a product, with numbers and with masks that leave something of each row."""
        for _ in range(_MOST_STEPS):
            made = self.maker(name)
            if made is None or made.op == "matmul":
                return made is not None
            stored = [each for each in made.inputs[1:] if each is not None]
            if made.op not in ("mul", "div", "add", "reshape", "masked_fill") or len(stored) > 1:
                return False
            if stored and not self._leaves_some(made, stored[0]):
                return False
            name = made.inputs[0]
        return False

    def _leaves_some(self, node: Node, mask: str) -> bool:
        """Whether a mask that is added, or in whose places a number stands, hides no whole row."""
        from archcalc.interop.arrays import np

        values = self.values(mask)
        if values is None or not values.ndim:
            return False
        pair = (1, 0) if node.op == "add" or node.attributes["keeps"] else (0, 1)
        seen = np.where(values > HIDDEN if node.op == "add" else values != 0, *pair)
        return bool(np.min(np.max(seen, axis=-1)))

    def values(self, name: str | None) -> numpy.ndarray[Any, Any] | None:
        """The values of a stored tensor that is not large; None where there are none."""
        stored = self.constants.get(name or "")
        if stored is None or stored.load is None or math.prod(stored.shape) > MOST_VALUES:
            return None
        from archcalc.interop.arrays import np

        return np.asarray(stored.load()).reshape(stored.shape)
