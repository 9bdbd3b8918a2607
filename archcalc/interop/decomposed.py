"""Operations that exporters and people write as several: found again where they are exactly equal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from archcalc.interop.onnx_adaptive import adaptive_pool
from archcalc.interop.program import Constant, Node, Program, needed

#: How far a number of a file may be from the number that it stands for: it is a float32.
_TOLERANCE = 1e-5
#: What is normalised, over which axes, and ε.
_Spread = tuple[str, tuple[int, ...], float]


def with_patterns(program: Program) -> Program:
    """The program with decomposed GELU, layer and RMS normalisation and group normalisation as single operations."""
    return _Patterns(program).program()


class _Patterns:
    """Looks from the last operation of a pattern backward."""

    def __init__(self, given: Program) -> None:
        self.given = given
        self.nodes: dict[str, Node] = {}
        self.constants = dict(given.constants)
        self.values = dict(given.values)
        self.users = Counter(name for node in given.nodes for name in node.inputs if name is not None)
        self.users.update(given.wanted)

    def program(self) -> Program:
        """The whole, with each pattern in the place of its last operation."""
        for node in self.given.nodes:
            made = node
            for find in _FINDERS.get(node.op, ()):
                made = find(self, made) or made
            self.nodes[made.outputs[0]] = made
        kept = needed(list(self.nodes.values()), self.given.wanted)
        return replace(self.given, nodes=kept, constants=self.constants, values=self.values)

    # --- reading

    def maker(self, name: str | None, op: str, alone: bool = True) -> Node | None:
        """The operation that makes a value, if it is this one; where `alone`, if nothing else reads the value."""
        node = self.nodes.get(name or "")
        return node if node is not None and node.op == op and (not alone or self.users[name or ""] == 1) else None

    def past(self, name: str | None) -> str | None:
        """The value before operations that do nothing, as those to another precision."""
        while (node := self.nodes.get(name or "")) is not None and node.op == "identity":
            name = node.inputs[0]
        return name

    @staticmethod
    def number(node: Node | None, wanted: float) -> bool:
        """Whether an operation with a number has this one."""
        return (
            node is not None and "other" in node.attributes
            and math.isclose(float(node.attributes["other"]), wanted, rel_tol=_TOLERANCE)
        )  # fmt: skip

    def factors(self, name: str | None, depth: int = 4) -> Iterator[str | float | None]:
        """The values and numbers whose product a value is."""
        node = self.maker(name, "mul") or self.maker(name, "div")
        if node is None or depth == 0:
            yield name
        elif "other" in node.attributes:
            other = float(node.attributes["other"])
            yield other if node.op == "mul" else 1 / other if other else math.inf
            yield from self.factors(node.inputs[0], depth - 1)
        elif node.op == "mul":
            for each in node.inputs:
                yield from self.factors(each, depth - 1)
        else:
            yield name

    def product(self, node: Node) -> tuple[float, list[str | None]]:
        """The number and the values whose product an operation gives."""
        if "other" in node.attributes:
            other = float(node.attributes["other"])
            parts: list[str | float | None] = [other if node.op == "mul" else 1 / other if other else math.inf]
        else:
            parts = []
        parts += [each for name in node.inputs for each in self.factors(name)]
        number = math.prod(each for each in parts if isinstance(each, float))
        return number, [each for each in parts if not isinstance(each, float)]

    # --- GELU

    def gelu(self, node: Node) -> Node | None:
        """x·½·(1 + erf(x/√2)). Source: Hendrycks & Gimpel 2016, equation 1."""
        return self._gated(node, "none", self._erf)

    def tanh_gelu(self, node: Node) -> Node | None:
        """x·½·(1 + tanh(√(2/π)·(x + 0.044715·x³))). Source: Hendrycks & Gimpel 2016, section 2."""
        return self._gated(node, "tanh", self._tanh)

    def _gated(self, node: Node, approximate: str, inner: Callable[[str | None, str | None], bool]) -> Node | None:
        if node.op not in ("mul", "div"):
            return None
        number, values = self.product(node)
        if len(values) != 2 or not math.isclose(number, 0.5, rel_tol=_TOLERANCE):
            return None
        for x, gate in (values, values[::-1]):
            plus = self.maker(gate, "add")
            if self.number(plus, 1) and plus is not None and inner(plus.inputs[0], x):
                return replace(node, op="gelu", inputs=(x,), attributes={"approximate": approximate})
        return None

    def _erf(self, name: str | None, x: str | None) -> bool:
        made = self.maker(name, "erf")
        return made is not None and self._is_multiple(made.inputs[0], x, 1 / math.sqrt(2))

    def _is_multiple(self, name: str | None, x: str | None, factor: float) -> bool:
        parts = list(self.factors(name))
        number = math.prod(each for each in parts if isinstance(each, float))
        values = [each for each in parts if not isinstance(each, float)]
        return values == [x] and math.isclose(number, factor, rel_tol=_TOLERANCE)

    def _tanh(self, name: str | None, x: str | None) -> bool:
        made = self.maker(name, "tanh")
        if made is None:
            return False
        parts = list(self.factors(made.inputs[0]))
        number = math.prod(each for each in parts if isinstance(each, float))
        values = [each for each in parts if not isinstance(each, float)]
        if len(values) != 1 or not math.isclose(number, math.sqrt(2 / math.pi), rel_tol=_TOLERANCE):
            return False
        total = self.maker(str(values[0]), "add")
        if total is None or len(total.inputs) != 2 or x not in total.inputs:
            return False
        cubed = total.inputs[1] if total.inputs[0] == x else total.inputs[0]
        parts = list(self.factors(cubed))
        number = math.prod(each for each in parts if isinstance(each, float))
        values = [each for each in parts if not isinstance(each, float)]
        if not math.isclose(number, 0.044715, rel_tol=1e-4):
            return False
        power = self.maker(str(values[0]), "pow") if len(values) == 1 else None
        return values == [x, x, x] or (power is not None and self.number(power, 3) and power.inputs[0] == x)

    # --- normalisation

    def normalised(self, node: Node) -> Node | None:
        """(x − mean)/√(mean((x − mean)²) + ε) over the last axes, and x/√(mean(x²) + ε)."""
        if len(node.inputs) != 2 or node.op not in ("div", "mul"):
            return None
        pairs = [node.inputs] if node.op == "div" else [node.inputs, node.inputs[::-1]]
        for scaled, deviation in pairs:
            x, scale = self._without_scale(scaled)
            found = self._spread(x, deviation, node.op == "mul")
            if found is not None:
                source, axes, eps = found
                shape = self.given.shape(source)
                if axes != tuple(range(axes[0], len(shape))):
                    return None
                kind = "rms_norm" if source == x else "layer_norm"
                attributes = {"normalized_shape": shape[axes[0] :], "eps": eps}
                made = replace(node, op=kind, inputs=(source, None, None), attributes=attributes)
                return made if scale is None else self._scaled(made, scale)
        return None

    def _without_scale(self, name: str | None) -> tuple[str | None, str | None]:
        """What a stored array multiplies, and the array; a value alone that none does."""
        made = self.maker(name, "mul")
        inputs = made.inputs if made is not None and len(made.inputs) == 2 else ()
        arrays = [each for each in inputs if each in self.constants]
        return (next(each for each in inputs if each != arrays[0]), arrays[0]) if len(arrays) == 1 else (name, None)

    def _scaled(self, norm: Node, scale: str) -> Node | None:
        """A normalisation with its scale; None where the array does not fit."""
        shape, array = tuple(norm.attributes["normalized_shape"]), self.constants[scale]
        if array.shape[len(array.shape) - len(shape) :] != shape or array.size != math.prod(shape):
            return None
        return replace(norm, inputs=(norm.inputs[0], self._as(array, shape), *norm.inputs[2:]))

    def _spread(self, x: str | None, deviation: str | None, is_inverse: bool) -> _Spread | None:
        """What is normalised, over which axes, and the ε, of a numerator and its standard deviation."""
        if is_inverse:
            inverse = self.maker(deviation, "reciprocal")
            deviation = inverse.inputs[0] if inverse is not None else deviation
        root = self.maker(deviation, "rsqrt" if is_inverse and inverse is None else "sqrt")
        plus = self.maker(root.inputs[0], "add") if root is not None else None
        spread = plus.inputs[0] if plus is not None and "other" in plus.attributes else None
        mean = self.maker(spread, "mean") or self.maker(spread, "var")
        if plus is None or mean is None or not mean.attributes["keepdim"]:
            return None
        axes, eps = tuple(mean.attributes["dim"]), float(plus.attributes["other"])
        minus = self.maker(x, "sub", alone=False)
        centre = self.maker(minus.inputs[1], "mean", alone=False) if minus and len(minus.inputs) == 2 else None
        is_centred = minus is not None and centre is not None and centre.inputs[0] == minus.inputs[0]
        is_centred = is_centred and centre.attributes == {"dim": mean.attributes["dim"], "keepdim": True}  # type: ignore[union-attr]
        source = minus.inputs[0] if minus is not None and is_centred else x
        if mean.op == "var":
            is_it = is_centred and mean.inputs[0] == source and mean.attributes["correction"] == 0
        else:
            square = self.nodes.get(mean.inputs[0] or "")
            is_it = square is not None and self._is_square(square, x)
        return (source or "", axes, eps) if is_it else None

    def _is_square(self, node: Node, x: str | None) -> bool:
        if node.op == "square" or (node.op == "pow" and self.number(node, 2)):
            return self._is_same(node.inputs[0], x)
        return node.op == "mul" and len(node.inputs) == 2 and all(self._is_same(each, x) for each in node.inputs)

    def _is_same(self, one: str | None, other: str | None) -> bool:
        """Whether two values are one, or the same difference that is written twice."""
        one, other = self.past(one), self.past(other)
        pair = [self.nodes.get(each or "") for each in (one, other)]
        is_again = all(each is not None and each.op == "sub" and len(each.inputs) == 2 for each in pair)
        return one == other or (is_again and pair[0].inputs == pair[1].inputs)  # type: ignore[union-attr]

    def affine(self, node: Node) -> Node | None:
        """The scale and the shift of a normalisation that come after it."""
        if node.op not in ("mul", "add") or len(node.inputs) != 2:
            return None
        for given, name in (node.inputs, node.inputs[::-1]):
            x = self.past(given)
            made, array = self.nodes.get(x or ""), self.constants.get(name or "")
            if made is None or array is None or made.op not in ("layer_norm", "rms_norm"):
                continue
            if self.users[x or ""] != 1 or self.users[given or ""] != 1:
                continue
            shape = tuple(made.attributes["normalized_shape"])
            if node.op == "mul" and made.inputs[1:] == (None, None):
                return self._scaled(replace(made, outputs=node.outputs), name or "")
            if array.shape[len(array.shape) - len(shape) :] != shape or array.size != math.prod(shape):
                continue
            held = self._as(array, shape)
            if node.op == "add" and made.inputs[1] is not None and made.inputs[2] is None and made.op == "layer_norm":
                return replace(made, inputs=(*made.inputs[:2], held), outputs=node.outputs)
        return None

    def _as(self, array: Constant, shape: tuple[int, ...]) -> str:
        """The name of a constant in this shape."""
        if array.shape == shape:
            return array.name
        name, load = f"{array.name}#{'x'.join(map(str, shape))}", array.load
        changed = None if load is None else lambda: load().reshape(shape)
        self.constants[name] = replace(array, name=name, shape=shape, load=changed)
        return name

    def group_norm(self, node: Node) -> Node | None:
        """A group normalisation: the groups as channels of an instance normalisation, then the scale and the shift."""
        if node.op != "add" or len(node.inputs) != 2:
            return None
        for x, shift in (node.inputs, node.inputs[::-1]):
            product, bias = self.maker(x, "mul"), self.constants.get(shift or "")
            if product is None or bias is None or len(product.inputs) != 2:
                continue
            for inner, scale in (product.inputs, product.inputs[::-1]):
                weight, back = self.constants.get(scale or ""), self.maker(inner, "reshape")
                norm = self.maker(back.inputs[0], "instance_norm") if back is not None else None
                split = self.maker(norm.inputs[0], "reshape") if norm is not None else None
                if weight is None or norm is None or split is None or not self._is_plain(norm):
                    continue
                shape, groups = self.given.shape(split.inputs[0] or ""), self.given.shape(split.outputs[0])
                spread = (shape[1], *[1] * (len(shape) - 2))
                fits = self.given.shape(inner or "") == shape and groups[:1] == shape[:1] and len(groups) == 3
                arrays = [
                    each for each in (weight, bias) if each.shape[-len(spread) :] == spread and each.size == shape[1]
                ]
                if fits and len(arrays) == 2:
                    held = tuple(self._as(each, (shape[1],)) for each in arrays)
                    attributes = {"num_groups": groups[1], "eps": norm.attributes["eps"]}
                    return replace(node, op="group_norm", inputs=(split.inputs[0], *held), attributes=attributes)
        return None

    def _is_plain(self, norm: Node) -> bool:
        """Whether a normalisation multiplies by 1 and adds 0."""
        for name, wanted in zip(norm.inputs[1:], (1, 0), strict=True):
            array = self.constants.get(name or "")
            if array is None or array.load is None or array.size > 1 << 16 or not (array.load() == wanted).all():
                return False
        return True

    # --- pools

    def adaptive_pool(self, node: Node) -> Node | None:
        """The mean over windows whose places are gathered one by one."""
        return adaptive_pool(node, self.nodes, self.constants, self.given.shape)

    # --- shifts

    def rolled(self, node: Node) -> Node | None:
        """A shift around the edge: the end of an axis, then what was before it. Shifts one after another are one."""
        if len(node.inputs) != 2:
            return None
        last, first = (self.maker(name, "slice") for name in node.inputs)
        if last is None or first is None or last.inputs != first.inputs:
            return None
        x, dim = last.inputs[0] or "", node.attributes["dim"]
        start, size = last.attributes["start"], self.given.shape(x)[dim]
        whole = {"dim": dim, "step": 1}
        if last.attributes != {**whole, "start": start, "end": size} or first.attributes != {
            **whole, "start": 0, "end": start
        }:  # fmt: skip
            return None
        before = self.nodes.get(x)
        shifts, dims = (-start if 2 * start <= size else size - start,), (dim,)
        if before is not None and before.op == "roll" and self.users[x] == 2 and dim not in before.attributes["dims"]:
            x = before.inputs[0] or ""
            shifts, dims = (*before.attributes["shifts"], *shifts), (*before.attributes["dims"], dim)
        else:
            self.users[x] -= 1  # one operation instead of two reads it
        return replace(node, op="roll", inputs=(x,), attributes={"shifts": shifts, "dims": dims})

    # --- attention

    def scaled(self, node: Node) -> Node | None:
        """Numbers that multiply both sides of a product, as exporters write the scale of attention, after it."""
        if node.op != "matmul":
            return None
        number, inputs = 1.0, []
        for name in node.inputs:
            made = self.maker(name, "mul")
            if made is not None and "other" in made.attributes:
                number *= float(made.attributes["other"])
                inputs.append(made.inputs[0])
            else:
                inputs.append(name)
        if inputs == list(node.inputs):
            return None
        product = f"{node.outputs[0]}#product"
        self.nodes[product] = replace(node, inputs=tuple(inputs), outputs=(product,))
        self.users[product] += 1
        self.values[product] = replace(self.given.values[node.outputs[0]], name=product)
        return replace(node, op="mul", inputs=(product,), attributes={"other": number})


#: What may end at an operation, by its name.
_FINDERS: dict[str, tuple[Callable[[_Patterns, Node], Node | None], ...]] = {
    "mul": (_Patterns.gelu, _Patterns.tanh_gelu, _Patterns.normalised, _Patterns.affine),
    "div": (_Patterns.gelu, _Patterns.tanh_gelu, _Patterns.normalised, _Patterns.adaptive_pool),
    "mean": (_Patterns.adaptive_pool,),
    "add": (_Patterns.affine, _Patterns.group_norm),
    "matmul": (_Patterns.scaled,),
    "cat": (_Patterns.rolled,),
}
