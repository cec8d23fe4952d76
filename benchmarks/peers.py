"""Other implementations that are measured beside ours, where they are installed (extra `bench`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.measure import count_children


@contextmanager
def monty_session() -> Iterator[Any]:
    """A session of a warm worker of Monty's (`pydantic-monty`), or None without it."""
    try:
        from pydantic_monty import Monty
    except ImportError:
        yield None
        return
    with Monty() as pool, pool.checkout(limits={"max_suspensions": 10**9}) as session:
        count_children()
        yield session


@contextmanager
def dbos_workflow(url: str, sequential: int, branches: int) -> Iterator[Any]:
    """A workflow of DBOS (`dbos`) over a database, whose calls are steps that do nothing; or None without it."""
    try:
        from dbos import DBOS
    except ImportError:
        yield None
        return
    from concurrent.futures import ThreadPoolExecutor

    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    DBOS(config={"name": "bench", "system_database_url": address, "log_level": "ERROR"})

    @DBOS.step()  # type: ignore[untyped-decorator]
    def work(value: int) -> int:
        return value

    @DBOS.workflow()  # type: ignore[untyped-decorator]
    def plan() -> int:
        for number in range(sequential):
            work(number)
        for number in range(branches):
            work(number)
        return sequential

    DBOS.launch()
    try:
        with ThreadPoolExecutor(1) as pool:
            yield lambda: pool.submit(plan).result()
    finally:
        DBOS.destroy()
