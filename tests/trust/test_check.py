"""`rtfs check` says what is wrong and what a program can call before anything runs; approvals at the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.typing_at import Typist

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIG = """policy:
  rules:
    - {match: ccos.io.log, decide: approve, reason: logs are asked about}
    - {match: ccos.data.*, decide: deny}
    - {match: ccos.io.println, when: {"0": "*secret*"}, decide: deny}
"""


def rtfs(*arguments: str, source: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "rtfs", *arguments]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False, env=environment, cwd=cwd)


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "rtfs.yaml"
    path.write_text(CONFIG)
    return str(path)


def test_a_sound_program_checks_and_does_not_run():
    done = rtfs("check", "-", source='(println "ran") (defn f [x] (g x)) (defn g [x] x)')
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("(+ 1", "reader/unclosed"),
        ("(if)", "form/shape"),
        ("(defn f [x] (pritnln x))", "did you mean `println`?"),
        ("(defn f [] (nowhere 1)) 2", "`nowhere` is not defined"),
    ],
)
def test_errors_are_said_before_anything_runs(source: str, said: str):
    done = rtfs("check", "-", source=source)
    assert done.returncode == 1
    assert said in done.stderr
    assert not done.stdout


def test_every_call_that_a_program_can_make_is_listed(tmp_path: Path, config: str):
    (tmp_path / "helper.rtfs").write_text('(module helper (:exports [h])) (defn h [x] (call "ccos.state.kv.get" x))')
    plan = tmp_path / "plan.rtfs"
    plan.write_text(
        "(import helper :as h)\n"
        '(defmacro m [] \'(call "ccos.io.log" "x"))\n'
        '(capability "own" :implementation (fn [x] (read-file "/etc/passwd")))\n'
        "(defn f [x] (m))\n"
        '(call "own" {}) (call (str "a" "b")) (call "nobody.knows" 1) (call "ccos.data.parse-json" "1")\n'
        "(println (h/h 1))\n"
    )
    done = rtfs("check", "--policy", "--json", "--config", config, str(plan))
    calls = {call.get("id"): call["decision"] for call in json.loads(done.stdout)["calls"]}
    assert calls == {
        "ccos.state.kv.get": "allow",
        "ccos.io.log": "ask",
        "ccos.io.read-file": "deny",
        "own": "declared",
        None: "depends",
        "nobody.knows": "unknown",
        "ccos.data.parse-json": "deny",
        "ccos.io.println": "depends",
    }
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('(read-file "data/x")', ["allow ccos.io.read-file"]),
        ('(tool/read-file "data/../x")', ["deny ccos.io.read-file fs:read:x"]),
        ('(write-file "./asked" "x")', ["ask ccos.io.write-file"]),
        ('(http-fetch "http://a.b/" {:method "POST"})', ["deny ccos.network.http-fetch net:a.b"]),
        ('(call "ccos.network.http-fetch" :url "http://a.b:1/")', ["deny ccos.network.http-fetch net:a.b:1"]),
        ('(http-fetch {:url (str "http:" "//a.b")})', ["depends ccos.network.http-fetch"]),
        ('(map get-env ["HOME"])', ["depends ccos.system.get-env"]),
        ('(defn f [] (get-env "HOME" "x"))', ["deny ccos.system.get-env env:HOME"]),
        (
            '^{:runtime.fallback {:capability "ccos.io.delete-file"}} (call "ccos.io.read-file" "data/x")',
            ["allow ccos.io.read-file", "deny ccos.io.delete-file fs:write:data/x"],
        ),
        (
            '^{:runtime.learning.fallback "ccos.io.log"} (call "ccos.io.print" "x")',
            ["allow ccos.io.print", "allow ccos.io.log"],
        ),
        (
            '^{:runtime.fallback {:capability (str "a" 1)}} (call "ccos.io.print" "x")',
            ["allow ccos.io.print", "depends None"],
        ),
    ],
)
def test_what_is_written_out_is_decided_about_as_the_call_would_be(source: str, said: list[str], tmp_path: Path):
    config = tmp_path / "rtfs.yaml"
    config.write_text(
        "allow: ['fs:read:data', 'fs:write:asked']\n"
        "policy: {rules: [{match: ccos.io.write-file, when: {'0': asked}, decide: approve}]}\n"
    )
    done = rtfs("check", "--policy", "--json", "--config", str(config), "-", source=source, cwd=tmp_path)
    calls = json.loads(done.stdout)["calls"]
    found = [f"{one['decision']} {one.get('id')} {one.get('grant', '')}".strip() for one in calls]
    assert found == said


def test_calls_that_a_program_makes_through_what_is_loaded_are_listed_where_it_uses_that(tmp_path: Path):
    (tmp_path / "lib.rtfs").write_text(
        '(defn unused [] (get-env "UNUSED"))\n'
        '(defn inner [x] (call "lib.fetch" x))\n'
        '(defn outer [x] (log "outer") (inner x))\n'
        '(capability "lib.fetch" :implementation (fn [x] (read-file "fixed")))\n'
    )
    load = ["--load", str(tmp_path / "lib.rtfs")]
    done = rtfs("check", "--policy", "--json", *load, "-", source="1\n (outer 5)", cwd=tmp_path)
    said = json.loads(done.stdout)["calls"]
    calls = {(call["place"], call["id"], call["decision"], call.get("grant")) for call in said}
    assert calls == {
        ("<stdin>:2:3", "ccos.io.log", "allow", None),
        ("<stdin>:2:3", "lib.fetch", "allow", None),
        ("<stdin>:2:3", "ccos.io.read-file", "deny", "fs:read:fixed"),
    }
    assert done.returncode == 3
    redefined = rtfs("check", "--policy", *load, "-", source="(defn outer [x] x) (outer 5)", cwd=tmp_path)
    assert (redefined.returncode, redefined.stdout) == (0, "")


@pytest.mark.parametrize(
    ("source", "code"), [("(log 1)", 4), ('(call "ccos.data.parse-json" "1")', 3), ("(println 1)", 0)]
)
def test_the_exit_code_says_what_would_happen(source: str, code: int, config: str):
    assert rtfs("check", "--policy", "--config", config, "-", source=source).returncode == code
    assert rtfs("run", "--config", config, "-", source=source).returncode == code


def test_a_program_that_catches_everything_still_ends_with_the_code_of_a_missing_approval(config: str):
    done = rtfs("run", "--config", config, "-", source='(try (log 1) (catch e nil)) (println "on")')
    assert (done.returncode, done.stdout) == (4, "")
    assert "policy/approval-required" in done.stderr


def test_a_rule_of_the_file_looks_at_arguments(config: str):
    assert rtfs("run", "--config", config, "-e", '(println "a secret")').returncode == 3
    assert rtfs("run", "--config", config, "-e", '(println "nothing")').returncode == 0


@pytest.mark.parametrize(
    ("typed", "code"),
    [(["y\n"], 0), (["what\n", "yes\n"], 0), (["n\n", "no reason\n"], 3), (["a\n"], 0), (["\x04"], 4)],
)
def test_a_person_at_a_terminal_is_asked(typed: list[str], code: int, config: str):
    with Typist("run", "--config", config, "-e", '(log "x\\u001b[2Jy")', TERM="dumb") as terminal:
        for answer in typed:
            terminal.wait("may be empty): " if answer == "no reason\n" else "for these arguments: ")
            terminal.type(answer)
        assert terminal.end() == code
    assert "approve ccos.io.log?" in terminal.shown
    assert "logs are asked about" in terminal.shown
    assert "\x1b[2J" not in terminal.shown.split("always for these")[0]


def test_what_was_typed_before_the_question_is_no_answer(config: str):
    with Typist("run", "--config", config, "-e", "(log 1)", TERM="dumb") as terminal:
        terminal.type("y\n")
        terminal.wait("for these arguments: ")
        terminal.type("n\n")
        terminal.wait("may be empty): ")
        terminal.type("\n")
        assert terminal.end() == 3


def test_no_input_asks_nobody(config: str):
    with Typist("run", "--no-input", "--config", config, "-e", "(log 1)", TERM="dumb") as terminal:
        terminal.type("y\n")
        assert terminal.end() == 4
    assert "approve ccos" not in terminal.shown
