"""Calls of real servers' tools are judged as their JSON Schema judges them, unknown keys refused.

A quarter of the tools, some mutants of each kind; `.ci/full checker` has all of them.
"""

from __future__ import annotations

import pytest

from tests.checker.mutation import KINDS, Figures, Tool, judge, tools

TOOLS = tools()
LOOKED_AT = TOOLS[::4]
MOST = 2


def test_there_are_tools_of_many_servers():
    assert len(TOOLS) >= 800
    assert len({one.server for one in TOOLS}) >= 35
    assert len(LOOKED_AT) >= 200


@pytest.mark.parametrize("part", range(8))
def test_calls_of_real_tools_are_judged_as_their_schema_judges_them(part: int):
    found = Figures()
    for tool in LOOKED_AT[part::8]:
        found.add(judge(tool, MOST))
    print("\n".join(found.show()))
    assert found.wrongly_taken == []
    assert found.wrongly_refused == []
    assert found.run == []
    assert found.without_gold == []
    assert found.taken[""] >= found.tools
    assert all(found.refused[kind] for kind in KINDS if kind not in (KINDS[4], KINDS[5], KINDS[8]))


def test_the_judge_notices_a_checker_that_takes_everything(monkeypatch: pytest.MonkeyPatch):
    from rtfs.checker import capability_calls

    monkeypatch.setattr(capability_calls, "misfit", lambda type, fact: None)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    found = Figures()
    found.add(judge(Tool("none", "1", "count", schema)))
    assert found.wrongly_taken
    assert found.run
