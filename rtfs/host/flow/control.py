"""The flow control of one run: labels of what its calls are given and answer, and the decision of the flow rules.

Must not know how calls are carried out. Invariants: a rule that cannot be decided (a look-up fails, or is slow) denies;
what an implementation or a branch does is in the labels of what it gives.
"""

from __future__ import annotations

from rtfs.capabilities.registry import BRANCHES, GUEST, PLAN
from rtfs.compiler.labelled.moves import Found
from rtfs.flow.label import LAZY, NOTHING, OF_UNKNOWN, UNKNOWN, Label, join
from rtfs.flow.tag import NO_TAG, UNKNOWN_TAG, Tag, joined
from rtfs.host.flow.kept import KEEPING
from rtfs.host.flow.machines import MachineLabels
from rtfs.host.flow.patterns import texts
from rtfs.host.flow.results import KEPT, Answer
from rtfs.host.flow.rules import ASK, FlowRule, FlowRules, Lookup, parts_at, value_at, values_at
from rtfs.host.flow.tag_text import decode_tag, encode_tag
from rtfs.host.policy.policy import asking_too, breach
from rtfs.host.redaction import redact
from rtfs.host.scheduler.suspensions import Within
from rtfs.syntax.printer import to_text
from rtfs.values import HostError, Keyword, List, Map, Set, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.flow.label import Source, Way
    from rtfs.host.flow.kept import KeptLabels
    from rtfs.host.policy.policy import Decision
    from rtfs.host.run.frame import Frame
    from rtfs.machine import HostCall

SECONDS = 10.0
"""The longest time of a look-up."""
SHOWN = 3
"""Sources that a message names."""


