"""Labelled closures of loops: `loop`, `recur`, and inlined map, filter, remove, reduce.

Knows nothing of what a function does to labels. Invariant: what ends a loop, or runs one more round of it, decides
about its value and about everything done in later rounds.
"""

from __future__ import annotations

from rtfs.builtins import CORE
from rtfs.compiler.analysis import nodes
from rtfs.compiler.labelled.functions import LabelledFunction
from rtfs.compiler.labelled.maker import Again, LabelledMaker, decided, labels
from rtfs.compiler.labelled.moves import MOVES
from rtfs.flow.label import NOTHING, join
from rtfs.flow.tag import NO_TAG
from rtfs.values import LazySeq

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

    def loop(f: Frame, s: FlowState, at: int = node.at) -> Any:
        outer, by = s.pc, NOTHING
        pairs: Any = [value(f, s) for value in values]
        try:
            while True:
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
                by = join(by, result.by)
                s.pc = join(outer, by)
        finally:
            s.pc = outer

    return loop


@labels(nodes.Recur)
def label_recur(m: LabelledMaker, node: nodes.Recur) -> Labelled:
    arguments = m.make_all(node.arguments)
    return lambda f, s: Again([argument(f, s) for argument in arguments], NOTHING)


# ---------------------------------------------------------------------- map, filter, remove, reduce
@labels(nodes.Each)
def label_each(m: LabelledMaker, node: nodes.Each) -> Labelled:
    """The call that was inlined, of a function made of its body."""
    operation = node.operation
    initial = m.make(node.initial) if node.initial is not None else None
    collection = m.make(node.collection)
    name = "reduce" if operation == "sum" else operation
    move, function, step = MOVES[name], CORE[name], m.step(name, node.at)
    make = _addition if operation == "sum" else _body(m, node)

    def each(f: Frame, s: FlowState, at: int = node.at) -> Any:
        first = None if initial is None else initial(f, s)
        value, tag = collection(f, s)
        called = make(f[:] if value.__class__ is LazySeq else f)  # a lazy sequence calls it later
        if first is None:
            return move(s, function, [called, value], [NO_TAG, tag], step)
        return move(s, function, [called, first[0], value], [NO_TAG, first[1], tag], step)

    return each


def _addition(f: Frame) -> Any:
    return CORE["+"]


def _body(m: LabelledMaker, node: nodes.Each) -> Any:
    """What makes the body of an inlined call a function, given the frame of the call."""
    parameters = [node.item] if node.accumulator is None else [node.accumulator, node.item]
    fn = nodes.Fn(node.at, "fn", [nodes.Arity(node.at, parameters, None, node.body)], None, False)
    return LabelledFunction(m, fn, m.names.temporary()).instance
