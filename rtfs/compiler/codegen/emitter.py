"""The emitter: the body of one Python function, made of AST nodes by the emit functions of their classes.

Knows nothing of forms or scopes, nor of any node: `@emits(nodes.Try)` declares how a node becomes statements,
`@evaluates(nodes.Invoke)` how it becomes an expression. RTFS is made of expressions, Python of statements: a node is
emitted into a `Destination` (return it, store it, leave a loop with it, drop it), and only nodes marked `inline` become
Python expressions. Invariant: evaluation order is that of the text; a value computed early is held in a temporary
before later statements run.
"""

from __future__ import annotations

import ast

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.kinds import BOOL, TRUTHY_ONLY, Kinds, Known, join
from rtfs.compiler.codegen import pyast as py
from rtfs.values import Keyword
from rtfs.values.error import CompileError
from rtfs.values.step_account import work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from rtfs.compiler.analysis.scope import Names
    from rtfs.compiler.codegen.tails import Place
    from rtfs.compiler.units.unit import UnitBuilder

    Emit = Callable[["Emitter", Any, "Destination"], nodes.Node | None]
    Evaluate = Callable[["Emitter", Any], tuple[ast.expr, Kinds]]
    AnyEmit = TypeVar("AnyEmit", bound=Emit)
    AnyEvaluate = TypeVar("AnyEvaluate", bound=Evaluate)

# CPython refuses 20 nested blocks and dies on deep trees of statements: past these, a subtree becomes a function.
MAX_BLOCKS = 12
MAX_NESTING = 30

# More blocks than there ever are.
EVERYWHERE = 1_000

# Known kinds that an outlined subtree inherits at most: very deep code would copy them at each level.
MOST_KNOWN = 200

# Functions of a form, times the names that they may capture: CPython's compiler goes through all of these.
MOST_CAPTURES = 2_000_000

# Statements and places of a form that CPython compiles in a tenth of a second, in which nothing else has its turn.
MOST_PARTS = 40_000

_LEAVES = frozenset((nodes.Const, nodes.Local))
"""What is an expression without effect, and the same one later."""

STATEMENTS: dict[type[nodes.Node], Emit] = {}
EXPRESSIONS: dict[type[nodes.Node], Evaluate] = {}


class TooLarge(CompileError):
    """A form that CPython would take long to compile. Code `limit/nesting`."""

    def __init__(self) -> None:
        hint = "move parts of it into separate functions"
        super().__init__("limit/nesting", "the form is too large to be compiled", hint=hint)


def emits(kind: type[nodes.Node]) -> Callable[[AnyEmit], AnyEmit]:
    """Declare the function that emits nodes of a class into a destination.

    It gets (emitter, node, destination). A node that it returns is still to be emitted into the same destination: the
    tail of a chain needs no recursion.
    """

    def declare(emit: AnyEmit) -> AnyEmit:
        STATEMENTS[kind] = emit
        return emit

    return declare


def evaluates(kind: type[nodes.Node]) -> Callable[[AnyEvaluate], AnyEvaluate]:
    """Declare the function that makes nodes of a class a Python expression.

    It gets (emitter, node) and returns (expression, kinds); statements that the expression needs go into the block
    first.
    """

    def declare(evaluate: AnyEvaluate) -> AnyEvaluate:
        EXPRESSIONS[kind] = evaluate
        return evaluate

    return declare


class Destination:
    """The destination of a value. how: `return`, `set` (assign, go on), `exit` (assign, break out of the loop) or
    `drop`. parts: the variables that get the elements of a sequence, instead of one that gets the value."""

    __slots__ = ("how", "kinds", "parts", "seen", "variable")

    def __init__(self, how: str, variable: str = "", parts: list[str] | None = None) -> None:
        self.how = how
        self.variable = variable
        self.parts = parts
        self.kinds: Kinds = None
        self.seen = False

    @property
    def jumps(self) -> bool:
        return self.how in ("return", "exit")

    def note(self, kinds: Kinds) -> None:
        self.kinds = join(self.kinds, kinds) if self.seen else kinds
        self.seen = True