class RunControl(MachineLabels):
    """rules: those of the runtime. kept: labels of what is kept outside of runs. author, inputs: as in `RunOptions`."""

    __slots__ = ("_answers", "_kept", "rules")

    def __init__(self, rules: FlowRules, kept: KeptLabels, author: str = "plan", inputs: str = "input") -> None:
        super().__init__(author, inputs)
        self._kept = kept
        self.rules = rules
        self._answers: dict[str, Any] = {}

    # ------------------------------------------------------------------ calls
    async def labelled(self, performing: Coroutine[Any, Any, Any], call: HostCall, frame: Frame) -> Any:
        """The value of a call; its tag goes where the program finds it."""
        plain = call.labels is None
        frame.implemented = []
        try:
            value = await performing
        except UserError:
            call.answer_tag = joined([self._tag(call, frame, None), *[one for one, _ in frame.implemented]])
            if plain:
                self.leave(frame.flow, call.answer_tag)
            raise
        kept = await self._of_kept(call, frame, value) if call.id in KEEPING else None
        call.answer_tag = self._tag(call, frame, value) if kept is None else kept
        if call.keep_labels is not None:
            call.keep_labels(encode_tag(call.answer_tag, value, self.labels.resolve))
        if plain:
            self.leave(frame.flow, call.answer_tag)
        return value

    async def _of_kept(self, call: HostCall, frame: Frame, value: Any) -> Tag | None:
        """The tag of what a capability has answered that keeps values; None where no labels were kept."""
        tags = self.tags(call, frame)
        if len(call.args) != 1:
            return None
        # what was not put, because other code ran, tells of what decided that
        by = join(self.decided_by(call.decided_by, frame.flow), self.labels.branched)
        given = tags[0].decided(by)
        return await self._kept.tag(call, frame.context.principal, call.args[0], given, value, self.labels.resolve)

    def _tag(self, call: HostCall, frame: Frame, value: Any) -> Tag:
        if call.kept_labels is not None:  # answered from the record of its run
            try:
                return decode_tag(call.kept_labels)
            except ValueError:
                return UNKNOWN_TAG
        entry = frame.run.registry.find(call.id)
        given = joined(self.tags(call, frame)).flat()[0]
        declared = None if entry is None or entry.origin == PLAN else entry.fields.flow
        if declared is not None and declared.drops:
            given = NOTHING
        implemented, frame.implemented = frame.implemented, []
        if entry is not None and entry.declared_tag is not None:
            implemented = [(_joined_with(tag, entry.declared_tag), fully) for tag, fully in implemented]
        if entry is not None and entry.route in (GUEST, BRANCHES):
            whole = [tag for tag, fully in implemented if fully]
            if len(whole) == 1 == len(implemented) and declared is None:
                return whole[0]
            if not implemented:  # answered from a record
                given = join(given, OF_UNKNOWN)
        elif call.id.startswith(KEPT):
            given = join(given, OF_UNKNOWN)
        for tag, _ in implemented:
            given = join(given, tag.everything())
        way = (call.id, *(call.where or ("", 0)))
        return Answer(call.id, declared, given, way, self.rules.looks_into(call.id)).tag(value)

    def tags(self, call: HostCall, frame: Frame) -> list[Tag]:
        """The tags of a call's arguments, in their canonical form."""
        tags = call.labels
        if tags is None:
            return self.plain_tags(frame.flow, len(call.args))
        if call.args is call.given or not call.given:
            return tags if len(tags) == len(call.args) else [NO_TAG] * len(call.args)
        found = Found(list(call.given), list(tags), 2)
        return [found.tag_of(value) for value in call.args]

    # ------------------------------------------------------------------ rules
    async def decide(self, decision: Decision, entry: Entry, call: HostCall, frame: Frame) -> Decision:
        """The decision about a call that is allowed otherwise, or has to be approved."""
        rules = self.rules.about(entry)
        if not rules or frame.looks_up:
            return decision
        tags = self.tags(call, frame)
        arguments = call.args[0] if len(call.args) == 1 else Vector(call.args)
        whole = tags[0] if len(call.args) == 1 else Tag(NOTHING, NOTHING, tags)
        by = self.decided_by(call.decided_by, frame.flow)
        asked: list[str] = []
        for rule in rules:
            try:
                reason = await self._against(rule, entry, (arguments, whole), by, frame)
            except UserError as error:
                return _denied(entry, f"a look-up of a flow rule failed: {error.message}")
            if reason is None:
                continue
            if rule.otherwise != ASK:
                return _denied(entry, reason)
            asked.append(reason)
        return asking_too(decision, asked)

    async def _against(self, rule: FlowRule, entry: Entry, given: Any, by: Label, frame: Frame) -> str | None:
        """Why a rule does not let a call through; None if it does."""
        what = rule.argument or "the call"
        if rule.never and rule.argument is None:
            return f'no flow rule says what "{entry.id}" may be given' if rule.unknown else "a flow rule forbids it"
        parts = parts_at(given, rule.parts(), scalars=True)
        me = await self._me(frame) if any(pattern.uses_me for pattern in rule.patterns()) else frozenset[str]()
        audience = None
        for value, tag in parts:
            if rule.never:
                return f"{what}: a flow rule forbids it"
            data, control = self.labels.resolve(*tag.flat())
            control = join(control, by)
            if rule.sources is not None or rule.deciders is not None:
                if rule.sources is not None:
                    bad = _outside(data, rule.sources, me)
                    if bad and not await self._endorsed(value, frame):
                        return f"{what} comes from {self._ways(bad, frame)}"
                if rule.deciders is not None:
                    bad = _outside(control, rule.deciders, me)
                    if bad:
                        return f"{what} was decided by {self._ways(bad, frame)}"
            if rule.readers is not None and data.readers is not None:
                if audience is None:
                    audience = await self._audience(rule.readers, given[0], frame)
                outsiders = sorted(audience - data.readers)
                if outsiders:
                    return f"{what} may not be read by {', '.join(outsiders[:SHOWN])}: it comes from " + self._ways(
                        list(data.sources.items()), frame
                    )
        return None

    async def _endorsed(self, value: Any, frame: Frame) -> bool:
        for one in self.rules.endorsements:
            if one.type is not None and one.type.accepts(value):
                return True
            if one.lookup is not None and value in await self._looked_up(one.lookup, None, frame):
                return True
        return False

    async def _me(self, frame: Frame) -> frozenset[str]:
        found: list[str] = []
        for me in self.rules.me:
            found += [me] if isinstance(me, str) else texts_in(await self._looked_up(me, None, frame))
        return frozenset(found)

    async def _audience(self, readers: Lookup | list[str], arguments: Any, frame: Frame) -> frozenset[str]:
        """Everybody who would see the argument."""
        if isinstance(readers, Lookup):
            return frozenset(texts_in(await self._looked_up(readers, arguments, frame)))
        found: set[str] = set()
        for one in readers:
            found.update(texts_in(values_at(arguments, one[1:])) if one.startswith("$") else [one])
        return frozenset(found)

    async def _looked_up(self, lookup: Lookup, arguments: Any, frame: Frame) -> list[Any]:
        """The answer of a look-up, as a list of values; each look-up is made once in a run. Raises UserError."""
        from rtfs.machine import HostCall

        pairs = [
            (Keyword(name), value_at(arguments, one[1:]) if str(one).startswith("$") else one)
            for name, one in lookup.arguments.items()
        ]
        given = (Map(pairs),) if pairs else ()
        key = f"{lookup.id} {to_text(Vector(given))}"
        if key not in self._answers:
            call = HostCall("call", lookup.id, given)
            call.labels = [NO_TAG] * len(given)
            inner = frame.inner()
            inner.looks_up = True

            def late() -> HostError:
                return HostError(f'"{lookup.id}" took longer than {SECONDS:g} s', code="capability/timeout")

            self._answers[key] = await Within(SECONDS, frame.run.performer.perform(call, inner), late)
        value = self._answers[key]
        if lookup.field is not None:
            value = Vector([item for item, _ in parts_at((value, NO_TAG), lookup.field.split("."))])
        return list(value) if value.__class__ in (Vector, List, Set) else [value]

    # ------------------------------------------------------------------ words
    def _ways(self, bad: list[tuple[Source, Way]], frame: Frame) -> str:
        """Sources with the ways from them: `bank.read_file (line 3) through re-find (line 4)`."""
        shown = []
        for source, way in sorted(bad, key=lambda one: (one[0].id == UNKNOWN.id, repr(one[0]))):
            name = repr(source)
            if source.origin:
                name += f" of {redact(', '.join(source.origin))[:80]}"
            steps = [_step(one, frame) for one in way]
            if way and way[0][0] == source.id:
                name += steps.pop(0)[len(way[0][0]) :]
            text = name + (" through " + ", ".join(steps) if steps else "")
            if text not in shown:
                shown.append(text)
        more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
        return ", ".join(shown[:SHOWN]) + more


