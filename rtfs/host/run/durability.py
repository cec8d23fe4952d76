"""The journaling interface of a run, and the null object for a run without a journal.

Must not know journals, nor how calls are performed. Invariant: the pipeline, the driver and the code that asks people
treat every run alike; only the object behind these Protocols differs.
"""

from __future__ import annotations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from typing import Any, Protocol

    from rtfs.capabilities.providers.waiting import ContinueAsNew, Wait
    from rtfs.capabilities.registry import Entry
    from rtfs.host.policy.policy import Decision
    from rtfs.host.run.frame import Frame
    from rtfs.machine import HostCall
    from rtfs.values import UserError

    class Loads(Protocol):
        """An environment, as journals look at it: which module files it has loaded."""

        files: dict[str, Any]

    class JournaledCall(Protocol):
        """One call on its way through the pipeline, as its journal sees it."""

        @property
        def decision(self) -> Decision | None:
            """The recorded decision, or None: then it has to be made."""

        def announce(self, entry: Entry, hinted: bool) -> Awaitable[None]:
            """The call was allowed and is about to be made: awaited, that is written."""

    class Asked(Protocol):
        """The question whether a call may be made: an `ApprovalRequest`."""

        @property
        def call(self) -> str:
            """Capability and arguments as text."""

        @property
        def capability(self) -> str:
            """Its id."""

        @property
        def reason(self) -> str:
            """Why a person is asked."""

        @property
        def for_run(self) -> bool:
            """Whether yes may be said for the rest of the run."""

        def refuse(self, reason: str) -> Any:
            """The answer no."""

    Stages = Callable[[HostCall, Frame, JournaledCall], Coroutine[Any, Any, Any]]
    """The stages of the pipeline, which `Durability.perform` wraps."""

    class Durability(Protocol):
        """The journaling of one run."""

        @property
        def accepts(self) -> bool:
            """Whether the program is only accepted here, to begin elsewhere: then its parameters are checked now."""

        def perform(self, stages: Stages, call: HostCall, frame: Frame) -> Coroutine[Any, Any, Any]:
            """The value of a call: from the record, or from the stages, which are then recorded."""

        async def carry_out(self, begin: Callable[[], Coroutine[Any, Any, Any]], environment: Loads) -> Any:
            """Run a compiled program to its end; its value."""

        def attend(self, working: Callable[[], bool]) -> None:
            """Machines are in another process. working: whether they compute, so that they may ask for something."""

        async def flush(self) -> None:
            """Write what is done so far, because the next operation may take long."""

        async def branch_failed(self, frame: Frame, error: UserError) -> None:
            """A parallel branch ends with an error."""

        async def wait(self, wait: Wait, frame: Frame) -> Any:
            """Wait for a moment or a signal; the value of the call that does."""

        async def renew(self, wanted: ContinueAsNew, frame: Frame) -> Any:
            """End the run, and continue it as a new one. Raises Stop, HostError `run/not-durable`, `run/busy`."""

        def verdict(self, request: Asked, frame: Frame) -> tuple[Any, str] | None:
            """The answer to the question whether a call may be made, and who gave it; None if there is no answer."""

        def granted(self, request: Asked, by: str, frame: Frame) -> None:
            """A person has said yes for the rest of the run: by whom, or "" where it was asked here."""


class NotDurable:
    """The journaling of a run that is not journaled."""

    __slots__ = ()
    accepts = False

    def perform(self, stages: Stages, call: HostCall, frame: Frame) -> Coroutine[Any, Any, Any]:
        return stages(call, frame, NOT_JOURNALED)

    async def carry_out(self, begin: Callable[[], Coroutine[Any, Any, Any]], environment: Loads) -> Any:
        return await begin()

    def attend(self, working: Callable[[], bool]) -> None:
        pass

    async def flush(self) -> None:
        pass

    async def branch_failed(self, frame: Frame, error: UserError) -> None:
        pass

    async def wait(self, wait: Wait, frame: Frame) -> Any:
        from time import time

        from rtfs.host.scheduler.suspensions import Sleep

        if wait.signal is not None or wait.until is None:
            raise no_signal(wait.signal)
        while (left := wait.until - time()) > 0:
            await Sleep(min(left, 60.0))  # the clock may be set meanwhile
        return wait.default

    async def renew(self, wanted: ContinueAsNew, frame: Frame) -> Any:
        raise not_renewable()

    def verdict(self, request: Asked, frame: Frame) -> tuple[Any, str] | None:
        return None

    def granted(self, request: Asked, by: str, frame: Frame) -> None:
        pass


class _NotJournaled:
    """A call that is not journaled; awaited, it is ready."""

    __slots__ = ()
    decision: Decision | None = None

    def announce(self, entry: Entry, hinted: bool) -> Awaitable[None]:
        return self

    def __await__(self) -> Generator[Any, Any, None]:
        return iter(())  # type: ignore[return-value]


def no_signal(name: str | None) -> HostError:
    """The error of a run that cannot receive signals."""
    return HostError(
        f"only a durable run can be sent the signal {name!r}",
        code="run/not-durable",
        hint="run it with --durable, or durable=True",
    )


def not_renewable() -> HostError:
    """The error of a run that cannot be continued as a new one."""
    return HostError(
        "only a durable run can be continued as a new one",
        code="run/not-durable",
        hint="run it with --durable, or durable=True",
    )


NOT_DURABLE = NotDurable()
NOT_JOURNALED = _NotJournaled()
