"""Recordings: readable, without secrets, and enough to replay a run without touching anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host.redaction import know

SOURCE = """
(capability "twice" :implementation (fn [x] [(call "odd" x) (call "odd" [x 1.0 1])]))
(println "hello")
(def t (call "ccos.system.current-timestamp-ms"))
(call "ccos.state.kv.put" :k t)
[(step "s" (call "twice" {:a t})) (try (call "bad" 1) (catch e [(:code e) (:message e) (:data e)]))
 (step-parallel (call "odd" 1) (do (println "x") 5)) (call "ccos.concurrent/parallel" (fn [] (call "odd" 3)) (fn [] 4))
 ^{:runtime.retry 2} (call "twice" 7) @who
 (try (step-parallel (call "odd" 9) (call "bad" 3) (call "odd" 8)) (catch e (:code e)))
 (= t (call "ccos.state.kv.get" :k))]
"""


def odd(x: Any) -> Any:
    return rtfs.Vector([x, float("nan"), rtfs.Keyword("k"), rtfs.List([1]), rtfs.HostError("e"), "é\U0001f600", 10**30])


def bad(x: Any) -> Any:
    raise rtfs.HostError("no way", data=rtfs.Map([(1, 2)]))


@pytest.fixture
def recording(tmp_path: Path) -> tuple[Path, str]:
    """A recording of SOURCE and the text of its value."""
    file = tmp_path / "r.jsonl"
    with rtfs.Runtime() as runtime:
        runtime.register("odd", odd)
        runtime.register("bad", bad)
        return file, rtfs.to_text(runtime.run(SOURCE, {"who": "Ann"}, record=file))


def replay(source: str, file: Path) -> str:
    with rtfs.Runtime() as runtime:  # knows neither `odd` nor `bad`
        return rtfs.to_text(runtime.run(source, {"who": "Ann"}, replay=file))


def test_a_replay_gives_the_same_and_makes_no_call(recording: tuple[Path, str], capsys: Any) -> None:
    file, value = recording
    capsys.readouterr()
    assert replay(SOURCE, file) == value
    assert capsys.readouterr().out == "hello\nx\n"


def test_a_recording_is_lines_for_people(recording: tuple[Path, str]) -> None:
    lines = [json.loads(line) for line in recording[0].read_text().splitlines()]
    assert lines[0]["recording"] == 1
    assert {"path": "1", "call": "ccos.io.println", "arguments": '["hello"]', "value": "nil"} in lines
    assert {
        "path": "5", "call": "bad", "arguments": "[1]",
        "error": {"code": "capability/failed", "message": "no way", "capability": "bad", "data": "{1 2}"},
    } in lines  # fmt: skip


@pytest.mark.parametrize(
    ("was", "now", "code", "says"),
    [
        ("[x 1.0 1]", "[x 1 1]", "run/divergence", 'call 4.1.2 was a call of "odd"'),
        ('(println "hello")', "", "run/divergence", 'call 1 was a call of "ccos.io.println"'),
        ("@who", '(call "more" 1)', "run/divergence", "call 9"),
        (":k))]", ':k))] (call "more" 1)', "recording/missing", '"more" is not in the recording'),
        ('(println "x")', "", "run/divergence", "does not make it"),
    ],
)
def test_what_is_not_in_the_recording_is_named(
    recording: tuple[Path, str], was: str, now: str, code: str, says: str
) -> None:
    assert SOURCE.count(was) == 1
    with pytest.raises(rtfs.UserError) as caught:
        replay(SOURCE.replace(was, now), recording[0])
    assert caught.value.code == code
    assert says in caught.value.message


def test_a_program_cannot_catch_what_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "r.jsonl"
    with rtfs.Runtime() as runtime:
        runtime.run("1", record=file)
    with pytest.raises(rtfs.UserError) as caught:
        replay('(try (call "ccos.io.println" "x") (catch e :caught))', file)
    assert caught.value.code == "recording/missing"


def test_nothing_leaves_the_process_in_a_replay(tmp_path: Path) -> None:
    file, target = tmp_path / "r.jsonl", tmp_path / "out.txt"
    source = f'(write-file "{target}" "x") (read-file "{target}")'
    with rtfs.Runtime(allow=[f"fs:write:{tmp_path}", f"fs:read:{tmp_path}"]) as runtime:
        assert runtime.run(source, record=file) == "x"
    target.unlink()
    assert replay(source, file) == '"x"'
    assert not target.exists()


def test_secrets_are_left_out_and_the_replay_still_fits(tmp_path: Path) -> None:
    canary = "canary-7f3a9b21c4"
    file = tmp_path / "r.jsonl"
    source = '(call "use" {:token (call "secret") :n 1})'
    with rtfs.Runtime() as runtime:
        runtime.register("secret", lambda: canary)
        runtime.register("use", lambda x: "used " + x.get(rtfs.Keyword("token")))
        know(canary)
        runtime.run(source, record=file)
    assert canary not in file.read_text()
    assert "redacted" in file.read_text()
    assert "redacted" in replay(source, file)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "{}", '{"recording": 2}', '{"recording": 1}\n{"path": "x", "call": "y"}',
     '{"recording": 1}\n{"path": "1", "call": "y", "arguments": "(", "value": "1"}',
     '{"recording": 1}\n{"path": "1", "call": "y", "arguments": "[]"}'],
)  # fmt: skip
def test_what_is_no_recording_is_an_error_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "r").write_text(text)
    with pytest.raises(rtfs.UserError) as caught:
        replay("1", tmp_path / "r")
    assert caught.value.code == "recording/invalid"


def test_a_recording_that_cannot_be_written_or_read(tmp_path: Path) -> None:
    with rtfs.Runtime() as runtime:
        for options, code in (
            ({"record": tmp_path}, "recording/unwritable"),
            ({"replay": tmp_path}, "recording/invalid"),
        ):
            with pytest.raises(rtfs.UserError) as caught:
                runtime.run("1", **options)
            assert caught.value.code == code
