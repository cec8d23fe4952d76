"""Answers sent to a durable run: an approval of a call, the outcome of one, a signal, or a request to stop.

Must not know how calls are made. Invariants: an approval is for the very call that the run waits with; only a question
that the run asks is answered, but for signals, which may come first; a run that has ended is told nothing.

A question is `approval:PATH` (may the call of this path be made?), `resolution:PATH` (what became of it?) or
`signal:NAME`.
"""

from __future__ import annotations

from rtfs.host.audit.events import Answered
from rtfs.host.durable.codec import decode, encode
from rtfs.host.durable.store import ENDED
from rtfs.host.durable.waits import cancelled, facts_of_cancelled
from rtfs.host.run.person import FOR_RUN
from rtfs.values import HostError, Keyword, Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rtfs.host.audit.events import Events
    from rtfs.host.durable.replay import Recorded
    from rtfs.host.durable.store import Answer, RunStore, RunView
    from rtfs.host.run.durability import Asked

APPROVAL, RESOLUTION, SIGNAL = "approval:", "resolution:", "signal:"
_CALL, _REASON = Keyword("call"), Keyword("reason")
_APPROVED, _HOW, _VALUE, _FOR_RUN = Keyword("approved"), Keyword("how"), Keyword("value"), Keyword("for-run")
APPROVED_FOR_RUN = {"approve": FOR_RUN}
"""The answer to an approval: yes, and for the rest of the run."""
_HOWS = ("retry", "failed", "result")


class _Teller:
    """On whose behalf an answer is recorded."""

    __slots__ = ("principal", "run_id")

    def __init__(self, run_id: str, principal: str) -> None:
        self.run_id = run_id
        self.principal = principal


def question_of(view: RunView) -> str:
    """The question that a run waits for, or "". It is in the run's facts or, for a run that was killed within a call,
    in its events."""
    from rtfs.host.durable.doubt import calls_in_doubt

    return view.facts.get("question") or question_about(calls_in_doubt(view))


def question_about(doubtful: Sequence[Recorded]) -> str:
    """The question that a run with these calls in doubt waits for, or ""."""
    return f"{RESOLUTION}{doubtful[0].path}" if doubtful else ""


def answer(store: RunStore, events: Events, run_id: str, question: str, value: Any, by: str) -> None:
    """Tell a run something, durably. value: of an approval True, `APPROVED_FOR_RUN` where that is offered, False or the
    reason of a no; of a resolution `{how: retry}`, `{how: failed}` or `{how: result, value: …}`; of a signal any value.
    by: who says so. Raises HostError `run/unknown`, `run/ended`, `run/no-question`, `argument/invalid`,
    `run/unwritable`."""
    view = store.look(run_id)
    _check_going(view)
    if question.startswith(SIGNAL):
        from rtfs.capabilities.providers.waiting import check_name

        check_name(question.removeprefix(SIGNAL))
    elif not _asks(view, question):
        raise HostError(
            f"run {run_id} does not ask {question!r}",
            code="run/no-question",
            hint=f"it asks {asked!r}" if (asked := question_of(view)) else "rtfs runs show tells what it waits for",
        )
    if question.startswith(APPROVAL):
        value = _approval(view, value)
    elif question.startswith(RESOLUTION):
        value = _resolution(value)
    try:
        text = encode(value)
    except TypeError as error:
        raise HostError(f"the answer to {question!r}: {error}", code="argument/invalid") from None
    if not question.startswith(SIGNAL):
        _check_first(store, view, question, text, by)
    events.emit(Answered(_Teller(run_id, by), question))
    store.answer(run_id, question, text, by)
    if not question.startswith(SIGNAL):  # of two at the same moment the first in the store counts
        _check_first(store, view, question, text, by)


