"""Closures of loops: `loop`, `recur`, and inlined map, filter, remove, reduce.

Knows nothing of how hot code is compiled. Invariant: rounds are counted over all runs of a loop; a loop that gets hot
continues in compiled code, with the values that its variables have then.
"""

from __future__ import annotations

from itertools import repeat
from types import FunctionType

from rtfs.builtins.lazy_steps import lazy_filter, lazy_map
from rtfs.builtins.seqs import like
from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures import hot
from rtfs.compiler.closures.maker import GLOBALS, Maker, makes
from rtfs.compiler.codegen.support import sum_items, whole_or_lazy
from rtfs.values import LazySeq, Reduced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.closures.maker import Closure, Frame


class Hot:
    """Compiled code of a loop, made when first asked for. failed: it cannot be compiled, and stays closures."""

    __slots__ = ("compile", "failed", "pool")

    def __init__(self, compile: Callable[[], hot.Pool | None]) -> None:
        self.compile = compile
        self.pool: hot.Pool | None = None
        self.failed = False

    def function(self, namespace: dict[str, Any]) -> Any:
        """The code as a function, its globals in `namespace`; None if there is none."""
        if self.pool is None:
            if self.failed:
                return None
            self.pool = self.compile()
            if self.pool is None:
                self.failed = True
                return None
        self.pool.install(namespace)
        return FunctionType(self.pool.code, namespace)


# ---------------------------------------------------------------------- loop, recur
@makes(nodes.Loop)
def make_loop(m: Maker, node: nodes.Loop) -> Closure:
    values = m.make_all(node.values)
    # the variables lie side by side, so that a recur sets all at once
    start = len(m.layout.names) + 2
    for variable in node.variables:
        m.slot(variable)
    end = start + len(values)
    layout, closes, core = m.layout, node.closes, m.core
    body = m.make(node.body)
    rounds = repeat(None, hot.ROUNDS)
    compiled = Hot(lambda: hot.compile_loop(m, node, layout))

    def loop(f: Frame, at: int = node.at) -> Any:
        result: Any = [value(f) for value in values]
        while True:
            if closes:  # a closure of the body keeps the variables of its round
                f = f[:]
            f[start:end] = result
            for _ in rounds:
                break
            else:
                function = compiled.function(f[GLOBALS])
                if function is not None:
                    return function(f)
            for _ in core[" ticks"]:
                break
            else:
                core[" refill"]()
                for _ in core[" ticks"]:
                    break
            result = body(f)
            if result.__class__ is not tuple:
                return result

    return loop


@makes(nodes.Recur)
def make_recur(m: Maker, node: nodes.Recur) -> Closure:
    arguments = m.make_all(node.arguments)
    if len(arguments) == 1:
        (only,) = arguments
        return lambda f: (only(f),)
    if len(arguments) == 2:
        a, b = arguments
        return lambda f: (a(f), b(f))
    return lambda f: tuple([argument(f) for argument in arguments])


# ---------------------------------------------------------------------- map, filter, remove, reduce
@makes(nodes.Each)
def make_each(m: Maker, node: nodes.Each) -> Closure:
    collection = m.make(node.collection)
    operation, layout, closes = node.operation, m.layout, node.closes
    if operation == "sum":
        assert node.initial is not None
        return _make_sum(m, node, collection)
    compiled = Hot(lambda: hot.compile_each(m, node, layout))
    left = [hot.ROUNDS]

    def switched(f: Frame, elements: Any) -> Any:
        """The compiled code, if the call is hot by now, or lazy: then it may go on for ever."""
        left[0] -= hot.ROUNDS + 1 if elements.__class__ is LazySeq else len(elements)
        return compiled.function(f[GLOBALS]) if left[0] < 0 else None

    if operation == "reduce":
        return _make_reduce(m, node, collection, switched)
    item = m.slot(node.item)
    body = m.make(node.body)

    def select(f: Frame, at: int = node.at) -> Any:
        value = collection(f)
        elements = whole_or_lazy(operation, value)
        function = switched(f, elements)
        if function is not None:
            return function(f, value, None)
        if elements.__class__ is LazySeq:
            return _lazily(f, operation, item, body, elements)
        found = []
        for element in elements:
            if closes:
                f = f[:]
            f[item] = element
            result = body(f)
            if operation == "map":
                found.append(result)
            elif (result is None or result is False) is not wanted:
                found.append(element)
        return like(value, found)

    wanted = operation == "filter"
    return select


def _lazily(f: Frame, operation: str, item: int, body: Closure, elements: Any) -> Any:
    """An inlined `map`, `filter` or `remove` of a lazy sequence."""

    def step(element: Any) -> Any:
        frame = f[:]
        frame[item] = element
        return body(frame)

    return lazy_map(step, elements) if operation == "map" else lazy_filter(step, elements, operation == "filter")


def _make_reduce(m: Maker, node: nodes.Each, collection: Closure, switched: Callable[[Frame, Any], Any]) -> Closure:
    assert node.initial is not None
    assert node.accumulator is not None
    initial, closes = m.make(node.initial), node.closes
    accumulator, item = m.slot(node.accumulator), m.slot(node.item)
    body = m.make(node.body)

    def reduce(f: Frame, at: int = node.at) -> Any:
        result = initial(f)
        value = collection(f)
        elements = whole_or_lazy("reduce", value)
        function = switched(f, elements)
        if function is not None:
            return function(f, value, result)
        for element in elements:
            if closes:
                f = f[:]
            f[accumulator] = result
            f[item] = element
            result = body(f)
            if result.__class__ is Reduced:
                return result.value
        return result

    return reduce


def _make_sum(m: Maker, node: nodes.Each, collection: Closure) -> Closure:
    assert node.initial is not None
    initial = m.make(node.initial)

    def sum_(f: Frame, at: int = node.at) -> Any:
        result = initial(f)
        return sum_items(result, whole_or_lazy("sum", collection(f)))

    return sum_
