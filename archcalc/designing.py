"""The questions after the table, as functions: compare, memory, fit, lint, transform, estimate and reconcile.

A network is given itself, as an analysis, or as `load` takes it. Everything is imported where it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from archcalc.api import AnyNetwork, analysis_of
from archcalc.core.errors import UsageError
from archcalc.displays import Result
from archcalc.passes.analysis import Analysis

if TYPE_CHECKING:
    from archcalc.design.estimate import Estimate


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


def memory(network: AnyNetwork, **policy: Any) -> Result:
    """What is alive when a network runs or is trained.

    Args:
        network: The network; an analysis brings its batch and dtype.
        policy: The fields of `archcalc.design.memory.Policy`: training, keep_all, in_place, optimiser, mixed,
            checkpoint, workspace.

    Returns:
        A result whose `value` is a `Timeline`: `peak` in bytes, `peak_step`, `steps`, and `alive(step)`.

    Raises:
        UsageError: for a choice that does not exist, or that the network cannot have.

    >>> import archcalc as ac
    >>> ac.memory("vgg16").value.peak
    579120288
    >>> ac.memory(ac.analyse("resnet50", batch=32), training=True, optimiser="adam").value.peak
    3183869568

    """
    from archcalc.design.memory import memory_timeline, policy_of
    from archcalc.render.tables.memory import ENDINGS, render

    timeline = memory_timeline(analysis_of(network), policy_of(policy))
    return Result(timeline, lambda form: render(timeline, "table" if form == "text" else form).rstrip("\n"), ENDINGS)


def fit(network: AnyNetwork, memory: str | int, **policy: Any) -> Result:
    """The largest batch of a network that fits into so much memory, and what would make space for one image more.

    Args:
        network: The network; an analysis brings its dtype.
        memory: `"12GiB"`, or bytes.
        policy: As for `memory`.

    Returns:
        A result whose `value` has the `batch`, the bytes `used`, those `needed` for one more, and `alternatives`.

    Raises:
        UsageError: as for `memory`, and for an amount that is none.

    >>> import archcalc as ac
    >>> ac.fit("vgg16", "12GiB", training=True, optimiser="momentum").value.batch
    152

    """
    from archcalc.design.devices import memory_of
    from archcalc.design.fit import fit_into
    from archcalc.design.memory import policy_of
    from archcalc.render.tables.memory import render_fit

    size = memory if isinstance(memory, int) else memory_of(memory)
    found = fit_into(analysis_of(network), policy_of(policy), size)
    return Result(found, lambda form: render_fit(found, form).rstrip("\n"), {".txt": "text", ".json": "json"})


def lint(
    network: AnyNetwork, select: Collection[str] = (), ignore: Collection[str] = (), *, seen: str | None = None
) -> Result:
    """Sizing rules: what fits, but one would build in another way.

    Args:
        network: The network.
        select: Only these rules.
        ignore: All rules but these.
        seen: The size of an object in the input, such as `"96x96"`, which a value should see.

    Returns:
        A result whose `value` has each finding with its `rule`, `layer`, `finding` and `location`.

    Raises:
        UsageError: for a rule that does not exist, and for a size that is none.

    >>> import archcalc as ac
    >>> [(one.layer, one.rule.id) for one in ac.lint("8x8x3 -> fc1 -> softmax", ["softmax-of-one"]).value]
    [('softmax1', 'softmax-of-one')]

    """
    from archcalc.design.lint.lint import lint as found_by
    from archcalc.render.tables.lint import ENDINGS, render

    analysis = analysis_of(network)
    found = found_by(analysis, select, ignore, seen)
    return Result(found, lambda form: render(analysis, found, form).rstrip("\n"), {**ENDINGS, ".github": "github"})


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
    from archcalc.design.printed import read_number
    from archcalc.design.reconcile import QUANTITIES, bridges, explain_number
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
