"""What values print as, and that it reads back."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtfs.syntax.printer import display, to_text
from rtfs.values import Keyword, LimitError, List, Map, Set, Symbol, UserError, Vector
from tests.syntax import oracle
from tests.syntax.support import one, one_by_one


def named(name):
    def function():
        pass

    function.__name__ = name
    return function


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nil"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-12, "-12"),
        (3.0, "3.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (1e16, "1e16"),
        (1e100, "1e100"),
        (1.5e-7, "1.5e-7"),
        (123456789012345.6, "123456789012345.6"),
        (math.inf, "##Inf"),
        (-math.inf, "##-Inf"),
        (math.nan, "##NaN"),
        ("", '""'),
        ('a"b\\c\n\t\r', '"a\\"b\\\\c\\n\\t\\r"'),
        ("\0\x1b\x7f\x85", '"\\u0000\\u001b\\u007f\\u0085"'),
        ("é日😀\u00a0", '"é日😀\u00a0"'),
        ("\ufffe\U0001ffff\u202e", '"\\ufffe\\ud83f\\udfff\\u202e"'),
        ("\ud800", '"\\ud800"'),
        (Keyword("a"), ":a"),
        (Keyword("ns/b"), ":ns/b"),
        (Symbol("x"), "x"),
        (List(), "()"),
        (Vector(), "[]"),
        (Map(), "{}"),
        (List([1, "a", Keyword("b")]), '(1 "a" :b)'),
        (Vector([3.0, 1, None, " "]), '[3.0 1 nil " "]'),
        (Map([(Keyword("z"), 1), (Keyword("a"), Vector([]))]), "{:z 1 :a []}"),
        (Map([(1, 1), (1.0, 2), (True, 3)]), "{1 1 1.0 2 true 3}"),
        (Vector([Vector([Vector()]), Map([(Vector([1]), List([2]))])]), "[[[]] {[1] (2)}]"),
        (List([Symbol("quote"), Symbol("x")]), "(quote x)"),
        (UserError("a/b", "it broke"), "#<error a/b: it broke>"),
        (Vector([UserError("a", "b")]), "[#<error a: b>]"),
        (named("fact"), "#<function fact>"),
        (named("fact 3"), "#<function fact>"),
        (named("<="), "#<function <=>"),
        (named("<"), "#<function <>"),
        (named("fn"), "#<function>"),
        (named("fn 12"), "#<function>"),
        (lambda: 0, "#<function>"),
        (len, "#<function len>"),
        (object(), "#<object>"),
    ],
)
def test_a_value_prints_as_its_literal(value, text):
    assert to_text(value) == text


def test_only_a_string_itself_is_displayed_raw():
    assert display('a"\n') == 'a"\n'
    assert display(Vector(['a"'])) == '["a\\""]'
    assert display(None) == "nil"
    assert display(3.0) == "3.0"


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from([Keyword("a"), Keyword("n/b"), Symbol("x"), Symbol("+"), Symbol(":")]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5).map(Vector),
        st.lists(inner, max_size=5).map(List),
        st.lists(st.tuples(inner, inner), max_size=4).map(Map),
    ),
    max_leaves=25,
)


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_what_is_printed_reads_back_to_the_same_value_kind_and_order(value):
    read = one(to_text(value))
    assert oracle.show(read) == oracle.show(value)
    assert to_text(read) == to_text(value)


@settings(max_examples=200, deadline=None)
@given(VALUES, st.integers(min_value=1, max_value=120))
def test_what_is_printed_over_several_lines_reads_back_too(value, width):
    assert oracle.show(one(to_text(value, width=width))) == oracle.show(value)


CELLS = [
    *(st.integers(), st.sampled_from([10**520, 7]), st.floats(), st.text('ab"\\ \n\u200b', max_size=3), st.none()),
    *(st.booleans() | st.none(), st.lists(st.integers(), max_size=3).map(Vector), st.sampled_from([len, {}.get, 1])),
    st.lists(st.integers(), min_size=2, max_size=2).map(lambda pair: Map(zip("ba", pair, strict=True))),
    st.lists(st.integers(), min_size=40, max_size=40).map(List),
]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(st.sampled_from(CELLS), max_size=4), st.sampled_from(["k%", 'q"', ":"]), st.integers(0, 40))
def test_many_rows_print_as_each_of_them_does(data, cells, name, more):
    names = [Keyword(f"k{n}") if name == ":" else f"{name}{9 - n}" for n in range(len(cells))]
    rows = data.draw(st.lists(st.tuples(*cells), min_size=1, max_size=5))
    value = Vector([Map(zip(names, row, strict=True)) for row in rows] * (600 // len(rows)))
    assert to_text(value) == one_by_one(value)
    mixed = List([*value, *range(more), Map([(1.0, 1), (True, 2)]), *value])
    assert to_text(mixed) == one_by_one(mixed)
    assert to_text(Vector(rows[0] * 100)) == one_by_one(Vector(rows[0] * 100))


@pytest.mark.parametrize(
    "rows",
    [
        [Map([("a", n), ("b", n)] if n % 2 else [("b", n), ("a", n)]) for n in range(600)],
        [Map([(1.0, n), (True, n)]) for n in range(600)],
        [Map([(n % 2 == 0, n)]) for n in range(600)],
        [Map([(Keyword("a"), n), ("b", n)]) for n in range(600)],
        [Map(), *[Map([("a", Vector(range(300)))])] * 600, Vector()],
        [Set([n, "x"]) for n in range(600)],
    ],
    ids=["other order", "odd keys", "booleans", "mixed keys", "many parts", "sets"],
)
def test_rows_without_common_columns_print_as_each_of_them_does(rows):
    assert to_text(Vector(rows)) == one_by_one(Vector(rows))
    assert to_text(Map([("rows", List(rows))])) == one_by_one(Map([("rows", List(rows))]))


def test_shared_rows_are_too_long_to_print():
    shared = Vector(["x" * 1_000_000] * 300)
    for value in (shared, Vector([shared] * 300), Vector([Vector(["x" * 100_000] * 40)] * 300)):
        with pytest.raises(LimitError) as caught:
            to_text(value)
        assert caught.value.code == "limit/size"


def test_what_fits_stays_on_one_line_and_what_does_not_is_broken():
    value = one('{:name "Ada" :tags [:a :b] :all [1 2 3 4 5 6 7 8 9] :code (f {:x 1 :y 2} z)}')
    assert to_text(value, width=200) == to_text(value)
    assert to_text(value, width=24).splitlines() == [
        '{:name "Ada"',
        " :tags [:a :b]",
        " :all [1 2 3 4 5 6 7 8",
        "       9]",
        " :code (f",
        "         {:x 1 :y 2}",
        "         z)}",
    ]


@pytest.mark.parametrize("width", [None, 80])
def test_data_nested_a_hundred_thousand_deep_prints(width):
    deep = Vector()
    for number in range(100_000):
        deep = Map([(Keyword("k"), deep)]) if number % 3 == 0 else List([deep]) if number % 3 == 1 else Vector([deep])
    text = to_text(deep, width=width)
    assert text.count("[") == text.count("]") == 33_334


def test_an_int_of_any_size_prints_whatever_python_allows():
    old = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert to_text(10**5000) == "1" + "0" * 5000
        assert to_text(Vector([-(10**5000) + 1])) == "[-" + "9" * 5000 + "]"
        for power in (511, 512, 513, 640, 641, 2000):
            assert to_text(10**power - 1) == "9" * power
        assert to_text(7 * (10**200_000 - 1) // 9) == "7" * 200_000
    finally:
        sys.set_int_max_str_digits(old)


def test_the_printer_imports_nothing_heavy():
    heavy = "{'lark', 're', 'typing', 'decimal', 'json', 'enum', 'dataclasses', 'inspect', 'functools', 'unicodedata'}"
    code = f"import sys; b = set(sys.modules); import rtfs.syntax.printer; print({heavy} & (set(sys.modules) - b))"
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
