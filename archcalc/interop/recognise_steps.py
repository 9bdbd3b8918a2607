"""Operations that are several others: einsum, bilinear layers, similarities, and what no op has in some form."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from string import ascii_letters
from typing import Any

from archcalc.interop.program import Constant, Node, Program, Value
from archcalc.interop.recognise_masks import hidden_rows


class Steps:
    """The operations that one operation becomes; the values that they make are added to `values`."""

    def __init__(self, node: Node, program: Program, values: dict[str, Value]) -> None:
        self.node, self.program, self.values = node, program, values
        self.made: list[Node] = []

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a value or a stored tensor."""
        return self.values[name].shape if name in self.values else self.program.shape(name)

    def __call__(self, op: str, inputs: Sequence[str], made: Sequence[int], name: str = "", /, **given: Any) -> str:
        """Add an operation and give its result; `name` is that of the last one."""
        name = name or f"{self.node.outputs[0]} {op} {len(self.made)}"
        self.values.setdefault(name, Value(name, tuple(made)))
        self.made.append(replace(self.node, op=op, inputs=tuple(inputs), outputs=(name,), attributes=given))
        return name

    def permuted(self, name: str, dims: Sequence[int]) -> str:
        """A tensor with its axes in another order."""
        if list(dims) == list(range(len(dims))):
            return name
        shape = self.shape(name)
        return self("permute", (name,), [shape[dim] for dim in dims], dims=tuple(dims))

    def reshaped(self, name: str, shape: Sequence[int]) -> str:
        """A tensor with another shape."""
        return name if self.shape(name) == tuple(shape) else self("reshape", (name,), shape, shape=tuple(shape))

    def last(self, name: str) -> list[Node]:
        """All operations; the value is the result of the one that they stand for."""
        if self.made and self.made[-1].outputs == (name,):
            self.made[-1] = replace(self.made[-1], outputs=self.node.outputs)
        else:
            self("identity", (name,), self.shape(name), self.node.outputs[0])
        return self.made


Maker = Callable[[Node, Program, dict[str, Value]], list[Node]]


def einsum(node: Node, program: Program, values: dict[str, Value]) -> list[Node]:
    """An einsum as permutations, sums and products, from the first tensor on; itself where an axis is a diagonal."""
    step = Steps(node, program, values)
    names = [name for name in node.inputs if name is not None]
    found = _terms(str(node.attributes["equation"]), [len(step.shape(name)) for name in names])
    if found is None or len(names) != len(node.inputs):
        return [node]
    terms, result = found
    name, letters = names[0], terms[0]
    for index, (other, others) in enumerate(zip(names[1:], terms[1:], strict=True), 2):
        wanted = {*result, *(letter for term in terms[index:] for letter in term)}
        name, letters = _product(step, (name, other), (letters, others), wanted)
    name, letters = _summed(step, name, letters, set(result))
    return step.last(step.permuted(name, [letters.index(letter) for letter in result]))


def _terms(equation: str, ranks: Sequence[int]) -> tuple[list[str], str] | None:
    """The letters of each tensor and of the result; None where one has a letter two times, which is a diagonal."""
    given, arrow, result = equation.replace(" ", "").partition("->")
    terms = given.split(",")
    if len(terms) != len(ranks):
        return None
    free = [letter for letter in ascii_letters if letter not in equation]
    missing = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    spread = "".join(free[: max(missing)])
    terms = [term.replace("...", spread[len(spread) - count :]) for term, count in zip(terms, missing, strict=True)]
    if not arrow:
        once = [letter for letter in sorted("".join(terms)) if "".join(terms).count(letter) == 1]
        result = "..." + "".join(letter for letter in once if letter not in spread)
    result = result.replace("...", spread)
    return None if any(len(set(term)) < len(term) for term in [*terms, result]) else (terms, result)


def _summed(step: Steps, name: str, letters: str, wanted: set[str]) -> tuple[str, str]:
    """A tensor without the axes that nothing else has."""
    dims = tuple([dim for dim, letter in enumerate(letters) if letter not in wanted])
    if not dims:
        return name, letters
    kept = [dim for dim in range(len(letters)) if dim not in dims]
    shape = [step.shape(name)[dim] for dim in kept]
    return step("sum", (name,), shape, dim=dims, keepdim=False), "".join(letters[dim] for dim in kept)


