"""Functions on functions: `identity constantly comp partial complement juxt apply memoize`.

Must not know how guest functions are compiled. Invariant: every guest function is called from a Python frame as a plain
call, and what is returned is a plain Python function, so that guest recursion through it takes no C stack.
"""

from __future__ import annotations

from rtfs.builtins.calling import call_with, not_callable
from rtfs.builtins.collection_support import fresh_list
from rtfs.builtins.declare import builtin
from rtfs.builtins.deferred import steps
from rtfs.builtins.strings import str_, texts_together
from rtfs.values import LazySeq, Vector
from rtfs.values.kinds import FunctionType
from rtfs.values.map import encode_key
from rtfs.values.step_account import LARGE, let_go, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _named(function: Any, name: str) -> Any:
    function.__name__ = function.__qualname__ = name
    return function


def _need_callable(value: Any) -> Any:
    if callable(value):
        return value
    raise not_callable(value)


@builtin("identity", "(identity value)", "The value itself.", "(identity 5)", "5")
def identity(value: Any, /) -> Any:
    return value


@builtin(
    "constantly",
    "(constantly value)",
    "A function of any arguments that returns the value.",
    "((constantly 7) 1 2)",
    "7",
)
def constantly(value: Any, /) -> Any:
    def constant(*arguments: Any) -> Any:
        return value

    return _named(constant, "constantly")


@builtin(
    "comp",
    "(comp & functions)",
    "The function that applies the functions from the last to the first; `identity` of none.",
    "((comp inc inc) 1)",
    "3",
    "((comp str inc) 1)",
    '"2"',
)
def comp(*functions: Any) -> Any:
    for function in functions:
        _need_callable(function)
    if not functions:
        return identity
    if len(functions) == 1:
        return functions[0]
    if len(functions) == 2:
        f, g = functions

        def composed_two(*arguments: Any) -> Any:
            if len(arguments) == 1:
                return f(g(arguments[0]))
            return f(call_with(g, arguments))

        return _named(composed_two, "comp")
    innermost = functions[-1]
    outer = functions[-2::-1]

    def composed(*arguments: Any) -> Any:
        value = innermost(arguments[0]) if len(arguments) == 1 else call_with(innermost, arguments)
        for function in outer:
            value = function(value)
        return value

    return _named(composed, "comp")


@builtin(
    "partial",
    "(partial f & arguments)",
    "The function that calls f with the arguments and then its own.",
    "((partial + 1 2) 3 4)",
    "10",
)
def partial(f: Any, /, *fixed: Any) -> Any:
    _need_callable(f)
    if not fixed:
        return f
    if len(fixed) == 1:
        a = fixed[0]

        def partial_one(*arguments: Any) -> Any:
            if len(arguments) == 1:
                return f(a, arguments[0])
            if len(arguments) == 2:
                return f(a, arguments[0], arguments[1])
            return call_with(f, fixed + arguments)

        return _named(partial_one, "partial")

    def partial_many(*arguments: Any) -> Any:
        return call_with(f, fixed + arguments)

    return _named(partial_many, "partial")


@builtin(
    "fnil",
    "(fnil f default & defaults)",
    "The function that calls f with the defaults for first arguments (up to three) that are nil.",
    "((fnil inc 0) nil)",
    "1",
    "((fnil + 1 2) nil nil)",
    "3",
)
def fnil(f: Any, default: Any, /, *defaults: Any) -> Any:
    _need_callable(f)
    if not defaults:

        def with_default(first: Any, /, *more: Any) -> Any:
            if first is None:
                first = default
            return call_with(f, (first, *more)) if more else f(first)

        return _named(with_default, "fnil")
    replacing = (default, *defaults)

    def with_defaults(*arguments: Any) -> Any:
        given = list(arguments)
        for i in range(min(len(given), len(replacing))):
            if given[i] is None:
                given[i] = replacing[i]
        return call_with(f, given)

    return _named(with_defaults, "fnil")


