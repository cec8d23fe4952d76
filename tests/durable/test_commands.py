"""The commands: `run --durable`, `resume`, `runs`, `audit`, `--record`, `--replay`."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

Command = Callable[..., tuple[int, str, str]]
ROOT = Path(__file__).resolve().parent.parent.parent


def killed(tmp_path: Path, *words: str, when: Callable[[], bool]) -> None:
    """Run `rtfs` and kill it when something has happened."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path / "xdg")}
    process = subprocess.Popen(
        [sys.executable, "-m", "rtfs", *words], cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL
    )
    end = time.monotonic() + 30
    while not when() and time.monotonic() < end:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert when()


def test_a_killed_command_is_resumed_with_what_it_was_started_with(tmp_path: Path, command: Command) -> None:
    (tmp_path / "caps.rtfs").write_text(
        '(capability "slow" :implementation'
        ' (fn [] (do (write-file "there" "x") (call "ccos.system.sleep-ms" 1500) :ok)))'
    )
    (tmp_path / "plan.rtfs").write_text('(println "start") (write-file "a" "1") [(call "slow") (read-file "a") @who]')
    killed(
        tmp_path, "run", "--durable", "--run-id", "x", "--load", "caps.rtfs", "--allow", "fs:write:.",
        "--allow", "fs:read:.", "--context", '{"who": "Ann"}', "--ledger", "audit.db", "plan.rtfs",
        when=lambda: (tmp_path / "there").exists(),
    )  # fmt: skip
    code, out, _ = command("runs", "--json")
    (run,) = json.loads(out)
    assert (run["run"], run["state"]) == ("x", "interrupted")
    (tmp_path / "elsewhere").mkdir()
    assert command("resume", "x", cwd=tmp_path / "elsewhere") == (0, '[:ok "1" "Ann"]\n', "")
    assert command("resume", "x", "--json")[:2] == (0, '["ok","1","Ann"]\n')
    code, out, _ = command("runs")
    assert code == 0
    assert "x" in out
    assert "done" in out
    code, out, _ = command("audit", "show", "audit.db")
    assert code == 0
    assert "replay ccos.io.write-file ok" in out
    assert "decision slow" in out
    assert command("audit", "verify", "audit.db")[0] == 0
    assert command("runs", "prune") == (0, "", "")
    assert command("runs") == (0, "", "")


def test_the_id_goes_to_standard_error(tmp_path: Path, command: Command) -> None:
    code, out, err = command("run", "--durable", "-e", "(+ 1 2)")
    assert (code, out) == (0, "3\n")
    run_id = err.removeprefix("run ").strip()
    assert command("resume", run_id) == (0, "3\n", "")
    assert command("runs", "delete", run_id) == (0, "", "")
    assert command("resume", run_id)[0] == 1


def test_a_run_of_a_python_program_is_resumed_there(tmp_path: Path, command: Command) -> None:
    import rtfs

    with rtfs.Runtime(state=tmp_path / "xdg" / "rtfs" / "runs") as runtime:
        runtime.run("1", durable=True, run_id="p")
    code, _, err = command("resume", "p")
    assert code == 2
    assert "Runtime.resume" in err


def test_a_run_that_waits_for_approval_ends_with_4_and_goes_on_when_approved(tmp_path: Path, command: Command) -> None:
    (tmp_path / "rtfs.yaml").write_text(
        "allow: ['fs:write:.']\npolicy:\n  rules:\n    - match: ccos.io.write-file\n      decide: approve\n"
    )
    (tmp_path / "plan.rtfs").write_text('(println "once") (write-file "out" "x") :done')
    code, out, err = command("run", "--config", "rtfs.yaml", "--durable", "--run-id", "w", "plan.rtfs")
    assert (code, out) == (4, "once\n")
    assert "rtfs resume w --approve" in err
    assert "waiting" in command("runs")[1]
    assert command("resume", "w")[0] == 4
    assert not (tmp_path / "out").exists()
    assert '"ccos.io.write-file" {:path "out" :content "x"}' in command("runs")[1]
    assert command("resume", "w", "--approve")[:2] == (0, ":done\n")
    assert (tmp_path / "out").read_text() == "x"


def test_an_approval_on_the_command_line_is_for_the_very_call_that_the_run_waited_for(
    tmp_path: Path, command: Command
) -> None:
    (tmp_path / "rtfs.yaml").write_text(
        "allow: ['fs:write:.']\npolicy:\n  rules:\n    - match: ccos.io.write-file\n      decide: approve\n"
    )
    plan = tmp_path / "plan.rtfs"
    plan.write_text('(write-file "out" "x") :done')
    assert command("run", "--config", "rtfs.yaml", "--durable", "--run-id", "w", "plan.rtfs")[0] == 4
    plan.write_text('(write-file "out" "evil") (write-file "out" "x") :done')
    approve = ("resume", "w", "--approve", "--accept-changes")
    assert command(*approve)[0] == 4
    assert not (tmp_path / "out").exists()
    assert command(*approve)[0] == 4  # that was the one, the next waits
    assert (tmp_path / "out").read_text() == "evil"
    assert command(*approve)[:2] == (0, ":done\n")


