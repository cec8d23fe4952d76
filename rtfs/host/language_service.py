"""What an editor asks about a text: what is at a place, what can be written there, where a name is defined.

Must not know any editor's protocol. Invariant: nothing of the text runs, and a text that does not read is answered for
as far as it does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs.host.runtime import Runtime
    from rtfs.source import Source, Span

_BETWEEN = frozenset(" \t\r\n,;()[]{}\"`'@^~")
"""Characters that end a name."""
LONGEST_LOOK_BACK = 500
"""Characters before a place that are looked at for the start of a string."""


class Document:
    """One text as it is now, looked at under the declarations of a runtime."""

    __slots__ = ("analysis", "runtime", "source")

    def __init__(self, runtime: Runtime, source: Source) -> None:
        from rtfs.host.checks.verdicts import analysed

        self.runtime = runtime
        self.source = source
        self.analysis = analysed(runtime, source)

    def word(self, offset: int) -> tuple[int, int]:
        """Start and end of the name or id at a place; both the place itself where there is none."""
        text = self.source.text
        start = end = offset
        while start > 0 and text[start - 1] not in _BETWEEN:
            start -= 1
        while end < len(text) and text[end] not in _BETWEEN:
            end += 1
        return start, end

    def hover(self, offset: int) -> str | None:
        """What is known of what stands at a place."""
        from rtfs.builtins.declare import REGISTRY
        from rtfs.checker.facts import describe
        from rtfs.host.describe import describe_capabilities
        from rtfs.source import Span

        start, end = self.word(offset)
        name = self.source.text[start:end]
        if not name:
            return None
        for one, span, shape in self.definitions():
            if one == name:
                return f"{shape}\ndefined in line {self.source.position(span.start)[0]}"
        id = name.removeprefix(":")
        if self.runtime._registry.find(id) is not None:
            return describe_capabilities(self.runtime, [id])[0].text()
        if name in REGISTRY:
            return f"{REGISTRY[name].signature}\n{REGISTRY[name].doc}"
        fact = self.analysis.type_of(Span(self.source, start, end))
        return None if fact.kinds is None else describe(fact)

    def completions(self, offset: int) -> list[tuple[str, str]]:
        """What can be written at a place, with a word about each: ids within a string, else names."""
        from rtfs.builtins.declare import REGISTRY

        start, _ = self.word(offset)
        begun = self.source.text[start:offset]
        if start > 0 and self.source.text[start - 1] == '"':
            return [(id, "capability") for id in sorted(self.runtime._registry.ids()) if id.startswith(begun)]
        own = [(name, shape) for name, _, shape in self.definitions() if name.startswith(begun)]
        standard = [
            (name, REGISTRY[name].signature) for name in sorted(REGISTRY) if name.startswith(begun) and name[0] != "%"
        ]
        return own + standard

    def definition(self, offset: int) -> Span | None:
        """Where the name at a place is defined in the text."""
        start, end = self.word(offset)
        name = self.source.text[start:end]
        return next((span for one, span, _ in self.definitions() if one == name), None)

    def references(self, offset: int) -> list[Span]:
        """Every place of the text that names what is defined at top level under the name at a place, the definition
        first; nothing where the text does not define it exactly once."""
        from rtfs.compiler.analysis.nodes import Global, walk
        from rtfs.source import Span

        start, end = self.word(offset)
        name = self.source.text[start:end]
        places = [span for one, span, _ in self.definitions() if one == name]
        if len(places) != 1:
            return []
        first = self.source.text.find(name, self.source.text.find(" ", places[0].start))
        found = {first}
        for form in self.analysis.forms:
            for node in walk(form.node):
                span = form.unit.span(node.at) if isinstance(node, Global) and node.name == name else None
                if span is not None and span.source.name == self.source.name and span.text == name:
                    found.add(span.start)
        if start not in found:  # a local of the same name
            return []
        return [Span(self.source, at, at + len(name)) for at in sorted(found)]

    def definitions(self) -> Iterator[tuple[str, Span, str]]:
        """The top-level definitions of the text: name, place of the form, how it is called."""
        from rtfs.compiler.analysis.nodes import Def, Fn

        for form in self.analysis.forms:
            node = form.node
            span = form.unit.span(node.at)
            if not isinstance(node, Def) or span is None or span.source.name != self.source.name:
                continue
            shape = node.name
            if isinstance(node.value, Fn):
                arity = node.value.arities[0]
                names = [one.name for one in arity.params if not one.name.endswith("&")]
                shape = f"({' '.join([node.name, *names, *(['& more'] if arity.rest is not None else [])])})"
            yield node.name, span, shape