@builtin(
    "complement",
    "(complement pred)",
    "The predicate that holds where pred does not.",
    "((complement even?) 3)",
    "true",
)
def complement(pred: Any, /) -> Any:
    _need_callable(pred)

    def complemented(*arguments: Any) -> bool:
        value = pred(arguments[0]) if len(arguments) == 1 else call_with(pred, arguments)
        return value is None or value is False

    return _named(complemented, "complement")


@builtin(
    "juxt",
    "(juxt f & functions)",
    "The function that returns a vector of the results of all functions for its arguments.",
    "((juxt inc dec) 5)",
    "[6 4]",
)
def juxt(f: Any, /, *more: Any) -> Any:
    functions = (f, *more)
    for function in functions:
        _need_callable(function)

    def juxtaposed(*arguments: Any) -> Any:
        results = []
        if len(arguments) == 1:
            argument = arguments[0]
            return Vector.of([function(argument) for function in functions])
        for function in functions:
            results.append(call_with(function, arguments))
        return Vector.of(results)

    return _named(juxtaposed, "juxt")


@builtin(
    "apply",
    "(apply f argument & more)",
    "Calls f with the arguments, the last of which is a collection whose elements are arguments.",
    "(apply + 1 [2 3])",
    "6",
)
def apply(f: Any, argument: Any, /, *more: Any) -> Any:
    last = more[-1] if more else argument
    if last.__class__ is LazySeq and f.__class__ is FunctionType and f.__name__ == "concat":
        return steps.lazy_mapcat(None, steps.lazy_concat([Vector.of([argument, *more[:-1]]), last]) if more else last)
    arguments = fresh_list("apply", last)
    if more:
        arguments[:0] = [argument, *more[:-1]]
    if f is str_ and len(arguments) > LARGE:
        # a call of millions of arguments copies them three times, which nothing interrupts
        text = texts_together(arguments)
        let_go(arguments)
        return text
    return call_with(f, arguments)


@builtin(
    "memoize",
    "(memoize f)",
    "A function like f that remembers its results by arguments, for pure functions.",
    "((memoize inc) 1)",
    "2",
)
def memoize(f: Any, /) -> Any:
    _need_callable(f)
    results: dict[Any, Any] = {}

    def memoized(*arguments: Any) -> Any:
        key = tuple([encode_key(argument) for argument in arguments])
        if key in results:
            return results[key]
        value = f(arguments[0]) if len(arguments) == 1 else call_with(f, arguments)
        results[key] = value
        return value

    return _named(memoized, "memoize")


@builtin(
    "every-pred",
    "(every-pred pred & preds)",
    "The predicate that holds if all predicates hold for all its arguments.",
    "((every-pred pos? even?) 2 4)",
    "true",
)
def every_pred(pred: Any, /, *more: Any) -> Any:
    preds = (pred, *more)
    for one in preds:
        _need_callable(one)

    def fits_all(*arguments: Any) -> bool:
        for one in preds:
            for argument in arguments:
                fits = one(argument)
                if fits is None or fits is False:
                    return False
        return True

    return _named(fits_all, "every-pred")


@builtin(
    "some-fn",
    "(some-fn f & functions)",
    "The function that returns the first true result of the functions for its arguments; else the last result.",
    "((some-fn :a :b) {:b 2})",
    "2",
    "((some-fn even? neg?) 1 -3)",
    "true",
)
def some_fn(f: Any, /, *more: Any) -> Any:
    functions = (f, *more)
    for one in functions:
        _need_callable(one)

    def first_answer(*arguments: Any) -> Any:
        answer: Any = None
        for one in functions:
            for argument in arguments:
                answer = one(argument)
                if answer is not None and answer is not False:
                    return answer
        return answer

    return _named(first_answer, "some-fn")


@builtin(
    "trampoline",
    "(trampoline f & arguments)",
    "Calls f with the arguments, then its result as long as that is a function; returns the first other value.",
    "(trampoline (fn [n] (fn [] (* n 2))) 4)",
    "8",
)
def trampoline(f: Any, /, *arguments: Any) -> Any:
    value = call_with(f, arguments)
    rounds = 0
    while value.__class__ is FunctionType:
        value = value()
        rounds += 1
        if rounds == 256:
            spend(rounds)
            rounds = 0
    return value
