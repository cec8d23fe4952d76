"""Long lists are sorted in parts, with the result of `sorted`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtfs.values import long_sort
from rtfs.values.long_sort import sorted_list

KEYS = st.lists(st.integers(0, 20), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _short_parts():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(long_sort, "PART", 3)
        yield


@given(KEYS)
def test_values_are_sorted(values: list[int]):
    assert sorted_list(values) == sorted(values)


@given(KEYS)
def test_ties_keep_their_order(keys: list[int]):
    assert sorted_list(range(len(keys)), keys.__getitem__) == sorted(range(len(keys)), key=keys.__getitem__)


@given(st.lists(st.text("ab", max_size=5), max_size=60))
def test_heavy_keys_are_sorted_in_shorter_parts_with_the_same_result(texts: list[str]):
    assert sorted_list(texts, weight=1 << 40) == sorted(texts)
