"""The features of `rtfs lsp` in the words of the Language Server Protocol (3.17), one function each.

Must not know how texts are analysed, nor where configurations are. Invariant: a request about a text that does not read
is answered as far as it does.
"""

from __future__ import annotations

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

import rtfs
from rtfs.cli.lsp import REFRESH, Workspace, offset, position, units
from rtfs.host.language_service import completion, navigation, signatures, tokens
from rtfs.host.language_service.document import Document
from rtfs.source import Source, Span
from rtfs.values import UserError

_KINDS = {
    completion.NAME: types.CompletionItemKind.Function,
    completion.ID: types.CompletionItemKind.Method,
    completion.KEY: types.CompletionItemKind.Property,
    completion.VALUE: types.CompletionItemKind.EnumMember,
}
_NUMBERS = {kind: number for number, kind in enumerate(tokens.KINDS)}


def make_server(workspace: Workspace) -> LanguageServer:
    """The server, with every feature registered."""
    server = LanguageServer("rtfs", rtfs.__version__)
    place = _Places(server, workspace)
    _lifecycle(server, workspace, place)
    _reading(server, place)
    _navigating(server, workspace, place)
    _editing(server, workspace, place)
    return server


class _Places:
    """From the protocol's documents and positions to ours, and back."""

    def __init__(self, server: LanguageServer, workspace: Workspace) -> None:
        self.server = server
        self.workspace = workspace

    def document(self, uri: str) -> Document:
        text = self.server.workspace.get_text_document(uri).source
        return self.workspace.document(path_of(uri), text)

    def at(self, uri: str, where: types.Position) -> tuple[Document, int]:
        found = self.document(uri)
        return found, offset(found.source, where.line, where.character, self.encoding)

    @property
    def encoding(self) -> str:
        """The unit of columns that the client has chosen."""
        return str(getattr(self.server.workspace.position_encoding, "value", self.server.workspace.position_encoding))

    def position(self, source: Source, at: int) -> types.Position:
        return types.Position(*position(source, at, self.encoding))

    def range(self, span: Span) -> types.Range:
        return types.Range(self.position(span.source, span.start), self.position(span.source, span.end))

    def location(self, span: Span, document: Document, uri: str) -> types.Location:
        """A place, under the address by which the editor has asked where it is in the same file."""
        same = span.source.name == document.source.name
        return types.Location(uri if same else uri_of(span.source.name), self.range(span))

    def publish(self, uri: str) -> None:
        """Show what is wrong with a document, and what the workspace has to say."""
        document = self.document(uri)
        shown = [
            types.Diagnostic(
                range=self.range(one.span),
                message=one.message if one.hint is None else f"{one.message}\n{one.hint}",
                severity=types.DiagnosticSeverity.Error if one.is_error else types.DiagnosticSeverity.Warning,
                code=one.code,
                source="rtfs",
            )
            for one in document.analysis.diagnostics
            if one.span is not None and one.span.source.name == document.source.name
        ]
        self.server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=shown))
        told, self.workspace.told = self.workspace.told, []
        for text in dict.fromkeys(told):
            self.server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))

    def publish_all(self) -> None:
        for uri in list(self.server.workspace.text_documents):
            self.publish(uri)


def path_of(uri: str) -> str:
    """The path of a document; the address itself where it is not a file."""
    return uris.to_fs_path(uri) or uri


def uri_of(name: str) -> str:
    """The address of a file by the name that its source has."""
    import os

    return uris.from_fs_path(os.path.realpath(name)) or name


