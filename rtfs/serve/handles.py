"""Whole results, kept for a while under short names, for those who were shown only part of them.

Must not know what the results are of. Invariants: only the principal who got a handle can read it; there are never more
than so many bytes, and none outlives its time.
"""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIFE = 3_600.0
"""Seconds that a result is kept."""
MOST = 200
"""Results that are kept of one principal."""
BYTES = 64_000_000
"""Characters of JSON that are kept in all."""


class Kept:
    """A kept result. data: JSON data. size: its characters. until: when it goes, of time.monotonic()."""

    __slots__ = ("data", "principal", "size", "until")

    def __init__(self, principal: str, data: Any, size: int, until: float) -> None:
        self.principal = principal
        self.data = data
        self.size = size
        self.until = until


class Handles:
    """The results of one server, the oldest first."""

    __slots__ = ("_bytes", "_kept", "_next", "life")

    def __init__(self, life: float = LIFE) -> None:
        self.life = life
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes = 0
        self._next = 0

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, principal: str, data: Any, size: int) -> str | None:
        """Keep a result; its handle, or None for one that is larger than all that may be kept. size: its characters."""
        if size > BYTES:
            return None
        self._next += 1
        handle = f"r{self._next}"
        self._kept[handle] = Kept(principal, data, size, monotonic() + self.life)
        self._bytes += size
        own = [name for name, kept in self._kept.items() if kept.principal == principal]
        for name in own[:-MOST]:
            self._drop(name)
        self._sweep()
        return handle

    def read(self, principal: str, handle: str) -> Any:
        """The whole result. Raises HostError `serve/no-result` for a handle that this principal does not have (any
        more)."""
        self._sweep()
        kept = self._kept.get(handle)
        if kept is None or kept.principal != principal:
            raise HostError(
                f"there is no result {handle!r}, or not any more",
                code="serve/no-result",
                hint=f"results are kept for {self.life / 60:.0f} minutes; run the plan again",
            )
        return kept.data

    def named_in(self, principal: str, text: str) -> dict[str, Any]:
        """The results whose handles a plan reads as `@r1`, by handle."""
        if "@r" not in text:
            return {}
        self._sweep()
        return {
            name: kept.data for name, kept in self._kept.items() if kept.principal == principal and f"@{name}" in text
        }

    def _sweep(self) -> None:
        now = monotonic()
        while self._kept:
            name, kept = next(iter(self._kept.items()))
            if kept.until > now and self._bytes <= BYTES:
                return
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._bytes -= self._kept.pop(name).size
