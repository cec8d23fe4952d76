"""The pass over the nodes of a text that finds out what every expression can be, and what cannot work.

Knows nodes and facts, nothing of hosts but what `capability` answers. Each node class has one function in a table
(`@infers`), as code generation has. Invariants: nothing runs; a finding is made only where every run that gets to the
place fails there; `state` of a branch never leaks out of it.
"""

from __future__ import annotations

from rtfs.checker.diagnostics import ERROR, WARNING, Diagnostic
from rtfs.checker.facts import NEVER, Fact, join
from rtfs.compiler.analysis import nodes
from rtfs.values.step_account import PART, STRETCH, look, paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from rtfs.checker.capability_calls import CallSite, Capability
    from rtfs.checker.functions import Parameters
    from rtfs.source import Span

    Owner = Any
    Infer = Callable[["Inference", Any], Fact]

LONGEST = 20_000
"""Characters of the longest call whose text is looked into for the place of an argument."""
MOST_NODES = 400_000
"""Nodes that one analysis looks at; of what lies beyond nothing is said."""

HANDLERS: dict[type, Infer] = {}
"""Node class → the function that infers what a node of it can be."""


class _Noting(dict[type, "Infer"]):
    """`HANDLERS`, each of which also notes the fact at the place of the node."""

    def __missing__(self, kind: type) -> Infer:
        infer = HANDLERS[kind]

        def noting(inference: Inference, node: Any) -> Fact:
            fact = infer(inference, node)
            if not inference.silent:
                inference.facts[node.at] = fact
            return fact

        self[kind] = noting
        return noting


_NOTING = _Noting()


def infers(*classes: type) -> Callable[[Infer], Infer]:
    """Declare the decorated function as what infers nodes of these classes."""

    def declare(function: Infer) -> Infer:
        for one in classes:
            HANDLERS[one] = function
        return function

    return declare


def _nowhere(at: Any) -> None:
    """The place of a node, and the type of a form, while no form is at hand."""
    return


class Exhausted(Exception):
    """The budget of nodes is used up."""


class Finding:
    """A diagnostic with what its severity depends on: who owns the place, and whether the place certainly runs."""

    __slots__ = ("certain", "diagnostic", "in_function", "owners")

    def __init__(self, diagnostic: Diagnostic, owners: tuple[Owner, ...], certain: bool, in_function: bool) -> None:
        self.diagnostic = diagnostic
        self.owners = owners
        self.certain = certain
        self.in_function = in_function


