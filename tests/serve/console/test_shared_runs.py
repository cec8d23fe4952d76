"""One store for all: a run is submitted by one process, run by a worker, and approved in the page of a third."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

import httpx
import pytest

import rtfs
from rtfs.host.audit.ledger_stores import inspect, records
from rtfs.host.postgres.link import shown
from rtfs.testing.postgres import database
from tests.cli.test_command import rtfs as command
from tests.cli.typing_at import ROOT, Typist
from tests.durable.postgres.workers import until
from tests.serve.conftest import CAPS, CONFIG

PLAN = '(plan "order" {:params {:id :int}} [(call "shop.cancel" {:id id}) (await-signal "paid")])'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose configuration keeps everything in a database, with a worker for it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    with database() as url:
        shared = CONFIG.replace("ledger: ledger.db", f"ledger: {url}\nstate: {url}\nkv: {url}\nledger_key: key")
        (tmp_path / "rtfs.yaml").write_text(shared)
        (tmp_path / "caps.rtfs").write_text(CAPS)
        (tmp_path / "plan.rtfs").write_text(PLAN)
        (tmp_path / "url").write_text(url)
        words = [sys.executable, "-m", "rtfs", "worker", "--config", "rtfs.yaml", "--lease", "2"]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL) as worker:
            try:
                yield tmp_path
            finally:
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(120) == 0


def test_a_run_that_a_command_submitted_is_approved_in_the_page_of_a_console(folder: Path) -> None:
    code, out, err = command("submit", "plan.rtfs", "--param", "id=seven", "--config", "rtfs.yaml", cwd=folder)
    assert (code, out, "--param id" in err or "parameter id" in err) == (1, "", True)
    code, out, err = command("submit", "plan.rtfs", "--param", "id=7", "--config", "rtfs.yaml", cwd=folder)
    assert (code, err) == (0, "")
    run = out.strip()
    with rtfs.Runtime.from_config("rtfs.yaml") as runtime:
        other = runtime.submit('(call "shop.cancel" {:id 8})')  # by a Python program
        store = runtime._executor.store
        for one in (run, other):
            until(lambda one=one: store.look(one).facts["state"] == "waiting")
        config = str(folder / "rtfs.yaml")
        with Typist("console", "--answer", "--config", config, XDG_STATE_HOME=os.environ["XDG_STATE_HOME"]) as terminal:
            link = re.search(r"(http://\S+)#(\S+)", terminal.wait("Ctrl-C ends"))
            assert link
            with httpx.Client(timeout=60) as client:
                assert client.post(f"{link[1]}session", data={"link": link[2]}).status_code == 303
                inbox = client.get(f"{link[1]}inbox").text
                assert (run in inbox, other in inbox) == (True, True)
                assert "2 runs wait for an answer" in client.get(link[1]).text
                for one in (run, other):
                    page = client.get(f"{link[1]}run/{one}").text
                    fields = dict(re.findall(r'name="(mark|question)" value="([^"]*)"', page))
                    answered = client.post(f"{link[1]}run/{one}/answer", data={**fields, "answer": "approve"})
                    assert answered.status_code == 303, answered.text
                until(lambda: store.look(run).facts.get("question") == "signal:paid")
                until(lambda: store.look(other).facts["state"] == "done")
                assert "for an answer" not in client.get(link[1]).text  # a signal is not an answer of a person here
                assert command("signal", run, "paid", "12", "--config", "rtfs.yaml", cwd=folder)[0] == 0
                until(lambda: store.look(run).facts["state"] == "done")
                assert "cancelled 7" in client.get(f"{link[1]}run/{run}").text
                place = shown((folder / "url").read_text())
                assert f"<code>{escape(place)}</code>" in client.get(f"{link[1]}ledger").text
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.end() in (0, 130)
            assert "Traceback" not in terminal.shown
    assert command("resume", run, "--config", "rtfs.yaml", cwd=folder)[:2] == (0, '["cancelled 7" 12]\n')
    assert command("resume", other, "--config", "rtfs.yaml", cwd=folder)[:2] == (0, '"cancelled 8"\n')
    assert inspect((folder / "url").read_text(), "key") is None
    taken = [record for record in records((folder / "url").read_text(), other) if record.kind == "resume"]
    assert len(taken) == 2  # begun, and continued after the approval: none of them was lost to a worker
