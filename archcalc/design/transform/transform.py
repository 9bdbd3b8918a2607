"""A network before and after rewrites, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from archcalc.core.errors import SpecError, UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import listed
from archcalc.design.transform import same, scale, simple, windows
from archcalc.design.transform.prune import prune
from archcalc.design.transform.rewrite import Rewritten
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis, analyse


class Kind(NamedTuple):
    """What does a rewrite, from an analysis and the texts of its arguments; how these are called, and what it does."""

    run: Callable[..., Rewritten]
    arguments: tuple[str, ...]
    text: str


#: The rewrites by name, in the order in which they are done.
REWRITES = {
    "cut": Kind(simple.cut, ("LAYER",), "A backbone: nothing after this layer."),
    "fold-batch-norm": Kind(same.fold_batch_norm, (), "Batch norm as part of the layer before. Same function."),
    "replace": Kind(simple.replace_ops, ("OP=OP",), "Every layer of one op as another: relu=silu."),
    "depth": Kind(scale.depth, ("FACTOR",), "Equal blocks in a row times a factor, rounded up: 0.5, 2."),
    "width": Kind(scale.width, ("FACTOR",), "Channels times a factor, but for those of inputs and outputs: 0.5."),
    "factorize": Kind(windows.factorize, ("LAYER",), "An n×n convolution as n×1 and 1×n."),
    "stack": Kind(windows.stack, ("LAYER",), "A convolution of 5×5, 7×7, … as a stack of 3×3."),
    "separable": Kind(windows.separable, ("LAYER",), "A convolution as a depthwise one and a 1×1."),
    "bottleneck": Kind(windows.bottleneck, ("LAYER", "N"), "A 1×1 to fewer channels before a convolution."),
    "groups": Kind(simple.groups, ("LAYER", "N"), "A convolution in N groups."),
    "prune": Kind(prune, ("LAYER", "N"), "N channels of a layer fewer, followed through the graph."),
    "fc-to-conv": Kind(same.fc_to_conv, (), "Dense layers as convolutions, for larger images. Same function."),
    "grow-input": Kind(simple.grow_input, ("SIZE",), "The result on another input: 384x384."),
}
#: Other factors of the width are tried in steps of this part of 1, so many up and down.
_WIDTHS = 20
_TRIED_WIDTHS = 5
#: The longest name that a rewritten network gets from its rewrites.
_LONGEST = 60


class Step(NamedTuple):
    """A rewrite that was done, with its arguments as text, and the network after it."""

    name: str
    arguments: tuple[str, ...]
    rewritten: Rewritten
    after: Analysis
    #: The layers whose weights have other shapes on another input, and those with other settings only.
    misfits: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done, and which layers depend on the size of the input."""
        notes = list(self.rewritten.notes)
        if self.misfits:
            notes.append(f"weights of other shapes on this input: {_some(self.misfits)}")
        if self.follow:
            notes.append(f"settings that follow the input: {_some(self.follow)}")
        return tuple(notes)

    @property
    def words(self) -> str:
        """The rewrite as it is written on the command line."""
        return " ".join([f"--{self.name}", *self.arguments])


class Transformed(NamedTuple):
    """A network before and after its rewrites."""

    before: Analysis
    steps: tuple[Step, ...]

    @property
    def after(self) -> Analysis:
        return self.steps[-1].after

    @property
    def same(self) -> tuple[Step, ...]:
        """The steps that can be proved on weights: all, but for a larger input at the end; none where one cannot."""
        steps = tuple(step for step in self.steps if step.name != "grow-input" or step.misfits)
        return steps if all(step.rewritten.same_function for step in steps) else ()

    @property
    def function(self) -> str:
        """A sentence that says whether the network still calculates the same."""
        changing = [f"--{step.name}" for step in self.steps if not step.rewritten.same_function]
        own = "on its own input" + (", with the settings for it" if any(step.follow for step in self.steps) else "")
        keeps = {"--cut": "up to the cut", "--grow-input": own}
        unfit = {f"--{step.name}" for step in self.steps if step.misfits}
        others = list(dict.fromkeys(one for one in changing if one not in keeps or one in unfit))
        if others:
            verb = "changes" if len(others) == 1 else "change"
            return f"The function changes, so it must be trained again: {listed(others)} {verb} what is calculated."
        where = [keeps[one] for one in dict.fromkeys(changing)]
        return f"The function stays the same{' ' + ' and '.join(where) if where else ''}."

    @property
    def not_compared(self) -> str:
        """Why there are no outputs before and after that could be compared; empty where there are."""
        if self.same:
            return ""
        changing = {step.name for step in self.steps if not step.rewritten.same_function}
        if "cut" in changing and changing <= {"cut", "grow-input"}:
            return "after --cut the output is another layer's"
        if changing == {"grow-input"} and not any(step.misfits for step in self.steps):
            return "after --grow-input alone the layers and their weights are those of before, on another input"
        return self.function


