"""A spec with its parameters set, expanded into a flat layer graph.

Shapes are asked for only where an expression does, as `in_channels` and `height(stem)` do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from archcalc.core.errors import SpecError
from archcalc.core.shapes import Shape
from archcalc.graph.inputs import inputs_in_words
from archcalc.graph.layer_graph import Layer, LayerGraph, Output, Recipe
from archcalc.ops import OPS, Op
from archcalc.ops.reshape import Input
from archcalc.spec import items as it
from archcalc.spec.document import LayerOutput, Parameter
from archcalc.spec.evaluate import FAULTY, exact, interpolate, show
from archcalc.spec.expressions import ExpressionError
from archcalc.spec.faults import Faults, TooMuchError
from archcalc.spec.names import Flow, Names
from archcalc.spec.settings import accept
from archcalc.spec.sharing import Sharing
from archcalc.spec.sizes import MapSizes, Scope
from archcalc.spec.source import Mark, MarkedDict, MarkedList
from archcalc.spec.spec import BlockSpec, Spec
from archcalc.spec.values import MOST_LAYERS, Values, Variables, evaluate_tree, is_text

MOST_STEPS = 150_000
DEEPEST = 60


class Expander:
    """Walks the items of a spec once and writes down the layers that they mean."""

    def __init__(self, spec: Spec, variables: Variables) -> None:
        self.spec = spec
        self.network_variables = variables
        self.faults = Faults(spec.file)
        self.values = Values(self.faults)
        self.names = Names(self.faults)
        self.layers: list[Layer] = []
        self.sizes = MapSizes(self.names, self.faults, self.layers)
        self.sharing = Sharing(self.names, self.faults, self.layers)
        self.frozen = False
        self.outputs: list[Output] = []
        self.open_blocks: list[str] = []
        self.steps = 0
        self.depth = 0

    # --- the variables at a place

    def step_scope(self, item: it.Step, flow: Flow, scope: str, variables: Variables) -> Scope:
        """The variables at a step; what it reads is looked for only if a size of it is asked for."""
        fields = item.fields
        if "from" not in fields:
            return Scope(variables, self.sizes, flow, scope)
        outer = Scope(variables, self.sizes, flow, scope)
        reader = str(fields.get("name", item.kind))

        def sources() -> Flow:
            found = self.sources(fields["from"], scope, outer, fields.values_at["from"], reader)
            return tuple(index for source in found for index in source[:1]) or flow

        return Scope(variables, self.sizes, sources, scope)

    # --- items

    def count(self, at: Mark, work: int = 1) -> None:
        """Note that work is done; there may be only so much of it."""
        self.steps += work
        if self.steps > MOST_STEPS:
            self.faults.add(f"the spec expands to more than {MOST_STEPS:,} steps", at)
            raise TooMuchError

    def items(self, items: Sequence[it.Item], flow: Flow, scope: str, variables: Variables) -> Flow:
        self.depth += 1
        for item in items:
            here = Scope(variables, self.sizes, flow, scope)
            self.count(item.at)
            if self.depth > DEEPEST:
                self.faults.add(f"blocks and repeats are nested more than {DEEPEST} deep", item.at)
                raise TooMuchError
            if isinstance(item, it.Step):
                flow = self.step(item, flow, scope, here)
            elif self.values.condition(item.when, here, item.places.get("when", item.at)):
                flow = self.form(item, flow, scope, here)
        self.depth -= 1
        return flow

    def form(self, item: it.Item, flow: Flow, scope: str, variables: Variables) -> Flow:
        if isinstance(item, it.Repeat):
            for inner in self.repeats(item.times, item.variable, variables, item.places["repeat"]):
                self.count(item.at)
                flow = self.joined(flow, self.items(item.body, flow, scope, inner))
            return flow
        if isinstance(item, it.ForEach):
            return self.for_each(item, flow, scope, variables)
        if isinstance(item, it.Branches):
            return self.branches(item, flow, scope, variables)
        assert isinstance(item, it.Output)
        inner_scope = self.names.given(scope, self.values.text(item.name, variables, item.at), item.at)
        result = self.items(item.body, flow, inner_scope, variables)
        self.names.known[inner_scope] = result
        at = item.places.get("loss_weight", item.at)
        weight = self.values.loss_weight(item.loss_weight, variables, at)
        self.outputs.append(Output(inner_scope, result[0], weight, item.training_only))
        return flow

    def repeats(self, raw: Any, variable: str | None, variables: Variables, at: Mark) -> Iterator[Variables]:
        """The variables of each repetition, with the one that counts them from 1."""
        return self.values.repeats(raw, variable, variables, at)

    def for_each(self, item: it.ForEach, flow: Flow, scope: str, variables: Variables) -> Flow:
        for row in self.rows(item, variables):
            here = Scope(variables, self.sizes, flow, scope)
            if isinstance(row, dict):
                flow = self.items(item.body, flow, scope, {**variables, **row})
            elif isinstance(row, MarkedList):
                marked = zip(item.columns, row, row.items_at, strict=True)
                cells = {column: self.values.cell(column, cell, here, at) for column, cell, at in marked}
                flow = self.items(item.body, flow, scope, {**variables, **cells})
            else:
                flow = self.items([row], flow, scope, variables)
        return flow

    def rows(self, item: it.ForEach, variables: Variables) -> Iterator[dict[str, Any] | MarkedList | it.Item]:
        """The rows of a table: the variables of one that is calculated, cells as written, or an item in its place."""
        if isinstance(item.rows, str):
            at = item.places["rows"]
            rows = self.values.value(item.rows, variables, at, "rows")
            if rows is not FAULTY and not isinstance(rows, list):
                self.faults.add(f"rows must be a list, not {show(rows)}", at)
            for row in rows if isinstance(rows, list) else ():
                self.count(at)
                cells = row if isinstance(row, list) else [row]
                if len(cells) != len(item.columns):
                    self.faults.add(f"a row of {len(cells)} for {len(item.columns)} columns", at)
                    return
                yield dict(zip(item.columns, cells, strict=True))
            return
        for row in item.rows:
            self.count(item.at)
            yield row

    def sources(
        self, raw: Any, scope: str, variables: Variables, at: Mark, reader: str, key: str = "from"
    ) -> list[Flow]:
        """The flows that `from`, or another key, names; unknown names are left out and reported at the end."""
        found = []
        references = list(self.references(raw, variables, at))
        if not references:
            self.faults.add(f"{key} must name layers", at, reader)
        for reference, inner, place in references:
            if isinstance(reference, bool) or not isinstance(reference, (str, int)):
                self.faults.add(f"{key} must name layers", place, reader)
                continue
            name = self.names.find(self.values.text(reference, inner, place), scope, place, reader, key)
            if name is not None:
                found.append(self.names.known[name])
        return found

    def references(self, raw: Any, variables: Variables, at: Mark) -> Iterator[tuple[Any, Variables, Mark]]:
        """The names in `from`, each with what is known at it; a mapping stands for as many layers as it says."""
        marks = getattr(raw, "items_at", None)
        listed = zip(raw, marks or [at] * len(raw), strict=True) if isinstance(raw, list) else [(raw, at)]
        for entry, place in listed:
            if not isinstance(entry, MarkedDict):
                yield entry, variables, place
            elif self.values.condition(entry.get("when"), variables, entry.values_at.get("when", place)):
                times = entry.values_at.get("repeat", place)
                for inner in self.repeats(entry.get("repeat"), entry.get("as"), variables, times):
                    self.count(place)
                    yield entry.get("layer"), inner, entry.values_at.get("layer", place)

    def like(self, item: it.Step, scope: str, variables: Variables, reader: str) -> Flow:
        """The layer that `like` names, of which the size is taken; nothing where it is faulty."""
        raw, at = item.fields["like"], item.fields.values_at.get("like", item.at)
        if isinstance(raw, bool) or not isinstance(raw, (str, int)):
            self.faults.add("like must name one layer", at, reader)
            return ()
        name = self.names.find(self.values.text(raw, variables, at), scope, at, reader, "like")
        return () if name is None else self.names.known[name][:1]

    def shared(self, item: it.Step, scope: str, variables: Variables, reader: str, at: Mark) -> str | None:
        """The full name of the layer or block that `weights` names; None without it, or where it is faulty."""
        if "weights" not in item.fields:
            return None
        raw = item.fields["weights"]
        if isinstance(raw, bool) or not isinstance(raw, (str, int)):
            self.faults.add("weights must name one layer", at, reader)
            return None
        return self.names.find(self.values.text(raw, variables, at), scope, at, reader, "weights")

    def branches(self, item: it.Branches, flow: Flow, scope: str, variables: Variables) -> Flow:
        if item.name is not None:
            scope = self.names.given(scope, self.values.text(item.name, variables, item.at), item.at)
        if item.sources is not None:
            flows = self.sources(item.sources, scope, variables, item.places["from"], scope or "branches")
            flow = tuple(index for found in flows for index in found[:1]) or flow
        results: list[int] = []
        here = Scope(variables, self.sizes, flow, scope)
        for branch in item.branches:
            if not self.values.condition(branch.when, here, branch.places.get("when", item.at)):
                continue
            for inner in self.repeats(branch.times, branch.variable, here, branch.places.get("repeat", item.at)):
                self.count(item.at)
                results += self.items(branch.body, flow, self.names.branch(scope, branch.name), inner)[:1]
        # Where no branch is there, the input passes.
        result: Flow = tuple(results) or flow[:1]
        if item.merge is not None and len(results) > 1:
            op = self.values.op(item.merge, {}, item.at, None, variables)
            result = (self.add(self.names.made(scope, op.stem), op, result, item.at),)
        if item.name is not None:
            self.names.known[scope] = result
        return result

    # --- steps

    def step(self, item: it.Step, flow: Flow, scope: str, variables: Variables) -> Flow:
        fields, places = item.fields, item.fields.values_at
        here = variables if "from" not in fields else self.step_scope(item, flow, scope, variables)
        if not self.values.condition(fields.get("when"), here, places.get("when", item.at)):
            return flow
        outer = self.frozen
        if "frozen" in fields:
            self.frozen |= self.values.condition(fields["frozen"], here, places.get("frozen", item.at), "frozen")
        block = self.spec.blocks.get(item.kind)
        work = 1 + _size(fields) // 10
        for inner in self.repeats(fields.get("repeat"), fields.get("as"), here, places.get("repeat", item.at)):
            self.count(item.at, work)
            if inner is not here or "repeat" in fields:
                here = self.step_scope(item, flow, scope, inner)
            if block is not None:
                made = self.block(item, block, flow, scope, here)
            else:
                made = (self.layer(item, flow, scope, here),)
            flow = self.joined(flow, made)
        self.frozen = outer
        return flow

    def joined(self, before: Flow, after: Flow) -> Flow:
        """What comes out of a repetition: what it makes, for it is there."""
        return after

    def own_name(self, item: it.Step, stem: str, scope: str, variables: Variables) -> str:
        raw = item.fields.get("name")
        if raw is None:
            return self.names.made(scope, stem)
        at = item.fields.values_at.get("name", item.at)
        if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
            self.faults.add("name must be a word", at)
            return self.names.made(scope, stem)
        return self.names.given(scope, self.values.text(raw, variables, at), at, True, self.values.is_again)

    def layer(self, item: it.Step, flow: Flow, scope: str, variables: Variables) -> int:
        name = self.own_name(item, OPS[item.kind].stem, scope, variables)
        op = self.values.op(item.kind, item.fields, item.at, name, variables)
        if "from" in item.fields:
            at = item.fields.values_at["from"]
            found = self.sources(item.fields["from"], scope, variables, at, name)
            flow = tuple(index for source in found for index in source[:1])
            if not flow:
                flow = (0,) * max(1, OPS[item.kind].fewest_inputs)
        elif OPS[item.kind].most_inputs == 0:
            flow = ()
        if "like" in item.fields:
            flow = (*flow, *self.like(item, scope, variables, name))
        at = item.fields.values_at.get("weights", item.at)
        other = self.shared(item, scope, variables, name, at)
        owner = self.sharing.by_block(op, name) if other is None else self.sharing.of(other, at, name)
        frozen = self.frozen
        if owner is not None:
            frozen = self.layers[owner].frozen
            if self.frozen and not frozen:
                message = f"frozen: its weights are those of {self.layers[owner].name!r}; freeze that layer"
                self.faults.add(message, item.at, name)
        self.check_count(item.kind, name, len(flow), item.at)
        return self.add(name, op, flow, item.at, owner, frozen)

    def check_count(self, kind: str, name: str, count: int, at: Mark) -> None:
        """Note where another number of maps reaches a layer than its op takes."""
        fewest, most = OPS[kind].fewest_inputs, OPS[kind].most_inputs
        if (count < fewest or (most is not None and count > most)) and not self.names.unresolved:
            says = "leave from out" if most == 0 else "say which with from"
            self.faults.add(f"{kind} takes {inputs_in_words(fewest, most)}, {count} reach it; {says}", at, name)

    def add(self, name: str, op: Op, inputs: Flow, at: Mark, owner: int | None = None, frozen: bool = False) -> int:
        if len(self.layers) >= MOST_LAYERS:
            self.faults.add(f"the network has more than {MOST_LAYERS:,} layers", at)
            raise TooMuchError
        index = len(self.layers)
        self.layers.append(Layer(name, op, inputs, owner, self.faults.place(at), frozen))
        self.names.known[name] = (index,)
        return index

    # --- blocks

    def block(self, item: it.Step, block: BlockSpec, flow: Flow, scope: str, variables: Variables) -> Flow:
        declared = block.declared
        inner_scope = self.own_name(item, item.kind, scope, variables)
        if item.kind in self.open_blocks:
            path = " → ".join([*self.open_blocks[self.open_blocks.index(item.kind) :], item.kind])
            self.faults.add(f"the block {item.kind!r} includes itself: {path}", item.at)
            return flow
        if "from" in item.fields:
            at = item.fields.values_at["from"]
            found = self.sources(item.fields["from"], scope, variables, at, inner_scope)
            # A block with several inputs may take all outputs of one block, or one layer for each input.
            single = len(found) == 1 and len(found[0]) == len(declared.inputs)
            flow = found[0] if single else tuple(index for source in found for index in source[:1])
        wanted = max(1, len(declared.inputs))
        if len(flow) != wanted:
            if not self.names.unresolved:
                message = f"block {item.kind!r} takes {inputs_in_words(wanted, wanted)}, {len(flow)} reach it"
                self.faults.add(message, item.at, inner_scope)
            flow = ((*flow, 0) * wanted)[:wanted]
        for name, index in zip(declared.inputs, flow, strict=False):
            self.names.known[f"{inner_scope}/{name}"] = (index,)
        inner = self.arguments(item, block, variables, flow, inner_scope)
        at = item.fields.values_at.get("weights", item.at)
        other = self.shared(item, scope, variables, inner_scope, at)
        if other is None and self.values.condition(
            declared.shared, self.network_variables, block.raw.values_at.get("shared", block.raw.at), "shared"
        ):
            other = self.sharing.first_use(item.kind, inner_scope)
        if inner is None:
            result = flow[:1] * max(1, len(declared.outputs))
            self.names.known[inner_scope] = result
            return result
        self.open_blocks.append(item.kind)
        outer, outside = self.faults.pinned, self.values.outside
        self.values.outside = {*outside, *variables}
        if block.file != self.spec.file and outer is None:
            self.faults.pinned = self.faults.place(item.at)
        with self.sharing.block(inner_scope, other, at):
            body = block.by_rank.get(self.sizes.rank(flow[0]), block.body) if block.by_rank else block.body
            result = self.items(body, flow[:1], inner_scope, inner)
        if declared.outputs:
            at = block.raw.values_at["outputs"]
            found = self.sources(declared.outputs, inner_scope, inner, at, inner_scope)
            result = tuple(source[0] for source in found) or result
        self.faults.pinned, self.values.outside = outer, outside
        self.open_blocks.pop()
        self.names.known[inner_scope] = result
        return result

    def arguments(
        self, item: it.Step, block: BlockSpec, variables: Variables, flow: Flow, inner_scope: str
    ) -> dict[str, Any] | None:
        """The variables inside a block: the network's parameters, the block's arguments, its own `let`."""
        inner = Scope(self.network_variables, self.sizes, flow, inner_scope)
        good = True
        for key, parameter in block.declared.parameters.items():
            if key in item.fields:
                good &= self.argument(item, key, parameter, variables, inner)
            elif parameter.required:
                self.faults.add(f"block {item.kind!r} needs {key}", item.at)
                good = False
            else:
                inner[key] = exact(parameter.default)
        if good:
            self.let(block.declared.let, inner)
        return inner if good else None

    def argument(
        self, item: it.Step, key: str, parameter: Parameter, variables: Variables, inner: dict[str, Any]
    ) -> bool:
        """Evaluate one argument into `inner`; False where it is faulty."""
        raw, at = item.fields[key], item.fields.values_at.get(key, item.at)
        try:
            value = interpolate(raw, variables) if is_text(raw) else evaluate_tree(raw, variables)
        except ExpressionError as error:
            if not (isinstance(raw, str) and parameter.type in ("str", "any") and raw.isidentifier()):
                self.values.wrong(error, key, raw, variables, at, None)
                return False
            value = str(raw)  # a word such as `same`
        try:
            inner[key] = accept(key, parameter, value)
        except ValueError as error:
            self.faults.add(str(error), at)
            return False
        return True

    def let(self, raw: MarkedDict | None, variables: dict[str, Any]) -> None:
        """Add the computed names of a `let`, in order."""
        for name, value in (raw or {}).items():
            assert raw is not None
            self.count(raw.values_at[name], _size(value) // 10)
            variables[name] = self.values.value(value, variables, raw.values_at[name], name)

    # --- the whole

    def begin(self, places: Mapping[str, Mark], shapes: Mapping[str, Shape]) -> None:
        """Write down the inputs, which every network begins with; without shapes, as they are faulty, by name alone."""
        self.sizes.know_input = bool(shapes)
        for index, (name, at) in enumerate(places.items()):
            shape = shapes[name] if shapes else (1, 1, 1)
            self.layers.append(Layer(name, Input(shape=shape), (), location=self.faults.place(at)))
            self.names.known[name] = (index,)

    def run(
        self,
        body: Sequence[it.Item],
        outputs: Mapping[str, LayerOutput],
        places: Mapping[str, Mark],
        shapes: Mapping[str, Shape],
    ) -> None:
        """Expand the layers; raises `SpecError` with all problems."""
        self.begin(places, shapes)
        inputs = len(self.layers)
        try:
            variables = Scope(self.network_variables, self.sizes, (0,), "")
            self.let(self.spec.document.let, variables)
            self.network_variables = variables
            flow = self.items(body, (0,), "", variables)
            self.name_outputs(flow, outputs, variables)
        except TooMuchError:
            pass
        if len(self.layers) == inputs and not self.faults.problems:
            self.faults.add("the network has no layers", self.spec.source.value.values_at["layers"])
        elif inputs > 1 and shapes and not self.names.unresolved:
            self.check_inputs(places)
        problems = self.faults.problems + self.names.problems(self.layers)
        if problems:
            raise SpecError(problems)

    def check_inputs(self, places: Mapping[str, Mark]) -> None:
        """Each of several inputs is there to be read."""
        used = {source for layer in self.layers for source in layer.inputs} | {output.layer for output in self.outputs}
        for index, (name, at) in enumerate(places.items()):
            if index not in used:
                self.faults.add(f"no layer reads the input {name!r}; read it with from: {name}, or leave it out", at)

    def name_outputs(self, flow: Flow, declared: Mapping[str, LayerOutput], variables: Variables) -> None:
        if not declared:
            if len(flow) > 1:
                message = f"the network ends in {len(flow)} branches; merge them, or name the outputs"
                self.faults.add(message, self.spec.source.value.values_at["layers"])
            self.outputs.insert(0, Output("output", flow[0]))
            return
        raw = self.spec.source.value["outputs"]
        marks = raw.items_at if isinstance(raw, MarkedList) else raw.values_at.values()
        named = []
        for (name, output), at in zip(declared.items(), marks, strict=True):
            found = self.sources(output.layer, "", variables, at, "", f"output {name!r}")
            if found:
                weight = self.values.loss_weight(output.loss_weight, variables, at)
                named.append(Output(name, found[0][0], weight, output.training_only))
        self.outputs[:0] = named


def _size(value: Any) -> int:
    """How many values a value of a spec holds."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 1


def expand(
    spec: Spec,
    name: str,
    body: Sequence[it.Item],
    outputs: Mapping[str, LayerOutput],
    variables: Variables,
    places: Mapping[str, Mark],
    shapes: Mapping[str, Shape],
    facts: Mapping[str, Any],
    again: Callable[[Mapping[str, Shape]], LayerGraph] | None = None,
) -> LayerGraph:
    """The layer graph of one network of a spec. Raises `SpecError` with every problem of the expansion.

    `places` say where each input is written. Without their shapes, as they are faulty, no sizes are known.
    `again` makes the network on another input.
    """
    expander = Expander(spec, variables)
    expander.run(body, outputs, places, shapes)
    layers, ends = tuple(expander.layers), tuple(expander.outputs)
    recipe = Recipe(layers, again) if again is not None and expander.sizes.were_read else None
    return LayerGraph(name, layers, ends, settings=dict(variables), recipe=recipe, **facts)
