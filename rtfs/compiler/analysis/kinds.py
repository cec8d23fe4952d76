"""The kinds of value that a node can have, inferred from the text alone.

Knows nothing of Python code. A kind set is a frozenset of kind names, or None for «anything». It is used to leave out
type guards, so it must never claim too much: a kind is known only where an operation that raises otherwise has proved
it.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.ownership import core_name
from rtfs.values import Keyword, Map, Regex, Set, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

Kinds = frozenset[str] | None

INT: frozenset[str] = frozenset(("int",))
FLOAT: frozenset[str] = frozenset(("float",))
NUMBER: frozenset[str] = frozenset(("int", "float"))
BOOL: frozenset[str] = frozenset(("bool",))
STRING: frozenset[str] = frozenset(("str",))
NIL: frozenset[str] = frozenset(("nil",))
SYMBOL: frozenset[str] = frozenset(("symbol",))
NOT_CALLABLE: frozenset[str] = NUMBER | BOOL | STRING | NIL | SYMBOL
SHORT = 1 << 31
"""Constants below are short."""
TRUTHY_ONLY: frozenset[str] = frozenset(("int", "float", "str", "keyword", "vector", "map", "set", "regex", "function"))

_CLASS_KINDS = {int: INT, float: FLOAT, bool: BOOL, str: STRING, type(None): NIL}
KIND_OF_CLASS: dict[type, Kinds] = {
    **_CLASS_KINDS,
    Keyword: frozenset(("keyword",)),
    Vector: frozenset(("vector",)),
    Map: frozenset(("map",)),
    Set: frozenset(("set",)),
    Regex: frozenset(("regex",)),
    Symbol: SYMBOL,
}

PREDICATES = frozenset(
    (
        *("=", "<", ">", "<=", ">=", "not", "nil?", "some?", "zero?", "pos?", "neg?", "even?", "odd?", "not="),
        *("contains?", "empty?", "every?", "not-every?", "vector?", "map?", "set?", "list?", "string?", "keyword?"),
        *("symbol?", "int?", "integer?", "float?", "number?", "bool?", "boolean?", "starts-with?", "ends-with?"),
    )
)
"""Functions that answer true or false, and nothing else."""
ARITHMETIC = frozenset(("+", "-", "*"))

Known = dict[nodes.Binding, Kinds]


def join(left: Kinds, right: Kinds) -> Kinds:
    if left is None or right is None:
        return None
    return left | right


def arithmetic(left: Kinds, right: Kinds) -> frozenset[str]:
    """Kinds of a sum, difference or product."""
    if left == INT and right == INT:
        return INT
    if left == FLOAT or right == FLOAT:
        return FLOAT
    return NUMBER


def kinds_of(node: nodes.Node, known: Known) -> Kinds:
    """Kinds of a node without generating code for it."""
    if isinstance(node, nodes.Const):
        return KIND_OF_CLASS.get(node.value.__class__)
    if isinstance(node, nodes.Local):
        return known.get(node.binding, node.binding.kinds)
    if isinstance(node, nodes.If):
        return join(kinds_of(node.then, known), kinds_of(node.orelse, known))
    if isinstance(node, nodes.Let):
        inner = dict(known)
        for binding, value in node.bindings:
            inner[binding] = kinds_of(value, inner)
        return kinds_of(node.body, inner)
    if isinstance(node, nodes.Do):
        return kinds_of(node.body[-1], known)
    if isinstance(node, nodes.Invoke) and isinstance(node.function, nodes.Global) and node.function.core:
        return core_kinds(node.function.name, node.arguments, known)
    if isinstance(node, nodes.VectorDisplay):
        return KIND_OF_CLASS[Vector]
    if isinstance(node, nodes.MapDisplay):
        return KIND_OF_CLASS[Map]
    return None


def core_kinds(name: str, arguments: list[nodes.Node], known: Known) -> Kinds:
    if name in ARITHMETIC and len(arguments) == 2:
        return arithmetic(kinds_of(arguments[0], known), kinds_of(arguments[1], known))
    if name in ("inc", "dec") and len(arguments) == 1:
        return arithmetic(kinds_of(arguments[0], known), INT)
    if name in PREDICATES:
        return BOOL
    if name == "str":
        return STRING
    if name == "count" and len(arguments) == 1:
        return INT
    return None


def loop_kinds(loop: nodes.Loop, known: Known) -> list[Kinds]:
    """Kinds of a loop's variables that hold in every round: those of the first values, widened by what recurs."""
    kinds = [kinds_of(value, known) for value in loop.values]
    for _ in range(4):
        inner = dict(known)
        inner.update(zip(loop.variables, kinds, strict=True))
        widened = list(kinds)
        _widen(loop.body, loop.target, inner, widened)
        if widened == kinds:
            return kinds
        kinds = widened
    return [None] * len(kinds)


