"""Taking a run over: the one statement after which its earlier owner writes nothing more, and what it found.

Must not know what is in a journal. Invariants: the event `taken` has the number that the earlier owner's next event
would have, and a note that no other has, so that the first commit can tell whether it outlasted a crash of the server;
a run that is leased is left alone; one that was taken up `MOST_ATTEMPTS` times without a new event is stuck, until an
operator resumes it.
"""

from __future__ import annotations

from itertools import count
from json import dumps, loads

from rtfs.host.durable.store import AGAIN, QUEUED, RUNNING, STUCK, Event, facts_of_running
from rtfs.host.postgres.link import driver
from rtfs.host.postgres.texts import unpacked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from psycopg import Connection

TAKEN = "taken"
"""The kind of the event of a takeover; it is the store's, and not among the events of a journal."""
MOST_ATTEMPTS = 5
BUSY = "worker IS NOT NULL AND beat_at > clock_timestamp() - make_interval(secs => %s)"
"""Whether a run is leased; the parameter is the lease, in seconds."""
_LOOK = (
    f"SELECT number, owner, {BUSY}, state,"
    " facts, changed, program.text, attempts, taken_seq, stop_asked, extract(epoch FROM clock_timestamp())::float8,"
    " last.seq, last.progress"
    " FROM rtfs.run LEFT JOIN rtfs.program ON program.digest = run.program"
    " CROSS JOIN LATERAL (SELECT coalesce(max(seq), 0) AS seq, coalesce(max(seq) FILTER (WHERE kind <> %s), 0) AS"
    " progress FROM rtfs.event WHERE run = run.number) AS last WHERE id = %s"
)
"""progress: the last event that tells of any."""
_AS_FOUND = (
    "number = %(run)s AND owner = %(before)s AND state = %(found)s AND run.changed = %(known)s"
    f" AND ({BUSY.replace('%s', '%(lease)s')}) IS NOT TRUE"
)
"""Nothing has happened to the run since it was looked at."""
_STICK = f"UPDATE rtfs.run SET state = %(state)s, changed = %(changed)s, worker = NULL WHERE {_AS_FOUND}"
_TAKE = (
    "WITH u AS (UPDATE rtfs.run SET owner = %(owner)s, worker = %(worker)s, beat_at = clock_timestamp(),"
    " attempts = %(attempts)s, taken_seq = %(seq)s, turn = NULL, state = %(state)s, changed = %(changed)s"
    f" WHERE {_AS_FOUND} RETURNING number, stop_asked),"
    " e AS (INSERT INTO rtfs.event SELECT number, %(seq)s, %(taken)s, '', '', '', %(note)s FROM u)"
    " SELECT stop_asked, kind, path, subject, value, note FROM u LEFT JOIN rtfs.event ON run = number AND kind <>"
    " %(taken)s ORDER BY seq"
)
"""One row for each event, and one for none."""
_OPENINGS = count(1)
"""Numbers of the openings of this process."""
_EVENTS = "SELECT kind, path, subject, value, note FROM rtfs.event WHERE run = %s AND kind <> %s ORDER BY seq"


class Opening:
    """A run as it was found. busy: it is leased. stuck: it was found to be so now. Of one that is neither: the
    owner that it has now, the number and the note of the event that says so, facts and events. now: the time of the
    database, in seconds since 1970."""

    __slots__ = (
        "busy",
        "changed",
        "events",
        "facts",
        "note",
        "now",
        "number",
        "owner",
        "program",
        "seq",
        "stop_asked",
        "stuck",
    )

    def __init__(self, number: int, facts: str, changed: str, program: str | None, stop_asked: str | None) -> None:
        self.number = number
        self.facts = facts
        self.changed = changed
        self.program = program
        self.stop_asked = stop_asked
        self.busy = self.stuck = False
        self.owner = self.seq = 0
        self.note = ""
        self.now = 0.0
        self.events: list[Event] = []


def take_over(connection: Connection[Any], run_id: str, worker: str, lease: float) -> Opening | None:
    """Take a run over, unless it is leased or stuck; None where there is none. One that was queued is running from
    then on. Raises psycopg.Error."""
    unique = driver().errors.UniqueViolation
    while True:
        row = connection.execute(_LOOK.encode(), (lease, AGAIN, run_id)).fetchone()
        if row is None:
            return None
        try:
            found = _attempt(connection, row, worker, lease)
        except unique:  # the earlier owner has written one event more meanwhile
            continue
        if found is not None:
            return found


def _attempt(connection: Connection[Any], row: tuple[Any, ...], worker: str, lease: float) -> Opening | None:
    """The run that was found, taken over if it may be; None if something has happened to it meanwhile."""
    number, owner, busy, state, facts, changed, program, attempts, taken_seq, stop_asked, now, last, progress = row
    found = Opening(number, facts, changed, program, stop_asked)
    found.busy, found.now = busy, now
    if busy:
        return found
    values = {"run": number, "before": owner, "found": state, "known": changed, "lease": lease, "taken": TAKEN}
    attempts = attempts + 1 if state == RUNNING and progress <= taken_seq else 1
    if attempts > MOST_ATTEMPTS:
        note = f"its process ended {MOST_ATTEMPTS} times without result"
        new = dumps({**loads(changed), "state": STUCK, "note": note})
        found.stuck = connection.execute(_STICK.encode(), {**values, "state": STUCK, "changed": new}).rowcount == 1
        return found if found.stuck else None
    found.owner, found.seq, found.note = owner + 1, last + 1, f"{worker}:{next(_OPENINGS)}"
    if state == QUEUED:  # of the others it is not sure that they will run, nor what they were until then
        state, found.changed = RUNNING, dumps({**loads(changed), **facts_of_running(found.owner)})
    values |= {
        "seq": found.seq, "note": found.note, "worker": worker, "owner": found.owner, "attempts": attempts,
        "state": state, "changed": found.changed,
    }  # fmt: skip
    rows = connection.execute(_TAKE.encode(), values).fetchall()
    if not rows:
        return None
    found.stop_asked = rows[0][0]
    found.events = [Event(*map(unpacked, event)) for _, *event in rows if event[0] is not None]
    return found


def events_of(connection: Connection[Any], number: int) -> list[Event]:
    """The events of a run, in order."""
    return [Event(*map(unpacked, row)) for row in connection.execute(_EVENTS, (number, TAKEN))]
