"""Functions of a worker's as the host sees them: opaque, known by a handle.

Must not know runs. Invariants: such a function is of Python's own function type, so that code that looks for functions
finds it; called here it raises; the handle of a loaded text's implementation means the same in every worker of its
runtime.
"""

from __future__ import annotations

from rtfs.host.isolation.wire import Nonsense
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Functions:
    """The functions of one worker. shared: those of loaded texts, for all workers of a runtime."""

    __slots__ = ("_own", "shared")

    def __init__(self, shared: dict[str, Any]) -> None:
        self._own: dict[str, Any] = {}
        self.shared = shared

    def function(self, data: Any) -> Any:
        """The function of what a worker tells of one: handle, name, whether it takes nothing. Raises Nonsense."""
        key, name, nothing = data
        if key.__class__ is int:
            return opaque(key, str(name), nothing is True, self)
        if key.__class__ is not str:
            raise Nonsense("a function without a handle")
        known = self.shared if key.startswith(SHARED) else self._own
        found = known.get(key)
        if found is None:
            found = known[key] = opaque(key, str(name), nothing is True, None if known is self.shared else self)
        return found


SHARED = "L"
"""How the handles of loaded texts' functions begin."""


def opaque(key: int | str, name: str, nothing: bool, owner: Functions | None) -> Any:
    """A function that cannot be called here. owner: the worker that it lives in, None for any of its runtime."""

    def without(*arguments: Any) -> Any:
        raise HostError("a function of an isolated run lives in its worker process", code="run/isolated", hint=_HINT)

    def bare() -> Any:
        return without()

    made = bare if nothing else without
    made.__name__ = made.__qualname__ = name
    made.handle = key, owner  # type: ignore[attr-defined]
    return made


_HINT = "have the plan call it, and give what it returns"


def key_of(function: Any, functions: Functions) -> int | str:
    """The handle of a function. Raises HostError `capability/result` for one that a worker cannot call."""
    handle = getattr(function, "handle", None)
    if handle is None or (handle[1] is not None and handle[1] is not functions):
        raise HostError(
            "a function cannot be given to a plan in a worker process", code="capability/result", hint=_HINT
        )
    key: int | str = handle[0]
    return key
