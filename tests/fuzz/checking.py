"""What every program must do, whatever it is: give a value that prints, or a `UserError` that can be shown."""

from __future__ import annotations

import contextlib
import io

import rtfs
from rtfs.syntax.diagnostics import render

LIMITS = rtfs.Limits(steps=60_000, depth=3_000, seconds=5)
SECONDS = 30
"""A program that takes longer, limits and all, hangs."""


class Finding(AssertionError):
    """A program that does something else."""


def outcome(program: str) -> str:
    """Run a program in a runtime of its own: the code of its error, or "value". Raises Finding."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard), rtfs.Runtime(limits=LIMITS) as runtime:
        try:
            value = runtime.run(program)
        except rtfs.UserError as error:
            problem = _trouble(error)
            if problem is not None:
                raise Finding(f"its error cannot be shown: {problem!r}") from problem
            return error.code
        except BaseException as problem:
            raise Finding(f"{type(problem).__name__}: {problem}") from problem
        try:
            rtfs.to_text(value)
        except rtfs.UserError as error:
            return error.code
        except Exception as problem:
            raise Finding(f"its value cannot be printed: {problem!r}") from problem
    return "value"


def _trouble(error: rtfs.UserError) -> Exception | None:
    """What is wrong with an error as people see it."""
    try:
        if not (render(error).startswith("error ") and error.code and error.message):
            raise ValueError(f"it says too little: {error!r}")
        span = error.span
        if span is not None and not 0 <= span.start <= span.end <= len(span.source.text):
            raise ValueError(f"its place is none: {span!r}")
    except Exception as problem:
        return problem
    return None
