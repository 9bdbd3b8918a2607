"""The page of the spec language, compared with the code."""

from __future__ import annotations

import re
from typing import get_args

import pytest
from pydantic import BaseModel

from archcalc.core.shapes import LARGEST_SIZE
from archcalc.graph import published
from archcalc.ops import OPS, Op
from archcalc.ops.pool import Pool
from archcalc.ops.windowed import Windowed
from archcalc.spec import document, evaluate, expand, expressions, faults, names, source, values
from archcalc.spec.items import STEP_KEYS
from archcalc.spec.load import prelude
from tests.docs.pages import FENCE, LANGUAGE, keys, needed_by, read, table
from tests.ranks import PLANE


@pytest.mark.parametrize(
    ("heading", "model", "leaves_out"),
    [
        ("## The file", document.Document, set()),
        ("## Facts about a network", document.Facts, {"title", "input", "inputs"}),
        ("## Parameters", document.Parameter, {"required"}),
        ("## Blocks", document.Block, set()),
        ("## Variants", document.Variant, set()),
    ],
)
def test_keys_are_those_of_the_model(heading: str, model: type[BaseModel], leaves_out: set[str]) -> None:
    assert sorted(keys(table(LANGUAGE, heading))) == sorted(model.model_fields.keys() - leaves_out)


def test_keys_of_a_reported_figure() -> None:
    assert sorted(keys(table(LANGUAGE, "## Facts about a network", 1))) == sorted(published.Reported.model_fields)


def test_required_keys_of_a_file() -> None:
    marked = keys([row for row in table(LANGUAGE, "## The file") if row[1].startswith("required")])
    fields = document.Document.model_fields
    assert sorted(marked) == sorted(key for key, field in fields.items() if field.is_required())


def test_keys_of_every_step() -> None:
    assert keys(table(LANGUAGE, "## Steps")) == list(STEP_KEYS)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("## Facts about a network", get_args(published.Quantity)),
        ("## Facts about a network", tuple(published.Paper.model_fields)),
        ("## Parameters", document.TYPES),
        ("## Outputs", tuple(document.LayerOutput.model_fields)),
        ("## Branches", tuple(kind for kind, op in OPS.items() if op.most_inputs is None)),
    ],
)
def test_section_names_every_word(heading: str, words: tuple[str, ...]) -> None:
    _, _, rest = read(LANGUAGE).partition(f"\n{heading}\n")
    section = re.split(r"^## ", FENCE.sub("", rest), maxsplit=1, flags=re.MULTILINE)[0]
    assert [word for word in words if f"`{word}`" not in section] == []


def test_functions_and_operators_of_expressions() -> None:
    rows = {row[0]: re.findall(r"`([^`]+)`", row[1]) for row in table(LANGUAGE, "## Expressions")}
    assert rows["functions"] == sorted(evaluate.FUNCTIONS)
    assert set(rows["comparison"] + rows["arithmetic"]) == set(evaluate._OPERATORS)


def limits() -> dict[str, str]:
    """Every limit in the words of the page."""
    numbers = {
        "nesting of YAML": source.DEEPEST_NESTING,
        "values in a file, aliases expanded": source.MOST_VALUES,
        "layers of a network": values.MOST_LAYERS,
        "steps of the expansion": expand.MOST_STEPS,
        "problems shown at a time": faults.MOST_PROBLEMS,
        "characters of a name": names.LONGEST_NAME,
        "a side of an input, a window or a padding": LARGEST_SIZE,
        "characters of an expression": expressions.LONGEST,
        "nesting of an expression": expressions.DEEPEST,
        "an exponent": evaluate.LARGEST_EXPONENT,
        "bits of a number in an expression": expressions.LARGEST_BITS,
        "a list or text in an expression": expressions.LONGEST_LIST,
    }
    return {"a file": f"{source.LARGEST_FILE >> 20} MiB"} | {name: f"{value:,}" for name, value in numbers.items()}


def test_limits() -> None:
    assert {row[0]: row[1] for row in table(LANGUAGE, "## Limits")} == limits()


def made_of(cls: type[Op]) -> Op:
    """The op with nothing but what it needs."""
    return cls.model_validate(needed_by(cls.kind))


def default_of(op: Op, field: str) -> str:
    value = getattr(op, field)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple) and len(set(value)) == 1:
        return str(value[0])
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def fields_of(cls: type[Op]) -> str:
    """The fields of an op as the page writes them, each with its default; those of windows stand in a table."""
    op = made_of(cls)
    shared = Pool if issubclass(cls, Pool) else Windowed if issubclass(cls, Windowed) else Op
    own = {name: field for name, field in cls.model_fields.items() if name not in shared.model_fields}
    return ", ".join(
        [
            *(f"`{name}`" for name, field in own.items() if field.is_required()),
            *(["[window](#windows)"] if shared is not Op else []),
            *(f"`{name}` = {default_of(op, name)}" for name, field in own.items() if not field.is_required()),
        ]
    )


def inputs_of(cls: type[Op]) -> str:
    fewest, most = cls.fewest_inputs, cls.most_inputs
    return str(fewest) if fewest == most else f"{fewest} or more" if most is None else f"{fewest} to {most}"


def op_rows() -> list[list[str]]:
    """The rows of all tables of ops."""
    section = read(LANGUAGE).partition("\n## Ops\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### .+$", FENCE.sub("", section), re.MULTILINE)
    return [row for heading in headings if heading != "### Windows" for row in table(LANGUAGE, heading)]


def test_ops_are_those_of_the_code() -> None:
    assert sorted(keys(op_rows())) == sorted(PLANE - {"input"})


@pytest.mark.parametrize("row", op_rows(), ids=lambda row: row[0].strip("`"))
def test_row_of_an_op(row: list[str]) -> None:
    cls = OPS[row[0].strip("`")]
    assert row[1:3] == [inputs_of(cls), fields_of(cls) or "–"]
    assert row[3]


def test_fields_of_windows() -> None:
    rows = table(LANGUAGE, "### Windows")
    assert keys(rows) == list(Pool.model_fields)
    assert keys([row for row in rows if "pooling only" not in row[2]]) == list(Windowed.model_fields)
    defaults = {row[0].strip("`"): row[1] for row in rows}
    convolution, pool = made_of(OPS["conv2d"]), made_of(OPS["max_pool2d"])
    assert [name for name, default in defaults.items() if not default] == ["kernel_size"]
    assert defaults["stride"] == f"{default_of(convolution, 'stride')}, or for pooling `kernel_size`"
    assert getattr(pool, "stride") == getattr(pool, "kernel_size")  # noqa: B009
    for name in defaults.keys() - {"kernel_size", "stride"}:
        assert defaults[name] == default_of(pool, name)


def test_blocks_that_are_there_already() -> None:
    rows = table(LANGUAGE, "### Blocks that are there already")
    # Under their names with a rank they are other blocks, or for images the same.
    ranks = {name for name in prelude() if name[-2:] in ("1d", "3d") or (name[-2:] == "2d" and name[:-2] in prelude())}
    assert {f"{name[:-2].removesuffix('2d')}" for name in ranks} == {
        "conv_relu",
        "conv_bn",
        "conv_bn_relu",
        "separable_conv",
    }
    assert {row[0].strip("`"): row[2] for row in rows} == {
        name: ", ".join(
            f"`{key}`" if parameter.required else f"`{key}` = {str(parameter.default).lower()}"
            for key, parameter in block.declared.parameters.items()
        )
        for name, block in prelude().items()
        if name not in ranks
    }
