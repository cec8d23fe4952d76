"""Parts of long work, between which the machine looks at the clock."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rtfs.values import Vector, step_account
from rtfs.values.step_account import PIECE, STRETCH, account, copied, filled, gathered, listed, stretches


def taken(monkeypatch: pytest.MonkeyPatch, seconds_each: float, elements: int, slow: int) -> list[int]:
    """The sizes of the lists that `elements` are given in, if each of the first `slow` takes so many seconds."""
    now = [0.0]
    monkeypatch.setattr(step_account, "monotonic", lambda: now[0])
    sizes = []
    seen = 0
    for part in stretches(range(elements)):
        assert part == [*range(seen, seen + len(part))]
        seen += len(part)
        sizes.append(len(part))
        now[0] += seconds_each * len(part) if seen <= slow else 0.0
    assert seen == elements
    return sizes


def test_quick_elements_come_in_full_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, 1e-7, 3 * STRETCH + 1, slow=10_000) == [STRETCH, STRETCH, STRETCH, 1]


def test_slow_elements_come_in_ever_shorter_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = taken(monkeypatch, 0.001, 1_000, slow=1_000)
    assert sizes[:6] == [STRETCH, STRETCH // 2, STRETCH // 4, STRETCH // 8, STRETCH // 16, STRETCH // 32]
    assert max(sizes[8:]) <= 4


def test_elements_that_are_quick_again_come_in_full_lists_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = taken(monkeypatch, 0.001, 3_000, slow=800)
    assert min(sizes) <= 4
    assert max(sizes[1:]) == STRETCH


def test_one_element_at_a_time_is_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    assert taken(monkeypatch, 1.0, STRETCH * 2, slow=1_000)[-1] == 1


def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that gets an entry at each look at the clock."""
    found: list[int] = []
    monkeypatch.setattr(account, "pay", found.append)
    return found


MANY = 5 * PIECE + 3
COPIES: dict[str, tuple[Callable[[], list[int]], list[int]]] = {
    "part of a list": (lambda: copied([*range(MANY + 9)], 4, MANY + 4), [*range(4, MANY + 4)]),
    "integers": (lambda: filled(range(0, 2 * MANY, 2)), [*range(0, 2 * MANY, 2)]),
    "integers downwards": (lambda: filled(range(MANY, 0, -1)), [*range(MANY, 0, -1)]),
    "keys": (lambda: listed(dict.fromkeys(range(MANY)).keys()), [*range(MANY)]),
    "a vector": (lambda: listed(Vector([*range(MANY)])), [*range(MANY)]),
    "part of a vector": (lambda: Vector([*range(MANY + 2)]).slice(1, MANY + 1).to_list(), [*range(1, MANY + 1)]),
    "a vector that is gone through": (lambda: list(Vector([*range(MANY)])), [*range(MANY)]),
    "what a generator gives": (lambda: gathered(number for number in range(MANY)), [*range(MANY)]),
}


@pytest.mark.parametrize("name", COPIES)
def test_long_lists_are_copied_in_pieces(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, expected = COPIES[name]
    found = looks(monkeypatch)
    assert copy() == expected
    assert len(found) >= 4


def test_short_lists_are_copied_without_a_look(monkeypatch: pytest.MonkeyPatch) -> None:
    found = looks(monkeypatch)
    assert copied([1, 2, 3], 1, 3) == [2, 3]
    assert listed({1: 2}.items()) == [(1, 2)]
    assert Vector([*range(100)]).to_list() == [*range(100)]
    assert not found
