"""What the other commands do, as functions: solve, compare, transform, estimate, formula, run and plot.

A network is given itself, as an analysis, or as `load` takes it. Everything is imported where it is needed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from archcalc import api
from archcalc.api import AnyNetwork, analysis_of
from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.displays import ALONG, Chart, Result, chart_of, look_of
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    import numpy

    from archcalc.design.estimate import Estimate
    from archcalc.execute.execution import Execution
    from archcalc.execute.runner.compare import Difference


def solve(
    what: str | Path,
    unknown: str | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    ceil_mode: bool = False,
    **numbers: int | None,
) -> Result:
    """The unknown of an equation, of a layer or of a network: every value that solves it.

    Args:
        what: An equation in one letter; an op with a window (`conv2d`, `max_pool2d`, …); or a network.
        unknown: Of a network: the parameter to solve for, or `"input"`, the side of a square one.
        settings: Of a network: the values of its other parameters.
        ceil_mode: Round the output size up (pools only).
        numbers: Of a layer, along one axis: input, output, kernel_size, stride, padding, dilation; what is not given
            is unknown. Of a network the one number that it is to have: params, multiplications, activations or
            output.

    Returns:
        A result whose `value` has the solutions, and the nearest ones where there is none.

    Raises:
        UsageError: for numbers that do not belong there.
        SpecError: for an equation that cannot be read.

    >>> import archcalc as ac
    >>> [answer.padding for answer in ac.solve("conv2d", input=224, output=112, kernel_size=7, stride=2).value.answers]
    [3]
    >>> ac.solve("mobilenet", "alpha", params=2_585_560).to_dict()["solutions"]
    [{'alpha': 0.75, 'params': 2585560}]

    """
    from archcalc.explain.solve import equation, words
    from archcalc.explain.solve import network as net
    from archcalc.explain.solve.layer import NAMES, solve_layer
    from archcalc.ops import OPS

    if isinstance(what, str) and equation.is_equation(what) and "->" not in what:
        _only(numbers, (), "an equation")
        roots = equation.solve_equation(what)
        return solved(roots, equation.tell(roots), equation.as_dict(what, roots))
    if what in OPS:
        _only(numbers, NAMES, "a layer")
        solution = solve_layer(str(what), numbers, ceil_mode)
        return solved(solution, words.tell(solution), words.as_dict(solution))
    _only(numbers, net.MEASURES, "a network")
    wanted = [(measure, number) for measure, number in numbers.items() if number is not None]
    if unknown is None or len(wanted) != 1:
        raise UsageError(f"name the unknown of a network, and one of {', '.join(net.MEASURES)}")
    ((measure, target),) = wanted
    graph = api.load(what, settings)
    answer = net.solve_network(what, unknown, measure, target, settings or {})
    return solved(answer, net.tell(answer), net.as_dict(graph.name, unknown, measure, target, answer))


def compare(*networks: AnyNetwork, diff: bool = False) -> Result:
    """Networks side by side: their totals, with ratios to the first, and what each kind of layer has of them.

    Args:
        networks: Two or more; each a network itself, an analysis, or as `load` takes it.
        diff: Two networks layer by layer: only what differs.

    Returns:
        A result whose `value` is a tuple of the totals, or with `diff` of the pairs of layers.

    Raises:
        UsageError: for fewer than two networks, with `diff` for more; for networks too long to be aligned.

    >>> import archcalc as ac
    >>> [total.values for total in ac.compare("resnet18", "resnet34").value if total.key == "params"]
    [(11689512, 21797672)]
    >>> [pair.changes for pair in ac.compare("alexnet", "alexnet@grouped", diff=True).value if pair.changes][0]
    (('groups', '1', '2'),)

    """
    from archcalc.design.compare import align, totals
    from archcalc.render.tables.comparison import ENDINGS, render

    if len(networks) < 2 or (diff and len(networks) != 2):
        raise UsageError(f"compare takes two networks{'' if diff else ' or more'}, not {len(networks)}")
    analyses = [analysis_of(network) for network in networks]
    value = align(*analyses) if diff else tuple(totals(analyses))
    return Result(value, lambda form: render(analyses, "table" if form == "text" else form, diff).rstrip("\n"), ENDINGS)


def transform(network: AnyNetwork, *rewrites: str | Sequence[str]) -> Result:
    """A network rewritten: before and after.

    Args:
        network: A network, an analysis, or as `load` takes it.
        rewrites: Each a name as on the command line, or a name and its arguments: `"fold-batch-norm"`,
            `("cut", "conv5_3")`, `("bottleneck", "conv2", "16")`, `("grow-input", "384x384")`.

    Returns:
        A result whose `value` is the new network; it prints the comparison.

    Raises:
        UsageError: for a rewrite that does not exist or cannot be done, with the layer and the reason.

    >>> import archcalc as ac
    >>> sliding = ac.transform("vgg16", "fc-to-conv", ("grow-input", "384x384")).value
    >>> sliding.analyse()["fc8"].output_shape
    (1000, 6, 6)

    """
    from archcalc.design.transform.transform import transform
    from archcalc.objects import Network
    from archcalc.render.tables.transform import render

    wanted = [(one, ()) if isinstance(one, str) else (str(one[0]), tuple(map(str, one[1:]))) for one in rewrites]
    done = transform(analysis_of(network), wanted)
    new = Network.of(done.after.graph)
    return Result(new, lambda form: render(done, form).rstrip("\n"), {".txt": "text", ".json": "json"})


def estimate(
    network: AnyNetwork, device: str | None = None, *, flops: str | None = None, bandwidth: str | None = None
) -> Result:
    """The least time that a network takes on a device, layer by layer (roofline).

    Args:
        network: The network; an analysis brings its batch and dtype.
        device: A device by name, or `"this"`, which measures the machine and runs the network in numpy.
        flops: Of a device that is not listed: its operations per second, `"500G"`.
        bandwidth: And its bytes per second, `"40GB/s"`.

    Returns:
        A result whose `value` is an `Estimate`: `seconds`, `ridge`, and `bounds`, one for each layer.

    Raises:
        UsageError: for a device that is not known, a rate that cannot be, or a dtype without a rate.

    >>> import archcalc as ac
    >>> found = ac.estimate(ac.analyse("resnet50", batch=32, dtype="float16"), "a100-40gb").value
    >>> f"{found.seconds * 1000:.2f} ms, ridge {found.ridge:.0f}"
    '3.60 ms, ridge 201'

    """
    from archcalc.design.devices import chosen
    from archcalc.design.estimate import estimate as bounds
    from archcalc.render.tables.estimate import ENDINGS, render

    analysis, known = analysis_of(network), chosen(device, flops, bandwidth)
    value = measured(analysis)[0] if known is None else bounds(analysis, known)
    return Result(value, lambda form: render(value, "table" if form == "text" else form).rstrip("\n"), ENDINGS)


def measured(analysis: Analysis, timer: Callable[[], float] = perf_counter) -> tuple[Estimate, str]:
    """The estimate on this machine with the times of a run, and why there is no run where it cannot be executed."""
    from archcalc.design.devices import this_device
    from archcalc.design.estimate import Timed
    from archcalc.design.estimate import estimate as bounds
    from archcalc.execute.measure import measure_rates, time_layers

    device = this_device(analysis.dtype, *measure_rates(analysis.dtype, timer))
    if analysis.totals.not_counted:
        return bounds(analysis, device), f"not run: {', '.join(analysis.totals.not_counted)} cannot be executed"
    return bounds(analysis, device, [Timed(*part) for part in time_layers(analysis, timer=timer)]), ""


def reconcile(
    network: AnyNetwork,
    number: str | int | None = None,
    *,
    start: str = "archcalc",
    end: str = "archcalc",
    quantity: str | None = None,
) -> Result:
    """Why another tool prints another number: the bridge between two conventions, or what gives a number.

    Args:
        network: The network.
        number: A number that somebody has, `"4.13G"` or `25_636_712`: which convention, variant, input size or batch
            gives it.
        start: Without a number: how the first total is counted, `"keras"`, `"fvcore"`, …
        end: How the second is counted.
        quantity: `params` or `multiplications`; by default each that both count.

    Returns:
        A result whose `value` is a list of bridges, each with the totals and the items between them; or a `Search`.

    Raises:
        UsageError: for a convention that does not exist or does not count the quantity, and for no number.

    >>> import archcalc as ac
    >>> bridge, = ac.reconcile("resnet50", start="torchvision", end="keras").value
    >>> bridge.first.total, [(item.words, item.change) for item in bridge.items], bridge.second.total
    (25557032, [('running statistics', 53120), ('biases of conv layers', 26560)], 25636712)

    """
    from archcalc.design.reconcile import QUANTITIES, bridges, explain_number, read_number
    from archcalc.render.tables.reconcile import ENDINGS, render_bridges, render_search

    graph = analysis_of(network).graph
    if number is not None:
        text = str(number)
        search = explain_number(graph, read_number(text))
        return Result(search, lambda form: render_search(graph, text, search, form).rstrip("\n"), ENDINGS)
    if quantity not in (None, *QUANTITIES):
        raise UsageError(f"quantity is params or multiplications, not {quantity[:60]!r}")
    sides, found = bridges(graph, start, end, quantity)
    return Result(found, lambda form: render_bridges(*sides, found, form).rstrip("\n"), ENDINGS)


def _only(numbers: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    for name in numbers:
        if name not in known:
            raise UsageError(f"{name} is not for {what}; it has {', '.join(known) or 'no numbers'}")


def solved(value: Any, lines: Sequence[str], data: Mapping[str, Any]) -> Result:
    """A solution with its text and its data."""

    def render(form: str) -> str:
        return json.dumps(data, ensure_ascii=False, indent=1) if form == "json" else "\n".join(lines)

    return Result(value, render, {".txt": "text", ".json": "json"})


def formula(
    network: str | Path,
    quantity: str = "params",
    *,
    settings: Mapping[str, Any] | None = None,
    input: str | None = None,
    symbols: Sequence[str] | None = None,
) -> Result:
    """A total of a network as a closed form in its parameters and its input size.

    Args:
        network: A catalogue name, a pattern or a spec; its parameters become symbols.
        quantity: `params`, `multiplications` or `activations`.
        settings: Parameters that stay numbers, with their values.
        input: The input size, `"224x224x3"`, where that stays a number.
        symbols: The parameters, and `input`, that are to be symbols; by default all that can be.

    Returns:
        A result whose `value` is the `ClosedForm`; its `expression` is one of sympy.

    Raises:
        UsageError: for a quantity or a symbol that does not exist.

    >>> import archcalc as ac
    >>> print(ac.formula("alexnet", symbols=["classes"]))
    parameters = 4097*classes + 58281344

    """
    from archcalc.core.shapes import parse_shape
    from archcalc.explain.symbolic.closed import closed_form
    from archcalc.explain.symbolic.formats import render

    if quantity not in ("params", "multiplications", "activations"):
        raise UsageError(f"a formula is of params, multiplications or activations, not {quantity[:60]!r}")
    shape = None if input is None else parse_shape(input)
    form = closed_form(str(network), quantity, settings, shape, symbols)
    return Result(form, lambda kind: render(form, kind), {".txt": "text", ".tex": "latex", ".json": "json"})


@dataclass(frozen=True)
class Run:
    """A run of a network in numpy, and where it differs from the analysis: nowhere, if all is well."""

    execution: Execution
    differences: tuple[Difference, ...]

    @property
    def outputs(self) -> Mapping[str, numpy.ndarray[Any, Any]]:
        """The maps of the network's outputs, by name, each with the batch first."""
        return self.execution.outputs

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.outputs.items())
        return f"<Run of {len(self.execution.layers)} layers: {shapes}; {len(self.differences)} differences>"


