"""Values are shown over several lines, large ones in part, and types are what the values fit."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
from rtfs.repl.shape import type_of
from rtfs.repl.show import show
from rtfs.types import parse_type


def value(text: str) -> Any:
    with rtfs.Runtime() as runtime:
        return runtime.run(text)


def test_long_values_are_broken_into_lines() -> None:
    text = show(value('(map (fn [n] {:number n :title (str "issue " n)}) (range 4))'), width=40)
    assert text.splitlines()[0] == '[{:number 0 :title "issue 0"}'
    assert len(text.splitlines()) == 4
    assert rtfs.equal(rtfs.read_value(text), value('(map (fn [n] {:number n :title (str "issue " n)}) (range 4))'))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(range 1000)", "[0 1 2 … 997 more]"),
        ("'(1 2 3 4)", "(1 2 3 … 1 more)"),
        ("(zipmap (range 5) (range 5))", "{0 0 1 1 2 2 … 2 more}"),
        ("[[1 2 3 4] [5]]", "[[1 2 3 … 1 more] [5]]"),
        ('"text"', '"text"'),
        ("nil", "nil"),
        ("[]", "[]"),
    ],
)
def test_of_large_collections_the_beginning_is_shown(text: str, shown: str) -> None:
    assert " ".join(show(value(text), items=3).split()) == shown


def test_of_a_long_text_the_beginning_is_shown_and_how_much_is_left() -> None:
    text = show("a" * 100_000)
    assert text.endswith("… 98,000 more characters")
    assert len(text) < 2_100
    assert len(show("a" * 100_000, text=0)) > 100_000


def test_many_long_texts_share_what_is_shown() -> None:
    text = show(rtfs.Vector(["a" * 15_000] * 50))
    assert len(text) < 15_000
    assert text.count("more characters") == 50


def test_data_that_shares_its_parts_is_shown_without_being_written_out() -> None:
    pairs = " ".join(f"a{n} [a{n - 1} {{:l a{n - 1}}}]" for n in range(1, 60))
    shared = value(f"(let [a0 [1] {pairs}] a59)")
    assert len(show(shared)) < 40_000
    assert len(show(type_of(shared))) < 40_000
    with pytest.raises(rtfs.LimitError) as caught:
        show(shared, items=0)
    assert caught.value.code == "limit/size"


def test_huge_integers_are_described() -> None:
    assert show(10**100_000).startswith("… an integer of some 100,0")
    assert show(10**30) == "1" + "0" * 30


def test_deep_data_is_cut() -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = rtfs.Vector([deep])
    assert show(deep) == "[" * 16 + "[…]" + "]" * 16


def test_the_work_is_bounded_by_what_is_shown() -> None:
    wide = rtfs.Vector([rtfs.Vector(range(50)) for _ in range(50)])
    assert show(wide, items=100).count("more") >= 1
    assert len(show(wide, items=100)) < 8_000


@pytest.mark.parametrize(
    "text",
    [
        "1", "nil", "[1 nil]", '{:a 1 :b ["x" {:c 1.5}]}', "{1 2 :a 3}", "'(1 a :b)", "[[1] [] [nil]]", "{}",
        "[1 2.0 nil :a true]",
        "(range 500)", "[{:a 1} {:b 2}]", '(into (range 300) ["x"])', "inc", "[map {:f inc}]", "{nil 1}",
    ],
)  # fmt: skip
def test_a_value_fits_the_type_that_it_is_said_to_have(text: str) -> None:
    found = value(text)
    assert parse_type(type_of(found)).accepts(found)
