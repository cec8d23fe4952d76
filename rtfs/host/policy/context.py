"""`RuntimeContext`: on whose behalf and with which rights a call is made. It goes with every call, branch and
implementation.

Must not know how decisions are made. Invariant: a context can only be narrowed; no method gives a grant back, lowers
the security level or raises a quota.
"""

from __future__ import annotations

from rtfs.host.policy.grants import Grants
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.policy.rules import Rules, Spending

LEVELS = ("minimal", "standard", "paranoid")
"""minimal: capabilities that the embedder, the configuration or a loaded file declares need no grant. standard: calls
that leave the process need one. paranoid: every call needs one."""


def check_level(level: str) -> str:
    """The security level. Raises HostError `config/level` for an unknown one."""
    if level not in LEVELS:
        raise HostError(f"the security level is one of {', '.join(LEVELS)}, not {level!r}", code="config/level")
    return level


class Quota:
    """The quota that a run and everything that it starts share. `calls`: host calls left, None without limit.
    `spending`: of quotas by capability, or None."""

    __slots__ = ("calls", "spending")

    def __init__(self, calls: int | None = None, spending: Spending | None = None) -> None:
        self.calls = calls
        self.spending = spending


class RuntimeContext:
    """Principal, plan, intent, rights and context values of a run.

    principal: a name; sessions are kept apart by it. values: what `@name` answers, RTFS values by name. grants: layers,
    all of which must allow a thing. level: one of `LEVELS`. quota: shared by whatever derives from this context.
    """

    __slots__ = (
        "bases", "decided", "former_rules", "grants", "intent_id", "level", "plan_id", "principal", "quota", "run_id",
        "values",
    )  # fmt: skip

    def __init__(
        self,
        *,
        principal: str = "local",
        plan_id: str | None = None,
        intent_id: str | None = None,
        grants: tuple[Grants, ...] = (Grants(),),
        level: str = "standard",
        values: Mapping[str, Any] | None = None,
        quota: Quota | None = None,
        run_id: str = "",
    ) -> None:
        self.principal = principal
        self.plan_id = plan_id
        self.intent_id = intent_id
        self.grants = grants
        self.level = check_level(level)
        self.values: dict[str, Any] = dict(values or {})
        self.quota = quota or Quota()
        self.run_id = run_id
        self.bases = 1
        """How many of the first layers are a runtime's, whose rules can also allow capabilities; the others only
        reduce."""
        self.former_rules: Rules | None = None
        """In a resumed run the rules that it began with, which may allow what the first layer does not."""
        self.decided: dict[Entry, Any] = {}
        """Decisions of the built-in policy that hold for every argument, by entry."""

    def narrow(
        self,
        *,
        grants: Iterable[str] | None = None,
        level: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> RuntimeContext:
        """A context with at most the rights of this one: only what both grant, at the stricter level.

        Raises HostError `policy/widening` for a level below this one's.
        """
        if level is not None and (level not in LEVELS or LEVELS.index(level) < LEVELS.index(self.level)):
            raise HostError(f"{level!r} is not a narrower security level than {self.level!r}", code="policy/widening")
        narrowed = RuntimeContext(
            principal=self.principal,
            plan_id=self.plan_id,
            intent_id=self.intent_id,
            grants=self.grants if grants is None else (*self.grants, Grants(grants)),
            level=level or self.level,
            values=self.values if values is None else values,
            quota=self.quota,
            run_id=self.run_id,
        )
        narrowed.bases, narrowed.former_rules = self.bases, self.former_rules
        return narrowed

    def grants_id(self, id: str) -> bool:
        """Whether every layer names this capability id."""
        return all(layer.id(id) for layer in self.grants)

    def grants_resource(self, need: str) -> bool:
        """Whether every layer grants this resource (`net:…`, `env:…`, `fs:…`, `exec:…`)."""
        return all(layer.resource(need) for layer in self.grants)

    def names_host(self, need: str) -> bool:
        """Whether every layer names the host of `net:HOST:PORT` itself, not by a wildcard."""
        return all(layer.names(need) for layer in self.grants)

    def spend_call(self) -> None:
        """Count one host call against the quota. Raises LimitError `limit/calls` when it is used up."""
        left = self.quota.calls
        if left is not None:
            if left <= 0:
                from rtfs.values import LimitError

                raise LimitError("limit/calls", "the run has used up its host calls")
            self.quota.calls = left - 1