def run(
    network: AnyNetwork,
    x: numpy.ndarray[Any, Any] | Mapping[str, numpy.ndarray[Any, Any]] | None = None,
    *,
    weights: str | Path | None = None,
    seed: int = 0,
    algorithm: str = "auto",
    count: bool = False,
) -> Run:
    """Run a network in numpy, and compare every shape and count with the analysis.

    Args:
        network: The network.
        x: The input, (N, C, H, W), or of several those by name; random numbers unless given.
        weights: An .npz or .safetensors file. By default the weights that came with a model file, else random numbers.
        seed: Another choice of random numbers.
        algorithm: `auto`, `fast`, `im2col` or `loops`.
        count: Count the multiplications that are done, one by one.

    Raises:
        UsageError: for a file, an algorithm or an input that cannot be used, or too little memory.

    >>> import archcalc as ac
    >>> ac.run("lenet5", count=True)
    <Run of 13 layers: output (1, 10); 0 differences>

    """
    from typing import get_args

    from archcalc.execute.calls import inputs_by_layer
    from archcalc.execute.model_weights import own_weights
    from archcalc.execute.runner.compare import compare
    from archcalc.execute.runner.execute import Algorithm, execute
    from archcalc.execute.runner.files import load_weights
    from archcalc.execute.runner.inputs import random_inputs
    from archcalc.execute.runner.memory import check_memory

    known: tuple[Algorithm, ...] = get_args(Algorithm)
    chosen = next((one for one in known if one == algorithm), None)
    if chosen is None:
        raise UsageError(f"there is no algorithm {algorithm[:60]!r}; there are {', '.join(known)}")
    analysis = analysis_of(network)
    given = random_inputs(analysis.graph, analysis.batch, seed, analysis.dtype) if x is None else x
    batches = inputs_by_layer(analysis.graph, given)
    for index, batch in batches.items():
        shape = analysis.rows[index].output_shape
        if batch.ndim != len(shape) + 1 or batch.shape[1:] != shape:
            raise UsageError(f"the input must have the shape {('N', *shape)}, not {batch.shape}".replace("'", ""))
    if len(batches[0]) != analysis.batch or str(batches[0].dtype) != analysis.dtype:
        analysis = api.analyse(analysis.graph, len(batches[0]), str(batches[0].dtype), analysis.conventions)
    check_memory(analysis, keep_weights=weights is not None)
    arrays = own_weights(analysis, seed) if weights is None else load_weights(Path(weights), analysis)
    execution = execute(analysis.graph, given, arrays, chosen, count)
    return Run(execution, tuple(compare(execution, analysis, memory=count)))


