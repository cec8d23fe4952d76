"""A program's AST as text: what `:ast` shows.

Knows the analyser's nodes only by their attributes. Invariant: analysing happens in a snapshot, so that looking at a
definition defines nothing.
"""

from __future__ import annotations

from rtfs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler import Environment

_HIDDEN = frozenset(("at", "depth", "inline", "ticks", "uses", "closes", "entry", "rests", "traits"))
_DEEPEST = 60


def ast_text(source: Source, environment: Environment) -> str:
    """The AST of every form of a source, one node a line, indented. Raises ReaderError, CompileError."""
    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.scope import Scope
    from rtfs.compiler.toplevel import UnitCompiler
    from rtfs.syntax.reader import read_forms

    inner = environment.snapshot()
    forms = read_forms(source)
    module = inner.module("user")
    compiler = UnitCompiler(source, inner, b"ast")
    compiler.prescan(forms, module)
    analyser = Analyser(compiler.builder, inner, module)
    lines: list[str] = []
    for form, span in zip(forms, forms.spans, strict=True):
        analyser.at = compiler.builder.span(source, span.start, span.end)
        scope = Scope(None)
        _lines(analyser.analyse(analyser.expand_fully(form, scope), scope), "", 0, lines)
    return "\n".join(lines)


def _lines(part: Any, label: str, depth: int, lines: list[str]) -> None:
    """Add a part of the tree: a node, something with attributes like one, a sequence of them, or plain data."""
    lead = "  " * depth + (f"{label}: " if label else "")
    if depth > _DEEPEST:
        lines.append(lead + "…")
        return
    if isinstance(part, (list, tuple)) and not all(_is_plain(item) for item in part):
        if len(part) == 2 and part[0].__class__.__name__ == "Binding":
            _lines(part[1], part[0].name, depth, lines)
            return
        lines.append(lead.rstrip())
        for item in part:
            _lines(item, "", depth + 1, lines)
        return
    if _is_plain(part):
        lines.append(lead + _plain(part))
        return
    fields = [(name, getattr(part, name, None)) for name in _attributes(part)]
    plain = [f"{name}={_plain(value)}" for name, value in fields if _is_plain(value) and value is not None]
    lines.append(" ".join([lead + part.__class__.__name__, *plain]))
    for name, value in fields:
        if not _is_plain(value):
            _lines(value, name, depth + 1, lines)


def _attributes(part: Any) -> list[str]:
    names: list[str] = []
    for kind in reversed(part.__class__.__mro__):
        slots = getattr(kind, "__slots__", ())
        names += [slots] if isinstance(slots, str) else sorted(slots)
    return [name for name in names if name not in _HIDDEN and not name.startswith("_")]


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return value.__class__.__name__ == "Binding" or not value.__class__.__module__.startswith("rtfs.compiler")


def _plain(value: Any) -> str:
    from rtfs.syntax.printer import to_text

    if value.__class__.__name__ == "Binding":
        return str(value.name)
    if isinstance(value, (list, tuple)):
        return "[" + " ".join(_plain(item) for item in value) + "]"
    if isinstance(value, frozenset):
        return "{" + " ".join(sorted(map(str, value))) + "}"
    return to_text(value)
