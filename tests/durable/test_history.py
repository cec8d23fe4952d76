"""`rtfs runs show` and the filters of `rtfs audit show`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import rtfs

Command = Callable[..., tuple[int, str, str]]
PLAN = """(plan "copy" "Copies" {:params {:to :string} :result :keyword}
  (println "hi") (write-file @to "x") :done)"""
POLICY = (
    "allow: ['fs:write:.']\nledger: l.db\n"
    "policy:\n  rules:\n    - match: ccos.io.write-file\n      decide: approve\n      reason: it stays\n"
)


@pytest.fixture
def waiting(tmp_path: Path, command: Command) -> None:
    """A run `w` that waits for an approval."""
    (tmp_path / "policy.yaml").write_text(POLICY)
    (tmp_path / "plan.rtfs").write_text(PLAN.replace("@to", "to"))
    found = command("run", "--config", "policy.yaml", "--durable", "--run-id", "w", "--param", "to=out", "plan.rtfs")
    assert found[0] == 4, found


@pytest.mark.usefixtures("waiting")
def test_a_run_is_shown_with_its_parameters_calls_and_what_it_waits_for(command: Command) -> None:
    code, out, err = command("runs", "show", "w", "--json")
    assert (code, err) == (0, "")
    data = json.loads(out)
    assert [data[name] for name in ("run", "state", "program", "principal")] == ["w", "waiting", "plan.rtfs", "local"]
    assert data["parameters"] == {"to": '"out"'}
    assert data["asked"] == '"ccos.io.write-file" {:path "out" :content "x"}'
    assert [(call["capability"], call["arguments"], call["outcome"]) for call in data["calls"]] == [
        ("ccos.io.println", '"hi"', "ok")
    ]
    assert data["timeline"][-1]["outcome"] == "stopped: policy/approval-required"
    text = command("runs", "show", "w")[1]
    assert "run w: waiting\n" in text
    assert '\n  parameter  to = "out"\n' in text
    assert "\n  waits for  calling " in text


@pytest.mark.usefixtures("waiting")
def test_the_timeline_has_decision_outcome_and_duration_of_calls_over_all_attempts(command: Command) -> None:
    assert command("resume", "w", "--approve")[:2] == (0, ":done\n")
    data = json.loads(command("runs", "show", "w", "--json")[1])
    assert data["state"] == "done"
    assert data["ended"] >= data["began"]
    calls = [entry for entry in data["timeline"] if entry["kind"] == "call" and entry.get("outcome") == "ok"]
    assert [entry["subject"] for entry in calls] == ["ccos.io.println", "ccos.io.write-file"]
    assert all(entry["duration"] > 0 and entry["decision"] for entry in calls)
    assert [entry["kind"] for entry in data["timeline"]].count("resume") == 1


@pytest.mark.usefixtures("waiting")
def test_a_ledger_that_is_gone_hides_nothing_else(tmp_path: Path, command: Command) -> None:
    (tmp_path / "l.db").unlink()
    code, out, err = command("runs", "show", "w")
    assert code == 0
    assert "ccos.io.println" in out
    assert "no timeline: there is no ledger" in err
    code, _, err = command("runs", "show", "w", "--ledger", "other.db")
    assert (code, "ledger/missing" in err) == (1, True)


def test_functions_among_arguments_and_failed_calls_are_shown(tmp_path: Path, command: Command) -> None:
    with rtfs.Runtime(state=tmp_path / "xdg" / "rtfs" / "runs") as runtime:
        runtime.register("take", lambda given: 1)
        runtime.register("fail", lambda: 1 / 0)
        with pytest.raises(rtfs.UserError):
            runtime.run('(call "take" {:f (fn [x] x)}) (call "fail")', durable=True, run_id="f")
    data = json.loads(command("runs", "show", "f", "--json")[1])
    assert data["state"] == "failed"
    outcomes = [call["outcome"] for call in data["calls"]]
    assert outcomes[-1].startswith("error: ")


def test_an_unknown_run_is_an_error(command: Command) -> None:
    code, _, err = command("runs", "show", "nope")
    assert (code, "run/unknown" in err) == (1, True)
    assert command("runs", "show")[0] == 2


@pytest.mark.usefixtures("waiting")
def test_the_records_of_a_ledger_are_filtered(command: Command) -> None:
    def shown(*words: str) -> list[dict[str, object]]:
        code, out, err = command("audit", "show", "l.db", "--json", *words)
        assert (code, err) == (0, "")
        return [json.loads(line) for line in out.splitlines()]

    everything = shown()
    assert shown("--last", "2") == everything[-2:]
    assert shown("--since", "2h") == everything
    assert shown("--since", "2000-01-01T00:00:00+01:00") == everything
    assert shown("--since", "9999-01-01") == []
    written = shown("--capability", "ccos.io.w*")
    assert {record["subject"] for record in written} == {"ccos.io.write-file"}
    assert shown("--capability", "ccos.io.w*", "--last", "1", "--run", "w") == written[-1:]
    assert shown("--capability", "mcp.*") == []


@pytest.mark.parametrize(
    "words",
    [
        ("--last", "0"), ("--last", "many"), ("--last", "9" * 30), ("--last", "-1"), ("--capability", ""),
        ("--since", "soon"), ("--since", ""), ("--since", "2y"), ("--since", "2026-13-01"), ("--since", "9" * 40 + "h"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("waiting")
def test_a_filter_that_makes_no_sense_is_a_usage_error(command: Command, words: tuple[str, str]) -> None:
    code, out, err = command("audit", "show", "l.db", *words)
    assert (code, out) == (2, "")
    assert f"error usage: {words[0]} " in err
    assert "Traceback" not in err
