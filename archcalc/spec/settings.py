"""Network parameters: defaults, the values of variants and of the user, and their limits."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import Any

from archcalc.core.suggest import did_you_mean
from archcalc.spec.document import Parameter
from archcalc.spec.evaluate import exact, show


def accept(name: str, parameter: Parameter, value: Any) -> Any:
    """The value as expressions see it. Raises `ValueError` in words where it breaks the declaration."""
    if isinstance(value, float) and not isfinite(value):
        raise ValueError(f"{name} must be a finite number, not {value}")
    value = list(value) if isinstance(value, tuple) else exact(value)
    wanted = parameter.type
    fits = {
        "int": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, (int, Fraction)) and not isinstance(value, bool),
        "bool": isinstance(value, bool),
        "str": isinstance(value, str),
        "list": isinstance(value, list),
        "any": True,
    }[wanted]
    words = {"int": "a whole number", "number": "a number", "bool": "true or false", "str": "a word", "list": "a list"}
    if not fits:
        raise ValueError(f"{name} must be {words[wanted]}, not {show(value)}")
    if parameter.choices is not None and value not in [exact(choice) for choice in parameter.choices]:
        raise ValueError(f"{name} can be {', '.join(show(choice) for choice in parameter.choices)}, not {show(value)}")
    limits = (parameter.minimum, parameter.maximum, parameter.above, parameter.multiple_of)
    is_number = isinstance(value, (int, Fraction)) and not isinstance(value, bool)
    if not is_number and any(limit is not None for limit in limits):
        raise ValueError(f"{name} must be a number, not {show(value)}")
    minimum, maximum, above = (exact(limit) for limit in (parameter.minimum, parameter.maximum, parameter.above))
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be at least {show(minimum)}, not {show(value)}")
    if maximum is not None and value > maximum:
        raise ValueError(f"{name} must be at most {show(maximum)}, not {show(value)}")
    if above is not None and value <= above:
        raise ValueError(f"{name} must be greater than {show(above)}, not {show(value)}")
    if parameter.multiple_of is not None and value % parameter.multiple_of:
        raise ValueError(f"{name} must be a multiple of {parameter.multiple_of}, not {show(value)}")
    return value


def settle(declared: Mapping[str, Parameter], *layers_of_values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of all parameters: defaults first, then each mapping over the one before."""
    values = {name: exact(parameter.default) for name, parameter in declared.items() if not parameter.required}
    for given in layers_of_values:
        for name, value in given.items():
            if name not in declared:
                known = f"there are {', '.join(declared)}" if declared else "there are none"
                raise ValueError(f"there is no parameter {name!r}{did_you_mean(name, declared) or '; ' + known}")
            values[name] = accept(name, declared[name], value)
    for name, parameter in declared.items():
        if name not in values:
            raise ValueError(f"the parameter {name!r} has no default and must be set ({parameter.type})")
    return values