class Inference:
    """The state of the inference over one text.

    span_at          place of a node's `at`, in the unit of the form at hand
    resolve          given a type form, the `Type`, or None where it does not read as one, in the module at hand
    capability       given an id, what is declared of it, or None
    defined_before   given a name that the text does not define, what is known of it
    detailed         whether `facts` are kept
    handlers         node class → what infers a node of it
    globals          names of the module → what is known of them
    bindings         local names → what is known of them at this place
    fields           (local name, key) → what a test has shown of the value under that key
    findings         what was found so far
    calls            the places where the text calls a capability
    facts            what was inferred of each node, by its place
    used             names that are used: (the definitions around the place, name)
    caught           names that are used where an error is caught
    passed           what a standard function passes to the `fn` (its id) that it is given
    """

    def __init__(
        self,
        capability: Callable[[str], Capability | None],
        defined_before: Callable[[str], Fact],
        detailed: bool,
    ) -> None:
        self.span_at: Callable[[int], Span | None] = _nowhere
        self.resolve: Callable[[Any], Any] = _nowhere
        self.capability = capability
        self.defined_before = defined_before
        self.detailed = detailed
        self.handlers: dict[type, Infer] = _NOTING if detailed else HANDLERS
        self.globals: dict[str, Fact] = {}
        self.bindings: dict[nodes.Binding, Fact] = {}
        self.fields: dict[tuple[nodes.Binding, Any], Fact] = {}
        self.findings: list[Finding] = []
        self.calls: list[CallSite] = []
        self.facts: dict[int, Fact] = {}
        self.used: list[tuple[tuple[Owner, ...], Owner]] = []
        self.caught: set[Owner] = set()
        self.passed: dict[int, list[Fact]] = {}
        self.functions: dict[int, Fact] = {}
        self.recurs: dict[Any, list[list[Fact]]] = {}
        self.parameters: dict[nodes.Binding, tuple[Parameters, int]] = {}
        self.owners: tuple[Owner, ...] = ()
        self.nodes = 0
        self.pause = STRETCH
        self.silent = 0
        self.catching = 0
        self.dead = 0
        self.conditional = 0
        self.depth = 0
        self.rounds: int | None = 1

    # ------------------------------------------------------------------ the pass
    def infer(self, node: nodes.Node) -> Fact:
        """The fact about the value of a node."""
        self.nodes += 1
        if self.nodes > self.pause:
            self._pause()
        return self.handlers[node.__class__](self, node)

    def infer_all(self, parts: Sequence[nodes.Node]) -> list[Fact]:
        """The facts about the values of nodes."""
        self.nodes += len(parts)
        if self.nodes > self.pause:
            self._pause()
        handlers = self.handlers
        found = []
        for part in parts if len(parts) <= PART else paced(parts):
            found.append(handlers[part.__class__](self, part))
        return found

    def _pause(self) -> None:
        """Let the machine look at the clock. Raises Exhausted for a text with too many nodes."""
        if self.nodes > MOST_NODES:
            raise Exhausted
        self.pause = min(self.nodes + STRETCH, MOST_NODES)
        look()

    def quietly(self, node: nodes.Node) -> Fact:
        """The fact about the value of a node, without reporting findings."""
        self.silent += 1
        try:
            return self.infer(node)
        finally:
            self.silent -= 1

    # ------------------------------------------------------------------ findings
    def report(
        self,
        code: str,
        message: str,
        at: int,
        *,
        hint: str | None = None,
        related: tuple[tuple[str, Span | None], ...] = (),
        span: Span | None = None,
        severity: str = ERROR,
        capability: str | None = None,
    ) -> None:
        """Note a finding at a place."""
        if self.silent:
            return
        place = span if span is not None else self.span_at(at)
        if place is not None and place.source.library:
            return
        certain = severity == ERROR and not self.catching and not self.dead
        diagnostic = Diagnostic(code, severity, message, place, hint, related=related, capability=capability)
        self.findings.append(Finding(diagnostic, self.owners, certain, self.depth > 0))

    def argument_span(self, node: Any, place: int, name: str) -> Span | None:
        """The place of an argument of a call of `name`. A constant has no place itself: it is looked up in the text of
        the call, if that is written as it was analysed."""
        argument = node.arguments[place]
        whole = self.span_at(node.at)
        if self.silent or whole is None or (argument.at and argument.at != node.at):
            return self.span_at(argument.at)
        return _written_argument(whole, place + 1, len(node.arguments) + 1, name) or whole

    def warn(self, code: str, message: str, at: int, *, hint: str | None = None) -> None:
        self.report(code, message, at, hint=hint, severity=WARNING)

    def diagnostics(self) -> list[Diagnostic]:
        """The findings, each with its severity: what something in the program may catch is a warning."""
        if not self.findings:
            return []
        catchable = self._reachable(self.caught)
        seen: set[tuple[Any, ...]] = set()
        found = []
        for finding in self.findings:
            one = finding.diagnostic
            key = (one.code, one.message, one.span)
            if key in seen:
                continue
            seen.add(key)
            if one.severity == ERROR and (
                not finding.certain or (finding.in_function and not catchable.isdisjoint(finding.owners))
            ):
                one.severity = WARNING
            found.append(one)
        return found

    def _reachable(self, names: set[Owner]) -> set[Owner]:
        """Names that are used from these, through definitions."""
        uses: dict[Owner, set[Owner]] = {}
        for owners, name in self.used:
            for owner in owners:
                uses.setdefault(owner, set()).add(name)
        reached = set(names)
        pending = list(names)
        while pending:
            for name in uses.get(pending.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    pending.append(name)
        return reached

    # ------------------------------------------------------------------ names
    def use(self, name: Owner) -> None:
        """Note that a name is used here."""
        self.used.append((self.owners, name))
        if self.catching:
            self.caught.add(name)

    def owned(self, owner: Owner, node: nodes.Node) -> Fact:
        """The fact about a node whose value gets a name."""
        outer = self.owners
        self.owners = (*outer, owner)
        try:
            return self.infer(node)
        finally:
            self.owners = outer

    # ------------------------------------------------------------------ branches
    def branch(self, node: nodes.Node, learned: list[tuple[Any, Fact]], dead: bool = False) -> Fact:
        """The fact about a node under what a test has shown. learned: pairs of a binding, or a (binding, key), and the
        fact about it there."""
        undo: list[tuple[Any, Fact | None]] = []
        table: dict[Any, Fact]
        for key, fact in learned:
            table = self.fields if key.__class__ is tuple else self.bindings
            undo.append((key, table.get(key)))
            table[key] = fact
        self.conditional += 1
        self.dead += dead
        try:
            return self.infer(node)
        finally:
            self.dead -= dead
            self.conditional -= 1
            while undo:
                key, before = undo.pop()
                table = self.fields if key.__class__ is tuple else self.bindings
                if before is None:
                    table.pop(key, None)
                else:
                    table[key] = before


def _written_argument(whole: Span, index: int, length: int, name: str) -> Span | None:
    """The place of child `index` of a call, if the call is written as a list with that many forms."""
    from rtfs.source import Source, Span
    from rtfs.syntax.reader import read_forms
    from rtfs.syntax.spans import child_span
    from rtfs.values import List, Symbol, UserError

    if whole.end - whole.start > LONGEST:
        return None
    try:
        forms = read_forms(Source(whole.text, whole.source.name))
    except UserError:
        return None
    form = forms[0] if len(forms) == 1 else None
    if form.__class__ is not List or len(form) != length or form[0].__class__ is not Symbol or form[0].name != name:
        return None
    span = child_span(form, index)
    return None if span is None else Span(whole.source, whole.start + span.start, whole.start + span.end)


def join_branches(one: Fact, one_dead: bool, other: Fact, other_dead: bool) -> Fact:
    """The joined fact of two branches, without a branch that cannot be taken."""
    if one_dead and other_dead:
        return NEVER
    if one_dead:
        return other
    return one if other_dead else join(one, other)
