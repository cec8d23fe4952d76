"""The calls that tracing finds in a program, and the facts about capabilities that it needs.

Must not know nodes or rules.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.flow.abstract import Abstract, Atoms


class Declared:
    """The facts about a capability that tracing needs. drops: its results contain nothing of the arguments. guest: it
    is written in RTFS, or runs functions of the caller. keeps: its results may be values stored by earlier calls."""

    __slots__ = ("drops", "guest", "keeps")

    def __init__(self, drops: bool, guest: bool, keeps: bool) -> None:
        self.drops = drops
        self.guest = guest
        self.keeps = keeps


class Visit:
    """One way in which a call is made. id: or None where it is computed. arguments: as they are written. by: what may
    have decided that it is made. before: the calls that certainly gave a value before it, as visits. maybe: ids of
    calls that may have been made before it; None among them: any."""

    __slots__ = ("arguments", "before", "by", "id", "maybe")

    def __init__(
        self,
        id: str | None,
        arguments: list[Abstract],
        by: Atoms,
        before: frozenset[Visit],
        maybe: frozenset[str | None],
    ) -> None:
        self.id = id
        self.arguments = arguments
        self.by = by
        self.before = before
        self.maybe = maybe


class Recurred:
    """The values of a loop's variables in the next round."""

    __slots__ = ("values",)

    def __init__(self, count: int) -> None:
        self.values: list[list[Abstract]] = [[] for _ in range(count)]
