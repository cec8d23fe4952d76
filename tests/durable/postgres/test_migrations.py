"""Migrations of databases that have something in them: a ledger of before its rows were blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

import rtfs
from rtfs.host.audit import ledger_stores
from rtfs.host.audit.ledger import Record
from rtfs.host.audit.postgres_ledger import read_key
from rtfs.host.audit.postgres_records import OLD_SEAL, inspect_at, print_of, seal
from rtfs.host.dispatch.queued_store import make_tables
from rtfs.host.postgres import schema
from rtfs.host.postgres.texts import packed
from rtfs.testing.postgres import shared_server

TOTAL = {"total": "demo.pay.euros", "at-most": 50, "per": "principal", "in": "1d"}
PLAN = '(println "é\\u0000") (call "demo.pay" {:euros 20})'
BLOCKS = 6
"""The migration that made blocks of the ledger's rows."""


def pay(euros: int) -> int:
    return euros


def runtime(url: str, key: Path) -> rtfs.Runtime:
    rt = rtfs.Runtime(state=url, ledger=url, ledger_key=key, sequence=[TOTAL])
    rt.register("demo.pay", pay)
    return rt


def write_old(url: str, key: Path, records: list[Record], chains: list[str], paid: list[tuple[Any, ...]]) -> None:
    """The tables of before, with records of these chains and the calls that a rule counts."""
    names = {name if name in {record.run for record in records} else "": name for name in chains}
    secret = read_key(str(key))
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO rtfs.ledger_key VALUES (true, %s)", (print_of(secret),))
        for record in records:
            texts = [packed(part) if isinstance(part, str) else part for part in record.content()]
            row = (names[record.run], *texts, bytes.fromhex(record.hash))
            connection.execute(f"INSERT INTO rtfs.ledger VALUES ({', '.join(['%s'] * len(row))})".encode(), row)
        for run, name in names.items():
            last = [record for record in records if record.run == run][-1]
            digest = bytes.fromhex(last.hash)
            sealed = seal(secret, name, last.seq, digest, OLD_SEAL)
            connection.execute("INSERT INTO rtfs.ledger_head VALUES (%s, %s, %s, %s)", (name, last.seq, digest, sealed))
        for row in paid:
            connection.execute("INSERT INTO rtfs.occurrence (chain, seq, time, by) VALUES (%s, %s, %s, %s)", row)


Old = tuple[str, Path, list[Record]]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Old]:
    """A database of before with the records of two runs and of a session that belongs to none; the ledger's key, and
    the records."""
    key = tmp_path_factory.mktemp("key") / "ledger.key"
    with shared_server().database() as url:
        with runtime(url, key) as rt:
            for run in ("b", "a"):
                rt.run(PLAN, durable=True, run_id=run)
            rt.ledger.write("session", "", 0, "server", "local", "opened", None, None, 0)
        records = list(ledger_stores.records(url))
        with psycopg.connect(url) as connection:
            chains = [name for (name,) in connection.execute("SELECT name FROM rtfs.chain")]
            query = "SELECT name, seq, time, by FROM rtfs.occurrence JOIN rtfs.chain ON number = chain ORDER BY place"
            paid = connection.execute(query).fetchall()
    assert len(chains) == 3
    assert len(paid) == 2
    known = schema.migrations()
    with shared_server().database(tables=False) as url:
        with pytest.MonkeyPatch.context() as before:
            before.setattr(schema, "migrations", lambda: known[: BLOCKS - 1])
            make_tables(url)
        write_old(url, key, records, chains, paid)
        yield url, key, records


