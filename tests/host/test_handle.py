"""`start_run`: a run with a handle, from synchronous and asynchronous code, and the output of a run."""

from __future__ import annotations

import asyncio
import gc
import io
import threading
import warnings
from pathlib import Path

import pytest

import rtfs
from rtfs.host.audit.events import CallEnded, RunEnded, RunStarted


def test_a_started_run_gives_its_value_and_its_events() -> None:
    with rtfs.Runtime() as rt:
        rt.register("double", lambda n: n * 2)
        handle = rt.start_run('(call "double" 21)', run_id="one")
        kinds = [type(event) for event in handle]
        assert handle.result(30) == 42
        assert (handle.id, handle.status) == ("one", "done")
        assert (kinds[0], kinds[-1]) == (RunStarted, RunEnded)
        assert [event.result for event in handle if isinstance(event, CallEnded)] == ["42"]  # also those who come late


def test_it_runs_on_the_loop_that_is_running() -> None:
    async def main() -> None:
        async with rtfs.Runtime() as rt:

            async def where() -> bool:
                return asyncio.get_running_loop() is loop

            loop = asyncio.get_running_loop()
            rt.register("where", where)
            handle = rt.start_run('(call "where")')
            with pytest.raises(rtfs.HostError) as caught:
                handle.result()
            assert caught.value.code == "runtime/deadlock"
            assert [event.detail async for event in handle][-1] == "ok"
            assert await handle is True
            assert handle.result() is True

    asyncio.run(main())


def test_a_failed_run_raises_its_error() -> None:
    with rtfs.Runtime() as rt:
        handle = rt.start_run('(throw "no")')
        with pytest.raises(rtfs.UserError):
            handle.result(30)
        assert handle.status == "failed"
        with pytest.raises(rtfs.UserError):
            rt.start_run("(").result(30)


