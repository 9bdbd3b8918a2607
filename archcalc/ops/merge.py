"""Ops that join several maps into one."""

from collections.abc import Callable, Sequence

from archcalc.core.errors import ShapeError
from archcalc.core.language import say
from archcalc.core.numbers import Number, product
from archcalc.core.shapes import Shape, format_shape
from archcalc.ops import rules
from archcalc.ops.axes import AxisName, axes_named, axis_of, position_reads
from archcalc.ops.base import (
    COPIES,
    EVERYTHING,
    POINT,
    POINTS,
    Op,
    Operations,
    Pointwise,
    Reads,
    Real,
    Spans,
    elements,
    names,
)


def _listed(inputs: Sequence[Shape]) -> str:
    return "inputs " + ", ".join(format_shape(shape) for shape in inputs)


def spread_shape(inputs: Sequence[Shape]) -> Shape | None:
    """The shape of maps that are spread over one another: an axis of size 1 takes the size of the others.

    A flat map has a value for each channel, or a single one. None where the sizes do not fit together.
    """
    axes = max(map(len, inputs))
    found = []
    for axis in range(axes):
        sizes = [shape[axis] for shape in inputs if len(shape) > axis]
        largest = max(sizes)
        if any(size not in (1, largest) for size in sizes) or any(len(shape) not in (1, axes) for shape in inputs):
            return None
        found.append(next(size for size in sizes if size == largest))
    return tuple(found)


def _fixes(inputs: Sequence[Shape], fits: Callable[[Sequence[Shape]], bool]) -> list[str]:
    """How maps are made to fit that differ in rank or in their sides; nothing where that is not to be seen."""
    ranks = sorted({len(shape) - 1 for shape in inputs})
    if len(ranks) == 1:
        sides = list(zip(*(shape[1:] for shape in inputs), strict=True))
        if not fits([(shape[0], *inputs[0][1:]) for shape in inputs]):
            return []
        if all(max(side) - min(side) <= 1 for side in sides):
            rounded = "sizes that differ by 1 mostly come from a window that does not tile its input"
            return [f"{rounded}: compare padding and ceil_mode on both ways, or use interpolate: {{like: …}}"]
        return ["interpolate: {like: …} makes a map as large as another"]
    counts = [product(shape[1:]) for shape in inputs]
    pools = ", ".join(f"global_avg_pool{rank}d" for rank in ranks if rank)
    ways: dict[str, Sequence[Shape]] = {
        "flatten": [(product(shape),) for shape in inputs],
        f"a global pool ({pools}) and flatten": [shape[:1] for shape in inputs],
    }
    if 0 not in ranks and not _alike(counts):
        order = [f"they have {' and '.join(f'{count:,}' for count in counts)} positions: no order of them is the same"]
    elif 0 not in ranks:
        order = ["tokens makes a row of all positions, and grid: {size: …} makes an image or a volume of a row"]
        if fits([(shape[0], count) for shape, count in zip(inputs, counts, strict=True)]):
            return order
    else:
        order = ["flatten makes a map flat, and reshape: {shape: …} gives a flat one positions"]
    known = [way for way, shapes in ways.items() if fits(shapes)]
    flat = [shape[0] for shape in inputs if len(shape) == 1]
    if not known and len(flat) == 1:
        known = [f"flatten and linear: {{out_features: {flat[0]}}}"]
    return [*order, f"they fit after {', or after '.join(known)}"] if known else order


def _alike(shapes: Sequence[Shape] | Sequence[Number]) -> bool:
    return all(shape == shapes[0] for shape in shapes)


def check_maps(inputs: Sequence[Shape], what: str, broadcast: bool) -> None:
    """Raise `ShapeError` where maps of one shape, or with `broadcast` those that fit together, are wanted."""
    if not broadcast and not _alike(inputs):
        fits = ["broadcast: true spreads them over one another"] if spread_shape(inputs) else []
        raise ShapeError(f"the maps to {what} differ in shape", _listed(inputs), *(fits or _fixes(inputs, _alike)))
    _check_spread(inputs, what)


def _check_spread(inputs: Sequence[Shape], what: str) -> None:
    """Raise `ShapeError` where the maps do not fit together."""
    if spread_shape(inputs) is None:
        hint = "along each axis the sizes must be equal or 1; a flat map has a value for each channel, or one"
        raise ShapeError(f"the maps to {what} cannot be spread over one another", _listed(inputs), hint)


def spread_reads(inputs: Sequence[Shape], output: Shape) -> Sequence[Reads]:
    """A map as large as the result is read position by position; one that is spread reaches every position."""
    reads: list[Reads] = []
    for shape in inputs:
        if shape[1:] == output[1:]:
            reads.append(POINTS)
        elif len(shape) == 1:
            reads.append(EVERYTHING)
        else:
            pairs = zip(shape[1:], output[1:], strict=True)
            reads.append(tuple([POINT if size == whole else EVERYTHING for size, whole in pairs]))
    return reads


