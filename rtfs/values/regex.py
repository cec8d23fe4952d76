"""Regular expressions as values: the text of a pattern, which is what they are printed, compared and ordered by.

Knows nothing of matching: `rtfs.builtins.regex` compiles patterns when they are used. Invariants: a regular expression
never changes; two of one text are equal; the text reads back between `#"` and `"`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Regex:
    r"""`#"\d+"`. `Regex(r"\d+")`; `pattern` is the text, as it appears between the quotes of a literal.

    A quote that has no backslash gets one, and a control character is written `\x{…}`, which means the same.
    """

    __slots__ = ("pattern",)
    pattern: str

    def __init__(self, pattern: str) -> None:
        if '"' in pattern or not pattern.isprintable():
            pattern = _readable(pattern)
        object.__setattr__(self, "pattern", pattern)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a regular expression cannot be changed")

    def __eq__(self, other: object) -> bool:
        return other.__class__ is Regex and self.pattern == other.pattern

    def __hash__(self) -> int:
        return hash(("regex", self.pattern))

    def __reduce__(self) -> tuple[Any, ...]:
        return Regex, (self.pattern,)

    def __repr__(self) -> str:
        return f"Regex({self.pattern!r})"


def _readable(pattern: str) -> str:
    """The pattern with what a literal cannot hold written otherwise."""
    out: list[str] = []
    escaped = quoted = False  # after a backslash; between \Q and \E
    for char in pattern:
        code = ord(char)
        if char == '"' and not escaped:
            out.append('\\E\\"\\Q' if quoted else '\\"')
        elif (code < 0x20 and char not in "\t\n\r") or 0x7F <= code < 0xA0:
            written = f"\\x{{{code:x}}}"
            out.append(f"\\E{written}\\Q" if quoted else written[1:] if escaped else written)
        else:
            out.append(char)
            if escaped and char in "QE":
                quoted = char == "Q"
        escaped = char == "\\" and not escaped
    return "".join(out)
