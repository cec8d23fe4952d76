"""The arguments of the bundled capabilities: by position, or as one map with keyword keys.

Must not know any particular capability. Invariant: what comes out has exactly one value a name, and whatever is
missing, too much or of the wrong kind is an error that names the capability and the argument.
"""

from __future__ import annotations

from rtfs.values import EvalError, HostError, Keyword, Map, TypeMismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def take(id: str, arguments: tuple[Any, ...], names: tuple[str, ...], required: int) -> list[Any]:
    """The arguments by position, None for those not given. A single map whose keys are all among `names` is spread."""
    if len(arguments) == 1 and arguments[0].__class__ is Map:
        given = {_name(key): value for key, value in arguments[0].items()}
        if set(given) <= set(names) and (given or required == 0):
            values = [given.get(name) for name in names]
            _complete(id, names, required, [name in given for name in names])
            return values
    if len(arguments) > len(names):
        raise EvalError(
            "arity", f'"{id}" takes at most {len(names)} arguments ({" ".join(names)}), not {len(arguments)}'
        )
    _complete(id, names, required, [index < len(arguments) for index in range(len(names))])
    return [*arguments, *[None] * (len(names) - len(arguments))]


def text(id: str, name: str, value: Any) -> str:
    """`value`, if it is a string (a keyword counts as its name); else TypeMismatch."""
    if value.__class__ is Keyword:
        return str(value.name)
    if value.__class__ is not str:
        raise wrong(id, name, "a string", value)
    return str(value)


def number(id: str, name: str, value: Any) -> float:
    """`value`, if it is a finite number from 0; else an error."""
    if value.__class__ not in (int, float):
        raise wrong(id, name, "a number", value)
    if not 0 <= value < float("inf"):
        raise EvalError("argument/range", f'"{id}": {name} is a number from 0, not {value}')
    return float(value)


def wrong(id: str, name: str, expected: str, value: Any) -> TypeMismatch:
    """The error of an argument of the wrong kind."""
    from rtfs.values.kinds import type_name

    return TypeMismatch("type/mismatch", f'"{id}" needs {expected} as {name}, but got {_a(type_name(value))}')


def failure(message: str, error: OSError) -> HostError:
    """The error of a system call that failed, in words."""
    return HostError(f"{message}: {(error.strerror or type(error).__name__).lower()}", code="capability/failed")


def _a(kind: str) -> str:
    return kind if kind == "nil" else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _name(key: Any) -> Any:
    return key.name if key.__class__ is Keyword else key


def _complete(id: str, names: tuple[str, ...], required: int, given: list[bool]) -> None:
    missing = [name for name, there in zip(names[:required], given, strict=False) if not there]
    if missing:
        raise EvalError("arity", f'"{id}" needs {" and ".join(missing)}')
