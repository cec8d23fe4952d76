"""The AST: what the analyser makes of forms and the code generator turns into Python.

Knows nothing of text or Python. Every node has `at`, an index into the unit's span table (0: no place). `inline` says
that the node can become one Python expression, without statements before it; `depth` bounds the nesting of such an
expression. Invariant: names are resolved; a `Local` points to its `Binding`, so code generation never looks a name up.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

# Deeper expressions are cut into temporaries, so that CPython's compiler never sees a deep tree.
MAX_INLINE_DEPTH = 24


class Binding:
    """A local name. `python` is the Python local that holds it; `kinds`, once known, the classes its value can have;
    `uses` counts how often the text mentions it; `value` is the node that a `let` bound it to. short: whether every
    value is known to be an int that is no longer than a counter becomes, some dozens of bits."""

    __slots__ = ("definitions", "function", "kinds", "loop", "name", "python", "short", "uses", "value")

    def __init__(self, name: str, python: str, function: Any, loop: Any) -> None:
        self.name = name
        self.python = python
        self.function = function
        self.loop = loop
        self.kinds: frozenset[str] | None = None
        self.definitions = 0
        self.short = False
        self.uses = 0
        self.value: Node | None = None


class Node:
    """inline, depth: see above; most nodes are run as closures and never asked."""

    __slots__ = ("at",)
    _depth = 1

    def __init__(self, at: int) -> None:
        self.at = at

    @property
    def inline(self) -> bool:
        return True

    @property
    def depth(self) -> int:
        return self._depth


class Composite(Node):
    """A node that is one expression if its children are, and not too deep."""

    __slots__ = ("_depth",)
    _depth: int

    @property
    def inline(self) -> bool:
        return self.depth > 0

    @property
    def depth(self) -> int:
        if self._depth < 0:
            _measure(self)
        return self._depth


class Statement(Node):
    """A node that takes statements."""

    __slots__ = ()
    _depth = 0

    @property
    def inline(self) -> bool:
        return False


def _measure(node: Composite) -> None:
    """Find the depths of a node and the nodes below it, without recursion: deep texts must not exhaust Python's
    stack."""
    below = _CHILDREN
    pending = [node]
    while pending:
        one = pending[-1]
        waiting = len(pending)
        deepest, is_inline = 0, True
        for part in below[one.__class__](one):
            depth = part._depth
            if depth < 0:
                pending.append(part)  # type: ignore[arg-type]
            elif depth > deepest:
                deepest = depth
            elif depth == 0:
                is_inline = False
        if len(pending) == waiting:
            pending.pop()
            one._depth = deepest + 1 if is_inline and deepest < MAX_INLINE_DEPTH else 0


class Const(Node):
    """A value known at compile time."""

    __slots__ = ("value",)

    def __init__(self, at: int, value: Any) -> None:
        self.at = at
        self.value = value


class Local(Node):
    __slots__ = ("binding",)

    def __init__(self, at: int, binding: Binding) -> None:
        self.at = at
        self.binding = binding


class Global(Node):
    """A name of a module, looked up when used. `core`: it means the standard function of that name. `data`: the text
    defines it as something that is not written as a function, which may be one all the same. `traits`: those of the
    function that the text defines as it before."""

    __slots__ = ("core", "data", "name", "traits")

    def __init__(self, at: int, name: str, core: bool, data: bool = False, traits: Traits | None = None) -> None:
        self.at = at
        self.name = name
        self.core = core
        self.data = data
        self.traits = traits


class Traits:
    """What a function of the text (`fn`) does with its arguments, as long as its name means it. `asked`: places of
    those of which it keeps nothing but elements; `changes`: whether it only asks the first one and returns it changed;
    `width`: how many elements the vectors have that it returns on every way, or 0. `plain`: the global that holds the
    function besides its name."""

    __slots__ = ("asked", "changes", "fn", "plain", "width")

    def __init__(self, fn: Fn, plain: str, asked: frozenset[int], changes: bool, width: int = 0) -> None:
        self.fn = fn
        self.plain = plain
        self.asked = asked
        self.changes = changes
        self.width = width


class Broken(Node):
    """In the place of a form whose error was collected (see `rtfs.compiler.analyse`); never run."""

    __slots__ = ()


class If(Composite):
    __slots__ = ("orelse", "test", "then")

    def __init__(self, at: int, test: Node, then: Node, orelse: Node) -> None:
        self.at = at
        self._depth = -1
        self.test = test
        self.then = then
        self.orelse = orelse


class Logic(Composite):
    """`and` / `or`: short circuit, the deciding value."""

    __slots__ = ("operands", "operator")

    def __init__(self, at: int, operator: str, operands: list[Node]) -> None:
        self.at = at
        self._depth = -1 if len(operands) <= MAX_INLINE_DEPTH // 2 else 0
        self.operator = operator
        self.operands = operands


class Do(Statement):
    __slots__ = ("body",)

    def __init__(self, at: int, body: list[Node]) -> None:
        self.at = at
        self.body = body


class Let(Statement):
    """Bind one local after another, then the body."""

    __slots__ = ("bindings", "body")

    def __init__(self, at: int, bindings: list[tuple[Binding, Node]], body: Node) -> None:
        self.at = at
        self.bindings = bindings
        self.body = body


class Arity(Statement):
    """One parameter list of a function with its body. `rest` collects what is left into a list."""

    __slots__ = ("body", "params", "rest")

    def __init__(self, at: int, params: list[Binding], rest: Binding | None, body: Node) -> None:
        self.at = at
        self.params = params
        self.rest = rest
        self.body = body


class Fn(Statement):
    """A function. `binding`: the local that names it within itself, if it has a local name. `ticks`: it can recur or
    call what can, so that entering it costs a step."""

    __slots__ = ("arities", "binding", "name", "ticks")

    def __init__(self, at: int, name: str, arities: list[Arity], binding: Binding | None, ticks: bool) -> None:
        self.at = at
        self.name = name
        self.arities = arities
        self.binding = binding
        self.ticks = ticks


class Invoke(Composite):
    """Call a value."""

    __slots__ = ("arguments", "function")

    def __init__(self, at: int, function: Node, arguments: list[Node]) -> None:
        self.at = at
        self._depth = -1
        self.function = function
        self.arguments = arguments


class Primitive(Composite):
    """An operation of the compiler's own support library, by name (see support.py); user text never names one.
    `entry`: what was put where this one looks, if that is known; a key that equals nothing still finds nothing."""

    __slots__ = ("arguments", "entry", "operation")

    def __init__(self, at: int, operation: str, arguments: list[Node]) -> None:
        self.at = at
        self._depth = -1
        self.entry: Node | None = None
        self.operation = operation
        self.arguments = arguments


class Def(Statement):
    """Define a name of the module; the value is that of the definition."""

    __slots__ = ("name", "value")

    def __init__(self, at: int, name: str, value: Node) -> None:
        self.at = at
        self.name = name
        self.value = value


class Loop(Statement):
    """Bind, run the body; a `Recur` to it rebinds the variables and runs it again. `closes`: a closure of the body
    captures what it binds, so each round needs new variables. `rests`, `rounds`: what `ownership` has found in it."""

    __slots__ = ("body", "closes", "rests", "rounds", "target", "values", "variables")

    def __init__(
        self, at: int, target: Any, variables: list[Binding], values: list[Node], body: Node, closes: bool
    ) -> None:
        self.at = at
        self.target = target
        self.variables = variables
        self.values = values
        self.body = body
        self.closes = closes
        self.rests: dict[int, dict[Binding, str]] = {}
        self.rounds: Any = None


class Recur(Statement):
    __slots__ = ("arguments", "target")

    def __init__(self, at: int, target: Any, arguments: list[Node]) -> None:
        self.at = at
        self.target = target
        self.arguments = arguments


class Clause:
    """One way through a `Match`: steps in order, each a test node or a (binding, node) pair; then the body."""

    __slots__ = ("body", "steps")

    def __init__(self, steps: list[Node | tuple[Binding, Node]], body: Node) -> None:
        self.steps = steps
        self.body = body


class Match(Statement):
    """The first clause whose tests all hold; else `otherwise`."""

    __slots__ = ("clauses", "otherwise")

    def __init__(self, at: int, clauses: list[Clause], otherwise: Node) -> None:
        self.at = at
        self.clauses = clauses
        self.otherwise = otherwise


class Handler:
    """One `catch`: `pattern` is ("class", name), ("code", prefix) or None for all."""

    __slots__ = ("binding", "body", "pattern")

    def __init__(self, pattern: tuple[str, str] | None, binding: Binding, body: Node) -> None:
        self.pattern = pattern
        self.binding = binding
        self.body = body


class Try(Statement):
    __slots__ = ("body", "cleanup", "handlers")

    def __init__(self, at: int, body: Node, handlers: list[Handler], cleanup: Node | None) -> None:
        self.at = at
        self.body = body
        self.handlers = handlers
        self.cleanup = cleanup


class VectorDisplay(Composite):
    __slots__ = ("items",)

    def __init__(self, at: int, items: list[Node]) -> None:
        self.at = at
        self._depth = -1
        self.items = items


class MapDisplay(Composite):
    """`items`: key, value, key, value … in written order."""

    __slots__ = ("items",)

    def __init__(self, at: int, items: list[Node]) -> None:
        self.at = at
        self._depth = -1
        self.items = items


class HostRequest(Composite):
    """Stop and ask the host. `kind` as in `rtfs.machine.outcome.HostCall`; `hints` is a map node or None."""

    __slots__ = ("arguments", "hints", "id", "kind")

    def __init__(self, at: int, kind: str, id: Node, arguments: list[Node], hints: Node | None = None) -> None:
        self.at = at
        self._depth = -1
        self.kind = kind
        self.id = id
        self.arguments = arguments
        self.hints = hints


class Cast(Composite):
    """Check a value against a type expression; `what` names it in the error."""

    __slots__ = ("type", "value", "what")

    def __init__(self, at: int, value: Node, type: Any, what: str) -> None:
        self.at = at
        self._depth = -1
        self.value = value
        self.type = type
        self.what = what


class TypeTest(Composite):
    """True if a value is of a type."""

    __slots__ = ("type", "value")

    def __init__(self, at: int, value: Node, type: Any) -> None:
        self.at = at
        self._depth = -1
        self.value = value
        self.type = type


class Each(Statement):
    """A call of a standard function, as `map` or `reduce`, with a function written on the spot, inlined as a loop.

    item: what the function's parameter is bound to; accumulator: its first one, where it has two (what `reduce` has so
    far, or the index). closes: a closure of the body captures what a round binds.
    """

    __slots__ = ("accumulator", "body", "closes", "collection", "initial", "item", "operation")

    def __init__(
        self,
        at: int,
        operation: str,
        item: Binding,
        accumulator: Binding | None,
        body: Node,
        initial: Node | None,
        collection: Node,
        closes: bool,
    ) -> None:
        self.at = at
        self.operation = operation
        self.item = item
        self.accumulator = accumulator
        self.body = body
        self.initial = initial
        self.collection = collection
        self.closes = closes


# ---------------------------------------------------------------------- walking
def children(node: Node) -> Sequence[Node]:
    """The nodes directly below a node, in the order of their fields. The result may be the node's own list."""
    return _CHILDREN[node.__class__](node)


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it, each before what is below it; not in the order of the text."""
    below = _CHILDREN
    pending = [node]
    while pending:
        one = pending.pop()
        yield one
        pending.extend(below[one.__class__](one))


def _of_match(node: Match) -> list[Node]:
    found: list[Node] = []
    for clause in node.clauses:
        found.extend([step if isinstance(step, Node) else step[1] for step in clause.steps])
        found.append(clause.body)
    found.append(node.otherwise)
    return found


def _given(*parts: Node | None) -> list[Node]:
    return [part for part in parts if part is not None]


# One entry for each class, so that walking costs little.
_CHILDREN: dict[type[Node], Callable[[Any], Sequence[Node]]] = {
    Const: lambda node: (),
    Local: lambda node: (),
    Global: lambda node: (),
    Broken: lambda node: (),
    If: lambda node: (node.test, node.then, node.orelse),
    Logic: lambda node: node.operands,
    Do: lambda node: node.body,
    Let: lambda node: [*[value for _, value in node.bindings], node.body],
    Arity: lambda node: (node.body,),
    Fn: lambda node: node.arities,
    Invoke: lambda node: (node.function, *node.arguments),
    Primitive: lambda node: node.arguments,
    Def: lambda node: (node.value,),
    Loop: lambda node: (*node.values, node.body),
    Recur: lambda node: node.arguments,
    Match: _of_match,
    Try: lambda node: _given(node.body, *[one.body for one in node.handlers], node.cleanup),
    VectorDisplay: lambda node: node.items,
    MapDisplay: lambda node: node.items,
    HostRequest: lambda node: _given(node.id, *node.arguments, node.hints),
    Cast: lambda node: (node.value,),
    TypeTest: lambda node: (node.value,),
    Each: lambda node: _given(node.initial, node.collection, node.body),
}
