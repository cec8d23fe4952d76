"""The Pygments lexer, over every RTFS text of the repository."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Literal, Name, Number, String

from rtfs.highlighting import RtfsLexer
from tests.editors.sources import FILES, HARD, ROOT, kinds

LEXER = RtfsLexer(stripnl=False, ensurenl=False)


def kind(token: object) -> str:
    """What a token type says, in the words of `kinds`."""
    if token in String.Symbol:
        return "keyword"
    if token in String.Char:
        return "code"
    for within, name in ((Comment, "comment"), (String, "string"), (Number, "number"), (Keyword.Constant, "constant")):
        if token in within:
            return name
    return "code"


def differences(text: str) -> list[str]:
    """Where lexer and reader differ: the text of the token and both kinds."""
    expected = kinds(text)
    found = []
    for at, token, piece in LEXER.get_tokens_unprocessed(text):
        wanted = {expected[at + n] for n, character in enumerate(piece) if not character.isspace() and character != ","}
        if wanted and wanted != {kind(token)} and not wanted & {"tagged", "faulty"} and not piece.startswith("#:"):
            found.append(f"{piece!r} is {wanted}, highlighted as {token}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_keeps_its_text_and_has_errors_only_where_the_reader_has(path: Path):
    text = path.read_text(encoding="utf-8")
    expected = kinds(text)
    tokens = list(LEXER.get_tokens_unprocessed(text))
    assert [piece for at, token, piece in tokens if token is Error and expected[at] != "faulty"] == []
    assert "".join(piece for _, _, piece in tokens) == text
    assert differences(text) == []


def test_a_hard_text_is_highlighted_as_it_is_read():
    assert differences(HARD) == []
    assert Error not in {token for token, _ in LEXER.get_tokens(HARD)}


@pytest.mark.parametrize("text", ["1_000", "08x", "\\nope", '"\\q"', "2024-01-01"])
def test_what_the_reader_refuses_is_an_error(text: str):
    assert Error in {token for token, _ in LEXER.get_tokens(text)}


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("(let [x 1] x)", (Keyword, "let")),
        ("(defn area [w] w)", (Name.Function, "area")),
        ("(defn area [w] w)", (Keyword.Declaration, "defn")),
        ("(when true 1)", (Keyword, "when")),
        ("(map inc [1])", (Name.Builtin, "inc")),
        ("[let]", (Name.Variable, "let")),
        ("2023-12-25T10:30:45Z", (Literal.Date, "2023-12-25T10:30:45Z")),
        ("1.5", (Number.Float, "1.5")),
    ],
)
def test_a_word_has_its_type(text: str, token: tuple[object, str]):
    assert token in list(LEXER.get_tokens(text))


def test_the_entry_point_for_pygments_is_the_lexer():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = project["entry-points"]["pygments.lexers"]
    assert [EntryPoint(name, value, "pygments.lexers").load() for name, value in declared.items()] == [RtfsLexer]
    assert RtfsLexer.aliases == ["rtfs"]
    assert RtfsLexer.filenames == ["*.rtfs"]


def test_rtfs_itself_does_not_import_pygments():
    source = "import rtfs, sys; rtfs.Runtime().run('(+ 1 2)'); print('pygments' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
