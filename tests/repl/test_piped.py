"""`rtfs repl` out of a pipe: results on standard output, errors on standard error, exit code 1 if there was one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "rtfs", "repl", *arguments]


def environment(**extra: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **extra}


def piped(text: str | bytes, *arguments: str, cwd: Path | None = None) -> tuple[int, str, str]:
    given = text.encode() if isinstance(text, str) else text
    found = subprocess.run(command(*arguments), input=given, capture_output=True, cwd=cwd, env=environment())
    return found.returncode, found.stdout.decode(), found.stderr.decode()


def test_each_input_is_answered() -> None:
    text = "(def x 2)\n(defn f [a]\n\n  (* a x))\n(f 4) ; eight\n; nothing\n\n*1\n:doc f\n"
    assert piped(text) == (0, "2\n#<function f>\n8\n8\n(f a)\n  function\n  defined at <repl 2>:1:1\n", "")


def test_an_error_is_told_and_the_rest_is_run() -> None:
    code, out, err = piped("(/ 1 0)\n(+ 1 1)\n")
    assert (code, out) == (1, "2\n")
    assert err.startswith("error arithmetic/div-by-zero")
    assert "\x1b" not in out + err


@pytest.mark.parametrize(("text", "said"), [("(foo\n", "reader/unclosed"), (b"\xff\n", "reader/"), (")\n", "reader/")])
def test_what_cannot_be_read_is_an_error(text: str | bytes, said: str) -> None:
    code, out, err = piped(text)
    assert (code, out) == (1, "")
    assert said in err


def test_quit_ends_it_before_the_end() -> None:
    assert piped("1\n:quit\n2\n") == (0, "1\n", "")
    assert piped("") == (0, "", "")


def test_an_answer_comes_before_the_next_question() -> None:
    process = subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment(), bufsize=1
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write("(def n 20)\n(+ n\n")
        process.stdin.write("1)\n")
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == ["20\n", "21\n"]
        process.stdin.write("(inc *1)\n")
        process.stdin.flush()
        assert process.stdout.readline() == "22\n"
        process.stdin.close()
        assert process.wait() == 0


def test_values_are_whole_and_on_one_line() -> None:
    code, out, _ = piped(
        '(range 5000)\n{:a "long enough to be broken" :b "into several lines" :c "at a terminal" :d 1}\n'
    )
    assert code == 0
    assert out.splitlines()[0].endswith("4998 4999]")
    assert len(out.splitlines()) == 2


def test_options_reach_the_runtime(tmp_path: Path) -> None:
    (tmp_path / "caps.rtfs").write_text('(capability "twice" :implementation (fn [x] (* 2 x)))')
    (tmp_path / "a.txt").write_text("text")
    code, out, _ = piped(
        '(call "twice" 4)\n(read-file "a.txt")\n', "--load", "caps.rtfs", "--allow", "fs:read:.", cwd=tmp_path
    )
    assert (code, out) == (0, '8\n"text"\n')


def test_a_file_that_is_loaded_out_of_a_pipe_is_a_plan_like_the_rest(tmp_path: Path) -> None:
    (tmp_path / "caps.rtfs").write_text('(capability "mine" :description "m")')
    code, out, _ = piped(":load caps.rtfs\n:caps mine\n", cwd=tmp_path)
    assert code == 0
    assert "plan" in out


def test_a_long_program_is_read_once() -> None:
    lines = "\n".join(f"  {number}" for number in range(20_000))
    assert piped(f"(count [\n{lines}\n])\n") == (0, "20000\n", "")


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen(
        command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    with process:
        process.stdout.close()
        try:
            process.stdin.write(b"(range 100)\n" * 2_000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert b"Traceback" not in process.stderr.read()
