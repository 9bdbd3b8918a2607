"""Shapes as people write them: 55x55x96, 96@55x55, (96, 55, 55), (None, 55, 55, 96), 27²×96, H=27, W=27, C=96."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod

from archcalc.core.language import mark, say
from archcalc.explain.derive.trace import Node, number_node
from archcalc.teach.reading.calculation import GAP, StatementError, calculate, is_whole
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.words import WORDS, any_of

CROSS = r"\s*(?:[x×*·∙⋅хX✕]|\\times|by)\s*"
_SIDE = rf"\d{{1,3}}(?:{GAP}\d{{3}})+(?!\d)|\d+"
_CROSSED = re.compile(rf"(?:{_SIDE})(?:{CROSS}(?:{_SIDE}))+", re.IGNORECASE)
_LISTED = re.compile(r"\d+(?:\s*[,;]\s*\d+)+\s*[,;]?|\d+\s*,")
_SPACED = re.compile(r"\d+(?: \d+)+")
#: The batch before the sides of a map.
_BATCH = re.compile(rf"(?:-1|None|N|B|bs|batch(?:[_ ]?size)?|\?|m)(?:\s*[,;]\s*|{CROSS})(?=\d)", re.IGNORECASE)
#: A shape of Keras for inputs of any size: (None, None, None, 16).
_FREE = re.compile(r"[(\[]\s*None((?:\s*,\s*(?:None|\d{1,12})){2,4})\s*[)\]]")
#: Words for what is counted, before or after a number of maps.
_OF_MAPS = rf"(?:(?:feature|activation)\s+)?(?:{any_of('maps')})"
#: A number of maps and their sides.
MAPS = re.compile(
    rf"(?P<first>{_SIDE})\s*(?:@|{_OF_MAPS}(?:\s*(?:of|size|à|von|de|по|размера|,|:|@|\())*)\s*"
    rf"(?P<sides>\d+(?:{CROSS}\d+){{0,2}})\s*\)?"
    rf"|(?P<square>\d+(?:{CROSS}\d+){{1,2}})\s*@\s*(?P<deep>{_SIDE})"
    rf"|(?P<plane>\d+(?:{CROSS}\d+){{1,2}})\s*(?:[,;(@]|with|mit|avec|con|com|на|по|и)?\s*(?P<last>{_SIDE})\s*{_OF_MAPS}\s*\)?",
    re.IGNORECASE,
)
_NAMED = re.compile(r"([^\W\d_]+)\s*(?:[=:]|\s)\s*(\d+)")
_AXES: dict[str, str] = WORDS["axes"]
_UNITS = re.compile(rf"\s*(?:{any_of('neurons')})\.?$", re.IGNORECASE)
_SQUARED = re.compile(r"(\d+)\s*(?:²|\^2|\*\*2)(?!\d)")
#: What programs print around a list, an area in brackets, the number of values after a shape.
_OF_A_TENSOR = re.compile(
    r"(?:torch\.Size|TensorShape|Size|shape\s*=?)\s*\(?\s*([(\[][^()\[\]]*[)\]])\s*\)?", re.IGNORECASE
)
#: An array as it is declared: [36][22][22].
_OF_AN_ARRAY = re.compile(r"(?:\[\s*[0-9]+\s*\]\s*){2,5}")
_PIXELS = re.compile(
    r"(?<=\d)\s?(?:px|pixels?|пикс(?:ел\w*|\.)?|pixel|píxeles|פיקסלים|像素|ピクセル)(?![^\W\d_xXхХ])", re.IGNORECASE
)
#: What Darknet prints after a shape.
_OPERATIONS = re.compile(r"(?<=\d)\s+\d+(?:\.\d+)?\s?[KMGB]?FLOPs?$", re.IGNORECASE)
_PLANE = re.compile(rf"\(\s*(\d+{CROSS}\d+)\s*\)", re.IGNORECASE)
_WITH_VALUES = re.compile(rf"((?:{_SIDE})(?:{CROSS}(?:{_SIDE})){{2,3}})\s*\(\s*([^()]+)\)", re.IGNORECASE)
#: What stands between the sides of a shape; other signs of a product may be those of a calculation.
_BY, _COMMA = "xX×хХ✕", ",;"
_MOST_SIDES = 4
_DEPTHS = ("d", "depth", "глубина", "profondeur", "tiefe")
_LARGEST_SIDE = 12  # digits
_WANTED = mark("write 55x55x96, (96, 55, 55), or a number for a flat one")


def read_shape(text: str, cleaned: str) -> tuple[Stated, ...]:
    """The readings of a cell about a shape. Raises `StatementError` for what cannot be read."""
    cleaned = _plainly(cleaned)
    if (match := _FREE.fullmatch(cleaned)) and "None" in match[1]:
        sides = [None if side.strip() == "None" else int(side) for side in match[1].split(",")[1:]]
        return (Stated(text, free=tuple(sides)),)
    if (named := _by_names(text, cleaned)) is not None:
        return (named,)
    if of_maps := tuple(_of_maps(text, cleaned)):
        return of_maps
    parts = [part.strip(" *_`") for part in re.split(r"[=≈→]|->|=>", cleaned) if part.strip(" *_`")]
    read = [list(_sides(part)) for part in parts]
    is_product = len(parts) > 1 and any(len(sides) > 1 for sides in read[0]) and bool(read[-1])
    if is_product and len(read[-1][0]) == 1:  # 55x55x96 = 290400
        return tuple([_product(text, sides, read[-1][0][0]) for sides in read[0] if len(sides) > 1])
    found = read[-1] if read else []
    if not found and len(parts) > 1 and read[0]:
        found = read[0]
    calculated = list(_calculated(parts[-1])) if parts else []
    if found:  # of four sides two may be a product: 13x13x3*85
        is_first = any(len(sides) == _MOST_SIDES for sides in found)
        found = [*calculated, *found] if is_first else [*found, *calculated]
        return tuple([_stated(text, sides) for sides in found])
    try:
        tree = calculate(cleaned.rsplit("=", 1)[-1].strip())
    except StatementError:
        if calculated:
            return tuple([_stated(text, sides) for sides in calculated])
        raise StatementError(say("cannot be read as a shape; {wanted}", wanted=say(_WANTED))) from None
    if not is_whole(tree) or tree.value < 0:
        raise StatementError(say("is no whole number, as a size is"))
    flat = Stated(text, shape=(tree.value,), sides=(tree.value,), expression=tree)
    return (*(_stated(text, sides) for sides in calculated), flat)


def _plainly(cleaned: str) -> str:
    """torch.Size([96, 55, 55]) as a list, (55×55)×96 without its brackets, 55×55×96 (290400) with an equals sign."""
    inner = _OF_A_TENSOR.sub(r"\1", _PIXELS.sub("", _OPERATIONS.sub("", cleaned)))
    if _OF_AN_ARRAY.fullmatch(inner):
        inner = f"({', '.join(re.findall(r'[0-9]+', inner))})"
    inner = _WITH_VALUES.sub(r"\1 = \2", inner)
    plain = _PLANE.sub(r"\1", inner)
    return plain if _CROSSED.fullmatch(plain) else inner


def read_sides(cleaned: str) -> tuple[int, ...] | None:
    """The sides in the order of the page, in their first reading; None of what is no shape."""
    written = next(_sides(cleaned), None)
    return written[1:] if written is not None and len(written) == _MOST_SIDES else written


def _stated(text: str, written: tuple[int, ...]) -> Stated:
    sides = written[1:] if len(written) == _MOST_SIDES else written
    shape = (sides[2], sides[0], sides[1]) if len(sides) == 3 else sides
    return Stated(text, shape=shape, sides=sides, with_batch=written if sides is not written else ())


def _product(text: str, sides: tuple[int, ...], result: int) -> Stated:
    """A shape with the number of its values, which must be their product."""
    stated = _stated(text, sides)
    if result in (prod(sides), prod(stated.sides)):
        return stated
    sides = stated.sides
    tree = number_node(sides[0])
    for side in sides[1:]:
        tree = Node("*", tree.value * side, (tree, number_node(side)))
    return stated._replace(expression=tree, printed=result)


def _by_names(text: str, cleaned: str) -> Stated | None:
    """H=27, W=27, C=256; None where the sides are not named."""
    inner = cleaned.strip("()[]{} ")
    found = _NAMED.findall(inner)
    rest = _NAMED.sub("", inner)
    if len(found) < 2 or re.search(r"\d", rest):
        return None
    letters = axes_named([name.lower() for name, _ in found], _AXES)
    axes = {axis: int(value) for axis, (_, value) in zip(letters, found, strict=True) if len(value) <= _LARGEST_SIDE}
    order = next((order for order in ("dhw", "hw", "l") if set(order) <= axes.keys() <= {*order, "c", "n"}), None)
    if order is None:
        return None
    sides = tuple([axes[axis] for axis in order])
    if "c" not in axes:
        return Stated(text, shape=sides, sides=sides)
    return Stated(text, shape=(axes["c"], *sides), sides=(*sides, axes["c"]), is_ordered=True)


def axes_named(names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """The axes that names mean: h, w, l, c, n; empty for one that is unknown.

    The depth of an image is its channels; next to channels of their own it is an axis, d.
    """
    axes = [known.get(name, "") for name in names]
    if axes.count("c") == 2:
        axes = ["d" if axis == "c" and name in _DEPTHS else axis for axis, name in zip(axes, names, strict=True)]
    return axes


def _of_maps(text: str, cleaned: str) -> Iterator[Stated]:
    """96@55x55, 64@8x28x28, 96 maps of 55x55, 55x55 (96 channels); none where no word says what the depth is.

    A single side is that of a square, or the length of a signal.
    """
    cleaned = _SQUARED.sub(r"\1×\1", cleaned)
    match = MAPS.fullmatch(cleaned.strip("[]{} ")) or MAPS.fullmatch(cleaned.strip("()[]{} "))
    if match is None:
        return
    plane = [
        _side(side)
        for side in re.split(CROSS, match["sides"] or match["plane"] or match["square"], flags=re.IGNORECASE)
    ]
    depth = _side(match["first"] or match["last"] or match["deep"])
    for positions in [plane] if len(plane) > 1 else [plane * 2, plane]:
        shape = (depth, *positions)
        yield Stated(text, shape=shape, sides=shape if match["first"] else (*positions, depth), is_ordered=True)


def _calculated(written: str) -> Iterator[tuple[int, ...]]:
    """The sides of a shape of which some are calculations: 13x13x(3*(5+80)), 55x55x2*48, (2·48, 55, 55)."""
    is_list = len(written) > 1 and written[0] in "([{" and _is_closed(written[1:-1]) and written[-1] in ")]}"
    inner = _UNITS.sub("", written[1:-1] if is_list else written).strip()
    had_batch = _BATCH.match(inner) is not None
    for sign in (_BY, _COMMA) if is_list or had_batch else (_BY,):
        parts = _apart(_BATCH.sub("", inner, count=1) if had_batch else inner, sign)
        if not 1 < len(parts) <= _MOST_SIDES or all(re.fullmatch(_SIDE, part) for part in parts):
            continue
        try:
            trees = [calculate(part) for part in parts]
        except StatementError:
            continue
        if all(is_whole(tree) and 0 < tree.value < 10**_LARGEST_SIDE for tree in trees):
            yield tuple([int(tree.value) for tree in trees])


def _is_closed(text: str) -> bool:
    """Whether no bracket is closed that is not opened before."""
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _apart(text: str, sign: str) -> list[str]:
    """The parts of a text between signs that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character in sign and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _sides(cleaned: str) -> Iterator[tuple[int, ...]]:
    """The sides as they are written, in each way that the separators can be read."""
    inner = cleaned
    bracketed = len(cleaned) > 1 and cleaned[0] in "([{<" and cleaned[-1] in ")]}>"
    if bracketed:
        inner = cleaned[1:-1].strip()
    inner = _SQUARED.sub(r"\1×\1", _UNITS.sub("", inner))
    without_batch = _BATCH.sub("", inner, count=1) if _BATCH.match(inner) else inner
    had_batch, inner = without_batch != inner, without_batch
    for parts in dict.fromkeys(_split(inner, bracketed or had_batch)):
        sides = parts[1:] if len(parts) > _MOST_SIDES else parts
        if len(sides) <= _MOST_SIDES:
            yield tuple([_side(part) for part in sides])


