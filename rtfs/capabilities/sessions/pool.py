"""The session pool: every call that needs a session goes through it, whatever the provider.

Must not know any provider's name or protocol; which session a call gets is the business of `lanes`. Invariants: a call
is sent again only where nothing can happen twice: the handler said the server has not acted on it, or the call is
idempotent; an expired session is healed at most twice a call, each time by one initialisation for all its callers; once
any attempt may have been executed, no error says that nothing was done.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from rtfs.capabilities.sessions import session_events
from rtfs.capabilities.sessions.handler import (
    PRINCIPAL,
    RUN,
    MaybeSent,
    NotSent,
    SessionError,
    SessionExpired,
    SessionKey,
    as_host_error,
    awaitable,
    scope_of,
    wrong_answer,
)
from rtfs.capabilities.sessions.lanes import Lane, Lanes, Slot
from rtfs.capabilities.sessions.limits import PoolLimits
from rtfs.capabilities.sessions.session_events import PoolEvent
from rtfs.values.error import HostError, InternalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any

    from rtfs.capabilities.sessions.handler import Session, SessionCall, SessionHandler
    from rtfs.capabilities.sessions.questions import Answer, Question

_BACKOFF = (0.05, 0.2, 0.5, 1.0)
"""Seconds before the second, third, … attempt of a call, where the server names none."""

_TOO_LATE = 0.05
"""A call that has waited for a session is no longer sent if it has fewer seconds left than this: its answer would come
too late, but it might have been performed."""

_HEALINGS = 2
"""How often a call is sent again because the server did not know its session: each time it has not acted on it."""

_RUN_MARK, _CALL_MARK = "run ", "call "

_COUNTED = {
    session_events.INITIALIZED: "initialized",
    session_events.REUSED: "reused",
    session_events.EXPIRED: "expired",
    session_events.RETRIED: "retried",
    session_events.FAILED: "failed",
    session_events.TERMINATED: "terminated",
}


class SessionPool:
    """The sessions of one runtime, for every registered handler.

    handlers: name -> handler; looked up at each call, so handlers may be added later. limits: see `PoolLimits`.
    on_event: called with a `PoolEvent` for what happens to sessions; it must not wait, and its errors are dropped.
    All methods belong to one event loop, the one of the first call.
    """

    def __init__(
        self,
        handlers: Mapping[str, SessionHandler],
        *,
        limits: PoolLimits | None = None,
        on_event: Callable[[PoolEvent], object] | None = None,
    ) -> None:
        self.handlers = handlers
        self.limits = limits or PoolLimits()
        self._on_event = on_event
        self._lanes = Lanes(self.limits, self._emit)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._counts = dict.fromkeys(_COUNTED.values(), 0)
        self._calls = 0
        self._running: set[_Attempt] = set()

    async def execute_with_session(self, provider: str, call: SessionCall) -> Any:
        """Perform a call through a session of its server, credential and principal; answers the RTFS value.

        Raises HostError: what the server answered (`capability/failed`), or `session/…`: `unavailable` `unauthorized`
        `expired` `outcome-unknown` `timeout` `limit` `protocol` `closed` and the handler's own.
        """
        return await self.with_session(provider, call, self._handler(provider).execute_with_session)

    async def get_or_create_session(self, provider: str, call: SessionCall) -> Session:
        """The session that the call would use, opened if there is none. It stays the pool's to end."""

        async def itself(session: Session, _: SessionCall) -> Session:
            return session

        session: Session = await self.with_session(provider, call, itself)
        return session

    async def with_session(
        self, provider: str, call: SessionCall, operation: Callable[[Session, SessionCall], Awaitable[Any]]
    ) -> Any:
        """Run any operation of a handler (listing tools, say) under the same rules as a call. Errors as there."""
        self._bind()
        handler = self._handler(provider)
        try:
            key = handler.session_key(call)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            raise self._named(as_host_error(error, "to name the session of a call"), call) from error
        if not isinstance(key, SessionKey):
            raise self._named(wrong_answer("session_key", key, "a SessionKey"), call)
        lane = self._lanes.lane(provider, handler, key, owner := self._owner(handler, call))
        until = call.deadline
        if until is None and self.limits.call_seconds is not None:
            until = monotonic() + self.limits.call_seconds
        self._calls += 1
        attempt = _Attempt(lane, call, operation, until)
        if until is not None and until <= monotonic():
            late = SessionError("the call's time was up before it began", code="session/timeout")
            raise self._named(late, call)
        attempt.call = call.asking(attempt.ask if call.ask is not None else None)
        attempt.call.take_time = attempt.take_time
        try:
            async with asyncio.timeout(None if until is None else until - monotonic()) as timer:
                attempt.timer = timer
                self._running.add(attempt)
                return await self._perform(attempt)
        except TimeoutError as error:
            if not timer.expired():
                raise self._named(as_host_error(error, "in a call"), call) from error
            raise self._named(attempt.late(), call) from None
        except HostError as error:
            raise self._named(error, call) from error.__cause__
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # SystemExit and its like would end the event loop, and every session with it
            raise self._named(as_host_error(error, "in a call"), call) from error
        finally:
            self._running.discard(attempt)
            if attempt.over is not None:
                attempt.over.set_result(None)
            if owner.startswith(_CALL_MARK):
                await self._lanes.end_owned(owner, "the call is over")

    async def end_run(self, run_id: str) -> None:
        """End the sessions that belong to one run, and wait for it; none is not an error."""
        if self._loop is not None:
            self._bind()
            await self._lanes.end_owned(_RUN_MARK + run_id, "the run is over")

    async def terminate_all(self, detail: str = "closed") -> None:
        """End every session and wait for it. The pool can be used again afterwards. From any task, at any time."""
        self._bind()
        await self._lanes.end_all(detail)

    async def aclose(self) -> None:
        """Give up the calls under way (servers are told), end every session and every handler's own means, for good:
        these calls and later ones fail with `session/closed`."""
        self._lanes.closed = True
        under_way = [attempt.give_up() for attempt in self._running]
        if under_way:
            await asyncio.wait(under_way, timeout=self.limits.terminate_seconds)
        await self.terminate_all()
        for handler in list(self.handlers.values()):
            close = getattr(handler, "close", None)
            if close is not None:
                await awaitable(close(), "close")

    def stats(self) -> dict[str, Any]:
        """Numbers for `--sessions`: calls, initialized, reused, …; now open, opening, in_flight, waiting; `keys`, one
        dict for each lane."""
        keys: list[dict[str, Any]] = [
            {
                "provider": lane.provider,
                "key": lane.key.label,
                "owner": lane.owner,
                "open": len(lane.slots),
                "opening": lane.opening,
                "in_flight": sum(slot.in_flight for slot in lane.slots),
                "waiting": len(lane.waiters),
                "sessions": [{"session": slot.session.label, "calls": slot.calls} for slot in lane.slots],
            }
            for lane in self._lanes.all()
        ]
        now = {name: sum(key[name] for key in keys) for name in ("open", "opening", "in_flight", "waiting")}
        return {"calls": self._calls, **self._counts, **now, "keys": keys}

    def _owner(self, handler: SessionHandler, call: SessionCall) -> str:
        """The run or call that the call's session belongs to, "" for a session that is shared."""
        try:
            scope = scope_of(handler, call)
        except HostError as error:
            raise self._named(error, call) from error.__cause__
        if scope == PRINCIPAL:
            return ""
        return _RUN_MARK + call.run_id if scope == RUN and call.run_id else f"{_CALL_MARK}{self._calls}"

    async def _perform(self, attempt: _Attempt) -> Any:
        call = attempt.call
        while True:
            attempt.slot = None
            before = attempt.lane
            attempt.lane = lane = self._lanes.lane(before.provider, before.handler, before.key, before.owner)
            asked = monotonic()
            try:
                slot = await self._lanes.acquire(lane, call)
            except SessionError as error:
                raise attempt.final(error) from error
            if slot.calls > 1 and attempt.too_late(asked):
                self._lanes.release(slot)
                raise attempt.busy()
            attempt.slot = slot
            if slot.calls > 1:
                self._emit(session_events.REUSED, slot, call, "")
            try:
                return await awaitable(attempt.operation(slot.session, call), "execute_with_session")
            except SessionExpired as signal:
                slot.session.expired = True
                if self._lanes.discard(slot):
                    self._emit(session_events.EXPIRED, slot, call, signal.error.message)
                attempt.healed += 1
                if attempt.healed > _HEALINGS:
                    raise attempt.final(signal.error) from signal
                pause: float | None = 0.0
            except NotSent as signal:
                pause = attempt.pause(signal.retry_after, self.limits)
                if pause is None:
                    raise attempt.final(signal.error) from signal
                self._emit(session_events.RETRIED, slot, call, signal.error.message)
            except MaybeSent as signal:
                attempt.maybe_done = True
                if not (call.idempotent or await self._repeatable(slot, call)):
                    raise attempt.unknown(signal.error) from signal
                pause = attempt.pause(signal.retry_after, self.limits)
                if pause is None:
                    raise attempt.final(signal.error) from signal
                self._emit(session_events.RETRIED, slot, call, signal.error.message)
            except SessionError as error:
                raise attempt.final(error) from error
            except HostError:
                raise
            except Exception as error:
                raise as_host_error(error, "in a call") from error
            finally:
                self._lanes.release(slot)
            attempt.again()
            if pause:
                attempt.slot = None
                await asyncio.sleep(pause)

    async def _repeatable(self, slot: Slot, call: SessionCall) -> bool:
        """Whether the server itself describes the call as one that can be repeated."""
        ask = getattr(slot.lane.handler, "idempotent", None)
        if ask is None:
            return False
        try:
            return bool(await awaitable(ask(slot.session, call), "idempotent"))
        except Exception:
            return False

    def _handler(self, provider: str) -> SessionHandler:
        try:
            return self.handlers[provider]
        except KeyError:
            raise SessionError(f"no session handler is registered as {provider!r}", code="session/handler") from None

    def _bind(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise InternalError("a session pool belongs to one event loop")

    def _named(self, error: HostError, call: SessionCall) -> HostError:
        if error.capability is None:
            error.capability = call.capability_id
        return error

    def _emit(self, name: str, subject: Slot | Lane, call: SessionCall | None, detail: str) -> None:
        self._counts[_COUNTED[name]] += 1
        if self._on_event is None:
            return
        slot = subject if isinstance(subject, Slot) else None
        lane = slot.lane if slot is not None else subject
        assert isinstance(lane, Lane)
        event = PoolEvent(
            name,
            lane.provider,
            lane.key.label,
            None if call is None else call.capability_id,
            None if slot is None else slot.session.label,
            0 if slot is None else slot.calls,
            detail,
        )
        try:
            self._on_event(event)
        except Exception:
            import logging

            logging.getLogger("rtfs.sessions").exception("a listener of session events failed")


class _Attempt:
    """The progress of a call. slot: the session it is using now, None while it waits for one. timer: what ends it.
    over: done when it has come to its end, once it was given up. healed: how many sessions it has lost. maybe_done: an
    earlier attempt may have been executed."""

    __slots__ = (
        "_answers", "_asking", "_earlier", "_left", "_person", "call", "healed", "lane", "maybe_done", "operation",
        "over", "slot", "timer", "tries", "until",
    )  # fmt: skip

    def __init__(
        self,
        lane: Lane,
        call: SessionCall,
        operation: Callable[[Session, SessionCall], Awaitable[Any]],
        until: float | None,
    ) -> None:
        self.lane = lane
        self.call = call
        self.operation = operation
        self.until = until
        self.slot: Slot | None = None
        self.healed = 0
        self.maybe_done = False
        self.tries = 0
        self.timer: asyncio.Timeout | None = None
        self.over: asyncio.Future[None] | None = None
        self._person = call.ask
        self._asking = 0
        self._left = 0.0
        self._answers: list[tuple[Question, Answer]] = []
        self._earlier: list[tuple[Question, Answer]] = []

    async def ask(self, question: Question) -> Answer:
        """Ask the person behind the call, which has as much time left afterwards as before. When the call is sent
        again, the earlier answers are reused and the person is not asked a second time."""
        for known in self._earlier:
            if known[0].same(question):
                self._earlier.remove(known)
                self._answers.append(known)
                return known[1]
        assert self._person is not None
        if self._asking == 0 and self.until is not None:
            self._left = self.until - monotonic()
            self._ends(None)
        self._asking += 1
        try:
            answer = await self._person(question)
        finally:
            self._asking -= 1
            if self._asking == 0 and self.until is not None:
                self.until = monotonic() + self._left
                self._ends(self._left)
        self._answers.append((question, answer))
        return answer

    def give_up(self) -> asyncio.Future[None]:
        """End the call now, for the pool closes. The future: done when the call has come to its end."""
        if self.over is None:
            self.over = asyncio.get_running_loop().create_future()
            self._ends(0.0)
        return self.over

    def take_time(self) -> None:
        """The pool's own limit does not count for this call; a deadline does."""
        if self.call.deadline is None:
            self.until = None
            if self._asking == 0:
                self._ends(None)

    def again(self) -> None:
        """The call is about to be sent once more."""
        self._earlier, self._answers = self._answers, []

    def _ends(self, seconds: float | None) -> None:
        """Have the timer go off so many seconds from now, or not at all."""
        assert self.timer is not None
        try:
            self.timer.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)
        except RuntimeError:  # it has gone off, or the call is over
            pass

    def pause(self, asked: float | None, limits: PoolLimits) -> float | None:
        """Seconds to wait before the next attempt; None if there is to be none."""
        self.tries += 1
        if self.tries >= limits.attempts:
            return None
        pause = _BACKOFF[min(self.tries, len(_BACKOFF)) - 1] if asked is None else max(asked, 0.0)
        if pause > limits.retry_wait_seconds or (self.until is not None and monotonic() + pause >= self.until):
            return None
        return pause

    def final(self, error: HostError) -> HostError:
        """The error that ends the call. Where an earlier attempt may have been executed, an error that means "not done"
        would be wrong."""
        if not self.maybe_done or error.code == "session/outcome-unknown":
            return error
        return SessionError(
            f"{error.message}; an earlier attempt of the call may have been performed",
            code="session/outcome-unknown",
            hint=error.hint,
            data=error.data,
        )

    def unknown(self, error: HostError) -> HostError:
        """The error of a call that may have been performed and must not be repeated."""
        return SessionError(
            f"{error.message}; the call may have been performed, so it is not repeated",
            code="session/outcome-unknown",
            hint="if doing it twice does no harm, declare the capability with :idempotent true",
            data=error.data,
        )

    def too_late(self, asked: float) -> bool:
        """Whether a call that has waited for its turn since `asked` has no time left in which it could be answered."""
        now = monotonic()
        return self.until is not None and self.until - now < min(_TOO_LATE, now - asked)

    def busy(self) -> HostError:
        """The error of a call that never had a session."""
        return SessionError(
            f"every session with {self.lane.key.server} was busy until the call's time was up",
            code="session/limit",
            hint="raise the sessions a key, or the calls in flight a session",
        )

    def late(self) -> HostError:
        """The error of a call whose time was up, or that was given up."""
        server = self.lane.key.server
        if self.over is not None:
            hint = None if self.slot is None or self.call.idempotent else "the call may have been performed"
            return SessionError(
                f"the session with {server} was closed during the call", code="session/closed", hint=hint
            )
        if self.slot is not None:
            limit = "pool.call_seconds of the configuration" if self.call.deadline is None else "the run's or a hint's"
            hint = f"the limit is {limit}" + ("" if self.call.idempotent else "; the call may have been performed")
            silence = self.slot.session.silence
            hint += f"; {silence}" if silence else ""
            return SessionError(f"{server} did not answer in time", code="session/timeout", hint=hint)
        if self.lane.slots:
            return self.busy()
        if self.lane.opening:
            message = f"no session with {server} was open before the call's time was up"
            return SessionError(message, code="session/timeout")
        return SessionError(
            f"no place for a session with {server} was free before the call's time was up",
            code="session/limit",
            hint="raise the number of sessions in all",
        )
