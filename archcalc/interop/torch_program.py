"""The program that torch.export made of a module, in the words of `archcalc.interop.program`."""

from __future__ import annotations

import operator
import re
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.graph.layer_graph import Call
from archcalc.interop.aten import TRANSLATIONS, fold, later, products
from archcalc.interop.decomposed import with_patterns
from archcalc.interop.program import Constant, Node, Program, Role, Value, with_unread
from archcalc.interop.torch_files import torch_or_error
from archcalc.interop.torch_values import Computed

#: Integer buffers and constants up to this size are read when a module is traced: they hold indices.
SMALL = 1 << 20


def program_of(exported: Any, name: str, module: Any = None) -> Program:
    """The program of a `torch.export.ExportedProgram`; `module` is the one that it was made of, where it is there."""
    return _Reader(exported, name, {} if module is None else _modules_of(module)).program()


class _Reader:
    """Goes through the graph of an exported program."""

    def __init__(self, exported: Any, name: str, modules: Mapping[str, tuple[str, bool]]) -> None:
        self.torch = torch_or_error()
        self.modules = modules
        self.exported, self.name = exported, name
        self.constants: dict[str, Constant] = {}
        self.values: dict[str, Value] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []
        #: The value or constant that a node of the graph is now: an operation in place makes a new one.
        self.now: dict[str, str] = {}
        #: Tensors that do not depend on the input and are known, by the name of their node.
        self.known: dict[str, Any] = {}
        #: The stored tensors that are there, by the name of their node.
        self.held: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        #: Multiplications of matrix products of fixed numbers, which no layer has.
        self.products = 0

    def program(self) -> Program:
        """The whole."""
        graph = self.exported.graph
        _inline(self.exported.graph_module)
        if _has_hidden_writes(graph):
            self.exported = self.exported.run_decompositions({})
        self.exported = _decomposed(self.exported)
        graph = self.exported.graph
        outputs: dict[str, str] = {}
        for node in graph.nodes:
            if node.op == "placeholder":
                self.placeholder(node)
            elif node.op == "call_function":
                self.call(node)
            elif node.op == "output":
                outputs = self.outputs(node)
        used = {name for node in self.nodes for name in node.inputs}
        everything = dict(self.exported.named_parameters())
        # A parameter that two modules share is two tensors with the same values in a file.
        read = {_values_of(tensor) for tensor in everything.values() if self.names.get(id(tensor), "") in used}
        unused = Counter[str]()
        for key, tensor in everything.items():
            if _values_of(tensor) not in read:
                unused[key.partition(".")[0]] += tensor.numel()
        notes = []
        trained = {name for name, constant in self.constants.items() if constant.role == "parameter"}
        if unused:
            notes.append(
                f"{unused.total():,} parameters are not used at inference and left out: {', '.join(sorted(unused))}"
            )
        if self.products:
            notes.append(
                f"{self.products:,} multiplications of matmul are of stored tensors alone; they are not counted"
            )
        _, unread = with_unread(self.nodes, outputs.values(), lambda name: name in trained)
        program = Program(
            self.name, tuple(self.inputs), tuple(self.nodes), outputs, self.values, self.constants, tuple(notes),
            unread=unread, unused=unused, compute=self.compute(graph),
        )  # fmt: skip
        program.check()
        return with_patterns(program)

    def compute(self, graph: Any) -> Callable[[str, Collection[str]], Callable[[], Any] | None]:
        """What computes values of stored tensors alone, as arrays of NumPy."""
        computed = Computed(graph, self.held, {name: self.names[id(tensor)] for name, tensor in self.held.items()})

        def load(value: str, ones: Collection[str]) -> Callable[[], Any] | None:
            found = computed(value, ones)
            return None if found is None else lambda: _to_numpy(found())

        return load

    def placeholder(self, node: Any) -> None:
        """An input, a parameter, a buffer or a constant."""
        signature = self.exported.graph_signature
        for role, table in (
            ("parameter", signature.inputs_to_parameters),
            ("buffer", signature.inputs_to_buffers),
            ("constant", signature.inputs_to_lifted_tensor_constants),
        ):
            if node.name in table:
                self.stored(node, table[node.name], role)  # type: ignore[arg-type]  # the three are roles
                return
        value = node.meta.get("val")
        if not isinstance(value, self.torch.Tensor):
            return
        self.inputs.append(node.name)
        self.value(node.name, value)

    def stored(self, node: Any, key: str, role: Role) -> None:
        """A tensor that the module holds."""
        tensor = self.exported.state_dict.get(key)
        if tensor is None:
            tensor = self.exported.constants.get(key)
        if tensor is None:
            tensor = node.meta["val"]
        name = self.names.setdefault(id(tensor), self.free_name(key.replace(".", "/")))
        self.now[node.name] = name
        is_real = isinstance(tensor, self.torch.Tensor) and not _is_fake(tensor)
        load = partial(_to_numpy, tensor) if is_real else None
        self.constants[name] = Constant(
            name, tuple(tensor.shape), _dtype(tensor), role, load, trained=tensor.requires_grad
        )
        if is_real:
            self.held[node.name] = tensor
        if is_real and role != "parameter" and tensor.numel() <= SMALL:
            self.known[node.name] = tensor.detach()

    def free_name(self, name: str) -> str:
        """A name for what is stored that no operation has: a buffer may be called mean."""
        taken = {node.name for node in self.exported.graph.nodes} if "/" not in name else ()
        while name in taken:
            name = f"{name}_stored"
        return name

    def value(self, name: str, tensor: Any) -> None:
        """Note the shape of a tensor."""
        sizes = []
        for size in tensor.shape:
            if not isinstance(size, int) and re.search(r"\bu\d", str(size)):
                raise UsageError(f"{self.name}: the size of {name} depends on values, which archcalc does not know")
            if not isinstance(size, int):
                raise UsageError(f"{self.name}: the size {size} of {name} is not fixed; give its input a size")
            sizes.append(size)
        self.values[name] = Value(name, tuple(sizes), _dtype(tensor))
        self.now[name] = name

    def call(self, node: Any) -> None:
        """An operation."""
        if node.target is operator.getitem:
            source, index = node.args
            self.now[node.name] = f"{source.name}:{index}"
            if source.name in self.known:
                self.known[node.name] = self.known[source.name][index]
                self.fixed(node)
            return
        made = node.meta.get("val")
        if fold(node, self.known):
            self.products += products(node)
            self.fixed(node)
            return
        if made is None or not hasattr(node.target, "_schema"):
            return
        if isinstance(made, self.torch.Tensor) and (compute := later(node, self.known)) is not None:
            self.constant(node, made, lambda: _to_numpy(compute()))
            return
        kind = _kind(node.target)
        several = isinstance(made, (list, tuple))
        outputs = tuple(f"{node.name}:{index}" for index in range(len(made))) if several else (node.name,)
        for name, tensor in zip(outputs, made if several else (made,), strict=True):
            if isinstance(tensor, self.torch.Tensor):
                self.value(name, tensor)
        arguments = _arguments_by_name(node)
        op, attributes = kind.strip("_"), dict[str, Any]()
        inputs: Sequence[str | None] = self.tensors(arguments)
        translate = TRANSLATIONS.get(kind.removesuffix("_")) or TRANSLATIONS.get(kind)
        if translate is not None:
            op, inputs, attributes = translate(_Call(self, node, arguments, made))
            attributes = {key: self.number(value) for key, value in attributes.items()}
            if any(hasattr(value, "op") for value in attributes.values()):
                op, inputs, attributes = f"{op} with computed settings", self.tensors(arguments), {}
        outputs = tuple(name for name in outputs if name in self.values)
        if not outputs:
            return  # a number: what it is a setting of is not known
        self.nodes.append(
            Node(op, tuple(inputs), outputs, attributes, _path(node), f'node "{node.name}"', _call(node, self.modules))
        )
        if kind.endswith("_") and not kind.startswith("_") and node.args:
            self.overwrite(node.args[0], outputs[0])

    def number(self, setting: Any) -> Any:
        """A setting that is a tensor of one known number, as that number."""
        known = self.known.get(setting.name) if hasattr(setting, "op") else None
        return setting if known is None or known.numel() != 1 else known.item()

    def everywhere(self, setting: Any) -> Any:
        """As `number`, of a tensor of several too whose values are all the same."""
        known = self.known.get(setting.name) if hasattr(setting, "op") else None
        values = [] if known is None else known.flatten()
        return values[0].item() if len(values) and bool((values == values[0]).all()) else setting

    def overwrite(self, target: Any, name: str) -> None:
        """What an operation in place wrote to is its result from now on."""
        self.now[target.name] = name

    def fixed(self, node: Any) -> None:
        """A tensor that is the same for every input."""
        tensor = self.known[node.name]
        if not isinstance(tensor, self.torch.Tensor):
            return
        values = tuple(tensor.flatten().tolist()) if tensor.numel() <= 64 else None
        self.constant(node, tensor, partial(_to_numpy, tensor), values)

    def constant(self, node: Any, like: Any, load: Callable[[], Any], values: tuple[float, ...] | None = None) -> None:
        """Note a tensor that the program computes of fixed numbers."""
        name = self.now[node.name] = f"constants/{node.name}"
        self.constants[name] = Constant(name, tuple(like.shape), _dtype(like), "constant", load, values)

    def tensors(self, arguments: Mapping[str, Any]) -> tuple[str, ...]:
        """The names of all tensors among the arguments."""
        found = []
        for argument in arguments.values():
            for item in argument if isinstance(argument, (list, tuple)) else (argument,):
                found += [self.now[item.name]] if hasattr(item, "op") and item.name in self.now else []
        return tuple(found)

    def outputs(self, node: Any) -> dict[str, str]:
        """The outputs by name: those of a mapping have its keys."""
        signature = self.exported.graph_signature
        names = [
            spec.arg.name
            for spec in signature.output_specs
            if spec.kind.name == "USER_OUTPUT" and hasattr(spec.arg, "name")
        ]
        spec = self.exported.call_spec.out_spec
        keys = _keys(spec, len(names))
        return {key: self.now[name] for key, name in zip(keys, names, strict=True) if self.now.get(name) in self.values}


