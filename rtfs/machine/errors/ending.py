"""The error that a machine ends with: translated and placed, and without what its program held.

Knows nothing of greenlets. Invariant: others have their turn while what a dead program held is freed.
"""

from __future__ import annotations

from rtfs.machine import memory, remains
from rtfs.machine.errors.deep import let_go_of_calls
from rtfs.machine.errors.translate import translate
from rtfs.values.error import LimitError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.compiler.units.unit import Unit


def ended_with(error: BaseException, units: dict[str, Unit], much: bool, rest: Callable[[], None]) -> BaseException:
    """The error for an exception that ended a program. much: whether the program held so much that freeing it takes
    long. rest: called now and then meanwhile."""
    found = translate(error, units, leaving=True, rest=rest)
    if not isinstance(found, UserError):
        return found
    held = remains.of_traceback(error.__traceback__) if much else []
    is_memory = found.__class__ is LimitError and found.code == "limit/memory"
    if is_memory:
        rest()
        _let_go(error)
        _let_go(found)
    else:
        let_go_of_calls(error, found, rest)
        if held:
            error.__traceback__ = found.__traceback__ = None
    for _ in remains.freed(held):
        rest()
    if is_memory:
        rest()
        memory.give_back(rest)
    return found


def _let_go(error: BaseException | None) -> None:
    """Free what a dead program held: its frames are kept alive by the tracebacks of what ended it."""
    while error is not None:
        error.__traceback__ = None
        error.__context__, error = None, error.__context__
