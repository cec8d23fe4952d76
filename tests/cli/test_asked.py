"""At a terminal a person is asked a server's questions and sees its progress; elsewhere no person is asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtfs.capabilities.sessions.questions import Question
from rtfs.cli import prompts
from tests.cli.typing_at import MAIN, ROOT, Typist
from tests.servers.running import Running, serve

SERVER = ROOT / "tests" / "servers" / "sdk_server.py"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with serve(SERVER) as running:
        yield running


def declared(url: str, tool: str, era: str = "auto") -> str:
    where = f':server_url "{url}" :server_name "shop" :tool_name "{tool}" :requires_session "{era}"'
    return f'(capability "mcp.shop.{tool}" :metadata {{:mcp {{{where}}}}})'


def plan(folder: Path, url: str, source: str, era: str = "auto") -> list[str]:
    """The arguments of `rtfs run` for a plan that may use the server's tools."""
    (folder / "shop.rtfs").write_text("\n".join(declared(url, tool, era) for tool in ("order", "steps")))
    (folder / "plan.rtfs").write_text(source)
    return ["run", str(folder / "plan.rtfs"), "--load", str(folder / "shop.rtfs"), "--allow", "mcp.shop.*"]


@pytest.mark.parametrize("era", ["auto", "true"], ids=["sessionless", "handshake"])
def test_a_form_is_filled_in_looked_over_and_sent(tmp_path: Path, server: Running, era: str) -> None:
    with Typist(*plan(tmp_path, server.url, '(call "mcp.shop.order" {})', era)) as person:
        person.wait("[a]nswer, [d]ecline, [c]ancel: ")
        assert f"shop ({server.url}) asks, for mcp.shop.order:" in person.shown
        assert "What shall it be?" in person.shown
        assert "- Name (text): For whom" in person.shown
        person.type("a\n")
        person.wait("Name: ")
        person.type("\n")
        person.wait("it is needed")
        person.type("Ada\n")
        person.wait("Count [1]: ")
        person.type("12\n")
        person.wait("it has to be a whole number, 1 to 9")
        person.type("3\n")
        person.wait("Colour [green]: ")
        person.type("1\n")
        person.wait("Gift [no]: ")
        person.type("\n")
        person.wait("[s]end, [e]dit, [d]ecline, [c]ancel: ")
        assert "Colour: red" in person.shown
        person.type("e\n")
        person.wait("Name [Ada]: ")
        person.type("Bob\n\n\n\n")
        person.wait("[s]end, [e]dit, [d]ecline, [c]ancel: ")
        person.type("s\n")
        assert person.end() == 0
        assert ':name "Bob"' in person.shown
        assert ":count 3" in person.shown


@pytest.mark.parametrize("typed", ["d\n", "c\n", "\x04"])
def test_it_can_be_declined_or_put_aside(tmp_path: Path, server: Running, typed: str) -> None:
    with Typist(*plan(tmp_path, server.url, '(call "mcp.shop.order" {})')) as person:
        person.wait("[a]nswer, [d]ecline, [c]ancel: ")
        person.type(typed)
        assert person.end() == 1
        assert "capability/failed" in person.shown


def test_a_long_wait_for_the_person_is_not_drawn_over(tmp_path: Path, server: Running) -> None:
    with Typist(*plan(tmp_path, server.url, '(call "mcp.shop.order" {})'), "--timeout", "5") as person:
        person.wait("[a]nswer, [d]ecline, [c]ancel: ")
        before = len(person.shown)
        with pytest.raises(subprocess.TimeoutExpired):
            person.process.wait(6.0)
        person.type("d\n")
        assert person.end() == 1
        assert "mcp.shop.order 5." not in person.shown[before:], "no spinner while a person is asked"
        assert "limit/time" not in person.shown