def test_an_approval_for_the_rest_of_the_run_on_the_command_line(tmp_path: Path, command: Command) -> None:
    rule = "allow: ['fs:write:.']\npolicy:\n  rules:\n    - match: ccos.io.write-file\n      decide: approve\n"
    begin = ("run", "--config", "rtfs.yaml", "--durable", "--run-id")
    plan = '(write-file "a" "1") (write-file "b" "2") :done'
    (tmp_path / "rtfs.yaml").write_text(rule)
    assert command(*begin, "once", "-e", plan)[0] == 4
    code, _, err = command("resume", "once", "--approve-for-run")
    assert (code, "error argument/invalid: run once asks about one call" in err) == (1, True)
    assert not (tmp_path / "a").exists()
    (tmp_path / "rtfs.yaml").write_text(rule + "      for_run: true\n")
    code, _, err = command(*begin, "w", "-e", plan)
    assert (code, "--approve-for-run approves all such calls of the run" in err) == (4, True)
    assert "question   approval:1, may be approved for the rest of the run" in command("runs", "show", "w")[1]
    assert json.loads(command("runs", "show", "w", "--json")[1])["for_run"] is True
    assert [run.get("for_run") for run in json.loads(command("runs", "--json")[1])] == [None, True]
    assert command("resume", "w", "--approve", "--approve-for-run")[0] == 2
    assert command("resume", "w", "--approve-for-run")[:2] == (0, ":done\n")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["1", "2"]
    assert command(*begin, "s", "-e", '(await-signal "go")')[0] == 4
    code, _, err = command("resume", "s", "--approve-for-run")
    assert (code, "error run/no-question: run s does not wait for an approval" in err) == (1, True)


def test_a_run_that_is_not_checked_is_not_checked_when_it_is_resumed_either(tmp_path: Path, command: Command) -> None:
    (tmp_path / "rtfs.yaml").write_text(
        "allow: ['fs:write:.']\npolicy:\n  rules:\n    - match: ccos.io.write-file\n      decide: approve\n"
    )
    wrong = '(write-file "out" "x") (+ 1 "a")'
    begin = ("run", "--config", "rtfs.yaml", "--durable", "--run-id")
    assert command(*begin, "checked", "-e", wrong)[0] == 1
    assert command(*begin, "w", "--no-check", "-e", wrong)[0] == 4
    assert not (tmp_path / "out").exists()
    code, _, err = command("resume", "w", "--approve")
    assert (code, "type/mismatch" in err) == (1, True)
    assert (tmp_path / "out").read_text() == "x"
    printing = '(println "hi") (+ 1 "a")'
    begin = ("run", "--config", "rtfs.yaml", "--record", "r.jsonl")
    assert command(*begin, "-e", printing)[:2] == (1, "")
    assert command(*begin, "--no-check", "-e", printing)[:2] == (1, "hi\n")


def test_record_and_replay(tmp_path: Path, command: Command) -> None:
    source = '(println "hi") (write-file "a" "1") (+ 1 (count (read-file "a")))'
    grants = ("--allow", "fs:write:.", "--allow", "fs:read:.")
    assert command("run", *grants, "--record", "r.jsonl", "-e", source) == (0, "hi\n2\n", "")
    (tmp_path / "a").unlink()
    assert command("run", "--replay", "r.jsonl", "-e", source) == (0, "hi\n2\n", "")
    assert not (tmp_path / "a").exists()
    assert command("run", "--replay", "r.jsonl", "-e", '(write-file "b" "1")')[0] == 1
    assert command("run", "--replay", "r.jsonl", "--durable", "-e", "1")[0] == 2


def test_audit_names_what_was_changed(tmp_path: Path, command: Command) -> None:
    assert command("run", "--ledger", "l.db", "-e", '(println "a")')[0] == 0
    code, out, _ = command("audit", "export", "l.db")
    exported = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [record["seq"] for record in exported] == list(range(1, len(exported) + 1))
    assert {"run", "decision", "outcome", "end"} == {record["kind"] for record in exported}
    run = exported[0]["run"]
    assert len(command("audit", "show", "--run", run, "l.db")[1].splitlines()) == 4
    connection = sqlite3.connect(tmp_path / "l.db")
    connection.execute("UPDATE records SET detail = 'deny: no' WHERE seq = 2")
    connection.commit()
    connection.close()
    code, _, err = command("audit", "verify", "l.db")
    assert code == 1
    assert "record 2 was changed" in err
    assert command("audit", "verify", "nothing.db")[0] == 1
    assert command("audit", "verify")[0] == 2


def test_the_ledger_of_the_configuration(tmp_path: Path, command: Command) -> None:
    (tmp_path / "rtfs.yaml").write_text("ledger: kept.db\ndurability: power\n")
    assert command("run", "--config", "rtfs.yaml", "-e", "1")[0] == 0
    assert command("audit", "verify", "--config", "rtfs.yaml")[0] == 0
    assert (tmp_path / "kept.db").exists()


def test_a_run_that_was_killed_before_its_journal_had_anything_in_it_is_started_again(
    tmp_path: Path, command: Command
) -> None:
    runs = tmp_path / "xdg" / "rtfs" / "runs"
    runs.mkdir(parents=True, mode=0o700)
    for name in ("x", "y"):
        (runs / f"{name}.journal").touch(mode=0o600)
    code, _, said = command("resume", "x")
    assert code == 1
    assert "error run/damaged: the journal of run x is empty" in said
    assert "start it again" in said
    assert command("run", "--durable", "--run-id", "x", "-e", "1")[:2] == (0, "1\n")
    assert command("runs", "delete", "x", "y") == (0, "", "")
    assert list(runs.iterdir()) == []
