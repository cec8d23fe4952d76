"""Modules of this package that are loaded when something of theirs is first used: most programs start without them.

Must not know what is in them.
"""

from __future__ import annotations

from rtfs.deferred import Deferred

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.builtins import lazy_steps as steps
    from rtfs.builtins import number_text, regex, transducers
else:
    number_text = Deferred("rtfs.builtins.number_text")
    regex = Deferred("rtfs.builtins.regex")
    steps = Deferred("rtfs.builtins.lazy_steps")
    transducers = Deferred("rtfs.builtins.transducers")

__all__ = ["number_text", "regex", "steps", "transducers"]
