"""The REPL as a person meets it, in a real terminal."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.repl.prompt import Pane

PLAIN = """
import sys
from rtfs.cli.main import main
code = main(["repl"])
print("left with", code)
"""

SLOW = '''
import asyncio
import threading
import rtfs
from rtfs.repl.start import repl
from rtfs.testing.servers import Answer, McpServer

told = []

async def slow(_):
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        told.append("slow was cancelled")
        raise

class Handler:
    """A provider that reports its progress and then waits."""

    def session_key(self, call):
        from rtfs.capabilities.sessions.handler import SessionKey
        return SessionKey("slow.example")

    async def initialize_session(self, call):
        from rtfs.capabilities.sessions.handler import Session
        return Session()

    async def execute_with_session(self, session, call):
        call.progress(3, 8, "three of eight")
        await slow(None)

    async def terminate_session(self, session):
        told.append("ended")

class Server(McpServer):
    """Says when a call has come that it will not answer, and notes when it is told to forget it."""

    def wait(self, seconds):
        if seconds:
            print("the server has the call", flush=True)
        super().wait(seconds)

def forgotten():
    tick = threading.Event()
    while "notifications/cancelled" not in server.requests:
        tick.wait(0.01)
    return "the server was told"

with Server(Answer(delay=3600, result={})) as server:
    with rtfs.Runtime([*server.grants, "steps.count", "net:*"]) as runtime:
        schema = "{:owner :string :labels :string?}"
        runtime.register("slow.wait", slow, description="Waits for ever", input_schema=schema)
        runtime.register("told", lambda: list(told))
        runtime.register("forgotten", forgotten, blocking=True)
        runtime.register_session_handler("steps", Handler())
        runtime.load(server.declaration)
        runtime.load('(capability "steps.count" :metadata {:steps {:requires_session "auto"}})')
        code = repl(runtime)
    print("left with", code, told, server.requests[-1:], flush=True)
'''


def colours(pane: Pane) -> list[str]:
    """The colours on the screen, as the numbers of their escape sequences."""
    return re.findall(r"\x1b\[(?:\d+;)*(3[1-7]|9\d)(?:;\d+)*m", pane.screen("-e"))


def test_typing_results_and_leaving(tmp_path: Path) -> None:
    with Pane(tmp_path, PLAIN) as pane:
        pane.wait("rtfs>", ":help lists commands")
        pane.enter("(+ 1 41)")
        pane.wait("\n42\n")
        pane.enter('(str "the answer is " *1)')
        pane.wait('"the answer is 42"')
        pane.enter("(nope 1)")
        pane.wait("error undefined: `nope` is not defined", "<repl 3>:1:2", "^^^^")
        assert colours(pane)
        pane.press("C-d")
        pane.wait("left with 0")


def test_several_lines_until_the_brackets_are_closed(tmp_path: Path) -> None:
    with Pane(tmp_path, PLAIN) as pane:
        pane.wait("rtfs>")
        pane.enter("(defn twice [x]")
        pane.wait("\n    |\n")
        pane.enter("(* 2 x))")
        pane.wait("    |   (* 2 x))", "#<function twice>")
        pane.enter("(twice 21)")
        pane.wait("\n42\n")
        pane.enter("(foo ]")  # wrong whatever follows: told at once
        pane.wait("reader/mismatched")


def test_completion_and_help_while_typing(tmp_path: Path) -> None:
    with Pane(tmp_path, SLOW) as pane:
        pane.wait("rtfs>")
        pane.type("(group-b")
        pane.wait("group-by")  # offered without being asked for
        pane.press("Tab")
        pane.wait("rtfs> (group-by", "(group-by f coll)")
        pane.press("C-c")
        pane.wait("\nrtfs>\n")
        pane.type('(call "slow')
        pane.wait("slow.wait")  # offered without being asked for
        pane.press("Tab")
        pane.wait('rtfs> (call "slow.wait"')
        pane.press("Enter")
        pane.type(" {")
        pane.press("Tab")
        pane.wait(":owner", ":labels", ":string?", "Waits for ever")


def test_ctrl_c_cancels_a_slow_call_and_the_session_goes_on(tmp_path: Path) -> None:
    with Pane(tmp_path, SLOW) as pane:
        pane.wait("rtfs>")
        pane.enter("(def kept 7)")
        pane.wait("\n7\n")
        pane.enter('(call "slow.wait" {:owner "me"})')
        pane.wait("slow.wait 1.")  # the line that says what takes so long, and how long already
        pane.press("C-c")
        pane.wait("cancelled", gone="slow.wait 1.")
        pane.enter('[kept (call "told")]')
        pane.wait('[7 ["slow was cancelled"]]')
        pane.press("C-d")
        pane.wait("left with 0")


def test_ctrl_c_tells_the_server_and_keeps_its_session(tmp_path: Path) -> None:
    with Pane(tmp_path, SLOW) as pane:
        pane.wait("rtfs>")
        pane.enter('(call "mcp.example.tool" {})')
        pane.wait("the server has the call")
        pane.press("C-c")
        pane.wait("cancelled")
        pane.enter('(call "forgotten")')
        pane.wait('"the server was told"')
        pane.enter(":sessions")
        pane.wait("1 open, 0 calls in flight")
        pane.press("C-d")
        pane.wait("left with 0", "DELETE")


def test_ctrl_c_ends_a_loop_that_never_ends(tmp_path: Path) -> None:
    with Pane(tmp_path, PLAIN) as pane:
        pane.wait("rtfs>")
        pane.enter('(do (println "begun") (loop [i 0] (recur (inc i))))')
        pane.wait("\nbegun\n")
        pane.press("C-c")
        pane.wait("cancelled")
        pane.enter("(+ 2 3)")
        pane.wait("\n5\nrtfs>")
        pane.type("(abandoned")
        pane.press("C-c")
        pane.wait("(abandoned\nrtfs>\n")
        pane.enter("(+ 4 4)")
        pane.wait("\n8\n")


def test_what_a_server_says_of_its_progress_is_shown(tmp_path: Path) -> None:
    with Pane(tmp_path, SLOW) as pane:
        pane.wait("rtfs>")
        pane.enter('(call "steps.count" {})')
        pane.wait("steps.count 0.", "3/8 three of eight")
        pane.press("C-c")
        pane.wait("cancelled", gone="three of eight")


def test_the_history_is_there_after_a_restart(tmp_path: Path) -> None:
    with Pane(tmp_path, PLAIN) as pane:
        pane.wait("rtfs>")
        pane.enter("(def remembered 1)")
        pane.wait("\n1\n")
        pane.press("C-d")
        pane.wait("left with 0")
    assert os.stat(tmp_path / "state" / "rtfs" / "history").st_mode & 0o777 == 0o600
    with Pane(tmp_path, PLAIN) as pane:
        pane.wait("rtfs>")
        pane.press("Up")
        pane.wait("rtfs> (def remembered 1)")


def test_control_characters_and_unfinished_lines_do_no_harm(tmp_path: Path) -> None:
    with Pane(tmp_path, PLAIN) as pane:
        pane.wait("rtfs>")
        pane.enter('(print "\\u001b[2Jstill" "here")')
        pane.wait("\\u001b[2Jstill here\nnil\nrtfs>")


@pytest.mark.parametrize("variable", ["NO_COLOR"])
def test_no_colours_where_none_are_wanted(tmp_path: Path, variable: str) -> None:
    with Pane(tmp_path, PLAIN, **{variable: "1"}) as pane:
        pane.wait("rtfs>")
        pane.enter('(str "a" 1 nope)')
        pane.wait("error undefined")
        assert colours(pane) == []


PAGER = """import sys
print(sys.stdin.read(), "page 1", sep="")
open("/dev/tty").readline()
"""


def test_long_texts_are_paged_and_the_prompt_comes_back(tmp_path: Path) -> None:
    (tmp_path / "pager.py").write_text(PAGER)
    with Pane(tmp_path, PLAIN, PAGER=f"{sys.executable} {tmp_path / 'pager.py'}") as pane:
        pane.wait("rtfs>")
        pane.enter(":apropos se")
        pane.wait("page 1", gone="rtfs>")
        pane.press("Enter")
        pane.wait("rtfs>")
        pane.press("C-u")
        pane.enter(':check (+ 1 "a")')
        pane.wait("error type/mismatch", "rtfs>")
        pane.enter(":record calls.jsonl (+ 40 2)")
        pane.wait("\n42\n")
        pane.enter(":nothing like this")
        pane.wait("there is no command :nothing", ":help lists the commands")
        pane.enter("(+ 1 1)")
        pane.wait("\n2\n")
