"""Closures of calls: functions, primitives, displays, casts, requests to the host.

Knows nothing of what a builtin does. Invariant: a call is spelled out for its number of arguments, for `f(*arguments)`
goes through C and eats its stack; the function is evaluated before the arguments.
"""

from __future__ import annotations

from rtfs.builtins import calling, comparison
from rtfs.builtins.fixed_arity import EXACT
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import NOT_CALLABLE, kinds_of
from rtfs.compiler.closures.control import global_value
from rtfs.compiler.closures.maker import Maker, makes
from rtfs.compiler.codegen import support
from rtfs.compiler.mangling import global_name
from rtfs.values import Keyword, List, Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.closures.maker import Closure, Frame


@makes(nodes.Invoke)
def make_invoke(m: Maker, node: nodes.Invoke) -> Closure:
    function, arguments = node.function, m.make_all(node.arguments)
    if function.__class__ is nodes.Global:
        if function.core:
            name: str = function.name
            exact = EXACT.get((name, len(arguments)))
            return call_known(m.core[name] if exact is None else exact, arguments, node.at)
        return _call_global(global_name(function.name), function.at, arguments, node.at)
    if _is_never_callable(function):
        return call_known(support.not_callable, [m.make(function), *arguments], node.at)
    return _spelled(len(arguments))(m.make(function), arguments, node.at)


def _is_never_callable(node: nodes.Node) -> bool:
    """True for what is plainly a number, a text, a boolean or nil."""
    if isinstance(node, nodes.Local) and node.binding.value is not None:
        node = node.binding.value
    kinds = kinds_of(node, {})
    return kinds is not None and kinds <= NOT_CALLABLE


def call_known(function: Any, arguments: list[Closure], place: int) -> Closure:
    """A call of a function that is known now."""
    count = len(arguments)
    if count == 1:
        (a,) = arguments

        def known_1(f: Frame, at: int = place) -> Any:
            return function(a(f))

        return known_1
    if count == 2:
        a, b = arguments

        def known_2(f: Frame, at: int = place) -> Any:
            return function(a(f), b(f))

        return known_2
    if count == 3:
        a, b, c = arguments

        def known_3(f: Frame, at: int = place) -> Any:
            return function(a(f), b(f), c(f))

        return known_3
    return _spelled(count)(lambda f: function, arguments, place)


def _call_global(key: str, name_at: int, arguments: list[Closure], place: int) -> Closure:
    count = len(arguments)

    def missing(f: Frame, at: int = name_at) -> Any:
        return global_value(f[0], key)

    if count == 1:
        (a,) = arguments

        def global_1(f: Frame, at: int = place) -> Any:
            try:
                function = f[0][key]
            except KeyError:
                function = missing(f)
            return function(a(f))

        return global_1
    if count == 2:
        a, b = arguments

        def global_2(f: Frame, at: int = place) -> Any:
            try:
                function = f[0][key]
            except KeyError:
                function = missing(f)
            return function(a(f), b(f))

        return global_2

    def function_of(f: Frame) -> Any:
        try:
            return f[0][key]
        except KeyError:
            return missing(f)

    return _spelled(count)(function_of, arguments, place)


def _spelled(count: int) -> Callable[..., Closure]:
    """A maker of closures for calls with this number of arguments: (function, arguments, place) -> closure."""
    made: Callable[..., Closure] | None = _SPELLED.get(count)
    if made is None:
        names = [f"a{index}" for index in range(count)]
        values = ", ".join([f"{name}(f)" for name in names])
        call = f"called({values})" if count <= calling.MOST_SPELLED else f"call_with(called, [{values}])"
        text = f"""
def make(function, arguments, place):
    [{", ".join(names)}] = arguments
    def call(f, at=place):
        called = function(f)
        return {call}
    return call
"""
        namespace: dict[str, Any] = {"call_with": calling.call_with}
        exec(compile(text, make_invoke.__code__.co_filename, "exec"), namespace)
        made = _SPELLED[count] = namespace["make"]
    return made


_SPELLED: dict[int, Any] = {}


@makes(nodes.Primitive)
def make_primitive(m: Maker, node: nodes.Primitive) -> Closure:
    arguments = m.make_all(node.arguments)
    function = _OPERATIONS.get(node.operation) or m.core.get(" " + node.operation)
    if function is not None:
        return call_known(function, arguments, node.at)
    kind = List if node.operation == "list_of" else Vector
    return lambda f: kind.of([argument(f) for argument in arguments])


_OPERATIONS: dict[str, Any] = {
    "equals": comparison.eq2,
    "unpacked": lambda items, index: items[index],
    "is_map": lambda value: value.__class__ is Map,
}


@makes(nodes.VectorDisplay)
def make_vector(m: Maker, node: nodes.VectorDisplay) -> Closure:
    items = m.make_all(node.items)
    return lambda f: Vector.of([item(f) for item in items])


@makes(nodes.MapDisplay)
def make_map(m: Maker, node: nodes.MapDisplay) -> Closure:
    keys, values = node.items[::2], m.make_all(node.items[1::2])
    plain = [key.value for key in keys if isinstance(key, nodes.Const) and key.value.__class__ in (Keyword, str, int)]
    if len(plain) == len(keys):
        entries = list(zip(plain, values, strict=True))
        return lambda f: Map.of_plain({key: value(f) for key, value in entries})
    pairs = list(zip(m.make_all(keys), values, strict=True))

    def map_(f: Frame, at: int = node.at) -> Any:
        return Map([(key(f), value(f)) for key, value in pairs])

    return map_


@makes(nodes.Cast)
def make_cast(m: Maker, node: nodes.Cast) -> Closure:
    value, type, what, cast = m.make(node.value), m.type_of(node.type), node.what, support.cast

    def cast_(f: Frame, at: int = node.at) -> Any:
        return cast(type, value(f), what)

    return cast_


@makes(nodes.TypeTest)
def make_type_test(m: Maker, node: nodes.TypeTest) -> Closure:
    value, accepts = m.make(node.value), m.type_of(node.type).accepts
    return lambda f: accepts(value(f))


@makes(nodes.HostRequest)
def make_request(m: Maker, node: nodes.HostRequest) -> Closure:
    request, kind, id, arguments = m.core[" request"], node.kind, m.make(node.id), m.make_all(node.arguments)
    hints = m.make(node.hints) if node.hints is not None else None

    def request_(f: Frame, at: int = node.at) -> Any:
        name, values = id(f), tuple([argument(f) for argument in arguments])
        return request(kind, name, values) if hints is None else request(kind, name, values, hints(f))

    return request_
