"""Rows that name several things at once: two arrays, N blocks, a stage as a whole. Each is judged as the sum."""

from __future__ import annotations

import pytest

from archcalc.teach.check.answers import parse_answers
from archcalc.teach.check.check import check_answers
from archcalc.teach.check.model import Verdict
from tests.teach.check.tables import analysis_of


def encoders(stem: str, first: int = 1) -> tuple[str, ...]:
    return tuple([f"{stem}{number}" for number in range(first, first + 12)])


STAGES = ("conv2_x", "conv3_x", "conv4_x", "conv5_x")
#: A network, the layers and blocks that a row is about, and how people call them, between bars.
NAMES = [
    ("vit_b_32", ("class", "positions"),
     "CLS + pos. embedding|class + pos. enc.|"
     "[CLS] + positional embedding|cls + pos|CLS token & position embeddings|class token and positional encoding|"
     "cls_token, pos_embed|pos embed + cls token|CLS/pos|class + position|Embeddings (cls + pos)"),
    ("vit_b_32", ("patches", "class", "positions"),
     "patch + cls + pos|Patch embedding + CLS + positional embedding|Patch embedding (patch + class + position)"),
    ("vit_b_32", encoders("encoder"),
     "12 encoder layers|12 x encoder block|Encoder blocks (x12)|12x Transformer block|Transformer Encoder (12 layers)|"
     "Encoder ×12|encoder blocks 1-12|12 blocks|Blocks (×12)|encoder layers total|all encoder layers|encoder|"
     "12 × (MSA + MLP)|12 Encoder-Schichten|Encoder layers 0-11"),
    ("vit_b_32", (*encoders("encoder"), "norm"), "12 encoder layers + final LN|Encoder (12 layers + LN)"),
    ("vit_b_32", ("encoder1/norm2", "encoder1/fc1", "encoder1/fc2"),
     "LN + MLP|norm2 + MLP|LayerNorm + MLP|MLP block (LN + fc1 + fc2)|FFN + LN"),
    ("vit_b_32", ("encoder1/norm1", "encoder1/attention"),
     "LN + MSA|norm1 + attention|MHA + LN|LN + multi-head self-attention"),
    ("vit_b_32", ("encoder1/fc1", "encoder1/fc2"), "MLP|FFN|fc1 + fc2|mlp: fc1, fc2|mlp (2 layers)"),
    ("vit_b_32", ("encoder1/norm1", "encoder1/norm2"), "2 x LN|2 LayerNorms|LN1 + LN2"),
    ("vit_b_32", ("encoder1",), "one encoder layer|each encoder block|encoder block (1 of 12)|encoder ×12"),
    ("bert_base", ("token_embedding", "position_embedding"),
     "token + position embeddings|word + position embeddings|Token and Position Embeddings"),
    ("bert_base", ("token_embedding", "position_embedding", "segment_embedding"),
     "token + segment + position embeddings|Embeddings (token + position + segment)|embeddings|Embedding layer|"
     "token/segment/position embeddings|word, position and token type embeddings"),
    ("bert_base", ("token_embedding", "position_embedding", "segment_embedding", "norm"),
     "embeddings|Embeddings + LayerNorm|token + segment + position + LN|embedding layer total"),
    ("bert_base", encoders("layer"),
     "12 encoder layers|12 x encoder block|Encoder blocks (x12)|12 Transformer layers|Layers 1–12|12 layers|encoder"),
    ("bert_base", ("layer1/norm1",), "Add & Norm|add+norm"),
    ("bert_base", ("layer1/attention", "layer1/norm1"), "Attention + LayerNorm|attention + add & norm"),
    ("bert_base", ("layer1/fc1", "layer1/fc2", "layer1/norm2"), "FFN + LN|feed forward + add & norm"),
    ("gpt2", ("wte", "wpe"), "token + position embeddings|wte + wpe|embeddings"),
    ("gpt2", encoders("h", 0), "12 decoder blocks|h (12 blocks)|blocks x12|12 layers|h0-h11"),
    ("gpt2", (*encoders("h", 0), "ln_f"), "12 decoder blocks + ln_f|blocks + ln_f"),
    ("gpt2", ("h0/mlp/c_fc", "h0/mlp/c_proj"), "c_fc + c_proj|MLP"),
    ("resnet50", ("conv2_x",),
     "layer1 (3 blocks)|layer1|conv2_x (3 blocks)|stage 1 total|layer1 total|Layer 1 (3 x BasicBlock)|conv2_x x3|"
     "3 residual blocks|conv2_x, 3 blocks|layer1 - 3 blocks|layer1 subtotal|sum of layer1|Stage 1: 3 blocks"),
    ("resnet50", ("conv3_x",), "stage 2 total|conv3_x total|Total layer2|layer2 (total)|Σ layer2|итого layer2"),
    ("resnet50", ("conv1",), "stem|stem (conv + bn + maxpool)|Stem: conv7x7 + BN|conv1 + bn1"),
    ("resnet50", ("conv2_x", "conv3_x"), "layer1 + layer2|stages 1-2|layer1-layer2|conv2_x and conv3_x"),
    ("resnet50", STAGES, "all residual blocks|residual stages|layers 1-4|layer1 to layer4|4 stages|conv2_x-conv5_x"),
    ("resnet50", tuple([f"conv4_x/unit{number}" for number in range(2, 7)]),
     "last 5 blocks of layer3|other 5 residual blocks"),
    ("vgg16", tuple([f"conv{stage}_{number}" for stage in range(1, 6) for number in range(1, 3 + (stage > 2))]),
     "13 conv layers|convolutional part|all conv layers|Conv layers"),
    ("vgg16", ("fc6", "fc7", "fc8"), "3 FC layers|fc6 + fc7 + fc8|FC layers total|fully connected part"),
    ("swin_t", ("stage1",), "stage 1 total|stage 1 (2 blocks)|Stage 1 ×2|2 x Swin block"),
]  # fmt: skip
CASES = [(network, parts, name) for network, parts, names in NAMES for name in names.split("|")]


