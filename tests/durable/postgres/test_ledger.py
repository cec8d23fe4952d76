"""The ledger in PostgreSQL: one chain a run, sealed; and the values of ccos.state.kv.*."""

from __future__ import annotations

import json
import threading

import pytest

import rtfs
from rtfs.host.audit import postgres_records
from rtfs.host.audit.ledger_stores import inspect, records
from rtfs.host.postgres.commits import Commits
from rtfs.testing.postgres import shared_server
from rtfs.values import HostError
from tests.trust.test_records import key as signing_key

PLAN = '(+ (call "count" {:n 1}) (call "count" {:n 2}))'


@pytest.fixture
def key(tmp_path):
    return tmp_path / "ledger.key"


@pytest.fixture
def runtime(database, key):
    with rtfs.Runtime(state=database, ledger=database, ledger_key=key) as found:
        found.register("count", lambda arguments: 7)
        yield found


def kinds(url, run):
    return [(record.seq, record.kind, record.subject, record.detail) for record in records(url, run)]


def test_each_run_has_a_chain_of_its_own_with_what_a_ledger_in_memory_has(runtime, database):
    runtime.run(PLAN, durable=True, run_id="a")
    runtime.run(PLAN, run_id="b")
    with rtfs.Runtime() as plain:
        plain.register("count", lambda arguments: 7)
        plain.run(PLAN, run_id="b")
        expected = [(record.seq, record.kind, record.subject) for record in plain.ledger]
    for run in ("a", "b"):
        assert [one[:3] for one in kinds(database, run)] == expected
    assert {record.run for record in records(database)} == {"a", "b"}


def test_a_ledger_that_is_written_to_while_it_is_verified_is_whole(runtime, database, key, monkeypatch):
    runtime.run(PLAN, run_id="a")
    check = postgres_records.check_key

    def write_meanwhile(connection, secret):
        monkeypatch.undo()
        runtime.run(PLAN, run_id="b")
        check(connection, secret)

    monkeypatch.setattr(postgres_records, "check_key", write_meanwhile)
    assert inspect(database, str(key)) is None
    assert {record.run for record in records(database)} == {"a", "b"}


def test_records_of_a_durable_run_are_written_with_its_events(runtime, sql, monkeypatch):
    seen = []
    runtime.register("look", lambda _: seen.append(sql("SELECT sum(cardinality(records)) FROM rtfs.ledger")[0][0]) or 1)
    commits = []
    write = Commits.write
    monkeypatch.setattr(Commits, "write", lambda self, *given: (commits.append(given[0]), write(self, *given)))
    runtime.run('(call "look" {}) (call "look" {}) (call "look" {})', durable=True, run_id="a")
    assert seen == [2, 4, 6]  # run and decision; the outcome and the next decision; …
    assert [len(batch.records) for batch in commits] == [2, 2, 2, 1, 1]
    assert sql("SELECT records[1].kind FROM rtfs.ledger ORDER BY seq DESC LIMIT 1") == [("end",)]


def test_a_resumed_run_continues_its_chain_in_another_process(runtime, database, key, sql):
    def lose(arguments):
        raise KeyboardInterrupt

    runtime.register("count", lose, replace=True)
    with pytest.raises(KeyboardInterrupt):
        runtime.run(PLAN, durable=True, run_id="a")
    with rtfs.Runtime(state=database, ledger=database, ledger_key=key) as other:
        other.register("count", lambda arguments: 7)
        assert other.resume("a", retry=True) == 14
    found = kinds(database, "a")
    assert [one[0] for one in found] == list(range(1, len(found) + 1))
    assert "resume" in [one[1] for one in found]
    assert inspect(database, str(key)) is None


