"""Quasiquote: templates of forms become nodes that build them."""

from __future__ import annotations

from rtfs.compiler.analysis.nodes import Const, Node, Primitive
from rtfs.compiler.marks import TemplateMark
from rtfs.values import List, Map, Set, Symbol, Vector
from rtfs.values.error import CompileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler.analysis.analyser import Analyser
    from rtfs.compiler.analysis.scope import Scope


class Template:
    """Turns one quasiquoted form into nodes that build it."""

    def __init__(self, analyser: Analyser, scope: Scope, module: str | None) -> None:
        self.analyser = analyser
        self.scope = scope
        self.mark = TemplateMark(module) if module is not None else None
        self.generated: dict[str, Symbol] = {}

    def build(self, form: Any, depth: int = 1) -> Node:
        """Nodes for `form`; `depth` counts the quasiquotes around it."""
        at = self.analyser.at
        kind = form.__class__
        if kind is Symbol:
            return Const(at, self._symbol(form))
        if kind is List and len(form) == 2 and form[0].__class__ is Symbol:
            name = form[0].name
            if name == "unquote":
                if depth == 1:
                    return self.analyser.analyse(form[1], self.scope)
                return self._sequence(form, depth - 1)
            if name == "unquote-splicing":
                if depth == 1:
                    raise CompileError("form/shape", "`~@` splices into a list, vector or set; it is in none here")
                return self._sequence(form, depth - 1)
            if name == "quasiquote":
                return self._sequence(form, depth + 1)
        if kind is List or kind is Vector or kind is Set:
            return self._sequence(form, depth)
        if kind is Map:
            parts = [self.build(item, depth) for pair in form.items() for item in pair]
            if all(isinstance(part, Const) for part in parts):
                values = [part.value for part in parts]  # type: ignore[attr-defined]
                return Const(at, Map(zip(values[::2], values[1::2], strict=True)))
            return Primitive(at, "map_of", parts)
        return Const(at, form)

    def _sequence(self, form: Any, depth: int) -> Node:
        at = self.analyser.at
        kind = form.__class__
        parts: list[Node] = []
        spliced = False
        for item in form:
            if (
                depth == 1
                and item.__class__ is List
                and len(item) == 2
                and item[0].__class__ is Symbol
                and item[0].name == "unquote-splicing"
            ):
                spliced = True
                parts.append(Primitive(at, "splice", [self.analyser.analyse(item[1], self.scope)]))
            else:
                parts.append(self.build(item, depth))
        if all(isinstance(part, Const) for part in parts):
            return Const(at, kind([part.value for part in parts]))  # type: ignore[attr-defined]
        name = "list" if kind is List else "vector" if kind is Vector else "set"
        return Primitive(at, f"{name}_spliced" if spliced else f"{name}_of", parts)

    def _symbol(self, symbol: Symbol) -> Symbol:
        name = symbol.name
        if name.endswith("#") and len(name) > 1:
            found = self.generated.get(name)
            if found is None:
                found = Symbol(f"{name[:-1]}__{self.analyser.unit.generate()}__auto")
                self.generated[name] = found
            return found
        return Symbol(name, self.mark)
