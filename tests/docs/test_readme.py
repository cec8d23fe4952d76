"""What README.md and docs/testing.md show does what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rtfs
from rtfs.testing.command import run

ROOT = Path(__file__).resolve().parent.parent.parent


def block(page: str, language: str) -> str:
    found = re.search(
        rf"^```{language}\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


def test_the_plan_of_the_readme_runs():
    comments = []
    issues = [
        {"id": 1, "title": "It is slow", "labels": ["urgent"]},
        {"id": 2, "title": "It is red", "labels": []},
    ]
    with rtfs.Runtime() as runtime:
        runtime.register("tracker.list_issues", lambda _: rtfs.from_python(issues, keywords=True))
        runtime.register("tracker.comment", comments.append)
        value = runtime.run(block("README.md", "clojure"))
    assert rtfs.to_text(value) == "{:urgent 1 :others 1}"
    assert [rtfs.to_text(comment) for comment in comments] == ['{:id 1 :text "On it: It is slow"}']


def test_the_python_of_the_readme_runs(capsys: pytest.CaptureFixture[str]):
    exec(compile(block("README.md", "python"), "README.md", "exec"), {})
    assert capsys.readouterr().out == "HELLO!\n"


def test_the_golden_file_of_the_testing_page_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "page.test.rtfs").write_text(block("docs/testing.md", "clojure"), encoding="utf-8")
    assert run([str(tmp_path)]) == 0, capsys.readouterr().out
