"""A spec with its parameters set, expanded into a flat layer graph. Nothing about shapes is calculated here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from archcalc.errors import Location, Problem, SpecError, UsageError
from archcalc.graph import Layer, LayerGraph, Output
from archcalc.ops import OPS, Op
from archcalc.ops.reshape import Identity, Input
from archcalc.shapes import Shape, parse_image_shape
from archcalc.spec import items as it
from archcalc.spec.expressions import ExpressionError, evaluate, interpolate, parse_expression, show
from archcalc.spec.load import BlockSpec, Spec, describe_fault
from archcalc.spec.settings import accept
from archcalc.spec.source import Mark, MarkedDict
from archcalc.spec.suggest import did_you_mean

MOST_LAYERS = 50_000
MOST_STEPS = 500_000
MOST_PROBLEMS = 50
LONGEST_NAME = 500

#: The layers whose outputs flow to the next item; one, save after a block with several outputs.
Flow = tuple[int, ...]
Variables = Mapping[str, Any]


class TooMuchError(Exception):
    """The expansion has to stop: too many layers, steps or problems."""


def evaluate_tree(value: Any, variables: Variables) -> Any:
    """Evaluate the strings of nested lists and mappings as expressions."""
    if isinstance(value, str):
        return evaluate(parse_expression(value), variables)
    if isinstance(value, list):
        return [evaluate_tree(item, variables) for item in value]
    if isinstance(value, dict):
        return {key: evaluate_tree(item, variables) for key, item in value.items()}
    return value


def plain(value: Any) -> Any:
    """An evaluated value as the ops take it: fractions become floats, whole ones ints."""
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    return value


class Expander:
    """Walks the items of a spec once and writes down the layers that they mean."""

    def __init__(self, spec: Spec, variables: Variables) -> None:
        self.spec = spec
        self.network_variables = variables
        #: Where everything inside a block of the prelude is said to stand: at its use in the user's file.
        self.pinned: Location | None = None
        self.layers: list[Layer] = []
        self.outputs: list[Output] = []
        self.problems: list[Problem] = []
        #: What each full name stands for: a layer, a block or branches, an input of a block.
        self.names: dict[str, Flow] = {}
        self.counters: dict[str, int] = {}
        self.unresolved: list[tuple[str, str, str, Location]] = []
        self.open_blocks: list[str] = []
        self.steps = 0
        self.op_cache: dict[Any, Op] = {}

    # --- reporting

    def place(self, at: Mark) -> Location:
        return self.pinned or Location(self.spec.file, *at)

    def problem(self, message: str, at: Mark, layer: str | None = None, details: tuple[str, ...] = ()) -> None:
        self.problems.append(Problem(message, self.place(at), f'"{layer}"' if layer else None, details))
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooMuchError

    # --- values

    def value(self, raw: Any, variables: Variables, at: Mark, what: str) -> Any:
        """An evaluated value; a fault is reported and gives None."""
        try:
            return evaluate_tree(raw, variables)
        except ExpressionError as error:
            mark = (at[0], at[1] + error.offset)
            hint = did_you_mean(error.unknown, variables) if error.unknown else ""
            self.problem(f"{what}: {error.message}{hint}", mark)
            return None

    def text(self, raw: Any, variables: Variables, at: Mark) -> str:
        try:
            return interpolate(str(raw), variables)
        except ExpressionError as error:
            self.problem(error.message, at)
            return str(raw)

    def wanted(self, when: Any, variables: Variables, at: Mark) -> bool:
        if when is None:
            return True
        return bool(self.value(when, variables, at, "when"))

    # --- names

    def full_name(self, scope: str, name: str, at: Mark) -> str:
        """Register-ready full name of a given name; faults are reported."""
        if not name or "/" in name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
            self.problem(f"{name[:60]!r} cannot be a name: printable characters, no '/', at most {LONGEST_NAME}", at)
            name = "unnamed"
        full = f"{scope}/{name}" if scope else name
        if full in self.names:
            self.problem(f"two layers are named {full!r}", at)
            return self.made_name(scope, name)
        return full

    def made_name(self, scope: str, stem: str) -> str:
        """The next free name of a kind: conv1, conv2, …"""
        prefix = f"{scope}/{stem}" if scope else stem
        while True:
            count = self.counters[prefix] = self.counters.get(prefix, 0) + 1
            if (name := f"{prefix}{count}") not in self.names:
                return name

    def resolve(self, reference: str, scope: str, at: Mark, reader: str) -> Flow | None:
        """What a reference means, seen from a scope: inner names first, then outer ones."""
        inner = scope
        while True:
            candidate = f"{inner}/{reference}" if inner else reference
            if candidate in self.names:
                return self.names[candidate]
            if not inner:
                break
            inner = inner.rpartition("/")[0]
        self.unresolved.append((reference, scope, reader, self.place(at)))
        return None

    # --- items

    def items(self, items: Sequence[it.Item], flow: Flow, scope: str, variables: Variables) -> Flow:
        for item in items:
            self.steps += 1
            if self.steps > MOST_STEPS:
                self.problem(f"the spec expands to more than {MOST_STEPS:,} steps", item.at)
                raise TooMuchError
            if isinstance(item, it.Step):
                flow = self.step(item, flow, scope, variables)
            elif self.wanted(item.when, variables, item.at):
                flow = self.form(item, flow, scope, variables)
        return flow

    def form(self, item: it.Item, flow: Flow, scope: str, variables: Variables) -> Flow:
        if isinstance(item, it.Repeat):
            for count in range(1, self.times(item.times, variables, item.at) + 1):
                inner = {**variables, item.variable: count} if item.variable else variables
                flow = self.items(item.body, flow, scope, inner)
            return flow
        if isinstance(item, it.ForEach):
            return self.for_each(item, flow, scope, variables)
        if isinstance(item, it.Branches):
            return self.branches(item, flow, scope, variables)
        assert isinstance(item, it.Output)
        inner_scope = self.full_name(scope, self.text(item.name, variables, item.at), item.at)
        result = self.items(item.body, flow, inner_scope, variables)
        self.names[inner_scope] = result
        weight = self.value(item.loss_weight, variables, item.at, "loss_weight")
        self.outputs.append(Output(inner_scope, result[0], float(weight or 0)))
        return flow

    def times(self, raw: Any, variables: Variables, at: Mark) -> int:
        times = self.value(raw, variables, at, "repeat")
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            if times is not None:
                self.problem(f"repeat must be a whole number from 0 on, not {show(times)}", at)
            return 0
        if times > MOST_LAYERS:
            self.problem(f"repeat: {show(times)} is more than the {MOST_LAYERS:,} layers that a network may have", at)
            return 0
        return times

    def for_each(self, item: it.ForEach, flow: Flow, scope: str, variables: Variables) -> Flow:
        for row in self.rows(item, variables):
            flow = self.items(item.body, flow, scope, {**variables, **row})
        return flow

    def rows(self, item: it.ForEach, variables: Variables) -> Iterator[dict[str, Any]]:
        """The variables of each row of a table."""
        if isinstance(item.rows, str):
            rows = self.value(item.rows, variables, item.at, "rows")
            for row in rows if isinstance(rows, list) else ():
                cells = row if isinstance(row, list) else [row]
                if len(cells) != len(item.columns):
                    self.problem(f"a row of {len(cells)} for {len(item.columns)} columns", item.at)
                    return
                yield dict(zip(item.columns, cells, strict=True))
            return
        for row in item.rows:
            # A `name` is text and may hold braces; everything else is a value.
            yield {
                column: self.text(cell, variables, at) if column == "name" else self.value(cell, variables, at, column)
                for column, cell, at in zip(item.columns, row, row.items_at, strict=True)
            }

    def sources(self, raw: Any, scope: str, variables: Variables, at: Mark, reader: str) -> list[Flow]:
        """The flows that `from` names; unknown names are left out and reported at the end."""
        references = raw if isinstance(raw, list) else [raw]
        found = []
        for reference in references:
            if not isinstance(reference, (str, int)):
                self.problem("from must name layers", at)
                continue
            flow = self.resolve(self.text(reference, variables, at), scope, at, reader)
            if flow is not None:
                found.append(flow)
        return found

    def branches(self, item: it.Branches, flow: Flow, scope: str, variables: Variables) -> Flow:
        if item.name is not None:
            scope = self.full_name(scope, self.text(item.name, variables, item.at), item.at)
        if item.sources is not None:
            flows = self.sources(item.sources, scope, variables, item.at, scope or "branches")
            flow = tuple(index for found in flows for index in found[:1]) or flow
        results: list[int] = []
        for branch in item.branches:
            if not self.wanted(branch.when, variables, item.at):
                continue
            inner = self.branch_scope(scope, branch.name)
            results += self.items(branch.body, flow, inner, variables)[:1]
        result: Flow = tuple(results)
        if item.merge is not None and len(results) > 1:
            op = self.op(item.merge, {}, item.at, None, variables)
            result = (self.add(self.made_name(scope, op.stem), op, result, item.at),)
        if item.name is not None:
            self.names[scope] = result
        return result

    def branch_scope(self, scope: str, name: str | None) -> str:
        prefix = f"{scope}/" if scope else ""
        if name is not None and self.counters.setdefault(f"{prefix}{name}/", 0) == 0:
            self.counters[f"{prefix}{name}/"] = 1
            return f"{prefix}{name}"
        key = f"{prefix}{name or 'branch'}/"
        self.counters[key] = self.counters.get(key, 0) + 1
        return f"{prefix}{name + '_' if name else 'branch'}{self.counters[key]}"

    # --- steps

    def step(self, item: it.Step, flow: Flow, scope: str, variables: Variables) -> Flow:
        fields = item.fields
        if "when" in fields and not self.wanted(fields["when"], variables, fields.values_at.get("when", item.at)):
            return flow
        times = 1
        if "repeat" in fields:
            times = self.times(fields["repeat"], variables, fields.values_at["repeat"])
        block = self.spec.blocks.get(item.kind)
        for _ in range(times):
            if block is not None:
                flow = self.block(item, block, flow, scope, variables)
            else:
                flow = (self.layer(item, flow, scope, variables),)
        return flow

    def own_name(self, item: it.Step, stem: str, scope: str, variables: Variables) -> str:
        raw = item.fields.get("name")
        if raw is None:
            return self.made_name(scope, stem)
        at = item.fields.values_at.get("name", item.at)
        return self.full_name(scope, self.text(raw, variables, at), at)

    def layer(self, item: it.Step, flow: Flow, scope: str, variables: Variables) -> int:
        name = self.own_name(item, OPS[item.kind].stem, scope, variables)
        op = self.op(item.kind, item.fields, item.at, name, variables)
        if "from" in item.fields:
            at = item.fields.values_at["from"]
            found = self.sources(item.fields["from"], scope, variables, at, name)
            flow = tuple(index for source in found for index in source[:1])
            if not flow:
                flow = (0,) * op.fewest_inputs
        return self.add(name, op, flow, item.at)

    def add(self, name: str, op: Op, inputs: Flow, at: Mark) -> int:
        fewest, most = op.fewest_inputs, op.most_inputs
        if (len(inputs) < fewest or (most is not None and len(inputs) > most)) and not self.unresolved:
            count = (
                "one input"
                if (fewest, most) == (1, 1)
                else f"{fewest} inputs"
                if fewest == most
                else (f"at least {fewest} inputs" if most is None else f"{fewest} to {most} inputs")
            )
            self.problem(f"{op.kind} takes {count}, {len(inputs)} reach it; say which with from", at, name)
        if len(self.layers) >= MOST_LAYERS:
            self.problem(f"the network has more than {MOST_LAYERS:,} layers", at)
            raise TooMuchError
        index = len(self.layers)
        self.layers.append(Layer(name, op, inputs, self.place(at)))
        self.names[name] = (index,)
        return index

    def op(self, kind: str, fields: Mapping[str, Any], at: Mark, name: str | None, variables: Variables) -> Op:
        """The op with its fields evaluated; a fault is reported and gives an identity."""
        values: dict[str, Any] = {}
        failed = False
        marks = fields.values_at if isinstance(fields, MarkedDict) else {}
        unknown: dict[str, ExpressionError] = {}
        for key, raw in fields.items():
            if key in it.STEP_KEYS:
                continue
            try:
                values[key] = plain(evaluate_tree(raw, variables)) if isinstance(raw, (str, list)) else raw
            except ExpressionError as error:
                # Words like `same` and sizes like 7x7x512 are values of some fields: the op decides.
                if isinstance(raw, str):
                    values[key] = str(raw)
                    unknown[key] = error
                else:
                    mark = marks.get(key, at)
                    hint = did_you_mean(error.unknown, variables) if error.unknown else ""
                    self.problem(f"{key}: {error.message}{hint}", mark, name)
                    failed = True
        if failed:
            return Identity()
        cache_key = (kind, *((key, repr(value)) for key, value in values.items()))
        if cache_key in self.op_cache:
            return self.op_cache[cache_key]
        try:
            op = self.op_cache[cache_key] = OPS[kind].model_validate(values)
        except ValidationError as error:
            self.op_problems(error, kind, at, name, variables, marks, unknown)
            return Identity()
        return op

    def op_problems(
        self,
        error: ValidationError,
        kind: str,
        at: Mark,
        name: str | None,
        variables: Variables,
        marks: Mapping[str, Mark],
        unknown: Mapping[str, ExpressionError],
    ) -> None:
        layer = f"{name}" if name else None
        reported = set()
        for fault in error.errors():
            key = str(fault["loc"][0]) if fault["loc"] else ""
            if key in reported:
                continue
            reported.add(key)
            mark = marks.get(key, at)
            if key in unknown:
                wrong = unknown[key]
                hint = (
                    did_you_mean(wrong.unknown, [*variables, "same", "valid", "nearest", "bilinear"])
                    if wrong.unknown
                    else ""
                )
                self.problem(f"{key}: {wrong.message}{hint}", (mark[0], mark[1] + wrong.offset), layer)
            elif fault["type"] == "missing":
                self.problem(f"{kind} needs {key}", at, layer)
            else:
                self.problem(f"{key}: {describe_fault(fault)}" if key else describe_fault(fault), mark, layer)

    # --- blocks

    def block(self, item: it.Step, block: BlockSpec, flow: Flow, scope: str, variables: Variables) -> Flow:
        declared = block.declared
        inner_scope = self.own_name(item, item.kind, scope, variables)
        if item.kind in self.open_blocks:
            path = " → ".join([*self.open_blocks[self.open_blocks.index(item.kind) :], item.kind])
            self.problem(f"the block {item.kind!r} includes itself: {path}", item.at)
            return flow
        if "from" in item.fields:
            at = item.fields.values_at["from"]
            found = self.sources(item.fields["from"], scope, variables, at, inner_scope)
            # A block with several inputs may take all outputs of one block, or one layer for each input.
            single = len(found) == 1 and len(found[0]) == len(declared.inputs)
            flow = found[0] if single else tuple(index for source in found for index in source[:1])
        wanted = max(1, len(declared.inputs))
        if len(flow) != wanted:
            if not self.unresolved:
                self.problem(f"block {item.kind!r} takes {wanted} inputs, {len(flow)} reach it", item.at, inner_scope)
            flow = ((*flow, 0) * wanted)[:wanted]
        inner = self.arguments(item, block, variables)
        if inner is None:
            return flow[:1]
        for name, index in zip(declared.inputs, flow, strict=False):
            self.names[f"{inner_scope}/{name}"] = (index,)
        self.open_blocks.append(item.kind)
        outer = self.pinned
        if block.file != self.spec.file and outer is None:
            self.pinned = self.place(item.at)
        result = self.items(block.body, flow[:1], inner_scope, inner)
        if declared.outputs:
            at = block.raw.values_at["outputs"]
            found = self.sources(declared.outputs, inner_scope, inner, at, inner_scope)
            result = tuple(source[0] for source in found) or result
        self.pinned = outer
        self.open_blocks.pop()
        self.names[inner_scope] = result
        return result

    def arguments(self, item: it.Step, block: BlockSpec, variables: Variables) -> dict[str, Any] | None:
        """The variables inside a block: the network's parameters, the block's arguments, its own `let`."""
        inner = dict(self.network_variables)
        declared = block.declared.parameters
        good = True
        for key, parameter in declared.items():
            if key not in item.fields:
                if parameter.required:
                    self.problem(f"block {item.kind!r} needs {key}", item.at)
                    good = False
                else:
                    inner[key] = accept(key, parameter, parameter.default)
                continue
            raw, at = item.fields[key], item.fields.values_at.get(key, item.at)
            try:
                value = evaluate_tree(raw, variables)
            except ExpressionError as error:
                if isinstance(raw, str) and parameter.type in ("str", "any") and raw.isidentifier():
                    value = str(raw)  # a word such as `same` for an `any` parameter
                else:
                    hint = did_you_mean(error.unknown, variables) if error.unknown else ""
                    self.problem(f"{key}: {error.message}{hint}", (at[0], at[1] + error.offset))
                    good = False
                    continue
            try:
                inner[key] = accept(key, parameter, value)
            except ValueError as error:
                self.problem(str(error), at)
                good = False
        if good:
            self.let(block.declared.let, inner)
        return inner if good else None

    def let(self, raw: MarkedDict | None, variables: dict[str, Any]) -> None:
        """Add the computed names of a `let`, in order."""
        for name, value in (raw or {}).items():
            assert raw is not None
            variables[name] = self.value(value, variables, raw.values_at[name], name)

    # --- the whole

    def run(self, body: Sequence[it.Item], shape: Shape) -> None:
        """Expand the layers; raises `SpecError` with all problems."""
        self.layers.append(Layer("input", Input(shape=shape), ()))
        self.names["input"] = (0,)
        try:
            variables = dict(self.network_variables)
            self.let(self.spec.document.let, variables)
            self.network_variables = variables
            flow = self.items(body, (0,), "", variables)
            self.name_outputs(flow, variables)
        except TooMuchError:
            pass
        if len(self.layers) == 1 and not self.problems:
            self.problem("the network has no layers", self.spec.source.value.values_at["layers"])
        self.problems += self.reference_problems()
        if self.problems:
            raise SpecError(self.problems)

    def name_outputs(self, flow: Flow, variables: Variables) -> None:
        declared = self.spec.document.outputs
        if not declared:
            self.outputs.insert(0, Output("output", flow[0]))
            return
        raw = self.spec.source.value["outputs"]
        named = []
        for name, output in declared.items():
            found = self.sources(output.layer, "", variables, raw.values_at[name], f"output {name}")
            if found:
                named.append(Output(name, found[0][0], output.loss_weight))
        self.outputs[:0] = named

    def reference_problems(self) -> list[Problem]:
        """What is wrong with each reference that named nothing when it was met."""
        result = []
        for reference, scope, reader, location in self.unresolved:
            parts = scope.split("/") if scope else []
            candidates = ["/".join([*parts[:depth], reference]) for depth in range(len(parts), -1, -1)]
            later = next((name for name in candidates if name in self.names), None)
            if later is None:
                message = f"from: there is no layer {reference!r}{did_you_mean(reference, self._short_names())}"
            elif self._reads(self.names[later][0], reader):
                message = f"a cycle: it reads {reference!r}, which reads it"
            else:
                message = f"from: {reference!r} comes later; a layer can only read layers above it"
            result.append(Problem(message, location, f'"{reader}"'))
        return result

    def _short_names(self) -> list[str]:
        return [name for name in self.names if name.count("/") < 2][:2000]

    def _reads(self, start: int, name: str) -> bool:
        """Whether a layer reads the named one, directly or through others."""
        target = self.names.get(name, (-1,))[0]
        seen, open_layers = set(), [start]
        while open_layers:
            index = open_layers.pop()
            if index == target:
                return True
            if index not in seen:
                seen.add(index)
                open_layers += self.layers[index].inputs
        return False


def expand_input(spec: Spec, text: str, variables: Variables, at: Mark) -> Shape:
    """The input shape that a spec gives, its braces filled."""
    try:
        return parse_image_shape(interpolate(text, variables))
    except ExpressionError as error:
        raise SpecError([Problem(f"input: {error.message}", Location(spec.file, *at))]) from None
    except UsageError as error:
        raise SpecError([Problem(f"input: {error}", Location(spec.file, *at))]) from None


def expand(
    spec: Spec, name: str, body: Sequence[it.Item], variables: Variables, shape: Shape, facts: Mapping[str, Any]
) -> LayerGraph:
    """The layer graph of one network of a spec. Raises `SpecError` with every problem of the expansion."""
    expander = Expander(spec, variables)
    expander.run(body, shape)
    return LayerGraph(name, tuple(expander.layers), tuple(expander.outputs), settings=dict(variables), **facts)