def _check_first(store: RunStore, view: RunView, question: str, text: str, by: str) -> None:
    """Raise HostError `run/no-question` where the question was answered already, and the run has yet to take that."""
    asked = view.facts.get("asked", "")
    for one in store.answers(view.run_id):
        if one.used or one.question != question:
            continue
        if question.startswith(APPROVAL) and decode(one.answer).get(_CALL) != asked:
            continue
        if (one.answer, one.by) != (text, by):
            raise HostError(
                f"{one.by} has answered {question!r} of run {view.run_id} already",
                code="run/no-question",
                hint=f"rtfs resume {view.run_id} continues it with that",
            )
        return


def cancel(store: RunStore, events: Events, run_id: str, why: str, by: str) -> None:
    """Have a run end, wherever it is: where a process advances it, that ends it within a second. Raises HostError
    `run/unknown`, `run/ended`, `run/unwritable`."""
    view = store.look(run_id)
    _check_going(view)
    events.emit(Answered(_Teller(run_id, by), "cancel"))
    store.ask_to_stop(run_id, why)
    if view.busy:
        return
    try:
        journal = store.open(run_id)
    except HostError as error:
        if error.code != "run/active":
            raise
        return  # it was taken up meanwhile, and its process will notice
    try:
        journal.commit(facts_of_cancelled(cancelled(why)))
    finally:
        journal.close()


def verdict_of(answer: Answer, request: Asked) -> tuple[Any, str] | None:
    """The decision in an answer about a call, in the form of `approve` functions, and who made it; None for an answer
    about another call."""
    value = decode(answer.answer)
    if value.get(_CALL) != request.call:
        return None
    yes = FOR_RUN if value.get(_FOR_RUN) is True else True
    return yes if value.get(_APPROVED) is True else request.refuse(value.get(_REASON) or ""), answer.by


def resolution_of(text: str) -> tuple[str, Any]:
    """The resolution of a call in doubt, and its value, from an encoded answer."""
    value = decode(text)
    return value.get(_HOW), value.get(_VALUE)


def _check_going(view: RunView) -> None:
    state = view.facts.get("state")
    if state in ENDED:
        raise HostError(f"run {view.run_id} has ended: it is {state}", code="run/ended")


def _asks(view: RunView, question: str) -> bool:
    if question == view.facts.get("question"):
        return True
    if not question.startswith(RESOLUTION):
        return False
    from rtfs.host.durable.doubt import calls_in_doubt

    return any(question == f"{RESOLUTION}{call.path}" for call in calls_in_doubt(view))


def _approval(view: RunView, value: Any) -> Map:
    """The verdict about the call that a run waits with. Raises HostError `argument/invalid`."""
    asked, how = view.facts.get("asked", ""), _named(value).get("approve")
    if value.__class__ in (bool, str) or hasattr(value, "reason"):
        return Map([(_CALL, asked), (_APPROVED, value is True), (_REASON, _reason(value))])
    if getattr(how, "name", how) != FOR_RUN:
        raise HostError('an approval is true, false, the reason of a no, or {approve: "run"}', code="argument/invalid")
    if not view.facts.get("for-run"):
        raise HostError(
            f"run {view.run_id} asks about one call: the rule does not let it be approved for the rest of the run",
            code="argument/invalid",
            hint="approve it once; a rule with `for_run: true` offers more",
        )
    return Map([(_CALL, asked), (_APPROVED, True), (_REASON, ""), (_FOR_RUN, True)])


def _named(value: Any) -> dict[Any, Any]:
    """The entries of a mapping by the names of their keys; none of anything else."""
    return {getattr(name, "name", name): one for name, one in value.items()} if hasattr(value, "items") else {}


def _reason(value: Any) -> str:
    return value if isinstance(value, str) else str(getattr(value, "reason", ""))


def _resolution(value: Any) -> Map:
    given = _named(value)
    how = getattr(given.get("how"), "name", given.get("how"))
    if how not in _HOWS:
        raise HostError(
            "what became of a call is {how: retry}, {how: failed} or {how: result, value: …}", code="argument/invalid"
        )
    return Map([(_HOW, how), (_VALUE, given.get("value"))])
