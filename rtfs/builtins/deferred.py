"""Modules of this package that are loaded when something of theirs is first used: most programs start without them.

Must not know what is in them. Invariant: an attribute of a deferred module is what the module has.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.builtins import lazy_steps as steps
    from rtfs.builtins import number_text, regex, transducers

__all__ = ["number_text", "regex", "steps", "transducers"]


class _Deferred:
    """A module of this package that is imported when it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        name = f"rtfs.builtins.{self._name}"
        found = getattr(__import__(name, fromlist=(attribute,)), attribute)
        setattr(self, attribute, found)
        return found


if not TYPE_CHECKING:
    number_text = _Deferred("number_text")
    regex = _Deferred("regex")
    steps = _Deferred("lazy_steps")
    transducers = _Deferred("transducers")
