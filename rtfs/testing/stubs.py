"""The answers that a golden file's stubs give to host calls.

Must not know how a chunk is run. Invariant: stubs are used up strictly in order; a call that is not the next one is a
problem, whatever the program makes of its error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rtfs.testing.difference import describe
from rtfs.testing.golden import Problem, Stub


class BadText(Exception):
    """A stub or a context of the file cannot be read."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.problem = Problem(line, text)


def read(text: str, line: int) -> Any:
    import rtfs

    try:
        return rtfs.read_value(text)
    except rtfs.UserError as error:
        raise BadText(line, f"cannot be read: {text}\n{error}") from None


class Stubs:
    """The answers to a chunk's host calls, handed out strictly in order."""

    def __init__(self, stubs: Sequence[Stub]) -> None:
        self.left = [(stub, self._arguments(stub), self._answer(stub)) for stub in stubs]
        self.left.reverse()
        self.problems: list[str] = []

    @staticmethod
    def _arguments(stub: Stub) -> list[Any] | None:
        if stub.arguments is None:
            return None
        return _normal(list(read(f"[{stub.arguments}]", stub.line)))

    @staticmethod
    def _answer(stub: Stub) -> Any:
        return None if stub.value is None else read(stub.value, stub.line)

    def answer(self, name: str, arguments: Sequence[Any]) -> Any:
        """The answer of the next stub to this call; an error if the call does not match it."""
        import rtfs
        from rtfs.host.bundled.capabilities import SIGNATURES

        found = f"(call {json.dumps(name)} {' '.join(rtfs.to_text(a) for a in arguments)})"
        if not self.left:
            return self._refuse(f"a call that no stub answers: {found}")
        stub, wanted, value = self.left[-1]
        if stub.id != name:
            return self._refuse(f"the next stub (line {stub.line}) is for {stub.id}, the call is {found}")
        given = _normal(list(arguments))
        if wanted is not None and name in SIGNATURES:
            wanted = [SIGNATURES[name].arrange(name, tuple(wanted))]
            given = [SIGNATURES[name].arrange(name, tuple(given))]
        if wanted is not None and not rtfs.equal(rtfs.Vector(wanted), rtfs.Vector(given)):
            difference = describe(rtfs.Vector(wanted), rtfs.Vector(given))
            return self._refuse(f"other arguments than the stub of line {stub.line} expects: {found}\n{difference}")
        self.left.pop()
        if stub.value is None:
            raise rtfs.HostError(stub.message, code=stub.code)
        return value

    def _refuse(self, text: str) -> Any:
        import rtfs

        self.problems.append(text)
        raise rtfs.HostError(text, code="capability/unknown")


def _normal(arguments: list[Any]) -> list[Any]:
    """No arguments are the same as an empty map."""
    import rtfs

    return arguments or [rtfs.Map({})]
