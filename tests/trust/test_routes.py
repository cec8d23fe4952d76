"""However a program tries to reach an effect, a decision is in the ledger before it; and nothing that a program can
say widens what it may do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rtfs
from rtfs.repl.session import Session

ROUTES = {
    "call": '(call "effect" 1)',
    "keyword arguments": '(call "effect" :a 1)',
    "computed id": '(call (str "eff" "ect") 1)',
    "keyword id": "(call :effect 1)",
    "function": '(defn f [x] (call "effect" x)) (f 1)',
    "higher-order function": '(map (fn [x] (call "effect" x)) [1 2 3])',
    "sort-by": '(sort-by (fn [x] (call "effect" x)) [3 1 2])',
    "apply": '(apply (fn [& xs] (call "effect" xs)) [1 2])',
    "partial": '((partial (fn [a b] (call "effect" b)) 1) 2)',
    "macro": '(defmacro m [x] `(call "effect" ~x)) (m 1)',
    "implementation": '(capability "own" :implementation (fn [x] (call "effect" x))) (call "own" 1)',
    "implementation of an implementation": (
        '(capability "one" :implementation (fn [x] (call "effect" x)))'
        '(capability "two" :implementation (fn [x] (call "one" x))) (call "two" 1)'
    ),
    "parallel": '(step-parallel (call "effect" 1) (call "effect" 2))',
    "parallel capability": '(call "ccos.concurrent/parallel" (fn [] (call "effect" 1)))',
    "step": '(step "s" (call "effect" 1))',
    "retry": '^{:runtime.retry {:max-retries 2 :initial-delay-ms 0}} (call "effect" 1)',
    "timeout": '^{:runtime.timeout 1000} (call "effect" 1)',
    "cache": '^{:runtime.cache {}} (call "effect" 1)',
    "fallback": '^{:runtime.fallback {:capability "effect"}} (call "failing" 1)',
    "catch": '(try (throw "x") (catch e (call "effect" 1)))',
    "finally": '(try 1 (finally (call "effect" 1)))',
}


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


class Effects:
    """A runtime whose capability `effect` looks at the ledger whenever it is reached. `pause` is for runs that another
    runtime began."""

    def __init__(self, **fields: Any) -> None:
        self.runtime = rtfs.Runtime(**fields)
        self.reached = 0
        self.undecided = 0
        self.runtime.register("effect", self._effect)
        self.runtime.register("failing", self._failing)
        self.runtime.register("pause", interrupt)

    def _effect(self, *values: Any) -> int:
        self.reached += 1
        decided = [r for r in self.runtime.ledger if r.kind == "decision" and r.subject == "effect"]
        allowed = [r for r in decided if r.detail.startswith("allow")]
        self.undecided += len(allowed) < self.reached
        return self.reached

    def _failing(self, *values: Any) -> None:
        raise rtfs.HostError("it does not work")


@pytest.mark.parametrize("route", ROUTES)
def test_a_decision_stands_before_each_dispatch(route: str):
    effects = Effects()
    with effects.runtime as rt:
        rt.run(ROUTES[route])
        assert effects.reached
        assert not effects.undecided


@pytest.mark.parametrize("route", ROUTES)
def test_a_decision_stands_before_each_dispatch_of_a_resumed_run(route: str, tmp_path: Path):
    """The run is interrupted before it gets to the effect; another runtime then reaches it, or does not."""
    with rtfs.Runtime(state=tmp_path) as rt:
        for id in ("pause", "effect", "failing"):
            rt.register(id, interrupt)
        for run_id in ("one", "two", "three"):
            with pytest.raises(KeyboardInterrupt):
                rt.run(f'(call "pause") {ROUTES[route]}', durable=True, run_id=run_id)
    effects = Effects(state=tmp_path)
    with effects.runtime as rt:
        rt.resume("one", result=None)
        assert effects.reached
        assert not effects.undecided
    for run_id, decide, code in (("two", "deny", "policy/denied"), ("three", "approve", "policy/approval-required")):
        effects = Effects(state=tmp_path, rules=[{"match": "effect", "decide": decide}])
        with effects.runtime as rt:
            with pytest.raises(rtfs.UserError) as caught:
                rt.resume(run_id, result=None)
            assert caught.value.code == code
            assert not effects.reached


@pytest.mark.parametrize("route", ROUTES)
def test_a_decision_stands_before_each_dispatch_at_the_prompt(route: str, capsys: pytest.CaptureFixture[str]):
    for decide, said in (("allow", ""), ("deny", "policy/denied"), ("approve", "policy/approval-required")):
        effects = Effects(rules=[{"match": "effect", "decide": decide}])
        with effects.runtime as rt:
            session = Session(rt, interactive=False)
            session.feed(ROUTES[route])
            assert said in capsys.readouterr().err
            assert bool(effects.reached) == (decide == "allow")
            assert not effects.undecided


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_denied_is_reached_by_no_route(route: str):
    effects = Effects(rules=[{"match": "effect", "decide": "deny"}])
    with effects.runtime as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(ROUTES[route])
        assert caught.value.code == "policy/denied"
        assert not effects.reached


@pytest.mark.parametrize("route", ROUTES)
def test_what_wants_an_approval_is_reached_by_no_route_without_one(route: str):
    effects = Effects(rules=[{"match": "effect", "decide": "approve"}])
    with effects.runtime as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(ROUTES[route])
        assert caught.value.code == "policy/approval-required"
        assert not effects.reached


def test_a_function_of_an_earlier_run_is_decided_about_under_the_later_run():
    effects = Effects(level="paranoid", allow=["effect"])
    with effects.runtime as rt:
        rt.run('(defn f [] (call "effect" 1)) (f)')
        with pytest.raises(rtfs.UserError) as caught:
            rt.run("(f)", allow=[])
        assert caught.value.code == "policy/denied"
        assert effects.reached == 1


@pytest.mark.parametrize("removed", ["policy", "crash"])
def test_without_a_working_policy_nothing_is_reached(removed: str):
    effects = Effects()

    def crash(*arguments: Any) -> Any:
        raise ValueError("broken")

    effects.runtime._pipeline.policy = None if removed == "policy" else crash
    with effects.runtime as rt:
        for source in ROUTES.values():
            with pytest.raises(rtfs.UserError):
                rt.run(source)
    assert not effects.reached


MCP = '{:mcp {:server_url "%s" :requires_session "auto" %s}}'
WIDENING = {
    "somebody else's URL": '(capability "x" :metadata %s) (call "x" {})' % (MCP % ("https://evil.example/", "")),
    "a credential's name": '(capability "x" :metadata %s) (call "x" {})'
    % (MCP % ("https://granted.example/", ':auth_env_var "AWS_SECRET_ACCESS_KEY"')),
    "an override variable": '(capability "x" :metadata %s) (call "x" {})'
    % (MCP % ("https://granted.example/", ':server_url_override_env "HOME"')),
    "a command": '(capability "x" :metadata {:mcp {:command "sh" :args ["-c" "id"] :requires_session "auto"}})'
    '(call "x" {})',
    "its own implementation": '(capability "x" :implementation (fn [i] (read-file "/etc/passwd"))) (call "x" {})',
    "permissions that it gives itself": '(capability "x" :permissions [:fs.read] :implementation'
    ' (fn [i] (read-file "/etc/passwd"))) (call "x" {})',
    "a file by a path around its grant": '(read-file "/etc/../etc/passwd")',
    "the environment": '(get-env "HOME")',
    "a fallback": '^{:runtime.fallback {:capability "ccos.io.read-file"}} (call "failing" "/etc/passwd")',
}
REPLACING = {
    "a bundled one": '(capability "ccos.io.println" :implementation (fn [x] x))',
    "the embedder's": '(capability "effect" :version "99" :implementation (fn [x] x))',
    "a loaded one": '(capability "loaded" :version "99" :implementation (fn [x] x))',
}


@pytest.mark.parametrize("way", WIDENING)
def test_a_plan_cannot_widen_its_rights(way: str):
    effects = Effects(allow=["x", "net:granted.example"])
    with effects.runtime as rt:
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(WIDENING[way])
        assert caught.value.code == "policy/denied"


@pytest.mark.parametrize("way", REPLACING)
def test_a_plan_cannot_replace_what_is_trusted(way: str):
    effects = Effects()
    with effects.runtime as rt:
        rt.load('(capability "loaded" :version "1" :implementation (fn [x] 1))')
        with pytest.raises(rtfs.UserError) as caught:
            rt.run(REPLACING[way])
        assert caught.value.code == "capability/conflict"


@pytest.mark.parametrize(
    "name", ["registry", "pipeline", "__globals__", "__class__", " request", " ticks", "rtfs.host", "ccos/grant"]
)
def test_no_name_leads_out_of_the_language(name: str):
    with rtfs.Runtime() as rt:
        for source in (name, f"({name})", f"(.{name} [])", f'(call "{name}" {{}})'):
            with pytest.raises(rtfs.UserError):
                rt.run(source)
