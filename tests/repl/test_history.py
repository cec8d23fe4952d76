"""The history is its owner's alone, and trouble with it costs nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rtfs.repl.history import LARGEST, history_path, open_history, prepare


def mode(path: Path) -> int:
    return os.stat(path).st_mode & 0o777


def test_it_is_kept_in_the_state_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RTFS_HISTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_path() == str(tmp_path / "rtfs" / "history")
    monkeypatch.setenv("RTFS_HISTORY", "")
    assert history_path() == ""


def test_file_and_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "rtfs" / "history"
    assert prepare(str(path)) is None
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    path.chmod(0o644)
    assert prepare(str(path)) is None
    assert mode(path) == 0o600


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "history").symlink_to(tmp_path / "victim")
    assert prepare(str(tmp_path / "history"))
    assert (tmp_path / "victim").read_text() == "precious"


def test_inputs_come_back_but_for_those_that_begin_with_a_space(tmp_path: Path) -> None:
    path = str(tmp_path / "history")
    kept, remark = open_history(path)
    assert remark is None
    for text in ("(+ 1\n   2)", " (secret)", "3"):
        kept.store_string(text)
    assert list(open_history(path)[0].load_history_strings()) == ["3", "(+ 1\n   2)"]


def test_without_a_file_there_is_a_remark_and_a_history_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept, remark = open_history(str(tmp_path / "file" / "history"))
    assert remark is not None
    kept.append_string("1")
    assert open_history("")[1] is None


def test_a_large_file_loses_its_older_half(tmp_path: Path) -> None:
    path = tmp_path / "history"
    entry = "\n# 2026-01-01 00:00:00\n+(+ %d 1)\n"
    path.write_text("".join(entry % number for number in range(LARGEST // 20)))
    before = path.stat().st_size
    assert prepare(str(path)) is None
    assert path.stat().st_size < before / 2 + 100
    loaded = list(open_history(str(path))[0].load_history_strings())
    assert loaded[0] == f"(+ {LARGEST // 20 - 1} 1)"
    assert all(text.startswith("(+ ") for text in loaded)