class _Call:
    """One operation of the graph, for its translation."""

    def __init__(self, reader: _Reader, node: Any, arguments: Mapping[str, Any], made: Any) -> None:
        self.reader, self.node, self.arguments, self.made = reader, node, arguments, made

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, or the default where it is left out."""
        return self.arguments.get(name, default)

    def tensor(self, name: str) -> str | None:
        """The name of the tensor that an argument is; None for one that is left out."""
        return self.name(self.arguments.get(name))

    def name(self, item: Any) -> str | None:
        """The name of a tensor in the program."""
        return self.reader.now.get(item.name) if hasattr(item, "op") else None

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of the tensor that an argument is."""
        return tuple(self.arguments[name].meta["val"].shape)

    @property
    def made_shape(self) -> tuple[int, ...]:
        """The shape of the result."""
        made = self.made[0] if isinstance(self.made, (list, tuple)) else self.made
        return tuple(made.shape)


def _keys(spec: Any, count: int) -> list[str]:
    """The name of each output."""
    paths = list(_paths_in(spec)) if spec is not None else []
    plain = ["output"] if count == 1 else [f"output_{index}" for index in range(count)]
    if len(paths) != count:
        return plain
    names = ["_".join(each for each in path if isinstance(each, str)) or plain[n] for n, path in enumerate(paths)]
    if len(set(names)) == count:
        return names
    return ["_".join(map(str, path)) for path in paths]


