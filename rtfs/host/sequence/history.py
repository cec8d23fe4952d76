"""The calls that sequence rules look for, out of the ledger's records: of this process, of others that share the
ledger, and of a durable run's earlier processes.

Must not know rules' texts or how calls are carried out. Invariants: a call that was allowed is in the history before
the next is decided about; one that is made again under the same key, or answered from the record of its run, is in it
once; no argument is in a record but numbers that a rule adds up: others are compared by their keyed hashes.
"""

from __future__ import annotations

import json
from time import time_ns

from rtfs.host.audit.ledger import HISTORY
from rtfs.host.sequence.rules import BEFORE, PRINCIPAL, RUN
from rtfs.syntax.printer import to_text
from rtfs.values import Map, Vector
from rtfs.values.canonical import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from rtfs.host.audit.ledger import Ledger, Record
    from rtfs.host.sequence.rules import SequenceRule, SequenceRules

SECOND = 1_000_000_000
_WORKED = ("ok", "resolved by hand: result")


class Occurrence:
    """A call that was allowed. number: of its record. time: ns since 1970 at which it was decided; earliest: the same,
    or 0 for a call that was answered from the record of its run, which may have been made at any time. facts: of its
    arguments. worked: whether it gave a value. over: whether its run has ended."""

    __slots__ = ("earliest", "facts", "id", "number", "over", "principal", "run", "time", "worked")

    def __init__(self, record: Record, facts: dict[str, Any], worked: bool, earliest: int) -> None:
        self.number = record.seq
        self.time = record.time
        self.earliest = earliest
        self.run = record.run
        self.principal = record.principal
        self.id = record.subject
        self.facts = facts
        self.worked = worked
        self.over = False


