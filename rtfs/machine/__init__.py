"""Runs compiled programs: machine, outcomes, limits. Knows nothing of asyncio, network or files."""

from __future__ import annotations

from rtfs.machine.limits import DEFAULT_LIMITS, Limits
from rtfs.machine.machine import new_environment, start, start_call
from rtfs.machine.outcome import Complete, HostCall, Known, Outcome, RequiresHost

__all__ = [
    "DEFAULT_LIMITS",
    "Complete",
    "HostCall",
    "Known",
    "Limits",
    "Outcome",
    "RequiresHost",
    "new_environment",
    "start",
    "start_call",
]
