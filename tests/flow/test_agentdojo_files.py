"""The plans and policies of the AgentDojo benchmark are what they say, whether or not AgentDojo is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

import rtfs
from rtfs.host.config.config import read_config
from rtfs.host.flow.rules import FlowRules

FOLDER = Path(__file__).parent.parent.parent / "benchmarks" / "agentdojo"
PLANS = sorted(FOLDER.glob("plans/*/*.rtfs"))
POLICIES = sorted(FOLDER.glob("policy/*.yaml"))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.parent.name}-{plan.stem}")
def test_a_plan_begins_with_its_prompt_and_calls_its_own_suite_only(plan: Path):
    text = plan.read_text(encoding="utf-8")
    assert text.startswith(";; ")
    assert rtfs.read(text)
    assert text.count('(call "') == text.count(f'(call "{plan.parent.name}.')


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.stem)
def test_a_policy_denies_writing_tools_that_it_does_not_name(policy: Path):
    rules = read_config(policy).runtime_fields()["flow"]
    assert isinstance(rules, FlowRules)
    assert any(rule.unknown and rule.never for rule in rules.rules)
