"""Rewrites after which a network gives the same outputs: batch norm folded, dense layers as convolutions."""

from __future__ import annotations

from collections.abc import Container, Sequence

from archcalc.core.errors import UsageError
from archcalc.core.words import several
from archcalc.design.transform.rewrite import Change, Editor, Rewritten, edit, readers_of
from archcalc.ops.base import Op
from archcalc.ops.conv import Conv, ConvTranspose, LocallyConnected
from archcalc.ops.dense import Linear
from archcalc.ops.norm import BatchNorm
from archcalc.ops.reweighted import Reweighted
from archcalc.passes.analysis import Analysis
from archcalc.passes.sliding import convert

_FOLDS_INTO = (Conv, ConvTranspose, Linear, LocallyConnected)
#: So many layers that stay for one reason are named.
_NAMED = 3


def fold_batch_norm(analysis: Analysis) -> Rewritten:
    """Each batch norm right after a convolution or dense layer as part of its weights and bias.

    With s = γ/√(variance + ε), the weights become s·W and the bias s·(b − mean) + β, at inference. A weight that is
    normalised (weight norm, spectral norm) is stored as it was, normalised once. Source: Ioffe & Szegedy 2015,
    section 3.1; Jacob et al. 2018, section 3.2. Raises `UsageError` where none can be folded.
    """
    graph = analysis.graph
    norms = [index for index, row in enumerate(analysis.rows) if isinstance(row.op, BatchNorm)]
    if not norms:
        raise UsageError(f"--fold-batch-norm: {graph.name} has no batch norm")
    readers = readers_of(graph)
    shared = {
        one
        for index, layer in enumerate(graph.layers)
        if layer.weights_of is not None
        for one in (index, layer.weights_of)
    }
    obstacles = {index: why for index in norms if (why := _obstacle(analysis, index, readers, shared))}
    folded = {graph.layers[index].inputs[0]: index for index in norms if index not in obstacles}
    left = [
        _left(why, [graph.layers[index].name for index, one in obstacles.items() if one == why])
        for why in dict.fromkeys(obstacles.values())
    ]
    if not folded:
        raise UsageError(f"--fold-batch-norm: no batch norm of {graph.name} can be folded; {left[0]}")
    thawed = [
        index for index, norm in folded.items() if graph.layers[index].frozen and analysis.rows[norm].trainable_params
    ]
    changes: dict[int, Change] = dict.fromkeys(folded, _with_bias)
    changes |= dict.fromkeys(thawed, _with_trained_bias)
    changes |= dict.fromkeys(folded.values(), _left_out)
    names = {graph.layers[index].name: graph.layers[norm].name for index, norm in folded.items()}
    notes = [f"{several(len(folded), 'batch norm')} folded into the layers before"]
    for norm in ("weight_norm", "spectral_norm"):
        normalised = [graph.layers[index].name for index in folded if getattr(analysis.rows[index].op, norm, False)]
        if normalised:
            notes.append(f"{norm.replace('_', ' ')} became part of the weights of {_first(normalised)}")
    if thawed:
        trained = _first([graph.layers[index].name for index in thawed])
        notes.append(f"no longer frozen, for the batch norm is trained: {trained}")
    return Rewritten(edit(graph, changes), (*notes, *left), same_function=True, folded=names)


def _left(why: str, names: Sequence[str]) -> str:
    """Which batch norms stay for one reason; the first of them by name."""
    if len(names) == 1:
        return f"{_first(names)} stays: {why}"
    return f"{several(len(names), 'batch norm')} stay: {why}; {_first(names)}"


def _first(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _obstacle(analysis: Analysis, index: int, readers: Sequence[list[int]], shared: Container[int]) -> str:
    """Why a batch norm cannot be folded; empty where it can. `shared` are the layers that share their weights."""
    graph, source = analysis.graph, analysis.graph.layers[index].inputs[0]
    before = analysis.rows[source]
    if not isinstance(before.op, _FOLDS_INTO):
        return f"the layer before ({before.op.noun}) is no convolution or dense layer"
    if len(readers[source]) > 1 or any(output.layer == source for output in graph.outputs):
        return "the layer before is read by other layers too"
    if source in shared or index in shared:
        return "it or the layer before shares its weights"
    return ""


def _with_bias(editor: Editor, index: int) -> int:
    """The layer with a bias, its weight stored as it is used."""
    op = editor.graph.layers[index].op
    plain = {"weight_norm": False, "spectral_norm": False} if isinstance(op, Reweighted) else {}
    changed: Op = op.model_copy(update={"bias": True, **plain})
    return editor.keep(index, changed)


def _with_trained_bias(editor: Editor, index: int) -> int:
    place = _with_bias(editor, index)
    editor.layers[place] = editor.layers[place]._replace(frozen=False)
    return place


def _left_out(editor: Editor, index: int) -> int:
    return editor.place[editor.graph.layers[index].inputs[0]]


def fc_to_conv(analysis: Analysis) -> Rewritten:
    """Dense layers as convolutions, so that the network slides over larger images.

    Only what the main output depends on is kept. Source: CS231n, "Converting FC layers to CONV layers". Raises
    `UsageError` for a layer that cannot slide, and where there is nothing to convert.
    """
    try:
        converted = convert(analysis)
    except UsageError as error:
        raise UsageError(f"--fc-to-conv: {error}") from error
    graph = converted.analysis.graph
    dense = sum(isinstance(row.op, Linear) for row in analysis.rows)
    dense -= sum(isinstance(row.op, Linear) for row in converted.analysis.rows)
    notes = [f"{several(dense, 'dense layer')} became {'a convolution' if dense == 1 else 'convolutions'}"]
    lost = len(analysis.graph) - len(graph)
    if lost:
        notes.append(f"{several(lost, 'layer')} that the main output does not read left out")
    return Rewritten(graph, tuple(notes), same_function=True, reshaped=converted.reshaped)
