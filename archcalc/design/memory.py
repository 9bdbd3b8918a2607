"""What is alive when, at inference and in training, under named policies.

Every map is a buffer that lives from the step that writes it to the last step that reads it. In training the forward
steps are followed by the backward steps in reverse order, and what a backward step reads is alive until then. Which
values that is, each op says: it is what PyTorch saves. An allocator with no waste is assumed, and kernels that need no
workspace unless the policy names one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from archcalc.core.conventions import BYTES
from archcalc.core.errors import UsageError
from archcalc.core.language import mark
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import listed
from archcalc.design.counting import PAIRS
from archcalc.ops.attention import Heads
from archcalc.ops.base import elements
from archcalc.ops.merge import Add
from archcalc.ops.norm import BatchNorm
from archcalc.passes.analysis import Analysis, Row
from archcalc.passes.memory import buffer_values

#: What may overwrite its input.
IN_PLACE = (mark("activations"), mark("batch-norm"), mark("additions"))
#: Values that an optimiser keeps for each trained parameter.
OPTIMISERS = {"none": 0, "sgd": 0, "momentum": 1, "adam": 2}
WORKSPACES = ("none", "image", "batch")
FORWARD, RECOMPUTE, BACKWARD = "forward", "recompute", "backward"
MAP, SAVED, GRADIENT, WORKSPACE = "map", "saved", "gradient", "workspace"


@dataclass(frozen=True)
class Policy:
    """How a network is run, which decides what is alive.

    training: forward and backward pass; else inference.
    keep_all: at inference no map is freed before the end.
    in_place: what overwrites its input: activations, batch-norm (at inference), additions.
    optimiser: none, sgd, momentum (one value for each parameter) or adam (two).
    mixed: maps, gradients and a copy of the parameters in 16 bits, master parameters and the optimiser's values in 32.
        Source: Micikevicius et al. 2018, figure 1.
    checkpoint: keep only what crosses from one group of so many blocks to the next, and run each group again before its
        backward pass. Source: Chen et al. 2016, section 4.
    workspace: the matrix of im2col, of one image or of the batch.
    """

    training: bool = False
    keep_all: bool = False
    in_place: tuple[str, ...] = ("activations",)
    optimiser: str = "none"
    mixed: bool = False
    checkpoint: int | None = None
    workspace: str = "none"

    def check(self, dtype: str) -> None:
        """Raise `UsageError` for choices that exclude each other."""
        if not self.training and (self.optimiser != "none" or self.checkpoint or self.mixed):
            raise UsageError("an optimiser, mixed precision and checkpoints are for training; add --training")
        if self.training and self.keep_all:
            raise UsageError("--keep-all is for inference; in training the backward pass decides what is kept")
        if self.training and dtype == "int8":
            raise UsageError("nothing is trained in int8; choose float32, bfloat16 or float16")
        if self.mixed and dtype != "float32":
            raise UsageError(f"mixed precision has 16-bit maps and 32-bit parameters; leave out --dtype {dtype}")


def policy_of(choices: Mapping[str, Any]) -> Policy:
    """A policy of its fields by name. Raises `UsageError` for one that it does not have, or a value that is none."""
    known = [field.name for field in fields(Policy)]
    for name in choices:
        if name not in known:
            raise UsageError(
                f"a memory policy has no {name!r}{did_you_mean(name, known) or f'; it has {listed(known)}'}"
            )
    policy = Policy(**choices)
    for one in policy.in_place:
        if one not in IN_PLACE:
            raise UsageError(f"in place can be {listed(IN_PLACE)}, not {str(one)[:40]!r}")
    for name, value, there in (
        ("optimiser", policy.optimiser, OPTIMISERS),
        ("workspace", policy.workspace, WORKSPACES),
    ):
        if value not in there:
            raise UsageError(f"{name} is one of {', '.join(there)}, not {str(value)[:40]!r}")
    return policy


class Step(NamedTuple):
    """One layer run forward, again, or backward."""

    phase: str
    layer: int


class Buffer(NamedTuple):
    """Bytes that are alive from one step to another, both included; for each image, or once for the batch."""

    layer: int
    what: str
    size: int
    born: int
    dies: int
    for_batch: bool = False


class Fixed(NamedTuple):
    """Bytes that are alive all the time."""

    parameters: int
    gradients: int
    optimiser: int
    buffers: int


@dataclass(frozen=True)
class Timeline:
    """All steps and buffers of a network under a policy."""

    analysis: Analysis
    policy: Policy
    steps: tuple[Step, ...]
    buffers: tuple[Buffer, ...]
    fixed: Fixed

    @cached_property
    def live(self) -> tuple[tuple[int, int], ...]:
        """At each step the bytes for each image, and those that do not depend on the batch, without fixed ones."""
        changes = [[0] * (len(self.steps) + 1) for _ in range(2)]
        for buffer in self.buffers:
            own = changes[buffer.for_batch]
            own[buffer.born] += buffer.size
            own[buffer.dies + 1] -= buffer.size
        return tuple(zip(*(list(accumulate(own))[:-1] for own in changes), strict=True))

    def bytes_at(self, step: int, batch: int | None = None) -> int:
        """Bytes that are alive at a step, the fixed ones included."""
        image, once = self.live[step]
        return image * (batch or self.analysis.batch) + once + sum(self.fixed)

    @cached_property
    def peak_step(self) -> int:
        """The first step at which the most is alive."""
        return max(range(len(self.steps)), key=lambda step: (self.bytes_at(step), -step))

    @property
    def peak(self) -> int:
        """Bytes at that step."""
        return self.bytes_at(self.peak_step)

    def alive(self, step: int) -> list[Buffer]:
        """The buffers at a step, the largest first."""
        found = [buffer for buffer in self.buffers if buffer.born <= step <= buffer.dies]
        return sorted(found, key=lambda buffer: (-self.size_of(buffer), buffer.layer))

    def size_of(self, buffer: Buffer) -> int:
        """Bytes of a buffer for the batch."""
        return buffer.size if buffer.for_batch else buffer.size * self.analysis.batch

    @cached_property
    def _by_kind(self) -> dict[str, list[int]]:
        """At each step the bytes of each kind of buffer, for the batch."""
        changes = {what: [0] * (len(self.steps) + 1) for what in (MAP, SAVED, GRADIENT, WORKSPACE)}
        for buffer in self.buffers:
            changes[buffer.what][buffer.born] += self.size_of(buffer)
            changes[buffer.what][buffer.dies + 1] -= self.size_of(buffer)
        return {what: list(accumulate(own)) for what, own in changes.items()}

    def at(self, step: int) -> dict[str, int]:
        """Bytes at a step by what they are."""
        return {what: own[step] for what, own in self._by_kind.items()}

    @property
    def kept(self) -> int:
        """Bytes that wait for the backward pass when the forward pass ends: what it saves, without parameters."""
        first = next((index for index, step in enumerate(self.steps) if step.phase != FORWARD), None)
        if first is None:
            return 0
        waiting = [one for one in self.buffers if one.born < first <= one.dies and one.what in (MAP, SAVED)]
        return sum(map(self.size_of, waiting))


def memory_timeline(analysis: Analysis, policy: Policy) -> Timeline:
    """Everything that is alive, step by step. Raises `UsageError` for a policy that does not suit network or dtype."""
    policy.check(analysis.dtype)
    return _Simulation(analysis, policy).run()


class _Simulation:
    """The buffers of a network, found layer by layer."""

    def __init__(self, analysis: Analysis, policy: Policy) -> None:
        self.analysis, self.policy = analysis, policy
        self.rows = analysis.rows
        self.layers = analysis.graph.layers[: len(self.rows)]
        self.item = 2 if policy.mixed else BYTES[analysis.dtype]
        self.segments = list(_segments(self.rows, policy.checkpoint))
        self.segment_of = [index for index, rows in enumerate(self.segments) for _ in rows]
        self.trained = self._trained()
        if policy.training:
            unknown = [row.name for row, needed in zip(self.rows, self.trained, strict=True)
                       if needed and not row.op.saved_is_known()]  # fmt: skip
            if unknown:
                raise UsageError(
                    f"what the backward pass of {listed(unknown[:3])}{' and others' if len(unknown) > 3 else ''} keeps "
                    f"is not known, so the memory of training is not either"
                )

    def run(self) -> Timeline:
        steps = list(self._steps())
        self.when = {step: index for index, step in enumerate(steps)}
        self.last = len(steps) - 1
        self.buffers: list[Buffer] = []
        held = self._pass(FORWARD, range(len(self.rows)), {})
        for index, rows in enumerate(self.segments if self.policy.training else ()):
            if index != len(self.segments) - 1:
                self._pass(RECOMPUTE, rows, held)
        if self.policy.training:
            self._gradients()
        self._workspaces(steps)
        return Timeline(self.analysis, self.policy, tuple(steps), tuple(self.buffers), self._fixed())

    def _steps(self) -> Iterator[Step]:
        yield from (Step(FORWARD, layer) for layer in range(len(self.rows)))
        if not self.policy.training:
            return
        for index, rows in reversed(list(enumerate(self.segments))):
            if index != len(self.segments) - 1:
                yield from (Step(RECOMPUTE, layer) for layer in rows)
            yield from (Step(BACKWARD, layer) for layer in reversed(rows))

    def _trained(self) -> list[bool]:
        """Whether a layer or one before it has parameters that are trained: autograd saves nothing for the others."""
        found: list[bool] = []
        for layer, row in zip(self.layers, self.rows, strict=True):
            own = row.trainable_params > 0 or (layer.weights_of is not None and found[layer.weights_of])
            found.append(own or any(found[source] for source in layer.inputs))
        return found

    def _pass(self, phase: str, rows: range, kept: dict[int, int]) -> dict[int, int]:
        """Add the buffers of a run over these layers; `kept` are buffers of earlier layers. Those of all layers."""
        training = self.policy.training
        of = dict(kept)  # the buffer of each layer, by its place in `own`, or below 0 where it was there before
        own: list[list[int]] = []  # layer, born, dies
        sharing: list[list[int]] = []  # the layers of each buffer
        saving = [row for row in rows if training and (phase == RECOMPUTE or self._saves_at_once(row))]
        for index in rows:
            layer = self.layers[index]
            now = self.when[Step(phase, index)]
            source = of.get(layer.inputs[0], -1) if layer.inputs else -1
            if source >= 0 and self._shares(index, sharing[source]):
                of[index] = source
                sharing[source].append(index)
                own[source][2] = max(own[source][2], now)
            else:
                of[index] = len(own)
                sharing.append([index])
                own.append([index, now, now])
            for reader in layer.inputs:
                held = of.get(reader, -1)
                if held >= 0:
                    own[held][2] = max(own[held][2], now)
        for index in saving:
            self._save(index, phase, of, own)
        if phase == FORWARD:
            self._keep_ends(of, own)
        for layer_index, born, dies in own:
            op = self.rows[layer_index].op
            size = buffer_values(op, elements(self.rows[layer_index].output_shape)) * self.item
            if size:
                self.buffers.append(Buffer(layer_index, MAP, size, born, dies))
        return dict.fromkeys(of, -1)

    def _saves_at_once(self, index: int) -> bool:
        return self.segment_of[index] == len(self.segments) - 1

    def _saved_by(self, index: int, in_place: bool | None = None) -> tuple[str, ...]:
        """What the backward pass of a layer reads: of its inputs and its output.

        `in_place`: whether it did overwrite its input; None where that is not known yet, and what the policy lets it.
        """
        row, layer = self.rows[index], self.layers[index]
        if not self.policy.training or not self.trained[index] or (layer.frozen and row.multiplications):
            return ()
        in_place = self._overwrites(index) if in_place is None else in_place
        if in_place and row.op.saves_in_place is not None:
            return row.op.saves_in_place
        if _is_written_out(row):
            return ("inputs",)
        return row.op.saved_parts(row.input_shapes)

    def _overwrites(self, index: int) -> bool:
        """Whether the policy lets a layer overwrite its input, and it can."""
        op, wanted = self.rows[index].op, self.policy.in_place
        if op.is_view or (self.layers[index].inputs and self._shows_parameters(self.layers[index].inputs[0])):
            return False
        if op.in_place:
            allowed = "activations" in wanted
            return allowed and (not self.policy.training or op.saves_in_place is not None)
        if isinstance(op, BatchNorm):
            return "batch-norm" in wanted and not self.policy.training
        return isinstance(op, Add) and "additions" in wanted

    def _is_view(self, index: int) -> bool:
        op = self.rows[index].op
        return op.is_view and not (op.only_in_training and self.policy.training)

    def _shares(self, index: int, sharing: Sequence[int]) -> bool:
        """Whether the output of a layer is the buffer of its first input, which is that of these layers."""
        if self._is_view(index):
            return True
        first = self.layers[index].inputs[0]
        if not self._overwrites(index) or self.rows[first].output_shape != self.rows[index].output_shape:
            return False
        if any(self.last_readers[one] > index for one in sharing):
            return False
        return not self.policy.training or not any(
            self.segment_of[one] != self.segment_of[index] or self._is_saved(one, index) for one in sharing
        )

    @cached_property
    def readers(self) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in self.rows]
        for index, layer in enumerate(self.layers):
            for source in layer.inputs:
                found[source].append(index)
        for output in self.analysis.graph.outputs:
            if output.layer < len(found):
                found[output.layer].append(len(self.rows))
        return found

    @cached_property
    def last_readers(self) -> list[int]:
        return [max(readers, default=-1) for readers in self.readers]

    def _shows_parameters(self, layer: int) -> bool:
        """Whether a map is a parameter, maybe under another shape: no layer overwrites it."""
        while self._is_view(layer) and self.layers[layer].inputs:
            layer = self.layers[layer].inputs[0]
        return self.rows[layer].op.shows_parameters

    def _is_saved(self, layer: int, by_other_than: int) -> bool:
        """Whether the output of a layer is saved, by itself or by a reader other than one."""
        if "output" in self._saved_by(layer):
            return True
        return any(
            "inputs" in self._saved_by(reader)
            for reader in self.readers[layer]
            if reader != by_other_than and reader < len(self.rows)
        )

    def _save(self, index: int, phase: str, of: dict[int, int], own: list[list[int]]) -> None:
        """Keep what a layer saves until its backward step."""
        row, layer = self.rows[index], self.layers[index]
        back = self.when[Step(BACKWARD, index)]
        saved = self._saved_by(index, bool(layer.inputs) and of[index] == of.get(layer.inputs[0]))
        kept = [*(layer.inputs if "inputs" in saved else ()), *((index,) if "output" in saved else ())]
        for one in kept:
            held = of.get(one, -1)
            if held >= 0:
                own[held][2] = max(own[held][2], back)
        if not self.trained[index]:
            return
        shapes = row.input_shapes, row.output_shape
        now = self.when[Step(phase, index)]
        if _is_written_out(row):
            values = (PAIRS.of(row) or 0) * self.item
        else:
            values = row.op.saved_values(*shapes) * (4 if self.policy.mixed else self.item)
        values += row.op.saved_maps(*shapes) * self.item
        if values:
            self.buffers.append(Buffer(index, SAVED, values, now, back, row.op.saved_for_batch))
        if own_size := row.op.saved_bytes(*shapes):
            self.buffers.append(Buffer(index, SAVED, own_size, now, back))

    def _keep_ends(self, of: dict[int, int], own: list[list[int]]) -> None:
        """Keep outputs to the end of the forward pass, and what crosses from group to group until it is read again."""
        end = len(self.rows) - 1
        for output in self.analysis.graph.outputs:
            if output.layer < len(self.rows):
                own[of[output.layer]][2] = max(own[of[output.layer]][2], end)
        if self.policy.keep_all:
            for one in own:
                one[2] = end
        if not self.policy.training:
            return
        for index, readers in enumerate(self.readers):
            for reader in readers:
                if reader >= len(self.rows) or self.segment_of[reader] == self.segment_of[index]:
                    continue
                back = Step(BACKWARD, reader) if "inputs" in self._saved_by(reader) else None
                again = None if self._saves_at_once(reader) else Step(RECOMPUTE, reader)
                until = max([self.when[step] for step in (back, again) if step is not None], default=0)
                own[of[index]][2] = max(own[of[index]][2], until)

    def _gradients(self) -> None:
        """The gradient of each map: from the backward step of its last reader to that of its own layer."""
        born: dict[int, int] = {}
        start = self.when[Step(BACKWARD, len(self.rows) - 1)]
        for index in range(len(self.rows)):
            if not self.trained[index]:
                continue
            steps = [
                start if reader >= len(self.rows) else self.when[Step(BACKWARD, reader)]
                for reader in self.readers[index]
            ]
            if steps:
                born[index] = min(steps)
        for index, first in born.items():
            row = self.rows[index]
            if row.op.shows_parameters:
                continue  # the gradient of the parameter, which is there all the time
            if row.op.is_view and not row.op.only_in_training and self.layers[index].inputs[0] in born:
                continue  # the gradient of what it shows, under another shape
            size = elements(row.output_shape) * self.item
            views = [first, *(born[view] for view in self._shown_by(index) if view in born)]
            self.buffers.append(Buffer(index, GRADIENT, size, min(views), self.when[Step(BACKWARD, index)]))

    def _shown_by(self, index: int) -> Iterator[int]:
        """The views of a map, and theirs."""
        for reader in self.readers[index]:
            if reader < len(self.rows) and self.rows[reader].op.is_view and not self.rows[reader].op.only_in_training:
                yield reader
                yield from self._shown_by(reader)

    def _workspaces(self, steps: Sequence[Step]) -> None:
        """The matrix of im2col while a convolution runs; none where it is the map itself."""
        if self.policy.workspace == "none":
            return
        for when, step in enumerate(steps):
            row = self.rows[step.layer]
            product = row.op.matrix_product(row.input_shapes, row.output_shape)
            if product is None or row.op.is_view:
                continue
            values = product.count * product.patches[0] * product.patches[1]
            if values != elements(row.input_shapes[0]):
                for_batch = self.policy.workspace == "image"
                self.buffers.append(Buffer(step.layer, WORKSPACE, values * self.item, when, when, for_batch))

    def _fixed(self) -> Fixed:
        policy, totals = self.policy, self.analysis.totals
        item = BYTES[self.analysis.dtype]
        params = totals.weights + totals.biases
        # Where running statistics count as parameters, they are no less what they are.
        buffers = (totals.params + totals.buffers - params) * item
        if not policy.training:
            return Fixed(params * item, 0, 0, buffers)
        trained = totals.trainable_params
        copy = 2 * params if policy.mixed else 0
        states = OPTIMISERS[policy.optimiser] * trained * item
        return Fixed(params * item + copy, trained * self.item, states, buffers)


def _is_written_out(row: Row) -> bool:
    """Whether code calculates attention as two products and a softmax, whose output is kept for the backward pass."""
    return (
        isinstance(row.op, Heads) and row.call is not None and any(one.function == "softmax" for one in row.call.steps)
    )


def _segments(rows: Sequence[Row], blocks: int | None) -> Iterator[range]:
    """The groups of layers between checkpoints: so many blocks each, a layer outside of blocks counting as one."""
    if blocks is None:
        yield range(len(rows))
        return
    begins = [0]
    names = [row.name.rpartition("/")[0].split("/")[:2] or [""] for row in rows]
    units = ["/".join(name) or row.name for name, row in zip(names, rows, strict=True)]
    count = 0
    for index in range(1, len(rows)):
        if units[index] != units[index - 1]:
            count += 1
            if count % blocks == 0:
                begins.append(index)
    yield from (range(begin, end) for begin, end in zip(begins, [*begins[1:], len(rows)], strict=True))
