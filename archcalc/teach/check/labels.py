"""What the name of a row says of its layer: words for a kind, a number, sizes, the row of sums."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from archcalc.core.words import visible
from archcalc.ops import OPS, called
from archcalc.teach.check.paths import path_of
from archcalc.teach.check.vocabulary import words

#: Names of the row of sums.
_TOTALS = words("total")
#: Words for a layer as such, which say nothing of its kind.
_LAYER = words("layer")
#: Written without a space after the kind: 卷积层.
_SUFFIX = re.compile(r"(?<=\w)(?:层|層|レイヤー|レイヤ)")
_ORDINALS = {word: number for number in range(1, 9) for word in words(f"ordinal {number}")}
_LAST = words("last")
#: Rows for what a network gives: the last dense layer, or the softmax after it.
_OUTPUT = words("output")
_OUTPUT_KINDS = ("linear", "softmax", "rbf")
#: Rows for hidden layers of neurons.
_HIDDEN = words("hidden")
_NORM = words("norm")
#: Rows for what makes tokens of an image: a convolution, or a dense layer.
_PATCH = words("patch")
#: Words for a block as such, and for kinds of blocks; those that mean one without a word for a block next to them.
_BLOCK, _ALONE = words("block"), words("block alone")
_BLOCK_KINDS = {
    word: kind
    for kind in ("dense", "transition", "fire", "inception", "encoder", "decoder", "residual", "mlp")
    for word in words(f"block {kind}")
}
#: BasicBlock, InvertedResidual, FireModule in lower case.
_GLUED = re.compile(rf"(?<=[^\W\d_]{{3}})(?=(?:{'|'.join(sorted(words('block glued')))})s?(?![^\W\d_]))")
_TOKEN = re.compile(r"\d+(?:st|nd|rd|th|er|ère|e)\b|[^\W\d_]+|\d+|[+&→/]")
#: CONV3-64, conv3-64s2 and FC-4096 of course notes; 3x3 conv, 64; conv 3x3, 64.
_SIZED = re.compile(
    r"conv(?:olution)?\s*(?P<k1>\d+)\s*[-–]\s*(?P<f1>\d+)(?:\s*[sdgp]\d+)*"
    r"|(?P<k2>\d+)\s*[x×]\s*(?P=k2)\s*conv(?:olution)?\s*[,-]?\s*(?P<f2>\d+)?"
    r"|conv(?:olution)?\s*(?P<k3>\d+)\s*[x×]\s*(?P=k3)\s*(?:[,-]\s*(?P<f3>\d+))?"
    # 32C3, 32c3s1; conv(3, 32); Conv2D(32, (3, 3), strides=2)
    r"|(?P<f4>\d+)\s*[cс]\s*(?P<k4>\d+)(?:[sp]\d+)*"
    r"|conv\s*\(\s*(?P<k5>\d{1,2})\s*,\s*(?P<f5>\d+)\s*(?:,[^()]*)?\)"
    r"|conv[123]d\s*\(\s*(?P<f6>\d+)\s*,\s*(?:kernel_size\s*=\s*\(?|\()\s*(?P<k6>\d{1,2})\b.*"
    r"|conv[123]d\s*\(\s*(?P<f7>\d+)\s*,\s*(?P<k7>\d{1,2})\s*(?:,\s*(?!kernel_size)[a-z]\w*\s*=.*)?\)"
    r"|(?:fc|dense|linear|fully connected)\s*[-–]\s*(?P<u1>\d{2,})"
    r"|(?:fc|dense|linear)\s*(?P<u2>\d{3,})"
)
#: The sides of a window, which are no numbers of layers: max pool 2x2.
_SIDES = re.compile(r"(?<![\w])\d{1,2}\s*[x×х]\s*\d{1,2}(?!\w)")
#: Convolutions that are called by a property that not all of them have.
_NARROW = {
    "depthwise": re.compile(r"(?<![^\W\d_])(?:depth\s?-?wise|поканальн|深度可?卷积)"),
    "pointwise": re.compile(
        r"(?<![^\W\d_])(?:pointwise|pw(?![^\W\d_])|поточечн|точечн|逐点|punktweise|puntual|ponctuel)"
    ),
    "grouped": re.compile(
        r"(?<![^\W\d_])(?:grouped|group\s?w?i?s?e? ?conv|групповая|gruppierte|groupée|agrupada|分组)"
    ),
    "dilated": re.compile(r"(?<![^\W\d_])(?:dilat|atrous|расширенн|дилатированн|разреженн|空洞|膨胀)"),
}
#: Words for a part of a network, of which a convolution or a pool is one; each with another word for it.
_PARTS = {
    "cls": "class", "class": "class", "classes": "class", "classification": "class", "box": "box", "boxes": "box",
    "bbox": "box", "regression": "box", "lateral": "lateral", "smooth": "smooth", "image": "image", "img": "image",
    "text": "text", "mask": "mask", "score": "score", "scores": "score", "rpn": "rpn", "roi": "roi", "anchor": "anchor",
}  # fmt: skip
_MODULE = re.compile(r"_?[A-Z]\w*(?:-\d+|: \d+-\d+| \(\w+\)(?:: \d+-\d+)?)")
#: One that says nothing of what is in it, whatever name it has: Sequential (conv): 3-4.
_CONTAINER = re.compile(r"(?:Sequential|ModuleList|ModuleDict)\b")
#: One whose name holds the words of several: Conv2dNormActivation-4.
_GLUED_CLASS = re.compile(r"_?[A-Z]+[a-z]+(?:\d[a-z]+)?[A-Z]\w*(?:-\d+|: \d+-\d+| \(\w+\)(?:: \d+-\d+)?)")
#: What torchinfo writes after a type, which is its depth and a running number, no layers 2 to 1: Conv2d: 2-1.
DEPTH_AND_INDEX = re.compile(r": \d+-\d+$")
#: A name and a type of Keras: conv1_bn (BatchNormalization).
_TYPED = re.compile(
    r"(?P<name>[\w./-]+(?:…|\.\.\.)?)\s*\((?P<type>[^\W\d_][\w ]{2,})(?:(?P<cut>…|\.\.\.)?\)|(?:…|\.\.\.)?)"
)
#: Families of layers with weights, and of those that come right after them.
WEIGHTED = {"convolution", "dense"}
_AFTER = {"normalisation", "activation", "regularisation"}
#: A name and what is in brackets behind it.
_DESCRIBED = re.compile(r"(?P<name>[^()]*[^()\s])\s*\((?P<inside>[^()]+)\)")
#: A type of Keras that is two layers here; the kinds of its `Normalization`, which has the statistics of the data.
_SEPARABLE = re.compile(r"separablec[onv12d]*")
STATISTICS = ("rescale",)
#: A stage as the paper of ResNet calls it; others count stages in other ways.
_STAGE = re.compile(r"conv\d{1,2}_x")
#: 2 x conv3-64, Conv 3×3 (×2).
_REPEATED = re.compile(
    r"(?P<before>[2-9])\s*[x×*·х]\s*(?P<name>[^\W\d_].*)"
    r"|(?P<named>[^\W\d_].*?)(?:\s+|\s*[(\[,]\s*)[x×х]\s*(?P<after>[2-9])[)\]]?"
)
_LONGEST = 200
_MOST_WORDS = 3
#: The name before what describes the layer.
_HEAD = re.compile(r"(?<=\w)\s*[:(,;]")


class Label(NamedTuple):
    """The name of a row, read: the kinds of ops that it may mean (none where it does not say), and its numbers."""

    text: str
    key: str
    kinds: tuple[str, ...] = ()
    #: conv2_1 has 2 and 1.
    numbers: tuple[int, ...] = ()
    is_last: bool = False
    kernel: int = 0
    filters: int = 0
    is_total: bool = False
    #: The number is the size of a window.
    is_window: bool = False
    #: A type beside the name decides the kind.
    is_typed: bool = False
    #: The name is that of the type, as Keras makes it: conv2d_14 (Conv2D).
    is_made: bool = False
    #: It means a block of layers, of these kinds where it says so.
    is_block: bool = False
    words: frozenset[str] = frozenset()
    #: A depthwise convolution and one of 1×1 together, as Keras has them.
    is_separable: bool = False
    #: What it says of a convolution: `depthwise`, `pointwise`, `grouped` or `dilated`.
    adjective: str = ""
    #: Parts of a network of which its layer is one: `box` of box subnet conv 1.
    parts: frozenset[str] = frozenset()
    #: What makes tokens of an image: a convolution, or a dense layer, with its normalisation or without it.
    is_patch: bool = False
    #: It means several such layers in a row: 2 × conv3-64.
    times: int = 1

    @property
    def is_module(self) -> bool:
        """Whether it is a class of a framework that no op has, as a summary prints it: CNBlock-11, Encoder: 1-2."""
        return not self.kinds and _MODULE.fullmatch(self.text) is not None

    @property
    def is_of_layers(self) -> bool:
        """Whether it says that it is about a block, or a kind of layers."""
        return self.is_block or bool(self.kinds)

    @property
    def is_output(self) -> bool:
        """Whether it is a word for what a network gives: classifier, output layer."""
        return is_output(self.kinds)

    @property
    def narrow(self) -> str:
        """The property of the convolutions that it may mean, and among which it is counted."""
        return "depthwise" if "depthwise" in "".join(self.kinds[:1]) else self.adjective

    @property
    def number(self) -> int | None:
        """The only number."""
        return self.numbers[0] if len(self.numbers) == 1 else None


def is_output(kinds: tuple[str, ...]) -> bool:
    """Whether kinds are those of a word for what a network gives."""
    return kinds == _OUTPUT_KINDS


#: torch.nn.functional, as it is imported: no dense layer.
_FUNCTIONAL = re.compile(r"^\s*F\.(?=[a-z])")


@lru_cache(maxsize=8192)
def read_label(text: str) -> Label:
    """Read the name of a row.

    >>> read_label("max_pooling2d_6").kinds, read_label("max_pooling2d_6").number
    (('max_pool2d', 'max_pool1d', 'max_pool3d'), 6)
    """
    if repeated := _REPEATED.fullmatch(text.strip()):
        times = int(repeated["before"] or repeated["after"])
        read = read_label(repeated["name"] or repeated["named"])
        is_factor = bool(read.kinds) and OPS[read.kinds[0]].family in ("shape", "pooling")  # upsample x2
        return read._replace(text=text, key=squeezed(text), times=1 if is_factor else times)
    plain = DEPTH_AND_INDEX.sub("", plain_label(_FUNCTIONAL.sub("", text)))
    key = squeezed(text)
    if plain in _TOTALS or re.fullmatch(r"total\W.*", plain) or _is_sum(plain):
        return Label(text, key, is_total=True)
    if sized := _SIZED.fullmatch(plain) or _SIZED.fullmatch(_HEAD.split(plain, maxsplit=1)[0]):
        found = {name[0]: int(value) for name, value in sized.groupdict().items() if value}
        kinds = _kinds("fc" if "u" in found else "conv")
        return Label(text, key, kinds, (), False, found.get("k", 0), found.get("f", found.get("u", 0)))
    if (typed := _typed(text, plain[:_LONGEST])) is not None:
        return typed
    path = path_of(text[:_LONGEST])
    if path and (kinds := _kinds_of_last(plain)):
        return Label(text, key, kinds, path[:3])
    if _STAGE.fullmatch(plain):
        return Label(text, key, is_block=True)
    if (block := _block(text, key, plain[:_LONGEST])) is not None:
        return block
    if _GLUED_CLASS.fullmatch(text) and not _kinds(re.split(r"[-: ]", text)[0]):
        return Label(text, key)
    head = _SIDES.sub(" ", _HEAD.split(plain[:_LONGEST], maxsplit=1)[0])
    tokens = [_SUFFIX.sub("", token) for token in _TOKEN.findall(_spaced(head))]
    kinds, at = _first_kind(tokens)
    if kinds == ("input",) and (after := _first_kind(tokens[at:]))[0]:
        kinds, at = after[0], at + after[1]  # image conv 1
    if kinds == ("class_token",) and _OUTPUT.intersection(tokens[at:]):
        kinds = ()  # the classes of a detector: cls head
    if path and kinds == _OUTPUT_KINDS:
        kinds, at = (), 0  # trunk_output.block2 is a module of many
    if not kinds and not _CONTAINER.match(text) and (inner := re.search(r"\(([^()]+)\)", plain[:_LONGEST])):
        kinds = _first_kind(_TOKEN.findall(_spaced(inner[1]))[:_MOST_WORDS])[0]  # Layer 4 (conv)
    numbers = [_ORDINALS[token] for token in tokens[:at] if token in _ORDINALS]
    if not numbers:
        numbers = [int(token) for token in _run_of_digits(tokens[at:])]
    if not numbers and (match := re.match(r"(\d{1,3})\b", tokens[0] if tokens else "")):
        numbers = [int(match[1])]
    adjective = _adjective(kinds, plain[:_LONGEST])
    is_last = any(token in _LAST for token in tokens)
    read = Label(text, key, kinds, tuple(numbers[:3]), is_last, int(adjective == "pointwise"))
    is_patch = any(token in _PATCH for token in tokens) and not path
    family = OPS[kinds[0]].family if kinds and not is_patch else ""
    parts = parts_named(tokens) if family in ("convolution", "pooling", "dense") else frozenset()
    if family == "dense":  # any classifier gives scores of classes
        parts -= {"class", "score"}
    return read._replace(adjective=adjective, is_patch=is_patch, parts=parts)


def parts_named(words: Iterable[str]) -> frozenset[str]:
    """The parts of a network that some words name."""
    return frozenset(_PARTS[word] for word in words if word in _PARTS)


def _adjective(kinds: tuple[str, ...], plain: str) -> str:
    """The property that a name says of a convolution; none where it says several."""
    if not kinds or OPS[kinds[0]].family != "convolution":
        return ""
    found = [narrow for narrow, said in _NARROW.items() if said.search(plain)]
    return found[0] if len(found) == 1 else ""


def _is_sum(plain: str) -> bool:
    """Whether it is about the parameters of all layers: trainable params, sum of parameters."""
    found = re.findall(r"[^\W\d_]+", plain)
    if not 1 < len(found) <= _MOST_WORDS + 2:
        return False
    of_all = [word for word in found if word in _TOTALS or _means(word, "total") or _means(word, "trained")]
    counted = [word for word in found if _means(word, "param")]
    idle = [word for word in found if _means(word, "idle") or _means(word, "count")]
    return bool(of_all and counted) and {*of_all, *counted, *idle} == set(found)


def _means(word: str, part: str) -> bool:
    known = words(f"part {part}")
    return word in known or any(one.endswith("*") and word.startswith(one[:-1]) for one in known)


def _typed(text: str, plain: str) -> Label | None:
    """A name with its type, as Keras prints it: conv1_bn (BatchNormalization), also where it is cut off: Batch….

    The type decides the kind, and the name gives the number.
    """
    match = _TYPED.fullmatch(plain)
    if match is None or not text[text.index("(") + 1].isupper():
        return None
    name, own, kind = match["name"], read_label(match["name"]), match["type"]
    if _SEPARABLE.fullmatch(kind):
        return Label(text, squeezed(name), (), own.numbers, is_typed=True, is_block=True, is_separable=True)
    is_cut = bool(match["cut"]) or not plain.endswith(")")
    kinds = _kinds_from(kind) if is_cut else STATISTICS if kind == "normalization" else _kinds(kind)
    if not kinds or (not is_cut and OPS[kinds[0]].family == "activation" and _is_of_weights(name)):
        return None  # conv1 (ReLU) has two layers
    is_made = squeezed(re.sub(r"_?\d*$", "", name)) == squeezed(match["type"])
    return own._replace(
        text=text, key=squeezed(name), kinds=kinds, is_typed=True, is_made=is_made, is_block=False, words=frozenset(),
        adjective=_adjective(kinds, name),
    )  # fmt: skip


def _is_of_weights(name: str) -> bool:
    """Whether all words of a name for a kind mean layers with weights: conv1_1, not conv1_relu."""
    found = [kinds for word in re.findall(r"[a-z]+", _spaced(name.lower())) if (kinds := _first_kind([word])[0])]
    return bool(found) and all(OPS[kinds[0]].family in WEIGHTED for kinds in found)


def is_weightless(name: str) -> bool:
    """Whether a name is a word for what comes after a layer with weights, or nothing."""
    kinds = read_label(name).kinds
    return not name or (bool(kinds) and OPS[kinds[0]].family in {*_AFTER, "pooling", "shape"})


@lru_cache(maxsize=8192)
def described(text: str) -> str:
    """The name of a layer with weights before a bracket that only says what comes after it; else nothing.

    >>> described("Conv 1 (BN, ReLU)"), described("conv1_bn (BatchNormalization)"), described("Inception (3a)")
    ('Conv 1', '', '')
    """
    said = _DESCRIBED.fullmatch(text.strip(" *`"))
    if said is None or read_label(text).is_typed:
        return ""
    kinds = [read_label(part).kinds for part in re.split(r"\s*[,;+&/→-]\s*|\s+", said["inside"].strip())]
    is_after = all(found and OPS[found[0]].family in _AFTER for found in kinds)
    return said["name"] if is_after and _is_of_weights(said["name"]) else ""


@lru_cache(maxsize=1024)
def _kinds_from(start: str) -> tuple[str, ...]:
    """The kinds that a word may mean of which only the beginning is there."""
    plain = squeezed(start)
    found = [op.kind for op in OPS.values() if any(squeezed(word).startswith(plain) for word in (op.kind, *op.words))]
    return tuple(found) if len({OPS[kind].family for kind in found}) <= 2 else ()


def _block(text: str, key: str, plain: str) -> Label | None:
    """A name that means a block of layers, not one of its layers: Dense Block (1), BasicBlock-11, layer1.0."""
    numbered = re.sub(r"\((\d{1,2}[a-z]?|[a-z])\)", r" \1", plain)
    tokens = _TOKEN.findall(_spaced(_GLUED.sub(" ", _HEAD.split(numbered, maxsplit=1)[0])))
    is_path = re.fullmatch(r"(?:features\.)?layer\d+(?:\.\d+)?", plain) is not None
    names = [index for index, token in enumerate(tokens) if token in _BLOCK or token in _ALONE]
    if not names and not is_path:
        return None
    after = [token for token in tokens[names[-1] + 1 :] if token not in _BLOCK_KINDS] if names else []
    if after and (kinds := _first_kind(after)[0]):
        # Dense Block 1 - 1x1 conv is no dense layer.
        return Label(text, key, kinds) if _first_kind(tokens)[0] != kinds else None
    found = frozenset(_BLOCK_KINDS[token] for token in tokens if token in _BLOCK_KINDS)
    numbers = [_ORDINALS[token] for token in tokens if token in _ORDINALS]
    numbers = numbers or [int(token) for token in tokens if token.isdecimal() and len(token) <= 3]
    return Label(text, key, (), tuple(numbers[:3]), is_block=True, words=found)


def words_of_block(plain: str) -> frozenset[str] | None:
    """What a name says of the blocks that it may mean, also without a word for a block; None of other names.

    >>> sorted(words_of_block("transformer layers")), words_of_block("conv1")
    (['encoder'], None)
    """
    tokens = _TOKEN.findall(_spaced(_GLUED.sub(" ", plain)))
    tokens = [word for token in tokens for word in (token, token[:-1] if token.endswith("s") else token)]
    is_open = any(
        token in _BLOCK or token in _ALONE or token in _BLOCK_KINDS or _means(token, "layer") for token in tokens
    )
    return frozenset(_BLOCK_KINDS[token] for token in tokens if token in _BLOCK_KINDS) if is_open else None


def _kinds_of_last(plain: str) -> tuple[str, ...]:
    """The kinds that the last word of a name means that a framework gives: a norm of conv4_block2_1_bn."""
    last = re.findall(r"[a-z]+", _spaced(plain))[-1:]
    if last == ["act"]:  # of a normalisation with an activation in it, as timm has it
        return tuple([op.kind for op in OPS.values() if op.family == "activation"])
    if set(last) & _OUTPUT:
        return (*_first_kind(last)[0], "conv2d")  # of a head that may be either
    return _first_kind(last)[0]


def _spaced(plain: str) -> str:
    """Letters of different scripts apart, and `2d` as a part of its word."""
    plain = re.sub(r"第([一二三四五六七八九])个?", lambda match: f" {'一二三四五六七八九'.index(match[1]) + 1} ", plain)
    return re.sub(r"(?<=[^\W\d_])[123]d(?![^\W\d_])", "", plain).replace("_", " ").replace("&", " and ")


def _first_kind(tokens: list[str]) -> tuple[tuple[str, ...], int]:
    """The kinds that the first known word or words mean, and the index of the token after them."""
    named = [(index, token) for index, token in enumerate(tokens) if token not in _LAYER]
    if any(token in _PATCH for _, token in named):
        return ("conv2d", "linear"), len(tokens)
    for start in range(len(named)):
        for count in (4, 3, 2, 1):
            run = named[start : start + count]
            if len(run) < count or any(not token[0].isalpha() for _, token in run):
                continue
            if start and count == 1 and len(run[0][1]) == 1 and run[0][1].isascii():
                continue  # C1 is a convolution, 5c is none
            name = " ".join(token for _, token in run)
            if found := _kinds(name) or (_kinds(name[:-1]) if name.endswith("s") else ()):
                return found, run[-1][0] + 1
    names = {token for _, token in named}
    if names & _OUTPUT:
        return _OUTPUT_KINDS, len(tokens)
    if names & _HIDDEN:
        return _kinds("fc"), next(index for index, token in named if token in _HIDDEN) + 1
    return (), 0


@lru_cache(maxsize=4096)
def _kinds(name: str) -> tuple[str, ...]:
    """The kinds that a word means; a norm as such may be any."""
    if name in _NORM:
        return tuple([op.kind for op in OPS.values() if op.family == "normalisation"])
    return tuple([op.kind for op in called(name)])


def _run_of_digits(tokens: list[str]) -> list[str]:
    """The numbers right after the word: 2 and 1 of conv2_1; nothing of what follows another word."""
    found: list[str] = []
    for token in tokens:
        if token.isdecimal() and len(token) <= 3:
            found.append(token)
        elif token not in _LAYER:
            break
    return found


_BETWEEN = re.compile(r"[\s_\-./:#()*`]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\-./:#()]+(?=\d)")


def squeezed(label: str) -> str:
    """A name without what people write differently: case, spaces, underscores, hyphens. conv1_1 is not conv11."""
    return _BETWEEN.sub("", _BETWEEN_DIGITS.sub("\0", _decimal(visible(label)))).replace("\0", ".").lower()


_SQUARED = re.compile(r"(?<!\d)(\d{1,4})\s?²")
_RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹]+")


def _decimal(label: str) -> str:
    """A name with plain digits: layer ① is layer 1, C₁ is C1, 3² is 3×3; other raised digits are those of notes."""
    if label.isascii():
        return label
    plain = _RAISED.sub(" ", _SQUARED.sub(r"\1×\1", label))
    return "".join([_in_digits(character) for character in plain])


def _in_digits(character: str) -> str:
    if unicodedata.category(character) != "No":
        return character
    value = unicodedata.numeric(character)
    if not value.is_integer():
        return character
    return str(int(value)) if character in "₀₁₂₃₄₅₆₇₈₉" else f" {int(value)} "


#: The full stop of an abbreviation: pos. embedding.
_ABBREVIATED = re.compile(r"(?<=[^\W\d_]{2})\.(?=\s[^\W\d_])")


def plain_label(label: str) -> str:
    """A name in lower case, with single spaces and without marks around it."""
    folded = unicodedata.normalize("NFC", _decimal(visible(label))).lower()
    return _ABBREVIATED.sub("", re.sub(r"\s+", " ", folded)).strip(" .:*#`|_")
