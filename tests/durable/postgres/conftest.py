"""Databases for the tests of durable runs in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rtfs.testing.postgres import shared_server


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a database without tables."""
    with shared_server().database(tables=False) as url:
        yield url


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database with the tables of rtfs."""
    with shared_server().database() as url:
        yield url


@pytest.fixture
def sql(database: str) -> Callable[..., list[tuple[object, ...]]]:
    """`sql(query, *values)`: the rows of a query."""
    import psycopg

    def run(query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(database, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    return run
