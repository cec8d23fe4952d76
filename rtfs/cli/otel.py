"""`--otel`: runs as OpenTelemetry traces and metrics, to where OTEL_EXPORTER_OTLP_ENDPOINT says.

Must not know what is traced. Invariant: whatever is left is sent before the process ends, or given up after some
seconds.
"""

from __future__ import annotations

import os

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.host.runtime import Runtime

SECONDS = 5
"""To send what is left at the end."""


def begin(runtime: Runtime) -> Callable[[], None]:
    """Trace the runs of a runtime, and make the providers the process's own; the answer ends that. Raises HostError
    `usage` without the extra `otel`."""
    try:
        from opentelemetry import metrics, trace
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise HostError("--otel needs OpenTelemetry", code="usage", hint="pip install 'rtfs-host[otel]'") from None
    import rtfs

    own = {"service.version": rtfs.__version__}
    if not os.environ.get("OTEL_SERVICE_NAME"):
        own["service.name"] = "rtfs"
    resource = Resource.create(own)
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(meters)
    end = runtime.instrument(tracer_provider=tracers, meter_provider=meters)

    def finish() -> None:
        end()
        tracers.force_flush(SECONDS * 1_000)
        tracers.shutdown()
        meters.shutdown(SECONDS * 1_000)

    return finish
