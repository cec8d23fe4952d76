"""Stubs and recordings beside the declarations of what they answer for.

Must not know how a chunk is run. Invariant: a call of which a declaration says nothing, or of which a recording has
left something out, is never a problem.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def refused(runtime: Any, id: str, arguments: Sequence[Any] | None, result: tuple[Any, ...]) -> str | None:
    """Why the declaration of a capability refuses a call, or None.

    arguments   of the call, in order; None: they are not known
    result      (value,) that it gave, or () for a call that gave none
    """
    import rtfs

    entry = runtime._registry.find(id)
    if entry is None:
        return None
    try:
        if arguments is not None and entry.check_input is not None and len(arguments) == 1:
            entry.check_input(arguments[0], f'the input of "{id}"')
        if result and entry.check_output is not None:
            entry.check_output(result[0], f'the result of "{id}"')
    except rtfs.UserError as error:
        return f"{error.message}" if error.hint is None else f"{error.message}\n{error.hint}"
    return None


def refused_calls(runtime: Any, path: str) -> Iterator[str]:
    """The calls of a recording that contradict the declarations. Raises HostError `recording/invalid`."""
    from rtfs.host.durable.codec import decode
    from rtfs.host.durable.recording import Recording, decode_text
    from rtfs.host.durable.store import CALL, OUTCOME
    from rtfs.host.redaction import MASK

    asked: dict[str, tuple[str, Any]] = {}
    for event in Recording(path, "").events:
        if event.kind not in (CALL, OUTCOME):
            continue
        if event.kind == CALL:
            asked[event.path] = (event.subject, decode(event.value))
        if MASK in decode_text(event.value):
            continue
        id, arguments = asked[event.path]
        if event.kind == CALL:
            wrong = refused(runtime, id, list(arguments), ())
        else:
            wrong = refused(runtime, id, None, (decode(event.value),))
        if wrong is not None:
            yield f"the declaration refuses call {event.path} of the recording: {wrong}"
