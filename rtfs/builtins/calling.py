"""Calling a guest function with arguments held in a list, from a Python frame.

A call written `f(*args)` goes through C on some Python versions and uses C stack; so the arguments are written out, by
a generated function if there are many. Must not know what is called. Invariant: calls that do go through C are counted,
so that recursion through them ends before the C stack does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


# CPython's compiler packs the arguments of larger calls, so spelling them out would not help.
MOST_SPELLED = 30
MOST_NESTED = 200
CALLABLE_HINT = "only functions, keywords, maps and vectors can be called; quote a list of data: '(1 2)"


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
    return _spelled(n)(f, args) if n <= MOST_SPELLED else _unpacked(f, args)


def _spelled(n: int) -> Any:
    """A Python function that calls its first argument with the `n` elements of its second, spelled out."""
    made = _CALLS.get(n)
    if made is None:
        arguments = ", ".join(f"a[{index}]" for index in range(n))
        made = _CALLS[n] = eval(f"lambda f, a: f({arguments})")
    return made


def _unpacked(f: Any, args: Sequence[Any]) -> Any:
    """A call through C. Recursion through it ends long before the C stack does."""
    global _nested
    if _nested >= MOST_NESTED:
        from rtfs.values import LimitError

        raise LimitError(
            "limit/depth",
            f"more than {MOST_NESTED} calls with over {MOST_SPELLED} arguments each are nested",
            hint="pass a list instead of so many arguments",
        )
    _nested += 1
    try:
        return f(*args)
    finally:
        _nested -= 1


_CALLS: dict[int, Any] = {}
_nested = 0


def not_callable(value: Any) -> Any:
    """`type/not-callable`: the error of calling what is not a function, keyword, map or vector."""
    from rtfs.builtins.argument_errors import shown
    from rtfs.values import TypeMismatch

    return TypeMismatch(
        "type/not-callable",
        f"{shown(value)} cannot be called",
        hint=CALLABLE_HINT,
    )
