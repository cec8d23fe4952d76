"""The folder of the VS Code extension: what its files name is there, and agrees with the language."""

from __future__ import annotations

import json
import re
from typing import Any

from rtfs.cli.lsp import REFRESH
from rtfs.testing.editor_files import EDITORS
from tests.editors.sources import HARD, kinds

FOLDER = EDITORS / "vscode"
MANIFEST: dict[str, Any] = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
LANGUAGE: dict[str, Any] = json.loads((FOLDER / "language-configuration.json").read_text(encoding="utf-8"))
EXTENSION = (FOLDER / "extension.js").read_text(encoding="utf-8")


def test_every_file_that_the_manifest_names_is_there_and_packed():
    contributes = MANIFEST["contributes"]
    named = [MANIFEST["main"], *(language["configuration"] for language in contributes["languages"])]
    named += [grammar["path"] for grammar in contributes["grammars"]]
    for name in named:
        assert (FOLDER / name).is_file()
        assert name.removeprefix("./").split("/")[0] in MANIFEST["files"]


def test_the_grammar_is_that_of_the_language_of_the_manifest():
    (language,) = MANIFEST["contributes"]["languages"]
    (grammar,) = MANIFEST["contributes"]["grammars"]
    assert grammar["language"] == language["id"] == "rtfs"
    assert json.loads((FOLDER / grammar["path"]).read_text(encoding="utf-8"))["scopeName"] == grammar["scopeName"]


def test_the_extension_uses_the_setting_and_the_command_of_the_manifest_and_no_other_package():
    settings = MANIFEST["contributes"]["configuration"]["properties"]
    assert {f"rtfs.{name}" for name in re.findall(r'getConfiguration\("rtfs"\)\.get\("(\w+)"\)', EXTENSION)} == set(
        settings
    )
    commands = {command["command"] for command in MANIFEST["contributes"]["commands"]}
    of_the_server = {REFRESH}  # the language client declares them itself
    assert set(re.findall(r'registerCommand\("([\w.]+)"', EXTENSION)) == commands - of_the_server
    assert of_the_server < commands
    packages = {name.split("/")[0] for name in re.findall(r'require\("([^"]+)"\)', EXTENSION)}
    assert packages - {"vscode"} == set(MANIFEST["dependencies"])


def test_the_language_server_is_the_default_command():
    assert MANIFEST["contributes"]["configuration"]["properties"]["rtfs.command"]["default"] == ["rtfs", "lsp"]


def test_a_double_click_selects_what_the_reader_reads_as_one_keyword():
    words = {match[0] for match in re.finditer(LANGUAGE["wordPattern"], HARD)}
    keywords = {_text(HARD, at) for at, kind in enumerate(kinds(HARD)) if kind == "keyword" and HARD[at - 1] in " {"}
    assert {":a/b", ":k-2", ":x:y", ":int"} < keywords
    assert keywords <= words


def _text(text: str, at: int) -> str:
    """The characters from `at` up to white space or a bracket."""
    return re.split(r"[\s()\[\]{}]", text[at:], maxsplit=1)[0]


def test_what_opens_closes_as_in_the_language():
    assert LANGUAGE["brackets"] == [["(", ")"], ["[", "]"], ["{", "}"]]
    opening, closing = LANGUAGE["comments"]["blockComment"]
    assert set(kinds(f"{opening} x {closing}")) == {"comment"}
    assert set(kinds(f"{LANGUAGE['comments']['lineComment']} x")) == {"comment"}
