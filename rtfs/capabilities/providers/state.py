"""`ccos.state.kv.*`: a key-value store, each principal's its own; in memory, or wherever the host keeps it.

Must not know files. Invariants: each operation is atomic, also between parallel branches, threads and processes; keys
are told apart as `=` does; no value is larger than `LARGEST`.
"""

from __future__ import annotations

from _thread import allocate_lock

from rtfs.syntax.printer import to_text
from rtfs.values import EvalError, HostError, Keyword, List, Map, Set, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from rtfs.capabilities.permit import Permit

    Make = Callable[[Callable[[], Any]], tuple[Any, Any]]  # told how to get the value that is there

    class Values(Protocol):
        """The store of the values. `ABSENT` means no value."""

        def read(self, permit: Permit, key: str) -> Any: ...

        def change(self, permit: Permit, key: str, make: Make) -> Any:
            """Store the first value that `make` returns, and return its second. At most once for a call's
            `permit.key`."""

        def close(self) -> None: ...


LARGEST = 1024 * 1024
"""Bytes of the largest value, as text."""
_COLLECTIONS = (Vector, List, Set, Map)
ABSENT = object()


class InMemory:
    """Values that go with the process."""

    __slots__ = ("_lock", "_values")

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], Any] = {}
        self._lock = allocate_lock()

    def read(self, permit: Permit, key: str) -> Any:
        """The value of a key, or ABSENT."""
        return self._values.get((permit.principal, key), ABSENT)

    def change(self, permit: Permit, key: str, make: Make) -> Any:
        """See `Values`; what a call did is gone with the process, so it is never made again within one."""
        place = (permit.principal, key)
        with self._lock:
            value, result = make(lambda: self._values.get(place, ABSENT))
            if value is ABSENT:
                self._values.pop(place, None)
            else:
                self._values[place] = value
        return result

    def close(self) -> None:
        """Nothing to do."""


class Store:
    """The operations; its methods are the capabilities."""

    __slots__ = ("values",)

    def __init__(self, values: Values) -> None:
        self.values = values

    def get(self, *arguments: Any, permit: Permit) -> Any:
        """(key default?) → the value, or the default, or nil."""
        key, *default = _arguments("get", arguments, 1, 2)
        value = self.values.read(permit, to_text(key))
        if value is ABSENT:
            return default[0] if default else None
        return value

    def put(self, *arguments: Any, permit: Permit) -> Any:
        """(key value) → the value."""
        key, value = _arguments("put", arguments, 2, 2)
        _fits("put", value)
        return self.values.change(permit, to_text(key), lambda old: (value, value))

    def delete(self, *arguments: Any, permit: Permit) -> Any:
        """(key) → the value that was there, or nil."""
        (key,) = _arguments("delete", arguments, 1, 1)

        def make(old: Callable[[], Any]) -> tuple[Any, Any]:
            value = old()
            return ABSENT, None if value is ABSENT else value

        return self.values.change(permit, to_text(key), make)

    def assoc(self, *arguments: Any, permit: Permit) -> Any:
        """(key k v …) → the new value at key: the map (or vector) there with the pairs added."""
        return self._update("assoc", arguments, 3, permit)

    def dissoc(self, *arguments: Any, permit: Permit) -> Any:
        """(key k …) → the new value at key: the map there without the keys."""
        return self._update("dissoc", arguments, 2, permit)

    def conj(self, *arguments: Any, permit: Permit) -> Any:
        """(key x …) → the new value at key: the collection there with the elements added."""
        return self._update("conj", arguments, 2, permit)

    def restore(self, name: str, arguments: tuple[Any, ...], value: Any, permit: Permit) -> None:
        """Bring about the effect of an operation that gave `value` in an earlier process."""
        if name == "get":
            return
        key = to_text(_arguments(name, arguments, 1, 2 if name in ("put", "delete") else None)[0])
        self.values.change(permit, key, lambda old: (ABSENT if name == "delete" else value, None))

    def _update(self, name: str, arguments: tuple[Any, ...], fewest: int, permit: Permit) -> Any:
        from rtfs.builtins import CORE

        key, *rest = _arguments(name, arguments, fewest, None)

        def make(old: Callable[[], Any]) -> tuple[Any, Any]:
            before = old()
            value = CORE[name](None if before is ABSENT else before, *rest)
            _fits(name, value)
            return value, value

        return self.values.change(permit, to_text(key), make)


def _fits(name: str, value: Any) -> None:
    fits = value.__class__ not in _COLLECTIONS or 2 * len(value) < LARGEST  # an element is a character and a blank
    if fits:
        text = to_text(value)
        fits = len(text if text.isascii() else text.encode("utf-8", "surrogatepass")) <= LARGEST
    if not fits:
        raise HostError(f'"ccos.state.kv.{name}": a value has at most {LARGEST:,} bytes', code="capability/failed")


def _arguments(name: str, arguments: tuple[Any, ...], low: int, high: int | None) -> tuple[Any, ...]:
    """Positional arguments; the canonical form of a call (`{:key k :value v}`, `{:key k :items [x]}`) is spread."""
    if len(arguments) == 1 and arguments[0].__class__ is Map and _KEY in arguments[0]:
        given = arguments[0]
        rest = [given[key] for key in _REST if key in given]
        arguments = (given[_KEY], *([item for part in rest for item in part] if high is None else rest))
    if len(arguments) < low or (high is not None and len(arguments) > high):
        wanted = str(low) if low == high else f"at least {low}" if high is None else f"{low} or {high}"
        raise EvalError("arity", f'"ccos.state.kv.{name}" takes {wanted} arguments, not {len(arguments)}')
    return arguments


_KEY = Keyword("key")
_REST = tuple([Keyword(name) for name in ("default", "value", "pairs", "keys", "items")])
