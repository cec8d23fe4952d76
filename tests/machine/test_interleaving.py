"""Many machines at once: on one environment, within each other, on several threads."""

from __future__ import annotations

import sys
import threading

import pytest

from rtfs.machine import Complete, Limits, RequiresHost, new_environment, start, start_call
from rtfs.values import LimitError
from tests.machine.support import answered, in_a_process, program, value, waiting

SUM = """
(defn total [n] (loop [i 0 sum 0] (if (< i n) (recur (inc i) (+ sum (call "next" i))) sum)))
(total %d)
"""


def test_machines_on_one_environment_take_turns():
    environment = new_environment()
    outcomes = {n: start(program(SUM % n, environment)) for n in range(1, 30)}
    values = {}
    while outcomes:
        for n, outcome in list(outcomes.items()):
            if isinstance(outcome, Complete):
                values[n] = outcome.value
                del outcomes[n]
            else:
                outcomes[n] = outcome.resume(outcome.call.args[0])
    assert values == {n: sum(range(n)) for n in range(1, 30)}


def test_each_machine_has_a_step_budget_of_its_own():
    environment = new_environment()
    spin = '(defn spin [n] (loop [i 0] (if (< i n) (recur (inc i)) (call "done" i))))'
    value(spin, environment=environment)
    machines = [waiting("(spin 30000) (spin 30000)", Limits(steps=65_000), environment) for _ in range(4)]
    for machine in machines:
        second = machine.resume(None)
        assert isinstance(second, RequiresHost)
        assert answered(second) == 30_000
    poor = waiting("(spin 30000) (spin 30000)", Limits(steps=50_000), environment)
    rich = waiting("(spin 30000) (spin 30000)", Limits(steps=65_000), environment)
    with pytest.raises(LimitError, match="50,000 steps"):
        poor.resume(None)
    assert answered(rich) == 30_000


def test_200_machines_within_each_other():
    environment = new_environment()
    nest = value("(fn nest [inner n] (if (= n 0) 0 (+ 1 (inner (dec n)))))", environment=environment)

    def inner(n: int) -> object:
        outcome = start_call(environment, nest, [inner, n])
        assert isinstance(outcome, Complete)
        return outcome.value

    assert inner(200) == 200


def test_too_many_machines_within_each_other_are_a_limit():
    answer = in_a_process(
        """
from rtfs.machine import *
from rtfs.compiler import compile_source
from rtfs.source import Source
from rtfs.values import LimitError
environment = new_environment()
nest = start(compile_source(Source("(fn nest [inner n] (+ 1 (inner n)))"), environment)).value
def inner(n):
    return start_call(environment, nest, [inner, n]).value
try:
    inner(0)
except LimitError as error:
    print(error.code)
"""
    )
    assert answer == "limit/nesting"


def test_the_recursion_limit_is_what_it_was():
    before = sys.getrecursionlimit()
    outcome = waiting('(call "a")')
    assert sys.getrecursionlimit() == before
    answered(outcome)
    assert sys.getrecursionlimit() == before
    with pytest.raises(LimitError):
        value("(defn f [n] (+ 1 (f n))) (f 1)", Limits(depth=500))
    assert sys.getrecursionlimit() == before
    with pytest.raises(LimitError):
        value("(loop [] (recur))", Limits(steps=10))
    assert sys.getrecursionlimit() == before


def test_threads_that_come_and_go_leave_the_recursion_limit_alone():
    before = sys.getrecursionlimit()
    deep = "(defn f [n] (if (= n 0) 0 (+ 1 (f (dec n))))) (f %d)"
    problems: list[BaseException] = []

    def work(index: int) -> None:
        try:
            for round_ in range(6):
                assert value(deep % (5_000 + 100 * index + round_)) == 5_000 + 100 * index + round_
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sys.getrecursionlimit() == before
