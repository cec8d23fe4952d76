"""The one function that dispatches every host call: `Pipeline.perform`. Nothing else reaches an implementation.

Must not know any provider's name, nor how sessions or machines work inside. The stages, in order: resolve the
manifest, bring the arguments into canonical form, decide and record the decision, check the input, apply hints, route,
check the output, record the outcome.
Invariant: no stage is skipped, whatever makes the call (a program, an implementation, a branch, a retry, a fallback);
the ledger has the decision before anything happens, and an outcome for every call that was allowed.
"""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic, perf_counter_ns

from rtfs.capabilities.permit import Permit
from rtfs.capabilities.registry import (
    ASYNC,
    BRANCHES,
    FIBER,
    GUEST,
    INLINE,
    NOWHERE,
    OUTSIDE,
    PERSON,
    PLAN,
    SESSION,
    THREAD,
    entry_for,
)
from rtfs.capabilities.signature import canonical
from rtfs.host.audit.events import WAITS, CapabilityDeclared
from rtfs.host.audit.ledger import RecordTemplate
from rtfs.host.calls.approvals import ApprovalRequest, Approvals
from rtfs.host.calls.checking import check_arguments, checked_result
from rtfs.host.calls.marshal import (
    VALUES,
    as_text,
    as_value,
    call_inline,
    failed,
    given_arguments,
    named_keys,
    one_value,
    thunks_of,
)
from rtfs.host.policy import policy
from rtfs.host.policy.policy import Decision, PolicyRequest
from rtfs.host.policy.rules import size_of
from rtfs.host.redaction import clean, named
from rtfs.host.run.driver import call_function, parallel
from rtfs.host.run.durability import NOT_DURABLE, NOT_JOURNALED
from rtfs.host.run.large_values import in_turns, is_large
from rtfs.host.scheduler.suspensions import HOME, InThread, OnLoop
from rtfs.host.stop import Stop
from rtfs.syntax.printer import to_text
from rtfs.values import HostError, LimitError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.audit.events import Events
    from rtfs.host.calls.hints import HintLimits, Hints
    from rtfs.host.calls.session_calls import Sessions
    from rtfs.host.calls.undeclared import Undeclared
    from rtfs.host.policy.context import RuntimeContext
    from rtfs.host.policy.policy import Guard
    from rtfs.host.policy.protected_files import OwnFiles
    from rtfs.host.policy.rules import Rules
    from rtfs.host.run.durability import JournaledCall
    from rtfs.host.run.frame import Frame, Run
    from rtfs.host.sequence.control import SequenceControl
    from rtfs.machine import HostCall
    from rtfs.source import Span