def _split(inner: str, is_list: bool) -> Iterator[tuple[str, ...]]:
    has_cross = re.search(CROSS, inner, re.IGNORECASE) is not None
    if not has_cross and (_LISTED.fullmatch(inner) and (is_list or not re.fullmatch(_SIDE, inner))):
        yield tuple(part for part in re.split(r"\s*[,;]\s*", inner) if part)
        return
    if _CROSSED.fullmatch(inner):
        yield tuple(re.split(CROSS, inner, flags=re.IGNORECASE))
    elif re.fullmatch(_SIDE, inner):
        yield (inner,)
        if inner.count(",") == 2:  # 64,224,224
            yield tuple(inner.split(","))
    elif _SPACED.fullmatch(inner):
        yield tuple(inner.split())
    if has_cross and re.search(r"[,;()]", inner):  # 27 x 27, 256
        crossed = re.sub(r"\s*[,;]\s*|\s*\(\s*", "×", inner.rstrip(") "))
        parts = tuple(re.split(CROSS, crossed, flags=re.IGNORECASE))
        if len(parts) < _MOST_SIDES and _CROSSED.fullmatch(crossed):
            yield parts


def _side(part: str) -> int:
    digits = re.sub(GAP, "", part)
    if len(digits) > _LARGEST_SIDE:
        raise StatementError(say("a side is too large"))
    return int(digits)
