"""A TCP proxy between a worker and its database, which drops, delays or resets what passes."""

from __future__ import annotations

import socket
import struct
import threading
import time
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """mode: "pass", "drop" (nothing passes, without an error), "delay" (each piece by a second) or "reset" (connections
    are reset, and new ones at once). url: of the database through the proxy."""

    def __init__(self, url: str) -> None:
        self.mode = "pass"
        self._target = url
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
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
        for one in self._open:
            try:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                one.close()
            except OSError:
                pass
        self._open = []

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
            server = self._connect()
            self._open += [client, server]
            for here, there in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(here, there), daemon=True).start()

    def _pump(self, here: socket.socket, there: socket.socket) -> None:
        try:
            while piece := here.recv(65_536):
                while self.mode == "drop":
                    time.sleep(0.05)
                if self.mode == "delay":
                    time.sleep(1)
                there.sendall(piece)
        except OSError:
            pass
        for one in (here, there):
            try:
                one.close()
            except OSError:
                pass
