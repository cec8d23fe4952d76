"""Findings that stand on names and shapes alone: undefined names, unused bindings, values that nobody uses.

Knows no types. Invariant: all of these but undefined names are warnings.
"""

from __future__ import annotations

from rtfs.checker.diagnostics import ERROR, WARNING, Diagnostic
from rtfs.compiler.analysis import nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.checker.report import Analysis
    from rtfs.compiler.analyse import AnalysedProgram
    from rtfs.compiler.gate import AnalysedForm


def undefined_names(found: Analysis, program: AnalysedProgram, incremental: bool) -> None:
    """Report each name that neither the text nor the environment defines."""
    environment = program.environment
    defined: dict[str, set[str]] = {}
    for form in program.forms:
        for node in nodes.walk(form.node):
            if isinstance(node, nodes.Def):
                defined.setdefault(form.module, set()).add(node.name)
    seen = set()
    for form in program.forms:
        module = environment.module(form.module)
        inside = _inside_functions(form.node) if incremental else frozenset()
        for node in nodes.walk(form.node):
            if not isinstance(node, nodes.Global) or node.core:
                continue
            name = node.name
            if name in module.defined or name in module.globals or name in environment.core:
                continue
            if name in defined.get(form.module, ()) or "/" in name:
                continue
            span = form.unit.span(node.at) if node.at else None
            if (name, span) in seen or (span is not None and span.source.library):
                continue
            seen.add((name, span))
            severity = WARNING if incremental and id(node) in inside else ERROR
            found.diagnostics.append(
                Diagnostic("undefined", severity, f"`{name}` is not defined", span, _hint(name, module, environment))
            )


def _inside_functions(root: nodes.Node) -> frozenset[int]:
    """Identities of the nodes inside functions."""
    return frozenset(
        [id(node) for fn in nodes.walk(root) if isinstance(fn, nodes.Fn) for node in nodes.walk(fn) if node is not fn]
    )


def _hint(name: str, module: object, environment: object) -> str | None:
    from rtfs.syntax.foreign_names import hint_for
    from rtfs.syntax.suggest import did_you_mean

    hint = hint_for(name)
    if hint is not None:
        return hint
    known = {one for one in (*module.defined, *environment.core) if one[:1] not in " :_"}  # type: ignore[attr-defined]
    near = did_you_mean(name, known)
    return f"did you mean `{near}`?" if near is not None else None


def form(found: Analysis, form: AnalysedForm, last: bool) -> None:
    """The warnings about one top-level form."""
    if not last:
        _unused_value(found, form)
    _unused_bindings(found, form)


def _unused_value(found: Analysis, form: AnalysedForm) -> None:
    """`1 + 2` at top level: three values, of which two are dropped."""
    node = form.node
    unused = (
        isinstance(node, (nodes.Local, nodes.VectorDisplay, nodes.MapDisplay))
        or (isinstance(node, nodes.Const) and node.value is not None and node.at)
        or isinstance(node, nodes.Global)
    )
    if not unused:
        return
    span = form.unit.span(node.at) if node.at else None
    if span is None:
        return
    found.diagnostics.append(
        Diagnostic(
            "lint/unused-value",
            WARNING,
            f"the value of `{span.text[:40]}` is not used",
            span,
            "operators come first: (+ 1 2); only the last form's value is the result",
        )
    )


def _unused_bindings(found: Analysis, form: AnalysedForm) -> None:
    for node in nodes.walk(form.node):
        if not isinstance(node, nodes.Let):
            continue
        for binding, value in node.bindings:
            name = binding.name
            if binding.uses or name.startswith("_") or not value.at or name in ("part", "value", "error", "matched"):
                continue
            if isinstance(value, nodes.Cast):
                continue
            span = form.unit.span(value.at)
            written = span is not None and not span.source.library and _written(span, name)
            if span is not None and written:
                found.diagnostics.append(
                    Diagnostic(
                        "lint/unused-binding", WARNING, f"`{name}` is not used", span, f"remove it, or call it _{name}"
                    )
                )


def _written(span: object, name: str) -> bool:
    """Whether the name stands just before the value, as in `[name value]`."""
    before = span.source.text[: span.start].rstrip(" \t\r\n,")  # type: ignore[attr-defined]
    return before.endswith(name) and (len(before) == len(name) or before[-len(name) - 1] in "[ \t\n,(")
