"""`ccos.state.kv.*`: a key-value store in memory, one a runtime.

Invariant: each operation is atomic, also between parallel branches and threads; keys are told apart as `=` does.
"""

from __future__ import annotations

from _thread import allocate_lock

from rtfs.syntax.printer import to_text
from rtfs.values import EvalError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Store:
    """The store of one runtime; its methods are the capabilities."""

    __slots__ = ("_lock", "_values")

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._lock = allocate_lock()

    def get(self, *arguments: Any) -> Any:
        """(key default?) → the value, or the default, or nil."""
        key, *default = _arguments("get", arguments, 1, 2)
        return self._values.get(_key(key), default[0] if default else None)

    def put(self, *arguments: Any) -> Any:
        """(key value) → the value."""
        key, value = _arguments("put", arguments, 2, 2)
        with self._lock:
            self._values[_key(key)] = value
        return value

    def delete(self, *arguments: Any) -> Any:
        """(key) → the value that was there, or nil."""
        (key,) = _arguments("delete", arguments, 1, 1)
        with self._lock:
            return self._values.pop(_key(key), None)

    def assoc(self, *arguments: Any) -> Any:
        """(key k v …) → the new value at key: the map (or vector) there with the pairs added."""
        return self._update("assoc", arguments, 3)

    def dissoc(self, *arguments: Any) -> Any:
        """(key k …) → the new value at key: the map there without the keys."""
        return self._update("dissoc", arguments, 2)

    def conj(self, *arguments: Any) -> Any:
        """(key x …) → the new value at key: the collection there with the elements added."""
        return self._update("conj", arguments, 2)

    def restore(self, name: str, arguments: tuple[Any, ...], value: Any) -> None:
        """Bring about the effect of an operation that gave `value` in an earlier process."""
        if name == "get":
            return
        key = _key(_arguments(name, arguments, 1, 2 if name in ("put", "delete") else None)[0])
        with self._lock:
            if name == "delete":
                self._values.pop(key, None)
            else:
                self._values[key] = value

    def _update(self, name: str, arguments: tuple[Any, ...], fewest: int) -> Any:
        from rtfs.builtins import CORE

        key, *rest = _arguments(name, arguments, fewest, None)
        key = _key(key)
        with self._lock:
            value = self._values[key] = CORE[name](self._values.get(key), *rest)
        return value


def _arguments(name: str, arguments: tuple[Any, ...], low: int, high: int | None) -> tuple[Any, ...]:
    """Positional arguments; `{:key k :value v}` is spread, and so is `{k v}`, since `(call id :k v)` collects a map."""
    if len(arguments) == 1 and arguments[0].__class__ is Map and high is not None:
        given = arguments[0]
        names = {_KEY, _VALUE} if low == 2 else {_KEY}
        if set(given.keys()) == names:
            arguments = tuple(given.get(key) for key in (_KEY, _VALUE) if key in names)
        elif len(given) == 1 and high == 2:
            ((key, value),) = given.items()
            arguments = (key, value)
    if len(arguments) < low or (high is not None and len(arguments) > high):
        wanted = str(low) if low == high else f"at least {low}" if high is None else f"{low} or {high}"
        raise EvalError("arity", f'"ccos.state.kv.{name}" takes {wanted} arguments, not {len(arguments)}')
    return arguments


_KEY, _VALUE = Keyword("key"), Keyword("value")


def _key(key: Any) -> str:
    return to_text(key)
