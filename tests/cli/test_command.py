"""The command: results on standard output, everything else on standard error, documented exit codes, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rtfs.cli.commands import COMMANDS

ROOT = Path(__file__).resolve().parent.parent.parent


def environment(**extra: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RTFS", "MCP", "NO_COLOR", "PYTHONUNBUFFERED"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), **extra}


def rtfs(*arguments: str, cwd: Path | None = None, stdin: bytes = b"", **extra: str) -> tuple[int, str, str]:
    found = subprocess.run(
        [sys.executable, "-m", "rtfs", *arguments], input=stdin, capture_output=True, cwd=cwd, env=environment(**extra)
    )
    out, err = found.stdout.decode(), found.stderr.decode()
    assert "Traceback" not in err
    return found.returncode, out, err


def test_run_a_file_an_expression_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "plan.rtfs").write_text('#!/usr/bin/env rtfs\n(def x 2)\n{:a [x "é"]}\n', encoding="utf-8")
    assert rtfs("run", "plan.rtfs", cwd=tmp_path) == (0, '{:a [2 "é"]}\n', "")
    assert rtfs("plan.rtfs", cwd=tmp_path) == (0, '{:a [2 "é"]}\n', "")
    assert rtfs("run", "-e", "(+ 1 2)") == (0, "3\n", "")
    assert rtfs("run", "-", stdin=b"(+ 1 3)") == (0, "4\n", "")
    assert rtfs("-e", "(+ 1 2)") == (0, "3\n", "")


def test_nil_prints_nothing_and_json_prints_null() -> None:
    assert rtfs("run", "-e", '(println "hi")') == (0, "hi\n", "")
    assert rtfs("run", "-e", "nil", "--json") == (0, "null\n", "")
    assert rtfs("run", "--json", "-e", '{:a [1 2.5 :k "x" nil]}') == (0, '{"a":[1,2.5,"k","x",null]}\n', "")


def test_context_allow_and_load(tmp_path: Path) -> None:
    (tmp_path / "caps.rtfs").write_text('(capability "twice" :implementation (fn [x] (* 2 x)))')
    code, out, _ = rtfs(
        "run", "-e", '[(call "twice" 4) @who (get-env "X_Y")]', "--context", '{"who": {"a": 1}}', "--allow=env:X_*",
        "--load", "caps.rtfs", cwd=tmp_path, X_Y="v",
    )  # fmt: skip
    assert (code, out) == (0, '[8 {:a 1} "v"]\n')


BAD_PROGRAMS = [
    ("(+ 1", 1, ["reader/unclosed", "<expression>:1:1"]),
    ("(prinltn 1)", 1, ["undefined", "did you mean `println`"]),
    ("((fn [a] a))", 1, ["arity"]),
    ('(+ 1 "a")', 1, ["type/mismatch", "^"]),
    ('(call "ccos.io.prinln" 1)', 1, ["capability/unknown", 'did you mean "ccos.io.println"']),
    ("(/ 1 0)", 1, ["arithmetic/div-by-zero"]),
    ("(loop [i 0] (recur (inc i) 2))", 1, ["recur"]),
    ('(read-file "/etc/hostname")', 3, ["policy/denied", "--allow fs:read:/etc/hostname"]),
    ('(get-env "HOME")', 3, ["policy/denied", "--allow env:HOME"]),
    ('(throw "mine")', 1, ["user/error", "mine"]),
]


@pytest.mark.parametrize(("text", "code", "said"), BAD_PROGRAMS, ids=[text for text, _, _ in BAD_PROGRAMS])
def test_a_bad_program_gives_a_diagnostic(text: str, code: int, said: list[str]) -> None:
    found, out, err = rtfs("run", "-e", text)
    assert (found, out) == (code, "")
    assert all(part in err for part in said), err


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "latin.rtfs").write_bytes('(str "é")'.encode("latin-1"))
    for arguments, code, said in [
        (["run", "none.rtfs"], 2, "file/missing"),
        (["run", "."], 2, "file/unreadable"),
        (["run", "latin.rtfs"], 1, "latin.rtfs:1:7"),
        (["run", "-e", "1", "--load", "none.rtfs"], 2, "file/missing"),
        (["run", "-e", "1", "--config", "none.yaml"], 2, "config/missing"),
        (["none.rtfs"], 2, "file/missing"),
    ]:
        found, out, err = rtfs(*arguments, cwd=tmp_path)
        assert (found, out) == (code, ""), arguments
        assert said in err, err


def test_broken_configuration(tmp_path: Path) -> None:
    (tmp_path / "rtfs.yaml").write_text("allow: [a\n")
    code, out, err = rtfs("run", "-e", "1", "--config", "rtfs.yaml", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "config/yaml" in err
    assert "rtfs.yaml:" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "usage:"),
        (["run"], "run takes a FILE"),
        (["run"], "usage: rtfs run [OPTION…] (FILE | - | -e EXPR) [ARG…]"),
        (["run", "-e"], "-e needs a value"),
        (["run", "--nonsense", "-e", "1"], "there is no option --nonsense"),
        (["run", "--alow", "x", "-e", "1"], "did you mean --allow?"),
        (["doctor", "--jsn"], "usage: rtfs doctor [OPTION…]"),
        (["capabilities", "shw"], "did you mean show?"),
        (["runs", "lst"], "did you mean list?"),
        (["audit", "verfy"], "did you mean verify?"),
        (["check"], "check takes a FILE or a folder"),
        (["rnu", "x"], "did you mean run?"),
        (["run", "-e", "1", "--context", "[1]"], "JSON object"),
        (["run", "-e", "1", "--context", "{"], "not JSON"),
        (["run", "-e", "1", "--allow", "fs:x"], "not a grant"),
        (["run", "-e", "1", "--timeout", "-1"], "seconds above 0 is needed, not '-1'"),
        (["run", "--allow", "-e", "1"], "write --allow GRANT"),
        (["run", "--config", "--json", "-e", "1"], "--config needs a value"),
        (["run", "-e", "1", "--allow", "https://a.example"], "write net:HOST"),
        (["repl", "--json"], "there is no option --json"),
        (["mcp"], "there are list, show, import, diff, login, logout"),
        (["mcp", "login"], "name one server"),
        (["test", "missing.test.rtfs"], "file/missing: there is no file missing.test.rtfs"),
        (["capabilities", "show"], "takes an ID"),
        (["capabilities", "show"], "usage: rtfs capabilities [OPTION…] [list | show ID]"),
        (["call", "a", "{"], "not JSON"),
        (["run", "-e", "@a", "--context", '{"a": {"b": 1, "b": 2}}'], "--context has the key 'b' more than once"),
        (["call", "ccos.state.kv.put", "key=a", "key=b", "value=1"], "key is given more than once"),
        (["call", "ccos.state.kv.put", "key=a", "value.a=1", "value=2"], "value is given in two ways"),
        (["call", "ccos.state.kv.put", "key=a", "value:=1", "value.a=1"], "value.a is given in two ways"),
    ],
)
def test_usage_errors(arguments: list[str], said: str) -> None:
    code, out, err = rtfs(*arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_usage_errors_as_json() -> None:
    code, out, err = rtfs("run", "--alow", "x", "--json")
    assert (code, out) == (2, "")
    assert json.loads(err) == {
        "error": {"code": "usage", "message": "there is no option --alow", "hint": "did you mean --allow?"}
    }


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("plans/ordr.rtfs", "did you mean plans/order.rtfs?"),
        ("plans/order", "did you mean plans/order.rtfs?"),
        ("plnas/order.rtfs", "did you mean plans/order.rtfs?"),
        ("plnas/other.rtfs", "there is a folder plans"),
    ],
)
def test_a_missing_file_brings_to_mind_what_is_there(tmp_path: Path, asked: str, hint: str) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "order.rtfs").write_text("1")
    code, out, err = rtfs("run", asked, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == f"error file/missing: there is no file {asked}\n  hint: {hint}\n"


def test_help_and_version() -> None:
    code, out, err = rtfs("--version")
    assert (code, err) == (0, "")
    assert out.startswith("rtfs ")
    code, out, _ = rtfs("-h")
    assert code == 0
    assert "Exit codes:" in out
    for command in COMMANDS:
        assert f"\n    {command} " in out
        code, told, err = rtfs(command, "--help")
        assert (code, err) == (0, "")
        assert told.startswith(f"usage: rtfs {command} ")
        assert rtfs("help", command) == (0, told, "")


def test_a_program_finds_its_arguments(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/usr/bin/env -S rtfs run\n@args")
    assert rtfs("run", str(script), "a", "b c") == (0, '["a" "b c"]\n', "")
    assert rtfs(str(script), "a") == (0, '["a"]\n', "")
    assert rtfs("run", "-v", str(script), "a", "--timeout", "5", "--", "-v", "--x") == (0, '["a" "-v" "--x"]\n', "")
    assert rtfs("run", "-e", "[@args @n]", "--context", '{"n": 1}', "a") == (0, '[["a"] 1]\n', "")
    assert rtfs("run", "-e", "@args") == (0, "[]\n", "")
    assert rtfs("run", "-e", "@args", "--context", '{"args": 1}') == (0, "1\n", "")


def test_the_context_comes_from_the_command_line_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text('{"n": {"a": 1}}')
    for given in ('{"n": {"a": 1}}', "@in.json"):
        assert rtfs("run", "-e", "(:a @n)", "--context", given, cwd=tmp_path) == (0, "1\n", "")
    code, _, err = rtfs("run", "-e", "1", "--context", "@nothing.json", cwd=tmp_path)
    assert (code, "there is no file nothing.json" in err) == (2, True)


_PARAMETERS = "{:n :int :names [[:vector :string] :default []] :x [:any :default 0]}"
_PLAN = f'(plan "p" "text" {{:params {_PARAMETERS}}} [n names x])'


def test_a_parameter_that_is_a_list_is_given_value_by_value() -> None:
    given = ("--param", "n=1", "--param", "names=a", "--param", "names=b", "--param", "names=b")
    assert rtfs("run", "-e", _PLAN, *given) == (0, '[1 ["a" "b" "b"] 0]\n', "")


@pytest.mark.parametrize(
    ("repeated", "hint"),
    [
        (("n=1", "n=2"), "give it once: it is an integer"),
        (("n=1", "n=1"), "give it once: it is an integer"),
        (("n=1", "x=1", "x=2"), "a list is written x:='[1, 2]'"),
    ],
)
def test_a_parameter_that_is_no_list_is_given_once(repeated: tuple[str, ...], hint: str) -> None:
    given = [word for value in repeated for word in ("--param", value)]
    name = repeated[-1][0]
    said = f"error usage: {name} is given more than once\n  hint: {hint}\n"
    assert rtfs("run", "-e", _PLAN, *given) == (2, "", said)


def test_capabilities_are_listed_unless_one_is_asked_for() -> None:
    assert rtfs("capabilities") == rtfs("capabilities", "list")


def test_call() -> None:
    assert rtfs("call", "ccos.data.parse-json", '"[1, {\\"a\\": 2}]"') == (0, '[1 {"a" 2}]\n', "")
    assert rtfs("call", "ccos.state.kv.put", '{"key": "k", "value": [1]}', "--json") == (0, "[1]\n", "")
    assert rtfs("call", "ccos.io.read-file", '"/etc/hostname"')[0] == 3
    assert rtfs("call", "no.such")[0] == 1


def test_capabilities(tmp_path: Path) -> None:
    (tmp_path / "caps.rtfs").write_text('(capability "my.tool" :description "Does it" :input-schema {:a :int?})')
    code, out, _ = rtfs("capabilities", "list", "--load", "caps.rtfs", cwd=tmp_path)
    assert code == 0
    assert "my.tool " in out
    assert "ccos.io.println" in out
    code, out, _ = rtfs("capabilities", "show", "my.tool", "--load", "caps.rtfs", cwd=tmp_path)
    assert (code, out) == (
        0, "id: my.tool\nname: my.tool\ndescription: Does it\norigin: file\ninput_schema: {:a :int?}\n",
    )  # fmt: skip
    code, out, _ = rtfs("capabilities", "list", "--json")
    assert "ccos.io.println" in [entry["id"] for entry in json.loads(out)]
    code, out, err = rtfs("capabilities", "show", "ccos.io.prinln")
    assert (code, out) == (1, "")
    assert "did you mean" in err


def test_errors_as_json() -> None:
    code, out, err = rtfs("run", "--json", "-e", '(read-file "/etc/hostname")')
    assert (code, out) == (3, "")
    error = json.loads(err)["error"]
    assert error == {
        "code": "policy/denied",
        "message": 'calling "ccos.io.read-file" is not allowed: it reaches fs:read:/etc/hostname',
        "hint": "allow it with --allow fs:read:/etc/hostname",
        "capability": "ccos.io.read-file",
        "file": "<expression>",
        "line": 1,
        "column": 1,
        "end": {"line": 1, "column": 28},
    }
    code, out, err = rtfs("run", "--json", "-e", "(foo ]\n1_0")
    assert [other["code"] for other in json.loads(err)["error"]["others"]] == ["reader/number"]


def test_warnings_are_shown() -> None:
    code, out, err = rtfs("run", "-e", '(capability "a" :descripton "x")')
    assert (code, out) == (0, '"a"\n')
    assert "warning: a: unknown key :descripton is ignored (did you mean :description?)" in err


def test_debug_shows_the_python_traceback() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "rtfs", "run", "--debug", "-e", "(/ 1 0)"],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert found.returncode == 1
    assert "Traceback" in found.stderr


def test_no_colour_in_a_pipe() -> None:
    assert "\x1b" not in rtfs("run", "-e", "(/ 1 0)")[2]


def test_verbose_shows_records_twice_verbose() -> None:
    assert rtfs("run", "-v", "-e", '(kv/put "k" 1)') == (0, "1\n", "")
    _, _, err = rtfs("run", "-vv", "-e", '(kv/put "k" 1)')
    assert "decision ccos.state.kv.put allow: stays in the process" in err


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    for program in ('(dotimes [i 100000] (println "a line of text" i))', "(range 2000000)"):
        process = subprocess.Popen(
            [sys.executable, "-m", "rtfs", "run", "-e", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        err = process.stderr.read().decode()
        process.stderr.close()
        assert (process.wait(30), err) == (1, "")


def test_a_full_disk_is_said() -> None:
    for program in ("(range 100000)", "1", '(println "x")'):
        with open("/dev/full", "wb") as full:
            found = subprocess.run(
                [sys.executable, "-m", "rtfs", "run", "-e", program],
                stdout=full,
                stderr=subprocess.PIPE,
                env=environment(),
            )
        assert found.returncode == 1
        assert found.stderr.decode() == "cannot write the output: no space left on device\n"


def test_what_is_printed_and_what_is_said_besides_stay_in_order() -> None:
    variables = {name: value for name, value in environment().items() if name != "PYTHONUNBUFFERED"}
    program = '(do (println "one") (log "two") (println "three") (/ 1 0))'
    found = subprocess.run(
        [sys.executable, "-m", "rtfs", "run", "-e", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=variables,
    )
    assert [line.split(":")[0] for line in found.stdout.splitlines()[:4]] == [
        "one", "two", "three", "error arithmetic/div-by-zero",
    ]  # fmt: skip


def test_output_that_the_terminal_cannot_say_is_escaped() -> None:
    code, out, err = rtfs("run", "-e", '(println "é😀") "é"', PYTHONIOENCODING="ascii")
    assert (code, out, err) == (0, '\\xe9\\U0001f600\n"\\xe9"\n', "")


@pytest.mark.usefixtures("heeded_signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("program", ["(do (println 1) (thread/sleep 60000))", "(do (println 1) (loop [] (recur)))"])
def test_signals_end_it_politely(program: str, number: int, code: int) -> None:
    process: Any = subprocess.Popen(
        [sys.executable, "-u", "-m", "rtfs", "run", "-e", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    process.stdout.readline()
    time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in err


def test_running_a_file_imports_nothing_heavy(tmp_path: Path) -> None:
    (tmp_path / "hello.rtfs").write_text('(println "Hello")')
    program = (
        "import sys; from rtfs.cli.main import main; main(['run', 'hello.rtfs'])\n"
        "heavy = ('asyncio', 'pydantic', 'httpx', 'httptools', 'lark', 're', 'json', 'argparse', 'inspect', 'logging',"
        " 'dataclasses', 'enum', 'yaml', 'threading', 'socket', 'hashlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    for _ in range(2):  # the second run finds its unit in the cache
        found = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path,
            env=environment(XDG_CACHE_HOME=str(tmp_path / "cache")),
        )  # fmt: skip
    assert found.stdout.splitlines() == ["Hello", "[]"], found.stderr


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("how", ["", "--json", "--isolate"])
def test_a_denial_keeps_its_exit_code_where_nothing_can_be_said(closed: str, how: str) -> None:
    command = f"{sys.executable} -m rtfs run {how} -e '(read-file \"/etc/passwd\")' {closed}"
    assert subprocess.run(["sh", "-c", command], env=environment(), check=False).returncode == 3


def test_a_value_goes_nowhere_when_standard_output_is_closed() -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m rtfs run -e 1 >&-"], env=environment(), stderr=subprocess.PIPE, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("thrown", ["(keyword s)", "{:code s}", "s", "(ex-info s {})"])
def test_a_text_that_a_plan_throws_is_shown_in_part_if_it_is_long(thrown: str) -> None:
    code, _, err = rtfs("run", "-e", f'(let [s (apply str (repeat 1000000 "x"))] (throw {thrown}))')
    assert code == 1
    assert len(err) < 25_000


def test_an_unknown_capability_with_a_long_name_is_shown_in_part() -> None:
    code, _, err = rtfs("run", "-e", '(call (apply str (repeat 1000000 "x")))')
    assert code == 1
    assert "characters)" in err
    assert len(err) < 25_000
