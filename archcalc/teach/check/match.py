"""Which layer a row of a table is about: by its name, by kind and position, or by the order of the rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from archcalc.core.suggest import nearest
from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.model import TOTAL, Answer

#: Names of the row of sums.
_TOTALS = {
    "total", "totals", "sum", "sums", "all", "overall", "network", "whole network", "total params", "total parameters",
    "σ", "∑", "итого", "всего", "сумма", "итог",
}  # fmt: skip
#: Words for kinds of layers, and the kinds of ops that they mean.
_KINDS: dict[str, tuple[str, ...]] = {
    "conv": ("conv2d", "conv_transpose2d", "locally_connected2d"),
    "deconv": ("conv_transpose2d",),
    "maxpool": ("max_pool2d",),
    "avgpool": ("avg_pool2d", "global_avg_pool2d", "adaptive_avg_pool2d", "subsampling2d"),
    "gap": ("global_avg_pool2d", "adaptive_avg_pool2d"),
    "pool": ("max_pool2d", "avg_pool2d", "lp_pool2d", "global_avg_pool2d", "adaptive_avg_pool2d", "subsampling2d"),
    "fc": ("linear", "rbf"),
    "relu": ("relu", "relu6"),
    "tanh": ("tanh", "scaled_tanh"),
    "sigmoid": ("sigmoid",),
    "softmax": ("softmax",),
    "lrn": ("local_response_norm",),
    "bn": ("batch_norm2d",),
    "dropout": ("dropout",),
    "flatten": ("flatten",),
    "concat": ("concat",),
    "add": ("add",),
    "input": ("input",),
}
_WORDS = {
    "convolution": "conv", "convolutional": "conv", "conv2d": "conv", "c": "conv", "convolution layer": "conv",
    "maxpooling": "maxpool", "maxpool2d": "maxpool", "maxpooling2d": "maxpool", "mp": "maxpool",
    "averagepool": "avgpool", "averagepooling": "avgpool", "avgpooling": "avgpool", "avgpool2d": "avgpool",
    "subsampling": "avgpool", "globalavgpool": "gap", "globalaveragepooling": "gap", "pooling": "pool", "p": "pool",
    "dense": "fc", "linear": "fc", "fullyconnected": "fc", "affine": "fc", "f": "fc", "innerproduct": "fc",
    "norm": "lrn", "localresponsenorm": "lrn", "normalization": "lrn", "batchnorm": "bn", "batchnormalization": "bn",
    "batchnorm2d": "bn", "image": "input", "data": "input", "in": "input", "drop": "dropout", "reshape": "flatten",
    "transposedconv": "deconv", "convtranspose": "deconv", "upconv": "deconv", "prob": "softmax",
    "activation": "relu", "свертка": "conv", "свёртка": "conv", "пулинг": "pool", "вход": "input",
}  # fmt: skip
_BETWEEN = re.compile(r"[\s_\-./:#()]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-./:#()]+(?=\d)")
_LABEL = re.compile(r"(?P<word>[^\W\d]+(?:2d)?)(?P<number>\d{0,3})")
#: CONV3-64 and FC-4096 of the VGG paper, maxpool2.
_SIZED = re.compile(r"conv\s?(\d+)-(\d+)|(?:fc|dense|linear)\s?-\s?(\d+)|(\d+)\s?x\s?\4\s?conv\s?,?\s?(\d+)")


class Group(NamedTuple):
    """A row of the table: its label, and the positions of its answers."""

    label: str
    cells: tuple[int, ...]


class Match(NamedTuple):
    """The layer that a row is about; a block stands for all its layers. Without one `note` says why."""

    layer: str = ""
    is_block: bool = False
    note: str = ""
    #: A row that means nothing in this network and harms nobody: flatten, where dense layers flatten.
    is_idle: bool = False


def rows_of(answers: Sequence[Answer]) -> list[Group]:
    """The answers by rows: those about one layer, as long as no quantity comes again."""
    groups: list[tuple[str, list[int]]] = []
    seen: set[str] = set()
    for index, answer in enumerate(answers):
        if not groups or groups[-1][0] != answer.layer or answer.quantity in seen:
            groups.append((answer.layer, []))
            seen = set()
        groups[-1][1].append(index)
        seen.add(answer.quantity)
    return [Group(label, tuple(cells)) for label, cells in groups]


class Matcher:
    """The names of a network, prepared once."""

    def __init__(self, analysis: Analysis) -> None:
        self.rows = analysis.rows
        self.names = [row.name for row in analysis.rows]
        self.exact = {name: name for name in self.names}
        self.plain = _unique((squeezed(name), name) for name in self.names)
        self.lasts = _unique((squeezed(name.rpartition("/")[2]), name) for name in self.names)
        #: The last layer of each block.
        self.blocks = {
            name[:at]: index for index, name in enumerate(self.names) for at in range(len(name)) if name[at] == "/"
        }
        self.squeezed = [squeezed(name) for name in self.names]
        self.plain_blocks = _unique((squeezed(block), block) for block in self.blocks)
        self.main = [row.name for row in self.rows if row.op.family in ("convolution", "pooling", "dense")]

    def match(self, groups: Sequence[Group]) -> list[Match]:
        """What each row is about."""
        found: list[Match | None] = [self._by_name(group.label) or self._by_head(group.label) for group in groups]
        taken = {match.layer for match in found if match is not None}
        labels = [_plain(group.label) for group in groups]
        self._by_size(labels, found)
        self._by_kind(labels, found, taken)
        self._by_order(found)
        return [match or self._unknown(group.label) for match, group in zip(found, groups, strict=True)]

    def _by_name(self, label: str) -> Match | None:
        name = label.strip()
        if name in self.exact:
            return Match(name)
        key = squeezed(name)
        if _plain(name) in _TOTALS or (key and key == TOTAL):
            return Match(TOTAL)
        if key in self.plain:
            return Match(self.plain[key])
        block = name if name in self.blocks else self.plain_blocks.get(key)
        if block is not None:
            return self._of_block(block)
        if key in self.lasts:
            return Match(self.lasts[key])
        return None

    def _by_head(self, label: str) -> Match | None:
        """The name before what describes the layer: CONV1: 96 11x11 filters at stride 4."""
        head = re.split(r"\s*(?::|,|\(|\s-\s|–|—)", label, maxsplit=1)[0]
        return self._by_name(head) if head != label else None

    def _of_block(self, block: str) -> Match:
        """A block with one layer that has weights is that layer to the reader: conv, batch norm and relu."""
        inside = [row for row in self.rows if row.name.startswith(f"{block}/")]
        weighted = [row for row in inside if row.params]
        if len(weighted) == 1 and weighted[0].output_shape == inside[-1].output_shape:
            return Match(weighted[0].name)
        return Match(block, is_block=True)

    def _by_size(self, labels: Sequence[str], found: list[Match | None]) -> None:
        """conv3-64 twice: the two such layers, in their order."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, label in enumerate(labels):
            if found[index] is None and (match := _SIZED.fullmatch(label)):
                numbers = [int(number) for number in match.groups() if number]
                groups.setdefault(tuple(numbers), []).append(index)
        for sizes, indices in groups.items():
            names = [row.name for row in self.rows if _has_sizes(row, sizes)]
            self._in_turn(indices, names, found)

    def _in_turn(self, indices: Sequence[int], names: Sequence[str], found: list[Match | None]) -> None:
        if len(indices) == len(names):
            for index, name in zip(indices, names, strict=True):
                found[index] = Match(name)
        elif names:
            for index in indices:
                shown = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
                found[index] = Match(note=f"could be any of {shown}; write the name of the layer")

    def _by_kind(self, labels: Sequence[str], found: list[Match | None], taken: set[str]) -> None:
        """The second conv is the second convolution; only where no other reading is possible."""
        waiting: dict[str, list[tuple[int, int | None]]] = {}
        for index, label in enumerate(labels):
            if found[index] is None and (parsed := _kind_of(label)):
                waiting.setdefault(parsed[0], []).append((index, parsed[1]))
        for kind, rows in waiting.items():
            members = [row.name for row in self.rows if row.op.kind in _KINDS[kind]]
            if not members:
                for index, _ in rows:
                    found[index] = Match(note=f"the network has no {kind} layer", is_idle=kind == "flatten")
                continue
            if all(number is None for _, number in rows):
                self._in_turn([index for index, _ in rows], members, found)
                continue
            everyone = [number for _, number in rows] == list(range(1, len(members) + 1))
            for index, number in rows:
                if number is None or not 1 <= number <= len(members):
                    continue
                name = members[number - 1]
                if everyone or not (name in taken or self._is_stage(kind, number)):
                    found[index] = Match(name)

    def _is_stage(self, kind: str, number: int) -> bool:
        """Whether conv3 may as well mean the third stage, as conv3_1 is named."""
        prefix = f"{kind}{number}"
        return any(name.startswith((f"{prefix}.", f"{prefix}x")) for name in self.squeezed)

    def _by_order(self, found: list[Match | None]) -> None:
        """The convolutions, pools and dense layers one after the other, where the table has exactly these rows."""
        if all(match is not None and (match.layer or match.is_idle) for match in found):
            return
        rows = [index for index, match in enumerate(found) if match is None or match.layer != TOTAL]
        layers = [match.layer if match is not None else "" for match in found]
        for names in (self.main, [self.names[0], *self.main]):
            pairs = list(zip(rows, names, strict=False))
            if len(rows) == len(names) and all(layers[index] in ("", name) for index, name in pairs):
                for index, name in pairs:
                    if not layers[index]:
                        found[index] = Match(name, note="matched by the order of the rows")
                return

    def _unknown(self, label: str) -> Match:
        shown = label[:40]
        plain = _plain(label)
        key = squeezed(plain)
        stage = [name for name, other in zip(self.names, self.squeezed, strict=True) if other.startswith(key)]
        if len(stage) > 1 and len(key) > 1:
            names = ", ".join(stage[:4]) + (", …" if len(stage) > 4 else "")
            return Match(note=f"{shown!r} could be any of {names}")
        close = nearest(plain, [*self.names, *self.blocks])
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        return Match(note=f"the network has no layer {shown!r}{hint}")


