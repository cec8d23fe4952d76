"""What `RunStore` and `JournalStore` promise, of each store."""

from __future__ import annotations

from json import dumps

import pytest

from rtfs.host.durable.bundle import FIELDS, Bundle
from rtfs.host.durable.codec import encode
from rtfs.host.durable.folder_store import FolderRunStore
from rtfs.host.durable.store import CALL, DONE, FAILED, OUTCOME, RUNNING, WAITING
from rtfs.values import HostError

PROGRAM = {"name": "<string>", "text": dumps("1"), "loaded": "[]", "files": "{}", "versions": "{}"}


@pytest.fixture
def store(tmp_path):
    found = FolderRunStore(str(tmp_path / "runs"))
    yield found
    found.close()


def facts(**more):
    return {"state": RUNNING, "began": "1.0", "principal": '"ann"', **PROGRAM, **more}


def code(call, *args, **keywords):
    with pytest.raises(HostError) as caught:
        call(*args, **keywords)
    return caught.value.code


def test_what_was_committed_is_there_when_the_run_is_opened_again(store):
    journal = store.create("r", facts())
    assert (journal.owner, journal.pending) == (1, False)
    journal.add(CALL, "1", "pay", "[1]", "note")
    journal.commit()
    journal.add(OUTCOME, "1", "pay", "[2]")
    journal.commit([("state", DONE), ("result", "[2]")])
    journal.close()
    again = store.open("r")
    assert again.owner == 2
    assert [(one.kind, one.path, one.subject, one.value, one.note) for one in again.events] == [
        ("call", "1", "pay", "[1]", "note"),
        ("outcome", "1", "pay", "[2]", ""),
    ]
    assert {name: again.facts[name] for name in ("state", "result", *PROGRAM)} == {
        "state": DONE, "result": "[2]", **PROGRAM,
    }  # fmt: skip
    again.close()


def test_a_run_is_open_in_one_place_and_looking_touches_nothing(store):
    journal = store.create("r", facts())
    assert store.look("r").busy
    assert code(store.open, "r") == code(store.delete, "r") == "run/active"
    journal.close()
    assert not store.look("r").busy
    assert code(store.create, "r", facts()) == "run/exists"
    store.delete("r")
    assert code(store.look, "r") == code(store.open, "r") == code(store.delete, "r") == "run/unknown"


def test_what_is_added_and_never_made_is_abandoned_and_an_outcome_is_not(store):
    journal = store.create("r", facts())
    journal.add(CALL, "1", "a", "[]")
    journal.commit()
    journal.add(OUTCOME, "1", "a", "[7]")
    journal.add(CALL, "2", "b", "[]")
    journal.close()
    assert [(one.kind, one.path) for one in store.look("r").events] == [("call", "1"), ("outcome", "1")]


def test_lists_are_by_state_principal_and_time_and_limited_to_the_newest(store):
    for at, (run_id, state, principal) in enumerate([("a", DONE, "ann"), ("b", WAITING, "bob"), ("c", DONE, "bob")]):
        store.create(run_id, facts(state=state, principal=dumps(principal), began=f"{at}.5")).close()
    assert list(store.list()) == ["a", "b", "c"]
    assert list(store.list(state=DONE)) == ["a", "c"]
    assert list(store.list(principal="bob")) == ["b", "c"]
    assert list(store.list(before=1.6)) == ["a", "b"]
    assert list(store.list(limit=2)) == ["b", "c"]
    assert list(store.list(limit=0)) == []
    assert list(store.list(state=DONE, principal="bob", limit=5)) == ["c"]


def test_only_runs_that_ended_so_and_before_are_pruned(store):
    for run_id, state, ended in (("a", DONE, "5"), ("b", DONE, "50"), ("c", FAILED, "5"), ("d", WAITING, None)):
        given = facts(state=state) if ended is None else facts(state=state, ended=ended)
        store.create(run_id, given).close()
    busy = store.create("e", facts(state=DONE, ended="5"))
    assert store.prune(10) == 1
    assert list(store.list()) == ["b", "c", "d", "e"]
    assert store.prune(states=(DONE, FAILED)) == 2
    busy.close()
    assert list(store.list()) == ["d", "e"]


def test_an_answer_is_taken_once_and_with_what_it_led_to(store):
    journal = store.create("r", facts())
    store.answer("r", "signal/go", encode(1), "ann")
    store.answer("r", "other", encode(2), "bob")
    store.answer("r", "signal/go", encode(3), "bob")
    assert [(one.number, one.question, one.answer, one.by, one.used) for one in store.answers("r")] == [
        (1, "signal/go", "[1]", "ann", False),
        (2, "other", "[2]", "bob", False),
        (3, "signal/go", "[3]", "bob", False),
    ]
    assert journal.take("nothing") is None
    assert journal.take("signal/go").answer == "[1]"
    journal.close()  # nothing came of it: it was not taken
    journal = store.open("r")
    assert [journal.take("signal/go").answer for _ in range(2)] == ["[1]", "[3]"]
    assert journal.take("signal/go") is None
    journal.add(OUTCOME, "1", "wait", "[1]")
    journal.commit()
    journal.close()
    assert [one.used for one in store.answers("r")] == [True, False, True]
    assert code(store.answer, "q", "x", "[1]", "ann") == code(store.answers, "q") == "run/unknown"


def test_a_run_that_is_asked_to_stop_notices_at_its_next_commit(store):
    journal = store.create("r", facts())
    assert journal.stop_asked is None
    store.ask_to_stop("r", "too expensive")
    journal.add(CALL, "1", "a", "[]")
    journal.commit()
    assert journal.stop_asked == store.look("r").stop_asked == "too expensive"
    journal.close()
    assert store.open("r").stop_asked == "too expensive"
    assert code(store.ask_to_stop, "q", "x") == "run/unknown"


def test_answers_and_requests_to_stop_end_with_their_run(store):
    store.create("r", facts()).close()
    store.answer("r", "x", "[1]", "ann")
    store.ask_to_stop("r", "no")
    store.delete("r")
    journal = store.create("r", facts())
    assert (journal.take("x"), journal.stop_asked, list(store.answers("r"))) == (None, None, [])
    journal.close()


def test_a_program_is_kept_once_by_its_digest(store):
    bundle = Bundle(PROGRAM)
    digest = store.keep(bundle)
    assert store.keep(Bundle({**PROGRAM, "other": "left out"})) == digest
    assert store.program(digest).fields == {name: PROGRAM[name] for name in FIELDS}
    assert store.keep(Bundle({**PROGRAM, "text": dumps("2")})) != digest
    assert code(store.program, "0" * 64) == code(store.program, "../x") == "run/unknown"
