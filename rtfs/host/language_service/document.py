"""A text as it is in an editor now, with what is known of it: its analysis, its words, its definitions.

Must not know any editor's protocol. Invariant: nothing of the text runs, and a text that does not read is answered for
as far as it does.
"""

from __future__ import annotations

from rtfs.compiler.definitions import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from rtfs.checker.report import Analysis
    from rtfs.host.runtime import Runtime
    from rtfs.source import Source, Span
    from rtfs.syntax.cursor import Place
    from rtfs.syntax.lexemes import Lexeme

_BETWEEN = frozenset(" \t\r\n,;()[]{}\"`'@^~")
"""Characters that end a name."""


class Document:
    """One text, analysed under the declarations of a runtime when the analysis is first needed. definitions: those of
    the texts that the runtime has loaded, kept from document to document."""

    __slots__ = ("_analysis", "_lexemes", "definitions_elsewhere", "runtime", "source")

    def __init__(self, runtime: Runtime, source: Source, definitions: Sources | None = None) -> None:
        self.runtime = runtime
        self.source = source
        self.definitions_elsewhere = Sources() if definitions is None else definitions
        self._analysis: Analysis | None = None
        self._lexemes: list[Lexeme] | None = None

    @property
    def analysis(self) -> Analysis:
        if self._analysis is None:
            from rtfs.host.checks.verdicts import analysed

            self._analysis = analysed(self.runtime, self.source)
        return self._analysis

    @property
    def lexemes(self) -> list[Lexeme]:
        """The words of the text."""
        if self._lexemes is None:
            from rtfs.syntax.lexemes import lexemes

            self._lexemes = lexemes(self.source.text)
        return self._lexemes

    def place(self, offset: int) -> Place:
        """A place among the brackets of its top-level form; the form begins where a bracket begins a line, so that a
        long text is not read from its start for each key."""
        from rtfs.syntax.cursor import place_at

        text = self.source.text
        start = max(text.rfind(f"\n{bracket}", 0, offset) for bracket in "([{") + 1
        return place_at(text[start:offset], offset - start)

    def word(self, offset: int) -> tuple[int, int]:
        """Start and end of the name or id at a place; both the place itself where there is none."""
        text = self.source.text
        start = end = offset
        while start > 0 and text[start - 1] not in _BETWEEN:
            start -= 1
        while end < len(text) and text[end] not in _BETWEEN:
            end += 1
        return start, end

    def name(self, offset: int) -> str:
        """The name or id at a place, "" where there is none."""
        start, end = self.word(offset)
        return self.source.text[start:end]

    def hover(self, offset: int) -> str | None:
        """The hover text for the name or form at a place."""
        from rtfs.checker.facts import describe
        from rtfs.host.describe import describe_capabilities
        from rtfs.host.language_service.navigation import definition
        from rtfs.host.language_service.signatures import described
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
        known = described(self, name)
        if known is not None:
            return f"{known.label}\n{known.about}".rstrip()
        span_of = definition(self, offset)
        if span_of is not None and span_of.source.name != self.source.name:
            return f"{span_of.text.splitlines()[0]}\ndefined at {span_of}"
        fact = self.analysis.type_of(Span(self.source, start, end))
        return None if fact.kinds is None else describe(fact)

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
