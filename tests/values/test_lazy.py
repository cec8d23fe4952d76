"""Lazy sequences: computed once, in order, as far as asked; freed while walking; no recursion for any depth."""

from __future__ import annotations

import gc
import weakref

import pytest

import rtfs
from rtfs.values import LazySeq, LimitError, List, Map, Vector, equal, hash_of, realised
from rtfs.values.lazy import SEGMENT, Cursor, Segment, ahead_of, elements, first_elements, lazy


def counting(end: int | None = None, log: list[int] | None = None) -> LazySeq:
    """0, 1, 2 … up to before `end`; every number computed goes to the log."""
    number = 0

    def pull(segment: Segment) -> None:
        nonlocal number
        if number == end:
            segment.more = None
            return
        if log is not None:
            log.append(number)
        segment.items.append(number)
        number += 1

    return lazy(pull)


def test_no_more_is_computed_than_asked_for_and_nothing_twice() -> None:
    log: list[int] = []
    sequence = counting(log=log)
    assert log == []
    assert first_elements(sequence, 2) == [0, 1]
    assert first_elements(sequence, 3) == [0, 1, 2]
    assert log == [0, 1, 2]


def test_a_sequence_longer_than_a_segment_is_one_sequence() -> None:
    size = 3 * SEGMENT + 5
    assert elements(counting(size)) == list(range(size))
    cursor = Cursor(counting(size))
    found = []
    while cursor.ready():
        found.append(cursor.segment.items[cursor.index])
        cursor.index += 1
    assert found == list(range(size))


class Thing:
    """Something that can be referred to weakly."""


def test_elements_that_were_passed_are_freed_while_walking() -> None:
    things: list[weakref.ref[Thing]] = []

    def pull(segment: Segment) -> None:
        thing = Thing()
        things.append(weakref.ref(thing))
        segment.items.append(thing)

    cursor = Cursor(lazy(pull))
    for _ in range(3 * SEGMENT):
        assert cursor.ready()
        cursor.index += 1
    gc.collect()
    assert sum(thing() is not None for thing in things) <= SEGMENT


def test_an_error_leaves_the_element_to_be_computed_again() -> None:
    failures = [ValueError("once")]

    def pull(segment: Segment) -> None:
        if failures:
            raise failures.pop()
        segment.items.append("there")

    sequence = lazy(pull)
    with pytest.raises(ValueError, match="once"):
        first_elements(sequence, 1)
    assert first_elements(sequence, 1) == ["there"]


def test_equality_and_hash_are_those_of_lists_and_ask_for_no_more_than_needed() -> None:
    log: list[int] = []
    assert equal(counting(3), Vector([0, 1, 2]))
    assert equal(List([0, 1, 2]), counting(3))
    assert not equal(counting(log=log), Vector([0, 1]))
    assert log == [0, 1, 2]
    assert not equal(counting(), ahead_of([0, 5], counting()))
    assert hash_of(counting(3)) == hash_of(List([0, 1, 2]))
    assert Map({counting(2): "found"}).get(Vector([0, 1])) == "found"


def test_realised_replaces_lazy_sequences_at_any_depth_and_keeps_what_holds_none() -> None:
    whole = Vector([1, Map({"a": List([2])})])
    assert realised(whole) is whole
    value = Vector([whole, Map({"k": List([counting(2)])})])
    found = realised(value)
    assert rtfs.to_text(found) == '[[1 {"a" (2)}] {"k" ((0 1))}]'
    assert found[0] is whole
    deep = counting(1)
    for _ in range(100_000):
        deep = ahead_of([deep], None)
    assert realised(deep).__class__ is List


def test_a_lazy_sequence_within_short_vectors_leaves_no_program() -> None:
    value = rtfs.Runtime().run("[[1 [(rest (take 3 (iterate inc 1)))]]]")
    assert rtfs.to_text(value) == "[[1 [(2 3)]]]"


def test_an_endless_sequence_asked_for_its_end_is_a_limit() -> None:
    def pull(segment: Segment) -> None:
        segment.items += [None] * 1000

    with pytest.raises(LimitError) as caught:
        elements(lazy(pull))
    assert caught.value.code == "limit/size"


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("(first (reduce (fn [s _] (map inc s)) (range) (numbers 1 100000)))", "100000"),
        ("(first (reduce (fn [s _] (filter (fn [x] true) (concat [0] s))) (range) (numbers 1 30000)))", "0"),
        ("(defn nest [n] (lazy-seq (if (= n 0) [1] (nest (dec n))))) (nest 200000)", "(1)"),
        ("(defn from [n] (lazy-seq (cons n (from (inc n))))) (nth (from 0) 200000)", "200000"),
        ("(count (nth (iterate (fn [s] (rest s)) (take 3 (range))) 100000))", "0"),
    ],
)
def test_deep_chains_neither_crash_nor_recurse(program: str, printed: str) -> None:
    with rtfs.Runtime() as runtime:
        assert rtfs.to_text(runtime.run(program)) == printed


def test_a_chain_beyond_the_depth_limit_is_a_limit() -> None:
    with rtfs.Runtime() as runtime, pytest.raises(LimitError) as caught:
        runtime.run("(first (reduce (fn [s _] (map inc s)) (range) (numbers 1 400000)))")
    assert caught.value.code == "limit/depth"
