"""Predicts the decision of the flow rules about a call, before anything runs: denied always, never, or depending on
what happens.

Must not run anything. Invariant: a call that is said to be denied always is never allowed when the program runs.
"""

from __future__ import annotations

from rtfs.capabilities.registry import BRANCHES, GUEST
from rtfs.host.flow.abstract import ANY, INPUT, MODEL, PLAN, Abstract
from rtfs.host.flow.results import KEPT
from rtfs.host.flow.rules import ASK, argument_names
from rtfs.host.flow.visits import Declared
from rtfs.host.policy.grants import glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from rtfs.capabilities.registry import Entry, Registry
    from rtfs.host.flow.abstract import Atom
    from rtfs.host.flow.patterns import SourcePattern
    from rtfs.host.flow.rules import FlowRule, FlowRules
    from rtfs.host.flow.visits import Visit

ALLOW, DENY, ASKS, DEPENDS = "allow", "deny", "ask", "depends"
STRICTNESS = (ALLOW, DEPENDS, ASKS, DENY)
"""The verdicts, the strictest last."""
YES, NO, MAYBE = "yes", "no", "maybe"
_PLAIN = (PLAN[0], MODEL[0], INPUT[0], "unknown")


def declared_of(registry: Registry, id: str) -> Declared | None:
    """The facts about a capability that tracing needs; None for a capability that is not declared here."""
    entry = registry.find(id)
    if entry is None:
        return None
    flow = entry.fields.flow
    guest = entry.route in (GUEST, BRANCHES)
    return Declared(flow is not None and flow.drops, guest, id.startswith(KEPT))


def flow_verdict(rules: FlowRules, entry: Entry, visits: list[Visit] | None, registry: Registry) -> tuple[str, str]:
    """The decision of the rules about the calls at a place, and the reason. visits: the ways in which the calls are
    made, None if they are not known."""
    about = rules.about(entry)
    if not about:
        return ALLOW, ""
    if not visits:
        for rule in about:
            if rule.never and rule.argument is None:
                return _no(rule), "a flow rule forbids it"
        return DEPENDS, "flow rules look at where its arguments come from"
    found = [_visited(rules, about, entry, visit, registry) for visit in visits]
    kinds = {kind for kind, _ in found}
    if len(kinds) == 1:
        return found[0]
    return DEPENDS, next(reason for kind, reason in found if kind != ALLOW)


def _visited(
    rules: FlowRules, about: list[FlowRule], entry: Entry, visit: Visit, registry: Registry
) -> tuple[str, str]:
    asks: str | None = None
    doubt: str | None = None
    for rule in about:
        held, reason = _held(rules, rule, entry, visit, registry)
        if held == NO and rule.otherwise != ASK:
            return DENY, reason
        if held == NO:
            asks = asks or reason
        elif held == MAYBE:
            doubt = doubt or reason
    if asks is not None and doubt is None:
        return ASKS, asks
    return (ALLOW, "") if doubt is None and asks is None else (DEPENDS, doubt or asks or "")


def _no(rule: FlowRule) -> str:
    return ASKS if rule.otherwise == ASK else DENY


def _held(rules: FlowRules, rule: FlowRule, entry: Entry, visit: Visit, registry: Registry) -> tuple[str, str]:
    """Whether a rule holds of one way to make a call, and why not."""
    what = rule.argument or "the call"
    if rule.never and rule.argument is None:
        return NO, "no flow rule says what it may be given" if rule.unknown else "a flow rule forbids it"
    parts, certain = arguments_at(entry, visit.arguments, rule.parts())
    worst, why = YES, ""
    for part in parts:
        held, reason = _part_held(rules, rule, part.whole(), visit, registry)
        if held == NO and not certain:
            held = MAYBE
        if held == NO:
            return NO, f"{what} {reason}"
        if held == MAYBE:
            worst, why = MAYBE, f"{what} {reason}"
    return worst, why


def _part_held(rules: FlowRules, rule: FlowRule, part: Abstract, visit: Visit, registry: Registry) -> tuple[str, str]:
    if rule.never:
        return NO, "is forbidden by a flow rule"
    doubt = ""
    if rule.sources is not None:
        fits = {atom: _fits(atom, rule.sources, registry) for atom in part.data}
        never = sorted(id for id in part.must if _fits((id, ()), rule.sources, registry) == NO)
        if never and not rules.endorsements:
            return NO, f"comes from {', '.join(never)}"
        bad = [atom for atom, fit in fits.items() if fit != YES]
        if bad:
            doubt = f"may come from {named(bad)}"
    if rule.deciders is not None:
        bad = [atom for atom in part.control | visit.by if _fits(atom, rule.deciders, registry) != YES]
        if bad:
            doubt = doubt or f"may be decided by {named(bad)}"
    if rule.readers is not None and not all(_public(atom, registry) for atom in part.data):
        doubt = doubt or "may have readers"
    return (MAYBE, doubt) if doubt else (YES, "")


