"""Events of runs: typed, told to any number of subscribers, without secrets."""

from __future__ import annotations

from typing import Any

import rtfs
from rtfs.host import redaction
from rtfs.host.audit import events
from rtfs.host.audit.events import CallDecided, CallEnded, Event, RunEnded, RunStarted, StepEntered, StepLeft


def test_any_number_of_subscribers_hears_of_everything_with_its_values() -> None:
    one: list[Event] = []
    other: list[Event] = []
    with rtfs.Runtime() as rt:
        rt.register("double", lambda n: n * 2)
        rt.events.subscribe(one.append)
        unsubscribe = rt.events.subscribe(other.append)
        rt.run('(step "s" (call "double" 21))', run_id="r")
        unsubscribe()
        rt.run("1")
    assert [type(event) for event in other] == [RunStarted, StepEntered, CallDecided, CallEnded, StepLeft, RunEnded]
    assert one[:6] == other
    assert len(one) == 8
    decided, ended = other[2], other[3]
    assert isinstance(decided, CallDecided)
    assert (decided.allowed, decided.subject, decided.arguments) == (True, "double", "21")
    assert (ended.parent, ended.result, ended.detail, ended.run) == (decided.number, "42", "ok", "r")


def test_the_ledger_has_the_same_numbers_and_kinds() -> None:
    heard: list[Event] = []
    with rtfs.Runtime() as rt:
        rt.events.subscribe(heard.append)
        rt.run('(step "s" (println "x"))')
        found = [(record.seq, record.kind, record.subject, record.detail) for record in rt.ledger]
    assert found == [(event.number, event.kind, event.subject, event.detail) for event in heard]


def test_values_in_events_have_no_secrets() -> None:
    heard: list[Event] = []
    redaction.know("canary-event-5678")
    with rtfs.Runtime() as rt:
        rt.register("echo", lambda text: text)
        rt.events.subscribe(heard.append)
        assert rt.run('(call "echo" "my canary-event-5678")') == "my canary-event-5678"
    assert "canary-event-5678" not in repr([event.to_data() for event in heard])
    assert [event.to_data()["kind"] for event in heard] == ["run", "decision", "outcome", "end"]


def test_a_subscriber_that_fails_disturbs_nothing_and_is_named_once() -> None:
    def fail(event: Event) -> None:
        raise RuntimeError("no")

    heard: list[Event] = []
    with rtfs.Runtime() as rt:
        rt.events.subscribe(fail)
        rt.events.subscribe(heard.append)
        assert rt.run("(+ 1 2)") == 3
        assert [message for message, _ in rt.warnings] == ["a subscriber to events failed: RuntimeError: no"]
    assert len(heard) == 2


def test_on_event_still_hears_ledger_records(tmp_path: Any) -> None:
    for ledger in (None, tmp_path / "l.db"):
        heard: list[rtfs.Record] = []
        with rtfs.Runtime(on_event=heard.append, ledger=ledger) as rt:
            rt.run("1")
            assert [(record.seq, record.kind, record.hash) for record in heard] == [
                (record.seq, record.kind, record.hash) for record in rt.ledger
            ]


def test_every_kind_of_event_has_a_name_and_a_meaning() -> None:
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    assert len(kinds) > 12
    assert all(kind.__doc__ and (kind.kind or kind is Event) for kind in kinds)
