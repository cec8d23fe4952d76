"""Every stage of `perform` is there, in its order, for every way to reach an effect."""

from __future__ import annotations

from typing import Any

import pytest

import rtfs
from rtfs.host.audit.ledger import Record

ADD = (
    '(capability "demo.add" :input-schema {:a :int :b :int} :output-schema :int'
    " :implementation (fn [{:keys [a b]}] (+ a b)))"
)


def kinds(rt: rtfs.Runtime, id: str) -> list[str]:
    return [f"{record.kind} {record.detail}" for record in rt.ledger if record.subject == id]


def error_of(rt: rtfs.Runtime, text: str, **options: Any) -> rtfs.UserError:
    with pytest.raises(rtfs.UserError) as caught:
        rt.run(text, check=False, **options)
    return caught.value


def test_resolve_an_unknown_capability_says_what_was_meant() -> None:
    with rtfs.Runtime() as rt:
        error = error_of(rt, '(call "ccos.io.prinln" 1)')
    assert error.code == "capability/unknown"
    assert error.hint == 'did you mean "ccos.io.println"?'
    assert error.span is not None
    assert kinds(rt, "ccos.io.prinln") == ["decision deny: unknown"]


def test_decide_comes_before_anything_happens() -> None:
    order: list[str] = []

    def ask(request: rtfs.PolicyRequest) -> bool:
        order.append("decided")
        return True

    with rtfs.Runtime(policy=ask) as rt:
        rt.events.subscribe(lambda event: order.append(event.kind))
        rt.register("a", lambda: order.append("called"))
        rt.call("a")
    assert order == ["run", "decided", "decision", "called", "outcome", "end"]


def test_a_denied_call_reaches_nothing() -> None:
    called: list[int] = []
    with rtfs.Runtime(policy=lambda request: False) as rt:
        rt.register("a", lambda: called.append(1))
        assert error_of(rt, '(call "a")').code == "policy/denied"
        assert called == []
        assert [record.kind for record in rt.ledger] == ["run", "decision", "end"]


def test_input_is_checked_after_the_decision_and_before_the_call() -> None:
    called: list[int] = []
    with rtfs.Runtime() as rt:
        rt.register("a", called.append, input_schema="{:n :int}")
        error = error_of(rt, '(call "a" {:n "x"})')
        assert (error.code, error.capability) == ("type/mismatch", "a")
        assert 'the input of "a"' in error.message
        assert called == []
        assert kinds(rt, "a") == ["decision allow: registered by the embedder", "outcome error: type/mismatch"]


def test_output_is_checked() -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda: "text", output_schema=":int")
        error = error_of(rt, '(call "a")')
        assert error.code == "type/mismatch"
        assert 'the output of "a"' in error.message


def test_hints_wrap_the_route() -> None:
    tries: list[int] = []

    def flaky() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise rtfs.HostError("not yet")
        return 7

    with rtfs.Runtime() as rt:
        rt.register("a", flaky)
        assert rt.run('^{:runtime.learning.retry {:max-retries 3 :initial-delay-ms 0}} (call "a")') == 7
    assert len(tries) == 3


def test_outcomes_are_recorded_with_keyed_hashes_and_durations_only() -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda text: text + " secret-answer")
        rt.run('(call "a" "secret-argument")')
        (decision,) = [record for record in rt.ledger if record.kind == "decision"]
        (outcome,) = [record for record in rt.ledger if record.kind == "outcome"]
        assert decision.arguments == rt.ledger.fingerprint('"secret-argument"')
        assert outcome.result == rt.ledger.fingerprint('"secret-argument secret-answer"')
        assert outcome.parent == decision.seq
        assert outcome.duration > 0
        assert "secret" not in "".join(str(record.content()) for record in rt.ledger)
        assert rt.ledger.verify() is None


