"""Layers that programs write as formulas of several operations: found again where they are exactly equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from archcalc.interop.program import Constant, Node, Value

#: How far a number of a program may be from the one that it stands for, as a share: it may be a float32.
_TOLERANCE = 1e-5
#: What only gives a tensor other axes of size 1.
_VIEWS = ("reshape", "squeeze", "unsqueeze", "expand")
#: Factors above and below the line.
_Quotient = tuple[list[str], list[str], float]


class Formulas:
    """Looks backward from the last operation of a formula; `makers` are the operations by what they make."""

    def __init__(
        self, values: Mapping[str, Value], constants: Mapping[str, Constant], makers: Mapping[str, Node],
        users: Mapping[str, int],
    ) -> None:  # fmt: skip
        self.values, self.constants, self.makers, self.users = values, constants, makers, users

    def found(self, node: Node) -> Node | None:
        """The single operation that a formula which ends here is; None where there is none."""
        for find in _FINDERS.get(node.op, ()):
            made = find(self, node)
            if made is not None:
                return made
        return None

    # --- reading

    def maker(self, name: str | None, *kinds: str) -> Node | None:
        """The operation of these kinds that makes a value, past views; None for another one."""
        node = self.makers.get(self.past_views(name))
        return node if node is not None and node.op in kinds else None

    def past_views(self, name: str | None) -> str:
        """The value before operations that only give it axes of size 1, or take them away, or that do nothing."""
        while (node := self.makers.get(name or "")) is not None and node.inputs[0] is not None:
            plain = [self._plain(value) for value in (node.inputs[0], node.outputs[0])]
            if node.op != "identity" and (node.op not in _VIEWS or plain[0] != plain[1]):
                break
            name = node.inputs[0]
        return name or ""

    def _plain(self, name: str) -> tuple[int, ...]:
        return tuple([size for size in self.shape(name) if size != 1])

    def shape(self, name: str | None) -> tuple[int, ...]:
        return (self.values.get(name or "") or self.constants[name or ""]).shape

    def number(self, node: Node) -> float | None:
        """The number of an operation on a value and a number."""
        return float(node.attributes["other"]) if len(node.inputs) == 1 and "other" in node.attributes else None

    def terms(self, name: str) -> Iterator[str | tuple[str, str]]:
        """The values whose sum a value is; a product that is added in the same step as a pair."""
        node = self.makers.get(name)
        if node is not None and self.users.get(name, 0) == 1 and node.op == "add" and len(node.inputs) > 1:
            for each in node.inputs:
                yield from self.terms(each or "")
        elif node is not None and node.op == "addcmul" and float(node.attributes["value"]) == 1:
            yield node.inputs[0] or ""
            yield (node.inputs[1] or "", node.inputs[2] or "")
        else:
            yield name

    def quotient(self, name: str) -> _Quotient:
        """The values that a value is the product of, those that it is divided by, and the number."""
        name = self.past_views(name)
        node = self.makers.get(name)
        if node is None or node.op not in ("mul", "div"):
            return [name], [], 1.0
        above, below, factor = self.quotient(node.inputs[0] or "")
        if len(node.inputs) == 1:
            other = float(node.attributes["other"])
            return above, below, factor * (other if node.op == "mul" or not other else 1 / other)
        more, less, by = self.quotient(node.inputs[1] or "")
        if node.op == "mul":
            return above + more, below + less, factor * by
        return above + less, below + more, factor / by if by else math.inf

    def squared(self, name: str | None) -> str | None:
        """X of x²."""
        node = self.maker(name, "mul", "pow", "square")
        if node is None or (node.op == "mul" and (len(node.inputs) != 2 or node.inputs[0] != node.inputs[1])):
            return None
        if node.op == "pow" and self.number(node) != 2:
            return None
        return node.inputs[0]

    # --- formulas

    def local_response_norm(self, node: Node) -> Node | None:
        """x/(k + α·mean(x²))^β over the channels next to each. Source: Krizhevsky et al. 2012, section 3.3."""
        if len(node.inputs) != 2:
            return None
        power = self.maker(self._before_reshapes(node.inputs[1]), "pow")
        plus = self.maker(power.inputs[0], "add") if power is not None and self.number(power) else None
        if power is None or plus is None or (k := self.number(plus)) is None:
            return None
        above, below, alpha = self.quotient(plus.inputs[0] or "")
        mean = self._before_reshapes(above[0]) if len(above) == 1 and not below else ""
        pool = self.maker(mean, "avg_pool2d", "avg_pool3d")
        pad = self.maker(pool.inputs[0], "pad") if pool is not None else None
        if pool is None or pad is None:
            return None
        size, *others = pool.attributes["kernel_size"]
        is_sum = set(others) == {1} and set(pool.attributes["stride"]) == {1} and not any(pool.attributes["padding"])
        sides = [*pad.attributes["pad"]]
        place = 2 * (len(pool.attributes["kernel_size"]) - 1)  # the axis after the batch and the one channel
        borders = [size // 2, (size - 1) // 2]
        is_sum = is_sum and sides == [*[0] * place, *borders] + [0] * (len(sides) - place - 2)
        inner = pad.inputs[0] or ""
        x = self.squared(self._before_reshapes(inner))
        if x is None or not is_sum or pad.attributes["mode"] != "constant" or pad.attributes["value"]:
            return None
        rows, shape = self.shape(inner), self.shape(x)
        if self.past_views(x) != self.past_views(node.inputs[0]) or rows[:3] != (shape[0], 1, shape[1]):
            return None
        beta = self.number(power) or 0.0
        attributes = {"size": size, "alpha": _short(alpha), "beta": _short(beta), "k": _short(k)}
        return replace(node, op="local_response_norm", inputs=node.inputs[:1], attributes=attributes)

    def _before_reshapes(self, name: str | None) -> str:
        """The value before any changes of its shape, which keep the order of its values."""
        while (node := self.makers.get(name or "")) is not None and node.op in ("reshape", "squeeze", "unsqueeze"):
            name = node.inputs[0]
        return name or ""

    def global_response_norm(self, node: Node) -> Node | None:
        """The sum x + γ·x·‖x‖/(mean ‖x‖ + ε) + β, the norms over all positions. Source: Woo et al. 2023, section 3."""
        if node.op == "addcmul":
            terms = [node.inputs[0] or "", (node.inputs[1] or "", node.inputs[2] or "")]
            terms = [*self.terms(str(terms[0])), terms[1]] if float(node.attributes["value"]) == 1 else []
        else:
            terms = [each for name in node.inputs for each in self.terms(name or "")]
        for product in terms:
            pairs = product if isinstance(product, tuple) else (product,)
            above: list[str] = []
            below: list[str] = []
            for each in pairs:
                more, less, factor = self.quotient(each)
                above, below = above + more, below + less
                if factor != 1:
                    return None
            rest = [self.past_views(each) if isinstance(each, str) else "" for each in terms if each is not product]
            if len(terms) == 3 and len(above) == 3 and len(below) == 1:
                found = self._response(node, above, below[0], rest)
                if found is not None:
                    return found
        return None

    def _response(self, node: Node, above: list[str], below: str, rest: list[str]) -> Node | None:
        norms = next((each for each in above if self._norm(each) is not None), None)
        plus = self.maker(below, "add")
        mean = self.maker(plus.inputs[0], "mean") if plus is not None and self.number(plus) is not None else None
        if norms is None or mean is None or plus is None or self.past_views(mean.inputs[0]) != self.past_views(norms):
            return None
        normed = self._norm(norms) or ("", ())
        weights = [each for each in (*above, *rest) if each in self.constants]
        maps = [each for each in (*above, *rest) if each not in self.constants and each != norms]
        x = self.past_views(normed[0])
        flat = self.makers.get(normed[0])
        if flat is not None and flat.op == "reshape" and x not in maps:
            x = self.past_views(flat.inputs[0])
        if len(weights) != 2 or maps != [x, x] or not (set(weights) & set(above) and set(weights) & set(rest)):
            return None
        shape = self.shape(x)
        channels = self.constants[weights[0]].size
        dims = [dim for dim in range(1, len(shape)) if shape[dim] == channels]
        normed_sizes = [size for dim, size in enumerate(self.shape(normed[0])) if dim in normed[1]]
        for dim in dims:
            positions = math.prod(shape[1:]) // channels
            same = self.shape(normed[0])
            kept = [size for index, size in enumerate(same) if index not in normed[1]]
            is_whole = math.prod(normed_sizes) == positions and math.prod(kept) == shape[0] * channels
            before = dim == 1 and all(each > 1 for each in normed[1])
            after = dim == len(shape) - 1 and all(each < len(same) - 1 for each in normed[1])
            if is_whole and (before or after) and math.prod(self.shape(mean.outputs[0])) == shape[0]:
                scale, shift = (next(each for each in weights if each in side) for side in (above, rest))
                attributes = {"dim": dim, "eps": _short(float(plus.attributes["other"]))}
                return replace(node, op="global_response_norm", inputs=(x, scale, shift), attributes=attributes)
        return None

    def _norm(self, name: str) -> tuple[str, tuple[int, ...]] | None:
        """What the Euclidean norm of is a value, and over which axes."""
        node = self.maker(name, "vector_norm", "sqrt")
        if node is not None and node.op == "vector_norm" and node.attributes["ord"] == 2:
            return node.inputs[0] or "", tuple(node.attributes["dim"])
        total = self.maker(node.inputs[0], "sum") if node is not None and node.op == "sqrt" else None
        x = self.squared(total.inputs[0]) if total is not None else None
        return None if x is None or total is None else (x, tuple(total.attributes["dim"]))

    def unit_length(self, node: Node) -> Node | None:
        """x/max(‖x‖, ε) along one axis."""
        bound = self.maker(self._spread(node.inputs[1]), "clamp") if len(node.inputs) == 2 else None
        if bound is None or bound.attributes.get("max") is not None:
            return None
        found, eps = self._norm(bound.inputs[0] or ""), bound.attributes.get("min")
        if found is None or found[0] != node.inputs[0] or len(found[1]) != 1 or not eps:
            return None
        if len(self.shape(bound.inputs[0])) != len(self.shape(found[0])):
            return None
        return replace(node, op="l2_norm", inputs=node.inputs[:1], attributes={"dim": found[1][0], "eps": _short(eps)})

    def _spread(self, name: str | None) -> str | None:
        """The value before it was spread over an axis of size 1."""
        node = self.makers.get(name or "")
        return node.inputs[0] if node is not None and node.op == "expand" else name

    def lp_pool(self, node: Node) -> Node | None:
        """(n·mean(|x|^p))^(1/p) over windows of n values, with PyTorch's sign and ReLU of the mean between."""
        exponent = 0.5 if node.op == "sqrt" else self.number(node)
        if exponent is None or not 0 < exponent <= 1 or not math.isclose(p := round(1 / exponent), 1 / exponent):
            return None
        above, below, count = self.quotient(node.inputs[0] or "")
        parts = [self.makers.get(each) for each in above]
        pool = next((each for each in parts if each is not None and each.op.startswith("avg_pool")), None)
        if pool is None:
            kinds = {each.op.lower(): each for each in parts if each is not None}
            relu = kinds.get("relu")
            size = self.maker(relu.inputs[0], "abs") if relu is not None else None
            pool = self.makers.get(size.inputs[0] or "") if size is not None else None
            if pool is None or set(kinds) != {"relu", "sign"} or kinds["sign"].inputs != pool.outputs[:1]:
                return None
        elif len(above) != 1:
            return None
        if below or not pool.op.startswith("avg_pool") or not math.isclose(
            count, math.prod(pool.attributes["kernel_size"]), rel_tol=_TOLERANCE
        ):  # fmt: skip
            return None
        given = pool.attributes
        if (any(given["padding"]) and not given["count_include_pad"]) or given["ceil_mode"]:
            return None
        power = self.maker(pool.inputs[0], "pow", "square")
        if power is None or (power.op == "pow" and self.number(power) != p) or (power.op == "square" and p != 2):
            return None
        x = power.inputs[0]
        size = self.maker(x, "abs") if p % 2 else None
        if p % 2 and size is None:
            return None
        attributes = {name: given[name] for name in ("kernel_size", "stride", "padding", "ceil_mode")}
        inputs = power.inputs[:1] if size is None else size.inputs[:1]
        return replace(node, op=f"lp_{pool.op[4:]}", inputs=inputs, attributes={**attributes, "norm_type": p})

    def scaled_tanh(self, node: Node) -> Node | None:
        """1.7159·tanh(2x/3). Source: LeCun et al. 1998, appendix A."""
        made = self.maker(node.inputs[0], "tanh")
        inner = self.maker(made.inputs[0], "mul") if made is not None else None
        outer, factor = self.number(node), self.number(inner) if inner is not None else None
        if inner is None or outer is None or factor is None or self.users.get(node.inputs[0] or "") != 1:
            return None
        if not (math.isclose(outer, 1.7159, rel_tol=_TOLERANCE) and math.isclose(factor, 2 / 3, rel_tol=_TOLERANCE)):
            return None
        return replace(node, op="scaled_tanh", inputs=inner.inputs, attributes={})

    def unpooled(self, node: Node) -> Node | None:
        """Values in a row of zeros for each channel, at the places of maxima that a pool found."""
        scatter = self.makers.get(node.inputs[0] or "")
        if scatter is None or scatter.op != "ScatterElements" or scatter.attributes.get("axis") != 2:
            return None
        row, index, values = scatter.inputs
        zeros, x, shape = self.constants.get(row or ""), self._before_reshapes(values), self.shape(node.outputs[0])
        modulo = self.makers.get(self._before_reshapes(index))
        pool = self.makers.get(modulo.inputs[0] or "") if modulo is not None and modulo.op == "Mod" else None
        if zeros is None or modulo is None or pool is None or not pool.op.startswith("max_pool"):
            return None
        is_row = zeros.shape == (*shape[:2], math.prod(shape[2:])) and self._second(modulo) == zeros.shape[2]
        is_zero = zeros.role == "constant" and zeros.load is not None and not zeros.load().any()
        if not is_row or not is_zero or modulo.inputs[0] != pool.outputs[-1] or len(pool.outputs) != 2:
            return None
        if self.shape(pool.inputs[0])[2:] != shape[2:] or self.shape(x) != self.shape(pool.outputs[0]):
            return None
        return replace(node, op=f"max_un{pool.op[4:]}", inputs=(x, pool.outputs[1]), attributes={})

    def embedding(self, node: Node) -> Node | None:
        """Rows of a table by numbers that are rounded and taken modulo the rows before: a layer does so by itself."""
        name, rows = node.inputs[0] or "", self.shape(node.inputs[1])[0]
        found = name
        while (made := self.makers.get(name)) is not None:
            kind = made.op.lower()
            is_modulo = kind in ("mod", "remainder") and self._second(made) == rows
            same = made.inputs[0] is not None and self.shape(made.inputs[0]) == self.shape(made.outputs[0])
            # A cast cuts decimals off; a network's own input has none where rows are read by it.
            before = self.makers.get(made.inputs[0] or "")
            is_whole = before is None or before.op.lower() in ("round", "cast", "identity", "mod", "remainder")
            if not same or not (is_modulo or kind in ("round", "identity") or (kind == "cast" and is_whole)):
                break
            name = found = made.inputs[0] or ""
        return replace(node, inputs=(found, *node.inputs[1:])) if found != node.inputs[0] else None

    def _second(self, node: Node) -> float | None:
        """The number that an operation has besides a value."""
        if len(node.inputs) == 1:
            return self.number(node)
        stored = self.constants.get(node.inputs[1] or "")
        return None if stored is None or stored.values is None or len(stored.values) != 1 else stored.values[0]

    def softplus(self, node: Node) -> Node | None:
        """X where β·x is above a threshold, else log(1 + e^(β·x))/β."""
        test, soft = self.makers.get(node.inputs[0] or ""), self.makers.get(node.inputs[2] or "")
        below = self._second(soft) if soft is not None and soft.op == "div" else 1.0
        if soft is not None and soft.op == "div":
            soft = self.makers.get(soft.inputs[0] or "")
        if test is None or soft is None or test.op.lower() not in ("greater", "gt") or soft.op != "softplus":
            return None
        x, inner = node.inputs[1], soft.inputs[0]
        product, beta = self.makers.get(inner or ""), 1.0
        if inner != x:
            beta = self._second(product) or 0.0 if product is not None and product.op == "mul" else 0.0
            if product is None or product.inputs[0] != x:
                return None
        threshold = self._second(test)
        if test.inputs[0] != inner or threshold is None or beta != below or soft.attributes["beta"] != 1:
            return None
        return replace(node, op="softplus", inputs=(x,), attributes={"beta": beta, "threshold": threshold})

    def log_sigmoid(self, node: Node) -> Node | None:
        """The logarithm of σ(x), which is −softplus(−x)."""
        made = self.maker(node.inputs[0], "sigmoid")
        return None if made is None else replace(node, op="log_sigmoid", inputs=made.inputs)

    def rbf(self, node: Node) -> Node | None:
        """Σ(x − c)² for each row c of a stored matrix. Source: LeCun et al. 1998, equation 9."""
        difference = self.squared(node.inputs[0])
        made = self.maker(difference, "sub")
        if made is None or len(made.inputs) != 2 or node.attributes["dim"] not in ((2,), [2]):
            return None
        x, centers = self.past_views(made.inputs[0]), made.inputs[1] or ""
        stored = self.constants.get(centers)
        if stored is None or len(stored.shape) != 2 or self.shape(x)[1:] != stored.shape[1:]:
            return None
        is_row = self.shape(made.inputs[0]) == (self.shape(x)[0], 1, stored.shape[1])
        return replace(node, op="rbf", inputs=(x, centers), attributes={}) if is_row else None

    def subsampling(self, node: Node) -> Node | None:
        """The sum of each window times a trained number, plus another one. Source: LeCun et al. 1998, section II.B."""
        if len(node.inputs) != 2:
            return None
        for product, shift in (node.inputs, node.inputs[::-1]):
            made = self.maker(product, "mul")
            if made is None or len(made.inputs) != 2 or self.users.get(product or "") != 1:
                continue
            bias = self.constants.get(self.past_views(shift))
            for inner, factor in (made.inputs, made.inputs[::-1]):
                weight, total = self.constants.get(self.past_views(factor)), self.maker(inner, "mul")
                pool = self.maker(total.inputs[0], "avg_pool1d", "avg_pool2d", "avg_pool3d") if total else None
                if weight is None or bias is None or total is None or pool is None:
                    continue
                channels = self.shape(pool.outputs[0])[1]
                count = math.prod(pool.attributes["kernel_size"])
                is_plain = not any(pool.attributes["padding"]) and not pool.attributes["ceil_mode"]
                if is_plain and self.number(total) == count and weight.size == bias.size == channels:
                    attributes = {name: pool.attributes[name] for name in ("kernel_size", "stride")}
                    inputs = (pool.inputs[0], weight.name, bias.name)
                    return replace(node, op=f"subsampling{pool.op[-2:]}", inputs=inputs, attributes=attributes)
        return None


def _short(number: float) -> float:
    """A number without the digits that a float32 adds to it."""
    short = float(f"{number:.6g}")
    return short if math.isclose(short, number, rel_tol=1e-6) else number


#: What may end at an operation, by its name.
_FINDERS: dict[str, tuple[Callable[[Formulas, Node], Node | None], ...]] = {
    "div": (Formulas.local_response_norm, Formulas.unit_length),
    "add": (Formulas.global_response_norm, Formulas.subsampling),
    "addcmul": (Formulas.global_response_norm,),
    "pow": (Formulas.lp_pool,),
    "sqrt": (Formulas.lp_pool,),
    "mul": (Formulas.scaled_tanh,),
    "sum": (Formulas.rbf,),
    "embedding": (Formulas.embedding,),
    "log": (Formulas.log_sigmoid,),
    "Where": (Formulas.softplus,),
    "where": (Formulas.softplus,),
    "reshape": (Formulas.unpooled,),
}