def _widen(node: nodes.Node, target: Any, known: Known, kinds: list[Kinds]) -> None:
    """Join into `kinds` what each `recur` to `target` in tail position of `node` passes."""
    while True:
        if isinstance(node, nodes.If):
            _widen(node.then, target, known, kinds)
            node = node.orelse
        elif isinstance(node, nodes.Do):
            node = node.body[-1]
        elif isinstance(node, nodes.Let):
            known = dict(known)
            for binding, value in node.bindings:
                known[binding] = kinds_of(value, known)
            node = node.body
        elif isinstance(node, nodes.Logic):
            node = node.operands[-1]
        elif isinstance(node, nodes.Match):
            for clause in node.clauses:
                _widen(clause.body, target, known, kinds)
            return
        elif isinstance(node, nodes.Recur):
            if node.target is target:
                for index, argument in enumerate(node.arguments):
                    kinds[index] = join(kinds[index], kinds_of(argument, known))
            return
        else:
            return


# ---------------------------------------------------------------------- how long ints become
def is_short_int(node: nodes.Node) -> bool:
    """Whether a node is an int that is known to be short: a constant, a counter, a size."""
    if isinstance(node, nodes.Const):
        return node.value.__class__ is int and -SHORT < node.value < SHORT
    if isinstance(node, nodes.Local):
        return node.binding.short
    return core_name(node) == "count"


def counters(loop: nodes.Loop) -> list[nodes.Binding]:
    """The variables of a loop that begin with a constant and change by constants: no run has the time to make a long
    int of one."""
    found: dict[int, nodes.Binding] = {}
    for index, value in enumerate(loop.values):
        first = value.binding.value if isinstance(value, nodes.Local) else value
        if isinstance(first, nodes.Const) and is_short_int(first):
            found[index] = loop.variables[index]
    for recur in _recurs(loop.body, loop.target):
        for index, variable in list(found.items()):
            if not _counts(recur.arguments[index], variable):
                del found[index]
    return list(found.values())


def _counts(node: nodes.Node, variable: nodes.Binding) -> bool:
    """Whether a node is the variable, with a constant added or taken away at most, or a constant."""
    if isinstance(node, nodes.Const):
        return is_short_int(node)
    if isinstance(node, nodes.Local):
        return node.binding is variable
    if not isinstance(node, nodes.Invoke) or core_name(node) not in ("inc", "dec", "+", "-"):
        return False
    arguments = node.arguments
    variables = sum(not isinstance(one, nodes.Const) for one in arguments)
    return len(arguments) <= 2 and variables == 1 and all(_counts(one, variable) for one in arguments)


def _recurs(node: nodes.Node, target: Any) -> Iterator[nodes.Recur]:
    """Each `recur` to `target` in tail position of `node`."""
    if isinstance(node, nodes.If):
        yield from _recurs(node.then, target)
        yield from _recurs(node.orelse, target)
    elif isinstance(node, nodes.Do):
        yield from _recurs(node.body[-1], target)
    elif isinstance(node, nodes.Let):
        yield from _recurs(node.body, target)
    elif isinstance(node, nodes.Logic):
        yield from _recurs(node.operands[-1], target)
    elif isinstance(node, nodes.Match):
        for clause in node.clauses:
            yield from _recurs(clause.body, target)
    elif isinstance(node, nodes.Recur) and node.target is target:
        yield node