def transform(analysis: Analysis, wanted: Sequence[tuple[str, Sequence[str]]]) -> Transformed:
    """Rewrite a network, in the order of `REWRITES`; each rewrite is a name and its arguments as text.

    Raises `UsageError` for a rewrite that does not exist or cannot be done, with the layer and the reason, and where a
    layer does not fit after it.
    """
    if not wanted:
        raise UsageError(f"which rewrite? There are {', '.join(f'--{name}' for name in REWRITES)}")
    for name, arguments in wanted:
        if name not in REWRITES:
            raise UsageError(f"there is no rewrite {name[:60]!r}{did_you_mean(name, REWRITES)}")
        needed = REWRITES[name].arguments
        if len(arguments) != len(needed):
            raise UsageError(f"--{name} takes {' '.join(needed) or 'no argument'}, not {len(arguments)} arguments")
    order = list(REWRITES)
    steps: list[Step] = []
    now = analysis
    for name, arguments in sorted(wanted, key=lambda one: order.index(one[0])):
        if name == "grow-input" and steps and analysis.graph.recipe is not None:
            raise UsageError(
                f"--grow-input: layers of {analysis.graph.name} depend on the size of its input, and other "
                f"rewrites hold for one size; give --input {arguments[0][:60]} instead"
            )
        rewritten = REWRITES[name].run(now, *arguments)
        graph = _renamed(rewritten.graph, analysis.graph, [*(step.name for step in steps), name])
        try:
            after = _fitting(graph, name, analysis)
        except UsageError as error:
            other = _fitting_width(now, arguments[0], analysis) if name == "width" else None
            raise UsageError(f"{error}; --width {other} fits" if other else str(error)) from None
        resized = _resized(now, after) if name == "grow-input" else ((), ())
        steps.append(Step(name, tuple(arguments), replace(rewritten, graph=graph), after, *resized))
        now = after
    return Transformed(analysis, tuple(steps))


def _resized(before: Analysis, after: Analysis) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The layers whose weights do not fit another input, and the others whose settings follow it."""
    known = {row.name: row for row in before.rows}
    misfits, follow = [], []
    for row in after.rows:
        own = known.pop(row.name, None)
        arrays = [] if own is None else own.op.param_shapes(own.input_shapes)
        if arrays != row.op.param_shapes(row.input_shapes):
            misfits.append(row.name)
        elif own is None or (own.op != row.op and not row.op.is_input):
            follow.append(row.name)
    return tuple(misfits), (*follow, *known)


def _some(names: Sequence[str]) -> str:
    """The first names of many."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")


def _fitting(graph: LayerGraph, name: str, before: Analysis) -> Analysis:
    """The analysis of what a rewrite made. Raises `UsageError` that names the layer which does not fit."""
    try:
        after = analyse(graph, before.batch, before.dtype, before.conventions, partial=True)
    except SpecError as error:
        raise UsageError(f"--{name}: {error}") from error
    if after.problems:
        problem = after.problems[0]
        # What comes after the first would be set in a spec, not by a rewrite.
        details = "".join(f"; {detail}" for detail in problem.details[:1])
        where = f"layer {problem.layer} does not fit afterwards: " if problem.layer else ""
        raise UsageError(f"--{name}: {where}{problem.message}{details}")
    return after


def _fitting_width(before: Analysis, text: str, first: Analysis) -> str | None:
    """The factor nearest to one that does not fit which does, in twentieths; None where none of a few does."""
    wanted = Fraction(text) * _WIDTHS
    around = [round(wanted) + step for step in range(-_TRIED_WIDTHS, _TRIED_WIDTHS + 1)]
    for number in sorted([one for one in around if one > 0 and one != wanted], key=lambda one: abs(one - wanted)):
        factor = f"{number / _WIDTHS:g}"
        with suppress(UsageError):
            _fitting(scale.width(before, factor).graph, "width", first)
            return factor
    return None


def _renamed(graph: LayerGraph, before: LayerGraph, names: Sequence[str]) -> LayerGraph:
    """The graph under a name of its own, without what was published of the network that it was."""
    ending = "_".join(dict.fromkeys(name.replace("-", "_") for name in names))
    base = re.sub(r"\W+", "_", before.name).strip("_") or "network"
    name = f"{base}_{ending}"
    if len(name) > _LONGEST:
        name = f"{base[:_LONGEST]}_transformed"
    done = listed([name.replace("-", " ") for name in dict.fromkeys(names)])
    title = f"{before.title or before.name}, {done}"
    return replace(
        graph,
        name=name,
        family=name,
        title=title,
        family_title=title,
        description="",
        authors=(),
        year=None,
        paper=None,
        follows=(),
        reported=(),
        settings={},
        arrays={},
    )
