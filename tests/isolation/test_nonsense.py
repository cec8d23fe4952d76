"""What a worker process that was taken over could send: it ends its own run (`run/crashed`) and nothing else."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable
from json import dumps
from types import SimpleNamespace
from typing import Any

import pytest

import rtfs
from rtfs.host.isolation import guests, wire
from rtfs.host.isolation.pool import WorkerProcess

HEAD = ">IBI"
STEP = dumps([0, 0, "step-enter", "again", None])


class NoTemplate:
    """Kills no process."""

    def __init__(self) -> None:
        self.killed: list[int] = []

    def kill(self, pid: int) -> None:
        self.killed.append(pid)


def framed(kind: int, head: str, body: str = "") -> bytes:
    text = f"{head}\n{body}".encode()
    return struct.pack(HEAD, len(text), kind, 0) + text


READY = framed(wire.READY, "[0, 4194305, []]")
VALUE = '[["v", 0]]'


async def wait(value: Any) -> None:
    await asyncio.sleep(60)


def run_against(
    monkeypatch: pytest.MonkeyPatch, talk: Callable[[socket.socket], None], expected: Any = None, **options: Any
) -> Any:
    """The error of a run whose worker is `talk`; None for one that gives what is expected of it."""
    template = NoTemplate()

    def take() -> WorkerProcess:
        ours, theirs = socket.socketpair()
        theirs.settimeout(20)

        def serve() -> None:
            with theirs:
                try:
                    theirs.sendall(READY)
                    talk(theirs)
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        return WorkerProcess(template, wire.Channel(ours))  # type: ignore[arg-type]

    monkeypatch.setattr(guests, "workers", SimpleNamespace(take=take, refill=lambda: None))
    with rtfs.Runtime(isolation="process", allow=["*"], **options) as runtime:
        runtime.register("demo.id", lambda value: value)
        runtime.register("demo.wait", wait)
        if expected is not None:
            assert runtime.run("1", timeout=3) == expected
            return None
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run("1", timeout=3)
    return caught.value


def call(number: int, frame: int) -> bytes:
    return framed(wire.CALL, dumps([0, number, frame, "demo.wait", None]), '[5, ["v", 1], null, ["v", 2]]')


NONSENSE: dict[str, bytes] = {
    "no message": b"\x00" * 64,
    "text": b"GET / HTTP/1.1\r\n\r\n" * 10,
    "a length beyond everything": struct.pack(HEAD, 0xFFFFFFFF, wire.DONE, 0),
    "an unknown kind": framed(99, "[0]"),
    "a kind of the host's": framed(wire.VALUE, "[0, 1]", "[1]"),
    "a head that is not a list": framed(wire.DONE, "{}"),
    "a head that is no JSON": framed(wire.DONE, "[0,"),
    "a head that is nested without end": framed(wire.DONE, "[" * 200_000),
    "an empty head": framed(wire.CALL, "[]"),
    "a result that is not a value": framed(wire.DONE, "[0, false]", '[["z", 1]]'),
    "a result of too few parts": framed(wire.DONE, "[0, false]", '[["v", 1000000000]]'),
    "a result with a function of nobody's": framed(wire.DONE, "[0, false]", '[["f", 7]]'),
    "an error that is none": framed(wire.FAILED, '[0, false, ["[1]", "[1]", null, [[], []], [], null]]'),
    "an error of nothing": framed(wire.FAILED, "[0, false, null]"),
    "a call of a frame that is not there": call(3, 17),
    "two calls of a frame at once": call(3, 0) + call(5, 0),
    "a call under no number": framed(wire.CALL, dumps([0, "x", 0, "demo.id", None]), VALUE),
    "a capability that is not a text": framed(wire.CALL, dumps([0, 3, 0, 7, None]), VALUE),
    "a place in no text": framed(wire.CALL, dumps([0, 3, 0, "demo.id", [99, 1, 2]]), VALUE),
    "a text under the host's number": framed(wire.DONE, dumps([[[0, "a", "b", False, False]], False]), "[1]"),
    "the end of a context that has not begun": framed(wire.CONTROL, '[0, 0, "context-leave", "", null]', VALUE),
    "a request that is none": framed(wire.CONTROL, '[0, 0, "call", "", null]', VALUE),
    "a branch of nothing": framed(wire.BRANCH, "[0, 99, 3, 1]"),
    "a branch under a taken number": framed(wire.BRANCH, "[0, 0, 0, 1]"),
    "branches within branches without end": b"".join(
        framed(wire.BRANCH, dumps([0, 0 if n == 1 else n - 2, n, 1])) for n in range(1, 201, 2)
    ),
    "the end of the program without a result": framed(wire.LEFT, "[0, 0]"),
    "it is ready twice": READY,
    "a module that is not a text": framed(wire.MODULE, "[0, 1, 2]"),
    "a declaration that is not a map": framed(wire.DECLARE, '[0, 3, 0, "demo.x", null, []]', "[1]"),
    "types that are none": framed(wire.DECLARE, '[0, 3, 0, "demo.x", null, 7]', '[["m", 0]]'),
}


def test_a_worker_that_makes_sense_gives_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this all of the nonsense below might be refused for its framing alone."""

    def talk(pipe: socket.socket) -> None:
        pipe.sendall(framed(wire.DONE, "[0, false]", "[41]"))
        while pipe.recv(65536):
            pass

    assert run_against(monkeypatch, talk, expected=41) is None


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_ends_its_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(pipe: socket.socket) -> None:
        pipe.sendall(NONSENSE[name])
        while pipe.recv(65536):
            pass

    error = run_against(monkeypatch, talk)
    expected = ("limit/time", "run/crashed") if name in ("no message", "text") else ("run/crashed",)
    assert error.code in expected, error


