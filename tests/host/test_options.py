"""Options of runs and runtimes: checked once, the same as keywords and as a value."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.host import runtime_options
from rtfs.host.run import options


def test_a_run_takes_its_options_as_a_value_or_as_keywords() -> None:
    chosen = rtfs.RunOptions(context={"who": "ann"}, name="plan.rtfs", run_id="one")
    with rtfs.Runtime() as rt:
        assert rt.run("@who", chosen) == rt.run("@who", {"who": "ann"}) == rt.run("@who", context={"who": "ann"})
        assert rt.run("@who", chosen, context={"who": "bob"}) == "bob"
        assert {record.run for record in rt.ledger} >= {"one"}
        with pytest.raises(rtfs.UserError) as caught:
            rt.run("(+ 1 nil)", chosen)
        assert caught.value.span is not None
        assert caught.value.span.source.name == "plan.rtfs"


def test_a_plan_gets_its_parameters_from_python() -> None:
    text = """(plan "t" {:params {:repo :string :limit [:int :default 20] :labels [:set :keyword] :on [:map [:a :int]]}}
                [repo limit labels on])"""
    given = {"repo": "a", "labels": ["bug"], "on": {"a": 1}}
    with rtfs.Runtime() as rt:
        value = rt.run(text, params={**given, "labels": [rtfs.Keyword("bug")]})
        assert rtfs.to_text(value) == '["a" 20 #{:bug} {:a 1}]'
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(text, params=given)
        assert caught.value.code == "type/mismatch"
        with pytest.raises(rtfs.HostError, match="declares no parameters") as refused:
            rt.run("(+ 1 1)", params={"n": 1})
        assert refused.value.code == "plan/parameter"
        with pytest.raises(rtfs.UserError) as broken:
            rt.run('(plan "t" {:params {:n :int}} (+ n', params={"n": 1})
        assert broken.value.code.startswith("reader/")


def test_a_resumed_plan_has_the_parameters_it_began_with(tmp_path: Path) -> None:
    text = '(plan "t" {:params {:n :int}} (call "gate.open" {}) (* 2 n))'
    with rtfs.Runtime(["gate.*"], state=tmp_path, rules=[{"match": "gate.*", "decide": "approve"}]) as rt:
        rt.register("gate.open", lambda _: True)
        with pytest.raises(rtfs.HostError) as waiting:
            rt.run(text, params={"n": 4}, durable=True, run_id="r1")
        assert waiting.value.code == "policy/approval-required"
    with rtfs.Runtime(["gate.*"], state=tmp_path, approve=lambda _: True,
                      rules=[{"match": "gate.*", "decide": "approve"}]) as rt:  # fmt: skip
        rt.register("gate.open", lambda _: True)
        assert rt.resume("r1") == 8


def test_a_plan_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "job.rtfs").write_text('(plan "job" 1)')
    with rtfs.Runtime(module_path=[tmp_path]) as rt, pytest.raises(rtfs.UserError, match="not a module"):
        rt.run("(import job)")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"limits": {"stepz": 1}}, "config/limits"),
        ({"limits": {"steps": 0}}, "config/limits"),
        ({"allow": ["https://a"]}, "config/grant"),
        ({"timeout": "5"}, "argument/invalid"),
        ({"timeout": True}, "argument/invalid"),
        ({"context": "name"}, "argument/invalid"),
        ({"context": {"a": object()}}, "argument/invalid"),
        ({"params": "n=1"}, "argument/invalid"),
        ({"params": {"n": object()}}, "argument/invalid"),
        ({"durable": True, "record": "f"}, "argument/invalid"),
        ({"record": "f", "replay": "g"}, "argument/invalid"),
    ],
)
def test_what_cannot_be_used_is_an_error_where_the_options_are_made(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(rtfs.HostError) as caught:
        rtfs.RunOptions(**wrong)
    assert caught.value.code == code


def test_options_do_not_change_but_can_be_replaced() -> None:
    chosen = rtfs.RunOptions(timeout=5)
    with pytest.raises(AttributeError, match="replace"):
        chosen.timeout = 6
    assert chosen.replace(name="p").timeout == 5
    assert "timeout=5" in repr(chosen)
    with pytest.raises(TypeError, match="tiemout"):
        rtfs.Runtime().run("1", tiemout=5)  # type: ignore[call-arg]


def test_a_runtime_takes_its_options_as_a_value_or_as_keywords() -> None:
    chosen = rtfs.RuntimeOptions(allow=["env:HOME"], principal="ann", max_calls=0)
    with rtfs.Runtime(options=chosen) as rt:
        assert rt.options.allow.texts == ("env:HOME",)
        with pytest.raises(rtfs.LimitError):
            rt.run('(get-env "HOME")')
    with rtfs.Runtime(["env:PATH"], options=chosen, max_calls=None) as rt:
        assert rt.options.allow.texts == ("env:PATH",)
        assert rt.options.principal == "ann"
        assert rt.run('(string? (get-env "PATH"))') is True


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"level": "lax"}, "config/level"),
        ({"durability": "paper"}, "config/durability"),
        ({"rules": [{"match": "a", "decide": "maybe"}]}, "config/invalid"),
        ({"quotas": [{"calls": -1}]}, "config/invalid"),
    ],
)
def test_what_no_runtime_can_use_is_an_error_where_the_options_are_made(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(rtfs.HostError) as caught:
        rtfs.RuntimeOptions(**wrong)
    assert caught.value.code == code


def test_a_run_that_keeps_nothing_starts_from_a_snapshot() -> None:
    with rtfs.Runtime() as rt:
        rt.run("(def a 1)")
        assert rt.run("(def b (+ a 1)) b", keep=False) == 2
        with pytest.raises(rtfs.UserError) as caught:
            rt.run("b")
        assert caught.value.code == "undefined"


@pytest.mark.parametrize(
    ("module", "typed", "made"),
    [
        (options, "RunKeywords", "RunOptions"),
        (options, "ResumeKeywords", "ResumeOptions"),
        (runtime_options, "RuntimeKeywords", "RuntimeOptions"),
    ],
)
def test_the_typed_keywords_are_those_of_the_options(module: Any, typed: str, made: str) -> None:
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    classes = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    names = [node.target.id for node in classes[typed].body if isinstance(node, ast.AnnAssign)]  # type: ignore[union-attr]
    found = {name for name in getattr(module, made).__slots__ if name != "allow" or typed != "RuntimeKeywords"}
    assert set(names) == found
