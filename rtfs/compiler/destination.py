"""Where the value of an emitted node goes."""

from __future__ import annotations

from rtfs.compiler.analysis.kinds import Kinds, join


class Destination:
    """Where a value goes. how: `return`, `set` (assign, go on), `exit` (assign, break out of the loop) or `drop`."""

    __slots__ = ("how", "kinds", "seen", "variable")

    def __init__(self, how: str, variable: str = "") -> None:
        self.how = how
        self.variable = variable
        self.kinds: Kinds = None
        self.seen = False

    @property
    def jumps(self) -> bool:
        return self.how in ("return", "exit")

    def note(self, kinds: Kinds) -> None:
        self.kinds = join(self.kinds, kinds) if self.seen else kinds
        self.seen = True
