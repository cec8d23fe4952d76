"""`Permit`: what an implementation is told of the decision about its call, so that it does just what was decided.

Must not know how decisions are made, nor any capability. Invariant: `needs` are the very resources that the policy
allowed; an implementation that reaches something else is wrong.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Permit:
    """needs: resources as grants, in the order in which the capability named them (`fs:read:PATH`, `net:HOST:PORT`).
    principal: on whose behalf. names(`net:HOST:PORT`): whether the grants name this host itself, not by a wildcard.
    key: the idempotency key of a call of a durable run, the same when it is made again; else None. output: takes the
    text that the run prints; None: standard output and error."""

    __slots__ = ("key", "names", "needs", "output", "principal")

    def __init__(
        self,
        needs: Sequence[str] = (),
        principal: str = "local",
        names: Callable[[str], bool] = lambda need: False,
        key: str | None = None,
        output: Callable[[str], object] | None = None,
    ) -> None:
        self.needs = needs
        self.principal = principal
        self.names = names
        self.key = key
        self.output = output

    def path(self) -> str:
        """The path of the one file that was decided about, links resolved."""
        return self.needs[0].split(":", 2)[2]
