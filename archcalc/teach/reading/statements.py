"""What a cell says: shapes, numbers, rounded numbers, units and calculations, in every way that people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from archcalc.core.language import say
from archcalc.core.words import visible
from archcalc.explain.derive.trace import Node
from archcalc.teach.reading.calculation import GAP, StatementError, blur, bounds, calculate, is_whole, scaled
from archcalc.teach.reading.parts import parts_together
from archcalc.teach.reading.shapes import read_shape, read_sides
from archcalc.teach.reading.stated import Stated
from archcalc.teach.reading.words import WORDS, any_of

#: Characters of a cell.
LONGEST_CELL = 1000
#: What stands where nothing is answered.
_NOTHING = re.compile(
    rf"[({{[]?(?:[-–—−?…~/]+|\.\.\.|n[./]?a\.?|null|nan|nil|n/?d|{any_of('no')})[)}}\]]?|", re.IGNORECASE
)

_BYTES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1 << 10, "MI": 1 << 20, "GI": 1 << 30}
_CYRILLIC = str.maketrans("КкМмГгБбИи", "KKMMGGBBII")
_SCALES: dict[str, int] = WORDS["scales"]
#: Longer words before those that they begin with.
_SCALE_WORDS = "|".join(sorted(_SCALES, key=len, reverse=True))
#: Parts with words of their own: 1億276万, 102 млн 764 тыс., 1 million 327 thousand.
_PART = rf"\d+(?:[.,]\d+)?\s*(?:{_SCALE_WORDS})\.?"
_PARTS = re.compile(rf"(?:{_PART}\s*)+(?:{_PART}|\d+)", re.IGNORECASE)
#: Words after a number that say what is counted, and nothing about how much.
_COUNTED = rf"(?:(?:{any_of('learnable')})\s+)?(?:{any_of('counted')})"
_ABOUT = rf"{any_of('about signs')}|\b(?:{any_of('about')})(?=[\s\d])"
#: A decimal comma: only after groups that spaces or apostrophes part.
_AFTER_SPACE = "(?<=[ '’\u00a0\u2009\u202f]\\d{3})"
_ABOUT_WORD = re.compile(rf"(?<![^\W\d_])(?:{any_of('about')})(?![^\W\d_])", re.IGNORECASE)
_NUMBER = re.compile(
    rf"(?P<about>{_ABOUT})?"
    rf"\s*(?P<sign>[-−+])?\s*"
    rf"(?P<digits>\d{{1,3}}(?:{GAP}\d{{3}})+(?:\.\d+|{_AFTER_SPACE},\d+)?|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?!\d)"
    r"|\d+(?:[.,]\d+)*|[.,]\d+)"
    rf"\s*(?:(?:[eE]|\s*[·×x*]\s*10\s*(?:\^|\*\*))\s*(?P<exponent>[-+−]?\d{{1,2}})"
    r"|[·×x*]\s*10(?P<raised>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))?"
    rf"\s*(?:(?P<word>{_SCALE_WORDS})\.?)?"
    rf"\s*(?:(?P<bytes>(?:[KkMmGgКкМмГг](?:[iIиИ])?)?[BБ](?:ytes?|YTES?)?|[KkMmGg]?b|[KkMmGg]o|octets?|(?:kilo|mega|giga|kibi|mebi|gibi)?bytes?|байта?)"
    rf"|(?P<letter>[KkMmGgBКкМм])?\s*(?P<counted>{_COUNTED})?)",
    re.IGNORECASE,
)
_FULL_WORDS = {"kilo": "K", "mega": "M", "giga": "G", "kibi": "KI", "mebi": "MI", "gibi": "GI"}
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
#: What stands around a cell in Markdown and LaTeX.
_MARKS = "`*$ \t\r\n\u00a0\u2009\u202f"
#: Digits of a number.
_MOST_DIGITS = 40
_TOO_MANY_DIGITS = re.compile(rf"\d{{{_MOST_DIGITS + 1}}}")
#: A formula of a spreadsheet that reads other cells: =SUM(B2:B9), =B2*4.
_OTHER_CELLS = re.compile(r"(?<!\w)\$?[A-Z]{1,3}\$?\d|[A-Z]{2,}\(")
#: **224** where it is no power: at the beginning, or after an equals sign.
_BOLD = re.compile(r"((?:^|[=≈≃≅~,;(])\s*)\*\*([^*`]+)\*\*")
#: Spaces of LaTeX between digits, 34\\,944, and what takes one away.
_SPACE_OF_LATEX = re.compile(r"(?<=\d)\\[,;: ](?=\d)")
_THIN = re.compile(r"(?<=\d)\\!")
_GAPS = re.compile(r"\s{3,}")
#: 7_808 as programs write it, \(22 \times 22\) of LaTeX, and a result before its calculation: 1520 (=76*20).
_DIGITS_APART = re.compile(r"(?<=\d)_(?=\d{3}(?!\d))")
_MATHS = re.compile(r"\\[(\[]\s?([^()\[\]\\]*)\s?\\[)\]]")
_NUMBER_FIRST = re.compile(r"(?P<number>\d(?:[\d.,' ]*\d)?\s?[KkMmGg]?)\s?\((?P<inner>[\d(].*)\)")
_RESULT_FIRST = re.compile(r"(?<![\d.,' ])([\d.,' ]+[\d])\s?\(\s?=\s?([^=()]+)\)")
#: Words in brackets, and after what they count.
_REMARK = re.compile(r"(?<=[\w)\]])\s*\((?:(?=[^()]*[^\W\d_]{3})[^()]*|\s*[≈~][^()]*|[^()]*%\s*|[^\W\d_]{1,2})\)")
#: What stands around an answer and says nothing of it.
_IDLE_MARKS = "✓✔✅☑★*!;,\"'“”„«»‘’` "
_THING = f"(?:{any_of('things')})"
_COUNTED_WORD = re.compile(
    rf"(?<=[\d)\]])(\s?[KMG](?=\s))?[\s-]*{_THING}(?:\s*(?:[+&,]|and|et|und|y|e|и)\s*{_THING})*(?![^\W_])\.?",
    re.IGNORECASE,
)
_WITHOUT_THING = re.compile(
    rf"(?<=\d)[\s,;]+(?:(?:{any_of('with')})\s*{_THING}.*|{any_of('in total')})$", re.IGNORECASE
)
_PER_IMAGE = re.compile(rf"\s*(?:/|per|par|pro|por|на|для)\s*(?:{any_of('image')})\b.*$", re.IGNORECASE)
_NO_PARAMETERS = re.compile(
    rf"(?:{any_of('no')})\s*(?:{any_of('learnable')})?\s*(?:{_COUNTED}|{any_of('things')})", re.IGNORECASE
)
#: A letter for a quantity, and a word before a number: params: 34,944.
_SYMBOL = re.compile(r"(?<![\w.])(?![xх]\b|[KMG]i?B?\b)[^\W\d_]\w*|(?<=\d)[^\W\d_](?<![xхKMGkmgeEBb])")
_NAMED_NUMBER = re.compile(r"^[^\W\d_][^\d:=()]*:\s*(?=[\d(≈~])")
#: Between the steps of a calculation: 5·5·6 = 150, 150 + 1 = 151; 151·16 = 2416.
_STEP_END = re.compile(r"\s*;\s*|\s*,\s+|\s*\n\s*")
_SIGN = re.compile(r"[-−–+*/^²()·×∙⋅xXхХ÷]")
_LETTER = re.compile(r"(?![xXхХ])[^\W\d_]")
_SCALE = re.compile(r"\s*[^\W\d_]+\.?$")
_EQUALS = re.compile(r"[-=]>|→|~=|[=≈≃≅]")


def is_empty(text: str) -> bool:
    """Whether a cell holds no answer."""
    return len(text) <= LONGEST_CELL and _NOTHING.fullmatch(visible(text).strip()) is not None


@lru_cache(maxsize=16384)
def read_statement(text: str, quantity: str) -> tuple[Stated, ...]:
    """The readings of a cell about a quantity of `archcalc.teach.check.model.QUANTITIES`, the likeliest first.

    There are several where a notation is ambiguous: 1.327 MB is a decimal here and a thousand there. Raises
    `StatementError` for what cannot be read.
    """
    if len(text) > LONGEST_CELL:
        raise StatementError(
            say("a cell may have {most:,} characters, this one has {count:,}", most=LONGEST_CELL, count=len(text))
        )
    text = visible(text)
    if _TOO_MANY_DIGITS.search(text):
        raise StatementError(say("a number may have {most} digits", most=_MOST_DIGITS))
    if text.startswith("=") and _OTHER_CELLS.search(text):
        raise StatementError(say("this formula reads other cells; write its result, or the calculation in numbers"))
    cleaned = _cleaned(parts_together(text.strip(_MARKS), quantity))
    try:
        return _read_cleaned(text, cleaned, quantity)
    except StatementError:
        # Only what cannot be read with its words is read without them.
        if (plain := _without_words(cleaned, quantity)) == cleaned:
            raise
        try:
            return _read_cleaned(text, plain, quantity)
        except StatementError:
            pass
        raise


def _read_cleaned(text: str, cleaned: str, quantity: str) -> tuple[Stated, ...]:
    *before, last = _STEP_END.split(cleaned)
    if before and all(map(_is_step, before)):
        steps: list[Stated] = []
        for step in before:
            (found, *_) = _numbers(step, step, "params")
            last = last if quantity == "output_shape" else _written_out(last, step, found)
            steps.append(found)
        return tuple([one._replace(steps=tuple(steps)) for one in _read_cleaned(text, last, quantity)])
    if quantity == "output_shape":
        return read_shape(text, cleaned)
    if quantity == "receptive_field" and (sides := read_sides(cleaned)) and len(sides) in (2, 3):
        return (Stated(text, sides=sides),)
    return _numbers(text, cleaned, quantity)


def _is_step(text: str) -> bool:
    """Whether it is a calculation of numbers with its result."""
    parts = _EQUALS.split(text)
    is_calculation = _SIGN.search(parts[0]) is not None and re.search(r"\d", parts[0]) is not None
    is_plain = _LETTER.search(text) is None
    return len(parts) > 1 and is_calculation and is_plain and re.fullmatch(r"[\d.,' ]+", parts[-1]) is not None


def _written_out(text: str, step: str, found: Stated) -> str:
    """A calculation with that of its step before: (11·11·3)·96 + 96 for 363·96 + 96."""
    if found.expression is None or found.value != found.expression.value:
        return text
    written, _, result = (part.strip() for part in step.rpartition("="))
    return re.sub(
        rf"(?<![\d.,]){re.escape(result)}(?![\d.,])(?=[^=]*(?:=|$))", f"({written.lstrip('=')})", text, count=1
    )


def _without_words(cleaned: str, quantity: str) -> str:
    """A cell without its remarks: 96 filters × (11×11×3 + 1 bias), K·K·C = 11·11·3, 93 MB / image (only forward)."""
    if quantity in ("params", "weights", "biases") and _NO_PARAMETERS.fullmatch(cleaned):
        return "0"
    plain = _PER_IMAGE.sub("", _REMARK.sub("", cleaned.strip(_IDLE_MARKS)))
    plain = _WITHOUT_THING.sub("", plain).strip(_IDLE_MARKS)
    if quantity != "output_shape":
        plain = _WITHOUT_THING.sub("", _COUNTED_WORD.sub(lambda match: match[1] or "", plain))
    parts = [part for part in _EQUALS.split(plain) if part.strip()]
    numeric = [part for part in parts if re.search(r"\d", part) and not _SYMBOL.search(part)]
    plain = " = ".join(part.strip() for part in numeric) if numeric and len(numeric) < len(parts) else plain
    plain = _NAMED_NUMBER.sub("", plain).strip(_MARKS)
    return cleaned if ":" in plain else plain  # 3 layers: 590,080


def split_result(text: str) -> tuple[str, str | None]:
    """A calculation, and the result after its =, where there is one. Raises `StatementError` for nothing."""
    return _split(_cleaned(text))


def _cleaned(text: str) -> str:
    """A cell without what Markdown and LaTeX put around it or around its result."""
    # Patterns that allow spaces around several signs would try every way to share out a long run of them.
    plain = text.strip(_MARKS).replace("\\times", "×").replace("\\cdot", "·").removeprefix("=").replace("`", "")
    plain = _SPACE_OF_LATEX.sub(" ", _THIN.sub("", plain))
    plain = _GAPS.sub(lambda match: "\n" if "\n" in match[0] else " ", plain)
    plain = _DIGITS_APART.sub("", _MATHS.sub(r"\1", plain))
    plain = re.sub(r"(?<=\d)\.$", "", plain)  # the end of a sentence
    plain = _RESULT_FIRST.sub(r"\2 = \1", plain)
    plain = _BOLD.sub(lambda match: match[1] + match[2], plain)
    plain = re.sub(r"(?<=[\w)\]])\s*\([^()\d]*\)\s*$", "", plain)  # a remark
    if not plain.strip(_MARKS):
        raise StatementError(say("nothing to read"))
    return plain.strip(_MARKS)


# --- numbers


def _within(text: str, cleaned: str, quantity: str) -> Stated | None:
    """A number with its margin: 62M ± 1M, 62 ± 1M; None of what has none."""
    middle, has_margin, margin = (part.strip() for part in cleaned.partition("±"))
    if not has_margin:
        return None
    if (unit := _SCALE.search(margin)) and middle[-1:].isdigit():
        middle += unit[0]
    around, by = (next(_read_number(part, part, quantity), None) for part in (middle, margin))
    if around is None or by is None or around.value is None or by.value is None:
        return None
    if 10 * by.value > around.value:
        raise StatementError(say("the margin is more than a tenth of the number"))
    return around._replace(text=text, low=around.value - by.value, high=around.value + by.value)


def _numbers(text: str, cleaned: str, quantity: str) -> tuple[Stated, ...]:
    if (within := _within(text, cleaned, quantity)) is not None:
        return (within,)
    written, result = _split(_with_result_last(text, cleaned, quantity))
    if result is None:
        if found := tuple(_read_number(text, written, quantity, _is_about(text))):
            return found
        return (_calculated(text, written),)
    found = tuple(_read_number(text, result, quantity, _is_about(text)))
    if not found:
        found = (_calculated(text, result),)
    if tuple(_read_number(text, written, quantity)):  # 60 MB = 61,440,000 bytes: no calculation stands before it
        return found
    tree, reach = calculate(_without_unit(written)), bounds(_without_unit(written))
    return tuple([_beside(one, tree, reach) for one in found])


def _beside(stated: Stated, tree: Node, reach: tuple[Fraction, Fraction]) -> Stated:
    """A result with the calculation before it, which says how far it was rounded: 112*112*64 = 800K."""
    if not is_whole(tree):
        return stated
    if reach[0] < reach[1]:
        return stated._replace(expression=tree, reach=reach)
    value, low, high = stated.value, stated.low, stated.high
    if value is not None and low is not None and high is not None and low < high and not stated.unit:
        exact = Fraction(tree.value)
        if abs(exact - value) <= blur(value):
            low, high = min(low, exact), max(high, exact)
    return stated._replace(low=low, high=high, expression=tree)


def _with_result_last(text: str, cleaned: str, quantity: str) -> str:
    """34,944 (11·11·3·96 + 96) as a calculation with its result, where it gives that; else it is a product."""
    match = _NUMBER_FIRST.fullmatch(cleaned)
    if match is None:
        return cleaned
    try:
        low, high = bounds(_without_unit(match["inner"]))
    except StatementError:
        return cleaned
    number = _read_number(cleaned, match["number"], quantity, _is_about(text))
    is_result = any((one.low or 0) <= high and low <= (one.high or 0) for one in number)
    return f"{match['inner']} = {match['number']}" if is_result else cleaned


def _split(cleaned: str) -> tuple[str, str | None]:
    """What stands before the first = and after the last; all of it without one."""
    parts = [part.strip(_MARKS) for part in _EQUALS.split(cleaned) if part.strip(_MARKS)]
    if not parts:
        raise StatementError(say("there is no number next to the ="))
    return (parts[0], parts[-1]) if len(parts) > 1 else (_EQUALS.sub("", cleaned).strip(), None)


def _is_about(text: str) -> bool:
    return any(mark in text for mark in "≈≃≅~") or _ABOUT_WORD.search(text) is not None


def _without_unit(written: str) -> str:
    return re.sub(rf"\s*(?:bytes|{_COUNTED})$", "", written, flags=re.IGNORECASE)


def _calculated(text: str, written: str) -> Stated:
    match = re.search(r"(?<=[\d)])\s*bytes?$", written, re.IGNORECASE)
    tree = calculate(_without_unit(written))
    value = Fraction(tree.value)
    whole = tree if is_whole(tree) and tree.parts else None
    low, high = bounds(_without_unit(written))
    return Stated(text, value, low, high, "bytes" if match else "", expression=whole, reach=(low, high))


def _read_number(text: str, written: str, quantity: str, about: bool = False) -> Iterator[Stated]:
    """The readings of a single number with its unit; none where it is no single number."""
    match = _NUMBER.fullmatch(written)
    if match is None:
        if _PARTS.fullmatch(re.sub(rf"\s*(?:{_COUNTED})$", "", written, flags=re.IGNORECASE)):
            yield _of_parts(text, written)
        return
    if len(match["digits"]) > _MOST_DIGITS:
        raise StatementError(say("a number may have {most} digits", most=_MOST_DIGITS))
    factor = Fraction(1)
    exponent = match["exponent"] or (match["raised"] or "").translate(_RAISED)
    if exponent:
        factor *= Fraction(10) ** int(exponent.replace("−", "-"))
    if match["word"]:
        factor *= _SCALES[match["word"].lower()]
    unit = match["bytes"] or ""
    letter = match["letter"] or ""
    if unit == "B" and quantity != "activation_bytes":  # 0.6B parameters: billions
        unit, letter = "", "B"
    if letter:
        factor *= scaled("1", letter)
    is_scaled = bool(letter or match["word"] or exponent or (unit and max(_bytes(unit)) > 1))
    sign = -1 if match["sign"] in ("-", "−") else 1
    rough = about or bool(match["about"])
    for digits, decimals in _decimals(match["digits"], is_scaled or quantity == "activation_bytes"):
        # KB and MB are written for powers of 1000 and of 1024.
        for each in _bytes(unit) if unit else (1,):
            yield _rounded(text, sign, Fraction(digits), decimals, factor * each, is_scaled, rough)._replace(
                unit="bytes" if unit else ""
            )


def _of_parts(text: str, written: str) -> Stated:
    """A number in parts, rounded to the unit of the last."""
    value, unit = Fraction(0), 1
    for digits, word in re.findall(rf"(\d+(?:[.,]\d+)?)\s*({_SCALE_WORDS})?", written, re.IGNORECASE):
        if len(digits) > _MOST_DIGITS:
            raise StatementError(say("a number may have {most} digits", most=_MOST_DIGITS))
        unit = _SCALES[word.lower()] if word else 1
        value += Fraction(digits.replace(",", ".")) * unit
    half = Fraction(unit, 2) if unit > 1 else Fraction(0)
    return Stated(text, value, value - half, value + half)


def _rounded(
    text: str, sign: int, digits: Fraction, decimals: int, factor: Fraction, is_scaled: bool, is_about: bool
) -> Stated:
    """A number and what rounds to it. One that is written in full is exact; of 0M no digit counts, so that it is 0.

    The zeros of 60M need not be digits that count: 62,378,344 rounds to it too.
    """
    value = digits * factor
    half = factor / 10**decimals / 2 if value and (decimals or is_scaled) else Fraction(0)
    if is_about or (is_scaled and not decimals):
        half = max(half, blur(value))
    low, high = sorted((sign * (value - half), sign * (value + half)))
    return Stated(text, sign * value, low, high)


def _bytes(unit: str) -> tuple[int, ...]:
    """The bytes of a unit, in each of its meanings."""
    plain = unit.translate(_CYRILLIC)
    lower = plain.lower()
    if lower.startswith(("байт", "octet")):
        return (1,)
    for word, prefix in _FULL_WORDS.items():
        if lower.startswith(word):
            return _meanings(prefix)
    return _meanings(re.sub(r"(?:B(?:YTES?)?|O)$", "", plain.upper()))


def _meanings(prefix: str) -> tuple[int, ...]:
    return (_BYTES[prefix], _BYTES[f"{prefix}I"]) if prefix in ("K", "M", "G") else (_BYTES[prefix],)


def _decimals(digits: str, may_be_decimal: bool) -> Iterator[tuple[str, int]]:
    """A number in plain digits, and how many of them are decimals. 34.944 and 34,944 may be read in two ways."""
    if re.fullmatch(r"\d{1,3}(?:[ '’\u00a0\u2009\u202f]\d{3})+(?:[.,]\d+)?", digits):
        digits = re.sub(r"[^\d.,]", "", digits)  # 102 764,5
        yield digits.replace(",", "."), len(re.split("[.,]", digits)[1]) if re.search("[.,]", digits) else 0
        return
    plain = re.sub(GAP, ",", digits)
    points, commas = plain.count("."), plain.count(",")
    groups = re.fullmatch(r"\d{1,3}([.,]\d{3})+", plain) is not None
    if re.fullmatch(r"\d{1,2}(?:,\d{2})+,\d{3}", plain):  # 8,85,120: grouped as in India
        yield plain.replace(",", ""), 0
        return
    if points and commas:  # the later sign is the decimal one: 1,327.5 or 1.327,5
        point = max(plain.rfind("."), plain.rfind(","))
        whole, part = re.sub("[.,]", "", plain[:point]), plain[point + 1 :]
        yield (f"{whole}.{part}", len(part)) if part else (whole, 0)
        return
    if not points and not commas:
        yield plain, 0
        return
    if points + commas > 1:
        if groups:
            yield re.sub("[.,]", "", plain), 0
        return
    whole, part = re.split("[.,]", plain)
    decimal = (f"{whole or '0'}.{part}", len(part))
    if not groups:
        yield decimal
    elif not may_be_decimal:  # a count is whole: 34.944 can only be thousands
        yield whole + part, 0
    elif commas:
        yield whole + part, 0
        yield decimal
    else:
        yield decimal
        yield whole + part, 0
