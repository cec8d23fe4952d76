"""Parts of long work, between which the machine looks at the clock."""

from __future__ import annotations

import pytest

from rtfs.values import step_account
from rtfs.values.step_account import STRETCH, stretches


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
