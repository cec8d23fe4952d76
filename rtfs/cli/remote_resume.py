"""`rtfs resume` of a run that workers advance: nothing of it runs here.

Must not know journals inside. Invariant: what is said is there for whichever worker continues the run.
"""

from __future__ import annotations

import sys

from rtfs.cli import wiring
from rtfs.cli.run_signals import no_approval, tell_verdict, verdict
from rtfs.cli.stores import run_store
from rtfs.host.durable.renewal import CONTINUED
from rtfs.host.durable.store import ENDED, IN_DOUBT, STUCK, WAITING
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.durable.runs import RunState


def resume_elsewhere(options: Options, found: argparse.Namespace, state: RunState) -> None:
    """Answer what the run waits for, have a stuck run taken up again, print the value of one that is done. Raises
    HostError `run/…`, `policy/approval-required`, and what the program raised."""
    if state.state in ENDED:
        _print(options, found.run)
        return
    given = verdict(found)
    if given is not None and state.question.startswith("approval:"):
        tell_verdict(options, found.run, state.question, given)
    elif given is not None:
        raise no_approval(state)
    elif found.retry or found.assume_failed or found.result is not None:
        question = state.question if found.call is None else f"resolution:{found.call}"
        tell_verdict(options, found.run, question, _how(found))
    elif state.state in (STUCK, "interrupted"):
        from rtfs.host.workers.submitting import requeue

        store = run_store(options)
        try:
            requeue(store, found.run)
        finally:
            store.close()
    elif state.state in (IN_DOUBT, WAITING):
        raise _unanswered(state)
    print(f"run {found.run} is continued by a worker", file=sys.stderr)


def _unanswered(state: RunState) -> HostError:
    """The error for a run that no worker continues before its question is answered."""
    kind, _, what = state.question.partition(":")
    message = state.note or f"run {state.run_id} is {state.state}"
    if kind == "approval":
        more = ", --approve-for-run also all such calls of the run" if state.for_run else ""
        hint = f"rtfs resume {state.run_id} --approve allows it{more}, --refuse REASON does not"
        return HostError(message, code="policy/approval-required", hint=hint)
    if kind == "signal":
        return HostError(message, code="run/waiting", hint=f"rtfs signal {state.run_id} {what} JSON sends it")
    hint = f"rtfs resume {state.run_id} with --retry, --assume-failed or --result JSON says what became of the call"
    return HostError(message, code="run/in-doubt", hint=hint)


def _how(found: argparse.Namespace) -> dict[str, Any]:
    """The outcome of a call in doubt, in the form that `Runtime.answer` takes."""
    if found.result is None:
        return {"how": "retry" if found.retry else "failed"}
    return {"how": "result", "value": wiring.parse_value(found.result, "--result")}


def _print(options: Options, run_id: str) -> None:
    from rtfs.host.workers.submitting import outcome

    store = run_store(options)
    try:
        facts = store.look(run_id).facts
        while CONTINUED in facts:
            run_id = facts[CONTINUED]
            facts = store.look(run_id).facts
        if facts["state"] not in ENDED:
            print(f"run {run_id} is continued by a worker", file=sys.stderr)
            return
        wiring.show(outcome(run_id, facts), options)
    finally:
        store.close()
