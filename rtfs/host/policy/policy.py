"""The decision before every effect: may this call be made?

Must not know how calls are made, nor providers by name. Invariant: a call is denied unless something allows it; a
policy that is missing, crashes, returns nonsense or takes too long denies. Every denial names the grant that would
allow the call, if one would.
"""

from __future__ import annotations

from rtfs.capabilities.registry import BRANCHES, BUILTIN, EMBEDDER, GUEST, PLAN, SESSION
from rtfs.host.policy.grants import net_need, shown
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.host.policy.rules import Rules

TIME_LIMIT = 0.05
"""Seconds that an embedder's policy has to answer."""


class Decision:
    """allow: bool. reason: why, in words. grant: what would allow it, where something would. ask: allowed if a person
    approves it; for_run: also for the rest of the run. steady: holds for any arguments, so it need not be asked again
    for the same capability and context. error: what the caller sees instead of a denial, where the arguments are such
    that nothing can be decided. needs: the resources that were decided about. settled: what a host has made of a steady
    decision, or None."""

    __slots__ = ("allow", "ask", "error", "for_run", "grant", "needs", "reason", "settled", "steady", "text")

    def __init__(self, allow: bool, reason: str, grant: str | None = None, steady: bool = False) -> None:
        self.allow = allow
        self.reason = reason
        self.grant = grant
        self.steady = steady
        self.ask = self.for_run = False
        self.error: UserError | None = None
        self.needs: Sequence[str] = ()
        self.settled: Any = None
        self.text = ("allow: " if allow else "deny: ") + reason

    def __repr__(self) -> str:
        return f"Decision({self.text!r})"


def asking(reason: str) -> Decision:
    """A decision that wants an approval."""
    decision = Decision(False, reason)
    decision.ask = True
    decision.text = "ask: " + reason
    return decision


def asking_too(decision: Decision, reasons: list[str]) -> Decision:
    """A decision that is not a denial, with what other rules want an approval for."""
    if not reasons:
        return decision
    made = asking("; ".join([*([decision.reason] if decision.ask else []), *reasons]))
    made.needs = decision.needs
    return made


def breach(entry: Entry, reason: str, code: str, hint: str) -> Decision:
    """The denial of a call that breaks a rule. code: `policy/` and the kind of the rule, which the record names."""
    decision = Decision(False, f"{code.removeprefix('policy/')}: {reason}")
    decision.error = HostError(
        f'calling "{entry.id}" is not allowed: {reason}', code=code, capability=entry.id, hint=hint
    )
    return decision


class PolicyRequest:
    """A request to an embedder's policy: `capability` (id), `arguments` (tuple of RTFS values), `context`
    (RuntimeContext), `manifest` (built when looked at), `needs` (resources, as grants) and `decision`, the built-in
    policy's own answer."""

    __slots__ = ("_entry", "arguments", "capability", "context", "decision", "needs")

    def __init__(
        self, entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext, needs: list[str], decision: Decision
    ) -> None:
        self._entry = entry
        self.capability = entry.id
        self.arguments = arguments
        self.context = context
        self.needs = needs
        self.decision = decision

    @property
    def manifest(self) -> Any:
        return self._entry.manifest


def ruled(
    rules: Rules, entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext, needs: list[str]
) -> Decision:
    """The built-in policy under rules: the first that fits decides; what it allows still needs the resources."""
    if not rules.about(entry.id):
        return decide(entry, arguments, context, needs)
    rule = rules.rule(entry.id, arguments, needs, entry.signature)
    if rule is None:
        decision = decide(entry, arguments, context, needs)
    elif rule.decide == "deny":
        decision = Decision(False, rule.reason, steady=entry.needs is None)
    else:
        decision = decide(entry, arguments, context, needs, _given_by_rules(entry, arguments, context, needs))
        if decision.allow:
            steady = decision.steady and rule.decide == "allow" and context.former_rules is None
            decision = Decision(True, rule.reason, None, steady) if rule.decide == "allow" else asking(rule.reason)
            decision.for_run = rule.for_run
    decision.steady = decision.steady and rules.is_steady(entry.id)
    return decision


def _given_by_rules(entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext, needs: list[str]) -> bool:
    """Whether a rule that allows the capability applies here: the run's rights were not reduced and, if it is resumed,
    the grants or the rules that it began with allowed the capability too."""
    former = context.former_rules
    if former is not None and not context.grants[0].id(entry.id):
        rule = former.rule(entry.id, arguments, needs, entry.signature)
        if rule is None or rule.decide == "deny":
            return False
    return all(layer.id(entry.id) for layer in context.grants[context.bases :])


