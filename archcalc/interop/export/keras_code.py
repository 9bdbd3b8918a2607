"""Keras code in the functional interface, channels last: blocks as functions, equal ones in a row as a loop."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from archcalc.core.errors import UsageError
from archcalc.interop.export.classes import Call, Classes, Item, Template
from archcalc.interop.export.code import WIDTH, Names, parts_of, used_parts, wrapped
from archcalc.interop.export.keras_ops import spell
from archcalc.interop.export.names import docstring, identifier, unique
from archcalc.interop.export.params import literal
from archcalc.interop.export.spelling import NEEDED, Layout
from archcalc.interop.export.structure import Tree
from archcalc.passes.analysis import Analysis

MODULES = "keras_modules.txt"
#: What the code itself calls something.
WORDS = frozenset({"keras", "layers", "ops", "math", "name", "i", "sum", "range", "max", "min", "zip", "len"})


def to_keras_code(analysis: Analysis) -> str:
    """A module of Python with a function that makes the network as a `keras.Model`.

    Raises `UsageError` for a layer that Keras has no words for, and for weights that cannot be shared there.
    """
    return _written(analysis)[0]


def keras_weights(analysis: Analysis) -> dict[str, tuple[str, Layout]]:
    """For each array, `LAYER.ARRAY`, the layer of the exported model and how the array lies in its variable.

    The variable holds `array.transpose(axes)`, in another shape where `Layout.shape` says one; its gates, one under the
    other, in the order that `gates` says, and as one of its rows where there is a `row`. An array with `others` is cut
    into equal parts along its first axis, which go to the variable and to these.
    """
    _, tree = _written(analysis)
    found = {}
    for index, path in tree.paths.items():
        row = analysis.rows[index]
        if tree.graph.layers[index].weights_of is None:
            for param in row.op.param_shapes(row.input_shapes):
                layout = tree.spellings[index].arrays[param.name]
                name = f"{path}_{layout.suffix}" if layout.suffix else path
                found[f"{row.name}.{param.name}"] = name.replace(".", "-"), layout
    return found


def _written(analysis: Analysis) -> tuple[str, Tree]:
    """The code and the blocks; a layer that has the name of an operation in the code gets another."""
    tree = _tree(analysis, WORDS)
    text = _text(analysis, tree)
    operations = _operations(text)
    if any(each in operations for each in re.findall(r'\bname="([^"]*)"', text)):
        tree = _tree(analysis, operations)
        text = _text(analysis, tree)
    return text, tree


class _Operations(Collection[str]):
    """The names that Keras gives to operations by itself, `transpose`, `transpose_1` …, and the words of the code."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = {*names, *WORDS}

    def __contains__(self, name: object) -> bool:
        return name in WORDS or re.sub(r"_[0-9]+$", "", str(name)) in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _operations(text: str) -> _Operations:
    """The operations of the code: functions of `ops`."""
    return _Operations(set(re.findall(r"\bops\.(?:[a-z]+\.)?([a-z_0-9]+)\(", text)))


def _text(analysis: Analysis, tree: Tree) -> str:
    top_name = identifier(analysis.graph.name.lower(), WORDS)
    classes = Classes(tree, top_name)
    functions: dict[str, str] = {}
    for template in classes.templates[:-1]:
        functions[template.name] = unique(identifier(_snake(template.name), WORDS), [*functions.values(), top_name])
    writer = _Writer(functions, {*WORDS, *functions.values(), top_name, *parts_of(MODULES)})
    body = [writer.function(each) for each in classes.templates[:-1] if each.gives]
    body.append(writer.network(classes.templates[-1], analysis, tree))
    calls = [call.call for each in classes.templates for item in each.items for call in item.calls]
    used = used_parts(MODULES, iter([*calls, *_words(body)]))
    text = "\n\n\n".join([*(parts_of(MODULES)[name] for name in used), *body])
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    parts = ", ".join(name for name in ("layers", "ops") if name in names)
    standard = "import math\n\n" if "math" in names else ""
    imported = f"import keras\nfrom keras import {parts}\n" if parts else "import keras\n"
    head = f'"""Written by archcalc."""\n\n{standard}{imported}'
    return f"{head}\n\n{text}\n"


