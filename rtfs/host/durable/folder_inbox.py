"""`Told`: what a run in a folder is told from outside, in files beside its journal: answers, and that it is to stop.

Must not know journals inside. Invariants: an answer is there whole or not at all, and on the disk when `answer`
returns; which of them were taken is a fact of the journal, written together with what they led to.
"""

from __future__ import annotations

from json import JSONDecodeError, dumps, loads

from rtfs.host.durable.store import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS, STOP = ".answers", ".stop"
_TAKEN = "taken:"


def taken_fact(answer: Answer) -> str:
    """The name of the fact that an answer was taken."""
    return f"{_TAKEN}{answer.number}"


class Told:
    """stem: the path of the journal without its ending."""

    __slots__ = ("_stem",)

    def __init__(self, stem: str) -> None:
        self._stem = stem

    def answer(self, question: str, answer: str, by: str) -> None:
        """Add an answer. Raises OSError."""
        import fcntl
        import os
        from time import time

        line = dumps([question, answer, by, time()]).encode("ascii") + b"\n"
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(self._stem + ANSWERS, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":  # one was cut off when its writer died
                line = b"\n" + line
            os.write(descriptor, line)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def answers(self, facts: Mapping[str, str]) -> list[Answer]:
        """All answers, oldest first. facts: of the journal. Raises OSError."""
        try:
            with open(self._stem + ANSWERS, "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return []
        found: list[Answer] = []
        for line in lines:
            try:
                question, answer, by, at = loads(line)
            except (JSONDecodeError, ValueError):  # it was cut off: its sender got no confirmation
                continue
            one = Answer(len(found) + 1, question, answer, by, at, False)
            one.used = taken_fact(one) in facts
            found.append(one)
        return found

    def ask_to_stop(self, why: str) -> None:
        """Leave word that the run is to stop. Raises OSError."""
        import os

        made = f"{self._stem}{STOP}.{os.getpid()}"
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(why)
        os.rename(made, self._stem + STOP)

    def stop_asked(self) -> str | None:
        """The reason for which the run is to stop, or None."""
        import os

        try:
            os.stat(self._stem + STOP)  # at each commit: opening costs more
            with open(self._stem + STOP, encoding="utf-8") as file:
                return file.read()
        except OSError:
            return None