def arguments_at(entry: Entry, arguments: list[Abstract], names: list[str]) -> tuple[list[Abstract], bool]:
    """The values at a path of a call's arguments, every element of a collection on the way, and whether each of them
    certainly is there."""
    signature = entry.signature
    one = arguments[0] if len(arguments) == 1 else None
    certain = True
    if signature is not None:
        required = signature.needed if signature.rest is None else ()
        certain = bool(names) and names[0] in required  # others are left out where they are nil
    if one is not None and isinstance(one.kids, dict) and (signature is None or one.kids.keys() <= {*signature.names}):
        found = [one]
    elif one is None and signature is not None and not signature.rest and len(arguments) <= len(signature.names):
        found = [Abstract(kids=dict(zip(signature.names, arguments, strict=False)))]
    else:
        found, certain = [argument.whole() for argument in arguments] if names else list(arguments), False
    for name in names:
        inner: list[Abstract] = []
        for value in _opened(found):
            if isinstance(value.kids, dict):
                if name in value.kids:
                    inner.append(value.at_key(name))
            else:
                certain = False
                inner.append(value.at_key(name))
        found = inner
    return _opened(found), certain


def _opened(values: list[Abstract]) -> list[Abstract]:
    found: list[Abstract] = []
    for value in values:
        if isinstance(value.kids, list) and value.kids:
            found += _opened([kid.decided(value.data | value.control) for kid in value.kids])
        else:
            found.append(value)
    return found


def _fits(atom: Atom, patterns: Iterable[SourcePattern], registry: Registry) -> str:
    """Whether a source is one of those that patterns name: certainly, certainly not, or perhaps."""
    answers = {_fits_one(atom, pattern, registry) for pattern in patterns}
    return YES if YES in answers else MAYBE if MAYBE in answers else NO


def _fits_one(atom: Atom, pattern: SourcePattern, registry: Registry) -> str:
    id, path = atom
    if atom == ANY:
        return YES if pattern.head == "*" and not pattern.parts else MAYBE
    if pattern.head == "trusted":
        if id in _PLAIN:
            return NO
        entry = registry.find(id)
        return MAYBE if entry is None else YES if entry.fields.flow is not None and entry.fields.flow.trusted else NO
    if glob(pattern.head, id):
        parts = pattern.parts
    elif "*" not in pattern.head and pattern.head.startswith(id + "."):
        parts = [*pattern.head[len(id) + 1 :].split("."), *pattern.parts]
    else:
        return NO
    depth, sure = 0, True
    for part in parts:
        if not isinstance(part, str):
            sure = False
        elif depth >= len(path):
            return MAYBE
        elif not glob(part, path[depth]):
            return NO
        else:
            depth += 1
    return YES if sure else MAYBE


def _public(atom: Atom, registry: Registry) -> bool:
    """Whether everybody may read what comes from a source."""
    if atom[0] in (PLAN[0], MODEL[0], INPUT[0]):
        return True
    entry = registry.find(atom[0])
    if atom == ANY or entry is None:
        return False
    flow = entry.fields.flow
    return flow is None or (flow.readers is None and all(readers is None for _, readers in flow.result.values()))


def named(atoms: Iterable[Atom]) -> str:
    """Sources for people."""
    texts = sorted({".".join((id, *path)) if (id, path) != ANY else "what is not known yet" for id, path in atoms})
    return ", ".join(texts[:3]) + (f" and {len(texts) - 3} more" if len(texts) > 3 else "")


def sources_of(entry: Entry, visits: list[Visit]) -> dict[str, list[str]]:
    """Argument → the sources that it may come from, over all ways in which a call is made; `*` for all arguments, where
    they have no names. What certificates say."""
    found: dict[str, set[str]] = {}
    names = argument_names(entry) or ["*"]
    for visit in visits:
        for name in names:
            parts, _ = arguments_at(entry, visit.arguments, [] if name == "*" else [name])
            for part in parts:
                found.setdefault(name, set()).update(".".join((id, *path)) for id, path in part.whole().data)
    return {name: sorted(sources) for name, sources in sorted(found.items())}
