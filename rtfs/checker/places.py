"""The base of what is noted at a place of the text and hardly ever shown.

Knows nothing of nodes. Invariant: a place is looked up when it is asked for; a program without findings asks for none.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.source import Span

    Place = tuple[Callable[[int], Span | None], int]
    """What finds the place of a node in its unit, and the node's `at`."""


class Placed:
    """place: where it is; None: nowhere."""

    __slots__ = ("place",)
    place: Place | None

    @property
    def span(self) -> Span | None:
        """The place in the text, if it has one."""
        return None if self.place is None else self.place[0](self.place[1])
