"""PyTorch code: a network as `nn.Module`s, blocks as classes, equal blocks in a row as a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from archcalc.interop.export.classes import Call, Classes, Item, Template
from archcalc.interop.export.code import WIDTH, Names, parts_of, used_parts, wrapped
from archcalc.interop.export.names import class_name, docstring, identifier, unique
from archcalc.interop.export.params import literal
from archcalc.interop.export.spelling import NEEDED
from archcalc.interop.export.structure import Tree
from archcalc.interop.export.torch_ops import spell
from archcalc.passes.analysis import Analysis

MODULES = "torch_modules.txt"
#: What nn.Module and nn.Sequential have already: no part may have one of these names.
RESERVED = frozenset(
    """
    T_destination add_module append apply bfloat16 buffers call_super_init children compile cpu cuda double dump_patches
    eval extend extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half insert ipu
    load_state_dict modules mtia named_buffers named_children named_modules named_parameters parameters pop
    register_backward_hook register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook register_module
    register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_ set_extra_state
    set_submodule share_memory state_dict to to_empty train training type xpu zero_grad self torch nn F math i
    """.split()  # noqa: SIM905 # a table of words reads best as text
)


def to_torch_code(analysis: Analysis) -> str:
    """A module of Python that defines the network as an `nn.Module`.

    Raises `UsageError` for a layer that PyTorch has no words for.
    """
    graph = analysis.graph
    tree = Tree(analysis, spell, RESERVED)
    classes = Classes(tree, class_name(graph.name, graph.title), [*parts_of(MODULES), "F"])
    top = classes.templates[-1]
    body = [_class(each, _Top(analysis, tree) if each is top else None) for each in classes.templates]
    used = used_parts(
        MODULES,
        (call.call.rpartition("(")[2] for each in classes.templates for item in each.items for call in item.calls),
    )
    text = "\n\n\n".join([*(parts_of(MODULES)[name] for name in used), *body])
    return f"{_head(text)}\n\n\n{text}\n"


def state_keys(analysis: Analysis) -> dict[str, str]:
    """For each array of the network, `LAYER.ARRAY`, its key in the `state_dict` of the exported module.

    Every array has the same shape and layout in both.
    """
    tree = Tree(analysis, spell, RESERVED)
    found = {}
    for index, path in tree.paths.items():
        row = analysis.rows[index]
        for param in row.op.param_shapes(row.input_shapes):
            if tree.graph.layers[index].weights_of is None:
                found[f"{row.name}.{param.name}"] = f"{path}.{row.op.pytorch_names().get(param.name, param.name)}"
    return found


class _Top:
    """What the class of the whole network has besides."""

    def __init__(self, analysis: Analysis, tree: Tree) -> None:
        taken: dict[str, None] = {}
        for name in analysis.graph.inputs:
            own = "x" if len(analysis.graph.inputs) == 1 else identifier(name, RESERVED)
            taken[unique(own, taken)] = None
        order = [value[0] for value in tree.top.inputs]
        self.inputs = list(taken)
        self.read = [self.inputs[index] for index in order]
        self.outputs = [(output.name, (output.layer, 0)) for output in analysis.graph.outputs]
        self.values = tree.top.inputs, tree.top.outputs
        self.ties = [
            (f"{tree.paths[user]}.{name}", f"{tree.paths[owner]}.{name}")
            for user, owner in tree.tied
            for name in (
                analysis.rows[user].op.pytorch_names().get(param.name, param.name)
                for param in analysis.rows[user].op.param_shapes(analysis.rows[user].input_shapes)
            )
        ]
        self.text = _about(analysis)

    def results(self, names: Mapping[tuple[int, int], str], template: Template) -> str:
        """What the network returns: a map, or of several those by name."""
        inputs, outputs = self.values
        known = {value: self.read[number] for number, value in enumerate(inputs)}
        known |= {value: names[place] for value, place in zip(outputs, template.gives, strict=True)}
        if len(self.outputs) == 1:
            return known[self.outputs[0][1]]
        return "{" + ", ".join(f"{literal(name)}: {known[value]}" for name, value in self.outputs) + "}"


def _about(analysis: Analysis) -> list[str]:
    graph = analysis.graph
    sizes = ", ".join(f"(N, {', '.join(map(str, shape))})" for shape in graph.inputs.values())
    title = docstring(graph.title or graph.name)
    year = f" ({graph.year})" if graph.year else ""
    return [f"{title}{year}. Input {sizes}; {analysis.totals.params:,} parameters."]


def _head(text: str) -> str:
    """The lines before the classes: what they use is imported."""
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    lines = ['"""Written by archcalc."""', ""]
    lines += ["import math", ""] if "math" in used else []
    lines += ["import torch"] if "torch" in used else []
    lines += ["import torch.nn.functional as F"] if "F" in used else []
    return "\n".join([*lines, "from torch import nn"])


# --- a class


def _class(template: Template, top: _Top | None) -> str:
    chain = template.is_chain and (top is None or (len(top.inputs) == 1 and len(top.outputs) == 1))
    lines = [f"class {template.name}(nn.{'Sequential' if chain else 'Module'}):"]
    if top is not None:
        lines += [f'    """{line}"""' for line in top.text] + [""]
    params = [param.name if param.default is NEEDED else f"{param.name}={literal(param.default)}"
              for param in template.params]  # fmt: skip
    lines += wrapped("    def __init__(", ["self", *params], "):", 4)
    lines.append("        super().__init__()")
    lines += [f"        self.{holder} = nn.Module()" for holder in template.holders]
    if not chain:
        counts = dict.fromkeys(item.last for item in template.items if item.last and not item.last.isdecimal())
        lines += [f"        self.{count} = {count}" for count in counts]
    for item in template.items:
        lines += _constructed(item)
    if top is not None:
        lines += [f"        self.{user} = self.{owner}" for user, owner in top.ties]
    if not chain:
        lines += ["", *_forward(template, top)]
    return "\n".join(lines)


def _constructed(item: Item) -> Iterator[str]:
    """The lines of the constructor that make a part."""
    if item.shares:
        return
    frozen = ".requires_grad_(False)" if item.frozen else ""
    if item.first is not None:
        if item.last == str(item.first):
            yield from wrapped(f"        self.{item.attribute}{item.first} = {item.calls[0].call}(",
                                item.calls[0].arguments, _closed(item.calls[0]), 8)  # fmt: skip
            return
        yield f"        for i in range({item.first}, {_plus_one(item.last)}):"
        start = f'            self.add_module(f"{item.attribute}{{i}}", {item.calls[0].call}('
        yield from wrapped(start, item.calls[0].arguments, f"{_closed(item.calls[0])})", 12)
        return
    for call in item.calls:
        own = frozen if not call.suffix else ""
        yield from wrapped(
            f"        self.{_attribute(item, call)} = {call.call}(", call.arguments, f"{_closed(call)}{own}", 8
        )


def _closed(call: Call) -> str:
    """The end of a call, and of those around it: of normalised weights."""
    return ")" * (1 + call.call.count("("))


def _plus_one(text: str) -> str:
    return str(int(text) + 1) if text.isdecimal() else f"{text} + 1"


def _attribute(item: Item, call: Call) -> str:
    """Parts before and after the layer's own are called by its name and what they do."""
    if not call.suffix:
        return item.attribute
    return f"{item.attribute}_{call.suffix}"


