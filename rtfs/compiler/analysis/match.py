"""Patterns of `match`: each clause becomes a list of tests and bindings.

Knows nothing of Python code. Vectors fit vectors and lists of exactly that length (`& r` for more), maps are open,
literals compare with `=`, a regular expression fits a text that it matches completely, a name fits anything and occurs
once in a pattern.
"""

from __future__ import annotations

from rtfs.compiler.analysis.destructure import AS, KEYS, binding_name
from rtfs.compiler.analysis.nodes import Binding, Clause, Const, Local, Logic, Node, Primitive, TypeTest
from rtfs.compiler.analysis.scope import Scope
from rtfs.compiler.analysis.special_forms import shape_error
from rtfs.values import Keyword, List, Map, Regex, Symbol, Vector
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser

Steps = list[Node | tuple[Binding, Node]]

WHEN = Keyword("when")
OR = Keyword("or")
MAX_ALTERNATIVES = 1000
GUARDS = (Keyword("when"), Keyword("if"), Keyword("guard"), Keyword("where"))
"""Keywords that begin a guard, with the test behind them: a bare keyword there is never the body."""
DEFAULTS = (Keyword("else"), Keyword("default"), Keyword("otherwise"))


def match_clauses(a: Analyser, forms: list[Any], subject: Node, scope: Scope, tail: Any) -> list[Clause]:
    """The clauses of a flat `pattern body …` list, guards included."""
    clauses: list[Clause] = []
    index = 0
    while index < len(forms):
        pattern = forms[index]
        index += 1
        guard: Any = None
        guarded = False
        if index + 2 < len(forms) and forms[index] in GUARDS and forms[index + 1].__class__ is List:
            raise CompileError("form/shape", "a guard is written with the bare `when`", hint="pattern when test body")
        if index < len(forms) and forms[index].__class__ is Symbol and forms[index].name == "when":
            if index + 1 >= len(forms):
                raise shape_error("match", "a guard is missing after `when`")
            guard, guarded = forms[index + 1], True
            index += 2
        if index >= len(forms):
            raise shape_error("match", "the last pattern has no body")
        for alternative in _alternatives(pattern):
            inner = Scope(scope, defines=scope.local_definitions)
            steps = Pattern(a, inner).steps(alternative, subject)
            if guarded:
                steps.append(a.analyse(guard, inner))
            clauses.append(Clause(steps, a.analyse(forms[index], inner, tail)))
            if len(clauses) > MAX_ALTERNATIVES * 10:
                raise CompileError("form/shape", "`match` has too many alternatives")
        index += 1
    return clauses


def _alternatives(pattern: Any) -> list[Any]:
    """`(:or p q)` at the top of a clause is a clause each."""
    if pattern.__class__ is List and len(pattern) and pattern[0] is OR:
        if len(pattern) < 2:
            raise CompileError("form/shape", "`(:or …)` needs patterns")
        found: list[Any] = []
        for part in pattern[1:]:
            found.extend(_alternatives(part))
        names = {frozenset(pattern_names(part)) for part in found}
        if len(names) > 1:
            raise CompileError("form/shape", "all alternatives of `(:or …)` must bind the same names")
        return found
    return [pattern]


def pattern_names(pattern: Any) -> list[str]:
    """The names that a pattern binds."""
    kind = pattern.__class__
    if kind is Symbol:
        return [] if pattern.name in ("_", "&") else [pattern.name]
    if kind is Vector:
        return [name for part in pattern for name in pattern_names(part)]
    if kind is Map:
        return [name for pair in pattern.items() for name in pattern_names(pair[1])]
    if kind is List and len(pattern) and not _is_quote(pattern):
        if len(pattern) == 3 and pattern[1] is WHEN:
            return pattern_names(pattern[0])
        return [name for part in pattern[1:] for name in pattern_names(part)]
    return []


def _is_quote(pattern: Any) -> bool:
    return bool(len(pattern) == 2 and pattern[0].__class__ is Symbol and pattern[0].name == "quote")


