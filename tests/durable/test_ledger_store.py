"""The ledger in a file: written when it says so, and any change of it is found and named."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

import rtfs
from rtfs.host.audit.events import CallEnded, StepLeft
from rtfs.host.audit.ledger import GENESIS, chain
from rtfs.host.audit.sqlite_ledger import StoredLedger, inspect, records
from rtfs.host.policy.context import RuntimeContext
from rtfs.host.stop import Stop

ROOT = Path(__file__).resolve().parent.parent.parent
CONTEXT = RuntimeContext(principal="ann", run_id="run")


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A ledger with ten records."""
    path = str(tmp_path / "ledger.db")
    fill(path, 10)
    return path


def fill(path: str, count: int, mode: str = "kill") -> None:
    ledger = StoredLedger(path, mode)
    for number in range(count):
        ledger.append(CallEnded(CONTEXT, number, f"cap{number}", "ok", 12, "bb"))
    ledger.close()


def change(path: str, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("mode", ["kill", "power"])
def test_records_are_chained_and_kept(tmp_path: Path, mode: str) -> None:
    path = str(tmp_path / "l.db")
    fill(path, 3, mode)
    fill(path, 2, mode)
    found = list(records(path))
    assert [record.seq for record in found] == [1, 2, 3, 4, 5]
    assert found[0].previous == GENESIS
    assert all(chain(record.previous, record.content()) == record.hash for record in found)
    assert inspect(path) is None


def test_the_files_are_the_owners_only(path: str) -> None:
    for name in (path, path + ".anchor", path + ".key"):
        assert stat.S_IMODE(os.stat(name).st_mode) == 0o600


@pytest.mark.parametrize(
    "field", ["time", "kind", "run", "parent", "subject", "principal", "detail", "arguments", "result", "duration"]
)
def test_a_changed_field_is_named(path: str, field: str) -> None:
    change(path, f"UPDATE records SET {field} = {field} || '1' WHERE seq = 4")
    assert inspect(path) == (4, "record 4 was changed")


@pytest.mark.parametrize(
    ("sql", "seq", "what"),
    [
        ("DELETE FROM records WHERE seq = 4", 4, "record 4 is missing"),
        ("DELETE FROM records WHERE seq IN (1, 2, 3)", 1, "records 1 to 3 are missing"),
        ("DELETE FROM records WHERE seq > 7", 8, "the end was cut off: the last record is 7, the anchor says 10"),
        ("DELETE FROM records", 1, "the end was cut off: the last record is 0, the anchor says 10"),
        ("UPDATE records SET hash = x'00' WHERE seq = 10", 10, "record 10 was changed"),
        ("UPDATE records SET previous = x'00' WHERE seq = 5", 5, "record 5 was changed"),
        ("UPDATE records SET detail = x'00' WHERE seq = 5", 5, "record 5 was changed"),
    ],
)
def test_what_was_done_to_it_is_said(path: str, sql: str, seq: int, what: str) -> None:
    change(path, sql)
    assert inspect(path) == (seq, what)


def test_forged_records_do_not_pass(path: str) -> None:
    """One that is rewritten with a hash that fits breaks the next; one at the end, the anchor."""
    found = list(records(path))

    def forge(seq: int) -> None:
        record = found[seq - 1]
        content = (*record.content()[:7], "denied", *record.content()[8:])
        change(
            path, f"UPDATE records SET detail = 'denied', hash = x'{chain(record.previous, content)}' WHERE seq = {seq}"
        )

    forge(10)
    assert inspect(path) == (10, "record 10 is not the one that the anchor knows")
    forge(4)
    assert inspect(path) == (5, "record 5 does not follow record 4: one was changed, removed or inserted there")


def test_a_record_put_behind_the_end_does_not_pass(path: str) -> None:
    last = list(records(path))[-1]
    content = (11, *last.content()[1:])
    change(
        path,
        "INSERT INTO records SELECT 11, time, kind, run, parent, subject, principal, detail, arguments, result,"
        f" duration, x'{last.hash}', x'{chain(last.hash, content)}' FROM records WHERE seq = 10",
    )
    found = inspect(path)
    assert found is not None
    assert found[0] == 11
    with pytest.raises(rtfs.UserError) as caught:
        StoredLedger(path)
    assert caught.value.code == "ledger/damaged"


def test_a_lost_or_changed_anchor_shows(path: str) -> None:
    text = Path(path + ".anchor").read_text()
    Path(path + ".anchor").write_text("nonsense")
    assert inspect(path) is not None
    Path(path + ".anchor").write_text(text)
    assert inspect(path) is None
    os.unlink(path + ".anchor")
    assert inspect(path) is not None
    with pytest.raises(rtfs.UserError):
        StoredLedger(path)


def test_equal_values_match_across_processes_and_others_do_not(path: str, tmp_path: Path) -> None:
    one, other, foreign = StoredLedger(path), StoredLedger(path), StoredLedger(str(tmp_path / "other.db"))
    assert one.fingerprint("x") == other.fingerprint("x") != foreign.fingerprint("x")
    for ledger in (one, other, foreign):
        ledger.close()


def test_several_processes_append_to_one_chain(path: str) -> None:
    program = (
        "import sys; from rtfs.host.audit.sqlite_ledger import StoredLedger; l = StoredLedger(sys.argv[1])\n"
        "from rtfs.host.audit.events import SessionChanged\n"
        "for i in range(150): l.append(SessionChanged('key', 'reused'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    running = [subprocess.Popen([sys.executable, "-c", program, path], env=environment) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert inspect(path) is None
    assert len(list(records(path))) == 460


@pytest.mark.parametrize("point", ["INSERT", "COMMIT"])
@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_a_record_is_written_leaves_a_whole_ledger(path: str, point: str, after: bool) -> None:
    program = (
        "import os, sqlite3, sys; from rtfs.host.audit.sqlite_ledger import StoredLedger\n"
        "class C(sqlite3.Connection):\n"
        "    def execute(self, sql, *rest):\n"
        f"        hit = sql.startswith({point!r}); found = None\n"
        f"        if hit and {after}: found = super().execute(sql, *rest)\n"
        "        if hit: os.kill(os.getpid(), 9)\n"
        "        return super().execute(sql, *rest)\n"
        "ledger = StoredLedger(sys.argv[1])\n"
        "ledger._connection.close()\n"
        "ledger._connection = sqlite3.connect(sys.argv[1], isolation_level=None, factory=C)\n"
        "from rtfs.host.audit.events import StepLeft; from rtfs.host.policy.context import RuntimeContext\n"
        "ledger.append(StepLeft(RuntimeContext(run_id='r'), 0, 's', 'ok'))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, path], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert found.returncode == -9
    assert inspect(path) is None
    fill(path, 1)
    assert inspect(path) is None
    assert len(list(records(path))) == (12 if point == "COMMIT" and after else 11)


def test_texts_that_sqlite_cannot_hold_are_made_to_fit(path: str) -> None:
    ledger = StoredLedger(path)
    ledger.append(StepLeft(RuntimeContext(run_id="r", principal="p\0q"), 0, "\ud800", "x\ud800"))
    ledger.close()
    assert inspect(path) is None


def test_a_write_that_fails_stops_the_run(path: str, faulty: Callable[..., None], tmp_path: Path) -> None:
    made: list[int] = []
    faulty(lambda sql, number: sqlite3.OperationalError("database or disk is full") if number == 5 else None)
    with rtfs.Runtime(ledger=path) as runtime:
        runtime.register("count", made.append)
        with pytest.raises(rtfs.UserError) as caught:
            runtime.run('(try (do (call "count" 1) (call "count" 2) (call "count" 3)) (catch e :caught))')
        assert caught.value.code == "ledger/unwritable"
        assert "disk is full" in caught.value.message
        with pytest.raises(rtfs.UserError):
            runtime.run("1")
    assert made == [1]  # no call without its decision written
    assert inspect(path) is None
    with pytest.raises(Stop):
        runtime.ledger.append(StepLeft(CONTEXT, 0, "s", "ok"))


DAMAGE = {
    "other bytes": "hash = zeroblob(32)",
    "a text": "hash = 'abc'",
    "an integer": "hash = 5",
    "no text": "hash = CAST(x'ff80' AS TEXT)",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_in_the_hash_of_the_last_record_is_damage_to_a_ledger_that_is_opened(path: str, damage: str) -> None:
    change(path, f"UPDATE records SET {DAMAGE[damage]} WHERE seq = 10")
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(ledger=path)
    assert caught.value.code == "ledger/damaged"


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("within", [False, True], ids=["between runs", "within a run"])
def test_damage_in_the_hash_of_the_last_record_ends_the_run_that_writes(path: str, damage: str, within: bool) -> None:
    def harm(*given: object) -> None:
        change(path, f"UPDATE records SET {DAMAGE[damage]} WHERE seq = (SELECT max(seq) FROM records)")

    with rtfs.Runtime(ledger=path) as runtime:
        runtime.register("harm", harm)
        runtime.run("1")
        if not within:
            harm()
        for _ in range(2):
            with pytest.raises(rtfs.UserError) as caught:
                runtime.run('(try (call "harm") (catch e 1))')
            assert caught.value.code == "ledger/damaged"
            assert "rtfs audit verify" in str(caught.value.hint)
    with suppress(rtfs.UserError):  # SQLite cannot even read it
        assert inspect(path) is not None


@pytest.mark.parametrize("place", [4096, 8192])
def test_pages_that_were_overwritten_are_damage(path: str, place: int) -> None:
    fill(path, 500)
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(b"\x55" * 4096)
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(ledger=path)
    assert caught.value.code == "ledger/damaged"


@pytest.mark.parametrize("bad", ["folder", "text"])
def test_what_is_no_ledger_is_an_error_that_says_so(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "x"
    if bad == "folder":
        path.mkdir()
    else:
        path.write_text("this is not a database, nor will it ever be one, however long one looks at it")
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(ledger=path)
    assert caught.value.code == ("ledger/unwritable" if bad == "folder" else "ledger/damaged")


def test_the_ledger_of_a_runtime_tells_the_whole_story(tmp_path: Path) -> None:
    path = tmp_path / "l.db"
    with rtfs.Runtime(ledger=path) as runtime:
        runtime.register("count", lambda n: n)
        runtime.run('(step "one" (call "count" {:secret "hush-hush"}))')
        assert runtime.ledger.verify() is None
    kinds = [(record.kind, record.subject, record.detail) for record in records(str(path))]
    assert [kind for kind, _, _ in kinds] == ["run", "step", "decision", "outcome", "leave", "end"]
    assert b"hush" not in path.read_bytes()
