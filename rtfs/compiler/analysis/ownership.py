"""Ownership: where an accumulator may be changed in place because nobody else can see it.

Knows nothing of Python code. A loop variable or the accumulator of an inlined `reduce` starts as a map or vector made
on the spot; as long as it is only asked (`get`, `count` …) and then passed on with one more entry, building it in place
gives what building new versions gives. Invariant: when in doubt the answer is no.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.nodes import Binding, Invoke, Local, Node, children, walk
from rtfs.values import Map, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Harmless = Callable[[Node, Binding], bool]

# (function, kind of accumulator, arguments)
_UPDATES = frozenset((("assoc", "map", 3), ("conj", "vector", 2)))

# functions that look at their first argument and keep nothing of it but elements
_ASKING = frozenset(("get", "count", "length", "contains?", "nth", "empty?", "get-in", "first", "last"))


def fresh_kind(node: Node | None) -> str | None:
    """`map` or `vector` if the node makes a new one each time it is evaluated (an empty constant counts)."""
    if isinstance(node, nodes.MapDisplay):
        return "map"
    if isinstance(node, nodes.VectorDisplay):
        return "vector"
    if isinstance(node, nodes.Const) and not isinstance(node.value, str):
        if node.value.__class__ is Map and not len(node.value):
            return "map"
        if node.value.__class__ is Vector and not len(node.value):
            return "vector"
    return None


def core_name(node: Node) -> str | None:
    """The standard function that a call calls."""
    if isinstance(node, Invoke) and isinstance(node.function, nodes.Global) and node.function.core:
        return node.function.name
    return None


def is_update(node: Node, accumulator: Binding, kind: str, harmless: Harmless) -> bool:
    """True for the accumulator itself, or with one more entry: (assoc m k v) on a map, (conj v x) on a vector."""
    if isinstance(node, Local):
        return node.binding is accumulator
    if not isinstance(node, Invoke) or (core_name(node), kind, len(node.arguments)) not in _UPDATES:
        return False
    inner, *rest = node.arguments
    if isinstance(inner, Local):
        return inner.binding is accumulator and all(harmless(one, accumulator) for one in rest)
    # a chain: what stands outside is evaluated after the first change
    return is_update(inner, accumulator, kind, harmless) and not any(mentions(one, accumulator) for one in rest)


def updates(node: Node, accumulator: Binding, kind: str, harmless: Harmless | None = None) -> bool:
    """True if every way through `node` ends with an update of the accumulator, and what is done with it before is
    `harmless` (only asking, unless told otherwise)."""
    harmless = harmless or only_asked
    if isinstance(node, nodes.If):
        return harmless(node.test, accumulator) and all(
            updates(one, accumulator, kind, harmless) for one in (node.then, node.orelse)
        )
    if isinstance(node, nodes.Let):
        return all(harmless(value, accumulator) for _, value in node.bindings) and updates(
            node.body, accumulator, kind, harmless
        )
    if isinstance(node, nodes.Do):
        return all(harmless(one, accumulator) for one in node.body[:-1]) and updates(
            node.body[-1], accumulator, kind, harmless
        )
    if isinstance(node, nodes.Each) and node.operation == "reduce":
        # an inner reduce that goes on with the same accumulator
        return (
            isinstance(node.initial, Local)
            and node.initial.binding is accumulator
            and node.accumulator is not None
            and not node.closes
            and not mentions(node.collection, accumulator)
            and not mentions(node.body, accumulator)
            and updates(node.body, node.accumulator, kind, harmless)
        )
    return is_update(node, accumulator, kind, harmless)


def loop_updates(node: Node, loop: nodes.Loop, index: int, kind: str) -> bool:
    """True if each round of the loop either ends it or passes on an update of variable `index`, only asked before."""
    variable = loop.variables[index]
    if isinstance(node, nodes.If):
        return only_asked(node.test, variable) and all(
            loop_updates(one, loop, index, kind) for one in (node.then, node.orelse)
        )
    if isinstance(node, nodes.Let):
        return all(only_asked(value, variable) for _, value in node.bindings) and loop_updates(
            node.body, loop, index, kind
        )
    if isinstance(node, nodes.Do):
        return all(only_asked(one, variable) for one in node.body[:-1]) and loop_updates(
            node.body[-1], loop, index, kind
        )
    if isinstance(node, nodes.Recur):
        if node.target is not loop.target:
            return False
        others = (one for place, one in enumerate(node.arguments) if place != index)
        return is_update(node.arguments[index], variable, kind, only_asked) and all(
            only_asked(one, variable) for one in others
        )
    # a way out: nothing is changed any more, so the value may go anywhere
    return not any(isinstance(part, nodes.Recur) for part in walk(node))


def only_asked(node: Node, accumulator: Binding) -> bool:
    """True if the accumulator is at most looked into: it is not kept, passed on, returned or captured."""
    if isinstance(node, Local):
        return node.binding is not accumulator
    if core_name(node) in _ASKING and isinstance(node, Invoke):
        return all(only_asked(one, accumulator) for one in node.arguments[1:]) and (
            isinstance(node.arguments[0], Local) or only_asked(node.arguments[0], accumulator)
            if node.arguments
            else True
        )
    if isinstance(node, nodes.Each) and node.operation != "reduce" and mentions(node.body, accumulator):
        return False  # of a lazy collection the body would run later
    if isinstance(node, nodes.Primitive) and node.operation == "keyword_get" and isinstance(node.arguments[1], Local):
        return all(only_asked(one, accumulator) for one in node.arguments[2:])
    return all(only_asked(part, accumulator) for part in children(node))


def never_asked(node: Node, accumulator: Binding) -> bool:
    """True if the node has nothing to do with the accumulator."""
    return not mentions(node, accumulator)


def mentions(node: Node, binding: Binding) -> bool:
    return any(isinstance(part, Local) and part.binding is binding for part in walk(node))
