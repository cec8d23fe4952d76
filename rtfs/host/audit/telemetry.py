"""Runs as OpenTelemetry spans and metrics: `instrument(runtime)`.

A subscriber to the events of a runtime, and what its session calls tell of their requests. Must not know how calls are
made. Invariants: without `instrument` nothing of OpenTelemetry is imported; arguments and results are in no span unless
that is asked for, and known secrets never; a span that was begun ends with its run at the latest.

A run is `invoke_workflow NAME`, a step `step NAME`, a call `execute_tool ID`, each request to an MCP server
`tools/call TOOL`, within one another; a run belongs to the span that was current where it was started.

Source: OpenTelemetry semantic conventions for generative AI (execute_tool, invoke_workflow) and MCP (client spans,
context in `_meta`), status development; W3C Trace Context.
"""

from __future__ import annotations

from threading import Lock
from time import time_ns

from opentelemetry import context as otel_context
from opentelemetry import metrics, propagate, trace
from opentelemetry.trace import SpanKind, StatusCode

from rtfs.host.audit.events import (
    WAITS,
    BranchStarted,
    CallDecided,
    CallEnded,
    CallReplayed,
    HintApplied,
    RunEnded,
    RunResumed,
    RunStarted,
    StepEntered,
    StepLeft,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from rtfs.host.audit.events import Event
    from rtfs.host.runtime import Runtime

NAME = "rtfs"
"""The instrumentation scope."""
SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
"""Bounds of durations, as the MCP conventions advise."""
TEXT = 10_000
"""Characters of arguments and results in a span."""
_OF_METRICS = (
    *("mcp.method.name", "gen_ai.tool.name", "gen_ai.operation.name", "mcp.protocol.version", "network.transport"),
    *("server.address", "server.port"),
)
"""Attributes of a request that its duration is counted by."""


def instrument(
    runtime: Runtime,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    values: bool = False,
) -> Callable[[], None]:
    """Have the runs of a runtime traced and counted from now on; the answer ends that.

    The providers are the global ones where none are given. values: arguments and results as attributes of calls,
    without known secrets.
    """
    telemetry = Telemetry(
        trace.get_tracer(NAME, _version(), tracer_provider), metrics.get_meter(NAME, _version(), meter_provider), values
    )
    unsubscribe = runtime.events.subscribe(telemetry.hear)
    runtime._sessions.trace = telemetry.request_of

    def end() -> None:
        unsubscribe()
        runtime._sessions.trace = None
        telemetry.close()

    return end


def _version() -> str:
    import rtfs

    return rtfs.__version__


class _Open:
    """A span that has not ended. number, parent: of its event and of what that belongs to. name: the capability, of a
    call. loads: whether it is that of a run which only loads declarations."""

    __slots__ = ("loads", "name", "number", "parent", "run", "span")

    def __init__(self, event: Event, span: Span) -> None:
        self.number = event.number
        self.parent = event.parent
        self.run = event.run
        self.name = event.subject if isinstance(event, CallDecided) else None
        self.loads = isinstance(event, RunStarted) and event.loads
        self.span = span


class Telemetry:
    """An event subscriber that sends telemetry; called from any thread."""

    def __init__(self, tracer: trace.Tracer, meter: metrics.Meter, values: bool) -> None:
        self._tracer = tracer
        self._values = values
        self._lock = Lock()
        self._open: dict[int, _Open] = {}
        self._parents: dict[int, tuple[int, str]] = {}
        """Number of an event without a span → number of the event that it belongs to, and its run."""
        self._runs = meter.create_counter("rtfs.runs", "{run}", "Runs that ended, by status")
        self._calls = meter.create_counter("rtfs.calls", "{call}", "Calls of capabilities, by outcome")
        self._duration = meter.create_histogram(
            "gen_ai.execute_tool.duration", "s", "Duration of calls", explicit_bucket_boundaries_advisory=SECONDS
        )
        self._requests = meter.create_histogram(
            "mcp.client.operation.duration",
            "s",
            "Duration of requests to MCP servers",
            explicit_bucket_boundaries_advisory=SECONDS,
        )

    # ------------------------------------------------------------------ events
    def hear(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, CallDecided):
            self._decided(event)
        elif isinstance(event, CallEnded):
            self._ended(event)
        elif isinstance(event, CallReplayed):
            self._calls.add(1, {"rtfs.outcome": "replayed"})
        elif isinstance(event, StepEntered):
            self._begin(event, f"step {event.subject}", {"rtfs.step.name": event.subject})
        elif isinstance(event, StepLeft):
            self._end(event.parent, None if event.detail == "ok" else event.detail)
        elif isinstance(event, BranchStarted):
            with self._lock:  # when it ends is not told: what it does belongs to what began it
                self._parents[event.number] = event.parent, event.run
        elif isinstance(event, HintApplied):
            found = self._open.get(event.parent)
            if found is not None:
                found.span.add_event("hint", {"rtfs.hint": event.detail})
        elif isinstance(event, RunStarted):
            name = event.subject or "call"
            attributes = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": name}
            attributes |= {"rtfs.run.id": event.run, "rtfs.principal": event.principal}
            self._begin(event, f"invoke_workflow {name}", attributes)
        elif isinstance(event, RunResumed):
            found = self._open.get(event.parent)
            if found is not None:
                found.span.set_attribute("rtfs.run.resumed", True)
        elif isinstance(event, RunEnded):
            self._run_ended(event)

    def _begin(self, event: Event, name: str, attributes: dict[str, Any]) -> None:
        with self._lock:
            parent = self._found(event.parent)
            context = otel_context.get_current() if parent is None else trace.set_span_in_context(parent.span)
            span = self._tracer.start_span(name, context, SpanKind.INTERNAL, attributes)
            self._open[event.number] = _Open(event, span)

    def _found(self, number: int) -> _Open | None:
        """The open span of an event, or of what it belongs to."""
        while number and number not in self._open:
            number = self._parents.get(number, (0, ""))[0]
        return self._open.get(number)

    def _decided(self, event: CallDecided) -> None:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": event.subject,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": f"{event.run}-{event.number}",
            "rtfs.decision": event.detail,
        }
        if self._values and event.arguments is not None:
            attributes["gen_ai.tool.call.arguments"] = event.arguments[:TEXT]
        if event.allowed:
            if not self._is_attempt(event):
                self._begin(event, f"execute_tool {event.subject}", attributes)
            return
        if event.detail.startswith("ask"):  # the answer follows
            return
        waits = event.detail.endswith(WAITS)
        self._calls.add(1, {"rtfs.outcome": "waiting" if waits else "denied"})
        self._begin(event, f"execute_tool {event.subject}", attributes)
        self._end(event.number, None if waits else "denied")

    def _is_attempt(self, event: CallDecided) -> bool:
        """Whether a hint makes a call once more, which belongs to the call's span: calls of one frame follow each
        other."""
        with self._lock:
            for one in self._open.values():
                if one.name == event.subject and one.parent == event.parent and one.run == event.run:
                    self._parents[event.number] = one.number, event.run
                    one.span.add_event("attempt")
                    return True
        return False

    def _ended(self, event: CallEnded) -> None:
        kind, _, code = event.detail.partition(": ")
        with self._lock:
            found = self._open.get(event.parent)
        if found is not None and self._values and event.result is not None:
            found.span.set_attribute("gen_ai.tool.call.result", event.result[:TEXT])
        error = None if kind in ("ok", "waiting") else code or kind
        self._end(event.parent, error)
        attributes = {"gen_ai.tool.name": event.subject} | ({} if error is None else {"error.type": error})
        self._duration.record(event.duration / 1e9, attributes)
        self._calls.add(1, {"rtfs.outcome": kind})

    def _run_ended(self, event: RunEnded) -> None:
        code, status = event.detail.partition(": ")[2], event.status
        with self._lock:
            left = [one for one in self._open.values() if one.run == event.run and one.number != event.parent]
            self._parents = {key: known for key, known in self._parents.items() if known[1] != event.run}
        for one in sorted(left, key=lambda one: -one.number):
            self._end(one.number, "abandoned")
        found = self._open.get(event.parent)
        if found is not None:
            found.span.set_attribute("rtfs.run.status", status)
        self._end(event.parent, None if status in ("ok", "waiting", "continued") else code or status)
        if found is None or not found.loads:
            self._runs.add(1, {"rtfs.run.status": status})

    def _end(self, number: int, error: str | None) -> None:
        with self._lock:
            found = self._open.pop(number, None)
        if found is None:
            return
        if error is not None:
            found.span.set_attribute("error.type", error)
            found.span.set_status(StatusCode.ERROR)
        found.span.end()

    def close(self) -> None:
        """End what is open."""
        for number in sorted(self._open, reverse=True):
            self._end(number, "abandoned")

    # ------------------------------------------------------------------ requests to servers
    def request_of(self, number: int) -> RequestTrace:
        """The tracer for the requests of a call. number: of the call's decision."""
        with self._lock:
            found = self._found(number)
        context = otel_context.get_current() if found is None else trace.set_span_in_context(found.span)
        return RequestTrace(self._tracer, self._requests, context)


