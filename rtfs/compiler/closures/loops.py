"""Closures of loops: `loop`, `recur`, and inlined `map`, `reduce` and their like.

Knows nothing of how hot code is compiled. Invariant: rounds are counted over all runs of a loop; a loop that gets hot
continues in compiled code, with the values that its variables have then.
"""

from __future__ import annotations

from itertools import repeat
from types import FunctionType

from rtfs.builtins.collection_support import items, like, next_batch
from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import AT_ONCE, CHOOSING, DECIDING, LAZILY
from rtfs.compiler.closures import hot
from rtfs.compiler.closures.frames import GLOBALS
from rtfs.compiler.closures.functions import Function
from rtfs.compiler.closures.maker import Maker, makes
from rtfs.compiler.codegen.support import begin_asking, go_on, lazy_batches, sum_items, whole_or_lazy
from rtfs.values import LazySeq, Reduced, Vector, unreduced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from rtfs.compiler.closures.frames import Layout
    from rtfs.compiler.closures.maker import Closure, Frame


class Hot:
    """Compiled code of a loop, made when first asked for by `compile`. left: rounds until then. failed: it cannot be
    compiled, and stays closures."""

    __slots__ = ("compile", "failed", "layout", "left", "maker", "node", "pool")

    def __init__(self, maker: Maker, node: Any, compile: Callable[[Maker, Any, Layout], hot.Pool | None]) -> None:
        self.maker = maker
        self.node = node
        self.layout = maker.layout
        self.compile = compile
        self.left = hot.ROUNDS
        self.pool: hot.Pool | None = None
        self.failed = False

    def function(self, namespace: dict[str, Any]) -> Any:
        """The code as a function, its globals in `namespace`; None if there is none."""
        if self.pool is None:
            if self.failed:
                return None
            self.pool = self.compile(self.maker, self.node, self.layout)
            if self.pool is None:
                self.failed = True
                return None
        self.pool.install(namespace)
        return FunctionType(self.pool.code, namespace)

    def switched(self, f: Frame, rounds: int) -> Any:
        """The compiled code, if the call is hot after so many more rounds."""
        self.left -= rounds
        if self.left >= 0:
            return None
        self.layout.heat()
        return self.function(f[GLOBALS])


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
    compiled = Hot(m, node, hot.compile_loop)

    def loop(f: Frame, at: int = node.at) -> Any:
        result: Any = [value(f) for value in values]
        while True:
            if closes:  # a closure of the body keeps the variables of its round
                f = f[:]
            f[start:end] = result
            for _ in rounds:
                break
            else:
                layout.heat()
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


@makes(nodes.Each)
def make_each(m: Maker, node: nodes.Each) -> Closure:
    collection = m.make(node.collection)
    operation = node.operation
    if operation == "sum":
        return _make_sum(m, node, collection)
    each = Hot(m, node, hot.compile_each)
    if operation == "reduce":
        return _make_reduce(m, node, collection, each)
    if operation in DECIDING:
        return _make_decision(m, node, collection, each)
    index = m.slot(node.accumulator) if node.accumulator is not None else 0
    item = m.slot(node.item)
    body = m.make(node.body)
    functions: list[Function] = []

    def select(
        f: Frame,
        at: int = node.at,
        collection: Closure = collection,
        each: Hot = each,
        index: int = index,
        item: int = item,
        body: Closure = body,
        functions: list[Function] = functions,
    ) -> Any:
        node, value = each.node, collection(f)
        operation, closes = node.operation, node.closes
        chooses, keeps, at_once = operation in CHOOSING, operation == "keep", operation in AT_ONCE
        elements = items(operation, value) if at_once else whole_or_lazy(operation, value)
        if elements.__class__ is LazySeq:
            lazily = each.maker.core[LAZILY.get(operation, " lazy_filter")]
            function = _body_as_function(each, functions, f)
            return lazily(function, elements, *([operation != "remove"] if chooses else []))
        function = each.switched(f, len(elements))
        if function is not None:
            return function(f, value, None)
        wanted, found = operation != "remove", []
        for number, element in enumerate(elements):
            if closes:
                f = f[:]
            if index:
                f[index] = number
            f[item] = element
            result = body(f)
            if not chooses:
                if not keeps or result is not None:
                    found.append(result)
            elif (result is None or result is False) is not wanted:
                found.append(element)
        return Vector.of(found) if at_once else like(value, found)

    return select


