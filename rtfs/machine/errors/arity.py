"""A call with the wrong number of arguments: CPython's words for it, and the function that was meant.

Knows nothing of places in a text but how to find one. Invariant: what is said of a function (how many arguments it
takes, how it is written, where it is defined) comes from its declaration or its code, never from guessing.
"""

from __future__ import annotations

from rtfs.compiler.closures.frames import globals_of, is_closure, locals_of
from rtfs.compiler.mangling import REST_MARK, global_name, plain_name
from rtfs.values.error import EvalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from rtfs.compiler.units.unit import Unit

    Units = dict[str, Unit]

CO_VARARGS = 0x04
SHOWN = 60
"""Characters of a signature that are shown."""


def wrong_count(error: TypeError, text: str, units: Units) -> EvalError | None:
    """The RTFS error for a message of CPython; None for any other message."""
    head, parenthesis, rest = text.partition("() ")
    if parenthesis and rest.startswith("takes "):
        # "takes 2 positional arguments but 3 were given", "takes from 1 to 2 positional arguments but 3 were given"
        wanted, _, given = rest.removeprefix("takes ").partition(" positional argument")
        least, _, most = wanted.removeprefix("from ").partition(" to ")
        found = _arity(head, int(least), int(most or least), given.partition("but ")[2].split(" ", 1)[0])
    elif parenthesis and rest.startswith("missing "):
        # "missing 1 required positional argument: 'y'"
        missing = int(rest.removeprefix("missing ").split(" ", 1)[0])
        count = _given(error)
        if count is None:
            few = f"{missing} argument{'' if missing == 1 else 's'}"
            found = EvalError("arity", f"`{_function_name(head)}` is called with {few} too few")
        else:
            found = _arity(head, count + missing, _most(head, text, count + missing), str(count))
    else:
        return None
    _describe(found, error, head, units)
    return found


def _arity(head: str, least: int, most: int | None, given: str) -> EvalError:
    """The error of a call with the wrong number of arguments."""
    return EvalError("arity", takes(_function_name(head), least, most, given))


def takes(name: str, least: int, most: int | None, given: int | str) -> str:
    """The number of arguments that a function takes and the number that it got, in words. most: None for no upper
    limit."""
    if least == most:
        wanted = str(least) if least else "no"
    else:
        wanted = f"{least} or more" if most is None else f"{least} {'or' if most == least + 1 else 'to'} {most}"
    plural = "" if wanted == "1" else "s"
    return f"`{name}` takes {wanted} argument{plural}, got {given}"


def _function_name(head: str) -> str:
    """RTFS name of a function from Python's qualified one."""
    inner = head.rpartition(".<locals>.")[2] if "<locals>" in head else head
    return plain_name(inner) or "fn"


def _given(error: TypeError) -> int | None:
    """The number of arguments of the call that raised. CPython's message names only the missing ones; the bytecode has
    the number. None if it cannot be found."""
    traceback = error.__traceback__
    if traceback is None:
        return None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    from opcode import EXTENDED_ARG, opmap

    code, at = traceback.tb_frame.f_code.co_code, traceback.tb_lasti
    if code[at] != opmap["CALL"]:
        unpacked = traceback.tb_frame.f_locals.get("args")  # see rtfs.builtins.calling
        return len(unpacked) if unpacked is not None else None
    more = code[at - 1] if at >= 2 and code[at - 2] == EXTENDED_ARG else 0
    return code[at + 1] | more << 8


def _most(head: str, text: str, least: int) -> int | None:
    """The most arguments a function takes that wants `least`. The last fixed parameter of a compiled function with a
    rest parameter ends in `&`; its other parameters have a blank in them, which those of builtins have not."""
    quoted = text[:-1]
    last = quoted[max(quoted.rfind("'"), quoted.rfind('"')) + 1 :]
    if " " in last:
        return None if last.endswith(REST_MARK) else least
    from rtfs.builtins import CORE

    function = CORE.get(head)
    if function is None:
        return least
    code = function.__code__
    return None if code.co_flags & CO_VARARGS else int(code.co_argcount)


# ---------------------------------------------------------------------- the function that was meant
def _describe(found: EvalError, error: TypeError, head: str, units: Units) -> None:
    """Say how the function is called, and where it is defined."""
    code = _code_of(error.__traceback__, head, units)
    name = _function_name(head)
    if code is None:
        from rtfs.builtins.declare import REGISTRY

        declared = REGISTRY.get(head)
        if declared is not None:
            found.hint = f"write {declared.signature}"
        return
    parameters = [plain_name(one) for one in code.co_varnames[: code.co_argcount]]
    if code.co_flags & CO_VARARGS:
        parameters += ["&", plain_name(code.co_varnames[code.co_argcount])]
    shown = " ".join(parameters)
    if len(shown) <= SHOWN:
        found.hint = f"the function takes [{shown}]" if name == "fn" else f"write ({' '.join((name, *parameters))})"
    span = units[code.co_filename].span(code.co_firstlineno - 1)
    if span is not None and not span.source.name.startswith("stdlib/"):
        found.notes += (("the function is written here" if name == "fn" else f"`{name}` is defined here", span),)


def _code_of(traceback: Any, head: str, units: Units) -> CodeType | None:
    """The code of the compiled function of that qualified name, looked for where the call was made: among the
    variables, the module's names, the functions written there."""
    frames = []
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    key = global_name(_function_name(head))
    found: set[CodeType] = set()
    for frame in reversed(frames[-10:]):
        candidates = [*frame.f_locals.values()]
        if is_closure(frame):
            candidates += [*locals_of(frame).values(), globals_of(frame).get(key)]
        if frame.f_code.co_filename in units:
            candidates.append(frame.f_globals.get(key))
            candidates += frame.f_code.co_consts
        for candidate in candidates:
            code = getattr(candidate, "__code__", candidate)
            if code.__class__ is _CODE and code.co_filename in units and code.co_qualname == head:
                found.add(code)
        if found:
            break
    return found.pop() if len(found) == 1 else None


_CODE = _arity.__code__.__class__
