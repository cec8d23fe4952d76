"""Moments at the command line: `2h` (ago), or a date and time of ISO 8601; and how they are printed.

Must not know what they are for. Invariant: a text that is neither is a usage error that shows both forms.
"""

from __future__ import annotations

import re
from time import localtime, strftime, time

from rtfs.values import HostError

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
"""Seconds of a unit."""
_AGO = re.compile(r"([0-9]{1,9})([smhdw])")


def coming(text: str, option: str) -> float:
    """Seconds since 1970 of a moment, where `2h` is from now. As `moment`."""
    if later := _AGO.fullmatch(text):
        return time() + int(later[1]) * UNITS[later[2]]
    return moment(text, option, "how long from now")


def shown(seconds: float) -> str:
    """A moment in seconds since 1970 as it is printed, in local time."""
    return strftime("%Y-%m-%d %H:%M:%S", localtime(seconds))


def moment(text: str, option: str, otherwise: str = "how long ago") -> float:
    """Seconds since 1970 of a moment. A time without a zone is local. option: its name, and otherwise: what else it
    takes, for the error. Raises HostError `usage`."""
    from datetime import datetime

    if ago := _AGO.fullmatch(text):
        return time() - int(ago[1]) * UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise HostError(
            f"{option} takes a date and time, or {otherwise}, not {text!r}",
            code="usage",
            hint=f"{option} 2h (s, m, h, d or w), {option} 2026-11-29 or {option} 2026-11-29T09:30:00+01:00",
        ) from None
