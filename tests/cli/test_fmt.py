"""`rtfs fmt` formats files, says which, and leaves alone those that it cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_command import ROOT, rtfs

UGLY = "(defn f [x]\n(* x   2) )\n"
NEAT = "(defn f [x]\n  (* x 2))\n"


def test_files_are_laid_out_in_place_and_named(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in (("a.rtfs", UGLY), ("b.rtfs", NEAT), ("in/c.rtfs", UGLY), ("d.txt", UGLY)):
        (tmp_path / name).write_text(text)
    (tmp_path / "a.rtfs").chmod(0o750)
    assert rtfs("fmt", "--check", ".", cwd=tmp_path) == (1, "./a.rtfs\n./in/c.rtfs\n", "")
    assert (tmp_path / "a.rtfs").read_text() == UGLY
    assert rtfs("fmt", ".", cwd=tmp_path) == (0, "./a.rtfs\n./in/c.rtfs\n", "")
    assert [(tmp_path / name).read_text() for name in ("a.rtfs", "in/c.rtfs", "d.txt")] == [NEAT, NEAT, UGLY]
    assert (tmp_path / "a.rtfs").stat().st_mode & 0o777 == 0o750
    assert rtfs("fmt", "--check", ".", cwd=tmp_path) == (0, "", "")


def test_standard_input_goes_to_standard_output() -> None:
    assert rtfs("fmt", "-", stdin=UGLY.encode()) == (0, NEAT, "")
    assert rtfs("fmt", "--check", "-", stdin=UGLY.encode()) == (1, "", "")


def test_a_file_that_cannot_be_read_is_left_alone_and_the_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "a.rtfs").write_text("(a ]")
    (tmp_path / "b.rtfs").write_text(UGLY)
    code, out, err = rtfs("fmt", "a.rtfs", "b.rtfs", "c.rtfs", cwd=tmp_path)
    assert (code, out) == (1, "b.rtfs\n")
    assert "reader/mismatched" in err
    assert "a.rtfs:1:4" in err
    assert "there is no file c.rtfs" in err
    assert (tmp_path / "a.rtfs").read_text() == "(a ]"


@pytest.mark.parametrize("folder", ["examples", "stdlib"])
def test_our_own_files_are_laid_out_like_that(folder: str) -> None:
    assert rtfs("fmt", "--check", folder, cwd=ROOT) == (0, "", "")
