"""Results that fit a model's context: JSON data cut to a size, as data of the same shape.

Must not know where the data comes from. Invariants: what is cut is valid JSON data of the same shape, no larger than
asked but for the shortest texts and one element a list; every cut is told, with its path and how much there was.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOKENS = 6_000
"""Tokens that a result may have, by default."""
CHARACTERS = 4
"""Characters of JSON that are taken for a token."""
SHORTEST = 120
"""Characters that each kept part of a large value gets at least."""
DEEPEST = 60
"""Levels of data that are looked into; what is deeper is left out."""


class Cut:
    """Something that was left out. path: `rows.3.text`, "" for the whole. shown, of: elements of a list, entries of an
    object, characters of a text."""

    __slots__ = ("of", "path", "shown")

    def __init__(self, path: str, shown: int, of: int) -> None:
        self.path = path
        self.shown = shown
        self.of = of

    def as_data(self) -> dict[str, Any]:
        """The cut as JSON data."""
        return {"path": self.path, "shown": self.shown, "of": self.of}


def size(data: Any) -> int:
    """Characters of data as JSON."""
    return len(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def cut_to(data: Any, characters: int = TOKENS * CHARACTERS) -> tuple[Any, list[Cut]]:
    """JSON data within so many characters, and what was cut, the outermost parts first. What fits is left alone."""
    cuts: list[Cut] = []
    fitted = _fit(data, characters, "", cuts, 0)
    cuts.sort(key=lambda cut: (cut.path.count("."), cut.shown - cut.of))
    return fitted, cuts


def at_path(data: Any, path: str) -> Any:
    """The part of data at `rows.3.text`; "" is the whole. Raises KeyError with the keys that there are."""
    for name in path.split(".") if path else ():
        if isinstance(data, dict) and name in data:
            data = data[name]
        elif isinstance(data, list) and name.isascii() and name.isdigit() and int(name) < len(data):
            data = data[int(name)]
        else:
            there = (
                list(data)[:20] if isinstance(data, dict) else f"0 to {len(data) - 1}" if isinstance(data, list) else ""
            )
            raise KeyError(f"there is no {name!r} here" + (f"; there is {there}" if there else ""))
    return data


def _fit(data: Any, budget: int, path: str, cuts: list[Cut], depth: int) -> Any:
    if depth >= DEEPEST and isinstance(data, (dict, list)) and data:
        cuts.append(Cut(path, 0, len(data)))
        return type(data)()
    if isinstance(data, str):
        return _text(data, budget, path, cuts)
    if not isinstance(data, (dict, list)) or size(data) <= budget:
        return data
    if isinstance(data, list):
        sizes = [size(item) + 1 for item in data]
        count = _count([_floor(item) + 1 for item in data], budget - 2)
        shares = _shares(sizes[:count], budget - 2)
        if count < len(data):
            cuts.append(Cut(path, count, len(data)))
        return [_fit(data[at], shares[at] - 1, _join(path, str(at)), cuts, depth + 1) for at in range(count)]
    keys = [size(key) + 2 for key in data]
    sizes = [size(value) + own for own, value in zip(keys, data.values(), strict=True)]
    count = _count([_floor(value) + own for own, value in zip(keys, data.values(), strict=True)], budget - 2)
    shares = _shares(sizes[:count], budget - 2)
    if count < len(data):
        cuts.append(Cut(path, count, len(data)))
    return {
        key: _fit(data[key], shares[at] - keys[at], _join(path, key), cuts, depth + 1)
        for at, key in enumerate(list(data)[:count])
    }


def _text(text: str, budget: int, path: str, cuts: list[Cut]) -> str:
    whole = size(text)
    if whole <= max(budget, SHORTEST):
        return text
    keep = max(budget, SHORTEST) * len(text) // whole - 2
    cuts.append(Cut(path, keep, len(text)))
    return text[:keep] + "…"


def _floor(data: Any, depth: int = 3) -> int:
    """About how small a part can be made while it keeps its shape: an object its keys, a list one element."""
    if isinstance(data, str):
        return min(size(data), SHORTEST)
    if isinstance(data, dict) and depth:
        return 2 + sum(size(key) + 2 + _floor(value, depth - 1) for key, value in data.items())
    if isinstance(data, list) and data and depth:
        return 2 + _floor(data[0], depth - 1)
    return min(size(data), SHORTEST)


def _count(floors: list[int], budget: int) -> int:
    """The number of elements to keep: as many as fit when each is as small as possible, and at least one."""
    total = 0
    for at, each in enumerate(floors):
        total += each
        if total > budget:
            return max(at, 1)
    return len(floors)


def _shares(sizes: list[int], budget: int) -> list[int]:
    """A budget divided: small parts are kept whole, the large ones share what is left evenly."""
    shares = [0] * len(sizes)
    left, waiting = budget, sorted(range(len(sizes)), key=lambda at: sizes[at])
    for place, at in enumerate(waiting):
        even = left // (len(waiting) - place)
        shares[at] = min(sizes[at], max(even, 1))
        left -= shares[at]
    return shares


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
