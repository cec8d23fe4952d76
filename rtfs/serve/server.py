"""The MCP server: the official SDK's server side, with the tools of a `Tools` behind it; and serving over stdio.

Must not know how tools work. Invariants: standard output belongs to the protocol; what a tool raises beyond what it
tells is an internal error of one request and ends nothing else; when the client is gone its runs end.

Source: MCP specification 2025-06-18 to 2026-07-28, which the SDK speaks.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError

import rtfs
from rtfs.capabilities.effects import Effects
from rtfs.serve.call_results import call_result
from rtfs.serve.person import ClientPerson, form_about, question_about
from rtfs.serve.task_methods import EXTENSION, TaskMethods, handshake_capability, knows
from rtfs.serve.tasks import PlanTasks
from rtfs.serve.tools import CODE, ON_RUNS, RUNNING
from rtfs.syntax.resources import resource_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.serve.callers import Caller
    from rtfs.serve.plan_files import PlanTool
    from rtfs.serve.results import Told
    from rtfs.serve.tools import Tools

CARD = "rtfs://card"
"""The resource that holds the language on one page."""
POLL = 0.5
"""Seconds between two looks at the plan files."""
SESSIONS = 1_000
"""Sessions that are told when tools change."""
INSTRUCTIONS = (
    "Every call is checked by a policy and recorded. search, then describe, then one run_plan that makes all calls and "
    "computes; return only what you need."
)
TASK = types.ToolExecution(task_support="optional")
READS = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)

Context = ServerRequestContext[Any, Any]


class _Server(Server[Any]):
    """The SDK's server, which by itself says nothing of the tasks of 2025-11-25."""

    def get_capabilities(self, *arguments: Any, **options: Any) -> types.ServerCapabilities:
        found = super().get_capabilities(*arguments, **options)
        if options.get("protocol_version") is not None:
            return found
        own = {name: value for name, value in (found.extensions or {}).items() if name != EXTENSION}
        return found.model_copy(update={"tasks": handshake_capability(), "extensions": own or None})


class PlanServer:
    """A server over tools. caller_of: on whose behalf a request is, given its context."""

    def __init__(self, tools: Tools, caller_of: Callable[[Context], Caller], code: bool) -> None:
        self.tools = tools
        self.code = code
        self._caller_of = caller_of
        self._bus = InMemorySubscriptionBus()
        self._sessions: dict[str, Any] = {}
        self.tasks = PlanTasks(tools)
        self.server: Server[Any] = _Server(
            "rtfs",
            version=rtfs.__version__,
            instructions=INSTRUCTIONS if code else None,
            on_list_tools=self._list_tools,
            on_list_resources=self._list_resources,
            on_read_resource=self._read_resource,
            on_subscriptions_listen=ListenHandler(self._bus),
        )
        self.server.add_request_handler("tools/call", types.CallToolRequestParams, self._call_tool)
        boundary = RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience="rtfs")
        self.server.middleware.insert(0, _trace_of_headers)
        self.server.middleware.append(boundary)  # what clients hand back was sealed by this process, for this caller
        self._task_methods = TaskMethods(self.tasks, caller_of, self._may_be_task)
        self._task_methods.register(self.server)

    @property
    def options(self) -> Any:
        """The server's description of itself in a handshake."""
        return self.server.create_initialization_options(NotificationOptions(tools_changed=True))

    async def watch(self) -> None:
        """Look at the plan files, and tell clients when a tool has changed, until cancelled."""
        while True:
            await asyncio.sleep(POLL)
            if await asyncio.to_thread(self.tools.plans.changed):
                await self._bus.publish(ToolsListChanged())
                for key, session in list(self._sessions.items()):
                    try:
                        await session.send_tool_list_changed()
                    except Exception:  # whatever a connection that is gone answers
                        self._sessions.pop(key, None)

    # ------------------------------------------------------------------ handlers
    async def _list_tools(self, context: Context, params: Any) -> types.ListToolsResult:
        self._remember(context)
        found = [_plan_tool(tool) for tool in self.tools.plans.tools.values()]
        found += [_code_tool(name) for name in (CODE if self.code else ON_RUNS)]
        return types.ListToolsResult(tools=found)

    async def _call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult | dict[str, Any]:
        self._remember(context)
        caller = self._caller_of(context)
        name, arguments, given = params.name, params.arguments or {}, None
        if params.input_responses and params.request_state:
            name, arguments, given = _answered(params)
        person = ClientPerson(context, given, approves=caller.scopes is None)
        if knows(context) and self._may_be_task(name):
            told = await self._task_methods.call(context, name, arguments, person)
            if isinstance(told, dict):
                return told
        else:
            try:
                told = await self.tools.call(name, arguments, caller, person)
            except LookupError:
                raise MCPError(types.INVALID_PARAMS, f"there is no tool {name!r}") from None
        question = _question(told, person)
        return call_result(told) if question is None else question

    def _may_be_task(self, name: str) -> bool:
        """Whether a call of a tool runs a plan."""
        return name in self.tools.plans.tools or (name in RUNNING and name in self.tools.names)

    async def _list_resources(self, context: Context, params: Any) -> types.ListResourcesResult:
        card = types.Resource(
            uri=CARD, name="card", description="The language of plans on one page", mime_type="text/markdown"
        )
        return types.ListResourcesResult(resources=[card])

    async def _read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        if str(params.uri) != CARD:
            message = f"there is no resource {str(params.uri)!r}; there is {CARD}"
            raise MCPError(types.INVALID_PARAMS, message, {"uri": str(params.uri)})
        text = types.TextResourceContents(uri=CARD, mime_type="text/markdown", text=card())
        return types.ReadResourceResult(contents=[text])

    def _remember(self, context: Context) -> None:
        """Note a session that can be told when tools change."""
        request = context.request
        headers = getattr(request, "headers", None)
        key = "" if headers is None else headers.get("mcp-session-id")
        if key is None:
            return
        if key not in self._sessions and len(self._sessions) >= SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        self._sessions[key] = context.session


