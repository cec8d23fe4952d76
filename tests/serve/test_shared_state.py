"""Served runs whose state is a database: what they wait for is answered on another machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import rtfs
from rtfs.testing.postgres import database, shared_server
from tests.cli.test_command import rtfs as command
from tests.serve.clients import served, told
from tests.serve.conftest import CAPS, CONFIG


def test_a_served_run_is_approved_and_signalled_from_another_machine(tmp_path: Path) -> None:
    plan = '[(call "shop.cancel" {:id 7}) (await-signal "paid")]'

    async def main(url: str) -> None:
        (tmp_path / "rtfs.yaml").write_text(f"state: {url}\n{CONFIG}")
        (tmp_path / "caps.rtfs").write_text(CAPS)
        with rtfs.Runtime(state=url, principal="elsewhere") as other:
            async with served(tmp_path, "--config", "rtfs.yaml") as client:
                paused = await told(client, "run_plan", plan=plan)
                assert (paused["status"], paused["pending"]["capability"]) == ("paused", "shop.cancel")
                run = paused["run"]
                await asyncio.to_thread(other.answer, run, "approval:1", True)
                assert (await told(client, "resume", run=run))["status"] == "paused"
            await asyncio.to_thread(other.signal, run, "paid", 7)
            async with served(tmp_path, "--config", "rtfs.yaml") as client:  # another server
                assert (await told(client, "status", run=run))["status"] == "waiting"
                assert (await told(client, "resume", run=run))["value"] == ["cancelled 7", 7]

    with database() as url:
        asyncio.run(main(url))


def test_a_server_whose_database_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "caps.rtfs").write_text(CAPS)
    with shared_server().database(tables=False) as empty:
        for url, code in ((empty, "database/schema"), ("postgresql://127.0.0.1:1/plans", "database/unreachable")):
            (tmp_path / "rtfs.yaml").write_text(f"state: {url}\n{CONFIG}")
            status, out, err = command("mcp", "serve", "--config", "rtfs.yaml", cwd=tmp_path)
            assert (status != 0, out) == (True, "")
            assert code in err
            assert "Traceback" not in err
