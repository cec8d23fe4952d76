"""Checks of a program before any of it runs: its errors, unknown names, and the calls that it can make.

Must not run anything of the program (macros run, purely and within limits, as in every compilation; of the prelude what
makes the arguments of a call). Invariant: a call that is made with a literal id is found, be it in a function, the
output of a macro, an imported module, a hint or what was loaded; where an id is computed, that is said.
"""

from __future__ import annotations

from rtfs.capabilities.signature import canonical
from rtfs.checker.capability_calls import FALLBACKS
from rtfs.host.checks.flows import follow
from rtfs.host.policy.context import RuntimeContext
from rtfs.host.policy.grants import glob
from rtfs.values import Keyword, List, Map, Symbol, UserError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from rtfs.checker.diagnostics import Diagnostic
    from rtfs.checker.report import Analysis
    from rtfs.compiler import Environment
    from rtfs.compiler.gate import AnalysedForm
    from rtfs.host.policy.grants import Grants
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source, Span


class Call:
    """A place where a program can call. id: None if it is computed. arguments: None if they are computed. decision:
    `allow`, `deny`, `ask`, `unknown`, `declared` by the program itself, or `depends` on the arguments. reason: why.
    grant: what would allow it. at_most: how often one run calls this capability, or None if that is not known. site:
    where it is, as tracing knows it, or None for a call that is not followed. sources: returns the result of `flows`,
    or None if nothing is known."""

    __slots__ = ("arguments", "at_most", "decision", "grant", "id", "reason", "site", "sources", "span")

    def __init__(self, id: str | None, span: Span | None, arguments: tuple[Any, ...] | None = None) -> None:
        self.id = id
        self.span = span
        self.arguments = arguments
        self.decision = "depends"
        self.reason = "the id is computed while the program runs"
        self.grant: str | None = None
        self.at_most: int | None = None
        self.site: tuple[str, int] | None = None
        self.sources: Callable[[], dict[str, list[str]]] | None = None

    @property
    def flows(self) -> dict[str, list[str]]:
        """Argument → what it may come from. The program is followed for it, unless rules had it followed."""
        return {} if self.sources is None else self.sources()


class Report:
    """analysis: what is wrong or doubtful. calls: what the program can call, in the order of the text."""

    __slots__ = ("analysis", "calls")

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self.calls: list[Call] = []

    @property
    def errors(self) -> list[Diagnostic]:
        """The errors that prevent the program from running, in the order of the text."""
        return self.analysis.errors


class Name:
    """A use of a name that is not a local one. arguments: of the call that it is used in, where they are literal."""

    __slots__ = ("arguments", "module", "span", "text")

    def __init__(self, text: str, module: Any, span: Span | None, arguments: tuple[Any, ...] | None) -> None:
        self.text = text
        self.module = module
        self.span = span
        self.arguments = arguments


class Content:
    """The contents of top-level forms. names: the names used; calls: the calls made; defined: the names defined;
    declared: ids of capabilities."""

    __slots__ = ("calls", "declared", "defined", "names")

    def __init__(self) -> None:
        self.names: list[Name] = []
        self.calls: list[Call] = []
        self.defined: set[str] = set()
        self.declared: set[str] = set()

    def add(self, form: AnalysedForm, module: Any) -> None:
        """Look at an analysed top-level form of a module."""
        from rtfs.compiler.analysis.nodes import Const, Def, Global, HostRequest, Invoke, walk

        found = list(walk(form.node))
        given = {id(node.function): _literals(node.arguments) for node in found if isinstance(node, Invoke)}
        for node in found:
            span = form.unit.span(node.at)
            if isinstance(node, Global):
                self.names.append(Name(node.name, module, span, given.get(id(node))))
            elif isinstance(node, Def):
                self.defined.add(node.name)
            elif isinstance(node, HostRequest) and node.kind in ("call", "capability"):
                name = node.id.value if isinstance(node.id, Const) else None
                if node.kind == "capability":
                    self.declared.add(name or "")
                else:
                    arguments = _literals(node.arguments)
                    made = Call(name, span, arguments)
                    made.site = form.unit.filename, node.at
                    self.calls += [made, *[Call(one, span, arguments) for one in _fallbacks(node.hints)]]


