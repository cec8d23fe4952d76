"""From Python's exceptions to errors of the language, with place, trace and hint."""

from __future__ import annotations

import pytest

from rtfs.compiler import compile_source
from rtfs.machine import new_environment, start
from rtfs.machine.errors.locate import MAX_TRACE
from rtfs.machine.errors.translate import translate
from rtfs.source import Source
from rtfs.values import EvalError, InternalError, Keyword, LimitError, TypeMismatch
from tests.machine.support import error, value

ARITY = [
    ("(defn f [x y] x) (f 1)", "`f` takes 2 arguments, got 1"),
    ("(defn f [x y] x) (f)", "`f` takes 2 arguments, got 0"),
    ("(defn f [x y] x) (f 1 2 3)", "`f` takes 2 arguments, got 3"),
    ("(defn f [x] x) (f)", "`f` takes 1 argument, got 0"),
    ("(defn f [] 1) (f 1)", "`f` takes no arguments, got 1"),
    ("(defn f [x & r] x) (f)", "`f` takes 1 or more arguments, got 0"),
    ("(defn f [x y & r] x) (f 1)", "`f` takes 2 or more arguments, got 1"),
    ("(defn f [x [y z] & {:keys [k]}] x) (f 1)", "`f` takes 2 or more arguments, got 1"),
    ("(defn f [x & r] (if x (recur 1 r) x)) (f)", "`f` takes 1 or more arguments, got 0"),
    ("(defn f ([x] x) ([x y] y)) (f)", "`f` takes 1 or 2 arguments, got 0"),
    ("(defn f ([x] x) ([x y] y)) (f 1 2 3 4)", "`f` takes 1 or 2 arguments, got 4"),
    ("(defn f ([] 0) ([x y] y)) (f 1)", "`f` takes 0 or 2 arguments, got 1"),
    ("(defn f ([x] x) ([x y & z] y)) (f)", "`f` takes 1 or more arguments, got 0"),
    ("(defn f ([x] x) ([x y z & r] y)) (f 1 2)", "`f` takes 1 or 3 or more arguments, got 2"),
    ("((fn [x] x))", "`fn` takes 1 argument, got 0"),
    ("((fn [x' y'] x') 1)", "`fn` takes 2 arguments, got 1"),
    ("((fn inner [x] x))", "`inner` takes 1 argument, got 0"),
    ("(let [g (fn [x] x)] (g))", "`g` takes 1 argument, got 0"),
    ("(defn f [x] (defn g [a b] a) (g x)) (f 1)", "`g` takes 2 arguments, got 1"),
    ("(defn f [x y] x) (map f [1])", "`f` takes 2 arguments, got 1"),
    ("(defn f [x y] x) (apply f [1 2 3])", "`f` takes 2 arguments, got 3"),
    ("(defn f [x y] x) ((partial f 1))", "`f` takes 2 arguments, got 1"),
    ("(defn f [x y] x) (sort-by f [1 2])", "`f` takes 2 arguments, got 1"),
    ("(reduce (fn [a] a) [1 2])", "`fn` takes 1 argument, got 2"),
    (
        f"(defn f [{' '.join(f'p{n}' for n in range(300))}] 1) (f {'1 ' * 299})",
        "`f` takes 300 arguments, got 299",
    ),
    ("(nth [1])", "`nth` takes 2 or 3 arguments, got 1"),
    ("(nth)", "`nth` takes 2 or 3 arguments, got 0"),
    ("(nth 1 2 3 4)", "`nth` takes 2 or 3 arguments, got 4"),
    ("(range 1 2 3 4)", "`range` takes 0 to 3 arguments, got 4"),
    ("(update {})", "`update` takes 3 or more arguments, got 1"),
    ("(not 1 2)", "`not` takes 1 argument, got 2"),
    ("(inc)", "`inc` takes 1 argument, got 0"),
]


@pytest.mark.parametrize(("text", "message"), ARITY, ids=[text[:50] for text, _ in ARITY])
def test_a_wrong_number_of_arguments_says_how_many_are_wanted_and_given(text: str, message: str):
    found = error(text)
    assert found.code == "arity"
    assert found.message == message
    assert found.span is not None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("(1 2)", "the integer 1"),
        ('("a")', 'the string "a"'),
        ("(nil)", "nil"),
        ("(let [x 5] (x))", "the integer 5"),
        ("(let [x nil] (x 1))", "nil"),
        ("(let [x (list 1)] (x 1))", "a list"),
        ("(let [f true] (map f [1]))", "the boolean true"),
        ("(apply 1.5 [1])", "the float 1.5"),
        ("(let [x 'sym] (x))", "the symbol sym"),
        ("(let [e (try (/ 1 0) (catch e e))] (e))", "an error"),
    ],
)
def test_what_cannot_be_called(text: str, part: str):
    found = error(text)
    assert isinstance(found, TypeMismatch)
    assert found.code == "type/not-callable"
    assert found.message == f"{part} cannot be called"
    assert found.hint


