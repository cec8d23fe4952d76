"""A started MCP server: one process, one JSON message a line each way.

Must not know tools or eras. Invariants: noise and endless lines on its output are passed over and never held; a process
that ends fails what waits for it, as "may have happened"; once stopped, nothing of its process group is left.

Source: MCP specification, basic/transports, "stdio"; basic/lifecycle, "Shutdown".
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from itertools import count
from time import monotonic

from rtfs.capabilities.sessions.handler import MaybeSent, SessionError, SessionExpired, one_line
from rtfs.capabilities.sessions.mcp.protocol import error_of
from rtfs.capabilities.sessions.mcp.transport.channel import Background
from rtfs.capabilities.sessions.wire.json import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from rtfs.capabilities.sessions.mcp.limits import WireLimits
    from rtfs.capabilities.sessions.mcp.target import Target
    from rtfs.capabilities.sessions.wire.http import Headers

logger = logging.getLogger("rtfs.mcp")
errors = logging.getLogger("rtfs.mcp.stderr")

_POLL_SECONDS = 0.01
_STDERR_LINE = 4096
_LAST_LINES = 6
"""Lines of its standard error that are told when a server ends."""


class Lines:
    """Cuts a stream of bytes into lines; a line longer than `most` is passed over as a whole."""

    __slots__ = ("_most", "_parts", "_size", "_skipping", "skipped")

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._skipping = False
        self.skipped = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk."""
        pieces = chunk.split(b"\n")
        rest = pieces.pop()
        found = []
        for piece in pieces:
            self._add(piece)
            if not self._skipping:
                found.append(b"".join(self._parts))
            self._parts, self._size, self._skipping = [], 0, False
        self._add(rest)
        return found

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most:
            if not self._skipping:
                self.skipped += 1
            self._skipping, self._parts = True, []
        elif piece and not self._skipping:
            self._parts.append(piece)


