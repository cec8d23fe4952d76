"""The end of the command: what Python does when a process ends shows as it would without the quick end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = """
import sys
from rtfs.cli import commands, main
run_command = commands.run_command
def run(argv):
    code = run_command(argv)
    during()
    return code
commands.run_command = run
def during(): {during}
{before}
code = main.command()
print("Python goes on")
sys.exit(code)
"""
HELLO = '(println "hello")'


def command(
    program: Path, during: str = "pass", before: str = "", flags: tuple[str, ...] = (), **extra: str
) -> tuple[int, str, str]:
    """Exit code and output of a process of the command that has `during` done in the middle of it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RTFS", "MCP", "PYTHON", "COV_", "COVERAGE"))
    }
    done = subprocess.run(
        [sys.executable, *flags, "-c", COMMAND.format(during=during, before=before), "run", str(program)],
        env={**kept, "PYTHONPATH": str(ROOT), "RTFS_CACHE_DIR": str(program.parent / "units"), **extra},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def kept_program(folder: Path, text: str) -> Path:
    """A file with the program whose compiled unit is in the cache: compiling loads modules that register functions."""
    (folder / "plan.rtfs").write_text(text)
    command(folder / "plan.rtfs")
    return folder / "plan.rtfs"


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kept_program(tmp_path_factory.mktemp("hello"), HELLO)


@pytest.mark.parametrize(("program", "code"), [('(println "hello")', 0), ('(read-file "/x")', 3)])
def test_where_nothing_is_left_to_do_the_process_ends_with_its_exit_code(
    tmp_path: Path, program: str, code: int
) -> None:
    found, out, err = command(kept_program(tmp_path, program))
    assert found == code
    assert out == ("hello\n" if code == 0 else "")
    assert bool(err) == (code != 0)


def test_all_output_arrives_in_a_pipe(tmp_path: Path) -> None:
    code, out, err = command(kept_program(tmp_path, '(doseq [i (range 20000)] (println "line" i))'))
    assert (code, err) == (0, "")
    assert out == "".join(f"line {i}\n" for i in range(20000))


def test_what_is_still_buffered_is_written(hello: Path) -> None:
    code, out, err = command(hello, during="sys.stdout.reconfigure(line_buffering=False); print('last', end='')")
    assert (code, out, err) == (0, "hello\nlast", "")


@pytest.mark.parametrize("redirected", [">/dev/full", "2>/dev/full", ">/dev/full 2>&1", ">&-"])
@pytest.mark.parametrize("program", ['(println "hello")', "(inc nil)"])
def test_a_full_device_gives_the_exit_code_and_message_that_pythons_end_gives(
    tmp_path: Path, program: str, redirected: str
) -> None:
    file = kept_program(tmp_path, program)
    found = []
    for entry in ("main", "command"):
        start = f"import sys; from rtfs.cli.main import {entry}; sys.exit({entry}())"
        shell = f'"$0" -c "$1" run "$2" {redirected}'
        done = subprocess.run(
            ["sh", "-c", shell, sys.executable, start, str(file)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "RTFS_CACHE_DIR": str(tmp_path / "units")},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        found.append((done.returncode, done.stdout, done.stderr))
    assert found[0] == found[1]


def test_what_the_last_flush_cannot_write_is_reported_as_python_reports_it(hello: Path) -> None:
    during = "sys.stdout.reconfigure(line_buffering=False); print('lost', end=''); os.close(1)"
    code, _, err = command(hello, before="import os", during=during)
    assert code == 120
    assert "Bad file descriptor" in err


def test_functions_registered_for_the_end_run(tmp_path: Path) -> None:
    code, out, _ = command(
        kept_program(tmp_path, "(inc nil)"), during="import atexit; atexit.register(print, 'at the end')"
    )
    assert code == 1
    assert out.endswith("at the end\n")


def test_threads_are_waited_for(hello: Path) -> None:
    during = "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start()"
    code, out, _ = command(hello, during=during)
    assert code == 0
    assert out.endswith("done\n")


def test_a_file_that_a_module_from_outside_leaves_open_is_written(hello: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(f"file = open({str(tmp_path / 'log')!r}, 'w')\nfile.write('kept')\n")
    code, _, _ = command(hello, before=f"sys.path.append({str(tmp_path)!r})", during="import outside")
    assert code == 0
    assert (tmp_path / "log").read_text() == "kept"


def test_temporary_folders_of_the_process_are_removed(hello: Path, tmp_path: Path) -> None:
    during = "import tempfile; global kept; kept = tempfile.TemporaryDirectory()"
    assert command(hello, during=during, TMPDIR=str(tmp_path))[0] == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "before",
    ["sys.settrace(lambda *_: None)", "sys.setprofile(lambda *_: None)", "sys.stdout = open(1, 'w', closefd=False)"],
)
def test_under_a_debugger_a_profiler_or_a_replaced_stream_python_ends_the_process(hello: Path, before: str) -> None:
    code, out, err = command(hello, before=before)
    assert (code, out, err) == (0, "hello\nPython goes on\n", "")


def test_under_a_tool_of_sys_monitoring_python_ends_the_process(hello: Path) -> None:
    tool = "sys.monitoring = type('', (), {'get_tool': lambda number: 'a tool' if number == 3 else None})"
    assert command(hello, before=tool)[1] == "hello\nPython goes on\n"


@pytest.mark.parametrize("flag", ["-Xdev", "-Wdefault", "-Xtracemalloc", "-i"])
def test_with_options_of_python_that_show_at_its_end_python_ends_the_process(hello: Path, flag: str) -> None:
    assert command(hello, flags=(flag,))[1].startswith("hello\nPython goes on\n")


def test_main_returns_to_a_program_that_calls_it(hello: Path) -> None:
    program = "import sys; from rtfs.cli.main import main; print('returned', main())"
    done = subprocess.run(
        [sys.executable, "-c", program, "run", str(hello)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "RTFS_CACHE_DIR": str(hello.parent / "units")},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout == "hello\nreturned 0\n"