def _paths_in(spec: Any) -> Iterator[tuple[str | int, ...]]:
    """On the way to each tensor of a structure the keys of mappings and the numbers of what else holds several."""
    # Older PyTorch has no method for them.
    children, context = list(spec.children() if hasattr(spec, "children") else spec.children_specs), spec.context
    if not children and spec.num_leaves == 1:
        yield ()
        return
    found = [context, *context[:1]] if isinstance(context, (list, tuple)) else [getattr(context, "_fields", None)]
    keys = next(
        (each for each in found if isinstance(each, (list, tuple)) and len(each) == len(children)), range(len(children))
    )
    for key, child in zip(keys, children, strict=True):
        for path in _paths_in(child):
            yield (key if isinstance(key, int) else str(key), *path)


def _arguments_by_name(node: Any) -> dict[str, Any]:
    """The arguments with their names, defaults included."""
    found: dict[str, Any] = {}
    for index, argument in enumerate(node.target._schema.arguments):
        if index < len(node.args):
            found[argument.name] = node.args[index]
        elif argument.name in node.kwargs:
            found[argument.name] = node.kwargs[argument.name]
        elif argument.has_default_value():
            found[argument.name] = argument.default_value
    return found


def _path(node: Any) -> str:
    """The path of the module that an operation belongs to."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path = str(stack[-1][0]) if stack else ""
    return "/".join(part.partition("@")[0] for part in path.split(".") if part)


_WAYS = {"function": "function", "builtin_function_or_method": "builtin", "method_descriptor": "method"}


def _call(node: Any, modules: Mapping[str, tuple[str, bool]]) -> Call | None:
    """How the code calls an operation; None where the program does not say so. `modules` as of `_modules_of`."""
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    kind, _, name = str((node.meta.get("torch_fn") or ("", ""))[1]).partition(".")
    if not stack or kind not in _WAYS:
        return None
    names = [kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}" for _, kind in stack]
    base, inner = modules.get(str(stack[-1][0]).partition("@")[0], ("", False))
    made = node.meta.get("val")
    first = made[0] if isinstance(made, (list, tuple)) and made else made
    leading = int(first.shape[0]) if len(getattr(first, "shape", ())) else 1
    overload = "" if node.target._overloadname == "default" else node.target._overloadname
    within = tuple(dict.fromkeys(names[:-1]))
    return Call(name, _WAYS[kind], names[-1], base, inner, within, leading, overload=overload)


def _modules_of(module: Any) -> dict[str, tuple[str, bool]]:
    """By its path the class of PyTorch that each module is made of, and whether it has other modules in it."""
    found = {}
    for path, part in module.named_modules(remove_duplicate=False):
        bases = [each for each in type(part).__mro__ if each.__module__.startswith("torch.nn.modules.")]
        found[path] = (f"{bases[0].__module__}.{bases[0].__qualname__}", any(True for _ in part.children()))
    return found


def _inline(module: Any) -> None:
    """Put the operations of regions, as those without autocast, in their place in the graph."""
    graph = module.graph
    for node in list(graph.nodes):
        if node.op != "call_function" or not str(getattr(node.target, "_name", "")).startswith("wrap"):
            continue
        index = next((n for n, item in enumerate(node.args) if getattr(item, "op", "") == "get_attr"), None)
        if index is None:
            continue
        inner = getattr(module, node.args[index].target)
        _inline(inner)
        places = [each for each in inner.graph.nodes if each.op == "placeholder"]
        values = dict(zip(places, node.args[index + 1 :], strict=True))
        with graph.inserting_before(node):
            made = graph.graph_copy(inner.graph, values)
        for user in list(node.users):
            if user.target is operator.getitem:
                user.replace_all_uses_with(made[user.args[1]])
                graph.erase_node(user)
        if isinstance(made, (list, tuple)):
            made = made[0]
        node.replace_all_uses_with(made)
        graph.erase_node(node)


#: Operations that PyTorch itself writes with others, which are read.
_WRITTEN_WITH_OTHERS = frozenset({
    "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell", "baddbmm", "addbmm", "addmv", "hstack", "vstack",
    "dstack", "column_stack", "concatenate", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_tensors", "inner",
    "outer", "ger", "tensordot", "chain_matmul", "linalg_matmul", "linalg_multi_dot", "linalg_vecdot", "absolute",
    "negative", "subtract", "true_divide", "clip", "lerp",
    "std_mean", "var_mean", "aminmax", "special_expit", "special_softmax", "special_log_softmax", "linalg_norm",
    "linalg_matrix_norm", "frobenius_norm", "pairwise_distance", "embedding_bag", "conv_tbc",
})  # fmt: skip

#: Those that they are written with may be such again: `hstack` is `cat` of `atleast_1d`.
_MOST_ROUNDS = 3


def _decomposed(exported: Any) -> Any:
    """The program with operations that PyTorch writes with others as those others."""
    import torch

    for _ in range(_MOST_ROUNDS):
        targets = {node.target for node in exported.graph.nodes if node.op == "call_function"}
        wanted = [target for target in targets if hasattr(target, "_schema") and _kind(target) in _WRITTEN_WITH_OTHERS]
        if not wanted:
            break
        table = torch.export.default_decompositions()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch about its own modules
            exported = exported.run_decompositions({target: table[target] for target in wanted if target in table})
    return exported


def _kind(target: Any) -> str:
    """The name of an operation: aten::add_.Tensor is add_."""
    return str(target._schema.name.partition("::")[2])


def _has_hidden_writes(graph: Any) -> bool:
    """Whether something is overwritten that another tensor is a view of."""
    views: dict[Any, Any] = {}
    order = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if node.op != "call_function" or schema is None or not node.args:
            continue
        if getattr(node.target, "is_view", False):
            views[node] = node.args[0]
        elif schema.name.endswith("_") and hasattr(node.args[0], "op") and _depends(node.args[0]):
            target = node.args[0]
            base = target
            while base in views:
                base = views[base]
            family = [base, *(view for view in views if _base(view, views) is base)]
            for member in family:
                if member is not target and any(order.get(user, 0) > order[node] for user in member.users):
                    return True
            if base is not target and base.op != "placeholder" and not views:
                return True
    return False


def _base(node: Any, views: Mapping[Any, Any]) -> Any:
    while node in views:
        node = views[node]
    return node


def _depends(node: Any) -> bool:
    """Whether a tensor may depend on an input: those that it creates itself do not."""
    name = str(node.target)
    return not any(word in name for word in ("zeros", "ones", "full", "arange"))


def _values_of(tensor: Any) -> tuple[int, int]:
    """What two tensors have in common that are the same values, or the same tensor where there are none."""
    return (id(tensor), 0) if _is_fake(tensor) else (tensor.data_ptr(), tensor.numel())


def _is_fake(tensor: Any) -> bool:
    from torch._subclasses.fake_tensor import FakeTensor

    return isinstance(tensor, FakeTensor) or tensor.is_meta


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _to_numpy(tensor: Any) -> Any:
    """The values as an array of NumPy."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype.is_floating_point else tensor).cpu().numpy()
