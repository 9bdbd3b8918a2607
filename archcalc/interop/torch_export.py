"""Reads what torch.export makes of a PyTorch module: saved programs (`.pt2`), modules and callables.

Modules are traced on fake tensors: no weight is read, and a module on the device `meta` costs no memory.
"""

from __future__ import annotations

import importlib
import inspect
import math
import operator
import re
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from archcalc.core.errors import UsageError
from archcalc.core.shapes import Shape
from archcalc.graph.inputs import InputShapes, given_inputs
from archcalc.interop.foreign import ForeignNetwork
from archcalc.interop.keras_live import is_keras, read_model
from archcalc.interop.program import Program
from archcalc.interop.recognise import recognise
from archcalc.interop.torch_files import first_line, load_program, silent, torch_or_error
from archcalc.interop.torch_program import SMALL, program_of


def read(path: str | Path, name: str | None = None, shape: InputShapes | None = None) -> ForeignNetwork:
    """The network of a program that `torch.export.save` wrote; `shape` is for one that was saved for several sizes.

    Raises `UsageError` for a file that is none, or that holds pickled objects.
    """
    return recognise(read_program(path, name, shape))


def read_program(path: str | Path, name: str | None = None, shape: InputShapes | None = None) -> Program:
    """The program in a `.pt2` file, with its weights."""
    path = Path(path)
    exported = load_program(path)
    return program_of(_of_one_size(exported, str(path), shape), name or path.stem)


