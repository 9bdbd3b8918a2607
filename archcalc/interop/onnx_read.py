"""ONNX models as networks: read from a file or given as a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from archcalc.graph.inputs import InputShapes
from archcalc.interop.onnx_file import OnnxFile, import_onnx, open_model

if TYPE_CHECKING:
    import onnx

    from archcalc.interop.foreign import ForeignNetwork
    from archcalc.interop.program import Program


def read(path: str | Path, input_shape: InputShapes | None = None) -> ForeignNetwork:
    """The network in an ONNX file. Its weights stay in the file until they are asked for.

    Args:
        path: The file; `-` is stdin.
        input_shape: (channels, *positions) without the batch, of several inputs by name; needed for an axis without
            a fixed size. A batch without one is 1.

    Raises `UsageError` for what cannot be read, naming the node.

    """
    return from_onnx(path, input_shape)


def from_onnx(source: str | Path | onnx.ModelProto, input_shape: InputShapes | None = None) -> ForeignNetwork:
    """The network of an ONNX file, or of a model of the package `onnx`. As `read`."""
    from archcalc.interop.recognise import recognise
    from archcalc.interop.written import with_written

    program = read_program(source, input_shape)
    return with_written(recognise(program), program)


def read_program(source: str | Path | onnx.ModelProto, input_shape: InputShapes | None = None) -> Program:
    """An ONNX model as a program: operations on tensors of concrete sizes, with the batch. As `read`."""
    from archcalc.interop.decomposed import with_patterns
    from archcalc.interop.onnx_graph import prepare
    from archcalc.interop.onnx_tidy import tidy
    from archcalc.interop.onnx_trace import Trace
    from archcalc.interop.recognise_batch import batch_axes

    if isinstance(source, (str, Path)):
        file = open_model(source)
    else:
        import_onnx("a model")
        file = OnnxFile(source.graph.name or "model", source, {}, lambda _: b"")
    trace = Trace(file, prepare(file.name, file.model, file.spans, input_shape))
    program = trace.program()
    batch = batch_axes(program)
    if any(program.batch.get(name) != axis for name, axis in batch.items()):
        # Once more, as the axis without a fixed size is another one.
        trace = Trace(file, prepare(file.name, file.model, file.spans, input_shape, batch))
        program = trace.program()
    return with_patterns(tidy(program, trace.is_quick))
