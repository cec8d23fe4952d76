"""Recordings in golden files: checked against declarations, told apart, renewed."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
from rtfs.cli.main import main

FIND = (
    '(capability "shop.find" :input-schema [:map [:query :string]] :output-schema [:vector :string] '
    ':implementation (fn [request] [(str "found " (:query request))]))'
)
READ = '(upper (read-file "note.txt"))'
PROGRAM = '(first (call "shop.find" {:query "x"}))'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.rtfs").write_text(FIND, "utf-8")
    return tmp_path


def golden(text: str) -> Path:
    path = Path("page.test.rtfs")
    path.write_text(f';recording "calls.jsonl"\n{text}\n', "utf-8")
    return path


def note(folder: Path, text: str) -> None:
    (folder / "note.txt").write_text(text, "utf-8")


def record(answer: object, arguments: str = '{:query "x"}') -> None:
    """A recording of one call of a capability of which nothing was declared."""
    with rtfs.Runtime() as runtime:
        runtime.register("shop.find", lambda request: answer)
        runtime.run(f'(call "shop.find" {arguments})', record=Path("calls.jsonl"))


def test_a_recording_has_to_fit_the_loaded_declarations(folder: Path, capsys: pytest.CaptureFixture[str]):
    record(["a"])
    golden(f'{PROGRAM} ;=> "a"')
    assert main(["test", "--load", "shop.rtfs"]) == 0
    record([5])
    golden(f"{PROGRAM} ;=> 5")
    assert main(["test"]) == 0
    capsys.readouterr()
    assert main(["test", "--load", "shop.rtfs"]) == 1
    assert "the declaration refuses call 1 of the recording" in capsys.readouterr().out
    record(["a"], "{:qurey 1}")
    golden('(first (call "shop.find" {:qurey 1})) ;=> "a"')
    assert main(["test"]) == 0
    capsys.readouterr()
    assert main(["test", "--load", "shop.rtfs"]) == 1
    assert ":qurey" in capsys.readouterr().out


def test_a_call_with_other_arguments_shows_the_expected_and_the_real_ones(
    folder: Path, capsys: pytest.CaptureFixture[str]
):
    record(["a"])
    golden('(call "shop.find" {:query "y"}) ;=> ["a"]')
    assert main(["test"]) == 1
    said = capsys.readouterr().out
    assert 'call 1 was a call of "shop.find" with {:query "x"}; now it is with other arguments, {:query "y"}' in said
    assert 'at [0 :query]: expected "x", got "y"' in said


def test_record_makes_the_calls_and_the_recording(folder: Path, capsys: pytest.CaptureFixture[str]):
    path = golden(f"{READ} ;=> ?")
    note(folder, "first")
    assert main(["test", "--allow", "fs:read:note.txt", "--record", "--update"]) == 0
    assert "1 recording made again" in capsys.readouterr().out
    assert path.read_text("utf-8").endswith(f'{READ} ;=> "FIRST"\n')
    (folder / "note.txt").unlink()
    assert main(["test"]) == 0


def test_record_tells_what_is_another_value_now(folder: Path, capsys: pytest.CaptureFixture[str]):
    golden(f'{READ} ;=> "FIRST"')
    note(folder, "second")
    assert main(["test", "--allow", "fs:read:note.txt", "--record"]) == 1
    assert 'got       "SECOND"' in capsys.readouterr().out
    assert main(["test", "--update"]) == 0
    assert main(["test"]) == 0


def test_a_run_that_fails_leaves_the_recording_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]):
    record(["a"])
    golden(f'{PROGRAM} ;=> "a"')
    before = (folder / "calls.jsonl").read_bytes()
    assert main(["test", "--record", "--update"]) == 1  # nothing declares the capability
    assert "the recording is left as it was" in capsys.readouterr().out
    assert (folder / "calls.jsonl").read_bytes() == before
    assert sorted(one.name for one in folder.iterdir()) == ["calls.jsonl", "page.test.rtfs", "shop.rtfs"]


def test_a_recording_that_names_a_folder_of_the_machine_is_not_kept(folder: Path, capsys: pytest.CaptureFixture[str]):
    golden(f"{READ} ;~ :string")
    note(folder, f"in {folder}")
    assert main(["test", "--allow", "fs:read:note.txt", "--record"]) == 1
    assert "names a folder of this machine" in capsys.readouterr().out
    assert not (folder / "calls.jsonl").exists()
