"""The tools of a server: their definitions, and what each does.

Must not know transports. Invariants: a tool answers what is wrong with its arguments as an error that says how they are
written; the tools of a model never approve anything.
"""

from __future__ import annotations

from rtfs.serve.catalogue import FEW, Catalogue
from rtfs.serve.handles import Handles
from rtfs.serve.plan_files import PlanFiles, PlanTool
from rtfs.serve.results import Told, error_data, part, told
from rtfs.serve.runs import DONE
from rtfs.serve.sessions import PlanSessions, value_of_plan
from rtfs.serve.truncation import at_path
from rtfs.source import Source
from rtfs.values import HostError, UserError, from_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from rtfs.host.runtime import Runtime
    from rtfs.serve.callers import Caller
    from rtfs.serve.runs import Follower, Outcome, PlanRuns
    from rtfs.serve.sessions import Composed, PlanSession

LONGEST_PLAN = 200_000
"""Characters of a plan."""


def _object(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        found["required"] = list(required)
    return found


_TEXT = {"type": "string"}
CODE: dict[str, tuple[str, dict[str, Any]]] = {
    "search": (
        "Find capabilities by words.",
        _object(("query",), query=_TEXT, limit={"type": "integer"}),
    ),
    "describe": (
        "Signatures of capabilities.",
        _object(("ids",), ids={"type": "array", "items": _TEXT}),
    ),
    "run_plan": (
        "Run a plan: many calls, one result, its last value. `args` are `@name`, or parameters of `(plan …)`. "
        "`check_only`: only say what is wrong. `session`: a name under which definitions stay for the next plan.",
        _object(("plan",), plan=_TEXT, args={"type": "object"}, check_only={"type": "boolean"}, session=_TEXT),
    ),
    "resume": ("Continue a paused run.", _object(("run",), run=_TEXT)),
    "status": ("What a run waits for.", _object(("run",), run=_TEXT)),
    "result": (
        "Part of a cut result; path: rows.3.text",
        _object(("handle",), handle=_TEXT, path=_TEXT),
    ),
}
"""The tools of code mode: name, description (the card is added to that of `run_plan`), input schema."""
ON_RUNS = ("resume", "status", "result")
"""The tools that a server of plan files has as well."""

RUNNING = ("run_plan", "resume")
"""The tools that run a plan."""


class Tools:
    """The tools of one server. code: whether models may write plans."""

    def __init__(self, runtime: Runtime, runs: PlanRuns, plans: PlanFiles, code: bool) -> None:
        self.runtime = runtime
        self.runs = runs
        self.plans = plans
        self.handles = Handles()
        self.sessions = PlanSessions()
        self.catalogue = Catalogue(runtime)
        self._tools: dict[str, Callable[[dict[str, Any], Caller, Follower], Awaitable[Told]]] = {
            "resume": self._resume,
            "status": self._status,
            "result": self._result,
        }
        if code:
            self._tools = {
                "search": self._search, "describe": self._describe, "run_plan": self._run_plan, **self._tools,
            }  # fmt: skip

    @property
    def names(self) -> list[str]:
        """The names of the tools that are not plans."""
        return list(self._tools)

    async def call(self, name: str, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        """The result of a tool. Raises LookupError for an unknown tool."""
        plan = self.plans.tools.get(name)
        try:
            if plan is not None:
                return await self._run_tool(plan, arguments, caller, follower)
            if name not in self._tools:
                raise LookupError(name)
            check_arguments(name, arguments)
            return await self._tools[name](arguments, caller, follower)
        except UserError as error:
            shown = error_data(error)
            return Told(shown["report"], {"status": "failed", "error": shown}, True)

    # ------------------------------------------------------------------ plans
    async def _run_tool(self, tool: PlanTool, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        return self._told(await self.runs.run(tool.source, caller, follower, params=arguments), caller)

    async def _run_plan(self, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        text, given = arguments["plan"], arguments.get("args") or {}
        if len(text) > LONGEST_PLAN:
            raise HostError(f"a plan has at most {LONGEST_PLAN:,} characters", code="serve/arguments")
        session = composed = None
        source, context = Source(text, "plan.rtfs"), self.handles.named_in(caller.principal, text)
        if "session" in arguments:
            session = self.sessions.session(caller.principal, arguments["session"])
            composed = session.compose(text, source.name)
            source = composed.source
        if "mcp." in source.text:
            await self.catalogue.prepare()
        report = self.runs.look(source, caller)
        if arguments.get("check_only"):
            return _checked(report)
        if session is not None and self.runs.may_wait(report):  # another process may continue it, and tell its value
            composed = session.compose(text, source.name, values=False)
            source = composed.source
            report = self.runs.look(source, caller)
        as_plan = report.analysis.plan is not None
        context |= {} if as_plan else given
        values = {name: from_python(value, keywords=True) for name, value in context.items()}
        if composed is not None:
            values |= composed.context
        params = given if as_plan else None
        outcome = await self.runs.run(
            source, caller, follower, params=params, context=values, report=report, author="model"
        )
        if session is None or composed is None:
            return self._told(outcome, caller)
        return self._kept(session, composed, outcome, bool(report.calls), caller)

    def _kept(self, session: PlanSession, composed: Composed, outcome: Outcome, effects: bool, caller: Caller) -> Told:
        """The outcome of a run of a session, whose definitions the session keeps."""
        refused: dict[str, str] = {}
        if outcome.status == DONE:
            outcome.value, texts = composed.unwrap(outcome.value)
            found, refused = composed.definitions(texts, effects)
            refused |= session.keep(found)
        told = self._told(outcome, caller)
        if told.data is not None:
            told.data["session"] = {"defines": session.names, **({"not_kept": refused} if refused else {})}
        return told

    async def _resume(self, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        outcome = await self.runs.resume(arguments["run"], caller, follower)
        if outcome.status == DONE:
            outcome.value = value_of_plan(self.runs.state(arguments["run"], caller).text, outcome.value)
        return self._told(outcome, caller)

    async def _status(self, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        found = self.runs.status(arguments["run"], caller)
        return Told(f"{found['run']}: {found['status']}", found)

    def _told(self, outcome: Outcome, caller: Caller) -> Told:
        return told(outcome, self.handles, caller.principal)

    # ------------------------------------------------------------------ looking around
    async def _search(self, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        await self.catalogue.prepare()
        return Told(self.catalogue.search(caller, arguments["query"], arguments.get("limit", FEW)))

    async def _describe(self, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        await self.catalogue.prepare()
        return Told(self.catalogue.describe(caller, arguments["ids"]))

    async def _result(self, arguments: dict[str, Any], caller: Caller, follower: Follower) -> Told:
        whole = self.handles.read(caller.principal, arguments["handle"])
        try:
            value = at_path(whole, arguments.get("path", ""))
        except KeyError as error:
            raise HostError(str(error.args[0]), code="serve/no-result") from None
        return part(value, self.handles, caller.principal)

    def close(self) -> None:
        """Let go of what was kept."""
        self.catalogue.close()


def _checked(report: Any) -> Told:
    """The errors of a plan, and the policy's decisions about its calls."""
    error = report.analysis.error()
    errors = [] if error is None else [error, *error.others]
    calls = []
    for call in report.calls:
        shown = {"id": call.id, "decision": call.decision, "reason": call.reason, "at_most": call.at_most}
        calls.append({name: value for name, value in shown.items() if value is not None})
    data: dict[str, Any] = {"status": "refused" if errors else "checked", "calls": calls}
    if errors:
        data["error"] = error_data(errors[0])
        if len(errors) > 1:
            data["further_errors"] = [error_data(one) for one in errors[1:5]]
    lines = [error_data(one)["report"] for one in errors[:5]] or ["nothing is wrong"]
    lines += [f"{call.decision} {call.id or '(a computed id)'}: {call.reason}" for call in report.calls]
    return Told("\n".join(lines), data, bool(errors))


def check_arguments(name: str, arguments: dict[str, Any]) -> None:
    """Raise HostError `serve/arguments` for arguments that a tool does not take."""
    from rtfs.types.closed_records import closed
    from rtfs.types.json_schema import type_from_json_schema
    from rtfs.values import from_python

    schema = CODE[name][1]
    try:
        closed(type_from_json_schema(schema, arguments=True)).check(from_python(arguments, keywords=True), name)
    except UserError as error:
        shape = ", ".join(
            f"{key}{'' if key in schema.get('required', ()) else '?'}: {value['type']}"
            for key, value in schema["properties"].items()
        )
        raise HostError(error.message, code="serve/arguments", hint=f"it takes {{{shape}}}", data=error.data) from None
