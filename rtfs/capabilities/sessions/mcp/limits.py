"""Limits on servers: sizes in bytes, times in seconds.

Invariant: nothing that a server sends is held or waited for beyond one of these.
"""

from __future__ import annotations


class WireLimits:
    """body: an HTTP body or stdio line, decompressed; a stream of events as a whole. event: one server-sent event.
    line: one line of an event stream. refusal, refusal_seconds: how much of an error page is read, and for how long;
    the status counts without it. connect_seconds: for a TCP and TLS connection. probe_seconds: for a server to say
    which era it is of. reconnects: attempts to resume a broken stream without hearing anything new. reconnect_seconds:
    the longest pause before one that a server may ask for. pages: of a list. rounds: times a server may ask for the
    same call again. exit_seconds: for a process to end after its input was closed; as long again after SIGTERM.
    """

    __slots__ = (
        "body", "connect_seconds", "event", "exit_seconds", "line", "pages", "probe_seconds", "reconnect_seconds",
        "reconnects", "refusal", "refusal_seconds", "rounds",
    )  # fmt: skip

    def __init__(
        self,
        *,
        body: int = 64 * 2**20,
        event: int = 32 * 2**20,
        line: int = 32 * 2**20,
        refusal: int = 64 * 2**10,
        refusal_seconds: float = 5.0,
        connect_seconds: float = 10.0,
        probe_seconds: float = 5.0,
        reconnects: int = 4,
        reconnect_seconds: float = 30.0,
        pages: int = 1000,
        rounds: int = 10,
        exit_seconds: float = 2.0,
    ) -> None:
        self.body = body
        self.event = event
        self.line = line
        self.refusal = refusal
        self.refusal_seconds = refusal_seconds
        self.connect_seconds = connect_seconds
        self.probe_seconds = probe_seconds
        self.reconnects = reconnects
        self.reconnect_seconds = reconnect_seconds
        self.pages = pages
        self.rounds = rounds
        self.exit_seconds = exit_seconds
