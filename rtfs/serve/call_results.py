"""The result of a tool in the form of the protocol.

Must not know tools. Invariant: structured content and text say the same; media come after them.

Source: MCP specification, server/tools.
"""

from __future__ import annotations

import mcp_types as types
from pydantic import TypeAdapter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtfs.serve.results import Told

_BLOCKS: TypeAdapter[list[types.ContentBlock]] = TypeAdapter(list[types.ContentBlock])


def call_result(told: Told) -> types.CallToolResult:
    """The result of `tools/call`."""
    content: list[types.ContentBlock] = [types.TextContent(type="text", text=told.text)]
    content += _BLOCKS.validate_python(told.blocks)
    return types.CallToolResult(content=content, structured_content=told.data, is_error=told.failed)
