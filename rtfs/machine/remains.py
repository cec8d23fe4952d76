"""What a program that has ended with an error still held, freed in parts: CPython frees a list of a million vectors in
one go, and nothing else has its turn meanwhile.

Must not know programs. Invariants: nothing is changed that anything else can still reach; everything is freed in the
end, what takes too long to look through in one go, as Python would have freed it.
"""

from __future__ import annotations

from gc import get_referents
from sys import getrefcount
from time import thread_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType, TracebackType
    from typing import Any

MUCH = 16 << 20
"""Bytes that take long to free."""
MOST_FRAMES = 500
"""Frames, from the innermost on, whose values are looked for: programs that are deeper hold most in their calls."""
WIDE = 256
"""Elements of a list or dict that are freed without a look at each."""
SAMPLES = 4
LIGHT = 256
"""Objects that a value consists of at most, if it is freed without a look at its parts."""
PART_TIME = 0.002
"""Seconds of processor time between two turns of others, about."""
PATIENCE = 0.25
"""Seconds of processor time for which what is left is looked through; then it is freed in one go."""

_OPTIMIZED = 0x01
_WIDE: frozenset[type] = frozenset((list, dict, tuple))
_ATOMS: frozenset[type] = frozenset((int, str, float, bool, bytes, type(None)))

_pending: list[Any] = []


def of_frames(frame: FrameType | None) -> list[Any]:
    """The values that a suspended call and its callers hold, of the innermost few."""
    found: list[Any] = []
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        _add_values(found, frame)
        frame = frame.f_back
    return found


def of_traceback(traceback: TracebackType | None) -> list[Any]:
    """The values that calls hold which an error has passed, of the innermost few."""
    frames: list[FrameType] = []
    while traceback is not None:
        frames.append(traceback.tb_frame)
        traceback = traceback.tb_next
    found: list[Any] = []
    for frame in frames[-MOST_FRAMES:]:
        _add_values(found, frame)
    return found


def _add_values(found: list[Any], frame: FrameType) -> None:
    if frame.f_code.co_flags & _OPTIMIZED:
        found += get_referents(frame)  # its variables, and what it was about to call something with
        found += frame.f_locals.values()  # a call below C does not say where its values end


def keep(values: list[Any]) -> None:
    """Keep values, given away, until `pending` frees them."""
    _pending.append(values)


def pending() -> Iterator[None]:
    """Free what was kept; the caller lets others run at each step."""
    while _pending:
        yield from freed(_pending.pop())


def freed(values: list[Any]) -> Iterator[None]:
    """Empty a list and free those of its values that nothing else holds; the caller lets others run at each step."""
    narrow, wide = values, _Wide()
    moment = thread_time()
    end, turn = moment + PATIENCE, moment + PART_TIME
    while True:
        if narrow:
            _free_some(narrow, wide)
        elif not wide.free_part(narrow):
            return
        moment = thread_time()
        if moment > end:
            narrow.clear()
            return
        if moment > turn:
            yield
            now = thread_time()
            end += now - moment
            turn = now + PART_TIME


def _free_some(narrow: list[Any], wide: _Wide) -> None:
    """Free the last values of a list, or put what they consist of in their place."""
    for _ in range(min(len(narrow), WIDE)):
        value = narrow.pop()
        kind = type(value)
        if kind in _ATOMS or getrefcount(value) > 2:
            continue
        if kind in _WIDE and len(value) > WIDE:
            wide.add([*value] if kind is tuple else value)
        elif kind is not list or not _ATOMS.issuperset(map(type, value)):
            narrow += get_referents(value)


class _Wide:
    """Large lists and dicts, which nothing else holds, taken apart from their ends. size: elements of the next part."""

    __slots__ = ("left", "size")

    def __init__(self) -> None:
        self.left: list[Any] = []
        self.size = WIDE

    def add(self, container: Any) -> None:
        """Free this one first."""
        self.left.append(container)
        self.size = WIDE

    def free_part(self, narrow: list[Any]) -> bool:
        """Free the next elements, or put them with what is `narrow` if they are large themselves. False at the end."""
        if not self.left:
            return False
        container, size = self.left[-1], self.size
        if container.__class__ is dict:
            part: list[Any] = [container.popitem() for _ in range(min(size, len(container)))]
        else:
            part = container[-size:]
            del container[-size:]
        if not container:
            self.left.pop()
        del container
        begun = thread_time()
        if not all(map(_is_light, _samples(part))):
            narrow += part
            self.size = WIDE
            return True
        part.clear()
        took = thread_time() - begun
        if took < PART_TIME / 4:
            self.size = size * 2
        elif took > PART_TIME and size > WIDE:
            self.size = size // 2
        return True


def _samples(part: list[Any]) -> list[Any]:
    """A few of some values: some of any kind, and one of each as long as the values are not many."""
    found = part[:: max(len(part) // SAMPLES, 1)]
    if len(part) <= WIDE * 4:
        found += {type(value): value for value in part}.values()
    return found


def _is_light(value: Any) -> bool:
    """Whether few parts go with a value."""
    parts = [value]
    for place in range(LIGHT):
        if place >= len(parts):
            return True
        part = parts[place]
        if type(part) not in _ATOMS and (place == 0 or getrefcount(part) <= 4):
            parts += get_referents(part)
        del part
        if len(parts) > LIGHT * 4:
            return False
    return place + 1 >= len(parts)
