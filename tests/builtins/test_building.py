"""Making collections: kinds of results, appending, ranges and the caps on size."""

from __future__ import annotations

import pytest

from rtfs.builtins import CORE
from rtfs.builtins.argument_errors import MAX_ITEMS
from rtfs.syntax.printer import to_text
from rtfs.values import EvalError, Keyword, LimitError, List, Map, TypeMismatch, Vector

A, B = Keyword("a"), Keyword("b")


def run(name, *args):
    """The printed value: it shows kinds and order, which RTFS equality would not."""
    return to_text(CORE[name](*args))


@pytest.mark.parametrize(
    ("name", "args", "printed"),
    [
        ("vector", (), "[]"),
        ("vector", (1, None), "[1 nil]"),
        ("list", (1, 2), "(1 2)"),
        ("list", (), "()"),
        ("hash-map", (), "{}"),
        ("hash-map", (A, 1, "b", 2), '{:a 1 "b" 2}'),
        ("hash-map", (1, A, 1.0, B, True, None), "{1 :a 1.0 :b true nil}"),
        ("hash-map", (A, 1, A, 2), "{:a 2}"),
        ("vec", (List([1]),), "[1]"),
        ("vec", (None,), "[]"),
        ("vec", (Map({A: 1}),), "[[:a 1]]"),
        ("into", (Vector([1]), List([2])), "[1 2]"),
        ("into", (List([1]), Vector([2])), "(1 2)"),
        ("into", (None, "ab"), '["a" "b"]'),
        ("into", (Map({A: 1}), Map({B: 2})), "{:a 1 :b 2}"),
        ("into", (Map(), Vector([List([A, 1])])), "{:a 1}"),
        ("into", (Vector(), Map({A: 1})), "[[:a 1]]"),
        ("conj", (Vector([1]), 2, 3), "[1 2 3]"),
        ("conj", (List([1]), 2), "(1 2)"),
        ("conj", (None, 1), "[1]"),
        ("conj", (), "[]"),
        ("conj", (Map({A: 1}), Vector([B, 2])), "{:a 1 :b 2}"),
        ("conj", (Map({A: 1}), Map({B: 2})), "{:a 1 :b 2}"),
        ("cons", (1, Vector([2])), "[1 2]"),
        ("cons", (1, List([2])), "(1 2)"),
        ("cons", (1, None), "[1]"),
        ("cons", ("a", "bc"), '["a" "b" "c"]'),
        ("concat", (), "[]"),
        ("concat", (List([1]), Vector([2])), "(1 2)"),
        ("concat", (None, Vector([1]), "a", Map({A: 1})), '[1 "a" [:a 1]]'),
        ("repeat", (2, Vector([1])), "[[1] [1]]"),
        ("repeat", (-1, 1), "[]"),
        ("numbers", (-1, 1), "[-1 0 1]"),
        ("numbers", (3, 1), "[]"),
        ("zip", (Vector([1, 2, 3]), List([A, B])), "[[1 :a] [2 :b]]"),
        ("zip", (List([1]), "x"), '([1 "x"])'),
        ("zipmap", ("ab", Vector([1, 2, 3])), '{"a" 1 "b" 2}'),
        ("interleave", (Vector([1, 2]), Vector([3, 4]), Vector([5, 6, 7])), "[1 3 5 2 4 6]"),
        ("interleave", (), "[]"),
        ("interpose", (0, List([1, 2])), "(1 0 2)"),
        ("interpose", (0, None), "[]"),
        ("interpose", (0, Vector([1])), "[1]"),
        ("flatten", (Vector([1, List([2, Vector()]), None, Map({A: 1}), "ab"]),), '[1 2 nil {:a 1} "ab"]'),
        ("flatten", (List([1, List([2])]),), "(1 2)"),
        ("flatten", (None,), "[]"),
    ],
)
def test_result_has_the_kind_and_order_the_language_says(name, args, printed):
    assert run(name, *args) == printed


