"""Arrays of numpy, where it is installed, else plain ones: all that reads model files takes them from here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
else:
    try:
        import numpy as np
    except ImportError:
        from archcalc.interop import plain as np

__all__ = ["np", "present"]


class _Types(ModuleType):
    """A package of element types, which have names and no values."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


@contextmanager
def present() -> Iterator[None]:
    """Lets the package onnx, which is compiled for browsers, be imported where numpy is not there: it gets `np`."""
    if np.__name__ == "numpy":
        yield
        return
    made = {name: _Types(name) for name in ("numpy", "numpy.typing", "ml_dtypes")}
    vars(made["numpy"]).update(vars(np), __name__="numpy", typing=made["numpy.typing"])
    before = {name: sys.modules.get(name) for name in made}
    sys.modules.update(made)
    try:
        yield
    finally:
        # Other packages ask whether there is numpy, and would use more of it.
        for name, module in before.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module
