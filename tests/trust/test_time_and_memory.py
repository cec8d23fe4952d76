"""A run ends when its time or its memory is used up, whatever it does; the next one, and the others, go on."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

import rtfs
from benchmarks.bombs import BOMBS, explode

ROOT = Path(__file__).resolve().parent.parent.parent
ENDED = {
    "kv/put of a large text": "limit/time",
    "product of large integers": "limit/time",
    "remainder of large integers": "limit/time",
    "factorial": "limit/time",
    "text of a large integer": "limit/time",
    "sort of vectors with one prefix": "limit/time",
    "sort of shared data": "limit/time",
    "re-split of millions": "limit/time",
    "partition of millions": "limit/time",
    "map over millions": "limit/",
    "text of deep data": "limit/time",
    "equality of deep data": "limit/time",
    "parse-json of many keywords": "limit/time",
    "doubling macro": "limit/time",
    "branches in branches": "limit/time",
    "integers that collide": "limit/time",
    "a set of integers that collide": "limit/time",
    "keys that collide": "limit/time",
    "texts kept": "limit/",
}
FAR_TOO_LONG = 10.0
"""Seconds: what gave way went on for 20 and more, or for ever."""

LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (600_000 << 10, 600_000 << 10))
import rtfs
with rtfs.Runtime() as runtime:
    try:
        runtime.run(sys.argv[1])
    except rtfs.UserError as error:
        print(error.code)
    del error
    print(runtime.run("(count (vec (range 100000)))"))
""".replace("    del error\n", "")
KEPT = {
    "texts": '(loop [acc [] i 0] (recur (conj acc (str i (apply str (repeat 100 "x")))) (inc i)))',
    "nested vectors": "(loop [acc nil] (recur [acc acc]))",
    "integers": "(def x (pow 3 6000)) (loop [acc [] i 0] (recur (conj acc (+ x i)) (inc i)))",
    "maps": "(loop [acc [] i 0] (recur (conj acc {:a i :b [i i (range 50)]}) (inc i)))",
}


@pytest.mark.parametrize("name", ENDED)
def test_a_bomb_ends_with_its_limit(name: str) -> None:
    found = explode(BOMBS[name])
    assert found["end"].startswith(ENDED[name])
    assert found["seconds"] < FAR_TOO_LONG
    assert found["memory"] < 1_000


@pytest.mark.parametrize("name", KEPT)
def test_a_run_that_holds_too_much_ends_and_what_it_held_is_given_back(name: str) -> None:
    with rtfs.Runtime(limits={"memory": 100 << 20}) as rt:
        for _ in range(2):
            with pytest.raises(rtfs.UserError) as caught:
                rt.run(KEPT[name])
            assert caught.value.code == "limit/memory"
            assert rt.run("(count (vec (range 100000)))") == 100_000


@pytest.mark.parametrize("name", KEPT)
def test_a_process_without_memory_says_so_and_goes_on(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, KEPT[name]], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("limit/memory\n100000\n", "")


def test_one_run_ends_and_the_others_go_on() -> None:
    async def both() -> tuple[object, object]:
        rt = rtfs.Runtime()
        greedy = rt.arun(KEPT["integers"], limits={"memory": 60 << 20})
        modest = rt.arun("(do (thread/sleep 300) (reduce + (range 1000)))")
        found = await asyncio.gather(greedy, modest, return_exceptions=True)
        return found[0], found[1]

    greedy, modest = asyncio.run(both())
    assert isinstance(greedy, rtfs.UserError)
    assert greedy.code == "limit/memory"
    assert modest == 499_500


def test_a_limit_of_memory_cannot_be_caught() -> None:
    with rtfs.Runtime(limits={"memory": 60 << 20}) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(f"(try {KEPT['nested vectors']} (catch e :caught))")
    assert caught.value.code == "limit/memory"


def test_other_work_of_an_event_loop_has_its_turn_while_plans_call_functions_that_block() -> None:
    async def all_together() -> int:
        rt = rtfs.Runtime(limits={"seconds": 1})
        rt.register("t.ms", lambda *given: time.sleep(0.001))
        turns = 0

        async def watch() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        watching = asyncio.create_task(watch())
        plans = [rt.arun('(loop [] (call "t.ms") (recur))') for _ in range(20)]
        ends = await asyncio.gather(*plans, return_exceptions=True)
        watching.cancel()
        assert {getattr(end, "code", end) for end in ends} == {"limit/time"}
        return turns

    assert asyncio.run(all_together()) > 20


def test_a_long_text_is_compiled_within_the_time_of_its_run() -> None:
    text = "\n".join(f"(defn f{i} [x] (if (> x {i}) (+ x {i}) [x {i}]))" for i in range(20_000))
    with rtfs.Runtime(limits={"seconds": 0.3}) as rt, pytest.raises(rtfs.UserError) as caught:
        rt.run(text)
    assert caught.value.code == "limit/time"
