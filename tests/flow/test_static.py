"""What `rtfs check --policy` says of flow rules and sequence rules before anything runs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.cli.main import main
from rtfs.host.checks.certificates import facts
from rtfs.host.checks.verdicts import verdicts
from rtfs.source import Source
from tests.flow.banking import Bank
from tests.flow.test_properties import ALLOWED, Maker

FILE = '(call "bank.read_file" {:name "bill"})'
PAY = '(call "bank.send_money" {:recipient %s :amount 1})'


def decisions(text: str, id: str, runtime: rtfs.Runtime | None = None) -> list[tuple[str, str]]:
    found = verdicts(Bank().runtime if runtime is None else runtime, Source(text, "plan"))
    return [(call.decision, call.reason) for call in found.calls if call.id == id]


@pytest.mark.parametrize(
    ("value", "decision"),
    [
        ('"CH5"', "allow"),
        ('(str "CH" 5)', "allow"),
        ("@account", "allow"),
        (FILE, "deny"),
        (f'(re-find #"US[0-9]+" {FILE})', "deny"),
        (f'(if (= 1 2) {FILE} (str "x" {FILE}))', "deny"),
        (f'(if (= 1 2) {FILE} "CH5")', "depends"),
        (f'(:a {{:a "CH5" :b {FILE}}})', "allow"),
        (f'(:b {{:a "CH5" :b {FILE}}})', "deny"),
        (f'(nth ["CH5" {FILE}] 0)', "allow"),
        (f'(let [[a b] ["CH5" {FILE}]] b)', "deny"),
        (f"((fn [x] (str x)) {FILE})", "deny"),
        (f"(loop [i 0 x {FILE}] (if (< i 3) (recur (inc i) (str x i)) x))", "deny"),
        (f'(loop [i 0 x "a"] (if (< i 3) (recur (inc i) {FILE}) x))', "depends"),
        (f'(try {FILE} (catch e "CH5"))', "depends"),
        (f'((partial (fn [a b] a) {FILE}) "CH5")', "depends"),
        (f'((comp str (fn [x] {FILE})) "CH5")', "depends"),
        ('(:recipient (first (call "bank.transactions" {})))', "depends"),
        (f'(first (map (fn [x] {FILE}) ["CH5"]))', "depends"),
        (f'(let [{{:keys [a]}} {{:a "CH5" :b {FILE}}}] a)', "allow"),
        (f'(let [{{:keys [b]}} {{:a "CH5" :b {FILE}}}] b)', "deny"),
        (f'(:a (update {{:a "CH5" :b {FILE}}} :a upper))', "depends"),
        (f'(assoc-in {{:a {FILE}}} [:a] "CH5")', "depends"),
        ("(unknown-name 1)", "depends"),
    ],
)
def test_a_call_is_denied_always_or_never_or_it_depends(value: str, decision: str):
    assert [one for one, _ in decisions(PAY % value, "bank.send_money")] == [decision]


def test_the_reason_names_argument_and_source():
    assert decisions(PAY % FILE, "bank.send_money") == [("deny", "recipient comes from bank.read_file")]


def test_a_function_counts_with_all_that_it_is_called_with():
    pay = f"(defn pay [x] {PAY % 'x'}) "
    assert decisions(pay + '(pay "CH5")', "bank.send_money")[0][0] == "allow"
    assert decisions(pay + f"(pay {FILE})", "bank.send_money")[0][0] == "deny"
    assert decisions(pay + f'(pay "CH5") (pay {FILE})', "bank.send_money")[0][0] == "depends"
    assert decisions(pay, "bank.send_money")[0][0] == "depends"


@pytest.mark.parametrize("change", ["update {:a 'CH5' :b FILE} :a", "update-in {:c {:a 'CH5'} :b FILE} [:c :a]"])
def test_what_a_function_of_update_gets_is_what_it_changes(change: str):
    text = f"({change.replace(chr(39), chr(34)).replace('FILE', FILE)} (fn [x] {PAY % 'x'}))"
    bank = Bank()
    assert decisions(text, "bank.send_money", bank.runtime)[0][0] == "allow"
    assert not bank.refused(text)
    assert bank.sent


def test_what_no_rule_names_is_denied_where_the_rules_say_so():
    assert decisions('(call "mail.delete" {:id "m"})', "mail.delete")[0][0] == "deny"


def test_somebody_who_would_be_asked_is_said():
    rule = {"call": "bank.send_money", "argument": "recipient", "from": ["plan"], "otherwise": "ask"}
    assert decisions(PAY % FILE, "bank.send_money", Bank([rule]).runtime)[0][0] == "ask"


@pytest.mark.parametrize(("depth", "count"), [(1, 150), (2, 80), (3, 40)])
def test_what_is_denied_always_is_never_allowed_and_what_is_allowed_never_denied(depth: int, count: int):
    """On random programs: calls of the sink, with a secret that the rule keeps away."""
    rules = [{"call": "sink", "argument": "value", "from": list(ALLOWED)}]
    kinds: Counter[str] = Counter()
    for seed in range(count):
        text = f'(call "sink" {{:value {Maker(seed).number(depth)}}})'
        ((said, _),) = decisions(text, "sink", _world(rules)[0])
        kinds[said] += 1
        for secret in (0, 1, 5) if said != "depends" else ():
            runtime, sent = _world(rules, secret)
            code = ""
            try:
                runtime.run(text)
            except rtfs.UserError as error:
                code = error.code
            assert not (said == "deny" and sent), text
            assert not (said == "allow" and code == "policy/flow"), text
    assert kinds["allow"]
    assert kinds["deny"] or depth == 3


def _world(rules: list[dict[str, Any]], secret: int = 3) -> tuple[rtfs.Runtime, list[Any]]:
    made = Bank(rules)
    runtime = made.runtime
    runtime.load('(capability "my.pick" :implementation (fn [input] (:b input)))')
    runtime.register("src.open", lambda _: 3, effects=["read"])
    runtime.register("src.secret", lambda _: secret, effects=["read"])
    runtime.register("sink", made._send, effects=["write"], input_schema="[:map [:value :any]]")
    return runtime, made.sent


# ---------------------------------------------------------------------- sequences
ORDER = "[:map [:order :any] [:amount {:optional true} :any]]"
CHECK, GET = '(call "fraud.check" {:order 7})', '(call "web.get" {})'
BEFORE = {"before": "bank.pay", "require": "fraud.check", "same": ["order"]}
AFTER = {"after": "web.*", "deny": "bank.pay"}


def shop(*rules: dict[str, Any]) -> rtfs.Runtime:
    runtime = rtfs.Runtime(sequence=list(rules))
    for id in ("bank.pay", "fraud.check"):
        runtime.register(id, lambda _: "done", effects=["write"], input_schema=ORDER)
    runtime.register("web.get", lambda _: "page", effects=["read"], input_schema="[:map]")
    return runtime


def pay(order: Any = 7, amount: Any = 1) -> str:
    return f'(call "bank.pay" {{:order {order} :amount {amount}}})'


@pytest.mark.parametrize(
    ("rule", "text", "decision"),
    [
        (BEFORE, f"{CHECK} {pay()}", "allow"),
        (BEFORE, f"(do {CHECK} (if (= 1 2) {pay()} 1))", "allow"),
        (BEFORE, pay(), "deny"),
        (BEFORE, f"{pay()} {CHECK}", "deny"),
        (BEFORE, f"{CHECK} {pay(8)}", "depends"),
        (BEFORE, f"(if (= 1 2) {CHECK} 1) {pay()}", "depends"),
        (BEFORE, f"(try {CHECK} (catch e 1)) {pay()}", "depends"),
        (BEFORE, f"(step-parallel {CHECK} {pay()})", "depends"),
        (BEFORE, f"(loop [i 0] (if (< i 2) (do {pay()} {CHECK} (recur (inc i))) 1))", "depends"),
        (BEFORE, f"(let [f (fn [] {CHECK})] (f) {pay()})", "allow"),
        ({**BEFORE, "per": "principal"}, pay(), "depends"),
        ({**BEFORE, "otherwise": "ask"}, pay(), "ask"),
        (AFTER, pay(), "allow"),
        (AFTER, f"{pay()} {GET}", "allow"),
        (AFTER, f"{GET} {pay()}", "deny"),
        (AFTER, f"(if (= 1 2) {GET} 1) {pay()}", "depends"),
        (AFTER, f"(map (fn [x] {GET}) [1]) {pay()}", "depends"),
        ({**AFTER, "unless": {"order": 7}}, f"{GET} {pay()}", "depends"),
        ({"total": "bank.pay.amount", "at-most": 5}, pay(7, 6), "deny"),
        ({"total": "bank.pay.amount", "at-most": 5}, pay(7, 5), "depends"),
        ({"total": "bank.pay.amount", "at-most": 5}, pay(7, '"5"'), "deny"),
        ({"count": "bank.pay", "at-most": 2, "per": "run"}, pay() * 2, "allow"),
        ({"count": "bank.pay", "at-most": 1, "per": "run"}, pay() * 2, "depends"),
        ({"count": "bank.pay", "at-most": 0, "per": "run"}, pay(), "deny"),
    ],
)
def test_sequence_rules_are_decided_where_they_can_be(rule: dict[str, Any], text: str, decision: str):
    assert {one for one, _ in decisions(text, "bank.pay", shop(rule))} == {decision}


def test_what_is_denied_always_by_a_sequence_rule_is_denied():
    for rule, text in ((BEFORE, pay()), (BEFORE, f"{pay()} {CHECK}"), (AFTER, f"{GET} {pay()}")):
        with pytest.raises(rtfs.UserError) as caught:
            shop(rule).run(text)
        assert caught.value.code == "policy/sequence"


# ---------------------------------------------------------------------- the command, certificates
def test_the_command_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "rtfs.yaml").write_text(
        "flow:\n  - {call: ccos.io.log, argument: message, from: [plan]}\n"
        "sequence:\n  - {after: ccos.data.parse-json, deny: ccos.io.log}\n"
    )
    plan = tmp_path / "plan.rtfs"
    plan.write_text('(call "ccos.data.parse-json" "1") (call "ccos.io.log" {:message "x"})')
    status = main(["check", "--policy", "--json", "--config", str(tmp_path / "rtfs.yaml"), str(plan)])
    calls = json.loads(capsys.readouterr().out)["calls"]
    assert status == 3
    assert [(one["id"], one["decision"]) for one in calls][1] == ("ccos.io.log", "deny")
    assert list(calls[0]["flows"].values()) == [["plan"]]


def test_a_certificate_lists_what_arguments_may_come_from():
    runtime = Bank().runtime
    found = facts(runtime, Source(PAY % "(first [@account])", "plan"))
    assert found["flows"] == {"bank.send_money": {"amount": ["plan"], "recipient": ["input"]}}