def analysed(runtime: Runtime, source: Source) -> Analysis:
    """The analysis of a program under the definitions and declarations of a runtime. Never raises because of the
    program's contents."""
    from rtfs.checker.analysis import analyse
    from rtfs.host.checks.gate import capability_of

    strict = runtime.options.strict_arguments
    return analyse(source, runtime.environment, lambda id: capability_of(runtime._registry, id, strict))


def verdict(runtime: Runtime, id: str, allow: Grants | None = None) -> Call:
    """The policy's decision about calls of a capability, whatever their arguments. allow: grants that narrow the
    runtime's, or None."""
    call = Call(id, None)
    _decide(call, runtime, set(), allow)
    return call


def verdicts(runtime: Runtime, source: Source, allow: Grants | None = None) -> Report:
    """The errors of a program, and the policy's decision about each call that it can make. The program is not run.
    allow: grants that narrow the runtime's, or None."""
    loaded = _loaded(runtime)
    analysis = analysed(runtime, source)
    report, content = Report(analysis), Content()
    environment = runtime.environment.snapshot()
    for form in analysis.forms:
        content.add(form, environment.module(form.module))
    report.calls += content.calls
    effects = _prelude_calls()
    for name in content.names:
        if name.text not in content.defined and name.text in environment.core:
            report.calls += _effects(name, effects, environment)
    report.calls += _through(loaded, content, effects, environment)
    uncounted = {call.id for call in report.calls[len(content.calls) :]}  # how often a function is called is not known
    for call in report.calls:
        _decide(call, runtime, content.declared, allow)
        call.at_most = None if call.id is None or call.id in uncounted else analysis.bound(call.id)
    follow(runtime, analysis, report.calls, [*effects])
    report.calls.sort(key=lambda call: -1 if call.span is None else call.span.start)
    return report


def _loaded(runtime: Runtime) -> dict[str, list[Content]]:
    """The texts loaded before, by the names that they define and, after a space, the ids that they declare."""
    from rtfs.compiler.analyse import analyse_source

    found: dict[str, list[Content]] = {}
    environment = runtime.environment.snapshot()
    for source, _ in runtime._executor.loaded:
        for form in analyse_source(source, environment).forms:
            content = Content()
            content.add(form, environment.module(form.module))
            for key in (*content.defined, *(" " + id for id in content.declared)):
                found.setdefault(key, []).append(content)
    return found


def _through(
    loaded: dict[str, list[Content]], content: Content, effects: dict[str, list[str]], environment: Environment
) -> Iterator[Call]:
    """The calls that a program makes through what was loaded, at the places where it uses that."""
    pending = [(name.text.rpartition("/")[2], name.span) for name in content.names if name.text not in content.defined]
    pending += [(" " + call.id, call.span) for call in content.calls if call.id is not None]
    seen: set[Any] = set()
    while pending:
        key, span = pending.pop()
        where = (key, None if span is None else span.start)
        if where in seen:
            continue
        seen.add(where)
        for used in loaded.get(key, ()):
            calls = list(used.calls)
            for name in used.names:
                pending.append((name.text.rpartition("/")[2], span))
                if name.text not in name.module.defined and name.text not in name.module.globals:
                    calls += _effects(name, effects, environment)
            for call in calls:
                yield Call(call.id, span, call.arguments)
                if call.id is not None:
                    pending.append((" " + call.id, span))


def _effects(name: Name, effects: dict[str, list[str]], environment: Environment) -> list[Call]:
    """The calls that a function of the prelude makes; its text says with which arguments, where its own are literal."""
    from rtfs.machine import RequiresHost, start_call

    if name.text in effects and name.arguments is not None:
        try:
            outcome = start_call(environment, environment.core[name.text], name.arguments)
        except UserError:
            outcome = None
        if isinstance(outcome, RequiresHost):
            outcome.close()
            return [Call(outcome.call.id, name.span, outcome.call.args)]
    return [Call(id, name.span) for id in effects.get(name.text, ())]


def _literals(nodes: list[Any]) -> tuple[Any, ...] | None:
    """The values of arguments that are written out, or None."""
    try:
        return tuple([_literal(node) for node in nodes])
    except LookupError:
        return None


