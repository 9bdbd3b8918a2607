"""The quantities of a network: each is described here once, and everything else looks it up.

Columns of tables, options of commands, colours of diagrams, headings read by `check`, fields of JSON and axes of charts
all ask this registry for a quantity's key, title, unit, how it adds up, how it is written and what people call it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any, NamedTuple

from archcalc.core import words


class Quantity(NamedTuple):
    """A quantity of a layer, and of a network where it adds up over the layers."""

    #: Its name in JSON, in options and in derivations.
    key: str
    #: The heading of a column, and the name in a sentence.
    title: str
    #: What its number counts: parameters, values, bytes, pixels; empty for shapes.
    unit: str = ""
    #: Where a row holds it, dotted: `operations.additions`. Totals hold a sum under the same name.
    attribute: str = ""
    #: Whether the total of a network is the sum over its layers.
    adds_up: bool = True
    #: How a number is written for people.
    write: Callable[[int], str] = words.count
    #: The keys of the derivations that show how it is calculated; its own key where none are given.
    derivations: tuple[str, ...] = ()
    #: Other names that commands take for it.
    aliases: tuple[str, ...] = ()
    #: What stands next to its number where there is little space: params, mult.; its unit where none is given.
    short: str = ""
    #: What people write over a column of it, in lower case.
    headings: tuple[str, ...] = ()

    def of(self, row: Any) -> Any:
        """Its value in a row, or its sum in totals."""
        return reduce(getattr, self.attribute.split("."), row)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split("|"))


#: What people write over the columns of a table, in lower case. A number that is named is that of a layer: "number of",
#: "no. of", "#" and their translations before a name are left out by those who read headings.
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "output_shape": _names(
        "output shape|output|outputs|out|output size|output volume|output dimension|output dimensions|output dims|"
        "out shape|out size|shape|size|volume|dimension|dimensions|dims|feature map|feature maps|map|map size|"
        "feature map size|feature size|spatial size|activation shape|activation size|activation volume|tensor|"
        "tensor size|tensor shape|output feature map|output tensor|result|"
        "выход|размер|размер выхода|размерность|форма|форма выхода|карта признаков|выходной размер|"
        "sortie|taille|taille de sortie|forme|dimension de sortie|dimensions de sortie|"
        "ausgabe|ausgabegröße|ausgabeform|größe|ausgang|form|"
        "salida|tamaño|tamaño de salida|forma|forma de salida|dimensiones|"
        "saída|tamanho|tamanho da saída|tamanho de saída|formato|dimensões|"
        "פלט|גודל|גודל פלט|צורה|צורת פלט|ממדים|ելք|ելքի չափ|չափ|չափս|ձև|"
        "输出|输出尺寸|输出大小|输出形状|尺寸|形状|特征图|特征图尺寸|特征图大小|出力|出力サイズ|出力形状|サイズ|形状"
    ),
    "params": _names(
        "params|param|parameters|parameter|num params|num parameters|parameter count|parameters count|params count|"
        "param count|trainable params|trainable parameters|total params|total parameters|all parameters|"
        "weights biases|weights and biases|weights bias|parameters weights biases|params weights biases|"
        "learnable parameters|learnables|"
        "параметры|параметров|параметр|всего параметров|обучаемые параметры|"
        "paramètres|paramètre|parametres|parameteranzahl|parameterzahl|anzahl parameter|parámetros|parametros|"
        "parâmetros|פרמטרים|מספר פרמטרים|מספר הפרמטרים|պարամետրեր|պարամետրերի քանակ|պարամետրերի թիվ|"
        "参数|参数量|参数数量|参数个数|参数数|パラメータ|パラメータ数|パラメーター|パラメーター数"
    ),
    "weights": _names(
        "weights|weight|weights only|weights without biases|веса|весов|poids|gewichte|gewicht|pesos|peso|משקלים|"
        "կշիռներ|权重|权重数|权重参数|重み"
    ),
    "biases": _names(
        "biases|bias|bias terms|смещения|смещение|смещений|biais|bias werte|sesgos|sesgo|viés|vieses|הטיות|הטיה|"
        "շեղումներ|偏置|偏置数|バイアス"
    ),
    "multiplications": _names(
        "multiplications|multiplication|mults|mult|muls|mul|macs|mac|mult adds|mult add|multiply adds|multiply add|"
        "multiply accumulates|multiply accumulate|madds|madd|ops|operations|flops|flop|"
        "умножения|умножений|операции|операций|"
        "multiplikationen|operationen|multiplicaciones|operaciones|multiplicações|operações|opérations|"
        "כפלים|פעולות|բազմապատկումներ|乘法|乘法次数|计算量|运算量|乗算|乗算回数|演算量"
    ),
    "activations": _names(
        "activations|activation|values|stored values|values stored|neurons|activation count|activations count|"
        "активации|активаций|значения|значений|нейроны|нейронов|neurones|neuronen|neuronas|neurônios|"
        "נוירונים|նեյրոններ|神经元|神经元数|激活|激活数|ニューロン"
    ),
    "activation_bytes": _names(
        "memory|mem|stored|bytes|activation memory|memory bytes|activation bytes|activations bytes|memory usage|"
        "bytes stored|память|байты|объём памяти|объем памяти|mémoire|speicher|speicherbedarf|memoria|memória|"
        "זיכרון|հիշողություն|内存|显存|内存占用|メモリ"
    ),
    "receptive_field": _names(
        "receptive field|receptive fields|rf|receptive field size|rf size|field|рецептивное поле|поле зрения|"
        "champ récepteur|champ réceptif|rezeptives feld|campo receptivo|שדה קליטה|ընկալման դաշտ|"
        "感受野|受容野"
    ),
}

_ALL = (
    Quantity(
        "output_shape", "output", attribute="output_shape", adds_up=False,
        derivations=("height", "width", "depth", "size"), aliases=("output",),
    ),
    Quantity("params", "parameters", "parameters", "params", aliases=("parameters",), short="params"),
    Quantity("weights", "weights", "weights", "weights", derivations=("params",)),
    Quantity("biases", "biases", "biases", "biases", derivations=("params",)),
    Quantity(
        "trainable_params", "trainable parameters", "parameters", "trainable_params", derivations=("params",),
        aliases=("trainable",),
    ),
    Quantity("buffers", "buffers", "values", "buffers"),
    Quantity(
        "multiplications", "multiplications", "multiplications", "multiplications", aliases=("macs",), short="mult.",
    ),
    Quantity("additions", "additions", "additions", "operations.additions"),
    Quantity(
        "all_multiplications", "all multiplications", "multiplications", "operations.multiplications",
        derivations=("multiplications", "other_multiplications"),
    ),
    Quantity("comparisons", "comparisons", "comparisons", "operations.comparisons"),
    Quantity("divisions", "divisions", "divisions", "operations.divisions"),
    Quantity("exponentials", "exponentials", "exponentials", "operations.exponentials"),
    Quantity("activations", "values stored", "values", "activations"),
    Quantity(
        "activation_bytes", "stored", "bytes", "activation_bytes", write=words.size, aliases=("memory", "stored"),
    ),
    Quantity(
        "receptive_field", "receptive field", "pixels", "receptive_field", adds_up=False,
        derivations=("receptive_field_height", "receptive_field_width"),
    ),
)  # fmt: skip

QUANTITIES: Mapping[str, Quantity] = {
    one.key: one._replace(headings=_HEADINGS.get(one.key, ()), derivations=one.derivations or (one.key,))
    for one in _ALL
}
_BY_NAME = {name: one for one in QUANTITIES.values() for name in (one.key, *one.aliases)}


def quantity(name: str) -> Quantity:
    """The quantity of a key or of another name that commands take. Raises `KeyError`."""
    return _BY_NAME[name]


def adding_up() -> Iterator[Quantity]:
    """The quantities whose total is the sum over the layers."""
    return (one for one in QUANTITIES.values() if one.adds_up)
