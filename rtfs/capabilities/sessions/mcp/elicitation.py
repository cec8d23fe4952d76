"""Questions of an MCP server to the person behind a call (`elicitation/create`), in the older and the newer protocol.

Must not know terminals, channels or sessions. Invariants: a form or the address of a page is put to a person, as the
`Question` it is, anything else is declined; an answer carries nothing that the form did not ask for; nothing here opens
an address.

Source: MCP specification, client/elicitation (2025-06-18 to 2026-07-28), basic/patterns/mrtr (2026-07-28); SEP-1034.
"""

from __future__ import annotations

from rtfs.capabilities.sessions.questions import ACCEPT, DECLINE, Question

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.sessions.questions import Ask

METHOD = "elicitation/create"
MOST = 10
"""Questions of one request that are put to a person; further ones are declined."""


def declined() -> dict[str, Any]:
    """The result that declines the question."""
    return {"action": DECLINE}


async def elicited(params: dict[str, Any], ask: Ask, server: str) -> dict[str, Any]:
    """The result of an `elicitation/create` with these params. server: its name for people. Raises ValueError for
    params that are not a question, and what asking raises."""
    mode, message = params.get("mode", "form"), params.get("message")
    if mode not in ("form", "url"):
        return declined()
    if not isinstance(message, str):
        raise ValueError("a message is needed")
    if mode == "url":
        answer = await ask(Question(server, message, {}, url=params.get("url")))
        return {"action": answer.action}
    schema = params.get("requestedSchema")
    if not isinstance(schema, dict):
        raise ValueError("a requestedSchema is needed")
    answer = await ask(Question(server, message, schema))
    if answer.action != ACCEPT:
        return {"action": answer.action}
    return {"action": ACCEPT, "content": answer.content or {}}
