"""Editors themselves: headless Neovim beside `rtfs lsp`, Emacs with its mode, the packed extension of VS Code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
EDITORS = ROOT / "editors"
PRICES = "(module shop.prices\n  (:exports [rate])\n  (defn rate [n]\n    (* n 2)))\n"
ISSUES = """(capability "test.issues" :provider :x :output-schema :any
  :input-schema [:map [:owner :string] [:state [:enum "open" "closed"] ?]])
"""
TEXT = """(import shop.prices :as p)
(defn area [w h]
(* w h))
(prinln (str "ä😀" (area 2 1)))
(println (p/rate 3) (call "test.issues" {:owner "a" :state "open"}))
"""


def environment(**more: str) -> dict[str, str]:
    """With the `rtfs` of this interpreter's environment in front of the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "prices.rtfs").write_text(PRICES, "utf-8")
    (tmp_path / "plan.rtfs").write_text(TEXT, "utf-8")
    (tmp_path / "issues.rtfs").write_text(ISSUES, "utf-8")
    (tmp_path / "rtfs.yaml").write_text("load: [issues.rtfs]\n", "utf-8")
    return tmp_path


def test_neovim_gets_every_feature(folder: Path) -> None:
    answers = folder / "answers.json"
    command = ["nvim", "--headless", "--clean", "--cmd", f"set runtimepath^={EDITORS / 'nvim'}"]
    command += ["-c", "filetype plugin on", "-c", f"luafile {ROOT / 'tests_full' / 'asking.lua'}"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(RTFS_ANSWERS=str(answers), RTFS_CONFIG="rtfs.yaml"),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert answers.exists(), done.stderr
    found: dict[str, Any] = json.loads(answers.read_text("utf-8"))
    assert found["filetype"] == "rtfs"
    assert [one[1:3] for one in found["diagnostics"]] == [[3, 1]]
    assert "did you mean `println`?" in found["diagnostics"][0][3]
    assert found["hover"]["contents"]["value"].startswith("(area w h)")
    assert {one["label"] for one in _items(found["completion"])} == {"open", "closed"}
    assert found["signature"]["signatures"][0]["label"].startswith('(call "test.issues"')
    assert found["definition"]["uri"] == (folder / "shop" / "prices.rtfs").as_uri()
    assert [one["range"]["start"]["line"] for one in found["references"]] == [1, 3]
    (edits,) = found["rename"]["changes"].values()
    assert [one["newText"] for one in edits] == ["surface", "surface"]
    # Neovim chooses its unit of columns; the emoji before the name is one character, two units or four bytes
    assert TEXT.splitlines()[3].index("area") <= edits[1]["range"]["start"]["character"] <= 20
    assert [one["name"] for one in found["symbols"]] == ["area"]
    assert "\n  (* w h))" in found["formatting"][0]["newText"]
    assert [one["title"] for one in found["actions"]] == ["write println"]
    assert len(found["tokens"]["data"]) % 5 == 0
    assert len(found["tokens"]["data"]) > 100
    assert {one["startLine"] for one in found["folding"]} == {1}


def _items(completion: Any) -> list[Any]:
    return completion["items"] if isinstance(completion, dict) else completion


def test_emacs_reads_the_mode_and_highlights_a_program(folder: Path) -> None:
    program = (
        '(progn (find-file "plan.rtfs") (font-lock-ensure) (goto-char (point-min)) (search-forward "defn")'
        ' (princ (format "%s %s" major-mode (get-text-property (- (point) 2) (quote face)))))'
    )
    command = ["emacs", "-Q", "--batch", "-l", str(EDITORS / "emacs" / "rtfs-mode.el"), "--eval", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.stdout == "rtfs-mode font-lock-keyword-face", done.stderr


def test_the_extension_of_vs_code_packs(tmp_path: Path) -> None:
    made = tmp_path / "vscode"
    shutil.copytree(EDITORS / "vscode", made, ignore=shutil.ignore_patterns("node_modules"))
    quiet = {"capture_output": True, "text": True, "timeout": 400}
    install = subprocess.run(["npm", "install", "--no-audit", "--no-fund"], cwd=made, **quiet)  # type: ignore[call-overload]
    assert install.returncode == 0, install.stderr
    pack = ["npx", "--yes", "@vscode/vsce", "package", "--allow-missing-repository", "--skip-license"]
    done = subprocess.run(pack, cwd=made, **quiet)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    (packed,) = made.glob("*.vsix")
    with zipfile.ZipFile(packed) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("extension/package.json"))
    assert {"extension/extension.js", "extension/syntaxes/rtfs.tmLanguage.json"} <= names
    assert f"extension/{manifest['main'].removeprefix('./')}" in names
    assert "extension/node_modules/vscode-languageclient/package.json" in names
    check = subprocess.run(["node", "--check", "extension.js"], cwd=made, **quiet)  # type: ignore[call-overload]
    assert check.returncode == 0, check.stderr
