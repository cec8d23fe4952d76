"""The one function that dispatches every host call: `Pipeline.perform`. Nothing else reaches an implementation.

Must not know any provider's name, nor how sessions or machines work inside. The stages, in order: resolve the
manifest, decide and record the decision, check the input, apply hints, route, check the output, record the outcome.
Invariant: no stage is skipped, whoever calls (a program, an implementation, a branch, a retry, a fallback); the ledger
has the decision before anything happens, and an outcome for every call that was allowed.
"""

from __future__ import annotations

from time import perf_counter_ns

from rtfs.capabilities.registry import (
    BRANCHES,
    FIBER,
    GUEST,
    INLINE,
    NOWHERE,
    PLAN,
    SESSION,
    THREAD,
    entry_for,
)
from rtfs.host import policy
from rtfs.host.approvals import ApprovalRequest, Approvals
from rtfs.host.driver import call_function, parallel
from rtfs.host.policy import Decision, PolicyRequest
from rtfs.host.secrets import clean
from rtfs.host.stopping import Stop
from rtfs.host.waits import InThread, OnLoop
from rtfs.syntax.printer import to_text
from rtfs.values import HostError, Keyword, LimitError, List, Map, Symbol, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.capabilities.registry import Entry
    from rtfs.host.context import RuntimeContext
    from rtfs.host.driver import Frame
    from rtfs.host.held import HeldCall
    from rtfs.host.hints import Hints
    from rtfs.host.ledger import Ledger
    from rtfs.host.policy import Guard
    from rtfs.host.rules import Rules
    from rtfs.host.sessions import Sessions
    from rtfs.machine import HostCall

_FUNCTION = type(entry_for)
_VALUES = frozenset((type(None), bool, int, float, str, Keyword, Symbol, List, Vector, Map, _FUNCTION))
_EMPTY = Map()


