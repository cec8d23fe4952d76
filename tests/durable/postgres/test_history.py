"""Rules over a history whose ledger is in a database: totals and orders over all its processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.testing.postgres import own_server
from tests.durable.postgres.workers import ROOT

Sql = Callable[..., list[tuple[Any, ...]]]
TOTAL = {"total": "demo.pay.euros", "at-most": 50, "per": "principal", "in": "1d"}
PAYING = """
import sys, rtfs

def pay(euros: int) -> int:
    return euros

url, key, who = sys.argv[1:]
rule = {"total": "demo.pay.euros", "at-most": 50, "per": "principal", "in": "1d"}
with rtfs.Runtime(state=url, ledger=url, ledger_key=key, sequence=[rule], principal=who) as rt:
    rt.register("demo.pay", pay)
    for _ in range(4):
        try:
            print(rt.run('(call "demo.pay" {:euros 10})', durable=True), flush=True)
        except rtfs.UserError as error:
            print(error.code, flush=True)
"""


def pay(euros: int) -> int:
    return euros


def check(id: int) -> int:
    return 1 // id


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "ledger.key"


def runtime(url: str, key: Path, *rules: dict[str, Any], **options: Any) -> rtfs.Runtime:
    rt = rtfs.Runtime(state=url, ledger=url, ledger_key=key, sequence=list(rules), **options)
    rt.register("demo.pay", pay)
    rt.register("demo.check", check)
    return rt


def paid(rt: rtfs.Runtime, euros: int = 10, **options: Any) -> Any:
    try:
        return rt.run(f'(call "demo.pay" {{:euros {euros}}})', **options)
    except rtfs.UserError as error:
        return error.code


def test_a_total_of_a_principal_holds_over_processes_that_pay_at_the_same_time(database: str, key: Path) -> None:
    """Three pay 40 each, of which 50 are allowed; another principal has a total of its own."""
    words = [(database, str(key), who) for who in ("ann", "ann", "ann", "bob")]
    with runtime(database, key) as rt:
        rt.run("1")  # the key is there
    several = [
        subprocess.Popen([sys.executable, "-c", PAYING, *some], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for some in words
    ]
    said = [one.communicate(timeout=240)[0].split() for one in several]
    ann = [word for words in said[:3] for word in words]
    assert sorted(ann) == ["10"] * 5 + ["policy/sequence"] * 7
    assert said[3] == ["10"] * 4


def test_of_threads_that_ask_at_once_as_many_pay_as_the_total_allows(database: str, key: Path) -> None:
    with runtime(database, key, TOTAL) as one, runtime(database, key, TOTAL) as other:
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda rt=rt, durable=durable: found.append(paid(rt, durable=durable)))
            for rt in (one, other)
            for durable in (True, False, True, False)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, found)) == ["10"] * 5 + ["policy/sequence"] * 3


def test_what_was_paid_before_a_process_began_counts_and_a_call_answered_from_the_record_counts_once(
    database: str, key: Path, sql: Sql
) -> None:
    with runtime(database, key, TOTAL) as one:
        plan = '(do (call "demo.pay" {:euros 30}) (await-signal "go") (call "demo.pay" {:euros 20}))'
        with pytest.raises(rtfs.UserError) as caught:
            one.run(plan, durable=True, run_id="r")
        assert caught.value.code == "run/waiting"
        one.signal("r", "go", 1)
    with runtime(database, key, TOTAL) as other:
        assert paid(other, 21) == "policy/sequence"
        assert other.resume("r") == 20
        assert paid(other, 1) == "policy/sequence"
        assert paid(other, 50, principal="bob") == 50
    with runtime(database, key, TOTAL) as later:
        assert paid(later, 1) == "policy/sequence"
        sql("UPDATE rtfs.occurrence SET time = time - 90000000000000")  # a day ago and more
    with runtime(database, key, TOTAL) as later:
        assert paid(later, 50) == 50


def test_what_has_to_be_called_before_may_have_been_called_elsewhere_and_must_have_given_a_value(
    database: str, key: Path
) -> None:
    rule = {"before": "demo.pay", "require": "demo.check", "per": "principal", "within": "1d"}
    with runtime(database, key, rule) as one, runtime(database, key, rule) as other:
        assert paid(other) == "policy/sequence"
        with pytest.raises(rtfs.UserError):
            one.run('(call "demo.check" {:id 0})')
        assert paid(other) == "policy/sequence"
        assert one.run('(call "demo.check" {:id 1})', durable=True) == 1
        assert paid(other) == 10
        assert paid(other, durable=True) == 10


def test_a_call_whose_history_cannot_be_read_is_not_made(key: Path) -> None:
    server = own_server()
    made: list[int] = []
    try:
        with server.database() as url, rtfs.Runtime(ledger=url, ledger_key=key, sequence=[TOTAL]) as rt:
            rt.register("demo.pay", lambda order: made.append(1))
            rt.register("demo.kill", server.kill)
            for link in (database := rt._executor.database(url)).reader, *database.writers:  # type: ignore[misc]
                link.patience = 0.5
            try:
                with pytest.raises(rtfs.UserError) as caught:
                    rt.run('(do (call "demo.kill") (call "demo.pay" {:euros 10}))')
                assert caught.value.code == "ledger/unwritable"
            finally:
                server.start()
            assert made == []
            rt.run('(call "demo.pay" {:euros 10})')
            assert made == [1]
    finally:
        server.stop()


@pytest.mark.parametrize("per", [{"per": "run"}, {"per": "principal", "in": "1d"}])
def test_what_counts_is_counted_where_the_run_was_told_something_before(
    database: str, key: Path, per: dict[str, str]
) -> None:
    """The records of the call come after the answer, and have other numbers than those that were told of them."""
    rule = {"total": "demo.pay.euros", "at-most": 20, **per}
    with runtime(database, key, rule) as rt, runtime(database, key) as other:

        def tell(n: int) -> int:
            other.signal("r", "go", n)
            return n

        rt.register("demo.tell", tell)
        pay = '(try (call "demo.pay" {:euros 10}) (catch :policy e (:code e)))'
        found = rt.run(f'[(call "demo.tell" 1) {pay} (call "demo.tell" 2) {pay} {pay}]', durable=True, run_id="r")
        assert rtfs.to_text(found) == "[1 10 2 10 :policy/sequence]"
        assert rt.ledger.verify() is None
