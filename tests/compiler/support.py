"""Short cuts for the tests of the compiler: a program's printed value, or the error it gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rtfs.compiler import Environment, compile, compile_source
from rtfs.machine import Complete, Limits, new_environment, start
from rtfs.source import Source
from rtfs.syntax.printer import to_text
from rtfs.values import UserError

LIMITS = Limits(steps=10_000_000, depth=20_000, seconds=60)


def printed(text: str, environment: Environment | None = None, name: str = "test.rtfs") -> str:
    """The value of a program that asks its host for nothing, as it prints."""
    outcome = start(compile_source(Source(text, name), environment or new_environment()), LIMITS)
    assert isinstance(outcome, Complete), outcome
    return to_text(outcome.value)


def failure(text: str, environment: Environment | None = None, name: str = "test.rtfs") -> UserError:
    """The error of a program."""
    with pytest.raises(UserError) as caught:
        printed(text, environment, name)
    return caught.value


def carets(error: UserError) -> str:
    """The stretch of text that an error points at."""
    assert error.span is not None
    return error.span.text


def compilations(monkeypatch: pytest.MonkeyPatch, what: Callable[[Source], str]) -> list[str]:
    """A list that fills with what is said of each source that is compiled, not loaded."""
    seen: list[str] = []
    real = compile.compile_unit

    def noting(source: Source, *rest: object) -> object:
        seen.append(what(source))
        return real(source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(compile, "compile_unit", noting)
    return seen
