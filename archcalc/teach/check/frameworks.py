"""The names that torchvision, timm and Keras give the layers of the networks that they have: layer2.0.conv1.

Each counts in its own way: torchvision and timm count the units of a stage and the modules of a `Sequential` from 0,
activation functions and pools included, Keras counts blocks and layers from 1. Which layer such a name is follows from
the place of a layer in its network alone, whatever its values are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archcalc.passes.analysis import Row

#: Names, each with the index of its layer.
Named = Iterator[tuple[str, int]]

_UNIT = re.compile(r"(?P<stage>conv\d+(?:_x)?|layer\d+|C\d+)/unit(?P<unit>\d+)/(?P<inner>.+)")
_LETTERS = 26
_INVERTED = re.compile(r"(?P<unit>(?:bottleneck\d+/unit\d+|bneck\d+/unit|stage\d+/block\d+))/(?P<inner>.+)")
_VGG = re.compile(r"(?P<kind>conv|pool)(?P<stage>\d)(?:_(?P<number>\d))?")
_SEPARABLE = re.compile(r"conv\d(?:_\d)?/(?P<kind>dw|sep)/(?P<part>conv|bn)")
#: Pools and other layers without weights between the modules `features` and `classifier`.
_BETWEEN = ("adaptive_avg_pool2d", "flatten")
#: What a `Sequential` of features has next to blocks.
_OF_FEATURES = {"conv2d", "batch_norm2d", "relu", "max_pool2d"}


#: A field of a name in `frameworks.json`, what it stands for, and its value in another name.
_FIELD = re.compile(r"\{([a-z]+)\}")
_NUMBER, _PART = r"\d+", r"[^/]+"
_VALUE = re.compile(r"([^{}]+)|\{(\d*)([a-z]+)([+-]\d+)?(?::([^{}]+))?\}")
#: What stands around the name of a layer: the variable of the model, and a type of Keras.
_AROUND = re.compile(
    r"(?:(?:model|module|backbone|net|body|transformer|bert|network|vit)\.)*(?P<name>[\w.]+?)(?:\s*\(.*)?"
)


def layer_of(label: str, names: Mapping[str, int]) -> int | None:
    """The index of the layer whose name in a framework a row has.

    >>> layer_of("model.layer1.0.conv2", {"layer1.0.conv2": 7}), layer_of("layer9.0.conv2", {"layer1.0.conv2": 7})
    (7, None)
    """
    plain = label.strip(" *`").lower()
    match = _AROUND.fullmatch(plain)
    return names.get(plain, names.get(match["name"]) if match else None)


def names_of_frameworks(rows: Sequence[Row]) -> dict[str, int]:
    """The index of the layer for each name, in lower case; those of two layers or of a block are left out."""
    found: dict[str, int] = {}
    several = {"/".join(parts[:count]) for row in rows for parts in (row.name.lower().split("/"),)
               for count in range(1, len(parts))}  # fmt: skip
    ways: tuple[Callable[[Sequence[Row]], Named], ...] = (
        _listed, _residual, _chain, _inverted, _keras,
    )  # fmt: skip
    for way in ways:
        for name, index in way(rows):
            key = name.lower()
            if found.setdefault(key, index) != index:
                several.add(key)
    return {name: index for name, index in found.items() if name not in several}


def is_of_keras(name: str) -> bool:
    """Whether the name of a normalisation is one that Keras gives: conv2_block1_1_bn, not bn1 or layer1.0.bn1."""
    return "." not in name and "_" in name and re.search(r"bn|batch_norm", name, re.IGNORECASE) is not None


def modules_of_frameworks(rows: Sequence[Row]) -> dict[str, str]:
    """The blocks that torchvision has as modules: layer1 and layer1.0 of ResNet."""
    stages: dict[str, int] = {}
    found: dict[str, str] = {}
    for row in rows:
        if (match := _UNIT.fullmatch(row.name)) and match["stage"].endswith("_x"):
            number = stages.setdefault(match["stage"], len(stages) + 1)
            found[f"layer{number}"] = match["stage"]
            found[f"layer{number}.{int(match['unit']) - 1}"] = f"{match['stage']}/unit{match['unit']}"
    return found


def _listed(rows: Sequence[Row]) -> Named:
    """The names of `frameworks.json`."""
    for family in _families():
        if not family.is_of(rows):
            continue
        ranks: dict[str, list[str]] = {}
        for index, row in enumerate(rows):
            outer, inner = (*row.name.split("/"), "")[:2]
            among = ranks.setdefault(outer, [])
            among += [inner] if inner not in among else []
            for own, names in family.names:
                if match := own.fullmatch(row.name):
                    fields = {**match.groupdict(), "rank": str(among.index(inner) + 1)}
                    yield from ((name, index) for one in names if (name := _filled(one, fields)))


class _Family(NamedTuple):
    """Networks with a layer of some name and without one of another: what frameworks call their layers."""

    needs: re.Pattern[str]
    lacks: re.Pattern[str]
    names: tuple[tuple[re.Pattern[str], list[str]], ...]

    def is_of(self, rows: Sequence[Row]) -> bool:
        """Whether a network is one of these."""
        has = any(self.needs.fullmatch(row.name) for row in rows)
        return has and not any(self.lacks.fullmatch(row.name) for row in rows)


@cache
def _families() -> tuple[_Family, ...]:
    found = json.loads(Path(__file__).with_name("frameworks.json").read_text(encoding="utf-8"))
    return tuple(
        [
            _Family(
                _pattern(one["needs"]),
                _pattern(one.get("lacks", "")),
                tuple((_pattern(own), names.split(", ")) for own, names in one["names"].items()),
            )
            for one in found
        ]
    )


def _pattern(name: str) -> re.Pattern[str]:
    """A name with fields in braces: a letter is a number, a word any part of a name."""
    return re.compile(_FIELD.sub(lambda field: f"(?P<{field[1]}>{_NUMBER if field[1] in 'bikmnsu' else _PART})", name))


def _filled(name: str, fields: Mapping[str, str]) -> str:
    """A name with fields: {2s-1} of a number, {part:conv=0 bn=1} of a part, and nothing where that has no value.

    `rank` is the number of a unit in its stage, where units are counted through all stages.
    """
    parts: list[str] = []
    for text, factor, field, more, table in _VALUE.findall(name):
        if text:
            parts.append(text)
        elif table:
            value = dict(pair.split("=") for pair in table.split()).get(fields[field])
            if value is None:
                return ""
            parts.append(value)
        elif factor or more:
            parts.append(str(int(factor or 1) * int(fields[field]) + int(more or 0)))
        else:
            parts.append(fields[field])
    return "".join(parts)


def _residual(rows: Sequence[Row]) -> Named:
    """The units of residual stages: layer2.0.conv1 of torchvision is conv3_block1_1_conv of Keras."""
    stages: dict[str, int] = {}
    units: dict[tuple[int, int], list[int]] = {}
    for index, row in enumerate(rows):
        if match := _UNIT.fullmatch(row.name):
            stage = stages.setdefault(match["stage"], len(stages) + 1)
            units.setdefault((stage, int(match["unit"])), []).append(index)
    inner = [index for layers in units.values() for index in layers]
    if not any(rows[index].op.kind == "add" for index in inner) or any("/splits/" in rows[at].name for at in inner):
        return
    # With an average pool before it, as in ResNet-D, the projection has another number.
    is_pooled = any("/shortcut/" in row.name and row.op.kind == "avg_pool2d" for row in rows)
    for (stage, unit), layers in units.items():
        torch, keras = f"layer{stage}.{unit - 1}", f"conv{stage + 1}_block{unit}"
        caffe = _units_of_caffe(stage + 1, unit)
        shortcut = [index for index in layers if "/shortcut/" in rows[index].name]
        main = [index for index in layers if index not in shortcut and "/se/" not in rows[index].name]
        convolutions = [index for index in main if rows[index].op.kind == "conv2d"]
        norms = [index for index in main if rows[index].op.kind == "batch_norm2d"]
        is_before = bool(norms and convolutions) and norms[0] < convolutions[0]
        for number, index in enumerate(convolutions, 1):
            yield f"{torch}.conv{number}", index
            yield f"{keras}_{number}_conv", index
            yield from ((f"res{one}_branch2{chr(ord('a') + number - 1)}", index) for one in caffe)
        for number, index in enumerate(() if is_before else norms, 1):
            yield f"{torch}.bn{number}", index
            yield f"{keras}_{number}_bn", index
            yield from ((f"bn{one}_branch2{chr(ord('a') + number - 1)}", index) for one in caffe)
        if not is_pooled and [rows[index].op.kind for index in shortcut][:1] == ["conv2d"]:
            for number, (index, kind) in enumerate(zip(shortcut, ("conv", "bn"), strict=False)):
                yield f"{torch}.downsample.{number}", index
                yield f"{keras}_0_{kind}", index
                yield from ((f"{'res' if kind == 'conv' else 'bn'}{one}_branch1", index) for one in caffe)
        yield from ((f"res{one}", index) for one in caffe for index in layers if rows[index].op.kind == "add")


def _units_of_caffe(stage: int, unit: int) -> list[str]:
    """A unit as the authors of ResNet call it: 2a, 2b, or 4b22 in deep stages."""
    letters = [f"{stage}{chr(ord('a') + unit - 1)}"] if unit <= _LETTERS else []
    return letters + ([f"{stage}b{unit - 1}"] if unit > 1 else [])


def _chain(rows: Sequence[Row]) -> Named:
    """A `Sequential` of features and one of the classifier after it: features.3, classifier.6, features.4.squeeze."""
    children: dict[str, list[int]] = {}
    for index, row in enumerate(rows[1:], 1):
        children.setdefault(row.name.partition("/")[0], []).append(index)
    parts = list(children.values())
    ends = [at for at, (name, part) in enumerate(children.items())
            if name.startswith("fire") or rows[part[0]].op.kind == "max_pool2d"]  # fmt: skip
    features = parts[: ends[-1] + 1] if ends else []
    if any(len(part) > 1 and "/squeeze" not in rows[part[0]].name for part in features):
        return
    if not {rows[part[0]].op.kind for part in features if len(part) == 1} <= _OF_FEATURES:
        return
    if not any(rows[part[0]].op.kind == "relu" for part in features):
        return
    for number, part in enumerate(features):
        for index in part:
            inner = re.fullmatch(r"[^/]+/(squeeze|expand)(\dx\d)/.*conv", rows[index].name)
            if len(part) == 1:
                yield f"features.{number}", index
            elif inner:
                yield f"features.{number}.{inner[1]}{inner[2] if inner[1] == 'expand' else ''}", index
    rest = [part[0] for part in parts[len(features) :] if rows[part[0]].op.kind not in _BETWEEN]
    for number, index in enumerate(rest):
        yield f"classifier.{number}", index


def _inverted(rows: Sequence[Row]) -> Named:
    """Inverted residuals: features.2.conv.0.0 of MobileNetV2, features.4.block.1.0, blocks.1.0.conv_dw of timm."""
    units: dict[str, list[int]] = {}
    for index, row in enumerate(rows):
        if match := _INVERTED.fullmatch(row.name):
            units.setdefault(match["unit"], []).append(index)
    if not any("/depthwise" in rows[index].name for layers in units.values() for index in layers):
        return
    stages: dict[str, int] = {}
    for number, (unit, layers) in enumerate(units.items(), 1):
        stage, _, inner = unit.partition("/")
        of_stage = stages.setdefault(stage, len(stages) + 1)
        place = int(re.sub(r"\D", "", inner) or 1) - 1
        squeeze = [index for index in layers if "/se/" in rows[index].name and rows[index].params]
        modules = _modules(rows, layers, squeeze)
        convolutions = [module for module in modules if module[0] not in squeeze]
        if stage.startswith("bottleneck"):
            yield from _of_version_2(f"features.{number}.conv", modules)
            of_keras = f"block_{number - 1}" if number > 1 else "expanded_conv"
            yield from _of_roles(convolutions, (f"{of_keras}_{{}}", f"{of_keras}_{{}}_bn"), "project depthwise expand")
        else:
            outer = f"features.{of_stage}.{place}" if stage.startswith("stage") else f"features.{number}"
            for at, module in enumerate(modules):
                if module[0] in squeeze:
                    yield from ((f"{outer}.block.{at}.fc{part}", index) for part, index in enumerate(squeeze, 1))
                else:
                    yield from ((f"{outer}.block.{at}.{part}", index) for part, index in enumerate(module))
        if not stage.startswith("bneck") and any("/depthwise" in rows[index].name for index in layers):
            of_timm = f"blocks.{of_stage - 1}.{place}"
            roles = "conv_pwl conv_dw conv_pw" if len(convolutions) > 2 else "conv_pw conv_dw"
            yield from _of_roles(convolutions, (f"{of_timm}.{{}}",), roles)
            yield from ((f"{of_timm}.bn{at}", module[1]) for at, module in enumerate(convolutions, 1) if module[1:])
            for name, index in zip(("conv_reduce", "conv_expand"), squeeze, strict=False):
                yield f"{of_timm}.se.{name}", index
            if stage.startswith("stage"):
                of_keras = f"block{of_stage}{chr(ord('a') + place)}"
                yield from _of_roles(convolutions, (f"{of_keras}_{{}}",), "project_conv dwconv expand_conv")
                norms = [module[1:] for module in convolutions]
                yield from _of_roles(norms, (f"{of_keras}_{{}}",), "project_bn bn expand_bn")
                for name, index in zip(("se_reduce", "se_expand"), squeeze, strict=False):
                    yield f"{of_keras}_{name}", index
    yield from _ends(rows, min(units.values())[0], max(units.values())[-1],
                     len(stages) if next(iter(stages)).startswith("stage") else len(units))  # fmt: skip


def _modules(rows: Sequence[Row], layers: Sequence[int], squeeze: Sequence[int]) -> list[list[int]]:
    """Each convolution with its normalisation; the two layers of a squeeze are one module."""
    modules: list[list[int]] = []
    for index in layers:
        kind = rows[index].op.kind
        if kind == "conv2d" and index not in squeeze[1:]:
            modules.append([index])
        elif kind == "batch_norm2d" and modules:
            modules[-1].append(index)
    return modules


def _of_version_2(outer: str, modules: Sequence[Sequence[int]]) -> Named:
    """The last convolution of an inverted residual has no module around it and its normalisation."""
    for at, module in enumerate(modules):
        is_last = at + 1 == len(modules)
        yield from ((f"{outer}.{at + part}" if is_last else f"{outer}.{at}.{part}", index)
                    for part, index in enumerate(module))  # fmt: skip


def _of_roles(convolutions: Sequence[Sequence[int]], forms: Sequence[str], roles: str) -> Named:
    """The convolutions of a unit by what they do, from the last to the first, and their normalisations."""
    for role, module in zip(roles.split(), reversed(convolutions), strict=False):
        for form, index in zip(forms, module, strict=False):
            yield form.format(role), index


def _ends(rows: Sequence[Row], first: int, last: int, units: int) -> Named:
    """What stands before the units and after them: features.0.0, features.18.0, classifier.1."""
    for number, part in ((0, range(1, first)), (units + 1, range(last + 1, len(rows)))):
        module = [index for index in part if rows[index].op.kind in ("conv2d", "batch_norm2d")][:2]
        if [rows[index].op.kind for index in module] == ["conv2d", "batch_norm2d"]:
            yield from ((f"features.{number}.{at}", index) for at, index in enumerate(module))
    pools = [index for index in range(last + 1, len(rows)) if rows[index].op.kind == "global_avg_pool2d"]
    for number, index in enumerate(range(pools[-1] + 1, len(rows)) if pools else ()):
        yield f"classifier.{number}", index


def _keras(rows: Sequence[Row]) -> Named:
    """VGG and MobileNet of Keras: block3_conv1, block3_pool, conv_dw_4, conv_pw_4_bn."""
    counts = {"dw": 0, "sep": 0}
    is_vgg = any(re.fullmatch(r"conv\d_\d", row.name) for row in rows)
    for index, row in enumerate(rows):
        match = _VGG.fullmatch(row.name)
        if match and is_vgg and (match["kind"] == "pool") == (match["number"] is None):
            yield f"block{match['stage']}_{match['kind']}{match['number'] or ''}", index
        elif match := _SEPARABLE.fullmatch(row.name):
            counts[match["kind"]] += match["part"] == "conv"
            name = f"conv_{match['kind'].replace('sep', 'pw')}_{counts[match['kind']]}"
            yield name + ("_bn" if match["part"] == "bn" else ""), index
