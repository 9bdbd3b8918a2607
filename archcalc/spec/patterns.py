"""Networks in one line: `32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10`, after the notation of CS231n's notes.

A pattern becomes an ordinary spec document, with the column of every item, so that everything that holds for specs
holds for patterns, errors included.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from archcalc.core.errors import Inline, Location, Problem, SpecError
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import visible
from archcalc.graph.layer_graph import LayerGraph
from archcalc.ops import OPS, Op, called
from archcalc.ops.windowed import Windowed
from archcalc.spec.calls import CALL, as_words
from archcalc.spec.source import MarkedDict, MarkedList, Source
from archcalc.spec.values import MOST_LAYERS

LONGEST = 10_000
DEEPEST = 20
NAME = "pattern"

#: A hyphen that is no arrow belongs to its word: conv3-64.
_TOKEN = re.compile(
    r"\s*(?:(?P<arrow>->|→)|(?P<open>\[)|(?P<close>\])|(?P<times>[*×]\s*\d*)|(?P<word>(?:[^\s\[\]*→>-]|-(?!>))+))"
)
#: Conv2D(32, (3, 3), strides=2), with blanks within.
_CALL = re.compile(rf"\s*(?P<layer>{re.sub(r'[?]P<[a-z]+>', '?:', CALL.pattern)})")
#: 32x32x3, 28 x 28 x 1, [224×224×3]; and which axis is meant where that may be asked: 3x224x224 hwc.
_INPUT = re.compile(
    r"\s*(?P<bracket>\[)?\s*(?P<size>\d+(?:\s*[x×*]\s*\d+)*(?:\s+(?:hwc|chw))?)\s*(?(bracket)\])", re.IGNORECASE
)
#: One number for every side, or one for each of two or three: 3, 1x7, 3x5x1.
_SIDES = r"\d{1,9}(?:[x×]\d{1,9}){0,2}"
#: What follows the name of a layer: 3, 3x3-64, 3x5x1-64, -10, 0.5.
_NUMBERS = re.compile(
    rf"[\s-]?(?P<first>\d{{1,9}}\.\d{{1,9}}|{_SIDES})(?:-(?P<channels>\d{{1,9}}))?(?P<rest>.*)", re.DOTALL
)
#: Settings after it, joined or each as a word of its own: /2, s2, /1x2x2, p0, d2, g2, same, valid, nobias.
_OPTION = re.compile(rf"[-,]?(?:(?P<key>[/spdg])(?P<number>{_SIDES})|(?P<word>same|valid|no-?_?bias))", re.IGNORECASE)
_OPTIONS = re.compile(rf"(?:{re.sub(r'[?]P<[a-z]+>', '?:', _OPTION.pattern)})+", re.IGNORECASE)
_FIELDS = {"/": "stride", "s": "stride", "p": "padding", "d": "dilation", "g": "groups"}
#: The field that the first number after a name gives, for the first of these that an op has.
_FIRST = ("kernel_size", "out_features", "output_size", "size", "p", "negative_slope", "factor", "scale", "exponent")
#: Words that one name may have after its first.
_MOST_WORDS = 4
#: What a field is when a pattern does not say it.
_UNSAID = {"kernel_size": 2}
#: Shown where a word is not known.
_EXAMPLES = (
    "conv3-64", "conv11-96/4p0", "conv3-64s2d2g2", "conv1x7-128 nobias", "dw3", "upconv2-64/2", "pool2", "maxpool3/2",
    "avgpool7", "gap", "fc10", "bn", "lrn", "relu", "relu6", "tanh", "sigmoid", "softmax", "dropout0.5", "flatten",
)  # fmt: skip
_FORMS = f"layers: {', '.join(_EXAMPLES)}; for example 32x32x3 -> conv3-64 -> bn -> relu -> pool2 -> fc10"
PADDING_RULE = "In a pattern a convolution is padded `same` unless it says otherwise (conv3-64p0: none), a pool is not."


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def pattern_notes(graph: LayerGraph) -> tuple[str, ...]:
    """What a pattern leaves unsaid of its network."""
    return (PADDING_RULE,) if any(isinstance(layer.op, Windowed) for layer in graph) else ()


def parse_pattern(text: str) -> Source:
    """The spec document that a pattern means. Raises `SpecError` that points into it."""
    if len(text) > LONGEST:
        raise SpecError([Problem(f"a pattern may have {LONGEST:,} characters, this one has {len(text):,}")])
    return _Parser(visible(text)).document()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.file = Inline(NAME, text)
        self.tokens = self._tokens()
        self.index = 0
        self.depth = 0
        #: How many position axes the input has: ops are those for as many.
        self.rank = 2

    def fault(self, message: str, column: int, *details: str) -> SpecError:
        return SpecError([Problem(message, Location(self.file, 1, column), details=details)])

    def _tokens(self) -> list[_Token]:
        found = []
        position, end = 0, len(self.text.rstrip())
        if start := _INPUT.match(self.text):
            found.append(_Token("input", " ".join(start["size"].split()), start.start("size") + 1))
            position = start.end()
        while position < end:
            if call := _CALL.match(self.text, position):
                found += self._called(call["layer"], call.start("layer") + 1)
                position = call.end()
                continue
            match = _TOKEN.match(self.text, position)
            if match is None:
                column = position + len(self.text[position:]) - len(self.text[position:].lstrip()) + 1
                raise self.fault(f"{self.text[column - 1]!r} cannot stand here; layers are joined by ->", column)
            kind = str(match.lastgroup)
            column = match.start(kind) + 1
            is_layer = kind == "word" and found and found[-1].kind in ("arrow", "open")
            found += self._called(match[kind], column) if is_layer else [_Token(kind, match[kind], column)]
            position = match.end()
        return [*found, _Token("end", "", end + 1)]

    def _called(self, text: str, column: int) -> list[_Token]:
        """A layer, also as code and papers write it, which may be several joined by arrows."""
        words = as_words(text) or [text]
        found = [_Token("word", words[0], column)]
        for word in words[1:]:
            found += [_Token("arrow", "->", column), _Token("word", word, column)]
        return found

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def document(self) -> Source:
        first = self.take()
        if first.kind != "input":
            raise self.fault("a pattern begins with the size of its input", first.column, "for example 32x32x3 -> fc10")
        self.rank = len(re.findall(r"\d+", first.text)) - 1
        self.after_input()
        layers = self.chain()
        if self.token.kind != "end":
            raise self.fault("']' without '['", self.token.column)
        value = MarkedDict((1, 1))
        title = " ".join(self.text.split())
        for key, item, column in (
            ("name", NAME, 1),
            ("title", title if len(title) <= 80 else title[:79] + "…", 1),
            ("input", first.text, first.column),
            ("layers", layers, layers.at[1]),
        ):
            _put(value, key, item, column)
        return Source(self.file, value)

    def after_input(self) -> None:
        """What leads from the size to the layers: an arrow, or as the notes of CS231n write it `: INPUT ->`."""
        if self.token.text == ":":
            self.take()
            if self.token.text.lower() != "input":
                return
            self.take()
        self.arrow()

    def arrow(self) -> None:
        token = self.take()
        if token.kind != "arrow":
            found = f"found {token.text[:40]!r}" if token.text else "the pattern ends"
            raise self.fault(f"expected ->, {found}", token.column)

    def chain(self) -> MarkedList:
        """Items joined by arrows, to the end or to a ]."""
        items = MarkedList((1, self.token.column))
        while True:
            items.items_at.append((1, self.token.column))
            items.append(self.item())
            if self.token.kind in ("end", "close"):
                return items
            self.arrow()

    def item(self) -> Any:
        token = self.take()
        if token.kind == "open":
            inner = self.bracket(token)
        elif token.kind == "word":
            inner = MarkedList((1, token.column))
            inner.append(self.layer(token))
            inner.items_at.append((1, token.column))
        else:
            found = f"found {token.text[:40]!r}" if token.text else "the pattern ends"
            raise self.fault(f"expected a layer or '[', {found}", token.column)
        times = self.times()
        if times is None and len(inner) == 1:
            return inner[0]
        repeat = MarkedDict((1, token.column))
        _put(repeat, "repeat", 1 if times is None else times, token.column)
        _put(repeat, "layers", inner, inner.at[1])
        return repeat

    def bracket(self, opening: _Token) -> MarkedList:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fault(f"brackets may be nested {DEEPEST} deep", opening.column)
        inner = self.chain()
        if self.take().kind != "close":
            raise self.fault("'[' without ']'", opening.column)
        self.depth -= 1
        return inner

    def times(self) -> int | None:
        """The N of `*N`, if it follows."""
        if self.token.kind != "times":
            return None
        token = self.take()
        digits = token.text[1:].strip()
        if not digits:
            raise self.fault("'*' needs a number of times, as in [conv3-64 -> relu]*2", token.column)
        if len(digits) > 9:
            text = f"*{digits[:20]} is more than the {MOST_LAYERS:,} layers that a network may have"
            raise self.fault(text, token.column)
        return int(digits)

    def layer(self, token: _Token) -> Any:
        """One word, with the settings that follow it, as a step of a spec."""
        op, rest = self.named(token)
        numbers = _NUMBERS.fullmatch(rest)
        fields = {} if numbers is None else self.numbers(op, numbers, token)
        self.options(op, rest if numbers is None else numbers["rest"], fields, token)
        while self.token.kind == "word" and _OPTIONS.fullmatch(self.token.text):
            option = self.take()
            self.options(op, option.text, fields, option)
        for name, field in op.model_fields.items():
            if field.is_required() and name not in fields:
                if name not in _UNSAID:
                    raise self.fault(f"{token.text[:40]!r} needs {name}", token.column, _form(op))
                fields[name] = _UNSAID[name]
        if op.family == "convolution" and issubclass(op, Windowed):
            fields.setdefault("padding", "same")
        return self.step(op.kind, fields, token.column) if fields else op.kind

    def named(self, token: _Token) -> tuple[type[Op], str]:
        """The op of the words that stand here, of which a name may be several: max pool 2."""
        following = 0
        while following < _MOST_WORDS and self.tokens[self.index + following].kind == "word":
            following += 1
        for more in range(following, -1, -1):
            words = [token.text, *(each.text for each in self.tokens[self.index : self.index + more])]
            if more and _OPTIONS.fullmatch(words[-1]):
                continue  # a setting, which is read by itself
            found = _named(" ".join(words))
            if found is not None:
                self.index += more
                op, rest = found
                return OPS.get(op.kind.replace("2d", f"{self.rank}d"), op), rest
        raise self.unknown(token)

    def numbers(self, op: type[Op], numbers: re.Match[str], token: _Token) -> dict[str, Any]:
        """The fields that the numbers after a name stand for: 3x3-64 of conv3x3-64."""
        known = op.model_fields
        first = _first(op)
        value: Any = float(numbers["first"]) if "." in numbers["first"] else _sides(numbers["first"])
        if first is None or (numbers["channels"] and "out_channels" not in known):
            raise self.fault(f"cannot read {token.text[:40]!r} as a layer", token.column, _form(op))
        channels = {"out_channels": int(numbers["channels"])} if numbers["channels"] else {}
        return {**channels, first: value}

    def options(self, op: type[Op], text: str, fields: dict[str, Any], token: _Token) -> None:
        """Read settings into `fields`: /2, s2p0, nobias."""
        while text:
            match = _OPTION.match(text)
            if match is None:
                raise self.unknown(token)
            text = text[match.end() :]
            name, value = _setting(match)
            if name not in op.model_fields:
                raise self.fault(f"{op.kind} has no {name}", token.column, _form(op))
            if name in fields:
                raise self.fault(f"{token.text[:40]!r} gives {name} twice", token.column, _form(op))
            fields[name] = value

    def unknown(self, token: _Token) -> SpecError:
        text = token.text[:40]
        stem = re.match(r"[^\W\d]*", text.lower())
        word = stem[0] if stem else ""
        found = _named(word) if len(word) > 1 else None
        joins = next((op.kind for op in called(word) if op.most_inputs != 1), None)
        if joins and found is None:
            what = f"{joins} reads several layers, and a pattern is one chain; write a spec with branches"
            return self.fault(f"{text!r}: {what}", token.column)
        hint = "" if found else did_you_mean(word, [*_usual_words(), "conv", "pool", "fc"], likeness=0.7)
        return self.fault(f"cannot read {text!r} as a layer{hint}", token.column, _form(found[0]) if found else _FORMS)

    def step(self, kind: str, fields: dict[str, Any], column: int) -> MarkedDict:
        settings = MarkedDict((1, column))
        for key, value in fields.items():
            if isinstance(value, tuple):
                pair = MarkedList((1, column))
                pair += value
                pair.items_at = [(1, column)] * len(value)
                value = pair  # noqa: PLW2901 # a pair of a spec knows its place
            _put(settings, key, value, column)
        step = MarkedDict((1, column))
        _put(step, kind, settings, column)
        return step


def _put(target: MarkedDict, key: str, value: Any, column: int) -> None:
    target[key] = value
    target.keys_at[key] = target.values_at[key] = (1, column)


def _named(text: str) -> tuple[type[Op], str] | None:
    """The op that a word begins with, and what follows the name: `conv` and `3-64` of conv3-64."""
    for end in range(len(text), 1, -1):
        rest = text[end:]
        if rest and not (_NUMBERS.fullmatch(rest) or _OPTION.match(rest)):
            continue
        word = text[:end].strip(" -_,:")
        # Words of one letter, as in the tables of papers, are too easily typos. A 2 before a d is no part of a name.
        if len(word) < 2 or (word[-1].isdigit() and rest[:1].isdigit()):
            continue
        for op in called(word):
            if op.kind != "input" and op.most_inputs == 1 and (not rest or _first(op) is not None):
                return (_without_size(word) if not rest else None) or op, rest
    return None


def _first(op: type[Op]) -> str | None:
    """The field of the first number after the name of an op: the only one that it needs, where that is a number."""
    fields = op.model_fields
    needed = [name for name, field in fields.items() if field.is_required()]
    if len(needed) == 1 and fields[needed[0]].annotation is int:
        return needed[0]
    return next((name for name in _FIRST if name in fields and fields[name].annotation is not bool), None)


def _without_size(word: str) -> type[Op] | None:
    """The op of a word that stands alone, where that differs: an average pool without a size is global."""
    ops = called(word)
    if any("kernel_size" in op.model_fields for op in ops[:1]) and "avg" in word.lower().replace("average", "avg"):
        return next((op for op in ops if op.family == "pooling" and not op.model_fields), None)
    return None


def _usual_words() -> list[str]:
    return [word for example in _EXAMPLES if (match := re.match(r"[a-z]+6?", example)) and (word := match[0])]


def _form(op: type[Op]) -> str:
    """How a layer of an op is written, with examples."""
    fields = op.model_fields
    name = op.noun.replace(" ", "") or op.kind
    name = next((word for word in _usual_words() if op in called(word)[:1]), name)
    first = _first(op)
    if first is None:
        return f"it is written {name}, without numbers"
    if first != "kernel_size":
        number = "0.5" if first in ("p", "negative_slope") else "10" if first == "out_features" else "5"
        return f"it is written {name}N: {name}{number}"
    if "out_channels" in fields:
        return (
            f"it is written {name}F-K, F the side of the kernel and K the channels, then /S or sS (stride), pP "
            f"(padding), dD (dilation), gG (groups), nobias: {name}3-64, {name}11-96/4p0; a side for each axis is "
            f"{name}1x7-128, in volumes {name}3x5x1-64/1x2x2"
        )
    return (
        f"it is written {name}F, then /S or sS (stride) and pP (padding): {name}2, {name}3/2, {name}3/2p1; a side for "
        f"each axis is {name}1x2, in volumes {name}1x2x2"
    )


def _sides(text: str) -> int | tuple[int, ...]:
    """3 of `3`, (3, 5, 1) of `3x5x1`."""
    first, *others = map(int, re.split("[x×]", text))
    return (first, *others) if others else first


def _setting(match: re.Match[str]) -> tuple[str, Any]:
    if match["key"]:
        return _FIELDS[match["key"].lower()], _sides(match["number"])
    word = match["word"].lower()
    return ("padding", word) if word in ("same", "valid") else ("bias", False)
