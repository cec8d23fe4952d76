"""`Runtime`: two faces of one driver, definitions that stay, misuse that is an error and never a deadlock."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import rtfs


@pytest.fixture
def rt() -> Iterator[rtfs.Runtime]:
    with rtfs.Runtime() as runtime:
        yield runtime


def code_of(rt: rtfs.Runtime, text: str, **options: Any) -> str:
    try:
        rt.run(text, **options)
    except rtfs.UserError as error:
        return error.code
    return "ok"


def test_the_value_of_the_last_form(rt: rtfs.Runtime) -> None:
    assert rt.run("1 2 (+ 1 2)") == 3
    assert rt.run("") is None


def test_definitions_stay_for_the_next_run(rt: rtfs.Runtime) -> None:
    rt.run("(def x 1) (defn f [y] (+ x y)) (defmacro m [z] `(f ~z))")
    assert rt.run("(m 2)") == 3


def test_after_an_error_the_forms_before_it_stay(rt: rtfs.Runtime) -> None:
    assert code_of(rt, "(def a 1) (/ 1 0) (def b 2)") == "arithmetic/div-by-zero"
    assert rt.run("a") == 1
    assert code_of(rt, "b") == "undefined"


def test_declarations_stay_too(rt: rtfs.Runtime) -> None:
    rt.run('(capability "a" :implementation (fn [x] (+ x 1)))')
    assert rt.run('(call "a" 1)') == 2
    assert rt.capabilities["a"].origin == "plan"


def test_context_values_of_runtime_and_run() -> None:
    with rtfs.Runtime(context={"a": 1, "b": 1}) as rt:
        assert rtfs.to_text(rt.run('[@a @b @c (get :a) (resource:ref "b")]', context={"b": {"k": [2]}})) == (
            "[1 {:k [2]} nil 1 {:k [2]}]"
        )
        assert rt.run("@b") == 1


def test_load_is_trusted_more_than_a_plan(rt: rtfs.Runtime) -> None:
    rt.load('(capability "a" :version "1.0" :implementation (fn [x] 1))', name="caps.rtfs")
    assert rt.capabilities["a"].origin == "file"
    assert code_of(rt, '(capability "a" :version "2.0" :implementation (fn [x] 2))') == "capability/conflict"
    rt.load('(capability "a" :version "2.0" :implementation (fn [x] 2))')
    assert rt.run('(call "a")') == 2


def test_register_as_a_decorator_and_twice(rt: rtfs.Runtime) -> None:
    @rt.register("a")
    def a(x: Any) -> Any:
        return x

    rt.register("a", a)
    assert rt.run('(call "a" 1)') == 1
    with pytest.raises(rtfs.HostError) as caught:
        rt.register("a", lambda x: 2)
    assert caught.value.code == "capability/conflict"
    rt.register("a", lambda x: 2, replace=True)
    assert rt.run('(call "a" 1)') == 2


@pytest.mark.parametrize(("id", "function"), [("", print), (5, print), ("a", 5)])
def test_register_refuses_what_cannot_be(rt: rtfs.Runtime, id: Any, function: Any) -> None:
    with pytest.raises(rtfs.HostError) as caught:
        rt.register(id, function)
    assert caught.value.code == "capability/invalid"


def test_async_capabilities_run_on_the_engine(rt: rtfs.Runtime) -> None:
    async def name(*_: Any) -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    rt.register("a", name)
    assert rt.run('[(call "a") (call "a")]') == rtfs.Vector(["rtfs-engine", "rtfs-engine"])


def test_a_capability_cannot_run_its_own_runtime(rt: rtfs.Runtime) -> None:
    async def later() -> Any:
        return rt.run("1")

    rt.register("inline", lambda: rt.run("1"))
    rt.register("thread", lambda: rt.run("1"), blocking=True)
    rt.register("async", later)
    for id in ("inline", "thread", "async"):
        assert code_of(rt, f'(call "{id}")') == "runtime/reentrant", id


def test_another_runtime_may_run_inside(rt: rtfs.Runtime) -> None:
    with rtfs.Runtime() as other:
        rt.register("a", lambda: other.run("(+ 1 2)"))
        assert rt.run('(call "a")') == 3


def test_run_where_it_would_wait_for_its_own_loop_is_an_error() -> None:
    async def main() -> str:
        with rtfs.Runtime() as rt:

            async def mine() -> int:
                return 1

            rt.register("mine", mine)
            assert rt.run("(+ 1 2)") == 3
            return code_of(rt, '(call "mine")')

    assert asyncio.run(main()) == "runtime/deadlock"


def test_arun_within_a_loop_uses_that_loop_for_its_capabilities() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:

            async def mine() -> bool:
                await asyncio.sleep(0)
                return asyncio.get_running_loop() is loop

            loop = asyncio.get_running_loop()
            rt.register("mine", mine)
            assert await rt.arun('(call "mine")') is True
            assert not rt._engine.started

    asyncio.run(main())


def test_an_async_function_of_no_loop_runs_on_that_of_arun_and_under_run_on_the_engine() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def note(x: int) -> int:
        await asyncio.sleep(0)
        loops.append(asyncio.get_running_loop())
        return x + 1

    with rtfs.Runtime() as rt:
        rt.register("note", note)

        async def main() -> None:
            assert await rt.arun('(call "note" (call "note" 1))') == 3
            assert await rt.arun('(step-parallel (call "note" 1) (call "note" 2))') == rtfs.Vector([2, 3])
            assert loops == [asyncio.get_running_loop()] * 4
            assert not rt._engine.started

        for _ in range(2):
            asyncio.run(main())
            loops.clear()
        assert rt.run('(call "note" 1)') == 2
        assert loops == [rt._engine.loop()]


def test_arun_leaves_the_loop_running_while_a_plan_computes() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)

            task = asyncio.create_task(tick())
            await rt.arun("(loop [i 0] (when (< i 20000000) (recur (inc i))))")
            task.cancel()
            assert ticks > 5

    asyncio.run(main())


def test_arun_keeps_its_definitions_to_itself_unless_told() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:
            rt.run("(def x 1) (defn f [] x) (defmacro m [] `(f))")
            declared = '(capability "c" :implementation (fn [i] x))'
            assert await rt.arun(f'{declared} (def x 2) (def y 3) [x y (m) (call "c")]') is not None
            assert rt.run("x") == 1
            assert code_of(rt, "y") == "undefined"
            assert "c" not in rt.capabilities
            await rt.arun("(def y 4)", keep=True)
            assert rt.run("y") == 4

    asyncio.run(main())


def test_many_arun_at_once() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:

            async def echo(x: Any) -> Any:
                await asyncio.sleep(0.01)
                return x

            rt.register("echo", echo)
            found = await asyncio.gather(*(rt.arun(f'(+ 1 (call "echo" {n}))') for n in range(50)))
            assert found == list(range(1, 51))

    asyncio.run(main())


def test_runs_on_one_loop_have_their_turns_in_order_and_leave_room_for_others() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:
            ended: list[int] = []
            rt.register("end", ended.append)

            async def tick() -> None:
                while True:
                    seen.append(len(ended))
                    await asyncio.sleep(0)

            seen: list[int] = []
            text = '(loop [i 0] (when (< i 100000) (recur (inc i)))) (call "end" {})'
            await rt.arun(text.format(-1))  # the core macros are there
            task = asyncio.create_task(tick())
            await asyncio.gather(*(rt.arun(text.format(n)) for n in range(20)))
            task.cancel()
            assert sorted(ended) == list(range(-1, 20))
            assert len(set(seen)) > 5  # others ran between them

    asyncio.run(main())


def test_a_plan_on_a_loop_waits_for_timers_threads_and_other_loops() -> None:
    async def main() -> list[Any]:
        async with rtfs.Runtime() as rt:
            rt.register("thread", lambda x: x, blocking=True)

            async def here(x: int) -> int:
                await asyncio.sleep(0.001)
                return x

            async def late(_: Any) -> None:
                await asyncio.sleep(60)

            rt.register("here", here)
            rt.register("late", late)
            both = '[(call "thread" 1) (call "here" 2) (step-parallel (call "thread" 3) (call "here" 4))]'
            late_one = '(try ^{:runtime.timeout 0.02} (call "late" 1) (catch e (:code e)))'
            return [rtfs.to_text(await rt.arun(both)), rtfs.to_text(await rt.arun(late_one))]

    found = asyncio.run(main())
    assert found[0] == "[1 2 [3 4]]"
    assert "timeout" in found[1]


def test_cancelling_an_arun_cancels_its_calls() -> None:
    async def main() -> None:
        cancelled: list[int] = []

        async def slow() -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled.append(1)
                raise

        async with rtfs.Runtime() as rt:
            rt.register("slow", slow)
            task = asyncio.create_task(rt.arun('(try (call "slow") (catch e 1))'))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(0.01)
            assert cancelled == [1]
            assert [record.detail for record in rt.ledger if record.kind in ("outcome", "end")] == ["cancelled"] * 2

    asyncio.run(main())


@pytest.mark.parametrize("text", ["(thread/sleep 60000)", "(loop [] (recur))", '(call "slow")'])
def test_a_time_limit_holds_and_cannot_be_caught(rt: rtfs.Runtime, text: str) -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    rt.register("slow", slow)
    started = time.monotonic()
    assert code_of(rt, f"(try {text} (catch e 1))", timeout=0.1) == "limit/time"
    assert time.monotonic() - started < 10


def test_limits_of_a_run_and_of_the_runtime() -> None:
    with rtfs.Runtime(limits={"steps": 100_000}) as rt:
        assert code_of(rt, "(loop [] (recur))") == "limit/steps"
        assert code_of(rt, "(loop [] (recur))", limits=rtfs.Limits(steps=500)) == "limit/steps"
    for limits, message, hint in (
        ({"stepz": 1}, "there is no limit 'stepz'", "did you mean steps?"),
        ({"steps": 0}, "", None),
    ):
        with pytest.raises(rtfs.HostError) as caught:
            rtfs.Runtime(limits=limits)
        assert caught.value.code == "config/limits"
        assert message in caught.value.message
        assert caught.value.hint == hint


def test_python_data_that_is_no_value_is_named(rt: rtfs.Runtime) -> None:
    for context in ({"a": object()}, {"a": {"b": [b"bytes"]}}):
        assert code_of(rt, "1", context=context) == "argument/invalid"


def test_a_closed_runtime_says_so() -> None:
    rt = rtfs.Runtime()
    rt.close()
    rt.close()
    assert code_of(rt, "1") == "runtime/closed"


def test_close_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with rtfs.Runtime(policy=lambda request: True) as rt:

        async def a() -> int:
            return 1

        rt.register("a", a)
        rt.run('(call "a")')
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("rtfs-") for thread in set(threading.enumerate()) - before):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interrupt_ends_the_run_and_the_runtime_goes_on(rt: rtfs.Runtime) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    rt.register("interrupt", interrupt)
    with pytest.raises(KeyboardInterrupt):
        rt.run('(try (step "s" (call "interrupt")) (catch e 1))')
    assert rt.run("(+ 1 2)") == 3


def test_runs_in_several_threads(rt: rtfs.Runtime) -> None:
    rt.register("echo", lambda x: x)
    found: dict[int, Any] = {}

    def work(n: int) -> None:
        found[n] = rt.run(f'(reduce + (map (fn [i] (call "echo" (+ i {n}))) (range 200)))', name=f"<{n}>")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {n: 19900 + 200 * n for n in range(4)}


def test_errors_in_the_prelude_point_at_the_program(rt: rtfs.Runtime) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        rt.run('(defn f [] (read-file "/etc/hostname"))\n(f)', name="plan.rtfs")
    assert str(caught.value.span) == "plan.rtfs:1:12"


def test_a_module_on_the_module_path(tmp_path: Any) -> None:
    (tmp_path / "my").mkdir()
    (tmp_path / "my" / "maths.rtfs").write_text("(module my.maths (:exports [twice]) (defn twice [x] (* 2 x)))")
    with rtfs.Runtime(module_path=[tmp_path]) as rt:
        assert rt.run("(import my.maths :as m) (m/twice 4)") == 8


def test_the_kernel_alone() -> None:
    outcome = rtfs.start(rtfs.compile('(+ 1 (call "a" 2))'))
    assert isinstance(outcome, rtfs.RequiresHost)
    assert (outcome.call.kind, outcome.call.id, outcome.call.args) == ("call", "a", (2,))
    done = outcome.resume(5)
    assert isinstance(done, rtfs.Complete)
    assert done.value == 6


def test_reading_values() -> None:
    assert rtfs.read_value("{:a [1 2]}") == rtfs.Map([(rtfs.Keyword("a"), rtfs.Vector([1, 2]))])
    assert len(rtfs.read("1 2 3")) == 3
    for text, code in (("", "reader/no-form"), ("1 2", "reader/extra-form")):
        with pytest.raises(rtfs.ReaderError) as caught:
            rtfs.read_value(text)
        assert caught.value.code == code


def test_the_public_names() -> None:
    assert sorted(rtfs.__all__) == sorted(
        "ApprovalRequest Cancelled CapabilityManifest CedarPolicy CompileError Complete Decision Environment EvalError "
        "HostCall HostError InternalError Keyword LimitError Limits List Map PolicyRequest ReaderError Record "
        "Regex RequiresHost ResumeOptions RtfsError RunHandle RunOptions Runtime RuntimeOptions Set Source "
        "Span Symbol TypeMismatch UserError Vector analyse card certify check compile describe equal error_data fix "
        "format_error from_python idempotency_key read read_value start to_python to_text verify_certificate".split()
    )
    for name in rtfs.__all__:
        assert getattr(rtfs, name) is not None
    with pytest.raises(AttributeError):
        rtfs.nothing_of_that_name  # type: ignore[attr-defined]


def test_what_plans_define_is_not_there_for_runs_that_start_from_what_was_loaded(tmp_path: Any) -> None:
    with rtfs.Runtime(state=tmp_path) as rt:
        rt.load("(defmacro twice [x] `(+ ~x ~x)) (def one 1)")
        rt.run("(def mine 5) (def one 7)")
        assert rt.run("[one mine]") == rtfs.Vector([7, 5])
        assert rt.run("(twice one)", durable=True) == 2
        rt.load("(def two (twice one))")  # sees what plans have defined, like every plain run
        assert rt.run("two", durable=True) == 2
        assert rt.run("two") == 14
        with pytest.raises(rtfs.UserError) as caught:
            rt.run("mine", durable=True)
        assert caught.value.code == "undefined"


def test_snapshots_share_the_standard_macros() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:
            await asyncio.gather(*(rt.arun("(when true (cond false 1 :else 2))") for _ in range(3)))
            macros = rt.environment.core_macros()
            assert rt.environment.snapshot().core_macros()["when"] is macros["when"]

    asyncio.run(main())


def test_a_plain_function_that_raises_what_asyncio_cancels_with_has_failed():
    def broken(*_: object) -> None:
        raise asyncio.CancelledError

    with rtfs.Runtime() as rt:
        rt.register("test.broken", broken)
        assert rtfs.to_text(rt.run('(try (call "test.broken") (catch e (:code e)))')) == ":capability/failed"


def test_a_later_run_may_define_what_an_incremental_one_uses():
    with rtfs.Runtime() as rt:
        with pytest.raises(rtfs.UserError, match="second"):
            rt.run("(defn first-one [] (second-one))")
        rt.run("(defn first-one [] (second-one))", incremental=True)
        assert rt.run("(defn second-one [] 2) (first-one)") == 2


def test_a_program_asks_the_person():
    asked = []

    def elicit(question):
        asked.append(question.message)
        return {"answer": "Ann"}

    with rtfs.Runtime(elicit=elicit) as rt:
        assert rt.run('(call "ccos.user.ask" "Your name?")') == "Ann"
    assert asked == ["Your name?"]
    with rtfs.Runtime(elicit=lambda question: False) as rt:
        assert rt.run('(call "ccos.user.ask" "Your name?" "nobody")') == "nobody"
        with pytest.raises(rtfs.HostError, match="there was no answer"):
            rt.run('(call "ccos.user.ask" "Your name?")')
