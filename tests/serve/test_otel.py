"""`rtfs mcp serve --otel`: spans reach a collector, within the trace that a request names in `_meta` or its headers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.serve.clients import QuietHandler, answering, told
from tests.serve.test_http import HEADERS, HELLO, listening

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any], list[str]]]:
    """The address of an OpenTelemetry collector, the spans that it has got, the names of metrics."""
    spans: list[Any] = []
    metrics: list[str] = []

    class Collector(QuietHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            if self.path.endswith("/traces"):
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    spans.extend(span for scope in resource.scope_spans for span in scope.spans)
            else:
                for one in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                    metrics.extend(metric.name for scope in one.scope_metrics for metric in scope.metrics)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with answering(Collector) as address:
        yield address, spans, metrics


def test_runs_of_a_server_are_traced_within_the_trace_of_their_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(url: str) -> None:
        named = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
        http = httpx2.AsyncClient(headers=named, timeout=30)
        async with Client(streamable_http_client(url, http_client=http), mode="2026-07-28") as client:
            assert (await told(client, "run_plan", plan='(kv/put "a" 1)'))["value"] == 1

    with collector() as (address, spans, metrics):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        with listening(tmp_path, "--otel", "--no-isolate") as url:
            asyncio.run(main(url))
            with httpx.Client(headers=HEADERS, timeout=30) as client:  # in `_meta`, which counts more than the header
                opened = client.post(url, json=HELLO)
                session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
                meta = {"traceparent": f"00-{TRACE[::-1]}-{SPAN}-01"}
                call = {"name": "run_plan", "arguments": {"plan": '(kv/get "a")'}, "_meta": meta}
                asked = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
                header = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
                assert client.post(url, json=asked, headers={**session, **header}).status_code == 200
    by_id = {span.span_id: span for span in spans}
    found = {span.name: span for span in spans}
    for name, trace in (("ccos.state.kv.put", TRACE), ("ccos.state.kv.get", TRACE[::-1])):
        call = found[f"execute_tool {name}"]
        assert call.trace_id.hex() == trace
        run = by_id[call.parent_span_id]
        assert run.name == "invoke_workflow plan.rtfs"
        request = by_id[run.parent_span_id]
        assert (request.name, request.parent_span_id.hex()) == ("tools/call run_plan", SPAN)
    assert {"rtfs.runs", "rtfs.calls", "gen_ai.execute_tool.duration"} <= set(metrics)
