"""What an MCP server asks of the person behind a call (`elicitation/create`), in both eras' wordings.

Must not know terminals, channels or sessions. Invariants: only a form is put to a person, as the `Question` it is; what
is no form, or goes beyond what a call may ask, is declined; an answer carries nothing that the form did not ask for.

Source: MCP specification, client/elicitation (2025-06-18 to 2026-07-28), basic/patterns/mrtr (2026-07-28); SEP-1034.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.handler import SessionError, one_line
from rtfs.capabilities.sessions.questions import ACCEPT, DECLINE, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.questions import Ask

METHOD = "elicitation/create"
MOST = 10
"""Questions of one request that are put to a person; further ones are declined."""


def capabilities(asks: bool) -> dict[str, Any]:
    """What the client declares that it can do. asks: somebody can be asked."""
    return {"elicitation": {"form": {}}} if asks else {}


def declined() -> dict[str, Any]:
    """The result that says no."""
    return {"action": DECLINE}


async def elicited(params: Any, ask: Ask | None, server: str) -> dict[str, Any]:
    """The result of an `elicitation/create` with these params. server: its name for people. Raises ValueError for what
    is no question, and what asking raises."""
    params = params if isinstance(params, dict) else {}
    if ask is None or params.get("mode", "form") != "form":
        return declined()
    message, schema = params.get("message"), params.get("requestedSchema")
    if not isinstance(message, str) or not isinstance(schema, dict):
        raise ValueError("a message and a requestedSchema are needed")
    answer = await ask(Question(server, message, schema))
    if answer.action != ACCEPT:
        return {"action": answer.action}
    return {"action": ACCEPT, "content": answer.content or {}}


async def responses(wanted: Any, ask: Ask | None, server: str, tool: str) -> dict[str, Any]:
    """The `inputResponses` to the `inputRequests` of an unfinished result. tool: its name in messages.

    Raises SessionError `session/input-required` where somebody or something else would be needed, `session/protocol`
    for requests that are none.
    """
    requests = wanted if isinstance(wanted, dict) else {}
    methods = sorted({str(one.get("method")) for one in requests.values() if isinstance(one, dict)})
    if ask is None or methods != [METHOD] or not all(isinstance(one, dict) for one in requests.values()):
        only = methods == [METHOD]
        raise SessionError(
            f"{tool} wants {one_line(', '.join(methods)) or 'more input'}, "
            + ("and nobody can be asked" if only else "which is not offered here"),
            code="session/input-required",
            hint="run it at a terminal, or give the Runtime an `elicit` function" if only else None,
        )
    found: dict[str, Any] = {}
    for key, one in requests.items():
        try:
            found[key] = await elicited(one.get("params"), ask if len(found) < MOST else None, server)
        except ValueError as error:
            raise SessionError(f"{tool} asks a question that is none: {error}") from error
    return found
