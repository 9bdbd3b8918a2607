"""Reads what torch.export makes of a PyTorch module: saved programs (`.pt2`), modules and callables.

Modules are traced on fake tensors: no weight is read, and a module on the device `meta` costs no memory.
"""

from __future__ import annotations

import importlib
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.interop.aten import TRANSLATIONS, fold
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.program import Constant, Node, Program, Role, Value
from archcalc.interop.recognise import recognise
from archcalc.interop.torch_files import first_line, load_program, torch_or_error

#: Integer buffers and constants up to this size are read when a module is traced: they hold indices.
_SMALL = 1 << 20


def read(path: str | Path, name: str | None = None) -> ForeignNetwork:
    """The network of a program that `torch.export.save` wrote.

    Raises `UsageError` for a file that is none, or that holds pickled objects.
    """
    return recognise(read_program(path, name))


def read_program(path: str | Path, name: str | None = None) -> Program:
    """The program in a `.pt2` file, with its weights."""
    path = Path(path)
    exported = load_program(path)
    return program_of(exported, name or path.stem)


def from_module(module: Any, example: Any, name: str | None = None) -> ForeignNetwork:
    """The network of a module at inference.

    Args:
        module: A `torch.nn.Module`. Its weights are not read.
        example: The shape of its input, (channels, *positions) without the batch; or a tensor, or a tuple or a mapping
            of tensors (by argument), as the module is called with.
        name: What the network is called; the name of its class if it is not given.

    Raises `UsageError` where torch.export cannot trace it.

    """
    return recognise(trace(module, example, name))


def from_callable(
    target: str,
    call: Mapping[str, Any] | None = None,
    input: Shape | Mapping[str, Shape] | None = None,  # noqa: A002  # as the option is called
) -> ForeignNetwork:
    """The network that a function makes: `package.module:callable`, called with the settings of `call`.

    This imports the package and runs the function.
    """
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise UsageError(f"{target!r} names no function: it is written package.module:callable")
    torch_or_error()
    try:
        found = operator.attrgetter(attribute)(importlib.import_module(module_name))
    except (ImportError, AttributeError) as error:
        raise UsageError(f"py:{target}: {first_line(error)}") from error
    try:
        module = made(found, **dict(call or {}))
    except Exception as error:
        raise UsageError(f"py:{target} raises {type(error).__name__}: {first_line(error)}") from error
    shape: Any = (3, 224, 224) if input is None else input
    return from_module(module, shape, name=attribute.rpartition(".")[2])


def made(make: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    """What a function makes, without memory for large weights where it can be made so."""
    try:
        with without_weights():
            return make(*args, **settings)
    except (RuntimeError, NotImplementedError):
        return make(*args, **settings)  # it computes with its weights while it is made


def trace(module: Any, example: Any, name: str | None = None) -> Program:
    """The program of a module at inference, traced on fake tensors."""
    torch = torch_or_error()
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"a torch.nn.Module is wanted, this is {type(module).__name__}")
    was_training = [part for part in module.modules() if part.training]
    module.eval()
    try:
        whole, args, kwargs = on_fake_tensors(module, example)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch about its own modules
            exported = torch.export.export(whole, args, kwargs, strict=False)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(
            f"torch.export cannot trace {type(module).__name__}: {type(error).__name__}: {first_line(error)}"
        ) from error
    finally:
        for part in was_training:
            part.training = True
    return program_of(exported, name or type(module).__name__)