class StdioChannel:
    """A running server. server: its command, for messages. dead: its output ended, nothing can be asked any more."""

    def __init__(
        self, process: asyncio.subprocess.Process, target: Target, secrets: list[str], limits: WireLimits
    ) -> None:
        self.server = target.label
        self.dead = False
        self.session_id: str | None = None
        self.ids = count(1)
        self.limits = limits
        self.process = process
        self._secrets = secrets
        self._side = Background(self.server)
        self._pending: dict[int, tuple[asyncio.Future[dict[str, Any]], Callable[[Any], None]]] = {}
        self._inbox: Callable[[Any], None] | None = None
        self._last_words: list[str] = []
        self._readers = [
            asyncio.get_running_loop().create_task(self._read_output()),
            asyncio.get_running_loop().create_task(self._read_errors()),
        ]
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, target: Target, environ: Mapping[str, str], given: Mapping[str, str], limits: WireLimits
    ) -> StdioChannel:
        """Start the server in a new process group.

        environ: ours, of which an allow-list is inherited. given: the credential, under the name the server wants.
        Raises SessionError (`session/unavailable`).
        """
        environment = {**target.environment(environ), **given}
        try:
            process = await asyncio.create_subprocess_exec(
                target.command or "",
                *target.args,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                cwd=target.cwd,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SessionError(
                f"cannot start {one_line(target.command or '', 80)!r}: {reason}",
                code="session/unavailable",
                hint="is the command installed, and on the PATH?",
            ) from error
        secrets = [value for value in (*target.env.values(), *given.values()) if len(value) >= 8]
        return cls(process, target, secrets, limits)

    def opened(self) -> None:
        """The session is open: what was written on the way (complaints about the question for its era, say) explains
        no later end."""
        self._last_words = []

    def silent(self, seconds: float) -> SessionError:
        """The error for a server that has not answered since its start."""
        return SessionError(
            f"{self.server} did not answer within {seconds:.3g} seconds of its start{self._said()}",
            code="session/timeout",
            hint="if it needs longer to start, raise pool.initialize_seconds of the configuration",
        )

    async def request(
        self, body: bytes, request_id: int, inbox: Callable[[Any], None], extra: Headers | None = None
    ) -> dict[str, Any]:
        """Send a request, answer the reply. Raises SessionExpired if the process is gone, MaybeSent if it goes now."""
        if self.dead:
            raise SessionExpired(SessionError(f"{self.server} is not running any more", code="session/expired"))
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[request_id] = (future, inbox)
        self._inbox = inbox
        try:
            await self._write(body)
            return await future
        finally:
            self._pending.pop(request_id, None)
            if future.done() and not future.cancelled():
                future.exception()  # seen, also where sending failed first

    async def notify(self, body: bytes, extra: Headers | None = None) -> None:
        """Send a notification or a reply."""
        if not self.dead:
            await self._write(body)

    def spawn(self, work: Any) -> None:
        """Do something on the side."""
        self._side.spawn(work)

    async def settle(self, seconds: float) -> None:
        """Wait a little for what is done on the side."""
        await self._side.settle(seconds)

    async def stop(self) -> None:
        """End the process: close its input, then SIGTERM, then SIGKILL, each after `exit_seconds`; wait until it is
        gone. Safe to call twice, and finished even if the caller is cancelled."""
        if self._stopping is None:
            self._stopping = asyncio.get_running_loop().create_task(self._stop())
        try:
            await asyncio.shield(self._stopping)
        except asyncio.CancelledError:
            self._signal(signal.SIGKILL)
            raise

    async def _write(self, body: bytes) -> None:
        stdin = self.process.stdin
        assert stdin is not None
        try:
            stdin.write(body + b"\n")
            await stdin.drain()
        except (OSError, RuntimeError) as error:
            # a process that ends closes its input a moment before it says with what
            await self._exited(1.0)
            raise MaybeSent(self._gone("closed its input")) from error

    async def _read_output(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        lines = Lines(self.limits.body)
        try:
            while chunk := await stdout.read(65536):
                for line in lines.feed(chunk):
                    self._line(line)
                if lines.skipped:
                    logger.warning("%s: a line longer than %d bytes was passed over", self.server, self.limits.body)
                    lines.skipped = 0
        except OSError as error:
            logger.debug("%s: %s", self.server, error)
        finally:
            self.dead = True
            if self._pending:
                await self._exited(0.2)
                for future, _ in list(self._pending.values()):
                    if not future.done():
                        future.set_exception(MaybeSent(self._gone("ended")))

    def _line(self, line: bytes) -> None:
        line = line.strip()
        if not line:
            return
        try:
            message = parse(line)
        except ValueError:
            message = None
        for part in message if message.__class__ is list else (message,):
            if part.__class__ is dict and ("method" in part or "id" in part):
                try:
                    self._message(part)
                except Exception:  # whatever one message does, the next ones are read
                    logger.exception("%s: a message could not be taken", self.server)
            else:
                logger.debug("%s: no message: %s", self.server, one_line(line[:200].decode("utf-8", "replace")))

    def _message(self, message: dict[str, Any]) -> None:
        if "method" in message:
            inbox = self._inbox
            params = message.get("params")
            token = params.get("progressToken") if params.__class__ is dict else None
            if token.__class__ is int and token in self._pending:
                inbox = self._pending[token][1]
            if inbox is not None:
                inbox(message)
            return
        number = message["id"]
        waiting = self._pending.get(number) if number.__class__ is int else None
        if waiting is None or waiting[0].done() or not ("result" in message or error_of(message) is not None):
            logger.debug("%s: an answer that no request waits for was ignored", self.server)
            return
        waiting[0].set_result(message)

    async def _read_errors(self) -> None:
        stderr = self.process.stderr
        assert stderr is not None
        lines = Lines(_STDERR_LINE)
        try:
            while chunk := await stderr.read(65536):
                for line in lines.feed(chunk):
                    said = line.decode("utf-8", "replace")
                    for secret in self._secrets:
                        said = said.replace(secret, "***")
                    said = one_line(said, 500)
                    if said:
                        self._last_words = [*self._last_words[1 - _LAST_LINES :], one_line(said, 200)]
                        errors.info("%s: %s", self.server, said)
        except OSError:
            pass

    def _gone(self, how: str) -> SessionError:
        code = self.process.returncode
        status = "" if code is None else f" with {'signal' if code < 0 else 'code'} {abs(code)}"
        return SessionError(f"{self.server} {how}{status} before the answer{self._said()}", code="session/unavailable")

    def _said(self) -> str:
        """The last lines of its standard error, for the end of a message."""
        return ": " + " / ".join(self._last_words) if self._last_words else ""

    async def _exited(self, seconds: float) -> bool:
        """Whether the process is gone within this time. (`Process.wait` would also wait for its children's pipes.)"""
        until = monotonic() + seconds
        while self.process.returncode is None:
            if monotonic() >= until:
                return False
            await asyncio.sleep(_POLL_SECONDS)
        return True

    def _signal(self, number: signal.Signals) -> bool:
        """Signal the whole process group; False if there is none any more."""
        try:
            os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    async def _stop(self) -> None:
        stdin = self.process.stdin
        if stdin is not None:
            stdin.close()
        if not await self._exited(self.limits.exit_seconds):
            self._signal(signal.SIGTERM)
            if not await self._exited(self.limits.exit_seconds):
                self._signal(signal.SIGKILL)
                await self._exited(self.limits.exit_seconds)
        # What the server started and left behind goes too: politely, then at once.
        if self._signal(signal.SIGTERM):
            await asyncio.sleep(0.05)
            self._signal(signal.SIGKILL)
        for reader in self._readers:
            reader.cancel()
        await asyncio.wait(self._readers)
        transport = getattr(self.process, "_transport", None)
        if transport is not None:
            transport.close()
        self.dead = True
