"""Names of queues, made of versions and labels; they decide which worker may advance which run.

Must not know databases. Invariants: a run stays with the versions that it began with, since a replay depends on them; a
worker serves exactly the runs whose labels it has.
"""

from __future__ import annotations

from itertools import combinations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LABELS = 8
"""Labels of one worker: it listens to a queue for each set of them."""
LONGEST_LABEL = 20
PRIORITIES = range(-20, 21)


def check_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in order, each once. Raises HostError `argument/invalid`."""
    found = tuple(sorted(set(labels)))
    for label in found:
        if not label.replace("-", "").replace("_", "").isalnum() or len(label) > LONGEST_LABEL or not label.isascii():
            raise HostError(
                f"{label!r} is not a label: at most {LONGEST_LABEL} letters, digits, - and _", code="argument/invalid"
            )
    if len(found) > MOST_LABELS // 2:
        raise HostError(f"a run needs at most {MOST_LABELS // 2} labels, not {len(found)}", code="argument/invalid")
    return found


def check_priority(priority: int) -> int:
    """A priority. Raises HostError `argument/invalid`."""
    if priority not in PRIORITIES:
        raise HostError(
            f"a priority is a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}, not {priority}",
            code="argument/invalid",
        )
    return priority


def queue_of(labels: Iterable[str], version: str | None = None) -> str:
    """The queue of runs that need these labels. version: of what they began with; None: this process's."""
    return " ".join([version or version_label(), *check_labels(labels)])


def queues_of(labels: Iterable[str]) -> list[str]:
    """The queues that a worker with these labels serves. Raises HostError `argument/invalid`."""
    known = sorted(set(labels))
    if len(known) > MOST_LABELS:
        raise HostError(f"a worker has at most {MOST_LABELS} labels, not {len(known)}", code="argument/invalid")
    for label in known:
        check_labels([label])
    most = min(len(known), MOST_LABELS // 2)
    return [queue_of(some) for count in range(most + 1) for some in combinations(known, count)]


def version_label() -> str:
    """The versions in this process that a replay depends on: the minor version of Python, and rtfs."""
    from rtfs.host.durable.resume import versions

    return "-".join(f"{name.lower()}{version}" for name, version in versions().items())
