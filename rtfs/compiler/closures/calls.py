"""Closures of calls: functions, primitives, displays, casts, requests to the host.

Knows nothing of what a builtin does. Invariant: a call is spelled out for its number of arguments, for `f(*arguments)`
goes through C and eats its stack; the function is evaluated before the arguments.
"""

from __future__ import annotations

from operator import getitem

from rtfs.builtins import calling, comparison
from rtfs.builtins.fixed_arity import EXACT
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import NOT_CALLABLE, kinds_of
from rtfs.compiler.analysis.literals import constant_vector
from rtfs.compiler.closures.control import NIL, constant
from rtfs.compiler.closures.maker import Maker, makes
from rtfs.compiler.codegen import support
from rtfs.values import Keyword, List, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.closures.maker import Closure, Frame


@makes(nodes.Invoke)
def make_invoke(m: Maker, node: nodes.Invoke) -> Closure:
    function, arguments = node.function, node.arguments
    if function.__class__ is nodes.Global:
        if function.core:
            name: str = function.name
            exact = EXACT.get((name, len(arguments)))
            return call_known(m, m.core[name] if exact is None else exact, arguments, node.at)
    elif _is_never_callable(function):
        return call_known(m, support.not_callable, [function, *arguments], node.at)
    return _spelled(len(arguments))(m.make(function), m.make_all(arguments), node.at)


def _is_never_callable(node: nodes.Node) -> bool:
    """True for what is plainly a number, a text, a boolean or nil."""
    if isinstance(node, nodes.Local) and node.binding.value is not None:
        node = node.binding.value
    kinds = kinds_of(node, {})
    return kinds is not None and kinds <= NOT_CALLABLE


def call_known(m: Maker, function: Any, arguments: list[nodes.Node], place: int) -> Closure:
    """A call of a function that is known now. A constant among two arguments takes no closure."""
    if len(arguments) == 1:
        a = m.make(arguments[0])

        def known_1(f: Frame, at: int = place, function: Any = function, a: Closure = a) -> Any:
            return function(a(f))

        return known_1
    if len(arguments) != 2:
        return _spelled(len(arguments))(constant(function), m.make_all(arguments), place)
    first, second = arguments
    if second.__class__ is nodes.Const:
        a, b = m.make(first), second.value

        def with_constant(f: Frame, at: int = place, function: Any = function, a: Closure = a, b: Any = b) -> Any:
            return function(a(f), b)

        return with_constant
    if first.__class__ is nodes.Const:
        a, b = first.value, m.make(second)

        def of_constant(f: Frame, at: int = place, function: Any = function, a: Any = a, b: Closure = b) -> Any:
            return function(a, b(f))

        return of_constant
    a, b = m.make(first), m.make(second)

    def known_2(f: Frame, at: int = place, function: Any = function, a: Closure = a, b: Closure = b) -> Any:
        return function(a(f), b(f))

    return known_2


def _spelled(count: int) -> Callable[..., Closure]:
    """A maker of closures for calls with this number of arguments: (function, arguments, place) -> closure."""
    made: Callable[..., Closure] | None = _SPELLED.get(count := min(count, calling.MOST_SPELLED + 1))
    if made is None:
        names = [f"a{index}" for index in range(count)]
        taken, call = ", ".join(names), f"return called({', '.join([f'{name}(f)' for name in names])})"
        if count > calling.MOST_SPELLED:  # CPython would compile thousands of names in one piece
            names, taken = ["rest"], "*rest"
            call = "values = []\n        for a in rest: values.append(a(f))\n        return call_with(called, values)"
        text = f"""
def make(function, arguments, place):
    [{taken}] = arguments
    def call(f, at=place, function=function, {", ".join([f"{name}={name}" for name in names])}):
        called = function(f)
        {call}
    return call
"""
        namespace: dict[str, Any] = {"call_with": calling.call_with}
        exec(compile(text, make_invoke.__code__.co_filename, "exec"), namespace)
        made = _SPELLED[count] = namespace["make"]
    return made


_SPELLED: dict[int, Any] = {}


@makes(nodes.Primitive)
def make_primitive(m: Maker, node: nodes.Primitive) -> Closure:
    function = _OPERATIONS.get(node.operation) or m.core.get(" " + node.operation)
    if function is not None:
        return call_known(m, function, node.arguments, node.at)
    arguments = m.make_all(node.arguments)
    kind = List if node.operation == "list_of" else Vector
    return lambda f: kind.of([argument(f) for argument in arguments])


_OPERATIONS: dict[str, Any] = {
    "equals": comparison.eq2,
    "unpacked": getitem,
    "is_map": lambda value: value.__class__ is Map,
}


@makes(nodes.VectorDisplay)
def make_vector(m: Maker, node: nodes.VectorDisplay) -> Closure:
    if (value := constant_vector(node)) is not None:
        return constant(value)
    items = m.make_all(node.items)

    def vector(f: Frame, items: list[Closure] = items) -> Any:
        made = []
        for item in items:
            made.append(item(f))
        return Vector.of(made)

    return vector


@makes(nodes.MapDisplay)
def make_map(m: Maker, node: nodes.MapDisplay) -> Closure:
    keys, values = node.items[::2], m.make_all(node.items[1::2])
    plain = [key.value for key in keys if isinstance(key, nodes.Const) and key.value.__class__ in (Keyword, str, int)]
    if len(plain) == len(keys):
        entries = list(zip(plain, values, strict=True))

        def plain_map(f: Frame, entries: list[tuple[Any, Closure]] = entries) -> Any:
            made = {}
            for key, value in entries:
                made[key] = value(f)
            return Map.of_plain(made)

        return plain_map
    pairs = list(zip(m.make_all(keys), values, strict=True))

    def map_(f: Frame, at: int = node.at) -> Any:
        return Map([(key(f), value(f)) for key, value in pairs])

    return map_


@makes(nodes.Cast)
def make_cast(m: Maker, node: nodes.Cast) -> Closure:
    value, type, what, cast = m.make(node.value), m.types.of(node.type), node.what, support.cast

    def cast_(f: Frame, at: int = node.at) -> Any:
        return cast(type, value(f), what)

    return cast_


@makes(nodes.TypeTest)
def make_type_test(m: Maker, node: nodes.TypeTest) -> Closure:
    value, accepts = m.make(node.value), m.types.of(node.type).accepts
    return lambda f: accepts(value(f))


@makes(nodes.HostRequest)
def make_request(m: Maker, node: nodes.HostRequest) -> Closure:
    request, kind, filename = m.core[" placed_request"], node.kind, m.filename
    id, arguments = m.make(node.id), m.make_all(node.arguments)
    hints = NIL if node.hints is None else m.make(node.hints)

    def request_(f: Frame, at: int = node.at, id: Closure = id, arguments: list[Closure] = arguments) -> Any:
        name, values = id(f), []
        for argument in arguments:
            values.append(argument(f))
        return request(kind, name, tuple(values), hints(f), filename, at)

    return request_
