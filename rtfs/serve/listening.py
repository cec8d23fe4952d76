"""An ASGI application at an address: listening, saying where, ending politely.

Must not know what is served. Invariants: a client that connects before the application is ready waits, and is not
refused; requests that are cancelled at the end show no traceback.
"""

from __future__ import annotations

import logging
import socket
import sys
from typing import Any

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BACKLOG = 1_024
"""Connections that wait to be taken."""
GRACE = 3
"""Seconds that open requests get when the server ends."""
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open. Clients keep theirs for 5 (httpx, uvicorn's own default) to 60: a server
that closes first makes a request fail that was on its way."""


class Address:
    """HOST:PORT to listen on. Raises HostError `usage`."""

    __slots__ = ("host", "port")

    def __init__(self, text: str) -> None:
        host, colon, port = text.rpartition(":")
        self.host = host.removeprefix("[").removesuffix("]")
        if not colon or not self.host or not port.isascii() or not port.isdigit() or int(port) > 65_535:
            raise HostError(f"--http takes HOST:PORT, not {text!r}", code="usage", hint="--http 127.0.0.1:8800")
        self.port = int(port)

    @property
    def local(self) -> bool:
        """Whether only this machine can connect."""
        return self.host in LOOPBACK


class Listening:
    """A socket that listens at an address. Raises HostError `usage` for one that is taken."""

    def __init__(self, address: Address) -> None:
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((address.host, address.port))
            self.socket.listen(BACKLOG)
        except OSError as error:
            self.socket.close()
            raise HostError(f"{address.host}:{address.port} cannot be listened on: {error}", code="usage") from None
        shown = f"[{address.host}]" if ":" in address.host else address.host
        self.port = int(self.socket.getsockname()[1])
        self.url = f"http://{shown}:{self.port}"

    def close(self) -> None:
        """Listen no more. Harmless when repeated."""
        self.socket.close()

    async def serve(self, app: Any, tell: Callable[[str], None] | None, where: str) -> None:
        """Serve until the process is told to end. tell: is told `where`; logging is then left as it is configured.
        None: standard error is told everything."""
        import uvicorn

        logged: dict[str, Any] = {"log_level": "warning"}
        if tell is None:
            print(where, file=sys.stderr, flush=True)
        else:
            tell(where)
            logged["log_config"] = None
        config = uvicorn.Config(
            app,
            lifespan="on",
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=KEEP_ALIVE,
            server_header=False,
            **logged,
        )
        serving = uvicorn.Server(config)
        logging.getLogger("uvicorn.error").addFilter(lambda record: not (serving.should_exit and record.exc_info))
        await serving.serve(sockets=[self.socket])
