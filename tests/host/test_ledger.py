"""The ledger is append-only and shows every change."""

from __future__ import annotations

import threading

import pytest

from rtfs.host.audit.events import CallEnded, StepLeft
from rtfs.host.audit.ledger import FIELDS, GENESIS, Ledger, Record, RecordTemplate, chain, verify
from rtfs.host.policy.context import RuntimeContext

CONTEXT = RuntimeContext(principal="ann", run_id="run")


def filled(n: int = 5, keep: int = 100) -> Ledger:
    ledger = Ledger(keep=keep)
    for number in range(n):
        ledger.append(CallEnded(CONTEXT, number, f"cap{number}", "ok", 12, "bb"))
    return ledger


def test_an_untouched_chain_holds() -> None:
    assert filled().verify() is None
    assert Ledger().verify() is None


@pytest.mark.parametrize("field", FIELDS)
def test_a_changed_field_is_found(field: str) -> None:
    ledger = filled()
    records = list(ledger)
    content = list(records[2].content())
    index = FIELDS.index(field)
    content[index] = content[index] + 1 if isinstance(content[index], int) else content[index] + "x"
    records[2] = Record(tuple(content), records[2].previous, records[2].hash)
    assert verify(records, GENESIS, ledger.head) is not None


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("subject", ["cap", "c\0ap", "100 % {cap}"])
def test_a_record_of_a_form_is_the_record_that_is_written_without_one(subject: str, ends: bool) -> None:
    ledger = Ledger()
    template = RecordTemplate("outcome" if ends else "decision", "run", subject, "ann", "ok", ends)
    ledger.fill(template, 7, "{:a 1}", 12)
    given, found = (None, "{:a 1}") if ends else ("{:a 1}", None)
    ledger.write(template.kind, "run", 7, subject, "ann", "ok", given, found, 12)
    one, other = (dict(zip(FIELDS, record.content(), strict=True)) for record in ledger)
    assert one | {"seq": 2, "time": 0} == other | {"time": 0}
    assert ledger.verify() is None


def test_a_removed_a_reordered_and_a_cut_record_are_found() -> None:
    ledger = filled()
    records = list(ledger)
    assert verify(records[:2] + records[3:], GENESIS, ledger.head) == 4
    assert verify([records[0], records[2], records[1], *records[3:]], GENESIS, ledger.head) == 3
    assert verify(records[:-1], GENESIS, ledger.head) == 5
    assert verify([], GENESIS, ledger.head) == 1


def test_a_forged_tail_does_not_reach_the_head() -> None:
    ledger = filled()
    records = list(ledger)
    content = (*records[-1].content()[:7], "denied", *records[-1].content()[8:])
    records[-1] = Record(content, records[-1].previous, chain(records[-1].previous, content))
    assert verify(records, GENESIS, ledger.head) is not None


def test_fields_cannot_be_shifted_into_each_other() -> None:
    base = (1, 2, "k", "r", 0, "s", "p", "d", "a", "r", 0)
    variants = {
        chain(GENESIS, base),
        chain(GENESIS, (*base[:5], "s\0p", "", *base[7:])),
        chain(GENESIS, (*base[:5], "s\\0p", "", *base[7:])),
        chain(GENESIS, (*base[:5], "s", "p\0d", "", *base[8:])),
    }
    assert len(variants) == 4


def test_a_field_that_holds_a_nul_is_kept_as_it_is() -> None:
    ledger = filled(2)
    ledger.append(StepLeft(RuntimeContext(principal="p\0q", run_id="r\0s"), 1, "a\0b", "c\0d"))
    ledger.append(StepLeft(CONTEXT, 1, "a", "b"))
    record = ledger.record(3)
    assert (record.principal, record.run, record.subject, record.detail) == ("p\0q", "r\0s", "a\0b", "c\0d")
    assert ledger.record(4).content()[0] == 4
    assert ledger.verify() is None


def test_records_cannot_be_changed() -> None:
    record = next(iter(filled()))
    with pytest.raises(AttributeError):
        record.detail = "x"


def test_old_records_go_and_the_rest_still_holds() -> None:
    ledger = filled(50, keep=10)
    assert [record.seq for record in ledger] == list(range(41, 51))
    assert ledger.verify() is None


def test_fingerprints_are_keyed() -> None:
    one, other = Ledger(), Ledger()
    assert one.fingerprint("x") == one.fingerprint("x") != one.fingerprint("y")
    assert one.fingerprint("x") != other.fingerprint("x")
    assert one.fingerprint("\ud800")


def test_threads_append_without_losing_anything() -> None:
    ledger = Ledger()

    def work() -> None:
        for _ in range(500):
            ledger.append(StepLeft(CONTEXT, 0, "s", "ok"))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.head[0] == 2000
    assert ledger.verify() is None


def test_a_record_is_found_by_its_number() -> None:
    ledger = filled(5, keep=3)
    assert [ledger.record(number).seq for number in (3, 4, 5)] == [3, 4, 5]
    assert [record.previous for record in ledger] == [ledger.record(number).previous for number in (3, 4, 5)]
    for number in (0, 2, 6):
        with pytest.raises(KeyError):
            ledger.record(number)