def plot(
    kind: str,
    *networks: AnyNetwork,
    over: str | None = None,
    values: Sequence[Any] = (),
    quantities: Sequence[str] | None = None,
    everything: bool = False,
    **look: Any,
) -> Chart:
    """A chart: of one network along its depth, or of several next to each other.

    Args:
        kind: `profile`, `memory` or `receptive_field` of one network; `compare` (accuracy over multiplications) or
            `timeline` of several, by default of the landmarks of the catalogue; `sweep` of one network over a
            parameter.
        networks: The networks.
        over: Of a sweep: the parameter that changes, or `"input"`.
        values: Of a sweep: its values, in order.
        quantities: Of a sweep: what is shown; by default all but the peak.
        everything: Of compare and timeline: the whole catalogue, not only its landmarks.
        look: theme, width, height, title.

    Raises:
        UsageError: for a chart, a network or a choice that does not exist.

    >>> import archcalc as ac
    >>> ac.plot("sweep", "mobilenet", over="alpha", values=[0.5, 1])
    <Chart: MobileNet over alpha>

    """
    if kind in ALONG:
        return chart_of(analysis_of(_single(kind, networks)), kind, **look)
    if kind == "sweep":
        from archcalc.render.charts.sweep import sweep

        network = _single(kind, networks)
        if over is None or not values or isinstance(network, LayerGraph | Analysis):
            raise UsageError("a sweep needs a network by its name, the parameter it is over, and values")
        analyses: list[Analysis] = [
            api.load(network, input=value).analyse() if over == "input" else api.load(network, {over: value}).analyse()
            for value in values
        ]
        return Chart(sweep(analyses, over, [str(value) for value in values], quantities, look_of(look)))
    from archcalc.render.charts import catalogue

    given = [analysis_of(network) for network in networks]
    if kind == "compare":
        from archcalc.render.charts.accuracy import comparable
        from archcalc.render.charts.compare import compare

        analyses = given or catalogue.compared(everything)
        reasons: dict[str, list[str]] = {}
        for name, why in comparable(analyses).missing:
            reasons.setdefault(why, []).append(name)
        notes = tuple(f"left out: {', '.join(names)}: {why}" for why, names in reasons.items())
        return Chart(compare(analyses, look_of(look)), notes)
    if kind == "timeline":
        from archcalc.render.charts.families import line_of_development
        from archcalc.render.charts.timeline import timeline

        analyses = given or catalogue.families(everything)
        if not given:
            width, height = catalogue.timeline_size(everything)
            look = {"width": width, "height": height, **look}
        return Chart(timeline(analyses, look_of(look)), line_of_development(analyses).notes)
    known = (*ALONG, "compare", "timeline", "sweep")
    hint = did_you_mean(kind, known) or f"; there are {', '.join(known)}"
    raise UsageError(f"there is no chart {kind[:60]!r}{hint}")


def _single(kind: str, networks: Sequence[AnyNetwork]) -> AnyNetwork:
    if len(networks) != 1:
        raise UsageError(f"the chart {kind} is of one network, not {len(networks)}")
    return networks[0]
