"""Programs give the values that a real Clojure gave, or those that expected.txt lists with a reason."""

from __future__ import annotations

import pytest

from tests.clojure.programs import difference, expected, here, programs, recorded

RECORDED = recorded()


@pytest.mark.parametrize("source", RECORDED)
def test_the_value_is_that_of_clojure_or_a_listed_one(source: str):
    assert difference(source, RECORDED[source], here(source), expected()) is None


def test_every_program_is_recorded():
    assert sorted(programs()) == sorted(RECORDED)


def test_what_is_listed_is_a_program_that_differs():
    assert set(expected()) <= set(RECORDED)
    assert [source for source in expected() if difference(source, RECORDED[source], here(source), {}) is None] == []