@pytest.fixture
def old(made_once: Old) -> Iterator[Old]:
    """A copy of it."""
    url, key, records = made_once
    server, template = shared_server(), urlsplit(url).path[1:]
    name = f"{template}_copy"
    with psycopg.connect(server.address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        yield server.url(name), key, records
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def test_a_ledger_of_before_has_the_same_records_after_the_migration(old: Old, command: Any) -> None:
    url, key, records = old
    with rtfs.Runtime(state=url) as rt, pytest.raises(rtfs.HostError) as caught:
        rt.run("1", durable=True)
    assert caught.value.code == "database/schema"
    assert f"the tables of an older rtfs (schema {BLOCKS - 1}, not " in caught.value.message
    assert caught.value.hint == "rtfs runs migrate upgrades them"
    status, said, _ = command("runs", "migrate", "--state", url)
    assert (status, said.startswith("applied 0006 blocks")) == (0, True)
    found = list(ledger_stores.records(url))
    assert [(*one.content(), one.previous, one.hash) for one in found] == [
        (*one.content(), one.previous, one.hash) for one in records
    ]
    assert ledger_stores.inspect(url, str(key)) is None
    heads = ledger_stores.heads(url)
    assert {run: heads[run] for run in ("a", "b")} == {
        run: [(one.seq, one.hash) for one in records if one.run == run][-1] for run in ("a", "b")
    }
    assert ledger_stores.hashes(url, {run: 2 for run in heads if len(run) == 1}) == {
        one.run: one.hash for one in records if one.seq == 2
    }


def test_chains_and_totals_of_before_continue_after_the_migration(old: Old) -> None:
    url, key, records = old
    make_tables(url)
    with runtime(url, key) as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(PLAN, durable=True, run_id="c")
        assert caught.value.code == "policy/sequence"
        rt.run("1", run_id="a")
    found = [one for one in ledger_stores.records(url) if one.run == "a"]
    assert [one.seq for one in found] == list(range(1, len(found) + 1))
    assert len(found) > len([one for one in records if one.run == "a"])
    assert ledger_stores.inspect(url, str(key)) is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("UPDATE rtfs.ledger SET run = 'b' WHERE chain = 'a' AND seq = 2", "record 2 of chain 'a' was changed"),
        ("UPDATE rtfs.ledger SET kind = 'outcome' WHERE chain = 'a' AND seq = 2", "record 2 of chain 'a' was changed"),
        (
            "UPDATE rtfs.ledger SET arguments = 'changed' WHERE chain = 'a' AND seq = 2",
            "record 2 of chain 'a' was changed",
        ),
        (
            "UPDATE rtfs.ledger SET result = upper(result) || 'A' WHERE chain = 'a' AND seq = 3",
            "record 3 of chain 'a' was changed",
        ),
        ("UPDATE rtfs.ledger SET run = 'x' WHERE run = ''", "record 1 of chain 'process:"),
        ("DELETE FROM rtfs.ledger WHERE chain = 'a' AND seq = 2", "record 2 of chain 'a' is missing"),
        ("DELETE FROM rtfs.ledger WHERE chain = 'a' AND seq > 2", "the end was cut off of chain 'a'"),
        ("DELETE FROM rtfs.ledger WHERE chain = 'a'", "the end was cut off of chain 'a'"),
        ("DELETE FROM rtfs.ledger_head WHERE chain = 'a'", "there are records behind the end of chain 'a'"),
        ("UPDATE rtfs.ledger_head SET hash = '' WHERE chain = 'a'", "its seal is not of this key"),
        ("UPDATE rtfs.ledger_head SET seal = '' WHERE chain = 'a'", "its seal is not of this key"),
    ],
)
def test_damage_of_before_shows_after_the_migration(made_once: Old, damage: str, said: str) -> None:
    url, key, _ = made_once
    with psycopg.connect(url) as connection:
        connection.execute(damage.encode())
        connection.execute(schema.migrations()[BLOCKS - 1][2].encode())
        found = inspect_at(connection, read_key(str(key)))
        connection.rollback()
    assert said in str(found)


def test_a_migration_that_fails_leaves_the_tables_as_they_were(old: Old) -> None:
    url, _, records = old
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE rtfs.chain (a int)")
    with pytest.raises(rtfs.HostError) as caught:
        make_tables(url)
    assert caught.value.code == "database/schema"
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM rtfs.ledger").fetchone() == (len(records),)
        assert connection.execute("SELECT max(number) FROM rtfs.migration").fetchone() == (BLOCKS - 1,)
        connection.execute("DROP TABLE rtfs.chain")
    assert make_tables(url) == ["0006 blocks"]


def test_a_process_that_is_at_work_while_the_tables_are_upgraded_says_so(own_database: str) -> None:
    def upgrade(number: int) -> int:
        with psycopg.connect(own_database) as connection:
            connection.execute("ALTER TABLE rtfs.event RENAME COLUMN note TO notes")
            connection.execute("INSERT INTO rtfs.migration (number, name) VALUES (999, 'later')")
        return number

    with rtfs.Runtime(state=own_database) as rt:
        rt.register("upgrade", upgrade)
        with pytest.raises(rtfs.HostError) as caught:
            rt.run('(call "upgrade" 1) (call "upgrade" 2)', durable=True, run_id="r")
    assert caught.value.code == "run/unwritable"
    assert "has the tables of a newer rtfs (schema 999, this one knows " in caught.value.message
