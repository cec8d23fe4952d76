"""The engine: the asyncio loop on which whatever awaits lives (sessions, HTTP, async capabilities), in a thread of its
own or, for a runtime that is entered with `async with`, the caller's.

Must not know what runs on it. Invariants: its thread starts with the first use, and after `close` no task, no thread
and no asynchronous generator of it is left; of a caller's loop it ends only what it began there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any


class Engine:
    """Starts at the first `loop()`. Closing runs the registered closers on the loop, then ends the loop, unless it is
    the caller's."""

    __slots__ = ("_adopted", "_closed", "_closers", "_lock", "_loop", "_pid", "_thread")

    def __init__(self) -> None:
        from _thread import allocate_lock

        self._loop: Any = None
        self._thread: Any = None
        self._closers: list[Callable[[], Coroutine[Any, Any, Any]]] = []
        self._closed = False
        self._adopted = False
        self._lock = allocate_lock()
        self._pid = 0

    @property
    def started(self) -> bool:
        """Whether the thread runs."""
        return self._loop is not None and not self._adopted

    @property
    def in_use(self) -> bool:
        """Whether there is a loop, in a thread or adopted."""
        return self._loop is not None

    def adopt(self, loop: Any) -> None:
        """Use the caller's loop, which is running in this thread, instead of a thread; harmless once the engine has
        started."""
        import os

        with self._lock:
            if self._loop is None and not self._closed:
                self._loop, self._adopted, self._pid = loop, True, os.getpid()

    def loop(self) -> Any:
        """The event loop, running in its thread or adopted. Raises HostError `runtime/closed` after `close`."""
        import os

        from rtfs.values import HostError

        with self._lock:
            if self._closed:
                raise HostError("the runtime is closed", code="runtime/closed")
            if self._loop is not None and self._pid != os.getpid():  # forked: threads do not come along
                self._loop = self._thread = None
                self._closers, self._adopted = [], False
            if self._loop is None:
                import asyncio
                import atexit
                import threading

                atexit.register(self.close)  # an embedder that forgets to close leaves no session open

                started = threading.Event()
                loop = asyncio.new_event_loop()

                def serve() -> None:
                    asyncio.set_event_loop(loop)
                    loop.call_soon(started.set)
                    while True:
                        try:
                            loop.run_forever()
                            return
                        except (SystemExit, KeyboardInterrupt):  # out of a task, which has failed; the others go on
                            continue

                self._thread = threading.Thread(target=serve, name="rtfs-engine", daemon=True)
                self._thread.start()
                started.wait()
                self._loop = loop
                self._pid = os.getpid()
            return self._loop

    def here(self) -> bool:
        """Whether this thread is the engine's."""
        if self._thread is None:
            return False
        from _thread import get_ident

        return bool(self._thread.ident == get_ident())

    def is_running_here(self) -> bool:
        """Whether the engine's loop is the one that is running in this thread."""
        from asyncio import _get_running_loop

        return self._loop is not None and _get_running_loop() is self._loop

    def on_close(self, closer: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Have `closer()` awaited on the loop when the engine closes; last registered, first run."""
        self._closers.append(closer)

    def check_closable(self) -> None:
        """Raise HostError `runtime/deadlock` where `close` would wait for the loop that is running in this thread."""
        if self._adopted and self.is_running_here():
            from rtfs.values import HostError

            raise HostError(
                "this would wait for the event loop that is running here",
                code="runtime/deadlock",
                hint="leave the block of `async with`, or `await rt.aclose()`",
            )

    def close(self, timeout: float = 10.0) -> None:
        """Run the closers, cancel what is left, end the thread. At most `timeout` seconds; harmless when repeated."""
        with self._lock:
            self._closed = True
            loop, thread, self._loop = self._loop, self._thread, None
        if loop is None:
            return
        import asyncio
        import atexit
        import os

        atexit.unregister(self.close)
        if self._pid != os.getpid():
            return
        if thread is not None and self.here():
            from rtfs.values import HostError

            raise HostError("a runtime cannot be closed from its own capability", code="runtime/reentrant")
        if self._adopted and not loop.is_running():  # what was open there went with it
            return
        future = asyncio.run_coroutine_threadsafe(self._shut(timeout), loop)
        try:
            future.result(timeout + 2)
        except Exception:  # closing continues whatever a closer did
            pass
        finally:
            if not self._adopted:
                loop.call_soon_threadsafe(loop.stop)
                thread.join(timeout)
                if not thread.is_alive():
                    loop.close()

    async def _shut(self, timeout: float) -> None:
        import asyncio

        me = asyncio.current_task()
        for closer in reversed(self._closers):
            try:
                await asyncio.wait_for(closer(), timeout)
            except Exception:
                pass
        if self._adopted:
            return
        rest = [task for task in asyncio.all_tasks() if task is not me]
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=2)
        await asyncio.get_running_loop().shutdown_asyncgens()
