"""Whatever the text, running it gives a value or a `UserError`: seeded and bounded.

`python -m tests.fuzz.run` continues for as long as it is told to.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.checking import Series, agree, outcome
from tests.fuzz.programs import any_program, corpus, mutated, soup, text_of

NUMBER = st.integers(0, (1 << 30) - 1)
BOUNDED = settings(derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RTFS_CACHE_DIR", str(tmp_path_factory.mktemp("units")))
        yield


@settings(BOUNDED, max_examples=100)
@given(st.binary(max_size=120))
def test_any_bytes(content: bytes):
    outcome(text_of(content))


@settings(BOUNDED, max_examples=150)
@given(st.lists(NUMBER, min_size=1, max_size=40))
def test_any_order_of_tokens(choices: list[int]):
    outcome(soup(choices))


@settings(BOUNDED, max_examples=250)
@given(NUMBER, st.lists(st.tuples(NUMBER, NUMBER, NUMBER), min_size=1, max_size=8))
def test_any_mutation_of_a_program(index: int, changes: list[tuple[int, int, int]]):
    agree(mutated(index, changes))


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_seeds_of_the_long_mode(first: int):
    for seed in range(first, first + 50):
        agree(any_program(seed))


def test_the_corpus_runs_as_it_is():
    """Mutations start from programs that work: nearly all of them give a value (some are about errors)."""
    outcomes = [outcome("".join(words)) for words in corpus()]
    assert outcomes.count("value") > len(outcomes) * 0.6


def test_a_series_of_isolated_programs_comes_to_what_single_runs_come_to():
    series = Series()
    try:
        for seed in range(40):
            program = any_program(seed)
            assert series.outcome(program) == outcome(program), program
    finally:
        series.close()
