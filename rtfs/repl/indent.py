"""Computes the indentation of the next line of an unfinished input, as the formatter would. Knows places only."""

from __future__ import annotations

from rtfs.syntax.cursor import place_at


def indentation(before: str) -> int:
    """Columns before the next line, given the text so far; 0 within a string."""
    place = place_at(before, len(before))
    if place.in_string or not place.frames:
        return 0
    frame = place.frames[-1]
    column = frame.start - (before.rfind("\n", 0, frame.start) + 1)
    return column + (2 if frame.opener in ("(", "#(") and frame.items and frame.head else 1)
