"""What becomes of runs when processes, the database or the connection to it die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

import rtfs
from rtfs.host.durable.postgres.store import PostgresRunStore
from rtfs.host.durable.store import CALL, DONE, OUTCOME, QUEUED, RUNNING, SLEEPING, STUCK, WAITING
from rtfs.host.postgres.link import at_once
from rtfs.host.postgres.schema import migrations
from rtfs.host.stop import Stop
from rtfs.testing.postgres import own_server, shared_server
from rtfs.values import HostError
from tests.durable.killing import survive

PLAN = '(+ (call "count" {:n 1}) (call "count" {:n 2}) (call "count" {:n 3}))'


@pytest.fixture
def store(database):
    found = PostgresRunStore(database)
    yield found
    found.close()


@pytest.fixture
def rival(database):
    """The store of another process, to which every lease has run out."""
    found = PostgresRunStore(database, lease=0.0)
    yield found
    found.close()


def facts(**more):
    return {"state": RUNNING, "began": "1.0", **more}


# ---------------------------------------------------------------------- a process dies
@pytest.mark.parametrize(
    "kills",
    [
        ["call:1:before"], ["call:8:after"], ["call:17:before"], ["commit:2:after"], ["commit:12:before"],
        ["call:14:after", "call:1:after", "commit:3:before"],
    ],
    ids=",".join,
)  # fmt: skip
def test_a_killed_run_continues_where_it_was(tmp_path: Path, database: str, kills: list[str]) -> None:
    assert survive(tmp_path, kills, database) == ""


def test_the_lease_of_a_dead_process_runs_out_and_that_of_a_living_one_does_not(database):
    quick = PostgresRunStore(database, lease=1.0)
    alive, dead = quick.create("alive", facts()), quick.create("dead", facts())
    quick._leases.remove(dead)
    other = PostgresRunStore(database, lease=1.0)
    assert [other.look(one).busy for one in ("alive", "dead")] == [True, True]
    time.sleep(2.2)
    assert [other.look(one).busy for one in ("alive", "dead")] == [True, False]
    with pytest.raises(HostError, match="in use"):
        other.open("alive")
    assert other.open("dead").owner == 2
    alive.close()
    quick.close()
    other.close()


def test_a_run_that_brings_its_process_down_five_times_is_stuck_until_it_is_resumed(store, rival):
    store.create("r", facts())
    for _ in range(4):
        rival.open("r")
    with pytest.raises(HostError) as caught:
        rival.open("r")
    assert caught.value.code == "run/stuck"
    assert list(rival.list(state=STUCK)) == ["r"]
    journal = rival.open("r")
    journal.commit([("state", RUNNING)])
    journal.add(CALL, "1", "a", "[]")
    journal.commit()
    for _ in range(4):
        journal = rival.open("r")
        journal.add(OUTCOME, "1", "a", "[1]")
        journal.commit()  # it does something each time


# ---------------------------------------------------------------------- two owners
def test_who_lost_a_run_writes_nothing_more(store, rival, sql):
    zombie = store.create("r", facts())
    zombie.add(CALL, "1", "a", "[]")
    zombie.commit()
    taken = rival.open("r")
    assert (taken.owner, [one.kind for one in taken.events]) == (2, [CALL])
    for attempt in range(2):
        zombie.add(CALL, "2", "b", "[]")
        with pytest.raises(Stop, match="another process") as caught:
            zombie.commit([("state", DONE)] if attempt else ())
        assert caught.value.error.code == "run/fenced"
    assert zombie.stop_asked is not None
    zombie.close()
    taken.add(OUTCOME, "1", "a", "[1]")
    taken.commit()
    assert sql("SELECT kind FROM rtfs.event ORDER BY seq") == [("call",), ("taken",), ("outcome",)]
    assert rival.look("r").facts["state"] == RUNNING
    taken.close()


def test_who_lost_a_run_cannot_change_its_state_either(store, rival):
    zombie = store.create("r", facts())
    taken = rival.open("r")
    with pytest.raises(Stop, match="another process"):
        zombie.commit([("state", DONE)])
    assert rival.look("r").facts["state"] == RUNNING
    zombie.close()
    assert rival.look("r").facts["state"] == RUNNING
    taken.close()


def test_a_beat_tells_a_process_that_it_lost_its_run(database, rival):
    store = PostgresRunStore(database, lease=0.6)
    zombie = store.create("r", facts())
    rival.open("r")
    until = time.monotonic() + 20
    while not zombie.fenced and time.monotonic() < until:
        time.sleep(0.05)
    assert zombie.fenced
    store.close()


def test_a_zombie_of_a_deleted_run_does_not_write_into_one_of_the_same_name(store, rival, sql):
    zombie = store.create("r", facts())
    rival.delete("r")
    fresh = rival.create("r", facts())
    zombie.add(CALL, "1", "a", "[]")
    with pytest.raises(Stop, match="deleted") as caught:
        zombie.commit()
    assert caught.value.error.code == "run/fenced"
    assert sql("SELECT count(*) FROM rtfs.event") == [(0,)]
    fresh.close()


def test_of_many_that_take_a_run_over_at_once_one_has_it(database):
    first = PostgresRunStore(database)
    first.create("r", facts(state=QUEUED)).close()
    opened, refused = [], []

    def take():
        other = PostgresRunStore(database)
        try:
            opened.append(other.open("r"))
        except HostError as error:
            refused.append(error.code)

    threads = [threading.Thread(target=take) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(opened), set(refused)) == (1, {"run/active"})
    opened[0]._store.close()
    first.close()


def test_a_run_goes_on_elsewhere_while_its_first_process_still_works(database):
    """The guest of the loser runs no further than its next call, and nothing is done twice."""
    made = []
    with rtfs.Runtime(state=database) as loser, rtfs.Runtime(state=database) as winner:
        rival = PostgresRunStore(database, lease=0.0)

        def slow(arguments):
            made.append("loser")
            rival.open("r").close()
            return 1

        loser.register("count", slow)
        winner.register("count", lambda arguments: made.append("winner") or 1)
        with pytest.raises(HostError) as caught:
            loser.run(PLAN, durable=True, run_id="r")
        assert caught.value.code == "run/fenced"
        assert winner.resume("r", result=1) == 3
        rival.close()
    assert made == ["loser", "winner", "winner"]


# ---------------------------------------------------------------------- the database dies
def test_a_run_waits_for_a_database_that_restarts_and_nothing_is_lost():
    server = own_server()
    made = []
    try:
        with server.database() as url, rtfs.Runtime(state=url) as runtime:

            def count(arguments):
                n = int(arguments.get(rtfs.Keyword("n")))
                made.append(n)
                if n == 2:
                    server.kill()
                    threading.Timer(1.0, server.start).start()
                return n

            runtime.register("count", count)
            assert runtime.run(PLAN, durable=True, run_id="r") == 6
            assert made == [1, 2, 3]
            view = runtime._executor.store.look("r")
            assert [(one.kind, one.path) for one in view.events] == [
                (kind, path) for path in "123" for kind in ("call", "outcome")
            ]
            assert view.facts["state"] == DONE
    finally:
        server.stop()


def test_a_database_that_stays_away_ends_a_run_that_can_be_resumed():
    server = own_server()
    made = []
    try:
        with server.database() as url:
            with rtfs.Runtime(state=url) as runtime:
                for link in runtime._database(url).writers:
                    link.patience = 0.3

                def count(arguments):
                    made.append(arguments.get(rtfs.Keyword("n")))
                    if len(made) == 2:
                        server.kill()
                    return 1

                runtime.register("count", count)
                with pytest.raises(HostError) as caught:
                    runtime.run(PLAN, durable=True, run_id="r")
                assert caught.value.code == "run/unwritable"
            server.start()
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("UPDATE rtfs.run SET beat_at = now() - interval '1 minute'")
            with rtfs.Runtime(state=url) as runtime:
                runtime.register("count", lambda arguments: made.append(arguments.get(rtfs.Keyword("n"))) or 1)
                with pytest.raises(HostError) as caught:
                    runtime.resume("r")
                assert caught.value.code == "run/in-doubt"  # its outcome was not written
                assert runtime.resume("r", result=1) == 3
            assert made == [1, 2, 3]
    finally:
        server.stop()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_lost_around_a_commit_is_made_again_and_the_commit_is_there_once(store, sql, when):
    journal = store.create("r", facts())
    execute = psycopg.Connection.execute
    cut = []

    def cutting(self, query, *rest, **keywords):
        if b"INSERT INTO rtfs.event (" not in (query if isinstance(query, bytes) else b"") or cut:
            return execute(self, query, *rest, **keywords)
        cut.append(when)
        found = execute(self, query, *rest, **keywords) if when == "after" else None
        pid = self.info.backend_pid
        with psycopg.connect(store.database.url, autocommit=True) as other:
            execute(other, "SELECT pg_terminate_backend(%s, 5000)", (pid,))
        return execute(self, "SELECT 1") and found  # it is gone

    psycopg.Connection.execute = cutting
    try:
        journal.add(CALL, "1", "a", "[]")
        journal.add(OUTCOME, "1", "a", "[1]")
        journal.commit([("state", RUNNING)])
    finally:
        psycopg.Connection.execute = execute
    assert cut == [when]
    assert sql("SELECT seq, kind FROM rtfs.event ORDER BY seq") == [(1, "call"), (2, "outcome")]
    journal.add(CALL, "2", "b", "[]")
    journal.commit()
    assert sql("SELECT count(*) FROM rtfs.event") == [(3,)]
    journal.close()


def test_a_connection_lost_while_a_run_is_submitted_leaves_it_submitted_once(database, sql, monkeypatch):
    """What was lost is the answer, not the run."""
    cut = []

    @contextmanager
    def cutting(connection):
        with at_once(connection):
            yield
        if not cut:
            cut.append(connection.info.backend_pid)
            sql("SELECT pg_terminate_backend(%s, 5000)", cut[0])
            connection.execute("SELECT 1")  # it is gone

    monkeypatch.setattr("rtfs.host.durable.postgres.store.at_once", cutting)
    with rtfs.Runtime(state=database) as runtime:
        assert runtime.submit("(+ 1 2)", run_id="mine") == "mine"
        with pytest.raises(HostError) as caught:
            runtime.submit("(+ 1 2)", run_id="mine")
    assert len(cut) == 1
    assert caught.value.code == "run/exists"
    assert sql("SELECT state FROM rtfs.run WHERE id = 'mine'") == [("queued",)]
    assert sql("SELECT count(*) FROM rtfs_queue.procrastinate_jobs WHERE lock = 'mine'") == [(1,)]


def test_runs_of_one_process_share_commits(store, sql):
    """While one commit is under way, what the others have to write gathers, and is one transaction."""
    journals = [store.create(f"r{number}", facts()) for number in range(8)]
    before = sql("SELECT pg_current_xact_id()::text::bigint")[0][0]
    commits = store.database.commits
    links, commits._free[:] = list(commits._free), []
    threads = []
    for journal in journals:
        journal.add(CALL, "1", "a", "[]")
        threads.append(threading.Thread(target=journal.commit))
        threads[-1].start()
    while len(commits._queue) < len(journals):
        time.sleep(0.01)
    commits.release(links[0])
    for thread in threads:
        thread.join()
    assert sql("SELECT count(*) FROM rtfs.event") == [(8,)]
    assert len(sql("SELECT DISTINCT xmin FROM rtfs.event")) == 1
    assert before
    for journal in journals:
        journal.close()


def test_one_that_lost_its_run_is_not_in_the_way_of_others_in_the_same_commit(store, rival):
    good, bad = store.create("good", facts()), store.create("bad", facts())
    rival.open("bad")
    commits = store.database.commits
    links, commits._free[:] = list(commits._free), []
    raised = []

    def commit(journal):
        journal.add(CALL, "1", "a", "[]")
        try:
            journal.commit()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=commit, args=(journal,)) for journal in (bad, good)]
    for thread in threads:
        thread.start()
    while len(commits._queue) < 2:
        time.sleep(0.01)
    commits.release(links[0])
    for thread in threads:
        thread.join()
    assert [error.error.code for error in raised] == ["run/fenced"]
    assert len(store.look("good").events) == 1
    good.close()
    bad.close()


# ---------------------------------------------------------------------- a database that is not ours
def test_a_database_that_does_not_fit_is_said(own_database, empty_database):
    def sql(query):
        with psycopg.connect(own_database, autocommit=True) as connection:
            connection.execute(query)

    def code(url, **options):
        with rtfs.Runtime(state=url, **options) as runtime, pytest.raises(HostError) as caught:
            runtime.run("1", durable=True)
        return caught.value.code, caught.value.message

    assert code("postgresql://127.0.0.1:1/none")[0] == "database/unreachable"
    assert code(shared_server().url("there_is_no_such_database"))[0] == "database/unreachable"
    found = code(empty_database)
    assert found[0] == "database/schema"
    assert "has no tables of rtfs" in found[1]
    newest = migrations()[-1][0]
    sql(f"INSERT INTO rtfs.migration (number, name) VALUES ({newest + 1}, 'later')")
    assert code(own_database)[0] == "database/schema"
    assert f"schema {newest + 1}, this one knows {newest}" in code(own_database)[1]
    sql("DELETE FROM rtfs.migration")
    assert code(own_database)[0] == "database/schema"
    with pytest.raises(HostError) as caught:
        rtfs.Runtime(state="postgresql://host/x?no_such_option=1")
    assert caught.value.code == "database/url"


def test_a_password_is_in_no_message():
    with rtfs.Runtime(state="postgresql://ann:s3cret@127.0.0.1:1/x") as runtime, pytest.raises(HostError) as caught:
        runtime.run("1", durable=True)
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_power_refuses_a_database_that_may_forget(database):
    off = database + ("&" if "?" in database else "?") + "options=-c%20synchronous_commit%3Doff"
    with rtfs.Runtime(state=off, durability="power") as runtime, pytest.raises(HostError) as caught:
        runtime.run("1", durable=True)
    assert caught.value.code == "config/durability"
    with rtfs.Runtime(state=off) as runtime:
        assert runtime.run("1", durable=True) == 1
    with rtfs.Runtime(state=database, durability="power") as runtime:
        assert runtime.run("1", durable=True) == 1


def test_a_run_that_was_deleted_is_unknown(database):
    with rtfs.Runtime(state=database) as runtime:
        runtime.run("1", durable=True, run_id="r")
        runtime._executor.store.delete("r")
        with pytest.raises(HostError) as caught:
            runtime.resume("r")
    assert caught.value.code == "run/unknown"


def test_migrations_are_numbered_from_1_without_a_gap():
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_migrations_are_applied_once_by_many_at_once(empty_database):
    command = [sys.executable, "-m", "rtfs", "runs", "migrate", "--state", empty_database]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = sorted(one.communicate(timeout=60)[0].strip() for one in started)
    assert [one.returncode for one in started] == [0, 0, 0]
    applied = [what for line in said if line.startswith("applied ") for what in line[8:].split(", ")]
    assert sorted(applied) == [*(f"{number:04} {name}" for number, name, _ in migrations()), "the queue"]
    others = {line for line in said if not line.startswith("applied ")}
    assert others == {"nothing to do: the tables are those of this rtfs"}


# ---------------------------------------------------------------------- what a queue is told
def test_what_can_go_on_is_enqueued_in_the_transaction_that_makes_it_so(database, sql):
    told = []

    def enqueue(connection, run_id, at):
        connection.execute("INSERT INTO rtfs.kv VALUES ('queue', %s, %s)", (f"{run_id}{len(told)}", str(at)))
        told.append((run_id, at))

    store = PostgresRunStore(database, enqueue=enqueue)
    store.create("r", facts(state=QUEUED)).close()
    assert told == [("r", None)]
    journal = store.open("r")
    journal.commit([("state", SLEEPING), ("wake-at", "5000.5")])
    journal.close()
    assert told[1:] == [("r", 5000.5)]
    journal = store.open("r")
    journal.commit([("state", WAITING), ("question", "approval:1"), ("wake-at", "")])
    journal.close()
    store.answer("r", "approval:2", "[1]", "ann")
    assert len(told) == 2
    store.answer("r", "approval:1", "[1]", "ann")
    assert told[2:] == [("r", None)]
    journal = store.open("r")
    journal.commit([("state", RUNNING)])
    assert journal.take("approval:1") is not None
    assert journal.take("signal:go") is None
    store.answer("r", "signal:go", "[1]", "ann")  # between the look and the wait
    assert len(told) == 3
    journal.commit([("state", WAITING), ("question", "signal:go")])
    assert told[3:] == [("r", None)]
    journal.close()
    assert sql("SELECT count(*) FROM rtfs.kv") == [(4,)]
    store.close()


def test_a_queue_that_fails_undoes_what_it_belongs_to(database):
    def enqueue(connection, run_id, at):
        raise psycopg.errors.RaiseException("the queue is broken")

    store = PostgresRunStore(database, enqueue=enqueue)
    with pytest.raises(HostError) as caught:
        store.create("r", facts(state=QUEUED))
    assert caught.value.code == "run/unwritable"
    assert list(store.list()) == []
    store.close()


# ---------------------------------------------------------------------- embedded runs know nothing of it
def test_a_durable_run_in_a_folder_imports_no_database(tmp_path):
    program = (
        "import sys, rtfs\n"
        f"folder = {str(tmp_path)!r}\n"
        "with rtfs.Runtime(state=folder, ledger=folder + '/l', kv=folder + '/k') as rt:\n"
        '    rt.run(\'(call "ccos.state.kv.put" "k" 1)\', durable=True)\n'
        "print([n for n in sys.modules if n.split('.')[0] in ('psycopg', 'procrastinate') or 'postgres' in n])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_loop_has_its_turn_while_a_commit_waits(database):
    import asyncio

    async def main():
        ticks = 0
        with rtfs.Runtime(state=database) as runtime:
            runtime.register("count", lambda arguments: 1)
            running = asyncio.create_task(runtime.arun(PLAN, durable=True, run_id="r"))
            commits = runtime._database(database).commits
            links, commits._free[:] = list(commits._free), []
            while not commits._queue:  # the run waits for a connection
                await asyncio.sleep(0.01)
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                await asyncio.sleep(0.01)
                ticks += 1
            for link in links:
                commits.release(link)
            return await running, ticks

    value, ticks = asyncio.run(main())
    assert value == 3
    assert ticks > 3


def test_a_stopped_process_that_wakes_up_does_nothing_more(tmp_path, database):
    program = (
        "import sys, time, rtfs\n"
        f"rt = rtfs.Runtime(state={database!r})\n"
        "def count(arguments):\n"
        "    n = arguments.get(rtfs.Keyword('n'))\n"
        f"    open({str(tmp_path / 'done')!r}, 'a').write(f'{{n}}\\n')\n"
        "    if n == 1: print('ready', flush=True); sys.stdin.readline()\n"
        "    return n\n"
        "rt.register('count', count)\n"
        "try:\n"
        f"    rt.run({PLAN!r}, durable=True, run_id='r')\n"
        "except rtfs.UserError as error:\n"
        "    print(error.code)\n"
    )
    zombie = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert zombie.stdout.readline() == "ready\n"
        os.kill(zombie.pid, signal.SIGSTOP)
        with psycopg.connect(database, autocommit=True) as connection:  # its lease runs out
            connection.execute("UPDATE rtfs.run SET beat_at = now() - interval '1 minute'")
        with rtfs.Runtime(state=database) as runtime:
            runtime.register("count", lambda arguments: arguments.get(rtfs.Keyword("n")))
            assert runtime.resume("r", result=1) == 6
        os.kill(zombie.pid, signal.SIGCONT)
        said, _ = zombie.communicate("\n", timeout=60)
    finally:
        zombie.kill()
        zombie.wait()
    assert said == "run/fenced\n"
    assert (tmp_path / "done").read_text() == "1\n"
