"""OpenTelemetry: spans within one another under the names of the published conventions, trace context to servers and
from clients, metrics; nothing of values unless asked for, nothing imported without it."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import rtfs
from rtfs.host.redaction import know
from tests.servers.faulty import Faulty

OWN = {"rtfs.run.id", "rtfs.principal", "rtfs.run.status", "rtfs.run.resumed", "rtfs.decision", "rtfs.step.name"}
"""Attributes that are ours."""


class Traced:
    """A runtime whose spans and metrics are in memory."""

    def __init__(self, runtime: rtfs.Runtime, values: bool = False) -> None:
        self.runtime = runtime
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        meters = MeterProvider([self.reader])
        self.end = runtime.instrument(tracer_provider=self.tracers, meter_provider=meters, values=values)

    def spans(self) -> dict[str, Any]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def parents(self) -> dict[str, str | None]:
        """The name of each span's parent."""
        spans = self.exporter.get_finished_spans()
        by_id = {span.context.span_id: span.name for span in spans}
        return {span.name: None if span.parent is None else by_id.get(span.parent.span_id) for span in spans}

    def numbers(self) -> dict[tuple[str, Any], Any]:
        """(metric, the attributes' values) → value, or how often."""
        found: dict[tuple[str, Any], Any] = {}
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        key = metric.name, tuple(sorted((point.attributes or {}).values(), key=str))
                        found[key] = point.value if hasattr(point, "value") else point.count
        return found


@contextmanager
def traced(allow: Any = (), values: bool = False, **options: Any) -> Iterator[Traced]:
    with rtfs.Runtime(allow, **options) as runtime:
        found = Traced(runtime, values)
        yield found
        found.end()


def published() -> set[str]:
    """The attributes that the conventions name."""
    found: set[str] = set()
    for area in ("error", "gen_ai", "jsonrpc", "mcp", "network", "server"):
        module = importlib.import_module(f"opentelemetry.semconv._incubating.attributes.{area}_attributes")
        found |= {value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}
    return found


def test_a_run_its_steps_and_calls_are_spans_within_one_another() -> None:
    with traced() as found:
        found.runtime.run('(step "both" (kv/put "a" 1) (kv/get "a"))', name="plan.rtfs")
        assert found.parents() == {
            "invoke_workflow plan.rtfs": None,
            "step both": "invoke_workflow plan.rtfs",
            "execute_tool ccos.state.kv.put": "step both",
            "execute_tool ccos.state.kv.get": "step both",
        }
        call = found.spans()["execute_tool ccos.state.kv.put"]
        assert call.kind is SpanKind.INTERNAL
        assert call.attributes["gen_ai.operation.name"] == "execute_tool"
        assert call.attributes["gen_ai.tool.name"] == "ccos.state.kv.put"
        assert not any("arguments" in name or "result" in name for name in call.attributes)
        numbers = found.numbers()
        assert numbers[("rtfs.calls", ("ok",))] == 2
        assert numbers[("rtfs.runs", ("ok",))] == 1


def test_what_is_denied_fails_or_is_left_open_is_an_error_of_its_span() -> None:
    with traced() as found:
        with pytest.raises(rtfs.UserError):
            found.runtime.run('(call "mcp.nobody.tool" {})', check=False, name="denied")
        with pytest.raises(rtfs.UserError):
            found.runtime.run('(kv/put "a" 1) (step "s" (/ 1 0))', check=False, name="failed")
        spans = found.spans()
        assert spans["execute_tool mcp.nobody.tool"].status.status_code is StatusCode.ERROR
        assert spans["invoke_workflow failed"].attributes["error.type"] == "arithmetic/div-by-zero"
        assert spans["step s"].status.status_code is StatusCode.ERROR
        assert found.numbers()[("rtfs.calls", ("denied",))] == 1


def test_what_waits_for_a_signal_is_waiting_and_no_error(tmp_path: Path) -> None:
    with traced(state=str(tmp_path)) as found:
        with pytest.raises(rtfs.UserError, match="run/waiting"):
            found.runtime.run('(await-signal "go")', durable=True, name="plan")
        spans, numbers = found.spans(), found.numbers()
        assert spans["execute_tool ccos.run.await-signal"].status.status_code is StatusCode.UNSET
        assert spans["invoke_workflow plan"].status.status_code is StatusCode.UNSET
        assert spans["invoke_workflow plan"].attributes["rtfs.run.status"] == "waiting"
        assert numbers[("rtfs.calls", ("waiting",))] == numbers[("rtfs.runs", ("waiting",))] == 1
        assert [one.detail for one in found.runtime.ledger if one.kind == "outcome"] == ["waiting"]


