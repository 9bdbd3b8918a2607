"""Rows for blocks: judged against the sums of their layers and the last output, whatever they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest

from archcalc.passes.analysis import Analysis, Row
from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Check, Verdict
from tests.teach.check.tables import analysis_of, plain
from tests.tiers import slow_but

#: Network, rows as people call them, and the blocks or layers that they mean, in which {} counts from the number given.
NAMES = [
    ("densenet121", ["Dense Block ({})"], 1, ["dense_block{}"], 4),
    ("densenet121", ["DenseBlock{}", "Transition Layer ({})"], 1, ["dense_block{}", "transition{}"], 3),
    ("densenet121", ["features.denseblock{}"], 1, ["dense_block{}"], 4),
    ("densenet121", ["_DenseLayer-{}"], 11, ["dense_block1/layer{}"], 6),
    ("resnet18", ["layer{}"], 1, ["conv{}_x"], 4),
    ("resnet50", ["layer{}"], 1, ["conv{}_x"], 4),
    ("resnet34", ["Stage {}"], 1, ["conv{}_x"], 4),
    ("resnet50", ["Residual block {}"], 1, ["conv{}_x"], 4),
    ("resnet18", ["этап {}"], 1, ["conv{}_x"], 4),
    ("resnet18", ["тэта {}"], 1, ["conv{}_x"], 4),  # no word for a block, but one that counts
    ("resnet18", ["layer1.{}"], 0, ["conv2_x/unit{}"], 2),
    ("resnet34", ["BasicBlock-{}"], 5, ["conv2_x/unit{}"], 3),
    ("resnet50", ["Bottleneck-{}"], 5, ["conv2_x/unit{}"], 3),
    ("squeezenet1_0", ["Fire module {}"], 2, ["fire{}"], 8),
    ("squeezenet1_0", ["Fire-{}"], 4, ["fire{}"], 8),
    ("vit_b_16", ["Encoder layer {}"], 1, ["encoder{}"], 12),
    ("vit_b_16", ["Transformer block {}"], 0, ["encoder{}"], 12),
    ("bert_base", ["Encoder block {}"], 1, ["layer{}"], 12),
    ("unet", ["Encoder block {}"], 1, ["contract{}"], 4),
    ("mobilenet_v2", ["Bottleneck stage {}"], 1, ["bottleneck{}"], 7),
    ("mobilenet_v2", ["Inverted residual {}"], 2, ["bottleneck2/unit{}"], 2),
    ("googlenet", ["block {}"], 1, ["inception_{}"], 9),
    ("xception", ["Module {}"], 1, ["{}"], 0),
]  # fmt: skip
#: Blocks that are not numbered, and the stages that begin with 2.
LETTERS = ["3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"]
COLUMNS = [("params",), ("output", "params"), ("output", "params", "MACs")]


def blocks(analysis: Analysis, pattern: str, count: int) -> Iterator[list[Row]]:
    numbers: Sequence[object] = LETTERS if "inception" in pattern else range(2 if "conv{}_x" in pattern else 1, 99)
    start = 2 if "fire" in pattern else 0
    for number in list(numbers)[max(start - 1, 0) :][:count]:
        name = pattern.format(number)
        yield [row for row in analysis.rows if row.name.startswith(f"{name}/")]


def table(names: Sequence[str], groups: Sequence[Sequence[Row]], columns: Sequence[str]) -> str:
    lines = [",".join(("layer", *columns))]
    for name, rows in zip(names, groups, strict=True):
        values = {
            "output": plain(rows[-1].output_shape),
            "params": sum(row.params for row in rows),
            "MACs": sum(row.multiplications or 0 for row in rows),
        }
        lines.append(f'"{name}",' + ",".join(str(values[column]) for column in columns))
    return "\n".join(lines) + "\n"


def check(network: str, text: str, file: str = "a.csv") -> Check:
    return check_answers(analysis_of(network), parse_answers(text.encode(), file).answers)


CASES = [(*case, columns) for case in NAMES[:-1] for columns in COLUMNS]


@pytest.mark.parametrize(("network", "rows", "first", "patterns", "count", "columns"), slow_but(CASES[::7], CASES))
def test_a_row_for_a_block_is_right(
    network: str, rows: list[str], first: int, patterns: list[str], count: int, columns: tuple[str, ...]
) -> None:
    analysis = analysis_of(network)
    groups = [list(blocks(analysis, pattern, count)) for pattern in patterns]
    names = [row.format(first + number) for number in range(count) for row in rows]
    interleaved = [group[number] for number in range(count) for group in groups]
    found = check(network, table(names, interleaved, columns))
    assert {cell.verdict for cell in found.cells} == {Verdict.RIGHT}, [
        (cell.answer.layer, cell.quantity, cell.layer, cell.note) for cell in found.cells
    ]


@pytest.mark.parametrize(
    ("network", "name", "block"),
    [
        ("densenet121", "Dense Block (2)", "dense_block2"),
        ("densenet121", "Transition Layer (1)", "transition1"),
        ("squeezenet1_0", "Fire module 9", "fire9"),
        ("vit_b_16", "Encoder layer 3", "encoder3"),
        ("bert_base", "Encoder layer 3", "layer3"),
    ],
)
def test_a_wrong_sum_of_a_block_is_wrong(network: str, name: str, block: str) -> None:
    found = check(network, f'layer,params\n"{name}",1234567\n').cells[0]
    right = sum(row.params for row in analysis_of(network).rows if row.name.startswith(f"{block}/"))
    assert (found.layer, found.verdict, found.expected) == (block, Verdict.WRONG, right)


def test_a_block_and_its_parts_stand_in_one_table() -> None:
    """The sum may stand before the parts, or after them."""
    rows = [row for row in analysis_of("squeezenet1_0").rows if row.name.startswith("fire2/") and row.params]
    parts = "".join(f"conv,{row.params}\n" for row in rows)
    total = f"Fire module 2,{sum(row.params for row in rows)}\n"
    for text in (f"{total}{parts}", f"{parts}{total}"):
        assert {cell.verdict for cell in check("squeezenet1_0", f"layer,params\n{text}").cells} == {Verdict.RIGHT}


def test_rows_of_a_transformer() -> None:
    text = """layer,output,params
