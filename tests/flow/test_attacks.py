"""Attacks of our own on flow rules, beside the ways in `*_flows.txt`: shapes of arguments, sessions, people.

Each went through once, or is near one that did.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rtfs
from tests.flow import banking

MAIL = {"acct": "XX666", "flag": True}


class Payer:
    """A runtime with a rule, whose `paid` has what was carried out."""

    def __init__(self, rule: dict[str, Any], schema: str = ":any", **options: Any) -> None:
        self.paid: list[Any] = []
        self.runtime = runtime = rtfs.Runtime(flow=[rule], **{**banking.OPTIONS, **options})
        runtime.register("mail.read", lambda _: rtfs.from_python(MAIL, keywords=True), effects=["read"])
        runtime.register(
            "bank.pay", lambda given: self.paid.append(rtfs.to_python(given)), effects=["write"], input_schema=schema
        )
        runtime.register(
            "mail.inbox",
            lambda _: rtfs.from_python([{"sender": "ann", "body": "secret"}], keywords=True),
            flow={"result": {"[].body": {"source-of": "sender", "readers": ["sender"]}}},
        )

    def run(self, program: str, **options: Any) -> str:
        """The code of the error that a program ends with, or ""."""
        try:
            self.runtime.run(program, check=False, **options)
        except rtfs.UserError as error:
            return error.code
        return ""


LIST = {"call": "bank.pay", "argument": "to[]", "from": ["plan"]}
FIELD = {"call": "bank.pay", "argument": "a[].id", "from": ["plan"]}


@pytest.mark.parametrize("schema", [":any", "[:map [:to {:optional true} :any] [:a {:optional true} :any] [:* :any]]"])
@pytest.mark.parametrize(
    ("rule", "given"),
    [
        (LIST, "{:to (:acct x)}"),
        (LIST, "{:to {:a (:acct x)}}"),
        (LIST, "{:to {(:acct x) 1}}"),
        (LIST, "{:to #{(:acct x)}}"),
        (LIST, "{:to [[(:acct x)]]}"),
        (LIST, "{:to (list (:acct x))}"),
        (LIST, '{"to" [(:acct x)]}'),
        (LIST, "{'to [(:acct x)]}"),
        (LIST, '{:to ["A"] "to" [(:acct x)]}'),
        (LIST, '{:to ["A"] \'to [(:acct x)]}'),
        (FIELD, "{:a {:id (:acct x)}}"),
        (FIELD, "{:a [[{:id (:acct x)}]]}"),
        (FIELD, "{:a #{{:id (:acct x)}}}"),
        (FIELD, "{:a [{'id (:acct x)}]}"),
        (FIELD, "{:a (:acct x)}"),
        (FIELD, "{:a [(:acct x)]}"),
        (FIELD, "{:a [{:id {(:acct x) 1}}]}"),
    ],
)
def test_no_shape_or_spelling_of_an_argument_hides_it(rule: dict[str, Any], given: str, schema: str) -> None:
    made = Payer(rule, schema)
    assert made.run(f'(let [x (call "mail.read" {{}})] (call "bank.pay" {given}))') == "policy/flow"
    assert made.paid == []


@pytest.mark.parametrize(
    "to",
    [
        "[:eve]",
        "['eve]", '[{:email "eve"}]', '{"eve" 1}', "[5]", '"ann,eve"', '[["ann" ["eve"]]]', '#{"eve"}', '"ANN"',
        '"ann\\u0000eve"', "true",
    ],
)  # fmt: skip
def test_whatever_names_a_reader_is_one(to: str) -> None:
    made = Payer({"call": "bank.pay", "argument": "body", "readers": ["$to"]})
    program = f'(call "bank.pay" {{:to {to} :body (:body (first (call "mail.inbox" {{}})))}})'
    assert made.run(program) == "policy/flow"
    assert made.run(program.replace(f":to {to}", ':to ["ann"] \'to "eve"')) == "policy/flow"
    assert made.run(program.replace(f":to {to}", ':to "ann"')) == ""


TO = {"call": "bank.pay", "argument": "to", "from": ["plan"]}


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ('(defmacro acct [] "EVIL")', "(acct)"),
        ('(defmacro acct [x] `(str ~x "EVIL"))', '(acct "a")'),
        ('(defn acct [] "EVIL")', "(acct)"),
        ('(def acct "EVIL")', "acct"),
        ('(defn str [& _] "EVIL")', '(str "CH")'),
        ('(capability "own.acct" :implementation (fn [_] "EVIL"))', '(call "own.acct" {})'),
        ('(kv/put "acct" "EVIL")', '(kv/get "acct")'),
        ('(defmacro inner [] "EVIL") (defmacro outer [] `(inner))', "(outer)"),
    ],
)
def test_what_a_model_left_in_a_session_is_not_of_the_plan(before: str, then: str) -> None:
    made = Payer(TO)
    assert made.run(before, author="model") == ""
    assert made.run(f'(call "bank.pay" {{:to {then}}})') == "policy/flow"
    assert made.paid == []


def test_a_run_that_keeps_no_definitions_leaves_no_macros() -> None:
    made = Payer(TO)
    assert made.run('(defmacro acct [] "EVIL") (acct)', author="model", keep=False) == ""
    assert made.run('(call "bank.pay" {:to "CH1"})') == ""


def test_the_flow_of_a_plans_own_declaration_is_not_believed() -> None:
    rule = {**TO, "from": ["plan", "trusted"]}
    for flow in ("{:endorses true}", "{:trust :trusted :arguments :dropped}", "{:readers :public}"):
        made = Payer(rule)
        program = f'(capability "own.wash" :flow {flow} :implementation (fn [v] v))'
        program += '(call "bank.pay" {:to (call "own.wash" (:acct (call "mail.read" {})))})'
        assert made.run(program) == "policy/flow"


def test_an_approval_is_of_one_value_and_one_call() -> None:
    asked: list[str] = []

    def approve(request: Any) -> bool:
        asked.append(request.text)
        return len(asked) == 1

    made = Payer({**TO, "otherwise": "ask"}, approve=approve)
    program = '(let [x (call "mail.read" {})] (call "bank.pay" {:to (:acct x)}) (call "bank.pay" {:to (:acct x)}))'
    assert made.run(program) == "policy/denied"
    assert len(asked) == 2
    assert len(made.paid) == 1
    made.paid.clear()
    assert made.run('(call "bank.pay" {:to (str (:acct (call "mail.read" {})) "7")})') == "policy/denied"
    assert made.paid == []


def test_too_many_sources_become_ones_that_no_condition_fits() -> None:
    rows = [{"sender": "ann" if n % 2 else "eve", "acct": f"A{n}"} for n in range(500)]
    made = Payer({**TO, "from": ["plan", "bank.rows[sender=ann].acct"]})
    made.runtime.register("bank.rows", lambda _: rtfs.from_python(rows, keywords=True))
    mine = '(filter #(= (:sender %) "ann") (call "bank.rows" {}))'
    assert made.run(f'(call "bank.pay" {{:to (:acct (first {mine}))}})') == ""
    assert made.run('(call "bank.pay" {:to (join "" (map :acct (call "bank.rows" {})))})') == "policy/flow"
    assert made.run('(call "bank.pay" {:to (:acct (first (call "bank.rows" {})))})') == "policy/flow"


def test_a_recording_keeps_what_it_was_told_of_its_values(tmp_path: Path) -> None:
    program = '(def x (:acct (call "mail.read" {}))) (kv/put "k" x) (call "bank.pay" {:to (kv/get "k")})'
    record = tmp_path / "record"
    assert Payer(TO).run(program, record=record) == "policy/flow"
    again = Payer(TO)
    assert again.run(program, replay=record) == "policy/flow"
    assert again.paid == []


def test_unicode_that_looks_alike_is_another_name() -> None:
    made = Payer(TO, "[:map [:to :any]]")
    cyrillic = "bank.p\u0430y"
    assert made.run(f'(call "{cyrillic}" {{:to (:acct (call "mail.read" {{}}))}})') == "capability/unknown"
    assert made.run('(call "bank.pay" {:t\u043e (:acct (call "mail.read" {}))})') == "type/mismatch"
    assert made.paid == []
