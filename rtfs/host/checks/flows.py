"""The verdicts of flow rules and sequence rules about the calls of a program, and what their arguments may come from.

Must not run anything. Invariant: rules only make a verdict stricter: what the other policy denies stays denied.
"""

from __future__ import annotations

from functools import partial

from rtfs.host.flow.static_verdicts import ALLOW, DEPENDS, STRICTNESS, declared_of, flow_verdict, sources_of
from rtfs.host.policy.grants import glob
from rtfs.host.sequence.static_verdicts import sequence_verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs.capabilities.registry import Entry, Registry
    from rtfs.checker.report import Analysis
    from rtfs.host.checks.verdicts import Call
    from rtfs.host.flow.tracing import Tracing
    from rtfs.host.flow.visits import Visit
    from rtfs.host.runtime import Runtime


class Followed:
    """The tracing of a program, made when it is first asked for: a large program is followed for long."""

    __slots__ = ("_analysis", "_effects", "_registry", "_tracing")

    def __init__(self, registry: Registry, analysis: Analysis, effects: Iterable[str]) -> None:
        self._registry = registry
        self._analysis = analysis
        self._effects = effects
        self._tracing: Tracing | None = None

    def visits(self, site: tuple[str, int] | None) -> list[Visit] | None:
        """The ways in which a call is made; None where that is not known."""
        if site is None:
            return None
        tracing = self._tracing
        if tracing is None:
            import rtfs.host.flow.following  # noqa: F401 - importing it declares how nodes are followed
            from rtfs.host.flow.tracing import Tracing

            registry = self._registry
            tracing = Tracing(self._analysis.forms, lambda id: declared_of(registry, id), self._effects)
            self._tracing = tracing
        return tracing.visits.get(site) if tracing.complete else None

    def sources(self, entry: Entry, site: tuple[str, int] | None) -> dict[str, list[str]]:
        """Argument → what it may come from, of a call; empty where that is not known."""
        return sources_of(entry, self.visits(site) or [])


def follow(runtime: Runtime, analysis: Analysis, calls: list[Call], effects: Iterable[str]) -> None:
    """Make the verdicts of a program's calls those of the rules as well, and have them know what their arguments may
    come from. effects: standard functions that make calls."""
    registry = runtime._registry
    followed = Followed(registry, analysis, effects)
    flow, sequence = runtime.options.flow, runtime.options.sequence
    for call in calls:
        entry = None if call.id is None else registry.find(call.id)
        if entry is None:
            if call.decision in (ALLOW, "declared") and call.id is not None and _names(runtime, call.id):
                call.decision, call.reason = DEPENDS, "rules look at it when it is called"
            continue
        call.sources = partial(followed.sources, entry, call.site)
        if flow is not None:
            _stricter(call, *flow_verdict(flow, entry, followed.visits(call.site), registry))
        if sequence is not None:
            _stricter(call, *sequence_verdict(sequence, entry, followed.visits(call.site), analysis.bound))


def _stricter(call: Call, decision: str, reason: str) -> None:
    """Let a verdict count, if it is stricter than that of the call."""
    if call.decision in STRICTNESS and STRICTNESS.index(decision) > STRICTNESS.index(call.decision):
        call.decision, call.reason, call.grant = decision, reason, None


def _names(runtime: Runtime, id: str) -> bool:
    options = runtime.options
    flow = options.flow is not None and any(rule.call is None or glob(rule.call, id) for rule in options.flow.rules)
    return flow or (options.sequence is not None and bool(options.sequence.about(id)[0]))
