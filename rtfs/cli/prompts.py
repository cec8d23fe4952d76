"""The questions at the terminal: may this call be made, and what a server wants to know in the middle of one.

Must not know how calls are made. Invariant: only a person at a terminal is asked, and only a clear yes is one; what is
shown cannot play tricks with the terminal.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def somebody(no_input: bool) -> bool:
    """Whether somebody can be asked: not where standard input is no terminal, nor with `--no-input`."""
    try:
        return not no_input and sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):  # no console, or closed
        return False


def asker(no_input: bool) -> Callable[[Any], Any] | None:
    """The function that asks about calls, or None where nobody can be asked."""
    return ask if somebody(no_input) else None


def elicitor(no_input: bool) -> Callable[[Any], Any] | None:
    """The function that asks what a server wants to know, or None where nobody can be asked."""
    return answered if somebody(no_input) else None


def answered(question: Any) -> Any:
    """What a person answers to a server's `Question`: a dict, False or None."""
    from rtfs.cli.form import fill

    return fill(question)


def once(call: str) -> Callable[[Any], Any]:
    """The function that says yes to this call (an `ApprovalRequest`'s), once, for whoever has said so on the command
    line, and asks nobody about others."""
    left = [call]
    return lambda request: True if left == [request.call] and left.pop() else None


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
