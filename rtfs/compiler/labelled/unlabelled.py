"""Code that runs without labels, since its values have only the labels of the program's constants: loops and functions
that compute for long run as plain closures, and hot ones as compiled code, without losing speed.

Knows nothing of rules or hosts. Invariants: such code makes no host call, defines nothing and reads no name of a module
except its own function; it runs only while everything that it reads comes from constants, or has no label; its value
then has the label of constants, and the labels that functions passed to it have added.
"""

from __future__ import annotations

import rtfs.compiler.closures.form  # noqa: F401 - importing it declares how nodes become plain closures
from rtfs.builtins import CORE
from rtfs.compiler.analysis import nodes
from rtfs.compiler.closures.frames import Layout
from rtfs.compiler.closures.functions import Function
from rtfs.compiler.closures.maker import Maker
from rtfs.flow.label import join
from rtfs.flow.state import Gathering
from rtfs.flow.tag import Tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.labelled.maker import LabelledMaker
    from rtfs.flow.state import FlowState
    from rtfs.flow.tag import Pair

ROUNDS = 24
"""Rounds of a loop, calls of a function, or elements of a collection that are worth a second closure."""
_QUIET = (
    nodes.Const, nodes.Local, nodes.If, nodes.Logic, nodes.Do, nodes.Let, nodes.Loop, nodes.Recur, nodes.Match,
    nodes.VectorDisplay, nodes.MapDisplay, nodes.TypeTest, nodes.Each,
)  # fmt: skip
_LOUD = frozenset(("parallel", "macroexpand", "plan_parameters"))


def quiet(node: nodes.Node, own: str | None = None) -> bool:
    """Whether code only computes: with its locals, constants and standard functions. own: the name of the function that
    it is, which it may call."""
    pending = [node]
    while pending:
        one = pending.pop()
        if one.__class__ is nodes.Global:
            if not one.core or one.name not in CORE:
                return False
        elif one.__class__ is nodes.Primitive:
            if one.operation in _LOUD:
                return False
        elif one.__class__ is nodes.Invoke:
            function = one.function
            if function.__class__ is nodes.Global and function.name == own and not function.core:
                pending.extend(one.arguments)
                continue
            if function.__class__ is not nodes.Global:
                return False
        elif not isinstance(one, _QUIET):
            return False
        pending.extend(nodes.children(one))
    return True


def free_locals(node: nodes.Node, bound: list[nodes.Binding]) -> list[nodes.Binding]:
    """The locals that code reads and does not bind; bound: those that are bound around it."""
    inside = {id(one) for one in bound}
    read: dict[int, nodes.Binding] = {}
    for one in nodes.walk(node):
        if one.__class__ is nodes.Local:
            read[id(one.binding)] = one.binding
        elif one.__class__ is nodes.Let:
            inside.update(id(binding) for binding, _ in one.bindings)
        elif one.__class__ is nodes.Loop:
            inside.update(map(id, one.variables))
        elif one.__class__ is nodes.Each:
            inside.update(id(binding) for binding in (one.item, one.accumulator) if binding is not None)
        elif one.__class__ is nodes.Match:
            inside.update(
                id(step[0]) for clause in one.clauses for step in clause.steps if not isinstance(step, nodes.Node)
            )
    return [binding for key, binding in read.items() if key not in inside]


class Region:
    """Code that only computes, as a function without labels of what it reads. parameters: the locals that it is given.
    free: those of them that it reads from around. own: the key in the module of the function that it is, which it may
    call, or None."""

    __slots__ = ("_body", "_made", "_maker", "_ticks", "free", "literal", "own", "parameters")

    def __init__(
        self,
        m: LabelledMaker,
        body: nodes.Node,
        parameters: list[nodes.Binding],
        free: int,
        ticks: bool = False,
        own: str | None = None,
    ) -> None:
        self.own = own
        self._maker = m
        self._body = body
        self.parameters = parameters
        self.free = parameters[:free]
        self.literal = m.constant.data
        self._ticks = ticks
        self._made: tuple[dict[str, Any], Any] | None = None

    def clean(self, tag: Tag) -> bool:
        """Whether a value comes from constants only, or from nothing."""
        literal = self.literal.sources
        for label in tag.flat():
            sources = label.sources
            if label.readers is not None or (sources and sources.keys() != literal.keys()):
                return False
        return True

    def function(self, namespace: dict[str, Any]) -> Any:
        """The code as a function, its globals in `namespace`."""
        known = self._made
        if known is not None and known[0] is namespace:
            return known[1]
        m = self._maker
        plain = Maker.fork(m, Layout(None))
        plain.places = {}
        arity = nodes.Arity(self._body.at, self.parameters, None, self._body)
        fn = nodes.Fn(self._body.at, "fn", [arity], None, self._ticks)
        names = dict(namespace)  # of its own: by its name it calls itself, without labels
        made = Function(plain, fn, m.names.temporary()).instance([names])
        if self.own is not None:
            names[self.own] = made
        self._made = namespace, made
        return made

    def run(self, s: FlowState, namespace: dict[str, Any], values: list[Any]) -> Pair:
        """The result of the code for values without labels."""
        outer = s.around
        around = s.around = Gathering(self.literal, self.literal)
        if s.trying is not None:
            s.trying.add(self.literal, join(self.literal, s.pc))
        try:
            value = self.function(namespace)(*values)
        finally:
            s.around = outer
        return value, Tag(around.data, around.control)


def region_of_loop(m: LabelledMaker, node: nodes.Loop) -> Region | None:
    """A loop that only computes, from a round on: its variables are given. None if it does more."""
    if not quiet(node.body):
        return None
    free = free_locals(node.body, node.variables)
    starts = [nodes.Binding(one.name, one.python + "_", one.function, None) for one in node.variables]
    values: list[nodes.Node] = [nodes.Local(node.at, one) for one in starts]
    again = nodes.Loop(node.at, node.target, node.variables, values, node.body, node.closes)
    return Region(m, again, [*free, *starts], len(free))


def region_of_each(m: LabelledMaker, node: nodes.Each) -> Region | None:
    """An inlined `map` or its like that only computes; its collection and its first value are given."""
    if not quiet(node.body):
        return None
    bound = [node.item, *([node.accumulator] if node.accumulator is not None else [])]
    free = free_locals(node.body, bound)
    collection = nodes.Binding("coll", m.names.temporary(), node.item.function, None)
    initial = nodes.Binding("init", m.names.temporary(), node.item.function, None)
    each = nodes.Each(
        node.at,
        node.operation,
        node.item,
        node.accumulator,
        node.body,
        None if node.initial is None else nodes.Local(node.at, initial),
        nodes.Local(node.at, collection),
        node.closes,
    )
    given = [collection] if node.initial is None else [collection, initial]
    return Region(m, each, [*free, *given], len(free))


def region_of_function(m: LabelledMaker, node: nodes.Fn, own: str | None) -> Region | None:
    """A function of one arity that only computes and reads nothing from around. own: its key in the module, if it is
    defined there."""
    (arity,) = node.arities
    name = None if own is None else node.name
    if arity.rest is not None or not quiet(arity.body, name) or free_locals(arity.body, arity.params):
        return None
    return Region(m, arity.body, list(arity.params), 0, node.ticks, own)
