"""Signals, moments, approvals and requests to stop, over a database; see the tests of the same name for folders."""

from __future__ import annotations

import threading
import time

import pytest

import rtfs
from rtfs.host.dispatch.queued_store import queued_store
from tests.durable import test_external_answers, test_waiting
from tests.durable.test_external_answers import (  # noqa: F401
    test_a_run_that_waits_is_cancelled_for_good,
    test_a_run_waits_for_signals_without_a_process_and_takes_each_once,
    test_a_signal_reaches_a_run_while_another_branch_is_busy,
    test_a_signal_that_comes_first_waits_for_the_plan,
    test_a_signal_that_does_not_come_in_time_gives_the_default,
    test_an_answer_from_elsewhere_approves_the_call_that_waits_and_no_other,
    test_an_answer_from_elsewhere_settles_a_call_in_doubt,
    test_an_approval_does_not_hold_for_other_arguments,
    test_branches_that_all_wait_end_the_process_together,
)
from tests.durable.test_waiting import *  # noqa: F403


@pytest.fixture
def state(database, monkeypatch):
    """The address of a database; what the tests look into is a store of it."""
    store = queued_store(database)
    for module in (test_external_answers, test_waiting):
        monkeypatch.setattr(module, "FolderRunStore", lambda place: store)
    yield database
    store.close()


def test_a_run_in_another_process_is_cancelled(counting, state):
    one = counting()

    def cancel():
        with rtfs.Runtime(state=state) as other:
            while not other._executor.store.list():
                time.sleep(0.05)
            other.cancel("r", "enough")

    canceller = threading.Thread(target=cancel)
    canceller.start()
    with pytest.raises(rtfs.Cancelled, match="enough"):
        one.runtime.run('(call "count" 1) (call "ccos.system.sleep-ms" 60000)', durable=True, run_id="r")
    canceller.join()
    assert test_external_answers.known(state).state == "cancelled"