class Pipeline:
    """policy: the built-in decision function, or None (then everything is denied). guard: the embedder's policy, asked
    instead, or None. hints, sessions: the stages of those names; stub: `f(id, arguments)`, asked first at the route
    stage for what would leave the process, answering NotImplemented for no (tests use it). rules: of the configuration,
    or None. approvals: whom to ask about what they want asked."""

    __slots__ = ("approvals", "guard", "hints", "ledger", "policy", "rules", "sessions", "stub")

    def __init__(self, ledger: Ledger, sessions: Sessions, hints: Hints) -> None:
        self.ledger = ledger
        self.sessions = sessions
        self.hints = hints
        self.guard: Guard | None = None
        self.rules: Rules | None = None
        self.approvals = Approvals()
        self.policy: Callable[..., Decision] | None = policy.decide
        self.stub: Callable[[str, tuple[Any, ...]], Any] | None = None

    async def perform(self, call: HostCall, frame: Frame, held: HeldCall | None = None) -> Any:
        """Perform a `call`; its value. held: the call's entry in the journal of a durable run, which makes it. Raises
        UserError (`capability/…`, `policy/…`, `session/…`, `type/mismatch`)."""
        if held is None and frame.run.journal is not None:
            return await frame.run.journal.perform(self, call, frame)
        ledger = self.ledger
        context = frame.context
        arguments = call.args
        entry = frame.run.registry.find(call.id)
        if entry is None:
            ledger.append("decision", context.run_id, frame.parent, call.id, context.principal, "deny: unknown")
            raise frame.run.registry.unknown(call.id, call.span)
        text = _text(arguments)
        decision = held.decision if held is not None else None
        if decision is None:
            decision = self.decide(entry, arguments, context)
        if decision.ask:
            decision = await self._asked(entry, arguments, text, decision, frame)
        number = ledger.append(
            "decision",
            context.run_id,
            frame.parent,
            entry.id,
            context.principal,
            decision.text,
            ledger.fingerprint(text),
        )
        if not decision.allow:
            raise policy.denial(entry, decision)
        if context.quota.calls is not None:
            context.spend_call()
        spending = context.quota.spending
        if spending is not None:
            spending.begin(entry.id, len(text))
        started = perf_counter_ns()
        try:
            if entry.prints:
                frame.run.budget.print(text)
            if "#<function" in text and entry.route != BRANCHES:
                _no_functions(entry, arguments)
            if entry.check_input is not None:
                _check_input(entry, arguments)
            chosen = None if call.hints is None else self.hints.chosen(call.hints, entry, frame)
            if held is not None:
                await held.announce(entry, bool(chosen))
            if chosen:
                value = await self.hints.apply(chosen, self, entry, arguments, frame, number, text)
            elif entry.route == INLINE and self.stub is None:
                value = _inline(entry, arguments)
            else:
                value = await self.route(entry, arguments, frame, number)
            if entry.check_output is not None:
                _check_output(entry, value)
            result = to_text(value)
            if spending is not None:
                spending.end(entry.id, len(result), (perf_counter_ns() - started) / 1e9)
        except UserError as error:
            if error.capability is None:
                error.capability = entry.id
            clean(error)
            if spending is not None and error.__class__ is not LimitError:
                spending.end(entry.id, 0, (perf_counter_ns() - started) / 1e9)
            self._outcome(frame, entry, number, f"error: {error.code}", "", started)
            raise
        except BaseException:
            self._outcome(frame, entry, number, "cancelled", "", started)
            raise
        ledger.append(
            "outcome",
            context.run_id,
            number,
            entry.id,
            context.principal,
            "ok",
            "",
            ledger.fingerprint(result),
            perf_counter_ns() - started,
        )
        return value

    async def _asked(
        self, entry: Entry, arguments: tuple[Any, ...], text: str, decision: Decision, frame: Frame
    ) -> Decision:
        """The decision after somebody was asked; both are recorded. Raises HostError `policy/…` for no."""
        context, ledger = frame.context, self.ledger
        hash = ledger.fingerprint(f"{entry.id} {text}")

        def record(what: str) -> None:
            ledger.append("decision", context.run_id, frame.parent, entry.id, context.principal, what, hash)

        record(decision.text)
        request = ApprovalRequest(entry, arguments, text, decision.reason, hash, frame)
        if frame.run.journal is not None:
            frame.run.journal.breathe()  # asking may take long
        try:
            return Decision(True, await self.approvals.settle(request, frame))
        except UserError as error:
            record(f"deny: {error.code}")
            if frame.run.journal is not None and error.code == "policy/approval-required":
                raise Stop(error, waiting=True) from error
            raise

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
            if self.rules is not None and self.policy is policy.decide:
                decision = policy.ruled(self.rules, entry, arguments, context, needs)
            else:
                decision = self.policy(entry, arguments, context, needs)
            if self.guard is not None:
                return self.guard.decide(PolicyRequest(entry, arguments, context, needs, decision))
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

    async def route(self, entry: Entry, arguments: tuple[Any, ...], frame: Frame, number: int) -> Any:
        """Carry out an allowed call. number: of its decision in the ledger."""
        how = entry.route
        if self.stub is not None and self._stubbed(entry):
            stubbed = self.stub(entry.id, arguments)
            if stubbed is not NotImplemented:
                return _value(stubbed, entry)
            decision = self._decide(entry, arguments, frame.context)
            if not decision.allow:
                raise policy.denial(entry, decision)
        if how == INLINE:
            return _inline(entry, arguments)
        if how == GUEST:
            return await call_function(entry.function, given_arguments(entry, arguments), frame.inner(number))
        if how == SESSION:
            return await self.sessions.perform(entry, one_value(arguments), frame, number)
        if how == BRANCHES:
            return await parallel(_thunks(entry, arguments), frame.inner(number), grouped=False)
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
                value = await InThread(entry.function, given)
            elif how == FIBER:
                value = await entry.function(*given)
            elif entry.asks_hosts:
                named = frame.context.names_host
                value = await OnLoop(lambda: entry.function(*given, named=named), entry.loop)
            else:
                value = await OnLoop(lambda: entry.function(*given), entry.loop)
        except UserError:
            raise
        except Exception as error:
            raise failed(error) from error
        return _value(value, entry)

    def declare(self, call: HostCall, frame: Frame) -> str:
        """Evaluate a `(capability …)` form: register it and answer its id. Raises HostError `capability/…`."""
        from rtfs.capabilities.declaration import from_options

        run = frame.run
        options = call.args[0] if call.args else None
        types = run.environment.resolve_type(run.environment.module("user"))
        fields = from_options(call.id, options, call.span, run.warn, types)
        entry = run.registry.declare(entry_for(fields, run.origin))
        context = frame.context
        self.ledger.append("declare", context.run_id, frame.parent, entry.id, context.principal, entry.fields.version)
        return entry.id

    @staticmethod
    def _stubbed(entry: Entry) -> bool:
        """Whether the stub is asked about this capability: it would leave the process, or nothing implements it."""
        return entry.needs is not None or entry.route == SESSION or entry.route == NOWHERE

    def _outcome(self, frame: Frame, entry: Entry, number: int, detail: str, result: str, started: int) -> None:
        context = frame.context
        took = perf_counter_ns() - started
        self.ledger.append("outcome", context.run_id, number, entry.id, context.principal, detail, "", result, took)


