"""The places of definitions: searches the texts that a runtime has compiled.

Knows the environment's units, nothing of values. Invariant: nothing is evaluated, and a text is read at most once; a
definition that a macro wrote has no text and is not found.
"""

from __future__ import annotations

from rtfs.source import Source, Span
from rtfs.values import List, Map, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.compiler import Environment

HEADS = frozenset(("def", "defn", "defmacro", "defstruct", "deftype"))


class Definition:
    """module: "" for that of the unit. form: the whole form. span: where it is."""

    __slots__ = ("form", "head", "module", "name", "span")

    def __init__(self, module: str, name: str, head: str, form: Any, span: Span) -> None:
        self.module = module
        self.name = name
        self.head = head
        self.form = form
        self.span = span

    @property
    def doc(self) -> str:
        """The docstring, or ""."""
        items = self.form
        if self.head in ("defn", "defmacro") and len(items) > 3 and items[2].__class__ is str:
            return str(items[2])
        return ""

    @property
    def shapes(self) -> list[str]:
        """The shapes of calls of a function or macro, one for each arity."""
        from rtfs.syntax.printer import to_text

        if self.head not in ("defn", "defmacro"):
            return []
        items = self.form.to_list()[2:]
        if items and (items[0].__class__ is str and len(items) > 1):
            items = items[1:]
        if items and items[0].__class__ is Map:
            items = items[1:]
        if items and items[0].__class__ is Vector:
            heads = [items[0]]
        else:
            heads = [one[0] for one in items if one.__class__ is List and len(one) and one[0].__class__ is Vector]
        return [f"({' '.join([self.name, *(to_text(param) for param in head)])})" for head in heads]


class Sources:
    """The definitions in an environment's texts."""

    def __init__(self) -> None:
        self._read: dict[int, tuple[Any, list[Definition]]] = {}

    def find(self, environment: Environment, module: str, name: str) -> Definition | None:
        """The latest definition of a name of a module (`user`, `rtfs.core` …), or None."""
        for unit in reversed(list(environment.units.values())):
            own = {step.module for step in unit.steps} | set(unit.definitions) | {macro[0] for macro in unit.macros}
            if module not in own:
                continue
            for definition in reversed(self._definitions(unit)):
                if definition.name == name and definition.module in ("", module):
                    return definition
        return None

    def _definitions(self, unit: Any) -> list[Definition]:
        known = self._read.get(id(unit))
        if known is None or known[0] is not unit:
            known = self._read[id(unit)] = (unit, _definitions_of(unit.source))
        return known[1]


def documented() -> list[Definition]:
    """The macros and functions with a doc that the standard library defines in RTFS, in the order of its texts; none
    whose name begins with `-` or `%`."""
    from rtfs.syntax.resources import resource_text

    files = ("stdlib/core.rtfs", "stdlib/prelude.rtfs")
    found = [one for file in files for one in _definitions_of(Source(resource_text(file), file))]
    return [one for one in found if one.doc and one.name[0] not in "-%"]


def _definitions_of(source: Source) -> list[Definition]:
    """All definitions in a text, in its order."""
    from rtfs.syntax.reader import read_forms

    found: list[Definition] = []
    forms = read_forms(source)
    for form, span in zip(forms, forms.spans, strict=True):
        _collect(form, span, "", found)
    return found


def _collect(form: Any, span: Span, module: str, found: list[Definition]) -> None:
    from rtfs.syntax.spans import child_span

    if form.__class__ is not List or len(form) < 2 or form[0].__class__ is not Symbol:
        return
    head = form[0].name
    if head in HEADS and form[1].__class__ is Symbol:
        name = form[1].name.split(":", 1)[0] if head == "def" else form[1].name
        found.append(Definition(module, name, head, form, span))
    elif head == "do" or head == "module":
        inner = form[1].name if head == "module" and form[1].__class__ is Symbol else module
        for index in range(1, len(form)):
            place = child_span(form, index)
            if place is not None:
                _collect(form[index], place, inner, found)
