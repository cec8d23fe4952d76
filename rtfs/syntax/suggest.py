"""“Did you mean”: the known name that a mistyped one most resembles. Knows nothing of the meaning of the names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 64


def did_you_mean(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate nearest to `name`, or None if none is near: up to a third of its letters missing, added, changed
    or swapped with their neighbour. Of equally near ones the first in alphabetical order."""
    if not name or len(name) > _LONGEST:
        return None
    most = max(1, len(name) // 3)
    best: tuple[int, str] | None = None
    lowered = name.lower()
    for candidate in candidates:
        if candidate == name or abs(len(candidate) - len(name)) > most:
            continue
        if candidate.lower() == lowered:
            cost = 0
        else:
            cost = _distance(name, candidate, most)
        # A two-letter name with one other letter is a different name, not a typing mistake.
        if cost <= most and cost < len(name) and (best is None or (cost, candidate) < best):
            best = (cost, candidate)
    if best is None or (len(name) <= 2 and best[0] > 0 and len(best[1]) <= 2):
        return None
    return best[1]


def _distance(a: str, b: str, most: int) -> int:
    """Edits (insertion, deletion, change, swap of neighbours) from `a` to `b`; any number above `most` if more."""
    before: list[int] = []
    previous = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        current = [i]
        for j, right in enumerate(b, 1):
            cost = min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > most:
            return most + 1
        before, previous = previous, current
    return previous[-1]
