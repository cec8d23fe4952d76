"""Questions at the terminal: may this call be made, and a server's question as a form that is shown, filled in, looked
over and sent.

Must not know servers, nor how calls are made. Invariants: only a person at a terminal is asked, and only a clear yes
counts; who asks is named first, and nothing shown can play tricks with the terminal; a form sends only what the person
has seen, and can be declined, or put aside with Ctrl-D, at any point.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.sessions.questions import Field, Question


def can_prompt(no_input: bool) -> bool:
    """Whether a person can be asked: not if standard input is not a terminal, and not with `--no-input`."""
    try:
        return not no_input and sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):  # no console, or closed
        return False


def asker(no_input: bool) -> Callable[[Any], Any] | None:
    """The function that asks about calls, or None if no person can be asked."""
    return ask if can_prompt(no_input) else None


def elicitor(no_input: bool) -> Callable[[Any], Any] | None:
    """The function that asks a server's questions, or None if no person can be asked."""
    return fill if can_prompt(no_input) else None


def trusts(no_input: bool) -> Callable[[Any], bool] | None:
    """The function that asks about found files, or None if no person can be asked."""
    return trust if can_prompt(no_input) else None


def trust(found: Any) -> bool:
    """Ask about the files that were found in the working folder (`rtfs.host.config.discovery.Found`)."""
    import os

    for path in found.paths:
        _say(plain(os.path.realpath(path)))
    for line in found.says():
        _say("  " + plain(line))
    forget_typed()
    try:
        return _choice("use them, until they change? [y]es, [n]o: ", "yn") == "y"
    except _Aside:
        _say("")
        return False


def once(call: str) -> Callable[[Any], Any]:
    """The function that says yes to this call (an `ApprovalRequest`'s), once, for a person who has said so on the
    command line; it does not ask about others."""
    left = [call]
    return lambda request: True if left == [request.call] and left.pop() else None


def ask(request: Any) -> Any:
    """Ask about an `ApprovalRequest`: True, a refusal, "always", "run", or None when the input ends."""
    say = sys.stderr
    print(f"approve {plain(request.capability)}?", file=say)
    parts = request.parts(LONGEST)
    long = parts != request.parts()
    if long or len(request.text) > ON_ONE_LINE:
        print("  arguments:", file=say)
        for part in parts:
            print(f"    {plain(part)}", file=say)
    else:
        print(f"  arguments: {plain(request.text)}", file=say)
    print(f"  because:   {plain(request.reason)}", file=say)
    choices = "[y]es once, [n]o, [a]lways for these arguments"
    choices += (", for this [r]un" if request.for_run else "") + (", [w]hole arguments" if long else "")
    forget_typed()
    while True:
        print(f"{choices}: ", end="", file=say, flush=True)
        line = sys.stdin.readline()
        if not line:
            print(file=say)
            return None
        answer = line.strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            print("why (the program is told; may be empty): ", end="", file=say, flush=True)
            return request.refuse(sys.stdin.readline().strip()[:LONGEST])
        if answer in ("a", "always"):
            return "always"
        if request.for_run and answer in ("r", "run"):
            return "run"
        if long and answer in ("w", "whole"):
            for part in request.parts():
                print(f"    {plain(part)}", file=say)


ON_ONE_LINE = 200
LONGEST = 500
"""Characters of an argument that are shown at once, and of a reason."""


def forget_typed() -> None:
    """Drop what was typed before the question was seen: it cannot have answered it."""
    try:
        from termios import TCIFLUSH, tcflush

        tcflush(sys.stdin.fileno(), TCIFLUSH)
    except (ImportError, OSError, ValueError, AttributeError):  # no terminal, or another system
        pass


def plain(text: str) -> str:
    """Text without control characters, on one line."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


# ---------------------------------------------------------------------- forms
class _Aside(Exception):
    """The input has ended."""


def fill(question: Question) -> dict[str, Any] | bool | None:
    """Ask the person, and return the answers: a dict, False to decline, None to put the question aside."""
    forget_typed()
    _say(f"{question.server} asks, for {question.capability}:")
    for line in question.message.split("\n"):
        _say(f"  {line}")
    if question.url is not None:
        _say(f"  It asks you to open this address: {question.url}")
        _say("  Open it only if you know the site. What you enter there goes only to that site.")
    for field in question.fields:
        _say(f"  - {_described(field)}")
    if any(field.sensitive for field in question.fields):
        _say("  Careful: this sounds like a secret. No server should ask for one like this: it sees what you type.")
    try:
        if not question.fields:
            wish = {"y": "s"}.get(letter := _choice("[y]es, [d]ecline, [c]ancel: ", "ydc"), letter)
        else:
            wish = _choice("[a]nswer, [d]ecline, [c]ancel: ", "adc")
        given: dict[str, Any] = {}
        while wish in ("a", "e"):
            given = {field.name: value for field in question.fields for value in _value(field, given)}
            _say("will be sent to " + question.server + ":")
            for field in question.fields:
                _say(f"  {field.title}: {_spelled(field, given[field.name]) if field.name in given else '(nothing)'}")
            wish = _choice("[s]end, [e]dit, [d]ecline, [c]ancel: ", "sedc")
    except _Aside:
        _say("")
        return None
    return given if wish == "s" else False if wish == "d" else None


def _described(field: Field) -> str:
    from rtfs.capabilities.sessions.questions import MISSING

    need = "" if field.required or field.default is not MISSING else ", may be left empty"
    about = f": {field.about}" if field.about else ""
    return f"{field.title} ({field.wanted}{need}){about}"


def _value(field: Field, before: dict[str, Any]) -> list[Any]:
    """The value given for a field, in a list; an empty list for none."""
    from rtfs.capabilities.sessions.questions import MISSING

    kept = before.get(field.name, field.default)
    for number, (_, words) in enumerate(field.choices, 1):
        _say(f"    {number} {words}")
    shown = "" if kept is MISSING else f" [{_spelled(field, kept)}]"
    while True:
        text = _line(f"  {field.title}{shown}: ")
        if not text.strip():
            if kept is not MISSING:
                return [kept]
            if not field.required:
                return []
            _say("    it is needed")
            continue
        value = _meant(field, text.strip())
        problem = field.problem(value)
        if problem is None:
            return [value]
        _say(f"    {problem}")


def _meant(field: Field, text: str) -> Any:
    """The value that a person typed; input that cannot be read stays text, which then does not fit."""
    if field.kind == "choice":
        return _chosen(field, text)
    if field.kind == "choices":
        return [_chosen(field, part.strip()) for part in text.split(",") if part.strip()]
    if field.kind == "boolean":
        return {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}.get(text.lower(), text)
    if field.kind in ("integer", "number"):
        for read in (int, float):
            try:
                return read(text)
            except ValueError:
                continue
    return text


def _chosen(field: Field, text: str) -> str:
    """The choice of this number, these words, or this value."""
    if text.isdecimal() and 1 <= int(text) <= len(field.choices):
        return field.choices[int(text) - 1][0]
    return next((value for value, words in field.choices if text.lower() in (words.lower(), value.lower())), text)


def _spelled(field: Field, value: Any) -> str:
    """A value for people."""
    words = dict(field.choices)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(words.get(one) or one for one in value)
    return plain(words.get(value, str(value)) if isinstance(value, str) else str(value))


def _choice(prompt: str, letters: str) -> str:
    """One of the letters."""
    while True:
        letter = _line(prompt).strip().lower()[:1]
        if letter and letter in letters:
            return letter


def _line(prompt: str) -> str:
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise _Aside
    return line.rstrip("\n")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
