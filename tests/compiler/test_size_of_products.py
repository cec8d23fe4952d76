"""Products have one limit of size, whatever computes them: the function, closures, compiled code, code with labels."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
import rtfs.compiler.compile as compiling
from rtfs.builtins.numbers import MAX_BITS, mul2
from rtfs.compiler.closures import hot

BIG = "(def x (pow 3 656000)) "
"""Some hundred products away from the limit."""
GROWING = {
    "a product by a constant": f"{BIG}(loop [x x] (recur (* x 1000003)))",
    "a product by a negative constant": f"{BIG}(loop [x x] (recur (* x -1000003)))",
    "a negative product": f"{BIG}(loop [x (- x)] (recur (* 1000003 x)))",
    "a sum with such a product": f"{BIG}(loop [x x] (recur (+ (* x 1000003) 1)))",
    "a parameter": f"{BIG}(defn f [x] (* x 1000003)) (loop [x x] (recur (f x)))",
    "an accumulator": f"{BIG}(reduce (fn [a _] (* a 1000003)) x (range 60000))",
    "elements": f"{BIG}(reduce (fn [v _] (mapv (fn [x] (* x 1000003)) v)) [x] (range 60000))",
    "a variable that is no counter": "(loop [i 1] (if (< i 10) (recur (+ i 1)) (recur (* i 2147483647))))",
    "elements of a range of long ints": f"(let [x (pow 2 {MAX_BITS - 1})] (mapv (fn [x] (* x 4)) (range x (+ x 2))))",
}
PATHS = {
    "compiled": ("compiled", 20, 100),
    "closures": ("closures", 10**9, 10**9),
    "switched in mid-run": ("closures", 2, 3),
    "labelled": ("labelled", 20, 100),
}


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    execution, calls, rounds = PATHS[request.param]
    monkeypatch.setattr(compiling, "EXECUTION", execution)
    monkeypatch.setattr(hot, "CALLS", calls)
    monkeypatch.setattr(hot, "ROUNDS", rounds)


def run(text: str) -> Any:
    return rtfs.start(rtfs.compile(text), rtfs.Limits(steps=None))


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("name", GROWING)
def test_a_product_meets_the_limit_of_integers(name: str) -> None:
    with pytest.raises(rtfs.LimitError) as error:
        run(GROWING[name])
    assert error.value.code == "limit/integer"


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("factor", [2, -2])
def test_the_longest_int_is_a_product_as_any_other(factor: int) -> None:
    text = f"(defn f [x] (* x {factor})) (= (f (pow 2 {MAX_BITS - 2})) (* {factor} (pow 2 {MAX_BITS - 2})))"
    outcome = run(text)
    assert isinstance(outcome, rtfs.Complete)
    assert outcome.value is True


def test_the_function_takes_the_longest_ints_and_none_that_are_longer() -> None:
    half = 1 << (MAX_BITS // 2)
    assert mul2(half, half >> 1).bit_length() == MAX_BITS
    assert mul2(half - 1, half) < 1 << MAX_BITS
    for factors in ((half, half), (-half, half), (half - 1, 2 * half)):
        with pytest.raises(rtfs.LimitError):
            mul2(*factors)
