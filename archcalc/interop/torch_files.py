"""Programs of `torch.export.save` as files: what is checked before PyTorch reads one, and what it may not do then."""

from __future__ import annotations

import json
import logging
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

from archcalc.core.archives import DAMAGED
from archcalc.core.errors import UsageError
from archcalc.core.files import note_archive

#: No program with its weights is larger, packed or not: 32 billion parameters of 4 bytes.
LARGEST_PROGRAM = 128 << 30
#: The operations of a program, as text, are not larger.
LARGEST_OPERATIONS = 512 << 20
#: Nothing is packed tighter: torch.export.save does not pack at all.
_MOST_PACKED = 50
#: What holds the operations in a program that torch.export.save wrote, now and until PyTorch 2.7.
_PROGRAMS = ("/models/model.json", "serialized_exported_program.json")


def load_program(path: Path) -> Any:
    """The `ExportedProgram` in a `.pt2` file. Raises `UsageError` for a file that is none, or that needs unpickling."""
    note_archive(path, LARGEST_PROGRAM, "program of torch.export.save")
    torch = torch_or_error()
    _refuse_pickles(path)
    try:
        with _weights_only(torch), _without_log(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch, about pickles that it then refuses
            return torch.export.load(path)
    except pickle.UnpicklingError as error:  # PyTorch's own advice is to load the object all the same
        raise UsageError(
            f"{path}: it holds a pickled object that is no tensor, which archcalc does not load"
        ) from error
    except Exception as error:
        # Without the line of PyTorch's code that it was found in, and without its guesses.
        reason = re.sub(r"^\[[^]]*\]\W*", "", first_line(error)).partition(". ")[0][:150]
        raise UsageError(
            f"{path}: it is damaged, or no program that this PyTorch or an older one saved with torch.export: {reason}"
        ) from error


def torch_or_error() -> Any:
    """The library, or the one line that says how to install it."""
    try:
        import torch
        import torch.export
    except ImportError as error:
        raise UsageError("PyTorch is not installed: pip install torch") from error
    return torch


def first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:300]


def _refuse_pickles(path: Path) -> None:
    """Raise `UsageError` for a file that is no archive, or that holds objects which only unpickling reads."""
    try:
        with zipfile.ZipFile(path) as archive:
            if not any(name.endswith(_PROGRAMS) for name in archive.namelist()):
                raise UsageError(f"{path}: this is no program of torch.export.save: there is no model.json in it")
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST_PROGRAM:
                raise UsageError(f"{path}: what is packed in it is larger than {LARGEST_PROGRAM >> 30} GiB")
            for entry in archive.infolist():
                if entry.file_size > _MOST_PACKED * max(entry.compress_size, 1 << 20):
                    raise UsageError(
                        f"{path}: {entry.filename[:200]} has {entry.file_size:,} bytes packed in "
                        f"{entry.compress_size:,}, which no program of torch.export.save has"
                    )
                if entry.filename.endswith(_PROGRAMS) and entry.file_size > LARGEST_OPERATIONS:
                    raise UsageError(f"{path}: {entry.filename[:200]} is larger than {LARGEST_OPERATIONS >> 20} MiB")
            for name in archive.namelist():
                if name.endswith(("weights_config.json", "constants_config.json")):
                    if archive.getinfo(name).file_size > 1 << 26:
                        raise UsageError(f"{path}: {name} is larger than 64 MiB")
                    entries = json.loads(archive.read(name)).get("config", {})
                    pickled = [
                        key for key, entry in entries.items() if isinstance(entry, dict) and entry.get("use_pickle")
                    ]
                    if pickled:
                        raise UsageError(f"{path}: {pickled[0]} is a pickled object, which archcalc does not load")
    except (*DAMAGED, AttributeError) as error:
        raise UsageError(f"{path}: this is no program of torch.export.save: {first_line(error)}") from error


@contextmanager
def silent() -> Iterator[None]:
    """PyTorch does not log or print what led to an error here, as the graph until then; the error says its reason."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(level)


@contextmanager
def _without_log() -> Iterator[None]:
    """PyTorch's warnings, which have a traceback, are not printed; a filter raises what they are about."""
    logger = logging.getLogger("torch.export")

    def raise_cause(record: logging.LogRecord) -> bool:
        if record.exc_info and record.exc_info[1] is not None:
            raise record.exc_info[1]
        return False

    logger.addFilter(raise_cause)
    try:
        yield
    finally:
        logger.removeFilter(raise_cause)


@contextmanager
def _weights_only(torch: Any) -> Iterator[None]:
    """Nothing but tensors is loaded here; an object that needs unpickling raises."""
    load, loads, load_object = torch.load, pickle.loads, torch._C._pickle_load_obj

    def tensors(*args: Any, **kwargs: Any) -> Any:
        return load(*args, **{**kwargs, "weights_only": True})

    def refuse(*_: Any, **__: Any) -> Any:
        raise UsageError("it holds a pickled object, which archcalc does not load")

    torch.load, pickle.loads, torch._C._pickle_load_obj = tensors, refuse, refuse
    try:
        yield
    finally:
        torch.load, pickle.loads, torch._C._pickle_load_obj = load, loads, load_object