def _product(step: Steps, names: tuple[str, str], terms: tuple[str, str], wanted: set[str]) -> tuple[str, str]:
    """The product of two tensors, summed over what both have and nothing else wants.

    Letters in both that are wanted are batch axes; the others are kept of the first or of the second.
    """
    (one, first), (two, second) = (
        _summed(step, name, letters, wanted | set(other))
        for name, letters, other in zip(names, terms, terms[::-1], strict=True)
    )
    sizes = dict(zip(first, step.shape(one), strict=True)) | dict(zip(second, step.shape(two), strict=True))
    both = [letter for letter in first if letter in second]
    batch, summed = ([letter for letter in both if (letter in wanted) is kept] for kept in (True, False))
    kept = [letter for letter in first if letter not in both]
    other = [letter for letter in second if letter not in both]

    def sides(name: str, letters: str, parts: Sequence[Sequence[str]]) -> str:
        """A tensor with the letters of each part as one axis after the batch."""
        order = [*batch, *(letter for part in parts for letter in part)]
        name = step.permuted(name, [letters.index(letter) for letter in order])
        shape = (*(sizes[letter] for letter in batch), *(math.prod(sizes[each] for each in part) for part in parts))
        return step.reshaped(name, shape)

    if not summed:
        # Nothing is summed: each value of one times each value of the other, as PyTorch multiplies them.
        letters = "".join([*batch, *kept, *other])
        tall = [*(sizes[letter] for letter in (*batch, *kept)), *(1 for _ in other)]
        wide = [*(sizes[letter] for letter in batch), *(1 for _ in kept), *(sizes[letter] for letter in other)]
        inputs = (step.reshaped(sides(one, first, [[letter] for letter in kept]), tall),
                  step.reshaped(sides(two, second, [[letter] for letter in other]), wide))  # fmt: skip
        return step("mul", inputs, [sizes[letter] for letter in letters]), letters
    inputs = (sides(one, first, (kept, summed)), sides(two, second, (summed, other)))
    shape = [sizes[letter] for letter in batch]
    shape += [math.prod(sizes[letter] for letter in part) for part in (kept, other)]
    made, letters = step("matmul", inputs, shape), "".join([*batch, *kept, *other])
    return step.reshaped(made, [sizes[letter] for letter in letters]), letters


def bilinear(node: Node, program: Program, values: dict[str, Value]) -> list[Node]:
    """xᵀ·W·y + b for each matrix W: a dense layer of x without a bias, whose rows are multiplied with y."""
    step = Steps(node, program, values)
    x, y, weight, bias = (*node.inputs, None)[:4]
    assert x is not None
    assert y is not None
    assert weight is not None
    (outputs, first, second), made = step.shape(weight), program.shape(node.outputs[0])
    flat = step.reshaped(step.permuted(weight, (1, 0, 2)), (first, outputs * second))
    rows = step("matmul", (x, flat), (*made[:-1], outputs * second))
    rows = step.reshaped(rows, (*made[:-1], outputs, second))
    product = step("matmul", (rows, step.reshaped(y, (*made[:-1], second, 1))), (*made, 1))
    product = step.reshaped(product, made)
    return step.last(product if bias is None else step("add", (product, bias), made))


def cosine_similarity(node: Node, program: Program, values: dict[str, Value]) -> list[Node]:
    """The sum of the products of two tensors, each divided by its length, or by ε where that is larger."""
    step, made = Steps(node, program, values), program.shape(node.outputs[0])
    dim, rank = node.attributes["dim"], len(made) + 1
    names = [name for name in node.inputs if name is not None]
    dim %= rank
    units = [
        step("l2_norm", (name,), step.shape(name), dim=dim - rank + len(step.shape(name)), eps=node.attributes["eps"])
        for name in names
    ]
    shapes = [step.shape(name) for name in names]
    whole = [max(shape[place - rank] for shape in shapes if rank - place <= len(shape)) for place in range(rank)]
    return step.last(step("sum", (step("mul", units, whole),), made, dim=(dim,), keepdim=False))


def celu(node: Node, program: Program, values: dict[str, Value]) -> list[Node]:
    """α·ELU(x/α): x above 0, below it α·(e^(x/α) − 1). Source: Barron 2017, equation 2."""
    step, made, alpha = Steps(node, program, values), program.shape(node.outputs[0]), float(node.attributes["alpha"])
    x = node.inputs[0] or ""
    if alpha == 1:
        return step.last(step("elu", (x,), made, alpha=1.0))
    inner = step("elu", (step("div", (x,), made, other=alpha),), made, alpha=1.0)
    return step.last(step("mul", (inner,), made, other=alpha))