def _tree(analysis: Analysis, reserved: Collection[str]) -> Tree:
    """The blocks; a network with shared weights is written layer by layer, since layers are called again."""
    shares = any(layer.weights_of is not None for layer in analysis.graph)
    tree = Tree(analysis, spell, reserved, open_all=shares)
    for user, owner in tree.tied:
        layers = tree.graph.layers
        raise UsageError(
            f'layer "{layers[user].name}" ({layers[user].op.kind}): weights of "{layers[owner].name}" with other '
            f"settings cannot be written for Keras"
        )
    return tree


def _snake(name: str) -> str:
    """conv_bn_relu of ConvBnRelu."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _words(body: Sequence[str]) -> Iterator[str]:
    """The functions that expressions call."""
    for text in body:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id


class _Writer:
    """Functions of code: a block each."""

    def __init__(self, functions: Mapping[str, str], reserved: Collection[str]) -> None:
        self.functions, self.reserved = functions, reserved

    def function(self, template: Template) -> str:
        few = template.inputs <= len("xyz")
        inputs = list("xyz"[: template.inputs]) if few else [f"x{n + 1}" for n in range(template.inputs)]
        params = [
            param.name if param.default is NEEDED else f"{param.name}={literal(param.default)}"
            for param in template.params
        ]
        lines = wrapped(f"def {self.functions[template.name]}(", [*inputs, *params, "*, name"], "):", 0)
        names = Names(template, inputs, {*self.reserved, *(param.name for param in template.params)})
        lines += self._lines(template, names, "{name}-")
        given = ", ".join(names.of[place] for place in template.gives)
        if template.items and lines[-1].startswith(f"    {given} = "):
            lines[-1] = lines[-1].replace(f"    {given} = ", "    return ", 1)
        else:
            lines.append(f"    return {given}")
        return "\n".join(lines)

    def network(self, template: Template, analysis: Analysis, tree: Tree) -> str:
        graph = analysis.graph
        lines = [
            f"def {template.name}():",
            f'    """{docstring(graph.title or graph.name)}; channels last.{_left_out(analysis)}"""',
        ]
        inputs: dict[int, str] = {}
        for index, (name, shape) in enumerate(graph.inputs.items()):
            only = len(graph.inputs) == 1
            own = "x" if only else unique(identifier(name, self.reserved), [*inputs.values(), *self.reserved])
            inputs[index] = own
            size = (*shape[1:], shape[0])
            made = f"keras.Input({size!r}, name={literal(identifier(name))})"
            lines.append(f"    {'inputs = ' if only else ''}{own} = {made}")
        if len(inputs) > 1:
            lines.append(f"    inputs = [{', '.join(inputs.values())}]")
        names = Names(template, [inputs[value[0]] for value in tree.top.inputs], {*self.reserved, "inputs"})
        lines += self._lines(template, names, "")
        known = {(index, 0): name for index, name in inputs.items()}
        known |= {value: names.of[place] for value, place in zip(tree.top.outputs, template.gives, strict=True)}
        results = [known[output.layer, 0] for output in graph.outputs]
        outputs = results[0]
        if len(results) > 1:
            pairs = zip(graph.outputs, results, strict=True)
            outputs = "{" + ", ".join(f"{literal(output.name)}: {result}" for output, result in pairs) + "}"
        lines.append(f"    return keras.Model(inputs, {outputs}, name={literal(identifier(graph.name))})")
        return "\n".join(lines)

    def _lines(self, template: Template, names: Names, prefix: str) -> list[str]:
        again = {item.shares for item in template.items if item.shares}
        lines: list[str] = []
        for _, item, given, results in names.steps():
            if not results:
                continue  # a model of Keras has no layer that nothing reads
            if item.first is not None:
                lines += self._loop(item, given[0], results[0], prefix)
            elif item.expression:
                lines += _assigned(results[0], item.expression.format(*given))
            else:
                lines += self._applied(item, given, results, prefix, item.attribute in again)
        return lines

    def _loop(self, item: Item, x: str, result: str, prefix: str) -> list[str]:
        """A run of equal blocks."""
        call = item.calls[0]
        lines = [f"    {result} = {x}"] if result != x else []
        name = f'name=f"{prefix}{item.attribute}{{i}}"'
        if item.last == str(item.first):
            only = _name(prefix, f"{item.attribute}{item.first}")
            return [*lines, *self._call(result, call, [result], f"name={only}", 4)]
        last = str(int(item.last) + 1) if item.last.isdecimal() else f"{item.last} + 1"
        lines.append(f"    for i in range({item.first}, {last}):")
        return [*lines, *self._call(result, call, [result], name, 8)]

    def _call(self, result: str, call: Call, given: Sequence[str], name: str, indent: int) -> list[str]:
        start = f"{' ' * indent}{result} = {self.functions[call.call]}("
        return wrapped(start, [*given, *call.arguments, name], ")", indent)

    def _applied(
        self, item: Item, given: Sequence[str], results: Sequence[str], prefix: str, kept: bool
    ) -> Iterator[str]:
        """A layer, with what comes before and after it; or a block."""
        if item.calls[0].call in self.functions:
            name = f"name={_name(prefix, item.attribute)}"
            yield from self._call(", ".join(results), item.calls[0], given, name, 4)
            return
        x, others = given[0], [] if item.first_only else list(given[1:])
        for call in item.calls:
            label = f"{item.attribute}_{call.suffix}" if call.suffix else item.attribute
            if call.call.startswith("ops.") or (call.call[0].islower() and "." not in call.call):
                yield from wrapped(f"    {results[0]} = {call.call}(", [x, *call.arguments], ")", 4)
                x = results[0]
                continue
            read = x if call.suffix or not others else f"[{', '.join([x, *others])}]"
            if item.given and not call.suffix:
                read = item.given.format(x, *others)
            given_both = [*results, "_"][:2] if "Places" in call.call else results
            gives = results[0] if call.suffix else ", ".join(given_both)
            frozen = ["trainable=False"] if item.frozen and not call.suffix else []
            arguments = [*call.arguments, *frozen, f"name={_name(prefix, label)}"]
            if item.shares and not call.suffix:
                yield f"    {gives} = {_variable(item.shares)}({read})"
            elif kept and not call.suffix:
                yield from wrapped(f"    {_variable(item.attribute)} = {call.call}(", arguments, ")", 4)
                yield f"    {gives} = {_variable(item.attribute)}({read})"
            else:
                if item.shares:
                    arguments = arguments[:-1]
                yield from wrapped(f"    {gives} = {call.call}(", arguments, f")({read})", 4)
            x = results[0]


def _left_out(analysis: Analysis) -> str:
    """What the text of a network says of parameters that it lacks: of layers that no output needs."""
    layers, needed = analysis.graph.layers, {output.layer for output in analysis.graph.outputs}
    for index in reversed(range(len(layers))):
        needed.update(layers[index].inputs if index in needed else ())
    count = sum(row.params for index, row in enumerate(analysis.rows) if index not in needed)
    return f" {count:,} parameters of layers that no output needs are left out." if count else ""


def _variable(attribute: str) -> str:
    """What a layer that is called again is called."""
    return f"{attribute.replace('.', '_')}_layer"


def _name(prefix: str, attribute: str) -> str:
    """The name of a layer: those of its blocks with `-` between, since `.` and `/` may stand in none."""
    attribute = attribute.replace(".", "-")
    return f'f"{prefix}{attribute}"' if prefix else f'"{attribute}"'


def _assigned(result: str, text: str) -> list[str]:
    line = f"    {result} = {text}"
    return [line] if len(line) <= WIDTH else [f"    {result} = (", f"        {text}", "    )"]
