"""Rows of a label and a text, for people: the texts are below each other and are wrapped at words.

Knows nothing of what is shown. Invariant: no control character of the data reaches the result raw.
"""

from __future__ import annotations

_WIDEST = 32
_NARROWEST = 24


def table(rows: list[tuple[str, str]], columns: int, widest: int = _WIDEST) -> str:
    """The rows as text, "" for none. columns: of the terminal. widest: the longest label that has its text on the
    same line; a longer one has a separate line."""
    from rtfs.syntax.diagnostics import clean

    if not rows:
        return ""
    cleaned = [(clean(label).rstrip(), clean(text)) for label, text in rows]
    indent = 2 + max((len(label) for label, _ in cleaned if len(label) <= widest), default=widest)
    lines: list[str] = []
    for label, text in cleaned:
        first, *others = wrapped(text, columns - indent)
        if len(label) > indent - 2 and first:
            lines.append(label)
            label = ""
        lines.append(f"{label:<{indent}}{first}".rstrip())
        lines += [(" " * indent + other).rstrip() for other in others]
    return "\n".join(lines)


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, broken at words where they are longer than a width that is worth it."""
    lines: list[str] = []
    for line in text.split("\n"):
        if len(line) <= width or width < _NARROWEST:
            lines.append(line)
        else:
            from textwrap import wrap

            lines += wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
    return lines
