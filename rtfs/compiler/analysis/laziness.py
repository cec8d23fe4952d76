"""Finds, from the text alone, where an inlined loop need not handle lazy sequences or `reduced`.

Knows nothing of Python code. Invariant: when in doubt the answer is that a collection may be lazy, and that a result
may be reduced.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import AT_ONCE, DECIDING, PUTS
from rtfs.compiler.analysis.kinds import PREDICATES, Known
from rtfs.compiler.analysis.nodes import walk
from rtfs.compiler.analysis.ownership import core_name

# functions that never return a lazy sequence, whatever their arguments
_WHOLE = frozenset(
    (
        *("assoc", "assoc-in", "dissoc", "filterv", "frequencies", "group-by", "hash-map", "into", "keys", "list"),
        *("mapv", "merge", "merge-with", "numbers", "re-seq", "re-split", "repeatedly", "reverse", "select-keys"),
        *("sort", "sort-by", "split", "str", "subvec", "update", "update-in", "vals", "vec", "vector", "zip", "zipmap"),
    )
)

# functions whose results were never made by `reduced`
_NEVER_REDUCED = (
    _WHOLE
    | PREDICATES
    | frozenset(
        (
            *("*", "+", "-", "/", "abs", "concat", "conj", "cons", "count", "dec", "filter", "inc", "interleave"),
            *("join", "keep", "length", "map", "map-indexed", "mapcat", "mod", "quot", "remove", "rem", "update-keys"),
            *("update-vals",),
        )
    )
)

_AT_ONCE = AT_ONCE | {"sum", *DECIDING}
_SMALL = 60


def may_be_lazy(node: nodes.Node, known: Known) -> bool:
    """Whether the value of a node can be a lazy sequence."""
    if isinstance(node, nodes.Local):
        binding = node.binding
        if known.get(binding, binding.kinds) is not None:
            return False
        return binding.value is None or may_be_lazy(binding.value, known)
    if isinstance(node, nodes.Each):
        if node.operation in ("reduce", "some"):
            return True
        return node.operation not in _AT_ONCE and may_be_lazy(node.collection, known)
    if isinstance(node, nodes.Invoke):
        name = core_name(node)
        if name == "range":
            return not node.arguments
        if name == "for-source*" and len(node.arguments) == 1:
            return may_be_lazy(node.arguments[0], known)
        return name not in _WHOLE
    if isinstance(node, nodes.Primitive) and node.operation in PUTS:
        return False
    return not isinstance(node, (nodes.Const, nodes.VectorDisplay, nodes.MapDisplay, nodes.HostRequest, nodes.Fn))


def may_be_reduced(node: nodes.Node, accumulator: nodes.Binding) -> bool:
    """Whether the value of a reduction's step can be a `reduced` one; `accumulator` never is."""
    while True:
        if isinstance(node, nodes.If):
            if may_be_reduced(node.then, accumulator):
                return True
            node = node.orelse
        elif isinstance(node, nodes.Let):
            node = node.body
        elif isinstance(node, nodes.Do):
            node = node.body[-1]
        elif isinstance(node, nodes.Local):
            return node.binding is not accumulator
        elif isinstance(node, nodes.Invoke):
            return core_name(node) not in _NEVER_REDUCED
        elif isinstance(node, nodes.Each):
            return node.operation in ("reduce", "some")
        elif isinstance(node, nodes.Primitive):
            return node.operation not in PUTS
        else:
            return not isinstance(
                node, (nodes.Const, nodes.VectorDisplay, nodes.MapDisplay, nodes.HostRequest, nodes.Fn)
            )


def is_small(node: nodes.Node) -> bool:
    """Whether a body is so small that it may be generated twice."""
    return all(count < _SMALL for count, _ in enumerate(walk(node)))
