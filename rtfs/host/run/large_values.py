"""Work of the host on a value that may be as large as a program made it: in a machine, which looks at the clock and the
memory and lets others have their turn.

Must not know calls. Invariant: of a small value only its parts are looked at.
"""

from __future__ import annotations

from rtfs.host.scheduler.suspensions import Turn
from rtfs.machine.limits import WORK_LIMITS
from rtfs.machine.machine import start_work
from rtfs.machine.outcome import RequiresHost
from rtfs.values import List, Map, Set, Vector
from rtfs.values.short_vector import ShortVector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.host.run.frame import Run
    from rtfs.machine.outcome import Outcome

LARGE = 20_000
"""Parts of a value, or characters by the hundred, that take some milliseconds to go through."""
_CHARACTERS = 100
_COLLECTIONS: frozenset[type] = frozenset((Vector, ShortVector, List, Map, Set, dict, list, tuple))
"""Classes as `type` tells them: a short vector says that it is a Vector."""
FEW = 16
"""Parts of a collection that are looked at one by one; of more, their classes are looked at first."""


def is_large(value: Any) -> bool:
    """Whether others should have their turn while the host goes through a value, RTFS's or Python's. Asked only about
    the values of runs that give others their turn."""
    kind = value.__class__
    if kind is str:
        return len(value) > LARGE * _CHARACTERS
    return kind in _COLLECTIONS and _is_large(value)


def _is_large(collection: Any) -> bool:
    left = LARGE
    pending = [collection]
    while pending:
        one = pending.pop()
        size = len(one)
        left -= size
        if left < 0:
            return True
        kind = one.__class__
        if kind is Map or kind is dict:
            entries = one if kind is dict else one.raw()
            parts: Any = [*entries, *entries.values()]
        else:
            parts = one if kind is tuple or kind is list else one.to_list()
        if size <= FEW:
            for part in parts:
                kind = part.__class__
                if kind is str:
                    left -= len(part) // _CHARACTERS
                elif kind in _COLLECTIONS:
                    pending.append(part)
        else:
            kinds = {*map(type, parts)}
            if not kinds.isdisjoint(_COLLECTIONS):
                pending += [part for part in parts if part.__class__ in _COLLECTIONS]
            if str in kinds:
                left -= sum([len(part) for part in parts if part.__class__ is str]) // _CHARACTERS
        if left < 0:
            return True
    return False


async def in_turns(run: Run, work: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function of the host, which may take as long as a value is large. It has the time and the memory
    of the run, and takes none of its steps. Raises what the function raises, and LimitError."""
    return await finished(start_work(run.environment, work, arguments, WORK_LIMITS, run.breathe, run.budget))


async def finished(outcome: Outcome) -> Any:
    """The result of work that a machine does, which asks its host for nothing but turns for others."""
    while outcome.__class__ is RequiresHost:
        await Turn()
        outcome = outcome.resume(None)
    return outcome.value  # type: ignore[union-attr]