@pytest.mark.parametrize(
    "program",
    [
        '(call "watched" 1)',
        "(call :watched 1)",
        '(let [id (str "wat" "ched")] (call id 1))',
        '(map (fn [x] (call "watched" x)) [1])',
        '(apply (fn [x] (call "watched" x)) [1])',
        '(reduce (fn [a x] (call "watched" x)) 0 [1])',
        '(sort-by (fn [x] (call "watched" x)) [1])',
        '(defmacro w [x] `(call "watched" ~x)) (w 1)',
        '(step "s" (call "watched" 1))',
        '(step-parallel (call "watched" 1))',
        '(call "ccos.concurrent/parallel" (fn [] (call "watched" 1)))',
        '(capability "inner" :implementation (fn [x] (call "watched" x))) (call "inner" 1)',
        '^{:runtime.retry 2} (call "watched" 1)',
        '^{:runtime.fallback "watched"} (call "failing" 1)',
        '(try (call "failing" 1) (catch e (call "watched" 1)))',
        '(try 1 (finally (call "watched" 1)))',
        '^{:runtime.cache true} (call "watched" 1)',
    ],
)
def test_every_way_to_an_effect_passes_the_decision(program: str) -> None:
    called: list[int] = []

    def fail(*_: Any) -> None:
        raise rtfs.HostError("no")

    def runtime(allowed: bool) -> rtfs.Runtime:
        rt = rtfs.Runtime(policy=lambda request: allowed or request.capability != "watched")
        rt.register("watched", lambda n: (called.append(n), n)[1])
        rt.register("failing", fail)
        return rt

    with runtime(allowed=True) as rt:
        rt.run(program)
        assert called == [1]
        records = [record for record in rt.ledger if record.subject == "watched"]
        assert [record.kind for record in records] == ["decision", "outcome"]
    with runtime(allowed=False) as rt:
        assert error_of(rt, program).code == "policy/denied"
    assert called == [1]


def test_no_arguments_are_an_empty_map_and_several_are_a_tuple() -> None:
    with rtfs.Runtime() as rt:
        rt.register("one", lambda given: given)
        rt.register("none", lambda: "nothing")
        rt.register("two", lambda a, b: a + b, input_schema="[:tuple :int :int]")
        assert rt.run('(call "one")') == rtfs.Map()
        assert rt.run('(call "none")') == "nothing"
        assert rt.run('(call "two" 1 2)') == 3
        assert error_of(rt, '(call "two" 1 "x")').code == "type/mismatch"


def test_functions_are_no_arguments_however_deep() -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda x: x)
        assert error_of(rt, '(call "a" inc)').code == "argument/function"
        assert error_of(rt, '(call "a" {:f [1 {:g (fn [x] x)}]})').code == "argument/function"
        assert rt.run('(call "a" "#<function f>")') == "#<function f>"


def test_python_answers_become_values_and_others_are_named() -> None:
    with rtfs.Runtime() as rt:
        rt.register("dict", lambda: {"a": [1, (2, 3)]})
        rt.register("object", lambda: object())
        assert rtfs.to_text(rt.run('(call "dict")')) == "{:a [1 [2 3]]}"
        assert error_of(rt, '(call "object")').code == "capability/result"


def test_a_foreign_exception_is_translated_once_and_kept_as_cause() -> None:
    def broken() -> None:
        raise KeyError("missing")

    with rtfs.Runtime() as rt:
        rt.register("a", broken)
        error = error_of(rt, '(call "a")')
        assert (error.code, error.message, error.capability) == ("capability/failed", "KeyError: 'missing'", "a")
        assert isinstance(error.__cause__, KeyError)
        assert rt.run('(try (call "a") (catch :capability e (:capability e)))') == "a"


def test_an_rtfs_implementation_runs_under_its_callers_grants() -> None:
    reads = '(capability "demo.read" :implementation (fn [path] (call "ccos.io.read-file" path)))'
    with rtfs.Runtime(allow=["fs:read:/etc"]) as rt:
        rt.load(reads)
        assert isinstance(rt.run('(call "demo.read" "/etc/hostname")'), str)
        assert error_of(rt, '(call "demo.read" "/etc/hostname")', allow=[]).code == "policy/denied"


def test_an_implementation_is_checked_like_any_capability() -> None:
    with rtfs.Runtime() as rt:
        rt.run(ADD)
        assert rt.run('(call "demo.add" {:a 1 :b 2})') == 3
        assert rt.run('(call "demo.add" :a 1 :b 2)') == 3
        assert error_of(rt, '(call "demo.add" {:a 1})').code == "type/mismatch"