class Add(Pointwise):
    """The sum of maps of one shape, or with `broadcast` of maps that are spread over one another.

    Source: He et al. 2015, equation 1; NumPy, broadcasting.
    """

    saves = ()
    kind = "add"
    stem = "add"
    noun = "add"
    words = names(
        "add|merge|addition|sum|residual|skip connection|elementwise add|eltwise|shortcut add|"
        "сложение|сумма|suma|somme|相加"
    )
    family = "merge"
    fewest_inputs = 2
    most_inputs = None

    broadcast: bool = False

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        check_maps(inputs, "add", self.broadcast)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return spread_shape(inputs) or inputs[0]

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return spread_reads(inputs, self.output_shape(inputs))

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(additions=rules.sums(elements(output), len(inputs), 0))


class Multiply(Pointwise):
    """The product of maps (one value a channel is spread over the positions), times a constant `factor`.

    Source: Hu et al. 2017 (squeeze and excitation); the factor: Szegedy et al. 2016, section 3.3 (scaled residuals).
    """

    kind = "multiply"
    stem = "multiply"
    noun = "multiply"
    words = names("multiply|mul|mult|product|elementwise product|умножение|произведение")
    family = "merge"
    most_inputs = None

    factor: Real = 1.0
    broadcast: bool = False

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if self.broadcast:
            _check_spread(inputs, "multiply")
            return
        output = self.output_shape(inputs)
        for shape in inputs:
            if shape != output and shape not in ((output[0], *(1,) * (len(output) - 1)), output[:1]):
                fits = ["broadcast: true spreads them over one another"] if spread_shape(inputs) else []
                raise ShapeError("the maps to multiply do not fit together", _listed(inputs), *fits)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        return (spread_shape(inputs) if self.broadcast else None) or max(inputs, key=elements)

    def operations(self, inputs: Sequence[Shape], output: Shape) -> Operations:
        return Operations(multiplications=rules.sums(elements(output), len(inputs), int(self.factor != 1)))

    def saved_parts(self, inputs: Sequence[Shape]) -> tuple[str, ...]:
        # The gradient of a map times a constant needs the constant alone.
        return super().saved_parts(inputs) if len(inputs) > 1 else ()

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        return spread_reads(inputs, self.output_shape(inputs))

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("multiply") if self.factor == 1 else say("multiply by {factor:g}", factor=self.factor)


class Concat(Pointwise):
    """Maps of one height and width stacked along the channels, or along another `axis` that they share.

    Source: Szegedy et al. 2014, section 4.
    """

    saves = ()
    kind = "concat"
    stem = "concat"
    noun = "concat"
    words = (
        *names("concat|concatenate|concatenation|depth concat|filter concat|cat|merge|конкатенация|объединение|拼接"),
        *names("skip connection|concat skip|skip concat|concaténation|verkettung|concatenación|concatenação|連結"),
        *COPIES,
    )
    family = "merge"
    most_inputs = None

    axis: AxisName = "channels"

    def _others(self, shape: Shape) -> Shape:
        """The sizes that all maps must have."""
        place = axis_of(self.axis, shape)
        return (*shape[:place], *shape[place + 1 :])

    def _fits(self, inputs: Sequence[Shape]) -> bool:
        return self.axis in axes_named(inputs[0]) and _alike([self._others(shape) for shape in inputs])

    def check(self, inputs: Sequence[Shape], strict: bool = False) -> None:
        if not _alike([self._others(shape) for shape in inputs]):
            fixes = _fixes(inputs, self._fits)
            if len(set(map(len, inputs))) > 1:
                raise ShapeError("the maps to concatenate differ in their number of axes", _listed(inputs), *fixes)
            known = axes_named(inputs[0])
            axes = " or ".join(axis for axis in known if axis != self.axis) or "rank"
            raise ShapeError(f"the maps to concatenate differ in {axes}", _listed(inputs), *fixes)

    def output_shape(self, inputs: Sequence[Shape]) -> Shape:
        place = axis_of(self.axis, inputs[0])
        total: Number = inputs[0][place]
        for shape in inputs[1:]:
            total = total + shape[place]
        return (*inputs[0][:place], total, *inputs[0][place + 1 :])

    def sliding(self, inputs: Sequence[Shape]) -> Op | None:
        return self if self.axis == "channels" else None

    def windows(self, inputs: Sequence[Shape]) -> Sequence[Reads]:
        place = axis_of(self.axis, inputs[0])
        if place == 0:
            return super().windows(inputs)
        reads: list[Reads] = []
        before, whole = 0, int(self.output_shape(inputs)[place])
        for shape in inputs:
            size = int(shape[place])
            # A position of another map reads nothing of this one.
            own = [(index, index) if 0 <= index < size else (0, -1) for index in range(-before, whole - before)]
            reads.append(position_reads(shape, {place: Spans(tuple(own))}))
            before += size
        return reads

    def summary(self, inputs: Sequence[Shape] = ()) -> str:
        return say("concat") if self.axis == "channels" else say("concat along the {axis}", axis=say(self.axis))