def decide(
    entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext, needs: list[str], granted: bool = False
) -> Decision:
    """The built-in policy. granted: whether the capability itself is granted by a rule.

    needs: the resources that this call reaches (`net:HOST:PORT` …), known to the provider or read from the declaration.
    """
    steady = entry.needs is None
    if context.level == "paranoid" and not (granted or context.grants_id(entry.id)):
        return Decision(False, "the security level paranoid asks for a grant for every call", entry.id, steady)
    leaves = entry.route == SESSION
    trusted = entry.origin != PLAN
    if leaves and not (granted or context.grants_id(entry.id) or (trusted and context.level == "minimal")):
        return Decision(False, "it leaves the process", entry.id, steady)
    for need in needs:
        if not context.grants_resource(need):
            why = "a plan's own declaration reaches" if leaves else "it reaches"
            return Decision(False, f"{why} {shown(need)}", shown(need), False)
    if leaves:
        return Decision(True, "granted", None, steady)
    if needs:
        return Decision(True, "granted", None, False)
    return Decision(True, _HARMLESS.get(entry.route) or _ORIGIN[entry.origin], None, steady)


_HARMLESS = {GUEST: "written in RTFS, runs under the caller's grants", BRANCHES: "runs under the caller's grants"}
_ORIGIN = {EMBEDDER: "registered by the embedder", BUILTIN: "stays in the process"}
for _origin in (PLAN, 1, 2):
    _ORIGIN[_origin] = "nothing is reached"


def declared_needs(flat: dict[str, Any]) -> list[str]:
    """The resources that a declaration's flat metadata reaches, for any provider: what looks like an http(s) URL, a
    credential's or override's environment variable (`…env_var`, `…_env`) and a command (`…command`)."""
    needs = []
    for key, value in flat.items():
        if value.__class__ is not str or not value or key.startswith("discovery_"):
            continue
        if value.strip()[:8].lower().startswith(("http://", "https://")):
            needs.append(net_need(value.strip()))
        elif key.endswith(("_env_var", "_env")):
            needs.append("env:" + value)
        elif key.endswith("_command"):
            needs.append("exec:" + value)
    return needs


def denial(entry: Entry, decision: Decision) -> UserError:
    """The error of a denied call: `policy/denied`, or what is wrong with its arguments."""
    if decision.error is not None:
        if decision.error.capability is None:
            decision.error.capability = entry.id
        return decision.error
    if decision.ask:
        return HostError(
            f'calling "{entry.id}" needs an approval: {decision.reason}',
            code="policy/approval-required",
            capability=entry.id,
        )
    hint = f"allow it with --allow {decision.grant}" if decision.grant else None
    return HostError(
        f'calling "{entry.id}" is not allowed: {decision.reason}',
        code="policy/denied",
        hint=hint,
        capability=entry.id,
    )


class Guard:
    """Asks an embedder's policy, in a separate thread so that a slow one can be abandoned.

    ask(request) → True, False, "approve", a Decision, or None for the built-in answer. limit: seconds.
    """

    __slots__ = ("_lane", "ask", "limit")

    def __init__(self, ask: Callable[[PolicyRequest], Any], limit: float = TIME_LIMIT) -> None:
        # what a policy looks at is imported now, not within its time
        import rtfs.capabilities.manifest  # noqa: F401

        self.ask = ask
        self.limit = limit
        self._lane: Any = None

    def decide(self, request: PolicyRequest) -> Decision:
        """The policy's decision; a denial if it crashes, answers nonsense or exceeds its time."""
        from queue import Empty, SimpleQueue

        answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        lane = self._lane
        if lane is None:
            lane = self._lane = SimpleQueue()
            _start_lane(lane)
        lane.put((self.ask, request, answers))
        try:
            fine, answer = answers.get(timeout=self.limit)
        except Empty:
            self._lane = None
            lane.put(None)
            return Decision(False, f"the policy did not answer within {self.limit * 1000:g} ms")
        if not fine:
            return Decision(False, f"the policy failed: {type(answer).__name__}")
        if answer is None:
            return request.decision
        if answer.__class__ is Decision:
            decision = Decision(answer.allow, answer.reason, answer.grant)
            decision.ask = answer.ask and not answer.allow
            return decision
        if answer == "approve" and answer.__class__ is str:
            decision = Decision(False, "the policy wants it approved")
            decision.ask = True
            return decision
        if answer is True:
            return Decision(True, "the policy allows it")
        if answer is False:
            return Decision(False, "the policy forbids it")
        return Decision(False, f"the policy answered {type(answer).__name__}, not True, False, None or a Decision")

    def close(self) -> None:
        """End the thread."""
        if self._lane is not None:
            self._lane.put(None)
            self._lane = None


def _start_lane(lane: Any) -> None:
    from threading import Thread

    def serve() -> None:
        while True:
            job = lane.get()
            if job is None:
                return
            ask, request, answers = job
            try:
                answers.put((True, ask(request)))
            except BaseException as error:  # whatever it is, it means no
                answers.put((False, error))

    Thread(target=serve, name="rtfs-policy", daemon=True).start()
