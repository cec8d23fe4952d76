"""Definitions and uses of the names in a document: in its own text, in modules, in loaded files, in declarations.

Invariant: a place is that of text which exists, be it in another file.
"""

from __future__ import annotations

from rtfs.source import STANDARD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs.host.language_service.document import Document
    from rtfs.source import Span

USER = "user"


def definition(document: Document, offset: int) -> Span | None:
    """The definition of the name or the capability at a place."""
    name = document.name(offset)
    if not name:
        return None
    declared = _declaration(document, offset)
    if declared is not None:
        return declared
    local = _local(document, offset)
    if local is not None:
        return local
    for one, span, _ in document.definitions():
        if one == name:
            return span
    for one, span in imported(document):
        if one == name:
            return span
    return _loaded(document, name)


def _declaration(document: Document, offset: int) -> Span | None:
    """The `(capability …)` form of the id that is called at a place."""
    from rtfs.compiler.analysis.nodes import Const, HostRequest, walk

    start, _ = document.word(offset)
    name = document.name(offset)
    text = document.source.text
    if not name.startswith(":") and text[max(0, start - 1) : start] != '"':
        return None
    id = name.removeprefix(":")
    for form in document.analysis.forms:
        for node in walk(form.node):
            if not isinstance(node, HostRequest) or node.kind != "capability" or not isinstance(node.id, Const):
                continue
            if getattr(node.id.value, "name", node.id.value) == id:
                return form.unit.span(node.at)
    entry = document.runtime._registry.find(id)
    return None if entry is None else entry.fields.span


_FUNCTIONS = frozenset(("fn", "defn", "defn-", "defmacro", "lambda"))


def _local(document: Document, offset: int) -> Span | None:
    """The binding of the local at a place: the innermost mention of its name in a vector of parameters or bindings of
    the forms around the place."""
    from rtfs.source import Span
    from rtfs.syntax.lexemes import CLOSE, OPEN, SYMBOL

    start, end = document.word(offset)
    text = document.source.text
    name = text[start:end]
    stack: list[_Form] = []
    for one in document.lexemes:
        if one.start >= start:
            break
        top = stack[-1] if stack else None
        if one.kind == CLOSE:
            if stack:
                stack.pop()
            continue
        if top is not None:
            top.count += 1
        if one.kind == OPEN:
            stack.append(_Form(text[one.start : one.end], top))
        elif one.kind == SYMBOL and top is not None:
            word = one.value.name.partition(":")[0]
            if top.count == 1 and top.opener == "(":
                top.head = word
            elif word == name:
                binder = top.binder()
                if binder is not None:
                    binder.bound = one.start
    for form in reversed(stack):
        if form.bound is not None:
            return Span(document.source, form.bound, form.bound + len(name))
    return None


class _Form:
    """An open bracket. count: its items so far. bound: the last place where it binds the name that is looked for."""

    __slots__ = ("bound", "count", "head", "opener", "parent")

    def __init__(self, opener: str, parent: _Form | None) -> None:
        self.opener = opener
        self.parent = parent
        self.count = 0
        self.head = ""
        self.bound: int | None = None

    def binder(self) -> _Form | None:
        """The form that binds what is here as a pattern; None where it is not a pattern."""
        vector: _Form | None = self
        while vector is not None and vector.opener == "{":  # within a pattern
            vector = vector.parent
        while vector is not None and vector.parent is not None and vector.parent.opener in ("[", "{"):
            vector = vector.parent
        if vector is None or vector.opener != "[" or vector.parent is None:
            return None
        form = vector.parent
        if form.head in _FUNCTIONS or (form.head == "" and form.count == 1):
            return form
        return form if form.head and form.count == 2 and vector.count % 2 else None


def aliases(document: Document) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """The aliases and names of the text's imports: alias → module, and name → (module, name there)."""
    short: dict[str, str] = {}
    names: dict[str, tuple[str, str]] = {}
    for fact in document.analysis.modules:
        if fact[0] == "alias":
            short[fact[2]] = fact[3]
        elif fact[0] == "refer":
            names.update({here: (fact[2], there) for there, here in fact[3]})
    return short, names


def imported(document: Document) -> Iterator[tuple[str, Span]]:
    """The names of imported modules that the text can use, as it writes them, with their definitions."""
    from rtfs.compiler.analysis.nodes import Def

    short, names = aliases(document)
    for form in document.analysis.forms:
        node = form.node
        if not isinstance(node, Def) or form.module == USER:
            continue
        span = form.unit.span(node.at)
        if span is None or span.source.name.startswith(STANDARD):
            continue
        for alias, module in short.items():
            if module == form.module:
                yield f"{alias}/{node.name}", span
        for name, target in names.items():
            if target == (form.module, node.name):
                yield name, span


def _loaded(document: Document, name: str) -> Span | None:
    """A definition of a file that was loaded beside the text."""
    found = document.definitions_elsewhere.find(document.runtime.environment, USER, name)
    if found is None or found.span.source.name.startswith(STANDARD) or found.span.source.name == document.source.name:
        return None
    return found.span


def references(document: Document, offset: int) -> list[Span]:
    """Every place of the text that names what is defined at top level under the name at a place, the definition first;
    nothing where the text does not define it exactly once."""
    from rtfs.compiler.analysis.nodes import Global, walk
    from rtfs.source import Span

    start, end = document.word(offset)
    name = document.source.text[start:end]
    places = [span for one, span, _ in document.definitions() if one == name]
    if len(places) != 1:
        return []
    found = {name_within(places[0], name)}
    for form in document.analysis.forms:
        for node in walk(form.node):
            span = form.unit.span(node.at) if isinstance(node, Global) and node.name == name else None
            if span is not None and span.source.name == document.source.name and span.text == name:
                found.add(span.start)
    if start not in found:  # a local of the same name
        return []
    return [Span(document.source, at, at + len(name)) for at in sorted(found)]


def name_within(form: Span, name: str) -> int:
    """The place of the name that a form defines: after the defining word."""
    text = form.source.text
    return text.find(name, text.find(" ", form.start))


def uses_of(document: Document, module_file: str, name: str) -> list[Span]:
    """The places of a text that name what another file defines under a name."""
    from rtfs.compiler.analysis.nodes import Global, walk
    from rtfs.source import Span

    written = {
        one for one, span in imported(document) if _same_file(span.source.name, module_file) and _last(one) == name
    }
    found = []
    for form in document.analysis.forms:
        if form.unit.source.name != document.source.name:
            continue
        for node in walk(form.node):
            span = form.unit.span(node.at) if isinstance(node, Global) and node.name in written else None
            if span is not None and span.text in written:
                found.append(Span(span.source, span.end - len(name), span.end))
    return sorted(found, key=lambda span: span.start)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _same_file(one: str, other: str) -> bool:
    import os

    return os.path.realpath(one) == os.path.realpath(other)
