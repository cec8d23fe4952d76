"""Running a program in a worker process, which has loaded what its runtime has.

Must not know how calls are performed, nor journals. Invariant: a worker has loaded the texts of its `Guests` before it
sees a program, in their order; a worker that a program is given up in is not used again.
"""

from __future__ import annotations

from rtfs.host.isolation.guests import key_of_load
from rtfs.host.run.durability import NOT_DURABLE
from rtfs.host.run.options import PLAIN
from rtfs.values import UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Protocol

    from rtfs.capabilities.registry import Registry
    from rtfs.compiler import Environment
    from rtfs.host.isolation.guests import Guests, Seat
    from rtfs.host.run.frame import Frame, Run
    from rtfs.host.run.options import RunOptions
    from rtfs.host.runtime_options import RuntimeOptions
    from rtfs.source import Source

    class Runs(Protocol):
        """The runtime's runs: its `Executor`."""

        options: RuntimeOptions
        registry: Registry

        @property
        def environment(self) -> Environment:
            """Names of the runtime, without those that are in workers."""

        def warn(self, message: str, span: Any) -> None:
            """Keep a warning."""

        def new_run(
            self,
            options: RunOptions,
            registry: Registry,
            language: Callable[[], Environment],
            origin: int,
            breathe: bool,
        ) -> Run:
            """A run with these options."""

        def new_frame(self, run: Run, options: RunOptions, source: Source | None) -> Frame:
            """The frame of a run's program."""

        def execute(self, source: Source, frame: Frame) -> Coroutine[Any, Any, Any]:
            """Compile and run a program, within its time."""

        def recorded(self, running: Any, frame: Frame) -> Coroutine[Any, Any, Any]:
            """A run between its two ledger records."""

        def drive(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
            """Drive a run in this thread, and return its result."""


async def run_apart(executor: Runs, guests: Guests, source: Source, frame: Frame) -> Any:
    """Compile and run a program in one of the workers; its value. Raises UserError and Stop."""
    run = frame.run
    journaled = run.durability is not NOT_DURABLE
    seat = await guests.seat(run.keep, journaled)
    try:
        own = next((at for at, (text, _) in enumerate(guests.texts) if text is source and run.key), None)
        await _load_into(executor, guests, seat, len(guests.texts) if own is None else own)
        conversation = guests.conversation(
            seat, frame, source, run.key, keep=run.keep or not seat.pinned, check=run.gate is not None,
            journaled=journaled,
        )  # fmt: skip
        run.guest = conversation
        try:
            return await conversation.execute()
        finally:
            seat.defined = seat.defined or (conversation.defined and run.keep and not run.key)
            if own is not None:
                seat.loaded = max(seat.loaded, own + 1)
    finally:
        guests.leave(seat)


async def _load_into(executor: Runs, guests: Guests, seat: Seat, count: int) -> None:
    """Have a worker load the first texts of those that are loaded, as far as it has not."""
    while seat.loaded < count:
        source, origin = guests.texts[seat.loaded]
        run = executor.new_run(PLAIN, executor.registry.snapshot(), lambda: executor.environment, origin, False)
        frame = executor.new_frame(run, PLAIN, source)
        key = key_of_load(seat.loaded)
        talk = guests.conversation(seat, frame, source, key, keep=True, check=False, journaled=False)
        run.guest = talk
        seat.loaded += 1
        try:
            await executor.recorded(talk.execute(), frame)
        except UserError:
            if not seat.worker.alive:
                raise  # else it was said when the text was loaded


def load_apart(executor: Runs, texts: list[tuple[Source, int]], registry: Registry) -> Guests:
    """Workers that have loaded these texts with their origins, and what they declare in the registry. Raises what is
    wrong with one of them."""
    from rtfs.host.isolation.guests import Guests

    guests = Guests(executor.options.module_path, executor.options.strict_arguments, executor.warn, texts)
    try:
        for place, (source, origin) in enumerate(texts):
            source.library = True
            run = executor.new_run(PLAIN, registry, lambda: executor.environment, origin, False)
            run.guests, run.keep, run.key = guests, True, key_of_load(place)
            executor.drive(executor.execute(source, executor.new_frame(run, PLAIN, source)))
    finally:
        guests.close()  # the one that has loaded them; each run has its own
    return guests
