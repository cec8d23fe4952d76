"""The contract of outcomes: complete or a request, one-shot, resumed with a value or an error, or closed."""

from __future__ import annotations

import gc
import threading
import weakref
from contextvars import ContextVar

import pytest

from rtfs.machine import Complete, RequiresHost, start, start_call
from rtfs.machine.outcome import HostCall
from rtfs.values import EvalError, HostError, InternalError, Keyword, Map, UserError
from tests.machine.support import answered, begin, program, value, waiting


def test_a_pure_program_is_complete_at_once():
    outcome = begin("(+ 1 2)")
    assert isinstance(outcome, Complete)
    assert outcome.value == 3
    assert repr(outcome) == "Complete(3)"


def test_an_empty_program_is_nil():
    assert value("") is None


def test_a_call_shows_what_is_asked_and_where():
    outcome = waiting('(def x 1)\n  ^{:timeout 5} (call "a.b" x "two")')
    call = outcome.call
    assert (call.kind, call.id) == ("call", "a.b")
    assert call.args == (1, "two")
    assert call.hints == Map({Keyword("timeout"): 5})
    assert call.span is not None
    assert (call.span.line, call.span.text) == (2, '(call "a.b" x "two")')
    assert repr(outcome).startswith("RequiresHost(HostCall('call', 'a.b', (1, 'two')")
    outcome.close()


def test_a_call_made_by_hand_has_no_place():
    assert HostCall("call", "x").span is None


def test_resuming_gives_the_next_outcome():
    outcome = waiting('(+ (call "a") (* 10 (call "b")))')
    assert outcome.call.id == "a"
    outcome = outcome.resume(1)
    assert isinstance(outcome, RequiresHost)
    assert outcome.call.id == "b"
    outcome = outcome.resume(2)
    assert isinstance(outcome, Complete)
    assert outcome.value == 21


@pytest.mark.parametrize("use", ["resume", "throw", "close"])
def test_an_outcome_is_one_shot(use: str):
    outcome = waiting('(try (call "a") (catch e 1))')
    if use == "resume":
        outcome.resume(1)
    elif use == "throw":
        outcome.throw(HostError("no"))
    else:
        outcome.close()
    with pytest.raises(InternalError):
        outcome.resume(1)
    with pytest.raises(InternalError):
        outcome.throw(HostError("no"))
    outcome.close()  # closing what is used up is nothing


def test_a_thrown_error_can_be_caught_by_the_program():
    outcome = waiting('(try (call "a") (catch :capability e [:caught (:code e) (:capability e)]))')
    outcome = outcome.throw(HostError("no", capability="a"))
    assert answered(outcome).to_list() == [Keyword("caught"), Keyword("capability/failed"), "a"]


def test_a_thrown_error_that_is_not_caught_comes_back_with_its_place():
    outcome = waiting('(defn f [] (+ 1 (call "a")))\n(f)')
    error = HostError("no", capability="a")
    with pytest.raises(HostError) as caught:
        outcome.throw(error)
    assert caught.value is error
    assert error.span is not None
    assert error.span.text == '(call "a")'
    assert [name for name, _ in error.trace] == ["f", "the program"]


def test_an_error_after_resuming_leaves_resume():
    with pytest.raises(EvalError) as caught:
        waiting('(/ (call "a") 0)').resume(1)
    assert caught.value.code == "arithmetic/div-by-zero"


def test_closing_runs_no_finally_and_no_catch():
    asked = []
    outcome = begin('(try (call "body") (catch e (call "catch")) (finally (call "finally")))')
    while isinstance(outcome, RequiresHost):
        asked.append(outcome.call.id)
        outcome.close()
        break
    assert asked == ["body"]


def test_closing_frees_what_the_program_held():
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)
    outcome = waiting('(let [x (call "give")] (call "wait") x)').resume(held)
    assert isinstance(outcome, RequiresHost)
    del held
    outcome.close()
    gc.collect()
    assert gone() is None


def test_an_outcome_that_is_forgotten_runs_no_finally():
    environment_calls = []
    outcome = waiting('(try (call "body") (finally (call "finally")))')
    environment_calls.append(outcome.call.id)
    del outcome
    gc.collect()
    assert environment_calls == ["body"]