class Emitter:
    """Emits one Python function.

    known: kinds of locals as far as tests on the way have shown them.

    loads, stores: Python names that the function reads and assigns; what it reads only is free in it.

    own: loops of this function. A recur to a loop of an enclosing one is returned as a tuple, which no RTFS value ever
    is; `returned_recur` then names the loop.

    pushing: accumulator -> the variable that holds the `append` of its list.

    debts: accumulator that may not be the loop's own -> the variable that says so (see accumulators.py).

    plain_blocks: what is in fewer nested blocks than this runs rarely, once or for elements of lazy sequences.

    tails: variable that is gone through -> the variable that says whether it has a header or place of its own; places:
    where in its elements the loop is; behind: what is behind its first element otherwise; rests: local that holds that
    to be passed on -> (the variable, the function) (see tails.py).
    """

    def __init__(self, form: FormGenerator) -> None:
        self.form = form
        self.names = form.names
        self.block: list[ast.stmt] = []
        self.known: Known = {}
        self.loads: set[str] = set()
        self.stores: set[str] = set()
        self.globals: set[str] = set()
        self.own: set[object] = set()
        self.returned_recur: object = None
        self.pushing: dict[nodes.Binding, str] = {}
        self.debts: dict[nodes.Binding, str] = {}
        self.tails: dict[nodes.Binding, str] = {}
        self.behind: dict[nodes.Binding, str] = {}
        self.places: dict[nodes.Binding, Place] = {}
        self.rests: dict[nodes.Binding, tuple[nodes.Binding, str]] = {}
        self.blocks = 0
        self.plain_blocks = 0
        self.nesting = 0

    # ------------------------------------------------------------------ statements
    def into(self, node: nodes.Node, to: Destination) -> None:
        """Emit a node into a destination."""
        if self.crowded():
            self.outline(node, to)
            return
        rest: nodes.Node | None = node
        while rest is not None:
            emit = STATEMENTS.get(rest.__class__)
            if emit is None:
                self.give(rest, to)
                return
            rest = emit(self, rest, to)

    def give(self, node: nodes.Node, to: Destination) -> None:
        """Emit a node as an expression whose value goes to the destination."""
        if to.parts is not None and to.how != "drop":
            self._give_parts(node, to, to.parts)
            return
        value, kinds = self.value(node)
        self.finish(value, kinds, to, node.at + 1)

    def _give_parts(self, node: nodes.Node, to: Destination, parts: list[str]) -> None:
        line = node.at + 1
        if to.how == "return":
            if node.__class__ is nodes.VectorDisplay and len(node.items) == len(parts):
                values = [value for value, _ in self.values(node.items)]
                self.block.append(py.give(py.pack(values, line), line))
            else:
                self.finish(self.value(node)[0], None, to, line)
            return
        from rtfs.compiler.codegen.parts import take_parts

        take_parts(self, node, parts, line)
        if to.how == "exit":
            self.block.append(py.leave(line))

    def finish(self, value: ast.expr, kinds: Kinds, to: Destination, line: int) -> None:
        """Send a computed value to its destination."""
        if to.how == "return":
            if to.parts is not None:
                value = parts_of(self, value, len(to.parts), line)
            self.block.append(py.give(value, line))
        elif to.how == "drop":
            if not isinstance(value, ast.Constant):
                self.block.append(py.statement(value, line))
        else:
            if to.parts is None:
                self.block.append(py.assign(to.variable, value, line))
            else:
                self.block.append(py.unpack(to.parts, parts_of(self, value, len(to.parts), line), line))
            if to.how == "exit":
                self.block.append(py.leave(line))
        to.note(kinds)

    def drop(self, node: nodes.Node) -> None:
        self.into(node, Destination("drop"))

    def store(self, node: nodes.Node, variable: str) -> None:
        self.into(node, Destination("set", variable))

    def held(self, node: nodes.Node) -> tuple[ast.expr, Kinds]:
        """Emit a node that needs statements; its value is in a temporary afterwards."""
        to = Destination("set", self.names.temporary())
        self.into(node, to)
        return py.name(to.variable, node.at + 1), to.kinds

    def nested(self, emit: object, *arguments: object) -> list[ast.stmt]:
        """The statements that `emit(*arguments)` emits, as a block of their own; what it learns is forgotten."""
        outer, known = self.block, self.known
        self.block, self.known = [], dict(known)
        self.nesting += 1
        try:
            emit(*arguments)  # type: ignore[operator]
            return self.block
        finally:
            self.block, self.known = outer, known
            self.nesting -= 1

    @property
    def plain(self) -> bool:
        """True where code should be small rather than fast: operators become calls."""
        return self.blocks < self.plain_blocks

    def crowded(self) -> bool:
        """True if a subtree has to become a separate function."""
        return self.nesting > MAX_NESTING or self.blocks > MAX_BLOCKS

    # ------------------------------------------------------------------ expressions
    def value(self, node: nodes.Node) -> tuple[ast.expr, Kinds]:
        """A node as an expression; statements it needs go into the block first."""
        work()
        evaluate = EXPRESSIONS.get(node.__class__)
        return self.held(node) if evaluate is None else evaluate(self, node)

    def values(self, parts: list[nodes.Node]) -> list[tuple[ast.expr, Kinds]]:
        """Several nodes, evaluated in order."""
        last = -1
        for index, part in enumerate(parts):
            if part.__class__ not in _LEAVES and not part.inline:
                last = index
        found: list[tuple[ast.expr, Kinds]] = []
        for index, part in enumerate(parts):
            if part.__class__ in _LEAVES:
                found.append(EXPRESSIONS[part.__class__](self, part))
                continue
            value, kinds = self.value(part)
            if (index < last and not _is_constant(part)) or not (part.inline or isinstance(value, ast.Name)):
                # computed before a later part's statements; or deep already, and cut here
                temporary = self.names.temporary()
                self.block.append(py.assign(temporary, value, part.at + 1))
                value = py.name(temporary, part.at + 1)
            found.append((value, kinds))
        return found

    def refine(self, binding: nodes.Binding, kinds: frozenset[str]) -> None:
        """From here on the local is known to be of these kinds."""
        before = self.known.get(binding, binding.kinds)
        self.known[binding] = kinds if before is None else before & kinds or kinds

    def truth(self, value: ast.expr, kinds: Kinds, line: int) -> ast.expr:
        """A Python condition: neither nil nor false."""
        if kinds is not None:
            if kinds == BOOL:
                return value
            if kinds <= TRUTHY_ONLY:
                return py.compare(value, py.IS_NOT, py.const(None, line), line)
        if isinstance(value, ast.Constant):
            return py.const(value.value is not None and value.value is not False, line)
        first, again = once(self, value, line)
        return py.both(
            py.AND,
            [
                py.compare(first, py.IS_NOT, py.const(None, line), line),
                py.compare(again, py.IS_NOT, py.const(False, line), line),
            ],
            line,
        )

    def test(self, node: nodes.Node) -> ast.expr:
        """A node as a Python condition."""
        line = node.at + 1
        if node.inline and isinstance(node, nodes.Logic):
            operator: ast.boolop = py.AND if node.operator == "and" else py.OR
            tests = [self.test(node.operands[0])]
            known = self.known
            self.known = dict(known)
            tests.extend(self.test(operand) for operand in node.operands[1:])
            self.known = known
            return py.both(operator, tests, line)
        value, kinds = self.value(node)
        return self.truth(value, kinds, line)

    # ------------------------------------------------------------------ outlining
    def outline(self, node: nodes.Node, to: Destination) -> None:
        """Emit a subtree as a separate function at the unit's top level, with its free locals as parameters."""
        line = node.at + 1
        if self.places or self.rests:
            from rtfs.compiler.codegen.tails import hand_over

            hand_over(self, line)
        name, free, child = self.form.outline(self, node)
        value = py.call(name, [py.name(one, line) for one in free], line)
        if child.returned_recur is None:
            self.finish(value, None, to, line)
            return
        held = self.names.temporary()
        self.block.append(py.assign(held, value, line))
        self.block.append(
            py.when(
                py.is_class(py.name(held, line), " tuple", line),
                self.nested(self._continue_loop, child.returned_recur, held, line),
                [],
                line,
            )
        )
        self.finish(py.name(held, line), None, to, line)

    def _continue_loop(self, target: object, held: str, line: int) -> None:
        """Continue the loop whose new values an outlined part gave back."""
        if target not in self.own:
            self.returned_recur = target
            self.block.append(py.give(py.name(held, line), line))
            return
        loop = self.form.loops[target]
        if loop.variables:
            self.block.append(py.unpack([one.python for one in loop.variables], py.name(held, line), line))
        for index in self.form.owned.get(target, {}):
            variable = loop.variables[index]  # which has a new version, and not one that was changed in place
            if variable in self.tails:
                self.block.append(py.assign(self.tails[variable], py.const(False, line), line))
            elif variable in self.debts:
                self.block.append(py.assign(self.debts[variable], py.const(0, line), line))
            else:
                own = py.call(" still_own", [py.name(variable.python, line)], line)
                self.block.append(py.assign(variable.python, own, line))
        self.block.append(py.again(line))


