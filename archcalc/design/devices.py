"""Devices: what they can calculate and move in a second, each figure with its source."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from archcalc.core.amounts import parse_amount
from archcalc.core.errors import UsageError
from archcalc.core.suggest import did_you_mean
from archcalc.core.words import listed

#: A million times the fastest device there is.
_MOST_FLOPS, _MOST_BANDWIDTH, _MOST_MEMORY = 10**21, 10**19, 1 << 60
_FLOPS = re.compile(r"\s*(?:flops?|ops?)?(?:\s*/\s*s|ps)?\s*$", re.IGNORECASE)
_PER_SECOND = re.compile(r"(?:\s*/\s*s|ps)\s*$", re.IGNORECASE)
#: Gb/s is a billion bits.
_BITS = re.compile(r"\d\s*[kKmMgGtT]i?b\b|bps", re.ASCII)
_SUCH_FLOPS, _SUCH_BANDWIDTH, _SUCH_MEMORY = "500G or 19.5 TFLOP/s", "40GB/s or 1.5 TB/s", "12GiB or 512 MB"
#: The device that a command runs on.
THIS = "this"


@dataclass(frozen=True)
class Device:
    """A device: operations per second by dtype, bytes per second between it and its memory, bytes of that memory.

    A device that is given by its rates has one for all dtypes, under an empty name. `tf32`: the rate of products of
    float32 that are rounded to TF32 first, where it has them. `source_of_rate`: what besides `source` says where the
    rate of a dtype comes from.
    """

    name: str
    title: str
    flops: Mapping[str, int]
    bandwidth: int
    source: str
    memory: int | None = None
    kind: str = ""
    tf32: int | None = None
    source_of_rate: Mapping[str, str] = field(default_factory=dict)

    def source_in(self, dtype: str) -> str:
        """Where the rate in a dtype comes from, and the bandwidth."""
        return self._source([dtype])

    @property
    def whole_source(self) -> str:
        """Where all rates come from."""
        return self._source(self.flops)

    def _source(self, dtypes: Iterable[str]) -> str:
        rates = [f"{dtype}: {self.source_of_rate[dtype]}" for dtype in dtypes if dtype in self.source_of_rate]
        return "; ".join([self.source, *rates])

    def rate(self, dtype: str) -> int:
        """Operations per second in a dtype. Raises `UsageError` where none is known."""
        found = self.flops.get(dtype, self.flops.get(""))
        if found is None:
            known = listed(list(self.flops))
            raise UsageError(
                f"no rate of {self.title} in {dtype} is known, only in {known}: choose it with --dtype, or give "
                f"--flops and --bandwidth"
            )
        return found


@lru_cache(maxsize=1)
def devices() -> Mapping[str, Device]:
    """The devices of the data file by name, in its order."""
    text = Path(__file__).with_name("devices.json").read_text(encoding="utf-8")
    return MappingProxyType({one["name"]: _device(one) for one in json.loads(text)["devices"]})


def _device(data: Mapping[str, str | dict[str, str]]) -> Device:
    texts = {key: value for key, value in data.items() if isinstance(value, str)}
    rates, sources = data["flops"], data.get("source_of_rate", {})
    assert isinstance(rates, dict), "rates are by dtype"
    assert isinstance(sources, dict), "so are their sources"
    return Device(
        texts["name"], texts["title"], {dtype: flops_of(rate) for dtype, rate in rates.items()},
        bandwidth_of(texts["bandwidth"]), texts["source"], memory_of(texts["memory"]), texts["kind"],
        flops_of(texts["tf32"]) if "tf32" in texts else None, sources,
    )  # fmt: skip


def device(name: str) -> Device:
    """A device by its name, `-` or `_` or a space between the words. Raises `UsageError` with the nearest names."""
    key = "-".join(re.split(r"[\s_-]+", name.strip().lower()))
    known = devices()
    if key not in known:
        hint = did_you_mean(key, known) or f"; there are {', '.join(known)}"
        raise UsageError(f"there is no device {name[:60]!r}{hint}")
    return known[key]


def given(flops: str, bandwidth: str) -> Device:
    """A device by its rates as people type them: 500G or 1.3 TFLOP/s, and 40GB/s. Raises `UsageError`."""
    return Device("given", "a device", {"": flops_of(flops)}, bandwidth_of(bandwidth), "as given")


def chosen(name: str | None, flops: str | None, bandwidth: str | None) -> Device | None:
    """The device that is named or given by its rates; None: this machine, which is to be measured.

    Raises `UsageError` for both or neither, and for one rate without the other.
    """
    if name is not None and not (flops is None and bandwidth is None):
        raise UsageError("a device is given by --device, or by --flops and --bandwidth, not by both")
    if name is not None:
        return None if name.strip().lower() == THIS else device(name)
    if flops is not None and bandwidth is None:
        raise UsageError("--flops needs --bandwidth too, as in --bandwidth 40GB/s: a layer waits for one or the other")
    if bandwidth is not None and flops is None:
        raise UsageError("--bandwidth needs --flops too, as in --flops 500G: a layer waits for one or the other")
    if flops is None or bandwidth is None:
        raise UsageError(
            f"which device? --device NAME ({THIS}, {', '.join(devices())}), or both --flops 500G and --bandwidth 40GB/s"
        )
    return given(flops, bandwidth)


def this_device(dtype: str, flops: int, bandwidth: int) -> Device:
    """The machine that it runs on, with the rates that were measured."""
    source = "measured here with numpy: a product of matrices, and a copy, which reads and writes each byte"
    return Device(THIS, "this machine", {dtype: flops}, bandwidth, source)


def flops_of(text: str, option: str = "--flops") -> int:
    """Operations per second: 500G, 19.5 TFLOPS. Raises `UsageError`."""
    amount = parse_amount(_FLOPS.sub("", text), option, _MOST_FLOPS, _SUCH_FLOPS)
    if amount.is_bytes:
        raise UsageError(f"{option} takes operations per second, as in {_SUCH_FLOPS}, not {text[:40]!r}")
    return _at_least_one(int(amount.value), text, option)


def bandwidth_of(text: str, option: str = "--bandwidth") -> int:
    """Bytes per second: 40GB/s, 1.5 TB/s. Raises `UsageError`."""
    amount = parse_amount(_PER_SECOND.sub("", text), option, _MOST_BANDWIDTH, _SUCH_BANDWIDTH)
    if not amount.is_bytes or _BITS.search(text):
        raise UsageError(f"{option} takes bytes per second, as in {_SUCH_BANDWIDTH}, not {text[:40]!r}")
    return _at_least_one(int(amount.value), text, option)


def memory_of(text: str, option: str = "--memory") -> int:
    """Bytes: 12GiB, 16 GB. Raises `UsageError`."""
    amount = parse_amount(text, option, _MOST_MEMORY, _SUCH_MEMORY)
    if not amount.is_bytes:
        raise UsageError(f"{option} takes bytes, as in {_SUCH_MEMORY}, not {text[:40]!r}")
    return int(amount.value)


def _at_least_one(value: int, text: str, option: str) -> int:
    if value < 1:
        raise UsageError(f"{option} must be more than nothing in a second, not {text[:40]!r}")
    return value
