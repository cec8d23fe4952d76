"""Suspensions of a fiber that talks to a worker.

Must not know what is said. Invariant: a wait that is cancelled tells the worker, which stops computing for it.
"""

from __future__ import annotations

from rtfs.host.isolation.wire import DROP
from rtfs.host.scheduler.scheduler import Suspension
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.isolation.conversation import Conversation
    from rtfs.host.scheduler.scheduler import Fiber, Scheduler


class Phase(Suspension):
    """Begin something, and wait until the worker has come to the end of it."""

    __slots__ = ("_begin", "_conversation")

    def __init__(self, conversation: Conversation, begin: Callable[[], None]) -> None:
        self._conversation = conversation
        self._begin = begin

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        conversation = self._conversation
        conversation.fiber, conversation.waiting = fiber, self
        if conversation.over:
            conversation.waiting = None
            scheduler.wake(fiber, None, HostError("the run has ended", code="run/crashed"))
            return
        if conversation.scheduler is None:
            conversation.attach(scheduler)
        self._begin()

    def cancel(self, scheduler: Scheduler) -> None:
        self._conversation.cancel()


class Reply(Suspension):
    """Ask the worker to call functions, and wait for what comes of it. labels: the text of those of it, or None."""

    __slots__ = ("_conversation", "_head", "_kind", "_number", "_text", "labels")

    def __init__(self, conversation: Conversation, number: int, kind: int, head: list[Any], text: str) -> None:
        self._conversation = conversation
        self._number = number
        self._kind = kind
        self._head = head
        self._text = text
        self.labels: Any = None

    def begin(self, scheduler: Scheduler, fiber: Fiber) -> None:
        self._conversation.replies[self._number] = fiber, self
        self._conversation.send(self._kind, self._head, self._text)

    def cancel(self, scheduler: Scheduler) -> None:
        conversation = self._conversation
        if conversation.replies.pop(self._number, None) is not None and not conversation.over:
            conversation.send(DROP, [self._number])
