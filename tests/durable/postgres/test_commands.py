"""The commands of a person beside workers: what a run waits for, and where a configuration is not used."""

from __future__ import annotations

from pathlib import Path

import rtfs
from rtfs.host.workers.advancing import Advancing
from rtfs.values import UserError
from tests.cli.test_command import rtfs as command

APPROVES = {"rules": [{"match": "pay", "decide": "approve", "reason": "it costs", "for_run": True}]}


def advanced(url: str, plan: str) -> str:
    """A run that was submitted, and advanced as a worker does it."""
    with rtfs.Runtime(state=url, **APPROVES) as runtime:
        runtime.register("pay", lambda n: n)
        run_id = runtime.submit(plan)
        try:
            Advancing(runtime._executor).advance(run_id)
        except (UserError, rtfs.HostError):
            pass
        return run_id


def test_resuming_a_run_that_waits_says_what_for_and_how_to_answer(database: str):
    run_id = advanced(database, '(call "pay" 1) (await-signal "go")')
    status, _out, err = command("resume", run_id, "--state", database)
    assert status == 4
    assert 'error policy/approval-required: calling "pay" needs an approval: it costs' in err
    assert f"rtfs resume {run_id} --approve allows it, --approve-for-run also all such calls" in err
    status, _, err = command("resume", run_id, "--approve", "--state", database)
    assert (status, err) == (0, f"run {run_id} is continued by a worker\n")


def test_an_approval_of_a_run_that_waits_for_something_else_is_an_error(database: str):
    run_id = advanced(database, '(await-signal "go")')
    status, _, err = command("resume", run_id, "--state", database)
    assert status == 4
    assert f"run/waiting: run {run_id} waits for the signal 'go'" in err
    assert f"rtfs signal {run_id} go JSON sends it" in err
    for option in (["--approve"], ["--refuse", "no"]):
        status, _out, err = command("resume", run_id, *option, "--state", database)
        assert status == 1
        assert "run/no-question" in err
    status, _out, err = command("resume", run_id, "--approve", "--question", "approval:1", "--state", database)
    assert status == 1
    assert f"error run/no-question: run {run_id} does not ask 'approval:1'" in err


def test_a_configuration_that_is_not_trusted_is_not_used_in_silence(database: str, tmp_path: Path):
    home = str(tmp_path / "state")
    (tmp_path / "rtfs.yaml").write_text(f"state: {database}\n")
    with rtfs.Runtime(state=database) as runtime:
        run_id = runtime.submit("1")
    for words in (["runs"], ["runs", "list"], ["cancel", run_id], ["signal", run_id, "go", "1"], ["resume", run_id]):
        _status, out, err = command(*words, cwd=tmp_path, XDG_STATE_HOME=home)
        assert err.count("rtfs.yaml in this folder is not trusted yet") == 1
        assert run_id not in out
    assert run_id in command("runs", "--trust", cwd=tmp_path, XDG_STATE_HOME=home)[1]
    assert run_id in command("runs", "list", cwd=tmp_path, XDG_STATE_HOME=home)[1]


def test_a_time_to_run_at_is_from_now(database: str):
    status, _out, err = command("submit", "-e", "1", "--at", "yesterday", "--state", database)
    assert status == 2
    assert "--at takes a date and time, or how long from now, not 'yesterday'" in err
