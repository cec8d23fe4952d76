"""What every program must do, whatever it is: give a value that prints, or a `UserError` that can be shown.

And what the compiler inlines must answer as the function does that it stands for.
"""

from __future__ import annotations

import contextlib
import io
import re

import rtfs
from rtfs.syntax.diagnostics import render

LIMITS = rtfs.Limits(steps=60_000, depth=3_000, seconds=5)
isolation: str | None = None
"""Where programs run: "process" for worker processes."""
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
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard), _runtime() as runtime:
        runtime.register("test.echo", lambda *arguments: arguments[0] if arguments else None)
        try:
            value = runtime.run(program, check=check)
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


def _runtime() -> rtfs.Runtime:
    return rtfs.Runtime(limits=LIMITS, isolation=isolation)


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
