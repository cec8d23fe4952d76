"""The hooks for pre-commit are commands that take files and fail on what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from rtfs.cli.main import main

HOOKS = {
    hook["id"]: hook
    for hook in yaml.safe_load((Path(__file__).resolve().parents[2] / ".pre-commit-hooks.yaml").read_text("utf-8"))
}


@pytest.mark.parametrize(
    ("id", "name", "right", "wrong"),
    [
        ("rtfs-check", "plan.rtfs", "(+ 1 2)\n", "(nope 1)\n"),
        ("rtfs-fmt", "plan.rtfs", "(+ 1 2)\n", "(+ 1 2\n"),
        ("rtfs-test", "plan.test.rtfs", "(+ 1 2) ;=> 3\n", "(+ 1 2) ;=> 4\n"),
    ],
)
def test_the_hook_takes_files_and_fails_on_wrong_ones(
    id: str, name: str, right: str, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    hook = HOOKS[id]
    assert re.search(hook["files"], name)
    assert not re.search(hook.get("exclude", "^$"), name)
    path = tmp_path / name
    program, *arguments = hook["entry"].split()
    assert program == "rtfs"
    path.write_text(right, "utf-8")
    assert main([*arguments, str(path)]) == 0
    path.write_text(wrong, "utf-8")
    assert main([*arguments, str(path)]) == 1
