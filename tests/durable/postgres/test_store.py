"""What every `RunStore` promises (tests/durable/test_store.py), of `PostgresRunStore`."""

from __future__ import annotations

import pytest

from rtfs.host.durable.postgres.store import PostgresRunStore
from tests.durable.test_store import *  # noqa: F403


@pytest.fixture
def store(database):
    found = PostgresRunStore(database)
    yield found
    found.close()
