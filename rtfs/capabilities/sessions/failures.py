"""What a caller sees of what a handler raised, or answered that it must not.

Must not know the pool or any provider. Invariant: whatever a handler does wrong becomes a HostError.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import SessionError, _Signal
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_host_error(error: BaseException, doing: str) -> HostError:
    """What a caller sees of anything a handler raised."""
    if isinstance(error, _Signal):
        return error.error
    if isinstance(error, HostError):
        return error
    failure = SessionError(f"the session handler failed {doing}: {type(error).__name__}", code="session/handler")
    failure.__cause__ = error
    return failure


def wrong_answer(method: str, found: object, wanted: str) -> SessionError:
    """The error of a handler whose method answers something else than it has to."""
    kind = "nothing" if found is None else f"a {type(found).__name__}"
    return SessionError(f"the session handler's {method} answered {kind} instead of {wanted}", code="session/handler")


def awaitable(found: Any, method: str) -> Any:
    """What a handler's asynchronous method answered, if it can be awaited. Raises SessionError `session/handler`."""
    if hasattr(found, "__await__"):
        return found
    error = wrong_answer(method, found, "something to await")
    error.hint = f"is it `async def {method}`?"
    raise error
