"""The decision of the sequence rules about a call, over the history of its run, its principal or everybody.

Must not know how calls are carried out. Invariants: a rule that cannot be decided (an amount that is not a number, a
ledger that cannot be read) denies; a call is decided about and recorded without a wait in between, so that two that
are made at once are one after the other.
"""

from __future__ import annotations

from time import localtime, strftime

from rtfs.host.policy.policy import asking_too, breach
from rtfs.host.sequence.history import SECOND, History, amount, values_at
from rtfs.host.sequence.rules import AFTER, ASK, BEFORE, COUNT, RUN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.audit.ledger import Ledger
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.host.policy.policy import Decision
    from rtfs.host.sequence.history import Occurrence
    from rtfs.host.sequence.rules import SequenceRule, SequenceRules

SHOWN = 3
"""Earlier calls that a message names."""


class SequenceControl:
    """rules: those of the runtime. history: what they look at."""

    __slots__ = ("_ledger", "history", "rules")

    def __init__(self, rules: SequenceRules, ledger: Ledger) -> None:
        self.rules = rules
        self.history = History(rules, ledger)
        self._ledger = ledger

    @property
    def by_run(self) -> bool:
        """Whether a rule looks at the calls of one run."""
        return any(rule.per == RUN for rule in self.rules.rules)

    def decide(
        self,
        decision: Decision,
        entry: Entry,
        arguments: tuple[Any, ...],
        context: RuntimeContext,
        key: str | None,
    ) -> Decision:
        """Decide about a call that is allowed otherwise, or has to be approved; no other call is decided until `end`.
        key: of the call, if it may have been made before."""
        decides, looks = self.rules.about(entry.id)
        if not decides and not looks:
            return decision
        try:
            self._ledger.begin_turn()
            self.history.catch_up()
        except Exception as error:
            return _denied(entry, f"the history cannot be read: {type(error).__name__}")
        asked: list[str] = []
        for rule in decides:
            reason = self._against(rule, entry, arguments, context, key, decision.needs)
            if reason is None:
                continue
            if rule.otherwise != ASK:
                return _denied(entry, reason)
            asked.append(reason)
        return asking_too(decision, asked)

    def end(self) -> None:
        """The decision is recorded, or will be made later. Harmless when repeated."""
        self._ledger.end_turn()

    def _against(
        self,
        rule: SequenceRule,
        entry: Entry,
        arguments: tuple[Any, ...],
        context: RuntimeContext,
        key: str | None,
        needs: Sequence[str],
    ) -> str | None:
        """Why a rule does not let a call through; None if it does."""
        earlier = self.history.earlier(rule, context.run_id, context.principal, key)
        if rule.kind == BEFORE:
            return self._not_before(rule, arguments, list(earlier))
        if rule.kind == AFTER:
            if rule.unless is not None and rule.unless.fits(entry.id, arguments, needs, entry.signature):
                return None
            last = next(earlier, None)
            return None if last is None else f"it must not follow {_told(last)}"
        before = list(earlier)
        if rule.kind == COUNT:
            total, what = float(len(before) + 1), f"calls of {rule.call}"
        else:
            what = f"{'.'.join(rule.argument)} of {rule.call}"
            own = amount(arguments, rule.argument)
            if own is None:
                return f"{'.'.join(rule.argument)} is not a number that can be added up"
            total = own + sum(one.facts.get("+" + ".".join(rule.argument)) or 0 for one in before)
        if total <= rule.most:
            return None
        made = f", after {_all_told(before)}" if before else ""
        return f"{what} would be {_number(total)} {_whose(rule)}, at most {_number(rule.most)}{made}"

    def _not_before(self, rule: SequenceRule, arguments: tuple[Any, ...], earlier: list[Occurrence]) -> str | None:
        wanted = {theirs: self.history.hash(values_at(arguments, tuple(own.split(".")))) for own, theirs in rule.same}
        missing = [own for own, theirs in rule.same if wanted[theirs] is None]
        if missing:
            return f"it has no {missing[0]}, which a call of {' or '.join(rule.other)} must have had"
        other: Occurrence | None = None
        for one in earlier:
            if one.worked and all(one.facts.get(name) == hash for name, hash in wanted.items()):
                return None
            other = other or one
        same = f" with the same {' and '.join(theirs for _, theirs in rule.same)}" if rule.same else ""
        within = f" within {_seconds(rule.seconds)}" if rule.seconds is not None else ""
        why = ""
        if other is not None:
            why = f"; {_told(other)} " + ("was of another one" if other.worked else "gave no value")
        return f"{' or '.join(rule.other)} has to be called before{same}{within}{why}"


def _told(one: Occurrence) -> str:
    """An earlier call, for people."""
    line = f"line {one.facts['line']}, " if "line" in one.facts else ""
    when = strftime("%H:%M:%S", localtime(one.time // SECOND))
    return f"{one.id} ({line}{when}, ledger record {one.number})"


def _all_told(calls: list[Occurrence]) -> str:
    more = f" and {len(calls) - SHOWN} more" if len(calls) > SHOWN else ""
    return ", ".join(_told(one) for one in calls[:SHOWN]) + more


def _whose(rule: SequenceRule) -> str:
    whose = {"run": "in this run", "principal": "for this principal", "all": "in all"}[rule.per]
    return whose if rule.seconds is None else f"{whose} within {_seconds(rule.seconds)}"


def _seconds(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _number(value: float) -> str:
    return f"{value:.12g}"


def _denied(entry: Entry, reason: str) -> Decision:
    hint = "a rule over the history of calls forbids it now; rtfs audit show names the earlier call"
    return breach(entry, reason, code="policy/sequence", hint=hint)
