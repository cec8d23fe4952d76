"""Runs of `arun` that define nothing share one environment, without a visible difference."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import rtfs
from rtfs.compiler import Environment


@pytest.fixture
def rt() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime() as runtime:
        yield runtime


def run(rt: rtfs.Runtime, *texts: str, **options: Any) -> list[Any]:
    async def main() -> list[Any]:
        return [await rt.arun(text, **options) for text in texts]

    return asyncio.run(main())


def snapshots(monkeypatch: pytest.MonkeyPatch) -> list[Environment]:
    """What is made from now on."""
    made: list[Environment] = []
    taken = Environment.snapshot

    def snapshot(self: Environment) -> Environment:
        made.append(taken(self))
        return made[-1]

    monkeypatch.setattr(Environment, "snapshot", snapshot)
    return made


def test_a_text_that_defines_nothing_is_run_again_without_an_environment_of_its_own(
    rt: rtfs.Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(rt, "(+ 1 2)", "[:a 1.5 {:b 2}]")
    made = snapshots(monkeypatch)
    assert run(rt, "(+ 1 2)", "[:a 1.5 {:b 2}]", "(+ 1 2)") == [3, rtfs.read_value("[:a 1.5 {:b 2}]"), 3]
    assert made == []
    assert run(rt, "(def x 1) x", "(def x 1) x") == [1, 1]
    assert len(made) == 2


def test_what_a_run_defines_others_do_not_see(rt: rtfs.Runtime) -> None:
    texts = ["(def x 1) x", "(defmacro twice [f] (list 'do f f))", "(deftype T :int)", "(ns other) (def y 2)"]
    for _ in range(3):
        run(rt, *texts)
    for name in ("x", "(twice 1)", "other/y", "(let [a T] a)"):
        with pytest.raises(rtfs.UserError, match="undefined"):
            run(rt, name)


def test_what_was_defined_before_a_run_it_sees_and_what_is_defined_meanwhile_it_does_not(rt: rtfs.Runtime) -> None:
    async def main() -> list[Any]:
        go = asyncio.Event()

        async def wait(x: Any) -> Any:
            await go.wait()
            return x

        rt.register("t.wait", wait)
        rt.run("(def x 1) (defn f [] x)")
        text = '(do (call "t.wait" 0) [x (f)])'
        before = [await started(text), await started(text)]
        rt.run("(def x 2)")
        after = await started(text)
        go.set()
        return [*[rtfs.to_text(await one) for one in (*before, after)], rtfs.to_text(await rt.arun("[x (f)]"))]

    async def started(text: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(rt.arun(text))
        await asyncio.sleep(0.02)
        return task

    # as in a module: a function sees what its name means now, wherever it is called from
    assert asyncio.run(main()) == ["[1 2]", "[1 2]", "[2 2]", "[2 2]"]


def test_a_definition_that_failed_is_not_left_to_others(rt: rtfs.Runtime) -> None:
    run(rt, "(+ 1 1)")
    with pytest.raises(rtfs.UserError):
        rt.run("(def x 1) (undefined-thing x)")
    with pytest.raises(rtfs.UserError, match="div-by-zero"):
        rt.run("(def y 1) (/ 1 0)")
    with pytest.raises(rtfs.UserError, match="undefined"):
        run(rt, "x")
    assert run(rt, "y", "y") == [1, 1]


def test_a_text_is_looked_at_again_when_the_declarations_that_it_needs_change(rt: rtfs.Runtime) -> None:
    text = '(+ 1 (call "t.f" 1))'
    rt.register("t.f", lambda x: x, input_schema=":int", output_schema=":int")
    assert run(rt, text, text) == [2, 2]
    rt.register("t.f", lambda x: str(x), input_schema=":int", output_schema=":string", replace=True)
    with pytest.raises(rtfs.UserError, match="type"):
        run(rt, text)


def test_places_of_errors_are_those_of_the_text(rt: rtfs.Runtime) -> None:
    rt.register("t.fails", lambda x: 1 // x)
    for text in ('(call "t.fails" 0)', '(let [a 1]\n  (call "t.fails" (- a 1)))') * 2:
        with pytest.raises(rtfs.UserError) as caught:
            run(rt, text, check=False)
        assert caught.value.span is not None
        assert caught.value.span.source.text == text
        assert caught.value.span.text.startswith("(call")


def test_more_texts_than_are_kept_run_all_the_same(rt: rtfs.Runtime) -> None:
    texts = [f"(str {number} [:k{number} {{:n {number}}}])" for number in range(600)]
    first = run(rt, *texts)
    assert run(rt, *reversed(texts)) == first[::-1]
    environment = rt.environment.shared_snapshot()
    assert len(environment.units) < 560
    assert len(environment.module("user").globals) < 3_000