def _literal(node: Any) -> Any:
    """The value of a node. Raises LookupError if it is computed."""
    from rtfs.compiler.analysis.nodes import Const, MapDisplay, Primitive, VectorDisplay

    if isinstance(node, Const):
        return node.value
    if isinstance(node, VectorDisplay):
        return Vector([_literal(item) for item in node.items])
    if isinstance(node, MapDisplay):
        items = [_literal(item) for item in node.items]
        return Map(zip(items[::2], items[1::2], strict=True))
    if isinstance(node, Primitive) and node.operation == "with_keywords":
        given, keywords = [_literal(argument) for argument in node.arguments]
        return given.merge_pairs(keywords.items()) if given.__class__ is Map else given
    raise LookupError


def _fallbacks(hints: Any) -> list[str | None]:
    """The ids of the capabilities that a call falls back on; None where one is computed."""
    found: list[str | None] = []
    for key, value in _pairs(hints):
        if key.__class__ is not Keyword or key.name not in FALLBACKS:
            continue
        options = _pairs(value)
        for option, other in options if _is_map(value) else [("capability", value)]:
            if option == "capability" or option == Keyword("capability"):
                (id,) = _literals([other]) or (None,)
                found.append(id.name if id.__class__ is Keyword else id)
    return found


def _is_map(node: Any) -> bool:
    from rtfs.compiler.analysis.nodes import Const, MapDisplay

    return isinstance(node, MapDisplay) or (isinstance(node, Const) and node.value.__class__ is Map)


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    """The keys (None where computed) and the nodes of the values of a map that is written out."""
    from rtfs.compiler.analysis.nodes import Const

    if not _is_map(node):
        return []
    if isinstance(node, Const):
        return [(key, Const(node.at, value)) for key, value in node.value.items()]
    return [
        ((_literals([key]) or (None,))[0], value) for key, value in zip(node.items[::2], node.items[1::2], strict=True)
    ]


def _decide(call: Call, runtime: Runtime, declared: set[str], allow: Grants | None) -> None:
    id = call.id
    if id is None:
        return
    undeclared = runtime._pipeline.undeclared
    entry = runtime._registry.find(id)
    if entry is None and id not in declared and undeclared is not None:
        entry = undeclared.stand_in(id)
    if entry is None:
        if id in declared:
            call.decision, call.reason = "declared", "the program declares it; what it reaches is decided at the call"
        else:
            error = runtime._registry.unknown(id, call.span)
            call.decision, call.reason = "unknown", error.hint or error.message
        return
    known = call.arguments is not None
    conditional = (
        [] if known else [rule for rule in runtime._executor.rules.rules if rule.when and glob(rule.match, id)]
    )
    grants = (runtime._executor.grants,) if allow is None else (runtime._executor.grants, allow)
    context = RuntimeContext(principal=runtime.options.principal, grants=grants, level=runtime.options.level)
    arguments = call.arguments or ()
    if known:
        try:
            arguments = canonical(entry, arguments)
        except UserError as error:
            call.decision, call.reason = "depends", error.message
            return
    decision = runtime._pipeline.decide(entry, arguments, context)
    if runtime._pipeline.guard is not None:
        call.decision, call.reason = "depends", "the embedder's policy decides"
    elif conditional:
        kinds = sorted({rule.decide for rule in conditional})
        call.decision, call.reason = "depends", f"rules look at its arguments: {', '.join(kinds)}"
    elif decision.ask:
        call.decision, call.reason = "ask", decision.reason
    elif decision.allow:
        call.decision, call.reason = "allow", decision.reason
    elif decision.error is not None:
        call.decision = "depends"
        call.reason = decision.error.message if known else "what it reaches depends on its arguments"
    else:
        call.decision, call.reason, call.grant = "deny", decision.reason, decision.grant


def _prelude_calls() -> dict[str, list[str]]:
    """Prelude function → the ids that its text calls."""
    from rtfs.host.bundled.prelude import PRELUDE
    from rtfs.source import Source
    from rtfs.syntax.reader import read_forms
    from rtfs.syntax.resources import resource_text

    found: dict[str, list[str]] = {}
    for form in read_forms(Source(resource_text(PRELUDE), PRELUDE)):
        pending, ids = [form], []
        while pending:
            part = pending.pop()
            if part.__class__ is List and len(part) > 1 and part[0] == Symbol("call") and part[1].__class__ is str:
                ids.append(part[1])
            if hasattr(part, "to_list"):
                pending += part.to_list()
        if form.__class__ is List and len(form) > 1 and form[1].__class__ is Symbol:
            found[form[1].name] = sorted(set(ids))
    return found
