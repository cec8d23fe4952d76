"""The prompt without an editor: inputs line by line, out of a pipe or from a terminal that can do no more.

Must not know prompt_toolkit. Invariant: an input is handled as soon as its last line is there, so that a program that
feeds the pipe sees each answer before the next question.
"""

from __future__ import annotations

import sys

from rtfs.repl.balance import Balance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.repl.session import Session


def loop(session: Session, prompt: str = "", more: str = "") -> None:
    """Handle inputs until they end. prompt, more: shown before the first and each further line of an input."""
    read = _prompted if prompt else _piped()
    lines: list[str] = []
    balance = Balance()
    while not session.ended:
        try:
            line = read(more if lines else prompt)
        except KeyboardInterrupt:
            if not prompt:
                raise
            print(file=sys.stderr)
            lines, balance = [], Balance()
            continue
        if line is None:
            break
        lines.append(line)
        balance.feed(line)
        text = "".join(lines)
        if balance.open or (text.strip() and not session.is_complete(text)):
            continue
        lines, balance = [], Balance()
        session.feed(text)
    if lines and not session.ended:
        session.feed("".join(lines))


def _piped() -> Callable[[str], str | None]:
    stream = sys.stdin
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="surrogateescape")  # the reader says where the text is not UTF-8

    def read(_: str) -> str | None:
        return (stream.readline() if stream is not None else "") or None

    return read


def _prompted(prompt: str) -> str | None:
    try:
        return input(prompt) + "\n"
    except EOFError:
        print(file=sys.stderr)
        return None