def _joined_with(tag: Tag, other: Tag) -> Tag:
    """The tag of an answer of a function that was itself made of something."""
    data, control = other.flat()
    if data is not NOTHING:
        more, further = tag.flat()
        return Tag(join(more, data), join(further, control))
    return tag.decided(control)


def texts_in(values: list[Any]) -> list[str]:
    """The texts of a list of values."""
    return [text for value in values for text in texts(value)]


def _outside(label: Label, patterns: Any, me: frozenset[str]) -> list[tuple[Source, Way]]:
    """The sources that no pattern fits."""
    return [
        (source, way)
        for source, way in label.sources.items()
        if source is not LAZY and not any(pattern.fits(source, me) for pattern in patterns)
    ]


def _step(step: tuple[str, str, int], frame: Frame) -> str:
    name, filename, at = step
    guest = frame.run.guest
    if guest is not None:
        line = guest.line(filename, at)
    else:
        unit = frame.run.environment.units.get(filename)
        span = None if unit is None else unit.span(at)
        line = None if span is None else span.line
    return name if line is None else f"{name} (line {line})"


def _denied(entry: Entry, reason: str) -> Decision:
    hint = "take it from a source that the flow rules accept, or have it approved (otherwise: ask)"
    return breach(entry, reason, code="policy/flow", hint=hint)