patch embedding,196x768,590592
class token,197x768,768
position embedding,197x768,151296
encoder layer 1,197x768,7087872
encoder layer 2,197x768,7087872
layer norm,197x768,1536
MLP head,1000,769000
"""
    assert {cell.verdict for cell in check("vit_b_16", text).cells} == {Verdict.RIGHT}


def test_embeddings_in_another_order() -> None:
    """A kind that is in the network once is about that layer, wherever its row stands."""
    text = """layer,params
Position embeddings,393216
Word embeddings,23440896
Token type embeddings,1536
LayerNorm,1536
Encoder layer 1,7087872
pooler,590592
"""
    assert {cell.verdict for cell in check("bert_base", text).cells} == {Verdict.RIGHT}


@pytest.mark.parametrize(
    ("rows", "right"),
    [
        # In another order with words that say which one: each is about the layer that it names.
        (["second conv,614656", "first conv,34944", "second fc,16781312", "first fc,37752832"], True),
        # Of a kind alone what only one layer of the kind has.
        (["conv,885120", "fc,16781312", "conv,34944"], True),
    ],
)
def test_rows_in_another_order_are_not_called_wrong(rows: list[str], right: bool) -> None:
    found = check("alexnet", "layer,params\n" + "\n".join(rows) + "\n")
    verdicts = {cell.verdict for cell in found.cells}
    assert Verdict.WRONG not in verdicts
    assert (verdicts == {Verdict.RIGHT}) is right


@pytest.mark.parametrize("name", ["second conv", "conv 7", "свёртка 9"])
def test_a_word_of_a_kind_is_no_layer_of_another_kind(name: str) -> None:
    cell = check("alexnet", f"layer,params\nfc7,16781312\n{name},16781312\n").cells[1]
    assert not cell.layer.startswith("fc")


LOOSE: dict[str, Callable[[str, int, int], str]] = {
    "number": lambda kind, place, number: f"{kind} {place}",
    "kind": lambda kind, place, number: kind,
    "through": lambda kind, place, number: f"Layer {number}",
    "bracket": lambda kind, place, number: f"Layer {number} ({kind})",
    "list": lambda kind, place, number: f"{number}. {kind}",
}


@pytest.mark.parametrize("network", slow_but(["alexnet"], ["alexnet", "vgg11", "vgg16", "lenet5", "resnet18", "nin"]))
@pytest.mark.parametrize("names", sorted(LOOSE))
@pytest.mark.parametrize("columns", COLUMNS)
def test_right_rows_in_any_order_are_not_called_wrong(network: str, names: str, columns: tuple[str, ...]) -> None:
    """As they are, from the last to the first, and shuffled: at worst nothing is said of a row."""
    words = {"convolution": "conv", "pooling": "pool", "dense": "fc"}
    rows = [row for row in analysis_of(network).rows if row.op.family in words]
    counts: Counter[str] = Counter()
    named: list[tuple[str, list[Row]]] = []
    for number, row in enumerate(rows, 1):
        counts[row.op.family] += 1
        named.append((LOOSE[names](words[row.op.family], counts[row.op.family], number), [row]))
    shuffled = Random(network).sample(named, len(named))
    for order in (named, named[::-1], shuffled):
        found = check(network, table([name for name, _ in order], [group for _, group in order], columns))
        accused = [(cell.answer.layer, cell.quantity, cell.layer) for cell in found.cells
                   if cell.verdict in (Verdict.WRONG, Verdict.CARRIED)]  # fmt: skip
        assert accused == []
        if order is named:
            assert {cell.verdict for cell in found.cells} == {Verdict.RIGHT}


#: VGG-16 by stages: 1792 + 36,928 = 38,720, 73,856 + 147,584 = 221,440, 295,168 + 2·590,080 = 1,475,328.
STAGES = ("38720", "221440", "1475328")
NAMES_OF_STAGES = [
    ["block{}"], ["Block {}"], ["Stage {}"], ["conv{}_x"], ["conv{}"], ["Conv block {}"],
    ["2 x conv3-64", "2x CONV3-128", "3 × conv3-256"], ["conv3-64 (x2)", "conv3-128 x2", "conv3-256 x3"],
    ["conv1_1, conv1_2", "conv2_1 + conv2_2", "conv3_1, conv3_2, conv3_3"], ["блок {}"], ["第{}阶段"],
]  # fmt: skip


@pytest.mark.parametrize("names", NAMES_OF_STAGES)
def test_stages_of_a_network_without_blocks(names: list[str]) -> None:
    labels = [names[min(at, len(names) - 1)].format(at + 1) for at in range(3)]
    for shapes in (["112x112x64", "56x56x128", "28x28x256"], ["224x224x64", "112x112x128", "56x56x256"]):
        rows = [f"{label};{shape};{params}\n" for label, shape, params in zip(labels, shapes, STAGES, strict=True)]
        table = "layer;output;params\n" + "".join(rows)
        assert verdicts_of("vgg16", table) == ["right"] * 6
        spoiled = verdicts_of("vgg16", table.replace("221440", "221184"))
        if names == ["conv{}"] and shapes[0] == "224x224x64":  # conv2 with the map of conv2_1 may be that
            assert [*spoiled[:2], *spoiled[4:]] == ["right"] * 4
        else:
            assert spoiled == [*["right"] * 3, "wrong", *["right"] * 2]


def test_stages_of_a_pattern() -> None:
    # (27 + 1)·8 + (72 + 1)·8 = 808 and (72 + 1)·16 + (144 + 1)·16 = 3488
    network = "32x32x3 -> [conv3-8 -> relu]*2 -> pool2 -> [conv3-16 -> relu]*2 -> pool2 -> fc10"
    table = "layer,output,params\nblock 1,16x16x8,808\nblock 2,8x8x16,{}\nfc,10,10250\n"
    assert verdicts_of(network, table.format(3488)) == ["right"] * 6
    assert verdicts_of(network, table.format(3456)) == [*["right"] * 3, "wrong", *["right"] * 2]


def verdicts_of(network: str, table: str) -> list[str]:
    answers = parse_answers(table.encode(), "a.csv").answers
    return [str(cell.verdict) for cell in check_answers(analysis_of(network), answers).cells]


@pytest.mark.parametrize(
    ("network", "params"),
    # fc6 to fc8, as PyTorch's module `classifier` has them: 58,631,144 of AlexNet, and conv10 of SqueezeNet.
    [("alexnet@torchvision", 58_631_144), ("vgg11", 123_642_856), ("squeezenet1_0", 513_000)],
)
def test_a_classifier_may_be_all_that_follows_the_features(network: str, params: int) -> None:
    table = "layer,params\nclassifier,{}\n"
    assert verdicts_of(network, table.format(params)) == ["right"]
    assert verdicts_of(network, table.format(params + 1000)) != ["right"]


#: Rows for a block next to rows for layers in it, and what each is about.
PARTS = [
    ("googlenet", "params", [
        ("inception_3a 3x3 reduce", 192 * 96 + 96, "inception_3a/3x3/reduce/conv"),
        ("inception_3a 3x3", 9 * 96 * 128 + 128, "inception_3a/3x3/conv/conv"),
        ("inception_3a 5x5 reduce", 192 * 16 + 16, "inception_3a/5x5/reduce/conv"),
        ("inception_3a 5x5", 25 * 16 * 32 + 32, "inception_3a/5x5/conv/conv"),
    ]),
    ("googlenet", "params", [("inception_5b 3x3", 832 * 192 + 192 + 9 * 192 * 384 + 384, "inception_5b/3x3")]),
    # The first layer: 2·64 + 64·128 + 2·128 + 9·128·32; the next five read 32 maps more each.
    ("densenet121", "params", [
        ("Dense Block 1 - layer 1 - 1x1 conv", 64 * 128, "dense_block1/layer1/conv1"),
        ("Dense Block 1 - layer 1 - 3x3 conv", 9 * 128 * 32, "dense_block1/layer1/conv2"),
        ("Dense Block 1", 335_040, "dense_block1"),
    ]),
    ("densenet121", "params", [("Dense Block 1 - 1x1 conv", 64 * 128, "dense_block1/layer1/conv1"),
                               ("Dense Block 1", 335_040, "dense_block1")]),
    ("densenet121", "output", [("transition1", "28x28x128", "transition1")]),
    ("densenet121", "output", [("transition1", "56x56x128", "transition1/conv"),
                               ("transition1 pool", "28x28x128", "transition1/pool")]),
]  # fmt: skip


@pytest.mark.parametrize(("network", "column", "rows"), PARTS)
def test_rows_for_a_block_next_to_rows_for_its_layers(
    network: str, column: str, rows: list[tuple[str, object, str]]
) -> None:
    table = "\n".join([f"layer,{column}", *(f"{name},{value}" for name, value, _ in rows)])
    found = check_answers(analysis_of(network), parse_answers(table.encode(), "a.csv").answers).cells
    assert [(cell.layer, cell.verdict) for cell in found] == [(layer, Verdict.RIGHT) for *_, layer in rows]


def test_the_sizes_of_a_transition_are_those_after_its_pool() -> None:
    answers = parse_answers(b"layer,output\ntransition1,56x56x128\n", "a.csv").answers
    (cell,) = check_answers(analysis_of("densenet121"), answers).cells
    assert (cell.verdict, cell.expected) == (Verdict.WRONG, (128, 28, 28))
