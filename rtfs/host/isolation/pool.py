"""The host's side of worker processes: the template, warm workers, and killing one.

Must not know runs. Invariants: a worker is given out once and never comes back; a template belongs to the process that
started it (a forked host starts its own), and ends with it.
"""

from __future__ import annotations

import atexit
import os
import sys
from _thread import allocate_lock

from rtfs.host.isolation.template import FORK, KILL
from rtfs.host.isolation.wire import READY, Channel, Gone, Nonsense
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WARM = 2
"""Workers that wait for a run."""
WALLS = ("limits", "no_new_privs", "landlock", "seccomp")
"""The parts of a worker's sandbox; a kernel may lack some."""
_START = (
    "import sys; sys.path[:] = {path!r}; from rtfs.host.isolation.template import main; main({descriptor}, {cache!r})"
)


class WorkerProcess:
    """A worker. `pid` and `held`, what of the sandbox holds, once it has said that it is ready. `channel`: the pipe.
    `alive`: whether it has not been killed."""

    __slots__ = ("_template", "alive", "channel", "held", "pid")

    def __init__(self, template: Template, channel: Channel) -> None:
        self._template = template
        self.channel = channel
        self.pid = 0
        self.held: tuple[str, ...] = ()
        self.alive = True

    def ready(self, head: Any) -> None:
        """Take in its first message. Raises Nonsense for another."""
        if self.pid or head.__class__ is not list or len(head) != 3 or head[1].__class__ is not int:
            raise Nonsense("a worker that is ready twice")
        self.pid = head[1]
        self.held = tuple(str(name) for name in head[2])

    def wait_ready(self, seconds: float = 10.0) -> None:
        """Wait until it is ready. Raises HostError `run/crashed`."""
        from select import select

        try:
            while not self.pid:
                for kind, head, _ in self.channel.messages(1):
                    if kind != READY:
                        raise Nonsense("a worker that is not ready")
                    self.ready(head)
                if not self.pid:
                    if not select([self.channel.socket], [], [], seconds)[0]:
                        raise Gone("it does not start")
                    self.channel.fill(False)
        except (Gone, Nonsense) as error:
            self.kill()
            raise HostError(f"a worker process did not start: {error}", code="run/crashed") from None

    def kill(self) -> None:
        """End it, whatever it does. Harmless when repeated."""
        if self.alive:
            self.alive = False
            if self.pid:
                self._template.kill(self.pid)
            self.channel.socket.close()


class Template:
    """The process that workers are forked from. Raises HostError `config/isolation` where there is none."""

    __slots__ = ("_control", "_lock", "_process", "owner")

    def __init__(self) -> None:
        if not hasattr(os, "fork") or sys.platform == "win32":
            raise HostError("this system has no worker processes: it cannot fork", code="config/isolation")
        import socket
        import subprocess

        from rtfs.compiler.units.disk_cache import folder

        self.owner = os.getpid()
        self._lock = allocate_lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            program = _START.format(path=sys.path, descriptor=theirs.fileno(), cache=folder() or "")
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", program],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control.settimeout(60)
        try:
            started = self._control.recv(1)
        except OSError:
            started = b""
        if not started:
            self.close()
            raise HostError("the process that workers are forked from did not start", code="config/isolation")

    @property
    def alive(self) -> bool:
        """Whether it runs, as a child of this process."""
        return self.owner == os.getpid() and self._process.poll() is None

    def fork(self) -> WorkerProcess:
        """A new worker, which soon says that it is ready. Raises OSError."""
        import array
        import socket

        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            given = array.array("i", [theirs.fileno()])
            with self._lock:
                self._control.sendmsg([FORK], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
        return WorkerProcess(self, Channel(ours))

    def kill(self, pid: int) -> None:
        """Kill a worker, if it is still one."""
        try:
            with self._lock:
                self._control.send(KILL + pid.to_bytes(4, "big"))
        except OSError:  # the template is gone, and its workers with it
            pass

    def close(self) -> None:
        """End it, and with it all of its workers."""
        self._control.close()
        if self.owner == os.getpid():
            try:
                self._process.wait(5)
            except Exception:
                self._process.kill()
                self._process.wait()


class Pool:
    """The warm workers of this process."""

    __slots__ = ("_lock", "_template", "_warm")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._template: Template | None = None
        self._warm: list[WorkerProcess] = []

    def take(self) -> WorkerProcess:
        """A worker that has run nothing, and will not be given to anybody else. Raises HostError
        `config/isolation`."""
        with self._lock:
            for _ in range(2):
                template = self._template
                if template is None or not template.alive:
                    if template is None:
                        atexit.register(self.close)
                    self._warm.clear()
                    template = self._template = Template()
                try:
                    return self._warm.pop(0) if self._warm else template.fork()
                except OSError:  # it ended just now
                    template.close()
        raise HostError("worker processes cannot be started", code="config/isolation")

    def refill(self) -> None:
        """Have warm workers again. Not done by `take`: its caller would wait for the fork."""
        with self._lock:
            template = self._template
            try:
                while template is not None and template.alive and len(self._warm) < WARM:
                    self._warm.append(template.fork())
            except OSError:  # it ended just now: the next `take` starts another
                pass

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            template, self._template = self._template, None
            self._warm.clear()
            if template is not None and template.owner == os.getpid():
                template.close()

    def missing_walls(self) -> list[str]:
        """The parts of the sandbox that are not available here. Raises HostError `config/isolation`, `run/crashed` if
        worker processes cannot run."""
        worker = self.take()
        try:
            worker.wait_ready()
        finally:
            worker.kill()
        return [name for name in WALLS if name not in worker.held]


workers = Pool()
"""The workers of this process, whatever runtimes it has."""
