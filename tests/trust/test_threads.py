"""Several threads run programs of one runtime: budgets are exact, definitions arrive, the interpreter's recursion limit
is what it was."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Thread
from typing import Any

import rtfs


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    results: list[Any] = [None] * count

    def run(index: int) -> None:
        try:
            results[index] = work(index)
        except rtfs.UserError as error:
            results[index] = error.code

    threads = [Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def loop(rounds: int) -> str:
    return f"(loop [i 0] (if (< i {rounds}) (recur (inc i)) i))"


def test_each_of_several_threads_has_exactly_its_own_steps():
    before = sys.getrecursionlimit()
    with rtfs.Runtime(limits={"steps": 300_000}) as rt:
        rounds = [299_000, 301_000, 299_500, 300_500]
        answers = together(8, lambda index: rt.run(loop(rounds[index % 4])))
    assert answers == [299_000, "limit/steps", 299_500, "limit/steps"] * 2
    assert sys.getrecursionlimit() == before


def test_a_thread_that_computes_for_long_lets_others_have_their_turn():
    with rtfs.Runtime() as rt:
        long = rt.start_run("(loop [] (recur))", limits={"seconds": 60})
        answers = together(3, lambda index: rt.run(loop(1000)))
        assert long.cancel(), "the others got their turn only when it had ended"
    assert answers == [1000] * 3


def test_deep_recursion_in_several_threads_leaves_the_recursion_limit_as_it_was():
    before = sys.getrecursionlimit()
    deep = "(defn f [n] (if (= n 0) 0 (+ 1 (f (dec n))))) (f 20000)"
    with rtfs.Runtime() as rt:
        assert together(4, lambda index: rt.run(deep)) == [20_000] * 4
    assert sys.getrecursionlimit() == before


def test_calls_from_several_threads_keep_their_runs_apart():
    with rtfs.Runtime() as rt:
        rt.register("add", lambda value: value + 1)
        answers = together(4, lambda index: rt.run(f'(reduce (fn [n _] (call "add" n)) {index * 1000} (range 300))'))
    assert answers == [index * 1000 + 300 for index in range(4)]


def test_branches_share_the_steps_exactly_and_give_back_what_they_do_not_use():
    branches = '(count (call "ccos.concurrent/parallel" (vec (repeat 90 (fn [] {})))))'
    with rtfs.Runtime(limits={"steps": 100_000}) as rt:
        assert rt.run(branches.replace("{}", loop(1000))) == 90
        assert together(1, lambda index: rt.run(branches.replace("{}", loop(1200)))) == ["limit/steps"]
