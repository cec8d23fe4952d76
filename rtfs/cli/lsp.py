"""`rtfs lsp`: a language server on standard input and output, made with pygls (extra `lsp`).

Must not know how texts are analysed. Invariant: positions are the protocol's: lines from 0, columns in UTF-16 units.
"""

from __future__ import annotations

from rtfs.values import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.cli.options import Options
    from rtfs.host.runtime import Runtime
    from rtfs.source import Span


def lsp(options: Options) -> int:
    """Serve until the editor ends. Raises HostError `config/missing` without pygls."""
    from rtfs.cli import wiring

    try:
        import pygls.lsp.server  # noqa: F401
    except ImportError:
        raise HostError(
            "the language server needs the package `pygls`", code="config/missing", hint="pip install 'rtfs-host[lsp]'"
        ) from None
    with wiring.runtime(options, asks=False, told=lambda text: None) as runtime:
        make_server(runtime).start_io()
    return 0


def make_server(runtime: Runtime) -> Any:
    """The server, with every feature registered."""
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer

    import rtfs
    from rtfs.host.language_service import Document
    from rtfs.source import Source
    from rtfs.values import UserError

    server = LanguageServer("rtfs", rtfs.__version__)
    kept: dict[str, tuple[str, Document]] = {}

    def document(uri: str) -> Document:
        text = server.workspace.get_text_document(uri).source
        known = kept.get(uri)
        if known is None or known[0] != text:
            known = kept[uri] = text, Document(runtime, Source(text, uri))
        return known[1]

    def range_of(span: Span) -> types.Range:
        text = span.source.text
        return types.Range(types.Position(*position(text, span.start)), types.Position(*position(text, span.end)))

    def place(params: Any) -> tuple[Document, int]:
        found = document(params.text_document.uri)
        return found, offset(found.source.text, params.position.line, params.position.character)

    def publish(uri: str) -> None:
        shown = [
            types.Diagnostic(
                range=range_of(one.span),
                message=one.message if one.hint is None else f"{one.message}\n{one.hint}",
                severity=types.DiagnosticSeverity.Error if one.is_error else types.DiagnosticSeverity.Warning,
                code=one.code,
                source="rtfs",
            )
            for one in document(uri).analysis.diagnostics
            if one.span is not None and one.span.source.name == uri
        ]
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=shown))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        kept.pop(params.text_document.uri, None)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        found, at = place(params)
        text = found.hover(at)
        return None if text is None else types.Hover(types.MarkupContent(types.MarkupKind.PlainText, text))

    @server.feature(types.TEXT_DOCUMENT_COMPLETION)
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        found, at = place(params)
        return [types.CompletionItem(label=name, detail=about) for name, about in found.completions(at)]

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        found, at = place(params)
        span = found.definition(at)
        return None if span is None else types.Location(params.text_document.uri, range_of(span))

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        found, at = place(params)
        return [types.Location(params.text_document.uri, range_of(span)) for span in found.references(at)]

    @server.feature(types.TEXT_DOCUMENT_RENAME)
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        found, at = place(params)
        edits = [types.TextEdit(range_of(span), params.new_name) for span in found.references(at)]
        return types.WorkspaceEdit(changes={params.text_document.uri: edits}) if edits else None

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return [
            types.DocumentSymbol(
                name=name,
                detail=shape,
                kind=types.SymbolKind.Function if shape != name else types.SymbolKind.Variable,
                range=range_of(span),
                selection_range=range_of(span),
            )
            for name, span, shape in document(params.text_document.uri).definitions()
        ]

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        from rtfs.source import Span
        from rtfs.syntax.formatter import format_source

        source = document(params.text_document.uri).source
        try:
            text = format_source(source.text, source.name)
        except UserError:
            return []
        return [] if text == source.text else [types.TextEdit(range_of(Span(source, 0, len(source.text))), text)]

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION)
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        found = []
        for one in document(uri).analysis.diagnostics:
            if one.fix is None:
                continue
            where = range_of(one.fix.span)
            if where.start.line > params.range.end.line or where.end.line < params.range.start.line:
                continue
            edit = types.WorkspaceEdit(changes={uri: [types.TextEdit(where, one.fix.text)]})
            title = f"write {one.fix.text}" if one.fix.text else "remove it"
            found.append(types.CodeAction(title=title, kind=types.CodeActionKind.QuickFix, edit=edit))
        return found

    return server


def position(text: str, at: int) -> tuple[int, int]:
    """Line and column of an offset."""
    line = text.count("\n", 0, at)
    start = text.rfind("\n", 0, at) + 1
    return line, len(text[start:at].encode("utf-16-le")) // 2


def offset(text: str, line: int, column: int) -> int:
    """The offset of a line and a column."""
    start = 0
    for _ in range(line):
        found = text.find("\n", start)
        if found < 0:
            return len(text)
        start = found + 1
    end = text.find("\n", start)
    written = text[start : len(text) if end < 0 else end].encode("utf-16-le")[: 2 * column]
    return start + len(written.decode("utf-16-le", "ignore"))