def labelled(*told: Any) -> bytes:
    return framed(wire.CALL, dumps([0, 3, 0, "demo.id", None, *told]), '[5, ["v", 1], null, ["v", 2]]')


TAG = "[[0,0,[[0,0],[0,0],[0,0]]],[[[],null]],[],[]]"
LABELS: dict[str, bytes] = {
    "no labels at all": labelled(),
    "labels that are not a text": labelled(7, None, []),
    "labels of no form": labelled("[]", None, []),
    "labels that are no JSON": labelled("[[", None, []),
    "labels nested without end": labelled("[" * 100_000, None, []),
    "labels of fewer values": labelled(TAG.replace(",[0,0]]]", "]]", 1), None, []),
    "a label that is not there": labelled("[[0,9],[[[],null]],[],[]]", None, []),
    "a source that is not there": labelled("[[0,0],[[[[3,[]]],null]],[],[]]", None, []),
    "a source of no text": labelled("[[0,0],[[[[0,[]]],null]],[[1,[],[],null,false,false]],[]]", None, []),
    "an object that is not there": labelled(
        '[[0,0],[[[[0,[]]],null]],[["a",[],[[0,4]],null,false,false]],[]]', None, []
    ),
    "an object of no value": labelled('[[0,0],[[[[0,[]]],null]],[["a",[],[[0,0]],null,false,false]],["x"]]', None, []),
    "a step that is none": labelled('[[0,0],[[[[0,[[1,2,"x"]]]],null]],[["a",[],[],null,false,false]],[]]', None, []),
    "more sources than a label has": labelled(
        dumps(
            [
                [0, 0],
                [[[[n, []] for n in range(300)], None]],
                [[f"a{n}", [], [], None, False, False] for n in range(300)],
                [],
            ]
        ),
        None,
        [],
    ),
    "a place that is none": labelled(TAG, [1], []),
    "a line that is none": labelled(TAG, None, [["a", 1]]),
    "lines without end": labelled(TAG, None, [["a", at, 1] for at in range(200_000)]),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_that_make_no_sense_end_their_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(pipe: socket.socket) -> None:
        pipe.sendall(LABELS[name])
        while pipe.recv(65536):
            pass

    rules = [{"call": "demo.*", "from": ["plan"]}]
    assert run_against(monkeypatch, talk, flow=rules).code == "run/crashed"


def test_a_worker_that_makes_sense_has_its_labelled_call_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def talk(pipe: socket.socket) -> None:
        pipe.sendall(labelled(TAG, None, []))
        while b"demo.id" not in b"".join(heard):
            heard.append(pipe.recv(65536))
        pipe.sendall(framed(wire.DONE, "[0, false]", "[41]"))
        while pipe.recv(65536):
            pass

    rules = [{"call": "demo.*", "from": ["plan"]}]
    assert run_against(monkeypatch, talk, expected=41, flow=rules) is None


def test_the_end_of_the_pipe_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_against(monkeypatch, lambda pipe: None).code == "run/crashed"


def test_a_worker_that_says_nothing_ends_with_the_time_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(pipe: socket.socket) -> None:
        while pipe.recv(65536):
            pass

    assert run_against(monkeypatch, talk).code == "limit/time"


@pytest.mark.parametrize(
    "what", [b"\xff" * 65536, framed(wire.RESTING, "[0, 0, false]") * 2000, framed(wire.CONTROL, STEP, VALUE) * 500]
)
def test_a_flood_ends_with_the_time_of_its_run_at_the_latest(what: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(pipe: socket.socket) -> None:
        while True:
            pipe.sendall(what)

    assert run_against(monkeypatch, talk, limits={"seconds": 1}).code in ("run/crashed", "limit/time")


def test_random_messages_never_do_more_than_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(7)
    pieces = [0, 1, 2, 3, 5, -1, None, True, "demo.id", "call", "step-enter", "context-leave", [], [0, 1, 2], {}, 1e9]
    bodies = ["", "[1]", VALUE, '[["m", 0]]', '[["k", "a"]]', "[[", '[["f", [1, "f", false]]]', "[1, 2]"]

    def message() -> bytes:
        head = [0, *[source.choice(pieces) for _ in range(source.randrange(6))]]
        return framed(source.randrange(26), dumps(head), source.choice(bodies))

    for _ in range(60):
        sent = b"".join(message() for _ in range(5)) + framed(99, "[0]")

        def talk(pipe: socket.socket, sent: bytes = sent) -> None:
            pipe.sendall(sent)
            while pipe.recv(65536):
                pass

        try:
            run_against(monkeypatch, talk)
        except pytest.fail.Exception:  # it made up a result, as it may
            pass
