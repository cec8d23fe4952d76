"""Follows values through the analysed forms of a program, without running it: what each call may be given, what may
have decided that it is made, and what has been called before it.

Must not know rules, or what each kind of node does (`rtfs.host.flow.following` declares that). Invariants: every call
site that can be reached is met with all that it may be given; what is too hard to follow is `ANYTHING`, and a call that
was perhaps not made was not certainly made; the work is bounded.
"""

from __future__ import annotations

from rtfs.compiler.analysis import nodes
from rtfs.compiler.labelled.higher_order import call_value  # noqa: F401 - declares how standard functions move values
from rtfs.compiler.labelled.moves import MOVES
from rtfs.host.flow.abstract import (
    ANY,
    ANYTHING,
    NONE,
    NOTHING,
    PLAN,
    Abstract,
    Atoms,
    alternatives,
    joined,
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
    """Abstract values of local names, by the identity of their bindings."""
    Follow = Callable[["Tracing", Any, Environment], Abstract]

ROUNDS = 8
"""How often a loop is followed before its values count as unknown."""
DEPTH = 24
"""Calls of functions of the program within each other that are followed."""
WORK = 60_000
"""Nodes that are looked at in all."""
_LAZY = frozenset(("range", "iterate", "repeat", "repeatedly", "cycle", "lazy-seq*", "iteration"))
"""Standard functions that make lazy sequences of what is none; others make one only of another."""
FOLLOW: dict[type[nodes.Node], Follow] = {}
"""Kind of node → what follows one."""


def follows(kind: type[nodes.Node]) -> Callable[[Follow], Follow]:
    """Declare the decorated function as what follows nodes of a kind."""

    def declare(function: Follow) -> Follow:
        FOLLOW[kind] = function
        return function

    return declare


class TooMuch(Exception):
    """The program is too large to be followed."""


class Tracing:
    """The tracing of one program.

    `visits`: place of a call, as (file of the unit, index), → the ways in which it is made. declared: what is known of
    a capability, None where nothing is. effects: standard functions whose text makes calls. literal: what constants
    come from.

    Where it is now: `pc`: what may have decided that this is reached; `tests`: what may have decided about another
    round of the loop around; `before`: the calls that certainly gave a value before; `maybe`: ids of calls that may
    have been made before, None among them: any; `file`: of the unit; `loops`: target of a loop around → what its
    variables get in the next round.

    Of the program: `globals`: name → the values that it is defined as so far; `defined`: names that it defines;
    `functions`: function → its node, the locals around it, its file; `own`: ids of the capabilities that it declares,
    None among them: any; `contexts`: whether it changes the context.
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
        self.declared = declared
        self._effects = frozenset(effects)
        self.literal = frozenset((literal,))
        self._left = WORK
        self.file = ""
        self.pc: Atoms = NONE
        self.tests: Atoms = NONE
        self.before: frozenset[Visit] = frozenset()
        self.maybe: frozenset[str | None] = frozenset()
        self.loops: dict[int, Recurred] = {}
        self._calling: list[nodes.Arity] = []
        self.globals: dict[str, list[Abstract]] = {}
        self.functions: dict[int, tuple[nodes.Fn, Environment, str]] = {}
        self._entered: set[int] = set()
        forms = list(forms)
        found = [node for form in forms for node in nodes.walk(form.node)]
        self._lazy = any(isinstance(one, nodes.Global) and one.core and one.name in _LAZY for one in found)
        self.contexts = any(isinstance(one, nodes.HostRequest) and one.kind == "context-enter" for one in found)
        own = [one.id for one in found if isinstance(one, nodes.HostRequest) and one.kind == "capability"]
        self.own = {one.value if isinstance(one, nodes.Const) else None for one in own}
        self.defined = {one.name for one in found if isinstance(one, nodes.Def)}
        try:
            for form in forms:
                self.file = form.unit.filename
                self.of(form.node, {})
            self._enter_the_rest()
        except (TooMuch, RecursionError):
            self.complete = False

    def _enter_the_rest(self) -> None:
        """Functions that nothing here calls may be called by any code that gets them."""
        self.pc, self.before, self.maybe = frozenset((ANY,)), frozenset(), frozenset((None,))
        while True:
            left = [key for key in self.functions if key not in self._entered]
            if not left:
                return
            for key in left:
                self._apply(key, [], ANYTHING)

    # ------------------------------------------------------------------ nodes
    def of(self, node: nodes.Node, env: Environment) -> Abstract:
        """The abstract label of a node's value. Raises TooMuch."""
        self._left -= 1
        if self._left < 0:
            raise TooMuch
        return FOLLOW[node.__class__](self, node, env)

    def all(self, parts: Iterable[nodes.Node], env: Environment) -> list[Abstract]:
        """The same of several nodes, one after the other."""
        return [self.of(part, env) for part in parts]

    def branch(self, by: Atoms, ways: list[nodes.Node], env: Environment) -> Abstract:
        """One of several nodes, chosen by something."""
        pc, before, maybe = self.pc, self.before, self.maybe
        self.tests |= by
        self.pc = pc | by
        found, befores = [], []
        after = maybe
        for way in ways:
            self.before, self.maybe = before, maybe
            value = self.of(way, env)
            if value is not NEVER:
                found.append(value)
                befores.append(self.before)
            after |= self.maybe
        self.pc = pc
        self.before = frozenset.intersection(*befores) if befores else before
        self.maybe = after
        return alternatives(found).decided(by) if found else NEVER

    def rounds(
        self, target: Any, variables: list[nodes.Binding], values: list[Abstract], body: nodes.Node, env: Environment
    ) -> Abstract:
        """The result of a body that may run again with other values of its variables."""
        pc, tests, before, outer = self.pc, self.tests, self.before, self.loops.get(id(target))
        results: list[Abstract] = []
        for number in range(ROUNDS + 1):
            if number == ROUNDS:
                values = [ANYTHING] * len(values)
                self.pc |= frozenset((ANY,))
            recurred = self.loops[id(target)] = Recurred(len(values))
            inner = {**env, **{id(one): value for one, value in zip(variables, values, strict=True)}}
            self.tests = NONE
            state = self.maybe, self.pc
            if number:
                self.before = before
            result = self.of(body, inner)
            if result is not NEVER:
                results.append(result)
            if not recurred.values or not any(recurred.values):
                if number == 0:
                    break
            else:
                self.pc |= self.tests
            following = [
                alternatives((value, *[one.decided(self.tests) for one in more]))
                for value, more in zip(values, recurred.values, strict=True)
            ]
            if state == (self.maybe, self.pc) and all(
                same(one, two) for one, two in zip(values, following, strict=True)
            ):
                break
            values = following
        by = self.pc - pc
        self.pc, self.tests = pc, tests | self.tests
        if outer is not None:
            self.loops[id(target)] = outer
        return alternatives(results).decided(by) if results else NEVER

    # ------------------------------------------------------------------ calls
    def called(self, function: Abstract, arguments: list[Abstract]) -> Abstract:
        """A call of a value."""
        whole = function.whole()
        by = whole.data | whole.control
        if ANY in whole.data:
            self.maybe |= frozenset((None,))
            self.hand_out([function, *arguments])
            return ANYTHING
        direct = [one for one in whole.functions if one.__class__ is int and one > 0]
        found = []
        outer = self.pc
        self.pc |= by
        for one in direct:
            found.append(self._apply(one, arguments, joined([function, *arguments], False)))
        for one in whole.functions:
            if one.__class__ is str:
                found.append(self.standard(one, arguments))
        self.pc = outer
        if not found or len(direct) < len(whole.functions) or function.kids is not None:
            found.append(self._opaque([function, *arguments], False))
        return alternatives([one for one in found if one is not NEVER] or [NOTHING]).decided(by)

    def _apply(self, key: int, arguments: list[Abstract], common: Abstract, known: bool = True) -> Abstract:
        """A call of a function of the program. common: what its parameters are where the arguments do not fit."""
        node, env, file = self.functions[key]
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
        return alternatives([one for one in found if one is not NEVER] or [NOTHING])

    def _body(
        self, arity: nodes.Arity, variables: list[nodes.Binding], values: list[Abstract], env: Environment, file: str
    ) -> Abstract:
        outer, self.file = self.file, file
        self._calling.append(arity)
        try:
            return self.rounds(arity, variables, values, arity.body, env)
        finally:
            self._calling.pop()
            self.file = outer

    def _recursive(self, arity: nodes.Arity, env: Environment, file: str) -> None:
        """A function calls itself: the body is followed once with anything."""
        if self._calling.count(arity) > 1 or len(self._calling) >= DEPTH + 2:
            return
        variables = [*arity.params, *([arity.rest] if arity.rest is not None else [])]
        with Later(self, frozenset((ANY,))):
            self._body(arity, variables, [ANYTHING] * len(variables), env, file)

    def hand_out(self, values: list[Abstract]) -> None:
        """Functions in these values may be called from now on, with anything."""
        given = {abs(key) for value in values for key in value.whole().functions if key.__class__ is int}
        if given:
            with Later(self, frozenset((ANY,))):
                for one in sorted(given):
                    self._apply(one, [], ANYTHING)

    def standard(self, name: str, arguments: list[Abstract]) -> Abstract:
        """A call of a standard function."""
        if name in self._effects:
            self.maybe |= frozenset((None,))
            self.hand_out(arguments)
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
        """The result of code that tracing does not follow, from its arguments and from the results of functions in
        them. certain: the result has the sources of each of them for certain."""
        whole = joined(values, certain)
        functions = whole.functions
        if not functions:
            return self.vague(whole)
        by = whole.data | whole.control
        given = Abstract(whole.data, whole.control | by, whole.must, functions=wrapped(functions))
        with Later(self, by):
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
        return self.vague(given)

    def vague(self, value: Abstract) -> Abstract:
        """A value that a lazy sequence may be in, which has what all of them have."""
        if not self._lazy:
            return value
        return Abstract(value.data | {ANY}, value.control | {ANY}, value.must, None, value.whole().functions)


NEVER = Abstract()
"""Of what does not come back: it throws, or begins another round."""


class Later:
    """A context for code that may run later, never, or more than once: it is certainly before nothing, and anything may
    be before it."""

    def __init__(self, tracing: Tracing, by: Atoms) -> None:
        self.tracing = tracing
        self.by = by

    def __enter__(self) -> None:
        one = self.tracing
        self.kept = one.pc, one.before, one.maybe
        one.pc |= self.by
        one.maybe |= frozenset((None,))

    def __exit__(self, *raised: object) -> None:
        one = self.tracing
        one.pc, one.before, maybe = self.kept
        one.maybe = maybe | one.maybe
