"""`rtfs runs show RUN`: everything that is known of a durable run, for people or as JSON.

Must not know journals inside. Invariants: nothing is touched; a ledger that cannot be read is told, and the rest shown.
"""

from __future__ import annotations

import sys

from rtfs.cli.output import write
from rtfs.cli.timestamps import shown
from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.durable.history import JournaledOutcome, TimelineEntry
    from rtfs.host.durable.runs import RunState
    from rtfs.host.durable.store import RunStore

SHOWN = 120
"""Characters of the arguments of a call."""
_LABELS = {"waiting": "waits for", "sleeping": "waits for"}
"""Labels of a run's note, if it is not the run's state."""


def show_run(store: RunStore, run_id: str, ledger: str | None, as_json: bool) -> None:
    """Print a run. store: where it is. ledger: the file with its records; None for the one it was started with. Raises
    HostError `run/unknown`, `run/damaged`; those of a ledger only where it is named."""
    from rtfs.host.durable.history import journaled_calls
    from rtfs.host.durable.runs import RunState

    view = store.look(run_id)
    state = RunState(view)
    calls = journaled_calls(view)
    entries, path = _timeline(state, ledger)
    if as_json:
        import json

        write(json.dumps(_data(state, calls, entries, path), ensure_ascii=False))
    else:
        _write(state, calls, entries, path)


def _timeline(state: RunState, named: str | None) -> tuple[list[TimelineEntry], str | None]:
    """The timeline of a run and the ledger it is from, None where it has none."""
    from rtfs.host.audit.ledger_stores import records
    from rtfs.host.durable.history import timeline
    from rtfs.host.ledgers import ledger_of

    if named is not None:
        return timeline(records(named, state.run_id)), named
    try:
        path = ledger_of(state)
        return ([], None) if path is None else (timeline(records(path, state.run_id)), path)
    except HostError as error:
        print(f"no timeline: {error.message}", file=sys.stderr)
        return [], None


def _data(
    state: RunState, calls: list[JournaledOutcome], entries: list[TimelineEntry], path: str | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"run": state.run_id, "state": state.state, "program": state.name, "folder": state.folder}
    found |= {"principal": state.principal, "parameters": state.parameters, "began": state.began}
    found |= {} if state.ended is None else {"ended": state.ended}
    found |= {} if state.note is None else {"note": state.note}
    found |= {"continues": state.continues} if state.continues else {}
    found |= {"continued-as": state.continued_as} if state.continued_as else {}
    found |= {"asked": state.asked} if state.state == "waiting" and state.asked else {}
    found |= {"question": state.question} if state.question else {}
    found |= {"for_run": True} if state.question and state.for_run else {}
    found |= {} if state.wakes is None else {"wakes": state.wakes}
    found["calls"] = [call.as_data() for call in calls]
    if path is not None:
        found |= {"ledger": path, "timeline": [entry.as_data() for entry in entries]}
    return found


def _write(state: RunState, calls: list[JournaledOutcome], entries: list[TimelineEntry], path: str | None) -> None:
    _line(f"run {state.run_id}: {state.state}")
    _line(f"  program    {state.name}, in {state.folder}")
    _line(f"  principal  {state.principal}")
    ended = "" if state.ended is None else f", ended {shown(state.ended)}"
    _line(f"  began      {shown(state.began)}{ended}")
    for name, text in state.parameters.items():
        _line(f"  parameter  {name} = {_short(text)}")
    if state.continues:
        _line(f"  continues  run {state.continues}")
    if state.note is not None:
        _line(f"  {_LABELS.get(state.state, state.state):<10} {state.note}")
    if state.state == "waiting" and state.asked:
        _line(f"             {state.asked}")
    if state.question:
        offered = ", may be approved for the rest of the run" if state.for_run else ""
        _line(f"  question   {state.question}{offered}")
    _line("calls" if calls else "no calls")
    for call in calls:
        decided = "" if call.decision == "allow" else f"{call.decision}, "
        _line(f"  {call.path:<5} {call.capability} {_short(call.arguments)}  {decided}{call.outcome}  {call.place}")
    if path is None:
        _line("no ledger: decisions and durations of calls are kept in one (--ledger FILE of rtfs run)")
        return
    _line(f"timeline, by {path}")
    for entry in entries:
        parts = [f"  {shown(entry.time / 1e9)}", entry.kind, entry.subject]
        parts.append(" → ".join(text for text in (entry.decision, entry.outcome) if text))
        parts.append(f"{entry.duration / 1e6:.3f} ms" if entry.duration else "")
        _line(" ".join(part for part in parts if part))


def _line(text: str) -> None:
    from rtfs.syntax.diagnostics import clean

    write(clean(text.replace("\n", " ").rstrip()))


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + " …"
