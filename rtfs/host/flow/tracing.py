"""Follows values through the analysed forms of a program, without running it: what each call may be given, what may
have decided that it is made, and what has been called before it.

Must not know rules. Invariants: every call site that can be reached is met with all that it may be given; what is too
hard to follow is `ANYTHING`, and a call that was perhaps not made was not certainly made; the work is bounded.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.analysis.inlined import GETS
from rtfs.compiler.labelled.calls import PRIMITIVE_MOVES
from rtfs.compiler.labelled.higher_order import call_value  # noqa: F401 - declares how standard functions move values
from rtfs.compiler.labelled.moves import MOVES
from rtfs.host.flow.abstract import (
    ANY,
    ANYTHING,
    INPUT,
    NONE,
    NOTHING,
    PLAN,
    Abstract,
    Atoms,
    alternatives,
    constant,
    joined,
    key_of,
    name_of,
    picked,
    same,
    wrapped,
)
from rtfs.host.flow.visits import Recurred, Visit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from rtfs.compiler.gate import AnalysedForm
    from rtfs.host.flow.abstract import Atom
    from rtfs.host.flow.visits import Declared

    Environment = dict[int, Abstract]

ROUNDS = 8
"""How often a loop is followed before what is in it is anything."""
DEPTH = 24
"""Calls of functions of the program within each other that are followed."""
WORK = 60_000
"""Nodes that are looked at in all."""
_LAZY = frozenset(("range", "iterate", "repeat", "repeatedly", "cycle", "lazy-seq*", "iteration"))
"""Standard functions that make lazy sequences of what is none; others make one only of another."""


class TooMuch(Exception):
    """The program is too large to be followed."""


class Tracing:
    """The tracing of one program.

    `visits`: place of a call, as (file of the unit, index), → the ways in which it is made. declared: what is known of
    a capability, None where nothing is. effects: standard functions whose text makes calls. literal: what constants
    come from.
    """

    def __init__(
        self,
        forms: Iterable[AnalysedForm],
        declared: Callable[[str], Declared | None],
        effects: Iterable[str],
        literal: Atom = PLAN,
    ) -> None:
        self.visits: dict[tuple[str, int], list[Visit]] = {}
        self.complete = True
        self._declared = declared
        self._effects = frozenset(effects)
        self._literal = frozenset((literal,))
        self._left = WORK
        self._file = ""
        self._pc: Atoms = NONE
        self._tests: Atoms = NONE
        self._before: frozenset[Visit] = frozenset()
        self._maybe: frozenset[str | None] = frozenset()
        self._loops: dict[int, Recurred] = {}
        self._calling: list[nodes.Arity] = []
        self._globals: dict[str, list[Abstract]] = {}
        self._functions: dict[int, tuple[nodes.Fn, Environment, str]] = {}
        self._entered: set[int] = set()
        forms = list(forms)
        found = [node for form in forms for node in nodes.walk(form.node)]
        self._lazy = any(isinstance(one, nodes.Global) and one.core and one.name in _LAZY for one in found)
        self._contexts = any(isinstance(one, nodes.HostRequest) and one.kind == "context-enter" for one in found)
        own = [one.id for one in found if isinstance(one, nodes.HostRequest) and one.kind == "capability"]
        self._own = {one.value if isinstance(one, nodes.Const) else None for one in own}
        self._defined = {one.name for one in found if isinstance(one, nodes.Def)}
        try:
            for form in forms:
                self._file = form.unit.filename
                self._of(form.node, {})
            self._enter_the_rest()
        except (TooMuch, RecursionError):
            self.complete = False

    def _enter_the_rest(self) -> None:
        """Functions that nothing here calls may be called by any code that gets them."""
        self._pc, self._before, self._maybe = frozenset((ANY,)), frozenset(), frozenset((None,))
        while True:
            left = [key for key in self._functions if key not in self._entered]
            if not left:
                return
            for key in left:
                self._apply(key, [], ANYTHING)

    # ------------------------------------------------------------------ nodes
    def _of(self, node: nodes.Node, env: Environment) -> Abstract:
        self._left -= 1
        if self._left < 0:
            raise TooMuch
        return _FOLLOW[node.__class__](self, node, env)

    def _all(self, parts: Iterable[nodes.Node], env: Environment) -> list[Abstract]:
        return [self._of(part, env) for part in parts]

    def const(self, node: nodes.Const, env: Environment) -> Abstract:
        return constant(node.value, self._literal)

    def local(self, node: nodes.Local, env: Environment) -> Abstract:
        return env.get(id(node.binding), ANYTHING)

    def global_(self, node: nodes.Global, env: Environment) -> Abstract:
        if node.core:
            return Abstract(functions=frozenset((node.name,)))
        values = self._globals.get(node.name)
        if values is None or node.name not in self._defined:
            return ANYTHING
        return alternatives(values)

    def broken(self, node: nodes.Broken, env: Environment) -> Abstract:
        return ANYTHING

    def if_(self, node: nodes.If, env: Environment) -> Abstract:
        return self._branch(self._of(node.test, env).everything(), [node.then, node.orelse], env)

    def _branch(self, by: Atoms, ways: list[nodes.Node], env: Environment) -> Abstract:
        """One of several nodes, chosen by something."""
        pc, before, maybe = self._pc, self._before, self._maybe
        self._tests |= by
        self._pc = pc | by
        found, befores = [], []
        after = maybe
        for way in ways:
            self._before, self._maybe = before, maybe
            value = self._of(way, env)
            if value is not _NEVER:
                found.append(value)
                befores.append(self._before)
            after |= self._maybe
        self._pc = pc
        self._before = frozenset.intersection(*befores) if befores else before
        self._maybe = after
        return alternatives(found).decided(by) if found else _NEVER

    def logic(self, node: nodes.Logic, env: Environment) -> Abstract:
        pc, found, by = self._pc, [], NONE
        before = self._before
        for number, operand in enumerate(node.operands):
            value = self._of(operand, env)
            found.append(value.decided(by))
            by |= value.everything()
            self._pc = pc | by
            if number == 0:
                before = self._before
        self._pc, self._before = pc, before
        self._tests |= by
        return alternatives(found)

    def do(self, node: nodes.Do, env: Environment) -> Abstract:
        values = self._all(node.body, env)
        return _NEVER if _NEVER in values else values[-1]

    def let(self, node: nodes.Let, env: Environment) -> Abstract:
        env = dict(env)
        for binding, value in node.bindings:
            env[id(binding)] = self._of(value, env)
        return self._of(node.body, env)

    def fn(self, node: nodes.Fn, env: Environment) -> Abstract:
        env = dict(env)
        key = id(node)
        known = self._functions.get(key)
        if known is not None:  # made again, with other values around it
            around = {one: alternatives((value, known[1][one])) for one, value in env.items() if one in known[1]}
            env = {**known[1], **env, **around}
        made = Abstract(functions=frozenset((key,)))
        if node.binding is not None:
            env[id(node.binding)] = made
        self._functions[key] = node, env, self._file
        return made

    def def_(self, node: nodes.Def, env: Environment) -> Abstract:
        value = self._of(node.value, env).decided(self._pc)
        self._globals.setdefault(node.name, []).append(value)
        return value

    def loop(self, node: nodes.Loop, env: Environment) -> Abstract:
        values = self._all(node.values, env)
        return self._rounds(node.target, node.variables, values, node.body, env)

    def _rounds(
        self, target: Any, variables: list[nodes.Binding], values: list[Abstract], body: nodes.Node, env: Environment
    ) -> Abstract:
        """What a body gives that may be run again with other values of its variables."""
        pc, tests, before, outer = self._pc, self._tests, self._before, self._loops.get(id(target))
        results: list[Abstract] = []
        for number in range(ROUNDS + 1):
            if number == ROUNDS:
                values = [ANYTHING] * len(values)
                self._pc |= frozenset((ANY,))
            recurred = self._loops[id(target)] = Recurred(len(values))
            inner = {**env, **{id(one): value for one, value in zip(variables, values, strict=True)}}
            self._tests = NONE
            state = self._maybe, self._pc
            if number:
                self._before = before
            result = self._of(body, inner)
            if result is not _NEVER:
                results.append(result)
            if not recurred.values or not any(recurred.values):
                if number == 0:
                    break
            else:
                self._pc |= self._tests
            following = [
                alternatives((value, *[one.decided(self._tests) for one in more]))
                for value, more in zip(values, recurred.values, strict=True)
            ]
            if state == (self._maybe, self._pc) and all(
                same(one, two) for one, two in zip(values, following, strict=True)
            ):
                break
            values = following
        by = self._pc - pc
        self._pc, self._tests = pc, tests | self._tests
        if outer is not None:
            self._loops[id(target)] = outer
        return alternatives(results).decided(by) if results else _NEVER

    def recur(self, node: nodes.Recur, env: Environment) -> Abstract:
        values = self._all(node.arguments, env)
        recurred = self._loops.get(id(node.target))
        if recurred is not None:
            for known, value in zip(recurred.values, values, strict=False):
                known.append(value)
        return _NEVER

    def match(self, node: nodes.Match, env: Environment) -> Abstract:
        env = dict(env)
        by: Atoms = NONE
        for clause in node.clauses:
            for step in clause.steps:
                if isinstance(step, nodes.Node):
                    by |= self._of(step, env).everything()
                else:
                    env[id(step[0])] = self._of(step[1], env)
        return self._branch(by, [*[clause.body for clause in node.clauses], node.otherwise], env)

    def try_(self, node: nodes.Try, env: Environment) -> Abstract:
        before, pc, tests = self._before, self._pc, self._tests
        failed = frozenset((ANY,))
        found, befores = [], []
        body = self._of(node.body, env)
        if body is not _NEVER:
            found.append(body)
            befores.append(self._before)
        for handler in node.handlers:
            self._pc, self._before = pc | failed, before
            value = self._of(handler.body, {**env, id(handler.binding): ANYTHING})
            if value is not _NEVER:
                found.append(value)
                befores.append(self._before)
        self._before = frozenset.intersection(*befores) if befores else before
        if node.cleanup is not None:
            self._pc = pc | failed
            self._of(node.cleanup, env)
        self._pc, self._tests = pc, tests | failed
        return alternatives(found).decided(failed) if found else _NEVER

    def vector(self, node: nodes.VectorDisplay, env: Environment) -> Abstract:
        return Abstract(kids=self._all(node.items, env))

    def map_(self, node: nodes.MapDisplay, env: Environment) -> Abstract:
        values = self._all(node.items, env)
        keys = [name_of(key.value) if isinstance(key, nodes.Const) else None for key in node.items[::2]]
        if None in keys:
            return joined(values, False)
        kids = {str(key): value for key, value in zip(keys, values[1::2], strict=True)}
        return Abstract(self._literal, kids=kids)

    def cast(self, node: nodes.Cast, env: Environment) -> Abstract:
        value = self._of(node.value, env)
        if value.kids is not None:
            return value
        return Abstract(value.data, value.control, value.must, None, value.functions, None, value.literal)

    def type_test(self, node: nodes.TypeTest, env: Environment) -> Abstract:
        return joined([self._of(node.value, env)])

    def each(self, node: nodes.Each, env: Environment) -> Abstract:
        """An inlined call of `map` and its like; on a lazy sequence its rounds come later."""
        initial = NOTHING if node.initial is None else self._of(node.initial, env)
        collection = self._of(node.collection, env)
        whole = joined([collection, initial], False)
        by = whole.data | whole.control
        variables = [node.item] if node.accumulator is None else [node.item, node.accumulator]
        item = self._vague(collection.element())
        with _Later(self, by):
            accumulator = self._vague(alternatives((initial, item)) if node.initial is None else initial)
            result: Abstract = NOTHING
            for number in range(ROUNDS + 1):
                if number == ROUNDS:
                    accumulator = ANYTHING
                inner = {**env, id(variables[0]): item}
                if node.accumulator is not None:
                    inner[id(node.accumulator)] = accumulator
                result = self._of(node.body, inner)
                following = alternatives((accumulator, result.decided(by)))
                if node.accumulator is None or same(accumulator, following):
                    break
                accumulator = following
        gathered = joined([collection, initial, result, *([] if node.accumulator is None else [accumulator])], False)
        return self._vague(Abstract(gathered.data, gathered.control | by | gathered.data, functions=gathered.functions))

    # ------------------------------------------------------------------ calls
    def invoke(self, node: nodes.Invoke, env: Environment) -> Abstract:
        function = self._of(node.function, env)
        arguments = self._all(node.arguments, env)
        if isinstance(node.function, nodes.Global) and node.function.core:
            return self._standard(node.function.name, arguments)
        return self._called(function, arguments)

    def _called(self, function: Abstract, arguments: list[Abstract]) -> Abstract:
        """A call of a value."""
        whole = function.whole()
        by = whole.data | whole.control
        if ANY in whole.data:
            self._maybe |= frozenset((None,))
            self._hand_out([function, *arguments])
            return ANYTHING
        direct = [one for one in whole.functions if one.__class__ is int and one > 0]
        found = []
        outer = self._pc
        self._pc |= by
        for one in direct:
            found.append(self._apply(one, arguments, joined([function, *arguments], False)))
        for one in whole.functions:
            if one.__class__ is str:
                found.append(self._standard(one, arguments))
        self._pc = outer
        if not found or len(direct) < len(whole.functions) or function.kids is not None:
            found.append(self._opaque([function, *arguments], False))
        return alternatives([one for one in found if one is not _NEVER] or [NOTHING]).decided(by)

    def _apply(self, key: int, arguments: list[Abstract], common: Abstract, known: bool = True) -> Abstract:
        """A call of a function of the program. common: what its parameters are where the arguments do not fit."""
        node, env, file = self._functions[key]
        self._entered.add(key)
        found = []
        for arity in node.arities:
            fits = len(arguments) == len(arity.params) or (
                arity.rest is not None and len(arguments) > len(arity.params)
            )
            if known and len(node.arities) > 1 and not fits and common is not ANYTHING:
                continue
            if arity in self._calling or len(self._calling) >= DEPTH:
                found.append(ANYTHING)
                self._recursive(arity, env, file)
                continue
            values = arguments[: len(arity.params)] if fits else [common] * len(arity.params)
            variables = list(arity.params)
            if arity.rest is not None:
                rest = arguments[len(arity.params) :] if fits else None
                variables.append(arity.rest)
                values = [*values, common if rest is None else Abstract(kids=list(rest))]
            found.append(self._body(arity, variables, values, env, file))
        return alternatives([one for one in found if one is not _NEVER] or [NOTHING])

    def _body(
        self, arity: nodes.Arity, variables: list[nodes.Binding], values: list[Abstract], env: Environment, file: str
    ) -> Abstract:
        outer, self._file = self._file, file
        self._calling.append(arity)
        try:
            return self._rounds(arity, variables, values, arity.body, env)
        finally:
            self._calling.pop()
            self._file = outer

    def _recursive(self, arity: nodes.Arity, env: Environment, file: str) -> None:
        """A function calls itself: the body is followed once with anything."""
        if self._calling.count(arity) > 1 or len(self._calling) >= DEPTH + 2:
            return
        variables = [*arity.params, *([arity.rest] if arity.rest is not None else [])]
        with _Later(self, frozenset((ANY,))):
            self._body(arity, variables, [ANYTHING] * len(variables), env, file)

    def _hand_out(self, values: list[Abstract]) -> None:
        """Functions in these values may be called from now on, with anything."""
        given = {abs(key) for value in values for key in value.whole().functions if key.__class__ is int}
        if given:
            with _Later(self, frozenset((ANY,))):
                for one in sorted(given):
                    self._apply(one, [], ANYTHING)

    def _standard(self, name: str, arguments: list[Abstract]) -> Abstract:
        """A call of a standard function."""
        if name in self._effects:
            self._maybe |= frozenset((None,))
            self._hand_out(arguments)
            return ANYTHING
        if name in ("get", "nth", "first") and arguments and arguments[0].kids is not None:
            index = "0" if name == "first" else arguments[1].literal if len(arguments) == 2 else None
            found = picked(arguments[0], index)
            if found is not None:
                return found
        if name in ("first", "second", "last", "nth") and 0 < len(arguments) < 3 and arguments[0].answer is not None:
            return arguments[0].element()
        if name in ("vector", "list"):
            return Abstract(kids=arguments)
        return self._opaque(arguments, name not in MOVES)

    def _opaque(self, values: list[Abstract], certain: bool) -> Abstract:
        """What code that is not followed makes of values, and of what it gets from the functions in them. certain: it
        has what each of them has."""
        whole = joined(values, certain)
        functions = whole.functions
        if not functions:
            return self._vague(whole)
        by = whole.data | whole.control
        given = Abstract(whole.data, whole.control | by, whole.must, functions=wrapped(functions))
        with _Later(self, by):
            for number in range(ROUNDS + 1):
                if number == ROUNDS:
                    given = ANYTHING
                results = [given]
                for one in sorted(functions, key=str):
                    if one.__class__ is int:
                        results.append(self._apply(abs(one), [], given, False))
                    elif one in self._effects:
                        results.append(ANYTHING)
                following = joined(results, False)
                functions = following.functions
                following = Abstract(
                    following.data,
                    following.control | following.data,
                    whole.must,
                    functions=wrapped(functions),
                )
                if same(given, following):
                    break
                given = following
        return self._vague(given)

    def _vague(self, value: Abstract) -> Abstract:
        """A value that a lazy sequence may be in, which has what all of them have."""
        if not self._lazy:
            return value
        return Abstract(value.data | {ANY}, value.control | {ANY}, value.must, None, value.whole().functions)

    def primitive(self, node: nodes.Primitive, env: Environment) -> Abstract:
        operation = node.operation
        arguments = self._all(node.arguments, env)
        if operation == "throw":
            return _NEVER
        if operation == "parallel":
            return self._parallel(arguments[0])
        if (operation in ("keyword_get", "pattern_get") or operation in GETS) and len(arguments) == 2:
            key, value = arguments if operation == "keyword_get" else reversed(arguments)
            name = key_of(key.literal)
            if name is not None:
                return value.at_key(name)
        if operation in ("pattern_items", "pattern_sequence") and (
            isinstance(arguments[0].kids, list) or arguments[0].answer
        ):
            return arguments[0]
        if operation in ("pattern_map", "pattern_record") and (
            isinstance(arguments[0].kids, dict) or arguments[0].answer
        ):
            return arguments[0]
        if operation in ("unpacked", "pattern_item", "sequence_item") and isinstance(arguments[0].kids, list):
            return arguments[0].element(int(arguments[1].literal or 0))
        if operation == "with_keywords" and all(isinstance(one.kids, dict) for one in arguments):
            return Abstract(self._literal, kids={**arguments[0].kids, **arguments[1].kids})  # type: ignore[dict-item]
        if operation in ("list_of", "vector_of"):
            return Abstract(kids=arguments)
        if operation == "plan_parameters":
            return joined(arguments, False)
        whole = joined(arguments, operation not in PRIMITIVE_MOVES)
        return self._vague(whole)

    def _parallel(self, functions: Abstract) -> Abstract:
        before, maybe = self._before, self._maybe
        parts = functions.kids if isinstance(functions.kids, list) else None
        if parts is None or any(len(one.functions) != 1 for one in parts):
            self._hand_out([functions])
            return ANYTHING
        gathered = before
        for _ in range(2):  # each branch may come after any call of the others
            found = []
            for part in parts:
                self._before = before
                found.append(self._called(part, []))
                gathered |= self._before
            if self._maybe == maybe:
                break
            maybe = self._maybe
        self._before = gathered
        return Abstract(kids=[one if one is not _NEVER else NOTHING for one in found])

    # ------------------------------------------------------------------ the host
    def request(self, node: nodes.HostRequest, env: Environment) -> Abstract:
        id_value = self._of(node.id, env)
        arguments = self._all(node.arguments, env)
        if node.kind == "parallel":
            return self._parallel(Abstract(kids=arguments))
        hints = [] if node.hints is None else [self._of(node.hints, env)]
        self._hand_out([*arguments, *hints])
        if node.kind == "context":
            return ANYTHING if self._contexts else Abstract(frozenset((INPUT,)), must=frozenset())
        if node.kind != "call":
            return joined([id_value, *arguments], False)
        id = node.id.value if isinstance(node.id, nodes.Const) else None
        by = self._pc | id_value.everything()
        visit = Visit(id, arguments, by, self._before, self._maybe)
        self.visits.setdefault((self._file, node.at), []).append(visit)
        mine = id is None or id in self._own or None in self._own
        declared = None if mine else self._declared(str(id))
        self._maybe |= frozenset((None,) if declared is None or declared.guest or hints else (id,))
        if id is None or declared is None or declared.guest or declared.keeps or hints:
            if id is not None and not hints and declared is not None and not declared.guest:
                self._before |= frozenset((visit,))
            return ANYTHING
        self._before |= frozenset((visit,))
        given = NOTHING if declared.drops else joined(arguments)
        own = (id, ())
        return Abstract(given.data | {own}, given.control, given.must | {id}, None, given.functions, own)


_NEVER = Abstract()
"""Of what does not come back: it throws, or begins another round."""


class _Later:
    """What is followed within may happen later, and never, or more than once: it is certainly before nothing, and
    anything may be before it."""

    def __init__(self, tracing: Tracing, by: Atoms) -> None:
        self.tracing = tracing
        self.by = by

    def __enter__(self) -> None:
        one = self.tracing
        self.kept = one._pc, one._before, one._maybe
        one._pc |= self.by
        one._maybe |= frozenset((None,))

    def __exit__(self, *raised: object) -> None:
        one = self.tracing
        one._pc, one._before, maybe = self.kept
        one._maybe = maybe | one._maybe


_FOLLOW: dict[type[nodes.Node], Callable[[Tracing, Any, Environment], Abstract]] = {
    nodes.Const: Tracing.const,
    nodes.Local: Tracing.local,
    nodes.Global: Tracing.global_,
    nodes.Broken: Tracing.broken,
    nodes.If: Tracing.if_,
    nodes.Logic: Tracing.logic,
    nodes.Do: Tracing.do,
    nodes.Let: Tracing.let,
    nodes.Fn: Tracing.fn,
    nodes.Invoke: Tracing.invoke,
    nodes.Primitive: Tracing.primitive,
    nodes.Def: Tracing.def_,
    nodes.Loop: Tracing.loop,
    nodes.Recur: Tracing.recur,
    nodes.Match: Tracing.match,
    nodes.Try: Tracing.try_,
    nodes.VectorDisplay: Tracing.vector,
    nodes.MapDisplay: Tracing.map_,
    nodes.HostRequest: Tracing.request,
    nodes.Cast: Tracing.cast,
    nodes.TypeTest: Tracing.type_test,
    nodes.Each: Tracing.each,
}
