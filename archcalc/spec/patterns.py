"""Networks in one line: `32x32x3 -> [conv3-64 -> relu]*2 -> pool2 -> fc10`, after the notation of CS231n's notes.

A pattern becomes an ordinary spec document, every item marked with its column, so that all that is said about specs
holds for patterns, errors included.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from archcalc.core.errors import Inline, Location, Problem, SpecError
from archcalc.core.suggest import did_you_mean
from archcalc.spec.source import MarkedDict, MarkedList, Source

LONGEST = 10_000
DEEPEST = 20
NAME = "pattern"

#: A hyphen that is no arrow belongs to its word: conv3-64.
_TOKEN = re.compile(
    r"\s*(?:(?P<arrow>->|→)|(?P<open>\[)|(?P<close>\])|(?P<times>[*×]\s*\d*)|(?P<word>(?:[^\s\[\]*→>-]|-(?!>))+))"
)
_INPUT = re.compile(r"\d+(?:[x×]\d+)*", re.IGNORECASE)
_WINDOW = r"(?P<F>\d{1,9})(?:[x×](?P<F2>\d{1,9}))?"
_MORE = r"(?:/(?P<S>\d{1,9}))?(?:p(?P<P>\d{1,9}))?"
_CONV = re.compile(rf"(?P<kind>conv|upconv){_WINDOW}-(?P<K>\d{{1,9}}){_MORE}", re.IGNORECASE)
_POOL = re.compile(rf"(?P<kind>pool|maxpool|avgpool){_WINDOW}{_MORE}", re.IGNORECASE)
_SIZED = re.compile(r"(?P<kind>fc|lrn|dropout|pool)(?P<N>\d{0,9}(?:\.\d{1,9})?)", re.IGNORECASE)
#: Words without a size, and the op that each stands for.
WORDS = {
    "relu": "relu",
    "relu6": "relu6",
    "tanh": "tanh",
    "sigmoid": "sigmoid",
    "softmax": "softmax",
    "bn": "batch_norm2d",
    "lrn": "local_response_norm",
    "dropout": "dropout",
    "gap": "global_avg_pool2d",
    "avgpool": "global_avg_pool2d",
    "flatten": "flatten",
}
_FORMS = "conv3-64, conv11-96/4p0, upconv2-64/2, pool2, pool3/2, avgpool7, gap, fc10, " + ", ".join(
    word for word in WORDS if word not in ("gap", "avgpool")
)


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


def is_pattern(network: str) -> bool:
    """Whether a NET argument is a pattern rather than a name or a file."""
    return "->" in network or "→" in network


def parse_pattern(text: str) -> Source:
    """The spec document that a pattern means. Raises `SpecError` that points into it."""
    if len(text) > LONGEST:
        raise SpecError([Problem(f"a pattern may have {LONGEST:,} characters, this one has {len(text):,}")])
    return _Parser(text).document()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.file = Inline(NAME, text)
        self.tokens = self._tokens()
        self.index = 0
        self.depth = 0

    def fault(self, message: str, column: int, *details: str) -> SpecError:
        return SpecError([Problem(message, Location(self.file, 1, column), details=details)])

    def _tokens(self) -> list[_Token]:
        found = []
        position, end = 0, len(self.text.rstrip())
        while position < end:
            match = _TOKEN.match(self.text, position)
            if match is None:
                column = position + len(self.text[position:]) - len(self.text[position:].lstrip()) + 1
                raise self.fault(f"{self.text[column - 1]!r} cannot stand here; layers are joined by ->", column)
            kind = str(match.lastgroup)
            found.append(_Token(kind, match[kind], match.start(kind) + 1))
            position = match.end()
        return [*found, _Token("end", "", end + 1)]

    @property
    def token(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        self.index += 1
        return self.tokens[self.index - 1]

    def document(self) -> Source:
        first = self.take()
        if first.kind != "word" or not _INPUT.fullmatch(first.text):
            raise self.fault("a pattern begins with the size of its input", first.column, "for example 32x32x3 -> fc10")
        self.arrow()
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
        if not digits or len(digits) > 9:
            raise self.fault("'*' needs a number of times, as in [conv3-64 -> relu]*2", token.column)
        return int(digits)

    def layer(self, token: _Token) -> Any:
        """One word as a step of a spec."""
        text = token.text
        if match := _CONV.fullmatch(text):
            up = match["kind"].lower() == "upconv"
            fields = {"out_channels": int(match["K"]), **_window(match)}
            fields.setdefault("padding", 0 if up else "same")
            return self.step("conv_transpose2d" if up else "conv2d", fields, token.column)
        if match := _POOL.fullmatch(text):
            kind = "avg_pool2d" if match["kind"].lower() == "avgpool" else "max_pool2d"
            return self.step(kind, _window(match), token.column)
        if text.lower() in WORDS:
            return WORDS[text.lower()]
        if match := _SIZED.fullmatch(text):
            return self.sized(match["kind"].lower(), match["N"], token)
        raise self.unknown(token)

    def sized(self, kind: str, number: str, token: _Token) -> Any:
        if kind == "dropout":
            return self.step("dropout", {"p": float(number)}, token.column)
        if kind == "pool" and not number:
            return self.step("max_pool2d", {"kernel_size": 2}, token.column)
        if not number.isdigit():
            raise self.fault(
                f"{token.text[:40]!r} needs a whole number, as in {kind}{10 if kind == 'fc' else 5}", token.column
            )
        name, field = ("linear", "out_features") if kind == "fc" else ("local_response_norm", "size")
        return self.step(name, {field: int(number)}, token.column)

    def unknown(self, token: _Token) -> SpecError:
        text = token.text[:40]
        word = re.match(r"[a-z]*", text.lower())
        stem = word[0] if word else ""
        details = [f"layers: {_FORMS}"]
        if stem in ("conv", "upconv"):
            details = [f"{stem} is written {stem}F-K/SpP: {stem}3-64, {stem}11-96/4p0, {stem}1x7-128"]
        elif stem in ("pool", "maxpool", "avgpool"):
            details = [f"{stem} is written {stem}F/SpP: {stem}2, {stem}3/2, {stem}3/2p1"]
        hint = (
            ""
            if stem in text.lower() != stem and len(details[0]) < 80
            else did_you_mean(stem, [*WORDS, "conv", "pool", "fc"])
        )
        return self.fault(f"cannot read {text!r} as a layer{hint}", token.column, *details)

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


def _window(match: re.Match[str]) -> dict[str, Any]:
    size = int(match["F"])
    fields: dict[str, Any] = {"kernel_size": (size, int(match["F2"])) if match["F2"] else size}
    if match["S"]:
        fields["stride"] = int(match["S"])
    if match["P"]:
        fields["padding"] = int(match["P"])
    return fields
