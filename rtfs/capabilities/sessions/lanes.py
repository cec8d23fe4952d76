"""Assigns sessions to calls: one lane per key, with its open sessions and its queue, and a total limit of open
sessions.

Must not know any provider, nor what a call is retried for (that is `pool`). Invariants: a session is given to calls of
its own key only; waiters of a lane are served in order, and lanes that wait for a place in the order they began to
wait; one opening serves all who wait for it, whichever of them is cancelled; each opened session is ended exactly
once; a session that belongs to a run holds its state, so neither time nor another lane takes it
away before the run ends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import monotonic

from rtfs.capabilities.sessions import session_events
from rtfs.capabilities.sessions.handler import (
    NotSent,
    Session,
    SessionError,
    as_host_error,
    awaitable,
    fresh,
    wrong_answer,
)
from rtfs.values.error import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.capabilities.sessions.handler import SessionCall, SessionHandler, SessionKey
    from rtfs.capabilities.sessions.limits import PoolLimits

_OPENING_BACKOFF = (0.05, 0.2)
"""Seconds before the second and third attempt to open a session that could not be connected."""


class Slot:
    """An open session and its use. retiring: gets no new call. ended: handed to `terminate_session`."""

    __slots__ = ("born", "calls", "ended", "idle_since", "in_flight", "lane", "retiring", "session")

    def __init__(self, lane: Lane, session: Session) -> None:
        self.lane = lane
        self.session = session
        self.in_flight = 0
        self.calls = 0
        self.born = self.idle_since = monotonic()
        self.retiring = False
        self.ended = False


class Waiter:
    """A call that waits for a session of its lane. order: when it began to wait, over all lanes."""

    __slots__ = ("call", "future", "order")

    def __init__(self, call: SessionCall, order: int, future: asyncio.Future[Slot]) -> None:
        self.call = call
        self.order = order
        self.future = future


class Lane:
    """One provider's key: its sessions, its queue. owner: the run or call that its sessions belong to, "" where they
    are shared. opening: sessions being initialised. not_before: no further session is opened before this time, for the
    last attempt failed while others work."""

    __slots__ = ("handler", "key", "not_before", "opening", "owner", "provider", "slots", "waiters")

    def __init__(self, provider: str, handler: SessionHandler, key: SessionKey, owner: str) -> None:
        self.provider = provider
        self.handler = handler
        self.key = key
        self.owner = owner
        self.slots: list[Slot] = []
        self.waiters: deque[Waiter] = deque()
        self.opening = 0
        self.not_before = 0.0


def _order(lane: Lane) -> int:
    """Since when the lane's first call waits."""
    return lane.waiters[0].order if lane.waiters else 0


