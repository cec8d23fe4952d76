"""Guests are used again, and what one machine left is not there for the next."""

from __future__ import annotations

import sys
import threading
import weakref
from contextvars import ContextVar
from typing import Any

import pytest

import rtfs
from rtfs.machine import guest as guests
from rtfs.machine.guest import Guest
from rtfs.machine.machine import Machine, new_environment
from rtfs.machine.outcome import Complete, RequiresHost

PLAN = '(call "a" (call "b" 1))'
ENVIRONMENT = new_environment()


class Thing:
    """A value of which one can see whether it is still there."""


def machine(main: Any, *arguments: Any) -> Machine:
    return Machine(ENVIRONMENT, main, arguments, None, False)


def idle() -> list[Guest]:
    return guests._idle.guests


@pytest.fixture(autouse=True)
def _none_idle() -> None:
    idle().clear()


def test_a_guest_whose_machine_has_ended_runs_the_next() -> None:
    assert isinstance(machine(lambda: 1).start(), Complete)
    (kept,) = idle()
    second = machine(lambda: guests.getcurrent() is kept).start()
    assert isinstance(second, Complete)
    assert second.value is True
    assert idle() == [kept]


def test_an_idle_guest_holds_neither_value_nor_machine_nor_context() -> None:
    thing = Thing()
    gone = weakref.ref(thing)
    variable: ContextVar[Any] = ContextVar("variable")
    token = variable.set(thing)
    ended = machine(lambda value: value, thing).start()
    assert isinstance(ended, Complete)
    assert ended.value is thing
    variable.reset(token)
    del ended, thing, token
    assert gone() is None
    (kept,) = idle()
    assert kept.machine is kept.value is kept.gr_context is None


def test_a_context_variable_that_a_machine_sets_is_not_set_in_the_next() -> None:
    variable: ContextVar[int] = ContextVar("variable", default=0)

    def bump() -> int:
        variable.set(variable.get() + 1)
        return variable.get()

    assert [machine(bump).start().value, machine(bump).start().value, variable.get()] == [1, 1, 0]  # type: ignore[union-attr]


def test_a_guest_whose_machine_failed_or_was_given_up_is_not_used_again() -> None:
    with pytest.raises(rtfs.UserError, match="div-by-zero"):
        rtfs.start(rtfs.compile("(/ 1 0)", environment=ENVIRONMENT))
    waiting = rtfs.start(rtfs.compile(PLAN, environment=ENVIRONMENT))
    assert isinstance(waiting, RequiresHost)
    waiting.close()
    assert idle() == []


def test_where_a_profiler_traces_guests_are_new() -> None:
    machine(lambda: 1).start()
    (kept,) = idle()
    seen: list[str] = []
    sys.setprofile(lambda frame, event, argument: seen.append(frame.f_code.co_name))
    try:
        machine(lambda: 1).start()
    finally:
        sys.setprofile(None)
    assert "run_main" in seen
    assert idle()[0] is kept
    assert len(idle()) == 2


def test_of_many_guests_those_are_kept_that_are_in_use_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "WINDOW", 100)
    waiting = [rtfs.start(rtfs.compile('(call "a" 1)', environment=ENVIRONMENT)) for _ in range(90)]
    for one in waiting:
        assert isinstance(one, RequiresHost)
        one.resume(1)
    assert len(idle()) == 90
    for _ in range(300):
        machine(lambda: 1).start()
    assert len(idle()) == guests.KEPT


def test_guests_of_threads_that_end_are_gone() -> None:
    ran: list[Any] = []

    def work() -> None:
        for _ in range(3):
            ran.append(machine(lambda: 1).start().value)  # type: ignore[union-attr]

    for _ in range(20):
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ran == [1] * 240
    assert idle() == []


def test_machines_within_machines_use_guests_again() -> None:
    def nested(depth: int) -> int:
        return 0 if depth == 0 else 1 + machine(nested, depth - 1).start().value  # type: ignore[union-attr]

    for _ in range(3):
        assert machine(nested, 3).start().value == 3  # type: ignore[union-attr]
    assert len(idle()) == 4
    assert machine(nested, 20).start().value == 20  # type: ignore[union-attr]
    assert max(one.below for one in idle()) <= guests.DEEPEST


def test_a_guest_that_was_started_deep_is_not_used_again() -> None:
    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        else:
            assert isinstance(machine(lambda: 1).start(), Complete)

    deep(2 * guests.DEEP)
    assert idle() == []


def test_what_is_compiled_deep_in_a_program_is_compiled_as_at_its_top() -> None:
    with rtfs.Runtime() as rt:

        def inner(levels: int) -> Any:
            return inner(levels - 1) if levels else rt.run("(defmacro twice [x] `(+ ~x ~x)) (twice 2)")

        usual = sys.getrecursionlimit()
        sys.setrecursionlimit(30_000)
        try:
            assert inner(2_000) == 4
            assert inner(10_000) == 4
        finally:
            sys.setrecursionlimit(usual)
        assert rt.run("(defmacro thrice [x] `(+ ~x ~x ~x)) (thrice 2)") == 6
