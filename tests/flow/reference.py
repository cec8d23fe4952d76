"""A slow interpreter of labels, written apart from `rtfs.compiler.labelled`: what a value was certainly made of.

It evaluates forms, not analysed nodes, and knows the few functions that the random programs of test_properties.py use.
Each value carries the sources that contributed to it and those that decided about it; containers hold such values. It
says the least that has to be said: the labels of a run must have all of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from rtfs.source import Source
from rtfs.syntax.reader import read_forms
from rtfs.values import Keyword, List, Map, Symbol, Vector

NONE: frozenset[str] = frozenset()


class Value:
    """raw: a number, a boolean, nil, a keyword, a list of `Value`s, a dict of them, or a function of `Value`s."""

    def __init__(self, raw: Any, data: frozenset[str] = NONE, control: frozenset[str] = NONE) -> None:
        self.raw = raw
        self.data = data
        self.control = control

    def by(self, *deciders: Value) -> Value:
        """The same value, decided by others."""
        control = self.control.union(*[one.all() for one in deciders])
        return Value(self.raw, self.data, control)

    def made_of(self) -> frozenset[str]:
        """What contributed to it and to what it holds."""
        return self.data.union(*[part.made_of() for part in self._parts()])

    def decided(self) -> frozenset[str]:
        """What decided about it and about what it holds."""
        return self.control.union(*[part.decided() for part in self._parts()])

    def all(self) -> frozenset[str]:
        return self.made_of() | self.decided()

    def own(self) -> Value:
        """Its structure alone."""
        return Value(None, self.data, self.control)

    def _parts(self) -> list[Value]:
        if isinstance(self.raw, list):
            return self.raw
        return list(self.raw.values()) if isinstance(self.raw, dict) else []


class Thrown(Exception):
    """An error of the program, with what it carries."""

    def __init__(self, data: Value) -> None:
        self.data = data


class Recur(Exception):
    def __init__(self, values: list[Value]) -> None:
        self.values = values


class Sink(Exception):
    """The sink was called: that ends the program."""

    def __init__(self, value: Value) -> None:
        self.value = value


def reference(text: str, sources: dict[str, int]) -> Value | None:
    """What reaches the sink, or None if nothing does. sources: what the capabilities answer."""
    (form,) = read_forms(Source(text, "program"))
    try:
        Interpreter(sources).of(form, {})
    except Sink as sink:
        return sink.value
    except (Thrown, ZeroDivisionError, TypeError, IndexError):
        return None
    return None


class Interpreter:
    """answers: id → what a capability answers."""

    def __init__(self, answers: dict[str, int]) -> None:
        self.answers = answers

    def of(self, form: Any, env: dict[str, Value]) -> Value:
        """The value of a form."""
        if isinstance(form, Symbol):
            return env[form.name] if form.name in env else Value(FUNCTIONS[form.name])
        if isinstance(form, Vector):
            return Value([self.of(part, env) for part in form])
        if isinstance(form, Map):
            return Value({key.name: self.of(part, env) for key, part in form.items()})
        if not isinstance(form, List):
            return Value(form, frozenset(("plan",)))
        head, *rest = form.to_list()
        if isinstance(head, Keyword):
            return get(self.of(rest[0], env), Value(head.name))
        if isinstance(head, Symbol) and hasattr(self, "form_" + head.name.replace("-", "_")):
            made: Value = getattr(self, "form_" + head.name.replace("-", "_"))(rest, env)
            return made
        function = self.of(head, env)
        value: Value = function.raw(*[self.of(part, env) for part in rest])
        return value

    def form_if(self, parts: list[Any], env: dict[str, Value]) -> Value:
        test = self.of(parts[0], env)
        chosen = parts[1] if truthy(test) else parts[2] if len(parts) > 2 else None
        return self.of(chosen, env).by(test)

    def form_when(self, parts: list[Any], env: dict[str, Value]) -> Value:
        return self.form_if([*parts, None], env)

    def form_or(self, parts: list[Any], env: dict[str, Value]) -> Value:
        first = self.of(parts[0], env)
        return first if truthy(first) else self.of(parts[1], env).by(first)

    def form_let(self, parts: list[Any], env: dict[str, Value]) -> Value:
        pattern, given = parts[0].to_list()
        value = self.of(given, env)
        if isinstance(pattern, Map):  # {:keys [a b]}
            ((_, names),) = pattern.items()
            taken = {one.name: get(value, Value(one.name)) for one in names.to_list()}
        else:
            taken = {pattern.name: value}
        return self.of(parts[1], {**env, **taken})

    def form_fn(self, parts: list[Any], env: dict[str, Value]) -> Value:
        names = [one.name for one in parts[0].to_list()]
        return Value(lambda *given: self.of(parts[1], {**env, **dict(zip(names, given, strict=True))}))

    def form_loop(self, parts: list[Any], env: dict[str, Value]) -> Value:
        bound = parts[0].to_list()
        names = [one.name for one in bound[::2]]
        values = [self.of(one, env) for one in bound[1::2]]
        while True:
            try:
                return self.of(parts[1], {**env, **dict(zip(names, values, strict=True))})
            except Recur as again:
                values = again.values

    def form_recur(self, parts: list[Any], env: dict[str, Value]) -> Value:
        raise Recur([self.of(one, env) for one in parts])

    def form_throw(self, parts: list[Any], env: dict[str, Value]) -> Value:
        raise Thrown(get(self.of(parts[0], env), Value("data")))

    def form_try(self, parts: list[Any], env: dict[str, Value]) -> Value:
        _, name, handler = parts[1].to_list()
        try:
            return self.of(parts[0], env)
        except Thrown as thrown:
            return self.of(handler, {**env, name.name: Value({"data": thrown.data})})

    def form_match(self, parts: list[Any], env: dict[str, Value]) -> Value:
        subject = self.of(parts[0], env)
        by: list[Value] = []
        for pattern, body in zip(parts[1::2], parts[2::2], strict=True):
            inner = dict(env)
            for part, value in zip(pattern.to_list(), subject.raw, strict=True):
                if isinstance(part, Symbol):
                    inner[part.name] = value
                else:
                    by.append(value)
                    if value.raw != part:
                        break
            else:
                return self.of(body, inner).by(*by)
        raise AssertionError("the last pattern takes everything")

    def form_for(self, parts: list[Any], env: dict[str, Value]) -> Value:
        name, coll, other, others = parts[0].to_list()
        found = [
            self.of(parts[1], {**env, name.name: one, other.name: two})
            for one in self.of(coll, env).raw
            for two in self.of(others, env).raw
        ]
        return Value(found)

    def form_step_parallel(self, parts: list[Any], env: dict[str, Value]) -> Value:
        return Value([self.of(one, env) for one in parts])

    def form_call(self, parts: list[Any], env: dict[str, Value]) -> Value:
        if parts[0] == "sink":
            raise Sink(get(self.of(parts[1], env), Value("value")))
        if parts[0] == "my.pick":
            return get(self.of(parts[1], env), Value("b"))
        return Value(self.answers[parts[0]], frozenset((parts[0],)))


# ---------------------------------------------------------------------- functions
def truthy(value: Value) -> bool:
    return value.raw is not None and value.raw is not False


def computed(function: Callable[..., Any]) -> Callable[..., Value]:
    """A function whose value is made of all that it is given."""

    def call(*given: Value) -> Value:
        data = NONE.union(*[one.made_of() for one in given])
        control = NONE.union(*[one.decided() for one in given])
        return Value(function(*[one.raw for one in given]), data, control)

    return call


def get(value: Value, key: Value) -> Value:
    raw = value.raw or {}
    if isinstance(raw, list):
        return raw[key.raw].by(value.own(), key)
    return raw.get(key.raw, Value(None)).by(value.own(), key)


def filtered(test: Value, coll: Value) -> Value:
    answers = [test.raw(one) for one in coll.raw]
    kept = [one.by(answer) for one, answer in zip(coll.raw, answers, strict=True) if truthy(answer)]
    return Value(kept, coll.data, coll.control.union(*[one.all() for one in answers]))


def ordered(key: Callable[[Value], Any]) -> Callable[[Value], Value]:
    """A sort: each element is where it is because of all."""

    def sort(coll: Value) -> Value:
        return Value([one.by(*coll.raw) for one in sorted(coll.raw, key=key)], coll.data, coll.control)

    return sort


def sort_by(key: Value, coll: Value) -> Value:
    return ordered(cmp_to_key(lambda one, two: key.raw(one).raw - key.raw(two).raw))(coll)


def reduced(function: Value, *rest: Value) -> Value:
    items = list(rest[-1].raw)
    value = rest[0] if len(rest) == 2 else items.pop(0)
    for one in items:
        value = function.raw(value, one)
    return value


def some(test: Value, coll: Value) -> Value:
    asked: list[Value] = []
    for one in coll.raw:
        found = test.raw(one)
        if truthy(found):
            return found.by(*asked)
        asked.append(found)
    return Value(None).by(*asked)


def updated(value: Value, key: Value, function: Value) -> Value:
    return Value({**value.raw, key.raw.name: function.raw(value.raw[key.raw.name])}, value.data, value.control)


def assoc(value: Value, index: Value, new: Value) -> Value:
    items = list(value.raw)
    items[index.raw] = new
    return Value(items, value.data, value.control)


def assoc_in(value: Value, path: Value, new: Value) -> Value:
    (key,) = path.raw
    return Value({**value.raw, key.raw.name: new}, value.data, value.control)


def get_in(value: Value, path: Value) -> Value:
    for one in path.raw:
        value = get(value, Value(one.raw.name))
    return value


class Endless:
    """`(iterate f x)`, and a `map` over it."""

    def __init__(self, function: Value, start: Value) -> None:
        self.function = function
        self.start = start
        self.then: list[Value] = []

    def take(self, count: int) -> list[Value]:
        found, value = [], self.start
        for _ in range(count):
            one = value
            for function in self.then:
                one = function.raw(one)
            found.append(one)
            value = self.function.raw(value)
        return found


def mapped(function: Value, coll: Value) -> Value:
    if isinstance(coll.raw, Endless):
        coll.raw.then.append(function)
        return coll
    return Value([function.raw(one) for one in coll.raw], coll.data, coll.control)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": computed(lambda *given: sum(given)),
    "-": computed(lambda one: -one),
    "<": computed(lambda one, two: one < two),
    "=": computed(lambda one, two: one == two),
    "mod": computed(lambda one, two: one % two),
    "inc": computed(lambda one: one + 1),
    "even?": computed(lambda one: one % 2 == 0),
    "max": computed(max),
    "count": lambda coll: Value(len(coll.raw), coll.data, coll.control),
    "nth": get,
    "first": lambda coll: get(coll, Value(0)),
    "second": lambda coll: get(coll, Value(1)),
    "last": lambda coll: get(coll, Value(len(coll.raw) - 1)),
    "get-in": get_in,
    "sort": ordered(lambda one: one.raw),
    "sort-by": sort_by,
    "reduce": reduced,
    "filter": filtered,
    "apply": lambda function, coll: function.raw(*coll.raw),
    "update": updated,
    "conj": lambda coll, one: Value([*coll.raw, one], coll.data, coll.control),
    "some": some,
    "map": mapped,
    "mapv": mapped,
    "iterate": lambda function, start: Value(Endless(function, start)),
    "take": lambda count, coll: Value(coll.raw.take(count.raw)),
    "reverse": lambda coll: Value(coll.raw[::-1], coll.data, coll.control),
    "vec": lambda coll: coll,
    "concat": lambda one, two: Value([*one.raw, *two.raw]),
    "assoc": assoc,
    "assoc-in": assoc_in,
    "vals": lambda coll: Value(list(coll.raw.values()), coll.data, coll.control),
    "zipmap": lambda keys, coll: Value(
        {key.raw.name: one for key, one in zip(keys.raw, coll.raw, strict=False)}, coll.data, coll.control
    ),
}
