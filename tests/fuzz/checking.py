"""What every program must do, whatever it is: give a value that prints, or a `UserError` that can be shown.

Inlined code must return the same as the function that it replaces.
"""

from __future__ import annotations

import contextlib
import io
import re

import rtfs
from rtfs.syntax.diagnostics import render

LIMITS = rtfs.Limits(steps=60_000, depth=3_000, seconds=5)
SECONDS = 30
"""A program that takes longer, limits and all, hangs."""

_INLINED = re.compile(
    r"\((\+|-|\*|/|<=?|>=?|=|!=|not=|not|mod|rem|quot|inc|dec|zero\?|pos\?|neg\?|even\?|odd\?|nil\?|some\?|str|count|first"
    r"|second|last|rest|nth|conj|assoc|min|max|abs|vector\?|map\?|string\?|int\?|number\?|keyword\?|empty\?|map|filter|remove|keep"
    r"|reduce|mapcat|map-indexed|every\?|any\?|some|sum|range|vec|apply|update|contains\?|concat|merge|keys|vals)(?=[\s)])"
)
_CODE_AS_DATA = re.compile(r"['`]|quote|defmacro|macroexpand|case|match|->|identity|deftype|random|time|thread|step|&")
_ANOTHER_EACH_TIME = re.compile(r"rand|shuffle|time|now|uuid|gensym|thread|run-id")


class Finding(AssertionError):
    """A program that does something else."""


def outcome(program: str) -> str:
    """Run a program in a runtime of its own: the code of its error, or "value". Raises Finding."""
    return _run(program)[0]


def _run(program: str, check: bool = True) -> tuple[str, str]:
    """(code or "value", printed value). check: whether the program is looked at before it runs."""
    with rtfs.Runtime(limits=LIMITS) as runtime:
        runtime.register("test.echo", lambda *arguments: arguments[0] if arguments else None)
        return _checked(runtime, program, check=check)


def _checked(runtime: rtfs.Runtime, program: str, **options: bool) -> tuple[str, str]:
    """(code or "value", printed value) of a program in a runtime. Raises Finding."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard):
        try:
            value = runtime.run(program, **options)
        except rtfs.UserError as error:
            if error.code == "run/crashed":
                raise Finding(f"its worker process ends: {error.message}") from error
            problem = _trouble(error)
            if problem is not None:
                raise Finding(f"its error cannot be shown: {problem!r}") from problem
            return error.code, ""
        except BaseException as problem:
            raise Finding(f"{type(problem).__name__}: {problem}") from problem
        try:
            return "value", rtfs.to_text(value)
        except rtfs.UserError as error:
            return error.code, ""
        except Exception as problem:
            raise Finding(f"its value cannot be printed: {problem!r}") from problem


class Series:
    """Programs one after the other in one worker process, each of which sees only what was there before the first: a
    process for each would take ten times as long as the program. What a program comes to is checked as in `outcome`."""

    BATCH = 1_000
    """Programs after which the worker is replaced."""

    def __init__(self) -> None:
        self._left = 0
        self._runtime: rtfs.Runtime | None = None

    def outcome(self, program: str) -> str:
        """Run a program: the code of its error, or "value". Raises Finding."""
        if self._left == 0 or self._runtime is None:
            self.close()
            self._runtime, self._left = rtfs.Runtime(limits=LIMITS, isolation="process"), self.BATCH
            self._runtime.register("test.echo", lambda *arguments: arguments[0] if arguments else None)
            self._runtime.run("(def series 1)")  # the worker with this definition gets all later programs
        self._left -= 1
        try:
            return _checked(self._runtime, program, keep=False)[0]
        except Finding:
            self.close()
            raise

    def close(self) -> None:
        """End the worker."""
        if self._runtime is not None:
            self._runtime.close()
            self._runtime = None


def _trouble(error: rtfs.UserError) -> Exception | None:
    """What is wrong with an error as people see it."""
    try:
        message = error.message or error.code == "user/error"  # a program may throw an empty text
        if not (render(error).startswith("error ") and error.code and message):
            raise ValueError(f"it says too little: {error!r}")
        span = error.span
        if span is not None and not 0 <= span.start <= span.end <= len(span.source.text):
            raise ValueError(f"its place is none: {span!r}")
    except Exception as problem:
        return problem
    return None


def agree(program: str) -> str:
    """Run a program, and once more with its calls of standard functions made opaque to the compiler: `(+ 1 2)` as
    `((identity +) 1 2)`. Both must come to the same. Gives the outcome. Raises Finding.

    The two are not checked before they run: of several errors the check reports the first that it can prove, and it
    cannot see through `identity`. What a check lets through must come to what it comes to unchecked."""
    checked, checked_value = _run(program)
    code, value = _run(program, check=False)
    same = (code, value) == (checked, checked_value) or "#<" in value or "limit" in code
    if checked == "value" and not same and not _ANOTHER_EACH_TIME.search(program):
        raise Finding(f"checked it comes to {checked} {checked_value[:80]}, unchecked to {code} {value[:80]}")
    if _CODE_AS_DATA.search(program) or not _INLINED.search(program):
        return code
    other_code, other_value = _run(_INLINED.sub(r"((identity \1)", program), check=False)
    # an operand may be an unknown name, another one of the wrong kind: which is met first is not part of the language
    if code != other_code and "limit" not in code + other_code and "undefined" not in (code, other_code):
        raise Finding(f"inlined it comes to {code}, called to {other_code}")
    if code == other_code and value != other_value and "#<" not in value:
        raise Finding(f"inlined it gives {value[:80]}, called {other_value[:80]}")
    return code
