"""Modules that are loaded when something of theirs is first used: most programs start without them.

An `import` in a function that runs a thousand times a second takes a microsecond each time; an attribute of these takes
none. Must not know what is in the modules. Invariant: an attribute of a deferred module is what the module has.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Deferred:
    """A module that is imported when it is first used. name: in full."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(__import__(self._name, fromlist=(attribute,)), attribute)
        setattr(self, attribute, found)
        return found
