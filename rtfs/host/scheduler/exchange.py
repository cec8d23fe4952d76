"""Work on an event loop that may ask something back before it ends.

Must not know what is asked, nor whom. Invariants: a question is answered in the scheduler's thread, by a fiber of its
own; work that ends, for whatever reason, takes its open questions with it, and a fiber that is given up takes both.
"""

from __future__ import annotations

from rtfs.host.scheduler.suspensions import OnLoop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Callable, Coroutine
    from typing import Any

    from rtfs.host.scheduler.scheduler import Fiber, Scheduler
else:
    from _collections import deque


class Exchange(OnLoop):
    """Awaited, it is the work's value. make(ask): makes the work's coroutine, on its loop; there `await ask(question)`
    gives the answer. answer(question): makes the coroutine, of a fiber, that finds it; what it raises ends the work."""

    __slots__ = ("_answer", "_children", "_questions")

    def __init__(self, make: Callable[[Any], Coroutine[Any, Any, Any]], answer: Callable[[Any], Any]) -> None:
        super().__init__(make, None, (self._ask,))
        self._answer = answer
        self._questions: deque[tuple[Any, Any]] = deque()
        self._children: list[Fiber] = []

    def resolve(self, scheduler: Scheduler, fiber: Fiber, value: Any, error: BaseException | None) -> None:
        if self._questions and value is _ASKED:
            question, future = self._questions.popleft()
            if not future.done():
                self._children.append(scheduler.spawn(self._put(question, future), self._put_down))
            return
        self._drop(scheduler)
        super().resolve(scheduler, fiber, value, error)

    def cancel(self, scheduler: Scheduler) -> None:
        self._drop(scheduler)
        super().cancel(scheduler)

    async def _ask(self, question: Any) -> Any:
        future = self._loop.create_future()
        self._questions.append((question, future))
        self._scheduler.post(self._fiber, self, _ASKED, None)
        return await future

    async def _put(self, question: Any, future: Any) -> None:
        value = await self._answer(question)
        self._loop.call_soon_threadsafe(lambda: None if future.done() else future.set_result(value))

    def _put_down(self, child: Fiber) -> None:
        if child in self._children:
            self._children.remove(child)
        if child.error is not None and self._fiber.waiting is self:
            self.cancel(self._scheduler)
            self._scheduler.wake(self._fiber, None, child.error)

    def _drop(self, scheduler: Scheduler) -> None:
        children, self._children = self._children, []
        for child in children:
            scheduler.cancel(child)


_ASKED = object()
