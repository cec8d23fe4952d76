"""The runs that the console shows: those with a journal, those in the ledger, and the values that a server has seen.

Must not know pages or HTTP. Invariants: nothing is touched; a viewer who may see one principal's runs alone is shown
no other's, nor that there are any; a journal that cannot be read is named and hides no other.
"""

from __future__ import annotations

from collections import OrderedDict
from json import loads
from threading import Lock
from time import time

from rtfs.host.audit.events import WAITS, CallDecided, CallEnded
from rtfs.host.audit.ledger_stores import records
from rtfs.host.durable.answers import APPROVAL
from rtfs.host.durable.codec import decode
from rtfs.host.durable.history import UNKNOWN, journaled_calls, timeline
from rtfs.host.durable.runs import RunState
from rtfs.host.durable.store import DONE, FAILED, RUNNING, WAITING
from rtfs.host.ledgers import RecordFilter, ledger_of, newest
from rtfs.serve.console.shown import shown
from rtfs.serve.sessions import value_of_plan
from rtfs.syntax.printer import to_text
from rtfs.values import HostError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.host.audit.events import Event
    from rtfs.host.audit.ledger import Record
    from rtfs.host.durable.history import JournaledOutcome, TimelineEntry
    from rtfs.host.durable.store import RunView
    from rtfs.host.runtime import Runtime

RUNS = 100
"""Runs that a page lists."""
JOURNALS = 300
"""Journals that are read for a list, the newest."""
HEARD_RUNS, HEARD_CALLS = 200, 200
"""Runs whose calls are kept in memory, and calls of each."""
IN_RTFS = "runs in RTFS"
"""The outcome of a call whose implementation is in RTFS: the journal keeps its own calls instead."""
STATES = (RUNNING, WAITING, DONE, FAILED)
"""States by whose newest runs it is seen that something is new in a database."""
_ENDS = ("run", "end", "resume")
_WORDS = {"ok": "done", "cancelled": "cancelled"}
_WAITED = dict(
    zip(WAITS, ("it needed an approval, and was not durable", "it waited for a signal or a moment"), strict=True)
)


class RunRow:
    """A run in a list. state: running, waiting, done, failed, … began, ended: seconds since 1970, or None. durable:
    whether it has a journal. question: names the approval that it waits for. for_run: whether it may be given for
    the rest of the run. answerable: whether the command line can
    continue it."""

    __slots__ = (
        "answerable", "asked", "began", "calls", "durable", "ended", "for_run", "id", "name", "note", "principal",
        "question", "state",
    )  # fmt: skip

    def __init__(self, id: str, name: str, principal: str, state: str, began: float) -> None:
        self.id = id
        self.name = name
        self.principal = principal
        self.state = state
        self.began = began
        self.ended: float | None = None
        self.durable = False
        self.note = ""
        self.asked = ""
        self.question = ""
        self.for_run = False
        self.calls: int | None = None
        self.answerable = False

    @property
    def seconds(self) -> float:
        """The duration of the run, or its age if it has not ended."""
        return max((time() if self.ended is None else self.ended) - self.began, 0.0)


class ShownCall:
    """A call of a run. path: in the program, or its number. outcome: `ok`, `error: CODE` …"""

    __slots__ = ("arguments", "capability", "milliseconds", "outcome", "path", "place", "result")

    def __init__(self, path: str, capability: str, arguments: str, outcome: str, result: str, place: str = "") -> None:
        self.path = path
        self.capability = capability
        self.arguments = arguments
        self.outcome = outcome
        self.result = result
        self.place = place
        self.milliseconds: float | None = None


class RunDetails:
    """All that is shown of one run. row: as in the list. value: what it gave, as text; "" while there is none. trouble:
    what is missing, and why."""

    __slots__ = ("calls", "folder", "parameters", "program", "row", "timeline", "trouble", "value")

    def __init__(self, row: RunRow) -> None:
        self.row = row
        self.calls: list[ShownCall] = []
        self.timeline: list[TimelineEntry] = []
        self.parameters: dict[str, str] = {}
        self.program = ""
        self.folder = ""
        self.value = ""
        self.trouble = ""


