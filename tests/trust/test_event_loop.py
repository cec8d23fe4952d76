"""An event loop has its turn at least every quarter of a second, whatever a plan does on it."""

from __future__ import annotations

from contextlib import suppress
from time import thread_time

import pytest

from rtfs.machine import Complete, Limits, start
from rtfs.values import UserError
from tests.machine.support import program

MOST = 0.25
"""Seconds of processor time between two turns of the loop."""

BIG = "(def x (pow 3 660000))"
HELD = {
    "a product by a small number": f"{BIG} (loop [i 0] (if (< i 40000) (do (* x 3) (recur (inc i))) i))",
    "expensive steps after cheap ones": f"{BIG} (loop [i 0] (if (< i 300000) (recur (inc i))"
    " (loop [j 0] (if (< j 20000) (do (* x 3) (recur (inc j))) j))))",
    "endless recursion": "(defn f [n] (+ 1 (f n))) (f 1)",
}


def stretches(text: str) -> list[float]:
    """Seconds of processor time between the moments at which a program gives the event loop back, the last one
    included."""
    found: list[float] = []
    compiled = program(text)
    begun = thread_time()
    with suppress(UserError):
        outcome = start(compiled, Limits(seconds=20.0), breathe=True)
        while not isinstance(outcome, Complete):
            assert outcome.call.kind == "breathe"
            found.append(thread_time() - begun)
            begun = thread_time()
            outcome = outcome.resume(None)
    found.append(thread_time() - begun)
    return found


@pytest.mark.parametrize("name", HELD)
def test_the_loop_has_its_turn(name: str) -> None:
    assert max(stretches(HELD[name])) < MOST