def verdict(network: str, name: str, params: int) -> Verdict:
    answers = parse_answers(f'layer,params\n"{name}",{params}\n'.encode(), "a.csv").answers
    (cell,) = check_answers(analysis_of(network), answers).cells
    return cell.verdict


def params_of(network: str, parts: tuple[str, ...]) -> int:
    paths = tuple([f"{part}/" for part in parts])
    return sum(row.params for row in analysis_of(network).rows if f"{row.name}/".startswith(paths))


@pytest.mark.parametrize(("network", "parts", "name"), CASES)
def test_a_row_for_several_layers_is_right_with_their_sum(network: str, parts: tuple[str, ...], name: str) -> None:
    assert verdict(network, name, params_of(network, parts)) is Verdict.RIGHT


@pytest.mark.parametrize(
    ("network", "name"),
    [("vit_b_32", "cls + pos"), ("bert_base", "token + position embeddings"), ("resnet50", "layer1 + layer2"),
     ("resnet50", "conv3_x total")],
)  # fmt: skip
def test_a_wrong_sum_of_layers_that_are_sure_is_wrong(network: str, name: str) -> None:
    assert verdict(network, name, 12345) is Verdict.WRONG


@pytest.mark.parametrize(
    ("network", "name"), [("vit_b_32", "LN + MLP"), ("vit_b_32", "12 encoder layers"), ("resnet50", "3 blocks")]
)
def test_where_several_are_meant_a_number_of_none_is_not_judged(network: str, name: str) -> None:
    assert verdict(network, name, 12345) is Verdict.UNREADABLE


def test_rows_of_the_same_name_are_about_one_layer_each() -> None:
    rows = "".join(f"LN + MLP,{768 * 2 + 2 * 768 * 3072 + 3072 + 768}\n" for _ in range(12))
    cells = check_answers(
        analysis_of("vit_b_32"), parse_answers(f"layer,params\n{rows}".encode(), "a.csv").answers
    ).cells
    assert {cell.verdict for cell in cells} == {Verdict.RIGHT}
    assert len({cell.layer for cell in cells}) == 12
