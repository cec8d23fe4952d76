"""`submit`: have workers run a program. `wait`: what became of it.

Must not know queues. Invariants: a program that is provably wrong is not accepted; what `submit` has answered is never
forgotten while the database lives; a key submits one run, however often it is said.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b

from rtfs.capabilities.registry import PLAN
from rtfs.compiler.forms.plan import GIVEN
from rtfs.host.audit.events import RunEnded
from rtfs.host.dispatch.place import database_of_workers
from rtfs.host.dispatch.queues import check_priority, queue_of
from rtfs.host.durable.codec import decode, encode
from rtfs.host.durable.renewal import CONTINUED
from rtfs.host.durable.store import ENDED, IN_DOUBT, QUEUED, STUCK
from rtfs.host.run.durability import NotDurable
from rtfs.host.run.parameters import check_parameters
from rtfs.values import HostError, Map, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from rtfs.host.durable.store import JournalStore, RunStore
    from rtfs.host.executor import Executor
    from rtfs.host.run.durability import Loads
    from rtfs.host.run.options import RunOptions
    from rtfs.source import Source

SHORTEST, LONGEST = 0.05, 1.0
"""Seconds between two looks at a run that is waited for, if nothing is heard of it."""


class _Accepted(NotDurable):
    """The journaling of a run that is not to begin here: its journal is made, with its program in it."""

    __slots__ = ("_open",)
    accepts = True

    def __init__(self, open: Callable[[Loads], JournalStore]) -> None:
        self._open = open

    async def carry_out(self, begin: Callable[[], Coroutine[Any, Any, Any]], environment: Loads) -> Any:
        self._open(environment).close()


class _Queue:
    """In the place of a store: runs that are created in it are queued. accepted: called when one is."""

    __slots__ = ("_accepted", "_store")

    def __init__(self, store: Any, accepted: Callable[[], object]) -> None:
        self._store = store
        self._accepted = accepted

    def create(self, run_id: str, facts: Mapping[str, str]) -> Any:
        return self._store.create(run_id, facts, self._accepted)


class _Schedule:
    """In the place of a store: what is to be run again and again is created in it."""

    __slots__ = ("_cron", "_store")

    def __init__(self, store: Any, cron: str) -> None:
        self._store = store
        self._cron = cron

    def create(self, run_id: str, facts: Mapping[str, str]) -> Any:
        from time import time

        from rtfs.host.durable.store import check_run_id
        from rtfs.host.workers.housekeeping import schedule

        check_run_id(run_id)
        schedule(self._store, run_id, self._cron, facts, time())
        return self

    def close(self) -> None:
        """Nothing is held."""


def submit(
    executor: Executor,
    source: Source,
    options: RunOptions,
    *,
    at: float | None = None,
    priority: int = 0,
    labels: Iterable[str] = (),
    key: str | None = None,
    cron: str | None = None,
) -> str:
    """Have workers run a program; the id of the run. at: not before this time, in seconds since 1970. priority: from
    -20 to 20, higher ones first. labels: that a worker must have. key: a second submission of the same program and
    parameters with it is the first. cron: when to run it, again and again, in UTC; then the id is that of the schedule,
    and its runs have it with their time. Raises HostError `config/state`, `run/exists`, `run/key-used`,
    `argument/invalid`, `database/…`, and what is provably wrong with the program."""
    from rtfs.host.durable.resume import opening

    executor.check_usable()
    database_of_workers(executor.options.state)
    more = {"state": QUEUED, "queue": queue_of(labels), "priority": str(check_priority(priority))}
    if cron is not None and (at is not None or key is not None):
        raise HostError("what runs by a cron expression has no other time and no key", code="argument/invalid")
    if at is not None:
        more["wake-at"] = repr(float(at))
    run_id = options.run_id
    if key is not None:
        run_id = run_of_key(options.principal or executor.options.principal, key)
    options = options.replace(durable=True, run_id=run_id)
    frame = executor.begin(source, options, False, PLAN, True)
    if not executor.isolated:  # else its worker process does
        check_parameters(source, frame.run.environment, frame.context.values.get(GIVEN))
    given = encode(Map(frame.context.values)) if key is not None else ""
    store, rules, loaded, shell = executor.store, executor.rules, executor.loaded, executor.shell
    told: list[str] = []

    def tell(became: str) -> None:
        if not told:
            told.append(became)
            executor.events.emit(RunEnded(frame.context, frame.parent, became))

    place: Any = _Queue(store, lambda: tell(QUEUED)) if cron is None else _Schedule(store, cron)
    frame.run.durability = _Accepted(opening(place, source, frame, options, rules, loaded, shell, more))
    became = "error"
    try:
        executor.drive(executor.compile_and_run(source, frame))
        became = QUEUED
    except UserError as error:
        became = f"error: {error.code}"
        if error.code != "run/exists" or key is None:
            raise
        _check_same(store.look(frame.context.run_id).facts, source, given, key)
        became = "submitted before"
    finally:
        tell(became)
    return frame.context.run_id


def run_of_key(principal: str, key: str) -> str:
    """The id of the run that a principal submits with a key."""
    return "key-" + blake2b(f"{principal}\0{key}".encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


async def wait(store: RunStore, run_id: str, timeout: float | None = None) -> Any:
    """The value of a run, or of the one as which it continues, once a worker has brought it to its end. timeout:
    seconds. Raises what the program raised, HostError `run/unknown`, `run/stuck`, `run/in-doubt`, and TimeoutError."""
    import asyncio

    async with asyncio.timeout(timeout):
        while True:
            facts = await _left(store, run_id)
            if CONTINUED not in facts:
                break
            run_id = facts[CONTINUED]
    state = facts.get("state")
    if state in ENDED:
        return outcome(run_id, facts)
    raise HostError(
        facts.get("note") or f"run {run_id} is {state}",
        code="run/stuck" if state == STUCK else "run/in-doubt",
        hint=f"rtfs runs show {run_id} tells more",
    )


async def _left(store: RunStore, run_id: str) -> Mapping[str, str]:
    """The facts of a run once it has ended, continues as another, is stuck or in doubt. It is looked at when the store
    tells of it, and now and then in case that does not arrive."""
    import asyncio

    loop, told, pause = asyncio.get_running_loop(), asyncio.Event(), SHORTEST

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(told.set)
        except RuntimeError:  # the loop was closed meanwhile
            pass

    end = await asyncio.to_thread(store.listen, run_id, wake)
    try:
        while True:
            told.clear()
            facts = await asyncio.to_thread(store.state_of, run_id)
            if CONTINUED in facts or facts.get("state") in (*ENDED, STUCK, IN_DOUBT):
                return facts
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await told.wait()
            pause = min(pause * 1.5, LONGEST)
    finally:
        end()


def requeue(store: RunStore, run_id: str) -> None:
    """Have workers take up again a run that is stuck. Raises HostError `run/…`, `database/…`."""
    journal = store.open(run_id)
    try:
        journal.commit([("state", QUEUED)])
    finally:
        journal.close()


def outcome(run_id: str, facts: Mapping[str, str]) -> Any:
    """The value of a run that has ended, by its facts; raises its error."""
    try:
        result = decode(facts["result"])
    except (KeyError, ValueError) as error:
        raise HostError(f"the result of run {run_id} cannot be read: {error}", code="run/damaged") from None
    if isinstance(result, UserError) and facts["state"] != "done":
        raise result
    return result


def _check_same(facts: Mapping[str, str], source: Source, given: str, key: str) -> None:
    """Raise HostError `run/key-used` where a key has submitted something else. given: the encoded context."""
    from json import loads

    if loads(facts["text"]) != source.text:
        what = "another program"
    elif facts["context"] != given and decode(facts["context"]) != decode(given):
        what = "the program with other parameters"
    else:
        return
    raise HostError(f"the key {key!r} has submitted {what}", code="run/key-used", hint="use another key for it")
