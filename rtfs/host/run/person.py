"""The person (or the embedder's code) whom a runtime may ask something.

Must not know what is asked. Invariant: while a person is asked, the clock of the run is stopped, whatever its limits.
"""

from __future__ import annotations

from rtfs.host.scheduler.suspensions import OnLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.run.frame import Frame

FOR_RUN = "run"
"""The answer yes for the rest of the run."""


class Person:
    """ask(request): the answer; it may be async, then it runs on the loop where the runtime was made, if there is one,
    else on the engine's."""

    __slots__ = ("_loop", "ask")

    def __init__(self, ask: Callable[[Any], Any]) -> None:
        import sys

        self.ask = ask
        self._loop: Any = None
        if "asyncio" in sys.modules:
            from asyncio import _get_running_loop

            self._loop = _get_running_loop()

    async def answer(self, request: Any, frame: Frame) -> Any:
        """The person's answer. Raises what asking raises."""
        budget = frame.run.budget
        await frame.run.durability.flush()
        budget.park()
        try:
            answer = self.ask(request)
            if hasattr(answer, "__await__"):
                answer = await OnLoop(lambda: _awaited(answer), self._loop)
        finally:
            budget.unpark()
        return answer


async def _awaited(waiting: Any) -> Any:
    return await waiting
