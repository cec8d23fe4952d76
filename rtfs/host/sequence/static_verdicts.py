"""Predicts the decision of the sequence rules about a call, before anything runs, from the calls that certainly or
possibly come before it.

Must not run anything, and knows no ledger: what happened before the program began is not known. Invariant: a call that
is said to be denied always is never allowed when the program runs.
"""

from __future__ import annotations

import json

from rtfs.host.flow.static_verdicts import ALLOW, ASKS, DENY, DEPENDS, STRICTNESS, arguments_at
from rtfs.host.sequence.rules import AFTER, ASK, BEFORE, COUNT, RUN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from rtfs.capabilities.registry import Entry
    from rtfs.host.flow.visits import Visit
    from rtfs.host.sequence.rules import SequenceRule, SequenceRules


def sequence_verdict(
    rules: SequenceRules, entry: Entry, visits: list[Visit] | None, bound: Callable[[str], int | None]
) -> tuple[str, str]:
    """The decision of the rules about the calls at a place, and the reason. visits: the ways in which the calls are
    made, None if they are not known. bound: the highest number of calls of a capability in one run, None if it is not
    known."""
    worst = ALLOW, ""
    for rule in rules.about(entry.id)[0]:
        found = [_visited(rule, entry, visit, bound) for visit in visits or ()]
        kinds = {kind for kind, _ in found}
        kind, reason = found[0] if len(kinds) == 1 else (DEPENDS, "a sequence rule looks at what was called before")
        if kind == DENY and rule.otherwise == ASK:
            kind = ASKS
        worst = max(worst, (kind, reason), key=lambda one: STRICTNESS.index(one[0]))
    return worst


def _visited(rule: SequenceRule, entry: Entry, visit: Visit, bound: Callable[[str], int | None]) -> tuple[str, str]:
    if rule.kind == BEFORE:
        return _before(rule, entry, visit)
    if rule.kind == AFTER:
        return _after(rule, visit)
    if rule.kind == COUNT:
        if rule.most < 1:
            return DENY, f"at most {rule.most:g} calls of {rule.call} are allowed"
        most = None if "*" in rule.call else bound(entry.id)
        if rule.per == RUN and most is not None and most <= rule.most:
            return ALLOW, ""
        return DEPENDS, f"calls of {rule.call} are counted"
    what = f"{'.'.join(rule.argument)} of {rule.call}"
    literal = _literal(entry, visit, ".".join(rule.argument))
    try:
        amount = None if literal is None else json.loads(literal)
    except ValueError:
        amount = None
    if literal is not None and (amount.__class__ not in (int, float)):
        return DENY, f"{'.'.join(rule.argument)} is not a number that can be added up"
    if amount is not None and amount > rule.most:
        return DENY, f"{what} is {amount:g}, at most {rule.most:g}"
    return DEPENDS, f"{what} is added up"


def _before(rule: SequenceRule, entry: Entry, visit: Visit) -> tuple[str, str]:
    required = " or ".join(rule.other)
    possible = None in visit.maybe or any(rule.looks_for(id) for id in visit.maybe if id is not None)
    if not possible and rule.per == RUN:
        return DENY, f"{required} is not called before"
    for one in visit.before:
        if one.id not in rule.other or rule.seconds is not None:  # one that a pattern fits may be the plan's own
            continue
        own = [_literal(entry, visit, mine) for mine, _ in rule.same]
        theirs = [_literal(None, one, name) for _, name in rule.same]
        if None not in own and own == theirs:
            return ALLOW, ""
    return DEPENDS, f"{required} has to be called before"


def _after(rule: SequenceRule, visit: Visit) -> tuple[str, str]:
    if rule.per == RUN:
        certain = sorted(one.id for one in visit.before if one.id is not None and rule.looks_for(one.id))
        if certain and rule.unless is None and rule.seconds is None:
            return DENY, f"it follows {certain[0]}"
        if None not in visit.maybe and not any(rule.looks_for(id) for id in visit.maybe if id is not None):
            return ALLOW, ""
    return DEPENDS, f"it must not follow {' or '.join(rule.other)}"


def _literal(entry: Entry | None, visit: Visit, name: str) -> str | None:
    """The text of the constant that an argument certainly is, or None."""
    if entry is not None:
        parts, certain = arguments_at(entry, visit.arguments, name.split("."))
        return parts[0].literal if certain and len(parts) == 1 else None
    value = visit.arguments[0] if len(visit.arguments) == 1 else None
    for part in name.split("."):
        value = value.kids.get(part) if value is not None and isinstance(value.kids, dict) else None
    return None if value is None else value.literal
