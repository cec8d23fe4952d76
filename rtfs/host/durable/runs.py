"""`RunState`: a durable run as a list shows it.

Must not know stores, nor resume anything. Invariant: made from what can be seen from outside; nothing is touched.
"""

from __future__ import annotations

from json import loads

from rtfs.host.durable.codec import decode
from rtfs.host.durable.execution import in_doubt, replay_of
from rtfs.host.durable.journal import damaged
from rtfs.host.durable.store import CALL, FAILED, RUNNING, SAFE, WAITING, WHOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.durable.store import RunView


class RunState:
    """A durable run as a list shows it. state: running, interrupted, in doubt, waiting, done or failed. began: seconds
    since 1970. calls: how many have been announced. folder: where it was started. note: what it waits for or failed
    with, or None. asked: the call, as text, that it last waited for, or "". shell: of its runtime."""

    __slots__ = ("asked", "began", "calls", "folder", "name", "note", "run_id", "shell", "state")

    def __init__(self, view: RunView) -> None:
        run_id, facts, events = view.run_id, view.facts, view.events
        doubtful = replay_of(run_id, events, lambda scheduler: None).in_doubt()
        state = facts.get("state", "?")
        if state in (RUNNING, WAITING) and view.busy:
            state = RUNNING
        elif state == RUNNING:
            state = "in doubt" if doubtful else "interrupted"
        self.run_id = run_id
        self.state = state
        self.asked = facts.get("asked", "")
        self.calls = sum(1 for event in events if event.kind in (CALL, SAFE, WHOLE))
        self.note = facts.get("note") if state == WAITING else None
        try:
            self.name = facts["name"]
            self.began = float(facts["began"])
            self.folder: str = loads(facts["folder"])
            self.shell: dict[str, Any] = loads(facts["shell"])
            if state == FAILED and "result" in facts:
                self.note = str(decode(facts["result"]))
        except (KeyError, ValueError) as error:
            raise damaged(run_id, error) from None
        if state == "in doubt":
            self.note = in_doubt(run_id, doubtful[0], False).error.message
