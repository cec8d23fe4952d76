"""A TCP proxy between a worker and its database, which drops, delays, loses or resets what passes."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from urllib.parse import parse_qs, urlsplit

_LOOK = 0.05
"""Seconds between two looks at the mode. A socket on which a thread waits is not closed before the thread wakes."""


class Proxy:
    """mode: "pass", "drop" (nothing passes, without an error), "delay" (each piece by a second) or "reset" (connections
    are reset, and new ones at once). url: of the database through the proxy."""

    def __init__(self, url: str) -> None:
        self.mode = "pass"
        self._target = url
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[_Link] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        parts = urlsplit(self._target)
        user = parts.username or "postgres"
        password = f":{parts.password}" if parts.password else ""
        return f"postgresql://{user}{password}@127.0.0.1:{self._server.getsockname()[1]}{parts.path}?sslmode=disable"

    def close(self) -> None:
        self._server.close()
        self.reset()

    def reset(self) -> None:
        """Reset every connection."""
        for one in self._taken():
            one.resets = True

    def lose(self) -> None:
        """Pass no answer on any more over the connections that are open, and leave them open."""
        for one in self._taken():
            one.loses = True

    def _taken(self) -> list[_Link]:
        taken, self._open = self._open, []
        return taken

    def _connect(self) -> socket.socket:
        parts = urlsplit(self._target)
        host = parts.hostname or parse_qs(parts.query).get("host", ["localhost"])[0]
        if host.startswith("/"):
            found = socket.socket(socket.AF_UNIX)
            found.connect(f"{host}/.s.PGSQL.{parts.port or 5432}")
            return found
        return socket.create_connection((host, parts.port or 5432))

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.mode == "reset":
                client.close()
                continue
            link = _Link(self, client, self._connect())
            self._open.append(link)
            threading.Thread(target=link.pump, daemon=True).start()


class _Link:
    """A connection through a proxy. resets: it is to be reset. loses: no answer passes any more."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self.resets = False
        self.loses = False

    def pump(self) -> None:
        """Pass on what comes, until either side ends."""
        try:
            while not self.resets:
                for here in select.select([self._client, self._server], [], [], _LOOK)[0]:
                    piece = here.recv(65_536)
                    if not piece:
                        return
                    if here is self._server and self.loses:
                        continue
                    while self._proxy.mode == "drop" and not self.resets:
                        time.sleep(_LOOK)
                    if self._proxy.mode == "delay":
                        time.sleep(1)
                    if not self.resets:
                        (self._server if here is self._client else self._client).sendall(piece)
        except OSError:
            pass
        finally:
            for one in (self._client, self._server):
                if self.resets and one.family == socket.AF_INET:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
