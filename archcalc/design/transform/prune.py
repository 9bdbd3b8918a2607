"""Channels taken away from a layer, followed through the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from archcalc.core.errors import UsageError
from archcalc.core.words import several
from archcalc.design.transform.choices import choices, divisions, is_depthwise
from archcalc.design.transform.rewrite import Rewritten, check_own_weights, find, refusal, with_ops
from archcalc.design.transform.simple import whole
from archcalc.ops.activation import Activation
from archcalc.ops.arrange import ChannelShuffle, Grid, Roll, Tokens
from archcalc.ops.attention import Matmul, MultiheadAttention, ScaledDotProductAttention
from archcalc.ops.base import Op
from archcalc.ops.conv import Conv, ConvTranspose
from archcalc.ops.dense import Linear
from archcalc.ops.dropout import TrainingOnly
from archcalc.ops.margins import Crop, Slice, Upsample, ZeroPad
from archcalc.ops.merge import Add, Concat, Multiply
from archcalc.ops.norm import BatchNorm, Dropout, LocalResponseNorm
from archcalc.ops.parts import Chunk, Narrow, Part
from archcalc.ops.pool import Pool
from archcalc.ops.reshape import Flatten, Identity
from archcalc.ops.resize import BorderPad, Interpolate
from archcalc.ops.sample_norm import InstanceNorm, LayerNorm
from archcalc.ops.trained import ClassToken, Embedding, PositionEmbedding, Scale
from archcalc.ops.whole_pool import AdaptivePool, GlobalPool
from archcalc.passes.analysis import Analysis, Row

#: Ops that treat each channel by itself, or all alike: a channel that is not there before is not there after.
_KEEP_CHANNELS = (
    Activation, AdaptivePool, BatchNorm, BorderPad, ClassToken, Crop, Dropout, GlobalPool, Grid, Identity, InstanceNorm,
    Interpolate, LayerNorm, LocalResponseNorm, Pool, PositionEmbedding, Roll, Scale, Slice, Tokens, TrainingOnly,
    Upsample, ZeroPad,
)  # fmt: skip
#: The field that says how many channels an op makes.
_MADE = ("out_features", "out_channels", "embedding_dim")
_NONE: frozenset[int] = frozenset()
#: Layers with more channels, or values once flat, are not followed.
_MOST = 1 << 20
#: So many layers around one that cannot be pruned are tried.
_TRIED = 12


def prune(analysis: Analysis, name: str, text: str) -> Rewritten:
    """So many filters or neurons fewer in a layer, and their channels out of all that read them.

    Where maps are added, the others lose the same channels, back to the layers that make them; a depthwise
    convolution loses its filters. Source: Li et al. 2017, section 3. Raises `UsageError` where it cannot be followed.
    """
    count = whole("prune", text)
    places, is_block = find(analysis, "prune", name)
    if is_block:
        raise UsageError(f'--prune: "{name[:80]}" is a block; name one of its layers')
    index = places[0]
    row = analysis.rows[index]
    made = _made_channels(row)
    if made is None:
        raise refusal("prune", row, "has no filters or neurons of its own to choose from")
    if count >= made:
        raise refusal("prune", row, f"has {made}; {count} cannot be taken away")
    if made > _MOST:
        raise refusal("prune", row, f"has more than {_MOST:,} channels to follow")
    try:
        pruning = follow(analysis, index, count)
    except UsageError as error:
        other, nearest = _other_count(analysis, index, count), _nearest(analysis, index)
        fixes = [] if other is None else [f"prune {other} instead"]
        fixes += [] if nearest is None else [f"the nearest layer that can be pruned is {nearest}"]
        raise UsageError("; ".join([str(error), *fixes])) from None
    others = sorted(set(pruning.taken) - {index})
    notes = [f"{several(count, 'channel')} fewer in {row.name}"]
    if others:
        notes.append(f"the same channels in {', '.join(analysis.rows[one].name for one in others)}")
    return Rewritten(with_ops(analysis.graph, pruning.ops()), tuple(notes))


def follow(analysis: Analysis, index: int, count: int) -> Pruning:
    """What every layer loses where one loses so many channels.

    They are its last ones; where it has groups, or layers after it have, the last of each group, for every group of a
    convolution reads and makes as many; so do heads of attention. Channels that are shuffled before they are read in
    groups are chosen so that a shuffle of those that stay gives them in the same order. Raises `UsageError` where that
    cannot be.
    """
    made = _made_channels(analysis.rows[index]) or 0
    obstacles: list[UsageError] = []
    for channels in choices(analysis, made, count):
        pruning = Pruning(analysis)
        try:
            pruning.take(index, channels)
            pruning.settle()
            if (all_lost := len(pruning.taken[index])) != count:
                why = f"would lose {all_lost} channels, for some belong together"
                raise refusal("prune", analysis.rows[index], why)
        except UsageError as error:
            obstacles.append(error)
        else:
            return pruning
    assert obstacles, "one part is always tried"
    # That parts lose unequal numbers is no reason where others are tried that lose equal ones.
    raise next((one for one in obstacles if not isinstance(one, _UnevenError)), obstacles[-1])


class _UnevenError(UsageError):
    """Parts of the channels of a layer would lose unequal numbers."""


def _other_count(analysis: Analysis, index: int, count: int) -> int | None:
    """The number nearest to one that a layer cannot lose which it can; None where there is none among those tried."""
    made = _made_channels(analysis.rows[index]) or 0
    near = {(count // parts + more) * parts for parts in divisions(analysis) for more in (-1, 0, 1, 2)}
    fitting = [one for one in near if 0 < one < made and one != count]
    for other in sorted(fitting, key=lambda one: (abs(one - count), one))[:_TRIED]:
        with suppress(UsageError):
            follow(analysis, index, other)
            return other
    return None


def _nearest(analysis: Analysis, index: int) -> str | None:
    """The layer nearest to one that can lose channels, and how many if not one; None where none around it can."""
    around = sorted(range(len(analysis.rows)), key=lambda place: (abs(place - index), place))
    for place in [place for place in around if place != index and (_made_channels(analysis.rows[place]) or 0) > 1][
        :_TRIED
    ]:
        if fewest := _other_count(analysis, place, 0):
            return analysis.rows[place].name + (f", by {fewest} channels" if fewest > 1 else "")
    return None


def _made_channels(row: Row) -> int | None:
    """How many channels a layer makes, each from all that it reads; None where it makes none so."""
    op = row.op
    if isinstance(op, Linear):
        return op.out_features
    if isinstance(op, Embedding):
        return op.embedding_dim
    if isinstance(op, MultiheadAttention):
        return row.output_shape[0]
    if isinstance(op, Conv | ConvTranspose) and getattr(op, "connections", None) is None:
        return op.out_channels if op.groups == 1 or (isinstance(op, Conv) and not is_depthwise(row)) else None
    return None


def _is_even(channels: frozenset[int], size: int, parts: int) -> bool:
    """Whether each part of so many channels has as many of these."""
    counts = Counter(channel * parts // size for channel in channels)
    return len(counts) in (0, parts) and len(set(counts.values())) <= 1


class Pruning:
    """Which channels each layer loses, until all that belong together lose the same."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.rows = analysis.rows
        self.graph = analysis.graph
        #: The channels that layers with weights are to lose.
        self.taken: dict[int, frozenset[int]] = {}
        #: The channels that any layer was asked to lose.
        self.wanted: dict[int, frozenset[int]] = {}
        #: The channels that are missing in the map of each layer.
        self.lost: list[frozenset[int]] = []

    def take(self, index: int, channels: frozenset[int]) -> None:
        """Take channels away from the map of a layer, where they are made."""
        waiting = [(index, channels)]
        while waiting:
            place, wanted = waiting.pop()
            if not wanted <= self.wanted.get(place, _NONE):
                self.wanted[place] = self.wanted.get(place, _NONE) | wanted
                waiting += self._makers(place, wanted)

    def _makers(self, index: int, channels: frozenset[int]) -> list[tuple[int, frozenset[int]]]:
        """The layers that a layer has its channels from, and which of theirs they are; none where it makes them."""
        row, sources = self.rows[index], self.graph.layers[index].inputs
        made = _made_channels(row)
        if made is not None:
            check_own_weights(self.analysis, "prune", index)
            self.taken[index] = self.taken.get(index, _NONE) | channels
            if len(self.taken[index]) >= made:
                raise refusal("prune", row, "would have no channel left")
            # Of several inputs the queries have as many channels as the output.
            return [(sources[0], channels)] if isinstance(row.op, MultiheadAttention) and len(sources) > 1 else []
        if is_depthwise(row):
            each = row.output_shape[0] // row.input_shapes[0][0]
            return [(sources[0], frozenset(channel // each for channel in channels))]
        if isinstance(row.op, Concat) and _joins_channels(row):
            found, begin = [], 0
            for source, shape in zip(sources, row.input_shapes, strict=True):
                own = range(begin, begin + shape[0])
                found.append((source, frozenset(channel - begin for channel in channels if channel in own)))
                begin += shape[0]
            return found
        if isinstance(row.op, ScaledDotProductAttention):
            return [(sources[2], channels)]
        if isinstance(row.op, Part):
            start, _, step = _taken_by(row)
            return [(sources[0], frozenset(start + channel * step for channel in channels))]
        if isinstance(row.op, ChannelShuffle):
            groups, each = row.op.groups, row.output_shape[0] // row.op.groups
            return [(sources[0], frozenset(channel % groups * each + channel // groups for channel in channels))]
        if isinstance(row.op, (*_KEEP_CHANNELS, Add, Multiply)):
            return [(sources[place], channels) for place in _alike(row)]
        raise refusal("prune", row, _why_not(row, "would have to lose channels, and where they come from"))

    def settle(self) -> None:
        """Follow what is lost, until maps that are merged lose the same channels."""
        while True:
            before = dict(self.taken)
            self.lost = []
            for index in range(len(self.rows)):
                self.lost.append(self._lost(index))
            if self.taken == before:
                break
        for index, row in enumerate(self.rows):
            if isinstance(row.op, MultiheadAttention):
                _fewer_heads(row, len(self.taken.get(index, _NONE)))
            elif isinstance(row.op, ScaledDotProductAttention):
                self._check_heads(index, row.op.num_heads)
        for output in self.graph.outputs:
            if self.lost[output.layer]:
                raise refusal("prune", self.rows[output.layer], "is an output of the network, and would lose channels")

    def _lost(self, index: int) -> frozenset[int]:
        row, sources = self.rows[index], self.graph.layers[index].inputs
        lost = [self.lost[source] for source in sources]
        if _made_channels(row) is not None:
            return self._lost_by(index, lost)
        if not any(lost):
            return _NONE
        if row.output_shape[0] > _MOST:
            raise refusal("prune", row, f"has more than {_MOST:,} channels to follow")
        if is_depthwise(row) or isinstance(row.op, Flatten):
            each = row.output_shape[0] // row.input_shapes[0][0]  # filters of a channel; its values in a row
            return frozenset(channel * each + more for channel in lost[0] for more in range(each))
        if isinstance(row.op, Concat) and _joins_channels(row):
            begins = [sum(shape[0] for shape in row.input_shapes[:place]) for place in range(len(sources))]
            return frozenset(begin + channel for begin, one in zip(begins, lost, strict=True) for channel in one)
        if isinstance(row.op, ScaledDotProductAttention):
            return self._lost_by_heads(row, row.op.num_heads, sources, lost)
        if isinstance(row.op, ChannelShuffle):
            return self._lost_by_shuffle(row, row.op.groups, sources[0], lost[0])
        if isinstance(row.op, Part):
            start, count, step = _taken_by(row)
            if step > 1:
                raise refusal("prune", row, f"takes every {step} channels, which cannot be followed")
            return frozenset(place for place in range(count) if start + place in lost[0])
        if isinstance(row.op, (*_KEEP_CHANNELS, Add, Multiply)) and row.input_shapes[0][0] == row.output_shape[0]:
            same = _alike(row)
            all_lost = _NONE.union(*(lost[place] for place in same))
            for place in same:
                self.take(sources[place], all_lost - lost[place])
            return all_lost
        raise refusal("prune", row, _why_not(row, "would lose channels, and what becomes of them"))

    def _lost_by_heads(
        self, row: Row, heads: int, sources: Sequence[int], lost: Sequence[frozenset[int]]
    ) -> frozenset[int]:
        """What attention loses: queries and keys lose the same channels, and whole heads all three inputs."""
        gone = _NONE.union(
            *(_whole_heads(one, shape[0], heads) for one, shape in zip(lost, row.input_shapes, strict=True))
        )
        wanted = [
            frozenset(channel for channel in range(shape[0]) if channel * heads // shape[0] in gone) | one
            for one, shape in zip((lost[0] | lost[1], lost[0] | lost[1], lost[2]), row.input_shapes, strict=True)
        ]
        for source, one, all_lost in zip(sources, lost, wanted, strict=True):
            self.take(source, all_lost - one)
        return wanted[2]

    def _lost_by_shuffle(self, row: Row, groups: int, source: int, lost: frozenset[int]) -> frozenset[int]:
        """What a shuffle loses, so that a shuffle of the channels that stay gives them in the same order.

        That is so where they come from all of its groups in turn; else it loses the same places in each group.
        """
        each = row.output_shape[0] // groups
        gone = frozenset(channel % each * groups + channel // each for channel in lost)
        stay = [place for place in range(row.output_shape[0]) if place not in gone]
        if len(stay) % groups == 0 and all(place % groups == one % groups for one, place in enumerate(stay)):
            return gone
        places = {channel % each for channel in lost}
        all_lost = frozenset(group * each + place for group in range(groups) for place in places)
        self.take(source, all_lost - lost)
        return frozenset(channel % each * groups + channel // each for channel in all_lost)

    def _heads_lost(self, index: int) -> frozenset[int]:
        """The heads of attention that lose all their channels."""
        row = self.rows[index]
        assert isinstance(row.op, ScaledDotProductAttention)
        return _whole_heads(self.lost[self.graph.layers[index].inputs[2]], row.input_shapes[2][0], row.op.num_heads)

    def _check_heads(self, index: int, heads: int) -> None:
        """Raise `UsageError` where heads that stay would have unequal numbers of channels."""
        row, gone = self.rows[index], self._heads_lost(index)
        for source, shape in zip(self.graph.layers[index].inputs, row.input_shapes, strict=True):
            counts = Counter(channel * heads // shape[0] for channel in self.lost[source])
            if len({counts[head] for head in range(heads) if head not in gone}) > 1:
                each = shape[0] // heads
                raise refusal("prune", row, f"has {heads} heads of {each} channels, which would lose unequal numbers "
                              f"of them; prune a multiple of {each}, whole heads, or of {heads}")  # fmt: skip

    def _lost_by(self, index: int, lost: Sequence[frozenset[int]]) -> frozenset[int]:
        """What a layer loses that makes its channels; its groups read and make as many."""
        row, taken = self.rows[index], self.taken.get(index, _NONE)
        if isinstance(row.op, MultiheadAttention):
            if len(lost) > 1:
                taken |= lost[0]
                self.take(index, taken)
            return taken
        groups = row.op.groups if isinstance(row.op, Conv) else 1
        if not _is_even(lost[0], row.input_shapes[0][0], groups):
            raise self._uneven_groups(row, "read", groups)
        if not _is_even(taken, row.output_shape[0], groups):
            raise self._uneven_groups(row, "make", groups)
        return taken

    def _uneven_groups(self, row: Row, what: str, groups: int) -> _UnevenError:
        why = f"has {groups} groups, which would {what} unequal numbers of channels"
        return _UnevenError(str(refusal("prune", row, why)))

    def ops(self) -> dict[int, Op]:
        """The ops that change."""
        found: dict[int, Op] = {}
        for index, channels in self.taken.items():
            op = self.rows[index].op
            if not isinstance(op, MultiheadAttention):
                field = next(name for name in _MADE if hasattr(op, name))
                found[index] = op.model_copy(update={field: getattr(op, field) - len(channels)})
        for index, row in enumerate(self.rows):
            lost = [self.lost[source] for source in self.graph.layers[index].inputs]
            op = row.op
            if not any(lost) and not self.lost[index]:
                continue
            if is_depthwise(row) and isinstance(op, Conv):
                update = {"groups": op.groups - len(lost[0]), "out_channels": op.out_channels - len(self.lost[index])}
                found[index] = op.model_copy(update=update)
            elif isinstance(op, MultiheadAttention):
                sizes = [shape[0] - len(one) for shape, one in zip(row.input_shapes, lost, strict=True)]
                count = len(self.lost[index])
                update = {
                    "embed_dim": row.output_shape[0] - count, "num_heads": op.num_heads - _fewer_heads(row, count),
                    "kdim": sizes[min(1, len(sizes) - 1)], "vdim": sizes[-1],
                }  # fmt: skip
                found[index] = op.model_copy(update=update)
            elif isinstance(op, ScaledDotProductAttention):
                found[index] = op.model_copy(update={"num_heads": op.num_heads - len(self._heads_lost(index))})
            elif isinstance(op, Part) and op.axis == "channels":
                start, _, _ = _taken_by(row)
                here = (
                    start - sum(channel < start for channel in lost[0]),
                    row.output_shape[0] - len(self.lost[index]),
                    1,
                )
                if not isinstance(op, Chunk) or op.run(row.input_shapes[0][0] - len(lost[0])) != here:
                    found[index] = Narrow(start=here[0], length=here[1])
        return found


def _taken_by(row: Row) -> tuple[int, int, int]:
    """The first channel that a part of a map takes, how many there are, and the step; all where it takes positions."""
    assert isinstance(row.op, Part)
    channels = int(row.input_shapes[0][0])
    if row.op.axis != "channels":
        return 0, channels, 1
    start, count, step = row.op.run(channels)
    return int(start), int(count), int(step)


def _whole_heads(lost: frozenset[int], size: int, heads: int) -> frozenset[int]:
    """The heads of which all channels are lost."""
    counts = Counter(channel * heads // size for channel in lost)
    return frozenset(head for head, count in counts.items() if count == size // heads)


def _fewer_heads(row: Row, count: int) -> int:
    """How many heads attention loses with so many channels; 0 where each head becomes smaller. Raises `UsageError`."""
    assert isinstance(row.op, MultiheadAttention)
    heads = row.op.num_heads
    each = row.output_shape[0] // heads
    if count % each == 0:
        return int(count // each)
    if count % heads:
        raise refusal("prune", row, f"has {heads} heads of {each} channels; prune a multiple of {each}, whole heads, "
                      f"or of {heads}, as many of each head, not {count}")  # fmt: skip
    return 0


def _why_not(row: Row, what: str) -> str:
    if isinstance(row.op, Matmul):
        return f"{what} cannot be followed: in a product of two maps the channels of one are positions of the other"
    return f"{what} cannot be followed"


def _alike(row: Row) -> list[int]:
    """The inputs whose channels are those of the output; a second input of other ops gives no more than its size."""
    merged = len(row.input_shapes) if isinstance(row.op, Add | Multiply) else 1
    return [place for place, shape in enumerate(row.input_shapes[:merged]) if shape[0] == row.output_shape[0]]


def _joins_channels(row: Row) -> bool:
    return row.output_shape[0] == sum(shape[0] for shape in row.input_shapes)
