"""The settings that `:set` changes: how values are shown, and what is reported about runs. Knows nothing else of the
session."""

from __future__ import annotations

from rtfs.repl.show import TEXT
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_ENDLESS = 1 << 40


class Settings:
    """items: elements shown of a collection, text: characters shown of texts, 0 for all. width: columns of results, 0
    for the terminal's. timeout: seconds a run may take, None for any. time: whether to say how long each input took.
    pager: whether what is longer than the screen goes through a pager.

    whole: values begin by being shown whole, on one line each, for a program that reads them.
    """

    __slots__ = ("items", "pager", "text", "time", "timeout", "whole", "width")

    def __init__(self, whole: bool = False) -> None:
        self.whole = whole
        self.items = 0 if whole else 100
        self.text = 0 if whole else TEXT
        self.width = 0
        self.timeout: float | None = None
        self.time = False
        self.pager = not whole

    def columns(self) -> int:
        """Columns that a result may have."""
        if self.width:
            return self.width
        if self.whole:
            return _ENDLESS
        from shutil import get_terminal_size

        return max(20, get_terminal_size((80, 24)).columns - 1)

    def change(self, name: str, text: str) -> None:
        """Set one from what was typed. Raises HostError `argument`."""
        if name not in KNOWN:
            from rtfs.syntax.suggest import did_you_mean

            near = did_you_mean(name, KNOWN)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(KNOWN)}"
            raise HostError(f"there is no setting {name}", code="argument/invalid", hint=hint)
        what, read, _ = KNOWN[name]
        try:
            setattr(self, name, read(text))
        except ValueError:
            raise HostError(f"{name} is {what}, not {text or 'nothing'}", code="argument/invalid") from None

    def shown(self) -> list[tuple[str, str, str]]:
        """Name, value and meaning of each."""
        return [(name, _text(getattr(self, name)), meaning) for name, (_, _, meaning) in KNOWN.items()]


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def _seconds(text: str) -> float | None:
    if text == "off":
        return None
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError(text)
    return text == "on"


def _text(value: Any) -> str:
    return "off" if value is None or value is False else "on" if value is True else f"{value:g}"


KNOWN: dict[str, tuple[str, Callable[[str], Any], str]] = {
    "items": ("a number", _count, "elements shown of a collection; 0 shows all"),
    "text": ("a number", _count, "characters shown of texts; 0 shows all"),
    "width": ("a number", _count, "columns of results; 0 follows the terminal"),
    "timeout": ("a number of seconds, or off", _seconds, "longest time a run may take"),
    "time": ("on or off", _switch, "say how long each input took"),
    "pager": ("on or off", _switch, "what is longer than the screen goes through a pager"),
}