class Lanes:
    """The sessions of one pool. Everything runs on one event loop.

    limits: see `PoolLimits`. emit: called as emit(name, slot or lane, call or None, detail) for each event.
    """

    def __init__(self, limits: PoolLimits, emit: Callable[[str, Slot | Lane, SessionCall | None, str], None]) -> None:
        self.limits = limits
        self.closed = False
        self.total = 0
        self._emit = emit
        self._lanes: dict[tuple[str, SessionKey, str], Lane] = {}
        self._slots: set[Slot] = set()
        self._starved: dict[Lane, None] = {}
        self._leaving = 0
        self._order = 0
        self._openings: dict[asyncio.Task[Session], Lane] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def lane(self, provider: str, handler: SessionHandler, key: SessionKey, owner: str = "") -> Lane:
        """The lane of a key, made if there is none. owner: the run or call that it is for, "" for any."""
        found = self._lanes.get((provider, key, owner))
        if found is None or found.handler is not handler:
            found = self._lanes[provider, key, owner] = Lane(provider, handler, key, owner)
        return found

    def all(self) -> list[Lane]:
        """The lanes with a session, an opening or a waiter."""
        return [lane for lane in self._lanes.values() if lane.slots or lane.opening or lane.waiters]

    async def acquire(self, lane: Lane, call: SessionCall) -> Slot:
        """Return a session with room for one more call, opened if necessary; the caller releases it.

        Waits without a time limit. Raises what opening raised, or `session/closed`.
        """
        if self.closed:
            raise SessionError("the session pool is closed", code="session/closed")
        if not lane.waiters and not self._starved:
            slot = self._room(lane)
            if slot is not None:
                return self._take(slot)
        self._order += 1
        waiter = Waiter(call, self._order, asyncio.get_running_loop().create_future())
        lane.waiters.append(waiter)
        self._pump(lane)
        try:
            return await waiter.future
        except asyncio.CancelledError:
            future = waiter.future
            if future.done() and not future.cancelled() and future.exception() is None:
                self.release(future.result())
            elif waiter in lane.waiters:
                lane.waiters.remove(waiter)
                if not lane.waiters:
                    self._starved.pop(lane, None)
                self._forget(lane)
            raise

    def release(self, slot: Slot) -> None:
        """A call given this session by `acquire` is over."""
        slot.in_flight -= 1
        slot.idle_since = monotonic()
        lane = slot.lane
        if not slot.session.usable:
            self.discard(slot)
        if slot.in_flight == 0 and not slot.ended:
            if slot.retiring or slot not in lane.slots or (self._starved and not lane.waiters and not lane.owner):
                self.end(slot)
            elif self._timer is None:
                self._watch()
        if lane.waiters:
            self._pump(lane)
        if self._starved:
            self._feed()

    def discard(self, slot: Slot) -> bool:
        """Give this session to no one any more; it is ended after its last call. False if that was known already."""
        lane = slot.lane
        if slot not in lane.slots:
            return False
        lane.slots.remove(slot)
        if slot.in_flight == 0:
            self.end(slot)
        return True

    def end(self, slot: Slot, detail: str = "") -> asyncio.Task[None] | None:
        """Begin to terminate a session in a new task. Returns the task, or None if that has begun already."""
        if slot.ended:
            return None
        slot.ended = True
        if slot in slot.lane.slots:
            slot.lane.slots.remove(slot)
        if not slot.retiring:
            self._leaving += 1
        task = asyncio.get_running_loop().create_task(self._terminate(slot, detail))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
        return task

    async def end_owned(self, owner: str, detail: str) -> None:
        """End the sessions of one run or call, also those being opened; wait until they are ended."""
        mine = [slot for slot in self._slots if slot.lane.owner == owner]
        opening = [task for task, lane in self._openings.items() if lane.owner == owner]
        if not mine and not opening:
            return
        gone = SessionError("the session was closed", code="session/closed")
        for task in opening:
            task.cancel()
        for lane in [lane for lane in self._lanes.values() if lane.owner == owner]:
            self._fail(lane, gone)
        endings = [ending for slot in mine if (ending := self.end(slot, detail)) is not None]
        if opening or endings:
            await asyncio.wait([*opening, *endings])

    async def end_all(self, detail: str) -> None:
        """End every session, also those being opened and those with calls in flight; wait until they are ended."""
        gone = SessionError("the session was closed", code="session/closed")
        for task in self._openings:
            task.cancel()
        for lane in list(self._lanes.values()):
            self._fail(lane, gone)
        for slot in list(self._slots):
            self.end(slot, detail)
        while self._openings or self._endings:
            await asyncio.wait({*self._openings, *self._endings})
        if self._timer is not None and not self._slots:
            self._timer.cancel()
            self._timer = None

    def _take(self, slot: Slot) -> Slot:
        slot.in_flight += 1
        slot.calls += 1
        return slot

    def _room(self, lane: Lane) -> Slot | None:
        """The lane's least busy session that may take a call now."""
        best: Slot | None = None
        age = self.limits.age_seconds
        for slot in tuple(lane.slots):
            if not slot.session.usable:
                self.discard(slot)
            elif age is not None and not lane.owner and monotonic() - slot.born > age:
                self._retire(slot)
            elif slot.in_flight < self.limits.calls_in_flight and (best is None or slot.in_flight < best.in_flight):
                best = slot
        return best

    def _retire(self, slot: Slot) -> None:
        slot.lane.slots.remove(slot)
        slot.retiring = True
        self._leaving += 1
        if slot.in_flight == 0:
            self.end(slot)

    def _pump(self, lane: Lane) -> None:
        """Serve the lane's waiters as far as sessions and places allow."""
        while lane.waiters:
            waiter = lane.waiters[0]
            if waiter.future.done():
                lane.waiters.popleft()
                continue
            slot = self._room(lane)
            if slot is None:
                break
            if not lane.owner and self._gives_way(lane, waiter):
                self._retire(slot)
                continue
            lane.waiters.popleft()
            waiter.future.set_result(self._take(slot))
        if not lane.waiters:
            self._starved.pop(lane, None)
            return
        limits = self.limits
        wanted = -(-len(lane.waiters) // limits.calls_in_flight)
        while lane.opening < wanted and len(lane.slots) + lane.opening < limits.sessions_per_key:
            if lane.not_before > monotonic() and (lane.slots or lane.opening):
                return
            if self.total >= limits.sessions_total:
                self._starved.setdefault(lane)
                self._make_room()
                return
            self._open(lane)
        self._starved.pop(lane, None)

    def _gives_way(self, lane: Lane, waiter: Waiter) -> bool:
        """Whether a lane without a place has waited longer than this lane's next waiter."""
        if self._leaving >= len(self._starved) or lane in self._starved:
            return False
        return min(map(_order, self._starved)) < waiter.order

    def _make_room(self) -> None:
        """End the longest idle session of another lane, if that many are not already leaving."""
        if self._leaving >= len(self._starved):
            return
        idle = [slot for slot in self._slots if slot.in_flight == 0 and not slot.ended and not slot.lane.owner]
        if idle:
            self.end(min(idle, key=lambda slot: slot.idle_since), "its place was needed")

    def _feed(self) -> None:
        for lane in sorted(self._starved, key=_order):
            if self.total >= self.limits.sessions_total:
                self._make_room()
                return
            self._pump(lane)

    def _open(self, lane: Lane) -> None:
        lane.opening += 1
        self.total += 1
        call = lane.waiters[0].call.until(monotonic() + self.limits.initialize_seconds)
        task = asyncio.get_running_loop().create_task(self._initialize(lane, call))
        self._openings[task] = lane
        task.add_done_callback(lambda done: self._opened(lane, call, done))

    async def _initialize(self, lane: Lane, call: SessionCall) -> Session:
        seconds = self.limits.initialize_seconds
        try:
            async with asyncio.timeout(seconds) as timer:
                session = await self._connect(lane, call)
            if not isinstance(session, Session) or not isinstance(session.label, str):
                raise wrong_answer("initialize_session", session, "a Session with a label")
            return session
        except TimeoutError:
            if not timer.expired():
                raise
        except (Exception, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # SystemExit and its like would end the event loop
            raise as_host_error(error, "to open a session") from error
        raise SessionError(f"no session with {lane.key.server} within {seconds:g} seconds", code="session/timeout")

    def _opened(self, lane: Lane, call: SessionCall, task: asyncio.Task[Session]) -> None:
        self._openings.pop(task, None)
        lane.opening -= 1
        error = SessionError("the session was closed", code="session/closed") if task.cancelled() else task.exception()
        if error is not None:
            self.total -= 1
            failure = as_host_error(error, "to open a session")
            if not task.cancelled():
                self._emit(session_events.FAILED, lane, call, failure.message)
            if lane.slots or lane.opening:
                lane.not_before = monotonic() + 1.0
            else:
                self._fail(lane, failure)
            self._forget(lane)
            self._feed()
            return
        slot = Slot(lane, task.result())
        self._slots.add(slot)
        lane.slots.append(slot)
        self._lanes.setdefault((lane.provider, lane.key, lane.owner), lane)
        self._emit(session_events.INITIALIZED, slot, call, "")
        if self.closed:
            self.end(slot, "the pool is closed")
            return
        self._pump(lane)
        self._watch()

    async def _connect(self, lane: Lane, call: SessionCall) -> Session:
        """Initialise, trying again where the server certainly got nothing and the wait is short."""
        for pause in _OPENING_BACKOFF:
            try:
                return await self._session(lane, call)
            except NotSent as signal:
                wait = pause if signal.retry_after is None else signal.retry_after
                if call.deadline is not None and monotonic() + wait >= call.deadline:
                    raise
            await asyncio.sleep(wait)
        return await self._session(lane, call)

    async def _session(self, lane: Lane, call: SessionCall) -> Session:
        session: Session = await awaitable(lane.handler.initialize_session(call), "initialize_session")
        return session

    def _fail(self, lane: Lane, error: HostError) -> None:
        self._starved.pop(lane, None)
        while lane.waiters:
            future = lane.waiters.popleft().future
            if not future.done():
                future.set_exception(fresh(error))

    async def _terminate(self, slot: Slot, detail: str) -> None:
        seconds = self.limits.terminate_seconds
        try:
            async with asyncio.timeout(seconds):
                await awaitable(slot.lane.handler.terminate_session(slot.session), "terminate_session")
        except TimeoutError:
            detail = f"no answer within {seconds:g} seconds"
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            detail = f"{type(error).__name__}: {error}"
        finally:
            self._slots.discard(slot)
            self.total -= 1
            self._leaving -= 1
            self._emit(session_events.TERMINATED, slot, None, detail)
            self._forget(slot.lane)
            self._feed()

    def _forget(self, lane: Lane) -> None:
        if not (lane.slots or lane.opening or lane.waiters):
            self._starved.pop(lane, None)
            if self._lanes.get((lane.provider, lane.key, lane.owner)) is lane:
                del self._lanes[lane.provider, lane.key, lane.owner]

    def _watch(self) -> None:
        """Look after idle and old sessions from time to time, as long as there are any."""
        spans = [span for span in (self.limits.idle_seconds, self.limits.age_seconds) if span is not None]
        if self._timer is None and spans and self._slots:
            pause = min(max(min(spans) / 4, 0.01), 30.0)
            self._timer = asyncio.get_running_loop().call_later(pause, self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = monotonic()
        idle, age = self.limits.idle_seconds, self.limits.age_seconds
        for slot in list(self._slots):
            if slot.ended or slot.in_flight:
                continue
            if slot.lane.owner:
                if not slot.session.usable:
                    self.end(slot, "gone")
            elif idle is not None and now - slot.idle_since > idle:
                self.end(slot, "idle")
            elif age is not None and now - slot.born > age:
                self.end(slot, "old")
            elif not slot.session.usable:
                self.end(slot, "gone")
        self._watch()
