"""Requests of a plan to its run: wait for a point in time or a signal from outside, or end in favour of a new run.

Must not know runs, journals or stores. Invariant: a point in time means the same on every machine, so a text without a
zone is an error.
"""

from __future__ import annotations

from rtfs.capabilities.providers.arguments import take, text, wrong
from rtfs.values import EvalError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LATEST = 253_402_300_800.0
"""The end of the year 9999, in seconds since 1970."""
LONGEST_NAME = 200
"""Characters of a signal's name."""


class Wait:
    """signal: the name of the signal that ends the wait, or None. until: when it ends by itself, in seconds since 1970,
    or None. default: its value then."""

    __slots__ = ("default", "signal", "until")

    def __init__(self, signal: str | None, until: float | None, default: Any = None) -> None:
        self.signal = signal
        self.until = until
        self.default = default


class ContinueAsNew:
    """The run is to end, and to continue as a new one. parameters: of its plan that have new values, or None."""

    __slots__ = ("parameters",)

    def __init__(self, parameters: Map | None) -> None:
        self.parameters = parameters


def continue_as_new(*arguments: Any) -> ContinueAsNew:
    """`(call "ccos.run.continue-as-new" {:parameters …})`. Raises EvalError and TypeMismatch."""
    id = "ccos.run.continue-as-new"
    (parameters,) = take(id, arguments, ("parameters",), 0)
    if parameters is None:
        return ContinueAsNew(None)
    if parameters.__class__ is not Map or not all(key.__class__ is Keyword for key in parameters.keys()):  # noqa: SIM118
        raise wrong(id, "parameters", "a map with keywords as keys", parameters)
    return ContinueAsNew(parameters)


def sleep_until(*arguments: Any) -> Wait:
    """`(call "ccos.run.sleep-until" until)`. Raises EvalError and TypeMismatch."""
    id = "ccos.run.sleep-until"
    (until,) = take(id, arguments, ("until",), 1)
    return Wait(None, _moment(id, until))


def await_signal(*arguments: Any) -> Wait:
    """`(call "ccos.run.await-signal" signal until default)`. Raises EvalError and TypeMismatch."""
    id = "ccos.run.await-signal"
    signal, until, default = take(id, arguments, ("signal", "until", "default"), 1)
    return Wait(check_name(text(id, "signal", signal)), None if until is None else _moment(id, until), default)


def check_name(name: str) -> str:
    """The name of a signal. Raises EvalError `argument/range` for one that is empty, too long or not printable."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise EvalError(
            "argument/range", f"the name of a signal has 1 to {LONGEST_NAME} printable characters, unlike {name[:40]!r}"
        )
    return name


def _moment(id: str, value: Any) -> float:
    """Seconds since 1970."""
    if value.__class__ is str:
        return _iso(id, value)
    if value.__class__ is not int and value.__class__ is not float:
        raise wrong(id, "until", "a text of ISO 8601 or milliseconds since 1970", value)
    if not 0 <= value < _LATEST * 1000:
        raise EvalError("argument/range", f'"{id}": until is a time from 1970 to 9999 in milliseconds, not {value}')
    return float(value) / 1000


def _iso(id: str, value: str) -> float:
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise EvalError(
                "argument/range",
                f'"{id}": {value!r} names no zone, and the run may continue on another machine',
                hint=f"write {value}Z for UTC" if "T" in value else f"write {value}T00:00:00Z for UTC",
            )
        return max(moment.timestamp(), 0.0)
    except (ValueError, OverflowError):
        raise EvalError(
            "argument/range",
            f'"{id}": until is a time of ISO 8601, not {value!r}',
            hint='write "2026-01-31T12:00:00Z"',
        ) from None
