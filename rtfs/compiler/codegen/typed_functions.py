"""Functions that keep to a type `[:fn [T…] R]`: their arguments and their result are checked at each call.

Knows nothing of where the type is written. Invariant: a function is wrapped once for each type, however often it passes
a place of that type, so that recursion that hands it on makes no chain of wrappers.
"""

from __future__ import annotations

from rtfs.builtins.calling import call_with
from rtfs.values.error import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.types.basic import FnType


def typed(type: FnType, function: Any, what: str) -> Any:
    """`function`, checked against `type` at each call. what: names it in errors.

    Calls raise EvalError `arity` and TypeMismatch for what the type does not allow.
    """
    known: tuple[FnType, ...] = getattr(function, "types", ())
    if type in known:
        return function
    if what == "the result":
        what = "the returned function"
    parameters, rest, result = type.params, type.rest, type.result
    least = len(parameters)

    def call(*arguments: Any) -> Any:
        count = len(arguments)
        if count != least and (rest is None or count < least):
            plural = "" if least == 1 and rest is None else "s"
            wanted = f"{least}{'' if rest is None else ' or more'} argument{plural}"
            raise EvalError("arity", f"{what} is a function of {wanted} by its type, got {count}")
        checked = []
        for number, argument in enumerate(arguments, 1):
            expected = parameters[number - 1] if rest is None or number <= least else rest
            checked.append(expected.check(argument, f"argument {number} of {what}"))
        return result.check(call_with(function, checked), f"the result of {what}")

    call.__name__ = call.__qualname__ = getattr(function, "__name__", "fn")
    call.types = (*known, type)  # type: ignore[attr-defined]
    return call
