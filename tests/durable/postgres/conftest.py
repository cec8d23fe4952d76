"""Databases for the tests of durable runs in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest

from rtfs.testing.postgres import shared_server
from tests.durable.postgres.workers import Workers

_DISCONNECT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_TABLES = (
    "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
    " WHERE schemaname = 'rtfs' AND tablename <> 'migration' OR tablename LIKE 'procrastinate\\_%'"
)


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a database without tables."""
    with shared_server().database(tables=False) as url:
        yield url


@pytest.fixture
def own_database() -> Iterator[str]:
    """The address of a new database with the tables of rtfs."""
    with shared_server().database() as url:
        yield url


@pytest.fixture(scope="session")
def emptied_database() -> Iterator[str]:
    with shared_server().database() as url:
        yield url


@pytest.fixture
def database(emptied_database: str) -> Iterator[str]:
    """The address of a database with the tables of rtfs, and nothing in them: making one takes a second."""
    import psycopg

    yield emptied_database
    with psycopg.connect(emptied_database, autocommit=True) as connection:
        connection.execute(_DISCONNECT)
        tables = [name for (name,) in connection.execute(_TABLES)]
        connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE".encode())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a test that fails stands what its workers said and did."""
    report = yield
    others = getattr(item, "funcargs", {}).get("others")
    if report.when == "call" and report.failed and isinstance(others, Workers):
        report.sections.append(("workers", others.tell()))
    return report


@pytest.fixture
def sql(database: str) -> Callable[..., list[tuple[object, ...]]]:
    """`sql(query, *values)`: the rows of a query."""
    import psycopg

    def run(query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(database, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    return run
