"""The pool's limits, with their units and defaults.

Must not know any provider. Invariant: every wait of the pool is bounded by one of these or by the call's deadline.
"""

from __future__ import annotations


class PoolLimits:
    """sessions_per_key: open sessions for one server, credential and principal. sessions_total: in all.
    calls_in_flight: calls at once in one session. idle_seconds: an unused session is ended after this (None: never).
    age_seconds: a session gets no new call after this (None: never). initialize_seconds: for opening one.
    call_seconds: for a call without its own deadline (None: unbounded). terminate_seconds: for ending one.
    attempts: how often a call is sent at most where sending again is safe. retry_wait_seconds: the longest wait that
    a server may ask for before the next attempt of a call.
    """

    __slots__ = (
        "age_seconds", "attempts", "call_seconds", "calls_in_flight", "idle_seconds", "initialize_seconds",
        "retry_wait_seconds", "sessions_per_key", "sessions_total", "terminate_seconds",
    )  # fmt: skip

    def __init__(
        self,
        *,
        sessions_per_key: int = 1,
        sessions_total: int = 256,
        calls_in_flight: int = 64,
        idle_seconds: float | None = 300.0,
        age_seconds: float | None = 3600.0,
        initialize_seconds: float = 120.0,
        call_seconds: float | None = 120.0,
        terminate_seconds: float = 5.0,
        attempts: int = 3,
        retry_wait_seconds: float = 60.0,
    ) -> None:
        counts = {
            "sessions_per_key": sessions_per_key,
            "sessions_total": sessions_total,
            "calls_in_flight": calls_in_flight,
            "attempts": attempts,
        }
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} is at least 1, not {count}")
        seconds = {
            "idle_seconds": idle_seconds,
            "age_seconds": age_seconds,
            "initialize_seconds": initialize_seconds,
            "call_seconds": call_seconds,
            "terminate_seconds": terminate_seconds,
        }
        for name, value in seconds.items():
            if value is not None and not value > 0:
                raise ValueError(f"{name} is more than 0, not {value}")
        self.sessions_per_key = sessions_per_key
        self.sessions_total = sessions_total
        self.calls_in_flight = calls_in_flight
        self.idle_seconds = idle_seconds
        self.age_seconds = age_seconds
        self.initialize_seconds = initialize_seconds
        self.call_seconds = call_seconds
        self.terminate_seconds = terminate_seconds
        self.attempts = attempts
        self.retry_wait_seconds = retry_wait_seconds
