"""ONNX graphs become programs: what is done with constants, shapes, functions, branches and scopes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archcalc.core.errors import SpecError, UsageError

pytest.importorskip("onnx", reason="reading ONNX needs the package onnx: pip install 'archcalc[test]'")

import onnx
from onnx import TensorProto, helper, parser

from archcalc.interop import models, onnx_graph
from archcalc.interop.onnx_read import read_program
from archcalc.interop.recognise import recognise
from archcalc.passes.analysis import analyse
from tests.interop.onnx_models import model, network, one, ops, weights, written

# --- inputs


def test_a_batch_of_unknown_size_is_one() -> None:
    program = read_program(written("g (float[N,3,8,8] x) => (float[N,3,8,8] y) {y = Relu(x)}"))
    assert program.shape("x") == (1, 3, 8, 8)


def test_another_axis_of_unknown_size_is_asked_for() -> None:
    proto = written("g (float[N,3,H,W] x) => (float[N,3,H,W] y) {y = Relu(x)}")
    with pytest.raises(UsageError, match=r"the input 'x' is 1×3×H×W, without a fixed size; give one with --input"):
        read_program(proto)
    assert read_program(proto, (3, 5, 7)).shape("y") == (1, 3, 5, 7)
    with pytest.raises(UsageError, match="has 3 axes besides the batch; 5×3 has 2"):
        read_program(proto, (3, 5))


def test_several_inputs_are_given_by_name() -> None:
    proto = written("g (float[N,3,H] a, float[N,3,H] b) => (float[N,3,H] y) {y = Add(a, b)}")
    assert read_program(proto, {"a": (3, 4), "b": (3, 4)}).shape("y") == (1, 3, 4)
    with pytest.raises(UsageError, match="has the inputs a and b: say which"):
        read_program(proto, (3, 4))
    with pytest.raises(UsageError, match="no input 'c'"):
        read_program(proto, {"c": (3, 4)})


def test_an_input_that_is_not_used_is_noted() -> None:
    program = read_program(written("g (float[1,3] a, float[1,3] b) => (float[1,3] y) {y = Relu(b)}"))
    assert program.inputs == ("b",)
    assert program.notes == ("the input a is not used",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("g (float[1,9223372036854775807] x) => (float[1,3] y) {y = Relu(x)}", "an axis has at most 1,048,576"),
        ("g () => (float[2] y) <float[2] w = {1,2}> {y = Relu(w)}", "has no inputs"),
        ("g (float[1,3] x) => (float[2] y) <float[2] y = {1,2}> {z = Relu(x)}", "the output 'y' is a constant"),
        ("g (float[1,3] x) => () {y = Relu(x)}", "has no outputs"),
        ("g (float[1,3] x) => (float[1,3] z) {y = Relu(x)}", "the output 'z' is made by no node"),
        ("g (float[1,3] x) => (float[1,3] y) {y = Relu(z)}", "it reads 'z', which nothing makes"),
        ("g (float[1,3] x) => (float[1,3] y) {y = Relu(x) y = Abs(x)}", "'y' is made twice"),
        ("g (float[1,3] x) => (float[1,3] y) {x = Relu(x) y = Relu(x)}", "'x' is made twice"),
        ("g (float[1,3] x) => (float[1,3] y) {a = Add(x, y) y = Relu(a)}", "it is part of a cycle"),
        ("g (float[1,3] x) => (float[1,3] y) {y = Nonsense(x)}", "opset 17 has no operation Nonsense"),
        ("g (float[1,3] x) => (float[1,3] y) {y = MatMul(x, x)}", "its inputs do not fit"),
        ("g (float[1,3] x) => (float[N] y) {y = my.Op(x)}", "has no shape|the file does not state it|not known"),
        ("g (float[4] x) => (int64[1,N] y) {y = NonZero(x)}", "depends on values"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_program(written(text))


@pytest.mark.parametrize(
    ("opset", "message"), [(6, "opset 7 is the oldest.*convert_version"), (99, "pip install -U onnx")]
)
def test_opsets(opset: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_program(written("g (float[1,3] x) => (float[1,3] y) {y = Relu(x)}", opset))


def test_nodes_need_not_be_in_order() -> None:
    program = read_program(written("g (float[1,3] x) => (float[1,3] y) {y = Relu(a) a = Sigmoid(x)}"))
    assert ops(program) == ["sigmoid", "relu"]


def test_two_initializers_of_one_name() -> None:
    proto = model([helper.make_node("Add", ["x", "w"], ["y"])], (1, 3), {"w": weights(3)})
    proto.graph.initializer.append(proto.graph.initializer[0])
    with pytest.raises(UsageError, match="two initializers named 'w'"):
        read_program(proto)


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("Conv", {"strides": [0, 0]}),
        ("Conv", {"group": 0}),
        ("MaxPool", {"kernel_shape": [0, 2]}),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [-1, 1]}),
        ("DepthToSpace", {"blocksize": 0}),
        ("MaxPool", {"kernel_shape": [1 << 40, 2]}),
    ],
)
def test_counts_that_make_no_sense(op: str, attributes: dict[str, Any]) -> None:
    inputs = ["x", "w"] if op == "Conv" else ["x"]
    with pytest.raises(UsageError, match="it counts from 1 to"):
        one(op, inputs, arrays={"w": weights(4, 3, 3, 3)}, **attributes)


# --- what is folded away


def test_arithmetic_of_shapes_is_folded_away() -> None:
    program = read_program(written("""g (float[N,3,4,5] x) => (float[N,M] y)
            <int64[1] zero = {0}, int64[1] minus = {-1}> {
        shape = Shape(x)
        first = Constant <value = int64 {0}> ()
        batch = Gather (shape, first)
        row = Unsqueeze (batch, zero)
        wanted = Concat <axis = 0> (row, minus)
        y = Reshape (x, wanted)
    }"""))  # fmt: skip
    assert ops(program) == ["reshape"]
    assert program.nodes[0].attributes == {"shape": (1, 60)}
    assert program.constants == {}


def test_constants_of_weights_are_computed_when_loaded() -> None:
    w = weights(3, 4)
    nodes = [helper.make_node("Transpose", ["w"], ["t"], perm=[1, 0]), helper.make_node("Neg", ["t"], ["n"]),
             helper.make_node("Gemm", ["x", "n"], ["y"], transB=1)]  # fmt: skip
    program = read_program(model(nodes, (1, 3), {"w": w}))
    constant = program.constants["n"]
    assert (ops(program), constant.shape, constant.role) == (["linear"], (4, 3), "parameter")
    assert constant.load is not None
    np.testing.assert_array_equal(constant.load(), -w.T)


def test_constants_of_constants_take_no_more_time_than_there_are_nodes() -> None:
    nodes = [helper.make_node("Add", [f"w{index}", f"w{index}"], [f"w{index + 1}"]) for index in range(2000)]
    proto = model([*nodes, helper.make_node("Add", ["x", "w2000"], ["y"])], (1, 20), {"w0": weights(20) * 0})
    load = read_program(proto).constants["w2000"].load
    assert load is not None
    assert load().shape == (20,)


def test_branches_that_are_known_are_taken() -> None:
    text = """g (float[N,3,1] x) => (float[N,3] y) <int64[1] last = {2}, int64 two = {2}, int64 one = {1}> {
        shape = Shape(x)
        size = Gather(shape, two)
        is_one = Equal(size, one)
        y = If (is_one) <
            then_branch = t () => (float[N,3] a) { a = Squeeze(x, last) },
            else_branch = e () => (float[N,3,1] b) { b = Relu(x) }>
    }"""
    assert ops(read_program(written(text))) == ["reshape"]
    proto = written(text)
    proto.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 2
    assert ops(read_program(proto)) == ["relu"]


def test_branches_that_depend_on_values_are_refused() -> None:
    proto = written("""g (float[1,3] x, bool c) => (float[1,3] y) {
        y = If (c) <then_branch = t () => (float[1,3] a) {a = Relu(x)},
            else_branch = e () => (float[1,3] b) {b = Abs(x)}>
    }""")
    with pytest.raises(UsageError, match="which branch If takes depends on values"):
        read_program(proto)


def test_loops_are_refused() -> None:
    proto = written("""g (float[1,3] x) => (float[1,3] y) <int64 n = {3}, bool c = {1}> {
        y = Loop (n, c, x) <body = b (int64 i, bool d, float[1,3] v) => (bool e, float[1,3] w)
            {e = Identity(d) w = Relu(v)}>
    }""")
    with pytest.raises(UsageError, match="Loop runs a part of the network as often as values say"):
        read_program(proto)


# --- functions


def functions(bodies: str, call: str) -> onnx.ModelProto:
    head = '<ir_version: 10, opset_import: ["" : 17, "my" : 1]>'
    return parser.parse_model(f"{head} g (float[1,3] x) => (float[1,3] y) {{ y = my.{call}(x) }} {bodies}")


def body(name: str, *calls: str) -> str:
    lines = [f"v{index + 1} = {call}(v{index})" for index, call in enumerate(calls)]
    renamed = " ".join(lines).replace(f"v{len(calls)} =", "b =").replace("(v0)", "(a)")
    return f'<domain: "my", opset_import: ["" : 17, "my" : 1]> {name} (a) => (b) {{ {renamed} }}'


def test_functions_are_inlined() -> None:
    proto = functions(body("Outer", "Sigmoid", "my.Inner") + body("Inner", "Relu"), "Outer")
    assert ops(read_program(proto)) == ["sigmoid", "relu"]


def test_functions_that_call_themselves() -> None:
    with pytest.raises(UsageError, match="calls itself"):
        read_program(functions(body("Outer", "my.Inner") + body("Inner", "my.Outer"), "Outer"))


def test_functions_that_grow_without_end() -> None:
    bodies = "".join(body(f"F{level}", *[f"my.F{level + 1}"] * 10) for level in range(9))
    with pytest.raises(UsageError, match="more than 100,000 nodes"):
        read_program(functions(bodies + body("F9", "Relu"), "F0"))


def test_nodes_of_branches_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.interop import onnx_trace

    monkeypatch.setattr(onnx_trace, "MOST_NODES", 2)
    with pytest.raises(UsageError, match="more than 2 nodes"):
        read_program(written("g (float[1] x) => (float[1] y) {a = Relu(x) b = Relu(a) y = Relu(b)}"))
    assert onnx_graph.OLDEST_OPSET == 7


# --- scopes


def test_scopes_of_names() -> None:
    node = helper.make_node("Relu", ["x"], ["y"], name="/features/features.3/conv/conv.0/conv.0.1/Relu")
    assert read_program(model([node])).nodes[0].path == "features/3/conv/0/1"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("relu1", "relu1"), ("block1/add", "block1/add"), ("res2a.relu", "res2a/relu"),
        ("model/stem/Relu", "model/stem"),
        ("Relu_3", ""), ("Relu", ""), ("node_relu_1", ""), ("12", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_node_without_a_scope_keeps_its_own_name(name: str, path: str) -> None:
    node = helper.make_node("Relu", ["x"], ["y"], name=name)
    assert read_program(model([node])).nodes[0].path == path


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d_1']", "layer1/0/conv1"),
        ("['', 'relu']", ""),
        ("not a list", ""),
        ("[" * 200, ""),
        ("__import__('os').abort()", ""),
    ],
)
def test_scopes_of_the_exporter(value: str, path: str) -> None:
    node = helper.make_node("Relu", ["x"], ["y"], name="node_relu")
    node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value=value)
    assert read_program(model([node])).nodes[0].path == path


def test_a_convolution_that_took_in_a_normalisation_is_called_by_its_weight() -> None:
    node = helper.make_node("Conv", ["x", "stem.conv.weight"], ["y"], name="node_conv")
    node.metadata_props.add(key="pkg.torch.onnx.name_scopes", value="['', 'stem', 'stem.bn', 'batch_norm']")
    node.metadata_props.add(key="pkg.onnxscript.rewriter.rule_name", value="FuseBatchNormIntoConv")
    assert read_program(model([node], arrays={"stem.conv.weight": weights(4, 3, 3, 3)})).nodes[0].path == "stem/conv"


# --- what exporters take apart


def test_a_sum_after_a_product_is_its_bias() -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["b", "m"], ["y"])]
    program = read_program(model(nodes, (1, 5, 3), {"w": weights(3, 4), "b": weights(4)}))
    assert [(node.op, node.inputs[2], node.outputs) for node in program.nodes] == [("linear", "b", ("y",))]


def test_a_sum_after_a_convolution_is_its_bias() -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], ["y"])]
    b = weights(1, 4, 1, 1)
    program = read_program(model(nodes, arrays={"w": weights(4, 3, 3, 3), "b": b}))
    assert ops(program) == ["conv2d"]
    load = program.constants[program.nodes[0].inputs[2] or ""].load
    assert load is not None
    np.testing.assert_array_equal(load(), b.reshape(-1))


def test_a_product_that_is_used_twice_keeps_its_sum() -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["b", "m"], ["s"]),
             helper.make_node("Mul", ["s", "m"], ["y"])]  # fmt: skip
    program = read_program(model(nodes, (1, 5, 3), {"w": weights(3, 4), "b": weights(4)}))
    assert ops(program) == ["linear", "add", "mul"]


def two_layers(weight: bool, bias: np.ndarray[Any, Any]) -> onnx.ModelProto:
    """Two convolutions with one bias, and with one weight where `weight`."""
    second = "w" if weight else "v"
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["m"]), helper.make_node("Conv", ["m", second, "b"], ["y"])]
    arrays = {"w": weights(3, 3, 3, 3), "b": bias} | ({} if weight else {"v": weights(3, 3, 1, 1)})
    return model(nodes, arrays=arrays)


def counted(program: Any) -> int:
    return sum(constant.size for constant in program.constants.values())


def test_layers_share_all_of_their_arrays_or_none() -> None:
    shared = read_program(two_layers(True, weights(3)))
    assert (counted(shared), shared.notes) == (81 + 3, ())
    apart = read_program(two_layers(False, weights(3)))
    assert counted(apart) == 81 + 9 + 2 * 3
    assert recognise(apart).notes == ("3 values more than the file holds: b counts for each layer that has the array",)


def test_arrays_of_equal_values_say_nothing_of_sharing() -> None:
    program = read_program(two_layers(False, np.zeros(3, np.float32)))
    assert counted(program) == 81 + 9 + 2 * 3


def test_a_layer_that_runs_on_a_stored_state_first_shares_its_weights() -> None:
    """A recurrent cell that is unrolled: its state is stored at the first step, and computed at the others."""
    nodes = [helper.make_node("Gemm", [state, "w", "b"], [made], transB=1)
             for state, made in (("h", "s1"), ("x", "s2"), ("s2", "s3"))]  # fmt: skip
    nodes.append(helper.make_node("Sum", ["s1", "s3"], ["y"]))
    for bias in (weights(3), np.zeros(3, np.float32)):
        program = read_program(model(nodes, (1, 3), {"w": weights(3, 3), "b": bias, "h": weights(1, 3)}))
        assert {name for node in program.nodes for name in node.inputs} >= {"w", "b"}
        assert counted(program) == 9 + 3 + 3


def test_a_stored_map_that_several_layers_read_is_there_once() -> None:
    nodes = [
        helper.make_node("LayerNormalization", ["q", "w", "b"], ["n"]),
        helper.make_node("Add", ["q", "n"], ["s"]),
        helper.make_node("Add", ["x", "s"], ["y"]),
    ]
    program = read_program(model(nodes, (1, 5, 4), {"q": weights(1, 5, 4), "w": weights(4), "b": weights(4)}))
    assert counted(program) == 20 + 4 + 4


def test_unknown_operations_stay_with_their_weights() -> None:
    text = (
        """g (float[1,3] x) => (float[1,5] y) <float[3,5] w> { y = com.microsoft.FusedMatMul <alpha = 2.0> (x, w) }"""
    )
    proto = written(text)
    proto.opset_import.add(domain="com.microsoft", version=1)
    proto.graph.initializer.append(onnx.numpy_helper.from_array(weights(3, 5), "w"))
    del proto.graph.input[1:]
    program = read_program(proto)
    node = program.nodes[0]
    assert (node.op, node.attributes) == ("com.microsoft.FusedMatMul", {"alpha": 2.0})
    assert program.shape("y") == (1, 5)
    assert program.constants["w"].size == 15


def test_one_array_for_two_parts_of_a_layer() -> None:
    ones = np.ones(3, np.float32)
    program = read_program(model([helper.make_node("BatchNormalization", ["x", "a", "b", "b", "a"], ["y"])],
                                 arrays={"a": ones, "b": ones * 0}))  # fmt: skip
    assert counted(program) == 4 * 3
    assert len(set(program.nodes[0].inputs)) == 5


@pytest.mark.parametrize("seed", range(12))
def test_damaged_files_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    import random

    from archcalc.core.errors import ArchcalcError

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], strides=[2, 2], pads=[1, 1, 1, 1], name="/stem/conv/Conv"),
        helper.make_node("Relu", ["c"], ["r"]), helper.make_node("Shape", ["r"], ["s"]),
        helper.make_node("Gather", ["s", "first"], ["n"]), helper.make_node("Concat", ["n", "rest"], ["t"], axis=0),
        helper.make_node("Reshape", ["r", "t"], ["y"]),
    ]  # fmt: skip
    arrays = {"w": weights(4, 3, 3, 3), "b": weights(4), "first": np.array([0]), "rest": np.array([-1])}
    whole = model(nodes, ("N", 3, 8, 8), arrays).SerializeToString()
    generator = random.Random(seed)
    path = tmp_path / "net.onnx"
    for _ in range(5):
        data = bytearray(whole)
        for _ in range(generator.choice((1, 2, 6))):
            data[generator.randrange(len(data))] = generator.randrange(256)
        path.write_bytes(data)
        try:
            found: object = network(path)
        except ArchcalcError as error:
            found = error
        assert found is not None


def test_a_reshape_to_numbers_of_another_size_is_an_error() -> None:
    """The exporter wrote the size of the example into the file."""
    proto = model(
        [helper.make_node("Reshape", ["x", "shape"], ["y"])], (1, 3, 8, 8), {"shape": np.array([1, 192], np.int64)}
    )
    assert read_program(proto).shape("y") == (1, 192)
    with pytest.raises(UsageError, match="243 values cannot become 1×192, which are 192: it is written for another"):
        read_program(proto, (3, 9, 9))


def test_a_table_of_an_embedding_that_is_also_a_dense_layer_counts_once() -> None:
    """The last layer of a language model often has the table of its embedding."""
    nodes = [
        helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "i"], ["rows"]),
        helper.make_node("Transpose", ["rows"], ["columns"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["table", "columns"], ["y"]),
    ]
    proto = model(nodes, (1, 7), {"table": weights(50, 16)}, kind=TensorProto.INT64)
    graph = network(proto)
    assert (analyse(graph).totals.params, graph.notes) == (800, ())


def test_a_fault_of_a_layer_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "none.onnx"
    onnx.save(model([helper.make_node("Conv", ["x", "w"], ["y"])], arrays={"w": weights(0, 3, 3, 3)}), path)
    with pytest.raises(SpecError, match=r"none\.onnx: "):
        models.load(path)