@pytest.mark.parametrize("more", [["--no-input"], []])
def test_nobody_is_asked_without_a_terminal_or_with_no_input(tmp_path: Path, server: Running, more: list[str]) -> None:
    arguments = [*plan(tmp_path, server.url, '(call "mcp.shop.order" {})'), *more]
    if more:
        with Typist(*arguments) as person:
            assert person.end() == 1
            assert "asks" not in person.shown
        return
    command = [sys.executable, "-c", MAIN, *arguments]
    done = subprocess.run(command, input="a\n", capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert "asks" not in done.stderr


@pytest.mark.parametrize("era", ["auto", "true"], ids=["sessionless", "handshake"])
def test_a_servers_progress_is_shown_at_a_terminal(tmp_path: Path, server: Running, era: str) -> None:
    source = '(call "mcp.shop.steps" {:count 3 :pause 0.6})'
    with Typist(*plan(tmp_path, server.url, source, era)) as person:
        person.wait("2/3 step 2")
        person.wait("3/3 step 3")
        assert person.end() == 0
        assert "mcp.shop.steps" in person.shown
        assert "{:steps 3}" in person.shown.rpartition("\x1b[K")[2], "the line is gone before the result is printed"


# the form itself


class Script:
    """Standard input that gives these lines."""

    def __init__(self, *lines: str) -> None:
        self.lines = [line + "\n" for line in lines]

    def readline(self) -> str:
        return self.lines.pop(0) if self.lines else ""


def filled(monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any], *lines: str, required: Any = ()) -> Any:
    monkeypatch.setattr(sys, "stdin", Script(*lines))
    question = Question("server", "message", {"properties": properties, "required": list(required)})
    question.capability = "a.b"
    return prompts.fill(question)


@pytest.mark.parametrize(
    ("described", "typed", "value"),
    [
        ({"type": "string"}, "  two words ", "two words"),
        ({"type": "integer"}, "7", 7),
        ({"type": "number"}, "-1.5", -1.5),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "f\nno", False),
        ({"type": "string", "enum": ["a", "b"]}, "2", "b"),
        ({"type": "string", "enum": ["7", "b"]}, "x\n1", "7"),
        ({"type": "string", "oneOf": [{"const": "#f00", "title": "Red"}]}, "red", "#f00"),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}}, "1, c", ["a", "c"]),
        ({"type": "array", "items": {"enum": ["a"]}, "default": ["a"]}, "", ["a"]),
    ],
)
def test_what_is_typed_becomes_a_value(monkeypatch: pytest.MonkeyPatch, described: Any, typed: str, value: Any) -> None:
    assert filled(monkeypatch, {"f": described}, "a", *typed.split("\n"), "s") == {"f": value}


def test_what_may_be_left_empty_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled(monkeypatch, {"f": {"type": "string"}}, "a", "", "s") == {}


def test_a_question_without_fields_is_a_yes_or_no(monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled(monkeypatch, {}, "x", "y") == {}
    assert filled(monkeypatch, {}, "d") is False
    assert filled(monkeypatch, {}, "c") is None
    assert filled(monkeypatch, {}) is None


def test_a_person_is_warned_of_what_sounds_like_a_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(monkeypatch, {"password": {"type": "string"}}, "d")
    assert "Careful: this sounds like a secret" in capsys.readouterr().err
    filled(monkeypatch, {"name": {"type": "string"}}, "d")
    assert "Careful" not in capsys.readouterr().err


def test_the_address_of_a_page_is_shown_whole_and_opened_by_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question("shop", "Sign in, please", {}, url="https://shop.example/in?state=1")
    question.capability = "mcp.shop.order"
    said: list[str] = []
    monkeypatch.setattr(prompts, "_say", said.append)
    for letter, answer in (("y", {}), ("d", False), ("c", None)):
        monkeypatch.setattr(prompts, "_choice", lambda prompt, letters, letter=letter: letter)
        assert prompts.fill(question) == answer
    assert "  It asks you to open this address: https://shop.example/in?state=1" in said