#: What is always written as other operations.
STEPS: Mapping[str, Maker] = {
    "einsum": einsum, "bilinear": bilinear, "cosine_similarity": cosine_similarity, "celu": celu,
}  # fmt: skip


def without_hidden(step: Steps, parts: Sequence[str], mask: str, rows: Any) -> list[Node]:
    """The shares of values where a mask hides whole rows, of which PyTorch gives 0: rows that see all, times 0.

    `parts` are the scores and the values, `rows` says which are hidden. The constants are added to the program's.
    """
    from archcalc.interop.arrays import np

    constants, given, made = (
        step.program.constants,
        step.program.constants[mask],
        step.program.shape(step.node.outputs[0]),
    )
    assert isinstance(constants, dict)
    assert given.load is not None
    is_bool = given.dtype == "bool"
    opened = np.where(rows, True if is_bool else 0, given.load().reshape(given.shape))
    arrays = {f"{mask} without hidden rows": opened, f"{mask} as hidden rows": np.where(rows, 0, 1).astype("float32")}
    for name, array in arrays.items():
        dtype = "bool" if array.dtype == bool else "float32"
        constants[name] = Constant(name, array.shape, dtype, "constant", array.copy)
    (opened_name, kept_name), (scores, values) = arrays, parts
    shape = step.shape(scores)
    found = (
        step("masked_fill", (scores, opened_name), shape, value=-math.inf, keeps=True) if is_bool
        else step("add", (scores, opened_name), shape)
    )  # fmt: skip
    found = step("matmul", (step("softmax", (found,), shape, dim=len(shape) - 1), values), made)
    return step.last(step("mul", (found, kept_name), made))


def as_products(node: Node, program: Program) -> list[Node]:
    """Attention or a dense layer as products, in a form that no op has: a bias, fewer heads of the keys, other weights.

    The new values are added to `program.values`; none where it is another operation, causal attention, or attention
    whose biases fit no scores.
    """
    assert isinstance(program.values, dict)
    step, made = Steps(node, program, program.values), program.shape(node.outputs[0])
    if node.op == "linear":
        x, weight, *biases = (name for name in node.inputs if name is not None)
        outputs, depth = program.shape(weight)
        across = step("transpose", (weight,), (depth, outputs), dim0=0, dim1=1)
        found = step("matmul", (x, across), made)
        for bias in biases:
            found = step("add", (found, bias), made)
        return step.last(found)
    if node.op not in ("scaled_dot_product_attention", "attention") or node.attributes.get("is_causal"):
        return []
    q, k, v, *biases = (name for name in node.inputs if name is not None)
    queries, keys = program.shape(q), program.shape(k)
    scale = node.attributes.get("scale")
    factor = queries[-1] ** -0.5 if scale is None else float(scale)
    count = keys[-1] if node.op == "attention" else keys[-2]
    scores = (*made[:-1], count)
    if any(len(program.shape(name)) > len(scores) or program.shape(name)[-1] not in (1, count) for name in biases):
        return []
    if node.op == "scaled_dot_product_attention":
        turned = (*keys[:-2], keys[-1], keys[-2])
        k = step("transpose", (k,), turned, dim0=len(keys) - 2, dim1=len(keys) - 1)
    found = step("matmul", (q, k), scores)
    if factor != 1:
        found = step("mul", (found,), scores, other=factor)
    hides, fill = node.attributes.get("hides", False), node.attributes.get("fill", -math.inf)
    blind = [hidden_rows(program.constants.get(bias), hides) for bias in biases]
    if node.op == "scaled_dot_product_attention" and any(each is not None for each in blind):
        return without_hidden(step, (found, v), biases[0], blind[0])
    for bias, rows in zip(biases, blind, strict=True):
        known = program.constants.get(bias) or program.values[bias]
        if known.dtype == "bool":
            # A number below all scores hides as −∞ does, but not where it hides a whole row.
            given = {"value": -math.inf if rows is None else fill, "keeps": not hides}
            found = step("masked_fill", (found, bias), scores, **given)
        else:
            found = step("add", (found, bias), scores)
    found = step("softmax", (found,), scores, dim=len(scores) - 1)
    return step.last(step("matmul", (found, v), made))