A = "chain = (SELECT number FROM rtfs.chain WHERE name = 'a')"


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            f"UPDATE rtfs.ledger SET records[2].detail = 'allow' WHERE {A} AND seq = 1",
            "record 2 of chain 'a' was changed",
        ),
        (
            f"UPDATE rtfs.ledger SET records[1] = NULL WHERE {A} AND seq = 3",
            "record 3 of chain 'a' was changed",
        ),
        (f"DELETE FROM rtfs.ledger WHERE {A} AND seq = 3", "record 3 of chain 'a' is missing"),
        (
            f"UPDATE rtfs.ledger SET records = records[2:] WHERE {A} AND seq = 3",
            "record 3 of chain 'a' was changed",
        ),
        (
            f"UPDATE rtfs.ledger SET records = records[:1] WHERE {A} AND seq = 3",
            "record 4 of chain 'a' is missing",
        ),
        (f"DELETE FROM rtfs.ledger WHERE {A} AND seq > 3", "the end was cut off of chain 'a'"),
        (f"DELETE FROM rtfs.ledger WHERE {A}", "the end was cut off of chain 'a'"),
        (f"DELETE FROM rtfs.ledger_head WHERE {A}", "there are records behind the end of chain 'a'"),
        (f"DELETE FROM rtfs.ledger WHERE {A}; DELETE FROM rtfs.ledger_head WHERE {A}", "chain 'a' was removed"),
        ("DELETE FROM rtfs.chain WHERE name = 'a'", "the name of chain number 1 was removed"),
        (
            f"DELETE FROM rtfs.ledger WHERE {A} AND seq > 3; UPDATE rtfs.ledger_head SET seq = 4 WHERE {A}",
            "its seal is not of this key",
        ),
        (f"UPDATE rtfs.ledger_head SET seal = '' WHERE {A}", "its seal is not of this key"),
        (
            "INSERT INTO rtfs.ledger SELECT chain, 99, records FROM rtfs.ledger WHERE seq = 1",
            "record 7 of chain 'a' is missing",
        ),
        (
            f"UPDATE rtfs.ledger SET records = records || records WHERE {A} AND seq = 3",
            "record 5 of chain 'a' was changed",
        ),
    ],
)
def test_what_was_changed_afterwards_shows(runtime, database, key, sql, damage, said):
    runtime.run(PLAN, durable=True, run_id="a")
    runtime.run(PLAN, durable=True, run_id="b")
    assert inspect(database, str(key)) is None
    assert runtime.ledger.verify() is None
    sql(damage)
    assert said in inspect(database, str(key))


def test_another_key_is_refused(runtime, database, tmp_path):
    runtime.run("1", run_id="a")
    runtime.run('(call "count" {})', run_id="c")
    with rtfs.Runtime(ledger=database, ledger_key=tmp_path / "other") as other, pytest.raises(HostError) as caught:
        other.run("1")
    assert caught.value.code == "ledger/key"


def test_on_event_is_told_records_and_the_end_of_a_plain_run_is_written(database, key, sql):
    told = []
    with rtfs.Runtime(ledger=database, ledger_key=key, on_event=told.append) as runtime:
        runtime.register("count", lambda arguments: 7)
        runtime.run(PLAN, run_id="a")
    assert [record.kind for record in told] == ["run", "decision", "outcome", "decision", "outcome", "end"]
    assert [row[0] for row in sql("SELECT r.kind FROM rtfs.ledger, unnest(records) AS r ORDER BY seq")] == [
        one.kind for one in told
    ]


def test_a_ledger_without_its_database_stops_what_would_not_be_recorded(key):
    with (
        rtfs.Runtime(ledger="postgresql://127.0.0.1:1/x", ledger_key=key) as runtime,
        pytest.raises(HostError) as caught,
    ):
        runtime.run("1")
    assert caught.value.code == "database/unreachable"


def test_the_command_audit_looks_into_a_database(database, tmp_path, command):
    key = ("--ledger-key", str(tmp_path / "xdg" / "rtfs" / "ledger.key"))
    assert command("audit", "verify", database, *key)[0] == 1  # nothing was written, so there is no key
    assert not (tmp_path / "xdg" / "rtfs" / "ledger.key").exists()
    done = command("run", "--durable", "--run-id", "r", "--state", database, "--ledger", database, "-e", "(println 1)")
    assert done[:2] == (0, "1\n")
    status, said, _ = command("audit", "verify", database)
    assert (status, said.partition(": ")[2]) == (0, "4 records, nothing was changed, removed or inserted\n")
    assert [line.split()[3] for line in command("audit", "show", database, "--run", "r")[1].splitlines()] == [
        "run", "decision", "outcome", "end",
    ]  # fmt: skip
    assert "timeline, by postgresql://" in command("runs", "show", "r", "--state", database)[1]
    (line,) = command("audit", "list", database)[1].splitlines()
    assert line.startswith("r ")
    assert line.endswith("4 records    local <expression> ok")
    (listed,) = command("audit", "list", database, "--json")[1].splitlines()
    assert {name: json.loads(listed)[name] for name in ("run", "records", "end")} == {
        "run": "r", "records": 4, "end": "ok",
    }  # fmt: skip


