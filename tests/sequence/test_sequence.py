"""Sequence rules: what must come before a call, what it must not follow, totals and counts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import rtfs

BEFORE = {"before": "bank.pay", "require": "fraud.check", "same": ["order"], "within": "1h"}
AFTER = {"after": "web.*", "deny": "mail.send", "unless": {"to": "*@example.com"}}
TOTAL = {"total": "bank.pay.amount", "per": "principal", "in": "1d", "at-most": 500}


OPEN: list[rtfs.Runtime] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


class House:
    """A runtime under sequence rules; `done` has the calls that were carried out."""

    def __init__(self, *rules: dict[str, Any], **options: Any) -> None:
        self.done: list[str] = []
        self.fails = False
        self.runtime = runtime = rtfs.Runtime(sequence=list(rules), **options)
        OPEN.append(runtime)
        order = "[:map [:order :any] [:amount {:optional true} :any]]"
        self._register("bank.pay", order)
        self._register("fraud.check", order)
        self._register("web.get", "[:map]")
        self._register("mail.send", "[:map [:to :string]]")
        runtime.register("fraud.fail", self._fail, effects=["read"], input_schema=order)

    def _register(self, id: str, schema: str) -> None:
        def perform(given: Any) -> str:
            self.done.append(f"{id} {rtfs.to_text(given)}")
            return "done"

        self.runtime.register(id, perform, effects=["write"], input_schema=schema)

    def _fail(self, given: Any) -> str:
        raise ValueError("no answer")

    def refused(self, text: str, **options: Any) -> str:
        """The message of the denial that a program ends with; "" for one that ends without."""
        try:
            self.runtime.run(text, **options)
        except rtfs.UserError as error:
            if error.code != "policy/sequence":
                raise
            return error.message
        return ""


def pay(order: Any, amount: Any = 1) -> str:
    return f'(call "bank.pay" {{:order {order} :amount {amount}}})'


def check(order: Any) -> str:
    return f'(call "fraud.check" {{:order {order}}})'


# ---------------------------------------------------------------------- before
@pytest.mark.parametrize(
    "program",
    [
        f"{check(7)} {pay(7)}",
        f"{check('7.0')} {pay(7)}",
        f"(defn all [o] {check('o')} {pay('o')}) (all 7)",
        f"(step-parallel {check(7)} {check(8)}) (step-parallel {pay(7)} {pay(8)})",
    ],
)
def test_what_was_called_before_with_the_same_argument_lets_a_call_through(program: str):
    house = House(BEFORE)
    assert house.refused(program) == ""
    assert any(one.startswith("bank.pay") for one in house.done)


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (pay(7), "fraud.check has to be called before with the same order within 1 h"),
        (f"{check(8)} {pay(7)}", "was of another one"),
        (f"{pay(7)} {check(7)}", "has to be called before"),
        (f"{check(7)} (call \"bank.pay\" {{:order '7' :amount 1}})".replace("'", '"'), "was of another one"),
        (f"(step-parallel {pay(7)} {check(7)})", "has to be called before"),
    ],
)
def test_what_was_not_called_before_is_required(program: str, why: str):
    house = House(BEFORE)
    assert why in house.refused(program)
    assert not any(one.startswith("bank.pay") for one in house.done)


def test_the_error_names_the_earlier_call_with_its_line_and_record():
    house = House(BEFORE)
    message = house.refused(f"{check(8)}\n{pay(7)}")
    number = next(one.seq for one in house.runtime.ledger if one.subject == "fraud.check")
    assert "fraud.check (line 1, " in message
    assert f"ledger record {number})" in message


def test_a_check_that_failed_does_not_count():
    house = House({**BEFORE, "require": "fraud.fail"})
    assert "gave no value" in house.refused(f'(try (call "fraud.fail" {{:order 7}}) (catch e 1)) {pay(7)}')


def test_another_run_has_its_own_history_unless_the_rule_says_otherwise():
    house = House(BEFORE)
    house.runtime.run(check(7))
    assert house.refused(pay(7))
    shared = House({**BEFORE, "per": "principal"})
    shared.runtime.run(check(7), principal="ann")
    assert shared.refused(pay(7), principal="bob")
    assert not shared.refused(pay(7), principal="ann")


def test_arguments_of_two_names_are_compared():
    house = House({**BEFORE, "same": {"amount": "order"}})
    assert house.refused(f"{check(7)} {pay(1, 8)}")
    assert not house.refused(f"{check(7)} {pay(1, 7)}")


def test_what_is_too_long_ago_does_not_count(monkeypatch: pytest.MonkeyPatch):
    house = House({**BEFORE, "per": "principal"})
    house.runtime.run(check(7))
    from rtfs.host.sequence import history

    real = history.time_ns
    monkeypatch.setattr(history, "time_ns", lambda: real() + 3_601 * history.SECOND)
    assert "within 1 h" in house.refused(pay(7))


# ---------------------------------------------------------------------- after
def test_a_call_is_denied_after_another_unless_it_goes_where_it_may():
    house = House(AFTER)
    send = '(call "mail.send" {:to "%s"})'
    assert not house.refused(send % "eve@evil.net")
    assert not house.refused(f'(call "web.get" {{}}) {send % "ann@example.com"}')
    message = house.refused(f'(call "web.get" {{}})\n{send % "eve@evil.net"}')
    assert "it must not follow web.get (line 1, " in message


def test_somebody_may_be_asked_instead():
    asked: list[str] = []

    def approve(request: rtfs.ApprovalRequest) -> bool:
        asked.append(request.reason)
        return True

    house = House({"after": "web.*", "ask": "mail.send"}, approve=approve)
    assert not house.refused('(call "web.get" {}) (call "mail.send" {:to "x"})')
    assert len(asked) == 1
    assert "must not follow web.get" in asked[0]


# ---------------------------------------------------------------------- totals
def test_a_total_of_a_principal_goes_over_runs():
    house = House(TOTAL)
    assert not house.refused(pay(1, 300))
    assert not house.refused(pay(1, 200))
    message = house.refused(pay(1, 0.5))
    assert "amount of bank.pay would be 500.5 for this principal within 1 d, at most 500, after bank.pay" in message
    assert not house.refused(pay(1, 500), principal="bob")


def test_branches_that_run_at_once_share_a_total():
    house = House({**TOTAL, "per": "run"})
    assert "would be 600" in house.refused(f"(step-parallel {pay(1, 300)} {pay(2, 300)})")
    assert len(house.done) == 1


@pytest.mark.parametrize("amount", ['"300"', "nil", "true", "[300]", "##NaN", "##Inf"])
def test_what_cannot_be_added_up_is_denied(amount: str):
    assert "not a number" in House(TOTAL).refused(pay(1, amount))


def test_negative_amounts_make_no_room():
    house = House(TOTAL)
    assert "would be 600" in house.refused(f"{pay(1, -400)} {pay(1, 600)}")


def test_calls_are_counted():
    house = House({"count": "mail.send", "per": "run", "at-most": 2})
    send = '(call "mail.send" {:to "x"})'
    assert not house.refused(send * 2)
    assert "calls of mail.send would be 3 in this run, at most 2" in house.refused(send * 3)


def test_approvals_that_take_time_do_not_let_two_calls_exceed_a_total_unseen():
    """Each call has to be approved for another reason; what is approved meanwhile counts."""
    house = House({**TOTAL, "per": "run"}, rules=[{"match": "bank.pay", "decide": "approve"}])

    async def approve(request: rtfs.ApprovalRequest) -> bool:
        await asyncio.sleep(0.01)
        return True

    house.runtime._pipeline.approvals = type(house.runtime._pipeline.approvals)(approve)
    assert "would be 600" in house.refused(f"(step-parallel {pay(1, 300)} {pay(2, 300)})")
    assert len(house.done) == 1


# ---------------------------------------------------------------------- ledgers and durable runs
def test_a_total_goes_over_processes_that_share_a_ledger(tmp_path: Path):
    ledger = tmp_path / "ledger"
    first, second = House(TOTAL, ledger=ledger), House(TOTAL, ledger=ledger)
    assert not first.refused(pay(1, 300))
    assert "would be 600" in second.refused(pay(1, 300))
    third = House(TOTAL, ledger=ledger)
    assert "would be 600" in third.refused(pay(1, 300))


DURABLE = f'{check(7)} {pay(7, 400)} (call "test.stop" {{}}) {pay(7, 200)}'


@pytest.mark.parametrize("ledger", [None, "ledger"])
def test_a_resumed_run_has_the_history_of_its_earlier_processes(tmp_path: Path, ledger: str | None):
    """The first process ends in the middle; in the second the check still counts, and so does the first payment."""

    def house() -> House:
        rules = [{**BEFORE, "within": None}, {**TOTAL, "per": "run"}]
        rules = [{key: value for key, value in rule.items() if value is not None} for rule in rules]
        made = House(*rules, state=tmp_path / "runs", ledger=None if ledger is None else tmp_path / ledger)
        made.runtime.register("test.stop", stop, effects=["write"], idempotent=True)
        return made

    ends = True

    def stop(_: Any) -> str:
        if ends:
            raise KeyboardInterrupt
        return "on"

    first = house()
    with pytest.raises(KeyboardInterrupt):
        first.runtime.run(DURABLE, durable=True, run_id="r1")
    first.runtime.close()
    ends = False
    second = house()
    with pytest.raises(rtfs.UserError) as caught:
        second.runtime.resume("r1")
    assert caught.value.code == "policy/sequence"
    assert "would be 600" in caught.value.message
    assert len(second.done) == 0


def test_a_resumed_run_may_pay_what_was_checked_before(tmp_path: Path):
    def house(stopping: bool) -> House:
        made = House({"before": "bank.pay", "require": "fraud.check", "same": ["order"]}, state=tmp_path)

        def stop(_: Any) -> str:
            if stopping:
                raise KeyboardInterrupt
            return "on"

        made.runtime.register("test.stop", stop, effects=["write"], idempotent=True)
        return made

    program = f'{check(7)} (call "test.stop" {{}}) {pay(7)}'
    with pytest.raises(KeyboardInterrupt):
        house(True).runtime.run(program, durable=True, run_id="r2")
    second = house(False)
    assert second.runtime.resume("r2") == "done"


def test_a_look_up_of_a_flow_rule_counts_no_more_in_a_resumed_run_than_before(tmp_path: Path):
    flow = {
        "rules": [{"call": "test.stop", "argument": "order", "from": ["input"]}],
        "endorse": [{"value": "book.orders", "members": True}],
    }

    def house(stopping: bool) -> House:
        made = House({"count": "book.orders", "per": "run", "at-most": 1}, flow=flow, state=tmp_path)

        def stop(_: Any) -> str:
            if stopping:
                raise KeyboardInterrupt
            return "on"

        made.runtime.register(
            "test.stop", stop, effects=["write"], idempotent=True, input_schema="[:map [:order :int]]"
        )
        made.runtime.register("book.orders", lambda _: [7], effects=["read"])
        return made

    program = '(call "test.stop" {:order 7}) (call "book.orders")'
    with pytest.raises(KeyboardInterrupt):
        house(True).runtime.run(program, durable=True, run_id="r3")
    assert rtfs.to_python(house(False).runtime.resume("r3")) == [7]
    assert not house(False).refused(program)


def test_a_replayed_recording_counts_for_nobody(tmp_path: Path):
    path = tmp_path / "recording"
    House(TOTAL).runtime.run(pay(1, 400), record=path)
    house = House(TOTAL)
    house.runtime.run(pay(1, 400), replay=path)
    assert not house.refused(pay(1, 400))


def test_records_hold_hashes_of_what_is_compared_and_the_amounts_that_are_added():
    house = House(BEFORE, TOTAL)
    house.runtime.run(f"{check(chr(34) + 'secret' + chr(34))} {pay(chr(34) + 'secret' + chr(34), 12)}")
    details = " ".join(one.detail for one in house.runtime.ledger)
    assert "secret" not in details
    assert '"+amount": 12' in details


# ---------------------------------------------------------------------- what is not a rule
@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("x", "a mapping"),
        ({}, "one of before"),
        ({"before": "bank.pay", "after": "x"}, "one of before"),
        ({"before": "bank.pay"}, "`require`"),
        ({"before": "bank.pay", "require": "fraud.check", "wihtin": "1h"}, "'wihtin'"),
        ({"before": "bank.pay", "require": "fraud.check", "within": "soon"}, "not a duration"),
        ({"before": "bank.pay", "require": "fraud.check", "per": "day"}, "`per`"),
        ({"after": "web.*"}, "what it denies"),
        ({"after": "web.*", "deny": "a", "unless": "x"}, "`unless`"),
        ({"total": "amount", "at-most": 5}, "names no argument"),
        ({"total": "bank.pay.amount", "at-most": "5"}, "`at-most`"),
        ({"count": "bank.pay", "at-most": 5, "otherwise": "allow"}, "`otherwise`"),
    ],
)
def test_what_is_not_a_rule_is_said_before_anything_runs(rule: Any, said: str):
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime(sequence=[rule])
    assert caught.value.code == "config/invalid"
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"before": "bank.pya", "require": "fraud.check"}, "bank.pya"),
        ({**BEFORE, "same": ["ordre"]}, "'ordre'"),
        ({"total": "bank.pay.sum", "at-most": 1}, "'sum'"),
        ({"after": "web.get", "deny": "mail.send", "unless": {"too": "x"}}, "'too'"),
    ],
)
def test_a_rule_about_what_is_not_there_stops_the_first_run(rule: dict[str, Any], said: str):
    with pytest.raises(rtfs.UserError) as caught:
        House(rule).runtime.run("1")
    assert caught.value.code == "config/invalid"
    assert said in caught.value.message


def test_the_configuration_has_the_same_rules(tmp_path: Path):
    path = tmp_path / "rtfs.yaml"
    path.write_text("sequence:\n  - {before: ccos.io.log, require: ccos.data.parse-json}\n")
    with rtfs.Runtime.from_config(path) as runtime:
        runtime.run('(call "ccos.data.parse-json" "1") (call "ccos.io.log" "x")', output=lambda _: None)
        with pytest.raises(rtfs.UserError, match="has to be called before"):
            runtime.run('(call "ccos.io.log" "x")')
    path.write_text("sequence:\n  - {before: ccos.io.log}\n")
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.Runtime.from_config(path)
    assert caught.value.span.line == 2


def test_what_a_plan_declares_itself_does_not_do_what_a_rule_requires():
    house = House({**BEFORE, "require": "fraud.*", "same": []})
    own = '(capability "fraud.mine" :implementation (fn [_] "fine")) (call "fraud.mine" {})'
    assert "fraud.* has to be called before" in house.refused(f"{own} {pay(7)}")
    assert not house.refused(f"{check(7)} {pay(7)}")


def test_rules_decide_about_programs_in_workers_as_well():
    house = House(BEFORE, isolation="process")
    assert "fraud.check has to be called before" in house.refused(pay(7))
    assert not house.refused(f"{check(7)} {pay(7)}")
