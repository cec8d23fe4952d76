"""Type annotations in binding vectors: `x : T`, `x :T`, `x:T`, and the return type of a function.

Knows nothing of what types check. Invariant: a binding vector is cut into (pattern, type or None, …) before any name is
bound, so each binding form has one rule for where a type may be.
"""

from __future__ import annotations

from rtfs.values import Keyword, Symbol
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    IsType = Callable[[Any], bool]


class Absent:
    """No annotation (nil is itself a type)."""


ABSENT = Absent()


def is_colon(form: Any) -> bool:
    return form.__class__ is Symbol and form.name == ":"


def split_name(form: Any) -> tuple[Any, Any]:
    """Split `x:T` written as one symbol: (symbol, type form or ABSENT); `x:` returns (symbol, None), since its type
    follows."""
    if form.__class__ is Symbol and ":" in form.name and form.name != ":" and "/" not in form.name:
        name, _, type_name = form.name.partition(":")
        if name:
            return Symbol(name, form.info), Symbol(type_name) if type_name else None
    return form, ABSENT


def parameters(items: list[Any]) -> list[tuple[Any, Any]]:
    """Cut a parameter vector into (pattern or `&`, type or ABSENT). A keyword is always a type here."""
    found: list[tuple[Any, Any]] = []
    for pattern in items:
        kind = pattern.__class__
        if kind is Keyword or (kind is Symbol and (":" in pattern.name or "=" in pattern.name)):
            break
        found.append((pattern, ABSENT))
    else:
        return found
    found = []
    index = 0
    count = len(items)
    while index < count:
        pattern, type_form = items[index], ABSENT
        if pattern.__class__ is Symbol and ":" in pattern.name:
            pattern, type_form = split_name(pattern)
        index += 1
        if type_form is None or (type_form is ABSENT and index < count and is_colon(items[index])):
            index += type_form is ABSENT
            if index >= count:
                raise CompileError("form/shape", "a type is missing after `:`")
            type_form = items[index]
            index += 1
        elif type_form is ABSENT and index < count and items[index].__class__ is Keyword:
            type_form = items[index]
            index += 1
        if pattern.__class__ is Symbol and 0 < pattern.name.find("=") < len(pattern.name) - 1:
            name, _, value = pattern.name.partition("=")
            hint = f"write an arity for it: (defn f ([] (f {value})) ([{name}] …))"
            raise CompileError("form/shape", f"`{pattern.name}`: parameters have no default values", hint=hint)
        if is_colon(pattern) or pattern.__class__ is Keyword:
            raise CompileError("form/shape", f"a type `{pattern}` appears where a parameter should")
        found.append((pattern, type_form))
    return found


def pairs(items: list[Any], what: str, is_type: IsType) -> list[tuple[Any, Any, Any]]:
    """Cut a `let` or `loop` vector into (pattern, type or ABSENT, value form).

    A bare keyword after a pattern is a type only where the vector does not read as pairs.
    """
    found = _untyped_pairs(items)
    if found is None:
        found = _pairs(items, None)
    if found is None:
        found = _pairs(items, is_type)
    if found is None:
        raise CompileError(
            "form/shape",
            f"the binding vector of `{what}` pairs patterns with values; one has no value",
            hint=f"({what} [name value …] body …)",
        )
    return found


def _untyped_pairs(items: list[Any]) -> list[tuple[Any, Any, Any]] | None:
    """The pairs of a vector without types, as most are; None for any other."""
    if len(items) % 2:
        return None
    found: list[tuple[Any, Any, Any]] = []
    for pattern, value in zip(items[::2], items[1::2], strict=True):
        if is_colon(value) or (pattern.__class__ is Symbol and ":" in pattern.name):
            return None
        found.append((pattern, ABSENT, value))
    return found


def _pairs(items: list[Any], is_type: IsType | None) -> list[tuple[Any, Any, Any]] | None:
    found: list[tuple[Any, Any, Any]] = []
    index = 0
    count = len(items)
    while index < count:
        pattern, type_form = items[index], ABSENT
        if pattern.__class__ is Symbol and ":" in pattern.name:
            pattern, type_form = split_name(pattern)
        index += 1
        after = items[index] if index < count else None
        if type_form is None or (type_form is ABSENT and after.__class__ is Symbol and after.name == ":"):
            index += type_form is ABSENT
            if index >= count:
                return None
            type_form = items[index]
            index += 1
        elif (
            type_form is ABSENT
            and is_type is not None
            and index + 1 < count
            and items[index].__class__ is Keyword
            and is_type(items[index])
        ):
            type_form = items[index]
            index += 1
        if index >= count:
            return None
        found.append((pattern, type_form, items[index]))
        index += 1
    return found


def return_type(forms: list[Any], is_type: IsType) -> tuple[Any, list[Any]]:
    """The return type after a parameter vector, if there is one, and the forms of the body."""
    first = forms[0] if forms else None
    if first.__class__ is Symbol and is_colon(first):
        if len(forms) < 2:
            raise CompileError("form/shape", "a type is missing after `:`")
        return forms[1], forms[2:]
    if first.__class__ is Keyword and len(forms) >= 2 and is_type(first):
        return first, forms[1:]
    return ABSENT, forms