class RequestTrace:
    """Traces the requests to MCP servers that one call makes."""

    __slots__ = ("_context", "_durations", "_tracer")

    def __init__(self, tracer: trace.Tracer, durations: metrics.Histogram, context: Any) -> None:
        self._tracer = tracer
        self._durations = durations
        self._context = context

    def begin(self, method: str, tool: str | None, facts: dict[str, Any]) -> TracedRequest:
        """A request is about to be sent. tool: that it calls, if it calls one. facts: further attributes."""
        attributes: dict[str, Any] = {"mcp.method.name": method, **facts}
        name = method
        if tool is not None:
            attributes |= {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool}
            name = f"{method} {tool}"
        span = self._tracer.start_span(name, self._context, SpanKind.CLIENT, attributes)
        return TracedRequest(span, self._durations, attributes)


class TracedRequest:
    """A request that was sent. carrier: what the server is told of the trace, `traceparent` and `tracestate`."""

    __slots__ = ("_attributes", "_began", "_durations", "_span", "carrier")

    def __init__(self, span: Span, durations: metrics.Histogram, attributes: dict[str, Any]) -> None:
        self._span = span
        self._durations = durations
        self._attributes = {name: attributes[name] for name in _OF_METRICS if name in attributes}
        self._began = time_ns()
        self.carrier: dict[str, str] = {}
        propagate.inject(self.carrier, trace.set_span_in_context(span))

    def end(self, error: str | None) -> None:
        """The request has ended. error: its type, None for none."""
        if error is not None:
            self._span.set_attribute("error.type", error)
            self._span.set_status(StatusCode.ERROR)
            self._attributes["error.type"] = error
        self._span.end()
        self._durations.record((time_ns() - self._began) / 1e9, self._attributes)
