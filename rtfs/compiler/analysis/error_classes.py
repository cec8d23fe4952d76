"""The errors that a `catch` matches, by class or by code, and the code of an error that a program makes by class.

Knows nothing of syntax. Invariant: `CATCH_CLASSES` is the whole list; a class not in it cannot be written. Java's and
Clojure's classes are known by their last name, so that `java.lang.Exception` is `Exception`.
"""

from __future__ import annotations

from rtfs.values.error import CompileError

_LANGUAGE = ("type", "arity", "undefined", "arithmetic", "index", "match", "argument", "regex", "json", "user")
_HOST = ("capability", "policy", "session")
_NEVER = ()
"""Classes of errors that no program may catch (limits, cancellation) or that cannot happen."""

# class -> areas of codes it takes; None takes all
CATCH_CLASSES: dict[str, tuple[str, ...] | None] = {
    "Exception": None,
    "Error": None,
    "Throwable": None,
    "RuntimeError": _LANGUAGE,
    "RuntimeException": _LANGUAGE,
    "ExceptionInfo": ("user",),
    "IExceptionInfo": ("user",),
    "HostError": _HOST,
    "ValidationError": ("type",),
    "TypeError": ("type",),
    "ClassCastException": ("type",),
    "NullPointerException": ("type",),
    "ArithmeticException": ("arithmetic",),
    "DivisionByZero": ("arithmetic/div-by-zero",),
    "IndexOutOfBounds": ("index",),
    "IndexOutOfBoundsException": ("index",),
    "ArrayIndexOutOfBoundsException": ("index",),
    "StringIndexOutOfBoundsException": ("index",),
    "IllegalArgumentException": ("argument", "arity", "match"),
    "NumberFormatException": ("argument/number-format",),
    "ArityException": ("arity",),
    "IllegalStateException": ("user/illegal-state",),
    "UnsupportedOperationException": ("user/unsupported-operation",),
    "AssertionError": ("user/assertion",),
    "NoSuchElementException": ("index",),
    "PatternSyntaxException": ("regex",),
    "IOException": _HOST,
    "FileNotFoundException": _HOST,
    "UncheckedIOException": _HOST,
    "TimeoutException": _HOST,
    "UndefinedSymbol": ("undefined",),
    "MatchError": ("match",),
    "InterruptedException": _NEVER,
    "CancellationException": _NEVER,
    "StackOverflowError": _NEVER,
    "OutOfMemoryError": _NEVER,
}

_MADE: dict[str, str] = {
    "ClassCastException": "type/mismatch",
    "NullPointerException": "type/mismatch",
    "TypeError": "type/mismatch",
    "ValidationError": "type/mismatch",
    "ArithmeticException": "arithmetic/not-finite",
    "DivisionByZero": "arithmetic/div-by-zero",
    "IndexOutOfBounds": "index/out-of-bounds",
    "IndexOutOfBoundsException": "index/out-of-bounds",
    "ArrayIndexOutOfBoundsException": "index/out-of-bounds",
    "StringIndexOutOfBoundsException": "index/out-of-bounds",
    "NoSuchElementException": "index/out-of-bounds",
    "IllegalArgumentException": "argument/invalid",
    "NumberFormatException": "argument/number-format",
    "IllegalStateException": "user/illegal-state",
    "UnsupportedOperationException": "user/unsupported-operation",
    "AssertionError": "user/assertion",
}
"""Class → code of the errors that its constructor makes; of any other class `user/error`."""


def known_class(name: str) -> str | None:
    """The class that a name, dotted or not, means; None if there is none."""
    last = name.rpartition(".")[2].rpartition("$")[2]
    return last if last in CATCH_CLASSES else None


def reads_as_class(name: str) -> bool:
    """Whether a symbol is written as a class is: its last part with a capital."""
    return name.rpartition(".")[2][:1].isupper()


def made_code(name: str) -> str:
    """The code of an error that `(Name. "message")` makes."""
    return _MADE.get(name, "user/error")


def code_fits(code: str, prefix: str) -> bool:
    """`type` fits `type/mismatch`; `type/mis` does not."""
    return code == prefix or (code.startswith(prefix) and code[len(prefix)] == "/")


def catches(code: str, kind: str, name: str) -> bool:
    """True if a handler written for (`class` | `code`, name) takes an error of `code`.

    A code thrown by a program itself (`(throw {:code :x})`) is of class RuntimeError and ExceptionInfo too.
    """
    if kind == "code":
        return code_fits(code, name)
    areas = CATCH_CLASSES[name]
    if areas is None:
        return True
    if areas is _LANGUAGE:
        return not any(code_fits(code, area) for area in _HOST)
    if areas == ("user",):
        return not any(code_fits(code, area) for area in (*_LANGUAGE[:-1], *_HOST))
    return any(code_fits(code, area) for area in areas)


def error_class(name: str) -> str:
    """The class of errors that a name means. Raises CompileError `form/shape` if there is none."""
    found = known_class(name)
    if found is None:
        listed = ", ".join(sorted(CATCH_CLASSES))
        raise CompileError("form/shape", f"`{name}` is not a class of errors", hint=f"classes: {listed}")
    return found
