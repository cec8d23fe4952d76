"""Numbers for operators, in Prometheus' text format: runs, calls, sessions.

Must not know HTTP. Invariants: a subscriber to events that never waits; no label holds what a plan, a model or a caller
chose, so their number is fixed and they tell nothing of anybody.

Source: Prometheus text exposition format, version 0.0.4.
"""

from __future__ import annotations

from threading import Lock

from rtfs.host.audit.events import RUN_STATUSES, WAITS, CallDecided, CallEnded, CallReplayed, RunEnded, RunStarted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtfs.host.audit.events import Event

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CALL_OUTCOMES = ("ok", "error", "cancelled", "denied", "waiting", "replayed")
"""replayed: answered from the journal of a run that was resumed."""
BUCKETS = (0.005, 0.05, 0.5, 5.0, 50.0)
"""Upper bounds of the durations of calls, in seconds."""
POOL_NOW = ("open", "opening", "in_flight", "waiting")
"""The numbers of the session pool that rise and fall."""


class Metrics:
    """Counts what it hears, from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs = dict.fromkeys(RUN_STATUSES, 0)
        self._loading: set[int] = set()
        """Numbers of the runs that load declarations for those of plans, and have not ended."""
        self._calls = dict.fromkeys(CALL_OUTCOMES, 0)
        self._durations = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0

    def hear(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, RunStarted):
            if event.loads:
                with self._lock:
                    self._loading.add(event.number)
        elif isinstance(event, RunEnded):
            with self._lock:
                if event.parent in self._loading:
                    self._loading.discard(event.parent)
                else:
                    self._runs[event.status] += 1
        elif isinstance(event, CallDecided):
            if not event.allowed and not event.detail.startswith("ask"):  # asking is followed by the answer
                with self._lock:
                    self._calls["waiting" if event.detail.endswith(WAITS) else "denied"] += 1
        elif isinstance(event, CallEnded):
            seconds = event.duration / 1e9
            with self._lock:
                self._calls[event.detail.partition(":")[0]] += 1
                self._durations[sum(bound < seconds for bound in BUCKETS)] += 1
                self._seconds += seconds
        elif isinstance(event, CallReplayed):
            with self._lock:
                self._calls["replayed"] += 1

    def text(self, at_work: int, in_line: int, pool: Mapping[str, Any] | None) -> str:
        """The numbers in Prometheus' text format. at_work: runs that advance now. in_line: runs that wait for their
        turn. pool: `SessionPool.stats()`, None while no call has needed a session."""
        with self._lock:
            runs, calls, durations, seconds = dict(self._runs), dict(self._calls), list(self._durations), self._seconds
        lines = _family("rtfs_runs_total", "counter", "Runs that ended, by status.")
        lines += [f'rtfs_runs_total{{status="{status}"}} {count}' for status, count in runs.items()]
        lines += _family("rtfs_runs", "gauge", "Runs now: at work, or in line for their turn.")
        lines += [f'rtfs_runs{{state="at_work"}} {at_work}', f'rtfs_runs{{state="in_line"}} {in_line}']
        lines += _family("rtfs_calls_total", "counter", "Calls of capabilities, by outcome.")
        lines += [f'rtfs_calls_total{{outcome="{outcome}"}} {count}' for outcome, count in calls.items()]
        lines += _family("rtfs_call_seconds", "histogram", "How long calls took that were made.")
        total = 0
        for bound, count in zip((*map(str, BUCKETS), "+Inf"), durations, strict=True):
            total += count
            lines.append(f'rtfs_call_seconds_bucket{{le="{bound}"}} {total}')
        lines += [f"rtfs_call_seconds_sum {seconds!r}", f"rtfs_call_seconds_count {total}"]
        known = pool or {}
        lines += _family("rtfs_sessions", "gauge", "Sessions with servers now, and the calls in them or waiting.")
        lines += [f'rtfs_sessions{{state="{name}"}} {known.get(name, 0)}' for name in POOL_NOW]
        lines += _family("rtfs_sessions_initialized_total", "counter", "Sessions that were opened.")
        lines.append(f"rtfs_sessions_initialized_total {known.get('initialized', 0)}")
        return "\n".join(lines) + "\n"


def _family(name: str, kind: str, what: str) -> list[str]:
    return [f"# HELP {name} {what}", f"# TYPE {name} {kind}"]