@pytest.mark.parametrize(
    ("args", "printed"),
    [
        ((3,), "[0 1 2]"),
        ((-2, 2), "[-2 -1 0 1]"),
        ((5, 0), "[]"),
        ((5, 0, -2), "[5 3 1]"),
        ((0, 1, 0.25), "[0 0.25 0.5 0.75]"),
        ((1.0, 0.0, -0.5), "[1.0 0.5]"),
        ((2.5,), "[0 1 2]"),
        ((0, 1, float("inf")), "[0]"),
        ((10**30, 10**30 + 2), f"[{10**30} {10**30 + 1}]"),
        ((0, 10**40, 10**39 * 4), f"[0 {10**39 * 4} {10**39 * 8}]"),
    ],
)
def test_range_counts_by_steps_of_either_sign_and_kind(args, printed):
    assert run("range", *args) == printed


def test_range_with_a_fractional_step_does_not_drift():
    assert CORE["range"](0, 1, 0.1)[9] == 9 * 0.1


@pytest.mark.parametrize("args", [(0, 5, 0), (0, 5, 0.0), (float("nan"),), (float("-inf"), 0), (10**400, 10**401, 0.5)])
def test_range_that_makes_no_sense_is_an_argument_error(args):
    with pytest.raises(EvalError) as caught:
        CORE["range"](*args)
    assert caught.value.code.startswith("argument")


@pytest.mark.parametrize("args", [("a",), (0, None), (0, 5, True)])
def test_range_takes_numbers_only(args):
    with pytest.raises(TypeMismatch):
        CORE["range"](*args)


def nested(levels: int) -> Vector:
    """A small value whose flattening has 2 ** levels elements."""
    value = Vector([1, 1])
    for _ in range(levels):
        value = Vector([value, value])
    return value


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("range", (MAX_ITEMS + 1,)),
        ("range", (0, 10**100)),
        ("range", (0, 1, 1e-300)),
        ("numbers", (1, 10**30)),
        ("repeat", (10**30, None)),
        ("flatten", (nested(60),)),
        ("partition", (5000, 1, Vector(range(10_000)))),
    ],
)
def test_results_beyond_the_cap_are_refused_before_memory_is_taken(name, args):
    with pytest.raises(LimitError) as caught:
        CORE[name](*args)
    assert caught.value.code == "limit/size"


def test_joining_many_large_collections_is_capped():
    large = CORE["repeat"](3_000_000, None)
    for name, args in (
        ("concat", (large,) * 4),
        ("interleave", (large,) * 4),
        ("into", (CORE["repeat"](9_000_000, 1), large)),
    ):
        with pytest.raises(LimitError):
            CORE[name](*args)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("concat", (Vector([1]), 5)),
        ("conj", ("a", "b")),
        ("conj", (Map(), 5)),
        ("into", (Map(), Vector([1]))),
        ("into", ("a", "b")),
        ("into", (Vector(), 5)),
        ("vec", (5,)),
        ("cons", (1, 5)),
        ("repeat", ("a", 1)),
        ("numbers", (1.0, 2)),
        ("zip", (5,)),
        ("flatten", (5,)),
        ("interpose", (1, 5)),
        ("zipmap", (5, Vector())),
    ],
)
def test_wrong_kinds_are_type_errors_that_name_the_function(name, args):
    with pytest.raises(TypeMismatch) as caught:
        CORE[name](*args)
    assert name in caught.value.message


def test_an_odd_number_of_keys_and_values_is_an_arity_error():
    with pytest.raises(EvalError) as caught:
        CORE["hash-map"](A)
    assert caught.value.code == "arity"


def test_adding_to_a_collection_leaves_the_old_one_alone():
    old = Vector([1, 2])
    CORE["conj"](old, 3)
    CORE["concat"](old, Vector([3]))
    CORE["into"](old, Vector([4]))
    CORE["cons"](0, old)
    assert to_text(old) == "[1 2]"


def test_flatten_takes_any_depth():
    value = Vector([1])
    for _ in range(100_000):
        value = Vector([value])
    assert run("flatten", value) == "[1]"


def test_concat_in_a_loop_keeps_every_intermediate_value():
    seen = [Vector(range(40))]
    for i in range(40, 60):
        seen.append(CORE["concat"](seen[-1], Vector([i])))
    assert [len(v) for v in seen] == list(range(40, 61))
    assert seen[-1].to_list() == list(range(60))
    assert seen[3].to_list() == list(range(43))
