"""`rtfs test --coverage` and `--watch`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rtfs.cli.main import main
from rtfs.testing.coverage import ranges

GRADES = """(defn grade [n]
  (cond
    (> n 90) (str "A" n)
    (> n 50)
    (str "B" n)
    :else (str "C" n)))
(defn never [x]
  (let [y (inc x)]
    (map (fn [z]
           (* z y)) [x])))
"""

MORE = """(module more
  (:exports [twice thrice])
  (defn twice [x]
    (* 2 x))
  (defn thrice [x]
    (* 3 x)))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grades.rtfs").write_text(GRADES, "utf-8")
    return tmp_path


def covered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    main(["test", "--coverage", "--json", *arguments])
    found = json.loads(capsys.readouterr().out)["coverage"]
    return {name: one["missing"] for name, one in found.items()}


def test_the_lines_of_loaded_files_that_did_not_run_are_told(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "a.test.rtfs").write_text('(grade 95) ;=> "A95"\n---\n(grade 5) ;=> "C5"\n', "utf-8")
    assert main(["test", "--coverage", "--load", "grades.rtfs"]) == 0
    assert "grades.rtfs: 5 of 9 lines, 56 %  not run: 5, 8-10\n" in capsys.readouterr().out
    (folder / "b.test.rtfs").write_text('(grade 70) ;=> "B70"\n---\n(first (never 2)) ;=> 6\n', "utf-8")
    assert covered(capsys, "--load", "grades.rtfs") == {"grades.rtfs": []}
    assert covered(capsys, "--load", "grades.rtfs", "a.test.rtfs") == {"grades.rtfs": [5, 8, 9, 10]}


def test_what_runs_beside_a_call_of_the_host_and_in_branches_counts(folder: Path, capsys: pytest.CaptureFixture[str]):
    stubs = ';stub "x.y" => 60\n;stub "x.y" => 2\n'
    program = '(pmap (fn [n] (grade (call "x.y" {:n n}))) [1 2]) ;=> ["B60" "C2"]\n'
    (folder / "a.test.rtfs").write_text(stubs + program, "utf-8")
    assert covered(capsys, "--load", "grades.rtfs") == {"grades.rtfs": [8, 9, 10]}


def test_imported_modules_count(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "more.rtfs").write_text(MORE, "utf-8")
    (folder / "a.test.rtfs").write_text("(import more :as m)\n(m/twice 4) ;=> 8\n", "utf-8")
    assert covered(capsys) == {"./more.rtfs": [6]}


def test_numbers_that_follow_each_other_are_a_range():
    assert ranges([]) == ""
    assert ranges([1]) == "1"
    assert ranges([1, 2, 4, 6, 7, 8]) == "1-2, 4, 6-8"


def test_tracing_ends_with_the_command(folder: Path):
    before = sys.gettrace()
    (folder / "a.test.rtfs").write_text("(+ 1 2) ;=> 3\n", "utf-8")
    assert main(["test", "--coverage"]) == 0
    assert sys.gettrace() is before


def test_watch_runs_again_when_a_file_changes(folder: Path):
    page = folder / "a.test.rtfs"
    page.write_text('(grade 95) ;=> "A"\n', "utf-8")
    command = [sys.executable, "-m", "rtfs", "test", "--watch", "--load", "grades.rtfs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        assert process.stdout is not None
        told = iter(process.stdout.readline, "")
        try:
            assert next(line for line in told if "passed" in line) == "0 passed, 1 failed\n"
            page.write_text('(grade 95) ;=> "A95"\n', "utf-8")
            assert next(line for line in told if "passed" in line) == "1 passed, 0 failed\n"
            (folder / "grades.rtfs").write_text("(defn grade [n] :none)\n", "utf-8")
            assert next(line for line in told if "passed" in line) == "0 passed, 1 failed\n"
        finally:
            process.kill()