class Pattern:
    """Builds the steps of one pattern; names are bound in `scope`, each once."""

    def __init__(self, analyser: Analyser, scope: Scope) -> None:
        self.a = analyser
        self.scope = scope
        self.found: Steps = []

    def steps(self, pattern: Any, subject: Node) -> Steps:
        self._fit(pattern, subject)
        return self.found

    def _name(self, name: str, value: Node) -> None:
        if name == "_":
            return
        if name in self.scope.names:
            raise CompileError(
                "form/shape", f"`{name}` appears twice in one pattern", hint="bind two names, compare in a guard"
            )
        self.found.append((self.a.bind(name, self.scope), value))

    def _hold(self, value: Node) -> Node:
        if isinstance(value, Local):
            return value
        binding = self.a.unnamed(self.scope)
        self.found.append((binding, value))
        return Local(value.at, binding)

    def _fit(self, pattern: Any, subject: Node) -> None:
        kind = pattern.__class__
        if kind is Symbol:
            self._name(binding_name(pattern), subject)
        elif kind is Vector:
            self._vector(pattern, self._hold(subject))
        elif kind is Map:
            self._map(pattern, self._hold(subject))
        elif kind is List:
            self._list(pattern, subject)
        else:
            self._literal(pattern, subject)

    def _literal(self, value: Any, subject: Node) -> None:
        if value.__class__ is Regex:
            self.a.check_regex(value)
            self.found.append(Primitive(self.a.at, "regex_fits", [subject, Const(self.a.at, value)]))
            return
        self.found.append(Primitive(self.a.at, "equals", [subject, Const(self.a.at, value)]))

    def _vector(self, pattern: Any, subject: Node) -> None:
        at = self.a.locate(pattern)
        items = pattern.to_list()
        if len(items) >= 2 and items[-2] is AS:
            self._fit(items[-1], subject)
            items = items[:-2]
        rest = None
        has_rest = False
        for index, item in enumerate(items):
            if item.__class__ is Symbol and item.name == "&":
                if index + 2 != len(items):
                    raise shape_error("match", "exactly one pattern follows `&`")
                rest, has_rest = items[index + 1], True
                items = items[:index]
                break
        count = Const(at, len(items))
        self.found.append(Primitive(at, "fits_at_least" if has_rest else "fits_exactly", [subject, count]))
        for index, item in enumerate(items):
            self._fit(item, Primitive(at, "sequence_item", [subject, Const(at, index)]))
        if has_rest:
            self._fit(rest, Primitive(at, "sequence_rest", [subject, count]))

    def _map(self, pattern: Any, subject: Node) -> None:
        at = self.a.locate(pattern)
        self.found.append(Primitive(at, "is_map", [subject]))
        taken: list[Any] = []
        rest = None
        for key, part in pattern.items():
            if key is AS:
                self._fit(part, subject)
            elif key.__class__ is Symbol and key.name == "&":
                rest = part
            elif key is KEYS and part.__class__ is Vector:
                for name in part:
                    if name.__class__ is not Symbol:
                        raise CompileError("form/shape", "`:keys` takes a vector of names")
                    self._entry(at, Keyword(name.name), name, subject, taken)
            elif key.__class__ is Symbol:
                raise CompileError("form/shape", "a map pattern pairs keys with patterns", hint="write {:key name}")
            else:
                self._entry(at, key, part, subject, taken)
        if rest is not None:
            self._fit(rest, Primitive(at, "pattern_without", [subject, *(Const(at, key) for key in taken)]))

    def _entry(self, at: int, key: Any, part: Any, subject: Node, taken: list[Any]) -> None:
        taken.append(key)
        self.found.append(Primitive(at, "pattern_has", [subject, Const(at, key)]))
        self._fit(part, Primitive(at, "pattern_get", [subject, Const(at, key)]))

    def _list(self, pattern: Any, subject: Node) -> None:
        at = self.a.locate(pattern)
        if not len(pattern):
            self.found.append(Primitive(at, "fits_exactly", [subject, Const(at, 0)]))
            return
        head = pattern[0]
        if _is_quote(pattern):
            self._literal(pattern[1], subject)
        elif head is OR:
            self._nested_or(pattern, subject)
        elif head is AS:
            if len(pattern) != 3 or pattern[1].__class__ is not Symbol:
                raise CompileError("form/shape", "write (:as name pattern)")
            held = self._hold(subject)
            self._name(binding_name(pattern[1]), held)
            self._fit(pattern[2], held)
        elif len(pattern) == 3 and pattern[1] is WHEN:
            self._fit(head, subject)
            self.found.append(self.a.analyse(pattern[2], self.scope))
        elif 1 <= len(pattern) <= 2 and self.a.is_type(head):
            self.a.environment.check_type(head, self.a.module)
            held = self._hold(subject)
            self.found.append(TypeTest(at, held, head))
            if len(pattern) == 2:
                self._fit(pattern[1], held)
        else:
            raise self.a.error(
                CompileError(
                    "form/shape",
                    "this list is not a pattern",
                    hint="list patterns: (:int n), (:or p q), (:as name p), (p :when guard), 'symbol",
                ),
                pattern,
            )

    def _nested_or(self, pattern: Any, subject: Node) -> None:
        """Within another pattern, alternatives bind nothing: each is a test."""
        if pattern_names(pattern):
            raise CompileError(
                "form/shape", "`(:or …)` inside a pattern may hold no names", hint="write a clause for each"
            )
        held = self._hold(subject)
        tests: list[Node] = []
        for part in pattern[1:]:
            steps = Pattern(self.a, Scope(self.scope)).steps(part, held)
            simple = [step for step in steps if isinstance(step, Node)]
            if len(simple) != len(steps):
                raise CompileError("form/shape", "`(:or …)` inside a pattern takes literals and types")
            tests.append(
                simple[0] if len(simple) == 1 else Logic(self.a.at, "and", list(simple) or [Const(self.a.at, True)])
            )
        self.found.append(Logic(self.a.at, "or", tests) if tests else Const(self.a.at, False))
