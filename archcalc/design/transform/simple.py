"""Rewrites of single settings: another op, a backbone, a larger input, groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archcalc.core.errors import UsageError
from archcalc.core.shapes import format_shape
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import several
from archcalc.design.transform.rewrite import Rewritten, convolution, find, refusal, with_ops
from archcalc.graph.inputs import inputs_in_words, parse_inputs
from archcalc.graph.layer_graph import Layer, Output
from archcalc.ops import OPS, Op, called
from archcalc.ops.conv import Conv
from archcalc.passes.analysis import Analysis


def replace_ops(analysis: Analysis, text: str) -> Rewritten:
    """Every layer of one op as another: `relu=silu`. Settings that both have stay.

    Raises `UsageError` for ops that do not exist or that the network has not, and where the new op needs a setting.
    """
    before, equals, after = (part.strip() for part in text.partition("="))
    if not equals:
        raise UsageError(f"--replace takes OP=OP, as in relu=silu, not {text[:60]!r}")
    old, new = _op_called(before, analysis), _op_called(after, analysis)
    if new is old:
        raise UsageError(f"--replace: {text[:60]} changes nothing, for both are {old.kind}")
    graph = analysis.graph
    places = [index for index, row in enumerate(analysis.rows) if row.op.kind == old.kind and not row.op.is_input]
    if not places:
        kinds = dict.fromkeys(row.op.kind for row in analysis.rows if not row.op.is_input)
        hint = did_you_mean(old.kind, kinds) or f"; it has {', '.join(kinds)}"
        raise UsageError(f"--replace: {graph.name} has no {old.kind}{hint}")
    ops: dict[int, Op] = {}
    for index in places:
        row = analysis.rows[index]
        count = len(row.inputs)
        if count < new.fewest_inputs or (new.most_inputs is not None and count > new.most_inputs):
            takes = inputs_in_words(new.fewest_inputs, new.most_inputs)
            raise refusal("replace", row, f"reads {inputs_in_words(count, count)}; {new.kind} takes {takes}")
        fields = {name: getattr(row.op, name) for name in type(row.op).model_fields if name in new.model_fields}
        try:
            ops[index] = new.model_validate(fields)
        except ValueError as error:
            needed = [one for one, field in new.model_fields.items() if field.is_required() and one not in fields]
            what = f"what {new.kind} needs: {', '.join(needed)}" if needed else f"settings that fit {new.kind}"
            raise refusal("replace", row, f"does not have {what}") from error
    return Rewritten(with_ops(graph, ops), (f"{several(len(ops), 'layer')}: {old.kind} became {new.kind}",))


def _op_called(word: str, analysis: Analysis) -> type[Op]:
    """The op of this kind, or one that people call so: the first that the network has, or the most usual."""
    if word in OPS:
        return OPS[word]
    found = called(word)
    if not found:
        raise UsageError(f"--replace: there is no op {word[:60]!r}{did_you_mean(word, OPS)}")
    here = {row.op.kind for row in analysis.rows}
    return next((op for op in found if op.kind in here), found[0])


def cut(analysis: Analysis, name: str) -> Rewritten:
    """The layers up to one, or up to the end of a block, whose map becomes the output: a backbone."""
    graph = analysis.graph
    end = find(analysis, "cut", name)[0][-1]
    if graph.layers[end].op.is_input:
        raise UsageError(f'--cut: "{name[:80]}" is an input of {graph.name}; nothing would be left')
    kept = sorted(graph.read_by(end))
    if not graph.layers[kept[0]].op.is_input:
        raise refusal("cut", analysis.rows[end], "does not depend on an input of the network")
    if len(kept) == len(graph):
        raise UsageError(f'--cut: "{name[:80]}" is the end of {graph.name} already')
    place = {old: new for new, old in enumerate(kept)}
    for index in kept:
        owner = graph.layers[index].weights_of
        if owner is not None and owner not in place:
            why = f'uses the weights of "{graph.layers[owner].name}", which would be cut off'
            raise refusal("cut", analysis.rows[index], why)
    layers = tuple(_moved(graph.layers[index], place) for index in kept)
    shape = format_shape(analysis.rows[end].output_shape)
    notes = (f'{several(len(graph) - len(kept), "layer")} cut off; the output is "{graph.layers[end].name}", {shape}',)
    return Rewritten(replace(graph, layers=layers, outputs=(Output("output", place[end]),)), notes)


def _moved(layer: Layer, place: Mapping[int, int]) -> Layer:
    owner = None if layer.weights_of is None else place[layer.weights_of]
    return layer._replace(inputs=tuple(place[source] for source in layer.inputs), weights_of=owner)


def grow_input(analysis: Analysis, size: str) -> Rewritten:
    """The same layers on another input: `384x384`, with the channels that it has, or `384x384x3`."""
    graph = analysis.graph
    given = parse_inputs(size)
    if not isinstance(given, Mapping):
        own = graph.only_input("--grow-input") if len(graph.inputs) == 1 else graph.input_shape
        sides = size.lower().split("x")
        if len(sides) == len(own) - 1:
            given = parse_inputs("x".join([*sides, str(own[0])]))
        assert not isinstance(given, Mapping)
        if len(given) != len(own):
            raise UsageError(f"--grow-input: {graph.name} reads {format_shape(own)}, not {size[:60]}")
        if given[0] != own[0]:
            raise UsageError(f"--grow-input: {graph.name} reads {own[0]} channels, not {given[0]}")
    return Rewritten(graph.with_input(given))


def groups(analysis: Analysis, name: str, count: str) -> Rewritten:
    """A convolution, or all of a block that can be, in groups of channels. Source: Krizhevsky et al. 2012."""
    number = whole("groups", count)
    places, is_block = find(analysis, "groups", name)
    ops: dict[int, Op] = {}
    for index in places:
        row = analysis.rows[index]
        if is_block and not (isinstance(row.op, Conv) and row.op.groups == 1):
            continue
        op = convolution(analysis, "groups", index)
        for what, value in (("input channels", row.input_shapes[0][0]), ("filters", op.out_channels)):
            if value % number:
                raise refusal("groups", row, f"has {value} {what}, which {number} groups do not share evenly")
        ops[index] = op.model_copy(update={"groups": number})
    if not ops:
        raise UsageError(f'--groups: "{name[:80]}" has no convolution without groups')
    return Rewritten(with_ops(analysis.graph, ops), (f"{several(len(ops), 'convolution')} in {number} groups",))


def whole(what: str, text: str) -> int:
    """A number of at least 1. Raises `UsageError` for other texts."""
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text) > 0):
        raise UsageError(f"--{what} takes a whole number of at least 1, not {text[:60]!r}")
    return int(text)