def _of_one_size(exported: Any, path: str, given: InputShapes | None) -> Any:
    """The program for inputs of fixed sizes, traced again where it was saved for several; a batch of any size is 1."""
    torch = torch_or_error()
    user = set(exported.graph_signature.user_inputs)
    inputs = {
        node.name: node.meta["val"]
        for node in exported.graph.nodes
        if node.op == "placeholder" and node.name in user and isinstance(node.meta.get("val"), torch.Tensor)
    }
    if all(isinstance(size, int) for tensor in inputs.values() for size in tensor.shape):
        return exported
    shapes = {} if given is None else given_inputs(path, list(inputs), given)
    example = []
    for key, tensor in inputs.items():
        batch, *sizes = tensor.shape
        sizes = list(shapes.get(key, sizes))
        if not all(isinstance(size, int) for size in sizes):
            shown = "×".join(map(str, tensor.shape))[:200]
            raise UsageError(f"{path}: the input {key!r} is {shown}, without a fixed size; give one with --input")
        example.append(torch.zeros(batch if isinstance(batch, int) else 1, *sizes, dtype=tensor.dtype))
    try:
        with warnings.catch_warnings(), silent():
            warnings.simplefilter("ignore")  # of PyTorch about its own modules
            return torch.export.export(exported.module(), tuple(example), strict=False)
    except Exception as error:
        raise UsageError(f"{path}: torch.export cannot trace it for this size: {_reason(error)}") from error


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
        package = importlib.import_module(module_name)
    except ImportError as error:
        raise UsageError(f"py:{target}: {first_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise UsageError(f"py:{target}: importing it raises {type(error).__name__}: {first_line(error)}") from error
    try:
        found = operator.attrgetter(attribute)(package)
    except AttributeError as error:
        raise UsageError(f"py:{target}: {first_line(error)}") from error
    try:
        module = made(found, **dict(call or {}))
    except (Exception, SystemExit) as error:
        raise UsageError(f"py:{target} raises {type(error).__name__}: {first_line(error)}") from error
    name = attribute.rpartition(".")[2]
    if is_keras(module):
        return read_model(module, input)
    _want_sizes(module, input)
    if input is not None:
        return from_module(module, input, name=name)
    try:
        found = from_module(module, (3, 224, 224), name=name)
    except UsageError as error:
        text = str(error).rstrip(".")
        raise UsageError(f"{text}; no --input was given, and 224×224×3 is taken") from error
    return replace(found, notes=(*found.notes, "no --input was given: 224×224×3 is taken"))


def _want_sizes(module: Any, given: Any) -> None:
    """Raise `UsageError` where a module is called with several arguments and the sizes of all are not given."""
    known = inspect.signature(module.forward).parameters.values() if hasattr(module, "forward") else ()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [each.name for each in known if each.kind in kinds and each.default is each.empty]
    missing = [name for name in needed if not isinstance(given, Mapping) or name not in given]
    if len(needed) > 1 and missing:
        shown = ",".join(f"{name}=224x224x3" for name in needed[:8])
        raise UsageError(f"{type(module).__name__} needs a size for each of its inputs, as in --input {shown}")


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
    exported: Any = None
    fault: Exception | None = None
    try:
        for integers in _integers(torch, example):
            try:
                given, args, kwargs = on_fake_tensors(module, example, integers)
                with torch.no_grad(), warnings.catch_warnings(), silent():
                    warnings.simplefilter("ignore")  # of PyTorch about its own modules
                    exported = torch.export.export(given, args, kwargs, strict=False)
                break
            except UsageError:
                raise
            except Exception as error:
                fault = fault or error
                if not _WANTS_INTEGERS.search(str(fault)):
                    break
    finally:
        for part in was_training:
            part.training = True
    if fault is not None and exported is None:
        raise UsageError(f"torch.export cannot trace {type(module).__name__}: {_reason(fault)}") from fault
    return program_of(exported, name or type(module).__name__, module)


def _reason(fault: Exception) -> str:
    """Why PyTorch cannot trace a module, in one line."""
    kind = type(fault).__name__
    if "DataDependent" in kind:
        return f"what it does depends on the values of its input, not on their sizes alone: {first_line(fault)}"
    return f"{kind}: {first_line(fault)}"


#: What PyTorch says where numbers of rows are to be whole: "Expected … scalar types: Long, Int".
_WANTS_INTEGERS = re.compile(r"\blong\b|LongTensor", re.IGNORECASE)


def _integers(torch: Any, example: Any) -> Iterator[Collection[Any]]:
    """Which inputs are whole numbers, as numbers of words are: none; where that fails all, or one after another."""
    yield ()
    several = example.items() if isinstance(example, Mapping) else enumerate(example)
    made = [key for key, value in several if not isinstance(value, torch.Tensor)]
    if isinstance(example, torch.Tensor):
        return
    yield made
    if len(made) > 1:
        yield from ([key] for key in made)


def on_fake_tensors(
    module: Any, example: Any, integers: Collection[Any] = ()
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """The module and what it is called with; tensors of the device `meta` become fake ones of the CPU.

    `integers`: the inputs, by name or in their order, for which tensors of whole numbers are made.
    """
    import copy

    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    tensors = {id(tensor): tensor for tensor in [*module.parameters(), *module.buffers()]}
    like = next(filter(torch.is_floating_point, tensors.values()), None)
    args, kwargs = _arguments(torch, example, None if like is None else like.dtype, integers)
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
    kwargs = {name: mode.from_tensor(value) for name, value in kwargs.items()}
    return copy.deepcopy(module, memo), args, kwargs


def _arguments(
    torch: Any, example: Any, dtype: Any, integers: Collection[Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the module is called with; tensors that are made are of its own type, or whole numbers."""

    def make(key: Any, value: Any) -> Any:
        return _tensor(torch, torch.int64 if key in integers else dtype, value)

    if isinstance(example, torch.Tensor):
        return (example,), {}
    if isinstance(example, Mapping):
        return (), {key: make(key, value) for key, value in example.items()}
    if isinstance(example, Sequence) and example and all(isinstance(size, int) for size in example):
        return (make(0, example),), {}
    if isinstance(example, Sequence) and example:
        return tuple([make(index, value) for index, value in enumerate(example)]), {}
    raise UsageError(f"an example is a shape (channels, *positions), a tensor, or several: {example!r}")


def _tensor(torch: Any, dtype: Any, value: Any) -> Any:
    """A tensor for a shape without its batch; a tensor itself."""
    if isinstance(value, torch.Tensor):
        return value
    if isinstance(value, Sequence) and value and all(isinstance(size, int) and size > 0 for size in value):
        return torch.zeros(1, *value, dtype=dtype)
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
            if func in makers and kwargs.get("device") is None and _is_large(_sizes(args, kwargs)):
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


def _sizes(args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[int]:
    """The sizes of a tensor that is asked for."""
    sizes = kwargs.get("size", args)
    found = []
    for size in sizes if isinstance(sizes, Sequence) else (sizes,):
        found += [each for each in (size if isinstance(size, Sequence) else (size,)) if isinstance(each, int)]
    return found


def _is_large(sizes: Sequence[int]) -> bool:
    """Whether a tensor is not made in memory; biases are, as whether they are zeros is asked for."""
    return math.prod(sizes) > (SMALL if len(sizes) == 1 else SMALL >> 8)