class HeardCalls:
    """The calls of the last runs of this process with their values: a subscriber to its events."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._runs: OrderedDict[str, dict[int, ShownCall]] = OrderedDict()

    def hear(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, CallDecided):
            arguments = shown(event.arguments or "")
            with self._lock:
                calls = self._runs.setdefault(event.run, {})
                while len(self._runs) > HEARD_RUNS:
                    self._runs.popitem(last=False)
                if len(calls) < HEARD_CALLS:
                    outcome = "no outcome recorded" if event.allowed else event.detail
                    calls[event.number] = ShownCall(str(len(calls) + 1), event.subject, arguments, outcome, "")
        elif isinstance(event, CallEnded):
            result = shown(event.result or "")
            with self._lock:
                call = self._runs.get(event.run, {}).get(event.parent)
                if call is not None:
                    call.outcome, call.result, call.milliseconds = event.detail, result, event.duration / 1e6

    def calls(self, run: str) -> list[ShownCall]:
        """The calls of a run, in order."""
        with self._lock:
            return list(self._runs.get(run, {}).values())


class RunBrowser:
    """The runs of one runtime's store and ledger. heard: what its process has heard, if it runs plans itself."""

    def __init__(self, runtime: Runtime, heard: HeardCalls | None = None) -> None:
        self.runtime = runtime
        self.heard = heard

    def rows(self, principal: str | None = None) -> tuple[list[RunRow], list[str]]:
        """The newest runs, of one principal or of all; and what could not be read."""
        rows: dict[str, RunRow] = {}
        troubles: list[str] = []
        for record in newest(self.runtime.ledger, RecordFilter(kinds=_ENDS, principal=principal), 4 * RUNS):
            _take_in(rows, record)
        loaded = {source.name for source, _ in self.runtime._executor.loaded}
        rows = {id: row for id, row in rows.items() if row.began and row.name not in loaded}
        store = self.runtime._executor.store
        for run_id in store.list(limit=JOURNALS):
            try:
                row = _row_of(RunState(store.look(run_id)))
            except HostError as error:
                if error.code != "run/unknown" and principal is None:
                    troubles.append(f"{run_id}: {error.message}")
                continue
            if principal is None or row.principal == principal:
                rows[run_id] = row
            else:
                rows.pop(run_id, None)
        found = sorted(rows.values(), key=lambda row: row.began, reverse=True)
        return found[:RUNS], troubles

    def waiting(self, principal: str | None = None) -> list[RunRow]:
        """The runs that wait for an answer, the longest first."""
        return sorted((row for row in self.rows(principal)[0] if row.question), key=lambda row: row.began)

    def details(self, run_id: str, principal: str | None = None) -> RunDetails:
        """All about one run. Raises HostError `run/unknown`, also for one of another principal."""
        store = self.runtime._executor.store
        try:
            view = store.look(run_id)
        except HostError as error:
            if error.code not in ("run/unknown", "argument/run-id"):
                raise
            return self._from_ledger(run_id, principal)
        state = RunState(view)
        if principal is not None and state.principal != principal:
            raise _unknown(run_id)
        found = RunDetails(_row_of(state))
        found.parameters = {name: shown(text) for name, text in state.parameters.items()}
        found.program, found.folder = shown(state.text, None), state.folder
        found.value = _value(view) if state.state == "done" else ""
        found.calls = [_shown_call(call, state.state) for call in journaled_calls(view)]
        try:
            path = ledger_of(state)
            found.timeline = timeline(self._own(run_id) if path is None else records(path, run_id))
        except HostError as error:
            found.trouble = f"no timeline: {error.message}"
        return found

    def _from_ledger(self, run_id: str, principal: str | None) -> RunDetails:
        known = self._own(run_id)
        rows: dict[str, RunRow] = {}
        for record in reversed(known):
            _take_in(rows, record)
        row = rows.get(run_id)
        if row is None or not row.began or (principal is not None and row.principal != principal):
            raise _unknown(run_id)
        found = RunDetails(row)
        found.timeline = timeline(known)
        found.calls = [] if self.heard is None else self.heard.calls(run_id)
        if not found.calls:
            found.trouble = "the run was not durable: the ledger has its calls, without arguments and results"
        return found

    def _own(self, run_id: str) -> list[Record]:
        return newest(self.runtime.ledger, RecordFilter(run=run_id), 10_000)[::-1]

    def fingerprint(self) -> str:
        """Something that is different once there is anything new to see."""
        import os

        store, parts = self.runtime._executor.store, [str(self.runtime.ledger.head[0])]
        folder = getattr(store, "folder", None)
        if folder is None:  # a database
            return "\n".join([*parts, *(" ".join(store.list(state=state, limit=20)) for state in STATES)])
        try:
            with os.scandir(folder) as entries:
                parts += sorted(f"{one.name} {one.stat().st_mtime_ns} {one.stat().st_size}" for one in entries)
        except OSError:  # no run was durable yet, or one was deleted just now
            pass
        return "\n".join(parts)


def _take_in(rows: dict[str, RunRow], record: Record) -> None:
    """Complete the row of a record's run; records come the newest first."""
    if record.kind not in _ENDS:
        return
    row = rows.get(record.run)
    if row is None:
        row = rows[record.run] = RunRow(record.run, "", record.principal, "running", 0.0)
        if record.kind == "end":
            row.state, row.note = _ended(record.detail)
            row.ended = record.time / 1e9
    if record.kind == "run":
        row.name, row.began = record.subject or "(a call)", record.time / 1e9


def _ended(detail: str) -> tuple[str, str]:
    code = detail.partition(": ")[2]
    if code in WAITS:
        return "stopped", _WAITED[code]
    return _WORDS.get(detail) or "failed", "" if detail in _WORDS else detail.partition(": ")[2]


def _row_of(state: RunState) -> RunRow:
    row = RunRow(state.run_id, state.name, state.principal, state.state, state.began)
    row.ended, row.durable, row.calls = state.ended, True, state.calls
    row.note, row.answerable = shown(state.note or ""), bool(state.shell) or state.by_workers
    if state.state == "waiting" and state.question.startswith(APPROVAL):
        row.asked, row.question, row.for_run = shown(state.asked, None), state.question, state.for_run
    return row


def _shown_call(call: JournaledOutcome, state: str) -> ShownCall:
    outcome = IN_RTFS if call.outcome == UNKNOWN and state == "done" else call.outcome
    return ShownCall(call.path, call.capability, shown(call.arguments), outcome, shown(call.result), call.place)


def _value(view: RunView) -> str:
    try:
        return shown(to_text(value_of_plan(loads(view.facts["text"]), decode(view.facts["result"]))))
    except (KeyError, ValueError, UserError):  # a function, which a journal does not keep
        return ""


def _unknown(run_id: str) -> HostError:
    return HostError(f"there is no run {run_id}", code="run/unknown")