def _has_sizes(row: Row, sizes: tuple[int, ...]) -> bool:
    """Whether a layer is the convolution of (kernel, filters), or the dense layer of (neurons,)."""
    if len(sizes) == 1:
        return bool(getattr(row.op, "out_features", None) == sizes[0])
    kernel, filters = sizes
    op = row.op
    return bool(getattr(op, "out_channels", None) == filters and getattr(op, "kernel_size", None) == (kernel, kernel))


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Keys that belong to one name only."""
    found = list(pairs)
    counts = Counter(key for key, _ in found)
    return {key: name for key, name in found if counts[key] == 1 and key}


def squeezed(label: str) -> str:
    """A name without what people write differently: case, spaces, underscores, hyphens. conv1_1 is not conv11."""
    return _BETWEEN.sub("", _BETWEEN_DIGITS.sub("\0", label)).replace("\0", ".").lower()


def _plain(label: str) -> str:
    return re.sub(r"\s+", " ", label).strip(" .:*#").lower()


def _kind_of(label: str) -> tuple[str, int | None] | None:
    """`conv 2`, `2nd conv layer`, `Conv2D_2`: the kind and the position."""
    plain = re.sub(r"\b(layer|layers)\b", " ", label)
    ordinal = re.match(r"\s*(\d{1,3})(?:st|nd|rd|th)?\s+(.+)", plain)
    number = int(ordinal[1]) if ordinal else None
    key = squeezed(ordinal[2] if ordinal else plain)
    key = re.sub(r"\(.*\)$", "", key)
    if key in _KINDS or key in _WORDS:
        return _WORDS.get(key, key), number
    match = _LABEL.fullmatch(key)
    if match is None or number is not None:
        return None
    word = _WORDS.get(match["word"], match["word"])
    if word not in _KINDS:
        return None
    return word, int(match["number"]) if match["number"] else None