class History:
    """The history that one runtime's rules look at, kept up with its ledger."""

    __slots__ = ("_by_key", "_by_number", "_ledger", "_occurrences", "_rules", "_seen", "_window")

    def __init__(self, rules: SequenceRules, ledger: Ledger) -> None:
        self._rules = rules
        self._ledger = ledger
        self._occurrences: list[Occurrence] = []
        self._by_number: dict[tuple[str, int], Occurrence] = {}
        self._by_key: dict[str, Occurrence] = {}
        lasting = [rule.seconds for rule in rules.rules if rule.per != RUN]
        bounded = [seconds for seconds in lasting if seconds is not None]
        self._window = None if len(bounded) < len(lasting) else max(bounded, default=0.0)
        before = any(rule.kind == BEFORE and rule.per != RUN for rule in rules.rules)
        self._seen = ledger.listen(self._window != 0, before)

    def catch_up(self) -> None:
        """Take in what the ledger has had since the last time."""
        since = None
        if self._seen == 0 and self._window is not None:
            since = time_ns() - int(self._window * SECOND)
        records, self._seen = self._ledger.news(self._seen, since)
        for record in records:
            self._take(record)

    def reopen(self, run: str) -> None:
        """A run continues: what the ledger has of it counts again."""
        self.catch_up()
        for record in self._ledger.since(0, None, run):
            if record.seq <= self._seen or not self._ledger.ordered:
                self._take(record)

    def _take(self, record: Record) -> None:
        if record.kind in ("end", "resume"):
            self._mark(record.run, record.kind == "end")
            return
        if record.kind == "outcome":
            ended = self._by_number.get((record.run, record.parent))
            if ended is not None and record.detail == "ok":
                ended.worked = True
            return
        words, mark, text = record.detail.partition(HISTORY)
        if not mark or not self._rules.names(record.subject) or (record.run, record.seq) in self._by_number:
            return
        replayed = record.kind == "replay"
        if not replayed and not (record.kind == "decision" and words.startswith("allow")):
            return
        facts = json.loads(text)
        key = f"{record.subject} {facts['key']}" if "key" in facts else ""
        known = self._by_key.get(key)
        if known is not None:
            known.worked = known.worked or (replayed and words in _WORKED)
            self._by_number[record.run, record.seq] = known
            return
        found = Occurrence(record, facts, replayed and words in _WORKED, 0 if replayed else record.time)
        self._occurrences.append(found)
        self._by_number[record.run, record.seq] = found
        if key:
            self._by_key[key] = found

    def _mark(self, run: str, over: bool) -> None:
        """A run has ended or continues; let go of what no rule looks at any more."""
        if self._window is None:  # some rule looks at everything
            return
        for one in self._occurrences:
            if one.run == run:
                one.over = over
        if not over:
            return
        oldest = time_ns() - int(self._window * SECOND)
        if not any(one.over and one.time < oldest for one in self._occurrences):
            return
        kept = [one for one in self._occurrences if not (one.over and one.time < oldest)]
        there = {id(one) for one in kept}
        self._occurrences = kept
        self._by_number = {number: one for number, one in self._by_number.items() if id(one) in there}
        self._by_key = {key: one for key, one in self._by_key.items() if id(one) in there}

    def earlier(self, rule: SequenceRule, run: str, principal: str, key: str | None) -> Iterator[Occurrence]:
        """The calls that a rule looks for, the newest first. key: of the call that is decided about, which is not
        before itself."""
        now = time_ns()
        for one in reversed(self._occurrences):
            if rule.kind == BEFORE and "own" in one.facts:
                continue  # what a plan declares itself does not do what a rule requires
            if not rule.looks_for(one.id) or (key is not None and one.facts.get("key") == key):
                continue
            if (rule.per == RUN and one.run != run) or (rule.per == PRINCIPAL and one.principal != principal):
                continue
            began = one.earliest if rule.kind == BEFORE else one.time
            if rule.seconds is not None and now - began > rule.seconds * SECOND:
                continue
            yield one

    # ------------------------------------------------------------------ facts
    def facts(self, id: str, arguments: tuple[Any, ...], key: str | None, line: int | None, own: bool) -> str:
        """The facts about a call's arguments, appended to its record's detail; "" for a call that no rule names. own:
        the plan has declared the capability itself."""
        decides, looks = self._rules.about(id)
        if not decides and not looks:
            return ""
        found: dict[str, Any] = {}
        if key is not None:
            found["key"] = key
        if line is not None:
            found["line"] = line
        if own:
            found["own"] = True
        for rule in looks:
            for _, argument in rule.same:
                found[argument] = self.hash(values_at(arguments, tuple(argument.split("."))))
            if rule.argument:
                found["+" + ".".join(rule.argument)] = amount(arguments, rule.argument)
        return HISTORY + json.dumps(found, sort_keys=True)

    def hash(self, values: list[Any]) -> str | None:
        """The keyed hash of the values of an argument; None for none."""
        if not values:
            return None
        whole = [int(one) if one.__class__ is float and one.is_integer() else one for one in values]
        return self._ledger.fingerprint(to_text(canonical(Vector(whole))))[:16]


def amount(arguments: tuple[Any, ...], path: tuple[str, ...]) -> int | float | None:
    """The amount that a call adds to a total: the numbers at a path, negative ones as 0; None if there is no number, or
    a value that is not a number."""
    found = values_at(arguments, path)
    if not found or any(one.__class__ not in (int, float) or one != one for one in found):
        return None
    total = sum(max(one, 0) for one in found)
    return total if total != float("inf") else None


def values_at(arguments: Iterable[Any], path: tuple[str, ...]) -> list[Any]:
    """The values at a path of a call's arguments."""
    given = tuple(arguments)
    values: list[Any] = [given[0]] if len(given) == 1 and given[0].__class__ is Map else [Vector(given)]
    for name in path:
        inner: list[Any] = []
        for value in values:
            if value.__class__ is Map:
                inner += [item for key, item in value.items() if getattr(key, "name", key) == name]
            elif value.__class__ is Vector and name.isdigit() and int(name) < len(value):
                inner.append(value[int(name)])
        values = inner
    return values
