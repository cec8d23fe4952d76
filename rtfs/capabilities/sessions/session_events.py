"""Session events as values: for the ledger and, printed, for `-v`.

Must not know any provider. Invariant: an event is one printable line and holds no secret.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import one_line

INITIALIZED = "session.initialized"
REUSED = "session.reused"
EXPIRED = "session.expired"
RETRIED = "session.retried"
FAILED = "session.failed"
TERMINATED = "session.terminated"


class PoolEvent:
    """name: `session.initialized`, … provider: the handler's registered name. key: the key's label (no secret).
    capability_id: of the call that caused it, or None (idle time, close). session: the session's label, or None.
    count: calls given to this session so far. detail: what else there is to say, or "".
    """

    __slots__ = ("capability_id", "count", "detail", "key", "name", "provider", "session")

    def __init__(
        self,
        name: str,
        provider: str,
        key: str,
        capability_id: str | None = None,
        session: str | None = None,
        count: int = 0,
        detail: str = "",
    ) -> None:
        self.name = name
        self.provider = provider
        self.key = key
        self.capability_id = capability_id
        self.session = session
        self.count = count
        self.detail = detail

    def __str__(self) -> str:
        parts = [self.name, self.provider, self.key]
        if self.session:
            parts.append(self.session)
        if self.capability_id:
            parts.append(self.capability_id)
        if self.count:
            parts.append(f"calls={self.count}")
        if self.detail:
            parts.append(self.detail)
        return one_line(" ".join(parts), 600)

    def __repr__(self) -> str:
        return f"<{self}>"
