"""`Caller`: on whose behalf a tool of the server is called, and with which rights.

Must not know transports or tokens. Invariant: a caller has at most the rights of the runtime.
"""

from __future__ import annotations

from hashlib import sha256

from rtfs.host.policy.grants import Grants

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Caller:
    """principal: whose sessions, runs and results these are. allow: grants that narrow the runtime's, or None. scopes:
    of its token; None where there are no tokens. runs_per_minute: that it may start, or None. token: its digest, or
    ""."""

    __slots__ = ("allow", "principal", "runs_per_minute", "scopes", "token")

    def __init__(
        self,
        principal: str,
        allow: Iterable[str] | None = None,
        scopes: frozenset[str] | None = None,
        runs_per_minute: int | None = None,
        token: str = "",
    ) -> None:
        self.principal = principal
        self.allow = None if allow is None else Grants(allow)
        self.scopes = scopes
        self.runs_per_minute = runs_per_minute
        self.token = token


def token_digest(token: str) -> str:
    """The name in memory of a token, or of another secret."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