PROGRAMS = {
    "sleeps": '(call "ccos.system.sleep-ms" 60000)',
    "computes": "(loop [i 0] (recur (+ i 1)))",
    "waits in branches": '(step-parallel (call "ccos.system.sleep-ms" 60000) (call "ccos.system.sleep-ms" 60000))',
    "catches all": '(try (call "ccos.system.sleep-ms" 60000) (catch e 1))',
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_cancel_ends_a_run_wherever_it_is(program: str, asynchronous: bool) -> None:
    text = '(call "begun") ' + PROGRAMS[program]
    begun = threading.Event()

    def check(handle: rtfs.RunHandle, rt: rtfs.Runtime) -> None:
        assert handle.status == "cancelled"
        assert handle.cancel() is False
        assert [record.detail for record in rt.ledger if record.kind == "end"] == ["stopped: cancelled"]

    async def main() -> None:
        async with rtfs.Runtime(limits={"steps": None}) as rt:
            rt.register("begun", begun.set)
            handle = rt.start_run(text)
            while not begun.is_set():
                await asyncio.sleep(0.001)
            assert handle.status == "running"
            assert handle.cancel() is True
            with pytest.raises(rtfs.Cancelled):
                await handle
            check(handle, rt)

    if asynchronous:
        asyncio.run(main())
        return
    with rtfs.Runtime(limits={"steps": None}) as rt:
        rt.register("begun", begun.set)
        handle = rt.start_run(text)
        assert begun.wait(30)
        assert handle.cancel() is True
        with pytest.raises(rtfs.Cancelled):
            handle.result(30)
        check(handle, rt)


def test_closing_the_runtime_cancels_what_was_started() -> None:
    with rtfs.Runtime() as rt:
        handle = rt.start_run('(call "ccos.system.sleep-ms" 60000)')
    assert handle.status == "cancelled"
    with pytest.raises(rtfs.Cancelled, match="closed"):
        handle.result(30)


def test_a_cancelled_durable_run_can_be_resumed(tmp_path: Path) -> None:
    made: list[int] = []
    with rtfs.Runtime(state=tmp_path) as rt:
        rt.register("count", made.append)
        handle = rt.start_run('(call "count" 1) (call "ccos.system.sleep-ms" 60000) :done', durable=True, run_id="r")
        for event in handle:
            if event.kind == "decision" and event.subject == "ccos.system.sleep-ms":
                handle.cancel()
        assert handle.status == "cancelled"
    with rtfs.Runtime(state=tmp_path, stub=lambda id, arguments: NotImplemented) as rt:
        rt.register("count", made.append)
        with pytest.raises(rtfs.LimitError):  # the pause is made again
            rt.resume("r", timeout=0.2)
    assert made == [1]


def test_a_run_that_asks_a_person_is_waiting() -> None:
    asked, answer = threading.Event(), threading.Event()

    def approve(request: rtfs.ApprovalRequest) -> bool:
        asked.set()
        return answer.wait(30)

    with rtfs.Runtime(rules=[{"match": "a", "decide": "approve"}], approve=approve) as rt:
        rt.register("a", lambda: 1)
        handle = rt.start_run('(call "a")')
        assert asked.wait(30)
        assert handle.status == "waiting"
        answer.set()
        assert handle.result(30) == 1


def test_an_abandoned_wait_leaves_the_run_alone() -> None:
    go = threading.Event()
    with rtfs.Runtime() as rt:
        rt.register("wait", lambda: go.wait(30), blocking=True)
        handle = rt.start_run('(call "wait")')
        with pytest.raises(TimeoutError):
            handle.result(0.01)

        async def give_up() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(_awaited(handle), 0.01)

        asyncio.run(give_up())
        go.set()
        assert handle.result(30) is True


async def _awaited(handle: rtfs.RunHandle) -> object:
    return await handle


def test_many_runs_do_not_share_their_output(capsys: pytest.CaptureFixture[str]) -> None:
    sinks = [io.StringIO() for _ in range(20)]
    with rtfs.Runtime() as rt:
        text = '(println "run" @n) (print "a" "b") (log "logged")'
        handles = [rt.start_run(text, {"n": n}, output=sink) for n, sink in enumerate(sinks)]
        for handle in handles:
            handle.result(30)
    assert [sink.getvalue() for sink in sinks] == [f"run {n}\na blogged\n" for n in range(20)]
    assert capsys.readouterr() == ("", "")


def test_output_may_be_a_function_or_that_of_the_runtime(tmp_path: Path) -> None:
    heard: list[str] = []
    other: list[str] = []
    with rtfs.Runtime(output=heard.append) as rt:
        rt.run('(println "one")')
        rt.run('(println "two")', output=other.append)
        rt.run('(println "three")', record=tmp_path / "r")
        rt.run('(println "three")', replay=tmp_path / "r", output=other.append)
    assert heard == ["one\n", "three\n"]
    assert other == ["two\n", "three\n"]
    with pytest.raises(rtfs.HostError) as caught:
        rtfs.RunOptions(output="file")  # type: ignore[arg-type]
    assert caught.value.code == "argument/invalid"


def test_a_sink_that_fails_is_a_failed_call() -> None:
    def full(text: str) -> None:
        raise OSError("no space left")

    with rtfs.Runtime(output=full) as rt, pytest.raises(rtfs.UserError, match="no space left"):
        rt.run('(println "x")')


@pytest.mark.parametrize("limits", [{}, {"seconds": 5}])
def test_a_run_that_is_cancelled_before_it_begins_leaves_no_coroutine(limits: dict[str, float]) -> None:
    """What is left would be finalized whenever Python's collector comes to it, with a warning."""

    async def cancelled_at_once() -> None:
        runtime = rtfs.Runtime(limits=limits)
        for turns in range(4):
            task = asyncio.ensure_future(runtime.arun("(loop [] (recur))"))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises((asyncio.CancelledError, rtfs.Cancelled)):
                await task

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        asyncio.run(cancelled_at_once())
        gc.collect()
    assert [str(one.message) for one in seen] == []
