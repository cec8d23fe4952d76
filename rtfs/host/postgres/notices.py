"""`Notices`: hears the notifications of one channel of a database, over one connection for all threads that wait.

Must not know tables. Invariants: there is a connection only while something is waited for; whatever was missed, because
there was no connection yet or it was lost, wakes all that wait.
"""

from __future__ import annotations

from _thread import allocate_lock, start_new_thread
from time import sleep

from rtfs.host.postgres.answering import answering
from rtfs.host.postgres.link import LIVELINESS, check_url, driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from psycopg import Connection

_LOOK = 1.0
"""Seconds between two looks whether the connection is still needed."""


class Notices:
    """url: of the database. channel: its name is a plain identifier."""

    __slots__ = ("_channel", "_closed", "_guard", "_runs", "_url", "_waiting")

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._guard = allocate_lock()
        self._waiting: dict[str, list[Callable[[], None]]] = {}
        self._runs = False
        self._closed = False

    def add(self, payload: str, wake: Callable[[], None]) -> None:
        """Have `wake` called, in another thread, at each notification with this payload, and when one may have been
        missed."""
        with self._guard:
            self._waiting.setdefault(payload, []).append(wake)
            if not self._runs and not self._closed:
                self._runs = True
                start_new_thread(self._run, ())

    def remove(self, payload: str, wake: Callable[[], None]) -> None:
        """Call it no more."""
        with self._guard:
            known = self._waiting[payload]
            known.remove(wake)
            if not known:
                del self._waiting[payload]

    def close(self) -> None:
        """Hear nothing any more. Harmless when repeated."""
        self._closed = True

    def _run(self) -> None:
        psycopg = driver()
        while True:
            try:
                with answering(psycopg.Connection).connect(
                    **{**LIVELINESS, **check_url(self._url)}, autocommit=True
                ) as connection:
                    self._listen(connection)
            except psycopg.Error:  # the database is away, or has no connection left
                sleep(_LOOK)
            with self._guard:
                if self._closed or not self._waiting:
                    self._runs = False
                    return

    def _listen(self, connection: Connection[Any]) -> None:
        """Wake those that wait, until there are none."""
        connection.execute(f"LISTEN {self._channel}".encode())
        self._wake(None)
        while self._waiting and not self._closed:
            for notice in connection.notifies(timeout=_LOOK):
                self._wake(notice.payload)

    def _wake(self, payload: str | None) -> None:
        with self._guard:
            known = [self._waiting.get(payload, [])] if payload is not None else [*self._waiting.values()]
            for wake in [one for several in known for one in several]:
                wake()
