"""Warnings about names and shapes alone: unused bindings, values that nothing uses. Knows no types."""

from __future__ import annotations

from rtfs.checker.diagnostics import WARNING, Diagnostic
from rtfs.compiler.analysis import nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.checker.report import Analysis
    from rtfs.compiler.gate import AnalysedForm


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
        loop = node.body if isinstance(node.body, nodes.Loop) else None
        carried = [] if loop is None else [one.binding for one in loop.values if isinstance(one, nodes.Local)]
        for binding, value in node.bindings:
            name = binding.name
            if (
                binding in carried
                or binding.uses
                or name.startswith("_")
                or not value.at
                or name in ("part", "value", "error", "matched")
            ):
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
    """Whether the name is written just before the value, as in `[name value]`."""
    before = span.source.text[: span.start].rstrip(" \t\r\n,")  # type: ignore[attr-defined]
    return before.endswith(name) and (len(before) == len(name) or before[-len(name) - 1] in "[ \t\n,(")


IGNORE = "rtfs: ignore"
"""A comment that begins like this, at the end of a line, silences the warnings about the line; codes may follow it."""


def is_ignored(one: Diagnostic) -> bool:
    """Whether a comment in its line silences a warning."""
    if one.span is None:
        return False
    code, marker, rest = one.span.source.line(one.span.line).partition(IGNORE)
    if not marker or not code.rstrip().endswith(";"):
        return False
    codes = rest.replace(",", " ").split()
    return not codes or one.code in codes
