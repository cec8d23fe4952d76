"""Cedar policies narrow what the built-in policy allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rtfs

POLICIES = """
permit(principal, action, resource);
forbid(principal, action == Action::"bank.pay", resource) when { context.arguments.amount > 100 };
forbid(principal == Principal::"eve", action, resource) when { resource.effects.contains("write") };
@decide("ask")
forbid(principal, action == Action::"bank.pay", resource) when { context.arguments.to like "new-*" };
"""


def bank(text: str = POLICIES, **options: Any) -> rtfs.Runtime:
    runtime = rtfs.Runtime(policy=rtfs.CedarPolicy(text), policy_seconds=30, **options)
    schema = "[:map [:to :string] [:amount :any]]"
    runtime.register("bank.pay", lambda _: "paid", effects=["write"], input_schema=schema)
    runtime.register("bank.look", lambda *_: 5, effects=["read"])
    return runtime


def outcome(runtime: rtfs.Runtime, text: str, **options: Any) -> str:
    with runtime:
        try:
            return rtfs.to_text(runtime.run(text, **options))
        except rtfs.UserError as error:
            return f"{error.code} {error.message}"


def pay(to: str, amount: Any) -> str:
    return f'(call "bank.pay" {{:to "{to}" :amount {amount}}})'


def test_what_cedar_permits_is_done():
    assert outcome(bank(), pay("CH1", 100)) == '"paid"'
    assert outcome(bank(), '(call "bank.look" 1 2)') == "5"


@pytest.mark.parametrize(
    ("text", "principal", "why"),
    [
        (pay("CH1", 101), "ann", "Cedar forbids it: policy1"),
        (pay("CH1", 1), "eve", "Cedar forbids it: policy2"),
        (pay("CH1", '"101"'), "ann", "cannot be evaluated"),
        (pay("CH1", "10.5"), "ann", "cannot be evaluated"),
        (pay("CH1", "nil"), "ann", "cannot be evaluated"),
    ],
)
def test_what_it_forbids_or_cannot_decide_is_denied(text: str, principal: str, why: str):
    said = outcome(bank(), text, principal=principal)
    assert said.startswith("policy/denied")
    assert why in said


def test_without_a_permit_everything_is_denied():
    assert "no Cedar policy permits it" in outcome(
        bank('permit(principal, action == Action::"x", resource);'), pay("a", 1)
    )


def test_somebody_is_asked_where_only_policies_that_say_so_forbid():
    asked: list[str] = []

    def approve(request: rtfs.ApprovalRequest) -> bool:
        asked.append(request.reason)
        return True

    assert outcome(bank(approve=approve), pay("new-CH2", 1)) == '"paid"'
    assert asked == ["Cedar asks: policy3"]
    assert outcome(bank(approve=approve), pay("new-CH2", 500)).startswith("policy/denied")


def test_it_gives_no_right_that_grants_and_rules_do_not_give(tmp_path: Path):
    (tmp_path / "x").write_text("secret")
    assert outcome(bank(), f'(read-file "{tmp_path}/x")').startswith("policy/denied")
    assert outcome(bank(rules=[{"match": "bank.pay", "decide": "deny"}]), pay("CH1", 1)).startswith("policy/denied")


def test_what_is_not_cedar_is_said():
    with pytest.raises(rtfs.UserError) as caught:
        rtfs.CedarPolicy("permit(")
    assert caught.value.code == "config/invalid"


def test_a_configuration_names_files_of_policies(tmp_path: Path):
    (tmp_path / "a.cedar").write_text('forbid(principal, action == Action::"ccos.io.log", resource);')
    (tmp_path / "b.cedar").write_text("permit(principal, action, resource);")
    (tmp_path / "rtfs.yaml").write_text("policy: {cedar: [a.cedar, b.cedar], timeout_ms: 30000}\n")
    with rtfs.Runtime.from_config(tmp_path / "rtfs.yaml") as runtime:
        assert runtime.run('(call "ccos.data.parse-json" "1")') == 1
        with pytest.raises(rtfs.UserError, match="Cedar forbids it"):
            runtime.run('(call "ccos.io.log" "x")')
