"""The person behind a client: asked by form elicitation whether a call may be made, and what servers want to know.

Must not know how plans run. Invariants: what is asked about is shown as it will be done; only an accepted form that
says yes is a yes; if the client cannot ask a person, there is no answer, which is neither yes nor no.

Source: MCP specification, client/elicitation.
"""

from __future__ import annotations

from rtfs.host.run.person import FOR_RUN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mcp.server.context import ServerRequestContext

    from rtfs.capabilities.sessions.questions import Field, Question
    from rtfs.host.calls.approvals import ApprovalRequest
    from rtfs.serve.runs import Pending

YES, FOR_THIS_RUN, NO = "yes, this once", "yes, for this run", "no"
_KINDS = {"choice": "string", "choices": "array"}


class ClientPerson:
    """The person behind the client of one request. given: a reply to the question about the call with this hash, which
    came with the request, or None. approves: whether this person may approve calls of the runs that the client
    starts."""

    def __init__(
        self, context: ServerRequestContext[Any, Any], given: tuple[str, Any] | None = None, *, approves: bool = True
    ) -> None:
        self._context = context
        self.given = given
        self.approves = approves
        self.run_id: str | None = None
        self.disposable = False

    @property
    def reachable(self) -> bool:
        """Whether the client can ask, in the middle of a call."""
        return self.can_ask and self._context.session.can_send_request

    @property
    def can_ask(self) -> bool:
        """Whether the client shows forms at all."""
        capabilities = self._context.session.client_capabilities
        return capabilities is not None and capabilities.elicitation is not None

    async def approve(self, request: ApprovalRequest) -> Any:
        """True, "run", a refusal with the person's reason, or None if there is no answer."""
        if not self.approves:
            return None
        if self.given is not None and self.given[0] == request.hash:
            reply, self.given = self.given[1], None
            return verdict_of(reply, request)
        if not self.reachable:
            return None
        return verdict_of(await self._ask(question_about(request), form_about(request)), request)

    async def answer(self, question: Question) -> Any:
        """The answer to a server's question; False for no, None if no person can be asked."""
        if question.url is not None or not self.reachable:
            return None
        return reply_to(await self._ask(f"{question.server} asks:\n{question.message}", schema_of(question)))

    async def progress(self, count: int, text: str) -> None:
        """Tell the client that a call has ended, if it wants to know."""
        from mcp.shared.exceptions import MCPError

        try:
            await self._context.session.report_progress(count, None, text)
        except (MCPError, OSError, RuntimeError):  # the client is gone: the run's own end tells
            pass

    async def _ask(self, message: str, schema: dict[str, Any]) -> Any:
        return await self._context.session.elicit_form(message, schema, self._context.request_id)


def question_about(asked: ApprovalRequest | Pending) -> str:
    """The question to a person about a call: the call as it will be made, and the reason for asking."""
    return f"May this call be made?\n\n{asked.capability}\n{asked.text}\n\nAsked because: {asked.reason}"


def form_about(asked: ApprovalRequest | Pending) -> dict[str, Any]:
    """The form for the answer to the question about a call, as JSON Schema."""
    answers = [YES, FOR_THIS_RUN, NO] if asked.for_run else [YES, NO]
    return {
        "type": "object",
        "properties": {
            "answer": {"type": "string", "title": "May this call be made?", "enum": answers},
            "reason": {"type": "string", "title": "Why not (the plan is told)", "maxLength": 500},
        },
        "required": ["answer"],
    }


def verdict_of(reply: Any, request: ApprovalRequest) -> Any:
    """The meaning of a reply to the form: True, "run", a refusal, or None for a question that was put aside."""
    if reply.action == "cancel":
        return None
    content = reply.content or {}
    if reply.action == "accept" and content.get("answer") == YES:
        return True
    if reply.action == "accept" and content.get("answer") == FOR_THIS_RUN and request.for_run:
        return FOR_RUN
    return request.refuse(str(content.get("reason") or "")[:500])


def reply_to(reply: Any) -> Any:
    """The meaning of a reply to a server's question: the answers by name, False for no, None if the question was put
    aside."""
    if reply.action == "accept":
        return reply.content or {}
    return False if reply.action == "decline" else None


def schema_of(question: Question) -> dict[str, Any]:
    """The form of a server's question, as the client is given it."""
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in question.fields},
        "required": [field.name for field in question.fields if field.required],
    }


def _property(field: Field) -> dict[str, Any]:
    from rtfs.capabilities.sessions.questions import MISSING

    found: dict[str, Any] = {"type": _KINDS.get(field.kind, field.kind), "title": field.title}
    if field.about:
        found["description"] = field.about
    if field.default is not MISSING:
        found["default"] = field.default
    if field.choices:
        options = [{"const": value, "title": words} for value, words in field.choices]
        found.update({"items": {"anyOf": options}} if field.kind == "choices" else {"oneOf": options})
    low, high = {"string": ("minLength", "maxLength"), "choices": ("minItems", "maxItems")}.get(
        field.kind, ("minimum", "maximum")
    )
    found.update({name: value for name, value in ((low, field.least), (high, field.most)) if value is not None})
    if field.kind == "string":
        found.update({name: value for name, value in (("format", field.format), ("pattern", field.pattern)) if value})
    return found
