"""Calling a guest function with arguments held in a list, from a Python frame.

A call spelled `f(*args)` goes through C on some Python versions and eats C stack; up to eight arguments are spelled
out instead. Must not know what is called.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def call_with(f: Any, args: Sequence[Any]) -> Any:
    """`f` applied to the elements of `args` (anything with `len` and `[i]`).

    Raises `type/not-callable` if `f` cannot be called, and whatever `f` raises.
    """
    n = len(args)
    if not callable(f):
        raise not_callable(f)
    if n == 1:
        return f(args[0])
    if n == 2:
        return f(args[0], args[1])
    if n == 0:
        return f()
    if n == 3:
        return f(args[0], args[1], args[2])
    if n == 4:
        return f(args[0], args[1], args[2], args[3])
    if n == 5:
        return f(args[0], args[1], args[2], args[3], args[4])
    if n == 6:
        return f(args[0], args[1], args[2], args[3], args[4], args[5])
    if n == 7:
        return f(args[0], args[1], args[2], args[3], args[4], args[5], args[6])
    if n == 8:
        return f(args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7])
    return f(*args)


def not_callable(value: Any) -> Any:
    """`type/not-callable`: the error of calling what is no function, keyword, map or vector."""
    from rtfs.builtins.checks import shown
    from rtfs.values import TypeMismatch

    return TypeMismatch(
        "type/not-callable", f"{shown(value)} cannot be called", hint="functions, keywords, maps and vectors can"
    )
