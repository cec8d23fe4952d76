"""What callers hand to a `Runtime`, brought into the form that the host works with.

Must not know what is done with it. Invariant: what cannot be used is a HostError that says so.
"""

from __future__ import annotations

from rtfs.values import HostError, from_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from rtfs.machine import Limits


def environ(name: str) -> str | None:
    """An environment variable of this process, or None."""
    import os

    return os.environ.get(name)


def limits_of(limits: Limits | Mapping[str, Any] | None) -> Limits | None:
    """Limits given as such or by name. Raises HostError `config/limits`."""
    if limits is None:
        return None
    from rtfs.machine import Limits

    if isinstance(limits, Limits):
        return limits
    known = Limits.__slots__
    for name in limits:
        if name not in known:
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(str(name), known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise HostError(f"there is no limit {name!r}", code="config/limits", hint=hint)
    try:
        return Limits(**limits)
    except (TypeError, ValueError) as error:
        raise HostError(str(error), code="config/limits") from None


def within_seconds(limits: Limits | None, seconds: float) -> Limits:
    """Limits with at most so many seconds."""
    from rtfs.machine import DEFAULT_LIMITS, Limits

    shorter = Limits(steps=None, depth=1_000_000_000, seconds=max(seconds, 0.000_001), output=None)
    return (limits or DEFAULT_LIMITS).within(shorter)


def values_of(context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Context values by name; keys may be keywords, values are converted. Raises HostError `argument/invalid`."""
    if context is None:
        return {}
    return {getattr(key, "name", None) or str(key): value_of(value) for key, value in context.items()}


def value_of(value: Any) -> Any:
    """The RTFS value of Python data. Raises HostError `argument/invalid`."""
    try:
        return from_python(value)
    except (TypeError, ValueError) as error:
        raise HostError(str(error), code="argument/invalid") from None


def text_of(values: Mapping[str, Any], name: str) -> str | None:
    """A context value that is a text, or None."""
    value = values.get(name)
    return value if isinstance(value, str) else None
