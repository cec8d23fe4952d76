"""Regular expressions as values: the text of a pattern, which is what they are printed, compared and ordered by.

Knows nothing of matching: `rtfs.builtins.regex` compiles patterns when they are used. Invariant: a regular expression
never changes, and two of one text are equal.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Regex:
    r"""`#"\d+"`. `Regex(r"\d+")`; `pattern` is the text, as it stands between the quotes."""

    __slots__ = ("pattern",)
    pattern: str

    def __init__(self, pattern: str) -> None:
        object.__setattr__(self, "pattern", pattern)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a regular expression cannot be changed")

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Regex and self.pattern == other.pattern  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(("regex", self.pattern))

    def __reduce__(self) -> tuple[Any, ...]:
        return Regex, (self.pattern,)

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"
