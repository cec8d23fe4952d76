"""Others have their turn while the host goes through large arguments and answers of a call."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rtfs
from rtfs.host.run.large_values import LARGE, is_large
from rtfs.values import List, Map, Set, Vector

MANY = 6 * LARGE


@pytest.mark.parametrize(
    "value",
    [
        Vector(range(MANY)),
        List(range(MANY)),
        Set(range(MANY)),
        Map((n, n) for n in range(MANY)),
        list(range(MANY)),
        {"rows": [{"n": n} for n in range(LARGE)]},
        (Vector([Vector([Vector(range(LARGE // 2))] * 3)]),),
        Map([(Vector(range(MANY)), 1)]),
        "x" * (LARGE * 101),
        Vector(["x" * 1000] * 2001),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_of_many_parts_is_large(value: Any) -> None:
    assert is_large(value)


@pytest.mark.parametrize("value", [None, 1, "x" * LARGE, Vector(range(100)), {"a": [1, {"b": "x"}]}, (Map(), Set())])
def test_a_value_of_few_parts_is_not(value: Any) -> None:
    assert not is_large(value)


def test_a_value_that_shares_its_parts_counts_them_as_often_as_they_show() -> None:
    value: Any = Vector([1, 2])
    for _ in range(60):
        value = Vector([value, value])
    assert is_large(value)


PLANS = {
    "a vector": f'(count (call "echo" (vec (range {MANY}))))',
    "a map": f'(count (call "echo" (zipmap (range {MANY}) (range {MANY}))))',
    "maps in a map": f'(count (:rows (call "echo" {{:rows (mapv (fn [n] {{:n n}}) (range {MANY}))}})))',
    "rows of Python": '(count (call "rows"))',
    "rows of a coroutine": '(count (call "later"))',
    "rows of a thread": '(count (call "aside"))',
}


def registered(**options: Any) -> rtfs.Runtime:
    runtime = rtfs.Runtime(**options)
    runtime.register("echo", lambda value: value)
    runtime.register("rows", rows)
    runtime.register("aside", rows, blocking=True)

    @runtime.register("later")
    async def later() -> list[dict[str, int]]:
        return rows()

    return runtime


def rows() -> list[dict[str, int]]:
    return [{"n": n} for n in range(MANY)]


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_the_loop_has_its_turn_while_arguments_and_answers_are_written_and_converted(plan: str) -> None:
    async def turns(runtime: rtfs.Runtime, text: str) -> int:
        count = 0
        running = asyncio.ensure_future(runtime.arun(text))
        while not running.done():
            await asyncio.sleep(0)
            count += 1
        assert await running == MANY
        return count

    async def main() -> tuple[int, int]:
        with registered() as runtime:
            await runtime.arun("1")
            return await turns(runtime, plan), await turns(runtime, f"{plan} {MANY}")

    assert min(asyncio.run(main())) > 5


def test_the_ledger_holds_the_same_of_a_large_value_whichever_way_it_runs() -> None:
    plan = PLANS["maps in a map"]

    def ended(runtime: rtfs.Runtime) -> list[str]:
        found: list[str] = []
        runtime.events.subscribe(lambda event: found.append(str(getattr(event, "result_text", None))))
        return found

    with registered() as one, registered() as other:
        sync, later = ended(one), ended(other)
        one.run(plan)
        asyncio.run(other.arun(plan))
    assert [text for text in sync if text != "None"] == [text for text in later if text != "None"] != []


def test_a_run_that_has_had_its_time_ends_while_its_arguments_are_written() -> None:
    async def main(runtime: rtfs.Runtime) -> None:
        await runtime.arun(f'(do (call "echo" (mapv (fn [n] {{:n n}}) (range {20 * MANY}))) nil)', timeout=0.5)

    with registered() as runtime, pytest.raises(rtfs.UserError) as caught:
        asyncio.run(main(runtime))
    assert caught.value.code == "limit/time"


def test_an_answer_that_has_no_value_is_the_same_error_however_large_it_is() -> None:
    with registered() as runtime:
        runtime.register("odd", lambda: [*range(MANY), object()])
        with pytest.raises(rtfs.UserError) as sync:
            runtime.run('(call "odd")')
        with pytest.raises(rtfs.UserError) as later:
            asyncio.run(runtime.arun('(call "odd")'))
    assert (sync.value.code, str(sync.value)) == (later.value.code, str(later.value))
