"""What comes from a server while one request waits for its reply: progress, questions, pings, notifications.

Must not know transports, nor what the request is about. Invariants: a question of the server is put to the person
behind this request at most once, and answered in the same session; when the request is over nobody is asked any more.
"""

from __future__ import annotations

import asyncio
import logging

from rtfs.capabilities.sessions.handler import one_line
from rtfs.capabilities.sessions.mcp.elicitation import MOST, declined, elicited
from rtfs.capabilities.sessions.mcp.protocol import INVALID_PARAMS
from rtfs.capabilities.sessions.questions import CANCEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.handler import Progress
    from rtfs.capabilities.sessions.mcp.session import McpSession
    from rtfs.capabilities.sessions.questions import Ask

logger = logging.getLogger("rtfs.mcp")


class Inbox:
    """number: of the request. ask: how to ask the person behind it, or None."""

    __slots__ = ("_progress", "_questions", "_session", "ask", "number")

    def __init__(self, session: McpSession, number: int, progress: Progress | None, ask: Ask | None) -> None:
        self._session = session
        self._progress = progress
        self._questions: dict[Any, asyncio.Task[None]] = {}
        self.number = number
        self.ask = ask

    def __call__(self, message: dict[str, Any]) -> None:
        if message.get("id") is not None:
            self._session.asked(message, self)
        elif message.get("method") == "notifications/progress":
            self._report(message.get("params"))
        else:
            self._session.heard(message)

    def question(self, message: dict[str, Any]) -> None:
        """Put a question to the person; the answer goes to the server on the side."""
        number = message["id"]
        if number.__class__ not in (int, str) or number in self._questions:
            return
        if len(self._questions) >= MOST:
            self._session.reply(number, result=declined())
            return
        task = asyncio.get_running_loop().create_task(self._put(number, message.get("params")))
        self._questions[number] = task

    def withdraw(self, number: Any) -> None:
        """The server does not want to know any more."""
        task = self._questions.get(number) if number.__class__ in (int, str) else None
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """The request is over."""
        self.ask = None
        for task in self._questions.values():
            task.cancel()

    async def _put(self, number: Any, params: Any) -> None:
        session = self._session
        try:
            result = await elicited(params, self.ask, session.asker)
        except ValueError as error:
            session.reply(number, error={"code": INVALID_PARAMS, "message": str(error)})
        except Exception:
            logger.exception("%s: a question could not be put", session.label)
            session.reply(number, result={"action": CANCEL})
        else:
            session.reply(number, result=result)

    def _report(self, params: Any) -> None:
        if self._progress is None or not isinstance(params, dict) or params.get("progressToken") != self.number:
            return
        done, total, said = params.get("progress"), params.get("total"), params.get("message")
        if isinstance(done, bool) or not isinstance(done, (int, float)):
            return
        known = isinstance(total, (int, float)) and not isinstance(total, bool)
        try:
            self._progress(done, total if known else None, one_line(said) if isinstance(said, str) else None)
        except Exception:
            logger.exception("a listener of progress failed")
