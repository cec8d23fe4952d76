"""Says in a few lines how a value differs from the expected one.

Knows values, but neither files nor runs. Invariant: the text is bounded, however large the values are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LONGEST_VALUE = 600
MOST_PLACES = 8
DEEPEST = 60


def describe(expected: Any, got: Any) -> str:
    """Both values, and where they are large the places in which they differ."""
    import rtfs

    lines = [f"expected  {shortened(rtfs.to_text(expected))}", f"got       {shortened(rtfs.to_text(got))}"]
    places = _places(expected, got, (), 0)
    found: list[str] = []
    for path, wanted, has in places:
        if not path:
            return "\n".join(lines)
        if len(found) == MOST_PLACES:
            found.append("  and more")
            break
        found.append(f"  at [{' '.join(path)}]: expected {wanted}, got {has}")
    return "\n".join(lines + found)


def shortened(text: str, most: int = LONGEST_VALUE) -> str:
    """The text, its middle left out if it is longer than `most` characters."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]} … {len(text) - most} characters … {text[-half:]}"


def _places(expected: Any, got: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(path, expected, got) of each place in which two values differ, as texts."""
    import rtfs

    if rtfs.equal(expected, got):
        return
    sequences = (rtfs.Vector, rtfs.List)
    if depth < DEEPEST and isinstance(expected, rtfs.Map) and isinstance(got, rtfs.Map):
        for key, value in expected.items():
            step = (*path, rtfs.to_text(key))
            if key in got:
                yield from _places(value, got.get(key), step, depth + 1)
            else:
                yield step, _text(value), "nothing"
        for key, value in got.items():
            if key not in expected:
                yield (*path, rtfs.to_text(key)), "nothing", _text(value)
    elif depth < DEEPEST and isinstance(expected, sequences) and isinstance(got, sequences):
        wanted, has = list(expected), list(got)
        for index in range(max(len(wanted), len(has))):
            step = (*path, str(index))
            if index >= len(has):
                yield step, _text(wanted[index]), "nothing"
            elif index >= len(wanted):
                yield step, "nothing", _text(has[index])
            else:
                yield from _places(wanted[index], has[index], step, depth + 1)
    else:
        yield path, _text(expected), _text(got)


def _text(value: Any) -> str:
    import rtfs

    return shortened(rtfs.to_text(value), 80)
