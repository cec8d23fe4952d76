"""Waits of a scheduler for a worker: for its end of the pipe and for work that other threads finish, on an event loop
or not.

Must not know messages. Invariants: what has come is kept until it is taken in; a scheduler that waits is woken by a
message, a ring, or room in the pipe for what is to be sent.
"""

from __future__ import annotations

import os
from select import POLLIN, POLLOUT, poll

from rtfs.host.isolation.wire import Channel, Gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.scheduler.scheduler import Scheduler


class Link:
    """receive: takes in what has come, without waiting. quiet: whether the worker waits too, or has computed for a
    while. `gone`: that the pipe is closed, and why."""

    __slots__ = ("_bell", "_channel", "_loop", "_poller", "_quiet", "_ring", "_writing", "gone", "receive", "scheduler")

    def __init__(self, channel: Channel, receive: Callable[[], None], quiet: Callable[[], bool]) -> None:
        self._channel = channel
        self.receive = receive
        self._quiet = quiet
        self.scheduler: Scheduler | None = None
        self.gone: Gone | None = None
        self._bell: tuple[int, int] | None = None
        self._ring: Callable[[], None] | None = None
        self._poller: Any = None
        self._loop: Any = None
        self._writing = False

    @property
    def pending(self) -> bool:
        """Whether messages that have come are still to be taken in."""
        return self._channel.pending

    @property
    def quiet(self) -> bool:
        """Whether the worker waits too, or has computed for a while."""
        return self._quiet()

    def attach(self, scheduler: Scheduler) -> None:
        """Be the link of a scheduler from now on."""
        self.scheduler = scheduler
        if scheduler.home is not None:
            self._ring = scheduler.attach(self)
            self._loop = scheduler.home
            self._loop.add_reader(self._channel.socket, self._come)
            return
        self._bell = os.pipe()
        os.set_blocking(self._bell[0], False)
        os.set_blocking(self._bell[1], False)
        self._poller = poll()
        self._poller.register(self._channel.socket, POLLIN)
        self._poller.register(self._bell[0], POLLIN)
        scheduler.attach(self)

    def detach(self) -> None:
        """Be no link any more. Harmless when repeated."""
        scheduler, self.scheduler = self.scheduler, None
        if scheduler is not None:
            scheduler.attach(None)
        loop, self._loop = self._loop, None
        if loop is not None and self._channel.socket.fileno() >= 0:
            loop.remove_reader(self._channel.socket)
            loop.remove_writer(self._channel.socket)
        bell, self._bell = self._bell, None
        if bell is not None:
            os.close(bell[0])
            os.close(bell[1])

    def flush(self) -> None:
        """Send what was put into the channel, as far as there is room; the rest when there is more."""
        try:
            sent = self._channel.flush(False)
        except Gone:
            return  # reading finds that too, and what the worker said before
        if self._loop is not None and sent == self._writing:
            self._writing = not sent
            if self._writing:
                self._loop.add_writer(self._channel.socket, self.flush)
            else:
                self._loop.remove_writer(self._channel.socket)

    def _come(self) -> None:
        """The event loop says that something has come."""
        self._fill()
        if self._ring is not None:
            self._ring()

    def _fill(self) -> None:
        try:
            self._channel.fill(False)
        except Gone as gone:
            self.gone = gone

    def ring(self) -> None:
        """End a `wait`. From any thread."""
        bell = self._bell
        if bell is not None:
            try:
                os.write(bell[1], b"!")
            except OSError:  # full: it rings; closed: nothing waits
                pass

    def wait(self, seconds: float | None) -> None:
        """Wait until a message comes, or something rings."""
        assert self._bell is not None
        channel, poller, bell = self._channel, self._poller, self._bell[0]
        unsent = channel.unsent
        if unsent:
            poller.modify(channel.socket, POLLIN | POLLOUT)
        for descriptor, happened in poller.poll(None if seconds is None else seconds * 1000 + 1):
            if descriptor == bell:
                try:
                    os.read(descriptor, 4096)
                except BlockingIOError:
                    pass
            elif happened & ~POLLOUT:
                self._fill()
        if unsent:
            poller.modify(channel.socket, POLLIN)
            self.flush()