def test_values_are_in_spans_only_if_that_is_asked_for_and_never_with_secrets() -> None:
    know("hunter2hunter2")
    with traced(values=True) as found:
        found.runtime.run('(kv/put "a" "hunter2hunter2")')
        attributes = found.spans()["execute_tool ccos.state.kv.put"].attributes
        assert attributes["gen_ai.tool.call.arguments"] == '{:key "a" :value "«redacted»"}'
        assert attributes["gen_ai.tool.call.result"] == '"«redacted»"'


@pytest.mark.parametrize("era", ["handshake", "sessionless"])
def test_a_request_to_a_server_is_a_client_span_which_the_server_is_told_of(era: str) -> None:
    async def main() -> None:
        async with Faulty(era) as server, rtfs.Runtime(["mcp.shop.*", "net:127.0.0.1"]) as runtime:
            found = Traced(runtime)
            runtime.add_server("shop", url=server.url)
            with found.tracers.get_tracer("test").start_as_current_span("outside"):
                await runtime.arun('(call "mcp.shop.echo" {:n 1})', name="plan")
            found.end()
            parents, span = found.parents(), found.spans()["tools/call echo"]
            assert parents["tools/call echo"] == "execute_tool mcp.shop.echo"
            assert parents["execute_tool mcp.shop.echo"] == "invoke_workflow plan"
            assert parents["invoke_workflow plan"] == "outside"
            assert span.kind is SpanKind.CLIENT
            attributes = dict(span.attributes)
            assert (attributes["mcp.method.name"], attributes["gen_ai.tool.name"]) == ("tools/call", "echo")
            assert (attributes["server.address"], attributes["server.port"]) == ("127.0.0.1", server.port)
            assert attributes["network.transport"] == "tcp"
            assert ("mcp.session.id" in attributes) is (era == "handshake")
            wanted = f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"
            calls = [one for one in server.requests if one.method == "tools/call"]
            assert [one.params["_meta"]["traceparent"] for one in calls] == [wanted]
            assert [one.headers["traceparent"] for one in calls] == [wanted]
            known = published() | OWN
            for one in found.exporter.get_finished_spans():
                assert set(one.attributes) <= known, set(one.attributes) - known
            assert any(name == "mcp.client.operation.duration" for name, _ in found.numbers())

    asyncio.run(asyncio.wait_for(main(), 60))


def test_an_attempt_that_a_hint_makes_belongs_to_its_call() -> None:
    with traced() as found:
        tries = iter([True, False])

        def flaky(_: Any) -> int:
            if next(tries):
                raise OSError("not now")
            return 1

        found.runtime.register("flaky", flaky)
        assert found.runtime.run('^{:runtime.retry 2} (call "flaky" 1)') == 1
        spans = [span for span in found.exporter.get_finished_spans() if span.name == "execute_tool flaky"]
        assert [[event.name for event in span.events].count("attempt") for span in spans] == [1]


def test_calls_of_parallel_branches_belong_to_the_run() -> None:
    with traced() as found:
        found.runtime.run('(step-parallel (kv/put "a" 1) (kv/put "b" 2))', name="plan")
        spans = found.exporter.get_finished_spans()
        run = next(span for span in spans if span.name == "invoke_workflow plan")
        calls = [span for span in spans if span.name == "execute_tool ccos.state.kv.put"]
        assert [span.parent.span_id for span in calls] == [run.context.span_id] * 2


def test_nothing_is_traced_after_the_end_and_nothing_imported_without_it() -> None:
    with traced() as found:
        found.end()
        found.runtime.run('(kv/put "a" 1)')
        assert found.exporter.get_finished_spans() == ()
    code = (
        'import rtfs, sys; rtfs.Runtime().run(\'(kv/put "a" 1)\'); print([n for n in sys.modules if "telemetry" in n])'
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("raise ImportError")
    code = (
        "import rtfs\ntry: rtfs.Runtime().instrument()\nexcept rtfs.HostError as error: print(error.code, error.hint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": str(tmp_path)}
    )
    assert done.stdout == "usage pip install 'rtfs-host[otel]'\n"
    assert done.stderr == ""
