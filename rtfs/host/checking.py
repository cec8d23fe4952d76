"""What can be said of a program before anything of it runs: its errors, unknown names, and the calls it can make.

Must not run anything of the program (macros run, purely and within limits, as in every compilation). Invariant: a call
that is made with a literal id is found, be it in a function, a macro's output or an imported module; where an id is
computed, that is said.
"""

from __future__ import annotations

from rtfs.host.context import RuntimeContext
from rtfs.host.grants import glob
from rtfs.values import EvalError, List, Symbol, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.host.runtime import Runtime
    from rtfs.source import Source, Span


class Call:
    """A place where a program can call. id: or None where it is computed. decision: `allow`, `deny`, `ask`, `unknown`,
    `declared` by the program itself, or `depends` on the arguments. reason: in words. grant: what would allow it."""

    __slots__ = ("decision", "grant", "id", "reason", "span")

    def __init__(self, id: str | None, span: Span | None) -> None:
        self.id = id
        self.span = span
        self.decision = "depends"
        self.reason = "the id is computed while the program runs"
        self.grant: str | None = None


class Report:
    """errors: what keeps the program from running, first to last. calls: what it can call, in the order of the text."""

    __slots__ = ("calls", "errors")

    def __init__(self) -> None:
        self.errors: list[UserError] = []
        self.calls: list[Call] = []


def check(runtime: Runtime, source: Source) -> Report:
    """Compile a program without running it, and look at what it names and calls."""
    from rtfs.compiler import compile_source
    from rtfs.compiler.nodes import Const, Global, HostRequest
    from rtfs.values import ReaderError

    report = Report()
    environment = runtime.environment.snapshot()
    names: list[tuple[str, Any, Span | None]] = []
    declared: set[str] = set()

    def observe(root: Any, analyser: Any) -> None:
        for node in _nodes(root):
            span = analyser.unit.span_at(node.at)
            if isinstance(node, Global):
                names.append((node.name, analyser.module, span))
            elif isinstance(node, HostRequest) and node.kind in ("call", "capability"):
                id = node.id.value if isinstance(node.id, Const) else None
                if node.kind == "capability":
                    declared.add(id or "")
                else:
                    report.calls.append(Call(id, span))

    environment.observer = observe
    try:
        compile_source(source, environment, module="user")
    except ReaderError as error:
        report.errors += [error, *error.others]
    except UserError as error:
        report.errors.append(error)
    effects = _prelude_calls()
    for name, module, span in names:
        if name in module.defined or name in module.globals:
            continue
        if name not in environment.core:
            if not report.errors or not isinstance(report.errors[0], ReaderError):
                report.errors.append(_undefined(name, module, environment, span))
        else:
            for id in effects.get(name, ()):
                report.calls.append(Call(id, span))
    for call in report.calls:
        _decide(call, runtime, declared)
    report.calls.sort(key=lambda call: -1 if call.span is None else call.span.start)
    return report


def _decide(call: Call, runtime: Runtime, declared: set[str]) -> None:
    id = call.id
    if id is None:
        return
    entry = runtime._registry.find(id)
    if entry is None:
        if id in declared:
            call.decision, call.reason = "declared", "the program declares it; what it reaches is decided at the call"
        else:
            error = runtime._registry.unknown(id, call.span)
            call.decision, call.reason = "unknown", error.hint or error.message
        return
    conditional = [rule for rule in runtime._rules.rules if rule.when and glob(rule.match, id)]
    context = RuntimeContext(principal=runtime._principal, grants=(runtime._grants,), level=runtime._level)
    decision = runtime._pipeline.decide(entry, (), context)
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
        call.decision, call.reason = "depends", "what it reaches depends on its arguments"
    else:
        call.decision, call.reason, call.grant = "deny", decision.reason, decision.grant


def _undefined(name: str, module: Any, environment: Any, span: Span | None) -> UserError:
    from rtfs.syntax.elsewhere import hint_for
    from rtfs.syntax.suggest import did_you_mean

    hint = hint_for(name)
    if hint is None:
        near = did_you_mean(name, {one for one in (*module.defined, *environment.core) if one[:1] not in " :_"})
        hint = f"did you mean `{near}`?" if near is not None else None
    return EvalError("undefined", f"`{name}` is not defined", span=span, hint=hint)


def _nodes(root: Any) -> list[Any]:
    """Every node of an AST, whatever holds it."""
    from rtfs.compiler.nodes import Node

    found: list[Any] = []
    seen: set[int] = set()
    pending = [root]
    while pending:
        part = pending.pop()
        if isinstance(part, (list, tuple)):
            pending += part
            continue
        slots = [slot for kind in type(part).__mro__ for slot in getattr(kind, "__slots__", ())]
        if not slots or not type(part).__module__.startswith("rtfs.compiler") or id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Node):
            found.append(part)
        pending += [getattr(part, slot, None) for slot in slots]
    return found


def _prelude_calls() -> dict[str, list[str]]:
    """Prelude function → the ids that its text calls."""
    from rtfs.host.language import PRELUDE
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
