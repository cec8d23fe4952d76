"""`Dispatch`: the queue that says which process advances which run when, and the turns of runs in it.

Must not know plans, journals or any queue's name. Invariants: a run that can go on is in the queue from the very
transaction that makes it so; it is there once; runs of different principals take turns, however many each has.

A run's turn is a number: one more than that of the last run of its principal that waits, and at least that of the run
that is next. A principal with ten runs gets them in between those of one with ten thousand.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from psycopg import Connection

    class Dispatch(Protocol):
        """A queue in the database of the runs."""

        def enqueue(self, connection: Connection[Any], run_id: str, at: float | None) -> bool:
            """Have a run advanced, at a time in seconds since 1970 or soon, within the connection's transaction; False
            for a run that no worker may advance."""

        async def work(self, advance: Callable[[str], None], queues: Sequence[str], runs: int) -> None:
            """Call `advance(run_id)` in threads, for so many runs at once, until it is told to stop or the database is
            away. What it raises has the run advanced again, a little later."""

        def stop(self) -> None:
            """Have `work` end, once what it has begun has ended. From its own thread."""


_PLACE = (
    "UPDATE rtfs.run SET turn = CASE WHEN %s THEN greatest("
    " coalesce((SELECT min(turn) FROM rtfs.run WHERE turn IS NOT NULL), 0),"
    " coalesce((SELECT max(turn) + 1 FROM rtfs.run AS other"
    " WHERE turn IS NOT NULL AND other.principal = run.principal AND other.number <> run.number), 0)) END"
    " WHERE id = %s AND queue IS NOT NULL RETURNING queue, priority, turn"
)


class Place:
    """A run's place in the queue. turn: None for a run that has its own time."""

    __slots__ = ("priority", "queue", "turn")

    def __init__(self, queue: str, priority: int, turn: int | None) -> None:
        self.queue = queue
        self.priority = priority
        self.turn = turn


def place(connection: Connection[Any], run_id: str, at: float | None) -> Place | None:
    """Give a run its place, within the connection's transaction; None for one that no worker may advance. at: when it
    is to be advanced, None for soon. Raises psycopg.Error."""
    row = connection.execute(_PLACE, (at is None, run_id)).fetchone()
    return None if row is None else Place(*row)