def test_implementations_that_call_themselves_end_at_a_limit() -> None:
    with rtfs.Runtime() as rt:
        error = error_of(
            rt, '(capability "again" :implementation (fn [x] (call "again" x))) (try (call "again" 1) (catch e 2))'
        )
        assert error.code == "limit/nesting"


def test_declared_without_any_implementation() -> None:
    with rtfs.Runtime() as rt:
        assert error_of(rt, '(capability "a" :provider "Nobody") (call "a")').code == "capability/no-provider"


def test_an_implementation_without_parameters_takes_no_arguments() -> None:
    with rtfs.Runtime() as rt:
        assert rt.run('(capability "five" :implementation (fn [] 5)) (call "five")') == 5


def test_schemas_may_name_the_programs_own_types() -> None:
    with rtfs.Runtime() as rt:
        rt.run(
            "(deftype Small [:and :int [:< 10]])"
            ' (capability "s" :input-schema {:n Small} :implementation (fn [x] (:n x)))'
        )
        assert rt.run('(call "s" {:n 5})') == 5
        assert error_of(rt, '(call "s" {:n 50})').code == "type/mismatch"


def test_plan_and_intent_of_a_run_are_in_its_context() -> None:
    seen: list[tuple[str | None, str | None]] = []

    def ask(request: rtfs.PolicyRequest) -> bool:
        seen.append((request.context.plan_id, request.context.intent_id))
        return True

    with rtfs.Runtime(policy=ask) as rt:
        rt.register("a", lambda: 1)
        rt.run('(call "a")', context={"plan-id": "p1", "intent-id": "i1"})
    assert seen == [("p1", "i1")]


def test_the_quota_of_calls_cannot_be_caught() -> None:
    with rtfs.Runtime(max_calls=3) as rt:
        rt.register("a", lambda: 1)
        error = error_of(rt, '(dotimes [i 20] (try (call "a") (catch e 1)))')
        assert error.code == "limit/calls"


def test_steps_are_recorded_and_calls_stand_under_them() -> None:
    with rtfs.Runtime() as rt:
        rt.register("a", lambda: 1)
        rt.run(
            '(step "outer" :params {:token "secret"} (step "inner" (call "a")) (try (step "bad" (/ 1 0)) (catch e 1)))'
        )
        records: list[Record] = list(rt.ledger)
    steps = {record.subject: record for record in records if record.kind == "step"}
    assert steps["inner"].parent == steps["outer"].seq
    assert steps["outer"].detail == "params=token"
    (decision,) = [record for record in records if record.kind == "decision"]
    assert decision.parent == steps["inner"].seq
    left = [(record.subject, record.detail) for record in records if record.kind == "leave"]
    assert left == [("inner", "ok"), ("bad", "error"), ("outer", "ok")]


def test_a_step_that_a_limit_ends_is_left_too() -> None:
    with rtfs.Runtime(limits={"steps": 1000}) as rt:
        assert error_of(rt, '(step "s" (loop [] (recur)))').code == "limit/steps"
        assert [record.detail for record in rt.ledger if record.kind == "leave"] == ["abandoned"]


def test_a_stub_answers_what_would_leave_the_process_and_nothing_else() -> None:
    def stub(id: str, arguments: tuple[Any, ...]) -> Any:
        return f"stubbed {id} {rtfs.to_text(arguments[0])}" if id != "ccos.system.get-env" else NotImplemented

    with rtfs.Runtime(stub=stub) as rt:
        rt.register("mine", lambda x: x)
        assert rt.run('(read-file "/nowhere")') == 'stubbed ccos.io.read-file {:path "/nowhere"}'
        assert rt.run('(call "mine" 1)') == 1
        assert (
            rt.run('(capability "s" :metadata {:zz {:requires_session "auto"}}) (call "s" :x 1)') == "stubbed s {:x 1}"
        )
        assert error_of(rt, '(get-env "HOME")').code == "policy/denied"