def test_a_signed_head_of_a_database_says_where_each_chain_ended(database, tmp_path, command, sql):
    private, public, head = signing_key(tmp_path), str(tmp_path / "key.pub.pem"), str(tmp_path / "head.json")
    for run in ("a", "b"):
        done = command("run", "--durable", "--run-id", run, "--state", database, "--ledger", database, "-e", "1")
        assert done[0] == 0
    signed = command("audit", "sign", database, "--key", private)
    assert signed[0] == 0
    assert sorted(json.loads(signed[1])["chains"]) == ["a", "b"]
    (tmp_path / "head.json").write_text(signed[1])
    command("run", "--durable", "--run-id", "c", "--state", database, "--ledger", database, "-e", "1")
    verify = ("audit", "verify", database, "--head", head, "--key", public)
    status, said, _ = command(*verify)
    assert (status, said.splitlines()[1]) == (0, "the first 4 are those that were signed")
    for table in ("ledger", "ledger_head"):
        sql(f"DELETE FROM rtfs.{table} WHERE chain = (SELECT number FROM rtfs.chain WHERE name = 'b')")
    sql("DELETE FROM rtfs.chain WHERE name = 'b'")
    assert command("audit", "verify", database)[0] == 0  # nothing in the database tells of it any more
    status, _, said = command(*verify)
    assert status == 1
    assert "record 2 of chain 'b' is another, or gone" in said
    changed = json.loads(signed[1])
    del changed["chains"]["b"]
    (tmp_path / "head.json").write_text(json.dumps(changed))
    assert "not made with that key" in command(*verify)[2]


# ---------------------------------------------------------------------- ccos.state.kv.*
def test_values_are_shared_and_each_principals_own(database):
    with rtfs.Runtime(kv=database) as one, rtfs.Runtime(kv=database) as other:
        one.run('(call "ccos.state.kv.put" "k" [1 2.5 "\\u0000"])', principal="ann")
        assert rtfs.to_text(other.run('(call "ccos.state.kv.get" "k")', principal="ann")) == '[1 2.5 "\\u0000"]'
        assert other.run('(call "ccos.state.kv.get" "k")', principal="bob") is None
        one.run('(call "ccos.state.kv.conj" "k" 3)', principal="ann")
        assert rtfs.to_text(other.run('(call "ccos.state.kv.delete" "k")', principal="ann")) == '[1 2.5 "\\u0000" 3]'
        assert one.run('(call "ccos.state.kv.get" "k" "none")', principal="ann") == "none"


def test_an_operation_is_done_once_however_often_its_call_is_made(database):
    from rtfs.capabilities.permit import Permit
    from rtfs.host.bundled.kv_postgres import InDatabase
    from rtfs.host.postgres.database import Database

    found = Database(database)
    values = InDatabase(found)
    permit = Permit((), "ann", key="run-nonce-3")

    def make(old):
        value = old()
        grown = (0 if not isinstance(value, int) else value) + 1
        return grown, grown

    assert [values.change(permit, "k", make) for _ in range(3)] == [1, 1, 1]
    assert values.change(Permit((), "ann", key="run-nonce-4"), "k", make) == 2
    assert values.read(permit, "k") == 2
    found.close()


