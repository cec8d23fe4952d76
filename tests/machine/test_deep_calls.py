"""How a program that is deep in calls is told from one whose calls cost an error much to leave."""

from __future__ import annotations

from rtfs.machine.errors.deep import is_crowded

CALLS = 300


def test_calls_that_are_guarded_where_they_wait_count():
    def guarded(left: int) -> bool:
        try:
            return guarded(left - 1) if left else is_crowded(CALLS // 2)
        finally:
            left = 0

    assert guarded(CALLS)


def test_calls_that_guard_only_what_they_did_before_do_not_count():
    def guarded_before(left: int) -> bool:
        try:
            first = [one + 1 for one in range(left)][:1]  # from Python 3.12 on protected as well
        except ValueError:
            first = []
        return guarded_before(left - len(first)) if left else is_crowded(CALLS // 2)

    assert not guarded_before(CALLS)


def test_few_guarded_calls_are_not_crowded():
    def plain(left: int) -> bool:
        return plain(left - 1) if left else is_crowded(CALLS // 2)

    assert not plain(CALLS)
