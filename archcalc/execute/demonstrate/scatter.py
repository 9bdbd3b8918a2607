"""What is added to windows: a transposed convolution, and the gradient of a convolution or a pool."""

from __future__ import annotations

from typing import Any

import numpy as np

from archcalc.core import words
from archcalc.core.demonstration import Group, Step, Written, written_number
from archcalc.core.language import say
from archcalc.execute.calls import backward_of, in_use, settings_of
from archcalc.execute.demonstrate.grids import Places, channels, grid, place_text
from archcalc.execute.demonstrate.slide import Shown, filters
from archcalc.execute.demonstrate.small import Small, numbers
from archcalc.execute.kernels import KERNELS, Array


def transposed(small: Small) -> Shown:
    """One step for each pixel of the input: it times a filter is added to the result."""
    x, out, weight = small.x, small.out, small.arrays["weight"]
    bias = small.arrays.get("bias")
    zero = {} if bias is None else {"bias": np.zeros_like(bias)}
    kernels = [
        Group(say("filters of channel {channel}", channel=c), channels(f"w{c}", "", one).grids)
        for c, one in enumerate(weight)
    ]
    groups = [channels("x", say("input"), x[0]), *kernels]
    if bias is not None:
        groups.append(Group(say("biases"), tuple([grid(f"b{k}", bias[k : k + 1]) for k in range(len(bias))])))
    # Before anything is added the result is its bias.
    reached = small.again(np.zeros_like(x))[0]
    at_out = len(groups)
    groups.append(channels("o", say("output"), reached))
    places = Places(groups)
    steps = []
    for channel, *position in np.ndindex(*x.shape[1:]):
        one = np.zeros_like(x)
        one[(0, channel, *position)] = x[(0, channel, *position)]
        unit = np.zeros_like(x)
        unit[(0, channel, *position)] = 1
        added = small.again(one, **zero)[0]
        # Where the filter lies, even under weights and pixels of 0.
        under = small.again(unit, **zero, weight=np.ones_like(weight))[0] != 0
        reached = reached + added
        written = tuple(
            Written(places.cell(at_out, k, at), float(reached[(k, *at)])) for k, *at in np.argwhere(under).tolist()
        )
        used = tuple(
            cell for k in range(weight.shape[1]) for cell in places.everywhere(1 + channel, k, weight[channel, k])
        )
        value = written_number(float(x[(0, channel, *position)]))
        line = say(
            "{value} times the filters of channel {channel} is added to {count} values of the result",
            value=value, channel=channel, count=len(written),
        )  # fmt: skip
        read = (places.cell(0, channel, position),)
        title = say("channel {channel} at {place}", channel=channel, place=place_text(position))
        steps.append(Step(title, read, used, written, (line,)))
    assert np.array_equal(reached, out[0]), "the parts of a transposed convolution add up to it"
    return groups, steps


def backward(small: Small, seed: int) -> Shown:
    """One step for each value of the result: its gradient is sent back to the pixels and the weights that made it."""
    x, out, weight = small.x, small.out, small.arrays.get("weight")
    given = numbers("gradient", out.shape, -1, 2, seed)
    whole_x, whole_w = _gradients(small, given)
    groups = [channels("do", say("gradient of the output"), given[0])]
    if weight is None:
        groups.append(channels("x", say("input"), x[0]))
    else:
        groups += filters(small)
    groups.append(channels("dx", say("gradient of the input"), np.zeros_like(x[0])))
    at_dx = len(groups) - 1
    if whole_w is not None:
        for k, one in enumerate(np.zeros_like(whole_w)):
            groups.append(Group(say("gradient of filter {number}", number=k), channels(f"dw{k}", "", one).grids))
    places = Places(groups)
    sum_x = np.zeros_like(x[0])
    sum_w = None if whole_w is None else np.zeros_like(whole_w)
    steps = []
    for k, *position in np.ndindex(*out.shape[1:]):
        one = np.zeros_like(given)
        one[(0, k, *position)] = given[(0, k, *position)]
        unit = np.zeros_like(given)
        unit[(0, k, *position)] = 1
        to_x, to_w = _gradients(small, one)
        touched, _ = _gradients(small, unit, np.ones_like(weight) if weight is not None else None)
        sum_x = sum_x + to_x[0]
        written = [
            Written(places.cell(at_dx, c, at), float(sum_x[(c, *at)]))
            for c, *at in np.argwhere(touched[0] != 0).tolist()
        ]
        used = []
        value = written_number(float(given[(0, k, *position)]))
        pixels = words.several(len(written), "pixel")
        lines = [say("gradient {value} of this output reaches {pixels} of the input", value=value, pixels=pixels)]
        if weight is not None and to_w is not None and sum_w is not None:
            sum_w = sum_w + to_w
            for c in range(weight.shape[1]):
                used += places.everywhere(1 + k, c, weight[k, c])
                written += places.written(at_dx + 1 + k, c, sum_w[k, c])
            pixels = words.several(len(written) - weight[k].size, "pixel")
            lines = [
                say(
                    "to the input: {value} times filter {number} is added to {pixels} of the window",
                    value=value,
                    number=k,
                    pixels=pixels,
                ),
                say(
                    "to filter {number}: {value} times the window is added to its {count} weights",
                    number=k,
                    value=value,
                    count=weight[k].size,
                ),
            ]
        read = (places.cell(0, k, position),)
        title = say("output {number} at {place}", number=k, place=place_text(position))
        steps.append(Step(title, read, tuple(used), tuple(written), tuple(lines)))
    assert np.allclose(sum_x, whole_x[0]), "gradients of single outputs add up to the gradient of all"
    return groups, steps


def _gradients(small: Small, given: Array, weight: Array | None = None) -> tuple[Array, Array | None]:
    """The gradients of the input and of the filters, from the executor's own rule."""
    rule = backward_of(small.layer)
    kernel = KERNELS[small.op.kind]
    arrays = dict(in_use(small.layer, small.arrays))
    if weight is not None:
        arrays["weight"] = weight
    settings: dict[str, Any] = settings_of(small.layer, rule.settings)
    if kernel.run_with_switches is not None and "switches" in rule.run.__annotations__:
        settings["switches"] = kernel.run_with_switches(small.x, **settings_of(small.layer, kernel.settings))[1]
    found = rule.run(given, small.x, **arrays, **settings)
    to_x = found.maps[0]
    assert to_x is not None
    return to_x, found.arrays.get("weight")
