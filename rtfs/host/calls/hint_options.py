"""The options of hints: names, their synonyms, and which of them are numbers.

Must not know what hints do. Invariant: what is answered has only known names, and numbers from 0 where numbers belong.
"""

from __future__ import annotations

from rtfs.syntax.printer import to_text
from rtfs.values import HostError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.run.frame import Frame

_NUMBERS = {
    "cache": ("ttl-ms", "max-entries"),
    "circuit-breaker": ("failure-threshold", "cooldown-ms"),
    "rate-limit": ("requests-per-second", "burst"),
    "retry": ("max-retries", "initial-delay-ms", "backoff-multiplier"),
    "timeout": ("timeout-ms",),
}
_SYNONYMS = {
    "max": "max-retries", "retries": "max-retries", "backoff-ms": "initial-delay-ms", "delay-ms": "initial-delay-ms",
    "multiplier": "backoff-multiplier", "ms": "timeout-ms", "absolute-ms": "timeout-ms", "ttl": "ttl-ms",
    "threshold": "failure-threshold", "rps": "requests-per-second", "max-attempts": "max-retries",
}  # fmt: skip
_OTHERS = {
    "metrics": ("label", "emit-to-chain", "track-percentiles"),
    "retry": ("strategy",),
    "fallback": ("capability", "value"),
}


def options_of(name: str, value: Any, entry: Entry, frame: Frame) -> dict[str, Any]:
    """A hint's options by name without colon. A bare value means the first option: `:runtime.timeout 500`."""
    numbers, others = _NUMBERS.get(name, ()), _OTHERS.get(name, ())
    if value is True:
        return {}
    if value.__class__ is not Map:
        first = numbers[0] if numbers else others[0]
        value = Map([(Keyword(first), value)])
    options: dict[str, Any] = {}
    for key, item in value.items():
        option = key.name if key.__class__ is Keyword else str(key)
        option = _SYNONYMS.get(option, option)
        if option in numbers:
            if item.__class__ not in (int, float) or not 0 <= item < float("inf"):
                raise HostError(
                    f":{option} of the hint {name} is a number from 0, not {to_text(item)}", code="capability/hint"
                )
        elif option not in others:
            frame.run.warn(f"unknown option :{option} of the hint {name} on a call of {entry.id} is ignored", None)
        elif option == "capability":
            item = item.name if item.__class__ is Keyword else item
            if item.__class__ is not str:
                raise HostError(
                    f"the :capability of the hint {name} is an id, not {to_text(item)}",
                    code="capability/hint",
                    hint="a value to fall back on is written {:value …}",
                )
        options[option] = item
    return options
