"""Which errors a `catch` takes: classes by name, codes by prefix.

Knows nothing of syntax. Invariant: `CATCH_CLASSES` is the whole list; a class not in it cannot be written.
"""

from __future__ import annotations

_LANGUAGE = ("type", "arity", "undefined", "arithmetic", "index", "match", "argument", "regex", "json", "user")
_HOST = ("capability", "policy", "session")

# class -> areas of codes it takes; None takes all
CATCH_CLASSES: dict[str, tuple[str, ...] | None] = {
    "Exception": None,
    "Error": None,
    "Throwable": None,
    "RuntimeError": _LANGUAGE,
    "RuntimeException": _LANGUAGE,
    "HostError": _HOST,
    "ValidationError": ("type",),
    "TypeError": ("type",),
    "ArithmeticException": ("arithmetic",),
    "DivisionByZero": ("arithmetic/div-by-zero",),
    "IndexOutOfBounds": ("index",),
    "IndexOutOfBoundsException": ("index",),
    "IllegalArgumentException": ("argument", "arity"),
    "UndefinedSymbol": ("undefined",),
    "MatchError": ("match",),
}


def code_fits(code: str, prefix: str) -> bool:
    """`type` fits `type/mismatch`; `type/mis` does not."""
    return code == prefix or (code.startswith(prefix) and code[len(prefix)] == "/")


def catches(code: str, kind: str, name: str) -> bool:
    """True if a handler written for (`class` | `code`, name) takes an error of `code`.

    A code thrown by a program itself (`(throw {:code :x})`) is of class RuntimeError too.
    """
    if kind == "code":
        return code_fits(code, name)
    areas = CATCH_CLASSES[name]
    if areas is None:
        return True
    if areas is _LANGUAGE:
        return not any(code_fits(code, area) for area in _HOST)
    return any(code_fits(code, area) for area in areas)
