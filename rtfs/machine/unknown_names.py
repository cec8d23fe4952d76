"""What to write instead of a name that nothing defines.

Knows nothing of places. Invariant: only names that the program could have written at that point are proposed.
"""

from __future__ import annotations

from rtfs.compiler.closures.frames import is_closure, locals_of
from rtfs.compiler.mangling import plain_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


MOST = 6
"""Names of a module that are listed."""


def suggestion(message: str, traceback: Any) -> str | None:
    """A hint about the name that a message quotes first: known from other languages, or like one that is known where
    the traceback ends."""
    from rtfs.compiler.analysis.undefined import in_a_namespace
    from rtfs.syntax.foreign_names import hint_for
    from rtfs.syntax.suggest import did_you_mean

    name = message.partition("`")[2].partition("`")[0]
    frame = None
    inner: dict[str, Any] = {}
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename.startswith("rtfs:"):
            frame, inner = traceback.tb_frame, {}
        elif is_closure(traceback.tb_frame):
            inner = locals_of(traceback.tb_frame) or inner
        traceback = traceback.tb_next
    written = (*frame.f_globals, *frame.f_builtins, *frame.f_locals, *inner) if frame is not None else ()
    names = {plain_name(one) for one in written if one[0] not in " :_"}
    module = name.rpartition("/")[0]
    of_module = sorted(one for one in names if module and one.startswith(f"{module}/"))
    hint = hint_for(name) or in_a_namespace(name) if not of_module else None
    if hint is not None:
        return hint
    near = did_you_mean(name, names)
    if near is not None:
        return f"did you mean `{near}`?"
    if of_module:
        more = ", …" if len(of_module) > MOST else ""
        return f"the module gives {', '.join(f'`{one}`' for one in of_module[:MOST])}{more}"
    return None
