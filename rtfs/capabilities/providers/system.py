"""`ccos.system.*`: time and environment variables. What is granted was decided before."""

from __future__ import annotations

from rtfs.capabilities.providers.arguments import take, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def current_timestamp_ms() -> int:
    """Milliseconds since 1970-01-01T00:00:00Z."""
    from time import time_ns

    return time_ns() // 1_000_000


def current_time() -> str:
    """The time in UTC, as `2026-01-31T12:00:00Z`."""
    from time import gmtime, strftime

    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())


def env_needs(id: str) -> Callable[[tuple[Any, ...]], list[str]]:
    """The resource that a call with these arguments needs: `env:NAME`."""
    return lambda arguments: ["env:" + text(id, "name", take(id, arguments, ("name", "default"), 1)[0])]


def get_env(*arguments: Any) -> Any:
    """(name default?) → the environment variable's text, or the default, or nil."""
    import os

    name, default = take("ccos.system.get-env", arguments, ("name", "default"), 1)
    return os.environ.get(text("ccos.system.get-env", "name", name), default)
