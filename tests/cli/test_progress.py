"""The line about a long call, and what a terminal gets to see of what programs print."""

from __future__ import annotations

import io
import sys
from threading import Event
from typing import Any

import pytest

import rtfs
from rtfs.cli import progress as progress_module
from rtfs.cli.progress import Progress
from rtfs.cli.terminal_output import Screen, guarded
from rtfs.cli.terminal_run import live
from rtfs.host.audit.events import CallProgressed
from rtfs.host.policy.context import RuntimeContext


class Terminal(io.StringIO):
    """A stream that says it is a terminal, and tells when something is drawn."""

    encoding = "utf-8"

    def __init__(self) -> None:
        super().__init__()
        self.drawn = Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if "\x1b[K" in text:
            self.drawn.set()
        return super().write(text)


def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error is from now on a terminal, on which calls count as long at once."""
    found = Terminal()
    monkeypatch.setattr(sys, "stderr", found)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress_module, "PATIENCE", 0.0)
    monkeypatch.setattr(progress_module, "TICK", 0.001)
    return found


def test_a_long_call_is_shown_and_the_line_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = terminal(monkeypatch)
    with rtfs.Runtime() as runtime:
        runtime.register("slow", lambda: stream.drawn.wait(30), blocking=True)
        with live(runtime):
            assert runtime.run('(call "slow")') is True
    text = stream.getvalue()
    assert "slow 0." in text
    assert text.endswith("\r\x1b[K")


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with rtfs.Runtime() as runtime:
        runtime.register("slow", lambda: Event().wait(0.01), blocking=True)
        with live(runtime):
            runtime.run('(call "slow")')
        assert not runtime.events.observed
    found = capsys.readouterr()
    assert (found.out, found.err) == ("", "")


def test_a_listener_hears_of_records_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch)
    kinds: list[str] = []
    with rtfs.Runtime(on_event=lambda record: kinds.append(record.kind)) as runtime:
        with live(runtime):
            runtime.run('(call "ccos.state.kv.get" "a")')
        runtime.run("1")
    assert kinds == ["run", "decision", "outcome", "end", "run", "end"]


def test_the_line_tells_call_time_progress_and_how_many_more() -> None:
    shown = Progress(Terminal())
    shown.event(CallProgressed(RuntimeContext(), 1, "mcp.a.b", 3, 10, "copying\x1b[31m"))
    line = shown.line([("mcp.a.b", 1.0), ("other", 2.0)], 3.5, 100)
    assert line.split(" ", 1)[1] == "mcp.a.b 2.5 s 3/10 copying\\u001b[31m (+1 more)"
    assert len(shown.line([("x" * 200, 0.0)], 1.0, 40)) == 39


def test_what_is_printed_on_a_terminal_is_shown_and_not_obeyed() -> None:
    stream = Terminal()
    screen = Screen(stream)
    print("a\x1b]0;title\x07\tb\u202ec\r\nd", file=screen)
    assert stream.getvalue() == "a\\u001b]0;title\\u0007\tb\\u202ec\\r\nd\n"
    assert screen.at_start


def test_output_is_left_alone_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded():
        print("\x1b[31mred")
    assert capsys.readouterr().out == "\x1b[31mred\n"


def test_an_unfinished_line_is_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    stream: Any = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    with guarded():
        print("half", end="")
    assert sys.stdout is stream
    assert stream.getvalue() == "half\n"