def test_an_outcome_belongs_to_its_thread():
    outcome = waiting('(+ 1 (call "a"))')
    problems: list[BaseException] = []

    def elsewhere() -> None:
        for use in (lambda: outcome.resume(1), lambda: outcome.throw(HostError("no")), outcome.close):
            try:
                use()
            except BaseException as problem:
                problems.append(problem)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert [type(one) for one in problems] == [InternalError] * 3
    assert "thread" in str(problems[0])
    assert answered(outcome.resume(1)) == 2  # and here it still continues


def test_the_callers_context_variables_are_copied_in():
    variable: ContextVar[str] = ContextVar("variable", default="outside")
    variable.set("before")
    seen = []

    def look(*_: object) -> None:
        seen.append(variable.get())
        variable.set("inside")

    environment = program("1").environment
    environment.module("user").globals["look"] = look
    outcome = waiting('(look) (call "a") (look)', environment=environment)
    variable.set("after")
    answered(outcome)
    assert seen == ["before", "inside"]  # its own copy from the start on
    assert variable.get() == "after"


def test_a_call_of_a_function_is_a_machine_of_its_own():
    environment = program("1").environment
    function = value('(fn [a b] (+ a (call "x" b)))', environment=environment)
    outcome = start_call(environment, function, [1, 2])
    assert isinstance(outcome, RequiresHost)
    assert outcome.call.args == (2,)
    assert answered(outcome.resume(10)) == 11


def test_a_call_of_a_function_with_too_few_arguments_says_so():
    environment = program("1").environment
    function = value("(fn pair [a b] a)", environment=environment)
    with pytest.raises(UserError, match="`pair` takes 2 arguments, got 1"):
        start_call(environment, function, [1])


def test_one_program_can_run_many_times():
    one = program('(def n (call "a")) (* n n)')
    outcomes = [start(one) for _ in range(5)]
    assert [answered(outcome, lambda call: 3) for outcome in outcomes] == [9] * 5


@pytest.mark.parametrize(
    "text",
    [
        '(map (fn [x] (call "inc" x)) [1 2])',
        '(map-indexed (fn [i x] (call "inc" x)) [1 2])',
        '(mapcat (fn [x] [(call "inc" x)]) [1 2])',
        '(reduce (fn [acc x] (conj acc (call "inc" x))) [] [1 2])',
        '(sort-by (fn [x] (call "inc" x)) [2 3])',
        '(vec (keys (group-by (fn [x] (call "inc" x)) [1 2])))',
        '(filter (fn [x] (call "inc" x)) [2 3])',
        '(keep (fn [x] (call "inc" x)) [1 2])',
        '(vals (update {:a 2 :b 3} :b (fn [x] (call "inc" (dec (dec x))) 3)))',
        '(apply (fn [a b] [(call "inc" a) (call "inc" b)]) [1 2])',
        '((partial (fn [a b] [(call "inc" a) (call "inc" b)]) 1) 2)',
        '((comp (fn [x] [2 (call "inc" (dec x))]) inc) 2)',
        '((juxt (fn [x] (call "inc" x)) (fn [x] (call "inc" (inc x)))) 1)',
        '(for [x [1 2]] (call "inc" x))',
        '(do (doseq [x [1 2]] (call "inc" x)) [2 3])',
        '(loop [i 1 out []] (if (< i 3) (recur (inc i) (conj out (call "inc" i))) out))',
        '((memoize (fn [x] [2 (call "inc" x)])) 2)',
        '(take-while (fn [x] (call "inc" x)) [2 3])',
        '(if (every? (fn [x] (call "inc" x)) [1 2]) [2 3])',
        '(if (some? (fn [x] (call "inc" x)) [1 2]) [2 3])',
        '(do (max-by (fn [x] (call "inc" x)) [1 2]) [2 3])',
        '(do (merge-with (fn [a b] (call "inc" a)) {:a 1} {:a 2}) [2 3])',
        '(let [f (call "function")] [(f 1) (f 2)])',
    ],
)
def test_calls_suspend_inside_functions_given_to_functions(text: str):
    def answer(call: HostCall) -> object:
        return (lambda n: n + 1) if call.id == "function" else call.args[0] + 1

    outcome = begin(text)
    assert isinstance(outcome, RequiresHost)
    assert list(answered(outcome, answer)) == [2, 3]
