"""Taking jobs from a queue that fails in ways that no real server is made to fail in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from procrastinate.exceptions import ConnectorException

from rtfs.host.dispatch.taking import Taking


class Connector:
    async def execute_query_one_async(self, query: str) -> dict[str, float]:
        return {"now": 0.0}


class Manager:
    """A queue whose first query for a job fails, and whose listener loses the first cancellation: `wait_for` does so up
    to Python 3.11, when a notification comes in that moment."""

    connector = Connector()

    async def prune_stalled_workers(self, seconds: float) -> None:
        pass

    async def register_worker(self) -> int:
        return 1

    async def update_heartbeat(self, number: int) -> None:
        pass

    async def get_stalled_jobs(self, **options: Any) -> list[Any]:
        return []

    async def fetch_job(self, queues: list[str], number: int) -> None:
        await asyncio.sleep(0.01)
        raise ConnectorException("the registration was taken back")

    async def listen_for_jobs(self, **options: Any) -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(3600)


def test_a_listener_that_loses_a_cancellation_does_not_keep_a_worker_from_its_next_registration():
    async def main() -> None:
        taking = Taking(lambda run_id: None, ["queue"], runs=1, lease=10.0)
        manager: Any = Manager()
        with pytest.raises(ConnectorException):
            async with asyncio.timeout(60):
                await taking.take(manager)

    asyncio.run(main())
