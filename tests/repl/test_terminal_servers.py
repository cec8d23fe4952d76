"""The REPL in a real terminal, with a real MCP server: its progress is shown, its questions are put."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.repl.prompt import ROOT, Pane
from tests.servers.running import serve

SERVER = ROOT / "tests" / "servers" / "sdk_server.py"
PROGRAM = """
import sys
from rtfs.cli.main import main
code = main(["repl", "--load", {file!r}, "--allow", "mcp.shop.*"])
print("left with", code)
"""


@pytest.mark.parametrize("era", ["auto", "true"], ids=["sessionless", "handshake"])
def test_progress_and_questions_of_a_server(tmp_path: Path, era: str) -> None:
    with serve(SERVER) as server:
        file = tmp_path / "shop.rtfs"
        where = f':server_url "{server.url}" :server_name "shop" :requires_session "{era}"'
        file.write_text(
            "\n".join(
                f'(capability "mcp.shop.{tool}" :metadata {{:mcp {{{where} :tool_name "{tool}"}}}})'
                for tool in ("steps", "order")
            )
        )
        with Pane(tmp_path, PROGRAM.format(file=str(file))) as pane:
            pane.wait("rtfs>")
            pane.enter('(call "mcp.shop.steps" {:count 3 :pause 0.6})')
            pane.wait("mcp.shop.steps", "2/3 step 2")
            pane.wait("{:steps 3}", gone="step 3")
            pane.enter('(:name (call "mcp.shop.order" {}))')
            pane.wait("asks, for mcp.shop.order:", "[a]nswer, [d]ecline, [c]ancel:")
            pane.enter("a")
            pane.wait("\n  Name:")
            pane.enter("Ada")
            for prompt in ("Count [1]:", "Colour [green]:", "Gift [no]:"):
                pane.wait(prompt)
                pane.press("Enter")
            pane.wait("[s]end, [e]dit, [d]ecline, [c]ancel:")
            pane.enter("s")
            pane.wait('\n"Ada"\n')
            pane.enter('(call "mcp.shop.order" {})')
            pane.wait("[a]nswer, [d]ecline, [c]ancel:\n")
            pane.press("C-c")
            pane.wait("cancelled")
            pane.enter("(+ 20 22)")
            pane.wait("\n42\n")
            pane.press("C-d")
            pane.wait("left with 0")