async def _trace_of_headers(ctx: Context, call_next: Any) -> Any:
    """Handle a message within the trace that its HTTP request names; one that it names itself, in `_meta`, counts more.

    Source: W3C Trace Context.
    """
    headers = getattr(ctx.request, "headers", None)
    if headers is None or "traceparent" not in headers:
        return await call_next(ctx)
    from opentelemetry import context as otel_context
    from opentelemetry.propagate import extract

    token = otel_context.attach(extract(dict(headers)))
    try:
        return await call_next(ctx)
    finally:
        otel_context.detach(token)


async def serve_stdio(server: PlanServer) -> None:
    """Serve one client over standard input and output until it closes them."""
    async with stdio_server() as (read, write):
        watching = asyncio.create_task(server.watch())
        try:
            await server.server.run(read, write, server.options)
        finally:
            watching.cancel()
            await server.tasks.close()


def card() -> str:
    """The language on one page."""
    return resource_text("stdlib/card.md")


def short_card() -> str:
    """The card in fewer tokens: the same lines, without their alignment, fences and title."""
    lines = [" ".join(line.split()) for line in card().splitlines()]
    kept = [line for line in lines if line and not line.startswith(("```", "# "))]
    return "\n".join(kept).replace(" ;=> ", " => ")


# ---------------------------------------------------------------------- definitions
def _plan_tool(tool: PlanTool) -> types.Tool:
    properties: dict[str, Any] = {"status": {"type": "string"}, "run": {"type": "string"}}
    result = tool.result_schema()
    if result is not None:
        definitions = result.pop("$defs", None)
        properties["value"] = result
    output: dict[str, Any] = {"type": "object", "properties": properties, "required": ["status"]}
    if result is not None and definitions:
        output["$defs"] = definitions
    return types.Tool(
        name=tool.name,
        description=tool.plan.text or None,
        input_schema=tool.input_schema(),
        output_schema=output,
        annotations=_annotations(tool.effects),
        execution=TASK,
    )


def _annotations(effects: Effects) -> types.ToolAnnotations:
    if effects.reads:
        return types.ToolAnnotations(read_only_hint=True)
    return types.ToolAnnotations(
        read_only_hint=False, destructive_hint=effects.destroys, idempotent_hint=effects.repeats
    )


def _code_tool(name: str) -> types.Tool:
    text, schema = CODE[name]
    if name == "run_plan":
        text = f"{text}\n\n{short_card()}"
    runs = name in RUNNING
    return types.Tool(
        name=name,
        description=text,
        input_schema=schema,
        annotations=None if runs else READS,
        execution=TASK if runs else None,
    )


# ---------------------------------------------------------------------- results
def _question(told: Told, person: ClientPerson) -> types.InputRequiredResult | None:
    """The question to the person that a paused run waits for, where the client asks between two requests (2026-07-28),
    not in the middle of one."""
    data, pending = told.data or {}, told.pending
    if pending is None or not person.approves or not person.can_ask or person.reachable:
        return None
    message = question_about(pending)
    asked = types.ElicitRequest(
        params=types.ElicitRequestFormParams(message=message, requested_schema=form_about(pending))
    )
    state = json.dumps({"run": data["run"], "call": pending.hash})
    return types.InputRequiredResult(input_requests={"approval": asked}, request_state=state)


def _answered(params: types.CallToolRequestParams) -> tuple[str, dict[str, Any], tuple[str, Any] | None]:
    """The tool and arguments that continue the waiting run, and the person's reply, from a request that carries the
    reply."""
    try:
        state = json.loads(params.request_state or "")
        run, call = state["run"], state["call"]
        reply = (params.input_responses or {})["approval"]
    except (ValueError, KeyError, TypeError):
        raise MCPError(types.INVALID_PARAMS, "the request's state is not one of this server's") from None
    if not isinstance(reply, types.ElicitResult):
        raise MCPError(types.INVALID_PARAMS, "the reply is not one to a form")
    return "resume", {"run": run}, (str(call), reply)
