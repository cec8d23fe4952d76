"""Cedar policies beside the built-in one: principal, action, resource and context of each call are asked about.

Must not know how calls are carried out. Invariants: Cedar only narrows: what it permits still needs the grants and the
rules; what it does not permit, cannot evaluate or has no answer for is denied. Needs the extra `cedar` (cedarpy).

    principal   Principal::"local"
    action      Action::"bank.pay"
    resource    Capability::"bank.pay", with `effects` (a set) and `provider`
    context     `arguments` (a record, in canonical form), `needs` (a set of grants), `run`

A `forbid` with the annotation `@decide("ask")` asks for an approval, if only such policies forbid.
"""

from __future__ import annotations

import json

from rtfs.host.policy.policy import Decision, asking
from rtfs.values import HostError, Keyword, List, Map, Set, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from rtfs.host.policy.policy import PolicyRequest

_LONG = 1 << 63
ASK = "ask"


class CedarPolicy:
    """A policy for `Runtime(policy=…)`. Raises HostError `config/invalid` for what is not Cedar, `config/missing` where
    cedarpy is not installed."""

    __slots__ = ("_asking", "_policies", "text")

    def __init__(self, text: str) -> None:
        """text: the policies."""
        try:
            import cedarpy
        except ImportError:
            raise HostError(
                "Cedar policies need cedarpy", code="config/missing", hint="pip install 'rtfs-host[cedar]'"
            ) from None
        self.text = text
        try:
            known = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
            self._policies = cedarpy.PolicySet.from_str(text)
        except ValueError as error:
            raise HostError(f"this is not a Cedar policy: {error}", code="config/invalid") from None
        self._asking = {id for id, one in known.items() if one.get("annotations", {}).get("decide") == ASK}

    @classmethod
    def from_files(cls, paths: Iterable[str | Path]) -> CedarPolicy:
        """The policies of all of these files. Raises HostError `file/…` too."""
        from rtfs.host.files import read_source

        return cls("\n".join([read_source(path).text for path in paths]))

    def __call__(self, request: PolicyRequest) -> Decision | None:
        """The decision about a call; None for the built-in one."""
        import cedarpy

        own = request.decision
        if own.error is not None or not (own.allow or own.ask):
            return None
        entity = {"type": "Capability", "id": request.capability}
        manifest = request.manifest
        effects = [str(one) for one in manifest.effects]
        attributes = {"effects": effects, "provider": str(manifest.provider or "")}
        asked = {
            "principal": _entity("Principal", request.context.principal),
            "action": _entity("Action", request.capability),
            "resource": _entity("Capability", request.capability),
            "context": {
                "arguments": arguments_of(request.arguments),
                "needs": list(request.needs),
                "run": request.context.run_id,
            },
        }
        said = cedarpy.is_authorized(
            asked, self._policies, [{"uid": {"__entity": entity}, "attrs": attributes, "parents": []}]
        )
        reasons, errors = said.diagnostics.reasons, said.diagnostics.errors
        if errors:
            return Decision(False, f"a Cedar policy cannot be evaluated: {errors[0]}")
        if said.allowed:
            return None
        if reasons and self._asking.issuperset(reasons):
            return asking(f"Cedar asks: {', '.join(sorted(reasons))}")
        why = f"Cedar forbids it: {', '.join(sorted(reasons))}" if reasons else "no Cedar policy permits it"
        return Decision(False, why)


def _entity(kind: str, name: str) -> str:
    return f"{kind}::{json.dumps(name)}"


def arguments_of(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """The arguments of a call as a Cedar record: by name, or by position where they have none."""
    if len(arguments) == 1 and arguments[0].__class__ is Map:
        found = cedar_value(arguments[0])
        return found if isinstance(found, dict) else {}
    return {str(place): value for place, one in enumerate(arguments) if (value := cedar_value(one)) is not None}


def cedar_value(value: Any) -> Any:
    """A value as Cedar has it: keywords are texts, vectors and lists are sets, nil is left out; numbers that are not
    64-bit integers are texts."""
    kind = value.__class__
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        return value if -_LONG <= value < _LONG else str(value)
    if kind in (Keyword, Symbol):
        return value.name
    if kind is Map:
        pairs = [(getattr(key, "name", key), cedar_value(item)) for key, item in value.items()]
        return {str(key): item for key, item in pairs if item is not None}
    if kind in (Vector, List, Set):
        return [item for one in value if (item := cedar_value(one)) is not None]
    return str(value)