def _lifecycle(server: LanguageServer, workspace: Workspace, place: _Places) -> None:
    @server.feature(types.INITIALIZE)
    def initialized(params: types.InitializeParams) -> None:
        folders = [folder.uri for folder in params.workspace_folders or ()]
        root = folders[0] if folders else params.root_uri
        if root:
            workspace.enter(path_of(root))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        place.publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        place.publish(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        for uri in list(server.workspace.text_documents):  # others may import it
            if uri != params.text_document.uri:
                workspace.forget(path_of(uri))
                place.publish(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        workspace.forget(path_of(uri))
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        workspace.refresh()
        place.publish_all()

    @server.command(REFRESH)
    def refresh(*arguments: object) -> None:
        workspace.refresh()
        place.publish_all()


def _reading(server: LanguageServer, place: _Places) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        document, at = place.at(params.text_document.uri, params.position)
        text = document.hover(at)
        return None if text is None else types.Hover(types.MarkupContent(types.MarkupKind.PlainText, text))

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["(", ":", '"', "{", "/"])
    )
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        document, at = place.at(params.text_document.uri, params.position)
        source = document.source
        end = params.position
        return [
            types.CompletionItem(
                label=one.text.strip('"') if one.kind == completion.VALUE else one.text,
                kind=_KINDS[one.kind],
                detail=one.about or None,
                filter_text=one.text,
                sort_text=f"{number:05}",
                text_edit=types.TextEdit(types.Range(place.position(source, one.start), end), one.text),
            )
            for number, one in enumerate(completion.completions(document, at))
        ]

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(trigger_characters=["(", " ", "{", ":"])
    )
    def signature(params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        document, at = place.at(params.text_document.uri, params.position)
        found = signatures.signature(document, at)
        if found is None:
            return None
        shown = types.SignatureInformation(
            label=found.label,
            documentation=found.about or None,
            parameters=[types.ParameterInformation(label=one) for one in found.parameters],
            active_parameter=found.active,
        )
        return types.SignatureHelp(signatures=[shown], active_signature=0, active_parameter=found.active)

    @server.feature(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL,
        types.SemanticTokensLegend(token_types=list(tokens.KINDS), token_modifiers=[]),
    )
    def semantic(params: types.SemanticTokensParams) -> types.SemanticTokens:
        return types.SemanticTokens(encoded(place.document(params.text_document.uri), place.encoding))

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        return [
            types.FoldingRange(first, last, kind=types.FoldingRangeKind.Comment if comment else None)
            for first, last, comment in tokens.folds(place.document(params.text_document.uri))
        ]


def _navigating(server: LanguageServer, workspace: Workspace, place: _Places) -> None:
    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        uri = params.text_document.uri
        document, at = place.at(uri, params.position)
        span = navigation.definition(document, at)
        return None if span is None else place.location(span, document, uri)

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        uri = params.text_document.uri
        document, at = place.at(uri, params.position)
        return [place.location(span, document, uri) for span in workspace.uses(document, at)]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return [
            types.DocumentSymbol(
                name=name,
                detail=shape,
                kind=types.SymbolKind.Function if shape != name else types.SymbolKind.Variable,
                range=place.range(span),
                selection_range=place.range(span),
            )
            for name, span, shape in place.document(params.text_document.uri).definitions()
        ]


def _editing(server: LanguageServer, workspace: Workspace, place: _Places) -> None:
    @server.feature(types.TEXT_DOCUMENT_RENAME)
    def rename(params: types.RenameParams) -> types.WorkspaceEdit | None:
        uri = params.text_document.uri
        document, at = place.at(uri, params.position)
        edits: dict[str, list[types.TextEdit]] = {}
        for span in workspace.uses(document, at):
            where = place.location(span, document, uri)
            edits.setdefault(where.uri, []).append(types.TextEdit(where.range, params.new_name))
        return types.WorkspaceEdit(changes=edits) if edits else None

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        from rtfs.syntax.formatter import format_source

        source: Source = place.document(params.text_document.uri).source
        try:
            text = format_source(source.text, source.name)
        except UserError:
            return []
        return [] if text == source.text else [types.TextEdit(place.range(Span(source, 0, len(source.text))), text)]

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])
    )
    def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        found = []
        for one in place.document(uri).analysis.diagnostics:
            if one.fix is None:
                continue
            where = place.range(one.fix.span)
            if where.start.line > params.range.end.line or where.end.line < params.range.start.line:
                continue
            edit = types.WorkspaceEdit(changes={uri: [types.TextEdit(where, one.fix.text)]})
            title = f"write {one.fix.text}" if one.fix.text else "remove it"
            found.append(types.CodeAction(title=title, kind=types.CodeActionKind.QuickFix, edit=edit))
        return found


def encoded(document: Document, encoding: str = "utf-16") -> list[int]:
    """The words of a document as the protocol has them: five numbers each, relative to the word before; a word of
    several lines is one for each line."""
    text = document.source.text
    data: list[int] = []
    before = (0, 0)
    for start, end, kind in tokens.tokens(document):
        at = start
        while at < end:
            stop = text.find("\n", at, end)
            stop = end if stop < 0 else stop
            if stop > at:
                line, column = position(document.source, at, encoding)
                length = units(text[at:stop], encoding)
                new_line = line != before[0]
                data += [line - before[0], column if new_line else column - before[1], length, _NUMBERS[kind], 0]
                before = line, column
            at = stop + 1
    return data
