"""`rtfs.yaml`: what it may say, and what is said about what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs


def write(folder: Path, text: str) -> Path:
    path = folder / "rtfs.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def error_of(path: Path) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime.from_config(path)
    return caught.value


def test_an_empty_file_is_a_runtime_with_defaults(tmp_path: Path) -> None:
    with rtfs.Runtime.from_config(write(tmp_path, "")) as rt:
        assert rt.run("(+ 1 2)") == 3


def test_grants_context_limits_and_loaded_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("hello")
    (tmp_path / "caps.rtfs").write_text('(capability "mine" :version "1" :implementation (fn [x] (read-file x)))')
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "m.rtfs").write_text("(module m (def x 7))")
    path = write(
        tmp_path,
        "allow: ['fs:read:data', 'env:HOME']\nprincipal: ann\ncontext: {who: [a, 1]}\nload: [caps.rtfs]\n"
        "module_path: [lib]\nlimits: {steps: 100000}\npolicy: {max_calls: 50}\n"
        "hints: {retries: 1}\npool: {attempts: 2}\n",
    )
    with rtfs.Runtime.from_config(path) as rt:
        assert rt.run(f'(call "mine" "{tmp_path}/data/a.txt")') == "hello"
        assert rtfs.to_text(rt.run("@who")) == '["a" 1]'
        assert rt.run("(import m) m/x") == 7
        assert rt.capabilities["mine"].origin == "config"
        with pytest.raises(rtfs.LimitError):
            rt.run("(loop [] (recur))")
        with pytest.raises(rtfs.HostError, match="may not replace"):
            rt.run('(capability "mine" :version "2")')
        assert {record.principal for record in rt.ledger} == {"ann"}


def test_arguments_win_and_grants_add_up(tmp_path: Path) -> None:
    path = write(tmp_path, "allow: ['env:HOME']\nprincipal: ann\n")
    with rtfs.Runtime.from_config(path, allow=["env:PATH"], principal="bob") as rt:
        rt.run('(get-env "HOME") (get-env "PATH")')
        assert {record.principal for record in rt.ledger} == {"bob"}


def test_broken_yaml_is_shown_with_its_place(tmp_path: Path) -> None:
    error = error_of(write(tmp_path, "allow:\n  - a\n  b: [\n"))
    assert error.code == "config/yaml"
    assert error.span is not None
    assert (error.span.source.name, error.span.line) == (str(tmp_path / "rtfs.yaml"), 3)


@pytest.mark.parametrize(
    ("text", "message", "hint", "line"),
    [
        ("principal: a\nalow: []\n", "unknown key alow", "did you mean allow?", 2),
        ("pool:\n  attempt: 3\n", "unknown key pool.attempt", "did you mean attempts?", 2),
        (
            "policy:\n  level: lax\n",
            "policy.level must be 'minimal', 'standard' or 'paranoid', not 'lax'",
            None,
            2,
        ),
        (
            "policy:\n  level: pranoid\n",
            "policy.level must be 'minimal', 'standard' or 'paranoid', not 'pranoid'",
            "did you mean paranoid?",
            2,
        ),
        ("allow:\n  - a\n  - 5\n", "allow.1 must be a text, not 5", 'write it in quotes: "5"', 3),
        ("allow: net:a.example\n", "allow must be a list, not 'net:a.example'", "write allow: [net:a.example]", 1),
        ("limits:\n  steps: many\n", "limits.steps must be a whole number, not 'many'", None, 2),
        ("width: 3\ncontext: [1]\n", "context must be a mapping of names to values, not a list", None, 2),
        ("limits: {steps: 0}\n", "limits.steps: input should be greater than 0", None, 1),
        ("[1, 2]", "a configuration is a mapping of keys to values", None, 1),
    ],
)
def test_wrong_content_is_shown_with_its_place(
    tmp_path: Path, text: str, message: str, hint: str | None, line: int
) -> None:
    error = error_of(write(tmp_path, text))
    assert (error.code, error.message, error.hint) == ("config/invalid", message, hint)
    assert error.span is not None
    assert error.span.line == line


@pytest.mark.parametrize(
    ("text", "message", "place", "hint"),
    [
        ("allow: [a, b\nwidth: 3\n", "the `[` of line 1, column 8 is never closed", "1:8", None),
        ("context: {a: 1\n", "the `{` of line 1, column 10 is never closed", "1:10", None),
        ('principal: "x\nwidth: 3\n', "the quote of line 1, column 12 is never closed", "1:12", None),
        ("allow:\n\t- a\n", "there is a tab here", "2:1", "indent YAML with spaces"),
        (
            "a: b: c\n",
            "a key is not allowed here",
            "1:5",
            "indent all keys of a mapping alike; quote a text that contains `: `",
        ),
    ],
)
def test_broken_yaml_is_shown_where_it_breaks(
    tmp_path: Path, text: str, message: str, place: str, hint: str | None
) -> None:
    path = write(tmp_path, text)
    error = error_of(path)
    assert (error.code, error.message) == ("config/yaml", f"this is not YAML: {message}")
    assert (str(error.span), error.hint) == (f"{path}:{place}", hint)


def test_every_mistake_is_told(tmp_path: Path) -> None:
    error = error_of(write(tmp_path, "limits: 5\nload: a.rtfs\nalow: []\n"))
    told = [(one.message, one.span.line) for one in (error, *error.others) if one.span is not None]
    assert told == [
        ("limits must be a mapping of names to values, not 5", 1),
        ("load must be a list, not 'a.rtfs'", 2),
        ("unknown key alow", 3),
    ]


@pytest.mark.parametrize(
    "text", ["width: 3\nload:\n  - none.rtfs\n", "width: 3\nmcp_files:\n  - none.json\n", "\nallow:\n  - 'fs:x'\n"]
)
def test_a_setting_that_cannot_be_used_is_shown_at_its_line(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    error = error_of(path)
    assert error.span is not None
    assert (error.span.source.name, error.span.line) == (str(path), 3)


def test_missing_files_are_named(tmp_path: Path) -> None:
    assert error_of(tmp_path / "none.yaml").code == "config/missing"
    error = error_of(write(tmp_path, "load: [none.rtfs]"))
    assert error.code == "file/missing"
    assert "none.rtfs" in error.message


def test_a_bad_grant_and_a_bad_declaration_are_errors(tmp_path: Path) -> None:
    assert error_of(write(tmp_path, "allow: ['net:http://x']")).code == "config/grant"
    (tmp_path / "caps.rtfs").write_text('(capability "a" :metadata 5)')
    assert error_of(write(tmp_path, "load: [caps.rtfs]")).code == "capability/invalid"


def test_options_for_a_session_handler_that_does_not_take_them(tmp_path: Path) -> None:
    path = write(tmp_path, "allow: [a]\nhandlers:\n  mcp: {nonsense: 1}\n")
    with rtfs.Runtime.from_config(path) as rt:
        rt.load('(capability "a" :metadata {:mcp {:requires_session "auto" :server_url "http://127.0.0.1:9/"}})')
        with pytest.raises(rtfs.HostError) as caught:
            rt.run('(call "a")')
        assert caught.value.code == "session/handler"
