"""A runtime that is entered with `async with` has its sessions on the caller's event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import rtfs
from rtfs.capabilities.sessions.handler import Session, SessionCall
from rtfs.host.inspection import session_statistics
from rtfs.values.error import HostError
from tests.sessions.support import Zz

DECLARED = '(capability "zz.a" :metadata {:zz {:requires_session true}})'


class Watched(Zz):
    """Notes the thread and the loop of all that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[Any] = set()

    def look(self) -> None:
        self.seen.add((threading.get_ident(), asyncio.get_running_loop()))

    async def initialize_session(self, call: SessionCall) -> Session:
        self.look()
        return await super().initialize_session(call)

    async def execute_with_session(self, session: Session, call: SessionCall) -> Any:
        self.look()
        return await super().execute_with_session(session, call)

    async def terminate_session(self, session: Session) -> None:
        self.look()
        await super().terminate_session(session)


def with_handler(handler: Zz) -> rtfs.Runtime:
    rt = rtfs.Runtime(["zz.*"])
    rt.register_session_handler("zz", handler)
    rt.load(DECLARED)
    return rt


def test_sessions_are_opened_used_and_ended_on_the_callers_loop_without_a_thread() -> None:
    zz = Watched()

    async def main() -> Any:
        async with with_handler(zz) as rt:
            assert await rt.arun('(+ (call "zz.a") (call "zz.a"))') == 2
            assert not any(thread.name == "rtfs-engine" for thread in threading.enumerate())
            assert session_statistics(rt) is not None
        return threading.get_ident(), asyncio.get_running_loop()

    assert zz.seen == {asyncio.run(main())}
    assert (len(zz.opened), len(zz.terminated), zz.closed) == (1, 1, 1)


def test_other_tasks_of_the_callers_loop_outlive_the_runtime() -> None:
    async def main() -> str:
        async with with_handler(Zz()) as rt:
            other = asyncio.create_task(asyncio.sleep(0.2, "done"))
            await rt.arun('(call "zz.a")')
        return await other

    assert asyncio.run(main()) == "done"


def test_other_threads_and_loops_use_the_same_sessions() -> None:
    async def main() -> list[Any]:
        async with with_handler(Zz()) as rt:
            here = await rt.arun('(call "zz.a")')
            there = await asyncio.to_thread(rt.run, '(call "zz.a")')
            elsewhere = await asyncio.to_thread(lambda: asyncio.run(rt.arun('(call "zz.a")')))
            handle = rt.start_run('(call "zz.a")')
            return [here, there, elsewhere, await asyncio.to_thread(handle.result)]

    assert asyncio.run(main()) == [1, 1, 1, 1]


def test_run_on_the_loop_itself_is_an_error_that_says_what_to_write() -> None:
    async def main() -> None:
        async with with_handler(Zz()) as rt:
            assert rt.run("(+ 1 2)") == 3
            with pytest.raises(HostError) as caught:
                rt.run('(call "zz.a")')
            assert caught.value.code == "runtime/deadlock"
            assert "arun" in str(caught.value)
            assert await rt.arun('(call "zz.a")') == 1

    asyncio.run(main())


def test_close_on_the_loop_itself_is_an_error_and_closes_nothing() -> None:
    zz = Zz()

    async def main() -> None:
        async with with_handler(zz) as rt:
            await rt.arun('(call "zz.a")')
            with pytest.raises(HostError) as caught:
                rt.close()
            assert caught.value.code == "runtime/deadlock"
            assert await rt.arun('(call "zz.a")') == 1
            await rt.aclose()
            assert len(zz.terminated) == 1

    asyncio.run(main())


def test_a_runtime_whose_loop_is_gone_says_so_and_closes() -> None:
    zz = Zz()

    async def enter() -> rtfs.Runtime:
        rt = await with_handler(zz).__aenter__()
        await rt.arun('(call "zz.a")')
        return rt

    rt = asyncio.run(enter())
    with pytest.raises(HostError) as caught:
        rt.run('(call "zz.a")')
    assert caught.value.code == "capability/unreachable"
    rt.close()


def test_a_runtime_that_had_sessions_before_keeps_them_in_its_thread() -> None:
    async def main() -> list[Any]:
        rt = with_handler(Zz())
        first = rt.run('(call "zz.a")')
        async with rt:
            return [first, await rt.arun('(call "zz.a")'), rt.run('(call "zz.a")')]

    assert asyncio.run(main()) == [1, 1, 1]