def test_parallel_changes_of_one_key_are_all_there(database):
    from threading import Thread

    def add(number):
        with rtfs.Runtime(kv=database) as runtime:
            for at in range(10):
                runtime.run(f'(call "ccos.state.kv.conj" "k" {number * 100 + at})')

    threads = [Thread(target=add, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with rtfs.Runtime(kv=database) as runtime:
        found = runtime.run('(call "ccos.state.kv.get" "k")')
    assert sorted(found) == [number * 100 + at for number in range(3) for at in range(10)]


def test_labels_of_values_outlast_the_process(database):
    from rtfs.host.bundled.kv_postgres import InDatabase
    from rtfs.host.postgres.database import Database

    found = Database(database)
    InDatabase(found).labels.remember_labels("kv ann k", "d", "old")
    InDatabase(found).labels.remember_labels("kv ann k", "d", "new")
    assert InDatabase(found).recall_labels("kv ann k", "d") == "new"
    assert InDatabase(found).recall_labels("kv ann k", "e") is None
    found.close()


def test_a_store_that_cannot_be_reached_is_said(database):
    assert shared_server().address
    with rtfs.Runtime(kv="postgresql://127.0.0.1:1/x") as runtime, pytest.raises(HostError) as caught:
        runtime.run('(call "ccos.state.kv.get" "k")')
    assert caught.value.code == "capability/failed"


def test_a_chain_stays_whole_when_a_process_takes_over_a_run_that_it_has_itself(database, key, sql):
    """Its lease had run out, and a call of before ends meanwhile. The records of both openings are in one chain."""
    with rtfs.Runtime(state=database, ledger=database, ledger_key=key) as runtime:
        found, begun, ended = [], threading.Event(), threading.Event()

        def again() -> None:
            found.append(runtime.resume("r"))

        other = threading.Thread(target=again)

        def slow(n: int) -> int:
            if not other.ident:
                sql("UPDATE rtfs.run SET beat_at = beat_at - interval '1 hour'")
                other.start()
                assert begun.wait(60)
            else:
                begun.set()
                assert ended.wait(60)
            return n

        runtime.register("slow", slow, idempotent=True, blocking=True)
        with pytest.raises(rtfs.HostError) as caught:
            runtime.run('(inc (call "slow" 1))', durable=True, run_id="r")
        ended.set()
        other.join(60)
    assert caught.value.code == "run/fenced"
    assert found == [2]
    assert inspect(database, str(key)) is None
    assert [kind for _, kind, _, _ in kinds(database, "r")].count("end") == 2


def test_a_process_that_has_lost_a_run_writes_nothing_more_to_its_chain(database, key, sql):
    """Not even before the one that has it now has written anything."""
    with (
        rtfs.Runtime(state=database, ledger=database, ledger_key=key) as runtime,
        rtfs.Runtime(state=database, ledger=database, ledger_key=key) as rival,
    ):

        def lost(n: int) -> int:
            sql("UPDATE rtfs.run SET beat_at = beat_at - interval '1 hour'")
            rival._executor.store.open("r")
            return n

        runtime.register("lost", lost, idempotent=True)
        with pytest.raises(rtfs.HostError) as caught:
            runtime.run('(+ (call "lost" 1) (call "lost" 2))', durable=True, run_id="r")
        assert caught.value.code == "run/fenced"
        assert inspect(database, str(key)) is None
        assert [kind for _, kind, _, _ in kinds(database, "r")] == ["run", "decision"]


def test_a_signal_and_a_second_submission_do_not_take_a_run_from_its_process(database, key):
    """What others tell a run is in its chain, between the records of the process that has it."""
    options = {"state": database, "ledger": database, "ledger_key": key}
    with rtfs.Runtime(**options) as runtime, rtfs.Runtime(**options) as other:

        def told(n: int) -> int:
            other.signal("r", "paid", n)
            with pytest.raises(HostError) as caught:
                other.submit("1", run_id="r")
            assert caught.value.code == "run/exists"
            return n

        runtime.register("told", told)
        value = runtime.run('[(call "told" 1) (call "told" 2) (await-signal "paid")]', durable=True, run_id="r")
        assert rtfs.to_text(value) == "[1 2 1]"
        found = list(records(database, "r"))
        assert inspect(database, str(key)) is None
    assert [one.kind for one in found].count("answer") == 2
    decisions = {one.seq: one.subject for one in found if one.kind == "decision"}
    outcomes = [(one.subject, decisions.get(one.parent)) for one in found if one.kind == "outcome"]
    assert outcomes == [(name, name) for name in ("told", "told", "ccos.run.await-signal")]
    assert found[-1].detail == "ok"


def test_two_processes_begin_a_chain_at_the_same_time(database, key):
    options = {"ledger": database, "ledger_key": key}
    with rtfs.Runtime(**options) as one, rtfs.Runtime(**options) as two:
        two.register("count", lambda arguments: 7)
        one.register("other", lambda arguments: two.run(PLAN, run_id="r"))
        assert one.run('(call "other" {})', run_id="r") == 14
        two.ledger.write("run", "x", 0, "a", "ann", "", None, None, 0)
        one.ledger.write("run", "x", 0, "a", "bob", "", None, None, 0)
        two.ledger.write("end", "x", 1, "", "ann", "ok", None, None, 0)
        one.ledger.write("end", "x", 1, "", "bob", "ok", None, None, 0)
    assert inspect(database, str(key)) is None
    assert [(record.seq, record.parent, record.principal) for record in records(database, "x")] == [
        (1, 0, "ann"), (2, 1, "ann"), (3, 0, "bob"), (4, 3, "bob"),
    ]  # fmt: skip


def test_what_the_ledger_is_told_of_a_submission_is_written_with_it(runtime, database, key, sql):
    """So that it is in the chain before a worker is."""
    runtime.submit("1", run_id="q")
    assert [(kind, detail) for _, kind, _, detail in kinds(database, "q")][1:] == [("end", "queued")]
    assert sql("SELECT l.xmin = r.xmin FROM rtfs.ledger AS l, rtfs.run AS r") == [(True,)]
    assert runtime.ledger._database.riders == {}
    with pytest.raises(HostError) as caught:
        runtime.submit("2", run_id="q")
    assert caught.value.code == "run/exists"
    assert [(kind, detail) for _, kind, _, detail in kinds(database, "q")][3:] == [("end", "error: run/exists")]
    assert inspect(database, str(key)) is None
