"""Closed forms with sympy, which is imported here and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from archcalc.core.conventions import Conventions
from archcalc.core.errors import SpecError, UsageError
from archcalc.core.shapes import AXES, Shape
from archcalc.core.suggest import did_you_mean
from archcalc.explain.derive.trace import Node, Symbol
from archcalc.explain.symbolic.expand import Namer, expand_with, free_name, shape_with, total
from archcalc.explain.symbolic.record import Recorded, SteersError, number_of, symbols_of
from archcalc.graph.inputs import InputShapes
from archcalc.graph.layer_graph import LayerGraph
from archcalc.passes.analysis import analyse
from archcalc.spec.build import build, input_section
from archcalc.spec.catalogue import find
from archcalc.spec.document import Parameter
from archcalc.spec.spec import Spec

GREEK = {"alpha", "beta", "gamma", "rho", "epsilon", "theta", "sigma"}


@dataclass(frozen=True)
class ClosedForm:
    """A total as an expression. `where` defines the names in it, each by those before it.

    `fixed` are the parameters that stay numbers, with the reason.
    """

    network: str
    quantity: str
    expression: Any
    where: tuple[tuple[str, Any], ...]
    symbols: tuple[str, ...]
    fixed: tuple[tuple[str, str], ...]

    def at(self, **values: int | float | Fraction) -> int:
        """The total for some values of the symbols."""
        return int(self.expression.subs(self._known(values)))

    def defined(self, **values: int | float | Fraction) -> dict[str, Any]:
        """What the names of `where` are for some values of the symbols."""
        known = {symbol.name: value for symbol, value in self._known(values).items()}
        return {name: known[name] for name, _ in self.where}

    def _known(self, values: Mapping[str, int | float | Fraction]) -> dict[Any, Any]:
        free = {symbol.name: symbol for symbol in self.free_symbols()}
        known = {free[name]: _exact(value) for name, value in values.items() if name in free}
        for name, definition in self.where:
            if name in free:
                known[free[name]] = definition.subs(known)
        return known

    def free_symbols(self) -> list[Any]:
        """Every symbol of the expression and of the definitions."""
        found = set(self.expression.free_symbols)
        for _, definition in self.where:
            found |= definition.free_symbols
        return sorted(found, key=lambda symbol: str(symbol.name))


def _exact(value: Any) -> Any:
    import sympy

    fraction = Fraction(str(value)) if isinstance(value, float) else Fraction(value)
    return sympy.Rational(fraction.numerator, fraction.denominator)


def closed_form(
    network: str | Spec,
    quantity: str,
    settings: Mapping[str, Any] | None = None,
    shape: InputShapes | None = None,
    names: Iterable[str] | None = None,
    conventions: Conventions | None = None,
) -> ClosedForm:
    """A total of a network as a closed form.

    `names`: the parameters, and `input`, that are to be symbols; by default all numbers that can be. A side of the
    input by its name, `height`, is a symbol of its own. Raises `UsageError` for a parameter that steers the structure.
    """
    spec, member, variant = find(network)
    graph = build(spec, member, variant, settings, shape)
    declared = spec.document.parameters
    numeric = [name for name, one in declared.items() if one.type in ("int", "number") and one.choices is None]
    asked = None if names is None else list(names)
    axes = [axis for axis in AXES[len(graph.input_shape) - 1] if axis not in declared]
    _check_names(asked or (), graph.name, declared, numeric, axes)
    wanted = [name for name in numeric if (name not in (settings or {}) if asked is None else name in asked)]
    fixed: dict[str, str] = {}
    #: What of the input is a symbol: all of it, or some sides.
    kept = [
        name for name in ("input", *axes) if (shape is None and name == "input" if asked is None else name in asked)
    ]
    body = spec.body_of(member or spec.document.name, variant)
    outputs = spec.document.outputs if body is spec.body else {}
    section = input_section(spec, member or spec.document.name, variant)
    texts = section["inputs"] if "inputs" in section else {"input": section["input"]}
    if kept and (len(texts) > 1 or len(graph.input_shape) == 1):
        kept, fixed["input"] = [], _has_no_side(graph.name, len(texts) > 1, asked)
    conventions = conventions or Conventions()
    while True:
        namer = Namer(declared)
        sides = _Sides(texts, shape, graph.inputs, kept, declared)
        symbols = {name: _symbol(name, _default(declared[name], graph.settings[name])) for name in wanted}
        try:
            layers, variables = expand_with(spec, graph, body, outputs, symbols, namer, sides)
            given = sides(variables)
            terms = total(layers, given, quantity, namer, conventions)
        except SteersError as error:
            names = namer.symbols_in(error.names)
            if names & set(sides.letters):
                reason = _refused(" and ".join(kept), "decides which layers there are", asked)
                kept, fixed["input"] = [], reason
                continue
            steering = [name for name in wanted if name in names] or wanted[:1]
            reason = _refused(" and ".join(steering), "decides which layers there are", asked)
            fixed.update(dict.fromkeys(steering, reason))
            wanted = [name for name in wanted if name not in fixed]
            continue
        assumed = {name: _assumptions(declared[name]) for name in wanted}
        form = _written(graph.name, quantity, terms, namer, assumed)
        if kept and not _holds_elsewhere(form, graph, sides, conventions):
            reason = _refused(" and ".join(kept), "feeds a layer that takes one size only", asked)
            kept, fixed["input"] = [], reason
            continue
        break
    if kept and (sizes := symbols_of(sides.own[1:])):
        fixed.update(dict.fromkeys(sizes, "only sets the side of the input"))
    return replace(form, fixed=tuple(sorted(item for item in fixed.items() if item[0] not in form.symbols)))


def _check_names(
    asked: Iterable[str], network: str, declared: Collection[str], numeric: Collection[str], axes: Collection[str]
) -> None:
    for name in asked:
        if name == "input" or name in axes:
            continue
        if name not in declared:
            known = ["input", *axes, *declared]
            raise UsageError(
                f"{network} has no parameter {name[:60]!r}{did_you_mean(name, known)}; there are {', '.join(known)}"
            )
        if name not in numeric:
            raise UsageError(f"{name} is no number, so it cannot be a symbol")


def _refused(name: str, reason: str, asked: Collection[str] | None) -> str:
    """The reason why a name stays a number. Raises `UsageError` where it was asked for."""
    if asked is not None:
        cannot = "symbols: one of them" if " and " in name else "a symbol: it"
        raise UsageError(f"{name} cannot be {cannot} {reason}")
    return reason


def _has_no_side(network: str, is_one_of_several: bool, asked: Collection[str] | None) -> str:
    """The reason why the input stays a number. Raises `UsageError` where it, or a side of it, was asked for."""
    if asked is not None:
        has = "several inputs" if is_one_of_several else "a flat input"
        raise UsageError(f"{network} has {has}, so the side of its input cannot be a symbol")
    return "is one of several" if is_one_of_several else "has no sides"


def _holds_elsewhere(form: ClosedForm, graph: LayerGraph, sides: _Sides, conventions: Conventions) -> bool:
    """Whether the form is right at larger inputs that the network takes: a layer may have a size of its own.

    Inputs are tried until every size in the form has changed, sides that are symbols of their own by different numbers;
    False where one never does.
    """
    names = {letter: number_of(side) for letter, side in zip(sides.letters, sides.first, strict=True) if letter}
    times = {name: place for place, name in enumerate(names, start=1)}
    known = {name: graph.settings[name] for name in form.symbols if name in graph.settings}
    own = form.defined(**{**known, **names})
    sized = set(names)  # with the sizes that follow from them
    for name, definition in form.where:
        if any(symbol.name in sized for symbol in definition.free_symbols):
            sized.add(name)
    unchanged = sized
    for more in (*_LARGER, max(names.values())):
        with suppress(SpecError):
            grown = {name: side + more * times[name] for name, side in names.items()}
            sizes = zip(sides.letters, sides.first, strict=True)
            shape = tuple([grown.get(letter, number_of(side)) for letter, side in sizes])
            totals = analyse(graph.with_input(shape), conventions=conventions).totals
            larger = {**known, **grown}
            if form.at(**larger) != getattr(totals, form.quantity):
                return False
            unchanged = {name for name in unchanged if form.defined(**larger).get(name) == own.get(name, 0)}
            if not unchanged:
                return True
    return False


#: How much larger inputs are tried: windows of 3, 5 and 7 divide some of them too.
_LARGER = (1, 2, 4, 8, 12, 16, 32, 60, 64, 128, 840)


class _Sides:
    """The inputs of a network with symbols in them, worked out once its variables are known."""

    def __init__(
        self,
        texts: Mapping[str, Any],
        asked: InputShapes | None,
        plain: Mapping[str, Shape],
        kept: Collection[str],
        taken: Collection[str],
    ) -> None:
        self._texts, self._asked, self._plain, self._kept, self._taken = texts, asked, plain, kept, taken
        #: The first with symbols where a side follows from a parameter; and as it is taken.
        self.own: Shape = ()
        self.first: Shape = ()
        #: The symbols of its sides, empty where there is none.
        self.letters: list[str] = []
        self._shapes: dict[str, Shape] = {}

    def __call__(self, variables: Mapping[str, Any]) -> Mapping[str, Shape]:
        if not self._shapes:
            for name, plain in self._plain.items():
                is_given = self._asked is not None and (not isinstance(self._asked, Mapping) or name in self._asked)
                own = None if is_given else shape_with(str(self._texts[name]), variables)
                self._shapes[name] = own or plain
            name = next(iter(self._shapes))
            self.own = self._shapes[name]
            self.letters = _letters(self.own, self._kept, self._taken)
            sizes = zip(self.letters, self.own, strict=True)
            sides: list[Any] = [_symbol(letter, number_of(side)) if letter else side for letter, side in sizes]
            self.first = self._shapes[name] = tuple(sides)
        return self._shapes


def _symbol(name: str, value: Any) -> Recorded:
    latex = f"\\{name}" if name in GREEK else name
    return Recorded(Node("symbol", value, (), Symbol(name, latex)))


def _default(declared: Parameter, value: Any) -> Any:
    """The value at which the network is expanded; a fraction marks a symbol that need not be whole."""
    return Fraction(str(value)) if declared.type == "number" else value


def _letters(shape: Shape, kept: Collection[str], taken: Collection[str]) -> list[str]:
    """The symbol of each side, empty where it stays as it is: L, H and W, or D, H and W; s where all sides are equal.

    s1, … where a parameter is called s. Of a side that is kept by itself the symbol is never s.
    """
    _, *sides = shape
    axes = AXES[len(sides)]
    if not kept:
        return [""] * len(shape)
    equal = len(sides) > 1 and all(side == sides[0] for side in sides) and not set(axes) & set(kept)
    letters = ["s" if equal else axis[0].upper() if "input" in kept or axis in kept else "" for axis in axes]
    return ["", *(letter if letter not in taken else free_name(letter, 1, taken)[0] for letter in letters)]


def _assumptions(declared: Parameter) -> dict[str, bool]:
    """What is known of a parameter, by its declaration alone: `max(p, 1)` is p only where p is at least 1."""
    known = {"integer": True} if declared.type == "int" else {"real": True}
    if (declared.above is not None and declared.above >= 0) or (declared.minimum is not None and declared.minimum > 0):
        known["positive"] = True
    elif declared.minimum is not None and declared.minimum == 0:
        known["nonnegative"] = True
    return known


def _written(
    network: str, quantity: str, terms: list[Node], namer: Namer, known: Mapping[str, Mapping[str, bool]]
) -> ClosedForm:
    import sympy

    done: dict[int, Any] = {}
    expression = sympy.expand(sympy.Add(*(_sympy(term, known, done) for term in terms)))
    where: list[tuple[str, Any]] = []
    # Names that came out as plain polynomials, or are not used, need no definition. Each depends on those before it.
    plain: dict[Any, Any] = {}
    for definition in namer.definitions:
        one = _sympy(definition.tree, known, done).xreplace(plain)
        if _is_broken(one):
            where.append((definition.name, one))
        else:
            plain[sympy.Symbol(definition.name, **_SIZE)] = sympy.expand(one)
    expression = sympy.expand(expression.xreplace(plain))
    used = {symbol.name for symbol in expression.free_symbols}
    for name, one in reversed(where):
        if name in used:
            used |= {symbol.name for symbol in one.free_symbols}
    where = [entry for entry in where if entry[0] in used]
    expression, where = _renumbered(expression, where, namer.taken)
    free = expression.free_symbols.union(*(one.free_symbols for _, one in where))
    left = {name for name, _ in where}
    symbols = tuple(sorted(symbol.name for symbol in free if symbol.name not in left))
    return ClosedForm(network, quantity, expression, tuple(where), symbols, ())


def _renumbered(
    expression: Any, where: list[tuple[str, Any]], taken: Collection[str]
) -> tuple[Any, list[tuple[str, Any]]]:
    """The names that are left, numbered again without gaps: h1, h2, h3."""
    import sympy

    counts: dict[str, int] = {}
    names: dict[Any, Any] = {}
    for name, _ in where:
        letter = name.rstrip("0123456789")
        text, counts[letter] = free_name(letter, counts.get(letter, 0) + 1, taken)
        names[sympy.Symbol(name, **_SIZE)] = sympy.Symbol(text, **_SIZE)
    renamed = [(str(new.name), one.xreplace(names)) for new, (_, one) in zip(names.values(), where, strict=True)]
    return expression.xreplace(names), renamed


def _is_broken(expression: Any) -> bool:
    import sympy

    return bool(expression.atoms(sympy.floor, sympy.ceiling, sympy.Max, sympy.Min, sympy.Mod))


#: Sides and numbers of channels, and what settings are made of: whole, and not negative.
_SIZE = {"integer": True, "nonnegative": True}


def _sympy(node: Node, known: Mapping[str, Mapping[str, bool]], done: dict[int, Any]) -> Any:
    """A tree as a sympy expression; parts that several formulas share are written once."""
    import sympy

    made = done.get(id(node))
    if made is not None:
        return made[1]
    if node.kind == "number":
        result = _exact(node.value)
    elif node.symbol is not None:
        result = sympy.Symbol(node.symbol.text, **known.get(node.symbol.text, _SIZE))
    else:
        parts = [_sympy(part, known, done) for part in node.parts]
        result = _MAKERS[node.kind](sympy, *parts)
    done[id(node)] = (node, result)
    return result


_MAKERS: dict[str, Any] = {
    "+": lambda _, a, b: a + b,
    "-": lambda _, a, b: a - b,
    "*": lambda _, a, b: a * b,
    "/": lambda _, a, b: a / b,
    "//": lambda sympy, a, b: sympy.floor(a / b),
    "%": lambda sympy, a, b: sympy.Mod(a, b),
    "neg": lambda _, a: -a,
    "ceil": lambda sympy, a, b: sympy.ceiling(a / b),
    "floor": lambda sympy, a: sympy.floor(a),
    "ceiling": lambda sympy, a: sympy.ceiling(a),
    "isqrt": lambda sympy, a: sympy.floor(sympy.sqrt(a)),
    "min": lambda sympy, a, b: sympy.Min(a, b),
    "max": lambda sympy, a, b: sympy.Max(a, b),
}
