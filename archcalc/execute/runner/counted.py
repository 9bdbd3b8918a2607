"""Arrays that count the multiplications they take part in: the instrument of `archcalc run --count`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archcalc.execute.kernels import Array

#: numpy functions that multiply without being a ufunc. None of the counted kernels may use them.
_UNSEEN = {np.dot, np.vdot, np.inner, np.outer, np.einsum, np.tensordot, np.kron, np.convolve, np.correlate}


@dataclass
class Counter:
    """Multiplications seen so far."""

    multiplications: int = 0


class Counted(np.ndarray[Any, Any]):
    """An array that adds to its counter what `*` and `@` really multiply, zeros of the padding included.

    Views and slices keep counting. Results are plain arrays, so that nothing is counted twice.
    """

    counter: Counter

    def __array_finalize__(self, source: Any) -> None:
        self.counter = getattr(source, "counter", Counter())

    def __array_ufunc__(self, ufunc: np.ufunc, method: Any, *inputs: Any, **keywords: Any) -> Any:
        plain = [np.asarray(each) if isinstance(each, Counted) else each for each in inputs]
        result = getattr(ufunc, method)(*plain, **keywords)
        if ufunc is np.matmul:
            # (m×k) @ (k×n) makes m·n results of k products each.
            self.counter.multiplications += int(np.size(result)) * int(np.shape(plain[0])[-1])
        elif ufunc is np.multiply and method == "__call__":
            self.counter.multiplications += int(np.size(result))
        return result

    def __array_function__(
        self, func: Callable[..., Any], types: Iterable[Any], args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        if func in _UNSEEN:
            raise TypeError(f"the products of numpy.{func.__name__} cannot be counted")
        return super().__array_function__(func, types, args, kwargs)


def counted(array: Array, counter: Counter) -> Array:
    """The array, seen through the instrument."""
    view = np.asarray(array).view(Counted)
    view.counter = counter
    return view
