"""What Python frames of closures say of the program: places, locals, the function that a template is of.

Knows nothing of errors; light to import, for whoever reads a traceback needs it whether or not closures ran.
"""

from __future__ import annotations

from types import MethodType

from rtfs.compiler.closures.maker import FILES, FIRST, GLOBALS, PARENT, UNSET, Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any


class Template:
    """A function whose code is a template; a method of it is among the constants of that code. layout: of its
    frames."""

    __slots__ = ("layout",)
    layout: Layout


def template_of(code: CodeType) -> Template | None:
    """The function that a template's code is of; None for any other code."""
    for constant in code.co_consts:
        if constant.__class__ is MethodType and isinstance(constant.__self__, Template):
            return constant.__self__
    return None


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
    """The layout of the frames of the function that a frame of closures belongs to."""
    outer: FrameType | None = frame
    while outer is not None and is_closure(outer):
        outer = outer.f_back
    template = template_of(outer.f_code) if outer is not None else None
    return template.layout if template is not None else None


def globals_of(frame: FrameType) -> dict[str, Any]:
    """The globals of the module that a frame of closures belongs to."""
    values = frame.f_locals.get("f")
    return values[GLOBALS] if values.__class__ is list else {}
