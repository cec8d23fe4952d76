"""`answering`: connections on which an answer is waited for only so long; then they count as lost.

Must not know statements. Invariant: no thread or task waits for an answer for ever. A server that is gone is noticed by
the settings of the connection; an answer that a proxy or balancer on the way has lost is not, as the connection to that
one is alive.
"""

from __future__ import annotations

from functools import cache
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

ANSWER = 20.0
"""Seconds that a statement takes at most. Statements that may take longer, as migrations, have connections without a
limit."""


@cache
def answering(base: type[Any]) -> Any:
    """A class of psycopg's connections, `Connection` or `AsyncConnection`, with this limit."""

    class Answering(base):  # type: ignore[misc]
        def wait(self, generator: Any, *args: Any, **options: Any) -> Any:
            return super().wait(_limited(self.pgconn, generator), *args, **options)

    return Answering


def _limited(connection: Any, generator: Any) -> Generator[Any, Any, Any]:
    """What psycopg waits for, until the server has owed an answer for too long: no statement is under way while a
    connection listens. Raises psycopg.OperationalError; the connection is closed then."""
    from psycopg import OperationalError
    from psycopg.pq import TransactionStatus

    ends = monotonic() + ANSWER
    try:
        wanted = next(generator)
        while True:
            ready = yield wanted
            if not ready and monotonic() > ends and connection.transaction_status == TransactionStatus.ACTIVE:
                connection.finish()
                raise OperationalError(f"no answer within {ANSWER:g} seconds")
            wanted = generator.send(ready)
    except StopIteration as end:
        return end.value