# --- forward


def _forward(template: Template, top: _Top | None) -> Iterator[str]:
    if top is None:
        few = template.inputs <= len("xyz")
        inputs = list("xyz"[: template.inputs]) if few else [f"x{number + 1}" for number in range(template.inputs)]
        yield f"    def forward(self, {', '.join(inputs)}):"
    else:
        inputs = top.read
        yield f"    def forward(self, {', '.join(top.inputs)}):"
    names = Names(template, inputs, RESERVED)
    end = len(template.items) - 1
    for number, item, given, results in names.steps():
        if item.first is not None:
            if not results:
                yield f"        self.{item.attribute}{item.first}({given[0]})"
                continue
            if results[0] != given[0]:
                yield f"        {results[0]} = {given[0]}"
            if item.last == str(item.first):
                yield f"        {results[0]} = self.{item.attribute}{item.first}({results[0]})"
                continue
            yield f"        for i in range({item.first}, {_count(item)}):"
            yield f'            {results[0]} = self.get_submodule(f"{item.attribute}{{i}}")({results[0]})'
            continue
        text = item.expression.format(*given) if item.expression else _applied(item, given)
        if (
            top is None
            and template.gives
            and number == end
            and template.gives == tuple((end, which) for which in range(item.gives))
        ):
            yield from _assigned("return", text)
            return
        yield from _assigned(", ".join(results), text)
    if top is not None:
        yield f"        return {top.results(names.of, template)}"
        return
    if template.gives:
        yield f"        return {', '.join(names.of[place] for place in template.gives)}"


def _count(item: Item) -> str:
    return _plus_one(item.last if item.last.isdecimal() else f"self.{item.last}")


def _applied(item: Item, given: Sequence[str]) -> str:
    """The calls of a part, one in the other."""
    first, *others = given
    text = first
    for call in item.calls:
        more = others if not call.suffix else []
        owner = item.shares or item.attribute
        name = owner if not call.suffix else f"{owner}_{call.suffix}"
        text = f"self.{name}({', '.join([text, *more])})"
    return text


def _assigned(names: str, text: str) -> Iterator[str]:
    names = names if names == "return" or not names else f"{names} ="
    line = f"        {names} {text}" if names else f"        {text}"
    if len(line) <= WIDTH:
        yield line
    elif text.startswith("torch.cat(["):
        inner, _, dim = text.removeprefix("torch.cat([").rpartition("], ")
        yield from wrapped(f"        {names} torch.cat([", inner.split(", "), f"], {dim}", 8)
    else:
        yield f"        {names} ("
        yield f"            {text}"
        yield "        )"