def on_fake_tensors(module: Any, example: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """The module and what it is called with; tensors of the device `meta` become fake ones of the CPU."""
    import copy

    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    args, kwargs = _arguments(torch, example)
    tensors = {id(tensor): tensor for tensor in [*module.parameters(), *module.buffers()]}
    if not any(tensor.is_meta for tensor in tensors.values()):
        return module, args, kwargs
    memo: dict[int, Any] = {}
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        for key, tensor in tensors.items():
            if tensor.is_meta:
                fake = torch.empty(tensor.shape, dtype=tensor.dtype)
                is_parameter = isinstance(tensor, torch.nn.Parameter)
                memo[key] = torch.nn.Parameter(fake, tensor.requires_grad) if is_parameter else fake
            else:
                memo[key] = tensor
    args = tuple([mode.from_tensor(value) if isinstance(value, torch.Tensor) else value for value in args])
    return copy.deepcopy(module, memo), args, kwargs


def _arguments(torch: Any, example: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the module is called with."""
    if isinstance(example, torch.Tensor):
        return (example,), {}
    if isinstance(example, Mapping):
        made = {key: _tensor(torch, value) for key, value in example.items()}
        return (), made
    if isinstance(example, Sequence) and example and all(isinstance(size, int) for size in example):
        return (_tensor(torch, example),), {}
    if isinstance(example, Sequence) and example:
        return tuple([_tensor(torch, value) for value in example]), {}
    raise UsageError(f"an example is a shape (channels, *positions), a tensor, or several: {example!r}")


def _tensor(torch: Any, value: Any) -> Any:
    """A tensor for a shape without its batch; a tensor itself."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(size, int) and size > 0 for size in value):
        return torch.zeros(1, *value)
    raise UsageError(f"a shape is whole numbers from 1 on, (channels, *positions): {value!r}")


@contextmanager
def without_weights() -> Iterator[None]:
    """Large tensors that are made here go to the device `meta`: they have a shape and no memory."""
    torch = torch_or_error()
    from torch.overrides import TorchFunctionMode

    makers = {torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn, torch.full}

    class Large(TorchFunctionMode):  # type: ignore[misc,unused-ignore]  # torch may be untyped
        """Makes large tensors on `meta`, and leaves those that are there as they are."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = dict(kwargs or {})
            if func in makers and kwargs.get("device") is None and _count(args, kwargs) > _SMALL >> 8:
                kwargs["device"] = "meta"
            return func(*args, **kwargs)

    filled = torch.nn.init._no_grad_trunc_normal_

    def leave(tensor: Any, *args: Any, **kwargs: Any) -> Any:
        return tensor if tensor.is_meta else filled(tensor, *args, **kwargs)

    torch.nn.init._no_grad_trunc_normal_ = leave
    try:
        with Large():
            yield
    finally:
        torch.nn.init._no_grad_trunc_normal_ = filled


def _count(args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """Number of values of a tensor that is asked for."""
    sizes = kwargs.get("size", args)
    count = 1
    for size in sizes if isinstance(sizes, Sequence) else (sizes,):
        for each in size if isinstance(size, Sequence) else (size,):
            count *= each if isinstance(each, int) else 1
    return count


def program_of(exported: Any, name: str) -> Program:
    """The program of a `torch.export.ExportedProgram`."""
    return _Reader(exported, name).program()


class _Reader:
    """Goes through the graph of an exported program."""

    def __init__(self, exported: Any, name: str) -> None:
        self.torch = torch_or_error()
        self.exported, self.name = exported, name
        self.constants: dict[str, Constant] = {}
        self.values: dict[str, Value] = {}
        self.nodes: list[Node] = []
        self.inputs: list[str] = []
        #: The value or constant that a node of the graph is now: an operation in place makes a new one.
        self.now: dict[str, str] = {}
        #: Tensors that do not depend on the input and are known, by the name of their node.
        self.known: dict[str, Any] = {}
        self.names: dict[int, str] = {}

    def program(self) -> Program:
        """The whole."""
        graph = self.exported.graph
        _inline(self.exported.graph_module)
        if _has_hidden_writes(graph):
            self.exported = self.exported.run_decompositions({})
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
        unused = {
            key.replace(".", "/"): tensor.numel()
            for key, tensor in everything.items()
            if self.names.get(id(tensor), "") not in used
        }
        notes = []
        if unused:
            blocks = sorted({key.partition("/")[0] for key in unused})
            notes.append(
                f"{sum(unused.values()):,} parameters are not used at inference and left out: {', '.join(blocks)}"
            )
        program = Program(
            self.name, tuple(self.inputs), tuple(self.nodes), outputs, self.values, self.constants, tuple(notes)
        )
        program.check()
        return program

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
        if is_real and role != "parameter" and tensor.numel() <= _SMALL:
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
            self.fixed(node)
            return
        if made is None or not hasattr(node.target, "_schema"):
            return
        kind = node.target._schema.name.partition("::")[2]
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
        outputs = tuple(name for name in outputs if name in self.values)
        self.nodes.append(Node(op, tuple(inputs), outputs, attributes, _path(node), f'node "{node.name}"'))
        if kind.endswith("_") and not kind.startswith("_") and node.args:
            self.overwrite(node.args[0], outputs[0])

    def overwrite(self, target: Any, name: str) -> None:
        """What an operation in place wrote to is its result from now on."""
        self.now[target.name] = name

    def fixed(self, node: Any) -> None:
        """A tensor that is the same for every input."""
        tensor = self.known[node.name]
        if not isinstance(tensor, self.torch.Tensor):
            return
        name = f"constants/{node.name}"
        self.now[node.name] = name
        values = tuple(tensor.flatten().tolist()) if tensor.numel() <= 64 else None
        self.constants[name] = Constant(
            name, tuple(tensor.shape), _dtype(tensor), "constant", partial(_to_numpy, tensor), values
        )

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
    keys = list(spec.context) if getattr(spec, "type", None) is dict or "OrderedDict" in str(spec.type) else []
    if spec is not None and len(keys) == count:
        return [str(key) for key in keys]
    return ["output"] if count == 1 else [f"output_{index}" for index in range(count)]


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


def _is_fake(tensor: Any) -> bool:
    from torch._subclasses.fake_tensor import FakeTensor

    return isinstance(tensor, FakeTensor) or tensor.is_meta


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _to_numpy(tensor: Any) -> Any:
    """The values as an array of NumPy."""
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype.is_floating_point else tensor).cpu().numpy()
