"""The ways by which what a tool answered reaches an argument, or decides about a call: one program a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rtfs
from tests.flow import banking

HERE = Path(__file__).parent
DATA = {"call": "bank.pay", "argument": "to", "from": ["plan", "input"]}
CONTROL = {**DATA, "decided-by": ["plan", "input"]}
MAIL = {"acct": "XX666", "n": 3, "items": ["XX666", "b"], "flag": True, "code": "XX666"}


def programs(name: str) -> list[str]:
    return (HERE / f"{name}_flows.txt").read_text(encoding="utf-8").splitlines()


def fail(given: Any) -> Any:
    raise rtfs.HostError(f"failed with {rtfs.to_text(given)}", hint=rtfs.to_text(given))


def run(program: str, rule: dict[str, Any], paid: list[Any]) -> None:
    """Run a program; paid: gets the payments that are made. Raises what the program raises."""
    with rtfs.Runtime(flow=[rule], **banking.OPTIONS) as rt:
        rt.register("mail.read", lambda _: rtfs.from_python(MAIL, keywords=True), effects=["read"])
        rt.register("bank.pay", paid.append, effects=["write"], input_schema="[:map [:to :string]]")
        rt.register("tool.echo", lambda given: given, effects=[])
        rt.register("tool.fail", fail, effects=[])
        rt.run(program)


@pytest.mark.parametrize("program", programs("data"))
def test_what_a_tool_answered_is_followed_to_the_argument(program: str) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        run(program, DATA, paid := [])
    assert (caught.value.code, paid) == ("policy/flow", [])


@pytest.mark.parametrize("program", programs("control"))
def test_what_a_tool_answered_is_known_to_have_decided(program: str) -> None:
    with pytest.raises(rtfs.UserError) as caught:
        run(program, CONTROL, [])
    assert caught.value.code == "policy/flow"


@pytest.mark.parametrize("program", programs("allowed"))
def test_what_has_nothing_of_an_answer_is_allowed(program: str) -> None:
    run(program, CONTROL, paid := [])
    assert paid