def one_value(arguments: tuple[Any, ...]) -> Any:
    """Positional arguments as the one value that schemas and providers see: `{}`, the argument, or a vector of them."""
    if len(arguments) == 1:
        return arguments[0]
    return Vector(arguments) if arguments else _EMPTY


def given_arguments(entry: Entry, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a Python function is called with: the arguments; for none, `{}` unless it takes nothing."""
    return arguments if arguments or entry.takes_nothing else (_EMPTY,)


def failed(error: BaseException) -> HostError:
    """A foreign exception of an implementation as the program sees it; the original stays its cause."""
    text = str(error)
    name = type(error).__name__
    return HostError(f"{name}: {text}" if text else name, code="capability/failed")


def _inline(entry: Entry, arguments: tuple[Any, ...]) -> Any:
    try:
        value = entry.function(*(arguments if arguments or entry.takes_nothing else (_EMPTY,)))
    except UserError:
        raise
    except Exception as error:
        raise failed(error) from error
    return value if value.__class__ in _VALUES else _value(value, entry)


def _value(value: Any, entry: Entry) -> Any:
    """What Python code answered, as an RTFS value: dicts and lists are converted, anything else is an error."""
    if value.__class__ in _VALUES:
        return value
    from rtfs.values.convert import from_python

    try:
        return from_python(value)
    except UserError:
        raise
    except Exception:
        raise HostError(
            f'"{entry.id}" answered a Python {type(value).__name__}, which is no RTFS value', code="capability/result"
        ) from None


def _text(arguments: tuple[Any, ...]) -> str:
    if len(arguments) == 1:
        return to_text(arguments[0])
    return " ".join([to_text(argument) for argument in arguments])


def _check_input(entry: Entry, arguments: tuple[Any, ...]) -> None:
    check = entry.check_input
    assert check is not None
    check(one_value(arguments), f'the input of "{entry.id}"')


def _check_output(entry: Entry, value: Any) -> None:
    check = entry.check_output
    assert check is not None
    check(value, f'the output of "{entry.id}"')


def _thunks(entry: Entry, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The functions of a concurrent call: given one by one or in one vector."""
    if len(arguments) == 1 and arguments[0].__class__ in (Vector, List):
        arguments = tuple(arguments[0])
    for argument in arguments:
        if argument.__class__ is not _FUNCTION:
            raise HostError(f'"{entry.id}" takes functions of no arguments', code="argument/function")
    return arguments


def _no_functions(entry: Entry, arguments: tuple[Any, ...]) -> None:
    """Raise for a function anywhere in the arguments: functions stay in their machine."""
    pending = list(arguments)
    while pending:
        value = pending.pop()
        if value.__class__ is _FUNCTION:
            raise HostError(
                f'a function cannot be an argument of "{entry.id}"',
                code="argument/function",
                hint="call it first and pass what it returns",
            )
        if value.__class__ is Map:
            pending.extend(value.keys())
            pending.extend(value.values())
        elif value.__class__ is Vector or value.__class__ is List:
            pending.extend(value)