def _is_constant(node: nodes.Node) -> bool:
    """True for a display of constants, which may as well be made later."""
    return isinstance(node, (nodes.MapDisplay, nodes.VectorDisplay)) and all(
        isinstance(one, nodes.Const) for one in node.items
    )


def once(e: Emitter, value: ast.expr, line: int) -> tuple[ast.expr, ast.expr]:
    """(first use, later use) of an expression that must be computed once."""
    if isinstance(value, (ast.Name, ast.Constant)):
        return value, value
    temporary = e.names.temporary()
    return py.walrus(temporary, value, line), py.name(temporary, line)


def parts_of(e: Emitter, value: ast.expr, wanted: int, line: int) -> ast.expr:
    """The elements of a sequence that a vector pattern takes apart, as something that Python unpacks: a short vector of
    that length itself, anything else by the function."""
    first, value = once(e, value, line)
    count = py.const(wanted, line)
    is_short = py.compare(py.call(" type", [first], line), py.IS, py.name(" short", line), line)
    fits = py.both(py.AND, [is_short, py.compare(py.call(" len", [value], line), py.EQ, count, line)], line)
    return py.choose(fits, value, py.call(" pattern_items", [value, count], line), line)


class FormGenerator:
    """State that the Python functions of one top-level form share: names, pooled constants, loops, outlined
    functions.

    defined: the definition that the form is, if it is one. lent: locals whose value is changed in place, by this code
    or by what calls it. versions: traits of functions that this code calls in place -> the global (see versions.py).
    in_parts: traits of functions whose vectors this code takes apart at once -> the global (see parts.py).
    tuples: inlined calls that make Python's tuples instead of vectors, and the locals that hold those.
    """

    def __init__(self, unit: UnitBuilder, names: Names, module: str, type_of: Callable[[Any], Any]) -> None:
        self.type_of = type_of
        self.unit = unit
        self.names = names
        self.module = module
        self.loops: dict[object, nodes.Loop] = {}
        self.owned: dict[object, dict[int, str]] = {}
        self.unpacked: dict[str, list[str]] = {}
        self.definitions: list[ast.stmt] = []
        self.defined: nodes.Def | None = None
        self.lent: set[nodes.Binding] = set()
        self.versions: dict[nodes.Traits, str] = {}
        self.functions = 0
        self.in_parts: dict[nodes.Traits, str] = {}
        self.tuples: set[object] = set()

    def function(
        self,
        outer: Emitter,
        body: nodes.Node,
        parameters: list[str],
        name: str,
        line: int,
        rest: str | None = None,
        ticks: bool = False,
        by_value: bool = False,
        plain: bool = False,
    ) -> ast.stmt:
        """A function definition nested in `outer`. Free locals are those of Python's closures; or, `by_value`, they
        become parameters with what they hold now as defaults: what a closure captures is slower everywhere. plain:
        its code is rather small than fast."""
        self.functions += 1
        if self.functions * (self.functions + self.names.locals) > MOST_CAPTURES:
            raise TooLarge()
        known = {binding: kinds for binding, kinds in outer.known.items() if binding.loop is None}
        child = self.function_body(body, parameters, line, rest, ticks, known, EVERYWHERE if plain else 0)
        outer.loads.update(child.loads - child.stores)
        outer.globals.update(child.globals)
        free = sorted(child.loads - child.stores) if by_value else []
        defaults = [py.name(one, line) for one in free]
        return py.define(name, [*parameters, *free], rest, defaults, child.block, line)

    def version(
        self,
        known: dict[nodes.Traits, str],
        traits: nodes.Traits,
        define: Callable[[FormGenerator, nodes.Traits, str], None],
    ) -> str:
        """The global that holds a version of a function of the program, made when it is first asked for. known: the
        versions of this kind. define(form, traits, name): adds the version to the form's definitions."""
        name = known.get(traits)
        if name is None:
            # what a trace shows is the part before the blank
            known[traits] = name = f"{traits.fn.name} !{self.unit.number}.{self.unit.generate()}"
            unpacked, self.unpacked = self.unpacked, {}  # the function's names are those of another form
            try:
                define(self, traits, name)
            finally:
                self.unpacked = unpacked
        return name

    def function_body(
        self,
        body: nodes.Node,
        parameters: list[str],
        line: int,
        rest: str | None,
        ticks: bool,
        known: Known,
        plain_blocks: int = 0,
        to: Destination | None = None,
    ) -> Emitter:
        """An emitter that has emitted the body of a function. to: where its value goes, if it is not just returned."""
        to = to or Destination("return")
        child = Emitter(self)
        child.plain_blocks = plain_blocks
        child.known = known
        child.stores.update(parameters)
        if rest is not None:
            child.stores.add(rest)
            child.block.append(py.assign(rest, py.call(" rest_list", [py.name(rest, line)], line), line))
        if ticks:
            child.blocks = 2
            inside = child.nested(child.into, body, to)
            refill = py.statement(py.call(" refill", [], line), line)
            child.block.append(py.forever([py.each_tick(inside, [], line), refill], line))
        else:
            child.into(body, to)
        if not child.block:
            child.block.append(py.give(py.const(None, line), line))
        return child

    def outline(self, outer: Emitter, node: nodes.Node) -> tuple[str, list[str], Emitter]:
        """A subtree as a function of the unit: its name, its free locals (its parameters, in order), its emitter."""
        child = Emitter(self)
        # what is known only saves guards: of very deep code, which would copy it at each level, it is forgotten
        child.known = dict(outer.known) if len(outer.known) < MOST_KNOWN else {}
        child.plain_blocks = 1 if outer.plain else 0
        child.into(node, Destination("return"))
        free = sorted(child.loads - child.stores)
        name = f" o{self.unit.number}.{self.unit.generate()}"
        line = node.at + 1
        body = child.block
        if child.globals:
            body = [py.declare_global(sorted(child.globals), line), *body]
        self.definitions.append(py.define(name, free, None, [], body, line))
        outer.loads.update(free)
        return name, free, child

    # ------------------------------------------------------------------ pooled things
    def constant(self, value: Any, line: int) -> ast.expr:
        """An expression for a value known at compile time."""
        kind = value.__class__
        if kind is Keyword:
            self.unit.keywords.add(value.name)
            return py.name(keyword_name(value), line)
        if value is None or kind in (bool, int, float, str):
            return py.const(value, line)
        return py.name(self.unit.pool(value), line)

    def type_constant(self, form: Any, line: int) -> ast.expr:
        """An expression for the type that a type expression means in this module."""
        return py.name(self.unit.pool_type(form, self.module), line)

    def classes_of(self, form: Any) -> tuple[type, ...] | None:
        """Python classes that decide the type alone, if they do."""
        classes: tuple[type, ...] | None = self.type_of(form).classes
        return classes


def keyword_name(keyword: Keyword) -> str:
    """The global that holds a keyword."""
    return ":" + keyword.name