class Pipeline:
    """policy: the built-in decision function, or None (then everything is denied). guard: the embedder's policy, asked
    instead, or None. sessions: the stage of that name; stub: `f(id, arguments)`, asked first at the route
    stage for what would leave the process, answering NotImplemented for no (tests use it). rules: of the configuration,
    or None. sequence: the rules over the history of calls, or None. own: the host's own files, or None. approvals: asks
    a person about calls. undeclared: finds capabilities that are not declared, or None. strict_arguments:
    keys that an input schema does not name are refused."""

    __slots__ = (
        "_hint_limits", "_hints", "_lock", "approvals", "events", "guard", "own", "policy", "rules", "sequence",
        "sessions", "strict_arguments", "stub", "undeclared",
    )  # fmt: skip

    def __init__(self, events: Events, sessions: Sessions, hint_limits: HintLimits | None) -> None:
        self.events = events
        self.sessions = sessions
        self._hint_limits = hint_limits
        self._hints: Hints | None = None
        self._lock = allocate_lock()
        self.guard: Guard | None = None
        self.own: OwnFiles | None = None
        self.undeclared: Undeclared | None = None
        self.strict_arguments = True
        self.rules: Rules | None = None
        self.sequence: SequenceControl | None = None
        self.approvals = Approvals()
        self.policy: Callable[..., Decision] | None = policy.decide
        self.stub: Callable[[str, tuple[Any, ...]], Any] | None = None

    @property
    def hints(self) -> Hints:
        """The stage of hints, imported when a call has some."""
        with self._lock:
            if self._hints is None:
                from rtfs.host.calls.hints import Hints

                self._hints = Hints(self._hint_limits)
            return self._hints

    def perform(self, call: HostCall, frame: Frame) -> Coroutine[Any, Any, Any]:
        """Perform a `call`; awaited, its value. Raises UserError (`capability/…`, `policy/…`, `session/…`,
        `type/mismatch`)."""
        run = frame.run
        known = entry = run.registry.find(call.id)
        if entry is None and self.undeclared is not None:
            entry = self.undeclared.stand_in(call.id)
        if entry is not None and (entry.signature is not None or entry.route == SESSION or entry.takes_sets):
            self._bring_into_form(entry, call, frame)
        if run.durability is NOT_DURABLE:  # it would do just this, and most runs are
            performing = self._perform(call, frame, NOT_JOURNALED, known)
        else:
            performing = run.durability.perform(self._perform, call, frame)
        return performing if run.flow is None else run.flow.labelled(performing, call, frame)

    def at_once(self, call: HostCall, frame: Frame) -> Any:
        """`perform`, but a call for which nothing has to be waited is performed now: its value, or a coroutine of it.

        The stages are the same. What does not depend on the arguments is settled with the first decision that holds for
        all of them: that it is allowed, and what its records have in common.
        """
        run, context = frame.run, frame.context
        entry = run.registry.find(call.id)
        decision = None if entry is None else context.decided.get(entry)
        if entry is None or decision is None or call.hints is not None or self.events.observed:
            return self.perform(call, frame)
        settled = decision.settled
        if settled is None:
            settled = decision.settled = self._settle(entry, decision, frame)
        if not settled:
            return self.perform(call, frame)
        if entry.signature is not None or entry.takes_sets:
            self._bring_into_form(entry, call, frame)
        arguments = call.args
        if run.breathe and is_large(arguments):
            return self.perform(call, frame)
        text = as_text(entry, arguments)
        decided, ended = settled
        ledger = self.events.ledger
        number = ledger.fill(decided, frame.parent, text, 0)
        if context.quota.calls is not None:
            context.spend_call()
        started = perf_counter_ns()
        try:
            check_arguments(entry, arguments, text, frame, self.strict_arguments)
            if entry.route == ASYNC:
                waiting = OnLoop(entry.function, entry.loop or HOME, given_arguments(entry, arguments))
                return self._later(waiting, call, entry, frame, number, started, ended)
            value = call_inline(entry, arguments)
            if run.breathe and is_large(value):
                return self._later(value, call, entry, frame, number, started, ended)
            if value.__class__ not in VALUES:
                value = as_value(value, entry)
            value, result = checked_result(entry, value)
        except BaseException as error:
            self._failed(error, call, entry, frame, number, started, 0.0)
            raise
        ledger.fill(ended, number, result, perf_counter_ns() - started)
        return value

    def _settle(self, entry: Entry, decision: Decision, frame: Frame) -> Any:
        """The templates of the records of calls that this decision allows, if that is all there is to them; else ()."""
        run, context = frame.run, frame.context
        if (
            (entry.route != INLINE and entry.route != ASYNC)
            or entry.told
            or not decision.allow
            or run.durability is not NOT_DURABLE
            or run.flow is not None
            or self.sequence is not None
            or context.quota.spending is not None
        ):
            return ()
        run_id, principal = context.run_id, context.principal
        return (
            RecordTemplate("decision", run_id, entry.id, principal, decision.text, ends=False),
            RecordTemplate("outcome", run_id, entry.id, principal, "ok", ends=True),
        )

    async def _later(
        self, value: Any, call: HostCall, entry: Entry, frame: Frame, number: int, started: int, ended: RecordTemplate
    ) -> Any:
        """The rest of a call by `at_once`. value: an `OnLoop` that has to be awaited, or the answer, which is large."""
        run = frame.run
        try:
            if value.__class__ is OnLoop:
                try:
                    value = await value
                except UserError:
                    raise
                except Exception as error:
                    raise failed(error) from error
                run.budget.breathed = monotonic()  # others had their turn meanwhile
            if run.breathe and is_large(value):
                if value.__class__ not in VALUES:
                    value = await in_turns(run, as_value, value, entry)
                value, result = await in_turns(run, checked_result, entry, value)
            else:
                value, result = checked_result(entry, as_value(value, entry))
        except BaseException as error:
            self._failed(error, call, entry, frame, number, started, 0.0)
            raise
        self.events.ledger.fill(ended, number, result, perf_counter_ns() - started)
        return value

    async def _perform(self, call: HostCall, frame: Frame, journaled: JournaledCall, known: Entry | None = None) -> Any:
        """The stages, from the manifest to the recorded outcome. known: the entry, if it was just found."""
        entry = known or frame.run.registry.find(call.id)
        if entry is None and self.undeclared is not None:
            entry = await self._undeclared(call, frame, self.undeclared)
        if entry is None:
            raise self._unknown(call, frame)
        context, arguments = frame.context, call.args
        run = frame.run
        large = run.breathe and is_large(arguments)
        text = await in_turns(run, as_text, entry, arguments) if large else as_text(entry, arguments)
        decision = journaled.decision or self.decide(entry, arguments, context)
        needs = decision.needs
        if run.flow is None and self.sequence is None and not decision.ask:  # nothing to wait for
            number = self._admit(entry, text, decision, frame)
        else:
            number = await self._admit_in_time(entry, call, text, decision, frame, journaled)
        spending, budget = context.quota.spending, run.budget
        stood = 0.0 if spending is None else budget.stood()
        started = perf_counter_ns()
        try:
            if large:
                await in_turns(run, check_arguments, entry, arguments, text, frame, self.strict_arguments)
            else:
                check_arguments(entry, arguments, text, frame, self.strict_arguments)
            chosen = None if call.hints is None else self.hints.chosen(call.hints, entry, frame)
            if journaled is not NOT_JOURNALED:
                await journaled.announce(entry, bool(chosen))
            if chosen:
                value = await self.hints.apply(chosen, self, entry, call, frame, number, text, needs)
            elif entry.route == INLINE and not entry.told and self.stub is None:
                value = call_inline(entry, arguments)
            elif entry.route == ASYNC and not entry.told and self.stub is None:
                try:
                    value = await OnLoop(entry.function, entry.loop or HOME, given_arguments(entry, arguments))
                except UserError:
                    raise
                except Exception as error:
                    raise failed(error) from error
                budget.breathed = monotonic()  # others had their turn meanwhile
            else:
                value = await self.route(entry, arguments, frame, number, needs)
            if value.__class__ not in VALUES:
                value = await _value_of(value, entry, run)
            if run.breathe and is_large(value):
                value, result = await in_turns(run, checked_result, entry, value)
            else:
                value, result = checked_result(entry, value)
            if spending is not None:
                spending.end(entry.id, size_of(result), (perf_counter_ns() - started) / 1e9 - budget.stood() + stood)
        except BaseException as error:
            self._failed(error, call, entry, frame, number, started, stood)
            raise
        self.events.call_ended(context, number, entry.id, "ok", perf_counter_ns() - started, result)
        return value

    async def _undeclared(self, call: HostCall, frame: Frame, undeclared: Undeclared) -> Entry | None:
        """The capability of an undeclared id, from the server that is configured for it; None if there is none."""
        try:
            entry = await undeclared.find(call, frame, self)
        except UserError as error:
            error.capability = error.capability or call.id
            clean(error)
            raise
        if entry is not None:
            self._bring_into_form(entry, call, frame)
        return entry

    def _unknown(self, call: HostCall, frame: Frame) -> HostError:
        """The error of a call to an id that is not registered, recorded as a denial."""
        self.events.call_decided(frame.context, frame.parent, named(call.id), False, "deny: unknown")
        return frame.run.registry.unknown(call.id, call.span)

    def _failed(
        self,
        error: BaseException,
        call: HostCall,
        entry: Entry,
        frame: Frame,
        number: int,
        started: int,
        stood: float,
    ) -> None:
        """A call that was allowed gave an error, or was given up: count its time, and record that. stood: seconds for
        which time had stood still before it."""
        detail = "cancelled"
        if isinstance(error, UserError):
            if error.capability is None:
                error.capability = entry.id
            clean(error)
            detail = f"error: {error.code}"
        elif isinstance(error, Stop):
            if error.error.span is None:
                error.error.span = call.span
            if entry.route == OUTSIDE and error.error.code in WAITS:
                detail = "waiting"
        spending = frame.context.quota.spending
        if spending is not None and error.__class__ is not LimitError:
            spending.took(entry.id, (perf_counter_ns() - started) / 1e9 - frame.run.budget.stood() + stood)
        self.events.call_ended(frame.context, number, entry.id, detail, perf_counter_ns() - started)

    def _bring_into_form(self, entry: Entry, call: HostCall, frame: Frame) -> None:
        """Bring a call's arguments into canonical form. Arguments that have none are EvalError `arity`, recorded as a
        denial; a capability that is denied with any arguments stays denied."""
        try:
            call.args = canonical(entry, call.args)
        except UserError as error:
            context = frame.context
            decision = policy.decide(entry, (), context, [])
            if decision.allow or (self.rules is not None and self.rules.about(entry.id)):
                decision = Decision(False, error.code)
                decision.error = error
            self.events.call_decided(context, frame.parent, entry.id, decision.allow, decision.text)
            raise policy.denial(entry, decision) from None

    async def again(
        self, entry: Entry, arguments: tuple[Any, ...], text: str, frame: Frame
    ) -> tuple[int, Sequence[str]]:
        """A call is about to be made once more (a hint wants that): it is decided about and counted like any other.
        Number of the decision, and the resources it was about. Raises like `perform`."""
        decision = self.decide(entry, arguments, frame.context)
        needs = decision.needs
        if decision.ask:
            decision = await self._asked(entry, arguments, text, decision, frame, None)
        return self._admit(entry, text, decision, frame), needs

    async def _admit_in_time(
        self, entry: Entry, call: HostCall, text: str, decision: Decision, frame: Frame, journaled: JournaledCall
    ) -> int:
        """`_admit`, after flow rules, sequence rules and the person whom the decision wants asked."""
        flow = frame.run.flow
        if flow is not None and frame.flow is not None:
            frame.argument_tags = flow.tags(call, frame)
            if journaled.decision is None and (decision.allow or decision.ask):
                decision = await flow.decide(decision, entry, call, frame)
        if self.sequence is not None and not frame.looks_up:
            try:
                decision = await self._in_sequence(self.sequence, entry, call, text, decision, frame, journaled)
                return self._admit(entry, text, decision, frame, self.facts(call, frame, frame.idempotency_key))
            finally:
                self.sequence.end()
        if decision.ask:
            decision = await self._asked(entry, call.args, text, decision, frame, call.span)
        return self._admit(entry, text, decision, frame)

    async def _in_sequence(
        self,
        sequence: SequenceControl,
        entry: Entry,
        call: HostCall,
        text: str,
        decision: Decision,
        frame: Frame,
        journaled: JournaledCall,
    ) -> Decision:
        """The decision with that of the sequence rules. An approval takes time, in which other calls may be made: then
        the rules are asked once more."""
        while journaled.decision is None and (decision.allow or decision.ask):
            ruled = sequence.decide(decision, entry, call.args, frame.context, frame.idempotency_key)
            if not ruled.ask:
                return ruled
            asked = ruled.reason
            sequence.end()  # others need not wait for an answer
            decision = await self._asked(entry, call.args, text, ruled, frame, call.span)
            again = sequence.decide(decision, entry, call.args, frame.context, frame.idempotency_key)
            if again.allow or again.reason == asked or asked.endswith("; " + again.reason):
                return decision
        return decision

    def _check_renewal(self, frame: Frame) -> None:
        """Raise HostError `run/continue` where a new run would forget what rules want to know of this one."""
        if frame.run.flow is not None or (self.sequence is not None and self.sequence.by_run):
            raise HostError(
                "under flow rules, and rules over the history of a run, it cannot be continued as a new one: that would"
                " not know where its values come from, nor what was called before",
                code="run/continue",
            )

    def facts(self, call: HostCall, frame: Frame, key: str | None) -> str:
        """The facts about a call's arguments that its record keeps for the sequence rules. key: the key under which the
        call may be repeated. A look-up of a flow rule is not one of the program's calls, whether it is answered from a
        record or not."""
        if self.sequence is None or frame.looks_up:
            return ""
        line = None if call.span is None else call.span.line
        entry = frame.run.registry.find(call.id)
        own = entry is not None and entry.origin == PLAN
        return self.sequence.history.facts(call.id, call.args, key, line, own)

    def _admit(self, entry: Entry, text: str, decision: Decision, frame: Frame, facts: str = "") -> int:
        """Record a decision; the number of the record. facts: what the record says of the arguments. Raises the denial
        that it is, or LimitError for a quota."""
        context = frame.context
        detail = decision.text + facts
        number = self.events.call_decided(context, frame.parent, entry.id, decision.allow, detail, text)
        if not decision.allow:
            raise policy.denial(entry, decision)
        quota = context.quota
        if quota.calls is not None:
            context.spend_call()
        if quota.spending is not None:
            quota.spending.begin(entry.id, size_of(text))
        return number

    async def _asked(
        self, entry: Entry, arguments: tuple[Any, ...], text: str, decision: Decision, frame: Frame, span: Span | None
    ) -> Decision:
        """The decision after a person was asked; both are recorded. Raises HostError `policy/denied` for no, and Stop
        `policy/approval-required` without an answer: a program that could continue would have decided itself."""
        whole = f"{to_text(entry.id)} {text}"
        rules = "" if self.rules is None else self.rules.digest()
        hash = self.events.ledger.fingerprint(f"{whole} {rules}")

        def record(what: str) -> None:
            self.events.call_decided(frame.context, frame.parent, entry.id, False, what, whole)

        record(decision.text)
        request = ApprovalRequest(entry, arguments, text, decision, whole, hash, frame)
        try:
            return Decision(True, await self.approvals.settle(request, frame))
        except UserError as error:
            record(f"deny: {error.code}")
            if error.code != "policy/approval-required":
                raise
            error.span = error.span or span
            raise Stop(error, waiting=request.call, for_run=request.for_run) from None

    def decide(self, entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext) -> Decision:
        """The decision about a call. Never raises but for arguments that no decision can be made about."""
        if self.guard is None:
            known: Decision | None = context.decided.get(entry)
            if known is not None:
                return known
        if self.policy is None:
            return Decision(False, "there is no policy")
        if self.stub is not None and self._stubbed(entry):
            return Decision(True, "answered by the stub, or decided again")
        return self._decide(entry, arguments, context)

    def _decide(self, entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext) -> Decision:
        assert self.policy is not None
        try:
            needs = self.needs(entry, arguments, context)
            if needs and self.own is not None and any(self.own.covers(need) for need in needs):
                decision = Decision(False, "it is a file of the host's own")
            elif self.rules is not None and self.policy is policy.decide:
                decision = policy.ruled(self.rules, entry, arguments, context, needs)
            else:
                decision = self.policy(entry, arguments, context, needs)
            if self.guard is not None:
                decision = self.guard.decide(PolicyRequest(entry, arguments, context, list(needs), decision))
                decision.steady = False
            decision.needs = needs or ()
        except UserError as error:
            decision = Decision(False, error.code)
            decision.error = error
            return decision
        except Exception as error:
            return Decision(False, f"the policy failed: {type(error).__name__}")
        if decision.steady:
            context.decided[entry] = decision
        return decision

    def needs(self, entry: Entry, arguments: tuple[Any, ...], context: RuntimeContext) -> list[str]:
        """The resources that a call reaches, as grants: what its provider says of these arguments, and for a plan's own
        declaration everything that its metadata names. Its handler is asked only if the metadata's own needs are
        granted, since it may look at environment variables that they name."""
        needs = [] if entry.needs is None else entry.needs(arguments)
        if entry.route == SESSION and entry.origin == PLAN:
            needs = [*needs, *policy.declared_needs(entry.fields.flat_metadata)]
            if all(context.grants_resource(need) for need in needs):
                needs += self.sessions.requirements(entry)
        return needs

    async def route(
        self, entry: Entry, arguments: tuple[Any, ...], frame: Frame, number: int, needs: Sequence[str]
    ) -> Any:
        """Carry out an allowed call. number: of its decision in the ledger; needs: the resources it was about."""
        how = entry.route
        if self.stub is not None and self._stubbed(entry):
            stubbed = self.stub(entry.id, arguments)
            if stubbed is not NotImplemented:
                return as_value(stubbed, entry)
            decision = self._decide(entry, arguments, frame.context)
            if not decision.allow:
                raise policy.denial(entry, decision)
            needs = decision.needs
        told = {} if not entry.told else {"permit": permit_of(frame, needs)}
        if how == INLINE:
            return await _value_of(call_inline(entry, arguments, told), entry, frame.run)
        if how == GUEST:
            inner, given = frame.inner(number), given_arguments(entry, arguments)
            if inner.flow is not None and inner.run.flow is not None:
                inner.run.flow.give(inner.flow, entry.function, self.tags_of(frame, given))
            return await call_function(entry.function, given, inner)
        if how == SESSION:
            answer = await self.sessions.perform(entry, one_value(arguments), frame, number)
            return named_keys(await _value_of(answer, entry, frame.run), entry)
        if how == BRANCHES:
            return await parallel(thunks_of(entry, arguments), frame.inner(number), grouped=False)
        if how == PERSON:
            return await self.sessions.ask_person(entry, arguments, frame, number)
        if how == OUTSIDE:
            wanted = entry.function(*arguments)
            if hasattr(wanted, "parameters"):
                self._check_renewal(frame)
                return await frame.run.durability.renew(wanted, frame)
            return await frame.run.durability.wait(wanted, frame)
        if how == NOWHERE:
            provider = entry.fields.provider
            raise HostError(
                f'"{entry.id}" is declared, but nothing implements it'
                + (f": no session handler fits its metadata, and its provider is {provider!r}" if provider else ""),
                code="capability/no-provider",
                hint='give it an :implementation, or :metadata {… :requires_session "auto"} with a registered handler',
            )
        given = given_arguments(entry, arguments)
        try:
            if how == THREAD:
                value = await InThread(entry.function, given, told)
            elif how == FIBER:
                value = await entry.function(*given)
            else:
                value = await OnLoop(entry.function, entry.loop or HOME, given, told)
        except UserError:
            raise
        except Exception as error:
            raise failed(error) from error
        return await _value_of(value, entry, frame.run)

    @staticmethod
    def tags_of(frame: Frame, given: tuple[Any, ...]) -> list[Any]:
        """The tags of what an implementation is called with: those of the arguments; it may get `{}` for none."""
        from rtfs.flow.tag import NO_TAG

        tags = frame.argument_tags
        return tags if len(tags) == len(given) else [NO_TAG] * len(given)

    def declare(self, call: HostCall, frame: Frame) -> str:
        """Evaluate a `(capability …)` form: register it and answer its id. Raises HostError `capability/…`."""
        from rtfs.capabilities.declaration import from_options

        run = frame.run
        options = call.args[0] if call.args else None
        fields = from_options(call.id, options, call.span, run.warn, run.types)
        made = entry_for(fields, run.origin)
        if run.flow is not None:
            made.declared_tag = run.flow.declared(call, frame.flow)
        entry = run.registry.declare(made)
        own = run.origin == PLAN
        self.events.emit(CapabilityDeclared(frame.context, frame.parent, entry.id, entry.fields.version, recorded=own))
        return entry.id

    @staticmethod
    def _stubbed(entry: Entry) -> bool:
        """Whether the stub is asked about this capability: it would leave the process, or nothing implements it."""
        return entry.needs is not None or entry.route == SESSION or entry.route == NOWHERE


async def _value_of(answer: Any, entry: Entry, run: Run) -> Any:
    """The answer of Python code as a value. Raises HostError `capability/result`."""
    if run.breathe and is_large(answer):
        return await in_turns(run, as_value, answer, entry)
    return as_value(answer, entry)


def permit_of(frame: Frame, needs: Sequence[str]) -> Permit:
    """The part of the decision about a call that its implementation may see."""
    context = frame.context
    return Permit(needs, context.principal, context.names_host, frame.idempotency_key, frame.run.output)
