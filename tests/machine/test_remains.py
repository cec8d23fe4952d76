"""What a program that has ended still held is freed in parts, and only what nothing else holds."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from rtfs.machine import Complete, Limits, RequiresHost, remains, start
from rtfs.values import LimitError, List, Map, Set, Vector
from rtfs.values.short_vector import ShortVector
from tests.machine.support import program

MANY = 20_000


class Counted:
    """An object that counts how many of its kind there are."""

    alive = 0

    def __init__(self) -> None:
        Counted.alive += 1

    def __del__(self) -> None:
        Counted.alive -= 1


def chained(link: Any) -> Any:
    value: Any = ShortVector(())
    for _ in range(MANY):
        value = link(value)
    return value


SHAPES = {
    "a list": lambda: [Counted() for _ in range(MANY)],
    "short vectors": lambda: [ShortVector((Counted(), 1)) for _ in range(MANY)],
    "long vectors": lambda: [Vector([Counted() for _ in range(300)]) for _ in range(MANY // 300)],
    "maps": lambda: Vector([Map({1: Counted(), 2: List([1])}) for _ in range(MANY)]),
    "a map": lambda: Map({number: Counted() for number in range(MANY)}),
    "a set": lambda: Set([Counted() for _ in range(MANY)]),
    "a tuple": lambda: tuple([Counted() for _ in range(MANY)]),
    "groups": lambda: Map({number: Vector([Counted() for _ in range(500)]) for number in range(MANY // 500)}),
    "vectors in vectors": lambda: chained(lambda inner: ShortVector((inner, Counted()))),
    "a large one among small ones": lambda: [*range(300), Vector([Counted() for _ in range(MANY)]), *range(300)],
}


@pytest.mark.parametrize("name", SHAPES)
def test_values_are_freed_in_parts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "PART_TIME", 0.0)
    monkeypatch.setattr(remains, "PATIENCE", 1000.0)
    values = [SHAPES[name]()]
    gc.collect()
    left = Counted.alive
    assert left > MANY // 2
    for _ in remains.freed(values):
        assert left - Counted.alive < MANY // 4
        left = Counted.alive
    assert Counted.alive == 0


def test_what_something_else_holds_stays_as_it_is() -> None:
    part = [ShortVector((number, number)) for number in range(MANY)]
    shared = Vector.adopt(part)
    table = dict.fromkeys(range(MANY), shared)
    inner = {number: number for number in range(MANY)}
    for _ in remains.freed([[shared], Vector([shared, table]), [Map.of_plain(inner)], inner]):
        pass
    assert len(part) == len(shared) == len(table) == len(inner) == MANY
    assert shared[7] == Vector([7, 7])


def test_shared_data_is_not_gone_through_again_and_again() -> None:
    value: Any = ShortVector((1,))
    for _ in range(60):
        value = ShortVector((value, value))
    assert sum(1 for _ in remains.freed([value])) < 10


def test_what_takes_too_long_to_look_through_is_freed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remains, "PATIENCE", 0.0)
    values = [[Counted() for _ in range(MANY)], chained(lambda inner: ShortVector((inner, Counted())))]
    for _ in remains.freed(values):
        pass
    assert Counted.alive == 0


HOLDING = "(defn f [v] (let [w (mapv (fn [i] [i i]) (range 700000))] (loop [] (recur)) [v w])) (f (range 600000))"


def seen(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of values that are freed in parts, as a list that grows; however little a program holds."""
    monkeypatch.setattr(remains, "MUCH", -1)
    found: list[int] = []
    freed = remains.freed

    def noted(values: list[Any]) -> Any:
        found.append(len(values))
        return freed(values)

    monkeypatch.setattr(remains, "freed", noted)
    return found


def test_a_program_that_meets_its_limit_lets_others_have_their_turn_while_it_is_freed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = seen(monkeypatch)
    outcome = start(program(HOLDING), Limits(steps=4_000_000, seconds=60.0), breathe=True)
    turns = 0
    with pytest.raises(LimitError) as caught:
        while isinstance(outcome, RequiresHost):
            turns += 1 if found else 0
            outcome = outcome.resume(None)
    assert caught.value.code == "limit/steps"
    assert len(found) == 1
    assert found[0] > 2
    assert turns > 1
    assert not isinstance(outcome, Complete)


def test_a_program_that_is_given_up_is_freed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(monkeypatch)
    outcome = start(program(HOLDING), Limits(seconds=60.0), breathe=True)
    for _ in range(100):
        assert isinstance(outcome, RequiresHost)
        outcome = outcome.resume(None)
    assert isinstance(outcome, RequiresHost)
    outcome.close()
    assert len(found) == 1
    assert found[0] > 2