def _make_decision(m: Maker, node: nodes.Each, collection: Closure, each: Hot) -> Closure:
    """`every?`, `some` and their like: the answer of the first round that decides, or that of none."""
    item = m.slot(node.item)
    body = m.make(node.body)

    def decide(
        f: Frame, at: int = node.at, collection: Closure = collection, each: Hot = each, item: int = item,
        body: Closure = body,
    ) -> Any:  # fmt: skip
        node, value = each.node, collection(f)
        operation, closes = node.operation, node.closes
        otherwise, by_truth, answer = DECIDING[operation]
        parts, cursor = begin_asking(operation, value)
        if cursor is None and value is not None:
            function = each.switched(f, len(value))
            if function is not None:
                return function(f, value, None)
        while True:
            for part in parts:
                for element in part:
                    if closes:
                        f = f[:]
                    f[item] = element
                    result = body(f)
                    if (result is not None and result is not False) is by_truth:
                        return result if answer is ... else answer
            if cursor is None:
                return otherwise
            parts, cursor = go_on(cursor)

    return decide


def _body_as_function(each: Hot, made: list[Function], f: Frame) -> Any:
    """The body of an inlined call as a function of an element, in the frame of the call: a lazy sequence calls the
    function later, when the locals around it may have other values. made: takes what it is made by."""
    if not made:
        node, m = each.node, each.maker
        parameters = [node.item] if node.accumulator is None else [node.accumulator, node.item]
        fn = nodes.Fn(node.at, "fn", [nodes.Arity(node.at, parameters, None, node.body)], None, False)
        made.append(Function(m.fork(each.layout), fn, m.names.temporary()))
    return made[0].instance(f[:])


def _make_reduce(m: Maker, node: nodes.Each, collection: Closure, each: Hot) -> Closure:
    assert node.initial is not None
    assert node.accumulator is not None
    initial = m.make(node.initial)
    accumulator, item = m.slot(node.accumulator), m.slot(node.item)
    body = m.make(node.body)

    def rounds(
        f: Frame, elements: Any, result: Any, closes: bool = node.closes, accumulator: int = accumulator,
        item: int = item, body: Closure = body,
    ) -> Any:  # fmt: skip
        """The result after the elements; a `Reduced` one ends the reduction."""
        for element in elements:
            if closes:
                f = f[:]
            f[accumulator] = result
            f[item] = element
            result = body(f)
            if result.__class__ is Reduced:
                break
        return result

    def reduce(
        f: Frame, at: int = node.at, collection: Closure = collection, initial: Closure = initial, each: Hot = each,
        rounds: Callable[..., Any] = rounds,
    ) -> Any:  # fmt: skip
        result = initial(f)
        value = collection(f)
        elements = whole_or_lazy("reduce", value)
        if elements.__class__ is not LazySeq:
            function = each.switched(f, len(elements))
            return function(f, value, result) if function is not None else unreduced(rounds(f, elements, result))
        batch, cursor = lazy_batches(elements)
        while cursor is not None:
            result = rounds(f, batch, result)
            if result.__class__ is Reduced:
                return result.value
            batch, cursor = next_batch(cursor)
        return result

    return reduce


def _make_sum(m: Maker, node: nodes.Each, collection: Closure) -> Closure:
    assert node.initial is not None
    initial = m.make(node.initial)

    def sum_(f: Frame, at: int = node.at) -> Any:
        result = initial(f)
        return sum_items(result, whole_or_lazy("sum", collection(f)))

    return sum_
