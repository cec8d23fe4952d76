"""Other implementations that are measured beside ours, where they are installed (extra `bench`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def monty_session() -> Iterator[Any]:
    """A session of a warm worker of Monty's (`pydantic-monty`), or None without it."""
    try:
        from pydantic_monty import Monty
    except ImportError:
        yield None
        return
    with Monty() as pool, pool.checkout(limits={"max_suspensions": 10**9}) as session:
        yield session
