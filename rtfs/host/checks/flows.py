"""The verdicts of flow rules and sequence rules about the calls of a program, and what their arguments may come from.

Must not run anything. Invariant: rules only make a verdict stricter: what the other policy denies stays denied.
"""

from __future__ import annotations

from rtfs.host.flow.static_verdicts import ALLOW, DEPENDS, STRICTNESS, declared_of, flow_verdict, sources_of
from rtfs.host.flow.tracing import Tracing
from rtfs.host.policy.grants import glob
from rtfs.host.sequence.static_verdicts import sequence_verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs.checker.report import Analysis
    from rtfs.host.checks.verdicts import Call
    from rtfs.host.runtime import Runtime


def follow(runtime: Runtime, analysis: Analysis, calls: list[Call], effects: Iterable[str]) -> None:
    """Follow the values of a program to its calls: make their verdicts those of the rules as well. effects: standard
    functions that make calls."""
    registry = runtime._registry
    tracing = Tracing(analysis.forms, lambda id: declared_of(registry, id), effects)
    flow, sequence = runtime.options.flow, runtime.options.sequence
    for call in calls:
        entry = None if call.id is None else registry.find(call.id)
        if entry is None:
            if call.decision in (ALLOW, "declared") and call.id is not None and _names(runtime, call.id):
                call.decision, call.reason = DEPENDS, "rules look at it when it is called"
            continue
        visits = tracing.visits.get(call.site) if tracing.complete and call.site is not None else None
        if visits:
            call.flows = sources_of(entry, visits)
        if flow is not None:
            _stricter(call, *flow_verdict(flow, entry, visits, registry))
        if sequence is not None:
            _stricter(call, *sequence_verdict(sequence, entry, visits, analysis.bound))


def _stricter(call: Call, decision: str, reason: str) -> None:
    """Let a verdict count, if it is stricter than that of the call."""
    if call.decision in STRICTNESS and STRICTNESS.index(decision) > STRICTNESS.index(call.decision):
        call.decision, call.reason, call.grant = decision, reason, None


def _names(runtime: Runtime, id: str) -> bool:
    options = runtime.options
    flow = options.flow is not None and any(rule.call is None or glob(rule.call, id) for rule in options.flow.rules)
    return flow or (options.sequence is not None and bool(options.sequence.about(id)[0]))
