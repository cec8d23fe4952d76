"""`RunState`: a durable run as a list shows it.

Must not know stores, nor resume anything. Invariant: made from what can be seen from outside; nothing is touched.
"""

from __future__ import annotations

from json import loads

from rtfs.compiler.forms.plan import GIVEN
from rtfs.host.durable.answers import question_about
from rtfs.host.durable.codec import decode
from rtfs.host.durable.doubt import calls_in_doubt, in_doubt
from rtfs.host.durable.errors import damaged
from rtfs.host.durable.renewal import CONTINUED, CONTINUES
from rtfs.host.durable.store import (
    CALL,
    CANCELLED,
    FAILED,
    IN_DOUBT,
    RUNNING,
    SAFE,
    SLEEPING,
    STUCK,
    WAITING,
    WHOLE,
)
from rtfs.host.redaction import redact
from rtfs.host.run.parameters import UNFITTED
from rtfs.syntax.printer import to_text
from rtfs.values import Map

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.durable.store import RunView

_LEFT = (WAITING, SLEEPING, STUCK, IN_DOUBT)
"""States of runs that wait for something."""


class RunState:
    """A durable run as a list shows it.

    state        queued, running, interrupted, in doubt, waiting, sleeping, stuck, done, failed or cancelled
    began, ended seconds since 1970; ended: None while it has not
    wakes        when it continues by itself, in seconds since 1970, or None
    calls        how many have been announced
    folder       where it was started; shell: of its runtime; principal: on whose behalf
    by_workers   whether workers advance it
    continues    the run as whose continuation it was made, or ""; continued_as: the one as which it continues, or ""
    note         what it waits for or failed with, or None
    asked        the call, as text, that it last waited for, or ""
    for_run      whether that call may be approved for the rest of the run
    question     what it waits to be told, as `Runtime.answer` takes it, or ""
    parameters   the values that the program finds by name, as text without known secrets
    text         of its program
    """

    __slots__ = (
        "asked", "began", "by_workers", "calls", "continued_as", "continues", "ended", "folder", "for_run", "name",
        "note", "parameters", "principal", "question", "run_id", "shell", "state", "text", "wakes",
    )  # fmt: skip

    def __init__(self, view: RunView) -> None:
        run_id, facts = view.run_id, view.facts
        doubtful = calls_in_doubt(view)
        state = facts.get("state", "?")
        if state in (RUNNING, *_LEFT) and view.busy:
            state = RUNNING
        elif state == RUNNING:
            state = IN_DOUBT if doubtful else "interrupted"
        self.run_id = run_id
        self.state = state
        self.by_workers = "queue" in facts
        self.continues = facts.get(CONTINUES, "")
        self.continued_as = facts.get(CONTINUED, "")
        self.asked = facts.get("asked", "")
        self.for_run = bool(facts.get("for-run"))
        self.calls = sum(1 for event in view.events if event.kind in (CALL, SAFE, WHOLE))
        self.note = facts.get("note") if state in _LEFT else None
        self.question = (facts.get("question") or question_about(doubtful)) if state in _LEFT else ""
        try:
            self.name = facts["name"]
            self.text: str = loads(facts["text"])
            self.began = float(facts["began"])
            self.folder: str = loads(facts["folder"])
            self.shell: dict[str, Any] = loads(facts["shell"])
            self.ended = float(facts["ended"]) if "ended" in facts else None
            self.principal = str(loads(facts.get("principal", "null")))
            self.parameters = _parameters(dict(decode(facts["context"]).items()))
            self.wakes = float(facts["wake-at"]) if state == SLEEPING and facts.get("wake-at") else None
            if state in (FAILED, CANCELLED) and "result" in facts:
                self.note = str(decode(facts["result"]))
        except (KeyError, ValueError) as error:
            raise damaged(run_id, error) from None
        if CONTINUED in facts:
            self.note = f"continued as run {facts[CONTINUED]}"
        if state == IN_DOUBT and doubtful:
            self.note = in_doubt(run_id, doubtful[0], False).error.message


def _parameters(context: dict[str, Any]) -> dict[str, str]:
    """Context values and parameters of a plan by name. There always are `args`, mostly none."""
    plans = (GIVEN, UNFITTED)
    given = {name: value for name, value in context.items() if name not in plans and (name != "args" or len(value))}
    for plan in plans:
        if isinstance(parameters := context.get(plan), Map):
            given |= {getattr(name, "name", str(name)): value for name, value in parameters.items()}
    return {str(name): redact(to_text(value)) for name, value in given.items()}
