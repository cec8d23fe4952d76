"""A made-up provider for the pool's tests: sessions are numbers, calls do what their metadata say."""

from __future__ import annotations

import asyncio
from typing import Any

from rtfs.capabilities.sessions.handler import (
    MaybeSent,
    NotSent,
    Session,
    SessionCall,
    SessionExpired,
    SessionKey,
    fingerprint,
)
from rtfs.capabilities.sessions.limits import PoolLimits
from rtfs.capabilities.sessions.pool import SessionPool
from rtfs.capabilities.sessions.session_events import PoolEvent


class ZzSession(Session):
    def __init__(self, number: int, principal: str) -> None:
        self.label = f"zz-{number}"
        self.number = number
        self.principal = principal
        self.in_flight = 0
        self.most_in_flight = 0


class Zz:
    """Counts everything. `script`: what the next executions do, in order: a value, an exception, or an async function
    of (session, call); when it is used up, a call answers its session's number."""

    def __init__(self) -> None:
        self.opened: list[ZzSession] = []
        self.terminated: list[ZzSession] = []
        self.executed: list[tuple[int, str]] = []
        self.script: list[Any] = []
        self.opening_script: list[Any] = []
        self.opening_seconds = 0.0
        self.terminating_seconds = 0.0
        self.closed = 0
        self.begun = 0

    def session_key(self, call: SessionCall) -> SessionKey:
        server = call.metadata.get("zz_server", "zz://one")
        return SessionKey(server, fingerprint(call.secret), call.principal)

    async def initialize_session(self, call: SessionCall) -> Session:
        self.begun += 1
        if self.opening_seconds:
            await asyncio.sleep(self.opening_seconds)
        if self.opening_script:
            step = self.opening_script.pop(0)
            if isinstance(step, BaseException):
                raise step
        session = ZzSession(len(self.opened) + 1, call.principal)
        self.opened.append(session)
        return session

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        assert isinstance(session, ZzSession)
        assert session.principal == call.principal, "a session was given to another principal"
        assert session not in self.terminated or session.expired
        session.in_flight += 1
        session.most_in_flight = max(session.most_in_flight, session.in_flight)
        self.executed.append((session.number, call.capability_id))
        try:
            seconds = call.metadata.get("zz_seconds", 0)
            if seconds:
                await asyncio.sleep(seconds)
            if self.script:
                step = self.script.pop(0)
                if isinstance(step, BaseException):
                    raise step
                if callable(step):
                    return await step(session, call)
                return step
            return session.number
        finally:
            session.in_flight -= 1

    async def terminate_session(self, session: Session) -> None:
        assert isinstance(session, ZzSession)
        assert session not in self.terminated, "a session was terminated twice"
        self.terminated.append(session)
        if self.terminating_seconds:
            await asyncio.sleep(self.terminating_seconds)

    async def close(self) -> None:
        self.closed += 1


class Bench:
    """A pool over one `Zz`, with its events."""

    def __init__(self, **limits: Any) -> None:
        self.zz = Zz()
        self.events: list[PoolEvent] = []
        self.pool = SessionPool({"zz": self.zz}, limits=PoolLimits(**limits), on_event=self.events.append)

    def call(self, capability_id: str = "zz.a", principal: str = "ann", **fields: Any) -> SessionCall:
        metadata = {key: fields.pop(key) for key in list(fields) if key.startswith("zz_")}
        return SessionCall(capability_id, metadata, {}, principal=principal, **fields)

    async def do(self, capability_id: str = "zz.a", principal: str = "ann", **fields: Any) -> Any:
        return await self.pool.execute_with_session("zz", self.call(capability_id, principal, **fields))

    def names(self) -> list[str]:
        return [event.name.removeprefix("session.") for event in self.events]


expired = SessionExpired
not_sent = NotSent
maybe_sent = MaybeSent
