"""`rtfs lsp`, spoken to by a client over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

URI = "file:///plan.rtfs"
TEXT = "(defn area [w h]\n(* w h))\n(prinln (area 2 3))\n"


async def talk() -> dict[str, Any]:
    """Every feature once; what the server answered."""
    client = LanguageClient("test", "1")
    told: asyncio.Queue[Any] = asyncio.Queue()
    client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda params: told.put_nowait(params))
    await client.start_io(sys.executable, "-m", "rtfs", "lsp")
    try:
        await client.initialize_async(types.InitializeParams(capabilities=types.ClientCapabilities()))
        client.initialized(types.InitializedParams())
        item = types.TextDocumentItem(URI, "rtfs", 1, TEXT)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        document, at = types.TextDocumentIdentifier(URI), types.Position(2, 10)
        everything = types.Range(types.Position(0, 0), types.Position(9, 0))
        context = types.CodeActionContext(diagnostics=[])
        return {
            "diagnostics": (await asyncio.wait_for(told.get(), 60)).diagnostics,
            "hover": await client.text_document_hover_async(types.HoverParams(document, at)),
            "completion": await client.text_document_completion_async(types.CompletionParams(document, at)),
            "definition": await client.text_document_definition_async(types.DefinitionParams(document, at)),
            "symbols": await client.text_document_document_symbol_async(types.DocumentSymbolParams(document)),
            "formatting": await client.text_document_formatting_async(
                types.DocumentFormattingParams(document, types.FormattingOptions(tab_size=2, insert_spaces=True))
            ),
            "actions": await client.text_document_code_action_async(
                types.CodeActionParams(document, everything, context)
            ),
        }
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()


def test_a_client_gets_every_feature(tmp_path: Path, monkeypatch: Any):
    monkeypatch.chdir(tmp_path)
    found = asyncio.run(asyncio.wait_for(talk(), 120))
    assert [(one.code, one.range.start) for one in found["diagnostics"]] == [("undefined", types.Position(2, 1))]
    assert found["hover"].contents.value.startswith("(area w h)")
    assert "area" in [one.label for one in found["completion"]]
    assert found["definition"].range.start == types.Position(0, 0)
    assert [one.name for one in found["symbols"]] == ["area"]
    assert "\n  (* w h))" in found["formatting"][0].new_text
    (action,) = found["actions"]
    assert action.title == "write println"
    assert action.edit.changes[URI][0].new_text == "println"
