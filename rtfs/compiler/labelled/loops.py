"""Labelled closures of loops: `loop`, `recur`, and inlined map, filter, remove, reduce.

Knows nothing of what a function does to labels. Invariant: what ends a loop, or runs one more round of it, decides
about its value and about everything done in later rounds.
"""

from __future__ import annotations

from rtfs.builtins import CORE
from rtfs.compiler.analysis import nodes
from rtfs.compiler.labelled.functions import LabelledFunction
from rtfs.compiler.labelled.maker import Again, LabelledMaker, decided, labels
from rtfs.compiler.labelled.moves import MOVES, join_all
from rtfs.compiler.labelled.unlabelled import ROUNDS, region_of_each, region_of_loop
from rtfs.flow.label import NOTHING, join
from rtfs.flow.tag import NO_TAG, Tag
from rtfs.values import LazySeq, List, Map, Set, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.labelled.maker import Frame, Labelled
    from rtfs.flow.state import FlowState


# ---------------------------------------------------------------------- loop, recur
@labels(nodes.Loop)
def label_loop(m: LabelledMaker, node: nodes.Loop) -> Labelled:
    values = m.make_all(node.values)
    start = len(m.layout.names) + 2
    for variable in node.variables:
        m.slot(variable)
    end = start + len(values)
    closes, core = node.closes, m.core
    body = m.make(node.body)
    region = region_of_loop(m, node)
    free = [] if region is None else [m.make(nodes.Local(node.at, one)) for one in region.free]

    def loop(f: Frame, s: FlowState, at: int = node.at) -> Any:
        outer, by = s.pc, NOTHING
        pairs: Any = [value(f, s) for value in values]
        left = ROUNDS
        try:
            while True:
                left -= 1
                if left == 0 and region is not None:
                    given = [*[one(f, s) for one in free], *pairs]
                    if region.clean(Tag(by)) and all(region.clean(tag) for _, tag in given):
                        return region.run(s, f[0], [value for value, _ in given])
                if closes:  # a closure of the body keeps the variables of its round
                    f = f[:]
                f[start:end] = pairs
                for _ in core[" ticks"]:
                    break
                else:
                    core[" refill"]()
                    for _ in core[" ticks"]:
                        break
                result = body(f, s)
                if result.__class__ is tuple:
                    return decided(result, by)
                pairs = result.pairs
                if result.by is not NOTHING:
                    by = join(by, result.by)
                    s.pc = join(outer, by)
        finally:
            s.pc = outer

    return loop


@labels(nodes.Recur)
def label_recur(m: LabelledMaker, node: nodes.Recur) -> Labelled:
    arguments = m.make_all(node.arguments)
    return lambda f, s: Again([argument(f, s) for argument in arguments], NOTHING)


# ---------------------------------------------------------------------- map, reduce and their like
@labels(nodes.Each)
def label_each(m: LabelledMaker, node: nodes.Each) -> Labelled:
    """The call that was inlined, of a function made of its body."""
    operation = node.operation
    initial = m.make(node.initial) if node.initial is not None else None
    collection = m.make(node.collection)
    name = "reduce" if operation == "sum" else operation
    move, function, step = MOVES.get(name, join_all), CORE[name], m.step(name, node.at)
    make = _addition if operation == "sum" else _body(m, node)
    region = region_of_each(m, node)
    free = [] if region is None else [m.make(nodes.Local(node.at, one)) for one in region.free]

    def each(f: Frame, s: FlowState, at: int = node.at) -> Any:
        first = None if initial is None else initial(f, s)
        value, tag = collection(f, s)
        if region is not None and region.clean(tag) and is_long(value):
            given = [*[one(f, s) for one in free], (value, tag), *([first] if first is not None else [])]
            if all(region.clean(one) for _, one in given):
                return region.run(s, f[0], [one for one, _ in given])
        called = make(f[:] if value.__class__ is LazySeq else f)  # a lazy sequence calls it later
        if first is None:
            return move(s, function, [called, value], [NO_TAG, tag], step)
        return move(s, function, [called, first[0], value], [NO_TAG, first[1], tag], step)

    return each


def is_long(value: Any) -> bool:
    """Whether a collection has so many elements that a second closure pays."""
    kind = value.__class__
    return kind in _COUNTED and len(value) >= ROUNDS


_COUNTED = frozenset((Vector, List, Map, Set))


def _addition(f: Frame) -> Any:
    return CORE["+"]


def _body(m: LabelledMaker, node: nodes.Each) -> Any:
    """A maker that turns the body of an inlined call into a function, given the frame of the call."""
    parameters = [node.item] if node.accumulator is None else [node.accumulator, node.item]
    fn = nodes.Fn(node.at, "fn", [nodes.Arity(node.at, parameters, None, node.body)], None, False)
    return LabelledFunction(m, fn, m.names.temporary()).instance