@pytest.mark.parametrize(
    ("text", "name", "hint"),
    [
        ("(undefined-thing 1)", "undefined-thing", None),
        ("(+ 1 missing)", "missing", None),
        ("(defn total [] 1) (totl)", "totl", "did you mean `total`?"),
        ("(lenght [1])", "lenght", "did you mean `length`?"),
        ("(let [pebble 1] (+ peble 1))", "peble", "did you mean `pebble`?"),
        ("(atom 1)", "atom", "values never change"),
        ("(set! x 1)", "set!", "there is no assignment"),
        ("(eval '(+ 1 2))", "eval", "there is no `eval`"),
        ("__class__", "__class__", None),
        ("(None)", "None", None),
        ("nope/thing", "nope/thing", None),
    ],
)
def test_unknown_names(text: str, name: str, hint: str | None):
    found = error(text)
    assert found.code == "undefined"
    assert f"`{name}`" in found.message
    if hint is not None:
        assert found.hint is not None
        assert hint in found.hint


def test_a_local_that_has_no_value_yet():
    found = error("((fn [] (def early (late)) (def late (fn [] 1)) early))")
    assert found.code == "undefined"
    assert "`late` is used before it has a value" in found.message


@pytest.mark.parametrize(
    ("exception", "code"),
    [
        (ZeroDivisionError("x"), "arithmetic/div-by-zero"),
        (OverflowError("x"), "arithmetic/overflow"),
        (RecursionError("x"), "limit/depth"),
        (MemoryError(), "limit/memory"),
        (NameError("name 'x' is not defined", name="x"), "undefined"),
        (NameError("strange"), "undefined"),
        (TypeError("'int' object is not callable"), "type/not-callable"),
        (TypeError("'Vector' object is not callable"), "type/not-callable"),
        (TypeError("f() takes 1 positional argument but 2 were given"), "arity"),
        (TypeError("f() takes from 1 to 2 positional arguments but 3 were given"), "arity"),
        (TypeError("f() missing 1 required positional argument: 'x'"), "arity"),
        (TypeError("a.<locals>.f () missing 2 required positional arguments: 'x ' and 'y '"), "arity"),
    ],
    ids=repr,
)
def test_every_foreign_exception_has_its_error(exception: Exception, code: str):
    found = translate(exception, {})
    assert getattr(found, "code", None) == code


@pytest.mark.parametrize("exception", [ValueError("x"), TypeError("x"), KeyError("x"), AttributeError("x")], ids=repr)
def test_anything_else_is_a_bug_of_ours(exception: Exception):
    found = translate(exception, {})
    assert isinstance(found, InternalError)
    assert found.__cause__ is exception


def test_what_is_an_error_already_stays_the_same():
    for one in (EvalError("user/error", "x"), LimitError("limit/steps", "x"), InternalError("x"), KeyboardInterrupt()):
        assert translate(one, {}) is one


def test_a_bug_in_a_function_of_ours_cannot_be_caught_by_a_program():
    environment = new_environment()

    def broken() -> None:
        raise KeyError("ours")

    environment.module("user").globals["broken"] = broken
    with pytest.raises(InternalError):
        value("(try (broken) (catch e :caught))", environment=environment)


def test_the_place_is_the_innermost_form_of_the_program():
    found = error("(defn f [x]\n  (let [y 1]\n    (+ y (/ x 0))))\n\n(map f [1])")
    assert found.span is not None
    assert found.span.text == "(/ x 0)"
    assert found.span.line == 3


def test_the_trace_names_the_calls_innermost_first():
    found = error("(defn f [x] (+ 1 (/ x 0)))\n(defn g [x] (inc (f x)))\n(defn h [] (first (map g [1])))\n(h)")
    assert [(name, span.text) for name, span in found.trace if span is not None] == [
        ("f", "(/ x 0)"),
        ("g", "(f x)"),
        ("h", "(map g [1])"),
        ("the program", "(h)"),
    ]


def test_the_trace_of_a_deep_recursion_keeps_both_ends():
    found = error("(defn f [n] (if (= n 0) (/ 1 0) (+ 1 (f (dec n)))))\n(defn start [] (inc (f 5000)))\n(start)")
    assert len(found.trace) <= MAX_TRACE + 1
    assert found.trace[0][0] == "f"
    assert [name for name, _ in found.trace[-2:]] == ["start", "the program"]


def test_an_error_in_the_expansion_of_a_standard_macro_is_shown_in_the_program():
    found = error("(defn f [x]\n  (-> x (/ 0)))\n(f 1)")
    assert found.span is not None
    assert found.span.source.name == "test.rtfs"
    assert found.span.line == 2


def test_an_error_that_is_thrown_again_keeps_its_first_place():
    found = error("(defn f [] (/ 1 0))\n(try (f) (catch e (throw e)))")
    assert found.span is not None
    assert found.span.text == "(/ 1 0)"


def test_a_caught_error_answers_questions():
    assert value("(try (/ 1 0) (catch e (:code e)))") is Keyword("arithmetic/div-by-zero")


def test_errors_of_one_unit_are_shown_in_that_unit():
    environment = new_environment()
    start(compile_source(Source("\n\n(defn f [x] (/ x 0))", "one.rtfs"), environment))
    with pytest.raises(EvalError) as caught:
        start(compile_source(Source("(f 1)", "two.rtfs"), environment))
    assert str(caught.value.span) == "one.rtfs:3:13"


def test_a_comprehension_of_the_generated_code_is_no_call_of_the_program():
    assert error("(for [x [1 2]] (inc (:a x)))").trace == ()
