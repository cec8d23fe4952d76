"""What a run asks of its journaling, and the null object of a run that has none.

Must not know journals, nor how calls are performed. Invariant: the pipeline, the driver and whoever asks people treat
every run alike; only the object behind these Protocols differs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator
    from typing import Any, Protocol

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

    Stages = Callable[[HostCall, Frame, JournaledCall], Coroutine[Any, Any, Any]]
    """The stages of the pipeline, which `Durability.perform` wraps."""

    class Durability(Protocol):
        """The journaling of one run."""

        def perform(self, stages: Stages, call: HostCall, frame: Frame) -> Coroutine[Any, Any, Any]:
            """The value of a call: from the record, or from the stages, which are then recorded."""

        async def carry_out(self, begin: Callable[[], Coroutine[Any, Any, Any]], environment: Loads) -> Any:
            """Run a compiled program to its end; its value."""

        def attend(self, working: Callable[[], bool]) -> None:
            """Machines are in another process. working: whether they compute, so that they may ask for something."""

        async def flush(self) -> None:
            """What follows takes long: write what is done."""

        async def branch_failed(self, frame: Frame, error: UserError) -> None:
            """A parallel branch ends with an error."""


class NotDurable:
    """The journaling of a run that is not journaled."""

    __slots__ = ()

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


class _NotJournaled:
    """A call that is not journaled; awaited, it is ready."""

    __slots__ = ()
    decision: Decision | None = None

    def announce(self, entry: Entry, hinted: bool) -> Awaitable[None]:
        return self

    def __await__(self) -> Generator[Any, Any, None]:
        return iter(())  # type: ignore[return-value]


NOT_DURABLE = NotDurable()
NOT_JOURNALED = _NotJournaled()
