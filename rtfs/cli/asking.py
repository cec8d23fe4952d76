"""The question at the terminal: may this call be made?

Must not know how calls are made. Invariant: only a person at a terminal is asked, and only a clear yes is one; what is
shown cannot play tricks with the terminal.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def asker(no_input: bool) -> Callable[[Any], Any] | None:
    """The function that asks, or None where nobody can be asked: standard input is no terminal, or `--no-input`."""
    try:
        if no_input or not sys.stdin.isatty() or not sys.stderr.isatty():
            return None
    except (AttributeError, ValueError):  # no console, or closed
        return None
    return ask


def once() -> Callable[[Any], Any]:
    """The function that says yes to the first call, for whoever has said so on the command line, and asks nobody
    about others."""
    left = [True]
    return lambda request: True if left and left.pop() else None


def ask(request: Any) -> Any:
    """Ask about an `ApprovalRequest`: True, False, "always", or None when the input ends."""
    say = sys.stderr
    print(f"approve {plain(request.capability)}?", file=say)
    print(f"  arguments: {plain(request.text)}", file=say)
    print(f"  because:   {plain(request.reason)}", file=say)
    while True:
        print("[y]es once, [n]o, [a]lways for these arguments: ", end="", file=say, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=say)
            return None
        answer = line.strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            return False
        if answer in ("a", "always"):
            return "always"


def plain(text: str) -> str:
    """Text without control characters, on one line."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
