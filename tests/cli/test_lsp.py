"""`rtfs lsp`, spoken to by a client over standard input and output."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from lsprotocol import types
from pygls.lsp.client import LanguageClient

TEXT = """(import shop.prices :as p)
(defn area [w h]
(* w h))
(prinln 1)
(println (area 2 (p/rate 3)))
(call "test.issues" {:owner "a"})
"""
TYPING = TEXT.replace('"a"', '"a" :state ')
PRICES = "(module shop.prices\n  (:exports [rate])\n  (defn rate [n]\n    (* n 2)))\n"
ISSUES = (
    '(capability "test.issues" :provider :x :output-schema :any\n'
    '  :input-schema [:map [:owner :string] [:state [:enum "open" "closed"] ?]])\n'
)


class Editor:
    """A client with one document. told: the diagnostics that come; messages: what the server shows to the person."""

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.uri = (folder / "plan.rtfs").as_uri()
        self.told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.messages: list[str] = []
        self.document = types.TextDocumentIdentifier(self.uri)
        self.version = 0

    async def diagnostics(self) -> list[types.Diagnostic]:
        return list((await asyncio.wait_for(self.told.get(), 60)).diagnostics)

    def open(self, text: str) -> None:
        item = types.TextDocumentItem(self.uri, "rtfs", 0, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def change(self, text: str) -> None:
        self.version += 1
        version = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [change]))

    def at(self, text: str, word: str, more: int = 0) -> types.Position:
        at = text.index(word) + more
        return types.Position(text.count("\n", 0, at), at - text.rfind("\n", 0, at) - 1)


@asynccontextmanager
async def editor(folder: Path) -> AsyncIterator[Editor]:
    client = LanguageClient("test", "1")
    made = Editor(client, folder)
    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: made.told.put_nowait(params))
    client.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: made.messages.append(params.message))
    await client.start_io(sys.executable, "-m", "rtfs", "lsp", "--load", str(folder / "issues.rtfs"))
    try:
        root = types.WorkspaceFolder(folder.as_uri(), "work")
        await client.initialize_async(
            types.InitializeParams(capabilities=types.ClientCapabilities(), workspace_folders=[root])
        )
        client.initialized(types.InitializedParams())
        yield made
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "prices.rtfs").write_text(PRICES, "utf-8")
    (tmp_path / "issues.rtfs").write_text(ISSUES, "utf-8")
    (tmp_path / "plan.rtfs").write_text(TEXT, "utf-8")
    return tmp_path


def run(body: Any, seconds: float = 120) -> Any:
    return asyncio.run(asyncio.wait_for(body, seconds))


def test_a_client_gets_every_feature(folder: Path):
    async def talk() -> None:
        async with editor(folder) as one:
            client, document = one.client, one.document
            one.open(TEXT)
            found = await one.diagnostics()
            assert ("undefined", one.at(TEXT, "prinln")) in [(each.code, each.range.start) for each in found]

            area = one.at(TEXT, "area 2")
            hover = await client.text_document_hover_async(types.HoverParams(document, area))
            assert hover is not None
            assert hover.contents.value.startswith("(area w h)")  # type: ignore[union-attr]
            there = await client.text_document_definition_async(types.DefinitionParams(document, area))
            assert there.range.start == types.Position(1, 0)  # type: ignore[union-attr]
            rate = await client.text_document_definition_async(
                types.DefinitionParams(document, one.at(TEXT, "p/rate", 3))
            )
            assert rate.uri == (folder / "shop" / "prices.rtfs").as_uri()  # type: ignore[union-attr]
            issues = await client.text_document_definition_async(
                types.DefinitionParams(document, one.at(TEXT, "test.issues"))
            )
            assert issues.uri == (folder / "issues.rtfs").as_uri()  # type: ignore[union-attr]

            one.change(TYPING)
            value = one.at(TYPING, ":state ", 7)
            offered = await client.text_document_completion_async(types.CompletionParams(document, value))
            assert [each.label for each in offered] == ["open", "closed"]  # type: ignore[union-attr]
            assert offered[0].text_edit.new_text == '"open"'  # type: ignore[index,union-attr]
            help = await client.text_document_signature_help_async(types.SignatureHelpParams(document, value))
            assert help is not None
            assert help.signatures[0].label.startswith('(call "test.issues"')
            assert help.signatures[0].parameters[help.active_parameter or 0].label == ":state"  # type: ignore[index]

            one.change(TEXT)
            symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
            assert [each.name for each in symbols or ()] == ["area"]
            options = types.FormattingOptions(tab_size=2, insert_spaces=True)
            edits = await client.text_document_formatting_async(types.DocumentFormattingParams(document, options))
            assert "\n  (* w h))" in edits[0].new_text  # type: ignore[index]
            everything = types.Range(types.Position(0, 0), types.Position(9, 0))
            context = types.CodeActionContext(diagnostics=[])
            actions = await client.text_document_code_action_async(
                types.CodeActionParams(document, everything, context)
            )
            assert [each.title for each in actions or ()] == ["write println"]
            assert actions[0].edit.changes[one.uri][0].new_text == "println"  # type: ignore[index,union-attr]
            words = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document))
            assert words is not None
            assert list(words.data[:5]) == [0, 1, 6, 0, 0]  # `import`, a keyword
            folds = await client.text_document_folding_range_async(types.FoldingRangeParams(document))
            assert [(each.start_line, each.end_line) for each in folds or ()] == [(1, 2)]

    run(talk())


def test_renaming_reaches_the_files_that_import_the_module(folder: Path):
    async def talk() -> None:
        async with editor(folder) as one:
            one.open(TEXT)
            await one.diagnostics()
            where = one.at(TEXT, "p/rate", 3)
            edit = await one.client.text_document_rename_async(types.RenameParams(one.document, where, "price"))
            assert edit is not None
            changes = {Path(uri.removeprefix("file://")).name: made for uri, made in (edit.changes or {}).items()}
            assert sorted(changes) == ["plan.rtfs", "prices.rtfs"]
            (here,), (there,) = changes["plan.rtfs"], changes["prices.rtfs"]
            assert here.range.start == one.at(TEXT, "p/rate", 2)
            assert there.range.start == one.at(PRICES, "rate [n]")
            context = types.ReferenceContext(include_declaration=True)
            found = await one.client.text_document_references_async(types.ReferenceParams(context, one.document, where))
            assert len(found or ()) == 2

    run(talk())


def test_a_configuration_of_the_folder_is_told_about_and_read_again_on_command(folder: Path):
    (folder / "rtfs.yaml").write_text("grants: []\nnonsense: 1\n", "utf-8")

    async def talk() -> None:
        async with editor(folder) as one:
            one.open(TEXT)
            before = await one.diagnostics()
            (folder / "shop" / "prices.rtfs").write_text(PRICES.replace("rate", "tariff"), "utf-8")
            await one.client.workspace_execute_command_async(types.ExecuteCommandParams("rtfs.refresh"))
            after = await one.diagnostics()
            assert len(after) == len(before) + 1, after
            assert any("rtfs.yaml" in each or "configuration" in each for each in one.messages)

    run(talk())


def test_a_file_that_is_not_saved_yet_finds_the_modules_beside_it(folder: Path):
    (folder / "plan.rtfs").unlink()

    async def talk() -> None:
        async with editor(folder) as one:
            one.open(TEXT)
            assert "module/not-found" not in [each.code for each in await one.diagnostics()]

    run(talk())


def test_a_server_that_is_told_to_leave_leaves_without_an_error():
    def message(**content: Any) -> bytes:
        body = json.dumps({"jsonrpc": "2.0", **content}).encode()
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    asked = [
        message(id=1, method="initialize", params={"capabilities": {}, "rootUri": None, "processId": None}),
        message(method="initialized", params={}),
        message(id=2, method="shutdown"),
        message(method="exit"),
    ]
    with subprocess.Popen([sys.executable, "-m", "rtfs", "lsp"], stdin=PIPE, stdout=PIPE, stderr=PIPE) as server:
        _, said = server.communicate(b"".join(asked), timeout=120)
    assert (server.returncode, said.decode()) == (0, "")
