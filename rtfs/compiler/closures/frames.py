"""The frames of closures: how they are laid out, and what a Python frame of closures says of the program.

Knows nothing of errors or of nodes; light to import, for reading a traceback needs it whether or not closures ran.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

GLOBALS, PARENT, FIRST = 0, 1, 2
"""Indexes into a frame: the module's globals, the enclosing function's frame, the first local."""

FILES: set[str] = set()
"""File names of the code of closures, by which their frames are known in a traceback."""


class Unset:
    """The class of `UNSET`, the value of a local that has none yet."""

    __slots__ = ()


UNSET = Unset()


class Padding(list):  # type: ignore[type-arg]
    """The slots of a new frame after the parameters; hashed by identity, because a code object hashes its constants."""

    __hash__ = object.__hash__  # type: ignore[assignment]


class Layout:
    """The slots of the locals in the frames of one function. names: those of the locals, from FIRST on. calls: an
    iterator of the calls left until the function is compiled; None for a top-level form, which is called once."""

    __slots__ = ("calls", "names", "padding", "parent")

    def __init__(self, parent: Layout | None, calls: Iterator[None] | None = None) -> None:
        self.parent = parent
        self.calls = calls
        self.names: list[str] = []
        self.padding = Padding()
        """One UNSET for each local that is not a parameter."""

    def heat(self) -> None:
        """A loop of the function got hot: compile all of it at the next call; the whole knows more than the loop."""
        for _ in self.calls or ():
            pass

    def close(self, parameters: int) -> None:
        """All locals are known: a frame needs so much room."""
        self.padding.extend([UNSET] * (len(self.names) - parameters))


def distance(inner: Layout, outer: Layout) -> int:
    """The number of frames from those of `inner` out to those of `outer`."""
    steps = 0
    layout: Layout | None = inner
    while layout is not outer:
        if layout is None:
            raise AssertionError("a local of no enclosing function")
        layout = layout.parent
        steps += 1
    return steps


METHOD = " method"
"""No name of a program, so that no parameter hides it."""


class Template:
    """A function whose code is a template; the free variable `METHOD` of that code is a method of it. layout: of its
    frames."""

    __slots__ = ("layout",)
    layout: Layout


def template_of(frame: FrameType) -> Template | None:
    """The function that runs in a frame of a template's code; None for a frame of other code."""
    if METHOD not in frame.f_code.co_freevars:
        return None
    template = getattr(frame.f_locals.get(METHOD), "__self__", None)
    return template if isinstance(template, Template) else None


def is_closure(frame: FrameType) -> bool:
    """True for a frame of closures, or of what makes them."""
    return frame.f_code.co_filename in FILES


def place_of(frame: FrameType) -> int | None:
    """The place of the node that a frame of closures evaluates, as an index into its unit's spans, if it knows."""
    at = frame.f_locals.get("at")
    return at if at.__class__ is int else None


def locals_of(frame: FrameType) -> dict[str, Any]:
    """The locals of the RTFS function that a frame of closures belongs to, by their Python names, as far as they have
    values, those of enclosing functions included."""
    values = frame.f_locals.get("f")
    found: dict[str, Any] = {}
    layout = layout_of(frame)
    while values.__class__ is list and layout is not None:
        for name, value in zip(layout.names, values[FIRST:], strict=False):
            if value is not UNSET:
                found.setdefault(name, value)
        values = values[PARENT] if len(values) > PARENT else None
        layout = layout.parent
    return found


def layout_of(frame: FrameType) -> Layout | None:
    """The frame layout of the function that a frame of closures belongs to."""
    outer: FrameType | None = frame
    while outer is not None and is_closure(outer):
        outer = outer.f_back
    template = template_of(outer) if outer is not None else None
    return template.layout if template is not None else None


def globals_of(frame: FrameType) -> dict[str, Any]:
    """The globals of the module that a frame of closures belongs to."""
    values = frame.f_locals.get("f")
    return values[GLOBALS] if values.__class__ is list else {}
