"""Programs that are run once leave nothing behind: what their code refers to is freed with them."""

from __future__ import annotations

import asyncio
import gc

import pytest

import rtfs
from rtfs.compiler.environment import Environment

PROGRAMS = {
    "a call": "(reduce + (map inc (range %d)))",
    "a function": "(defn f [n] (if (= n 0) %d (f (dec n)))) (f 3)",
    "a function that gets hot": "(defn f [n] (if (= n 0) %d (f (dec n)))) (f 60)",
    "a loop that gets hot": "(loop [i 0 sum %d] (if (= i 300) sum (recur (inc i) (+ sum i))))",
    "a function of several arities": "(let [f (fn ([] %d) ([x & more] [x more]))] [(f) (f 1 2)])",
    "a closure within a closure": "((fn [a] ((fn [b] (+ a b)) 1)) %d)",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
@pytest.mark.parametrize("flow", [(), [{"call": "ccos.io.println", "from": ["plan"]}]], ids=["plain", "flow"])
def test_the_environments_of_runs_are_freed(program: str, flow: list[dict[str, object]]) -> None:
    async def runs() -> None:
        for number in range(30):
            await rt.arun(program % number)

    with rtfs.Runtime(flow=flow) as rt:
        before = environments()
        asyncio.run(runs())
        assert environments() - before < 5


def environments() -> int:
    """How many there are."""
    gc.collect()
    return sum(type(one) is Environment for one in gc.get_objects())
